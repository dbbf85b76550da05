"""A mail host: Sendmail in its own root filesystem, sending to the fake network and reporting through the socket map."""

import contextlib
import os
import shutil
import socket
import subprocess

from harness import certificates, events, network, recorder, roots, waiting

PACKAGES = ["sendmail-bin", "sensible-mda", "m4"]
PROGRAM = "/usr/libexec/sendmail/sendmail"
CONFIGURATION = "/etc/mail/sendmail.cf"
AUTHORITY = "/etc/mail/authority.pem"
ACCESS = "/etc/mail/access"
QUEUE = "/var/spool/mqueue"
SOCKET = "/run/tlsrpt/tlsrpt.sock"
MAP = "/run/tlsrpt-sendmail/map.sock"
DAEMON = ("127.0.0.1", 2525)
COMMAND = "/usr/bin/tlsrpt"
RULES = "/usr/share/tlsrpt/sendmail/tlsrpt.m4"
# Starts the server with a socket, in the way of systemd.
ACTIVATED = 'LISTEN_FDS=1 LISTEN_PID=$$ exec %s sendmail-map --socket "$0"' % COMMAND

WITHOUT_RULES, WITH_RULES = "", "include(`%s')dnl" % RULES
# On a machine with a high load Sendmail would queue mail, and refuse connections. With the files of the host status, one of many
# processes that deliver to one host at the same time now and then defers its mail before it connects.
CONFIG = """include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confDOMAIN_NAME', `{hostname}')dnl
define(`confCACERT', `{authority}')dnl
define(`confCACERT_PATH', `/etc/mail/tls')dnl
define(`confDANE', `true')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile,GroupWritableDirPathSafe')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
FEATURE(`nocanonify')dnl
{access}
MAILER(`smtp')dnl
{rules}
"""
ACCESS_FEATURE = "FEATURE(`access_db', `text -T<TMPF> -k0 -v1 %s')dnl" % ACCESS
# Demands of the access map: for a host and for the hosts of a domain, with and without the kind of the refusal.
DEMANDS = """TLS_Srv:mx.encrypt-no-tls.test ENCR:112
TLS_Srv:encrypt-rejected.test PERM+ENCR:112
TLS_Srv:secure-self-signed.test VERIFY:256
TLS_Srv:mx.sts-expired.test TEMP+VERIFY
TLS_Srv:mx.sts-no-tls.test VERIFY
"""


