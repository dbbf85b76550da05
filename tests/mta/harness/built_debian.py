"""Debian's packages of this project, as dpkg-buildpackage builds them."""

import os
import shutil

from harness import packaging, roots
from harness.packaging import FOLDER, in_folder

OLDER = "older"  # the folder in the output
LINTIAN = "lintian --allow-root --pedantic --display-info --fail-on error,warning,info,pedantic"
# The package with the command before it was tlsrpt: what its source package had but the command itself.
OLD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packages", "tlsrpt-tools")


def build(base, source, output, mountpoint):
    """Builds the packages into OUTPUT, and an older package that they replace. Returns their version, the output of lintian, the
    crates that were compiled without the builder's flag, the shlibs file, the output of a program that was built with the
    development package, and the dependencies of another one by dpkg-shlibdeps."""
    inside = packaging.workshop(base, mountpoint)
    version, log = run_buildpackage(inside, source, "RUSTFLAGS=%s dpkg-buildpackage -us -uc" % packaging.RUST_FLAG)
    lintian = in_folder(inside, LINTIAN + " *.changes && echo passed", check=False)
    # The program is built with the command in libtlsrpt(3) and in docs/interface.md.
    program = in_folder(inside, "dpkg --install libtlsrpt0*.deb; zcat -f /usr/share/doc/libtlsrpt0-dev/examples/one_policy.c* "
                                ">one_policy.c; cc one_policy.c $(pkg-config --cflags --libs libtlsrpt) -o one_policy; "
                                "./one_policy /nowhere 2>&1; readelf -d one_policy")
    shlibs = in_folder(inside, "dpkg-deb --info libtlsrpt0_*.deb shlibs")
    # A program that calls none of the functions that Debian 13's library lacks.
    depends = in_folder(inside, "mkdir debian; printf '%s\\n' 'Source: program' '' 'Package: program' 'Architecture: any' "
                                ">debian/control; echo 'int main(void) { return tlsrpt_strerror(0) == 0; }' | "
                                "cc -include tlsrpt.h -x c - -ltlsrpt -o early; dpkg-shlibdeps -O early")
    build_old(inside)
    os.mkdir(os.path.join(output, OLDER))
    keep(inside, output)
    return {"lintian": lintian, "program": program, "version": version, "shlibs": shlibs, "depends": depends,
            "without the flag": packaging.without_flag(log)}


def lint(base, packages, mountpoint):
    """The output of lintian on packages that are built elsewhere."""
    inside = packaging.workshop(base, mountpoint)
    for name in os.listdir(packages):
        if name.endswith(".deb"):
            shutil.copy(os.path.join(packages, name), inside + FOLDER)
    # built_packages.py saves the time of compression.
    return in_folder(inside, "%s --suppress-tags %s *.deb && echo passed" % (LINTIAN, ",".join(
        "uses-no-compression-for-%s-tarball" % part for part in ("control", "data"))), check=False)


def build_old(inside):
    """Builds the older package, with the command of today."""
    os.mkdir(inside + FOLDER + "/old")
    shutil.copytree(OLD, inside + FOLDER + "/old/source")
    in_folder(inside, "dpkg-deb --fsys-tarfile tlsrpt_*.deb | "
                      "tar xf - --directory old/source --strip-components 3 ./usr/bin/tlsrpt; "
                      "cd old/source; dpkg-buildpackage -b -d -us -uc")


def keep(inside, output):
    """Copies the packages to OUTPUT, and the older one to the folder OLDER there."""
    packaging.keep(inside, output, "*.deb")
    packaging.keep(inside, os.path.join(output, OLDER), "old/*.deb")


def run_buildpackage(inside, source, command):
    """Runs dpkg-buildpackage in the unpacked tarball: the version of the project, and the log."""
    version = roots.run(inside, ["sh", "-euc", "tar xJfO - --wildcards '*/debian/changelog' | sed -n '1s/.*(\\(.*\\)-.*/\\1/p'"],
                        stdin=open(packaging.tarball(source), "rb")).strip()
    shutil.copy(packaging.tarball(source), "%s%s/libtlsrpt_%s.orig.tar.xz" % (inside, FOLDER, version))
    log = in_folder(inside, "tar xJf *.orig.tar.xz; cd libtlsrpt-*/; " + command)
    return version, log
