"""From tlsrpt-reporter to this project, in the middle of a day."""

import hashlib
import json
import shutil
import signal
import subprocess

import events
from fetching import CHECKOUT
from harness import reporter, waiting
from harness.same_datagrams import of_vectors
from scenarios.collect import (
    OUR_FAILURES, OUR_SESSIONS, POLICY, REASON, THEIR_FAILURES, THEIR_SESSIONS, in_one_form, rows)
from site_of_both import comparable, edit, require, require_equal, send_to_collectd, today, yesterday

TODAY = ("--day", "today")


def counters(theirs, query):
    """The rows of their database, and of our store by a function that queries it, in one form."""
    return ([rows(theirs, statement, REASON if failures else POLICY)
             for failures, statement in enumerate((THEIR_SESSIONS, THEIR_FAILURES))],
            [in_one_form(query(statement), REASON if failures else POLICY)
             for failures, statement in enumerate((OUR_SESSIONS, OUR_FAILURES))])


def digest(*paths):
    return [hashlib.sha256(open(path, "rb").read()).hexdigest() for path in paths]


def same_counters(site):
    """Every row of tlsrpt-collectd is in our store, once, however often the migration runs; the source does not change."""
    lines = events.day() + of_vectors(CHECKOUT)
    theirs, ours = site.collectd(lines=lines), site.ours()
    theirs.end()
    before = digest(theirs.database)
    said, _ = ours.run("migrate", theirs.database)
    require("sessions of %s counted\n" % today() in said, said)
    left, right = counters(theirs.database, ours.query)
    require_equal("the counters", left, right)
    said, _ = ours.run("migrate", theirs.database, theirs.database + ".yesterday", theirs.database)
    require("they were counted before" in said, said)
    require_equal("the counters after the second run", right, counters(theirs.database, ours.query)[1])
    require_equal("the source before and after", before, digest(theirs.database))
    return "%d rows of sessions and %d of failures" % tuple(len(found) for found in right)


def in_the_middle_of_a_day(site):
    """Half a day with tlsrpt-collectd, the other half with our collector: the reports of a whole day with tlsrpt-reporter."""
    whole = site.collectd("whole", events.day())
    theirs, ours = site.collectd("theirs", events.first_half()), site.ours()
    ours.send(events.second_half())
    ours.wait_for(events.second_half())
    theirs.end()
    ours.run("migrate", theirs.database, theirs.database + ".yesterday", "--unreported")
    made = ours.deliver(*TODAY)
    ours.run("migrate", theirs.database, theirs.database + ".yesterday", "--unreported")
    require_equal("the mails after a second migration", ours.deliver(*TODAY), [])
    whole.end_day()
    expected = site.reports_of_reportd([whole.fetcher.command], len(events.DOMAINS))
    require_equal("the reports", comparable(expected), comparable(made))
    return "%d reports are equal" % len(made)


OPEN = ("tls@dane.test", "tls@both.test")


# Ends the wait of each open delivery in our store.
DUE_NOW = "UPDATE delivery SET next_attempt = 1 WHERE state = 'waiting'"


def running_reportd(site, lines, later=(), name="reportd"):
    """A tlsrpt-collectd whose day with these events is over, and a tlsrpt-reportd that has made all reports and delivered them except
    to OPEN. LATER arrives on the next day."""
    theirs = site.collectd("theirs", lines)
    theirs.end_day()
    send_to_collectd(site.program, theirs, later)
    making, mails = site.reportd([theirs.fetcher.command], name, max_retries_delivery="100", min_wait_delivery="3000",
                                 max_wait_delivery="3001")
    mails.refuse(*OPEN)
    making.start()
    waiting.until("tlsrpt-reportd to try all", lambda: reporter.query(
        making.database, "SELECT count(*) FROM destinations WHERE status = 'sent' OR retries > 0") == [(len(events.DOMAINS),)])
    return theirs, making, mails


def stopped_reportd(site, lines, later=()):
    """The same after both have ended."""
    theirs, making, mails = running_reportd(site, lines, later)
    making.end()
    theirs.end()
    return theirs, making, mails


def open_deliveries(site):
    """The open deliveries of tlsrpt-reportd are made by us, once and with the text that it made; the others are not made again."""
    theirs, making, mails = stopped_reportd(site, events.day(), events.first_half())
    sent = mails.take()
    require_equal("who got a report from tlsrpt-reportd", sorted(to for to, _ in sent), ["tls@plain.test", "tls@sts.test"])
    ours = site.ours()
    sources = (theirs.database, theirs.database + ".yesterday", making.database)
    before = digest(*sources)
    said, _ = ours.run("migrate", *sources)
    for text in ("2 reports with 2 open deliveries taken over", "sessions of %s are in reports" % yesterday()):
        require(text in said, said)
    kept = [json.loads(text) for text, in reporter.query(making.database, "SELECT report FROM reports")]
    ours.mails.refuse("tls@both.test")
    ours.edit(DUE_NOW)
    first = ours.deliver("--day", str(yesterday()), code=1)
    ours.mails.refuse()
    ours.edit(DUE_NOW)
    said, _ = ours.run("migrate", *sources)
    require("0 reports with 0 open deliveries taken over; 2 reports were taken over before" in said, said)
    second = ours.deliver("--day", str(yesterday()))
    require_equal("who got a report from us", [to for to, _ in first + second], list(OPEN))
    for to, report in sent + first + second:
        require(report in kept, "the report to %s is none of those that tlsrpt-reportd made" % to)
    require_equal("all recipients", sorted(to for to, _ in sent + first + second), sorted("tls@" + name for name in events.DOMAINS))
    require_equal("the mails about yesterday after all", ours.deliver("--day", str(yesterday())), [])
    today_only = ours.deliver(*TODAY)
    require_equal("who got a report about today", [to for to, _ in today_only], sorted("tls@" + name for name in events.DOMAINS))
    require_equal("the sources before and after", before, digest(*sources))
    return "%d + %d deliveries, each once" % (len(sent), len(first + second))


