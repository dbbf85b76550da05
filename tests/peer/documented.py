"""The commands of docs/coming-from-tlsrpt-reporter.md, pasted where the paths are those of the page. Needs root.

The programs are real. Only systemctl and the programs of OTHERS are scripts: this needs no host that systemd has booted. `make test-docs` runs
the same commands on one.
"""

import functools
import os
import re
import subprocess
import threading

import events
from fetching import CHECKOUT
from harness import documents, reporter
from migrating import DUE_NOW, OPEN, counters, running_reportd
from site_of_both import DAY_ENDS, Mails, change, comparable, edit, require, require_equal

PAGE = "coming-from-tlsrpt-reporter.md"
STATE, CONFIGURATION, RUN = "/var/lib/tlsrpt", "/etc/tlsrpt", "/run/tlsrpt"
STORE, MIGRATED = "/tlsrpt.db", ".migrated"
SYSTEMCTL = """#!/bin/sh
set -eu
action=$1
shift
[ "$1" != --now ] || shift
stop() {
    if pid=$(cat "$PIDS/$1" 2>/dev/null); then
        rm "$PIDS/$1"
        kill "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    fi
}
for unit; do
    case $action.$unit in
    disable.tlsrpt-*) stop "$unit" ;;
    # The test starts tlsrpt-reportd by itself.
    enable.tlsrpt.socket | restart.tlsrpt.socket | restart.tlsrpt-reportd) ;;
    enable.tlsrpt-collect | enable.tlsrpt-deliver | restart.tlsrpt-collect | restart.tlsrpt-deliver)
        stop "$unit"
        tlsrpt "${unit#tlsrpt-}" </dev/null >"$PIDS/$unit.log" 2>&1 &
        echo $! >"$PIDS/$unit"
        [ "$unit" = tlsrpt-deliver ] || until [ -S RUN/tlsrpt.sock ] && [ -s STATE/tlsrpt.db ]; do sleep 0.05; done ;;
    *) echo "systemctl: $action $unit" >&2; exit 1 ;;
    esac
done
""".replace("RUN", RUN).replace("STATE", STATE)
# The programs are there already, and there is one user.
OTHERS = {"apt": "true", "journalctl": "true", "runuser": "shift 3; exec \"$@\""}
# /etc and /var/lib of their own, above those of this machine, and an empty /run.
WORLD = """set -eu
mount -t tmpfs tmpfs "$WORLD"
for folder in etc var/lib; do
    mkdir -p "$WORLD/$folder/upper" "$WORLD/$folder/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$WORLD/$folder/upper,workdir=$WORLD/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
mkdir -p CONFIGURATION RUN STATE
mount --bind "$DATABASES" STATE
cp "$TOML" CONFIGURATION/tlsrpt.toml
""".replace("CONFIGURATION", CONFIGURATION).replace("RUN", RUN).replace("STATE", STATE)


class World:
    """Where the page's paths are those of a site: mounts of its own, and its programs in PATH."""

    def __init__(self, site, databases, mails):
        self.site = site
        for name in ("bin", "pids", "world"):
            os.makedirs(site.path(name))
        self.script("systemctl", SYSTEMCTL)
        for name, text in OTHERS.items():
            self.script(name, "#!/bin/sh\n%s\n" % text)
        os.symlink(site.program, site.path("bin/tlsrpt"))
        self.environment = dict(os.environ, PIDS=site.path("pids"), WORLD=site.path("world"), DATABASES=databases,
                                TOML=site.path("tlsrpt.toml"), PATH="%s:%s" % (site.path("bin"), os.environ["PATH"]))
        with open(site.path("tlsrpt.toml"), "w") as target:
            target.write(configuration() + '[collect]\nsocket-group = "root"\n[mail]\nsendmail = "%s"\n' % mails.script)
        # Its mounts end with this process, into which all others enter.
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                                        WORLD + "echo ready\nexec sleep 3600"],
                                       stdout=subprocess.PIPE, env=self.environment, text=True)
        require(self.holder.stdout.readline() == "ready\n", "the mounts cannot be made")
        site.all.append(self.end)

    def run(self, script):
        """Runs a script there. Its output."""
        done = subprocess.run(self.inside("sh", "-euc", script), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=self.environment)
        require(done.returncode == 0, "%s\nended with %d:\n%s%s" % (script, done.returncode, done.stdout, done.stderr))
        return done.stdout

    def inside(self, *command):
        return ["nsenter", "--target", str(self.holder.pid), "--mount", "--wd=/"] + list(command)

    def program(self, name, command):
        """Puts a program with arguments into PATH."""
        self.script(name, "#!/bin/sh\nexec %s \"$@\"\n" % " ".join(command))

    def script(self, name, text):
        path = self.site.path("bin/" + name)
        with open(path, "w") as target:
            target.write(text)
        os.chmod(path, 0o755)

    def send(self, lines):
        """Sends datagrams to our collector. When it ends, all are stored."""
        with open(self.site.path("events"), "w") as target:
            target.write("\n".join(lines))
        self.run("tlsrpt send --socket %s/tlsrpt.sock --from %s" % (RUN, self.site.path("events")))

    def runs(self, name, process):
        """systemctl ends this process by the name."""
        reap(process)
        with open(self.site.path("pids/" + name), "w") as target:
            target.write("%d\n" % process.pid)

    def end(self):
        for unit in ("tlsrpt-collect", "tlsrpt-deliver"):
            subprocess.run(self.inside("systemctl", "disable", "--now", unit), env=self.environment, check=False)
        self.holder.terminate()
        self.holder.wait()


