"""Debian stable with its Rust, which is the oldest that this project supports, and with C compilers for each architecture;
Debian testing with its Rust and the newest C compilers.

The root filesystems and the core library of each target are made once and kept in the cache of tests/mta. Nothing else on
this machine changes.
"""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(os.path.dirname(HERE))
MTA = os.path.join(CHECKOUT, "tests", "mta")
sys.path.insert(0, MTA)
# The process that namespace.call starts imports this module.
os.environ["PYTHONPATH"] = HERE

from harness import cache, namespace, prerequisites, roots  # noqa: E402

SOURCE = "/usr/src/libtlsrpt"
CRATES = "/usr/src/crates"
CARGO_HOME = "/usr/src/cargo-home"
CORE_CRATES = "/usr/src/core-crates"
TARGET_DIR = "/usr/src/cargo-target"
SYSROOTS = "/usr/src/sysroots"
NOT_COPIED = shutil.ignore_patterns("target", "build", ".git", "__pycache__")
RUST_LIBRARIES = "usr/lib/rustlib"
AT_ONCE = 2
# For one command: on a busy machine and from an empty cache, `make test` takes half an hour.
SECONDS = 3000

# The library is linked with link-time optimization.
CORE_FLAGS = "-Cembed-bitcode=yes"

# "NAME: 3 passed, 0 failed" and "600 of 600 call sequences".
CLOSING = re.compile(r"^(?:.*: (\d+) passed, (\d+) failed|(\d+) of (\d+) call sequences.*)$", re.MULTILINE)

CARGO_CONFIG = """[source.crates-io]
replace-with = "local"
[source.local]
directory = "%s"
"""


class Target:
    """An architecture: Debian's name, Rust's name, the prefix of its tools, and the emulator for its programs."""

    def __init__(self, name, triple, cross="", emulator="", compiler=""):
        self.name = name
        self.triple = triple
        self.cross = cross + "-" if cross else ""
        self.compiler = compiler or self.cross + "gcc"
        self.run = "%s -L /usr/%s" % (emulator, cross) if emulator else ""


TARGETS = (
    Target("amd64", "x86_64-unknown-linux-gnu"),
    Target("arm64", "aarch64-unknown-linux-gnu", "aarch64-linux-gnu", "qemu-aarch64"),
    Target("armhf", "armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf", "qemu-arm"),
    Target("i386", "i686-unknown-linux-gnu", "i686-linux-gnu", "qemu-i386"),
    Target("loong64", "loongarch64-unknown-linux-gnu", "loongarch64-linux-gnu", "qemu-loongarch64"),
    Target("ppc64el", "powerpc64le-unknown-linux-gnu", "powerpc64le-linux-gnu", "qemu-ppc64le"),
    Target("riscv64", "riscv64gc-unknown-linux-gnu", "riscv64-linux-gnu", "qemu-riscv64"),
    Target("s390x", "s390x-unknown-linux-gnu", "s390x-linux-gnu", "qemu-s390x"),
    Target("musl", "x86_64-unknown-linux-musl", compiler="musl-gcc"),
)
EMULATED = [target for target in TARGETS if target.run]

PACKAGES = sorted(
    ["build-essential", "cargo", "clang", "git", "mold", "musl-tools", "python3", "qemu-user", "rust-src", "rustc"]
    + ["gcc-" + target.cross.rstrip("-") for target in EMULATED]
    + ["libc6-dev-%s-cross" % target.name for target in EMULATED])

# The newest compilers of Debian testing. Its packages gcc and clang are older versions.
NEWEST = {"gcc": "gcc-16", "g++": "g++-16", "clang": "clang-22", "clang++": "clang++-22"}
NEWEST_PACKAGES = ["cargo", "clang-22", "g++-16", "gcc", "gcc-aarch64-linux-gnu", "libc6-dev", "libc6-dev-arm64-cross", "make",
                   "python3", "qemu-user", "rust-src", "rustc"]


def newest_root():
    """The root filesystem of Debian testing with the newest compilers."""
    prerequisites.install()
    return roots.testing_with("newest-compilers", NEWEST_PACKAGES)


def root():
    """The root filesystem with the compilers."""
    prerequisites.install()
    return roots.stable_with("compilers", PACKAGES)


def lower(base, target):
    """The root filesystem for overlays: with Rust's core library for the target.

    Debian has these libraries in packages of each architecture. Building them needs no other architecture's package
    index, and Debian stable has none for loong64 and for musl.
    """
    if os.path.isdir(os.path.join(base, RUST_LIBRARIES, target.triple)):
        return base
    recipe = {"base": os.path.basename(base), "triple": target.triple, "flags": CORE_FLAGS}
    name = "rust-core-" if os.path.basename(base).startswith("compilers-") else "newest-rust-core-"
    return "%s:%s" % (cache.entry(name + target.name, recipe, lambda path: make_core(base, path, target.triple)), base)


def make_core(base, path, triple):
    """Compiles the core library for a target in the root filesystem."""
    with tempfile.TemporaryDirectory() as scratch:
        namespace.call("compilers:compile_core", {"base": base, "path": path, "crates": library_crates(base, scratch),
                                                  "triple": triple, "mountpoint": os.path.join(scratch, "view")})