def after_midnight(site):
    """A switch between the end of a day and its reports: tlsrpt-reportd has reported one domain only, we report the others."""
    theirs, making, mails = stopped_reportd(site, events.day())
    edit(making.database, "DELETE FROM destinations WHERE d_r_id NOT IN (SELECT r_id FROM reports WHERE domain = 'sts.test')",
         "DELETE FROM reports WHERE domain <> 'sts.test'",
         "UPDATE reportdata SET data = NULL, status = NULL WHERE domain <> 'sts.test'")
    all_reports = site.reports_of_reportd([theirs.fetcher.command], len(events.DOMAINS), "another-reportd")
    expected = [mail for mail in all_reports if mail[0] != "tls@sts.test"]
    ours = site.ours()
    ours.run("migrate", theirs.database + ".yesterday", making.database)
    made = ours.deliver("--day", str(yesterday()))
    require_equal("the reports", comparable(expected), comparable(made))
    return "%d reports" % len(made)


def refusals(site):
    """What is not read, and the message: programs that run, other versions, other files, days that may have been reported."""
    theirs, ours = site.collectd(lines=events.first_half()), site.ours()
    refused(ours, "has it open; stop that program first, with SIGTERM", theirs.database)
    theirs.end_day()
    making, _ = site.reportd([theirs.fetcher.command])
    making.start()
    waiting.until("the reports", lambda: reporter.query(making.database, "SELECT count(*) FROM reports") == [(len(events.DOMAINS),)])
    refused(ours, "has it open; stop that program first", making.database)
    making.end()
    refused(ours, "name the database of tlsrpt-reportd too; if no report was made, use --unreported", theirs.database + ".yesterday")
    other = site.path("other.sqlite")
    shutil.copyfile(theirs.database, other)
    edit(other, "UPDATE dbversion SET version = 2")
    refused(ours, "version 2, is not the schema of tlsrpt-reporter 0.6.0", other)
    refused(ours, "not a database of tlsrpt-collectd or tlsrpt-reportd", ours.configuration)
    refused(ours, "No such file", site.path("missing"))
    send_to_collectd(site.program, theirs, events.first_half())
    theirs.end()
    ours.run("migrate", theirs.database)
    theirs.start()
    send_to_collectd(site.program, theirs, events.second_half())
    theirs.end()
    refused(ours, "tlsrpt-collectd ran again, and what is new cannot be told from what was counted", theirs.database)
    ours.run("migrate", theirs.database + ".yesterday", making.database)
    return "each with one line"


def refused(ours, text, *paths):
    before = ours.events()
    out, err = ours.run("migrate", *paths, code=1)
    require(out == "" and text in err and err.count("\n") == 1, "%s: %s%s" % (paths, out, err))
    require_equal("the events before and after", before, ours.events())


def killed(site):
    """A migration that is killed again and again ends with the sums of the source."""
    theirs, ours = site.collectd(lines=events.first_half()), site.ours()
    theirs.end()
    edit(theirs.database,
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
         "INSERT INTO finalresults (day, domain, tlsrptrecord, policy, cntrtotal, cntrfailure) "
         "SELECT '%s', 'd' || i || '.test', 'v=TLSRPTv1; rua=mailto:a@d.test', '{\"policy-type\": 9}', i, i / 2 FROM n" % (MANY, today()),
         "INSERT INTO failures SELECT day, domain, tlsrptrecord, policy, '{\"c\": 202}', cntrfailure FROM finalresults "
         "WHERE domain LIKE 'd%.test' AND domain <> 'dane.test' AND cntrfailure > 0")
    kills = 0
    for batches in range(1, MANY // 500, 4):
        running = subprocess.Popen([ours.program, "migrate", "--config", ours.configuration, theirs.database],
                                   stdout=subprocess.DEVNULL)
        waiting.until("a batch", lambda: running.poll() is not None or number_of_rows(ours) >= batches)
        running.kill()
        kills += running.wait() == -signal.SIGKILL
    require(kills > 1, "it ended before it could be killed")
    ours.run("migrate", theirs.database)
    require_equal("the counters", *counters(theirs.database, ours.query))
    return "killed %d times" % kills


MANY = 20000


def number_of_rows(ours):
    """The number of the last batch of rows in our store."""
    return (ours.query("SELECT max(batch) FROM writer WHERE name LIKE '% rows'") or [(0,)])[0][0] or 0


CASES = [killed, same_counters, in_the_middle_of_a_day, open_deliveries, after_midnight, refusals]
