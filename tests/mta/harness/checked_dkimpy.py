"""A host with Debian's Postfix whose report mails dkimpy-milter signs, for `tlsrpt check`."""

from harness import certificates, checked_milter

CONFIGURATION = "/etc/dkimpy-milter/dkimpy-milter.conf"
ADDRESS = ("127.0.0.1", 8892)
WITHOUT_DOMAIN = "Socket inet:%d@%s\nUserID dkimpy-milter\nMode s\n" % (ADDRESS[1], ADDRESS[0])
TEXT = WITHOUT_DOMAIN + "Domain %s\nSelector %s\nKeyFile %s\n" % (
    certificates.MAIL_HOST, checked_milter.SELECTOR, checked_milter.KEY)


class DkimpyHost(checked_milter.MilterHost):
    """dkimpy-milter has the settings of OpenDKIM."""

    name, user = "dkimpy-milter", "dkimpy-milter"
    address, configuration, text, without_domain = ADDRESS, CONFIGURATION, TEXT, WITHOUT_DOMAIN
    command = ("dkimpy-milter", CONFIGURATION)
