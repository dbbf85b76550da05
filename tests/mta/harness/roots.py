"""Root filesystems of Debian releases, kept in the cache and never written after they are made."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile

from harness import cache, namespace

FIND_MIRROR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "reference", "mirror.sh")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# All Debian releases since etch use the same script; an older debootstrap may not know the newest names.
DEBOOTSTRAP_SCRIPT = "/usr/share/debootstrap/scripts/sid"

OLDSTABLE = "bookworm"
STABLE = "trixie"
TESTING = "forky"
PACKAGES = ["postfix", "ca-certificates", "openssl"]

# For Postfix from source, and for building this project with Debian's own Rust.
BUILD_PACKAGES = ["build-essential", "m4", "libdb-dev", "libssl-dev", "libnsl-dev", "rustc", "cargo", "python3",
                  "pkg-config"]
SOURCE_PACKAGE = "postfix"
SOURCE_FOLDER = "/usr/src/" + SOURCE_PACKAGE

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APT = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root"]
APT_HELPER = "/usr/lib/apt/apt-helper"  # downloads as apt does, and verifies the checksum
UPSTREAM = "upstream's tarball"  # how a recipe names what add_source fetches
SOURCES_LIST = "/etc/apt/sources.list.d/sources.list"
# 'ADDRESS' NAME SIZE CHECKSUM, on a line of its own; a signature has .asc at the end of its name.
UPSTREAM_TARBALL = re.compile(r"^'([^']+)' (\S+\.orig\.tar\.\w+) \d+ (\S+)$", re.MULTILINE)
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy")


def debian(suite):
    """The root filesystem of a Debian release with its unmodified Postfix."""
    recipe = {"suite": suite, "packages": PACKAGES, "script": DEBOOTSTRAP_SCRIPT}
    return cache.entry(suite, recipe, lambda path: namespace.call(
        "harness.roots:make_debian", {"suite": suite, "path": path, "mirror": mirror()}, network=True))


def build():
    """Debian stable with compilers, Rust and Postfix's source beside its Postfix."""
    base = debian(STABLE)
    recipe = {"base": os.path.basename(base), "packages": BUILD_PACKAGES, "source": SOURCE_PACKAGE, "from": UPSTREAM}
    return cache.entry("build", recipe, lambda path: namespace.call(
        "harness.roots:make_build", {"base": base, "path": path}, network=True))


def testing_with(name, packages):
    """Debian testing with packages, and without Postfix."""
    recipe = {"suite": TESTING, "packages": packages, "script": DEBOOTSTRAP_SCRIPT}
    return cache.entry(name, recipe, lambda path: namespace.call(
        "harness.roots:make_testing", {"path": path, "mirror": mirror(), "packages": packages}, network=True))


def stable_with(name, packages):
    """Debian stable with other packages, which may replace Postfix."""
    base = debian(STABLE)
    recipe = {"base": os.path.basename(base), "packages": packages}
    return cache.entry(name, recipe, lambda path: namespace.call(
        "harness.roots:make_with", {"base": base, "path": path, "packages": packages}, network=True))


