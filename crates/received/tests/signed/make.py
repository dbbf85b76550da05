#!/usr/bin/env python3
"""Makes the signed mails in this folder with dkimpy 1.1.8 and PyNaCl 1.6.2 (pip), each with the key of its algorithm in
crates/deliver/tests/keys: one for each algorithm and each pair of canonical forms. Run it in this folder."""

import base64
import pathlib

import dkim

KEYS = pathlib.Path("../../../deliver/tests/keys")
SELECTOR, DOMAIN = b"tlsrpt", b"sender.example"
SIGNED = [b"from", b"to", b"subject", b"date", b"mime-version", b"content-type", b"tls-report-domain", b"tls-report-submitter",
          b"x-note", b"x-note", b"x-absent"]
REPORT = pathlib.Path("../senders/no-place.json").read_bytes()

# What the canonical forms treat differently: folded fields, runs of spaces, tabs, upper and lower case of names, a field twice,
# spaces at the ends of lines, empty lines at the end, text that is not ASCII.
HEADER = b"""Received: from inner.sender.example by mx.sender.example; Tue, 24 Nov 2026 00:00:00 +0000
X-Note: the  first\x20
X-NOTE:the second\t
 of two
FROM:  TLS reports   <noreply@Sender.example>\x20\x20
To: tls@example.org
subject: Report Domain: example.org
 Submitter: sender.example\x20
  Report-ID: <1@sender.example>
Date: Tue, 24 Nov 2026 00:00:00 +0000
TLS-Report-Domain: example.org
TLS-Report-Submitter: sender.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type="tlsrpt";
\tboundary="=_b"

"""
BODY = b"""preamble  with   spaces\x20\t
--=_b
Content-Type: text/plain; charset=utf-8

caf\xc3\xa9 \t\x20
-- \x20

--=_b
Content-Type: application/tlsrpt+json
Content-Transfer-Encoding: base64

%s
--=_b--


""" % base64.encodebytes(REPORT).strip()


def main():
    mail = (HEADER + BODY).replace(b"\n", b"\r\n")
    rsa = (KEYS / "rsa-pkcs1.pem").read_bytes()
    # The seed is at the end of the DER form (RFC 8410).
    lines = (KEYS / "ed25519.pem").read_text().splitlines()[1:-1]
    ed25519 = base64.b64encode(base64.b64decode("".join(lines))[-32:])
    for algorithm, key in ((b"rsa-sha256", rsa), (b"ed25519-sha256", ed25519)):
        for header in (b"simple", b"relaxed"):
            for body in (b"simple", b"relaxed"):
                signature = dkim.sign(mail, SELECTOR, DOMAIN, key, canonicalize=(header, body), signature_algorithm=algorithm,
                                      include_headers=SIGNED)
                name = "%s-%s-%s.eml" % (algorithm.split(b"-")[0].decode(), header.decode(), body.decode())
                pathlib.Path(name).write_bytes(signature + mail)


main()
