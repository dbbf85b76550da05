"""This project inside a root filesystem: built and installed there with Debian's own Rust, without a network."""

import hashlib
import os
import shutil
import subprocess
import threading

from harness import cache, roots

SOURCE = "/usr/src/libtlsrpt"
VENDORED = "/usr/src/vendored-crates"
CARGO_HOME = "/usr/src/cargo-home"
NOT_COPIED = shutil.ignore_patterns("target", "build", ".git")
LIBRARY = "install-library"  # the target of make for the library without the command
INSTALLED = "/usr/local/lib/libtlsrpt.so.0.0.0"

CARGO_CONFIG = """[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "%s"
""" % VENDORED


def crates(checkout):
    """A folder with the sources of the crates that Cargo.lock names."""
    lock = os.path.join(checkout, "Cargo.lock")
    with open(lock, "rb") as content:
        recipe = {"Cargo.lock": hashlib.sha256(content.read()).hexdigest()}
    return cache.entry("crates", recipe, lambda path: subprocess.run(
        ["cargo", "vendor", "--quiet", "--locked", "--manifest-path", os.path.join(checkout, "Cargo.toml"), path],
        check=True, stdout=subprocess.DEVNULL))


def install(root, checkout, crate_sources):
    """Copies the project into a writable root filesystem, and builds and installs the library there."""
    shutil.copytree(checkout, root + SOURCE, ignore=NOT_COPIED, symlinks=True)
    for folder in (VENDORED, CARGO_HOME):
        os.mkdir(root + folder)
    subprocess.run(["mount", "--bind", crate_sources, root + VENDORED], check=True)
    with open(root + CARGO_HOME + "/config.toml", "w") as config:
        config.write(CARGO_CONFIG)
    roots.run(root, ["env", "CARGO_HOME=" + CARGO_HOME, "make", "-C", SOURCE, LIBRARY])


def packaged(checkout, target):
    """The folder with the files that a target of the Makefile installs, made once in a run."""
    return made(checkout, target, [target, "PREFIX=/usr"])


def made(checkout, name, arguments):
    """The folder into which `make` with these arguments installs, made once in a run for each name."""
    folder = os.path.join(checkout, "build", "mta", name)
    with _installing:
        if name not in _installed:
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run(["make", "-s", "-C", checkout] + arguments + ["DESTDIR=" + folder], check=True,
                           stdout=subprocess.DEVNULL)
            _installed.add(name)
    return folder


_installing = threading.Lock()
_installed = set()


def rust_version(root):
    """The version of the compiler in a root filesystem."""
    return roots.run(root, ["rustc", "--version"]).split()[1]
