"""The whole proof: real mail servers, collectors, one database, reporters, a day and its midnight, power cuts. See whole/day.py."""

from harness import command, exim, expected, network, project, receiver, roots, sendmail, table
from harness.scenario import CANDIDATE, REFERENCE, Row, Scenario
from whole import day, judge, site

HEAD = ["part", "did", "counted"]


def check(context):
    found = context.call(
        "whole.day:observe", program=command.built(context.checkout), libraries=[context.libraries[label] for label in (REFERENCE, CANDIDATE)],
        roots={"postfix": roots.stable_with("whole", site.PACKAGES), "exim": roots.stable_with("exim", exim.PACKAGES),
               "sendmail": roots.stable_with("sendmail", sendmail.PACKAGES)},
        module=project.packaged(context.checkout, "install-exim"),
        packaged=[project.packaged(context.checkout, target) for target in ("install", "install-sendmail")],
        checkout=context.checkout, network_arguments=network.open_arguments(), receivers=receiver.environment())
    judged = judge.judge(found)
    judge.require_controls(found)
    context.versions.update({"whole, " + name: version for name, version in found["versions"].items()})
    context.versions["whole, repeated after the second power cut"] = "%d, each told as without an answer" % len(judged["repeated"])
    rows = parts(found, judged)
    return Row("a day of two Postfix, an Exim, a Sendmail, three collectors, a PostgreSQL, two reporters",
               "%d mails, %d reports" % (sum(row[3] for row in found["sent"]), len(judged["by key"])),
               {table.WHOLE: table.text(HEAD, rows)})


def parts(found, judged):
    """The lines of the table."""
    servers = {
        site.C_LIBRARY: "`mail1`: Postfix 3.10, the C library 0.5.1, a policy table",
        site.OURS: "`mail2`: Postfix 3.10, this library, MTA-STS by postfix-mta-sts-resolver 1.5 with `tlsrpt: true`",
        site.EXIM: "`mail3`: Exim 4.98, `tlsrpt-exim.so`", site.SENDMAIL: "`mail3`: Sendmail 8.18, `tlsrpt sendmail-map`"}
    rows, total = [], 0
    for server, words in servers.items():
        mails = [(name, number) for _, of, name, number in found["sent"] if of == server]
        made = [(site.TABLES[server][name], number) for name, number in mails if site.TABLES[server][name] != expected.NONE]
        total += sum(number for _, number in made)
        rows.append([words, "%d mails to %d domains" % (sum(number for _, number in mails), len({name for name, _ in mails})),
                     "%d events, %d of them failures" % (sum(number for _, number in made), sum(
                         number for event, number in made if not event.endswith(" success")))])
    by_key = judged["by key"]
    posted = sum(to.startswith("https:") for _, to, _ in by_key)
    days = [sum(of == one for of, _, _ in by_key) for one in found["days"]]
    return rows + [
        ["three `tlsrpt collect` with their spools; Exim and Sendmail share one", "two power cuts, one of them while the spools are passed "
         "on, and one `kill -9`", "%d events, none lost, none counted twice" % total],
        ["PostgreSQL 17 of Debian 13, reached with TLS", "three power cuts; mails are sent while it is away", "the same %d" % total],
        ["two `tlsrpt deliver`", "two power cuts, `kill -9` amid the deliveries", "%d deliveries by mail and %d by HTTPS; twice only "
         "what was under way when they were killed, and `tlsrpt reports` says so" % (len(by_key) - posted, posted)],
        ["NSD and unbound of Debian 13", "signed zones, validated", "a forged record fails; an unsigned zone is not authentic"],
        ["midnight, by libfaketime of Debian 13", "%d mails while it passes" % sum(
            row[3] for row in found["sent"] if row[0] == day.AT_MIDNIGHT), "each session is in one of the two days"],
        ["the mailboxes and HTTPS servers of %d domains" % len({name for _, _, name in by_key}), "parsedmarc, dkimpy, `tlsrpt read`",
         "%d deliveries about the day and %d about the next: the sessions and results that were sent, %d failures in the words of the "
         "domains' descriptions, all signatures valid" % (*days, judged["named"])]]


SCENARIOS = [Scenario("whole", "the whole proof: all mail servers, a day and its midnight, power cuts", check)]
