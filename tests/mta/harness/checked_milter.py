"""A host with Debian's Postfix whose report mails a milter signs, for `tlsrpt check`: OpenDKIM, or one of the subclasses."""

import os
import signal
import subprocess

from harness import certificates, checked, checked_postfix, delivery, domains, installed, postfix, roots, sendmail, signatures, waiting

SELECTOR = "mail"
KEY_NAME = "%s._domainkey.%s" % (SELECTOR, certificates.MAIL_HOST)
CONFIGURATION = "/etc/opendkim.conf"
SIGNING_TABLE, KEY_TABLE, KEY = "/etc/dkimkeys/signing", "/etc/dkimkeys/keys", "/etc/dkimkeys/mail.private"
ADDRESS = ("127.0.0.1", 8891)
WITHOUT_DOMAIN = "Socket inet:%d@%s\nUserID opendkim\nMode s\n" % (ADDRESS[1], ADDRESS[0])
TEXT = WITHOUT_DOMAIN + "Domain %s\nSelector %s\nKeyFile %s\n" % (certificates.MAIL_HOST, SELECTOR, KEY)


class MilterHost(checked_postfix.PostfixHost):
    """Its tlsrpt does not sign: Postfix passes all mails to the milter, those of its sendmail command too."""

    name, user = "OpenDKIM", "opendkim"
    address, configuration, text, key = ADDRESS, CONFIGURATION, TEXT, KEY
    without_domain = WITHOUT_DOMAIN  # the configuration without what is signed
    tables = (SIGNING_TABLE, KEY_TABLE)
    command = ("opendkim", "-f", "-x", CONFIGURATION)

    def __init__(self, program, root, library, network_arguments):
        self.kept += (self.configuration, self.key) + self.tables
        milter = "inet:%s:%d" % self.address
        super().__init__(program, root, library, network_arguments, smtpd_milters=milter, non_smtpd_milters=milter)
        self.without_signatures()
        os.makedirs(self.path(os.path.dirname(self.key)), exist_ok=True)
        roots.run(self.root, ["sh", "-euc", "cp %s %s && chown %s: %s" % (installed.KEY, self.key, self.user, self.key)])
        self.network.served[KEY_NAME, "TXT"] = self.network.served.pop((checked.KEY_NAME, "TXT"))
        self.write(self.configuration, self.text)
        self.prepare()
        self.milter = self.started_with = None
        self.start_milter()
        self.keep()

    def prepare(self):
        """Writes what else the milter needs."""

    def start_milter(self):
        """Starts the milter with the present configuration."""
        self.stop_milter()
        self.started_with = self.of_milter()
        self.milter = subprocess.Popen(("chroot", self.root) + self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       start_new_session=True)
        waiting.until(self.name, lambda: sendmail.answers(self.address))

    def stop_milter(self):
        """Kills all its processes: they would wait for those of Postfix."""
        if self.milter:
            os.killpg(self.milter.pid, signal.SIGKILL)
            self.milter.wait(60)
            waiting.until("the port of %s to be free" % self.name, lambda: not sendmail.answers(self.address))

    def of_milter(self):
        """The present files of the milter, with their modes and owners."""
        paths = [self.path(name) for name in (self.configuration, self.key) + self.tables]
        return {path: kept for path, kept in self.present().items() if path in paths}

    def restore_server(self, changed):
        super().restore_server(changed)
        if self.started_with != self.of_milter():
            self.start_milter()

    def signer_of_a_mail(self, domain=checked.DOMAIN, sender=postfix.SENDER):
        """Sends a mail, and returns d= of its signature; None for a mail without one."""
        mark, before = self.mta.mark(), len(self.network.mails)
        self.mta.send([domains.BY_NAME[domain].recipient], sender=sender)
        waiting.until("an attempt to deliver", lambda: delivery.outcomes(self.mta.log(mark), domain))
        return signatures.signer(self.network.mails[before]["data"])
