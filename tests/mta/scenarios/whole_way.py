"""From the mail to the report: Postfix, the library, the real collector, fetcher and reporter, mail and HTTPS."""

import difflib
import os

from harness import certificates, delivery, domains, postfix, reporter, reports, roots, waiting, world
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

MAILS_EACH = 2
SINK = ("127.0.0.99", 8443)


class Site:
    """Mail hosts with a collector each, a reporter that asks all of them, and where its reports arrive."""

    def __init__(self, the_world, root, libraries, environment):
        self.world = the_world
        self.hosts, self.collectors = [], []
        for number, library in enumerate(libraries):
            names = ("inet_interfaces", "smtp_bind_address") if number else ()
            settings = {name: world.SECOND_CLIENT for name in names}
            host = postfix.Postfix(the_world, root, library, "mailhost%d" % (number + 1), settings)
            folder = os.path.join(the_world.folder, "collector%d" % (number + 1))
            self.collectors.append(reporter.Collector(environment, folder, host.socket))
            self.hosts.append(host)
        self.sink = reports.Sink(SINK, the_world.server_context(certificates.REPORT_SINK))
        self.reporter = reporter.Reporter(
            environment, os.path.join(the_world.folder, "reporter"), self.collectors,
            send_mail="chroot %s /usr/sbin/sendmail -i -t" % self.hosts[0].root,
            post="curl --silent --show-error --fail --cacert %s.pem --resolve %s:%d:%s --header 'Content-Type: %s' "
                 "--data-binary @-" % (the_world.certificate(certificates.AUTHORITY), certificates.REPORT_SINK, SINK[1],
                                       SINK[0], reports.MEDIA_TYPE))

    def collect(self):
        """Sends the mails of a day from each host and returns how many events each collector stored."""
        for host, collector in zip(self.hosts, self.collectors):
            collector.start()
            host.start()
            for _ in range(MAILS_EACH):
                delivery.deliver(host, collector, list(domains.BY_NAME))
            host.require_library("smtp")
        return [collector.count() for collector in self.collectors]

    def report(self):
        """Ends the day, has all reports sent, and returns [(how it came, domain, report)]."""
        reported = set()
        for collector in self.collectors:
            collector.end_day()
            reported.update(row[0] for row in reporter.query(collector.database + ".yesterday",
                                                             "SELECT DISTINCT domain FROM finalresults"))
        self.world.mails.clear()
        sent = self.reporter.send_all(len(reported))
        arrived = waiting.until("%d reports to arrive" % sent, lambda: self.arrived(sent))
        for host in self.hosts:
            host.stop()
        return arrived

    def arrived(self, wanted):
        """The reports that arrived, once there are as many as wanted."""
        mailed = [("mail to " + mail["recipients"][0],) + reports.from_mail(mail["data"])
                  for mail in list(self.world.mails) if reports.from_mail(mail["data"])]
        posted = [("post to " + path, report["report-id"].rpartition("_")[2], report)
                  for path, report in list(self.sink.posts)]
        return mailed + posted if len(mailed) + len(posted) >= wanted else None


def observe(libraries, root, world_arguments, environment):
    """In a namespace: a day's mails and its reports, from one mail host for each library."""
    reporter.wait_for_a_day_to_count_on()
    site = Site(world.World(**world_arguments), root, libraries, environment)
    events = site.collect()
    return {"events": events, "reports": site.report()}


def observe_one(library, **others):
    """The same from one mail host."""
    return observe([library], **others)


def arguments():
    return {"root": roots.debian(roots.STABLE), "world_arguments": world.open_arguments(),
            "environment": reporter.environment()}


def require_valid(arrived):
    for how, domain, report in arrived:
        try:
            reports.validate(report)
        except reports.Invalid as invalid:
            raise Problem("the report on %s (%s) is not as RFC 8460 wants it: %s" % (domain, how, invalid)) from None


def check_one_host(context):
    """The reports of a day with each library, which must be the same."""
    seen = context.call_with_each("scenarios.whole_way:observe_one", **arguments())
    ours = seen[CANDIDATE]["reports"]
    require_valid(ours)
    compared = {label: {(how, domain): reports.comparable(report) for how, domain, report in of_library["reports"]}
                for label, of_library in seen.items()}
    for key in sorted(set(compared[REFERENCE]) | set(compared[CANDIDATE])):
        left, right = (compared[label].get(key, "(none)") for label in (REFERENCE, CANDIDATE))
        if left != right:
            raise Problem("the report on %s (%s) differs:\n%s" % (key[1], key[0], "\n".join(difflib.unified_diff(
                left.split("\n"), right.split("\n"), REFERENCE, CANDIDATE, lineterm=""))))
    if seen[REFERENCE]["events"] != seen[CANDIDATE]["events"]:
        raise Problem("events stored: %s and %s" % (seen[REFERENCE]["events"], seen[CANDIDATE]["events"]))
    posted = sum(how.startswith("post") for how, _, _ in ours)
    return Row("Postfix 3.10, tlsrpt-collectd, tlsrpt-fetcher and tlsrpt-reportd %s" % reporter.VERSION,
               "%d events, %d reports by mail and %d by HTTPS: policies, summaries, failure details and counts; each "
               "valid by RFC 8460, section 4" % (seen[CANDIDATE]["events"][0], len(ours) - posted, posted))


def check_two_hosts(context):
    """One host with each library: what both report of a policy must meet in one entry of the report."""
    seen = context.call("scenarios.whole_way:observe", libraries=list(context.libraries.values()), **arguments())
    require_valid(seen["reports"])
    if len(set(seen["events"])) != 1:
        raise Problem("the hosts' collectors stored different numbers of events: %s" % seen["events"])
    for how, domain, report in seen["reports"]:
        sessions = [sum(entry["summary"].values()) for entry in report["policies"]]
        if sessions != [MAILS_EACH * len(seen["events"])]:
            raise Problem("the report on %s (%s) has entries of %s sessions: what both hosts saw of the policy should "
                          "be one entry:\n%s" % (domain, how, sessions, reports.comparable(report)))
    return Row("two mail hosts, one with each library, each with its tlsrpt-collectd; one tlsrpt-reportd with two "
               "fetchers",
               "%d reports: equal policies of both hosts meet in one entry with the sum of the sessions" % len(
                   seen["reports"]))


SCENARIOS = [Scenario("reports", "the whole way to the reports, by mail and HTTPS", check_one_host),
             Scenario("two-hosts", "two mail hosts with different libraries, one reporter", check_two_hosts)]
