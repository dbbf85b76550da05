"""Runs a Python function, or a command, in mount, pid and network namespaces that end with it, whatever ends it.

The chain is setpriv, unshare, the function. Each dies with the one before it, and with the first process of a pid
namespace die all others, their mounts and their network. So nothing is left after Ctrl-C, a crash or kill -9.
"""

import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INSIDE = os.path.join(HERE, "inside.py")

running = set()


class Failed(Exception):
    """What was run in a namespace ended with an error; the text is what it printed."""


def call(function, arguments, network=False):
    """Calls FUNCTION ("package.module:name") with ARGUMENTS in namespaces of its own and returns what it returned.

    Arguments and result are JSON. With network=True it sees the host's network, to install packages.
    """
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
               "--kill-child=KILL", "--mount-proc"] + ([] if network else ["--net"])
    process = subprocess.Popen(command + [sys.executable, INSIDE, function], env=environment, start_new_session=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.add(process)
    try:
        output, errors = process.communicate(json.dumps(arguments).encode())
    finally:
        running.discard(process)
    if process.returncode != 0:
        raise Failed("%s ended with %d:\n%s" % (function, process.returncode, errors.decode("utf-8", "replace")))
    return json.loads(output.decode())


def end_all_on_signals():
    """On Ctrl-C or a request to end: ends what call() has running, and with it all that it holds, then this program."""
    def end(number, _frame):
        for process in list(running):
            process.kill()
        os._exit(128 + number)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
