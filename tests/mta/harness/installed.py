"""This project's command, installed and configured in a mail host, with the collector at the mail host's socket."""

import json
import os
import shutil
import subprocess

from harness import certificates, command, reporter, roots, waiting

COMMAND = "/usr/bin/tlsrpt"
CONFIGURATION_FOLDER, STORE_FOLDER = "/etc/tlsrpt", "/var/lib/tlsrpt"
CONFIGURATION, AUTHORITY, KEY = (os.path.join(CONFIGURATION_FOLDER, name) for name in ("tlsrpt.toml", "ca.pem", "dkim.pem"))
DATABASE = os.path.join(STORE_FOLDER, "tlsrpt.db")
SENDER = "noreply-smtp-tls-reporting@" + certificates.MAIL_HOST
BOUNCES = "tlsrpt-bounces"
SELECTOR = "tlsrpt"
STORE = 'url = "sqlite:%s"' % DATABASE
MOST_DESTINATIONS = 100  # the record of long-record.test has more than the default
TEXT = """[collect]
socket = "{socket}"
socket-group = "{group}"
[store]
{store}
[report]
organization = "{organization}"
contact = "{contact}"
from = "{sender}"
max-destinations = {most}
[mail]
{route}
[mail.dkim]
domain = "{domain}"
selector = "{selector}"
key = "{key}"
[https]
allow = ["127.0.0.0/8"]
ports = [{port}]
ca = "{authority}"
"""
RSA, ED25519 = "rsa", "ed25519"
# The options of openssl genpkey, and the bytes of a public key that precede what a DKIM record of Ed25519 has (RFC 8463).
KEYS = {RSA: (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], 0), ED25519: (["-algorithm", "ED25519"], 12)}
SESSIONS = "SELECT coalesce(sum(succeeded + failed), 0) FROM sessions JOIN domain ON domain.id = domain WHERE name = ?"


class Installed:
    """`tlsrpt` in the root filesystem of a mail host. SOCKET is a path in there, ROUTE the line of [mail] that takes mails to
    the mail host, KIND that of the DKIM key. The services run as USER, which the root filesystem has, or as root. STORE has the lines
    of [store]."""

    def __init__(self, program, the_world, root, socket, group, route, kind, sink_port, user=None, store=STORE):
        self.root = root
        # The group is the one that systemd gives the socket to.
        self.as_user = ["setpriv", "--reuid", user, "--regid", user, "--groups", group] if user else []
        self.socket = socket
        shutil.copy(program, root + COMMAND)
        for folder in (CONFIGURATION_FOLDER, STORE_FOLDER, os.path.dirname(socket)):
            os.makedirs(root + folder, exist_ok=True)
        shutil.copyfile(the_world.certificate(certificates.AUTHORITY) + ".pem", root + AUTHORITY)
        options, self.before_key = KEYS[kind]
        roots.run(root, ["openssl", "genpkey", "-out", KEY] + options)
        self.kind = kind
        with open(root + CONFIGURATION, "w") as target:
            target.write(TEXT.format(
                socket=socket, group=group, store=store, organization=reporter.ORGANIZATION, contact=reporter.CONTACT,
                sender=SENDER, most=MOST_DESTINATIONS, route=route, domain=certificates.MAIL_HOST, selector=SELECTOR, key=KEY,
                port=sink_port, authority=AUTHORITY))
        if user:
            # As systemd makes them for the units.
            roots.run(root, ["install", "--directory", "--owner", user, "--group", user, "--mode", "0750", STORE_FOLDER])
            roots.run(root, ["chown", user, os.path.dirname(socket)])
        self.collector = None
        self.messages = root + "/var/log/tlsrpt.log"

    def key_record(self):
        """The DKIM record of the public key, for TLS reports only (RFC 8460 section 3)."""
        script = "openssl pkey -in %s -pubout -outform DER | tail -c +%d | base64 -w 0" % (KEY, self.before_key + 1)
        return "v=DKIM1; k=%s; s=tlsrpt; p=%s" % (self.kind, roots.run(self.root, ["sh", "-euc", script]))

    def collect(self):
        """Starts the collector at the mail host's socket."""
        with open(self.messages, "w") as messages:
            self.collector = subprocess.Popen(["chroot", self.root] + self.as_user + [COMMAND, "collect"], stderr=messages)
        command.until_listening("tlsrpt collect", self.collector, self.messages)
        return self

    def end(self):
        """Ends the collector."""
        self.collector.terminate()
        if self.collector.wait(60) != 0:
            raise RuntimeError("tlsrpt collect ended with %d:\n%s" % (self.collector.returncode, command.read(self.messages)))

    def deliver_today(self):
        """Makes and delivers the reports about today, with one attempt. Returns the output of the command."""
        return roots.run(self.root, self.as_user + [COMMAND, "deliver", "--once", "--day", "today"]).strip()

    def reports(self):
        """The reports as `tlsrpt reports` lists them."""
        return json.loads(roots.run(self.root, [COMMAND, "reports", "list", "--format", "json"]))["reports"]

    def suppressions(self):
        """The lines of `tlsrpt suppress list`."""
        return roots.run(self.root, [COMMAND, "suppress", "list"]).splitlines()

    def sessions(self, domain):
        """The sessions with a domain that are in the store, or none as long as the collector makes its tables."""
        rows = reporter.query(self.root + DATABASE, SESSIONS, [domain])
        return rows[0][0] if rows else 0

    def wait_for_sessions(self, wanted):
        """Waits until the store has the sessions {domain: number}."""
        try:
            waiting.until("the sessions to be stored", lambda: all(
                self.sessions(name) >= number for name, number in wanted.items()))
        except waiting.Timeout as timeout:
            raise RuntimeError("%s: wanted %s, found %s" % (timeout, wanted, {
                name: self.sessions(name) for name in wanted})) from None
