"""Waits until a condition is true."""

import time

INTERVAL = 0.01
LONGEST = 300  # seconds: on a busy machine, hundreds of processes of the reporter take longer than a minute


class Timeout(Exception):
    """The condition did not become true in time."""


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
