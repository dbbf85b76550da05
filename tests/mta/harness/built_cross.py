"""Debian's packages of this project, cross-built for another architecture."""

import os

from harness import built_debian, cache, namespace, packaging, roots

FOREIGN, FOREIGN_TOOLS, EMULATOR = "arm64", "aarch64-linux-gnu-", "qemu-aarch64"
CROSS_PACKAGES = ["debhelper", "fakeroot", "pkg-config", "qemu-user", "crossbuild-essential-" + FOREIGN,
                  "libstd-rust-dev:" + FOREIGN]


def root():
    """Debian stable with the tools that build Debian's packages for another architecture."""
    base = roots.build()
    recipe = {"base": os.path.basename(base), "packages": CROSS_PACKAGES}
    return cache.entry("cross-packaging", recipe, lambda path: namespace.call(
        "harness.built_cross:make_root", {"base": base, "path": path}, network=True))


def make_root(base, path):
    roots.copy(base, path)
    roots.prepare(path)
    roots.run(path, ["dpkg", "--add-architecture", FOREIGN])
    roots.install(path, CROSS_PACKAGES)


def build(base, source, output, mountpoint):
    """Builds the packages for another architecture into OUTPUT. Returns {package: its architecture}; what the command printed
    and what a program printed that was built with the development package, both under an emulator; the head of the module, and
    the completions."""
    inside = packaging.workshop(base, mountpoint)
    built_debian.run_buildpackage(inside, source, "%s DEB_BUILD_OPTIONS=nocheck DEB_BUILD_PROFILES='nocheck cross' "
                                                  "dpkg-buildpackage -b -us -uc -a%s" % (packaging.QUICK, FOREIGN))
    packaging.keep(inside, output, "*.deb")
    in_folder = lambda command: packaging.in_folder(inside, command)
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
