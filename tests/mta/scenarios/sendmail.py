"""Debian's Sendmail, unmodified, with the rules and the map server that make it report."""

import socket
import time

from harness import domains, expected, judging, project, recorder, roots, sendmail, waiting, world
from harness.scenario import Problem, Row, Scenario

KEY = b"tlsrpt OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;"
QUESTION, ANSWER = b"%d:%s," % (len(KEY), KEY), b"9:NOTFOUND ,"
QUESTIONS = 1000


def arguments(context):
    return {"root": roots.stable_with("sendmail", sendmail.PACKAGES), "world_arguments": world.open_arguments(),
            "installed": [project.packaged(context.checkout, target) for target in ("install", "install-sendmail")]}


def observe(root, installed, world_arguments, names, wanted, access=""):
    """In a namespace: one mail to every domain; WANTED events are waited for, since they come after the mail is gone."""
    host = sendmail.Sendmail(world.World(**world_arguments), root, installed, access=access).record()
    host.serve(activated=bool(access))
    waited = sendmail.WaitingFor(host, wanted)
    seen = judging.observe(waited, names)
    answers = time_answers(host)
    host.stop()
    return {"seen": seen, "mistakes": judging.all_mistakes(seen, host), "answers": answers, "log": host.log(),
            "version": roots.package_version(host.root, "sendmail-bin")}


def time_answers(host):
    """How long the map server takes to answer, in milliseconds: the median and the longest."""
    with socket.socket(socket.AF_UNIX) as client:
        with recorder.short(host.root + sendmail.MAP) as name:
            client.connect(name)
        times = []
        for _ in range(QUESTIONS):
            begin = time.monotonic()
            client.sendall(QUESTION)
            answer = b""
            while len(answer) < len(ANSWER):
                answer += client.recv(len(ANSWER))
            times.append((time.monotonic() - begin) * 1000)
    times.sort()
    return {"right": answer == ANSWER, "median": times[len(times) // 2], "longest": times[-1]}


def check_table(context, table, access, about):
    found = context.call("scenarios.sendmail:observe", names=list(table), wanted=expected.count(table), access=access,
                         **arguments(context))
    judging.judge(found["seen"], table, found["mistakes"])
    complaints = [line for line in found["log"] if "listening at" not in line]
    if complaints or not found["answers"]["right"]:
        raise Problem("the map server answers wrongly, or complains:\n" + "\n".join(complaints))
    context.versions["sendmail"] = found["version"]
    context.versions["sendmail-map, %d answers" % QUESTIONS] = "median %.3f ms, longest %.3f ms" % (
        found["answers"]["median"], found["answers"]["longest"])
    return Row("Sendmail 8.18, Debian 13, as it is, %s" % about,
               judging.counted(found["seen"]) + " as in tests/mta/harness/expected.py")


def check_all(context):
    table = {domain.name: expected.SENDMAIL.get(domain.name, ("", "not in the table")) for domain in domains.DOMAINS}
    return check_table(context, table, "", "`tlsrpt sendmail-map`")


def check_access(context):
    return check_table(context, expected.SENDMAIL_ACCESS, sendmail.DEMANDS,
                       "with demands in its access map, the socket passed as by systemd")


FAULT_DOMAINS = ["good.test", "no-tls.test", "sts-garbage.test", "dane.test", "dane-other.test"]
REFERENCE = "without reporting"
MISSING = "no socket of the map"


def observe_faults(root, installed, world_arguments):
    """In a namespace: the same mails with everything that can be wrong."""
    the_world = world.World(**world_arguments)
    found = {}
    for case, prepare in CASES.items():
        rules = sendmail.WITHOUT_RULES if case == REFERENCE else sendmail.WITH_RULES
        host = sendmail.Sendmail(the_world, root, installed, name=case.replace(" ", "-"), rules=rules)
        prepare(host)
        outcomes = {}
        for name in FAULT_DOMAINS:
            earlier = len(the_world.mails)
            answer = host.send(name)
            outcomes[name] = judging.outcome(host, name, the_world.mails[earlier:], answer)
        found[case] = {"outcomes": outcomes, "log": host_log(host)}
        host.stop()
    return found


def host_log(host):
    """What the map server complained about, when it has complained as often as it must."""
    if not host.server:
        return []
    def complaints():
        return sorted(line for line in host.log() if "listening at" not in line)
    waiting.until("the map server's complaints", lambda: len(complaints()) >= len(LOST))
    return complaints()


def leave_socket(host):
    """As a map server that has ended leaves it."""
    host.serve().stop()
    host.server = None


CASES = {
    REFERENCE: lambda host: None,
    "no collector": lambda host: host.serve(),
    "no map server": leave_socket,
    MISSING: lambda host: None,
}
# The events that a missing collector loses.
LOST = [name for name in FAULT_DOMAINS if expected.SENDMAIL[name][1] != expected.NONE]


def check_faults(context):
    found = context.call("scenarios.sendmail:observe_faults", **arguments(context))
    missing = found.pop(MISSING)
    for case, of_case in found.items():
        if of_case["outcomes"] != found[REFERENCE]["outcomes"]:
            raise Problem("%s: %s\n%s: %s" % (REFERENCE, found[REFERENCE]["outcomes"], case, of_case["outcomes"]))
    wanted = sorted("tlsrpt: no event for %s: cannot send the datagram to the collector: No such file or directory "
                    "(os error 2)" % name for name in LOST)
    if found["no collector"]["log"] != wanted:
        raise Problem("the map server logged %s, not %s" % (found["no collector"]["log"], wanted))
    # Sendmail's own way: the documentation says so, and the unit file sees to it that there is a socket.
    if set(missing["outcomes"].values()) != {expected.DEFERRED}:
        raise Problem("without the socket of the map: %s" % missing["outcomes"])
    return Row("Sendmail 8.18, Debian 13, as it is",
               "no collector, no map server: the same deliveries to %d domains as without reporting" % len(FAULT_DOMAINS))


SCENARIOS = [
    Scenario("sendmail", "Debian 13's Sendmail, unmodified, to all domains", check_all),
    Scenario("sendmail-access", "Sendmail with demands for TLS in its access map", check_access),
    Scenario("sendmail-faults", "Sendmail with no collector, no map server, no socket", check_faults),
]
