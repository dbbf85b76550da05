"""The binary interface: abidiff compares the C library and its header with ours; programs that were compiled against each
header run with each library.

Neither library has C debug information (Debian's is stripped, ours describes Rust types), and without it abidiff compares
ELF symbols only. So abidiff compares the symbols of the libraries, and the declarations of the headers in two objects that
are compiled from them and contain a pointer to every function. Positive controls show that both comparisons notice a
change. (tests/generated_files.rs checks that our header equals the Rust functions.)
"""

import os
import re
import subprocess

from harness import network, recorder
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

HERE = os.path.dirname(os.path.abspath(__file__))
SUPPRESSIONS = os.path.join(os.path.dirname(HERE), "abi-suppressions.ini")
PROGRAM = os.path.join(HERE, "abi_program.c")
HEADER = "tlsrpt.h"
PRIVATE_SYMBOLS = {"tlsrpt_malloc", "tlsrpt_free", "tlsrpt_json_escape_values"}
REMOVED_SYMBOL = re.compile(r"^ +\[D\] (\w+)", re.MULTILINE)
CONSTANT = re.compile(r"^#define (TLSRPT_\w+) +(.+)$", re.MULTILINE)
# Changes to our header that must be noticed, as positive controls.
CHANGED_PROTOTYPE = (r"(tlsrpt_version_check\()int\b", r"\1long")
CHANGED_ENUMERATOR = (r"(TLSRPT_CERTIFICATE_EXPIRED\s*=\s*)204", r"\g<1>214")


def run(*command, **options):
    """Runs a command and returns (exit status, what it printed)."""
    outcome = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                             **options)
    return outcome.returncode, outcome.stdout


def succeed(*command, **options):
    status, printed = run(*command, **options)
    if status != 0:
        raise RuntimeError("%s ended with %d:\n%s" % (" ".join(command), status, printed))
    return printed


def exported(library):
    """The names of the functions that a library exports."""
    return sorted(line.split()[2] for line in succeed("nm", "--dynamic", "--defined-only", library).splitlines()
                  if line.split()[1] == "T")


def header_object(folder, name, include, functions):
    """A shared object that declares a pointer to each function, with debug information.

    It is C++, where () means (void), as both headers intend: in C the types would differ by that alone.
    """
    source, path = os.path.join(folder, name + ".cc"), os.path.join(folder, name + ".so")
    with open(source, "w") as target:
        target.write("#include <%s>\n" % HEADER)
        target.writelines("decltype(%s) *pointer_to_%s;\n" % (function, function) for function in functions)
    succeed("g++", "-g", "-fPIC", "-shared", "-Wl,-soname,headers", "-I", include, source, "-o", path)
    return path


def changed_header(folder, name, include, pattern, replacement):
    """A folder with our headers, changed in one place."""
    changed = os.path.join(folder, name)
    os.mkdir(changed)
    for header in os.listdir(include):
        with open(os.path.join(include, header)) as source:
            text = source.read()
        if header == HEADER:
            text, changes = re.subn(pattern, replacement, text)
            if changes != 1:
                raise RuntimeError("%s has %d places to change by %s" % (header, changes, pattern))
        with open(os.path.join(changed, header), "w") as target:
            target.write(text)
    return changed


def constants(include):
    """The numbers that a header defines: {name: value}."""
    printed = succeed("gcc", "-E", "-dM", "-I", include, "-include", HEADER, "-x", "c", "/dev/null")
    return {name: value for name, value in CONSTANT.findall(printed) if re.fullmatch(r"\(?-?\d+\)?|\".*\"", value)}


def compare_symbols(libraries):
    """Checks that only the symbols in the suppressions are missing. Returns the number of functions compared."""
    reference, candidate = libraries[REFERENCE], libraries[CANDIDATE]
    _, unsuppressed = run("abidiff", reference, candidate)
    if set(REMOVED_SYMBOL.findall(unsuppressed)) != PRIVATE_SYMBOLS:
        raise Problem("without suppressions, abidiff should find the three private symbols gone:\n" + unsuppressed)
    status, printed = run("abidiff", "--suppressions", SUPPRESSIONS, reference, candidate)
    if status != 0:
        raise Problem("abidiff finds the binary interface changed (exit status %d):\n%s" % (status, printed))
    # abidiff accepts new functions.
    if exported(reference) != exported(candidate):
        raise Problem("the libraries do not export the same functions: %s" % (
            set(exported(reference)) ^ set(exported(candidate))))
    return len(exported(candidate))


