"""Debian's packages of what `make` has built on this machine, within seconds: for tests of what is in them, not of their building
(packaging.py has that)."""

import os
import shutil

from harness import built_debian, namespace, network, packaging, roots

PACKAGES = ["debhelper", "fakeroot"]
NOT_COPIED = shutil.ignore_patterns("target", "build", ".git", "fuzz", "vendor")
FOLDER = packaging.FOLDER + "/project"
# debian/rules includes this file of the compiler, which is not needed here.
RUST = "/usr/share/rustc/architecture.mk"


def root():
    """Debian stable with debhelper, without compilers."""
    return roots.stable_with("debhelper", PACKAGES)


def make(checkout, output):
    """Makes the packages in the folder OUTPUT, as built_debian does."""
    missing = [name for name in packaging.BUILT_FILES if not os.path.exists(os.path.join(checkout, "build", name))]
    if missing:
        raise SystemExit("build/%s does not exist: run make all exim" % missing[0])
    shutil.rmtree(output, ignore_errors=True)
    os.makedirs(os.path.join(output, built_debian.OLDER))
    namespace.call("harness.built_packages:make_inside", {
        "base": root(), "checkout": checkout, "output": output, "mountpoint": network.mountpoint()})
    return output


def copy(checkout, target):
    """Copies the project with the built files, which are newer than their sources once they are touched, the archive last."""
    shutil.copytree(checkout, target, ignore=NOT_COPIED, symlinks=True)
    os.mkdir(target + "/build")
    for name in packaging.BUILT_FILES:
        shutil.copy(os.path.join(checkout, "build", name), target + "/build/" + name, follow_symlinks=False)


def make_inside(base, checkout, output, mountpoint):
    """In a namespace: runs debhelper, for which `make` has nothing to do."""
    inside = packaging.workshop(base, mountpoint)
    copy(checkout, inside + FOLDER)
    if not os.path.exists(inside + RUST):
        os.makedirs(os.path.dirname(inside + RUST))
        with open(inside + RUST, "w") as target:
            target.write("include /usr/share/dpkg/architecture.mk\n")
    roots.run(inside, ["sh", "-euc", "cd %s && touch build/* build/libtlsrpt.a && DEB_BUILD_OPTIONS=nocheck DPKG_DEB_COMPRESSOR_TYPE=none "
                       "dpkg-buildpackage --build=binary --no-pre-clean --no-sign --no-check-builddeps" % FOLDER])
    built_debian.build_old(inside)
    built_debian.keep(inside, output)
