"""The packages of this project for Arch, as makepkg builds them."""

import os
import re
import shutil

from harness import packaging, roots
from harness.packaging import FOLDER, QUICK, RUST_FLAG, in_folder

NOBODY = "nobody"
# NAME-VERSION-RELEASE-ARCHITECTURE.pkg.tar.zst
PACKAGE_NAME = re.compile(r"(.+)-[^-]+-[^-]+-[^-]+\.pkg\.tar\.\w+$")
FIELD = re.compile("^(provides|pkgver|license|replaces) = (.*)$", re.MULTILINE)


def build(base, source, output, mountpoint, compiled=True):
    """Builds the packages into OUTPUT, as a user, because makepkg refuses root. Returns of each package its files and the fields
    of its description, and the crates that were compiled without the builder's flag. Unless COMPILED, the source has what is built,
    and is not tested."""
    inside = packaging.workshop(base, mountpoint)
    for path in (packaging.tarball(source), os.path.join(source, "PKGBUILD")):
        shutil.copy(path, inside + FOLDER)
    roots.run(inside, ["chown", "-R", NOBODY, FOLDER])
    log = in_folder(inside, "HOME=%s CARGO_TERM_VERBOSE=true RUSTFLAGS=%s %s setpriv --reuid %s --regid nogroup "
                            "--clear-groups makepkg --nodeps --nocolor %s" % (
                                FOLDER, RUST_FLAG, QUICK, NOBODY, "" if compiled else "--nocheck"))
    found = {"files": {}, "fields": {}, "without the flag": packaging.without_flag(log) if compiled else []}
    for name in sorted(os.listdir(inside + FOLDER)):
        if PACKAGE_NAME.match(name):
            package = PACKAGE_NAME.match(name).group(1)
            found["files"][package], found["fields"][package] = described(inside, "%s/%s" % (FOLDER, name))
    packaging.keep(inside, output, "*.pkg.tar.*")
    return found


def described(inside, file):
    """The files in a package, and the fields of its description: {name: [values]}."""
    listed = roots.run(inside, ["tar", "--list", "--file", file]).splitlines()
    fields = {}
    for name, value in FIELD.findall(roots.run(inside, ["tar", "--extract", "--to-stdout", "--file", file, ".PKGINFO"])):
        fields.setdefault(name, []).append(value)
    return ["/" + name for name in listed if not name.endswith("/")], fields
