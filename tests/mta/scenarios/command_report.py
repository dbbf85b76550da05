"""`tlsrpt listen --format report` and tlsrpt-reporter: the reports of both from the same datagrams."""

import difflib
import json
import os

from harness import command, delivery, domains, namespace, network, postfix, recorder, reporter, reports, roots, waiting
from harness.scenario import Problem, Row, Scenario

VECTORS = os.path.join("tests", "vectors", "sequences.jsonl")
# The reports of tlsrpt-reporter, with which `make test` compares ours.
EXPECTED = os.path.join("crates", "cli", "tests", "expected", "reports.json")
# The values that RFC 8460 defines. check_differences uses others.
POLICY_TYPES, RESULTS = (1, 2, 9), (0, 1)
MAILS_EACH = 2


def observe_postfix(program, root, environment, network_arguments):
    """In a namespace: the reports of both from the datagrams of Postfix for two mails to every domain."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    for _ in range(MAILS_EACH):
        delivery.deliver(host, recording, list(domains.BY_NAME))
    host.stop()
    lines = [datagram.decode("utf-8", "replace") for datagram in recording.datagrams]
    return compare(program, environment, the_network.folder, lines)


def observe_vectors(program, environment, mountpoint, lines):
    """In a namespace: the reports of both from recorded datagrams."""
    return compare(program, environment, command.mount_folder(mountpoint), lines)


def compare(program, environment, folder, lines):
    """Sends the datagrams to both and returns {domain: [reports of the one, reports of the other]}."""
    reporter.wait_for_a_day_to_count_on()
    for name in ("theirs", "ours"):
        os.makedirs(os.path.join(folder, name))
    collector = reporter.Collector(environment, os.path.join(folder, "database"), os.path.join(folder, "theirs", "s"))
    collector.start()
    listener = command.Listener(program, os.path.join(folder, "ours", "s"), "--format", "report",
                                "--organization", reporter.ORGANIZATION, "--contact", reporter.CONTACT)
    for place in (collector.socket, listener.socket):
        command.send(program, place, lines)
    policies = sum(len(json.loads(line)["policies"]) for line in lines)
    waiting.until("the collector to store all", lambda: collector.count() == policies)
    ours = command.documents(listener.end())
    collector.end_day()
    making = reporter.Reporter(environment, os.path.join(folder, "reporter"), [collector], send_mail="true", post="true")
    making.send_all(len({report["report-id"].split("_", 2)[2] for report in ours}))
    theirs = [json.loads(row[0]) for row in reporter.query(making.database, "SELECT report FROM reports")]
    compared = {}
    for side, made in enumerate((theirs, ours)):
        for report in made:
            domain = report["report-id"].split("_", 2)[2]
            compared.setdefault(domain, [[], []])[side].append(comparable(report))
    for sides in compared.values():
        for texts in sides:
            texts.sort()
    return {"events": len(lines), "compared": compared}


def comparable(report):
    """A report as text, without its id, the order of its lists and the date, because the collector ends the day early. The
    times of day are compared."""
    span = {name: moment[len("2026-11-21"):] for name, moment in report["date-range"].items()}
    bare = json.loads(reports.comparable(report))
    return json.dumps(dict(bare, **{"date-range": span}), sort_keys=True, indent=1, ensure_ascii=False)


def of_vectors(checkout):
    """The recorded datagrams that the collector's programs can handle."""
    with open(os.path.join(checkout, VECTORS), encoding="utf-8") as vectors:
        datagrams = [bytes.fromhex(datagram) for line in vectors for datagram in json.loads(line)["datagrams"]]
    return [datagram.decode() for datagram in datagrams if usable(datagram)]


def usable(datagram):
    """Whether it is valid, its numbers are defined, and its domain fits a line of the fetcher's protocol."""
    try:
        event = json.loads(datagram.decode())
    except ValueError:
        return False
    known = all(policy["policy-type"] in POLICY_TYPES and policy["f"] in RESULTS for policy in event["policies"])
    return known and event["d"].isprintable() and event["d"].strip(". ") == event["d"] != ""


