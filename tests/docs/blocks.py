"""The blocks of a document, by the convention that CONTRIBUTING.md describes ("To change a document")."""

import re
from dataclasses import dataclass

# The languages of blocks. Each other language but none, which is for drawings, belongs to a block that is written into a file.
COMMANDS, OUTPUT, STATEMENTS, RECORDS, DRAWING = "sh", "text", "sql", "dns", ""

FENCE = re.compile(r"^( *)```(\S*)$")
HEADING = re.compile(r"^(#+) (.*)$")
CHAPTER = "##"
# The last path in the line before a block, which ends with a colon.
FILE = re.compile(r"`(/[^`\s]+)`[^`]*:$")


class Malformed(Exception):
    """A document that departs from the convention. The text names the line."""


@dataclass
class Block:
    """A block of a document; FILE is the path that it is written to, OUTPUT the text of the block of output after it. SECTION is
    the heading above it, CHAPTER that of the second level."""

    document: str
    line: int
    chapter: str
    section: str
    kind: str
    text: str
    file: str = None
    output: str = None

    @property
    def place(self):
        return "%s:%d" % (self.document, self.line)

    @property
    def summary(self):
        """What it does, in a line."""
        first = self.text.splitlines()[0].strip()
        return "%s into %s" % (self.kind, self.file) if self.file else first


def of_document(name, text):
    """The blocks that do something, in their order. A block of output is part of the block before it."""
    found = []
    for block in _fenced(name, text):
        if block.kind == OUTPUT and not block.file:
            if not found or found[-1].section != block.section or found[-1].kind != COMMANDS or found[-1].output:
                raise Malformed("%s: the output of no command: the block before it in the section has no commands, or has its "
                                "output already" % block.place)
            found[-1].output = block.text
        elif block.kind in (COMMANDS, STATEMENTS, RECORDS):
            found.append(block)
        elif block.file:
            found.append(block)
        elif block.kind != DRAWING:
            raise Malformed("%s: the line before a block of %s has to end with the file that it is written to: `/PATH`:" % (
                block.place, block.kind))
    return found


def _fenced(name, text):
    """All blocks between fences."""
    chapter, section, before, block, indentation = "", "", "", None, ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if block is not None:
            if fence and not fence.group(2):
                yield block
                block, before = None, ""
            else:
                if line.strip() and not line.startswith(indentation):
                    raise Malformed("%s:%d: less indented than its block" % (name, number))
                block.text += line[len(indentation):] + "\n"
            continue
        if fence:
            indentation, language = fence.groups()
            file = FILE.search(before) if language not in (COMMANDS, STATEMENTS, RECORDS, DRAWING) else None
            block = Block(name, number, chapter, section, language, "", file.group(1) if file else None)
        elif line.startswith("    ") and line.strip() and not before:
            raise Malformed("%s:%d: an indented block: use fences" % (name, number))
        heading = HEADING.match(line)
        if heading:
            section = heading.group(2)
            chapter = section if heading.group(1) == CHAPTER else chapter
        # The text before a block may be followed by an empty line.
        before = line.strip() or (before if FILE.search(before) else "")
    if block is not None:
        raise Malformed("%s: no end" % block.place)
