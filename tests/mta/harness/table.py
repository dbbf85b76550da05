"""Tables in the documentation, each between two markers. A run writes them, or compares them with its results."""

import os

BEGIN, END = "<!-- %s: begin -->", "<!-- %s: end -->"
RAN = "what tests/mta/run ran"
DIFFERENCES = "how the libraries differ"
WHOLE = "the whole proof"
FILES = {RAN: "tests/mta/README.md", DIFFERENCES: "docs/differences.md", WHOLE: "tests/mta/README.md"}
RAN_HEAD = ["scenario", "run", "compared"]


def text(head, rows):
    """A table with a line for each row of cells."""
    return "\n".join("| %s |" % " | ".join(cells) for cells in [head, ["---"] * len(head)] + rows)


def of_scenarios(rows):
    """The table of (name, Row) pairs."""
    return text(RAN_HEAD, [["`%s`" % name, row.run, row.compared] for name, row in rows])


def differences(checkout, name, wanted, complete=True):
    """The faults of the table NAME: missing lines and, if WANTED is complete, lines that it should not have."""
    _, documented, _ = parts(checkout, name)
    documented, lines = documented.strip().split("\n"), wanted.split("\n")
    wrong = ["does not have this line: " + line for line in lines if line not in documented]
    if complete and not wrong and documented != lines:
        wrong = ["has other lines than this run, or in another order"]
    return wrong


def merged(checkout, name, wanted, order):
    """The documented table with the lines of WANTED in place of those with the same first cell, in the order of ORDER."""
    _, documented, _ = parts(checkout, name)
    lines = {}
    for line in documented.strip().split("\n") + wanted.split("\n"):
        lines[line.split("|")[1].strip(" `")] = line
    head = wanted.split("\n")[:2]
    return "\n".join(head + [lines[scenario] for scenario in order if scenario in lines])


def write(checkout, name, wanted):
    """Replaces the table NAME in the documentation."""
    before, _, after = parts(checkout, name)
    with open(os.path.join(checkout, FILES[name]), "w") as target:
        target.write(before + BEGIN % name + "\n" + wanted + "\n" + END % name + after)


def parts(checkout, name):
    """The text of the documentation before, between and after the markers of the table NAME."""
    begin, end = BEGIN % name, END % name
    with open(os.path.join(checkout, FILES[name])) as source:
        before, _, rest = source.read().partition(begin)
    table, marker, after = rest.partition(end)
    if not marker:
        raise SystemExit("%s has no table between %s and %s" % (FILES[name], begin, end))
    return before, table, after
