"""The tests in debian/tests, run by autopkgtest in a booted Debian with the packages of this project."""

import os
import re
import shutil

from harness import command, roots, service_manager

# Exim takes the place of Postfix.
# dpkg-dev for the source package, gcc and pkgconf for what the tests build.
PACKAGES = ["systemd", "systemd-sysv", "autopkgtest", "dpkg-dev", "gcc", "libc6-dev", "pkgconf", "exim4-daemon-heavy"]
FOLDER = "/tested"
SECONDS = 300
OUTCOME = re.compile(r"^(\S+)\s+(PASS|FAIL|SKIP|FLAKY)\b(.*)$", re.MULTILINE)


def root():
    return roots.stable_with("autopkgtest", PACKAGES)


def run(lower, checkout, packages, mountpoint):
    """In a namespace: {test: outcome}, and what was printed. The system is thrown away, which is the isolation the tests ask for."""
    folder = command.mount_folder(mountpoint)
    inside = roots.overlay(lower, folder)
    os.mkdir(inside + FOLDER)
    for part in ("debian", "examples"):
        shutil.copytree(os.path.join(checkout, part), os.path.join(inside + FOLDER, "source", part))
    files = [name for name in os.listdir(packages) if name.endswith(".deb")]
    for name in files:
        shutil.copy(os.path.join(packages, name), inside + FOLDER)
    os.unlink(inside + "/usr/sbin/policy-rc.d")
    system = service_manager.System(inside, folder, ["--private-network"])
    printed = system.run("autopkgtest", "--summary-file", FOLDER + "/summary", "--ignore-restrictions=isolation-container",
                         "--no-built-binaries", *["%s/%s" % (FOLDER, name) for name in files], FOLDER + "/source/", "--", "null",
                         check=False, seconds=SECONDS)
    summary = command.read(inside + FOLDER + "/summary")
    return {"outcomes": {name: outcome for name, outcome, _ in OUTCOME.findall(summary)}, "printed": printed}
