"""The same datagrams for tlsrpt-collectd and for a receiver of ours: those of Postfix, and recorded ones."""

import json
import os

from harness import command, delivery, domains, network, postfix, recorder, reporter

VECTORS = os.path.join("tests", "vectors", "sequences.jsonl")
# The values that RFC 8460 defines.
POLICY_TYPES, RESULTS = (1, 2, 9), (0, 1)
MAILS_EACH = 2
OF_POSTFIX = "the datagrams of Postfix for %d mails to each of %d domains" % (MAILS_EACH, len(domains.DOMAINS))


def of_postfix(root, network_arguments):
    """In a namespace: the datagrams of Postfix for mails to every domain, and a folder for sockets and databases."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    for _ in range(MAILS_EACH):
        delivery.deliver(host, recording, list(domains.BY_NAME))
    host.stop()
    return [datagram.decode() for datagram in recording.datagrams], the_network.folder


def of_vectors(checkout):
    """The recorded datagrams that the programs of tlsrpt-reporter can handle."""
    with open(os.path.join(checkout, VECTORS), encoding="utf-8") as vectors:
        datagrams = [bytes.fromhex(datagram) for line in vectors for datagram in json.loads(line)["datagrams"]]
    return [datagram.decode() for datagram in datagrams if usable(datagram)]


def usable(datagram):
    """Whether it is valid, its numbers are defined, and its domain fits a line of the fetcher's protocol."""
    try:
        event = json.loads(datagram.decode())
    except ValueError:
        return False
    known = all(policy["policy-type"] in POLICY_TYPES and policy["f"] in RESULTS for policy in event["policies"])
    return known and event["d"].isprintable() and event["d"].strip(". ") == event["d"] != ""


def send_to_both(program, environment, folder, lines, start_ours):
    """Starts tlsrpt-collectd and, with START_OURS(a new folder), a receiver of ours. Sends the datagrams to both.

    Returns both when tlsrpt-collectd has stored all.
    """
    reporter.wait_for_a_day_to_count_on()
    for name in ("theirs", "ours"):
        os.makedirs(os.path.join(folder, name))
    theirs = reporter.Collector(environment, os.path.join(folder, "database"), os.path.join(folder, "theirs", "s")).start()
    ours = start_ours(os.path.join(folder, "ours"))
    command.send(program, ours.socket, lines)
    theirs.take(program, lines)
    return theirs, ours
