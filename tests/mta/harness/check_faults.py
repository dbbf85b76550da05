"""Planted faults: each is a state of a mail host, what `tlsrpt check` must find in it, and how it is mended."""

import os
import subprocess
from dataclasses import dataclass, field

from harness import remedies, reporter
from harness.checked import FAIL, OK, WARN
from harness.scenario import Problem, Row

PASTE = "paste"  # the command in the remedy, which follows "run: ", mends the fault
FOLLOW = "follow"  # the remedies mend the fault, done one after the other


@dataclass(frozen=True)
class Fault:
    """A line of a table of faults."""

    name: str
    plant: object  # a function of the host
    finds: dict  # {check: status} of all findings that are not OK; the first one is the first of them and has the remedy
    says: str = ""  # a text that the message of the first one must have
    remedy: str = ""  # a text that its remedy must have
    mend: object = None  # a function of the host, PASTE or FOLLOW
    after: object = None  # a function of the host, called when all is done
    silent: bool = False  # a mail in this state causes no event; without a fault it does
    options: list = field(default_factory=list)  # of `tlsrpt check`, if not the usual ones


def try_all(host, faults):
    """Plants the faults one after the other. Returns a text for each wrong result."""
    wrong = complaints("before all faults", host.check(), {})
    if any(fault.silent for fault in faults) and host.events_of_a_mail() != 1:
        wrong.append("without a fault, a mail does not cause one event")
    host.restore()
    for fault in faults:
        try:
            wrong += try_one(host, fault)
        except (Problem, RuntimeError, OSError) as problem:
            wrong.append("%s: %s: %s" % (fault.name, type(problem).__name__, problem))
            for step in (fault.mend, fault.after):
                if callable(step):
                    step(host)
            host.restore()
    return wrong


def require_none(wrong):
    """Raises Problem if a result was wrong."""
    if wrong:
        raise Problem("\n".join(wrong))


def row(about, faults, wrong):
    """The line of a table of faults and sound states, if no result was wrong."""
    require_none(wrong)
    return Row(about, "%d planted faults, each found, with the remedy; nothing is found in %d sound states; a test event is stored" % (
        len(faults.ALL), 1 + len(faults.SOUND)))


def try_sound(host, states):
    """Brings the host into states in which all is reported. Returns a text for each finding, and for each mail without event."""
    wrong = complaints("as installed", host.check(), {})
    for name, plant in states:
        try:
            plant(host)
            wrong += complaints(name, host.check(), {})
            count = host.events_of_a_mail()
            if count != 1:
                wrong.append("%s: a mail causes %d events" % (name, count))
        except (Problem, RuntimeError, OSError) as problem:
            wrong.append("%s: %s: %s" % (name, type(problem).__name__, problem))
        host.restore()
    return wrong


def try_send(host):
    """Sends a test event by the whole way. Returns a text for each wrong result."""
    result = host.check(*host.options, "--send")
    wrong = complaints("with a test event", result, {})
    if not {"sent", "stored"}.issubset(finding["check"] for finding in result[1]):
        wrong.append("no test event was sent and found: %s" % result[1])
    return wrong


def try_collectd(host, environment):
    """The collector of tlsrpt-reporter in the place of ours, with a socket for the group of the mail server."""
    host.end_collector()
    other = reporter.Collector(environment, os.path.join(host.network.folder, "collectd"), host.path(host.ours.socket)).start()
    os.chown(other.socket, 0, host.group_number())
    os.chmod(other.socket, 0o660)
    result = host.check()
    wrong = complaints("with tlsrpt-collectd", result, {})
    if not any(finding["check"] == "collector" and "python" in finding["message"] for finding in result[1]):
        wrong.append("no finding names the process of tlsrpt-collectd: %s" % result[1])
    other.end()
    host.restore()
    return wrong


def try_table(host, table):
    """All of a module with faults, ALL, and sound states, SOUND."""
    return try_all(host, table.ALL) + try_send(host) + try_sound(host, table.SOUND)


