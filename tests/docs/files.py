"""Writes a block of a document into a file, as a reader does with an editor."""

import re

SECTION = re.compile(r"^\[([^\[\]]+)\]$")
KEY = re.compile(r"^([\w-]+)\s*=")


def merged(text, block):
    """The text of a file with the lines of a block: under its section if the block has sections, else at the end. A key that the
    section has already gets the new value."""
    lines = text.splitlines()
    for section, added in _sections(block):
        if section is None:
            lines += added
            continue
        keys = {KEY.match(line).group(1) for line in added if KEY.match(line)}
        header = "[%s]" % section
        if header not in lines:
            lines += ["", header]
        begin = lines.index(header) + 1
        end = next((number for number in range(begin, len(lines)) if SECTION.match(lines[number])), len(lines))
        kept = [line for line in lines[begin:end] if not (KEY.match(line) and KEY.match(line).group(1) in keys)]
        lines[begin:end] = added + kept
    return "\n".join(lines) + "\n"


def _sections(block):
    """[(section or None, its lines)]. A section may be there several times: systemd's lists are emptied so."""
    found = []
    for line in block.splitlines():
        section = SECTION.match(line)
        if section:
            found.append((section.group(1), []))
        elif found:
            found[-1][1].append(line)
        else:
            found.append((None, [line]))
    return found