def mirror():
    """The Debian mirror of this machine's apt."""
    return subprocess.run([FIND_MIRROR], stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout.strip()


def make_debian(suite, path, mirror, packages=PACKAGES):
    """Runs debootstrap in a namespace, which removes its mounts when it ends."""
    subprocess.run(["debootstrap", "--variant=minbase", "--keyring", KEYRING]
                   + (["--include", ",".join(packages)] if packages else [])
                   + [suite, path, mirror, DEBOOTSTRAP_SCRIPT], check=True)


def make_testing(path, mirror, packages):
    """Debian testing with packages, in a namespace. Apt installs them: debootstrap does not know alternatives."""
    make_debian(TESTING, path, mirror, packages=())
    prepare(path)
    install(path, packages)


def make_build(base, path):
    """Debian stable with the packages for building, and Postfix's source."""
    make_with(base, path, BUILD_PACKAGES)
    add_source(path, SOURCE_PACKAGE)


def make_with(base, path, packages):
    """Copies a root filesystem and installs packages, in a namespace. When the namespace ends, all its daemons end."""
    copy(base, path)
    prepare(path)
    install(path, packages)


def copy(base, path):
    """Copies a root filesystem into an existing folder."""
    subprocess.run(["cp", "--archive", "--reflink=auto", base + "/.", path], check=True)


def install(path, packages):
    """Installs packages from the network and starts no daemon. Syncs no file: an incomplete cache entry is never used."""
    with open(path + "/usr/sbin/policy-rc.d", "w") as policy:
        policy.write("#!/bin/sh\nexit 101\n")
    os.chmod(policy.name, 0o755)
    shutil.copy("/etc/resolv.conf", path + "/etc/resolv.conf")
    run(path, APT + ["-o", "Acquire::Check-Valid-Until=" + checks_dates(), "update"])
    run(path, APT + ["-o", "DPkg::Options::=--force-unsafe-io", "install", "--yes", "--no-install-recommends"] + packages)


def checks_dates():
    """Whether this machine's apt refuses a release file that is past its date: a mirror that is a snapshot has such files."""
    return subprocess.run(["sh", "-euc", 'DATES=true; eval "$(apt-config shell DATES Acquire::Check-Valid-Until/b)"; echo "$DATES"'],
                          stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout.strip()


def add_source(path, package):
    """Unpacks upstream's tarball of a Debian source package below /usr/src, in a folder without the version.

    Nothing else of the source package is fetched: a mirror may lack the .dsc and Debian's patches of a version that a
    newer one has replaced, while the tarball stays for as long as any version needs it.
    """
    with open(path + SOURCES_LIST, "w") as listed:
        listed.write(source_lines(path))
    run(path, APT + ["update"])
    address, name, checksum = upstream_tarball(run(path, APT + ["source", "--print-uris", "--download-only", package]))
    run(path, ["sh", "-euc", 'cd /usr/src; "$0" download-file "$1" "$2" "$3"; mkdir "$4"; '
               'tar --extract --file "$2" --strip-components 1 --directory "$4"',
               APT_HELPER, address, name, checksum, package])


def source_lines(path):
    """The lines of sources.list for the source packages of the release and mirror of a root filesystem."""
    with open(path + "/etc/apt/sources.list") as listed:
        return "".join(line.replace("deb ", "deb-src ", 1) for line in listed if line.startswith("deb "))


def upstream_tarball(printed):
    """Address, name and checksum of upstream's tarball in the output of apt-get source --print-uris."""
    found = UPSTREAM_TARBALL.findall(printed)
    if len(found) != 1:
        raise RuntimeError("apt-get names %d upstream tarballs, not one:\n%s" % (len(found), printed))
    return found[0]


def overlay(lower, folder):
    """A writable view of the root filesystem LOWER. FOLDER, on a tmpfs or a disk, holds what is written, also what an earlier view
    has written."""
    for part in ("upper", "work", "root"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    root = os.path.join(folder, "root")
    options = "lowerdir=%s,upperdir=%s/upper,workdir=%s/work" % (lower, folder, folder)
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root], check=True)
    prepare(root)
    return root


@contextlib.contextmanager
def view(lower, beside):
    """A writable view of the root filesystem LOWER for making something, in a folder beside the path BESIDE."""
    folder = tempfile.mkdtemp(dir=os.path.dirname(beside), prefix=os.path.basename(beside))
    try:
        yield overlay(lower, folder)
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", os.path.join(folder, "root")], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def prepare(root):
    """Mounts /proc, which programs in a root filesystem need."""
    subprocess.run(["mount", "-t", "proc", "proc", root + "/proc"], check=True)


def run(root, command, check=True, **options):
    """Runs a command in a root filesystem with an environment of its own, and returns its output.

    If it fails, raises RuntimeError with the output, unless check is False.
    """
    environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/", "DEBIAN_FRONTEND": "noninteractive"}
    environment.update({name: os.environ[name] for name in PROXY_VARIABLES if name in os.environ})
    outcome = subprocess.run(["chroot", root] + command, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, **options)
    printed = outcome.stdout.decode("utf-8", "replace")
    if check and outcome.returncode != 0:
        raise RuntimeError("%s ended with %d:\n%s" % (" ".join(command), outcome.returncode, printed))
    return printed


def package_version(root, package):
    """The version of an installed package."""
    return run(root, ["dpkg-query", "--show", "--showformat=${Version}", package])
