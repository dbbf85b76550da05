"""Debian 13's own library, 0.5.0rc1, the C library's release and ours: with Debian 13's Postfix, in every situation in which
they differ, and the symbols that other packages of Debian 13 need."""

import glob
import os
import re
import subprocess
import tempfile

from harness import (compare, debian_packages, delivery, domains, network, postfix, project, recorder, roots,
                     situations, table)
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

POSTFIX = (3, 10, 5)  # docs/postfix.md relies on changes of this release; Debian 13 has it or a later one
COLUMNS = [debian_packages.DEBIAN_13 + ", Debian 13", "%s, Debian testing", "this library"]
WITHOUT_POLICY = '"policy-type":9'
# No header declares these. The first group is in Debian 13's library alone.
DEBUGGING = {"dbgnumber", "debug_datagram_hook", "debugdumpdatagram", "totalsenderr"}
PRIVATE = {"tlsrpt_free", "tlsrpt_json_escape_values", "tlsrpt_malloc"}
VERSIONS = {"tlsrpt_version", "tlsrpt_version_check"}

SITUATIONS = [
    ("the version of the protocol in a datagram", situations.protocol_version),
    ("a NULL handle", situations.null_handle),
    ("a NULL string", situations.null_string),
    ("a policy string outside a policy", situations.policy_string_outside),
    ("an MX host pattern outside a policy", situations.pattern_outside),
    ("a failure outside a policy", situations.failure_outside),
    ("a request finished twice", situations.finished_twice),
    ("a request cancelled twice", situations.cancelled_twice),
    ("a connection closed twice", situations.closed_twice),
    ("a connection closed before its request is finished", situations.closed_early),
    ("the allocator has no memory and sets no errno", situations.no_memory),
    ("memory for a long text, with an allocator set", situations.long_text),
    ("Latin-1 in a text, as of an EHLO reply: the datagram is", situations.not_utf8),
    ("a datagram of 1 MiB, sent by root", situations.large_datagram),
    ("a program that the mail server executes", situations.executed_program),
    ("`tlsrpt_strerror` of 13002", situations.error_text),
]
# A program that needs a symbol. Its address is looked up when the program is loaded.
PROGRAM = """extern char %s[];
int main(void) { char *volatile address = %s; return address == 0; }
"""
NEEDED = [("a program that needs `%s`" % symbol, symbol) for symbol in sorted(VERSIONS)]


