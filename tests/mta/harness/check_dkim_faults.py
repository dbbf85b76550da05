"""Faults of the signatures of report mails, for `tlsrpt check`."""

import os

from harness import certificates, checked, installed
from harness.check_faults import FOLLOW, PASTE, Fault
from harness.checked import FAIL, WARN

RECORD, KEY, SIGNER = "dkim record", "dkim key", "dkim signer"


def in_dns(change):
    """Changes the record of tlsrpt's key."""
    return in_dns_at(checked.KEY_NAME, change)


def in_dns_at(name, change):
    """Changes the record of a key: a function of the text, whose result may be None for no record."""
    def plant(host):
        text = change(host.network.served[name, "TXT"][0])
        host.network.served[name, "TXT"] = [text] if text else []
    return plant


def key_mode(bits):
    return lambda host: os.chmod(host.path(installed.KEY), bits)


def no_signer(host):
    host.without_signatures()


def other_domain(host):
    host.configure(lambda text: text.replace('domain = "%s"' % certificates.MAIL_HOST, 'domain = "other.test"'))


ALL = (
    Fault("d= is not the domain of from", other_domain, {"configuration": FAIL}, "other.test", ""),
    Fault("the key is not in DNS", in_dns(lambda text: None), {RECORD: FAIL}, checked.KEY_NAME, "v=DKIM1", FOLLOW),
    Fault("the key in DNS is for mail of users alone", in_dns(lambda text: text.replace("s=tlsrpt", "s=email")), {RECORD: FAIL}, "",
          "tlsrpt", FOLLOW),
    Fault("another key is in DNS", in_dns(lambda text: text[:-40] + "A" * 36 + "AQAB"), {RECORD: FAIL}, checked.KEY_NAME,
          "v=DKIM1", FOLLOW),
    Fault("everybody may read the key", key_mode(0o644), {KEY: WARN}, "everybody", "chmod 400", PASTE),
    Fault("the reporter may not read the key", lambda host: os.chown(host.path(installed.KEY), 0, 0), {KEY: FAIL}, "may not read",
          "chmod 400", PASTE),
    Fault("nothing signs", no_signer, {SIGNER: WARN}, "tlsrpt does not sign", "[mail.dkim]", FOLLOW),
)
