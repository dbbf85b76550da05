"""The fake DNS server. It sets AD (authenticated data) in every answer, because DANE needs that, unless told not to."""

import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "NS": 2, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
ANSWER_AUTHORITATIVE, RECURSION_DESIRED, RECURSION_AVAILABLE, AUTHENTIC_DATA = 0x8400, 0x0100, 0x0080, 0x0020
NO_SUCH_NAME = 3
TIME_TO_LIVE = 60
POINTER_TO_QUESTION = b"\xc0\x0c"


def encode_name(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode_name(message, offset):
    """The name at an offset of a query, in lower case, and the offset after it."""
    labels = []
    while message[offset]:
        length = message[offset]
        labels.append(message[offset + 1:offset + 1 + length].decode("latin-1").lower())
        offset += 1 + length
    return ".".join(labels), offset + 1


def encode_value(kind, value):
    """The data of a record in the form of an answer."""
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        return struct.pack(">H", value[0]) + encode_name(value[1])
    if kind == "TXT":
        text = value.encode()
        chunks = [text[start:start + 255] for start in range(0, len(text), 255)]
        return b"".join(bytes([len(chunk)]) + chunk for chunk in chunks)
    if kind == "TLSA":
        return bytes(value[:3]) + bytes.fromhex(value[3])
    raise ValueError("no records of type " + kind)


def question(query):
    """The name and the type that a query asks for, and the offset after them and the class. The type is None if no record of
    the zone can have it."""
    name, offset = decode_name(query, 12)
    number, = struct.unpack_from(">H", query, offset)
    return name, TYPE_NAMES.get(number), offset + 4


def answer(zone, query, validates=True):
    """The answer to a query from a ZONE of {(name, type): [values]}."""
    identifier, flags = struct.unpack_from(">HH", query)
    name, kind, end = question(query)
    values = zone.get((name, kind), [])
    known = any(owner == name or owner.endswith("." + name) for owner, _ in zone) or not name
    flags = (ANSWER_AUTHORITATIVE | RECURSION_AVAILABLE | (AUTHENTIC_DATA if validates else 0)
             | (flags & RECURSION_DESIRED) | (0 if known else NO_SUCH_NAME))
    reply = struct.pack(">HHHHHH", identifier, flags, 1, len(values), 0, 0) + query[12:end]
    for value in values:
        data = encode_value(kind, value)
        reply += POINTER_TO_QUESTION + struct.pack(">HHIH", TYPES[kind], 1, TIME_TO_LIVE, len(data)) + data
    return reply


def serve(address, zone, silent, asked, validates=True):
    """Answers on port 53 of an address, over UDP and TCP, until this process ends.

    The set SILENT has (name, type) of questions that get no answer over UDP. Those asked over UDP are added to the list ASKED.
    VALIDATES: whether it says that it validated the answers with DNSSEC.
    """
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((address, 53))
    listener = socket.create_server((address, 53))
    threading.Thread(target=_serve_udp, args=(datagrams, zone, silent, asked, validates), daemon=True).start()
    threading.Thread(target=_serve_tcp, args=(listener, zone, validates), daemon=True).start()


def _serve_udp(datagrams, zone, silent, asked, validates):
    while True:
        query, client = datagrams.recvfrom(4096)
        asked.append(question(query)[:2])
        if asked[-1] in silent:
            continue
        reply = answer(zone, query, validates)
        if len(reply) > 1232:
            # Truncated: the client asks again over TCP.
            flags, = struct.unpack_from(">H", reply, 2)
            _, _, end = question(query)
            reply = reply[:2] + struct.pack(">HHHHH", flags | 0x0200, 1, 0, 0, 0) + query[12:end]
        datagrams.sendto(reply, client)


def _serve_tcp(listener, zone, validates):
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as incoming:
            length, = struct.unpack(">H", incoming.read(2))
            reply = answer(zone, incoming.read(length), validates)
            connection.sendall(struct.pack(">H", len(reply)) + reply)
