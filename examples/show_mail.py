"""Shows a mail with a TLSRPT report: From, To and Subject as they arrive, the name of the report, and its JSON in short.

    show_mail.py RECIPIENT FILE...      that one of these mails which RECIPIENT gets
"""

import email
import email.policy
import gzip
import json
import re
import sys

FIELDS = re.compile(r"^(?:From|To|Subject):.*(?:\r?\n[ \t].*)*", re.MULTILINE)
# The members of the report that are shown.
SHOWN = {
    "organization-name", "contact-info", "policies", "policy", "policy-type", "policy-domain", "summary",
    "total-successful-session-count", "total-failure-session-count", "failure-details", "result-type",
    "failed-session-count",
}
COLUMNS = 76
STEP = 2


def main(recipient, *files):
    for file in files:
        with open(file, newline="") as source:
            text = source.read()
        mail = email.message_from_string(text, policy=email.policy.default)
        if mail["To"] == recipient:
            break
    else:
        raise SystemExit("no mail to %s in %d files" % (recipient, len(files)))
    header = text.partition("\n\n")[0].partition("\r\n\r\n")[0]
    print("\n".join(FIELDS.findall(header)).replace("\r", ""))
    report, = mail.iter_attachments()
    print("%s\n  %s" % (report.get_content_type(), report.get_filename()))
    print(layout(shortened(json.loads(gzip.decompress(report.get_content()))), 0))


def shortened(value):
    """The value with only those members of objects that are SHOWN."""
    if isinstance(value, dict):
        return {name: shortened(member) for name, member in value.items() if name in SHOWN}
    if isinstance(value, list):
        return [shortened(item) for item in value]
    return value


def layout(value, indent, name=""):
    """JSON in which whatever fits into a line is one line."""
    line = name + json.dumps(value)
    if indent + len(line) <= COLUMNS or not isinstance(value, (dict, list)):
        return " " * indent + line
    if isinstance(value, dict):
        parts = [layout(member, indent + STEP, json.dumps(key) + ": ") for key, member in value.items()]
    else:
        parts = [layout(item, indent + STEP) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return " " * indent + name + opening + "\n" + ",\n".join(parts) + "\n" + " " * indent + closing


if __name__ == "__main__":
    main(*sys.argv[1:])
