"""The RPM packages of this project, as rpmbuild builds them."""

import re
import shutil

from harness import packaging
from harness.packaging import FOLDER

# The macros of systemd-rpm-macros, which Debian lacks: each leaves its name and its arguments in the script.
MACROS = ("systemd_post", "systemd_preun", "systemd_postun_with_restart", "tmpfiles_create", "sysusers_create_compat")
EACH = "for file in rpm/RPMS/*/*.rpm; do rpm --query --queryformat '= %%{NAME}\\n' --package $file; " \
       "rpm --query --package %s $file; done"


def build(base, source, output, mountpoint, compiled=True):
    """Builds the packages into OUTPUT. Returns of each package its files with their modes, what it provides, its scripts, licence
    and version; the output of rpmlint, and the crates that were compiled without the builder's flag. Unless COMPILED, the source has
    what is built, and is not tested."""
    inside = packaging.workshop(base, mountpoint)
    shutil.copy(packaging.tarball(source), inside + FOLDER)
    in_folder = lambda command, **options: packaging.in_folder(inside, command, **options)
    macros = " ".join("--define '%s() : %s %%*'" % (name, name) for name in MACROS)
    log = in_folder("export CARGO_TERM_VERBOSE=true RUSTFLAGS=%s %s; rpmbuild -ta --nodeps %s --define '_topdir %s/rpm' %s *.tar.xz" % (
        packaging.RUST_FLAG, packaging.QUICK, "" if compiled else "--nocheck", FOLDER, macros))
    found = {name: by_package(in_folder(EACH % options)) for name, options in (
        ("files", "--queryformat '[%{FILEMODES:octal} %{FILENAMES}\\n]'"), ("provides", "--provides"), ("scripts", "--scripts"),
        ("version", "--queryformat '%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n'"), ("licence", "--queryformat '%{LICENSE}\\n'"))}
    in_folder("tar xJf *.tar.xz --wildcards --strip-components 1 '*/packaging/*'")
    found["rpmlint"] = in_folder("rpmlint --config packaging/rpmlint.toml rpm/SRPMS/*.rpm rpm/RPMS/*/*.rpm && echo passed",
                                 check=False)
    found["without the flag"] = packaging.without_flag(log) if compiled else []
    packaging.keep(inside, output, "rpm/RPMS/*/*.rpm")
    return found


def by_package(printed):
    """The lines below each "= PACKAGE"."""
    parts = re.split("^= (.*)$", printed, flags=re.MULTILINE)
    return {name: [line for line in lines.split("\n") if line] for name, lines in zip(parts[1::2], parts[2::2])}
