"""A host with Debian's Exim that signs report mails by itself, for `tlsrpt check --exim`."""

import os

from harness import certificates, checked, checked_exim, installed, roots, signatures

FOLDER = "/etc/exim4/dkim"
KEY = "%s/%s.key" % (FOLDER, certificates.MAIL_HOST)
SELECTOR = "mail"
KEY_NAME = "%s._domainkey.%s" % (SELECTOR, certificates.MAIL_HOST)
# The macros of Debian's transports.
DOMAIN, FILE = "DKIM_DOMAIN = %s\n", "DKIM_PRIVATE_KEY = %s\n"
SIGNS = DOMAIN % certificates.MAIL_HOST + "DKIM_SELECTOR = %s\n" % SELECTOR + FILE % KEY


class SigningEximHost(checked_exim.EximHost):
    """Its tlsrpt does not sign. The transport remote_smtp does, with a key that Exim's user reads."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.without_signatures()
        os.mkdir(self.path(FOLDER))
        roots.run(self.root, ["sh", "-euc", "cp %s %s && chgrp %s %s && chmod 640 %s" % (
            installed.KEY, KEY, self.group, KEY, KEY)])
        self.network.served[KEY_NAME, "TXT"] = self.network.served.pop((checked.KEY_NAME, "TXT"))
        self.edit(self.macros, lambda text: SIGNS + text)
        self.keep()

    def signer_of_a_mail(self, domain=checked.DOMAIN):
        """Sends a mail, and returns d= of its signature; None for a mail without one."""
        before = len(self.network.mails)
        self.events_of_a_mail(domain)
        return signatures.signer(self.network.mails[before]["data"])
