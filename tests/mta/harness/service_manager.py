"""A Debian system booted in a container: systemd is its first process, and this project is installed in it."""

import json
import os
import signal
import subprocess

from harness import command, roots, waiting

SERVICE, SOCKET_UNIT = "tlsrpt-collect.service", "tlsrpt.socket"
# The services that write the store.
SERVICES = (SERVICE, "tlsrpt-deliver.service")
SOCKET = "/run/tlsrpt/tlsrpt.sock"
PACKAGES = ["systemd", "systemd-sysv"]
# Where the machine itself runs systemd.
HOST_MANAGER = "/run/systemd/system"
STOPPED = "T (stopped)"  # the state of a process in /proc
COMMAND_SECONDS, BOOT_SECONDS = 60, 120


def root():
    """The root filesystem: Debian stable with Postfix and systemd."""
    return roots.stable_with("service-manager", PACKAGES)


def installed_system(lower, installed, mountpoint):
    """A booted system with the files that `make install` installs, set up by the commands of docs/collecting.md."""
    folder = command.mount_folder(mountpoint)
    root = roots.overlay(lower, folder)
    subprocess.run(["cp", "--archive", installed + "/.", root], check=True)
    system = System(root, folder, ["--private-network"])
    for program in ("systemd-sysusers", "systemd-tmpfiles --create"):
        system.run(*program.split())
    return system


class System:
    """The booted system of a writable root filesystem. Call it in a namespace, whose end ends it."""

    def __init__(self, root, folder, options=()):
        self.root = root
        subprocess.run(["umount", self.root + "/proc"], check=True)
        # Hosts with the first version of control groups: systemd of Debian 13 needs the second.
        environment = dict(os.environ, UNIFIED_CGROUP_HIERARCHY="1")
        # Without systemd on the host there is nobody to ask for a unit or to register with.
        alone = [] if os.path.isdir(HOST_MANAGER) else ["--keep-unit"]
        self.said = os.path.join(folder, "nspawn.log")
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--console=pipe",
                 "--directory=" + self.root] + alone + list(options), env=environment, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said)
        self.first = None
        waiting.until("the system to boot", self._booted, BOOT_SECONDS)

    def _first_process(self):
        if self.process.poll() is not None:
            raise RuntimeError("systemd-nspawn ended:\n" + command.read(self.said))
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as children:
            return next((int(child) for child in children.read().split()), None)

    def _booted(self):
        # Before the first process, systemd-nspawn has another child for a moment.
        self.first = self._first_process()
        return self.first and self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def run(self, *arguments, check=True, seconds=COMMAND_SECONDS):
        """Runs a command in the system and returns its output."""
        outcome = subprocess.run(["nsenter", "--target", str(self.first), "--all", "--"] + list(arguments),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=seconds, check=False)
        printed = outcome.stdout.decode("utf-8", "replace")
        if check and outcome.returncode != 0:
            raise RuntimeError("%s ended with %d:\n%s" % (" ".join(arguments), outcome.returncode, printed))
        return printed

    def systemctl(self, *arguments):
        return self.run("systemctl", *arguments)

    def property(self, name, unit=SERVICE):
        """A property of a unit."""
        return self.systemctl("show", "--property", name, "--value", unit).strip()

    def settings(self, text):
        """Adds settings to the service, until the system ends."""
        folder = "/run/systemd/system/%s.d" % SERVICE
        script = 'mkdir -p "$0" && printf %s "$1" >"$0/test.conf" && systemctl daemon-reload'
        self.run("sh", "-euc", script, folder, text)

    def no_settings(self):
        """Takes them away."""
        self.run("sh", "-euc", 'rm "$0" && systemctl daemon-reload', "/run/systemd/system/%s.d/test.conf" % SERVICE)

    def active(self):
        return self.property("ActiveState") == "active"

    def kill(self, number):
        """Sends a signal to the collector and returns its process number, in the system."""
        process = self.property("MainPID")
        self.systemctl("kill", "--kill-whom=main", "--signal=" + signal.Signals(number).name, SERVICE)
        return process

    def stand_still(self):
        """Stops the collector, and waits until all its threads stand still: one that was waiting reads what comes before. Returns its
        process number, in the system."""
        process = self.kill(signal.SIGSTOP)
        waiting.until("the collector to stand still", lambda: all(STOPPED in line for line in self.run(
            "sh", "-c", "cat /proc/%s/task/*/status | grep ^State:" % process).splitlines()))
        return process

    def wait_for_another(self, process):
        """Waits until another collector than this one is ready."""
        waiting.until("systemd to start the collector again",
                      lambda: self.property("MainPID") not in ("0", process) and self.active())

    def counts(self):
        """The counts of all days: midnight may pass."""
        days = json.loads(self.run("tlsrpt", "status", "--format", "json", check=False))["days"]
        return {name: sum(day[name] for day in days) for name in ("events", "invalid", "dropped")}

    def wait_for_events(self, number):
        """Waits until so many events are in the store."""
        try:
            waiting.until("the events to be stored", lambda: self.counts()["events"] >= number)
        except waiting.Timeout as timeout:
            raise RuntimeError("%s: wanted %d, found %s" % (timeout, number, self.counts())) from None

    def journal(self):
        """The collector's lines in the journal: [(priority, text)]."""
        lines = self.run("journalctl", "--output=json", "_SYSTEMD_UNIT=" + SERVICE).splitlines()
        return [(entry["PRIORITY"], entry["MESSAGE"]) for entry in map(json.loads, lines)]

    def exposure(self, service):
        """What systemd-analyze says of the hardening of a service: 0 is the best and 10 the worst."""
        printed = self.run("systemd-analyze", "security", "--no-pager", service)
        return float(printed.rpartition("Overall exposure level for")[2].split(":")[1].split()[0])

    def path(self, inside):
        """A path of the system as seen from outside."""
        return "/proc/%d/root%s" % (self.first, inside)
