"""Mail hosts for `tlsrpt check`: set up as the documentation says, so that it finds nothing; and back to this state after each
planted fault."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess

from harness import certificates, delivery, domains, installed, network, postfix, recorder, roots, site, waiting
from harness.scenario import Problem

OK, WARN, FAIL = "OK", "WARN", "FAIL"
USER = "tlsrpt"
MAKE_USER = ["useradd", "--system", "--user-group", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", USER]
KEY_NAME = "%s._domainkey.%s" % (installed.SELECTOR, certificates.MAIL_HOST)
DOMAIN = "good.test"  # to which a mail shows whether an event arrives
QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen"
USUAL_LENGTH = "512"
SENDING = ("smtp", "tlsproxy", "qmgr", "trivial-rewrite", "pickup", "cleanup")  # the processes that a mail passes
ETC = "/etc/postfix"
CHROOT_RESOLV = postfix.QUEUE + "/etc/resolv.conf"
MAIN_CF, MASTER_CF = ETC + "/main.cf", ETC + "/master.cf"


class Host:
    """A mail host whose state `tlsrpt check` looks at. The subclasses say which mail server it has."""

    options = []  # of `tlsrpt check`
    before_commands = ""

    def check(self, *options):
        """Runs `tlsrpt check`: the exit code and the findings."""
        run = subprocess.run(
            ["chroot", self.root, "/usr/bin/env", "-i", "PATH=" + roots.PATH, installed.COMMAND, "check", "--format", "json"]
            + (list(options) or self.options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if run.stderr:
            raise Problem("tlsrpt check prints on standard error: %s" % run.stderr.decode("utf-8", "replace"))
        return run.returncode, [json.loads(line) for line in run.stdout.decode().splitlines()]

    def shell(self, commands):
        """Runs commands as an administrator pastes them: as root, in bash."""
        return roots.run(self.root, ["bash", "-ec", self.before_commands + commands])

    def path(self, name):
        """A file of the mail host, as seen from here."""
        return self.root + name

    def read(self, name):
        with open(self.path(name)) as source:
            return source.read()

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as target:
            target.write(text)

    def collector(self, process_signal):
        """Sends a signal to the collector."""
        self.ours.collector.send_signal(process_signal)

    def end_collector(self, process_signal=signal.SIGTERM):
        """Ends the collector, with the file of its socket (SIGTERM) or without (SIGKILL)."""
        self.collector(signal.SIGCONT)
        self.collector(process_signal)
        self.ours.collector.wait(60)

    def start_collector(self):
        """Starts the collector anew."""
        folder = os.path.dirname(self.path(self.ours.socket))
        if os.path.lexists(self.path(self.ours.socket)):
            remove(self.path(self.ours.socket))
        os.makedirs(folder, exist_ok=True)
        self.own_folder(folder)
        self.ours.collect()

    def own_folder(self, folder):
        """The folder of the socket belongs to the collector, and is open to no other user's files."""
        roots.run(self.root, ["chown", USER + ":" + USER, folder[len(self.root):]])
        os.chmod(folder, 0o755)

    def configure(self, change):
        """Changes the text of tlsrpt.toml."""
        self.write(installed.CONFIGURATION, change(self.read(installed.CONFIGURATION)))


