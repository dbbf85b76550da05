#!/usr/bin/env python3
"""Check the built libraries: names, dependencies, exports, hardening, and that no code for panics is in them.

    tests/artefacts.py check FOLDER       checks the libraries in FOLDER
    tests/artefacts.py control FOLDER     builds two faulty pairs in FOLDER, and checks that each check finds its fault

The tools are CC, MAKE, NM and READELF of the environment.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SONAME = "libtlsrpt.so.0"
PANIC_MACHINERY = re.compile(r"panicking|panic_fmt|panic_bounds|begin_unwind|rust_panic|eh_personality|panic_impl")


def output_of(*command):
    """The output of a tool, in English, because this file parses it."""
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def readelf(option, file):
    """One of readelf's tables, with unbroken lines."""
    return output_of(os.environ.get("READELF", "readelf"), "-W", option, str(file))


def symbols(*arguments):
    """The names in nm's last column."""
    lines = output_of(os.environ.get("NM", "nm"), *map(str, arguments)).splitlines()
    return [line.split()[-1] for line in lines if line.strip() and not line.endswith(":")]


def documented_functions():
    """The functions of the interface, as the C test of their types lists them."""
    source = (PROJECT / "c-tests/api/function_types.c").read_text()
    return sorted(re.findall(r"= (tlsrpt_\w+);$", source, re.MULTILINE))


class Libraries:
    """The shared and the static library in a folder. Each check returns a description of the fault, or None."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.static = self.folder / "libtlsrpt.a"
        self.shared = self.folder / SONAME

    def dynamic(self, tag):
        """The values of a tag in the dynamic section."""
        return re.findall(rf"\({tag}\) .*: \[(.*)\]", readelf("-d", self.shared))

    def segment_flags(self, segment):
        """The flags of the program header of this type, for instance `RW`; None without one."""
        found = re.search(rf"^ +{segment} +(?:0x\w+ +){{5}}([RWE ]+?) +\w+$", readelf("-l", self.shared), re.MULTILINE)
        return found and found.group(1).replace(" ", "")

    def links(self):
        """libtlsrpt.so leads to libtlsrpt.so.0, and that to the real file."""
        for link, target in (("libtlsrpt.so", SONAME), (SONAME, SONAME + ".0.0")):
            path = self.folder / link
            if not path.is_symlink() or os.readlink(path) != target:
                return f"{link} does not lead to {target}"
        return None

    def soname(self):
        """The SONAME is that of the C library, so programs that were linked with the C library load this one."""
        found = self.dynamic("SONAME")
        return None if found == [SONAME] else f"SONAME is {found}"

    def needed(self):
        """It needs the C library alone; on some architectures that includes the loader."""
        found = self.dynamic("NEEDED")
        others = [name for name in found if not re.fullmatch(r"ld-linux[\w.-]*\.so\.\d+|ld64\.so\.\d", name)]
        return None if others in (["libc.so.6"], ["libc.so"]) else f"NEEDED is {found}"

    def shared_exports(self):
        """The documented functions are exported and nothing else."""
        return self.difference(symbols("-D", "--defined-only", self.shared))

    def static_exports(self):
        """The same holds for the global symbols of the static library."""
        return self.difference(symbols("-g", "--defined-only", self.static))

    @staticmethod
    def difference(found):
        """The names that are exported and not documented, and those that are documented and not exported."""
        wrong = sorted(set(found) ^ set(documented_functions()))
        return f"exported or missing: {wrong}" if wrong else None

    def nineteen(self):
        """There are 19 of them."""
        count = len(documented_functions())
        return None if count == 19 else f"{count} functions are documented"

    def relocations(self):
        """All relocations are made when the library is loaded; then their tables become read-only."""
        if self.segment_flags("GNU_RELRO") is None:
            return "no GNU_RELRO segment"
        bound_at_start = re.search(r"\((FLAGS|FLAGS_1|BIND_NOW)\).*\b(NOW|BIND_NOW)\b", readelf("-d", self.shared))
        return None if bound_at_start else "no BIND_NOW"

    def shared_stack(self):
        """The shared library does not ask for an executable stack."""
        flags = self.segment_flags("GNU_STACK")
        return None if flags == "RW" else f"the stack is {flags}"

    def static_stack(self):
        """The static library does not ask for one either."""
        note = re.search(r"\.note\.GNU-stack +PROGBITS +(?:\w+ +){4}(X?)", readelf("-S", self.static))
        return None if note and not note.group(1) else "the static library asks for an executable stack"

    def no_panic_in_shared(self):
        """The shared library, which must have symbols, contains no function of Rust's panic code."""
        return self.panic_machinery(self.shared)

    def no_panic_in_static(self):
        """The same holds for the static library."""
        return self.panic_machinery(self.static)

    @staticmethod
    def panic_machinery(file):
        """The symbols of Rust's panics in a file, which must have symbols."""
        found = symbols(file)
        if not set(documented_functions()) <= set(found):
            return f"{file.name} is stripped: there are no symbols to check"
        panics = [name for name in found if PANIC_MACHINERY.search(name)]
        return f"panic machinery: {panics[:5]}" if panics else None


