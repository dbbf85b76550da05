"""Debian's packages: built from the source tarball without a network, they replace Debian's own and are replaced by them."""

import glob
import os
import shutil
import subprocess

from harness import built_cross, compare, delivery, exim, expected, judging, network, packaging, postfix, recorder, roots, sendmail
from harness import version_order
from harness.scenario import Problem, Row, Scenario

# The domains that Postfix sends to before and after the upgrade.
DOMAINS = ["good.test", "no-tls.test", "sts.test", "sts-expired.test", "dane.test", "dane-other.test"]
# The packages of the library. The others depend on parts of systemd, which this host has not: packages-installed has them.
INSTALL = "cd /packages && exec apt-get install --yes --no-install-recommends ./libtlsrpt0*.deb"
# The dependency of programs that were built with our package: the level of the interface, not the version of the
# project.
SHLIBS, DEPENDS = "libtlsrpt 0 libtlsrpt0 (>= %s)\n", "libtlsrpt0 (>= 0.5.0rc1)"


def check_debian(context):
    """Builds the packages, installs them on hosts with Postfix, Exim and Sendmail, and returns to Debian's."""
    built = packaging.built(context, "debian")
    if built["lintian"] != "passed\n":
        raise Problem("lintian:\n" + built["lintian"])
    if built["without the flag"]:
        raise Problem("%s did not arrive at the compiler of %s" % (packaging.RUST_FLAG, built["without the flag"]))
    if "no TLSRPT event for example.org" not in built["program"] or "[libtlsrpt.so.0]" not in built["program"]:
        raise Problem("a program built with libtlsrpt0-dev:\n" + built["program"])
    level = context.reference_version()
    if SHLIBS % level not in built["shlibs"] or DEPENDS not in built["depends"]:
        raise Problem("the dependencies of a program built with libtlsrpt0-dev:\n%(shlibs)s%(depends)s" % built)
    upgraded = context.call("scenarios.packages_debian:observe_upgrade", root=roots.debian(roots.STABLE), packages=built["folder"],
                            replaced=packaging.replaced_package(), network_arguments=network.open_arguments())
    judge_upgrade(upgraded, built["version"])
    check_others(context, built["folder"])
    context.versions["libtlsrpt0"] = "%s, then %s, then %s" % tuple(upgraded["versions"])
    return Row("Debian 13: dpkg-buildpackage with its own Rust, lintian at its strictest, apt",
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
    for install in ([], ["sh", "-euc", INSTALL],
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
    version_order.judge(ours, version_order.DEBIAN)
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
    unpacked = {name: unpack(context, packages, name) for name in ("tlsrpt-exim", "tlsrpt")}
    found = context.call("scenarios.packages_debian:observe_others", network_arguments=network.open_arguments(),
                         exim_root=roots.stable_with("exim", exim.PACKAGES), module=unpacked["tlsrpt-exim"],
                         sendmail_root=roots.stable_with("sendmail", sendmail.PACKAGES),
                         command=unpacked["tlsrpt"])
    judging.judge(found["exim"], {"dane.test": expected.EXIM["dane.test"]}, [])
    judging.judge(found["sendmail"], {"dane.test": expected.SENDMAIL["dane.test"]}, [])


def unpack(context, packages, name):
    """A folder with the files of a package."""
    file, = glob.glob("%s/%s_*.deb" % (packages, name))
    folder = os.path.join(context.checkout, "build", "mta", "unpacked", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    subprocess.run(["dpkg-deb", "--extract", file, folder], check=True)
    return folder


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
    built = packaging.built(context, "cross", built_cross.root)
    foreign = dict.fromkeys(("libtlsrpt0", "libtlsrpt0-dev", "tlsrpt", "tlsrpt-exim"), built_cross.FOREIGN)
    wanted = dict(foreign, **{"tlsrpt-tools": "all"})
    if built["architectures"] != wanted:
        raise Problem("the packages are %s" % built["architectures"])
    for what, word in (("command", "tlsrpt "), ("program", "no TLSRPT event for example.org"), ("module", "AArch64"),
                       ("completion", "complete ")):
        if word not in built[what]:
            raise Problem("%s: no %r in:\n%s" % (what, word, built[what]))
    return Row("Debian 13: dpkg-buildpackage -a%s on %s" % (built_cross.FOREIGN, os.uname().machine),
               "%d packages; the command and a program with the library run under qemu" % len(wanted))


SCENARIOS = [
    Scenario("packages-debian", "Debian's packages: built, checked, installed on a host with Postfix, removed", check_debian),
    Scenario("packages-cross", "Debian's packages for arm64, cross-built, and run under qemu", check_cross),
]
