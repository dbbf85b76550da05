"""Exim from upstream's tarball of Debian's source package, built with Exim's makefiles, with OpenSSL, and linked with the
module."""

import os
import shutil

from harness import cache, exim, namespace, roots

PACKAGES = ["libpcre2-dev", "libfile-fcntllock-perl"]
SOURCE_PACKAGE = "exim4"
SOURCE = "/usr/src/" + SOURCE_PACKAGE
MODULE_FOLDER = os.path.dirname(exim.MODULE)

# The last line is the one of docs/exim.md.
MAKEFILE = """BIN_DIRECTORY=/usr/sbin
CONFIGURE_FILE={configuration}
EXIM_USER={user}
EXIM_GROUP={group}
SPOOL_DIRECTORY=/var/spool/exim4
FIXED_NEVER_USERS=root
ROUTER_DNSLOOKUP=yes
ROUTER_MANUALROUTE=yes
TRANSPORT_SMTP=yes
LOOKUP_DNSDB=yes
PCRE2_CONFIG=yes
DBMLIB=-ldb
USE_DB=yes
HAVE_IPV6=YES
USE_OPENSSL=yes
TLS_LIBS=-lssl -lcrypto
SUPPORT_DANE=yes
DISABLE_DKIM=yes
CFLAGS=-O1
EXPAND_DLFUNC=yes
EXTRALIBS=-ldl -Wl,--no-as-needed,-rpath,{folder} {module}
"""


def with_openssl(installed):
    """Debian stable with this Exim in the place of its own; INSTALLED is what `make install-exim` put somewhere.

    Exim finds the module when it starts, so a newer one of the same name does as well.
    """
    base, build = roots.stable_with("exim", exim.PACKAGES), roots.build()
    recipe = {"base": os.path.basename(base), "build": os.path.basename(build), "packages": PACKAGES,
              "makefile": MAKEFILE, "from": roots.UPSTREAM}
    return cache.entry("exim-openssl", recipe, lambda path: namespace.call(
        "harness.exim_source:make", {"base": base, "build": build, "installed": installed, "path": path}, network=True))


def make(base, build, installed, path):
    """Builds it in a view of the root filesystem for building, and puts it into a copy of the one with Debian's Exim."""
    with roots.view(build, path) as workshop:
        roots.install(workshop, PACKAGES)
        roots.add_source(workshop, SOURCE_PACKAGE)
        shutil.copytree(installed + MODULE_FOLDER, workshop + MODULE_FOLDER)
        os.makedirs(workshop + SOURCE + "/Local", exist_ok=True)
        owner = os.stat(base + "/var/spool/exim4")
        with open(workshop + SOURCE + "/Local/Makefile", "w") as target:
            target.write(MAKEFILE.format(configuration=exim.CONFIGURATION, user=owner.st_uid, group=owner.st_gid,
                                         folder=MODULE_FOLDER, module=exim.MODULE))
        roots.run(workshop, ["sh", "-euc", "cd %s && make -j2 && cp build-*/exim /usr/local/exim" % SOURCE])
        roots.copy(base, path)
        shutil.copyfile(workshop + "/usr/local/exim", path + exim.PROGRAM)
        os.chmod(path + exim.PROGRAM, 0o4755)
