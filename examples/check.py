#!/usr/bin/env python3
"""Runs the example programs against a socket and compares what they send with what they say they do.

    examples/check.py ONE_POLICY SEVERAL_POLICIES
"""

import json
import os
import socket
import subprocess
import sys
import tempfile

# The numbers of tlsrpt.h.
STS, TLSA = 2, 1
HOST_MISMATCH, NOT_TRUSTED, EXPIRED = 202, 203, 204
SUCCESS, FAILURE = 0, 1

# Of each policy: its type, its domain, its failures, its result.
WANTED = {
    "one_policy": [(STS, "example.org", [HOST_MISMATCH], FAILURE)],
    "several_policies": [(STS, "example.org", [EXPIRED], SUCCESS), (TLSA, "mx1.example.org", [NOT_TRUSTED], FAILURE),
                         (TLSA, "mx2.example.org", [], SUCCESS)],
}


def main():
    programs = sys.argv[1:]
    wrong = 0
    for program in programs:
        name = os.path.basename(program)
        found, lost = policies(datagram_of(program)), run(program, "/nonexistent/socket")
        good = found == WANTED[name] and lost.count("\n") == 1 and "no TLSRPT event for example.org" in lost
        print("%s: %s" % (name, "ok" if good else "sent %s, and said %r without a collector" % (found, lost)))
        wrong += not good
    print("integration examples: %d passed, %d failed" % (len(programs) - wrong, wrong))
    return 1 if wrong or len(programs) != len(WANTED) else 0


def datagram_of(program):
    """What a program sends; it is there when the program has ended."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as collector:
        path = os.path.join(folder, "socket")
        collector.bind(path)
        collector.setblocking(False)
        said = run(program, path)
        if said:
            raise SystemExit("%s: %s" % (program, said))
        return collector.recv(1 << 16)


def run(program, path):
    """What a program says on standard error; it must end well in any case."""
    return subprocess.run([program, path], stderr=subprocess.PIPE, universal_newlines=True, check=True).stderr


def policies(datagram):
    """The policies in an event, as in WANTED."""
    return [(policy["policy-type"], policy["policy-domain"],
             [failure["c"] for failure in policy.get("failure-details", [])], policy["f"])
            for policy in json.loads(datagram)["policies"]]


if __name__ == "__main__":
    sys.exit(main())
