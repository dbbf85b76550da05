"""Compares the observations with the two libraries and describes each difference."""

from collections import Counter

from harness.scenario import CANDIDATE, REFERENCE, Problem

COMPARED = ("outcome", "events", "datagrams", "warnings")
MOST_SHOWN = 5
PROTOCOL_VERSION = '{"dpv": "1",'


def same(rounds):
    """Raises Problem unless the observations of each domain in each round are equal with both libraries.

    ROUNDS is {label of library: {name of round: {domain: observations}}}.
    """
    reference, candidate = rounds[REFERENCE], rounds[CANDIDATE]
    problems = []
    for name, seen in reference.items():
        for domain in seen:
            problems += differences(name, domain, seen[domain], candidate[name][domain])
    if problems:
        left_out = len(problems) - MOST_SHOWN
        raise Problem("\n\n".join(problems[:MOST_SHOWN])
                      + ("\n\nand %d more differences" % left_out if left_out > 0 else ""))


def remove_protocol_version(rounds):
    """Takes the version of the protocol, which libtlsrpt 0.5.0rc1 does not send, out of each datagram. A datagram without
    it is a Problem."""
    for seen in rounds.values():
        for of_domain in seen.values():
            without = [text for text in of_domain["datagrams"] if not text.startswith(PROTOCOL_VERSION)]
            if without:
                raise Problem("datagrams without dpv: %s" % without)
            of_domain["datagrams"] = ["{" + text[len(PROTOCOL_VERSION):] for text in of_domain["datagrams"]]


def differences(round_name, domain, reference, candidate):
    """The differences of one domain: a list, empty or of one text."""
    differing = [aspect for aspect in COMPARED if Counter(reference[aspect]) != Counter(candidate[aspect])]
    if not differing:
        return []
    lines = ["%s: %s, %s" % (domain, " and ".join(differing), round_name)]
    for aspect in differing:
        lines += side_by_side(aspect, reference[aspect], candidate[aspect])
    for label, seen in ((REFERENCE, reference), (CANDIDATE, candidate)):
        lines += ["  mail log with %s:" % label] + ["    " + line for line in seen["log"][-20:]]
    return ["\n".join(lines)]


def side_by_side(aspect, reference, candidate):
    """The values that only one side has, one above the other, with a mark at the first different character."""
    only_reference = sorted((Counter(reference) - Counter(candidate)).elements())
    only_candidate = sorted((Counter(candidate) - Counter(reference)).elements())
    lines = []
    for number in range(max(len(only_reference), len(only_candidate))):
        left = only_reference[number] if number < len(only_reference) else "(none)"
        right = only_candidate[number] if number < len(only_candidate) else "(none)"
        width = max(len(REFERENCE), len(CANDIDATE))
        lines += ["  %s" % aspect,
                  "    %-*s  %s" % (width, REFERENCE, left),
                  "    %-*s  %s" % (width, CANDIDATE, right),
                  "    %s^ first difference" % (" " * (width + 2 + parting(left, right)))]
    return lines


def parting(left, right):
    """The length of the longest common beginning of two texts."""
    count = 0
    for ours, theirs in zip(left, right):
        if ours != theirs:
            break
        count += 1
    return count


def count(seen, aspect):
    """The number of observations of an aspect in all rounds."""
    return sum(len(of_domain[aspect]) for of_round in seen.values() for of_domain in of_round.values())
