"""The recipients' domains of the fake network: DNS, mail server and policy of each, as data.

Add a domain by adding a line to DOMAINS; everything else (zone, servers, certificates, Postfix's policy table) follows.
"""

from dataclasses import dataclass

REPORTS_BY_MAIL = "mailto:reports@good.test"
REPORTS_BY_HTTPS = "https://reports.sts.test:8443/v1/tlsrpt"

# How the mail server answers STARTTLS.
OFFERED, MISSING, REJECTED, GARBAGE, DROPPED = "offered", "missing", "rejected", "garbage", "dropped"

# The certificate of the mail server.
TRUSTED, SELF_SIGNED, EXPIRED, WRONG_NAME = "trusted", "self-signed", "expired", "wrong name"

# The content of its TLSA record.
MATCHING, OTHER_CERTIFICATE, UNUSABLE = "matching", "other certificate", "unusable"

HOSTILE_EHLO = (
    b'X-"quoted" back\\slash /slash',
    b"X-TAB\tX",
    b"X-LATIN1 caf\xe9",
    "X-UTF8 h\u00e9llo \u20ac \U0001f600".encode(),
    b"X-CTRL \x01\x1b\x7f end",
)
LONG_EHLO = tuple(b"X-LONG-%03d %s" % (number, b"x" * 400) for number in range(60))


@dataclass(frozen=True)
class Domain:
    """One recipient domain with one mail server, mx.NAME."""

    name: str
    starttls: str = OFFERED
    certificate: str = TRUSTED
    policy: str = ""  # the domain's line in Postfix's policy table
    record: tuple = ("v=TLSRPTv1; rua=" + REPORTS_BY_MAIL,)  # TXT records at _smtp._tls
    tlsa: str = ""
    ehlo: tuple = ()  # more lines of the EHLO reply
    requiretls: bool = False  # offers REQUIRETLS once TLS is on
    # With TLS 1.2 the session exists when the handshake ends. A ticket of TLS 1.3 may arrive after the client has closed
    # the connection, and then the next handshake is not a reused one.
    tls13: bool = False
    ipv6: bool = False  # the server has an IPv6 address only

    @property
    def server(self):
        """The name of its mail server."""
        return "mx." + self.name

    @property
    def recipient(self):
        """The address that the scenarios send to."""
        return "user@" + self.name


def sts(name, *failures, patterns=(), mode="enforce"):
    """An entry of Postfix's policy table as an MTA-STS plugin answers it for the domain NAME."""
    patterns = ("mx." + name,) + tuple(patterns)
    strings = ["version: STSv1", "mode: " + mode] + ["mx: " + pattern for pattern in patterns] + ["max_age: 604800"]
    return " ".join(
        ["secure", "policy_type=sts", "policy_domain=" + name]
        + ["{ policy_string = %s }" % text for text in strings]
        + ["mx_host_pattern=" + pattern for pattern in patterns]
        + ["match=mx." + name, "servername=hostname"]
        + ["policy_failure=" + failure for failure in failures])


def without_policy(name, failure):
    """The same for a policy that was not obtained, without policy strings."""
    return "secure policy_type=sts policy_domain=%s policy_failure=%s match=mx.%s" % (name, failure, name)


def record(destinations):
    """The TXT record of a domain with these destinations for reports."""
    return ("v=TLSRPTv1; rua=" + destinations,)


DOMAINS = (
    # Opportunistic TLS
    Domain("good.test", tls13=True),
    Domain("self-signed.test", certificate=SELF_SIGNED),
    Domain("no-tls.test", starttls=MISSING),
    Domain("rejected.test", starttls=REJECTED),
    Domain("garbage.test", starttls=GARBAGE),
    Domain("no-record.test", record=()),
    # Mandatory TLS by local policy
    Domain("encrypt-no-tls.test", starttls=MISSING, policy="encrypt"),
    Domain("encrypt-rejected.test", starttls=REJECTED, policy="encrypt"),
    Domain("secure-self-signed.test", certificate=SELF_SIGNED, policy="secure"),
    # MTA-STS
    Domain("sts.test", tls13=True, policy=sts("sts.test"), record=record(REPORTS_BY_HTTPS)),
    Domain("sts-patterns.test", tls13=True, policy=sts("sts-patterns.test", patterns=["*.backup.sts-patterns.test"]),
           record=record(REPORTS_BY_MAIL + "," + REPORTS_BY_HTTPS)),
    Domain("sts-testing.test", policy=sts("sts-testing.test", mode="testing")),
    Domain("sts-fetch.test", policy=without_policy("sts-fetch.test", "sts-policy-fetch-error")),
    Domain("sts-invalid.test", policy=without_policy("sts-invalid.test", "sts-policy-invalid")),
    Domain("sts-webpki.test", policy=sts("sts-webpki.test", "sts-webpki-invalid")),
    Domain("sts-failures.test", certificate=SELF_SIGNED, policy=sts("sts-failures.test", "validation-failure")),
    Domain("sts-self-signed.test", certificate=SELF_SIGNED, policy=sts("sts-self-signed.test")),
    Domain("sts-expired.test", certificate=EXPIRED, policy=sts("sts-expired.test")),
    Domain("sts-wrong-name.test", certificate=WRONG_NAME, policy=sts("sts-wrong-name.test")),
    Domain("sts-no-tls.test", starttls=MISSING, policy=sts("sts-no-tls.test")),
    Domain("sts-rejected.test", starttls=REJECTED, policy=sts("sts-rejected.test")),
    Domain("sts-garbage.test", starttls=GARBAGE, policy=sts("sts-garbage.test")),
    Domain("sts-dropped.test", starttls=DROPPED, policy=sts("sts-dropped.test")),
    # DANE
    Domain("dane.test", tls13=True, certificate=SELF_SIGNED, policy="dane", tlsa=MATCHING),
    Domain("dane-other.test", certificate=SELF_SIGNED, policy="dane", tlsa=OTHER_CERTIFICATE),
    Domain("dane-unusable.test", certificate=SELF_SIGNED, policy="dane", tlsa=UNUSABLE),
    Domain("dane-no-tls.test", starttls=MISSING, policy="dane", tlsa=MATCHING),
    Domain("dane-only-none.test", policy="dane-only"),
    # Hostile or unusual text from the other side
    Domain("hostile-ehlo.test", starttls=MISSING, policy="encrypt", ehlo=HOSTILE_EHLO),
    Domain("long-ehlo.test", starttls=MISSING, policy="encrypt", ehlo=LONG_EHLO),
    Domain("hostile-record.test", record=record('mailto:a"b\\c/d\u00e9\x01\x7f@good.test')),
    Domain("long-record.test", tls13=True,
           record=record(",".join("mailto:reports%d@good.test" % n for n in range(30)))),
    Domain("two-records.test", record=record(REPORTS_BY_MAIL) + record(REPORTS_BY_HTTPS)),
    Domain("other-record.test", record=("v=spf1 -all",)),
    # IPv6
    Domain("ipv6.test", tls13=True, ipv6=True),
    Domain("ipv6-sts-self-signed.test", ipv6=True, certificate=SELF_SIGNED,
           policy=sts("ipv6-sts-self-signed.test")),
    Domain("ipv6-encrypt-no-tls.test", ipv6=True, starttls=MISSING, policy="encrypt"),
    # REQUIRETLS
    Domain("requiretls.test", tls13=True, requiretls=True, policy=sts("requiretls.test")),
)

BY_NAME = {domain.name: domain for domain in DOMAINS}
