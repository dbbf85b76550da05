"""Planted faults: each is a state of a mail host, what `tlsrpt check` must find in it, and how it is mended."""

from dataclasses import dataclass, field

from harness.checked import FAIL, OK, WARN
from harness.scenario import Problem

PASTE = "paste"  # the command in the remedy mends the fault
MORE = "; to keep it"  # what follows the command
RUN = "run: "  # what comes before the command
COMMAND_AFTER = ": "  # in a remedy that explains something before its command


@dataclass(frozen=True)
class Fault:
    """A line of a table of faults."""

    name: str
    plant: object  # a function of the host
    finds: dict  # {check: status} of all findings that are not OK; the first one has the remedy
    says: str = ""  # a text that the message of the first one must have
    remedy: str = ""  # a text that its remedy must have
    mend: object = None  # a function of the host, or PASTE
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
            if callable(fault.mend):
                fault.mend(host)
            host.restore()
    return wrong


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


def try_one(host, fault):
    fault.plant(host)
    result = host.check(*fault.options)
    wrong = complaints(fault.name, result, fault.finds)
    if not wrong:
        wrong = words(fault, result[1])
    if fault.silent:
        count = host.events_of_a_mail()
        if count:
            wrong.append("%s: a mail causes %d events in this state" % (fault.name, count))
        if host.counting_disturbs and fault.mend == PASTE:
            host.restore()
            fault.plant(host)
    if fault.mend == PASTE and not wrong:
        command = pasted(first(fault, result[1])["remedy"])
        printed = host.shell(command)
        mended = "%s, after %r, which printed %r" % (fault.name, command, printed)
        wrong += complaints(mended, host.check(*fault.options), {})
        if fault.silent and not wrong and host.events_of_a_mail() != 1:
            wrong.append("%s: a mail does not cause one event" % mended)
    elif callable(fault.mend):
        fault.mend(host)
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
    """Nothing, if exactly these checks are not OK, and the exit code says so."""
    code, findings = result
    found = {}
    for finding in findings:
        if finding["status"] != OK:
            found[finding["check"]] = max(found.get(finding["check"], ""), finding["status"], key=["", WARN, FAIL].index)
    wanted_code = 1 if FAIL in finds.values() else 0
    if found == finds and code == wanted_code:
        return []
    lines = ["    %(status)s %(check)s: %(message)s" % finding + " -> " + finding.get("remedy", "")
             for finding in findings if finding["status"] != OK or finding["check"] in finds]
    return ["%s: wanted %s and exit code %d, found %s and %d\n%s" % (when, finds, wanted_code, found, code, "\n".join(lines))]


def words(fault, findings):
    """Nothing, if the first finding has the words of its fault."""
    finding = first(fault, findings)
    return ["%s: %r is not in the %s %r" % (fault.name, text, member, finding.get(member))
            for member, text in (("message", fault.says), ("remedy", fault.remedy)) if text not in (finding.get(member) or "")]


def first(fault, findings):
    check, status = next(iter(fault.finds.items()))
    return next(finding for finding in findings if finding["check"] == check and finding["status"] == status)


def pasted(remedy):
    """The command of a remedy."""
    _, run, command = remedy.rpartition(RUN)
    return command if run else remedy.partition(MORE)[0].rpartition(COMMAND_AFTER)[2]
