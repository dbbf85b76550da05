"""DNS with real DNSSEC: Debian's NSD serves the root zone and the zone `test`, both signed; Debian's unbound validates them.

The harness's own DNS server says of each answer that it is validated. Here DANE rests on signatures.
"""

import os
import socket
import struct
import subprocess

from harness import dns, network, roots, waiting
from whole import sts

PACKAGES = ["nsd", "unbound", "ldnsutils"]
AUTHORITATIVE = "127.0.0.56"
ALGORITHM = "ECDSAP256SHA256"
FORGED, UNSIGNED, SIGNED = "forged.test", "plain.unsigned", "mx.dane.test"
RIGHT_ADDRESS, FORGED_ADDRESS = "192.0.2.1", "192.0.2.66"
SOA = "%(name)s. 3600 IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60\n%(name)s. 3600 IN NS ns.test.\n"
NSD = """server:
  ip-address: %s
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: "/etc/nsd"
  server-count: 1
remote-control:
  control-enable: no
""" % AUTHORITATIVE
UNBOUND = """server:
  interface: %s
  do-ip6: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  chroot: ""
  username: ""
  directory: "/etc/unbound"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  root-hints: "/etc/unbound/root.hints"
  trust-anchor-file: "/etc/unbound/root.anchor"
  local-zone: "test." nodefault
  val-log-level: 2
remote-control:
  control-enable: no
""" % network.RESOLVER
NO_ERROR, SERVER_FAILURE = 0, 2
WITH_AUTHENTIC_DATA = dns.RECURSION_DESIRED | dns.AUTHENTIC_DATA


class SignedNetwork(network.Network):
    """The network, with this DNS in place of the harness's own. LOWER is a root filesystem with the packages."""

    def __init__(self, lower, records, **others):
        self.lower = lower
        super().__init__(records=records, **others)

    def zone(self):
        return {**super().zone(), **sts.names()}

    def serve_names(self):
        root = roots.overlay(self.lower, os.path.join(self.folder, "names"))
        folder = root + "/etc/nsd/"
        texts = {"test": SOA % {"name": "test"} + self._records(), "unsigned": SOA % {"name": "unsigned"}
                 + "%s. 60 IN A %s\n" % (UNSIGNED, RIGHT_ADDRESS)}
        delegations = "".join("%s. 3600 IN NS ns.test.\n" % name for name in texts) + "ns.test. 3600 IN A %s\n" % AUTHORITATIVE
        _write(folder + "unsigned.zone", texts["unsigned"])
        _write(folder + "test.zone", texts["test"])
        of_test = sign(root, "test")
        _write(folder + "root.zone", SOA % {"name": ""} + delegations + of_test)
        anchor = sign(root, "root", ".")
        # One record is changed after it was signed.
        _replace(folder + "test.zone.signed", RIGHT_ADDRESS, FORGED_ADDRESS)
        _write(folder + "nsd.conf", NSD + "".join(
            'zone:\n  name: "%s."\n  zonefile: "%s"\n' % pair for pair in (
                ("", "root.zone.signed"), ("test", "test.zone.signed"), ("unsigned", "unsigned.zone"))))
        _write(root + "/etc/unbound/root.hints", ". 3600 IN NS ns.test.\nns.test. 3600 IN A %s\n" % AUTHORITATIVE)
        _write(root + "/etc/unbound/root.anchor", anchor)
        _write(root + "/etc/unbound/unbound.conf", UNBOUND)
        self.output = os.path.join(self.folder, "names.out")
        with open(self.output, "w") as output:
            self.processes = [subprocess.Popen(["chroot", root] + program, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
                              for program in (["nsd", "-d", "-c", "/etc/nsd/nsd.conf"],
                                              ["unbound", "-d", "-c", "/etc/unbound/unbound.conf"])]
        try:
            waiting.until("DNS", lambda: any(process.poll() is not None for process in self.processes)
                          or ask(SIGNED, "A") == (NO_ERROR, True), 60)
            self.require_validation()
        except (waiting.Timeout, RuntimeError) as failure:
            with open(self.output) as output:
                raise RuntimeError("%s: %s\n%s" % (failure, ask(SIGNED, "A"), output.read())) from None

    def _records(self):
        lines = ["ns.test. 3600 IN A %s" % AUTHORITATIVE, "%s. 60 IN A %s" % (FORGED, RIGHT_ADDRESS)]
        for (name, kind), values in self.served.items():
            for value in values:
                lines.append("%s. 60 IN %s %s" % (name, kind, presented(kind, value)))
        return "\n".join(lines) + "\n"

    @staticmethod
    def require_validation():
        """Raises RuntimeError unless the resolver validates: a right signature, none, and a wrong one."""
        for name, wanted in ((SIGNED, (NO_ERROR, True)), (UNSIGNED, (NO_ERROR, False)), (FORGED, (SERVER_FAILURE, False))):
            if ask(name, "A") != wanted:
                raise RuntimeError("the resolver answers %s for %s, not %s" % (ask(name, "A"), name, wanted))


def presented(kind, value):
    """The data of a record as a zone file has it."""
    if kind == "MX":
        return "%d %s." % value
    if kind == "TXT":
        chunks = [value.encode()[start:start + 255] for start in range(0, len(value.encode()), 255)]
        return " ".join('"%s"' % "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or byte in b" =;:/.@,-+*~_" else "\\%03d" % byte
                                         for byte in chunk) for chunk in chunks)
    if kind == "TLSA":
        return "%d %d %d %s" % value
    return str(value)


def sign(root, name, origin=None):
    """Signs the file NAME.zone, which becomes NAME.zone.signed, and returns the DS record of its key."""
    origin = origin or name + "."
    script = 'cd /etc/nsd; key=$(ldns-keygen -a %s -k "$1"); ldns-signzone -o "$1" "$0.zone" "$key"; cat "$key.ds"' % ALGORITHM
    return roots.run(root, ["sh", "-euc", script, name, origin])


def ask(name, kind):
    """What the resolver answers: (the code, whether the data are authentic)."""
    query = struct.pack(">HHHHHH", 1, WITH_AUTHENTIC_DATA, 1, 0, 0, 0) + dns.encode_name(name) + struct.pack(">HH", dns.TYPES[kind], 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.connect((network.RESOLVER, 53))
        try:
            client.send(query)
            _, flags = struct.unpack_from(">HH", client.recv(4096))
        except OSError as error:
            return error.strerror, False
    return flags & 0xF, bool(flags & dns.AUTHENTIC_DATA)


def _write(path, text):
    with open(path, "w") as target:
        target.write(text)


def _replace(path, old, new):
    with open(path) as source:
        text = source.read()
    if text.count(old) != 1:
        raise RuntimeError("%s has %s %d times" % (path, old, text.count(old)))
    _write(path, text.replace(old, new))
