"""A host that collects and reports: the command runs as it does on a mail server, also on days in the past."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLOCK = os.path.join(HERE, "..", "..", "crates", "cli", "tests", "delivering", "clock.c")
DAY = 24 * 3600


class Site:
    """A store, a configuration and the commands with it."""

    def __init__(self, command, folder, name, mail_port=25):
        self.command, self.folder = command, os.path.join(folder, name)
        os.mkdir(self.folder)
        self.settings = os.path.join(self.folder, "tlsrpt.toml")
        self.socket = os.path.join(self.folder, "tlsrpt.sock")
        self.store = os.path.join(self.folder, "tlsrpt.db")
        self.clock = os.path.join(self.folder, "clock")
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write('[collect]\nsocket = "%s"\n[store]\nurl = "sqlite:%s"\n' % (self.socket, self.store))
            file.write('[report]\norganization = "Example GmbH"\ncontact = "postmaster@example.com"\n')
            file.write('from = "noreply-smtp-tls-reporting@example.com"\nspread = "0s"\n')
            file.write('[mail]\nserver = "smtp://127.0.0.1:%d"\n' % mail_port)
        self.library = os.path.join(folder, "clock.so")
        if not os.path.exists(self.library):
            subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library, CLOCK, "-ldl"], check=True)

    def environment(self, days_ago):
        """The environment of a program whose clock is some days late."""
        if days_ago == 0:
            return None
        with open(self.clock, "wb") as file:
            file.write(struct.pack("=q", -days_ago * DAY))
        return dict(os.environ, LD_PRELOAD=self.library, CLOCK=self.clock)

    @contextlib.contextmanager
    def collecting(self, days_ago=0):
        """A running collector. At its end all events are in the store."""
        with subprocess.Popen([self.command, "collect", "--config", self.settings], stderr=subprocess.PIPE, text=True,
                              env=self.environment(days_ago)) as collector:
            for line in collector.stderr:
                if "listening at" in line:
                    break
            try:
                yield
            finally:
                collector.terminate()
                collector.stderr.read()

    def send(self, events):
        """Sends events, each as often as its number says: [(event, number)]."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(self.socket)
            for event, number in events:
                datagram = event if isinstance(event, bytes) else json.dumps(event).encode()
                for _ in range(number):
                    sender.send(datagram)

    def run(self, *arguments, days_ago=0, codes=(0,), input=None):
        """The standard output of the command."""
        done = subprocess.run([self.command, *arguments, "--config", self.settings], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, text=True, env=self.environment(days_ago), input=input)
        if done.returncode not in codes:
            raise RuntimeError("%s: exit code %d: %s" % (arguments, done.returncode, done.stderr))
        return done.stdout

    def reports(self):
        return json.loads(self.run("reports", "--format", "json"))["reports"]


def wait_for_a_day_to_count_on():
    """Waits until the day does not end before the test does."""
    left = DAY - time.time() % DAY
    if left < 300:
        time.sleep(left + 1)
