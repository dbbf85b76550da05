"""Judges the whole day: what arrived must be what was sent, no more and no less, and `tlsrpt read` must say what happened."""

import base64
import collections
import copy
import email
import json

from harness import domains, events, expected, receiving, report_mails, reports
from harness.scenario import Problem
from scenarios.other_reports import sessions
from whole import day, site

# What a domain's description says can fail at its mail server, and the results that name it. Mail servers differ in the words.
OF_STARTTLS = {domains.MISSING: ["starttls-not-supported"], domains.REJECTED: ["starttls-not-supported"],
               domains.GARBAGE: ["validation-failure"], domains.DROPPED: ["validation-failure"]}
OF_CERTIFICATE = {domains.SELF_SIGNED: ["certificate-not-trusted", "validation-failure"], domains.EXPIRED: ["certificate-expired"],
                  domains.WRONG_NAME: ["certificate-host-mismatch"]}
OF_TLSA = {domains.OTHER_CERTIFICATE: ["certificate-not-trusted"], domains.UNUSABLE: ["tlsa-invalid"]}
POLICY_FAILURE = "policy_failure="

Arrival = collections.namedtuple("Arrival", "day destination domain report message_id")


def described(domain):
    """The result types that can be in the reports of a domain, as domains.py describes it."""
    words = [word.partition(POLICY_FAILURE)[2] for word in domain.policy.split() if word.startswith(POLICY_FAILURE)]
    return set(OF_STARTTLS.get(domain.starttls, []) + OF_CERTIFICATE.get(domain.certificate, []) + OF_TLSA.get(domain.tlsa, []) + words)


def arrivals(found):
    """All reports that arrived, each checked by itself: its form, its signature, and what parsedmarc reads in it."""
    arrived = []
    for (sender, data), read in zip(found["mails"], found["read"]["mails"]):
        data = base64.b64decode(data)
        to, report = receiving.require_mail(data, read)
        report_mails.bounces_to(sender)
        arrived.append(arrival("mailto:" + to, report, email.message_from_bytes(data)["Message-ID"]))
    for (uri, data), read in zip(found["posts"], found["read"]["files"]):
        report = reports.unpacked(base64.b64decode(data))
        report_mails.require_identity(report, receiving.domain_of(report))
        receiving.require_parsed(report, read)
        arrived.append(arrival(uri, report, None))
    return arrived


def arrival(destination, report, message_id):
    return Arrival(report["date-range"]["start-datetime"][:10], destination, receiving.domain_of(report), report, message_id)


def once(arrived, made):
    """{(day, destination, domain): report}. Raises Problem for a report that arrived twice, unless the reporter says that it had no
    answer the first time, and both are the same."""
    unknown = {(report["report-id"], to["destination"]) for report in made for to in report["deliveries"] if to["unknown"]}
    found, repeated = {}, set()
    for one in arrived:
        key = (one.day, one.destination, one.domain)
        first = found.setdefault(key, one)
        if first is one:
            continue
        if (first.report, first.message_id) != (one.report, one.message_id):
            raise Problem("two reports on %s of %s to %s" % (one.domain, one.day, one.destination))
        if (one.report["report-id"], one.destination) not in unknown:
            raise Problem("the report on %s of %s arrived twice at %s, and nothing tells of it" % (one.domain, one.day, one.destination))
        repeated.add(key)
    return {key: one.report for key, one in found.items()}, repeated


def sent(found, part, name, wanted=None):
    """The sessions that the mails of a part of the day to a domain made: {policy and result: number}, of the server WANTED alone if it
    is given."""
    made = collections.Counter()
    for of_part, server, of_name, number in found["sent"]:
        event = site.TABLES[server].get(name, expected.NONE)
        if (of_part, of_name) == (part, name) and event != expected.NONE and wanted in (None, server):
            made[event] += number
    return made


def destinations(name):
    text = site.record(name)
    return text.partition("rua=")[2].split(",") if text and name != receiving.NO_ADDRESS else []


def is_left_out(name, counts, by_key, of):
    """Whether the sessions of the next day are in no report: successes that are no more than the report mails that the domain took
    that day, which a report about them would follow for ever (docs/delivering.md)."""
    mails = sum(to.endswith("@" + name) for of_report, to, _ in by_key if of_report != of)
    return all(event.endswith(events.SUCCESS) for event in counts) and 0 < sum(counts.values()) <= mails


def require_sessions(found, by_key):
    """Raises Problem unless the reports of each domain have its sessions, and nobody else got a report."""
    of_day, of_next = found["days"]
    wanted_keys = set()
    for name in site.ALL:
        first, across, after = (sent(found, part, name) for part in day.PARTS_OF_DAY)
        for to in destinations(name):
            in_first, in_next = [collections.Counter(sessions(by_key[of, to, name])) if (of, to, name) in by_key
                                 else collections.Counter() for of in found["days"]]
            rest = first + across + after - in_first
            left_out = is_left_out(name, rest, by_key, of_next)
            if in_first - first - across or first - in_first or after - rest or in_next != (collections.Counter() if left_out else rest):
                raise Problem("the reports on %s to %s have %s and %s; its sessions are %s of the day, %s at midnight, %s of the day "
                              "after" % (name, to, *(dict(counter) for counter in (in_first, in_next, first, across, after))))
            wanted_keys |= {(of, to, name) for of, counts in ((of_day, in_first), (of_next, in_next)) if counts}
    if set(by_key) != wanted_keys:
        raise Problem("reports that should not be: %s" % sorted(set(by_key) - wanted_keys))


