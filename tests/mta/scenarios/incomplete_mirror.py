"""A mirror that has upstream's tarball of a source package, and lacks Debian's part of it."""

import hashlib
import os
import subprocess

from harness import network, roots
from harness.scenario import Problem, Row, Scenario

PACKAGE = "exim4"
MIRROR = "/srv/mirror"
SUITE = "deb [trusted=yes] file:%s suite main\n" % MIRROR
# Apt asks for SHA-256 at least, and for a .dsc.
SOURCES = """Package: {package}
Version: 1-1
Format: 3.0 (quilt)
Directory: pool
Checksums-Sha256:
 {missing} 5 {package}_1-1.dsc
 {missing} 5 {package}_1-1.debian.tar.xz
 {digest} {size} {tarball}
"""


def make_mirror(root):
    """Writes a mirror of one source package into a root filesystem, and names it as the only one."""
    folder = root + MIRROR
    binary = "dists/suite/main/binary-" + architecture(root)
    for part in ("pool", "dists/suite/main/source", binary, "upstream-1"):
        os.makedirs(os.path.join(folder, part))
    with open(folder + "/upstream-1/LICENCE", "w") as file:
        file.write("upstream's\n")
    tarball = os.path.join(folder, "pool", PACKAGE + "_1.orig.tar.xz")
    subprocess.run(["tar", "--create", "--xz", "--file", tarball, "--directory", folder, "upstream-1"], check=True)
    with open(tarball, "rb") as file:
        content = file.read()
    with open(folder + "/dists/suite/main/source/Sources", "w") as index:
        index.write(SOURCES.format(package=PACKAGE, missing="0" * 64, digest=hashlib.sha256(content).hexdigest(),
                                   size=len(content), tarball=os.path.basename(tarball)))
    open(os.path.join(folder, binary, "Packages"), "w").close()
    with open(root + "/etc/apt/sources.list", "w") as listed:
        listed.write(SUITE)


def architecture(root):
    return roots.run(root, ["dpkg", "--print-architecture"]).strip()


def observe(lower, mountpoint):
    """In a namespace: what add_source unpacks, and what apt-get says, which wants the whole source package."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mountpoint], check=True)
    root = roots.overlay(lower, os.path.join(mountpoint, "root"))
    make_mirror(root)
    roots.add_source(root, PACKAGE)
    apt = roots.run(root, ["sh", "-c", "cd /tmp && apt-get source --download-only %s && echo complete" % PACKAGE], check=False)
    return {"unpacked": os.listdir(root + "/usr/src/" + PACKAGE), "apt": apt}


def check(context):
    found = context.call("scenarios.incomplete_mirror:observe", lower=roots.build(), mountpoint=network.mountpoint())
    if found["unpacked"] != ["LICENCE"]:
        raise Problem("unpacked %s" % found["unpacked"])
    if "complete" in found["apt"] or ".dsc" not in found["apt"]:
        raise Problem("the mirror lacks nothing:\n" + found["apt"])
    return Row("a mirror without a source package's .dsc and Debian's patches", "the harness unpacks upstream's tarball")


SCENARIOS = [Scenario("incomplete-mirror", "a mirror that has only the tarball of a source package", check)]
