"""Certificates that are made for one run."""

import os
import shutil

from harness import certificates, roots

SCRATCH = "/tmp/"
SUFFIXES = (".pem", ".key")
# Python of Debian 13 requires this of an authority; those of the harness do not have it.
KEY_USAGE = "keyUsage=critical,keyCertSign,cRLSign"


def make(root, path):
    """Makes an authority: PATH.pem and PATH.key in a root filesystem."""
    roots.run(root, ["openssl", "req", "-x509", "-subj", "/CN=authority of the policies", "-keyout", path + ".key", "-out", path + ".pem",
                     "-addext", KEY_USAGE] + certificates.VALID_PERIOD + certificates.NEW_KEY)


def sign(root, authority, path, names):
    """Makes PATH.pem and PATH.key for all NAMES, signed by the AUTHORITY in the same root filesystem."""
    roots.run(root, ["openssl", "req", "-x509", "-subj", "/CN=" + names[0], "-keyout", path + ".key", "-out", path + ".pem",
                     "-addext", "subjectAltName=" + ",".join("DNS:" + name for name in names),
                     "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority + ".pem", "-CAkey", authority + ".key"]
              + certificates.VALID_PERIOD + certificates.NEW_KEY)


def sign_by_harness(root, the_network, path, names):
    """The same, signed by the authority of the harness, whose key does not stay there."""
    for suffix in SUFFIXES:
        shutil.copyfile(the_network.certificate(certificates.AUTHORITY) + suffix, root + SCRATCH + "authority" + suffix)
    sign(root, SCRATCH + "authority", path, names)
    for suffix in SUFFIXES:
        os.unlink(root + SCRATCH + "authority" + suffix)
