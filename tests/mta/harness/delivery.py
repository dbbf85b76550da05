"""Sends a mail to each of some domains and records the observations of each: log lines, outcome, datagrams."""

import json
import re

from harness import domains, postfix, waiting

TLSRPT_STATUS = "TLSRPT: status="
NOT_REPORTED = "Could not report"
WARNING_OF_TLSRPT = re.compile(r"warning: .*tlsrpt", re.IGNORECASE)
QUEUE_ID_AT = 5  # the index of the word in a log line, after date, time, host and program
OUTCOME = re.compile(r"dsn=([\d.]+), status=(\w+)")


def deliver(host, recorder, names, send=None):
    """Sends one mail to every domain, waits for an attempt to deliver each, and returns {domain: observations}.

    SEND(recipients), if given, submits the mail.
    """
    mark, first = host.mark(), recorder.count()
    for name in names:
        (send or host.send)([domains.BY_NAME[name].recipient])
    try:
        waiting.until("a delivery attempt for each of %s" % ", ".join(names),
                      lambda: all(outcomes(host.log(mark), name) for name in names))
        waiting.until("a datagram for each event that Postfix logged",
                      lambda: reported(host.log(mark)) <= recorder.count() - first)
    except waiting.Timeout as timeout:
        missing = [name for name in names if not outcomes(host.log(mark), name)]
        raise RuntimeError("%s\nwithout an attempt: %s\nevents logged: %d, arrived: %d\nmail log:\n%s" % (
            timeout, ", ".join(missing) or "none", reported(host.log(mark)), recorder.count() - first,
            "\n".join(host.log(mark)))) from None
    lines, datagrams = host.log(mark), recorder.since(first)
    host.forget_mails()
    seen = {name: observe(name, lines, datagrams) for name in names}
    seen["(all)"] = {
        "outcome": [], "events": [], "log": lines,
        "datagrams": sorted(text(datagram) for datagram in datagrams if domain_of(datagram) not in names),
        "warnings": sorted(postfix.without_process(line) for line in lines if WARNING_OF_TLSRPT.search(line))}
    return seen


def observe(name, lines, datagrams):
    """The observations of the mail to one domain."""
    recipient = "to=<%s>" % domains.BY_NAME[name].recipient
    queue_ids = {line.split()[QUEUE_ID_AT] for line in lines if recipient in line}
    of_mail = [line for line in lines if queue_ids.intersection(line.split()[QUEUE_ID_AT:QUEUE_ID_AT + 1])
               or event_of(name, line) or domains.BY_NAME[name].server in line]
    return {"outcome": outcomes(lines, name),
            "events": sorted(postfix.without_process(line) for line in lines if event_of(name, line)),
            "datagrams": sorted(text(datagram) for datagram in datagrams if domain_of(datagram) == name),
            "warnings": [],
            "log": of_mail}


def outcomes(lines, name):
    """The outcomes of the attempts to deliver to a domain: enhanced status code and status."""
    recipient = "to=<%s>" % domains.BY_NAME[name].recipient
    return [" ".join(OUTCOME.search(line).groups()) for line in lines if recipient in line and OUTCOME.search(line)]


def event_of(name, line):
    """Whether a log line is about a TLSRPT event of a domain."""
    return TLSRPT_STATUS in line and "domain=%s," % name in line


def reported(lines):
    """The number of events that Postfix logged and the library took without an error."""
    return (sum(TLSRPT_STATUS in line for line in lines)
            - sum(NOT_REPORTED in line for line in lines))


def text(datagram):
    """A datagram as text. A byte that is not UTF-8 becomes an escape."""
    return datagram.decode("utf-8", "backslashreplace")


def domain_of(datagram):
    """The recipient domain that a datagram names."""
    try:
        return json.loads(datagram.decode("utf-8", "replace"))["d"]
    except (ValueError, KeyError, TypeError):
        return None
