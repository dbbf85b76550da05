"""Faults of the signatures that Exim itself gives to report mails, for `tlsrpt check --exim`."""

import os

from harness import exim
from harness.certificates import MAIL_HOST
from harness.check_dkim_faults import KEY, RECORD, SIGNER, in_dns_at
from harness.check_faults import FOLLOW, PASTE, Fault
from harness.checked import FAIL, WARN
from harness.checked_exim_dkim import DOMAIN, FILE, FOLDER, KEY_NAME, SIGNS
from harness.checked_exim_dkim import KEY as KEY_FILE
from harness.scenario import Problem

OTHER = "other.test"
FROM_DOMAIN = "${lc:${domain:$h_from:}}"
# Exim opens no file whose name is made of a text of the mail, except what it finds in a folder.
OF_MAIL = "%s/%s.key" % (FOLDER, FROM_DOMAIN)
FOUND = "%s/${lookup{%s.key}dsearch{%s}}" % (FOLDER, FROM_DOMAIN, FOLDER)


def macros(change, signer):
    """Changes the macros; a mail then has the signature of the domain SIGNER."""
    def plant(host):
        host.edit(host.macros, change)
        signs(host, signer)
    return plant


def signs(host, signer):
    found = host.signer_of_a_mail()
    if found != signer:
        raise Problem("Exim signs with d=%s, not %s" % (found, signer))


def replaced(old, new, signer):
    return macros(lambda text: text.replace(old, new), signer)


def domain(text, signer=MAIL_HOST):
    """Another text of DKIM_DOMAIN."""
    return replaced(DOMAIN % MAIL_HOST, DOMAIN % text, signer)


def key(text, signer):
    """Another text of DKIM_PRIVATE_KEY."""
    return replaced(FILE % KEY_FILE, FILE % text, signer)


def file(change):
    """Changes the key file so that Exim does not sign any more."""
    def plant(host):
        change(host.path(KEY_FILE))
        signs(host, None)
    return plant


def closed(path):
    os.chmod(path, 0o600)


def closed_folder(path):
    os.chmod(os.path.dirname(path), 0o700)


def open_folder(host):
    os.chmod(host.path(FOLDER), 0o755)


def of_mail_by_domain(host):
    """The same name by $dkim_domain, whose text is one of the mail too."""
    domain(FROM_DOMAIN)(host)
    key(FOLDER + "/$dkim_domain.key", None)(host)


ALL = (
    Fault("Exim does not sign", replaced(SIGNS, "", None), {SIGNER: WARN}, "it has no dkim_domain", "[mail.dkim]", FOLLOW),
    Fault("Exim has no selector", replaced("DKIM_SELECTOR", "OTHER_SELECTOR", None), {SIGNER: WARN}, "it has no dkim_selector",
          "[mail.dkim]", FOLLOW),
    Fault("Exim signs with another d=", domain(OTHER, OTHER), {SIGNER: WARN}, "d=" + OTHER, "[mail.dkim]", FOLLOW),
    Fault("Exim cannot expand the domain", domain("${lookup{none}lsearch{/etc/aliases}{$value}fail}", None), {SIGNER: WARN},
          "cannot expand its dkim_domain", "[mail.dkim]", FOLLOW),
    Fault("the domain is empty for report mails", domain("${if eq{$sender_address_domain}{%s}{%s}}" % (OTHER, OTHER), None),
          {SIGNER: WARN}, "dkim_domain is empty", "[mail.dkim]", FOLLOW),
    Fault("the signature leaves out From", macros(lambda text: "DKIM_SIGN_HEADERS = Subject:Date\n" + text, MAIL_HOST),
          {SIGNER: WARN}, "dkim_sign_headers", "[mail.dkim]", FOLLOW),
    Fault("the name of the key file has a text of the mail", key(OF_MAIL, None), {SIGNER: WARN}, KEY_FILE, "[mail.dkim]", FOLLOW),
    Fault("the name of the key file has the domain of the mail", of_mail_by_domain, {SIGNER: WARN}, KEY_FILE, "[mail.dkim]", FOLLOW),
    Fault("Exim's user may not read the key", file(closed), {KEY: FAIL}, "Debian-exim, who signs for Exim, may not read", "chgrp",
          PASTE),
    Fault("Exim's user may not pass to the key", file(closed_folder), {KEY: FAIL}, "may not pass", "chmod o+x", PASTE, open_folder),
    Fault("the key is missing", file(os.unlink), {KEY: FAIL}, KEY_FILE, "openssl", FOLLOW),
    Fault("everybody may read the key", lambda host: os.chmod(host.path(KEY_FILE), 0o644), {KEY: WARN}, "everybody", "chmod 640",
          PASTE),
    Fault("the key is not in DNS", in_dns_at(KEY_NAME, lambda text: None), {RECORD: FAIL}, KEY_NAME, "v=DKIM1", FOLLOW),
    Fault("the key in DNS is for mail of users alone", in_dns_at(KEY_NAME, lambda text: text.replace("s=tlsrpt", "s=email")),
          {RECORD: FAIL}, KEY_NAME, "tlsrpt", FOLLOW),
    Fault("another key is in DNS", in_dns_at(KEY_NAME, lambda text: text[:-40] + "A" * 36 + "AQAB"), {RECORD: FAIL}, KEY_NAME,
          "v=DKIM1", FOLLOW),
    Fault("the key is not in DNS, and check is not told of Exim", in_dns_at(KEY_NAME, lambda text: None),
          {"permission": WARN, RECORD: FAIL}, options=["--socket", exim.SOCKET]),
)

# States in which report mails are signed: nothing may be found.
SOUND = (
    ("the domain of the envelope sender", domain("$sender_address_domain")),
    ("the domain of From", domain(FROM_DOMAIN)),
    ("a key that is found in a folder", key(FOUND, MAIL_HOST)),
    ("several domains", domain("%s : %s" % (MAIL_HOST, OTHER))),
    ("a domain that depends on the recipient", domain("${if eq{$domain}{%s}{%s}{%s}}" % (OTHER, OTHER, MAIL_HOST))),
)
