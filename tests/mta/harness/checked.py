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

from harness import certificates, installed, recorder, roots, service_manager, site, waiting
from harness.scenario import Problem

OK, WARN, FAIL = "OK", "WARN", "FAIL"
USER = "tlsrpt"
MAKE_USER = ["useradd", "--system", "--user-group", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", USER]
KEY_NAME = "%s._domainkey.%s" % (installed.SELECTOR, certificates.MAIL_HOST)
DOMAIN = "good.test"  # to which a mail shows whether an event arrives
QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen"
USUAL_LENGTH = "512"
RESOLV = "/etc/resolv.conf"
COLLECT = "tlsrpt-collect"
# No service manager runs in these root filesystems. What pasted commands ask of it is kept, and done when they have ended.
ASKED = "/run/asked-of-systemctl"
SYSTEMCTL = 'systemctl() { echo "$*" >>%s; }\n' % ASKED


class Host:
    """A mail host whose state `tlsrpt check` looks at. The subclasses say which mail server it has."""

    options = []  # of `tlsrpt check`
    before_commands = ""
    group = ""  # of the mail server's processes
    kept = ()  # the files and folders that a fault may change
    counting_disturbs = False  # whether events_of_a_mail ends what the next one needs, so that `restore` has to be called

    def set_up(self, program, socket_path, route):
        """Installs `tlsrpt` with the collector at a socket, and starts it as the user of the units."""
        with open(QUEUE_LENGTH, "w") as length:
            length.write(USUAL_LENGTH)
        roots.run(self.root, MAKE_USER)
        self.ours = installed.Installed(program, self.network, self.root, socket_path, self.group, route, installed.RSA,
                                        site.SINK[1], user=USER)
        roots.run(self.root, ["sh", "-c", "chown %s %s && chmod 400 %s" % (USER, installed.KEY, installed.KEY)])
        self.network.served[KEY_NAME, "TXT"] = [self.ours.key_record()]
        self.ours.collect()

    def keep(self):
        """Takes the present state as that without a fault."""
        self.files = self.present()
        self.zone = dict(self.network.served)

    def present(self):
        """The kept files as they are now: {path: (content, mode, owner, group)}."""
        found = {}
        for name in self.kept + (RESOLV, installed.CONFIGURATION, installed.KEY):
            for path in files_of(self.path(name)):
                with open(path, "rb") as source:
                    status = os.stat(path)
                    found[path] = source.read(), status.st_mode, status.st_uid, status.st_gid
        return found

    def usual(self, name):
        """The text of a kept file without a fault."""
        return self.files[self.path(name)][0].decode()

    def restore(self):
        """Takes back a fault of the configuration or of the socket."""
        self.collector(signal.SIGCONT)
        now = self.present()
        for path in set(now) - set(self.files):
            os.unlink(path)
        changed = [path for path, content in self.files.items() if now.get(path) != content]
        for path in changed:
            content, mode, owner, group = self.files[path]
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as target:
                target.write(content)
            os.chown(path, owner, group)
            os.chmod(path, mode)
        self.network.served.clear()
        self.network.served.update(self.zone)
        self.restore_server(bool(changed) or set(now) != set(self.files))
        if not self.listens():
            self.restart_collector()

    def restore_server(self, changed):
        """Starts the mail server if it does not run, after its files are as usual again. CHANGED: whether they were not."""
        raise NotImplementedError

    def starts_again(self):
        """Starts all again, as after a boot. Whether this host can."""
        return False

    def serve(self, verb, unit):
        """Does what the service manager does for a unit of the mail server."""
        raise Problem("no service manager: systemctl %s %s" % (verb, unit))

    def check(self, *options):
        """Runs `tlsrpt check`: the exit code and the findings."""
        code, printed = self.tlsrpt("check", "--format", "json", *(options or self.options))
        return code, [json.loads(line) for line in printed.splitlines()]

    def tlsrpt(self, *words):
        """Runs the command: the exit code and the output."""
        run = subprocess.run(["chroot", self.root, "/usr/bin/env", "-i", "PATH=" + roots.PATH, installed.COMMAND] + list(words),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if run.stderr:
            raise Problem("tlsrpt %s prints on standard error: %s" % (words[0], run.stderr.decode("utf-8", "replace")))
        return run.returncode, run.stdout.decode()

    def shell(self, commands):
        """Runs commands as an administrator pastes them: as root, in bash."""
        printed = roots.run(self.root, ["bash", "-ec", SYSTEMCTL + self.before_commands + commands])
        if os.path.exists(self.path(ASKED)):
            lines = self.read(ASKED).splitlines()
            os.unlink(self.path(ASKED))
            for line in lines:
                self.ask_of_service_manager([word for word in line.split() if not word.startswith("-")])
        return printed

    def ask_of_service_manager(self, words):
        """Does what systemctl is asked for with these WORDS."""
        for unit in words[1:]:
            if unit == COLLECT:
                self.restart_collector()
            else:
                self.serve(words[0], unit)

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

    def stop_collector(self):
        """Stops the collector, and waits until all its threads stand still: one that was waiting reads what comes before."""
        self.collector(signal.SIGSTOP)
        threads = "/proc/%d/task" % self.ours.collector.pid
        waiting.until("the collector to stand still", lambda: all(
            "State:\t" + service_manager.STOPPED in self.read("%s/%s/status" % (threads, thread)) for thread in os.listdir(threads)))

    def end_collector(self, process_signal=signal.SIGTERM):
        """Ends the collector, with the file of its socket (SIGTERM) or without (SIGKILL)."""
        self.collector(signal.SIGCONT)
        self.collector(process_signal)
        self.ours.collector.wait(60)

    def restart_collector(self):
        """Ends the collector if it runs, and starts it anew."""
        if self.ours.collector.poll() is None:
            self.end_collector()
        self.start_collector()

    def start_collector(self):
        """Starts the collector with a socket and a folder that are as usual."""
        folder = os.path.dirname(self.path(self.ours.socket))
        if os.path.lexists(self.path(self.ours.socket)):
            remove(self.path(self.ours.socket))
        os.makedirs(folder, exist_ok=True)
        self.own_folder(folder)
        self.ours.collect()

    def collect_at(self, path):
        """Configures the collector for another path, and starts it there."""
        self.configure(lambda text: text.replace('"%s"' % self.ours.socket, '"%s"' % path))
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        self.own_folder(os.path.dirname(self.path(path)))
        usual, self.ours.socket = self.ours.socket, path
        try:
            self.ours.collect()
        finally:
            self.ours.socket = usual

    def own_folder(self, folder):
        """The folder of the socket belongs to the collector, and is open to no other user's files."""
        roots.run(self.root, ["chown", USER + ":" + USER, folder[len(self.root):]])
        os.chmod(folder, 0o755)

    def without_signatures(self):
        """Takes [mail.dkim] out of tlsrpt.toml: tlsrpt signs no report mails."""
        self.configure(lambda text: text.partition("[mail.dkim]")[0] + "[https]" + text.partition("[https]")[2])

    def configure(self, change):
        """Changes the text of tlsrpt.toml."""
        self.write(installed.CONFIGURATION, change(self.read(installed.CONFIGURATION)))

    def listens(self):
        """Whether the collector runs and its socket is as it was started."""
        try:
            found = os.lstat(self.path(self.ours.socket))
            folder = os.stat(os.path.dirname(self.path(self.ours.socket)))
        except FileNotFoundError:
            return False
        return (self.ours.collector.poll() is None and stat.S_ISSOCK(found.st_mode) and found.st_mode & 0o777 == 0o660
                and found.st_gid == self.group_number() and folder.st_mode & 0o7777 == 0o755)

    def group_number(self):
        """The number of the group of the mail server's processes."""
        with open(self.path("/etc/group")) as groups:
            return next(int(line.split(":")[2]) for line in groups if line.startswith(self.group + ":"))


def files_of(path):
    """A file, or all files of a folder; without those that are symbolic links."""
    folders = os.walk(path) if os.path.isdir(path) else [("", [], [path])]
    names = [os.path.join(folder, name) for folder, _, names in folders for name in names]
    return [name for name in names if os.path.isfile(name) and not os.path.islink(name)]


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
