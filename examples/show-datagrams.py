#!/usr/bin/env python3
"""Listens where a TLSRPT collector would, runs programs that send events, and shows what arrives.

    show-datagrams.py HEADER SOCKET PROGRAM...

HEADER is tlsrpt.h, from which the numbers in the datagrams get their names. Each PROGRAM is called with SOCKET as its
argument and prints, as the first word of its last line, how many events it has sent. Equal datagrams are shown once.
Fails when a program does, when a datagram is not what a collector expects, and when one is missing.
"""
import collections
import json
import os
import re
import selectors
import socket
import subprocess
import sys

LARGEST_DATAGRAM = 1 << 20

# The keys of a failure, in the terms of RFC 8460 section 4.4.
FAILURE_KEYS = {
    "s": "sending MTA IP",
    "n": "receiving MX hostname",
    "h": "receiving MX helo",
    "r": "receiving IP",
    "a": "additional information",
    "f": "failure reason code",
}


def main(header, socket_name, *programs):
    """Shows the events of each program; returns the exit status."""
    names = names_of_numbers(header)
    collector = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    collector.bind(socket_name)
    for program in programs:
        datagrams = datagrams_of(program, socket_name, collector)
        print(f"\n==== {os.path.basename(program)}: {len(datagrams)} datagrams")
        events = collections.Counter(datagrams)
        for datagram, times in events.items():
            show(datagram, times, names)
        show_sums(events, names)
    return 0


def names_of_numbers(header):
    """Reads the enums of tlsrpt.h: {"tlsrpt_failure_t": {201: "starttls-not-supported", ...}, ...}."""
    with open(header, encoding="utf-8") as file:
        text = file.read()
    return {
        enum: {
            int(number): constant.lower().replace("_", "-")
            for constant, number in re.findall(r"TLSRPT_(?:POLICY_|FINAL_)?(\w+) *= (\d+)", body)
        }
        for body, enum in re.findall(r"typedef enum \{(.*?)\} (\w+);", text, re.DOTALL)
    }


def datagrams_of(program, socket_name, collector):
    """Runs the program and returns what it sends, read as it comes: the collector's queue is short."""
    datagrams = []
    output = b""
    running = True
    with subprocess.Popen([program, socket_name], stdout=subprocess.PIPE) as process, \
            selectors.DefaultSelector() as ready:
        ready.register(collector, selectors.EVENT_READ)
        ready.register(process.stdout, selectors.EVENT_READ)
        while running:
            for key, _ in ready.select():
                if key.fileobj is collector:
                    datagrams.append(collector.recv(LARGEST_DATAGRAM))
                else:
                    chunk = os.read(process.stdout.fileno(), 4096)
                    output += chunk
                    running = bool(chunk)
    if process.returncode != 0:
        sys.exit(f"{program} failed with exit status {process.returncode}")
    datagrams += datagrams_in_the_queue(collector)
    sent = int(output.decode().splitlines()[-1].split()[0])
    if sent != len(datagrams) or sent == 0:
        sys.exit(f"{program} says that it has sent {sent} events, but {len(datagrams)} datagrams arrived")
    return datagrams


def datagrams_in_the_queue(collector):
    """Takes what is waiting, and does not wait for more."""
    datagrams = []
    while True:
        try:
            datagrams.append(collector.recv(LARGEST_DATAGRAM, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return datagrams


def show(datagram, times, names):
    """Prints a datagram as it came, and what it says."""
    text = datagram.decode("utf-8")
    event = json.loads(text)
    print(f"\n{times} x {len(datagram)} bytes: {text}\n")
    line(1, "recipient domain", event["d"])
    line(1, "TLSRPT record", event["pr"])
    for policy in event["policies"]:
        show_policy(policy, names)


def show_policy(policy, names):
    """Prints one policy and its failures."""
    line(1, "policy", named(policy["policy-type"], names["tlsrpt_policy_type_t"]))
    line(2, "policy domain", policy.get("policy-domain"))
    for string in policy.get("policy-string", []):
        line(2, "policy string", string)
    for pattern in policy.get("mx-host", []):
        line(2, "MX host pattern", pattern)
    for failure in policy.get("failure-details", []):
        line(2, "failure", named(failure["c"], names["tlsrpt_failure_t"]))
        for key, term in FAILURE_KEYS.items():
            line(3, term, failure.get(key))
    line(2, "result", named(policy["f"], names["tlsrpt_final_result_t"]) + f", failures: {policy['t']}")


def named(number, names):
    """The number with its name, if it has one."""
    return f"{names.get(number, 'unknown')} ({number})"


def line(depth, term, text):
    """Prints a term and its text if there is one. A text of several lines stays so."""
    for part in [] if text is None else text.split("\r\n"):
        printable = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in part)
        print(f"{'  ' * depth}{term:{30 - 2 * depth}} {printable}")
        term = ""


def show_sums(events, names):
    """Prints what a day's report makes of the events: sums for each policy domain."""
    sums = {}
    for datagram, times in events.items():
        event = json.loads(datagram)
        for policy in event["policies"]:
            sessions = sums.setdefault(policy.get("policy-domain", event["d"]), collections.Counter())
            sessions["total-failure-session-count" if policy["f"] else "total-successful-session-count"] += times
            for failure in policy.get("failure-details", []):
                sessions[named(failure["c"], names["tlsrpt_failure_t"])] += times
    print("\nWhat the report of the day says of them:\n")
    for domain, sessions in sums.items():
        print(f"  {domain}")
        for term, number in sessions.items():
            print(f"    {term:32} {number:6}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main(*sys.argv[1:]))
