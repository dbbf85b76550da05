"""Report mails that come back: Postfix, set up by the commands of docs/postfix.md, passes each bounce to `tlsrpt bounce`, which
suppresses the destination."""

import datetime
import os
import re
import smtplib

from harness import (certificates, command, documents, domains, installed, network, postfix, report_mails, reporter, roots, site,
                     smtp_server, waiting)
from harness.scenario import CANDIDATE, Problem, Row, Scenario

EXAMPLE_DOMAIN = "example.com"
HEADING, TEST_HEADING = "Mails that come back", "Test the address for bounces"
USER = "tlsrpt"  # of the units, and in the document
BOUNCES = "%s@%s" % (installed.BOUNCES, certificates.MAIL_HOST)
# The mail server of ACCEPTS takes the report mails, that of REFUSES answers 550 to RCPT, and that of RETURNS takes the mail and
# sends a bounce later.
ACCEPTS, REFUSES, RETURNS = "good.test", "dane.test", "sts.test"
NAMES = (ACCEPTS, REFUSES, RETURNS)
# More than the report mails to a domain: successes that may be those of the report mails make no report.
MAILS_EACH = 2
RETURN_REASON = "smtp; 552 5.2.2 the mailbox is full"
# The content does not name the delivery; only the header field that Postfix adds does.
RETURNED = """From: MAILER-DAEMON@mx.%s
To: undisclosed-recipients:;
Subject: returned mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=next

--next

The mail was not delivered.
--next
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.%s

Final-Recipient: rfc822; %s
Action: failed
Status: 5.2.2
Diagnostic-Code: %s

--next--
"""
LISTED = re.compile(r"(\S+)  until (\S+): a report mail was returned: (.+)")
TAKEN = re.compile(r"postfix/pipe\[\d+\]: .* relay=%s, .* (status=.*)" % installed.BOUNCES)
DAY, ROUNDING = datetime.timedelta(days=1), datetime.timedelta(seconds=1)


def destination(name):
    return "reports@" + name


