"""From mail to delivered report with this project alone: Postfix, the library, `tlsrpt collect`, `tlsrpt deliver`, and back
through the same Postfix to a mailbox, to other mail servers, and to HTTPS servers. Compared with tlsrpt-reporter's reports."""

import collections
import difflib
import email
import json
import os

from harness import (command, delivery, domains, installed, network, postfix, receiver, receiving, recorder,
                     report_sinks, reporter, reports, roots, site, waiting)
from harness.receiving import NO_ADDRESS
from harness.report_sinks import BAD_SINK, BAD_SINK_URI, MAILBOX
from harness.scenario import CANDIDATE, Problem, Row, Scenario
from scenarios.command_report import comparable

MAILS_EACH = 2
# These receive their reports at their own mail servers, to which Postfix sends no other mail, because their policies
# fail.
FAILING = ("encrypt-no-tls.test", "sts-self-signed.test", "sts-no-tls.test", "dane-other.test")
# After the reports: mails to a domain that failed, to which a report mail was sent, and to one that did not.
LATER = ("sts-self-signed.test", "dane.test")
# Events that these versions of Postfix do not send: events without a policy domain, as Postfix 3.10.4 sends them, and a
# failure without a result type in RFC 8460.
UNNAMED_FAILURE = 299
MORE_EVENTS = [json.dumps({"dpv": "1", "d": "more.test", "pr": "v=TLSRPTv1; rua=mailto:" + MAILBOX, "policies": [
    {"policy-type": 9, "t": 1, "f": 1, "failure-details": [
        {"c": number, "s": "192.0.2.1", "n": "mx.more.test", "r": "192.0.2.2", "h": "mx.more.test", "f": "the reason"}]}]})
               for number in (201, UNNAMED_FAILURE)]


def records():
    """The TLSRPT records: reports go to the mailbox on the mail host instead of good.test; FAILING, BAD_SINK have their own."""
    found = {domain.name: [text.replace(domains.REPORTS_BY_MAIL, "mailto:" + MAILBOX) for text in domain.record]
             for domain in domains.DOMAINS}
    found.update({name: domains.record("mailto:reports@" + name) for name in FAILING})
    found[BAD_SINK] = domains.record(BAD_SINK_URI)
    return found


