"""Delivered reports: read from a mail, checked against RFC 8460, made comparable."""

import email
import gzip
import http.server
import ipaddress
import json
import re
import threading

RESULT_TYPES = {
    "starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
    "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
    "sts-policy-invalid", "sts-webpki-invalid"}
POLICY_TYPES = {"tlsa", "sts", "no-policy-found"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
MEDIA_TYPE = "application/tlsrpt+gzip"


def text(value):
    return isinstance(value, str) and value != ""


def texts(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def address(value):
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


# RFC 8460, section 4.4: the members of each object, the check of each, and whether it is required.
REPORT = {
    "organization-name": (text, True), "contact-info": (text, True), "report-id": (text, True),
    "date-range": (lambda value: members(value, DATE_RANGE), True),
    "policies": (lambda value: objects(value, POLICY_ENTRY) and value != [], True)}
DATE_RANGE = {"start-datetime": (lambda value: TIME.match(value), True),
              "end-datetime": (lambda value: TIME.match(value), True)}
POLICY_ENTRY = {
    "policy": (lambda value: members(value, POLICY), True), "summary": (lambda value: members(value, SUMMARY), True),
    "failure-details": (lambda value: objects(value, FAILURE), False)}
POLICY = {"policy-type": (lambda value: value in POLICY_TYPES, True), "policy-string": (texts, False),
          "policy-domain": (text, True), "mx-host": (texts, False)}
SUMMARY = {"total-successful-session-count": (count, True), "total-failure-session-count": (count, True)}
FAILURE = {
    "result-type": (lambda value: value in RESULT_TYPES, True), "failed-session-count": (count, True),
    "sending-mta-ip": (address, True), "receiving-mx-hostname": (text, True), "receiving-ip": (address, True),
    "receiving-mx-helo": (text, False), "additional-information": (text, False), "failure-reason-code": (text, False)}


class Invalid(Exception):
    """A report violates RFC 8460."""


def members(value, structure):
    """Checks an object's members: raises Invalid or returns True."""
    if not isinstance(value, dict):
        raise Invalid("%r is not an object" % (value,))
    for name, (check, required) in structure.items():
        if name in value and not check(value[name]):
            raise Invalid("%s: %r" % (name, value[name]))
        if name not in value and required:
            raise Invalid("%s is missing in %r" % (name, value))
    unknown = set(value) - set(structure)
    if unknown:
        raise Invalid("unknown members %s" % sorted(unknown))
    return True


def objects(value, structure):
    return isinstance(value, list) and all(members(item, structure) for item in value)


def validate(report):
    """Raises Invalid unless a report has the structure of RFC 8460, section 4, and its counts add up."""
    members(report, REPORT)
    for entry in report["policies"]:
        detailed = sum(failure["failed-session-count"] for failure in entry.get("failure-details", []))
        if detailed != entry["summary"]["total-failure-session-count"]:
            raise Invalid("%d failed sessions, but details of %d: %r" % (
                entry["summary"]["total-failure-session-count"], detailed, entry))


def from_mail(data):
    """The domain that a mail reports on, and the report; None if the mail is no report."""
    message = email.message_from_string(data)
    for part in message.walk():
        if part.get_content_type() == MEDIA_TYPE:
            return message["TLS-Report-Domain"], unpacked(part.get_payload(decode=True))
    return None


def unpacked(compressed):
    """A report from its compressed form."""
    return json.loads(gzip.decompress(compressed).decode())


def comparable(report):
    """A report as text, without its number and day and with its lists in a fixed order."""
    bare = {name: value for name, value in report.items() if name not in ("report-id", "date-range")}
    bare["policies"] = sorted((dict(entry, **{"failure-details": sorted(
        entry.get("failure-details", []), key=lambda failure: json.dumps(failure, sort_keys=True))})
        for entry in report["policies"]), key=lambda entry: json.dumps(entry, sort_keys=True))
    return json.dumps(bare, sort_keys=True, indent=1)


class Sink:
    """An HTTPS server that accepts reports; `posts` has (path, compressed report) pairs. While `answers` is not set, it answers
    nothing."""

    def __init__(self, address_and_port, context):
        self.posts = []
        self.answers = threading.Event()
        self.answers.set()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                accepted = self.headers["Content-Type"] == MEDIA_TYPE
                if accepted:
                    sink.posts.append((self.path, body))
                sink.answers.wait()
                self.send_response(200 if accepted else 415)
                self.end_headers()

            def log_message(self, *_arguments):
                """Logs nothing."""

        server = http.server.ThreadingHTTPServer(address_and_port, Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
