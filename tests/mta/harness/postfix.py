"""A mail host: Postfix in its own root filesystem, sending to the fake network."""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import smtplib

from harness import certificates, domains, network, roots, waiting

HOSTNAME = certificates.MAIL_HOST
SENDER = "sender@" + HOSTNAME
QUEUE = "/var/spool/postfix"
SOCKET = "run/tlsrpt/tlsrpt.sock"  # below the queue folder, which the SMTP client is chrooted to
MAIL_LOG = "/var/log/postfix.log"
MAIN_CF = "/etc/postfix/main.cf"
POLICIES = "/etc/postfix/tls_policy"
AUTHORITY = "/etc/postfix/authority.pem"
KEY, CERTIFICATE = "/etc/postfix/key.pem", "/etc/postfix/certificate.pem"
TLSPROXY = "tlsproxy/unix=tlsproxy unix - - y - 0 tlsproxy"  # commented out in Debian's master.cf
LIBRARY = "libtlsrpt.so.0"

SETTINGS = {
    "myhostname": HOSTNAME,
    "mydomain": HOSTNAME,
    "myorigin": HOSTNAME,
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "all",
    "smtp_bind_address6": network.CLIENT_IPV6,
    "mydestination": HOSTNAME + ", localhost",
    "alias_maps": "",
    "maillog_file": MAIL_LOG,
    "smtpd_tls_security_level": "may",
    "smtpd_tls_chain_files": "%s, %s" % (KEY, CERTIFICATE),
    "smtp_tls_security_level": "may",
    "smtp_dns_support_level": "dnssec",
    "smtp_tls_CAfile": AUTHORITY,
    "smtp_tls_policy_maps": "texthash:" + POLICIES,
    "smtp_tls_loglevel": "1",
    "smtp_tlsrpt_enable": "yes",
    "smtp_tlsrpt_socket_name": SOCKET,
    # A failed delivery does not delay the next mail to that domain: each scenario needs its own attempt.
    "smtp_destination_concurrency_failed_cohort_limit": "0",
}

PREFIX = re.compile(r"^\S+ +\S+ +\S+ \S+ ")  # date, time and host of a log line
PROCESS_ID = re.compile(r"\[\d+\]")
QUEUE_ID = re.compile(r"^(postfix/\w+): [0-9A-Za-z]{6,}: ")


