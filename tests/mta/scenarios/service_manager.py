"""`tlsrpt collect` as `make install` installs it, under systemd: nothing of what a mail server sends is lost."""

import ctypes
import multiprocessing
import os
import signal
import socket

from harness import command, network, project, reporter, service_manager, waiting
from harness.scenario import CANDIDATE, Problem, Row, Scenario

PROCESSES, ROUNDS, EVENTS = 20, 20, 50  # in each round, each process sends so many events: 1,000 in all
NO_POLICY, SUCCESS = 9, 0
# What is read and not committed: docs/collecting.md.
MOST_LOST = 8192
MOST_EXPOSED = 2.0
WARNING, INFORMATION = "4", "6"
WAITING = 8  # events that wait in the queue: its shortest length is 10
# The collector stands still before it is ready.
STOPPED_AT_START = "[Service]\nExecStart=\nExecStart=/bin/sh -c 'kill -STOP $$$$; exec /usr/bin/tlsrpt collect'\n"
QUICK_WATCHDOG = "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n"


class Senders:
    """Processes that send through the library. Half of them wait while the queue is full; the others are told."""

    def __init__(self, library, socket_path):
        self.begin, self.end = (multiprocessing.Barrier(PROCESSES + 1, timeout=120) for _ in range(2))
        self.sent = multiprocessing.Value("q", 0)
        self.processes = [multiprocessing.Process(target=self._send, args=(library, socket_path.encode(), number), daemon=True)
                          for number in range(PROCESSES)]
        for process in self.processes:
            process.start()

    def round(self, meanwhile):
        """Has each send its events, and calls MEANWHILE() at the same time."""
        self.begin.wait()
        meanwhile()
        self.end.wait()

    def total(self):
        """How many events the library said were sent, in all rounds."""
        for process in self.processes:
            process.join(60)
        if any(process.exitcode != 0 for process in self.processes):
            raise RuntimeError("a sender failed")
        return self.sent.value

    def _send(self, library, socket_name, number):
        functions = ctypes.CDLL(library)
        (functions.tlsrpt_set_blocking if number % 2 else functions.tlsrpt_set_nonblocking)()
        for _ in range(ROUNDS):
            self.begin.wait()
            sent = sum(send_event(functions, socket_name, b"host%d.example" % number) for _ in range(EVENTS))
            with self.sent.get_lock():
                self.sent.value += sent
            self.end.wait()


def send_event(functions, socket_name, domain):
    """Sends an event as Postfix does, on a connection of its own. Whether the library says that it was sent."""
    connection, request = ctypes.c_void_p(), ctypes.c_void_p()
    codes = [functions.tlsrpt_open(ctypes.byref(connection), socket_name),
             functions.tlsrpt_init_delivery_request(ctypes.byref(request), connection, domain, b"v=TLSRPTv1;rua=mailto:a@b.example"),
             functions.tlsrpt_init_policy(request, NO_POLICY, domain),
             functions.tlsrpt_finish_policy(request, SUCCESS)]
    if any(codes):
        raise RuntimeError("the library failed: %s" % codes)
    outcome = functions.tlsrpt_finish_delivery_request(ctypes.byref(request))
    functions.tlsrpt_close(ctypes.byref(connection))
    return outcome == 0


def observe(lower, installed, mountpoint, library):
    """In a namespace: what becomes of the events, and what systemd sees of the collector."""
    reporter.wait_for_a_day_to_count_on()
    system = service_manager.installed_system(lower, installed, mountpoint)
    seen = {"version": system.run("systemctl", "--version").split("\n")[0],
            "exposure": {name: system.exposure(name) for name in service_manager.SERVICES}}
    seen["states"] = states_of_a_start(system)
    socket_path = system.path(service_manager.SOCKET)
    seen["restarts"] = through(system, library, socket_path, lambda: system.systemctl("restart", service_manager.SERVICE))
    seen["kills"] = through(system, library, socket_path, lambda: system.wait_for_another(system.kill(signal.SIGKILL)))
    seen["waiting"] = waiting_through_a_kill(system, library, socket_path)
    seen["status"] = status(system)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"5", socket_path)
    waiting.until("the invalid datagram to be counted", lambda: system.counts()["invalid"] == 1)
    waiting.until("the journal to have the line about it", lambda: any("invalid datagram" in text for _, text in system.journal()))
    seen["journal"] = sorted({(priority, words) for priority, text in system.journal()
                              for words in ("invalid datagram", command.LISTENING) if words in text})
    seen["prefixes"] = sum(text.startswith("<") for _, text in system.journal())
    seen["watchdog"] = watchdog(system)
    seen["failed"] = system.systemctl("--failed", "--no-legend", "--plain").split()[:1]
    return seen


