"""Debian's packages on a booted mail host: from `apt install` to a report, and through upgrades and removals while mails flow."""

import os
import re
import threading

from harness import autopkgtests, built_packages, network, packaged, packaging, reporter, reports, service_manager, waiting
from harness.scenario import Problem, Row, Scenario

# What the administrator writes: the examples of the file, without the # before them.
THREE_LINES = ["organization", "contact", "from"]
RUNS, COLLECTS = ["active"] * 3, ["active", "active", "inactive"]
MOST_EXPOSED = 2.0
OLDER_CONFIGURATION = '[report]\norganization = "Example"\ncontact = "tls@example.com"\nfrom = "tls@example.com"\n'
AUTOPKGTESTS = ("library", "services", "exim")
BEFORE = 3  # events in the store of the package with the former name


def observe(lower, packages, network_arguments):
    """In a namespace: what an administrator sees, and what becomes of the events."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(**network_arguments)
    host = packaged.MailHost(the_network, lower, packages)
    seen = {"versions": host.versions}
    host.install(*packaged.INSTALLED)
    seen["installed"] = [host.states(), host.failed()]
    seen["told"] = host.run("systemctl", "status", "--no-pager", "--full", packaged.REPORTER, check=False)
    seen["exposure"] = {unit: host.system.exposure(unit) for unit in service_manager.SERVICES}
    seen["first"] = first_report(host, the_network)
    seen["reporter"] = [host.states(), host.failed()]
    seen["bounds"] = bounds(host)
    seen["users"] = both_users(host)
    seen["damaged"] = damaged_store(host)
    seen["changes"] = changes(host)
    seen["transitional"] = transitional(host)
    return seen


def first_report(host, the_network):
    """A mail, the three lines, and the report about it, by an administrator who is root."""
    host.send()
    host.wait_for_events()
    host.run("sed", "-i", r"s/^#\(%s\) = /\1 = /" % r"\|".join(THREE_LINES), packaged.CONFIGURATION)
    the_network.mails.clear()
    printed = host.run("tlsrpt", "deliver", "--once", "--day", "today").strip()
    waiting.until("the report mail", lambda: the_network.mails)
    (mail,) = the_network.mails
    text = mail["data"]
    domain, report = reports.from_mail(text)
    host.system.systemctl("restart", packaged.REPORTER)
    return {"printed": printed.splitlines()[-1], "domain": domain, "sessions": report["policies"][0]["summary"]["total-successful-session-count"]}


def bounds(host):
    """What each service may reach: {service: [network devices, sockets of mail servers, /etc, the store]}."""
    found = {}
    for unit in service_manager.SERVICES:
        process = host.system.property("MainPID", unit)
        inside = lambda *command: host.run("nsenter", "--target", process, *command, check=False)
        as_user = ["--setuid", host.run("stat", "-c", "%u", "/proc/" + process).strip(),
                   "--setgid", host.run("stat", "-c", "%g", "/proc/" + process).strip()]
        devices = [line.split(":")[0].strip() for line in inside("--net", "cat", "/proc/net/dev").splitlines()[2:]]
        same = host.run("readlink", "/proc/1/ns/net") == host.run("readlink", "/proc/%s/ns/net" % process)
        writes = [word for folder in ("/etc", "/var/tmp/..", packaged.STORE)
                  for word in [inside("--mount", "sh", "-c", "touch %s/probe && rm %s/probe && echo written || echo refused" % (
                      folder, folder)).split()[-1]]]
        socket = inside("--mount", *as_user, "sh", "-c", "test -w /run/tlsrpt/tlsrpt.sock && echo open || echo closed").split()
        found[unit] = {"user": host.run("stat", "-c", "%U:%G", "/proc/" + process).strip(),
                       "network": "the host's" if same else "without devices" if devices in ([], ["lo"]) else "another",
                       "writes": writes, "socket": socket}
    return found


def both_users(host):
    """Each service makes SQLite's files for the other: [owner, events or outcome], by a service that was killed."""
    system, found = host.system, []
    for first, second in ((packaged.REPORTER, packaged.COLLECTOR), (packaged.COLLECTOR, packaged.REPORTER)):
        system.systemctl("stop", packaged.COLLECTOR, packaged.REPORTER)
        system.systemctl("start", first)
        waiting.until("the write-ahead log", lambda: system.run("ls", packaged.STORE).count("-wal"))
        owner = host.run("stat", "-c", "%U:%G %a", packaged.STORE + "/tlsrpt.db-wal").strip()
        system.systemctl("kill", "--kill-whom=main", "--signal=KILL", first)
        system.systemctl("start", second)
        host.send()
        host.wait_for_events()
        host.run("setpriv", "--reuid", "tlsrpt", "--regid", "tlsrpt", "--clear-groups", "tlsrpt", "suppress", "add",
                 "%s.example" % first.split(".")[0])
        system.systemctl("start", packaged.COLLECTOR, packaged.REPORTER)
        found.append([owner, host.states()])
    return found


