#!/usr/bin/env python3
"""The licences of the crates in the libraries, the command and the module, from Cargo.lock and the manifests of the crates.

    packaging/licences.py           writes LICENSE.dependencies
    packaging/licences.py --check   fails unless LICENSE.dependencies is what would be written
"""

import os
import re
import sys

sys.dont_write_bytecode = True

import crates  # noqa: E402

FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "LICENSE.dependencies")
# {the package of RPM and Arch: the crate that its binary is built from}
BINARIES = {"libtlsrpt": "tlsrpt-clib", "tlsrpt": "tlsrpt-cli", "tlsrpt-exim": "tlsrpt-exim"}
OWN = "MIT OR Apache-2.0"
HEAD = """The crates of other projects in the binaries of each package, with their licences. `make licences` writes this file from
Cargo.lock. The standard library of Rust, under MIT OR Apache-2.0, is in each of them. The SQLite in libsqlite3-sys is in
the public domain.
"""
SECTION = re.compile(r"^\[(.+)\]$")
CRATE = re.compile(r"^(.+): (\S+) (\S+)$")


def main(*arguments):
    text = HEAD + "".join(section(package, crate) for package, crate in BINARIES.items())
    if arguments != ("--check",):
        with open(FILE, "w") as target:
            target.write(text)
        return
    with open(FILE) as source:
        if source.read() != text:
            sys.exit("LICENSE.dependencies is not that of Cargo.lock: run make licences")
    print("LICENSE.dependencies names %d crates" % len({crate for package in read().values() for crate in package}))


def section(package, crate):
    """The lines of a package: LICENCE: NAME VERSION."""
    found = set()
    for target in crates.LINUX:
        tree = crates.cargo("tree", "--package", crate, "--target", target, "--edges", "normal,no-proc-macro", "--prefix", "none",
                            "--format", "{p}\t{l}")
        for line in tree.splitlines():
            name, licence = line.replace(" (*)", "").split("\t")
            # A crate of this workspace has its folder in brackets.
            if "(" not in name:
                found.add("%s: %s" % (licence.replace("/", " OR "), name.replace(" v", " ")))
    return "\n[%s]\n%s" % (package, "".join(line + "\n" for line in sorted(found, key=name_and_version)))


def name_and_version(line):
    return CRATE.match(line).groups()[1:]


def read():
    """What LICENSE.dependencies says: {package: {(name, version): licence}}."""
    packages = {}
    with open(FILE) as source:
        for line in source.read().splitlines():
            if SECTION.match(line):
                packages[SECTION.match(line).group(1)] = named = {}
            elif packages and line:
                licence, name, version = CRATE.match(line).groups()
                named[name, version] = licence
    return packages


def expression(named):
    """The licence of a binary with these crates and those of this project, as SPDX writes it: all that apply."""
    terms = {term.strip("()") for licence in [OWN, *named.values()] for term in licence.split(" AND ")}
    alternatives = {}
    for term in sorted(terms, key=lambda term: (term != OWN, term)):
        alternatives.setdefault(frozenset(term.split(" OR ")), term)
    return " AND ".join(term if len(words) == 1 or len(alternatives) == 1 else "(%s)" % term
                        for words, term in alternatives.items())


if __name__ == "__main__":
    main(*sys.argv[1:])
