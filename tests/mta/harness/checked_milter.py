"""A host with Debian's Postfix whose report mails OpenDKIM signs, for `tlsrpt check`."""

import re
import subprocess

from harness import certificates, checked, checked_postfix, delivery, domains, installed, roots, sendmail, waiting

CONFIGURATION = "/etc/opendkim.conf"
SIGNING_TABLE, KEY_TABLE, KEY = "/etc/dkimkeys/signing", "/etc/dkimkeys/keys", "/etc/dkimkeys/mail.private"
ADDRESS = ("127.0.0.1", 8891)
MILTER = "inet:%s:%d" % ADDRESS
SELECTOR = "mail"
KEY_NAME = "%s._domainkey.%s" % (SELECTOR, certificates.MAIL_HOST)
BY_DOMAIN = "Socket inet:%d@%s\nUserID opendkim\nMode s\n" % (ADDRESS[1], ADDRESS[0])
TEXT = BY_DOMAIN + "Domain %s\nSelector %s\nKeyFile %s\n" % (certificates.MAIL_HOST, SELECTOR, KEY)
SIGNATURE = re.compile(r"^DKIM-Signature:.*?\bd=([\w.]+);", re.DOTALL | re.MULTILINE)


class MilterHost(checked_postfix.PostfixHost):
    """Its tlsrpt does not sign: Postfix passes all mails to OpenDKIM, those of its sendmail command too."""

    kept = checked_postfix.PostfixHost.kept + (CONFIGURATION, SIGNING_TABLE, KEY_TABLE)

    def __init__(self, program, root, library, network_arguments):
        super().__init__(program, root, library, network_arguments, smtpd_milters=MILTER, non_smtpd_milters=MILTER)
        self.without_signatures()
        roots.run(self.root, ["sh", "-euc", "cp %s %s && chown opendkim: %s" % (installed.KEY, KEY, KEY)])
        self.network.served[KEY_NAME, "TXT"] = self.network.served.pop((checked.KEY_NAME, "TXT"))
        self.write(CONFIGURATION, TEXT)
        self.milter = None
        self.start_milter()
        self.keep()

    def start_milter(self):
        """Starts OpenDKIM with the present configuration."""
        self.stop_milter()
        self.milter = subprocess.Popen(["chroot", self.root, "opendkim", "-f", "-x", CONFIGURATION], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL)
        waiting.until("OpenDKIM", lambda: sendmail.answers(ADDRESS))

    def stop_milter(self):
        if self.milter:
            self.milter.kill()  # it would wait for Postfix's processes
            self.milter.wait(60)

    def restore_server(self, changed):
        super().restore_server(changed)
        if changed:
            self.start_milter()

    def signer_of_a_mail(self, domain=checked.DOMAIN):
        """Sends a mail, and returns d= of its signature; None for a mail without one."""
        mark, before = self.mta.mark(), len(self.network.mails)
        self.mta.send([domains.BY_NAME[domain].recipient])
        waiting.until("an attempt to deliver", lambda: delivery.outcomes(self.mta.log(mark), domain))
        found = SIGNATURE.search(self.network.mails[before]["data"])
        return found and found.group(1)
