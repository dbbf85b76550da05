"""MTA-STS: the policies of domains at HTTPS servers, and Debian's postfix-mta-sts-resolver, which Postfix asks."""

import http.server
import shutil
import ssl
import threading

from harness import certificates, domains, postfix, waiting
from whole import authority

PACKAGE = "postfix-mta-sts-resolver"
SERVER = "127.0.0.98"
PLUGIN = ("127.0.0.3", 8461)
CONFIGURATION = "/etc/mta-sts-daemon.yml"
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATE = "/tmp/policies"
TEXT = """host: %s
port: %d
cache:
  type: internal
  options:
    cache_size: 1000
default_zone:
  strict_testing: false
  timeout: 4
  tlsrpt: true
""" % PLUGIN
# How the policy table writes the lines of a policy; see domains.sts().
START, END = "{ policy_string = ", " }"


def policies():
    """The policies {domain: text} of the domains whose policies can be fetched. The others have a failure of the policy itself in the
    table, which this plugin does not report."""
    found = {}
    for domain in domains.DOMAINS:
        lines = [piece.partition(END)[0] for piece in domain.policy.split(START)[1:]]
        if lines and "policy_failure=" not in domain.policy:
            found[domain.name] = "".join(line + "\r\n" for line in lines)
    return found


def names():
    """The DNS records for them."""
    found = {}
    for name in policies():
        found["_mta-sts." + name, "TXT"] = ["v=STSv1; id=1;"]
        found["mta-sts." + name, "A"] = [SERVER]
    return found


def serve(root, the_network):
    """Serves the policies, with one certificate that is valid for all names, signed by the authority of the harness, which the
    plugin in the root filesystem then trusts."""
    served = policies()
    authority.sign(root, the_network, CERTIFICATE, ["mta-sts." + name for name in served])
    shutil.copyfile(the_network.certificate(certificates.AUTHORITY) + ".pem", root + TRUSTED)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            text = served.get(self.headers["Host"].partition(":")[0].replace("mta-sts.", "", 1), "").encode()
            found = text and self.path == "/.well-known/mta-sts.txt"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments):
            """Logs nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root + CERTIFICATE + ".pem", root + CERTIFICATE + ".key")
    server = http.server.ThreadingHTTPServer((SERVER, 443), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def install(host):
    """Has a Postfix ask the plugin about all domains that its table does not have. Its settings for that."""
    with open(host.root + CONFIGURATION, "w") as target:
        target.write(TEXT)
    by_plugin = policies()
    with open(host.root + postfix.POLICIES, "w") as target:
        target.write("".join("%s %s\n" % (domain.name, domain.policy) for domain in domains.DOMAINS
                             if domain.policy and domain.name not in by_plugin))
    return {"smtp_tls_policy_maps": "texthash:%s, socketmap:inet:%s:%d:postfix" % ((postfix.POLICIES,) + PLUGIN)}


def start(machine, root):
    """Starts the plugin, with the clock of the machine, and waits until it answers Postfix."""
    process = machine.start("mta-sts-daemon", root, ["mta-sts-daemon", "-c", CONFIGURATION])
    waiting.until("the MTA-STS plugin", lambda: process.poll() is not None or asks(machine, root))


def asks(machine, root):
    """Whether the plugin knows the policy of a domain."""
    answer = machine.run(root, ["postmap", "-q", "sts.test", "socketmap:inet:%s:%d:postfix" % PLUGIN], check=False)
    return "policy_type=sts" in answer
