#!/usr/bin/env python3
"""Print recorded call sequences in the form that c-tests/api/replay.c reads.

    tests/vectors/lines.py sequences.jsonl

One line for each call, `call FUNCTION CODE ARGUMENT...`, where an argument is a number, `-` for NULL, or `x` and the bytes
in hexadecimal; then one `datagram HEX` for each datagram, and `end NAME`.
"""
import json
import sys


def argument(value):
    """One word for an argument of a call."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return "x" + (value["hex"] if isinstance(value, dict) else value.encode().hex())


def main():
    with open(sys.argv[1], encoding="utf-8") as sequences:
        for line in sequences:
            case = json.loads(line)
            for (function, *arguments), code in zip(case["ops"], case["returns"]):
                print("call", function, code, *map(argument, arguments))
            for datagram in case["datagrams"]:
                print("datagram", datagram)
            print("end", case["name"].replace(" ", "_"))


if __name__ == "__main__":
    main()