def require_addresses(found, by_key):
    """Raises Problem unless the failures over IPv4 of the second Postfix, and they alone, have its address."""
    address = site.ADDRESSES[site.OURS]
    for (of, to, name), report in by_key.items():
        if domains.BY_NAME[name].ipv6 or name in day.ACROSS:
            continue
        part = day.OF_DAY if of == found["days"][0] else day.AFTER
        made = sum(number for event, number in sent(found, part, name, site.OURS).items() if not event.endswith(" " + events.SUCCESS))
        shown = sum(failure["failed-session-count"] for policy in report["policies"] for failure in policy.get("failure-details", [])
                    if failure.get("sending-mta-ip") == address)
        if shown != made:
            raise Problem("the report on %s of %s names %s in %d failures, not %d" % (name, of, address, shown, made))


def require_read(found, arrived):
    """Raises Problem unless `tlsrpt read` counts the sessions of each report, and names the failures that the domain's description
    has, and no others. Returns the number of failed sessions that it names, each once."""
    shown = json.loads(found["shown"]["json"])
    if shown["problems"] or len(shown["reports"]) != len(arrived):
        raise Problem("tlsrpt read has %d of %d reports, and the problems %s" % (len(shown["reports"]), len(arrived), shown["problems"]))
    named = {}
    by_id = {one.report["report-id"]: one for one in arrived}
    for entry in shown["reports"]:
        of = entry["report"]
        one = by_id[of["report-id"]]
        counted = collections.Counter()
        for policy in of["policies"]:
            counted["%s %s" % (policy["policy-type"], events.SUCCESS)] += policy["succeeded"]
            for failure in policy["failures"]:
                counted["%s %s" % (policy["policy-type"], failure["result-type"])] += failure["sessions"]
        if +counted != sessions(one.report) or of["day"] != one.day:
            raise Problem("tlsrpt read says %s of %s about %s: %s" % (dict(+counted), of["day"], one.domain, one.report))
        failures = {failure["result-type"] for policy in of["policies"] for failure in policy["failures"]}
        named[of["report-id"]] = sum(failure["sessions"] for policy in of["policies"] for failure in policy["failures"])
        allowed = described(domains.BY_NAME[one.domain])
        must_fail = any(not event.endswith(events.SUCCESS) for table in site.TABLES.values()
                        for event in [table.get(one.domain) or events.SUCCESS])
        if failures - allowed or (must_fail and not failures):
            raise Problem("tlsrpt read names %s of %s, whose description has %s" % (sorted(failures), one.domain, sorted(allowed)))
        left_out = [text for text in [one.report["report-id"]] + sorted(failures) if text not in found["shown"]["text"]]
        if left_out:
            raise Problem("the text of tlsrpt read does not have %s" % left_out)
    return sum(named.values())


def judge(found):
    """The numbers for the table. Raises Problem for anything that is wrong."""
    try:
        arrived = arrivals(found)
    except reports.Invalid as invalid:
        raise Problem(str(invalid)) from None
    by_key, repeated = once(arrived, found["made"])
    require_sessions(found, by_key)
    require_addresses(found, by_key)
    receiving.require_states(found)
    if not any(destination == domains.REPORTS_BY_HTTPS for _, destination, _ in repeated):
        raise Problem("the report that was taken without an answer was not delivered again: %s" % repeated)
    return {"by key": by_key, "repeated": repeated, "named": require_read(found, arrived)}


def lost_event(found):
    """As if one more mail was sent, whose event is nowhere."""
    found["sent"].append([day.OF_DAY, site.OURS, "dane.test", 1])
    return "dane.test"


def doubled_event(found):
    """As if an event was counted twice: one of the mails was not sent."""
    row = next(row for row in found["sent"] if row[:3] == [day.OF_DAY, site.EXIM, "sts-expired.test"])
    row[3] -= 1
    return "sts-expired.test"


def told_nothing_of(found):
    """The number of a mail whose delivery had an answer, so it must be there once."""
    told = {report["report-id"] for report in found["made"] for to in report["deliveries"] if to["unknown"]}
    return next(number for number, (_, data) in enumerate(found["mails"])
                if report_mails.read(base64.b64decode(data))[1]["report-id"] not in told)


def doubled_delivery(found):
    """As if a mail arrived twice."""
    number = told_nothing_of(found)
    for of in (found["mails"], found["read"]["mails"]):
        of.append(of[number])
    return "arrived twice"


def lost_delivery(found):
    """As if a mail did not arrive."""
    number = told_nothing_of(found)
    for of in (found["mails"], found["read"]["mails"]):
        del of[number]
    return "its sessions are"


def wrong_words(found):
    """As if `tlsrpt read` named another failure."""
    found["shown"]["json"] = found["shown"]["json"].replace('"certificate-expired"', '"certificate-revoked"')
    return "tlsrpt read"


CONTROLS = [lost_event, doubled_event, doubled_delivery, lost_delivery, wrong_words]


def require_controls(found):
    """Raises Problem unless each of the faults would be seen."""
    for control in CONTROLS:
        changed = copy.deepcopy(found)
        wanted = control(changed)
        try:
            judge(changed)
        except Problem as problem:
            if wanted not in str(problem):
                raise Problem("the control %s is seen as something else: %s" % (control.__name__, problem)) from None
        else:
            raise Problem("the control %s is not seen" % control.__name__)
