"""The RPM packages and those of Arch, built from the source tarball without a network."""

import re

from harness import exim, packaging, version_order
from harness.scenario import Problem, Row, Scenario

LIBRARY = {"/libtlsrpt.so.0", "/libtlsrpt.so.0.0.0"}
DEVELOPMENT = {"/tlsrpt.h", "/tlsrpt_version.h", "/libtlsrpt.a", "/libtlsrpt.so", "/libtlsrpt.pc", "/tlsrpt_open.3.gz"}
TOOLS = {"/usr/bin/tlsrpt", "/tlsrpt.1.gz", "/tlsrpt.m4", "/tlsrpt-sendmail.service", "/tlsrpt-sendmail.socket",
         "/completions/tlsrpt", "/tlsrpt.socket", "/tlsrpt-collect.service", "/tlsrpt-deliver.service", "/sysusers.d/tlsrpt.conf",
         "/tmpfiles.d/tlsrpt.conf", "/etc/tlsrpt/tlsrpt.toml", "/postfix-queue.conf"}
EXIM = {exim.MODULE, exim.SNIPPET}
LICENCES = {"/LICENSE-MIT", "/LICENSE.dependencies"}
PROVIDED = {"rpm": "libtlsrpt = %s", "arch": "libtlsrpt=%s"}
# Each binary has its licences and its crates, at least these.
CRATES = {"libtlsrpt": ["libc"], "tlsrpt": ["libc", "ring", "rusqlite"], "tlsrpt-exim": ["libc"]}
BUNDLED = re.compile(r"bundled\(crate\((\S+)\)\) = \d")
OTHER_LICENCE = "BSD-3-Clause"
UNITS = {"tlsrpt.socket", "tlsrpt-collect.service", "tlsrpt-deliver.service", "tlsrpt-listen.service", "tlsrpt-sendmail.socket",
         "tlsrpt-sendmail.service"}
# The macros of systemd-rpm-macros, and the units that each of them has to be told.
SYSTEMD = {"systemd_post": UNITS, "systemd_preun": UNITS,
           "systemd_postun_with_restart": {unit for unit in UNITS if unit.endswith(".service")}}
EXECUTABLE = ("/libtlsrpt.so.0.0.0", "/tlsrpt-exim.so", "/usr/bin/tlsrpt")


def check_rpm(context, build=packaging.built):
    built = build(context, "rpm")
    require_flag(built)
    modes = {file: mode for lines in built["files"].values() for mode, file in (line.split(" ", 1) for line in lines)}
    found = {name: [line.split(" ", 1)[1] for line in lines] for name, lines in built["files"].items()}
    require_files(found, {"libtlsrpt": LIBRARY | LICENCES, "libtlsrpt-devel": DEVELOPMENT, "tlsrpt": TOOLS | LICENCES,
                          "tlsrpt-exim": EXIM | LICENCES})
    wrong = {file: mode for file, mode in modes.items() if mode[-4:] != "0755" and file.endswith(EXECUTABLE)}
    if wrong or not any(file.endswith(EXECUTABLE) for file in modes):
        raise Problem("the modes of %s" % wrong)
    if not built["rpmlint"].endswith("passed\n"):
        raise Problem("rpmlint:\n" + built["rpmlint"])
    if PROVIDED["rpm"] % context.reference_version() not in built["provides"]["libtlsrpt"]:
        raise Problem("the package of the library provides %s" % built["provides"]["libtlsrpt"])
    for package, crates in CRATES.items():
        bundled = BUNDLED.findall("\n".join(built["provides"][package]))
        if not set(crates) <= set(bundled):
            raise Problem("%s has the crates %s, not all of %s" % (package, bundled, crates))
    scripts = "\n".join(built["scripts"]["tlsrpt"])
    for macro, units in SYSTEMD.items():
        told = re.search("^: %s (.*)$" % macro, scripts, re.MULTILINE)
        if not told or set(told.group(1).split()) != units:
            raise Problem("%s has to be called with %s:\n%s" % (macro, sorted(units), scripts))
    require_licence(built["licence"])
    version, = {version for versions in built["version"].values() for version in versions}
    version_order.judge(version, version_order.RPM)
    return Row("Debian 13: rpmbuild, rpmlint", "%d packages: files, modes, scripts, licences and crates in them" % len(found))


def check_arch(context, build=packaging.built):
    built = build(context, "arch")
    require_flag(built)
    found, fields = built["files"], built["fields"]
    require_files(found, {"libtlsrpt": LIBRARY | DEVELOPMENT | LICENCES, "tlsrpt": TOOLS | LICENCES, "tlsrpt-exim": EXIM | LICENCES})
    if PROVIDED["arch"] % context.reference_version() not in fields["libtlsrpt"]["provides"]:
        raise Problem("the package of the library provides %s" % fields["libtlsrpt"]["provides"])
    if "tlsrpt-tools" not in fields["tlsrpt"]["replaces"]:
        raise Problem("the package of the command replaces %s" % fields["tlsrpt"]["replaces"])
    require_licence({package: of_package["license"] for package, of_package in fields.items()})
    version, = {of_package["pkgver"][0] for of_package in fields.values()}
    version_order.judge(version, version_order.ARCH)
    return Row("Debian 13: makepkg", "%d packages: files and licences" % len(found))


def require_flag(built):
    if built["without the flag"]:
        raise Problem("%s did not arrive at the compiler of %s" % (packaging.RUST_FLAG, built["without the flag"]))


def require_licence(licences):
    """The command names the licences of crates, and the library only its own."""
    if OTHER_LICENCE not in licences["tlsrpt"][0] or licences["libtlsrpt"] != ["MIT OR Apache-2.0"]:
        raise Problem("the licences are %s" % licences)


def require_files(found, wanted):
    """Each package has files with these names or ends of names, and each belongs to one package alone."""
    if set(found) != set(wanted):
        raise Problem("wanted the packages %s, found %s" % (sorted(wanted), sorted(found)))
    for package, ends in wanted.items():
        missing = [end for end in ends if not any(file.endswith(end) for file in found[package])]
        if missing:
            raise Problem("%s lacks %s: %s" % (package, missing, found[package]))
    every = [file for files in found.values() for file in files if file.startswith("/usr/") and "/doc/" not in file]
    twice = {file for file in every if every.count(file) > 1 and not file.endswith(("/licenses", "/systemd"))}
    if twice:
        raise Problem("in several packages: %s" % sorted(twice))


SCENARIOS = [
    Scenario("packages-rpm", "the RPM packages, built and checked", check_rpm),
    Scenario("packed-rpm", "the RPM packages, packed from what make has built, and checked",
             lambda context: check_rpm(context, packaging.packed)),
    Scenario("packed-arch", "the packages for Arch, packed from what make has built, and checked",
             lambda context: check_arch(context, packaging.packed)),
    Scenario("packages-arch", "the packages for Arch, built and checked", check_arch),
]
