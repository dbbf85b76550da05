"""The table of what was run and compared, in the documentation between two markers."""

import os

FILE = "README.md"
BEGIN, END = "<!-- what tests/mta/run ran: begin -->", "<!-- what tests/mta/run ran: end -->"
HEAD = ["| scenario | run | compared |", "| --- | --- | --- |"]


def text(rows):
    """The table of (name, Row) pairs."""
    return "\n".join(HEAD + ["| `%s` | %s | %s |" % (name, row.run, row.compared) for name, row in rows])


def differences(checkout, wanted, complete):
    """What is wrong in the documented table: lines it does not have and, if WANTED is complete, lines it should not."""
    _, documented, _ = parts(checkout)
    documented, rows = documented.strip().split("\n"), wanted.split("\n")[len(HEAD):]
    wrong = ["does not have this line: " + row for row in rows if row not in documented]
    if complete and not wrong and documented != wanted.split("\n"):
        wrong = ["has other lines than this run, or in another order"]
    return wrong


def write(checkout, wanted):
    """Replaces the table in the documentation."""
    before, _, after = parts(checkout)
    with open(os.path.join(checkout, FILE), "w") as target:
        target.write(before + BEGIN + "\n" + wanted + "\n" + END + after)


def parts(checkout):
    """What the documentation has before, between and after the markers."""
    with open(os.path.join(checkout, FILE)) as source:
        before, _, rest = source.read().partition(BEGIN)
    table, marker, after = rest.partition(END)
    if not marker:
        raise SystemExit("%s has no table between %s and %s" % (FILE, BEGIN, END))
    return before, table, after
