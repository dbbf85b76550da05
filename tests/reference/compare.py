#!/usr/bin/env python3
"""Play fresh random call sequences to this library and to the C library, in one process, and compare every answer.

    tests/reference/compare.py [--without-dpv] OURS REFERENCE [COUNT [SEED]]

The seed is printed; without one it comes from the clock. A sequence has the calls of a careful program, and those mistakes that
the C library survives: a policy inside a policy, one that is left open or was never begun, a request without a policy.
The texts are UTF-8, and a datagram fits the initial send buffer of a socket: outside of these limits the libraries differ
intentionally.

--without-dpv is for libtlsrpt 0.5.0rc1, whose datagrams do not name the version of the protocol: its datagrams must equal
ours without that member.
"""
import argparse
import ctypes
import json
import os
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vectors"))
import replay  # noqa: E402

POLICY_TYPES = (1, 2, 9)
FINAL_RESULTS = (0, 1)
FAILURE_TYPES = (201, 202, 203, 204, 205, 301, 302, 303, 304, 305, 306, 901)
ANY_INT = (0, -1, 3, 10, 999, 1000, 65536, 2**31 - 1, -2**31)
USUAL_TEXTS = (
    "", "example.org", "*.mail.example.org", "mx1.example.org", "192.0.2.17", "2001:db8::25", "version: STSv1",
    "mode: enforce", "max_age: 604800", "v=TLSRPTv1; rua=mailto:tls@example.org", "3 1 1 " + "8D02536C" * 8,
    "certificate has expired", "k\u00e4se.example", "%s%n", "null", "]}", '","f":0}',
)
ODD_CHARACTERS = [chr(code) for code in (*range(1, 0x20), 0x22, 0x2f, 0x5c, 0x7f)]
WIDE_CHARACTERS = "\u0080\u00df\u00ff\u07ff\u0800\u20ac\ud7ff\ue000\ufffd\ufeff\uffff\U00010000\U0001f600\U0010ffff"
# A datagram has this many bytes of text at most: with the keys of 12 policies of 60 items it stays below the 212,960 bytes
# that a socket sends from the start.
ROOM = 150_000


class Writer:
    """Generates one sequence."""

    def __init__(self, rng):
        self.rng = rng
        self.room = ROOM

    def number(self, usual):
        """A number of the enum, and now and then any other."""
        return self.rng.choice(usual if self.rng.random() < 0.85 else ANY_INT)

    def text(self):
        """A text of any kind that still fits the datagram."""
        text = self.any_text()
        size = len(json.dumps(text, ensure_ascii=False).encode()) + 6 * text.count("\x7f")
        if size > self.room:
            return ""
        self.room -= size
        return text

    def any_text(self):
        """A usual text, an odd one, a long one, or a very long one."""
        kind = self.rng.random()
        if kind < 0.5:
            return self.rng.choice(USUAL_TEXTS)
        if kind < 0.85:
            return self.mixed(self.rng.randrange(60))
        if kind < 0.99:
            return self.mixed(self.rng.randrange(5000))
        return self.rng.choice("xy\u00e4") * self.rng.randrange(100_000) + self.mixed(20)

    def mixed(self, length):
        """Runs of plain, odd and wide characters."""
        text = []
        while len(text) < length:
            characters = self.rng.choice(("abcdefghij0123456789.-: ", ODD_CHARACTERS, WIDE_CHARACTERS))
            text += self.rng.choices(characters, k=self.rng.randrange(1, 40))
        return "".join(text[:length])

    def maybe_text(self):
        """A text that may be missing."""
        return None if self.rng.random() < 0.4 else self.text()

    def add(self):
        """A policy string, an MX host pattern or a failure."""
        kind = self.rng.randrange(3)
        if kind == 0:
            return ["add_policy_string", self.text()]
        if kind == 1:
            return ["add_mx_host_pattern", self.text()]
        texts = [self.maybe_text() for _ in range(6)]
        return ["add_delivery_request_failure", self.number(FAILURE_TYPES), *texts]

    def init_policy(self):
        """The beginning of a policy."""
        return ["init_policy", self.number(POLICY_TYPES), self.maybe_text()]

    def finish_policy(self):
        """The end of a policy."""
        return ["finish_policy", self.number(FINAL_RESULTS)]

    def policy(self):
        """A whole policy: in few cases a large one, or one of odd order."""
        size = self.rng.choice((0, 1, 2, 3, 5, 8, 8, 13, 60))
        return [self.init_policy(), *(self.add() for _ in range(size)), self.finish_policy()]

    def mistake(self):
        """The first error of a request. After it any step is safe, because each returns the same code."""
        beginning = self.rng.choice(([self.init_policy(), self.init_policy()], [self.finish_policy()]))
        steps = (self.add, self.init_policy, self.finish_policy)
        return beginning + [self.rng.choice(steps)() for _ in range(self.rng.randrange(6))]

    def sequence(self):
        """One delivery request, from its beginning to its end."""
        ops = [["init_delivery_request", self.text(), self.text()]]
        for _ in range(self.rng.choice((0, 1, 1, 1, 2, 3, 12))):
            ops += self.policy()
        mishap = self.rng.random()
        if mishap < 0.1:
            ops += self.mistake()
        elif mishap < 0.2:
            ops += self.policy()[:-1]
        return ops + [[self.rng.choice(["finish_delivery_request"] * 7 + ["cancel_delivery_request"])]]


