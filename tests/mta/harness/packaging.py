"""Packages of this project: built in Debian stable from the tarball of `make dist`, without a network.

A set of packages is built once for each state of the sources, and kept in the cache outside of the checkout.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading

from harness import cache, namespace, network, roots

PACKAGES = ["debhelper", "fakeroot", "lintian", "rpm", "rpmlint", "makepkg", "pacman-package-manager", "libarchive-tools", "zstd"]
FOLDER = "/build"
REPLACED = "libtlsrpt0"
RESULT = "result.json"
# Parts of the checkout that no package is built from.
NOT_BUILT = (".ci/", "tests/mta/")
# The crates with the public parts of the project, and an argument for rustc. Each build has it in its environment, and the log
# shows whether it arrives.
CRATES = ("tlsrpt", "tlsrpt_exim", "tlsrpt_collect")
RUST_FLAG = "--cfg=tlsrpt_of_the_builder"
# In the environment of builds whose command is only looked at: without optimization it is compiled in a third of the time.
QUICK = "CARGO_PROFILE_COMMAND_OPT_LEVEL=0"


def root():
    """Debian stable with the tools that build packages of Debian, RPM and Arch."""
    base = roots.build()
    recipe = {"base": os.path.basename(base), "packages": PACKAGES}
    return cache.entry("packaging", recipe, lambda path: namespace.call(
        "harness.roots:make_with", {"base": base, "path": path, "packages": PACKAGES}, network=True))


def built(context, kind, base=root):
    """What build() of harness.built_KIND returned when it built the packages of these sources; "folder" is the one with them."""
    base_root = base()
    here = os.path.dirname(os.path.abspath(__file__))
    builders = [os.path.join(here, name) for name in ("packaging.py", "built_debian.py", "built_%s.py" % kind)]
    recipe = {"base": os.path.basename(base_root), "sources": digest_of_sources(context.checkout), "builders": digest(builders)}

    def make(path):
        source = dist(context.checkout)
        result = context.call("harness.built_%s:build" % kind, base=base_root, source=source, output=path,
                              mountpoint=network.mountpoint())
        with open(os.path.join(path, RESULT), "w") as target:
            json.dump(result, target)
    folder = cache.entry("built-" + kind, recipe, make)
    with open(os.path.join(folder, RESULT)) as source:
        return dict(json.load(source), folder=folder)


def digest_of_sources(checkout):
    """The digest of the files in the tarball of `make dist`, as they are in the checkout."""
    listed = subprocess.run(["git", "-C", checkout, "ls-files", "-z"], stdout=subprocess.PIPE, check=True).stdout
    names = [name for name in os.fsdecode(listed).split("\0") if name and not name.startswith(NOT_BUILT)]
    return digest([os.path.join(checkout, name) for name in sorted(names)], checkout)


def digest(files, start="/"):
    """A digest of names, permissions and contents."""
    total = hashlib.sha256()
    for path in files:
        with open(path, "rb") as source:
            content = hashlib.sha256(source.read()).hexdigest()
        total.update(("%s %o %s\n" % (os.path.relpath(path, start), os.stat(path).st_mode, content)).encode())
    return total.hexdigest()


def dist(checkout):
    """The folder with the tarball and the PKGBUILD."""
    folder = os.path.join(checkout, "build", "dist")
    with _making:
        if not _made:
            subprocess.run(["make", "-s", "-C", checkout, "dist"], check=True, stdout=subprocess.DEVNULL)
            _made.append(folder)
    return folder


_making = threading.Lock()
_made = []


def packed(context, kind):
    """What build() of harness.built_KIND returned for the files that `make` has built in the checkout: nothing is compiled."""
    folder = os.path.join(context.checkout, "build", "mta", "packed-" + kind)
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("source", "output"):
        os.makedirs(os.path.join(folder, name))
    dist_of_built(context.checkout, os.path.join(folder, "source"), context.reference_version())
    return context.call("harness.built_%s:build" % kind, base=root(), source=os.path.join(folder, "source"),
                        output=os.path.join(folder, "output"), mountpoint=network.mountpoint(), compiled=False)


def dist_of_built(checkout, folder, level):
    """Makes a folder like that of dist(), whose tarball has no crates but the built files, which are newer than their sources."""
    version = re.search('^version = "(.*)"$', read(os.path.join(checkout, "Cargo.toml")), re.MULTILINE).group(1)
    name = "libtlsrpt-" + version
    subprocess.run(["sh", "-euc", PACK_SOURCES, checkout, folder, name, *BUILT_FILES], check=True)
    for template in ("libtlsrpt.spec", "PKGBUILD"):
        filled = subprocess.run([os.path.join(checkout, "packaging", "fill.py"), os.path.join(checkout, "packaging", template + ".in"),
                                 version, level], stdout=subprocess.PIPE, check=True).stdout
        for target in (os.path.join(folder, template), os.path.join(folder, name, "packaging", template)):
            with open(target, "wb") as written:
                written.write(filled)
    subprocess.run(["tar", "--create", "--xz", "--file", "%s/%s.tar.xz" % (folder, name), "--directory", folder, name], check=True,
                   env=dict(os.environ, XZ_OPT="-0"))


PACK_SOURCES = """
checkout=$0 target=$1/$2
shift 2
mkdir -p "$target/build"
cd "$checkout"
git ls-files -z | tar --create --null --files-from=- | tar --extract --directory "$target"
find "$target" -type f -exec touch --date=@0 {} +
cd build
cp --archive "$@" "$target/build"
"""
BUILT_FILES = ("libtlsrpt.so.0.0.0", "libtlsrpt.so.0", "libtlsrpt.so", "libtlsrpt.a", "tlsrpt", "tlsrpt-exim.so", "completion.bash",
               "completion.zsh", "completion.fish")


def read(path):
    with open(path) as source:
        return source.read()


def tarball(folder):
    name, = (name for name in os.listdir(folder) if name.endswith(".tar.xz"))
    return os.path.join(folder, name)


def replaced_package():
    """A folder with Debian's own package of the library, to return to it."""
    base = roots.debian(roots.STABLE)
    return cache.entry("replaced", {"base": os.path.basename(base), "package": REPLACED}, lambda path: namespace.call(
        "harness.packaging:download", {"base": base, "path": path}, network=True))


