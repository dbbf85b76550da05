"""`tlsrpt collect` and tlsrpt-collectd receive the same datagrams of a real Postfix: the stored counters must be equal."""

import contextlib
import json
import sqlite3

from harness import command, network, reporter, roots, same_datagrams
from harness.scenario import Problem, Row, Scenario

# Of both collectors: (day, domain, record, policy, sessions, failed sessions), and (day, domain, record, policy,
# failure, times).
THEIR_SESSIONS = "SELECT replace(day, '-', ''), domain, tlsrptrecord, policy, cntrtotal, cntrfailure FROM finalresults"
THEIR_FAILURES = "SELECT replace(day, '-', ''), domain, tlsrptrecord, policy, reason, cntr FROM failures"
OUR_SESSIONS = """SELECT cast(day AS TEXT), domain.name, record.content, policy.content, succeeded + failed, failed
    FROM sessions JOIN domain ON domain.id = domain JOIN record ON record.id = record JOIN policy ON policy.id = policy"""
OUR_FAILURES = """SELECT cast(day AS TEXT), domain.name, record.content, policy.content, failure.content, times
    FROM failures JOIN domain ON domain.id = domain JOIN record ON record.id = record JOIN policy ON policy.id = policy
    JOIN failure ON failure.id = failure"""
POLICY, REASON = 3, 4  # the columns that have JSON


def observe_postfix(program, root, environment, network_arguments):
    """In a namespace: the rows of both from the datagrams of Postfix."""
    lines, folder = same_datagrams.of_postfix(root, network_arguments)
    return rows_of_both(program, environment, folder, lines)


def observe_vectors(program, environment, mountpoint, lines):
    """In a namespace: the rows of both from recorded datagrams."""
    return rows_of_both(program, environment, command.mount_folder(mountpoint), lines)


def rows_of_both(program, environment, folder, lines):
    """Sends the datagrams to both collectors and returns their rows."""
    theirs, ours = same_datagrams.send_to_both(
        program, environment, folder, lines, lambda place: command.Collector(program, place))
    ours.end()
    found = {"datagrams": len(lines),
             "theirs": [rows(theirs.database, statement, REASON if failures else POLICY)
                        for failures, statement in enumerate((THEIR_SESSIONS, THEIR_FAILURES))],
             "ours": [rows(ours.database, statement, REASON if failures else POLICY)
                      for failures, statement in enumerate((OUR_SESSIONS, OUR_FAILURES))]}
    theirs.end()
    return found


def rows(database, statement, last_json):
    """The rows of a query in a fixed order, with the JSON in the columns from POLICY to LAST_JSON in one form."""
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % database, uri=True)) as connection:
        return in_one_form(connection.execute(statement), last_json)


def in_one_form(found, last_json):
    """Rows in a fixed order, with the JSON in the columns from POLICY to LAST_JSON in one form."""
    found = [list(row) for row in found]
    for row in found:
        for column in range(POLICY, last_json + 1):
            value = json.loads(row[column])
            # tlsrpt collect stores domains in lower case.
            if "policy-domain" in value:
                value["policy-domain"] = value["policy-domain"].lower()
            row[column] = json.dumps(value, sort_keys=True)
    return sorted(found)


def judge(seen):
    """The numbers of rows. Raises Problem unless both collectors have equal rows."""
    for what, theirs, ours in zip(("sessions", "failures"), seen["theirs"], seen["ours"]):
        differing = ["tlsrpt-collectd has %s" % row for row in theirs if row not in ours]
        differing += ["tlsrpt collect has %s" % row for row in ours if row not in theirs]
        if differing or not theirs:
            raise Problem("the rows of %s differ:\n%s" % (what, "\n".join(differing[:10]) or "there are none"))
    return [len(of_kind) for of_kind in seen["ours"]]


def row(what, seen):
    sessions, failures = judge(seen)
    return Row("tlsrpt collect and tlsrpt-collectd %s, on %s" % (reporter.VERSION, what),
               "%d datagrams: %d rows of sessions and %d of failures are equal" % (
                   seen["datagrams"], sessions, failures))


def check_postfix(context):
    seen = context.call("scenarios.collect:observe_postfix", program=command.built(context.checkout),
                        root=roots.debian(roots.STABLE), environment=reporter.environment(),
                        network_arguments=network.open_arguments())
    return row(same_datagrams.OF_POSTFIX, seen)


def check_vectors(context):
    seen = context.call("scenarios.collect:observe_vectors", program=command.built(context.checkout),
                        environment=reporter.environment(), mountpoint=network.mountpoint(),
                        lines=same_datagrams.of_vectors(context.checkout))
    return row("the recorded datagrams", seen)


SCENARIOS = [Scenario("collect", "the counters of tlsrpt collect and of tlsrpt-collectd, of a day of Postfix", check_postfix),
             Scenario("collect-vectors", "the same of recorded datagrams", check_vectors)]