def observe(library, root, network_arguments, names):
    """In a namespace: two mails to every domain, with LIBRARY, or with Debian's own if it is None."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root, library)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    rounds = {mail: delivery.deliver(host, recording, names) for mail in ("first mail", "second mail")}
    host.require_library("smtp")
    host.stop()
    return {"rounds": rounds, "postfix": roots.package_version(host.root, "postfix"),
            "library": roots.package_version(host.root, debian_packages.LIBRARY_PACKAGE)}


def compare_with_postfix(context):
    """Compares the events of Debian 13's Postfix with its own library and with ours. Returns the observations with the
    first."""
    libraries = {REFERENCE: None, CANDIDATE: context.libraries[CANDIDATE]}
    seen = context.call_with_each("scenarios.debian_13:observe", libraries, root=roots.debian(roots.STABLE),
                                  network_arguments=network.open_arguments(), names=list(domains.BY_NAME))
    if not seen[REFERENCE]["library"].startswith(debian_packages.DEBIAN_13 + "-"):
        raise Problem("Debian 13 has libtlsrpt0 %s, not %s" % (seen[REFERENCE]["library"], debian_packages.DEBIAN_13))
    version = seen[REFERENCE]["postfix"].split("-")[0]
    if tuple(map(int, version.split("."))) < POSTFIX:
        raise Problem("Debian 13 has Postfix %s, older than docs/postfix.md says" % version)
    if "dpv" in str(seen[REFERENCE]["rounds"]):
        raise Problem("the datagrams of Debian 13's library have a dpv")
    rounds = {label: of_library["rounds"] for label, of_library in seen.items()}
    require_policy_domains(rounds[REFERENCE])
    compare.remove_protocol_version(rounds[CANDIDATE])
    compare.same(rounds)
    return seen[REFERENCE]


def require_policy_domains(rounds):
    """Raises Problem if an event without a policy does not name the domain, as those of Postfix 3.10.4 do not."""
    texts = [text for seen in rounds.values() for of_domain in seen.values() for text in of_domain["datagrams"]]
    without_policy = [text for text in texts if WITHOUT_POLICY in text]
    if not without_policy or not all('"policy-domain"' in text for text in without_policy):
        raise Problem("events without a policy that do not name the domain: %s" % without_policy)


def symbols(path, which):
    """The names of a file's dynamic symbols."""
    printed = subprocess.run(["nm", "--dynamic", "--format=posix", "--without-symbol-versions", which, path],
                             stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout
    return {line.split()[0] for line in printed.splitlines()}


def exported(library):
    return symbols(library, "--defined-only")


def compare_symbols(libraries):
    """Raises Problem unless the three libraries export what they should."""
    first, release, ours = [exported(library) for library in libraries]
    wanted = [(ours - VERSIONS) | PRIVATE | DEBUGGING, ours | PRIVATE, ours]
    for library, found, expected in zip(libraries, (first, release, ours), wanted):
        if found != expected:
            raise Problem("%s exports %s otherwise" % (library, sorted(found ^ expected)))
    return len(ours)


def require_dependents(libraries):
    """Raises Problem if a file of a package that depends on the library needs a symbol that ours does not have. Returns the
    packages and {file that is linked with the library: the symbols that it needs}."""
    folder = debian_packages.dependent_packages()
    first, _, ours = [exported(library) for library in libraries]
    needing = {}
    for path in glob.glob(folder + "/**", recursive=True):
        if loads_library(path):
            needed = symbols(path, "--undefined-only") & first
            needing[os.path.basename(path)] = needed
            if not needed <= ours:
                raise Problem("%s needs %s" % (path, sorted(needed - ours)))
    if not any("tlsrpt_finish_delivery_request" in needed for needed in needing.values()):
        raise Problem("no program of %s uses the library" % os.listdir(folder))
    return sorted(os.listdir(folder)), needing


def loads_library(path):
    """Whether a file is an ELF file that names the library as needed."""
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    with open(path, "rb") as content:
        if content.read(4) != b"\x7fELF":
            return False
    printed = subprocess.run(["readelf", "--dynamic", "--wide", path], stdout=subprocess.PIPE, universal_newlines=True,
                             check=True).stdout
    return "[%s]" % postfix.LIBRARY in printed


def program_with(symbol, build_with, library):
    """Whether a program that was linked with one library and needs a symbol of it starts with another library."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "program.c"), os.path.join(folder, "program")
        with open(source, "w") as target:
            target.write(PROGRAM % (symbol, symbol))
        os.symlink(library, os.path.join(folder, postfix.LIBRARY))
        subprocess.run(["gcc", "-fPIC", source, build_with, "-o", program], check=True)
        ran = subprocess.run([program], env={"LD_LIBRARY_PATH": folder}, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, universal_newlines=True, check=False)
    if ran.returncode and "undefined symbol: " + symbol not in ran.stderr:
        raise RuntimeError("a program that needs %s, with %s:\n%s" % (symbol, library, ran.stderr))
    return "does not start" if ran.returncode else "runs"


def differences(libraries, folders):
    """The table of situations in which the libraries differ."""
    rows = [[what] + [situations.answer(situation, library) for library in libraries] for what, situation in SITUATIONS]
    rows += [[what] + [program_with(symbol, libraries[-1], library) for library in libraries] for what, symbol in NEEDED]
    rows.append(["exported symbols that no header declares"] + [
        ", ".join("`%s`" % name for name in sorted(exported(library) & (DEBUGGING | PRIVATE))) or "none"
        for library in libraries])
    rows.append(["a program that needs `dbgnumber`"] + [
        program_with("dbgnumber", libraries[0], library) for library in libraries])
    rows.append(["`libtlsrpt.pc`, for pkg-config"] + [pkg_config_version(folder) for folder in folders])
    rows.append(["`tlsrpt_version.h`"] + [there(folder, "include/tlsrpt_version.h") for folder in folders])
    for row in rows:
        if len(set(row[1:])) == 1:
            raise Problem("the libraries do not differ in this: %s" % row)
        if row[-1].startswith("SIG"):
            raise Problem("ours crashes: %s" % row)
    return rows


def pkg_config_version(folder):
    """The version in the pkg-config file of a development package."""
    for path in glob.glob(folder + "/usr/lib/**/libtlsrpt.pc", recursive=True):
        with open(path) as content:
            return re.search(r"^Version: (.*)$", content.read(), re.MULTILINE).group(1)
    return "none"


def there(folder, path):
    return "there" if os.path.exists(os.path.join(folder, "usr", path)) else "not there"


def check(context):
    folders = [debian_packages.c_library(suite) for suite in (roots.STABLE, roots.TESTING)]
    folders.append(project.packaged(context.checkout, project.LIBRARY))
    libraries = [postfix.find_library(folder) for folder in folders[:2]] + [context.libraries[CANDIDATE]]
    functions = compare_symbols(libraries)
    packages, needing = require_dependents(libraries)
    rows = differences(libraries, folders)
    seen = compare_with_postfix(context)
    context.versions["libtlsrpt0 of " + roots.STABLE] = seen["library"]
    context.versions["packages that depend on libtlsrpt0"] = ", ".join(packages)
    head = ["what happens"] + [column % context.reference_version() if "%" in column else column for column in COLUMNS]
    return Row("Postfix 3.10 of Debian 13, unmodified; Debian 13's own libtlsrpt0 %s and ours; the packages of Debian 13 "
               "that depend on libtlsrpt0 (%s)" % (debian_packages.DEBIAN_13, ", ".join(packages)),
               "%d domains, two mails to each: %d datagrams, equal but for `dpv`, %d log lines; the %d differences in "
               "%s; the files linked with libtlsrpt (%s) need %d symbols, all among our %d functions" % (
                   len(domains.BY_NAME), compare.count(seen["rounds"], "datagrams"),
                   compare.count(seen["rounds"], "events"), len(rows), table.FILES[table.DIFFERENCES],
                   ", ".join("`%s`" % name for name in sorted(needing)),
                   len(set().union(*needing.values())), functions),
               {table.DIFFERENCES: table.text(head, rows)})


SCENARIOS = [Scenario("debian-13", "Debian 13's own libtlsrpt 0.5.0rc1, the C library's release and ours", check)]