def states_of_a_start(system):
    """The states of the service before and after it says that it is ready."""
    system.settings(STOPPED_AT_START)
    system.systemctl("enable", "--now", service_manager.SOCKET_UNIT)
    system.systemctl("start", "--no-block", service_manager.SERVICE)

    def stopped():
        process = system.property("MainPID")
        return process != "0" and service_manager.STOPPED in system.run("cat", "/proc/%s/status" % process, check=False)
    waiting.until("the collector to stand still", stopped)
    states = [system.property("ActiveState")]
    system.kill(signal.SIGCONT)
    waiting.until("the collector to be ready", system.active)
    system.no_settings()
    system.systemctl("restart", service_manager.SERVICE)
    return states + [system.property("ActiveState"), system.property("Type")]


def through(system, library, socket_path, interrupt):
    """Sends while the collector is interrupted in each round. [what the library said was sent, what is stored]"""
    before = system.counts()["events"]
    senders = Senders(library, socket_path)
    for _ in range(ROUNDS):
        senders.round(interrupt)
    sent = senders.total()
    # Whatever arrived before this event is read before it.
    while not send_event(ctypes.CDLL(library), socket_path.encode(), b"last.example"):
        pass
    waiting.until("the last event", lambda: "last.example" in system.run("tlsrpt", "status", "--domain", "last.example", check=False))
    system.systemctl("restart", service_manager.SERVICE)
    return [sent + 1, system.counts()["events"] - before]


def waiting_through_a_kill(system, library, socket_path):
    """Sends while the collector stands still, and kills it. [sent, stored]"""
    before = system.counts()["events"]
    process = system.stand_still()
    functions = ctypes.CDLL(library)
    sent = sum(send_event(functions, socket_path.encode(), b"waiting.example") for _ in range(WAITING))
    if system.kill(signal.SIGKILL) != process:
        raise RuntimeError("the collector that stood still is another one now")
    system.wait_for_another(process)
    system.wait_for_events(before + sent)
    return [sent, system.counts()["events"] - before]


def status(system):
    """What `systemctl status` shows of the collector's own words."""
    def line():
        printed = system.run("systemctl", "status", "--no-pager", service_manager.SERVICE, check=False)
        return next((text.strip() for text in printed.splitlines() if "Status:" in text and "events" in text), None)
    return waiting.until("the status", line)


def watchdog(system):
    """What becomes of a collector that stands still: [its restarts, whether the journal names the watchdog]."""
    system.settings(QUICK_WATCHDOG)
    system.systemctl("restart", service_manager.SERVICE)
    before = int(system.property("NRestarts"))
    system.wait_for_another(system.kill(signal.SIGSTOP))
    said = system.run("journalctl", "--output=cat", "--unit=" + service_manager.SERVICE)
    return [int(system.property("NRestarts")) - before, "Watchdog timeout" in said]


def judge(seen):
    """Raises Problem unless all is as it has to be."""
    expected = {"states": ["activating", "active", "notify"], "waiting": [WAITING, WAITING], "prefixes": 0, "failed": [],
                "watchdog": [1, True], "journal": [[WARNING, "invalid datagram"], [INFORMATION, command.LISTENING]]}
    for name, value in expected.items():
        if seen[name] != value:
            raise Problem("%s: expected %s, found %s" % (name, value, seen[name]))
    for name, exposure in seen["exposure"].items():
        if exposure > MOST_EXPOSED:
            raise Problem("systemd-analyze security %s: %s is more than %s" % (name, exposure, MOST_EXPOSED))
    (sent, stored), (sent_at_kills, stored_at_kills) = seen["restarts"], seen["kills"]
    if sent != stored:
        raise Problem("%d restarts: the library said %d events were sent, and %d are stored" % (ROUNDS, sent, stored))
    if not 0 <= sent_at_kills - stored_at_kills <= ROUNDS * MOST_LOST:
        raise Problem("%d kills: the library said %d events were sent, and %d are stored" % (
            ROUNDS, sent_at_kills, stored_at_kills))


def check(context):
    library = os.path.abspath(context.libraries[CANDIDATE])
    seen = context.call("scenarios.service_manager:observe", lower=service_manager.root(),
                        installed=project.packaged(context.checkout, "install"), mountpoint=network.mountpoint(), library=library)
    judge(seen)
    sent, stored = seen["kills"]
    context.versions["systemd of service-manager"] = seen["version"]
    context.versions["lost in %d kills of the collector" % ROUNDS] = "%d of %d events" % (sent - stored, sent)
    context.versions["exposure by systemd-analyze security"] = str(seen["exposure"])
    return Row("tlsrpt collect under Debian 13's systemd, as make install installs it",
               "%d processes with %d events each: through %d restarts all are stored, and all that waited in the socket "
               "through a kill; READY, STATUS, watchdog, priorities in the journal" % (PROCESSES, ROUNDS * EVENTS, ROUNDS))


SCENARIOS = [Scenario("service-manager", "the collector through restarts and kills under systemd", check)]
