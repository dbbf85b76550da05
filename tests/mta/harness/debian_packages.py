"""Debian's packages of libtlsrpt, and the packages of Debian stable that depend on them."""

import os
import re
import shutil
import subprocess

from harness import cache, namespace, roots

LIBRARY_PACKAGE = "libtlsrpt0"
DEBIAN_13 = "0.5.0rc1"  # the version of libtlsrpt that Debian 13 has
FETCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "reference", "fetch.sh")
REVERSE_DEPENDENCY = re.compile(r"^  (\S+)$", re.MULTILINE)


def c_library(suite):
    """A folder with Debian's own library, headers and manual pages of a suite."""
    return subprocess.run([FETCH, suite], stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout.strip()


def dependent_packages():
    """A folder with the files of each package of Debian stable that depends on the library: FOLDER/PACKAGE/usr/..."""
    base = roots.debian(roots.STABLE)
    recipe = {"base": os.path.basename(base), "package": LIBRARY_PACKAGE}
    return cache.entry("dependent-packages", recipe, lambda path: namespace.call(
        "harness.debian_packages:fetch_dependent", {"base": base, "path": path}, network=True))


def fetch_dependent(base, path):
    """Downloads and unpacks these packages, in a namespace, in a view of the root filesystem BASE."""
    with roots.view(base, path) as inside:
        shutil.copy("/etc/resolv.conf", inside + "/etc/resolv.conf")
        roots.run(inside, roots.APT + ["update"])
        found = set(REVERSE_DEPENDENCY.findall(roots.run(inside, ["apt-cache", "rdepends", LIBRARY_PACKAGE])))
        for package in sorted(found - {LIBRARY_PACKAGE + "-dev"}):
            roots.run(inside, ["sh", "-euc", 'cd /tmp; package=$0; "$@" download "$package"; mkdir -p unpacked; '
                               'dpkg-deb --extract "$package"_*.deb "unpacked/$package"', package] + roots.APT)
        shutil.copytree(inside + "/tmp/unpacked", path, symlinks=True, dirs_exist_ok=True)
