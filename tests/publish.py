#!/usr/bin/env python3
"""Packs each crate that is published as `cargo publish` does, compiles the library as it is packed, and publishes none.

    tests/publish.py FOLDER            keeps cargo's output in FOLDER
    tests/publish.py FOLDER compile    compiles all of them: some minutes, before a release

Crates that depend on others of this project are packed with these, which needs cargo 1.90 or later. Needs the registry, and a
checkout without changes. Also checks the order in docs/releasing.md.
"""

import json
import os
import re
import subprocess
import sys

CARGO = os.environ.get("CARGO", "cargo")
CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST = 90
COMPILE = "compile"
# Measurements, the tests, what `make` builds for C, and the module for Exim.
KEPT = {"tlsrpt-bench", "tlsrpt-clib", "tlsrpt-exim", "tlsrpt-tests"}
REQUIRED = {"Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT"}
# They read files that no package has.
UNWANTED = ("tests/", "examples/metrics.rs")
DOCUMENT = os.path.join(CHECKOUT, "docs", "releasing.md")
IN_DOCUMENT = re.compile(r"^ *cargo publish --package ([\w-]+)$", re.MULTILINE)


def main(folder, what="pack"):
    version = cargo("--version").split()[1]
    if int(version.split(".")[1]) < OLDEST:
        raise SystemExit("cargo %s cannot publish a whole workspace: run: rustup update stable" % version)
    packages = {package["name"]: package for package in json.loads(
        cargo("metadata", "--no-deps", "--format-version", "1", "--locked"))["packages"]}
    printed = publish(folder, *(["--workspace"] if what == COMPILE else ["--workspace", "--no-verify"]))
    if what != COMPILE:
        publish(folder, "--package", "tlsrpt")
    uploaded = re.findall(r"^ *Uploading ([\w-]+) v", printed, re.MULTILINE)
    wrong = []
    if set(packages) - set(uploaded) != KEPT:
        wrong.append("not published are %s" % sorted(set(packages) - set(uploaded)))
    if "manifest has no" in printed:
        wrong.append("a manifest lacks what the registry shows:\n" + printed)
    for name in uploaded:
        wrong += faults_of(name)
    wrong += faults_of_order(packages, uploaded)
    for text in wrong:
        print("FAIL  " + text)
    print("publish: %d passed, %d failed" % (len(uploaded), len(wrong)))
    return 1 if wrong else 0


def cargo(*arguments):
    return subprocess.run([CARGO] + list(arguments), cwd=CHECKOUT, stdout=subprocess.PIPE, universal_newlines=True,
                          check=True).stdout


def publish(folder, *options):
    """What cargo prints when it publishes, but for the upload."""
    command = [CARGO, "publish", "--dry-run", "--locked", "--target-dir", folder] + list(options)
    outcome = subprocess.run(command, cwd=CHECKOUT, env=dict(os.environ, CARGO_PROFILE_DEV_DEBUG="0"), stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    if outcome.returncode != 0:
        raise SystemExit("%s\n%s failed" % (outcome.stdout, " ".join(command)))
    return outcome.stdout


def faults_of(name):
    """What is wrong with the files in a package."""
    files = cargo("package", "--list", "--locked", "--package", name).splitlines()
    wrong = ["the package of %s lacks %s" % (name, file) for file in sorted(REQUIRED - set(files))]
    return wrong + ["the package of %s has %s" % (name, file) for file in files if file.startswith(UNWANTED)]


def faults_of_order(packages, uploaded):
    """What is wrong with the order in the documentation: a crate must come after those that it depends on."""
    with open(DOCUMENT, encoding="utf-8") as document:
        order = IN_DOCUMENT.findall(document.read())
    if sorted(order) != sorted(uploaded):
        return ["docs/releasing.md does not list %s" % sorted(set(order) ^ set(uploaded))]
    return ["docs/releasing.md: %s comes before %s, which it needs" % (name, dependency["name"])
            for position, name in enumerate(order) for dependency in packages[name]["dependencies"]
            if dependency["kind"] is None and dependency["name"] in order[position:]]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
