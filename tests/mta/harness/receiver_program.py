"""Reads and verifies reports (see receiver.py). Runs in the Python environment that has parsedmarc and dkimpy."""

import base64
import email
import json
import os
import sys
import time

import dkim
import parsedmarc

MEDIA_TYPE = "application/tlsrpt+gzip"
TLS_REPORT = "smtp_tls"  # parsedmarc's name for these


def main():
    question = json.load(sys.stdin)
    # Standard output carries the answer alone.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if question["now"]:
        time.time = lambda: question["now"]
    name, record = question["name"].encode(), question["record"].encode()
    found = {"mails": [read_mail(base64.b64decode(mail), name, record) for mail in question["mails"]],
             "files": [parsed(parsedmarc.parse_report_file(base64.b64decode(file), offline=True))
                       for file in question["files"]]}
    json.dump(found, answer)
    answer.flush()


def read_mail(mail, name, record):
    attached, = (part.get_payload(decode=True) for part in email.message_from_bytes(mail).walk()
                 if part.get_content_type() == MEDIA_TYPE)
    return {"verified": verifies(mail, name, record),
            "changed verified": verifies(mail.replace(b"Report Domain:", b"Report domaiN:", 1), name, record),
            "as mail": parsed(parsedmarc.parse_report_email(mail, offline=True)),
            "as file": parsed(parsedmarc.parse_report_file(attached, offline=True))}


def verifies(mail, name, record):
    """Whether the signature is that of the key, with a record for TLS reports."""
    return dkim.verify(mail, dnsfunc=lambda asked, timeout=None: record if asked == name else None, tlsrpt="strict")


def parsed(report):
    """The report, if parsedmarc recognized it as a TLS report."""
    return report["report"] if report["report_type"] == TLS_REPORT else None


if __name__ == "__main__":
    main()
