"""Faults of the signatures that OpenDKIM gives to report mails, for `tlsrpt check --postfix`."""

from harness import certificates, checked_milter
from harness.check_dkim_faults import RECORD, SIGNER, in_dns_at
from harness.check_faults import Fault
from harness.check_postfix_faults import set_to
from harness.checked import FAIL, WARN
from harness.checked_milter import CONFIGURATION, KEY, KEY_NAME, KEY_TABLE, SELECTOR, SIGNING_TABLE
from harness.scenario import Problem

OTHER = "other.test"


def opendkim(change, signer):
    """Changes opendkim.conf; a mail then has the signature of the domain SIGNER."""
    def plant(host):
        host.write(CONFIGURATION, change(host.read(CONFIGURATION)))
        host.start_milter()
        found = host.signer_of_a_mail()
        if found != signer:
            raise Problem("OpenDKIM signs with d=%s, not %s" % (found, signer))
    return plant


def tables(domain):
    """Signs mails of the mail host's domain with d=DOMAIN, by tables."""
    def plant(host):
        host.write(SIGNING_TABLE, "*@%s key\n" % certificates.MAIL_HOST)
        host.write(KEY_TABLE, "key %s:%s:%s\n" % (domain, SELECTOR, KEY))
        text = checked_milter.BY_DOMAIN + "SigningTable refile:%s\nKeyTable %s\n" % (SIGNING_TABLE, KEY_TABLE)
        opendkim(lambda _: text, domain)(host)
    return plant


ALL = (
    Fault("OpenDKIM signs with another d=", tables(OTHER), {SIGNER: WARN}, "d=" + OTHER, "[mail.dkim]"),
    Fault("OpenDKIM signs mails of another domain alone",
          opendkim(lambda text: text.replace( "Domain " + certificates.MAIL_HOST, "Domain " + OTHER), None), {SIGNER: WARN},
          "signs no mails of " + certificates.MAIL_HOST, ""),
    Fault("OpenDKIM verifies alone", opendkim(lambda text: text.replace("Mode s", "Mode v"), None), {SIGNER: WARN},
          "signs no mails of " + certificates.MAIL_HOST, ""),
    Fault("OpenDKIM's key is not in DNS", in_dns_at(KEY_NAME, lambda text: None), {RECORD: FAIL}, KEY_NAME, "v=DKIM1"),
    Fault("OpenDKIM's key in DNS is for mail of users alone", in_dns_at(KEY_NAME, lambda text: text.replace("s=tlsrpt", "s=email")),
          {RECORD: FAIL}, KEY_NAME, "tlsrpt"),
    Fault("another key than OpenDKIM's is in DNS", in_dns_at(KEY_NAME, lambda text: text[:-40] + "A" * 36 + "AQAB"), {RECORD: FAIL},
          KEY_NAME, "v=DKIM1"),
    Fault("Postfix passes the report mails to no milter", set_to("smtpd_milters="), {SIGNER: WARN}, "no milter", "[mail.dkim]"),
)

# States in which report mails are signed: nothing may be found.
SOUND = (("OpenDKIM signs by tables", tables(certificates.MAIL_HOST)),)
