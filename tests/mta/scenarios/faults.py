"""Faults of the collector and its socket: Postfix delivers the mail, and logs the same with both libraries."""

import ctypes
import os
import re
import signal
import socket

from harness import compare, delivery, network, postfix, recorder, reporter, roots
from harness.scenario import CANDIDATE, Problem, Row, Scenario

DOMAINS = ["good.test", "sts.test", "dane.test"]
SENT = ["2.0.0 sent"]
TOO_LONG = "x" * 120
QUOTED, QUOTATION = re.compile(r"\(error (\d+)\)$"), "(the text of tlsrpt_strerror)"
WELL, WELL_FOR_GROUP = "a collector as it should be", "a socket that only the group postfix may write to"
WELL_AGAIN = "a collector again, after all faults"
WELL_BY_FULL_NAME = "an absolute socket name"
NO_SOCKET, STALE_SOCKET, NO_SOCKET_FILE = "no socket", "stale socket", "a file that is no socket"
STREAM_SOCKET, NO_PERMISSION, CLOSED_FOLDER = "a stream socket", "no permission", "no permission for the folder"
FULL_QUEUE, LONG_NAME = "full queue", "socket name too long"
COLLECTED, KILLED, RESTARTED = "tlsrpt-collectd", "tlsrpt-collectd killed", "tlsrpt-collectd started again"
HARMLESS = (WELL, WELL_FOR_GROUP, WELL_AGAIN, WELL_BY_FULL_NAME, COLLECTED, RESTARTED)


class Faults:
    """A mail host and the faults of its socket."""

    def __init__(self, library, root, network_arguments):
        self.network = network.Network(**network_arguments)
        self.host = postfix.Postfix(self.network, root, library)
        self.path = self.host.socket
        self.recording = recorder.Recorder(self.path).start()
        self.rounds = {}

    def deliver(self, name, events=None):
        """Sends the mails of a round."""
        self.rounds[name] = delivery.deliver(self.host, events or self.recording, DOMAINS)

    def new_socket(self, kind=socket.SOCK_DGRAM):
        """Replaces the collector's socket with one that no process reads."""
        os.unlink(self.path)
        unread = socket.socket(socket.AF_UNIX, kind)
        with recorder.short(self.path) as name:
            unread.bind(name)
        os.chmod(self.path, recorder.SOCKET_MODE)
        return unread

    def run(self):
        """All rounds with a recorder as the collector."""
        self.host.start()
        self.deliver(WELL)
        self.host.require_library("smtp")
        os.chown(self.path, -1, self.host.group())
        os.chmod(self.path, 0o620)
        self.deliver(WELL_FOR_GROUP)
        self.new_socket().close()
        self.deliver(STALE_SOCKET)
        with self.new_socket(socket.SOCK_STREAM) as stream:
            stream.listen()
            self.deliver(STREAM_SOCKET)
        os.unlink(self.path)
        self.deliver(NO_SOCKET)
        with open(self.path, "w"):
            os.chmod(self.path, 0o666)
        self.deliver(NO_SOCKET_FILE)
        with self.new_socket():
            fill(self.path)
            self.deliver(FULL_QUEUE)
            os.chmod(self.path, 0o600)
            self.deliver(NO_PERMISSION)
            os.chmod(self.path, recorder.SOCKET_MODE)
            os.chmod(os.path.dirname(self.path), 0o700)
            self.deliver(CLOSED_FOLDER)
            os.chmod(os.path.dirname(self.path), 0o755)
        self.restart(TOO_LONG)
        self.deliver(LONG_NAME)
        self.restart(postfix.SOCKET)
        self.recording = recorder.Recorder(self.path).start()
        self.deliver(WELL_AGAIN)
        self.restart(os.path.join("/" if self.host.chrooted() else postfix.QUEUE, postfix.SOCKET))
        self.deliver(WELL_BY_FULL_NAME)

    def run_collector(self, environment):
        """Rounds with the real collector, killed and started again between mails."""
        collector = reporter.Collector(environment, os.path.join(self.network.folder, "collector"), self.path).start()
        self.deliver(COLLECTED, collector)
        collector.end(signal.SIGKILL)
        self.deliver(KILLED, collector)
        collector.start()
        self.deliver(RESTARTED, collector)
        self.host.stop()
        return collector.count()

    def restart(self, name):
        """Starts Postfix again with another name of the socket."""
        self.host.stop()
        self.host.start(smtp_tlsrpt_socket_name=name)


def fill(path):
    """Sends to a socket until its queue is full."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        with recorder.short(path) as name:
            sender.connect(name)
        sender.setblocking(False)
        try:
            while True:
                sender.send(b"{}")
        except BlockingIOError:
            return


def observe(library, root, network_arguments, environment):
    """In a namespace: all faults, one after the other."""
    reporter.wait_for_a_day_to_count_on()
    faults = Faults(library, root, network_arguments)
    faults.run()
    stored = faults.run_collector(environment)
    for seen in faults.rounds.values():
        seen["(all)"]["warnings"] = [without_quotation(library, line) for line in seen["(all)"]["warnings"]]
    return {"stored": stored, "rounds": faults.rounds}


def without_quotation(library, warning):
    """A warning of Postfix without the error text of the library, which differs between the libraries.

    Postfix quotes it only for an error without an errno: a socket name that is too long.
    """
    code = QUOTED.search(warning)
    if not code:
        return warning
    describe = ctypes.CDLL(library).tlsrpt_strerror
    describe.restype = ctypes.c_char_p
    return warning.replace(describe(int(code.group(1))).decode(), QUOTATION)


def check(context, suite, number):
    seen = context.call_with_each("scenarios.faults:observe", root=roots.debian(suite),
                                  network_arguments=network.open_arguments(), environment=reporter.environment())
    compare.same({label: of_library["rounds"] for label, of_library in seen.items()})
    for label, of_library in seen.items():
        for name, of_round in of_library["rounds"].items():
            require_delivery(label, name, of_round)
        if of_library["stored"] != 2 * len(DOMAINS):
            raise Problem("with %s, the collector stored %d events, but %d were sent while it ran" % (
                label, of_library["stored"], 2 * len(DOMAINS)))
    rounds = seen[CANDIDATE]["rounds"]
    tried = ", ".join(name for name in rounds if name not in (WELL, WELL_AGAIN, COLLECTED))
    return Row("Postfix %s; %s" % (number, tried),
               "every mail delivered; %d warnings in the log, word for word (but for the library's own tlsrpt_strerror "
               "text, which Postfix quotes for a socket name too long)" % compare.count(rounds, "warnings"))


def require_delivery(label, name, seen):
    """Raises Problem unless each mail was delivered and each fault caused a warning."""
    for domain in DOMAINS:
        if seen[domain]["outcome"] != SENT:
            raise Problem("with %s and %s, the mail to %s was not delivered: %s" % (
                label, name, domain, seen[domain]["outcome"]))
    warned = seen["(all)"]["warnings"] != []
    quoted = [line for line in seen["(all)"]["warnings"] if QUOTED.search(line) and QUOTATION not in line]
    if quoted:
        raise Problem("with %s, Postfix does not quote the library: %s" % (label, quoted))
    if warned != (name not in HARMLESS):
        raise Problem("with %s and %s, Postfix warned of %s" % (label, name, seen["(all)"]["warnings"] or "nothing"))


SCENARIOS = [Scenario("faults-" + number, "a socket or collector that fails, with Postfix " + number,
                      lambda context, suite=suite, number=number: check(context, suite, number))
             for number, suite in (("3.10", roots.STABLE), ("3.11", roots.TESTING))]
