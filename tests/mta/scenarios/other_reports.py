"""From mail to report with Exim and Sendmail: the real collectors, one reporter, delivery by mail and HTTPS."""

from harness import events, exim, expected, network, project, reporter, roots, sendmail, site, waiting
from harness.scenario import Problem, Row, Scenario
from scenarios.whole_way import require_valid

# The record of the first has an address that no mail can be sent to. For the second, Exim makes no connection, so it has no
# sending address, which RFC 8460 requires in each failure.
LEFT_OUT = ("hostile-record.test", "dane-only-none.test")
DOMAINS = [name for name in expected.TABLE if name not in LEFT_OUT]
TABLES = {host: {name: table[name] for name in DOMAINS}
          for host, table in ((exim.Exim, expected.EXIM), (sendmail.Sendmail, expected.SENDMAIL))}


def deliver(host, collector):
    """Sends one mail to every domain, and waits until the collector has stored the events of all."""
    table = TABLES[type(host)]
    for name in table:
        host.send(name)
    waiting.until("the events of " + type(host).__name__, lambda: collector.count() >= expected.count(table))


def observe(exim_root, module, sendmail_root, installed, network_arguments, environment):
    """In a namespace: a day's mails from one host of each kind, and the reports."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(**network_arguments)
    hosts = [exim.Exim(the_network, exim_root, module), sendmail.Sendmail(the_network, sendmail_root, installed).serve()]
    the_site = site.Site(the_network, hosts, environment)
    return {"events": the_site.collect(deliver), "reports": the_site.report()}


def sessions(reported):
    """The sessions that a report has: {(policy type, result): number}."""
    counted = {}
    for entry in reported["policies"]:
        policy = entry["policy"]["policy-type"]
        results = {events.SUCCESS: entry["summary"]["total-successful-session-count"]}
        for failure in entry.get("failure-details", []):
            results[failure["result-type"]] = results.get(failure["result-type"], 0) + failure["failed-session-count"]
        for result, number in results.items():
            if number:
                key = "%s %s" % (policy, result)
                counted[key] = counted.get(key, 0) + number
    return counted


def wanted_sessions(domain):
    wanted = {}
    for table in TABLES.values():
        event = table[domain][1]
        if event != expected.NONE:
            wanted[event] = wanted.get(event, 0) + 1
    return wanted


def check(context):
    found = context.call(
        "scenarios.other_reports:observe", exim_root=roots.stable_with("exim", exim.PACKAGES),
        module=project.packaged(context.checkout, "install-exim"),
        sendmail_root=roots.stable_with("sendmail", sendmail.PACKAGES),
        installed=[project.packaged(context.checkout, target) for target in ("install", "install-sendmail")],
        network_arguments=network.open_arguments(), environment=reporter.environment())
    require_valid(found["reports"])
    if found["events"] != [expected.count(table) for table in TABLES.values()]:
        raise Problem("the collectors stored %s events" % found["events"])
    for how, domain, reported in found["reports"]:
        if sessions(reported) != wanted_sessions(domain):
            raise Problem("the report on %s (%s) has %s, not %s" % (domain, how, sessions(reported),
                                                                   wanted_sessions(domain)))
    missing = {domain for domain in DOMAINS if wanted_sessions(domain)} - {row[1] for row in found["reports"]}
    if missing:
        raise Problem("no report on " + ", ".join(sorted(missing)))
    return Row("Exim 4.98 and Sendmail 8.18 of Debian 13, each with its tlsrpt-collectd; one tlsrpt-reportd",
               "%d events, %d reports: the sessions and results of tests/mta/harness/expected.py" % (
                   sum(found["events"]), len(found["reports"])))


SCENARIOS = [Scenario("exim-sendmail-reports", "from mail to reports with Exim and Sendmail", check)]
