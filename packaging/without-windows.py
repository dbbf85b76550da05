#!/usr/bin/env python3
"""Empties vendored crates that no Unix needs: their code for Windows is large, and has libraries as binaries.

    packaging/without-windows.py FOLDER    FOLDER has the project, and the output of `cargo vendor --versioned-dirs` in vendor/

Cargo needs the manifest of each crate in Cargo.lock, and a library that it names; it compiles none of them.
"""

import json
import os
import shutil
import sys

sys.dont_write_bytecode = True

import crates  # noqa: E402

WINDOWS = (".dll", ".lib", ".exe")


def main(folder):
    needed = set()
    for target in crates.TARGETS:
        metadata = json.loads(crates.cargo("metadata", "--all-features", "--format-version", "1", "--filter-platform", target))
        used = {node["id"] for node in metadata["resolve"]["nodes"]}
        needed.update("%(name)s-%(version)s" % package for package in metadata["packages"] if package["id"] in used)
    vendor = os.path.join(folder, "vendor")
    for crate in os.listdir(vendor):
        (drop_libraries if crate in needed else empty)(os.path.join(vendor, crate))


def drop_libraries(crate):
    """Removes libraries of Windows among the test data of a crate that is needed."""
    path = os.path.join(crate, ".cargo-checksum.json")
    with open(path) as source:
        checksum = json.load(source)
    for name in [name for name in checksum["files"] if name.endswith(WINDOWS)]:
        os.unlink(os.path.join(crate, name))
        del checksum["files"][name]
    with open(path, "w") as target:
        json.dump(checksum, target)


def empty(crate):
    checksum = os.path.join(crate, ".cargo-checksum.json")
    with open(checksum) as source:
        package = json.load(source)["package"]
    for name in os.listdir(crate):
        path = os.path.join(crate, name)
        if name == "src" or os.path.isdir(path):
            shutil.rmtree(path)
        elif name != "Cargo.toml":
            os.unlink(path)
    os.mkdir(os.path.join(crate, "src"))
    for name in ("src/lib.rs", "build.rs"):
        with open(os.path.join(crate, name), "w"):
            pass
    with open(checksum, "w") as target:
        json.dump({"files": {}, "package": package}, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