def judge(seen):
    """The number of reports. Raises Problem unless both made equal ones."""
    for domain, (theirs, ours) in sorted(seen["compared"].items()):
        if theirs != ours:
            raise Problem("the reports on %s differ:\n%s" % (domain, "\n".join(difflib.unified_diff(
                "\n".join(theirs).split("\n"), "\n".join(ours).split("\n"), "tlsrpt-reporter", "tlsrpt listen",
                lineterm=""))))
    return sum(len(ours) for _, ours in seen["compared"].values())


def check_postfix(context):
    seen = context.call("scenarios.command_report:observe_postfix", program=command.built(context.checkout),
                        root=roots.debian(roots.STABLE), environment=reporter.environment(),
                        network_arguments=network.open_arguments())
    return row("the datagrams of Postfix for %d mails to each of %d domains" % (MAILS_EACH, len(domains.DOMAINS)), seen)


def check_vectors(context):
    seen = context.call("scenarios.command_report:observe_vectors", program=command.built(context.checkout),
                        environment=reporter.environment(), mountpoint=network.mountpoint(),
                        lines=of_vectors(context.checkout))
    theirs = {domain: [json.loads(text) for text in sides[0]] for domain, sides in seen["compared"].items()}
    with open(os.path.join(context.checkout, EXPECTED), encoding="utf-8") as expected:
        if json.load(expected) != theirs:
            raise Problem("%s differs from the reports that tlsrpt-reporter makes of the recorded datagrams:\n%s" % (
                EXPECTED, json.dumps(theirs, sort_keys=True, ensure_ascii=False)))
    return row("the recorded datagrams", seen)


def check_differences(context):
    """The differences that tlsrpt(1) lists."""
    arguments = {"program": command.built(context.checkout), "environment": reporter.environment(),
                 "mountpoint": network.mountpoint()}
    observe = "scenarios.command_report:observe_vectors"
    reordered = {name: WELL["policies"][0][name] for name in reversed(list(WELL["policies"][0]))}
    lines = [event(d="result.example", policies=[{"policy-type": 9, "t": 0, "f": 7}]),
             event(d="order.example"), event(d="order.example", policies=[reordered])]
    seen = context.call(observe, lines=lines, **arguments)["compared"]
    found = {domain: [summaries(texts) for texts in sides] for domain, sides in seen.items()}
    expected = {"result.example": [[[[-6, 7]]], [[[0, 1]]]], "order.example": [[[[1, 0], [1, 0]]], [[[2, 0]]]]}
    if found != expected:
        raise Problem("successes and failures of each policy: found %s, expected %s" % (found, expected))
    lines = [event(d="type.example", policies=[{"policy-type": 0, "t": 0, "f": 0}])]
    try:
        context.call(observe, lines=lines, **arguments)
    except namespace.Failed as failed:
        if "KeyError: 0" not in str(failed):
            raise
    else:
        raise Problem("tlsrpt-reportd no longer stops at a policy of an unknown type")
    return Row("tlsrpt listen --format report and tlsrpt-reporter %s, on events with undefined values" % reporter.VERSION,
               "the differences that tlsrpt(1) lists")


WELL = {"dpv": "1", "d": "", "pr": "v=TLSRPTv1;rua=mailto:tls@example.org", "policies": [
    {"policy-type": 9, "policy-domain": "example.org", "mx-host": ["mx"], "t": 0, "f": 0}]}


def event(**members):
    return json.dumps(dict(WELL, **members))


def summaries(texts):
    """[successes, failures] of each policy of each report."""
    reports_of_domain = [json.loads(text) for text in texts]
    return [[[entry["summary"]["total-successful-session-count"], entry["summary"]["total-failure-session-count"]]
             for entry in report["policies"]] for report in reports_of_domain]


def row(what, seen):
    return Row("tlsrpt listen --format report and tlsrpt-reporter %s, on %s" % (reporter.VERSION, what),
               "%d events, %d reports: equal in each member but the id" % (seen["events"], judge(seen)))


SCENARIOS = [Scenario("command-report", "the reports of tlsrpt listen and of tlsrpt-reporter", check_postfix),
             Scenario("command-report-vectors", "the same from recorded datagrams", check_vectors),
             Scenario("command-report-differences", "the intended differences of the two", check_differences)]