class Postfix:
    """A Postfix in its own overlay of a root filesystem, with the file LIBRARY in place of its libtlsrpt.so.0. Without LIBRARY it
    keeps its own."""

    def __init__(self, the_network, lower, library=None, name="mailhost", settings=None):
        self.folder = os.path.join(the_network.folder, name)
        self.root = roots.overlay(lower, self.folder)
        self.settings = dict(SETTINGS, **(settings or {}))
        self.library = library
        self.commands = "/usr/sbin/"
        if library:
            shutil.copyfile(library, self.installed_library())
        self.place_files(the_network)

    def place_files(self, the_network):
        """Writes the files that its configuration names."""
        self._write("/etc/resolv.conf", "nameserver %s\noptions trust-ad\n" % network.RESOLVER)
        self._write("/etc/hosts", "127.0.0.1 localhost %s\n" % HOSTNAME)
        self._write(POLICIES, "".join("%s %s\n" % (domain.name, domain.policy)
                                      for domain in domains.DOMAINS if domain.policy))
        for source, target in ((certificates.AUTHORITY + ".pem", AUTHORITY), (HOSTNAME + ".pem", CERTIFICATE),
                               (HOSTNAME + ".key", KEY)):
            shutil.copyfile(the_network.certificate(source), self.root + target)
        self.socket = os.path.join(self.root + QUEUE, SOCKET)
        os.makedirs(os.path.dirname(self.socket), mode=0o755, exist_ok=True)

    def _write(self, path, text):
        with open(self.root + path, "w") as target:
            target.write(text)

    def group(self):
        """The number of the group that its SMTP client runs as."""
        with open(self.root + "/etc/passwd") as users:
            return next(int(line.split(":")[3]) for line in users if line.startswith("postfix:"))

    def chrooted(self):
        """Whether its SMTP client runs in a chroot, which is the queue folder."""
        return self.run("postconf", "-F", "-h", "smtp/unix/chroot").strip() == "y"

    def installed_library(self):
        """The file in the root filesystem that libtlsrpt.so.0 links to."""
        return find_library(self.root)

    def run(self, *command, **options):
        """Runs one of Postfix's commands."""
        return roots.run(self.root, [self.commands + command[0]] + list(command[1:]), **options)

    def start(self, **settings):
        """Starts it with changed settings. (After a reload, processes with the old settings may still send mails.)"""
        self.settings.update(settings)
        self.run("postconf", "-e", *["%s=%s" % pair for pair in self.settings.items()])
        self.run("postconf", "-M", TLSPROXY)
        # The programs of Postfix wait while main.cf is less than two seconds old.
        os.utime(self.root + MAIN_CF, (0, 0))
        self._command("start")
        return self

    def stop(self):
        self._command("stop")

    def _command(self, word):
        try:
            self.run("postfix", word)
        except RuntimeError as failure:
            raise RuntimeError("%s\n%s" % (failure, "\n".join(self.log(0)[-20:]))) from None

    def mark(self):
        """The size of the mail log now, in bytes."""
        path = self.root + MAIL_LOG
        return os.path.getsize(path) if os.path.exists(path) else 0

    def log(self, mark):
        """The lines of the mail log since a mark."""
        if not os.path.exists(self.root + MAIL_LOG):
            return []
        with open(self.root + MAIL_LOG, "rb") as log:
            log.seek(mark)
            return log.read().decode("utf-8", "backslashreplace").split("\n")[:-1]

    def submit(self, recipients, mail_options):
        """Submits one mail by SMTP over TLS, with options of the MAIL command."""
        with smtplib.SMTP("127.0.0.1", 25, timeout=60) as client:
            client.starttls()
            client.ehlo()
            client.sendmail(SENDER, recipients, "Subject: a test\r\n\r\nhello\r\n", mail_options=mail_options)

    def send(self, recipients, header="", options=(), sender=SENDER):
        """Submits one mail with Postfix's sendmail command."""
        mail = "Subject: a test\nFrom: %s\nTo: undisclosed:;\n%s\nhello\n" % (sender, header)
        self.run("sendmail", *options, "-f", sender, *recipients, input=mail.encode())

    def forget_mails(self):
        """Deletes the deferred mails from the queue."""
        self.run("postsuper", "-d", "ALL")

    def wait_until_idle(self):
        """Waits until the queue is empty: every mail is delivered or returned."""
        waiting.until("an empty queue", lambda: "queue is empty" in self.run("postqueue", "-p"))

    def require_library(self, *programs, path=None):
        """Raises RuntimeError unless the running Postfix programs have loaded the library under test."""
        installed = path or self.installed_library()
        if self.library and digest(installed) != digest(self.library):
            raise RuntimeError("%s is not the library that is tested" % installed)
        loaded = programs_with(installed[len(self.root):])
        if not loaded.issuperset(programs):
            raise RuntimeError("only %s have loaded %s" % (sorted(loaded), installed))


def find_library(root):
    """The file behind libtlsrpt.so.0 in a root filesystem."""
    found, = glob.glob(root + "/usr/lib/*/" + LIBRARY)
    return os.path.realpath(found)


def programs_with(path):
    """The names of the running programs that have a file mapped, by its path inside their root filesystem."""
    names = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open("/proc/%s/maps" % process) as maps:
            if any(line.rstrip().endswith(path) for line in maps):
                with open("/proc/%s/comm" % process) as command:
                    names.add(command.read().strip())
    return names


def without_process(line):
    """A log line without time, process numbers and queue ids, which differ between runs."""
    return QUEUE_ID.sub(r"\1: ", PROCESS_ID.sub("", PREFIX.sub("", line)))


def digest(path):
    """The checksum of a library file."""
    with open(path, "rb") as library:
        return hashlib.sha256(library.read()).hexdigest()
