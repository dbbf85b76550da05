#!/usr/bin/env python3
"""Check the figures of the shared library that are the same on every machine.

    crates/bench/check.py BENCH LIBRARY

BENCH is the program tlsrpt-bench, LIBRARY our shared library. Needs valgrind, strip, nm and readelf. tests/artefacts.py
checks the exported symbols and the absence of panic code.
"""
import os
import re
import subprocess
import sys
import tempfile

DANE_FAILURE = "1"
"""The number of the most expensive usual event in tlsrpt-bench."""

INSTRUCTIONS = 4_000
ALLOCATIONS = 2
STRIPPED_BYTES = 24_000
IMPORTS = 16


def output_of(*command):
    """The output of a program, standard error included."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def instructions(bench, library, times):
    """Instructions of the whole process that sends the event TIMES times."""
    report = output_of(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", bench, "repeat", library, DANE_FAILURE,
        str(times),
    )
    return int(re.search(r"Collected : (\d+)", report).group(1))


def instructions_of_an_event(bench, library):
    """The instructions of one event, from the difference of two runs. It leaves out the start and the end of the process."""
    few, many = 1_000, 2_000
    return (instructions(bench, library, many) - instructions(bench, library, few)) / (many - few)


def allocations(bench, library):
    """The most blocks that an event takes from malloc, its connection among them."""
    return max(int(line.rsplit(":", 1)[1]) for line in output_of(bench, "allocations", library).splitlines())


def stripped_bytes(library):
    """The size of the file as a distribution ships it."""
    with tempfile.NamedTemporaryFile() as stripped:
        output_of("strip", "-o", stripped.name, library)
        return os.stat(stripped.name).st_size


def imports(library):
    """The number of symbols that the loader has to find."""
    return len(output_of("nm", "-D", "--undefined-only", library).splitlines())


def other_relocations(library):
    """Relocations that are not one of the imports."""
    entries = re.findall(r"^[0-9a-f]+ +[0-9a-f]+ +R_\S+", output_of("readelf", "-rW", library), re.MULTILINE)
    return len(entries) - imports(library)


def main():
    """Prints a line for each figure and the closing line."""
    bench, library = sys.argv[1:]
    figures = (
        ("instructions of a DANE failure", instructions_of_an_event(bench, library), INSTRUCTIONS),
        ("allocations of an event", allocations(bench, library), ALLOCATIONS),
        ("bytes of the stripped library", stripped_bytes(library), STRIPPED_BYTES),
        ("imported symbols", imports(library), IMPORTS),
        ("relocations besides the imports", other_relocations(library), 0),
    )
    failed = 0
    for name, value, limit in figures:
        failed += value > limit
        print(f"{'too much' if value > limit else 'ok'}: {name}: {value:,.0f}, at most {limit:,}")
    print(f"figures: {len(figures) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
