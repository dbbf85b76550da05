"""The receivers of reports: mailboxes and HTTPS servers, and the reports that they receive when `tlsrpt deliver` runs."""

import base64
import email
import os

from harness import certificates, domains, reports, site, waiting

MAILBOX_USER, MAILBOX_NUMBER = "reports", 1999
MAILBOX = "%s@%s" % (MAILBOX_USER, certificates.MAIL_HOST)
# The HTTPS server of this domain has a certificate of no trusted authority.
BAD_SINK = "self-signed.test"
BAD_SINK_HOST = domains.BY_NAME[BAD_SINK].server
BAD_SINK_URI = "https://%s:%d/v1/tlsrpt" % (BAD_SINK_HOST, site.SINK[1])


class Sinks:
    """Both HTTPS servers for reports."""

    def __init__(self, the_world):
        self.addresses = {certificates.REPORT_SINK: site.SINK[0], BAD_SINK_HOST: the_world.addresses[BAD_SINK]}
        self.sinks = {
            certificates.REPORT_SINK: reports.Sink(site.SINK, the_world.server_context(certificates.REPORT_SINK)),
            BAD_SINK_HOST: reports.Sink((self.addresses[BAD_SINK_HOST], site.SINK[1]), the_world.server_context(BAD_SINK_HOST))}

    def take(self):
        """The posts since the last call: [(URI, compressed report)]."""
        taken = []
        for host, sink in self.sinks.items():
            taken += [("https://%s:%d%s" % (host, site.SINK[1], path), body) for path, body in sink.posts]
            sink.posts.clear()
        return taken

    def curl(self):
        """The command with which tlsrpt-reporter posts to both."""
        resolve = " ".join("--resolve %s:%d:%s" % (host, site.SINK[1], address) for host, address in self.addresses.items())
        return "curl --silent --show-error --fail --insecure %s --header 'Content-Type: %s' --data-binary @-" % (
            resolve, reports.MEDIA_TYPE)


class Mailbox:
    """The mailbox on the mail host."""

    def __init__(self, host):
        folder = host.root + "/var/mail/" + MAILBOX_USER
        self.folder = os.path.join(folder, "new")
        with open(host.root + "/etc/passwd", "a") as users:
            users.write("%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (MAILBOX_USER, MAILBOX_NUMBER, MAILBOX_NUMBER))
        os.mkdir(folder)
        os.chown(folder, MAILBOX_NUMBER, MAILBOX_NUMBER)

    def count(self):
        return len(os.listdir(self.folder)) if os.path.exists(self.folder) else 0

    def take(self):
        """The mails since the last call: [(envelope sender, mail as bytes)]."""
        taken = []
        for name in sorted(os.listdir(self.folder) if self.count() else []):
            with open(os.path.join(self.folder, name), "rb") as mail:
                data = mail.read()
            taken.append((email.message_from_bytes(data)["Return-Path"], data))
            os.unlink(mail.name)
        return taken


def round_of_reports(ours, the_world, sinks, mailbox=None, settle=lambda: None):
    """Makes and delivers reports: {printed, mails [(envelope sender, mail)], posts [(URI, body)], made}. "made" has the new
    reports as `tlsrpt reports` lists them. SETTLE() waits until the mail host has no mail left."""
    before = {report["id"] for report in ours.reports()}
    the_world.mails.clear()
    printed = ours.deliver_today()
    made = [report for report in ours.reports() if report["id"] not in before]
    wanted = sum(to["destination"].startswith("mailto:") and to["state"] == "delivered"
                 for report in made for to in report["deliveries"])
    waiting.until("%d report mails" % wanted, lambda: arrived(the_world, mailbox) >= wanted)
    settle()
    mails = mailbox.take() if mailbox else []
    mails += [(mail["sender"], mail["data"].encode("latin-1")) for mail in the_world.mails]
    return {"printed": printed, "mails": mails, "posts": sinks.take(), "made": made}


def arrived(the_world, mailbox):
    return len(the_world.mails) + (mailbox.count() if mailbox else 0)


def as_text(value):
    """A value that JSON can hold: bytes as text in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: as_text(member) for name, member in value.items()}
    return [as_text(member) for member in value] if isinstance(value, (list, tuple)) else value
