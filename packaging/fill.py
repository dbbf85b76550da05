#!/usr/bin/env python3
"""Fills in a template of packages, for instance libtlsrpt.spec.in.

    packaging/fill.py TEMPLATE VERSION LEVEL    prints it with these in the place of

    @VERSION@            the version of the project
    @LEVEL@              the level of the C interface
    @LICENCE:PACKAGE@    the licences of a package, with those of the crates in it
    @BUNDLED:PACKAGE@    a line of RPM for each of these crates
"""

import re
import sys

sys.dont_write_bytecode = True

import licences  # noqa: E402


def main(template, version, level):
    packages = licences.read()

    def value(match):
        name, _, package = match.group(1).partition(":")
        if name == "LICENCE":
            return licences.expression(packages[package])
        if name == "BUNDLED":
            return "\n".join("Provides:       bundled(crate(%s)) = %s" % crate for crate in packages[package])
        return {"VERSION": version, "LEVEL": level}[name]
    with open(template) as source:
        sys.stdout.write(re.sub(r"@([A-Z]+(?::[a-z-]+)?)@", value, source.read()))


if __name__ == "__main__":
    main(*sys.argv[1:])
