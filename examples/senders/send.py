#!/usr/bin/env python3
"""Sends one TLSRPT event to a collector, without a library: send.py SOCKET

The session is an example: the certificate of the MX host was for another name. docs/datagram.md describes the datagram.
"""

import json
import socket
import sys

STS, HOST_MISMATCH, FAILURE = 2, 202, 1

EVENT = {
    "dpv": "1",
    "d": "example.org",
    "pr": "v=TLSRPTv1; rua=mailto:tls@example.org",
    "policies": [{
        "policy-type": STS,
        "policy-domain": "example.org",
        "policy-string": ["version: STSv1", "mode: enforce", "mx: *.example.org", "max_age: 604800"],
        "mx-host": ["*.example.org"],
        "failure-details": [{"c": HOST_MISMATCH, "s": "192.0.2.1", "n": "mx1.example.org", "h": "mx1.example.org",
                             "r": "2001:db8::25"}],
        "t": 1,
        "f": FAILURE,
    }],
}


def send(path, event):
    """Sends an event. Never waits: a mail server must not wait for a collector."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as collector:
        datagram = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        collector.sendto(datagram, socket.MSG_DONTWAIT, path)


try:
    send(sys.argv[1], EVENT)
except OSError as error:
    # The delivery of the mail goes on.
    print("warning: no TLSRPT event for %s: %s" % (EVENT["d"], error), file=sys.stderr)
