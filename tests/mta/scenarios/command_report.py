"""`tlsrpt listen --format report` and tlsrpt-reporter: the reports of both from the same datagrams."""

import difflib
import json
import os

from harness import command, namespace, network, reporter, reports, roots, same_datagrams
from harness.scenario import Problem, Row, Scenario

# The reports of tlsrpt-reporter, with which `make test` compares ours.
EXPECTED = os.path.join("crates", "cli", "tests", "expected", "reports.json")


def observe_postfix(program, root, environment, network_arguments):
    """In a namespace: the reports of both from the datagrams of Postfix."""
    lines, folder = same_datagrams.of_postfix(root, network_arguments)
    return compare(program, environment, folder, lines)


def observe_vectors(program, environment, mountpoint, lines):
    """In a namespace: the reports of both from recorded datagrams."""
    return compare(program, environment, command.mount_folder(mountpoint), lines)


def compare(program, environment, folder, lines):
    """Sends the datagrams to both and returns {domain: [reports of the one, reports of the other]}."""
    collector, listener = same_datagrams.send_to_both(
        program, environment, folder, lines,
        lambda place: command.Listener(program, os.path.join(place, "s"), "--format", "report",
                                       "--organization", reporter.ORGANIZATION, "--contact", reporter.CONTACT))
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
    return row(same_datagrams.OF_POSTFIX, seen)


def check_vectors(context):
    seen = context.call("scenarios.command_report:observe_vectors", program=command.built(context.checkout),
                        environment=reporter.environment(), mountpoint=network.mountpoint(),
                        lines=same_datagrams.of_vectors(context.checkout))
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
