"""From mail to delivered report with Exim and Sendmail: the module or the socket map, `tlsrpt collect`, `tlsrpt deliver`, and
back through the same mail server."""

import contextlib

from harness import (command, domains, exim, expected, installed, network, project, receiver, receiving, report_sinks,
                     reporter, roots, sendmail, site)
from harness.report_sinks import BAD_SINK, BAD_SINK_URI
from harness.scenario import Problem, Row, Scenario
from scenarios.other_reports import TABLES, sessions

# After the reports: mails to a domain whose report was posted and to one whose report was mailed.
LATER = ("sts.test", "dane.test")
MAILED_TO = "good.test"  # gets the report mails of all domains
MAIL_SERVER = "server = \"smtp://%s:%d\"" % sendmail.DAEMON
COMMAND = 'sendmail = "/usr/sbin/sendmail"'


def observe_exim(module, **others):
    """In a namespace: a day's mails and reports with Exim, which takes the report mails by its sendmail command."""
    return observe(lambda the_network, root: exim.Exim(the_network, root, module), exim.SOCKET, "Debian-exim", COMMAND,
                   installed.ED25519, running=lambda host: contextlib.nullcontext(), **others)


def observe_sendmail(files, **others):
    """In a namespace: the same with Sendmail, which takes the report mails by SMTP."""
    return observe(lambda the_network, root: sendmail.Sendmail(the_network, root, files), sendmail.SOCKET, "root", MAIL_SERVER,
                   installed.RSA, running=lambda host: host.serve().daemon(), **others)


def observe(make, socket, group, route, kind, running, program, root, receivers, network_arguments):
    """MAKE(network, root) makes the mail host; RUNNING(host) is entered while mail is sent."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(records={BAD_SINK: domains.record(BAD_SINK_URI)}, **network_arguments)
    host = make(the_network, root)
    sinks = report_sinks.Sinks(the_network)
    ours = installed.Installed(program, the_network, host.root, socket, group, route, kind, site.SINK[1]).collect()
    table = TABLES[type(host)]
    with running(host):
        for name in table:
            host.send(name)
        ours.wait_for_sessions({name: 1 for name, (_, event) in table.items() if event != expected.NONE})
        first = report_sinks.round_of_reports(ours, the_network, sinks)
        # Neither server has TLS-Required, so each report mail makes an event.
        ours.wait_for_sessions({MAILED_TO: 1 + len(first["mails"])})
        of_mails = ours.sessions(MAILED_TO) - 1
        second = report_sinks.round_of_reports(ours, the_network, sinks)
        for name in LATER:
            host.send(name)
        ours.wait_for_sessions({name: 2 for name in LATER})
        third = report_sinks.round_of_reports(ours, the_network, sinks)
    found = {"first": first, "second": second, "third": third, "sessions of report mails": of_mails}
    ours.end()
    host.stop()
    found["read"] = receiver.read(receivers, ours.key_record(), [first, second, third])
    return report_sinks.as_text(found)


def judge(found, table):
    """The reports of the day: {(destination, domain): report}. Raises Problem for a wrong or missing one."""
    arrived, later = receiving.judge_rounds(found)
    for (to, domain), report in arrived.items():
        if sessions(report) != {table[domain][1]: 1}:
            raise Problem("the report on %s to %s has %s, not %s" % (domain, to, sessions(report), table[domain][1]))
    wanted = {(to, name) for name, (_, event) in table.items() if event != expected.NONE for to in destinations(name)}
    if set(arrived) != wanted:
        raise Problem("reports that are missing: %s; that should not be: %s" % (
            sorted(wanted - set(arrived)), sorted(set(arrived) - wanted)))
    if {domain: sessions(report) for (_, domain), report in later.items()} != {name: {table[name][1]: 1} for name in LATER}:
        raise Problem("the reports of the mails after the reports: %s" % later)
    return arrived


def destinations(name):
    """The destinations in the record of a domain."""
    text, = domains.record(BAD_SINK_URI) if name == BAD_SINK else domains.BY_NAME[name].record
    return text.partition("rua=")[2].split(",")


def check(context, host, route, kind, about, package, **others):
    function = "scenarios.delivered_other:observe_" + package
    found = context.call(function, program=command.built(context.checkout), receivers=receiver.environment(),
                         network_arguments=network.open_arguments(), **others)
    arrived = judge(found, TABLES[host])
    posted = sum(to.startswith("https:") for to, _ in arrived)
    return Row("%s of Debian 13, tlsrpt collect, tlsrpt deliver (`%s`, DKIM with %s), and back through it" % (
        about, route.split(" = ")[0], kind),
               "%d reports by mail and %d by HTTPS, one of them to a server with a bad certificate: the sessions and results of "
               "tests/mta/harness/expected.py, valid by RFC 8460, read by parsedmarc, signatures verified by dkimpy; no report on "
               "the %d sessions of report mails" % (len(arrived) - posted, posted, found["sessions of report mails"]))


def check_exim(context):
    return check(context, exim.Exim, COMMAND, installed.ED25519, "Exim 4.98", "exim",
                 root=roots.stable_with("exim", exim.PACKAGES), module=project.packaged(context.checkout, "install-exim"))


def check_sendmail(context):
    return check(context, sendmail.Sendmail, MAIL_SERVER, installed.RSA, "Sendmail 8.18", "sendmail",
                 root=roots.stable_with("sendmail", sendmail.PACKAGES),
                 files=[project.packaged(context.checkout, target) for target in ("install", "install-sendmail")])


SCENARIOS = [Scenario("delivered-exim", "tlsrpt collect and deliver with Exim", check_exim),
             Scenario("delivered-sendmail", "tlsrpt collect and deliver with Sendmail", check_sendmail)]
