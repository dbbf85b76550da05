"""Faults of the signatures that OpenDKIM gives to report mails, for `tlsrpt check --postfix`, and what those of other milters share
with them."""

import os

from harness import certificates
from harness.check_dkim_faults import RECORD, SIGNER, in_dns_at
from harness.check_faults import FOLLOW, Fault
from harness.check_postfix_faults import set_to
from harness.checked import FAIL, WARN
from harness.checked_milter import KEY, KEY_NAME, KEY_TABLE, SELECTOR, SIGNING_TABLE
from harness.scenario import Problem

OTHER = "other.test"
SIGNS_NONE = "signs no mails of " + certificates.MAIL_HOST


def configured(change, signer):
    """Changes the configuration of the milter; a mail then has the signature of the domain SIGNER."""
    def plant(host):
        host.write(host.configuration, change(host.read(host.configuration)))
        host.start_milter()
        signs(host, signer)
    return plant


def signs(host, signer, **mail):
    """Requires that a mail has the signature of a domain."""
    found = host.signer_of_a_mail(**mail)
    if found != signer:
        raise Problem("%s signs with d=%s, not %s" % (host.name, found, signer))


def tables(domain):
    """Signs mails of the mail host's domain with d=DOMAIN, by tables."""
    def plant(host):
        host.write(SIGNING_TABLE, "*@%s key\n" % certificates.MAIL_HOST)
        host.write(KEY_TABLE, "key %s:%s:%s\n" % (domain, SELECTOR, KEY))
        text = host.without_domain + "SigningTable refile:%s\nKeyTable %s\n" % (SIGNING_TABLE, KEY_TABLE)
        configured(lambda _: text, domain)(host)
    return plant


def root_key(host):
    """The milter reads the key before it becomes another user."""
    os.chown(host.path(host.key), 0, 0)
    host.start_milter()
    signs(host, certificates.MAIL_HOST)


def of_any(name):
    """The faults of DNS and of Postfix, whichever milter signs."""
    return (
        Fault(name + "'s key is not in DNS", in_dns_at(KEY_NAME, lambda text: None), {RECORD: FAIL}, KEY_NAME, "v=DKIM1", FOLLOW),
        Fault(name + "'s key in DNS is for mail of users alone", in_dns_at(KEY_NAME, lambda text: text.replace("s=tlsrpt", "s=email")),
              {RECORD: FAIL}, KEY_NAME, "tlsrpt", FOLLOW),
        Fault("another key than %s's is in DNS" % name, in_dns_at(KEY_NAME, lambda text: text[:-40] + "A" * 36 + "AQAB"),
              {RECORD: FAIL}, KEY_NAME, "v=DKIM1", FOLLOW),
        Fault("Postfix passes the report mails to no milter", set_to("smtpd_milters="), {SIGNER: WARN}, "no milter", "[mail.dkim]",
              FOLLOW),
    )


def of_settings(name):
    """The faults of the settings that OpenDKIM has."""
    return (
        Fault(name + " signs with another d=", tables(OTHER), {SIGNER: WARN}, "d=" + OTHER, "[mail.dkim]", FOLLOW),
        Fault(name + " signs mails of another domain alone",
              configured(lambda text: text.replace("Domain " + certificates.MAIL_HOST, "Domain " + OTHER), None), {SIGNER: WARN},
              SIGNS_NONE, "", FOLLOW),
        Fault(name + " verifies alone", configured(lambda text: text.replace("Mode s", "Mode v"), None), {SIGNER: WARN}, SIGNS_NONE,
              "", FOLLOW),
    )


ALL = of_settings("OpenDKIM") + of_any("OpenDKIM")

# States in which report mails are signed: nothing may be found.
SOUND = (
    ("by tables", tables(certificates.MAIL_HOST)),
    ("a list of domains", configured(lambda text: text.replace("Domain ", "Domain %s," % OTHER), certificates.MAIL_HOST)),
    ("a key that root alone reads", root_key),
)