class PostfixHost(Host):
    """Debian's Postfix with LIBRARY (None: its own), and `tlsrpt collect` at its socket, as the user of the units."""

    options = ["--postfix"]
    # As if some seconds were between two commands: Postfix waits while main.cf is less than two seconds old.
    before_commands = 'postfix() { touch -d @0 %s; command postfix "$@"; }\n' % MAIN_CF

    def __init__(self, program, root, library, network_arguments, **settings):
        with open(QUEUE_LENGTH, "w") as length:
            length.write(USUAL_LENGTH)
        self.network = network.Network(**network_arguments)
        self.mta = postfix.Postfix(self.network, root, library, settings=dict(
            {"smtp_tls_policy_maps": "", "smtp_tlsrpt_socket_name": postfix.SOCKET}, **settings))
        self.root = self.mta.root
        roots.run(self.root, MAKE_USER)
        self.ours = installed.Installed(program, self.network, self.root, os.path.join(postfix.QUEUE, postfix.SOCKET), "postfix",
                                        'server = "smtp://localhost:25"', installed.RSA, site.SINK[1], user=USER)
        roots.run(self.root, ["sh", "-c", "chgrp %s %s && chmod 640 %s" % (USER, installed.KEY, installed.KEY)])
        self.network.served[KEY_NAME, "TXT"] = [self.ours.key_record()]
        self.ours.collect()
        self.mta.start()
        self.keep()

    def keep(self):
        """Takes the present state as that without a fault."""
        self.files = {name: self.read(name) for name in (
            MAIN_CF, MASTER_CF, "/etc/resolv.conf", CHROOT_RESOLV, installed.CONFIGURATION)}
        self.zone = dict(self.network.served)

    def postconf(self, *words):
        """Changes the configuration; the running processes learn of it with the next reload or start."""
        self.mta.run("postconf", *words)
        self.age()

    def age(self):
        """The programs of Postfix wait while main.cf is less than two seconds old."""
        os.utime(self.path(MAIN_CF), (0, 0))

    def reload(self):
        """Has each process of Postfix read the present configuration."""
        self.age()
        if not self.runs():
            self.mta.run("postfix", "start")
            return
        old = [process for process in processes() if name_of(process) in SENDING]
        self.mta.run("postfix", "reload")
        waiting.until("the processes of Postfix to end", lambda: not set(old).intersection(processes()))

    def runs(self):
        return subprocess.run(["chroot", self.root, "/usr/sbin/postfix", "status"], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def restore(self):
        """Takes back a fault of the configuration or of the socket."""
        for name, text in self.files.items():
            if not os.path.exists(self.path(name)) or self.read(name) != text:
                self.write(name, text)
        self.network.served.clear()
        self.network.served.update(self.zone)
        if not self.runs():
            self.age()
            self.mta.run("postfix", "start")
        if not self.listens():
            if self.ours.collector.poll() is None:
                self.end_collector()
            self.start_collector()

    def listens(self):
        """Whether the collector runs and its socket is as it was started."""
        try:
            found = os.lstat(self.path(self.ours.socket))
            folder = os.stat(os.path.dirname(self.path(self.ours.socket)))
        except FileNotFoundError:
            return False
        return (self.ours.collector.poll() is None and stat.S_ISSOCK(found.st_mode) and found.st_mode & 0o777 == 0o660
                and found.st_gid == self.mta.group() and folder.st_mode & 0o7777 == 0o755)

    def events_of_a_mail(self, domain=DOMAIN):
        """Sends a mail with the present configuration, and counts the events that Postfix passed to the library without an
        error."""
        self.reload()
        mark = self.mta.mark()
        self.mta.send([domains.BY_NAME[domain].recipient])
        waiting.until("an attempt to deliver", lambda: delivery.outcomes(self.mta.log(mark), domain))
        found = delivery.reported(self.mta.log(mark))
        self.mta.forget_mails()
        return found


def processes():
    """The numbers of all processes of this namespace."""
    return set(filter(str.isdigit, os.listdir("/proc")))


def name_of(process):
    """The name of a process; None if it has ended."""
    with contextlib.suppress(OSError), open("/proc/%s/stat" % process) as stat_line:
        name, _, rest = stat_line.read().partition("(")[2].rpartition(") ")
        return None if rest.startswith("Z") else name


def remove(path):
    """Removes a file or a folder."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def fill(path):
    """Sends to a socket until its queue is full. One sender may have less room than the queue."""
    with recorder.short(path) as name, contextlib.ExitStack() as senders:
        while True:
            sender = senders.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            sender.setblocking(False)
            sender.connect(name)
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    sender.send(b"{}")
                    sent += 1
            if not sent:
                return


def bind(path, kind, mode=0o666):
    """A socket at a path that may be too long for one."""
    bound = socket.socket(socket.AF_UNIX, kind)
    with recorder.short(path) as name:
        bound.bind(name)
    os.chmod(path, mode)
    return bound
