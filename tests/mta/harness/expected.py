"""The expected outcome of one mail to each domain from Exim and from Sendmail, and the expected event, also from Postfix.

Exim (exim.py) requires TLS and valid certificates of the domains of which Postfix's policy table requires them. It has no
MTA-STS policies. Sendmail requires DANE alone here; its other requirements are in the scenario `sendmail-access`.
"""

TLS, CLEAR, DEFERRED, FAILED = "sent with TLS", "sent in the clear", "deferred", "failed"

NONE = ""
OPPORTUNISTIC, DANE = "no-policy-found success", "tlsa success"
NO_STARTTLS, DANE_NO_STARTTLS = "no-policy-found starttls-not-supported", "tlsa starttls-not-supported"
NOT_TRUSTED, DANE_NOT_TRUSTED = "no-policy-found certificate-not-trusted", "tlsa certificate-not-trusted"
EXPIRED, WRONG_NAME = "no-policy-found certificate-expired", "no-policy-found certificate-host-mismatch"
BROKEN = "no-policy-found validation-failure"
DANE_REQUIRED = "tlsa dane-required"

# domain: (outcome with Exim, its event, outcome with Sendmail, its event)
TABLE = {
    "good.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "self-signed.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "no-tls.test": (CLEAR, NONE, CLEAR, NONE),
    "rejected.test": (CLEAR, NONE, CLEAR, NO_STARTTLS),
    "garbage.test": (CLEAR, BROKEN, DEFERRED, BROKEN),
    "no-record.test": (TLS, NONE, TLS, NONE),
    "encrypt-no-tls.test": (DEFERRED, NO_STARTTLS, CLEAR, NONE),
    "encrypt-rejected.test": (DEFERRED, NO_STARTTLS, CLEAR, NO_STARTTLS),
    # Exim verifies the certificate of this one, but delivers in the clear when that fails.
    "secure-self-signed.test": (CLEAR, NOT_TRUSTED, TLS, OPPORTUNISTIC),
    "sts.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "sts-patterns.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "sts-testing.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "sts-fetch.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "sts-invalid.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "sts-webpki.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "sts-failures.test": (DEFERRED, NOT_TRUSTED, TLS, OPPORTUNISTIC),
    "sts-self-signed.test": (DEFERRED, NOT_TRUSTED, TLS, OPPORTUNISTIC),
    "sts-expired.test": (DEFERRED, EXPIRED, TLS, OPPORTUNISTIC),
    "sts-wrong-name.test": (DEFERRED, WRONG_NAME, TLS, OPPORTUNISTIC),
    "sts-no-tls.test": (DEFERRED, NO_STARTTLS, CLEAR, NONE),
    "sts-rejected.test": (DEFERRED, NO_STARTTLS, CLEAR, NO_STARTTLS),
    "sts-garbage.test": (DEFERRED, BROKEN, DEFERRED, BROKEN),
    "sts-dropped.test": (DEFERRED, BROKEN, DEFERRED, BROKEN),
    "dane.test": (TLS, DANE, TLS, DANE),
    "dane-other.test": (DEFERRED, DANE_NOT_TRUSTED, DEFERRED, DANE_NOT_TRUSTED),
    # Both deliver without DANE if no TLSA record is usable.
    "dane-unusable.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "dane-no-tls.test": (DEFERRED, DANE_NO_STARTTLS, DEFERRED, DANE_NO_STARTTLS),
    "dane-only-none.test": (FAILED, DANE_REQUIRED, TLS, OPPORTUNISTIC),
    "hostile-ehlo.test": (DEFERRED, NO_STARTTLS, CLEAR, NONE),
    # Exim rejects a greeting of this length before TLS begins.
    "long-ehlo.test": (DEFERRED, NONE, CLEAR, NONE),
    "hostile-record.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "long-record.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "two-records.test": (TLS, NONE, TLS, NONE),
    "other-record.test": (TLS, NONE, TLS, NONE),
    "ipv6.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
    "ipv6-sts-self-signed.test": (DEFERRED, NOT_TRUSTED, TLS, OPPORTUNISTIC),
    "ipv6-encrypt-no-tls.test": (DEFERRED, NO_STARTTLS, CLEAR, NONE),
    "requiretls.test": (TLS, OPPORTUNISTIC, TLS, OPPORTUNISTIC),
}

EXIM = {name: row[:2] for name, row in TABLE.items()}
SENDMAIL = {name: row[2:] for name, row in TABLE.items()}

STS, STS_BROKEN, STS_NO_STARTTLS = "sts success", "sts validation-failure", "sts starttls-not-supported"

# The event of a mail from Postfix, with the policy table of domains.py.
POSTFIX = {
    "good.test": OPPORTUNISTIC,
    "self-signed.test": OPPORTUNISTIC,
    "no-tls.test": NONE,
    "rejected.test": NONE,
    "garbage.test": BROKEN,
    "no-record.test": NONE,
    "encrypt-no-tls.test": NO_STARTTLS,
    "encrypt-rejected.test": NO_STARTTLS,
    # A certificate that signs itself is no certificate-not-trusted here.
    "secure-self-signed.test": BROKEN,
    "sts.test": STS,
    "sts-patterns.test": STS,
    "sts-testing.test": STS,
    "sts-fetch.test": "sts sts-policy-fetch-error",
    "sts-invalid.test": "sts sts-policy-invalid",
    "sts-webpki.test": "sts sts-webpki-invalid",
    "sts-failures.test": STS_BROKEN,
    "sts-self-signed.test": STS_BROKEN,
    "sts-expired.test": "sts certificate-expired",
    "sts-wrong-name.test": "sts certificate-host-mismatch",
    "sts-no-tls.test": STS_NO_STARTTLS,
    "sts-rejected.test": STS_NO_STARTTLS,
    "sts-garbage.test": STS_BROKEN,
    "sts-dropped.test": STS_BROKEN,
    "dane.test": DANE,
    "dane-other.test": DANE_NOT_TRUSTED,
    "dane-unusable.test": "tlsa tlsa-invalid",
    "dane-no-tls.test": DANE_NO_STARTTLS,
    # Without a TLSA record, Postfix defers the mail before it connects, and reports nothing.
    "dane-only-none.test": NONE,
    "hostile-ehlo.test": NO_STARTTLS,
    "long-ehlo.test": NO_STARTTLS,
    "hostile-record.test": OPPORTUNISTIC,
    "long-record.test": OPPORTUNISTIC,
    "two-records.test": NONE,
    "other-record.test": NONE,
    "ipv6.test": OPPORTUNISTIC,
    "ipv6-sts-self-signed.test": STS_BROKEN,
    "ipv6-encrypt-no-tls.test": NO_STARTTLS,
    "requiretls.test": STS,
}
# With postfix-mta-sts-resolver for the policies that can be fetched. It answers nothing about a policy in mode testing.
POSTFIX_WITH_PLUGIN = dict(POSTFIX, **{"sts-testing.test": OPPORTUNISTIC})


def count(table):
    """The number of events in a table."""
    return sum(event != NONE for _, event in table.values())


# With Sendmail's access map as in sendmail.py.
SENDMAIL_ACCESS = {
    "good.test": (TLS, OPPORTUNISTIC),
    "self-signed.test": (TLS, OPPORTUNISTIC),
    "encrypt-no-tls.test": (DEFERRED, NO_STARTTLS),
    "encrypt-rejected.test": (FAILED, NO_STARTTLS),
    "secure-self-signed.test": (DEFERRED, BROKEN),
    "sts-expired.test": (DEFERRED, BROKEN),
    "sts-no-tls.test": (DEFERRED, NO_STARTTLS),
}