def observe(program, library, root, network_arguments, make_user, open_key, configure):
    """In a namespace: two rounds of reports to each destination, and what becomes of those that come back."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(
        records={name: domains.record("mailto:" + destination(name)) for name in NAMES}, **network_arguments)
    the_network.refused.add(destination(REFUSES))
    host = postfix.Postfix(the_network, root, library, settings={"alias_maps": "$alias_database"})
    roots.run(host.root, ["sh", "-c", make_user])
    ours = installed.Installed(program, the_network, host.root, os.path.join(postfix.QUEUE, postfix.SOCKET), "postfix",
                               'server = "smtp://localhost:25"', installed.RSA, site.SINK[1], user=USER)
    roots.run(host.root, ["sh", "-c", open_key])
    ours.collect()
    host.start()
    roots.run(host.root, ["sh", "-c", configure])
    found = {"before": ours.suppressions(), "no bounce": pipe_takes(host, lambda: host.send([BOUNCES])), "from": now()}
    found["refused"] = pipe_takes(host, lambda: deliver(ours, host, 1))
    found["first"] = ours.reports()
    found["arrived"] = arrived(the_network)
    sender = next(mail["sender"] for mail in the_network.mails if destination(RETURNS) in mail["recipients"][0])
    found["after the refusal"] = ours.suppressions()
    found["returned"] = pipe_takes(host, lambda: return_mail(report_mails.bounces_to(sender)))
    found.update({"after the return": ours.suppressions(), "to": now()})
    the_network.mails.clear()
    found["second round"] = pipe_takes(host, lambda: deliver(ours, host, 2))
    numbers = {report["id"] for report in found["first"]}
    found["second"] = [report for report in ours.reports() if report["id"] not in numbers]
    found["arrived later"] = arrived(the_network)
    ours.end()
    host.stop()
    found["version"] = roots.package_version(host.root, "postfix")
    return found


def pipe_takes(host, act):
    """Calls ACT, waits until the queue is empty, and returns what Postfix logs about the mails that the pipe took meanwhile."""
    mark = host.mark()
    act()
    try:
        host.wait_until_idle()
    except waiting.Timeout as timeout:
        raise RuntimeError("%s; mail log:\n%s" % (timeout, "\n".join(host.log(mark)))) from None
    return [TAKEN.search(line).group(1) for line in host.log(mark) if TAKEN.search(line)]


def deliver(ours, host, number):
    """Mails to each domain, and the reports about them. NUMBER counts the rounds."""
    for name in NAMES * MAILS_EACH:
        host.send([domains.BY_NAME[name].recipient])
    ours.wait_for_sessions(dict.fromkeys(NAMES, number * MAILS_EACH))
    ours.deliver_today()


def return_mail(address):
    """The bounce that the mail server of RETURNS sends later, by SMTP."""
    with smtplib.SMTP("127.0.0.1", 25, timeout=60) as client:
        client.sendmail("", [address], RETURNED % (RETURNS, RETURNS, destination(RETURNS), RETURN_REASON))


def arrived(the_network):
    """The recipients of the report mails that the mail servers took."""
    return sorted(to.partition("<")[2].partition(">")[0] for mail in the_network.mails for to in mail["recipients"]
                  if "<%s+" % installed.BOUNCES in mail["sender"])


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def states(found):
    """{domain: the states of the deliveries of its reports}"""
    return {report["domain"]: [to["state"] for to in report["deliveries"]] for report in found}


def require(what, found, wanted):
    if found != wanted:
        raise Problem("%s: wanted %s, found %s" % (what, wanted, found))


def judge(found, shown):
    """SHOWN is the line about a mail that is no bounce, in the document."""
    require("a mail that is no bounce", found["no bounce"], [shown])
    require("suppressed before", found["before"], [])
    require("the first reports", states(found["first"]), dict.fromkeys(NAMES, ["delivered"]))
    require("the report mails that arrive", found["arrived"], sorted(map(destination, (ACCEPTS, RETURNS))))
    taken = ["status=sent (delivered via %s service)" % installed.BOUNCES]
    require("the bounce that Postfix makes", found["refused"], taken)
    require("the bounce from another mail server", found["returned"], taken)
    refused = ("mailto:" + destination(REFUSES), "smtp; " + smtp_server.REFUSAL)
    returned = ("mailto:" + destination(RETURNS), RETURN_REASON)
    require("suppressed after the refusal", listed(found, "after the refusal"), [refused])
    require("suppressed after the return", listed(found, "after the return"), [refused, returned])
    require("the second reports", states(found["second"]),
            {ACCEPTS: ["delivered"], REFUSES: ["suppressed"], RETURNS: ["suppressed"]})
    require("the report mails that arrive later", found["arrived later"], [destination(ACCEPTS)])
    require("bounces of the second reports", found["second round"], [])


def listed(found, when):
    """The entries of the suppression list, each a destination and a reason. Raises Problem unless each lasts a day."""
    entries = []
    begin, end = (datetime.datetime.fromisoformat(found[name]) for name in ("from", "to"))
    for line in found[when]:
        entry = LISTED.fullmatch(line)
        if not entry:
            raise Problem("%s, tlsrpt suppress list prints: %s" % (when, line))
        until = datetime.datetime.fromisoformat(entry.group(2).replace("Z", "+00:00"))
        if not begin - ROUNDING <= until - DAY <= end + ROUNDING:
            raise Problem("%s, between %s and %s, this is no day: %s" % (when, begin, end, line))
        entries.append((entry.group(1), entry.group(3)))
    return sorted(entries)


def user_commands(context):
    """The commands of docs/delivering.md that make the user and give it the key: {argument of observe: commands}."""
    return {name: documents.commands_of(context.checkout, "delivering.md", "Without systemd", program)
            for name, program in (("make_user", "getent"), ("open_key", "chown"))}


def check(context):
    """The commands of docs/postfix.md that configure Postfix, and those of docs/delivering.md that make the user."""
    configure = documents.commands(context.checkout, "postfix.md", HEADING).replace(EXAMPLE_DOMAIN, certificates.MAIL_HOST)
    shown = documents.block(context.checkout, "postfix.md", TEST_HEADING, "text").strip().rpartition(" status=")[2]
    versions = []
    for suite in (roots.STABLE, roots.TESTING):
        found = context.call(
            "scenarios.bounces:observe", program=command.built(context.checkout), library=context.libraries[CANDIDATE],
            root=roots.debian(suite), network_arguments=network.open_arguments(), configure=configure,
            **user_commands(context))
        judge(found, "status=" + shown)
        versions.append(".".join(found["version"].split(".")[:2]))
    return Row("Postfix %s, tlsrpt deliver as the user `%s`, set up by the commands of docs/postfix.md" % (
        " and ".join(versions), USER),
               "a destination that answers 550 and one whose server sends a bounce later are suppressed for a day, and their "
               "next reports are not sent; one that accepts is not suppressed")


SCENARIOS = [Scenario("bounces", "report mails that come back through Postfix to tlsrpt bounce, by docs/postfix.md", check)]
