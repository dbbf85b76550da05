"""What runs in the root filesystem with the compilers, each function in a namespace of its own without a network."""

import shlex

import compilers
from harness import project


def build_and_test(target, lower, crates, checkout, mountpoint):
    """Builds the library for a target and tests it; what was printed."""
    inside = compilers.view(lower, mountpoint)
    compilers.give_project(inside, checkout, crates)
    variables = ["TARGET=" + target["triple"]]
    variables.append("CROSS=" + target["cross"] if target["cross"] else "CC=" + target["compiler"])
    # A complaint of the linker about the archive is an error here. Static libraries of an architecture that is emulated
    # are those of the cross compiler.
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
    return "".join(compilers.run_in_project(inside, "timeout 900 sh -euc " + shlex.quote(step), check=position == 0, **tools)
                   for position, step in enumerate(steps))


def test_with_oldest_rust(lower, crates, checkout, oldest, mountpoint):
    """`make test` with Debian stable's Rust and gcc, then the C tests with its clang; what was printed."""
    inside = compilers.view(lower, mountpoint)
    version = project.rust_version(inside)
    if not version.startswith(oldest + "."):
        raise RuntimeError("Debian stable has Rust %s, and Cargo.toml names %s as the oldest" % (version, oldest))
    compilers.give_project(inside, checkout, crates)
    return compilers.run_in_project(inside, "make test && CC=clang c-tests/run.sh build/clang include build/libtlsrpt.so.0.0.0 "
                                    "&& c-tests/links/headers.sh build/clang include build/libtlsrpt.so.0.0.0 clang clang++",
                                    check=False)


def test_cinstall(lower, crates, checkout, mountpoint):
    """tests/cinstall.sh with Debian stable's cargo-c; what was printed."""
    inside = compilers.view(lower, mountpoint)
    compilers.give_project(inside, checkout, crates)
    return compilers.run_in_project(inside, "tests/cinstall.sh build/cinstall")
