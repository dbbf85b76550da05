"""Runs a document on its machine: what a reader does, from its first block to its last."""

import os
import subprocess
import time

import blocks
import hosts
import output
import preparations
from harness import waiting

DOCUMENTS = os.path.join(hosts.PROJECT, "docs")
# A reader who does not see yet what the document shows looks again.
LOOKS_AGAIN = 30  # seconds


class Wrong(Exception):
    """A block that does not do what the document says. The text describes it in full."""


def read(document):
    with open(os.path.join(DOCUMENTS, document), encoding="utf-8") as source:
        return blocks.of_document(document, source.read())


def run(lower, packages, replaced, reporter, before, document, chapters, without, prepare, network_arguments):
    """In a namespace: boots a machine and pastes the blocks of the document in docs/: those of the CHAPTERS, or, without such a list,
    all but those WITHOUT. BEFORE is [(document, section)]: what has
    been done on the machine, up to this section. PREPARE names what else is there, REPORTER the environment of Python that has tlsrpt-reporter.
    Returns {"ran": [(place, kind, summary, seconds)], "wrong": text or null}."""
    ran = []
    try:
        host = hosts.Host(hosts.World(**network_arguments), lower, packages, replaced)
        for earlier, section in before:
            for block in up_to(read(earlier), section):
                paste(host, block)
        if prepare:
            getattr(preparations, prepare)(host, reporter)
        for block in [block for block in read(document)
                      if (block.chapter in chapters if chapters else block.chapter not in without)]:
            begin = time.monotonic()
            paste(host, block)
            ran.append((block.place, block.kind, block.summary, round(time.monotonic() - begin, 1)))
    except (Wrong, blocks.Malformed, subprocess.TimeoutExpired, RuntimeError, waiting.Timeout) as wrong:
        return {"ran": ran, "wrong": str(wrong)}
    return {"ran": ran, "wrong": None}


def run_texts(lower, packages, replaced, reporter, texts, network_arguments):
    """In a namespace: pastes the blocks of each text on one machine: {name: [blocks that ran, what is wrong or null]}."""
    host, found = hosts.Host(hosts.World(**network_arguments), lower, packages, replaced), {}
    for name, text in texts.items():
        found[name] = [0, None]
        try:
            for block in blocks.of_document(name, text):
                paste(host, block, patience=1)
                found[name][0] += 1
        except (Wrong, blocks.Malformed, subprocess.TimeoutExpired, RuntimeError, waiting.Timeout) as wrong:
            found[name][1] = str(wrong)
    return found


def up_to(all_blocks, section):
    """The blocks before a section."""
    sections = [block.section for block in all_blocks]
    if section not in sections:
        raise Wrong("no blocks in the section \"%s\"" % section)
    return all_blocks[:sections.index(section)]


def paste(host, block, patience=LOOKS_AGAIN):
    """Does what a block says. Raises Wrong if it does not work."""
    if block.file:
        host.edit(block.file, block.text)
    elif block.kind == blocks.RECORDS:
        host.world.publish(block.text, host.printed)
    elif block.kind == blocks.STATEMENTS:
        succeeded, printed = host.query(block.text)
        require(succeeded, printed, block)
    else:
        run_commands(host, block, patience)


def run_commands(host, block, patience):
    """Runs the commands. Those whose output the document shows are repeated until they print it; in a pipe, the others than the
    last may fail then: the output shows what the reader needs."""
    if block.output is None:
        succeeded, printed = host.run(block.text)
        return require(succeeded, printed if succeeded else printed + host.journal(), block)
    options = "set -eu"
    succeeded, printed = host.run(block.text, options)

    def as_shown():
        nonlocal succeeded, printed
        if succeeded and output.matches(block.output, printed):
            return True
        succeeded, printed = host.run(block.text, options)
        return False
    if not hosts.look(patience, as_shown):
        require(succeeded, printed, block)
        raise Wrong("%s: %s\nshown:\n%s\nprinted:\n%s" % (block.place, block.summary, block.output, printed))


def require(succeeded, printed, block):
    if not succeeded:
        raise Wrong("%s: a command fails:\n%s\nIt printed:\n%s" % (block.place, block.text, printed))
