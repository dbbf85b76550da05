#!/usr/bin/env python3
"""Runs the example programs against a socket and compares their datagrams with the sessions in their source.

    examples/check.py ONE_POLICY SEVERAL_POLICIES
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile

# The numbers of tlsrpt.h.
STS, TLSA = 2, 1
HOST_MISMATCH, NOT_TRUSTED, EXPIRED = 202, 203, 204
SUCCESS, FAILURE = 0, 1

# For each policy: its type, its domain, its failures, its result.
WANTED = {
    "one_policy": [(STS, "example.org", [HOST_MISMATCH], FAILURE)],
    "several_policies": [(STS, "example.org", [EXPIRED], SUCCESS), (TLSA, "mx1.example.org", [NOT_TRUSTED], FAILURE),
                         (TLSA, "mx2.example.org", [], SUCCESS)],
}

# Paths that cause an error of the system, and an internal error, which has no errno.
LOSING = ["/nonexistent/socket", "/" + 200 * "x"]


def main():
    programs = sys.argv[1:]
    wrong = 0
    for program in programs:
        name = os.path.basename(program)
        found = policies(datagram_of(program))
        warnings = [run(program, path) for path in LOSING]
        good = found == WANTED[name] and all(is_one_warning(text) for text in warnings)
        print("%s: %s" % (name, "ok" if good else "sent %s, and warned %r" % (found, warnings)))
        wrong += not good
    print("examples: %d passed, %d failed" % (len(programs) - wrong, wrong))
    return 1 if wrong or len(programs) != len(WANTED) else 0


def is_one_warning(text):
    """Whether a program printed one line with a reason."""
    return re.fullmatch(r"warning: no TLSRPT event for example\.org: .*[a-z)]\n", text) is not None


def datagram_of(program):
    """The datagram of a program; it has arrived when the program has ended."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as collector:
        path = os.path.join(folder, "socket")
        collector.bind(path)
        collector.setblocking(False)
        warnings = run(program, path)
        if warnings:
            raise SystemExit("%s: %s" % (program, warnings))
        return collector.recv(1 << 16)


def run(program, path):
    """The standard error of a program, which must exit with 0 in any case."""
    return subprocess.run([program, path], stderr=subprocess.PIPE, universal_newlines=True, check=True).stderr


def policies(datagram):
    """The policies in an event, as in WANTED."""
    return [(policy["policy-type"], policy["policy-domain"],
             [failure["c"] for failure in policy.get("failure-details", [])], policy["f"])
            for policy in json.loads(datagram)["policies"]]


if __name__ == "__main__":
    sys.exit(main())
