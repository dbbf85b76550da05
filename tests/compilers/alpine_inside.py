"""The functions of tests/compilers/alpine that run in a namespace. They return {what: [what was seen, whether it is right]}."""

import os
import shutil
import subprocess

import compilers
import musl
from compilers_inside import CHEAP
from harness import roots

PLACE = "/home/build"
# As Alpine's cc: for musl. Rust's own musl is linked by gcc itself.
COMPILER = """#!/bin/sh
case " $* " in
*" -static-pie "* | *" -static "*) exec gcc "$@" ;;
*) exec musl-gcc "$@" ;;
esac
"""
SYSTEMD = ("systemd", "sysusers.d", "tmpfiles.d")
MEMBERS = {
    "libtlsrpt": {"usr/lib/libtlsrpt.so.0", "usr/lib/libtlsrpt.so.0.0.0"},
    "libtlsrpt-static": {"usr/lib/libtlsrpt.a"},
    "libtlsrpt-dev": {"usr/include/tlsrpt.h", "usr/include/tlsrpt_version.h", "usr/lib/libtlsrpt.so", "usr/lib/pkgconfig/libtlsrpt.pc"},
    "libtlsrpt-doc": {"usr/share/man/man1/tlsrpt.1", "usr/share/man/man3/tlsrpt_open.3", "usr/share/man/man5/tlsrpt.toml.5",
                      "usr/share/licenses/libtlsrpt/LICENSE-MIT"},
    "tlsrpt": {"usr/bin/tlsrpt", "etc/tlsrpt/tlsrpt.toml", "usr/share/tlsrpt/tlsrpt.toml", "usr/share/tlsrpt/sendmail/tlsrpt.m4",
               "usr/share/bash-completion/completions/tlsrpt"},
    "tlsrpt-openrc": {"etc/init.d/tlsrpt-collect", "etc/init.d/tlsrpt-deliver"},
    "tlsrpt-exim": {"usr/lib/exim4/tlsrpt-exim.so", "usr/share/tlsrpt-exim/tlsrpt.conf"},
}
WHOLE = ("libtlsrpt", "libtlsrpt-static", "libtlsrpt-dev", "tlsrpt-openrc", "tlsrpt-exim")
# busybox's, as far as the script needs them.
ADDERS = {"addgroup": 'exec groupadd --system "$2"\n',
          "adduser": 'for name in "$@"; do :; done\nexec useradd --system --gid tlsrpt --no-create-home --home-dir /var/lib/tlsrpt "$name"\n'}
# Alpine's service of this name sets interfaces up. Debian's OpenRC has no service that provides "net", which the reporter needs.
NETWORKING = "#!/sbin/openrc-run\n\ndepend() {\n\tprovide net\n}\n\nstart() {\n\ttrue\n}\n"
SOCKET, STORE = "/run/tlsrpt/tlsrpt.sock", "/var/lib/tlsrpt/tlsrpt.db"
MARK, SECONDS = "=====", 300
# What the administrator does, in one shell: the name of the step, its commands, and what they print.
STEPS = [
    ("users", "sh /tmp/tlsrpt.pre-install; id tlsrpt; id tlsrpt-collect; mkdir -p /run/openrc; touch /run/openrc/softlevel",
     ["(tlsrpt) gid", "(tlsrpt-collect) gid"]),
    ("collector", "rc-service tlsrpt-collect start; for try in 1 2 3 4 5 6 7 8 9; do [ -S %s ] || sleep 1; done; "
                  "rc-service tlsrpt-collect status; stat -c '%%U:%%G %%a' %s" % (SOCKET, SOCKET),
     ["status: started", "tlsrpt-collect:postfix 660"]),
    ("stored", "setpriv --reuid postfix --regid postfix --clear-groups tlsrpt send --socket %s --domain example.org "
               "--record 'v=TLSRPTv1; rua=mailto:tls@example.org' --success; rc-service tlsrpt-collect stop; "
               "tlsrpt status --domain example.org; stat -c '%%U:%%G %%a' %s" % (SOCKET, STORE),
     ["1 session, 0 failed", "tlsrpt:tlsrpt 660"]),
    ("lines", "rc-service tlsrpt-deliver start", ["organization = ", "failed to start"]),
    ("reporter", "sed -i 's/^#\\(organization\\|contact\\|from\\) = /\\1 = /' /etc/tlsrpt/tlsrpt.toml; rc-service tlsrpt-deliver start; "
                 "rc-service tlsrpt-deliver status; rc-service tlsrpt-deliver stop", ["status: started", "Stopping TLSRPT reporter"]),
]


