"""Reports that others sent about one's own domain."""

import datetime

import events

ORGANIZATIONS = ["Example Mail Inc.", "Mailbox Provider GmbH", "University of Examples"]
DAYS = 12
WANTED = ["Example Mail Inc.", "certificate-expired", "Renew the certificate", "mx2.example.org"]


def reports():
    """Each report, and whether it is kept: those of some days, and one with hostile texts."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for days_ago in range(1, DAYS):
        day = today - datetime.timedelta(days=days_ago)
        for number, organization in enumerate(ORGANIZATIONS):
            failed = {"certificate-expired": 40 - 12 * days_ago + number} if days_ago < 4 else {}
            if number == 1:
                failed["sts-policy-fetch-error"] = 3
            yield report(organization, day, 900 + 70 * number - 20 * (days_ago % 7), failed), True
    yield hostile(today - datetime.timedelta(days=1)), False


def report(organization, day, succeeded, failed):
    """A report about a day, with failed sessions by result type."""
    details = [{"result-type": result, "sending-mta-ip": "198.51.100.25", "receiving-mx-hostname": "mx2.example.org",
                "receiving-ip": "203.0.113.7", "failed-session-count": number} for result, number in failed.items()]
    return {
        "organization-name": organization, "contact-info": "tls@example.com", "report-id": "%s_example.org" % day,
        "date-range": {"start-datetime": "%sT00:00:00Z" % day, "end-datetime": "%sT23:59:59Z" % day},
        "policies": [{
            "policy": {"policy-type": "sts", "policy-domain": "example.org", "mx-host": ["*.example.org"],
                       "policy-string": ["version: STSv1", "mode: enforce", "mx: *.example.org", "max_age: 604800"]},
            "summary": {"total-successful-session-count": succeeded, "total-failure-session-count": sum(failed.values())},
            "failure-details": details,
        }],
    }


def hostile(day):
    """A report whose texts are hostile, everywhere."""
    texts = list(events.HOSTILE)
    made = report(texts[0], day, 5, {})
    made.update({"contact-info": texts[1], "report-id": texts[2]})
    made["policies"] = [{
        "policy": {"policy-type": texts[4], "policy-domain": text, "mx-host": texts, "policy-string": texts},
        "summary": {"total-successful-session-count": 1, "total-failure-session-count": 1},
        "failure-details": [{"result-type": text, "failed-session-count": 1, "receiving-mx-hostname": text,
                             "additional-information": text, "failure-reason-code": text}],
    } for text in texts]
    return made
