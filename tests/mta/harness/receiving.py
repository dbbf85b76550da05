"""Checks the reports that arrived, and their content as a receiver reads it."""

import base64

from harness import report_mails, report_sinks, reports
from harness.scenario import Problem

# Its destination is not a mail address: tlsrpt-reporter sends to it, tlsrpt deliver does not.
NO_ADDRESS = "hostile-record.test"
NOTHING_MADE = "0 reports made, 0 deliveries succeeded, "  # the start of the line that tlsrpt deliver prints


def domain_of(report):
    """The domain of a report of ours, from the end of the id. All domains here have two labels."""
    return ".".join(report["report-id"].rpartition("@")[0].split(".")[-2:])


def require_parsed(report, parsed):
    """Raises Problem unless parsedmarc reads the policies, counts and results that a report has."""
    written = sorted([entry["policy"]["policy-domain"], entry["policy"]["policy-type"],
                      entry["summary"]["total-successful-session-count"], entry["summary"]["total-failure-session-count"],
                      sorted([failure["result-type"], failure["failed-session-count"]]
                             for failure in entry.get("failure-details", []))] for entry in report["policies"])
    read = sorted([policy["policy_domain"], policy["policy_type"], policy["successful_session_count"],
                   policy["failed_session_count"],
                   sorted([failure["result_type"], failure["failed_session_count"]] for failure in policy["failure_details"])]
                  for policy in parsed["policies"])
    if read != written or parsed["report_id"] != report["report-id"]:
        raise Problem("parsedmarc reads %s where the report has %s" % (read, written))


def judge_rounds(found):
    """The reports of the first and of the third round, each {(destination, domain): report}. Raises Problem for a wrong one, for a
    wrong state of a delivery, and for any report of the second round, which is about report mails alone."""
    rounds = [found[name] for name in ("first", "second", "third")]
    try:
        arrived, none, later = read_rounds(found["read"], rounds)
    except reports.Invalid as invalid:
        raise Problem(str(invalid)) from None
    first, second, third = rounds
    for of_round in (first, third):
        require_states(of_round)
    if not second["printed"].startswith(NOTHING_MADE) or second["made"] or none:
        raise Problem("the report mails made reports: %(printed)s\n%(made)s" % second)
    return arrived, later


def read_rounds(read, rounds):
    """Checks the mails and posts of all rounds, with the results of receiver.read(): [{(destination, domain): report}].

    Raises Problem or reports.Invalid for a wrong one.
    """
    read_mails, read_files = iter(read["mails"]), iter(read["files"])
    arrived, senders = [], []
    for of_round in rounds:
        of_destination = {}
        for sender, mail in of_round["mails"]:
            to, report = require_mail(base64.b64decode(mail), next(read_mails))
            senders.append(report_mails.bounces_to(sender))
            of_destination["mailto:" + to, domain_of(report)] = report
        for uri, body in of_round["posts"]:
            report = reports.unpacked(base64.b64decode(body))
            report_mails.require_identity(report, domain_of(report))
            require_parsed(report, next(read_files))
            of_destination[uri, domain_of(report)] = report
        if len(of_destination) != len(of_round["mails"]) + len(of_round["posts"]):
            raise Problem("reports arrived twice: %s" % sorted(of_destination))
        arrived.append(of_destination)
    if len(set(senders)) != len(senders):
        raise Problem("report mails with one envelope sender: %s" % sorted(senders))
    return arrived


def require_mail(data, read):
    """The recipient and the report of a mail that has the form of RFC 8460, is signed and can be read."""
    to, report, _ = report_mails.read(data)
    if not read["verified"] or read["changed verified"]:
        raise Problem("the signature verifies: %(verified)s; of a changed mail: %(changed verified)s" % read
                      + "\n" + data.decode("utf-8", "replace"))
    for way in ("as mail", "as file"):
        require_parsed(report, read[way])
    return to, report


def require_states(of_round):
    """Raises Problem unless every delivery succeeded, except that to NO_ADDRESS, and only that to the server with a bad
    certificate has a warning."""
    for report in of_round["made"]:
        for to in report["deliveries"]:
            wanted = "failed" if report["domain"] == NO_ADDRESS else "delivered"
            warned = to["destination"] == report_sinks.BAD_SINK_URI
            if to["state"] != wanted or ("certificate" in (to["warning"] or "")) != warned:
                raise Problem("the delivery to %s: %s" % (to["destination"], to))