def damaged_store(host):
    """The collector replaces a store that is damaged: [events after it, what the reporter writes, mode of the new store]."""
    system = host.system
    system.systemctl("stop", packaged.REPORTER, packaged.COLLECTOR)
    before = host.sessions()
    # Its head stays: the collector renames no file that never was a store.
    host.run("sh", "-euc", "head -c 60000 /dev/urandom | dd of=%s/tlsrpt.db bs=100 seek=1 conv=notrunc status=none" % packaged.STORE)
    host.send()
    system.systemctl("start", packaged.COLLECTOR)
    waiting.until("the damaged store to be set aside", lambda: "corrupt" in system.run("ls", packaged.STORE))
    host.wait_for_events(lost=before)
    system.systemctl("restart", packaged.REPORTER)
    host.run("setpriv", "--reuid", "tlsrpt", "--regid", "tlsrpt", "--clear-groups", "tlsrpt", "suppress", "add", "damaged.example")
    return {"lost": before, "states": host.states(), "mode": host.run("stat", "-c", "%G %a", packaged.STORE + "/tlsrpt.db").strip()}


def changes(host):
    """Upgrade, downgrade, removal, installation again and purge while mails flow: what is stored and what was refused."""
    found, lost = {}, host.sessions() - host.system.counts()["events"]
    newer = [host.make_newer(name) for name in packaged.INSTALLED]
    host.run("rm", "-rf", packaged.FOLDER + "/newer")
    processes = lambda: [host.system.property("MainPID", unit) for unit in service_manager.SERVICES]
    for what, change in (("upgrade", lambda: host.install(*newer)),
                         ("downgrade", lambda: host.install(*packaged.INSTALLED, options=["--allow-downgrades"]))):
        before, running = host.refused(), processes()
        with host.mails():
            change()
        found[what] = {"refused": host.refused() - before, "sessions": host.wait_for_events(lost) > 0, "states": host.states(),
                       "restarted": all(old != new for old, new in zip(running, processes()))}
    with host.mails():
        host.apt("remove", "tlsrpt")
        gone = [process for process in processes() if process != "0"]
        waiting.until("an event that nobody takes", host.refused)
        host.install("tlsrpt")
    host.wait_for_events(lost)
    found["remove"] = {"processes": gone, "refused": host.refused() > 0, "states": host.states(), "lost": lost}
    with host.mails():
        host.apt("purge", "tlsrpt")
    host.postfix.wait_until_idle()
    found["purge"] = [path for path in (packaged.STORE, "/etc/tlsrpt", "/run/tlsrpt", "/var/spool/postfix/run/tlsrpt",
                                        "/etc/systemd/system/tlsrpt.socket.d")
                      if host.run("ls", "-d", path, check=False).strip() == path]
    found["deferred"] = sum("status=deferred" in line or "status=bounced" in line for line in host.postfix.log(0))
    return found


def transitional(host):
    """An upgrade of the package with the former name, whose store is where systemd kept it then."""
    host.install_older(OLDER_CONFIGURATION)
    found = {"before": [host.states(), host.send_events(BEFORE)]}
    # Without the option, dpkg asks whether the file that the administrator wrote shall stay, as it does for each file in /etc.
    host.install("tlsrpt-tools", "tlsrpt", options=["-o", "DPkg::Options::=--force-confold"])
    found["states"], found["enabled"] = host.states(), host.run("systemctl", "is-enabled", *packaged.UNITS).split()
    found["kept"] = host.system.counts()["events"]
    host.send()
    host.postfix.wait_until_idle()
    host.system.wait_for_events(BEFORE + 1)
    found["owners"] = host.run("stat", "-c", "%U:%G %a", packaged.STORE, packaged.STORE + "/tlsrpt.db").split("\n")[:2]
    host.apt("remove", "tlsrpt-tools")
    found["without"] = host.states()
    return found