def try_one(host, fault):
    fault.plant(host)
    result = host.check(*fault.options)
    wrong = complaints(fault.name, result, fault.finds)
    if not wrong:
        wrong = words(fault, result[1]) + unpasteable(fault, result[1])
    if fault.silent:
        count = host.events_of_a_mail()
        if count:
            wrong.append("%s: a mail causes %d events in this state" % (fault.name, count))
        if host.counting_disturbs and fault.mend == PASTE:
            host.restore()
            fault.plant(host)
            result = host.check(*fault.options)
            wrong += complaints(fault.name + ", planted again", result, fault.finds)
    if fault.mend == PASTE and not wrong:
        command = first(fault, result[1])["command"]
        printed = host.shell(command)
        mended = "%s, after %r, which printed %r" % (fault.name, command, printed)
        wrong += complaints(mended, host.check(*fault.options), {})
        if not wrong and host.starts_again():
            wrong += complaints(mended + ", and started again", host.check(*fault.options), {})
        if fault.silent and not wrong and host.events_of_a_mail() != 1:
            wrong.append("%s: a mail does not cause one event" % mended)
    elif fault.mend == FOLLOW and not wrong:
        wrong += ["%s: %s" % (fault.name, text) for text in remedies.follow(host)]
    elif callable(fault.mend):
        fault.mend(host)
    if fault.after:
        fault.after(host)
    host.restore()
    return wrong + complaints("after " + fault.name, host.check(), {})


def try_monitor(host, states):
    """Brings the host into states of which monitoring has to know. Returns a text for each wrong exit code or first line."""
    wrong = []
    for plant, code, word in states:
        plant(host)
        found, printed = host.tlsrpt("check", *host.options, "--monitor", "--quiet")
        if found != code or not printed.startswith("TLSRPT %s - " % word) or (printed.count("\n") > 1) != bool(code):
            wrong.append("monitoring: wanted %d and %s, found %d and %s" % (code, word, found, printed))
        host.restore()
    return wrong


def complaints(when, result, finds):
    """Nothing, if exactly these checks are not OK, the planted one is the first of them, and the exit code says so."""
    code, findings = result
    found = {}
    for finding in findings:
        if finding["status"] != OK:
            found[finding["check"]] = max(found.get(finding["check"], ""), finding["status"], key=["", WARN, FAIL].index)
    wanted_code = 1 if FAIL in finds.values() else 0
    bad = [finding["check"] for finding in findings if finding["status"] != OK]
    if found == finds and code == wanted_code and bad[:1] == list(finds)[:1]:
        return []
    lines = ["    %(status)s %(check)s: %(message)s" % finding + " -> " + finding.get("remedy", "")
             for finding in findings if finding["status"] != OK or finding["check"] in finds]
    return ["%s: wanted %s and exit code %d, found %s and %d\n%s" % (when, finds, wanted_code, found, code, "\n".join(lines))]


def try_unfit(host, fault):
    """A host whose mail server cannot report, as it is. Nothing on it mends that. Returns a text for each wrong result."""
    result = host.check()
    return complaints(fault.name, result, fault.finds) or words(fault, result[1]) + unpasteable(fault, result[1])


def words(fault, findings):
    """Nothing, if the first finding has the words of its fault."""
    finding = first(fault, findings)
    return ["%s: %r is not in the %s %r" % (fault.name, text, member, finding.get(member))
            for member, text in (("message", fault.says), ("remedy", fault.remedy)) if text not in (finding.get(member) or "")]


def unpasteable(fault, findings):
    """A text for each finding whose remedy has no command after "run: ", or one that bash cannot read."""
    wrong = []
    for finding in findings:
        if finding["status"] == OK:
            continue
        command, remedy = finding.get("command"), finding["remedy"]
        if not command or not remedy.endswith("run: " + command):
            wrong.append("%s: the remedy of %s has no command: %r" % (fault.name, finding["check"], remedy))
        elif subprocess.run(["bash", "-n", "-c", command], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            wrong.append("%s: bash cannot read the command of %s: %r" % (fault.name, finding["check"], command))
    return wrong


def first(fault, findings):
    check, status = next(iter(fault.finds.items()))
    return next(finding for finding in findings if finding["check"] == check and finding["status"] == status)
