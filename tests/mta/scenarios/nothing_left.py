"""After a signal the harness leaves no process, no mount and no file."""

import json
import os
import signal
import subprocess
import sys

from harness import cache, network, postfix, roots, waiting
from harness.scenario import Problem, Row, Scenario

HARNESS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Runs a namespace as tests/mta/run does, and does not end by itself.
INTERRUPTED = """
import json, sys
from harness import namespace
namespace.end_all_on_signals()
namespace.call("scenarios.nothing_left:stay", json.loads(sys.argv[1]))
"""
# Postfix's master is a daemon, without the parent, session and process group that it was started in.
DAEMON = "master"
PARENT, START_TIME = 1, 19  # which fields of /proc/PID/stat, counted after the name
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


def processes():
    """All processes: {(number, time of its start): (parent's number, name)}."""
    found = {}
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % number) as stat:
                before, _, after = stat.read().rpartition(")")
        except OSError:
            continue  # it ended in the meantime
        fields = after.split()
        found[int(number), fields[START_TIME]] = (int(fields[PARENT]), before.partition("(")[2])
    return found


def descendants(ancestor):
    """The processes below one: {(number, time of its start): name}."""
    everything, below, level = processes(), {}, {ancestor}
    while level:
        found = {process: name for process, (parent, name) in everything.items() if parent in level}
        below.update(found)
        level = {number for number, _ in found}
    return below


def mounts():
    """The mounts of the harness."""
    with open("/proc/self/mountinfo") as info:
        return [line for line in info if cache.folder() in line]


def stay(root, network_arguments):
    """In a namespace: runs Postfix until a signal ends it."""
    postfix.Postfix(network.Network(**network_arguments), root).start()
    signal.pause()


def interrupt(arguments, number):
    """Starts the harness, sends it a signal when Postfix runs in its namespace, and looks for leftovers."""
    before = mounts()
    harness = subprocess.Popen([sys.executable, "-c", INTERRUPTED, json.dumps(arguments)],
                               env=dict(os.environ, PYTHONPATH=HARNESS, PYTHONDONTWRITEBYTECODE="1"))
    try:
        running = waiting.until("Postfix in a namespace",
                                lambda: harness.poll() is not None or with_daemon(harness.pid))
        if harness.returncode is not None:
            raise Problem("the harness ended before it could be interrupted")
    finally:
        harness.send_signal(number)
        harness.wait()
    try:
        waiting.until("all processes to end", lambda: not set(running) & set(processes()), seconds=20)
    except waiting.Timeout:
        raise Problem("%s leaves processes: %s" % (number.name, running)) from None
    if mounts() != before:
        raise Problem("%s leaves mounts:\n%s" % (number.name, mounts()))
    left = os.listdir(os.path.join(cache.folder(), "mountpoint"))
    if left:
        raise Problem("%s leaves files: %s" % (number.name, left))


def with_daemon(ancestor):
    """The processes below one as soon as Postfix's daemon is among them."""
    below = descendants(ancestor)
    return below if DAEMON in below.values() else None


def check(context):
    arguments = {"root": roots.debian(roots.STABLE), "network_arguments": network.open_arguments()}
    with context.slots:
        for number in SIGNALS:
            interrupt(arguments, number)
    return Row("the harness, ended by %s while Postfix runs" % ", ".join(number.name for number in SIGNALS),
               "no process, mount or file is left")


SCENARIOS = [Scenario("nothing-left", "an interrupted run leaves nothing", check)]
