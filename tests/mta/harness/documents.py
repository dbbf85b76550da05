"""The commands in the documentation, so that tests run what an administrator pastes."""

import os
import re

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def commands(checkout, document, heading):
    """The shell commands in the section of a document below docs/, as one script that stops at the first error."""
    found = FENCE.findall(_section(checkout, document, heading))
    if not found:
        raise ValueError("docs/%s has no commands in the section \"%s\"" % (document, heading))
    return "set -eu\n" + "".join(found)


def commands_of(checkout, document, heading, program):
    """Those lines of the commands that begin with the name of a program, as commands() returns them."""
    lines = [line for line in commands(checkout, document, heading).splitlines() if line.split()[:1] == [program]]
    if not lines:
        raise ValueError("docs/%s has no command of %s in the section \"%s\"" % (document, program, heading))
    return "set -eu\n" + "".join(line + "\n" for line in lines)


def block(checkout, document, heading, language, number=0):
    """A block of a language in the section: the first one, or the one with this number."""
    fences = re.compile(r"^```%s\n(.*?)^```$" % language, re.DOTALL | re.MULTILINE)
    return fences.findall(_section(checkout, document, heading))[number]


def _section(checkout, document, heading):
    with open(os.path.join(checkout, "docs", document)) as source:
        parts = re.split(r"^#+ (.*)\n", source.read(), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2]))
    if heading not in sections:
        raise ValueError("docs/%s has no section \"%s\"" % (document, heading))
    return sections[heading]
