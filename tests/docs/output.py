"""Compares what a command prints with what the document shows."""

import re

# In a line it stands for any text, as a line of its own for any lines.
ANY = "..."


def matches(shown, printed):
    """Whether PRINTED is what the document shows. White space at the ends of lines counts not."""
    return re.fullmatch(pattern(shown), _tidy(printed)) is not None


def pattern(shown):
    """The regular expression of a text of a document."""
    parts = []
    for line in _tidy(shown).splitlines():
        if line.strip() == ANY:
            parts.append(r"(?:[^\n]*\n)*")
        else:
            parts.append("[^\n]*".join(re.escape(text) for text in line.split(ANY)) + "\n")
    return "".join(parts)


def _tidy(text):
    return "".join(line.rstrip() + "\n" for line in text.strip("\n").splitlines())
