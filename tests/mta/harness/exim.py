"""A mail host: Exim in its own root filesystem, sending to the fake network and reporting through the module."""

import os
import shutil

from harness import certificates, network, recorder, roots, waiting

PACKAGES = ["exim4-daemon-heavy"]
PROGRAM = "/usr/sbin/exim4"
CONFIGURATION = "/etc/exim4/exim4.conf"
AUTHORITY = "/etc/exim4/authority.pem"
LOG_FOLDER = "/var/log/exim4/"
SOCKET = "/run/tlsrpt/tlsrpt.sock"
MODULE = "/usr/lib/exim4/tlsrpt-exim.so"
SNIPPET = "/usr/share/tlsrpt-exim/tlsrpt.conf"
SENTINEL = b'{"d":"sentinel"}'

# The lines of docs/exim.md for the transport; no lines, for an Exim that does not report.
REPORTING = ".ifdef TLSRPT_EVENT\n  event_action = TLSRPT_EVENT\n  multi_domain = false\n.endif"
SILENT = ""

# The part of Postfix's policy table that Exim has settings for.
VERIFY = "sts.*|secure.*|ipv6-sts.*"
REQUIRE_TLS = "sts.*|ipv6-sts.*|encrypt.*|ipv6-encrypt.*|hostile-ehlo|long-ehlo"
REQUIRE_DANE = "dane-only-none"

CONFIG = """
primary_hostname = {hostname}
exim_path = {program}
keep_environment =
local_interfaces = 127.0.0.1
log_file_path = {log}%slog
log_selector = +pid
{before}
.include_if_exists {snippet}
begin routers
shared:
  driver = manualroute
  domains = {shared}
  transport = remote
  route_list = * mx.good.test byname
dns:
  driver = dnslookup
  transport = remote
  dnssec_request_domains = *
  self = send
begin transports
remote:
  driver = smtp
{reporting}
  hosts_try_dane = *
  hosts_require_dane = {require_dane}
  dnssec_request_domains = *
  tls_verify_certificates = {authority}
  tls_verify_hosts = {verify}
  tls_try_verify_hosts = *
  hosts_require_tls = {require_tls}
begin retry
* * F,1d,5m
"""


class Exim:
    """An Exim in its own overlay of a root filesystem, with what `make install-exim` installed in the folder INSTALLED."""

    KNOWS_GREETING = True

    def __init__(self, the_network, lower, installed, name="exim", before="", reporting=REPORTING, shared=()):
        self.network = the_network
        self.root = roots.overlay(lower, os.path.join(the_network.folder, name))
        shutil.copytree(installed + "/usr", self.root + "/usr", symlinks=True, dirs_exist_ok=True)
        self.write("/etc/resolv.conf", "nameserver %s\noptions trust-ad edns0\n" % network.RESOLVER)
        self.write("/etc/hosts", "127.0.0.1 localhost %s\n" % certificates.MAIL_HOST)
        shutil.copyfile(the_network.certificate(certificates.AUTHORITY) + ".pem", self.root + AUTHORITY)
        self.configure(before, reporting, shared)
        self.socket = self.root + SOCKET
        os.makedirs(os.path.dirname(self.socket), mode=0o755)
        self.recording = None

    def write(self, path, text):
        with open(self.root + path, "w") as target:
            target.write(text)

    def configure(self, before, reporting, shared):
        """Writes the configuration; BEFORE comes before the snippet is included, SHARED domains have one mail server."""
        def hosts(pattern):
            return "${if match{$host}{^mx\\\\.(%s)\\\\.test\\$}{*}}" % pattern
        self.write(CONFIGURATION, CONFIG.format(
            hostname=certificates.MAIL_HOST, program=PROGRAM, log=LOG_FOLDER, snippet=SNIPPET, before=before,
            reporting=reporting, shared=" : ".join(shared), authority=AUTHORITY, verify=hosts(VERIFY), require_tls=hosts(REQUIRE_TLS),
            require_dane=hosts(REQUIRE_DANE)))

    def record(self):
        """Starts a recorder at the collector's socket."""
        self.recording = recorder.Recorder(self.socket).start()
        return self

    def send(self, *domains, options=("-odi",)):
        """Sends a mail to a user in each of the domains, and returns what Exim printed."""
        return roots.run(self.root, [PROGRAM] + list(options) + ["-f", "sender@" + certificates.MAIL_HOST]
                         + ["user@" + domain for domain in domains], check=False, input=b"Subject: a test\n\nhello\n")

    def run_queue(self):
        """Tries to deliver all queued mails now."""
        return roots.run(self.root, [PROGRAM, "-qff"])

    def waiting(self, domain):
        """Whether a mail to a domain is in the queue."""
        return "user@%s\n" % domain in roots.run(self.root, [PROGRAM, "-bp"])

    def wait_for_events(self, _first=0, _names=()):
        """Waits until the recorder has received all events: Exim sends before it ends, and a socket keeps the order."""
        with recorder.short(self.socket) as name:
            self.recording.socket.sendto(SENTINEL, name)
        waiting.until("the sentinel", lambda: SENTINEL in self.recording.datagrams)
        self.recording.datagrams.remove(SENTINEL)

    def log(self, kind="main"):
        """The lines of one of Exim's logs."""
        path = self.root + LOG_FOLDER + kind + "log"
        if not os.path.exists(path):
            return []
        with open(path, errors="replace") as log:
            return log.read().split("\n")[:-1]

    def stop(self):
        """Does nothing: Exim has processes only during a delivery."""

    def sending_ip(self, domain):
        """The address that Exim sends from. On one machine, a connection to an IPv6 address comes from the same address."""
        return self.network.addresses[domain.name] if domain.ipv6 else "127.0.0.1"
