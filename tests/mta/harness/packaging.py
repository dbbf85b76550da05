"""Packages of this project: built in Debian stable from the tarball of `make dist`, without a network."""

import os
import re
import shutil
import subprocess
import threading

from harness import cache, namespace, network, roots

PACKAGES = ["debhelper", "fakeroot", "lintian", "rpm", "makepkg", "pacman-package-manager", "libarchive-tools", "zstd"]
FOLDER = "/build"
REPLACED = "libtlsrpt0"

# A cross-build: for another architecture, on this one.
FOREIGN, FOREIGN_TOOLS, EMULATOR = "arm64", "aarch64-linux-gnu-", "qemu-aarch64"
CROSS_PACKAGES = ["debhelper", "fakeroot", "pkg-config", "qemu-user", "crossbuild-essential-" + FOREIGN,
                  "libstd-rust-dev:" + FOREIGN]
NOBODY = "nobody"


def root():
    """Debian stable with the tools that build packages of Debian, RPM and Arch."""
    base = roots.build()
    recipe = {"base": os.path.basename(base), "packages": PACKAGES}
    return cache.entry("packaging", recipe, lambda path: namespace.call(
        "harness.roots:make_with", {"base": base, "path": path, "packages": PACKAGES}, network=True))


def cross_root():
    """Debian stable with the tools that build Debian's packages for another architecture."""
    base = roots.build()
    recipe = {"base": os.path.basename(base), "packages": CROSS_PACKAGES}
    return cache.entry("cross-packaging", recipe, lambda path: namespace.call(
        "harness.packaging:make_cross_root", {"base": base, "path": path}, network=True))


def make_cross_root(base, path):
    roots.copy(base, path)
    roots.prepare(path)
    roots.run(path, ["dpkg", "--add-architecture", FOREIGN])
    roots.install(path, CROSS_PACKAGES)


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


def debian(context):
    """Debian's packages, built once in a run: what build_debian returns, and their folder."""
    output = os.path.join(context.checkout, "build", "mta", "debian")
    source = dist(context.checkout)
    with _building:
        if not _built:
            _built.append(dict(folder=output, **context.call(
                "harness.packaging:build_debian", base=root(), source=source, output=output, mountpoint=network.mountpoint())))
    return _built[0]


_building = threading.Lock()
_built = []


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


def build_debian(base, source, output, mountpoint):
    """Builds the packages into OUTPUT. Returns their version, the output of lintian, the shlibs file, the output of a
    program that was built with the development package, and the dependencies of another one by dpkg-shlibdeps."""
    inside = workshop(base, mountpoint)
    version = run_buildpackage(inside, source, "dpkg-buildpackage -us -uc")
    lintian = roots.run(inside, ["sh", "-c", "cd %s && lintian --allow-root --fail-on error *.changes && echo passed"
                                 % FOLDER], check=False)
    shutil.rmtree(output, ignore_errors=True)
    os.makedirs(output)
    for name in os.listdir(inside + FOLDER):
        if name.endswith(".deb"):
            shutil.copy(os.path.join(inside + FOLDER, name), output)
    # The program is built with the command in libtlsrpt(3) and in docs/interface.md.
    program = roots.run(inside, ["sh", "-euc", "cd %s && dpkg --install libtlsrpt0*.deb && zcat -f /usr/share/doc/"
                                 "libtlsrpt0-dev/examples/one_policy.c* >one_policy.c && cc one_policy.c "
                                 "$(pkg-config --cflags --libs libtlsrpt) -o one_policy && ./one_policy /nowhere 2>&1 "
                                 "&& readelf -d one_policy" % FOLDER])
    shlibs = roots.run(inside, ["sh", "-euc", "dpkg-deb --info %s/libtlsrpt0_*.deb shlibs" % FOLDER])
    # A program that calls none of the functions that Debian 13's library lacks.
    depends = roots.run(inside, ["sh", "-euc", "cd %s && mkdir debian && printf '%%s\\n' 'Source: program' '' "
                                 "'Package: program' 'Architecture: any' >debian/control && "
                                 "echo 'int main(void) { return tlsrpt_strerror(0) == 0; }' | cc -include tlsrpt.h -x c - "
                                 "-ltlsrpt -o early && dpkg-shlibdeps -O early" % FOLDER])
    return {"lintian": lintian, "program": program, "version": version, "shlibs": shlibs, "depends": depends}


def run_buildpackage(inside, source, command):
    """Runs dpkg-buildpackage in the unpacked tarball; the version of the project."""
    version = roots.run(inside, ["sh", "-euc", "tar xJfO - --wildcards '*/debian/changelog' | sed -n '1s/.*(\\(.*\\)-.*/\\1/p'"],
                        stdin=open(tarball(source), "rb")).strip()
    shutil.copy(tarball(source), "%s%s/libtlsrpt_%s.orig.tar.xz" % (inside, FOLDER, version))
    roots.run(inside, ["sh", "-euc", "cd %s && tar xJf *.orig.tar.xz && cd libtlsrpt-*/ && %s" % (FOLDER, command)])
    return version


