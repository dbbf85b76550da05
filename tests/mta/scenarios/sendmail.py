"""Debian's Sendmail, unmodified, with the rules and the map server that make it report."""

import os
import smtplib
import socket
import time

from harness import certificates, documents, domains, events, expected, judging, project, recorder, roots, sendmail
from harness import command, network, waiting
from harness.scenario import Problem, Row, Scenario

KEY = b"tlsrpt OK;[192.0.2.25];mx.example.org;192.0.2.25;;?;"
QUESTION, ANSWER = b"%d:%s," % (len(KEY), KEY), b"9:NOTFOUND ,"
QUESTIONS = 1000


def arguments(context):
    return {"root": roots.stable_with("sendmail", sendmail.PACKAGES), "network_arguments": network.open_arguments(),
            "installed": [project.packaged(context.checkout, target) for target in ("install", "install-sendmail")]}


def observe(root, installed, network_arguments, names, wanted, access=""):
    """In a namespace: one mail to every domain. Waits for WANTED events, because they arrive after the mail is sent."""
    host = sendmail.Sendmail(network.Network(**network_arguments), root, installed, access=access).record()
    host.serve(host.listen() if access else None)
    waited = sendmail.WaitingFor(host, wanted)
    seen = judging.observe(waited, names)
    answers = time_answers(host)
    host.stop()
    return {"seen": seen, "mistakes": judging.all_mistakes(seen, host), "answers": answers, "log": host.log(),
            "version": roots.package_version(host.root, "sendmail-bin")}


