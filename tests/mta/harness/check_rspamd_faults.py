"""Faults of the signatures that Rspamd gives to report mails, for `tlsrpt check --postfix`."""

import os

from harness.certificates import MAIL_HOST
from harness.check_dkim_faults import KEY, RECORD, SIGNER
from harness.check_faults import FOLLOW, PASTE, Fault
from harness.check_milter_faults import OTHER, SIGNS_NONE, configured, of_any, signs
from harness.checked import FAIL, WARN
from harness.checked_milter import SELECTOR
from harness.checked_rspamd import KEY as KEY_FILE
from harness.checked_rspamd import KEYS, OVERRIDE, SECTION

BELOW = "mail." + MAIL_HOST


def added(line, signer):
    """A line more in dkim_signing.conf."""
    return configured(lambda text: text + line, signer)


def instead(text, signer):
    """Another dkim_signing.conf."""
    return configured(lambda _: text, signer)


def overridden(text, signer):
    """A text in override.d, which counts more than what is in local.d."""
    def plant(host):
        host.write(OVERRIDE, text)
        host.start_milter()
        signs(host, signer)
    return plant


def file(change):
    """Changes the key file so that Rspamd, started anew, does not sign any more."""
    def plant(host):
        change(host.path(KEY_FILE))
        host.start_milter()
        signs(host, None)
    return plant


def from_below(host):
    """Reports come from a domain below the registered one, with which Rspamd signs if it is not told otherwise."""
    host.configure(lambda text: text.replace("@" + MAIL_HOST, "@" + BELOW))
    signs(host, MAIL_HOST, sender="sender@" + BELOW)


def closed(path):
    os.chown(path, 0, 0)
    os.chmod(path, 0o600)


SECTIONS = 'domain {\n  %s {\n    selectors [\n      { path = "%s"; selector = "%s"; }\n    ]\n  }\n}\n' % (
    MAIL_HOST, KEY_FILE, SELECTOR)
ALL = (
    Fault("Rspamd signs with the registered domain alone", from_below, {SIGNER: WARN}, "their From domain is " + BELOW, "[mail.dkim]",
          FOLLOW),
    Fault("Rspamd signs with another d=", added('use_domain = "%s";\npath = "%s";\n' % (OTHER, KEY_FILE), OTHER), {SIGNER: WARN},
          "d=" + OTHER, "[mail.dkim]", FOLLOW),
    Fault("Rspamd's module is off", added("enabled = false;\n", None), {SIGNER: WARN}, SIGNS_NONE, "[mail.dkim]", FOLLOW),
    Fault("Rspamd's module is off in override.d", overridden("enabled = false;\n", None), {SIGNER: WARN}, SIGNS_NONE, "[mail.dkim]",
          FOLLOW),
    Fault("Rspamd does not sign mails from its host", added("sign_local = false;\n", None), {SIGNER: WARN}, "sign_local",
          "[mail.dkim]", FOLLOW),
    Fault("Rspamd signs mails of another domain alone", configured(lambda text: text.replace(MAIL_HOST + " {", OTHER + " {"), None),
          {SIGNER: WARN}, SIGNS_NONE, "[mail.dkim]", FOLLOW),
    Fault("Rspamd has no section for other domains", instead("try_fallback = false;\n", None), {SIGNER: WARN}, "try_fallback",
          "[mail.dkim]", FOLLOW),
    Fault("Rspamd has another selector", configured(lambda text: text.replace('"%s"' % SELECTOR, '"old"'), MAIL_HOST), {RECORD: FAIL},
          "old._domainkey", "v=DKIM1", FOLLOW),
    Fault("Rspamd may not read the key", file(closed), {KEY: FAIL}, "_rspamd, who signs for Rspamd, may not read", "chgrp", PASTE),
    Fault("Rspamd's key is missing", file(os.unlink), {KEY: FAIL}, KEY_FILE, "openssl", FOLLOW),
    Fault("everybody may read Rspamd's key", lambda host: os.chmod(host.path(KEY_FILE), 0o644), {KEY: WARN}, "everybody", "chmod 640",
          PASTE),
) + of_any("Rspamd")

# States in which report mails are signed: nothing may be found.
SOUND = (
    ("a list of selectors", instead(SECTIONS, MAIL_HOST)),
    ("a selector and a path for all domains", instead('selector = "%s";\npath = "%s/${domain}.$selector.key";\n' % (SELECTOR, KEYS),
                                                      MAIL_HOST)),
    ("a key at the usual path", instead('selector = "%s"\n' % SELECTOR, MAIL_HOST)),
    ("settings in override.d alone", overridden(SECTION % (MAIL_HOST, KEY_FILE, SELECTOR), MAIL_HOST)),
)