def library_crates(base, scratch):
    """A folder with the crates of Rust's own libraries, which this machine's cargo fetches."""
    sources, = glob.glob(os.path.join(base, "usr/src/rustc-*/library"))
    shutil.copytree(sources, os.path.join(scratch, "library"))
    crates = os.path.join(scratch, "crates")
    # The manifests use features of nightly.
    vendor(crates, os.path.join(scratch, "library", "Cargo.toml"), RUSTC_BOOTSTRAP="1")
    return crates


def compile_core(base, path, crates, triple, mountpoint):
    """Compiles the core library for a target. In a namespace."""
    libraries = os.path.join(path, RUST_LIBRARIES, triple, "lib")
    os.makedirs(libraries)
    for rlib in build_libraries(view(base, mountpoint), crates, triple, "core,compiler_builtins", "abort"):
        shutil.copy(rlib, libraries)


def build_libraries(inside, crates, triple, names, panic):
    """Compiles libraries of Rust for a target, with what they need, for programs that abort or unwind. Returns the paths of the
    compiled files."""
    give_crates(inside, crates, CORE_CRATES)
    os.makedirs(inside + "/core/src")
    with open(inside + "/core/Cargo.toml", "w") as manifest:
        manifest.write('[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2021"\n'
                       '[profile.release]\npanic = "%s"\n' % panic)
    with open(inside + "/core/src/lib.rs", "w") as source:
        source.write("#![no_std]\n")
    roots.run(inside, ["env", "CARGO_HOME=" + CARGO_HOME, "RUSTC_BOOTSTRAP=1", "RUSTFLAGS=" + CORE_FLAGS, "sh", "-euc",
                       "cd /core && cargo build --quiet --release -Zbuild-std=%s --target %s" % (names, triple)],
              timeout=SECONDS)
    # Where in its folder cargo puts them, and whether core has a crate rustc_std_workspace_core, depends on the version.
    made = {os.path.basename(rlib).split("-")[0]: rlib
            for rlib in glob.glob("%s/core/target/%s/release/**/lib*.rlib" % (inside, triple), recursive=True)}
    if not {"lib" + name for name in names.split(",")} <= set(made):
        raise RuntimeError("cargo made %s" % sorted(made))
    return list(made.values())


def crates():
    """A folder with the sources of all crates that the lock files of this project name."""
    locks = ["Cargo.lock", os.path.join("fuzz", "Cargo.lock")]
    recipe = {}
    for lock in locks:
        with open(os.path.join(CHECKOUT, lock), "rb") as content:
            recipe[lock] = hashlib.sha256(content.read()).hexdigest()
    return cache.entry("all-crates", recipe, lambda path: vendor(
        path, os.path.join(CHECKOUT, "Cargo.toml"), "--sync", os.path.join(CHECKOUT, "fuzz", "Cargo.toml")))


def vendor(path, manifest, *more, **environment):
    """Puts the sources of all crates that a workspace needs into a folder."""
    subprocess.run(["cargo", "vendor", "--quiet", "--locked", "--versioned-dirs", "--manifest-path", manifest, *more, path],
                   check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, **environment))


def view(lower, mountpoint):
    """A writable view of a root filesystem, which lasts as long as the namespace."""
    os.makedirs(mountpoint, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=75%", "tmpfs", mountpoint], check=True)
    return roots.overlay(lower, mountpoint)


def give_crates(inside, sources, place):
    """Lets cargo take crates from a folder, and from nowhere else."""
    os.makedirs(inside + place)
    subprocess.run(["mount", "--bind", "-o", "ro", sources, inside + place], check=True)
    os.makedirs(inside + CARGO_HOME, exist_ok=True)
    with open(inside + CARGO_HOME + "/config.toml", "w") as config:
        config.write(CARGO_CONFIG % place)


def give_project(inside, checkout, sources):
    """Copies the project, and lets cargo take the crates of its lock files."""
    shutil.copytree(checkout, inside + SOURCE, ignore=NOT_COPIED, symlinks=True)
    give_crates(inside, sources, CRATES)


def give_folder(inside, folder, place):
    """Shows a folder of this machine at a place in the root filesystem, to keep what is compiled there."""
    os.makedirs(inside + place)
    subprocess.run(["mount", "--bind", folder, inside + place], check=True)


def run_in_project(inside, command, check=True, **variables):
    """Runs a command of the shell in the project's folder."""
    words = ["env", "CARGO_HOME=" + CARGO_HOME] + ["%s=%s" % pair for pair in sorted(variables.items())]
    try:
        return roots.run(inside, words + ["sh", "-euc", "cd %s && %s" % (SOURCE, command)], check=check, timeout=SECONDS)
    except subprocess.TimeoutExpired as slow:
        raise RuntimeError("not done after %d s:\n%s" % (SECONDS, slow.output.decode("utf-8", "replace"))) from slow


def sum_up(printed):
    """The numbers of passed and failed checks, from the closing lines in the output of the tests."""
    passed = failed = 0
    for right, wrong, same, tried in CLOSING.findall(printed):
        passed += int(right or same)
        failed += int(wrong) if wrong else int(tried) - int(same)
    return passed, failed


def verdict(name, seen):
    """Prints what is wrong of {name: (text, whether it is right)}, and how many are right. The exit code."""
    wrong = [text for _, (text, right) in sorted(seen.items()) if not right]
    for text in wrong:
        print("FAIL  " + text)
    print("%s: %d passed, %d failed" % (name, len(seen) - len(wrong), len(wrong)))
    return 1 if wrong else 0
