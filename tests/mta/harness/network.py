"""The fake network of one namespace: its addresses, its DNS and the mail servers of all domains."""

import hashlib
import os
import ssl
import subprocess

from harness import cache, certificates, dns, domains, smtp_server

RESOLVER = "127.0.0.1"
SECOND_RESOLVER = "127.0.0.54"
PLAIN_RESOLVER = "127.0.0.53"  # does not validate with DNSSEC
SILENT_RESOLVER = "127.0.0.55"  # for tests that take its port and answer nothing
CLIENT_IPV6 = "2001:db8::1"
SECOND_CLIENT = "127.0.0.3"  # of a second mail host; Postfix listens only at addresses that were added
REPORT_SINK = "127.0.0.99"
IPV4, IPV6 = "127.0.1.%d", "2001:db8::1:%x"
CERTIFICATE_USAGE_DANE_EE, SELECTOR_CERTIFICATE, MATCHING_SHA256, MATCHING_UNKNOWN = 3, 0, 1, 9


class Network:
    """All hosts other than the mail host. They end with the namespace. RECORDS {domain: TLSRPT record} replace those in
    domains.py."""

    def __init__(self, certificate_folder, mountpoint, records=None):
        self.certificates = certificate_folder
        self.mails = []
        self.refused = set()  # the addresses that the mail servers refuse
        self.records = records or {}
        self.folder = mountpoint
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.folder], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.addresses = {domain.name: (IPV6 if domain.ipv6 else IPV4) % (number + 2)
                          for number, domain in enumerate(domains.DOMAINS)}
        subprocess.run(["ip", "address", "add", SECOND_CLIENT + "/32", "dev", "lo"], check=True)
        for address in [CLIENT_IPV6] + [known for known in self.addresses.values() if ":" in known]:
            subprocess.run(["ip", "address", "add", address + "/128", "dev", "lo", "nodad"], check=True)
        for domain in domains.DOMAINS:
            context = self.server_context(domain.server)
            if not domain.tls13:
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            smtp_server.serve(self.addresses[domain.name], domain, context, self.mails, self.refused)
        self.silent, self.asked = set(), []  # see dns.serve
        self.served = self.zone()
        self.serve_names()

    def serve_names(self):
        """Serves the zone. A change of it is in force at once."""
        dns.serve(RESOLVER, self.served, self.silent, self.asked)
        dns.serve(SECOND_RESOLVER, self.served, set(), [])
        dns.serve(PLAIN_RESOLVER, self.served, set(), [], validates=False)

    def certificate(self, name):
        """The path of a certificate, without the suffix."""
        return os.path.join(self.certificates, name)

    def server_context(self, name):
        """The context of a TLS server with the certificate NAME."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate(name) + ".pem", self.certificate(name) + ".key")
        return context

    def zone(self):
        """All DNS records. The empty answer to the query for the root's NS satisfies Postfix's probe for DNSSEC."""
        zone = {("", "NS"): [], (certificates.REPORT_SINK, "A"): [REPORT_SINK]}
        for domain in domains.DOMAINS:
            zone[domain.name, "MX"] = [(10, domain.server)]
            zone[domain.server, "AAAA" if domain.ipv6 else "A"] = [self.addresses[domain.name]]
            zone["_smtp._tls." + domain.name, "TXT"] = list(self.records.get(domain.name, domain.record))
            if domain.tlsa:
                zone["_25._tcp." + domain.server, "TLSA"] = [self.tlsa(domain)]
        return zone

    def tlsa(self, domain):
        """The TLSA record of a domain's mail server."""
        with open(self.certificate(domain.server) + ".pem") as pem:
            digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read())).hexdigest()
        if domain.tlsa == domains.OTHER_CERTIFICATE:
            digest = "00" * 32
        matching = MATCHING_UNKNOWN if domain.tlsa == domains.UNUSABLE else MATCHING_SHA256
        return (CERTIFICATE_USAGE_DANE_EE, SELECTOR_CERTIFICATE, matching, digest)


def mountpoint():
    """The folder where a namespace mounts its tmpfs; outside of the namespace it is empty."""
    path = os.path.join(cache.folder(), "mountpoint")
    os.makedirs(path, exist_ok=True)
    return path


def open_arguments():
    """The arguments of a Network. They are determined outside of the namespace."""
    return {"certificate_folder": certificates.folder(), "mountpoint": mountpoint()}
