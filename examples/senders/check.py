#!/usr/bin/env python3
"""Runs the senders against `tlsrpt collect`, and compares the counts with those of the library's event.

    examples/senders/check.py TLSRPT ONE_POLICY

ONE_POLICY is examples/one_policy.c, which sends the same event with the library: so all must be counted as one policy.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "datagram.md")

SENDERS = [
    ["python3", "send.py"],
    ["perl", "send.pl"],
    ["node", "send.js"],
    ["go", "run", "send.go"],
]


def main():
    tlsrpt, one_policy = map(os.path.abspath, sys.argv[1:])
    programs = [[*words[:-1], os.path.join(HERE, words[-1])] for words in SENDERS]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            name = os.path.basename(program[-1])
            problem = datagram_problem(folder, program) or silence_problem(folder, program)
            print("%s: %s" % (name, problem or "ok"))
            wrong += bool(problem)
        problem = count_problem(folder, tlsrpt, [*programs, [one_policy]])
        print("counts: %s" % (problem or "ok"))
        wrong += bool(problem)
    print("senders: %d passed, %d failed" % (len(programs) + 1 - wrong, wrong))
    return 1 if wrong else 0


def datagram_problem(folder, program):
    """Why the datagram of a program is not the one of the page, or None."""
    with open(PAGE, encoding="utf-8") as page:
        wanted = json.loads(re.search(r"```json\n(.*?)\n```", page.read(), re.DOTALL).group(1))
    path = os.path.join(folder, "datagram.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as collector:
        collector.bind(path)
        collector.setblocking(False)
        warnings = run(program, path)
        os.unlink(path)
        if warnings:
            return "warned %r" % warnings
        sent = json.loads(collector.recv(1 << 16))
    return None if sent == wanted else "sent %s" % sent


def silence_problem(folder, program):
    """Why a program without a collector did not warn in one line, or None."""
    warnings = run(program, os.path.join(folder, "nobody.sock"))
    one_line = re.fullmatch(r"warning: no TLSRPT event for example\.org: .+\n", warnings)
    return None if one_line else "without a collector it printed %r" % warnings


def count_problem(folder, tlsrpt, programs):
    """Why the collector did not count all as sessions of one policy, or None."""
    path, settings = os.path.join(folder, "tlsrpt.sock"), os.path.join(folder, "tlsrpt.toml")
    with open(settings, "w", encoding="utf-8") as file:
        file.write('[collect]\nsocket = "%s"\n[store]\nurl = "sqlite:%s/tlsrpt.db"\n' % (path, folder))
    with subprocess.Popen([tlsrpt, "collect", "--config", settings], stderr=subprocess.PIPE, text=True) as collector:
        for line in collector.stderr:
            if "listening at" in line:
                break
        for program in programs:
            run(program, path)
        collector.terminate()
        said = collector.communicate()[1]
    status = subprocess.run([tlsrpt, "status", "--config", settings, "--domain", "example.org", "--format", "json"],
                            stdout=subprocess.PIPE, check=False, text=True)
    failed = [policy["failed"] for day in json.loads(status.stdout)["days"] for policy in day["policies"]]
    return None if failed == [len(programs)] else "%s; the collector said %s" % (status.stdout, said)


def run(program, path):
    """The standard error of a program, which must exit with 0 in any case."""
    return subprocess.run([*program, path], stderr=subprocess.PIPE, check=True, text=True).stderr


if __name__ == "__main__":
    sys.exit(main())
