"""A caller passes bytes that are not UTF-8: the datagram of the C library ends the real collector; ours is stored."""

import ctypes
import json
import os
import subprocess

from harness import network, recorder, reporter, waiting
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

LATIN1 = "caf\u00e9".encode("latin-1")
REPLACED = "caf\ufffd"
# Every argument that is a string, with a harmless value.
ARGUMENTS = {
    "domainname": b"hostile.test", "policyrecord": b"v=TLSRPTv1; rua=mailto:reports@hostile.test",
    "policydomainname": b"hostile.test", "policy_string": b"mode: enforce", "mx_host_pattern": b"mx.hostile.test",
    "sending_mta_ip": b"192.0.2.1", "receiving_mx_hostname": b"mx.hostile.test",
    "receiving_mx_helo": b"250 mx.hostile.test", "receiving_ip": b"192.0.2.2",
    "additional_information": b"https://hostile.test/", "failure_reason_code": b"X509_V_ERR"}
FAILURE_ARGUMENTS = list(ARGUMENTS)[5:]
POLICY_STS, VALIDATION_FAILURE, FINAL_FAILURE = 2, 205, 1
ALL_AT_ONCE = "all at once"
STORED = "stored"


def send_event(library, socket_path, arguments):
    """Sends one event through a library, as a mail server would."""
    with recorder.short(socket_path) as name:
        codes = call_functions(ctypes.CDLL(library), name.encode(), arguments)
    if any(codes):
        raise RuntimeError("the event was not sent: %s" % codes)


def call_functions(functions, socket_name, arguments):
    """Makes the calls of one event and returns their codes."""
    connection, request = ctypes.c_void_p(), ctypes.c_void_p()
    return [
        functions.tlsrpt_open(ctypes.byref(connection), socket_name),
        functions.tlsrpt_init_delivery_request(ctypes.byref(request), connection, arguments["domainname"],
                                               arguments["policyrecord"]),
        functions.tlsrpt_init_policy(request, POLICY_STS, arguments["policydomainname"]),
        functions.tlsrpt_add_policy_string(request, arguments["policy_string"]),
        functions.tlsrpt_add_mx_host_pattern(request, arguments["mx_host_pattern"]),
        functions.tlsrpt_add_delivery_request_failure(request, VALIDATION_FAILURE,
                                                      *[arguments[name] for name in FAILURE_ARGUMENTS]),
        functions.tlsrpt_finish_policy(request, FINAL_FAILURE),
        functions.tlsrpt_finish_delivery_request(ctypes.byref(request)),
        functions.tlsrpt_close(ctypes.byref(connection))]


def observe(library, mountpoint, environment):
    """In a namespace: the outcome of events with Latin-1 in each argument, and in all."""
    reporter.wait_for_a_day_to_count_on()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", mountpoint], check=True)
    cases = {name: dict(ARGUMENTS, **{name: LATIN1}) for name in ARGUMENTS}
    cases[ALL_AT_ONCE] = {name: LATIN1 for name in ARGUMENTS}
    return {name: outcome(library, os.path.join(mountpoint, name.replace(" ", "-")), environment, arguments)
            for name, arguments in cases.items()}


def outcome(library, folder, environment, arguments):
    """Whether the collector stores an event, or ends."""
    collector = reporter.Collector(environment, folder, os.path.join(folder, "tlsrpt.sock")).start()
    send_event(library, collector.socket, arguments)
    waiting.until("the collector to store the event or to end", lambda: not collector.alive() or collector.count())
    if not collector.alive():
        return "the collector ended with exit status %d" % collector.process.returncode
    rows = reporter.query(collector.database, "SELECT * FROM finalresults NATURAL LEFT JOIN failures")
    collector.end()
    # The collector writes policies and failures as JSON in ASCII, the domain and its record unchanged.
    text = " ".join(str(value) for row in rows for value in row)
    as_it_should_be = REPLACED in text or json.dumps(REPLACED)[1:-1] in text
    return STORED if as_it_should_be else "stored without %s: %s" % (REPLACED, text)


def check(context):
    seen = context.call_with_each("scenarios.hostile_bytes:observe", mountpoint=network.mountpoint(),
                                  environment=reporter.environment())
    unharmed = [name for name, found in seen[REFERENCE].items() if not found.startswith("the collector ended")]
    if unharmed:
        raise Problem("with the C library the collector survives Latin-1 in %s: the positive control fails" % unharmed)
    lost = {name: found for name, found in seen[CANDIDATE].items() if found != STORED}
    if lost:
        raise Problem("\n".join("Latin-1 in %s: %s" % pair for pair in lost.items()))
    return Row("tlsrpt-collectd %s; a caller that passes Latin-1 in each of %d arguments, and in all" % (
        reporter.VERSION, len(ARGUMENTS)),
        "with the C library the collector ends each time; with ours it stores the event, with U+FFFD for the invalid byte")


SCENARIOS = [Scenario("hostile-bytes", "bytes that are not UTF-8 to the real collector", check)]
