"""From mail to report: Postfix, the library, the real collector, fetcher and reporter, delivery by mail and HTTPS."""

import difflib

from harness import delivery, domains, network, postfix, reporter, reports, roots, site
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

MAILS_EACH = 2


def mail_host(the_network, root, library, number):
    """The mail host with this number; each has addresses of its own."""
    names = ("inet_interfaces", "smtp_bind_address") if number else ()
    settings = {name: network.SECOND_CLIENT for name in names}
    return postfix.Postfix(the_network, root, library, "mailhost%d" % (number + 1), settings)


def deliver(host, collector):
    """Sends the mails of a day."""
    host.start()
    for _ in range(MAILS_EACH):
        delivery.deliver(host, collector, list(domains.BY_NAME))
    host.require_library("smtp")


def observe(libraries, root, network_arguments, environment):
    """In a namespace: a day's mails and its reports, from one mail host for each library."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(**network_arguments)
    hosts = [mail_host(the_network, root, library, number) for number, library in enumerate(libraries)]
    the_site = site.Site(the_network, hosts, environment)
    events = the_site.collect(deliver)
    return {"events": events, "reports": the_site.report()}


def observe_one(library, **others):
    """The same from one mail host."""
    return observe([library], **others)


def arguments():
    return {"root": roots.debian(roots.STABLE), "network_arguments": network.open_arguments(),
            "environment": reporter.environment()}


def require_valid(arrived):
    for how, domain, report in arrived:
        try:
            reports.validate(report)
        except reports.Invalid as invalid:
            raise Problem("the report on %s (%s) violates RFC 8460: %s" % (domain, how, invalid)) from None


def check_one_host(context):
    """The reports of a day with each library must be equal."""
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
    """One host with each library: the sessions of both under one policy must be one entry of the report."""
    seen = context.call("scenarios.whole_way:observe", libraries=list(context.libraries.values()), **arguments())
    require_valid(seen["reports"])
    if len(set(seen["events"])) != 1:
        raise Problem("the hosts' collectors stored different numbers of events: %s" % seen["events"])
    for how, domain, report in seen["reports"]:
        sessions = [sum(entry["summary"].values()) for entry in report["policies"]]
        if sessions != [MAILS_EACH * len(seen["events"])]:
            raise Problem("the report on %s (%s) has entries of %s sessions; the sessions of both hosts should "
                          "be one entry:\n%s" % (domain, how, sessions, reports.comparable(report)))
    return Row("two mail hosts, one with each library, each with its tlsrpt-collectd; one tlsrpt-reportd with two "
               "fetchers",
               "%d reports: a policy of both hosts is one entry with the sum of their sessions" % len(
                   seen["reports"]))


SCENARIOS = [Scenario("reports", "from mail to reports, sent by mail and HTTPS", check_one_host),
             Scenario("two-hosts", "two mail hosts with different libraries, one reporter", check_two_hosts)]