def judge(seen):
    """Raises Problem unless all is as it has to be."""
    for line in THREE_LINES:
        if not re.search(r"\]: tlsrpt:   %s = " % line, seen["told"]):
            raise Problem("systemctl status of the reporter does not name %s:\n%s" % (line, seen["told"]))
    for unit, exposure in seen["exposure"].items():
        if exposure > MOST_EXPOSED:
            raise Problem("systemd-analyze security %s: %s is more than %s" % (unit, exposure, MOST_EXPOSED))
    lost = seen["damaged"]["lost"]
    expected = {
        "installed": [COLLECTS, []],
        "first": {"printed": "1 reports made, 1 deliveries succeeded, 0 failed for good or were suppressed, 0 are left",
                  "domain": packaged.DOMAIN, "sessions": 1},
        "reporter": [RUNS, []],
        "bounds": {
            packaged.COLLECTOR: {"user": "tlsrpt-collect:tlsrpt", "network": "without devices",
                                 "writes": ["refused", "refused", "written"], "socket": ["closed"]},
            packaged.REPORTER: {"user": "tlsrpt:tlsrpt", "network": "the host's", "writes": ["refused", "refused", "written"],
                                "socket": ["closed"]}},
        "users": [["tlsrpt:tlsrpt 660", RUNS], ["tlsrpt-collect:tlsrpt 660", RUNS]],
        "damaged": {"lost": lost, "states": RUNS, "mode": "tlsrpt 660"},
        "changes": {"upgrade": {"refused": 0, "sessions": True, "states": RUNS, "restarted": True},
                    "downgrade": {"refused": 0, "sessions": True, "states": RUNS, "restarted": True},
                    "remove": {"processes": [], "refused": True, "states": RUNS, "lost": lost},
                    "purge": [], "deferred": 0},
        "transitional": {"before": [RUNS, BEFORE], "states": RUNS, "enabled": ["enabled"] * 3, "kept": BEFORE,
                         "owners": ["root:tlsrpt 2770", "tlsrpt:tlsrpt 660"], "without": RUNS}}
    for name, value in expected.items():
        if seen[name] != value:
            raise Problem("%s: expected %s, found %s" % (name, value, seen[name]))


def packages(context):
    """A folder with the packages of what `make` has built, made once in a run."""
    with _making:
        if not _made:
            _made.append(built_packages.make(context.checkout, os.path.join(context.checkout, "build", "mta", "packages")))
    return _made[0]


_making = threading.Lock()
_made = []


def check(context):
    seen = context.call("scenarios.packages_installed:observe", lower=service_manager.root(), packages=packages(context),
                        network_arguments=network.open_arguments())
    judge(seen)
    context.versions["exposure of the packaged services"] = str(seen["exposure"])
    return Row("Debian 13 booted, with Postfix: apt install ./tlsrpt_*.deb ./libtlsrpt0_*.deb",
               "asks nothing, collects at once, says which three lines are missing; then a mail makes an event and tlsrpt deliver "
               "--once a report; the two users share the store, also after kills; while mails flow, upgrade and downgrade refuse no "
               "event, removal and reinstallation lose only the refused ones, and purge leaves no file")


def check_lintian(context):
    printed = context.call("harness.built_debian:lint", base=packaging.root(), packages=packages(context),
                           mountpoint=network.mountpoint())
    if printed != "passed\n":
        raise Problem("lintian:\n" + printed)
    return Row("Debian 13: lintian", "nothing up to pedantic in the packages")


def check_autopkgtests(context):
    found = context.call("harness.autopkgtests:run", lower=autopkgtests.root(), checkout=context.checkout, packages=packages(context),
                         mountpoint=network.mountpoint())
    if found["outcomes"] != dict.fromkeys(AUTOPKGTESTS, "PASS"):
        raise Problem("%s\n%s" % (found["outcomes"], found["printed"]))
    return Row("Debian 13 booted, with Exim: autopkgtest", "%d tests of debian/tests pass" % len(AUTOPKGTESTS))


SCENARIOS = [Scenario("packages-installed", "Debian's packages from apt install to a report, upgraded and removed while mails flow",
                      check),
             Scenario("packed-debian", "lintian on Debian's packages, packed from what make has built", check_lintian),
             Scenario("packages-autopkgtest", "the tests in debian/tests, in a booted system", check_autopkgtests)]