def download(base, path):
    """Downloads it with the root filesystem's apt, in a namespace."""
    with roots.view(base, path) as inside:
        shutil.copy("/etc/resolv.conf", inside + "/etc/resolv.conf")
        roots.run(inside, ["sh", "-euc", "cd /tmp && %s download %s=$(dpkg-query -Wf '${Version}' %s)" % (
            " ".join(roots.APT), REPLACED, REPLACED)])
        for name in os.listdir(inside + "/tmp"):
            if name.endswith(".deb"):
                shutil.copy(os.path.join(inside, "tmp", name), path)


def workshop(base, mountpoint):
    """A writable view of the root filesystem, with an empty folder to build in. In a namespace."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", mountpoint], check=True)
    inside = roots.overlay(base, os.path.join(mountpoint, "workshop"))
    os.mkdir(inside + FOLDER)
    return inside


def in_folder(inside, command, **options):
    """Runs a command of the shell in the folder of a workshop, and returns its output."""
    return roots.run(inside, ["sh", "-euc", "cd %s; %s" % (FOLDER, command)], **options)


def keep(inside, output, *patterns):
    """Copies the files of the workshop that match, into OUTPUT."""
    for pattern in patterns:
        for path in glob.glob("%s%s/%s" % (inside, FOLDER, pattern)):
            shutil.copy(path, output)


def without_flag(log):
    """Which of CRATES rustc compiled without RUST_FLAG, or did not compile, by a log that has each command."""
    return [crate for crate in CRATES if not re.search("--crate-name %s .*%s" % (crate, re.escape(RUST_FLAG)), log)]
