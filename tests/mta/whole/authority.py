"""Certificates that are made for one run."""

import os
import shutil

from harness import certificates, roots

SCRATCH = "/tmp/"
SUFFIXES = (".pem", ".key")


def sign(root, the_network, path, names):
    """Makes PATH.pem and PATH.key for all NAMES in a root filesystem, signed by the authority of the harness, whose key does not
    stay there."""
    authority = SCRATCH + "authority"
    for suffix in SUFFIXES:
        shutil.copyfile(the_network.certificate(certificates.AUTHORITY) + suffix, root + authority + suffix)
    roots.run(root, ["openssl", "req", "-x509", "-subj", "/CN=" + names[0], "-keyout", path + ".key", "-out", path + ".pem",
                     "-addext", "subjectAltName=" + ",".join("DNS:" + name for name in names),
                     "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority + ".pem", "-CAkey", authority + ".key"]
              + certificates.VALID_PERIOD + certificates.NEW_KEY)
    for suffix in SUFFIXES:
        os.unlink(root + authority + suffix)