def two_libraries(ours, reference):
    """Ends the program unless these are two libraries with two implementations."""
    texts = []
    for path in (ours, reference):
        library = ctypes.CDLL(path)
        library.tlsrpt_strerror.restype = ctypes.c_char_p
        texts.append(library.tlsrpt_strerror(10731))
    if os.path.samefile(ours, reference) or texts[0] == texts[1]:
        sys.exit(f"{ours} and {reference} are the same library: {texts[0]}")


PROTOCOL_VERSION = b'{"dpv": "1",'


def without_version(datagram):
    """A datagram in hexadecimal digits without its protocol version; unchanged if it has none."""
    return re.sub("^" + PROTOCOL_VERSION.hex(), b"{".hex(), datagram)


def compare(ours, reference, count, seed, without_dpv):
    """Plays the sequences. Returns the number of those with different results."""
    rng = random.Random(seed)
    libraries = [replay.Lib(path) for path in (ours, reference)]
    outcomes, sizes, different = Counter(), [], 0
    for number in range(count):
        ops = Writer(rng).sequence()
        answers = [library.run(ops) for library in libraries]
        if without_dpv:
            answers[0]["datagrams"] = list(map(without_version, answers[0]["datagrams"]))
        outcomes[answers[1]["returns"][-1]] += 1
        sizes += [len(datagram) // 2 for datagram in answers[1]["datagrams"]]
        if answers[0] != answers[1]:
            different += 1
            print(f"sequence {number} differs:", json.dumps({"name": f"{seed}-{number}", "ops": ops, **answers[1]})[:4000])
            print("this library answers", json.dumps(answers[0])[:4000])
    print(f"{len(sizes)} datagrams of {min(sizes)} to {max(sizes)} bytes; codes at the end: {dict(outcomes)}")
    return different


def main():
    """Reads the arguments and compares. Returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--without-dpv", action="store_true")
    parser.add_argument("libraries", nargs=2, type=os.path.abspath)
    parser.add_argument("count", nargs="?", type=int, default=2000)
    parser.add_argument("seed", nargs="?", type=int, default=time.time_ns())
    options = parser.parse_args()
    two_libraries(*options.libraries)
    print(f"seed {options.seed}")
    different = compare(*options.libraries, options.count, options.seed, options.without_dpv)
    print(f"random sequences: {options.count - different} passed, {different} failed")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