def compare_headers(folder, includes, functions):
    """Checks prototypes, enumerators and constants, and that a changed one would be noticed."""
    objects = {label: header_object(folder, "header%d" % number, include, functions)
               for number, (label, include) in enumerate(includes.items())}
    status, printed = run("abidiff", objects[REFERENCE], objects[CANDIDATE])
    if status != 0:
        raise Problem("abidiff finds the headers different (exit status %d):\n%s" % (status, printed))
    for name, change in (("prototype", CHANGED_PROTOTYPE), ("enumerator", CHANGED_ENUMERATOR)):
        changed = header_object(folder, name, changed_header(folder, name + "-header", includes[CANDIDATE], *change),
                                functions)
        if run("abidiff", objects[REFERENCE], changed)[0] == 0:
            raise Problem("abidiff does not notice a changed " + name)
    fewer = header_object(folder, "fewer", includes[CANDIDATE], functions[1:])
    if run("abidiff", "--suppressions", SUPPRESSIONS, objects[REFERENCE], fewer)[0] == 0:
        raise Problem("abidiff does not notice a removed symbol")
    theirs, ours = constants(includes[REFERENCE]), constants(includes[CANDIDATE])
    differing = {name: (value, ours.get(name)) for name, value in theirs.items() if ours.get(name) != value}
    if differing or not theirs:
        raise Problem("constants of the C library's header that ours has not, or otherwise: %s" % differing)
    return len(theirs)


def run_programs(folder, libraries, includes):
    """Compiles a program against each header and runs it with each library: all four results must be equal."""
    answers = {}
    for number, (header, include) in enumerate(includes.items()):
        path = os.path.join(folder, "program%d" % number)
        linked = os.path.join(folder, "linked%d" % number)
        os.mkdir(linked)
        os.symlink(libraries[header], os.path.join(linked, "libtlsrpt.so"))
        succeed("gcc", "-Wall", "-Werror", "-I", include, PROGRAM, "-o", path, "-L", linked, "-ltlsrpt")
        for label, library in libraries.items():
            answers[header, label] = run_program(folder, path, library)
    (_, first), *others = answers.items()
    for (header, label), answer in others:
        if answer != first:
            raise Problem("compiled against the header of %s and run with %s, the program answers\n%s\ninstead of\n%s"
                          % (header, label, answer, first))
    return len(first[0].splitlines())


def run_program(folder, program, library):
    """What the program printed and the datagrams that it sent."""
    found = os.path.join(folder, "found")
    os.makedirs(found, exist_ok=True)
    link = os.path.join(found, "libtlsrpt.so.0")
    if os.path.lexists(link):
        os.unlink(link)
    os.symlink(library, link)
    recording = recorder.Recorder(os.path.join(folder, "sock"))
    loaded = succeed("ldd", program, env={"LD_LIBRARY_PATH": found, "PATH": os.environ["PATH"]})
    if link not in loaded:
        raise RuntimeError("the program does not load %s:\n%s" % (link, loaded))
    printed = succeed(program, "sock", cwd=folder, env={"LD_LIBRARY_PATH": found})
    datagram = recording.socket.recv(recorder.LARGEST)
    return printed, datagram.decode()


def observe(libraries, includes, mountpoint):
    """In a namespace: all comparisons. Returns numbers to show, or the problem that was found."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", mountpoint], check=True)
    try:
        functions = compare_symbols(libraries)
        numbers = compare_headers(mountpoint, includes, exported(libraries[CANDIDATE]))
        calls = run_programs(mountpoint, libraries, includes)
    except Problem as problem:
        return {"problem": str(problem)}
    return {"functions": functions, "constants": numbers, "calls": calls}


def check(context):
    reference = context.libraries[REFERENCE]
    includes = {REFERENCE: os.path.join(reference.split("/lib/")[0], "include"),
                CANDIDATE: os.path.join(context.checkout, "include")}
    seen = context.call("scenarios.abi:observe", libraries=context.libraries, includes=includes,
                        mountpoint=network.mountpoint())
    if "problem" in seen:
        raise Problem(seen["problem"])
    context.versions["abidiff"] = succeed("abidiff", "--version").split()[-1]
    return Row("abidiff of Debian's libtlsrpt.so.0.0.0 and header with ours; a program compiled against each header, "
               "run with each library",
               "%d functions with their prototypes and enumerators, %d constants; %d answers and the datagram" % (
                   seen["functions"], seen["constants"], seen["calls"]))


SCENARIOS = [Scenario("abi", "the binary interface, by abidiff and by programs compiled against either header", check)]
