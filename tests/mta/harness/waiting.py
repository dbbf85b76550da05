"""Waits until a condition is true."""

import time

INTERVAL = 0.01
LONGEST = 300  # seconds: on a busy machine, hundreds of processes of the reporter take longer than a minute


class Timeout(Exception):
    """The condition did not become true in time."""


def until_ready(what, process, ready, output):
    """Waits until READY() is true. Raises RuntimeError with the text of the file OUTPUT if the PROCESS ends before."""
    until(what + " to be ready", lambda: process.poll() is not None or ready())
    if process.poll() is not None:
        with open(output, encoding="utf-8", errors="replace") as said:
            raise RuntimeError("%s ended:\n%s" % (what, said.read()))


def until(what, condition, seconds=LONGEST):
    """Waits until CONDITION() is true and returns its value; WHAT names it in the error."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout("waited %d s for %s" % (seconds, what))
        time.sleep(INTERVAL)
