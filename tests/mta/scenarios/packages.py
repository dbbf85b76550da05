"""Packages: built from the source tarball without a network; the Debian packages replace Debian's own."""

import glob
import os
import shutil
import subprocess

from harness import compare, exim, expected, judging, network, packaging, postfix, recorder, roots, sendmail
from harness import delivery
from harness.scenario import Problem, Row, Scenario

# The domains that Postfix sends to before and after the upgrade.
DOMAINS = ["good.test", "no-tls.test", "sts.test", "sts-expired.test", "dane.test", "dane-other.test"]
DEBIANS_NEXT = "0.5.1-2"  # an upgrade of Debian's own package, which must not replace ours
# The dependency of programs that were built with our package: the level of the interface, not the version of the
# project.
SHLIBS, DEPENDS = "libtlsrpt 0 libtlsrpt0 (>= %s)\n", "libtlsrpt0 (>= 0.5.0rc1)"

PROVIDED = {"rpm": "libtlsrpt = %s", "arch": "libtlsrpt=%s"}

LIBRARY = {"/libtlsrpt.so.0", "/libtlsrpt.so.0.0.0"}
DEVELOPMENT = {"/tlsrpt.h", "/tlsrpt_version.h", "/libtlsrpt.a", "/libtlsrpt.so", "/libtlsrpt.pc", "/tlsrpt_open.3.gz"}
TOOLS = {"/usr/bin/tlsrpt", "/tlsrpt.1.gz", "/tlsrpt.m4", "/tlsrpt-sendmail.service", "/tlsrpt-sendmail.socket",
         "/completions/tlsrpt", "/tlsrpt.socket", "/tlsrpt-collect.service", "/tlsrpt-deliver.service", "/sysusers.d/tlsrpt.conf",
         "/tmpfiles.d/tlsrpt.conf", "/etc/tlsrpt/tlsrpt.toml", "/postfix-queue.conf"}
EXIM = {exim.MODULE, exim.SNIPPET}


def check_debian(context):
    """Builds the packages, installs them on hosts with Postfix, Exim and Sendmail, and returns to Debian's."""
    built = packaging.debian(context)
    output = built["folder"]
    if not built["lintian"].endswith("passed\n"):
        raise Problem("lintian:\n" + built["lintian"])
    if "no TLSRPT event for example.org" not in built["program"] or "[libtlsrpt.so.0]" not in built["program"]:
        raise Problem("a program built with libtlsrpt0-dev:\n" + built["program"])
    upgraded = context.call("scenarios.packages:observe_upgrade", root=roots.debian(roots.STABLE), packages=output,
                            replaced=packaging.replaced_package(), network_arguments=network.open_arguments())
    level = context.reference_version()
    if SHLIBS % level not in built["shlibs"] or DEPENDS not in built["depends"]:
        raise Problem("the dependencies of a program built with libtlsrpt0-dev:\n%(shlibs)s%(depends)s" % built)
    judge_upgrade(upgraded, built["version"])
    check_others(context, output)
    context.versions["libtlsrpt0"] = "%s, then %s, then %s" % tuple(upgraded["versions"])
    return Row("Debian 13: dpkg-buildpackage with its own Rust, lintian, apt",
               "libtlsrpt0 replaces Debian's on a host with Postfix, and Debian's replaces it, with mail to %d domains each time; "
               "tlsrpt-exim with Exim, tlsrpt with Sendmail" % len(DOMAINS))


def observe_upgrade(root, packages, replaced, network_arguments):
    """In a namespace: the observations of Postfix with Debian's package, with ours, and with Debian's again."""
    host = postfix.Postfix(network.Network(**network_arguments), root)
    recording = recorder.Recorder(host.socket).start()
    shutil.copytree(packages, host.root + "/packages")
    own, = glob.glob(replaced + "/*.deb")
    shutil.copy(own, host.root + "/var/cache/apt/archives")
    seen, versions, printed = [], [], []
    version = roots.package_version(host.root, packaging.REPLACED)
    for install in ([], ["sh", "-euc", "cd /packages && exec apt-get install --yes --no-install-recommends ./*.deb"],
                    ["apt-get", "install", "--yes", "--allow-downgrades", "%s=%s" % (packaging.REPLACED, version)]):
        if install:
            printed.append(roots.run(host.root, install))
        host.start()
        seen.append(delivery.deliver(host, recording, DOMAINS))
        host.stop()
        versions.append(roots.package_version(host.root, packaging.REPLACED))
    return {"seen": seen, "versions": versions, "printed": printed}


