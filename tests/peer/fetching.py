"""A tlsrpt-reportd that fetches from hosts with our collector."""

import json
import os
import subprocess

import events
from harness import reporter, waiting
from harness.same_datagrams import of_vectors
from site_of_both import comparable, require, require_equal, yesterday

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADING, TIME, DAY, END = 0, 1, 2, -1  # lines of a list of domains
NEVER = "1999-01-01"


def ours_with(site, lines, name="ours"):
    """One of our hosts, whose day with these events is over."""
    host = site.ours(name)
    host.send(lines)
    host.wait_for(lines)
    host.stop_collecting()
    host.end_day()
    return host


def theirs_with(site, lines, name="theirs"):
    collector = site.collectd(name, lines)
    collector.end_day()
    return collector


def answer(fetcher, *arguments):
    done = subprocess.run(fetcher + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return done.stdout


def lists(fetcher, day):
    """The lines of a list of domains without the time, and the time."""
    lines = answer(fetcher, day).split("\n")
    return lines[:TIME] + lines[TIME + 1:], lines[TIME]


def as_ours(counts):
    """The counts of a domain as tlsrpt-fetcher gives them, with what tlsrpt collect makes of equal policies: the policy domain
    in lower case. Policies that are equal then count together."""
    found = {}
    for text, policy in counts.items():
        description = json.loads(text)
        if "policy-domain" in description:
            description["policy-domain"] = description["policy-domain"].lower()
        ours = found.setdefault(json.dumps(description), {"cntrtotal": 0, "cntrfailure": 0, "failures": {}})
        for name in ("cntrtotal", "cntrfailure"):
            ours[name] += policy[name]
        for failure, times in policy["failures"].items():
            ours["failures"][failure] = ours["failures"].get(failure, 0) + times
    return found


def same_answers(site):
    """tlsrpt fetcher and tlsrpt-fetcher answer the same, byte for byte in the texts that tlsrpt-reportd compares."""
    # tlsrpt fetcher leaves out a name that looks like an option.
    lines = events.day() + [line for line in of_vectors(CHECKOUT) if not json.loads(line)["d"].startswith("-")]
    theirs, ours = theirs_with(site, lines), ours_with(site, lines)
    day = str(yesterday())
    left, right = (lists(fetcher, day) for fetcher in (theirs.fetcher.command, ours.fetcher()))
    require_equal("the lists of domains", left[0], right[0])
    require(len(left[1]) == len(right[1]) == len("2026-11-29 00:37:53"), "the times: %s, %s" % (left[1], right[1]))
    require_equal("the lists of a day that is not there", *(lists(fetcher, NEVER)[0] for fetcher in (
        theirs.fetcher.command, ours.fetcher())))
    domains = left[0][DAY:END - 1]
    require(len(domains) > len(events.DOMAINS), "there are only %s" % domains)
    for domain in domains:
        left, right = (json.loads(answer(fetcher, day, domain)) for fetcher in (theirs.fetcher.command, ours.fetcher()))
        require_equal("the names", left["d"], right["d"])
        require_equal("the counts of " + domain, {record: as_ours(counts) for record, counts in left["policies"].items()},
                      right["policies"])
    left, right = (answer(fetcher, day, "sts.test") for fetcher in (theirs.fetcher.command, ours.fetcher()))
    require_equal("the lines", *(sorted(line.rstrip(",") for line in text.split("\n")) for text in (left, right)))
    return "%d domains" % len(domains)


def same_reports(site):
    """The same datagrams through tlsrpt-collectd and through tlsrpt collect and tlsrpt fetcher: equal report mails."""
    theirs, ours = theirs_with(site, events.day()), ours_with(site, events.day())
    left = site.reports_of_reportd([theirs.fetcher.command], len(events.DOMAINS), "reportd-of-theirs")
    right = site.reports_of_reportd([ours.fetcher()], len(events.DOMAINS), "reportd-of-ours")
    require(len(left) == len(events.DOMAINS), "%d reports of %d domains" % (len(left), len(events.DOMAINS)))
    require_equal("the reports", comparable(left), comparable(right))
    return "%d reports are equal" % len(left)


def mixed_site(site):
    """One tlsrpt-reportd for a host with tlsrpt-collectd and one with our collector: as for two hosts with tlsrpt-collectd."""
    first, second = theirs_with(site, events.first_half(), "first"), theirs_with(site, events.second_half(), "second")
    ours = ours_with(site, events.second_half())
    left = site.reports_of_reportd([first.fetcher.command, second.fetcher.command], len(events.DOMAINS), "reportd-of-theirs")
    right = site.reports_of_reportd([first.fetcher.command, ours.fetcher()], len(events.DOMAINS), "reportd-of-both")
    require_equal("the reports", comparable(left), comparable(right))
    policies = [len(report["policies"]) for _, report in right]
    require(sorted(policies) == [1, 1, 1, 2], "policies of the two hosts were not counted together: %s" % policies)
    return "%d reports are equal" % len(right)


def no_second_reporter(site):
    """tlsrpt fetcher refuses while tlsrpt deliver runs, and what it has reported; without these it answers."""
    host = ours_with(site, events.day())
    day = str(yesterday())
    host.run("fetcher", day)
    delivering = subprocess.Popen([host.program, "deliver", "--config", host.configuration], stderr=subprocess.PIPE, text=True)
    try:
        waiting.until("tlsrpt deliver to make reports", lambda: len(os.listdir(os.path.join(host.folder, "mails"))) == len(events.DOMAINS))
        for arguments in ((day,), (day, "sts.test"), (NEVER,)):
            out, err = host.run("fetcher", *arguments, code=1)
            require(out == "" and "send each report twice" in err, "while tlsrpt deliver runs: %s%s" % (out, err))
    finally:
        delivering.terminate()
        delivering.communicate()
    for arguments in ((day,), (day, "sts.test")):
        out, err = host.run("fetcher", *arguments, code=1)
        require(out == "" and "has made 4 reports about" in err, "after tlsrpt deliver: %s%s" % (out, err))
    host.run("fetcher", NEVER)
    making, mails = site.reportd([host.fetcher()])
    making.start()
    waiting.until("tlsrpt-reportd to give the day up",
                  lambda: reporter.query(making.database, "SELECT status FROM fetchjobs") == [("timedout",)])
    making.end()
    require_equal("the mails", mails.take(), [])
    return "no report is sent twice"


CASES = [same_answers, same_reports, mixed_site, no_second_reporter]
