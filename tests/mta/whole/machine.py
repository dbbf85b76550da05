"""A machine: root filesystems on a disk of its own, the programs in them, and power cuts."""

import contextlib
import os
import signal
import subprocess

from harness import command, roots, waiting
from whole import clock, disk


class Machine:
    """A machine with a root filesystem for each of its parts: Exim and Sendmail cannot be installed in one."""

    def __init__(self, the_network, the_clock, name):
        self.name = name
        self.folder = os.path.join(the_network.folder, name)
        self.disk = disk.Disk(self.folder)
        self.clock = the_clock
        self.lowers = {}
        self.shared = []
        self.processes = []

    def part(self, part, lower):
        """The name of a part for the class of a mail host, which makes the root filesystem."""
        self.lowers[part] = lower
        return os.path.join(self.name, part)

    def root(self, part):
        return os.path.join(self.folder, part, "root")

    def make(self, part, lower):
        """Makes the root filesystem of a part that is no mail server. Its path."""
        self.part(part, lower)
        return roots.overlay(lower, os.path.join(self.folder, part))

    def share(self, source, target):
        """Has the folder SOURCE of one root filesystem at the path TARGET of another."""
        self.shared.append((source, target))

    def ready(self):
        """Call this when all files are in place: a machine has run for a while before its power is cut."""
        self._mount_shared()
        self.disk.synchronize()

    def _mount_shared(self):
        for part in self.lowers:
            self.clock.mount(self.root(part))
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.root(part) + "/dev/shm"], check=True)
        for source, target in self.shared:
            subprocess.run(["mount", "--bind", source, target], check=True)

    @staticmethod
    def inside(root, program, **environment):
        """The command that runs a program there. The clock is loaded into the program, and not into chroot, which is outside."""
        variables = dict({"PATH": roots.PATH, "LC_ALL": "C.UTF-8", "HOME": "/"}, **clock.ENVIRONMENT, **environment)
        return ["chroot", root, "/usr/bin/env", "-i"] + ["%s=%s" % pair for pair in variables.items()] + program

    def start(self, name, root, program, **environment):
        """Starts a program, with the clock of the site. Its output goes to a file that outlasts power cuts."""
        with open(self.output(name), "a") as output:
            process = subprocess.Popen(self.inside(root, program, **environment), stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output)
        self.processes.append(process)
        return process

    def run(self, root, program, check=True):
        """Runs a program with the clock of the site, and returns its output."""
        ran = subprocess.run(self.inside(root, program), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             check=False)
        if check and ran.returncode != 0:
            raise RuntimeError("%s ended with %d:\n%s%s" % (" ".join(program), ran.returncode, ran.stdout.decode(), ran.stderr.decode()))
        return ran.stdout.decode("utf-8", "replace")

    def output(self, name):
        return "%s.%s.out" % (self.folder, name)

    def said(self, name):
        """What the programs of this name have printed."""
        path = self.output(name)
        return command.read(path) if os.path.exists(path) else ""

    def running(self):
        """The numbers of its processes: those whose root directory is on its disk."""
        found = []
        for number in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink("/proc/%s/root" % number).startswith(self.folder + "/"):
                    found.append(int(number))
        return found

    def _signal_all(self, number):
        for process in self.running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _unmount(self):
        for place in [self.root(part) for part in self.lowers] + [self.folder]:
            # The kernel closes the files of killed processes a moment later.
            waiting.until("%s to be unmounted" % place, lambda place=place: not os.path.ismount(place) or subprocess.run(
                ["umount", "--recursive", place], stderr=subprocess.DEVNULL, check=False).returncode == 0)

    def power_on(self):
        """Mounts what the power cut left. The programs are started by their owners."""
        self.disk.mount_again()
        for part, lower in self.lowers.items():
            roots.overlay(lower, os.path.join(self.folder, part))
        self._mount_shared()


def cut_power(machines):
    """Cuts the power of all these machines at once: all stand still, then their disks end, then their processes."""
    for machine in machines:
        machine._signal_all(signal.SIGSTOP)
    for machine in machines:
        machine.disk.cut()
    for machine in machines:
        def is_dead(machine=machine):
            machine._signal_all(signal.SIGKILL)
            for process in machine.processes:
                process.poll()
            return not machine.running()
        waiting.until("the processes of %s to be killed" % machine.name, is_dead)
        machine.processes.clear()
    for machine in machines:
        machine._unmount()
