"""MTA-STS: the policies of domains at HTTPS servers, and Debian's postfix-mta-sts-resolver, which Postfix asks."""

import shutil
import ssl

from harness import certificates, domains, mta_sts, network, postfix, waiting
from whole import authority

PACKAGE = mta_sts.UNIT
PLUGIN = (network.SECOND_CLIENT, mta_sts.PORT)
MAP = mta_sts.MAP_AT % PLUGIN
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
        found.update(mta_sts.records(name))
    return found


def serve(root, the_network):
    """Serves the policies, with one certificate that is valid for all names, signed by the authority of the harness, which the
    plugin in the root filesystem then trusts."""
    served = policies()
    authority.sign(root, the_network, CERTIFICATE, [mta_sts.POLICY_HOST + name for name in served])
    shutil.copyfile(the_network.certificate(certificates.AUTHORITY) + ".pem", root + TRUSTED)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root + CERTIFICATE + ".pem", root + CERTIFICATE + ".key")
    mta_sts.serve(context, served)


def install(host):
    """Has a Postfix ask the plugin about all domains that its table does not have. Its settings for that."""
    with open(host.root + mta_sts.CONFIGURATION, "w") as target:
        target.write(TEXT)
    by_plugin = policies()
    with open(host.root + postfix.POLICIES, "w") as target:
        target.write("".join("%s %s\n" % (domain.name, domain.policy) for domain in domains.DOMAINS
                             if domain.policy and domain.name not in by_plugin))
    return {"smtp_tls_policy_maps": "texthash:%s, %s" % (postfix.POLICIES, MAP)}


def start(machine, root):
    """Starts the plugin, with the clock of the machine, and waits until it answers Postfix."""
    process = machine.start(mta_sts.DAEMON, root, mta_sts.PROGRAM)
    waiting.until_ready(mta_sts.DAEMON, process, lambda: asks(machine, root), machine.output(mta_sts.DAEMON))


def asks(machine, root):
    """Whether the plugin knows the policy of a domain."""
    return mta_sts.ANSWER in machine.run(root, mta_sts.ASK + [MAP], check=False)