def configuration():
    with open(os.path.join(CHECKOUT, "docs", PAGE)) as page:
        return re.search(r"^```toml\n(.*?)^```$", page.read(), re.DOTALL | re.MULTILINE).group(1)


def section(heading):
    return documents.commands(CHECKOUT, PAGE, heading)


def setting(heading):
    """The line of the configuration of tlsrpt-reportd in a section, as (name, value)."""
    return documents.block(CHECKOUT, PAGE, heading, "ini").splitlines()[-1].split(" = ")


def reap(process):
    """Takes the exit status of a process when it ends: until then it is there for systemctl."""
    threading.Thread(target=process.wait, daemon=True).start()


def change_a_host(site):
    """Section "Change a host": the reports of yesterday reach each destination once, and the counters of today are ours."""
    theirs, making, mails = running_reportd(site, events.day(), events.first_half(), "theirs")
    world = World(site, theirs.folder, mails)
    world.runs("tlsrpt-collectd", theirs.process)
    world.runs("tlsrpt-reportd", making.process)
    sent = mails.take()
    world.run(section("Change a host"))
    require(not theirs.alive() and not making.alive(), "the programs of tlsrpt-reporter still run")
    query = functools.partial(reporter.query, theirs.folder + STORE)
    require_equal("the counters of today", *counters(theirs.database + MIGRATED, query))
    world.run("systemctl disable --now tlsrpt-deliver tlsrpt-collect")
    mails.refuse()
    edit(theirs.folder + STORE, DUE_NOW)
    world.run("tlsrpt deliver --once")
    late = mails.take()
    require_equal("who got the report about yesterday", sorted(to for to, _ in sent + late), sorted(
        "tls@" + name for name in events.DOMAINS))
    require_equal("who got it from us", [to for to, _ in late], sorted(OPEN))
    return "%d + %d deliveries, each once" % (len(sent), len(late))


def keep_reportd(site):
    """Section "Keep tlsrpt-reportd": half a day with tlsrpt-collectd, half with our collector, one tlsrpt-reportd."""
    expected = expected_of_a_day(site)
    theirs = site.collectd("theirs", events.first_half())
    world = World(site, theirs.folder, Mails(site.path("theirs")))
    world.runs("tlsrpt-collectd", theirs.process)
    world.run(section("Keep tlsrpt-reportd"))
    world.send(events.second_half())
    world.run("systemctl disable --now tlsrpt-collect")
    edit(theirs.folder + STORE, *DAY_ENDS)
    require_equal("the reports", expected, reports_with(site, world, setting("Keep tlsrpt-reportd")))
    return "%d reports are equal" % len(expected)


def go_back(site):
    """Section "Go back": half a day with our collector, half with tlsrpt-collectd, one tlsrpt-reportd."""
    expected = expected_of_a_day(site)
    theirs = site.collectd("theirs", events.second_half())
    world = World(site, theirs.folder, Mails(site.path("theirs")))
    world.program("tlsrpt-fetcher", theirs.fetcher.command)
    world.run("systemctl enable --now tlsrpt.socket tlsrpt-collect tlsrpt-deliver")
    world.send(events.first_half())
    world.run("systemctl disable --now tlsrpt-collect")
    world.run(section("Go back"))
    edit(theirs.folder + STORE, *DAY_ENDS)
    theirs.end_day()
    require_equal("the reports", expected, reports_with(site, world, setting("Go back")))
    return "%d reports are equal" % len(expected)


def expected_of_a_day(site):
    """The reports that tlsrpt-reporter makes of a whole day."""
    whole = site.collectd("whole", events.day())
    whole.end_day()
    return comparable(site.reports_of_reportd([whole.fetcher.command], len(events.DOMAINS), "reportd-of-whole"))


def reports_with(site, world, line):
    """The reports of a tlsrpt-reportd with this line in its configuration."""
    making, mails = site.reportd([])
    change(making.configuration, dict([line]))
    making.command = world.inside("env", "PATH=" + world.environment["PATH"], *making.command)
    making.send_all(len(events.DOMAINS))
    return comparable(mails.take())


CASES = [change_a_host, keep_reportd, go_back]
