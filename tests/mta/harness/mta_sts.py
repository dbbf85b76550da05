"""MTA-STS: the policy hosts of domains, and Debian's postfix-mta-sts-resolver, which looks policies up for Postfix."""

import http.server
import subprocess
import threading

from harness import roots, sendmail, waiting

DOMAIN = "sts.test"
POLICY_HOST = "mta-sts."  # before the name of a domain
DAEMON = "mta-sts-daemon"
POLICY_ADDRESS = "127.0.0.98"
POLICY_PATH = "/.well-known/mta-sts.txt"
RECORD = "v=STSv1; id=1;"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.%s\r\nmax_age: 604800\r\n"
CONFIGURATION = "/etc/mta-sts-daemon.yml"
PROGRAM = [DAEMON, "-c", CONFIGURATION]
PORT = 8461
ADDRESS = ("127.0.0.1", PORT)
MAP_AT = "socketmap:inet:%s:%d:postfix"  # how Postfix names the daemon
MAP = MAP_AT % ADDRESS
# How Postfix asks a map for the policy of the domain, and what the answer has.
ASK = ["postmap", "-q", DOMAIN]
ANSWER = "policy_type=sts"
AUTHORITY = "/etc/ssl/sts-authority.pem"
UNIT = "postfix-mta-sts-resolver"
TLSRPT_ON = "  tlsrpt: true\n"
TEXT = "cache:\n  type: internal\ndefault_zone:\n  timeout: 4\n" + TLSRPT_ON
# As the package installs it, with the cache in memory.
DEBIANS = "cache:\n  type: internal\n# default_zone:\n#   strict_testing: false\n#   timeout: 4\n"


class PolicyHost(http.server.BaseHTTPRequestHandler):
    """Answers with the policy of the domain whose policy host is asked."""

    def do_GET(self):
        host = self.headers["Host"].partition(":")[0]
        found = self.path == POLICY_PATH and host in self.server.policies
        body = self.server.policies[host].encode() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Prints nothing."""


def publish(the_network, domain=DOMAIN):
    """Publishes the policy of the domain in DNS and at its policy host."""
    the_network.served.update(records(domain))
    serve(the_network.server_context(POLICY_HOST + domain), {domain: POLICY % domain})


def records(domain):
    """The DNS records of a domain with a policy."""
    return {("_mta-sts." + domain, "TXT"): [RECORD], (POLICY_HOST + domain, "A"): [POLICY_ADDRESS]}


def serve(context, policies):
    """Serves POLICIES, {domain: text}, at their policy hosts, with the certificate of the TLS context."""
    server = http.server.ThreadingHTTPServer((POLICY_ADDRESS, 443), PolicyHost)
    server.policies = {POLICY_HOST + domain: text for domain, text in policies.items()}
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Resolver:
    """mta-sts-daemon in the root filesystem of a mail host."""

    def __init__(self, root):
        self.root = root
        self.process = None

    def start(self):
        """Starts it with the present configuration. It is the authority of the fake network that it trusts."""
        environment = {"PATH": roots.PATH, "SSL_CERT_FILE": AUTHORITY}
        with open(self.root + "/var/log/mta-sts.log", "w") as log:
            self.process = subprocess.Popen(["chroot", self.root] + PROGRAM, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        waiting.until(DAEMON, lambda: sendmail.answers(ADDRESS))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()  # it would wait for Postfix's connections
            self.process.wait(60)
