"""Postfix from upstream's tarball of Debian's source package, built by the commands of its own TLSRPT_README."""

import glob
import hashlib
import os
import re
import shutil
import subprocess

from harness import cache, namespace, network, project, roots

SOURCE = roots.SOURCE_FOLDER
README = SOURCE + "/README_FILES/TLSRPT_README"
# TLSRPT_README writes "..." for other settings: here those of a build with TLS on Debian, by INSTALL and TLS_README.
OTHER_SETTINGS = {"CCARGS": "-DUSE_TLS -DNO_NIS", "AUXLIBS": "-lssl -lcrypto -ldb -lnsl -lresolv"}
README_COMMAND = re.compile(
    r'make -f Makefile\.init makefiles \\\n +"CCARGS=\.\.\. [^"]+" \\\n +"AUXLIBS=\.\.\. [^"]+"')
DEBIANS_FILES = ("/etc/postfix", "/usr/lib/postfix/sbin")


def compiled(checkout, crate_sources):
    """A source tree with objects compiled against our header. Each scenario links them."""
    root = roots.build()
    headers = {}
    for path in sorted(glob.glob(os.path.join(checkout, "include", "*.h"))):
        with open(path, "rb") as content:
            headers[os.path.basename(path)] = hashlib.sha256(content.read()).hexdigest()
    recipe = {"root": os.path.basename(root), "headers": headers, "settings": OTHER_SETTINGS}
    arguments = {"lower": root, "mountpoint": network.mountpoint(), "checkout": checkout, "crate_sources": crate_sources}
    return cache.entry("postfix-objects", recipe, lambda path: namespace.call(
        "harness.postfix_source:compile_objects", dict(arguments, path=path)))


def compile_objects(lower, mountpoint, path, checkout, crate_sources):
    """Builds everything once, in a namespace, and keeps the source tree."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", mountpoint], check=True)
    root = roots.overlay(lower, mountpoint)
    project.install(root, checkout, crate_sources)
    make(root)
    subprocess.run(["cp", "--archive", root + SOURCE + "/.", path], check=True)


def make(root):
    """Runs the commands of TLSRPT_README and returns the text of the first."""
    with open(root + README, encoding="utf-8", errors="replace") as readme:
        documented = README_COMMAND.search(re.sub(".\b", "", readme.read())).group()
    command = re.sub(r'"(CCARGS|AUXLIBS)=\.\.\.', lambda match: '"%s=%s' % (
        match.group(1), OTHER_SETTINGS[match.group(1)]), documented)
    roots.run(root, ["sh", "-euc", "cd %s\n%s\nmake -j%d" % (SOURCE, command, os.cpu_count())])
    return " ".join(documented.replace("\\\n", "").split())


def link_and_install(root, objects):
    """In a namespace: links all programs against the library in /usr/local, and installs them in place of Debian's."""
    for path in DEBIANS_FILES:
        shutil.rmtree(root + path)
    shutil.rmtree(root + SOURCE)
    subprocess.run(["cp", "--archive", objects, root + SOURCE], check=True)
    for program in glob.glob(root + SOURCE + "/bin/*") + glob.glob(root + SOURCE + "/libexec/*"):
        for copy in [program] + glob.glob(root + SOURCE + "/src/*/" + os.path.basename(program)):
            os.unlink(copy)
    command = make(root)
    roots.run(root, ["sh", "-euc", "cd %s && make install POSTFIX_INSTALL_OPTS=-non-interactive" % SOURCE])
    return command