def cross_build_debian(base, source, mountpoint):
    """Builds the packages for another architecture. Returns {package: its architecture}, what the command printed and what a
    program printed that was built with the development package, both under an emulator, and the completions' sizes."""
    inside = workshop(base, mountpoint)
    run_buildpackage(inside, source, "DEB_BUILD_OPTIONS=nocheck DEB_BUILD_PROFILES='nocheck cross' "
                                     "dpkg-buildpackage -b -us -uc -a" + FOREIGN)
    in_folder = lambda command: roots.run(inside, ["sh", "-euc", "cd %s && %s" % (FOLDER, command)])
    fields = in_folder("for file in *.deb; do dpkg-deb --show --showformat='${Package} ${Architecture}\\n' $file; "
                       "dpkg-deb --extract $file unpacked; done")
    command = in_folder(EMULATOR + " unpacked/usr/bin/tlsrpt --version")
    multiarch = "unpacked/usr/lib/" + FOREIGN_TOOLS.rstrip("-")
    program = in_folder(
        "zcat -f unpacked/usr/share/doc/libtlsrpt0-dev/examples/one_policy.c* >one_policy.c && {tools}gcc one_policy.c "
        "-Iunpacked/usr/include -L{lib} -ltlsrpt -o one_policy && {emulator} -E LD_LIBRARY_PATH={lib} ./one_policy /nowhere 2>&1"
        .format(tools=FOREIGN_TOOLS, lib=multiarch, emulator=EMULATOR))
    module = in_folder("%sreadelf -h unpacked/usr/lib/*/exim4/*.so unpacked/usr/lib/exim4/*.so 2>/dev/null || true"
                       % FOREIGN_TOOLS)
    completion = in_folder("cat unpacked/usr/share/bash-completion/completions/tlsrpt")
    return {"architectures": dict(line.split() for line in fields.splitlines()), "command": command, "program": program,
            "module": module, "completion": completion}


def build_rpm(base, source, mountpoint):
    """Builds the RPM packages: {package: [its files]}, and the "provides" of the library's package."""
    inside = workshop(base, mountpoint)
    shutil.copy(tarball(source), inside + FOLDER)
    roots.run(inside, ["sh", "-euc", "cd %s && rpmbuild -ta --nodeps --define '_topdir %s/rpm' *.tar.xz" % (
        FOLDER, FOLDER)])
    provides = roots.run(inside, ["sh", "-euc", "cd %s && rpm --query --provides --package rpm/RPMS/*/libtlsrpt-[0-9]*.rpm"
                                  % FOLDER])
    return {"files": listed(inside, "rpm/RPMS/*/*.rpm", "rpm --query --list --package"),
            "provides": provides.splitlines()}


def build_arch(base, source, mountpoint):
    """Builds the packages for Arch, as a user, because makepkg refuses root: {package: [its files]}, and the "provides" of
    the library's package."""
    inside = workshop(base, mountpoint)
    for path in (tarball(source), os.path.join(source, "PKGBUILD")):
        shutil.copy(path, inside + FOLDER)
    roots.run(inside, ["chown", "-R", NOBODY, FOLDER])
    roots.run(inside, ["sh", "-euc", "cd %s && HOME=%s setpriv --reuid %s --regid nogroup --clear-groups makepkg --nodeps "
                       "--nocolor" % (FOLDER, FOLDER, NOBODY)])
    information = roots.run(inside, ["sh", "-euc", "cd %s && tar --extract --to-stdout --file libtlsrpt-[0-9]*.pkg.tar* "
                                     ".PKGINFO" % FOLDER])
    return {"files": listed(inside, "*.pkg.tar*", "tar --list --absolute-names --file"),
            "provides": re.findall("^provides = (.*)$", information, re.MULTILINE)}


# NAME-VERSION-RELEASE.ARCHITECTURE.rpm, NAME-VERSION-RELEASE-ARCHITECTURE.pkg.tar.zst
PACKAGE_NAME = re.compile(r"(.+)-[^-]+-[^-]+(\.rpm|-[^-]+\.pkg\.tar\.\w+)$")


def listed(inside, pattern, command):
    """The files in each of the packages that a pattern matches: {package: [files]}."""
    printed = roots.run(inside, ["sh", "-euc", "cd %s && for file in %s; do echo \"= $file\"; %s $file; done" % (
        FOLDER, pattern, command)])
    found = {}
    for line in printed.split("\n"):
        if line.startswith("= "):
            files = found[PACKAGE_NAME.match(os.path.basename(line[2:])).group(1)] = []
        elif line and not line.endswith("/"):
            files.append("/" + line.lstrip("/"))
    return found
