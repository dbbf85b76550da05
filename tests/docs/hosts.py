"""The machines of the documents: a booted Debian 13 for each, with the mail server that it is about, and the world around it."""

import contextlib
import dataclasses
import os
import re
import shlex
import shutil
import subprocess

import files
import output
from harness import certificates, command, domains, network, roots, service_manager, smtp_server, waiting

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME, DOMAIN = "mail.example.com", "example.com"
# The domain in the documents that mail is sent to. It publishes a record.
RECIPIENTS = "example.org"
ADDRESS = "192.0.2.25"  # Debian's Exim sends to no address of a private network
HOME, CHECKOUT = "/root", "/root/libtlsrpt"
COMMON = ["systemd", "systemd-sysv", "procps", "netbase", "openssl", "bind9-dnsutils", "curl"]
POSTFIX_SETTINGS = {
    "myhostname": NAME, "mydestination": "$myhostname, localhost, " + DOMAIN, "inet_interfaces": "loopback-only",
    "myorigin": DOMAIN, "smtp_bind_address6": network.CLIENT_IPV6}
# Debian's own defaults of a machine that sends to the internet, in the place of the questions of its packages.
EXIM_SETTINGS = {"dc_eximconfig_configtype": "internet", "dc_other_hostnames": DOMAIN, "dc_local_interfaces": "127.0.0.1"}
LONGEST = 240  # seconds that a block may take: systemd waits 90 for a Postfix that does not end, which happens on a busy machine
ENVIRONMENT = ["env", "-i", "PATH=" + roots.PATH, "HOME=" + HOME, "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]


def postfix_root():
    return roots.stable_with("docs-postfix", COMMON + ["gcc", "libc6-dev", "make", "pkg-config", "postfix-mta-sts-resolver", "python3", "sqlite3"])


def database_root():
    return roots.stable_with("docs-database", COMMON + ["postgresql"])


def exim_root():
    return roots.stable_with("docs-exim", COMMON + ["exim4-daemon-heavy"])


def sendmail_root():
    return roots.stable_with("docs-sendmail", COMMON + ["sendmail", "sendmail-bin", "sensible-mda", "m4"])


class World(network.Network):
    """The internet of the documents: example.org has a mail server and a TLSRPT record."""

    def __init__(self, certificate_folder, mountpoint):
        # As systemd sets it at the boot of a machine.
        with open("/proc/sys/net/unix/max_dgram_qlen", "w") as length:
            length.write("512")
        super().__init__(certificate_folder, mountpoint)
        subprocess.run(["ip", "address", "add", ADDRESS + "/32", "dev", "lo"], check=True)
        server = certificates.DOCUMENTED
        domain = dataclasses.replace(domains.BY_NAME["good.test"], name=RECIPIENTS)
        smtp_server.serve(ADDRESS, domain, self.server_context(server), self.mails, self.refused)
        self.served.update({
            (RECIPIENTS, "MX"): [(10, server)], (server, "A"): [ADDRESS],
            ("_smtp._tls." + RECIPIENTS, "TXT"): ["v=TLSRPTv1; rua=mailto:tls-reports@" + RECIPIENTS],
            (DOMAIN, "MX"): [(10, NAME)], (NAME, "A"): ["127.0.0.1"], ("db." + DOMAIN, "A"): ["127.0.0.1"]})

    def publish(self, text, printed):
        """Publishes records in the form of a zone file, each on a line. What "..." stands for is in the text PRINTED."""
        for line in text.splitlines():
            name, _, kind, *values = shlex.split(line)
            value = "".join(values)
            if output.ANY in value:
                found = re.search(r"\S+".join(map(re.escape, value.split(output.ANY))), printed)
                if not found:
                    raise ValueError("the command before prints no %s:\n%s" % (value, printed))
                value = found.group()
            self.served[name.rstrip(".").lower(), kind] = [value]


class Host:
    """The machine of a document, booted. PACKAGES is the folder with this project's packages; they are in root's home.
    REPLACED is the folder with Debian's package of the library; apt has it."""

    def __init__(self, world, lower, packages, replaced):
        self.world = world
        self.printed = ""  # by the last commands
        self.folder = HOME  # where the reader works
        folder = os.path.join(world.folder, "host")
        self.root = roots.overlay(lower, folder)
        shutil.copytree(packages, self.root + HOME, dirs_exist_ok=True)
        shutil.copytree(replaced, self.root + "/var/cache/apt/archives", dirs_exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.root + "/usr/sbin/policy-rc.d")
        self._write("/etc/resolv.conf", "nameserver %s\noptions trust-ad edns0\n" % network.RESOLVER)
        self._write("/etc/hosts", "127.0.0.1 localhost %s\n" % NAME)
        self._write("/etc/hostname", NAME + "\n")
        self._write("/etc/mailname", DOMAIN + "\n")
        self._configure()
        # Without this capability, systemd cannot take the network from a service, and starts it all the same.
        self.system = service_manager.System(self.root, folder, [
            "--resolv-conf=off", "--capability=CAP_NET_ADMIN", "--hostname=" + NAME])

    def _write(self, path, text):
        with open(self.root + path, "w") as target:
            target.write(text)

    def _configure(self):
        """What the installer of the mail server asks for."""
        if os.path.exists(self.root + "/usr/sbin/postconf"):
            roots.run(self.root, ["postconf", "-e"] + ["%s=%s" % pair for pair in POSTFIX_SETTINGS.items()])
        path = self.root + "/etc/mail/local-host-names"
        if os.path.exists(path):
            with open(path, "a") as target:
                target.write("%s\n%s\n" % (NAME, DOMAIN))
        path = self.root + "/etc/exim4/update-exim4.conf.conf"
        if os.path.exists(path):
            with open(path) as source:
                lines = [line for line in source if line.partition("=")[0] not in EXIM_SETTINGS]
            with open(path, "w") as target:
                target.writelines(lines + ["%s='%s'\n" % item for item in EXIM_SETTINGS.items()])

    def run(self, script, options="set -euo pipefail"):
        """Runs commands as root in a shell, as when they are pasted. (whether all succeeded, what was printed)"""
        done = subprocess.run(
            ["nsenter", "--target", str(self.system.first), "--all", "--"] + ENVIRONMENT
            + ["bash", "-c", "cd %s; %s\n%s" % (self.folder, options, script)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=LONGEST, check=False)
        self.printed = done.stdout.decode("utf-8", "replace")
        return done.returncode == 0, self.printed

    def succeed(self, script):
        """Runs commands and returns what they printed. Raises RuntimeError if one fails."""
        succeeded, printed = self.run(script)
        if not succeeded:
            raise RuntimeError("%s\nfails:\n%s" % (script, printed))
        return printed

    def journal(self):
        """The end of the journal, to describe an error."""
        return "journal:\n" + self.system.run("journalctl", "--no-pager", "--lines=25", check=False)

    def write(self, path, text, mode=0o644):
        """Writes a file of the running machine."""
        target = self.system.path(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(target, mode)

    def edit(self, path, block):
        """Writes the lines of a block into a file."""
        target = self.system.path(path)
        text = command.read(target) if os.path.exists(target) else ""
        mode = os.stat(target).st_mode & 0o7777 if text else 0o644
        self.write(path, files.merged(text, block), mode)

    def query(self, statements):
        """Runs statements of SQL as the superuser of the database, as `psql` would run them."""
        return self.run("runuser --user=postgres -- psql --no-psqlrc --set=ON_ERROR_STOP=1 <<'END'\n%sEND\n" % statements)


def look(seconds, condition):
    """Waits until CONDITION() is true; whether it is in the end."""
    with contextlib.suppress(waiting.Timeout):
        return waiting.until("it", condition, seconds)
    return False