CHECKS = (
    "links", "soname", "needed", "nineteen", "shared_exports", "static_exports", "relocations", "shared_stack",
    "static_stack", "no_panic_in_shared", "no_panic_in_static",
)


def faults(folder):
    """{name of a check: the fault that it finds}, without the checks that find none."""
    libraries = Libraries(folder)
    found = ((name, getattr(libraries, name)()) for name in CHECKS)
    return {name: fault for name, fault in found if fault}


def check(folder):
    """Prints the faults and the closing line. Returns the exit status."""
    found = faults(folder)
    for name, fault in found.items():
        print(f"{name}: {fault}")
    return close("artefacts", len(CHECKS), len(found))


def close(subject, tried, failed):
    """Prints the closing line. Returns the exit status."""
    print(f"{subject}: {tried - failed} passed, {failed} failed")
    return 1 if failed else 0


def build_with_panics(folder):
    """This project with one more function, which can panic."""
    copy = folder / "with-panics"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(PROJECT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "target", "build"))
    with open(copy / "src/capi/version.rs", "a", encoding="utf-8") as source:
        source.write(
            "/// Panics for a place outside the text.\n#[unsafe(no_mangle)]\n"
            "pub extern \"C\" fn tlsrpt_unchecked(place: usize) -> u8 {\n    version::STRING.as_bytes()[place]\n}\n"
        )
    subprocess.run([os.environ.get("MAKE", "make"), "-s", "-C", str(copy), "BUILD=build", "build/libtlsrpt.a"], check=True)
    return copy / "build"


def build_without_care(folder):
    """A C library with all other faults."""
    careless = folder / "careless"
    shutil.rmtree(careless, ignore_errors=True)
    careless.mkdir(parents=True)
    (careless / "library.c").write_text("int tlsrpt_version(void) { return 0; }\nint inner_name;\n")
    compiler = os.environ.get("CC", "cc")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", careless / SONAME, careless / "library.c", "-Wl,--no-as-needed", "-lm",
         "-Wl,-z,lazy,-z,norelro,-z,execstack,-soname,libother.so.1"],
        check=True,
    )
    subprocess.run([compiler, "-c", "-Wa,--execstack", "-o", careless / "library.o", careless / "library.c"], check=True)
    subprocess.run([os.environ.get("AR", "ar"), "rcs", careless / "libtlsrpt.a", careless / "library.o"], check=True)
    return careless


def control(folder):
    """Positive control: in each faulty pair, exactly the checks for its faults find one. Returns the exit status."""
    folder = Path(folder).resolve()
    expected = {
        build_with_panics: {"shared_exports", "static_exports", "no_panic_in_shared", "no_panic_in_static"},
        build_without_care: set(CHECKS) - {"nineteen"},
    }
    failed = 0
    for build, names in expected.items():
        found = faults(build(folder))
        if set(found) != names:
            failed += 1
            print(f"{build.__name__}: found {found}, not {sorted(names)}")
    return close("artefact controls", len(expected), failed)


if __name__ == "__main__":
    sys.exit({"check": check, "control": control}[sys.argv[1]](sys.argv[2]))