def build(lower, source, checkout, target_dir, output, mountpoint):
    """Runs the APKBUILD of the tarball and copies the packages into a folder."""
    inside = compilers.view(lower, mountpoint)
    shutil.copytree(source, inside + PLACE)
    shutil.copy(os.path.join(compilers.HERE, "abuild.sh"), inside + PLACE)
    write_script(inside + "/usr/local/bin/alpine-cc", COMPILER)
    compilers.give_folder(inside, target_dir, compilers.TARGET_DIR)
    variables = dict(CHEAP, CARGO_BUILD_TARGET=musl.TRIPLE, CARGO_TARGET_DIR=compilers.TARGET_DIR, CC="alpine-cc")
    printed = roots.run(inside, ["env"] + ["%s=%s" % pair for pair in variables.items()]
                        + [PLACE + "/abuild.sh", PLACE], timeout=compilers.SECONDS)
    packages = inside + PLACE + "/pkg"
    found = {name: files(os.path.join(packages, name)) for name in os.listdir(packages)}
    seen = {"tested": [printed, compilers.sum_up(printed)[0] > 0 and compilers.sum_up(printed)[1] == 0]}
    seen["split"] = [str(found), set(found) == set(MEMBERS) and all(
        MEMBERS[name] == found[name] if name in WHOLE else MEMBERS[name] <= found[name] for name in MEMBERS)]
    every = [file for of_one in found.values() for file in of_one]
    seen["once"] = [str(every), len(set(every)) == len(every) and not any(
        part in file.split("/") for file in every for part in SYSTEMD)]
    library = roots.run(inside, ["readelf", "--dynamic", "--wide", PLACE + "/pkg/libtlsrpt/usr/lib/libtlsrpt.so.0"])
    seen["musl"] = [library, "[libc.so]" in library and "libc.so.6" not in library and "[libtlsrpt.so.0]" in library]
    for name in found:
        shutil.copytree(os.path.join(packages, name), output, symlinks=True, dirs_exist_ok=True)
    return seen


def write_script(path, text):
    """Writes a file that can be executed."""
    with open(path, "w") as script:
        script.write(text)
    os.chmod(path, 0o755)


def files(folder):
    """The files below a folder, as paths from there."""
    return {os.path.relpath(os.path.join(path, name), folder) for path, _, names in os.walk(folder) for name in names}


def start(lower, packages, checkout, mountpoint):
    """Installs the packages beside OpenRC and starts the services: an event is collected, and the reporter waits for its lines."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    inside = compilers.view(lower, mountpoint)
    shutil.copytree(packages, inside, symlinks=True, dirs_exist_ok=True)
    for name, text in ADDERS.items():
        write_script("%s/usr/local/sbin/%s" % (inside, name), "#!/bin/sh\n" + text)
    write_script(inside + "/etc/init.d/networking", NETWORKING)
    shutil.copy(os.path.join(checkout, "packaging", "alpine", "tlsrpt.pre-install"), inside + "/tmp")
    script = "".join("echo '%s %s'\n%s\n" % (MARK, name, commands) for name, commands, _ in STEPS)
    # The shell is the first process, and takes notice of services that end, as init does.
    printed = roots.run(inside, ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script], check=False, timeout=SECONDS)
    parts = dict(part.partition("\n")[::2] for part in printed.split(MARK + " ")[1:])
    return {name: [parts.get(name, printed), all(text in parts.get(name, "") for text in wanted)] for name, _, wanted in STEPS}