class Sendmail:
    """A Sendmail in its own overlay of a root filesystem, with the files of a package from the folders INSTALLED."""

    KNOWS_GREETING = False

    def __init__(self, the_network, lower, installed, name="sendmail", rules=WITH_RULES, access="",
                 map_path=MAP):
        self.network = the_network
        self.map_path = map_path
        self.root = roots.overlay(lower, os.path.join(the_network.folder, name))
        for folder in installed:
            shutil.copytree(folder + "/usr", self.root + "/usr", symlinks=True, dirs_exist_ok=True)
        self.write("/etc/resolv.conf", "nameserver %s\noptions trust-ad\n" % network.RESOLVER)
        self.write("/etc/hosts", "127.0.0.1 %s localhost\n" % certificates.MAIL_HOST)
        shutil.copyfile(the_network.certificate(certificates.AUTHORITY) + ".pem", self.root + AUTHORITY)
        self.write(ACCESS, access)
        self.write("/etc/mail/sendmail.mc", CONFIG.format(
            hostname=certificates.MAIL_HOST, authority=AUTHORITY, rules=rules, access=ACCESS_FEATURE if access else ""))
        roots.run(self.root, ["sh", "-euc", "m4 /etc/mail/sendmail.mc >%s; mkdir -p %s; "
                              "chown root:root %s; chmod 700 %s" % (CONFIGURATION, QUEUE, QUEUE, QUEUE)])
        self.socket = self.root + SOCKET
        for path in (SOCKET, map_path):
            os.makedirs(os.path.dirname(self.root + path), mode=0o755)
        self.recording = None
        self.server = None

    def write(self, path, text):
        with open(self.root + path, "w") as target:
            target.write(text)

    def record(self):
        """Starts a recorder at the collector's socket."""
        self.recording = recorder.Recorder(self.socket).start()
        return self

    def listen(self):
        """Listens on the map's socket, as systemd does for the server."""
        listener = socket.socket(socket.AF_UNIX)
        with recorder.short(self.root + MAP) as name:
            listener.bind(name)
        os.chmod(self.root + MAP, 0o600)
        listener.listen()
        return listener

    def serve(self, listener=None, collector=SOCKET, as_user=()):
        """Starts the map server. It creates the socket itself, or gets LISTENER passed and then sends to the socket COLLECTOR.
        AS_USER: a command that becomes another user."""
        before = len(self.log())
        with open(self.root + "/var/log/map.log", "a") as log:
            if listener:
                command = ["chroot", self.root] + list(as_user) + ["sh", "-euc", ACTIVATED, collector]
                self.server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               preexec_fn=lambda: os.dup2(listener.fileno(), 3), pass_fds=[3])
            else:
                self.server = subprocess.Popen(["chroot", self.root, COMMAND, "sendmail-map", "--listen",
                                                "unix:" + self.map_path],
                                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                listening = "tlsrpt: listening at " + self.map_path
                waiting.until("the map server", lambda: listening in self.log()[before:])
        return self

    def send(self, domain):
        """Sends a mail to a user in a domain, and returns what Sendmail printed."""
        return roots.run(self.root, [PROGRAM, "-Am", "-odi", "-oem", "-f", "sender@" + certificates.MAIL_HOST,
                                     "user@" + domain], check=False, input=b"Subject: a test\n\nhello\n")

    def waiting(self, domain):
        """Whether a mail to a domain is in the queue."""
        return "user@%s\n" % domain in roots.run(self.root, [PROGRAM, "-Am", "-bp"])

    def log(self):
        """The lines that the map server printed."""
        path = self.root + "/var/log/map.log"
        if not os.path.exists(path):
            return []
        with open(path) as log:
            return log.read().split("\n")[:-1]

    def set_up(self, commands):
        """Runs commands of the documentation, as root with the shell that an administrator has."""
        return roots.run(self.root, ["bash", "-c", commands])

    def queue(self, domain):
        """Queues a mail to a user in a domain."""
        roots.run(self.root, [PROGRAM, "-Am", "-odq", "-f", "sender@" + certificates.MAIL_HOST, "user@" + domain],
                  input=b"Subject: a test\n\nhello\n")

    def run_queue(self):
        """One process delivers all that is queued."""
        return roots.run(self.root, [PROGRAM, "-Am", "-q"], check=False)

    @contextlib.contextmanager
    def daemon(self):
        """A running daemon; gives the address at which it takes mail."""
        options = "-ODaemonPortOptions=Addr=%s,Port=%d" % DAEMON
        with subprocess.Popen(["chroot", self.root, PROGRAM, "-Am", "-bD", options], stdin=subprocess.DEVNULL) as daemon:
            try:
                waiting.until("the daemon", lambda: answers(DAEMON))
                yield DAEMON
            finally:
                daemon.terminate()

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(60)

    def sending_ip(self, domain):
        """The address that Sendmail sends from. On one machine, a connection to an IPv6 address comes from the same address."""
        return self.network.addresses[domain.name] if domain.ipv6 else "127.0.0.1"


def answers(address):
    """Whether a server takes connections."""
    with socket.socket() as client:
        return client.connect_ex(address) == 0


class WaitingFor:
    """A host with a number of events to wait for."""

    def __init__(self, host, wanted):
        self.host, self.wanted = host, wanted

    def __getattr__(self, name):
        return getattr(self.host, name)

    def wait_for_events(self, first, names):
        """Waits for all events, and for the event of one more mail. An unexpected event would arrive before it."""
        recording = self.host.recording
        waiting.until("%d events" % self.wanted, lambda: len(recording.datagrams) - first >= self.wanted)
        self.host.send(names[0])
        waiting.until("one event more", lambda: len(recording.datagrams) - first > self.wanted)
        again = next(datagram for datagram in reversed(recording.datagrams)
                     if events.domain_of(datagram.decode()) == names[0])
        recording.datagrams.remove(again)
