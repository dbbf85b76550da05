"""Checks report mails against RFC 8460 section 5.3, and the day and the sender in a report."""

import email
import email.policy
import re

from harness import certificates, installed, reporter, reports

SUBMITTER = certificates.MAIL_HOST
ONCE = {
    "From": re.escape(installed.SENDER), "To": r"\S+@\S+", "Date": r".+ \+0000", "Message-ID": r"<\S+@%s>" % re.escape(SUBMITTER),
    "MIME-Version": r"1\.0", "Auto-Submitted": "auto-generated", "TLS-Required": "No", "TLS-Report-Domain": r"\S+",
    "TLS-Report-Submitter": re.escape(SUBMITTER), "Subject": r"Report Domain: \S+ Submitter: \S+ Report-ID: <\S+@\S+>",
    "DKIM-Signature": r".*\bd=%s;.*" % re.escape(SUBMITTER)}
LENGTH_TAG = re.compile(r"(^|;)\s*l\s*=")  # of a DKIM signature; RFC 8460 section 3 forbids it
ENVELOPE_SENDER = re.compile(r"<(%s\+[^@<>]+@%s)>" % (installed.BOUNCES, re.escape(SUBMITTER)))
DAY = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00Z (\d{4}-\d\d-\d\d)T23:59:59Z")
FILE_NAME = r"%s!%s!\d+!\d+(![A-Za-z0-9]+)?\.json\.gz"


def read(data):
    """(recipient, report, compressed report) of a report mail in bytes. Raises reports.Invalid unless it is valid."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    for name, wanted in ONCE.items():
        values = [" ".join(str(value).split()) for value in message.get_all(name, [])]
        if len(values) != 1 or not re.fullmatch(wanted, values[0]):
            raise reports.Invalid("%s: %s" % (name, values))
    if LENGTH_TAG.search(message["DKIM-Signature"]):
        raise reports.Invalid("DKIM-Signature with l=: %s" % message["DKIM-Signature"])
    domain = message["TLS-Report-Domain"]
    kinds = [part.get_content_type() for part in message.walk()]
    if (kinds != ["multipart/report", "text/plain", reports.MEDIA_TYPE]
            or message["Content-Type"].params.get("report-type") != "tlsrpt"):
        raise reports.Invalid("the parts are %s, the header says %s" % (kinds, message["Content-Type"]))
    words, attached = message.iter_parts()
    if domain not in words.get_content():
        raise reports.Invalid("the text does not name %s:\n%s" % (domain, words.get_content()))
    if not re.fullmatch(FILE_NAME % (re.escape(SUBMITTER), re.escape(domain)), attached.get_filename() or ""):
        raise reports.Invalid("the file name is %s" % attached.get_filename())
    compressed = attached.get_content()
    report = reports.unpacked(compressed)
    require_identity(report, domain)
    wanted = "Report Domain: %s Submitter: %s Report-ID: <%s>" % (domain, SUBMITTER, report["report-id"])
    if " ".join(message["Subject"].split()) != wanted:
        raise reports.Invalid("Subject: %r, wanted %r" % (message["Subject"], wanted))
    return message["To"], report, compressed


def require_identity(report, domain):
    """Raises reports.Invalid unless a report has RFC 8460's structure and is about a full UTC day, from our configuration."""
    reports.validate(report)
    span = DAY.fullmatch("%(start-datetime)s %(end-datetime)s" % report["date-range"])
    if not span or span.group(1) != span.group(2):
        raise reports.Invalid("date-range: %s" % report["date-range"])
    if (report["organization-name"], report["contact-info"]) != (reporter.ORGANIZATION, reporter.CONTACT):
        raise reports.Invalid("from %s, %s" % (report["organization-name"], report["contact-info"]))
    if ".%s@" % domain not in report["report-id"]:
        raise reports.Invalid("the report on %s has the id %s" % (domain, report["report-id"]))


def bounces_to(sender):
    """The address that a bounce goes to, from the envelope sender as a server records it."""
    found = ENVELOPE_SENDER.search(sender or "")
    if not found:
        raise reports.Invalid("the envelope sender is %s" % sender)
    return found.group(1)
