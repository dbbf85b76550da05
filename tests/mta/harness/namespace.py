"""Runs a Python function in mount, pid and network namespaces of its own.

The processes are setpriv, unshare and the function. Each is killed when the one before it ends. When the first process of a
pid namespace ends, the kernel ends all others in it and removes their mounts and their network. So nothing is left after Ctrl-C,
a crash or kill -9.
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
    """A function in a namespace failed. The text is its output."""


def call(function, arguments, network=False):
    """Calls FUNCTION ("package.module:name") with ARGUMENTS in namespaces of its own and returns its result.

    Arguments and result are JSON. With network=True it uses the host's network, to install packages.
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
    """On SIGINT and SIGTERM: ends the namespaces that call() runs, then this program."""
    def end(number, _frame):
        for process in list(running):
            process.kill()
        os._exit(128 + number)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
