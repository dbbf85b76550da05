"""`tlsrpt listen --forward` between mail servers and the real collector: the events lost with it and without."""

import os
import threading

from harness import bursts, command, network, reporter, waiting
from harness.scenario import Problem, Row, Scenario

SENT = bursts.PROCESSES * bursts.EVENTS
AWAY = 5  # seconds that the collector is away in a restart
TIGHT, PACED, SLOW = 0, 0.002, 0.05
STORE_SECONDS = 120
# The setting of the namespace, which the sockets of the collector and of the listener get.
QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen"


def observe(program, environment, mountpoint, pause, listening, restart):
    """In a namespace: the number of SENT events that the collector stored, and the length of a queue."""
    folder = command.mount_folder(mountpoint)
    mail_host_socket = os.path.join(folder, "mail", "tlsrpt.sock")
    collector_socket = os.path.join(folder, "collector", "tlsrpt.sock") if listening else mail_host_socket
    for path in {mail_host_socket, collector_socket}:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    # Its default: many events in one transaction.
    collector = reporter.Collector(environment, os.path.join(folder, "database"), collector_socket,
                                   max_uncommited_datagrams="1000")
    collector.start()
    listener = None
    if listening:
        listener = command.Listener(program, mail_host_socket, "--forward", collector_socket, "--format", "json")
    if restart:
        collector.end()
        returns = threading.Timer(AWAY, collector.start)
        returns.start()
    taken = bursts.send(mail_host_socket, pause)
    if restart:
        returns.join()
    stored = wait_for_all(collector, taken)
    if listener:
        listener.end()
    collector.end()
    with open(QUEUE_LENGTH) as length:
        return {"stored": stored, "taken": taken, "queue": int(length.read())}


def wait_for_all(collector, taken):
    """Waits until the collector has stored the events that the system accepted. Returns the number that it stored."""
    try:
        waiting.until("the collector to store all", lambda: collector.count() == taken, STORE_SECONDS)
    except waiting.Timeout:
        pass
    return collector.count()


def arguments(context):
    return {"program": command.built(context.checkout), "environment": reporter.environment(),
            "mountpoint": network.mountpoint()}


def check(context):
    """No event is lost at a steady rate, and none while the collector is away."""
    lost = {}
    for name, pause, restart in (("paced", PACED, False), ("restart", SLOW, True)):
        seen = context.call("scenarios.command_forward:observe", pause=pause, listening=True, restart=restart,
                            **arguments(context))
        if seen["queue"] != 10:
            raise Problem("a queue in a new namespace has %d places: too many for this scenario" % seen["queue"])
        lost[name] = SENT - seen["stored"]
    without = context.call("scenarios.command_forward:observe", pause=SLOW, listening=False, restart=True,
                           **arguments(context))
    if without["stored"] == SENT:
        raise Problem("no event was lost without tlsrpt listen either: the positive control fails")
    if any(lost.values()):
        raise Problem("tlsrpt listen --forward lost events: %s" % lost)
    return Row("tlsrpt listen --forward before tlsrpt-collectd %s, queues of 10 datagrams" % reporter.VERSION,
               "no event lost of %d by %d processes that pause %g ms, and none of as many while the collector is away "
               "for %d s" % (SENT, bursts.PROCESSES, PACED * 1000, AWAY))


def table(context):
    """The lines of the table in docs/command.md: lost events without and with it."""
    yield "| %d processes of %d events | lost without | lost with `tlsrpt listen --forward` |" % (
        bursts.PROCESSES, bursts.EVENTS)
    yield "| --- | --- | --- |"
    for name, pause, restart in (("as fast as they can", TIGHT, False), ("2 ms between events", PACED, False),
                                 ("10 ms between events", 0.01, False),
                                 ("50 ms between events, the collector away for %d s" % AWAY, SLOW, True)):
        cells = []
        for listening in (False, True):
            seen = [context.call("scenarios.command_forward:observe", pause=pause, listening=listening, restart=restart,
                                 **arguments(context)) for _ in range(3)]
            cells.append(" / ".join("{:,}".format(SENT - one["stored"]) for one in seen))
        yield "| %s | %s |" % (name, " | ".join(cells))


SCENARIOS = [Scenario("command-forward", "tlsrpt listen --forward before the real collector", check)]
