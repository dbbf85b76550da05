"""`tlsrpt record DOMAIN --probe` connects to port 25 of mail servers, over IPv4 and IPv6: Debian's Postfix with a sound and with bad
certificates, and the servers of the fake network. It sends no mail."""

import json
import os
import shutil
import subprocess

from harness import certificates, command, network, postfix, reports, roots, site, waiting
from harness.scenario import CANDIDATE, Problem, Row, Scenario

OK, WARN = "OK", "WARN"
CHECK = "certificate"
POSTFIX = certificates.MAIL_HOST  # its domain and its only mail host
CONFIGURATION = """
[https]
ca = "{authority}"
ports = [{port}]
allow = ["127.0.0.0/8", "2001:db8::/32"]
"""

# What the probe says about the mail server of each domain: the status, and a part of the message.
FAKE = {
    "good.test": (OK, "has a valid certificate"),
    "self-signed.test": (WARN, "invalid peer certificate: UnknownIssuer"),
    "sts-expired.test": (WARN, "certificate expired"),
    "sts-wrong-name.test": (WARN, "certificate not valid for name"),
    "no-tls.test": (WARN, "does not offer STARTTLS"),
    "rejected.test": (WARN, "it replies 454 4.7.0 TLS not available"),
    "garbage.test": (WARN, "received corrupt message"),
    "sts-dropped.test": (WARN, "mx.sts-dropped.test (127.0.1."),
    "hostile-ehlo.test": (WARN, "does not offer STARTTLS"),
    "long-ehlo.test": (WARN, "its reply is too long"),
    "ipv6.test": (OK, "mx.ipv6.test ([2001:db8::1:"),
    "ipv6-sts-self-signed.test": (WARN, "]:25): invalid peer certificate: UnknownIssuer"),
    "ipv6-encrypt-no-tls.test": (WARN, "]:25) does not offer STARTTLS"),
    "sts.test": (OK, "reports.sts.test (127.0.0.99:8443) has a valid certificate"),
}
# States of Postfix's server: the address records of its name, the certificate, and what the probe says.
IPV4, IPV6 = {"A": ["127.0.0.1"]}, {"AAAA": [network.CLIENT_IPV6]}
REAL = [
    (IPV4, POSTFIX, (OK, "sender.test (127.0.0.1:25) has a valid certificate")),
    (IPV6, POSTFIX, (OK, "sender.test ([2001:db8::1]:25) has a valid certificate")),
    (IPV4, "mx.sts-expired.test", (WARN, "sender.test (127.0.0.1:25): invalid peer certificate: certificate expired")),
    (IPV6, "mx.self-signed.test", (WARN, "sender.test ([2001:db8::1]:25): invalid peer certificate: UnknownIssuer")),
    (IPV6, "mx.good.test", (WARN, 'certificate not valid for name "sender.test"')),
]


def record_of(name):
    """The record of a domain whose reports go to itself."""
    return ("v=TLSRPTv1; rua=mailto:tls@" + name,)


def observe(program, root, library, network_arguments):
    """In a namespace: {what was probed: [status, message] of the finding about the certificate}."""
    own = {name: record_of(name) for name in FAKE if name != "sts.test"}
    the_network = network.Network(records=own, **network_arguments)
    reports.Sink(site.SINK, the_network.server_context(certificates.REPORT_SINK))
    configuration = os.path.join(the_network.folder, "tlsrpt.toml")
    with open(configuration, "w") as target:
        target.write(CONFIGURATION.format(authority=the_network.certificate(certificates.AUTHORITY) + ".pem", port=site.SINK[1]))
    probe = [program, "record", "--probe", "--resolver", network.RESOLVER, "--format", "json", "--config", configuration]
    seen = {name: probed(probe, name) for name in FAKE}
    host = postfix.Postfix(the_network, root, library,
                           settings={"inet_interfaces": "127.0.0.1, [%s]" % network.CLIENT_IPV6, "smtpd_tls_loglevel": "1"})
    host.start()
    the_network.served["_smtp._tls." + POSTFIX, "TXT"] = list(record_of(POSTFIX))
    the_network.served[POSTFIX, "MX"] = [(10, POSTFIX)]
    for addresses, certificate, _ in REAL:
        for kind in ("A", "AAAA"):
            the_network.served[POSTFIX, kind] = addresses.get(kind, [])
        for suffix, target in ((".pem", postfix.CERTIFICATE), (".key", postfix.KEY)):
            shutil.copyfile(the_network.certificate(certificate) + suffix, host.root + target)
        host.stop()
        host.start()
        seen[state(addresses, certificate)] = probed(probe, POSTFIX)
    # Postfix saw the handshakes: those with a sound certificate succeeded.
    waiting.until("the handshakes in the log", lambda: sum("TLS connection established" in line for line in host.log(0)) >= 2)
    if the_network.mails:
        raise Problem("the probe sent %d mails" % len(the_network.mails))
    return seen


def probed(command_line, name):
    run = subprocess.run(command_line + [name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
    if run.returncode != 0 or run.stderr:
        raise Problem("%s: exit code %d: %r %r" % (name, run.returncode, run.stdout, run.stderr))
    found = [finding for finding in json.loads(run.stdout.decode())["findings"] if finding["check"] == CHECK]
    if len(found) != 1 or "(os error" in found[0]["message"]:
        raise Problem("%s: %s" % (name, found))
    return [found[0]["status"], found[0]["message"]]


def state(addresses, certificate):
    return "Postfix over %s with the certificate of %s" % ("IPv6" if "AAAA" in addresses else "IPv4", certificate)


def check_all(context):
    seen = context.call("scenarios.record_probe:observe", program=command.built(context.checkout),
                        root=roots.debian(roots.STABLE), library=context.libraries[CANDIDATE],
                        network_arguments=network.open_arguments())
    expected = dict(FAKE, **{state(addresses, certificate): wanted for addresses, certificate, wanted in REAL})
    wrong = ["%s: found %s, expected %s" % (name, seen.get(name), wanted) for name, wanted in expected.items()
             if name not in seen or seen[name][0] != wanted[0] or wanted[1] not in seen[name][1]]
    if wrong:
        raise Problem("\n".join(wrong))
    return Row("tlsrpt record --probe, at Debian 13's Postfix and the fake mail servers, over IPv4 and IPv6",
               "what it says about the certificates after STARTTLS at port 25 in %d states, sound and bad; no mail is sent" % len(expected))


SCENARIOS = [Scenario("record-probe", "tlsrpt record --probe at mail servers with sound and bad certificates", check_all)]
