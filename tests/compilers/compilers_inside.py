"""The functions that run in the root filesystem with the compilers, each in its own namespace without a network.

Those that build or test return the output of the commands.
"""

import os
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import compilers
from harness import project

# The build is for one run, which is neither debugged nor measured.
CHEAP = {"CARGO_INCREMENTAL": "0", "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_PROFILE_COMMAND_OPT_LEVEL": "0"}


def build_and_test(target, lower, crates, checkout, mountpoint):
    """Builds the library for a target and tests it."""
    inside = compilers.view(lower, mountpoint)
    compilers.give_project(inside, checkout, crates)
    variables = ["TARGET=" + target["triple"]]
    variables.append("CROSS=" + target["cross"] if target["cross"] else "CC=" + target["compiler"])
    # A warning of the linker about the archive is an error here. On an emulated architecture the static libraries are
    # those of the cross compiler.
    tools = {"CC": target["compiler"], "CFLAGS": "-O1 -g -Wl,--fatal-warnings", "RUN": target["run"], "EMULATOR": target["run"],
             "NM": target["cross"] + "nm", "READELF": target["cross"] + "readelf"}
    steps = [
        "make library " + " ".join(variables),
        "python3 tests/artefacts.py check build",
        "tests/vectors/lines.py tests/vectors/sequences.jsonl >build/sequences",
    ]
    for library in ("build/libtlsrpt.so.0.0.0", "build/libtlsrpt.a"):
        output = "build/c-tests/" + library.rpartition(".")[2]
        steps += ["c-tests/run.sh %s include %s" % (output, library),
                  "c-tests/run.sh %s include %s api/replay <build/sequences" % (output, library)]
    return run_steps(inside, steps, **tools)


def run_steps(inside, steps, **tools):
    """Runs commands of the shell. The first builds the library and must succeed; a failure of another ends nothing."""
    return "".join(compilers.run_in_project(inside, counted(step), check=position == 0, **tools)
                   for position, step in enumerate(steps))


def counted(step):
    """A command of the shell with a time limit. If it fails it prints a closing line, because a killed step prints none."""
    return 'timeout 900 sh -euc %s || { echo "a step ended with $?: 0 passed, 1 failed"; exit 1; }' % shlex.quote(step)


def test_with_oldest_rust(lower, crates, checkout, target_dir, oldest, mountpoint):
    """`make test` with Debian stable's Rust and gcc, then the C tests with its clang."""
    inside = compilers.view(lower, mountpoint)
    version = project.rust_version(inside)
    if not version.startswith(oldest + "."):
        raise RuntimeError("Debian stable has Rust %s, and Cargo.toml names %s as the oldest" % (version, oldest))
    compilers.give_project(inside, checkout, crates)
    compilers.give_folder(inside, target_dir, compilers.TARGET_DIR)
    # The tests speak to themselves over the loopback interface, and run the command in terminals.
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", inside + "/dev/pts"], check=True)
    return compilers.run_in_project(inside, "make test && CC=clang c-tests/run.sh build/clang include build/libtlsrpt.so.0.0.0 "
                                    "&& c-tests/links/headers.sh build/clang include build/libtlsrpt.so.0.0.0 clang clang++",
                                    check=False, CARGO_TARGET_DIR=compilers.TARGET_DIR, **CHEAP)


def test_cinstall(lower, crates, checkout, mountpoint):
    """tests/cinstall.sh with Debian stable's cargo-c."""
    inside = compilers.view(lower, mountpoint)
    compilers.give_project(inside, checkout, crates)
    return compilers.run_in_project(inside, "tests/cinstall.sh build/cinstall")


def check_systems(base, library, sysroots, targets, mountpoint):
    """Compiles the library for each target, without linking: {target: error text, empty after a success}."""
    inside = compilers.view(base, mountpoint)
    shutil.copytree(library, inside + compilers.SOURCE)
    shutil.copy(os.path.join(compilers.HERE, "check-target.sh"), inside + compilers.SOURCE)
    compilers.give_folder(inside, sysroots, compilers.SYSROOTS)
    with ThreadPoolExecutor(max_workers=compilers.AT_ONCE) as pool:
        return dict(zip(targets, pool.map(lambda target: check_system(inside, target), targets)))


def check_system(inside, target):
    try:
        compilers.run_in_project(inside, "timeout 600 ./check-target.sh %s %s/%s" % (target, compilers.SYSROOTS, target),
                                 CARGO_TARGET_DIR="/usr/src/checked/" + target)
    except RuntimeError as problem:
        return str(problem)
    return ""


def test_with_newest(lower, crates, checkout, newest, mountpoint):
    """The library built with Debian testing's Rust and newest gcc, and its C tests with each compiler."""
    inside = compilers.view(lower, mountpoint)
    compilers.give_project(inside, checkout, crates)
    steps = ["make library CC=" + newest["gcc"], "python3 tests/artefacts.py check build",
             "c-tests/links/headers.sh build/headers include build/libtlsrpt.so.0.0.0 '%(gcc)s %(clang)s' '%(g++)s %(clang++)s'"
             % newest]
    for compiler in ("gcc", "clang"):
        for library in ("build/libtlsrpt.so.0.0.0", "build/libtlsrpt.a"):
            steps.append("CC=%s CFLAGS='-O2 -g' c-tests/run.sh build/%s/%s include %s" % (
                newest[compiler], compiler, library.rpartition(".")[2], library))
        steps.append("CC=%s CFLAGS='-O2 -g' c-tests/run.sh build/%s/faults include build/libtlsrpt.so.0.0.0 faults/faults "
                     "faults/large faults/waits surroundings/surroundings surroundings/unload 'threads/threads 4 500'"
                     % (newest[compiler], compiler))
    return run_steps(inside, steps)
