"""What a mail host has of this project, besides the library: the collector with its spool, and where wanted the reporter."""

import os
import re
import shutil
import signal
import socket
import threading

from harness import installed, recorder, site, waiting
from whole import clock, database

COLLECTOR_FILE = os.path.join(installed.CONFIGURATION_FOLDER, "collect.toml")
PASSWORDS = os.path.join(installed.CONFIGURATION_FOLDER, "passwords")
HOSTS = "/etc/hosts"
STATUS = re.compile(r"collecting: (\d+) events, (\d+) invalid, (\d+) dropped")


class Host:
    """The collector, and the reporter, of the part of a machine that has the mail server's SOCKET."""

    def __init__(self, machine, part, program, the_network, the_database, socket_path, group, route):
        self.machine, self.root = machine, machine.root(part)
        self.name = machine.name
        store = 'url = "%s"\nhost = "%s"' % (database.url(database.REPORTER, installed.CONFIGURATION_FOLDER), self.name)
        self.installed = installed.Installed(program, the_network, self.root, socket_path, group, route, installed.ED25519,
                                             site.SINK[1], store=store)
        self._write(COLLECTOR_FILE, self._read(installed.CONFIGURATION).replace(database.REPORTER, database.COLLECTOR))
        self._write(PASSWORDS, "".join("*:*:*:%s:%s\n" % pair for pair in the_database.passwords.items()))
        os.chmod(self.root + PASSWORDS, 0o600)
        self._write(HOSTS, self._read(HOSTS) + "%s %s\n" % (database.ADDRESS, database.NAME))
        self.collector = self.reporter = None
        self.events = self.lost = 0  # since the start of the collector: kept; invalid or dropped
        self.kept_before = 0  # by the collectors before

    def _read(self, path):
        with open(self.root + path) as source:
            return source.read()

    def _write(self, path, text):
        with open(self.root + path, "w") as target:
            target.write(text)

    def take_key(self, other):
        """Signs with the DKIM key of another host."""
        shutil.copyfile(other.root + installed.KEY, self.root + installed.KEY)

    def collect(self):
        """Starts the collector, and waits until it says that it is ready."""
        self.kept_before += self.events
        self.events, ready = 0, threading.Event()
        # It is not on the machine's disk: a socket that this process has bound would keep the disk in use after a power cut.
        path = os.path.join(self.machine.clock.folder, self.name)
        if os.path.exists(path):
            os.unlink(path)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with recorder.short(path) as name:
            manager.bind(name)
        threading.Thread(target=self._listen, args=(manager, ready), daemon=True).start()
        self.collector = self.machine.start("collect", self.root, [installed.COMMAND, "collect", "--config", COLLECTOR_FILE],
                                            NOTIFY_SOCKET=os.path.join(clock.FOLDER, self.name))
        waiting.until_ready("the collector of " + self.name, self.collector, ready.is_set, self.machine.output("collect"))

    def _listen(self, manager, ready):
        while True:
            told = manager.recv(4096).decode()
            found = STATUS.search(told)
            if found:
                self.events, self.lost = int(found.group(1)), int(found.group(2)) + int(found.group(3))
            if "READY=1" in told:
                ready.set()

    def count(self):
        """The number of events that its collectors have kept, as they tell the service manager. (As a recorder counts.)"""
        return self.kept_before + self.events

    def since(self, _first):
        """The collector does not keep datagrams."""
        return []

    def report(self):
        """Starts the reporter."""
        self.reporter = self.machine.start("deliver", self.root, [installed.COMMAND, "deliver"])

    def run(self, *arguments, check=True):
        """Runs the command."""
        return self.machine.run(self.root, [installed.COMMAND] + list(arguments), check)

    def kill(self):
        """Kills the collector and the reporter."""
        for process in filter(None, (self.collector, self.reporter)):
            process.send_signal(signal.SIGKILL)
        for process in filter(None, (self.collector, self.reporter)):
            process.wait()

    def end(self):
        """Ends both in order."""
        for process, name in ((self.reporter, "deliver"), (self.collector, "collect")):
            if process:
                process.terminate()
                if process.wait(60) != 0 or self.lost:
                    raise RuntimeError("tlsrpt %s of %s ended with %d; %d events were dropped or invalid:\n%s" % (
                        name, self.name, process.returncode, self.lost, self.machine.said(name)))