def observe(program, library, root, environment, receivers, network_arguments, route, kind):
    """In a namespace: a day's mails, the reports of tlsrpt-reporter and ours, and the events of the report mails."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(records=records(), **network_arguments)
    # With the slash at the end, mailboxes have one file for each mail, and Postfix changes no line.
    host = postfix.Postfix(the_network, root, library, settings={"mail_spool_directory": "/var/mail/"})
    mailbox, sinks = report_sinks.Mailbox(host), report_sinks.Sinks(the_network)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    outcomes = {name: [] for name in domains.BY_NAME}
    for _ in range(MAILS_EACH):
        for name, seen in delivery.deliver(host, recording, list(domains.BY_NAME)).items():
            outcomes.get(name, []).extend(seen["outcome"])
    host.require_library("smtp")
    os.unlink(host.socket)
    lines = [datagram.decode("utf-8", "replace") for datagram in recording.datagrams] + MORE_EVENTS
    theirs = their_reports(program, environment, the_network.folder, lines, sinks)
    ours = installed.Installed(program, the_network, host.root, os.path.join(postfix.QUEUE, postfix.SOCKET), "postfix", route, kind,
                               site.SINK[1]).collect()
    command.send(program, host.socket, lines)
    sessions = collections.Counter(json.loads(line)["d"] for line in lines)
    ours.wait_for_sessions(sessions)
    found = {"theirs": theirs, "sessions": sessions, "outcomes": outcomes, "lines": lines}
    found["first"] = deliver_reports(ours, host, the_network, mailbox, sinks)
    found["second"] = deliver_reports(ours, host, the_network, mailbox, sinks)
    mark = host.mark()
    for name in LATER:
        host.send([domains.BY_NAME[name].recipient])
    waiting.until("the later mails", lambda: all(delivery.outcomes(host.log(mark), name) for name in LATER))
    ours.wait_for_sessions({name: sessions[name] + 1 for name in LATER})
    host.forget_mails()
    found["third"] = deliver_reports(ours, host, the_network, mailbox, sinks)
    ours.end()
    host.stop()
    found["read"] = receiver.read(receivers, ours.key_record(), [found[name] for name in ("first", "second", "third")])
    found["version"] = roots.package_version(host.root, "postfix")
    return report_sinks.as_text(found)


def deliver_reports(ours, host, the_network, mailbox, sinks):
    """Makes and delivers reports. Returns the received reports, and the events that Postfix logs meanwhile."""
    mark = host.mark()
    try:
        found = report_sinks.round_of_reports(ours, the_network, sinks, mailbox, host.wait_until_idle)
    except waiting.Timeout as timeout:
        raise RuntimeError("%s; mail log:\n%s" % (timeout, "\n".join(host.log(mark)))) from None
    return dict(found, events=[line for line in host.log(mark) if delivery.TLSRPT_STATUS in line])


def their_reports(program, environment, folder, lines, sinks):
    """The reports that tlsrpt-reporter makes of the datagrams, by mail to files and by curl: [[destination, domain, report]]."""
    mails = os.path.join(folder, "theirs")
    os.mkdir(mails)
    script = os.path.join(folder, "store-mail")
    with open(script, "w") as target:
        target.write("#!/bin/sh\nexec cat >%s/$$\n" % mails)
    os.chmod(script, 0o755)
    collector = reporter.Collector(environment, os.path.join(folder, "database"), os.path.join(folder, "their.sock")).start()
    collector.take(program, lines)
    collector.end_day()
    making = reporter.Reporter(environment, os.path.join(folder, "reporter"), [collector], send_mail=script, post=sinks.curl())
    making.send_all(len({json.loads(line)["d"] for line in lines}))
    collector.end()
    found = [[uri, None, reports.unpacked(body)] for uri, body in sinks.take()]
    for name in os.listdir(mails):
        with open(os.path.join(mails, name), encoding="utf-8", errors="surrogateescape") as mail:
            text = mail.read()
        found.append(["mailto:" + email.message_from_string(text)["To"]] + list(reports.from_mail(text)))
    return [[to, domain or report["report-id"].rpartition("_")[2], report] for to, domain, report in found]


def arguments(context, suite):
    return {"program": command.built(context.checkout), "library": context.libraries[CANDIDATE], "root": roots.debian(suite),
            "environment": reporter.environment(), "receivers": receiver.environment(),
            "network_arguments": network.open_arguments()}


def as_we_write(report, domain):
    """A report of tlsrpt-reporter, changed by the differences that docs/delivering.md lists."""
    written = json.loads(json.dumps(report))
    for entry in written["policies"]:
        # Where the event has no policy domain, it is the domain: parsedmarc refuses a report without one.
        entry["policy"].setdefault("policy-domain", domain)
        for failure in entry.get("failure-details", []):
            # parsedmarc refuses a report with a result type that is none of RFC 8460. The number goes into the reason.
            if failure.get("result-type") not in reports.RESULT_TYPES:
                failure["result-type"] = "validation-failure"
                failure["failure-reason-code"] = "%d: %s" % (UNNAMED_FAILURE, failure["failure-reason-code"])
            # RFC 8460 has the host name here; Postfix passes the whole answer to EHLO.
            if "receiving-mx-helo" in failure:
                failure["receiving-mx-helo"] = failure["receiving-mx-helo"].split("\r\n")[0].replace("250-", "", 1).split()[0]
    return written


def require_equal(theirs, ours):
    """Raises Problem unless both have equal reports for the same destinations."""
    for key in sorted(set(theirs) | set(ours)):
        left, right = (comparable(of_one[key]) if key in of_one else "(none)" for of_one in (theirs, ours))
        if left != right:
            raise Problem("the report on %s to %s differs:\n%s" % (key[1], key[0], "\n".join(difflib.unified_diff(
                left.split("\n"), right.split("\n"), "tlsrpt-reporter", "tlsrpt deliver", lineterm=""))))


def judge(found):
    """The reports of the day: {(destination, domain): report}. Raises Problem for a wrong or missing one."""
    first, third = found["first"], found["third"]
    arrived, later = receiving.judge_rounds(found)
    theirs = {(to, domain): as_we_write(report, domain) for to, domain, report in found["theirs"] if domain != NO_ADDRESS}
    require_equal(theirs, arrived)
    for name in FAILING:
        if any("sent" in outcome for outcome in found["outcomes"][name]):
            raise Problem("mail to %s is delivered without TLS-Required: %s" % (name, found["outcomes"][name]))
        if ("mailto:reports@" + name, name) not in arrived:
            raise Problem("the report on %s, whose policy fails, did not arrive" % name)
    if first["events"] or third["events"]:
        raise Problem("the report mails made events:\n" + "\n".join(first["events"] + third["events"]))
    if sorted((report["domain"], report["number"]) for report in third["made"]) != sorted((name, 2) for name in LATER):
        raise Problem("the mails after the reports made these: %s" % third["made"])
    if sorted(domain for _, domain in later) != sorted(LATER):
        raise Problem("the reports of the mails after the reports: %s" % sorted(later))
    return arrived


def check(context, suite, number, route, kind):
    found = context.call("scenarios.delivered:observe", route=route, kind=kind, **arguments(context, suite))
    if not found["version"].startswith(number + "."):
        raise Problem("%s has Postfix %s, but this scenario is about Postfix %s" % (suite, found["version"], number))
    arrived = judge(found)
    posted = sum(to.startswith("https:") for to, _ in arrived)
    return Row("Postfix %s, tlsrpt collect, tlsrpt deliver (`%s`, DKIM with %s), and back through Postfix; tlsrpt-reporter %s" % (
        number, route.split(" = ")[0], kind, reporter.VERSION),
               "%d events; %d reports by mail and %d by HTTPS, one of them to a server with a bad certificate: equal to "
               "tlsrpt-reporter's but for the listed differences, valid by RFC 8460, read by parsedmarc, signatures verified by "
               "dkimpy; %d arrive where policies fail; no report on report mails" % (
                   len(found["lines"]), len(arrived) - posted, posted, len(FAILING)))


def scenario(number, suite, route, kind):
    return Scenario("delivered-" + number, "tlsrpt collect and deliver with Postfix %s, compared with tlsrpt-reporter" % number,
                    lambda context: check(context, suite, number, route, kind))


SCENARIOS = [scenario("3.10", roots.STABLE, 'server = "smtp://localhost:25"', installed.RSA),
             scenario("3.11", roots.TESTING, 'sendmail = "/usr/sbin/sendmail"', installed.ED25519)]
