"""The certificates of the fake mail servers, made by the OpenSSL of Debian stable's root filesystem."""

import os
import subprocess

from harness import cache, domains, namespace, roots

AUTHORITY = "authority"
REPORT_SINK = "reports.sts.test"
MAIL_HOST = "sender.test"
STS_HOST = "mta-sts.sts.test"  # the policy host of a domain
DOCUMENTED, DOCUMENTED_STS_HOST = "mx.example.org", "mta-sts.example.org"  # the hosts of the domain in the documents
WRONG_NAME = "other.example"
EXPIRED_PERIOD = ["-not_before", "20200101000000Z", "-not_after", "20210101000000Z"]
VALID_PERIOD = ["-days", "3650"]
# Python 3.13 refuses an authority without it.
AUTHORITY_USE = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def folder():
    """The folder with NAME.pem and NAME.key for each mail server, the mail host, the report sink, the policy hosts and the authority."""
    wanted = [(AUTHORITY, AUTHORITY, domains.TRUSTED)]
    wanted += [(name, name, domains.TRUSTED) for name in (
        REPORT_SINK, MAIL_HOST, STS_HOST, DOCUMENTED, DOCUMENTED_STS_HOST)]
    wanted += [(domain.server, WRONG_NAME if domain.certificate == domains.WRONG_NAME else domain.server,
                domain.certificate) for domain in domains.DOMAINS]
    root = roots.debian(roots.STABLE)
    recipe = {"certificates": wanted, "options": [EXPIRED_PERIOD, VALID_PERIOD, NEW_KEY, AUTHORITY_USE]}
    return cache.entry("certificates", recipe, lambda path: namespace.call(
        "harness.certificates:make", {"root": root, "path": path, "wanted": wanted}))


def make(root, path, wanted):
    """Makes the certificates in a namespace, where the folder is mounted into the root filesystem."""
    inside = "/mnt"
    subprocess.run(["mount", "--bind", path, root + inside], check=True)
    for file_name, common_name, kind in wanted:
        target = os.path.join(inside, file_name)
        command = ["openssl", "req", "-x509", "-subj", "/CN=" + common_name,
                   "-keyout", target + ".key", "-out", target + ".pem"] + NEW_KEY
        command += EXPIRED_PERIOD if kind == domains.EXPIRED else VALID_PERIOD
        if file_name == AUTHORITY:
            command += AUTHORITY_USE
        else:
            command += ["-addext", "subjectAltName=DNS:" + common_name,
                        "-addext", "basicConstraints=critical,CA:FALSE"]
        if file_name != AUTHORITY and kind != domains.SELF_SIGNED:
            signer = os.path.join(inside, AUTHORITY)
            command += ["-CA", signer + ".pem", "-CAkey", signer + ".key"]
        roots.run(root, command)
