"""The packages that the harness needs on the host."""

import os
import shutil
import subprocess

# A command, or a path with a slash: the package that contains it.
NEEDED = {
    "debootstrap": "debootstrap",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "curl": "curl",
    "mkfs.ext4": "e2fsprogs",
    "losetup": "mount",
    "gcc": "gcc",
    "g++": "g++",
    "abidiff": "abigail-tools",
}
APT = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]


def install():
    """Installs the missing packages."""
    missing = sorted({package for wanted, package in NEEDED.items() if not found(wanted)} | missing_venv())
    if missing:
        print("installing " + " ".join(missing), flush=True)
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(APT + ["update"], env=environment, check=True)
        subprocess.run(APT + ["install", "--yes", "--no-install-recommends"] + missing, env=environment, check=True)


def found(wanted):
    return os.path.exists(wanted) if "/" in wanted else shutil.which(wanted)


def missing_venv():
    """Debian's Python has no module for virtual environments."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        return {"python3-venv"}
    return set()