def time_answers(host):
    """The time of an answer of the map server, in milliseconds: the median and the longest."""
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
    complaints = [line for line in found["log"] if command.LISTENING not in line]
    if complaints or not found["answers"]["right"]:
        raise Problem("the map server answers wrongly, or logs errors:\n" + "\n".join(complaints))
    context.versions["sendmail"] = found["version"]
    context.versions["sendmail-map, %d answers" % QUESTIONS] = "median %.3f ms, longest %.3f ms" % (
        found["answers"]["median"], found["answers"]["longest"])
    return Row("Sendmail 8.18, Debian 13, unmodified, %s" % about,
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


def observe_faults(root, installed, network_arguments):
    """In a namespace: the same mails with each fault."""
    the_network = network.Network(**network_arguments)
    found = {}
    for case, prepare in CASES.items():
        rules = sendmail.WITHOUT_RULES if case == REFERENCE else sendmail.WITH_RULES
        host = sendmail.Sendmail(the_network, root, installed, name=case.replace(" ", "-"), rules=rules)
        prepare(host)
        outcomes = {name: judging.deliver(host, name) for name in FAULT_DOMAINS}
        found[case] = {"outcomes": outcomes, "log": host_log(host)}
        host.stop()
    return found


def host_log(host):
    """The errors that the map server logged. Waits until there is one for each lost event."""
    if not host.server:
        return []
    def complaints():
        return sorted(line for line in host.log() if command.LISTENING not in line)
    waiting.until("the map server's log", lambda: len(complaints()) >= len(LOST))
    return complaints()


def leave_socket(host):
    """Leaves the socket of a map server that has ended."""
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
    wanted = sorted("tlsrpt: no event for %s: cannot send the datagram to the collector: No such file or directory"
                    % name for name in LOST)
    if found["no collector"]["log"] != wanted:
        raise Problem("the map server logged %s, not %s" % (found["no collector"]["log"], wanted))
    # docs/sendmail.md describes this; the unit creates the socket before Sendmail starts.
    if set(missing["outcomes"].values()) != {expected.DEFERRED}:
        raise Problem("without the socket of the map: %s" % missing["outcomes"])
    return Row("Sendmail 8.18, Debian 13, unmodified",
               "no collector, no map server: the same deliveries to %d domains as without reporting" % len(FAULT_DOMAINS))


SERVER_ANSWERS = "no match (68)"
DOCUMENT = "sendmail.md"
DOMAIN = "good.test"


def observe_document(root, installed, network_arguments, configure, check):
    """In a namespace: the steps of the documentation, then the removal of the package."""
    host = sendmail.Sendmail(network.Network(**network_arguments), root, installed, rules=sendmail.WITHOUT_RULES).record()
    host.serve()
    host.set_up(configure)
    found = {"shown": host.set_up(check), "delivered": deliver(host, 1)}
    host.stop()
    found["shown without a server"] = host.set_up(check)
    os.unlink(host.root + sendmail.RULES)
    # The file now has the line for the rules twice; each includes nothing.
    host.set_up(configure)
    found["without the package"] = deliver(host, 0)
    return found


def deliver(host, wanted):
    """One mail: its outcome and its events. If none is wanted, no server runs that could send one."""
    del host.recording.datagrams[:]
    outcome = judging.deliver(host, DOMAIN)
    waiting.until("the event", lambda: len(host.recording.datagrams) >= wanted)
    return [outcome, [events.summary(datagram.decode()) for datagram in host.recording.datagrams]]


def check_document(context):
    """The commands of docs/sendmail.md."""
    def commands(heading):
        return documents.commands(context.checkout, DOCUMENT, heading)
    installed = project.made(context.checkout, DOCUMENT, ["install-command", "install-sendmail", "PREFIX=/usr"])
    found = context.call("scenarios.sendmail:observe_document", **dict(arguments(context), installed=[installed]),
                         configure=commands("Configure Sendmail"), check=commands("See that it works"))
    wanted = {"delivered": [expected.TLS, [expected.OPPORTUNISTIC]], "without the package": [expected.TLS, []]}
    shown, without = found.pop("shown"), found.pop("shown without a server")
    if SERVER_ANSWERS not in shown or SERVER_ANSWERS in without:
        raise Problem("the check in docs/sendmail.md shows %s\nand without a server %s" % (shown, without))
    if found != wanted:
        raise Problem("wanted %s\nfound  %s" % (wanted, found))
    return Row("Sendmail 8.18, Debian 13, unmodified, set up by the commands of docs/sendmail.md",
               "1 mail, 1 event; the same delivery after the package is removed")


# The longest name of a local socket.
LONGEST_PATH = 107
BETWEEN = ["good.test", "self-signed.test"]


def observe_limits(root, installed, network_arguments):
    """In a namespace: no socket, with each way in which Sendmail delivers; the longest path; a signal while DNS is silent."""
    the_network = network.Network(**network_arguments)
    return {"no socket": without_socket(the_network, root, installed),
            "longest path": with_longest_path(the_network, root, installed), "signal": end_with_silent_dns(the_network, root, installed)}


def without_socket(the_network, root, installed):
    host = sendmail.Sendmail(the_network, root, installed, name="no-socket")
    log = recorder.Recorder(host.root + "/dev/log").start()
    for name in BETWEEN:
        host.queue(name)
    before = len(the_network.mails)
    host.run_queue()
    found = {"one queue run": [len(the_network.mails) - before, sum(host.waiting(name) for name in BETWEEN)]}
    before = len(the_network.mails)
    with host.daemon() as address:
        with smtplib.SMTP(*address) as client:
            client.sendmail("sender@" + certificates.MAIL_HOST, ["user@" + DOMAIN], "Subject: a test\n\nhello\n")
        waiting.until("the mail", lambda: len(the_network.mails) > before)
    found["daemon"] = the_network.mails[-1]["tls"]
    found["SYSERR"] = any(b"SYSERR" in line and b'socket map "tlsrpt"' in line for line in log.datagrams)
    return found


def with_longest_path(the_network, root, installed):
    path = "/run/tlsrpt-sendmail/".ljust(LONGEST_PATH, "m")
    rules = "define(`confTLSRPT_MAP', `unix:%s')dnl\n%s" % (path, sendmail.WITH_RULES)
    host = sendmail.Sendmail(the_network, root, installed, name="longest", rules=rules, map_path=path).record()
    found = []
    # The second server replaces the socket of the first one.
    for _ in range(2):
        host.serve()
        found.append(deliver(host, 1))
        host.stop()
    return found


def end_with_silent_dns(the_network, root, installed):
    host = sendmail.Sendmail(the_network, root, installed, name="silent")
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind((network.SILENT_RESOLVER, 53))
    # One attempt that outlasts the time that events have at the end.
    host.write("/etc/resolv.conf", "nameserver %s\noptions timeout:30\n" % network.SILENT_RESOLVER)
    host.serve()
    with socket.socket(socket.AF_UNIX) as client:
        with recorder.short(host.root + sendmail.MAP) as name:
            client.connect(name)
        for domain in BETWEEN:
            key = b"tlsrpt OK;%s;mx.example.org;192.0.2.25;;?;" % domain.encode()
            client.sendall(b"%d:%s," % (len(key), key))
            client.recv(len(ANSWER), socket.MSG_WAITALL)
        host.server.terminate()
        # While the server waits for DNS it still answers.
        waiting.until("the end begins", lambda: "is ending" in "".join(refuse(client, host)))
        code = host.server.wait(60)
    return {"code": code, "log": [line for line in host.log() if "were not sent" in line]}


def refuse(client, host):
    """Asks once more; the lines in which the server refuses the event."""
    client.sendall(QUESTION)
    if client.recv(len(ANSWER), socket.MSG_WAITALL) != ANSWER:
        raise Problem("the server does not answer while it ends")
    return [line for line in host.log() if "ending" in line]


def check_limits(context):
    found = context.call("scenarios.sendmail:observe_limits", **arguments(context))
    wanted = {
        # The mails that were sent in a queue run, and those that still wait.
        "no socket": {"one queue run": [0, 2], "daemon": True, "SYSERR": True},
        "longest path": [[expected.TLS, [expected.OPPORTUNISTIC]]] * 2,
        "signal": {"code": 1, "log": ["tlsrpt: 2 events were not sent: DNS gave no answer in the last 10 s"]},
    }
    if found != wanted:
        raise Problem("wanted %s\nfound  %s" % (wanted, found))
    return Row("Sendmail 8.18, Debian 13, unmodified", "without the socket, a socket with the longest path, and the end of the map "
               "server while DNS is silent: as docs/sendmail.md describes")


SCENARIOS = [
    Scenario("sendmail", "Debian 13's Sendmail, unmodified, to all domains", check_all),
    Scenario("sendmail-access", "Sendmail with demands for TLS in its access map", check_access),
    Scenario("sendmail-faults", "Sendmail with no collector, no map server, no socket", check_faults),
    Scenario("sendmail-document", "the commands of docs/sendmail.md", check_document),
    Scenario("sendmail-limits", "Sendmail without the socket, with the longest path, with a silent DNS", check_limits),
]