def judge_upgrade(upgraded, version):
    before, ours, back = upgraded["versions"]
    if not ours.startswith(version) or before != back or before == ours:
        raise Problem("the versions were %s\n%s" % (upgraded["versions"], "\n".join(upgraded["printed"])))
    if subprocess.run(["dpkg", "--compare-versions", ours, "gt", DEBIANS_NEXT], check=False).returncode:
        raise Problem("Debian's %s replaces our %s" % (DEBIANS_NEXT, ours))
    # Debian 13's own library, 0.5.0rc1, does not send it: this also shows that our library is the one that sends.
    compare.remove_protocol_version({"with our package": upgraded["seen"][1]})
    compared = [comparable(seen) for seen in upgraded["seen"]]
    for number, what in ((1, "with our package"), (2, "with Debian's package again")):
        if compared[number] != compared[0]:
            raise Problem("before: %s\n%s: %s" % (compared[0], what, compared[number]))


def comparable(seen):
    return {name: {aspect: of_domain[aspect] for aspect in compare.COMPARED} for name, of_domain in seen.items()}


def check_others(context, packages):
    """Runs Exim and Sendmail with the files of the two other packages."""
    unpacked = {}
    for name in ("tlsrpt-exim", "tlsrpt"):
        file, = glob.glob("%s/%s_*.deb" % (packages, name))
        unpacked[name] = os.path.join(packages, name)
        subprocess.run(["dpkg-deb", "--extract", file, unpacked[name]], check=True)
    found = context.call("scenarios.packages:observe_others", network_arguments=network.open_arguments(),
                         exim_root=roots.stable_with("exim", exim.PACKAGES), module=unpacked["tlsrpt-exim"],
                         sendmail_root=roots.stable_with("sendmail", sendmail.PACKAGES),
                         command=unpacked["tlsrpt"])
    judging.judge(found["exim"], {"dane.test": expected.EXIM["dane.test"]}, [])
    judging.judge(found["sendmail"], {"dane.test": expected.SENDMAIL["dane.test"]}, [])


def observe_others(network_arguments, exim_root, module, sendmail_root, command):
    """In a namespace: one mail from Exim, one from Sendmail."""
    the_network = network.Network(**network_arguments)
    by_exim = exim.Exim(the_network, exim_root, module).record()
    found = {"exim": judging.observe(by_exim, ["dane.test"])}
    by_sendmail = sendmail.Sendmail(the_network, sendmail_root, [command]).record().serve()
    found["sendmail"] = judging.observe(sendmail.WaitingFor(by_sendmail, 1), ["dane.test"])
    by_sendmail.stop()
    return found


def check_cross(context):
    """Builds Debian's packages for another architecture and runs what is in them under an emulator."""
    built = context.call("harness.packaging:cross_build_debian", base=packaging.cross_root(),
                         source=packaging.dist(context.checkout), mountpoint=network.mountpoint())
    wanted = dict.fromkeys(("libtlsrpt0", "libtlsrpt0-dev", "tlsrpt", "tlsrpt-exim"), packaging.FOREIGN)
    if built["architectures"] != wanted:
        raise Problem("the packages are %s" % built["architectures"])
    for what, word in (("command", "tlsrpt "), ("program", "no TLSRPT event for example.org"), ("module", "AArch64"),
                       ("completion", "complete ")):
        if word not in built[what]:
            raise Problem("%s: no %r in:\n%s" % (what, word, built[what]))
    return Row("Debian 13: dpkg-buildpackage -a%s on %s" % (packaging.FOREIGN, os.uname().machine),
               "%d packages; the command and a program with the library run under qemu" % len(wanted))


def check_rpm(context):
    found = build(context, "rpm")["files"]
    require_files(found, {"libtlsrpt": LIBRARY, "libtlsrpt-devel": DEVELOPMENT, "tlsrpt": TOOLS, "tlsrpt-exim": EXIM})
    return Row("Debian 13: rpmbuild", "%d packages, the files in them" % len(found))


def check_arch(context):
    found = build(context, "arch")["files"]
    require_files(found, {"libtlsrpt": LIBRARY | DEVELOPMENT, "tlsrpt": TOOLS, "tlsrpt-exim": EXIM})
    return Row("Debian 13: makepkg", "%d packages, the files in them" % len(found))


def build(context, kind):
    """Builds the packages of a kind. The library's must provide the level of the C interface."""
    built = context.call("harness.packaging:build_" + kind, base=packaging.root(),
                         source=packaging.dist(context.checkout), mountpoint=network.mountpoint())
    if PROVIDED[kind] % context.reference_version() not in built["provides"]:
        raise Problem("the package of the library provides %s" % built["provides"])
    return built


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
    Scenario("packages-debian", "Debian's packages: built, checked, installed on a host with Postfix, removed", check_debian),
    Scenario("packages-cross", "Debian's packages for arm64, cross-built, and run under qemu", check_cross),
    Scenario("packages-rpm", "the RPM packages, built", check_rpm),
    Scenario("packages-arch", "the packages for Arch, built", check_arch),
]
