"""A cache outside the checkout for files that are slow to make: root filesystems, certificates, a Python environment.

An entry is a folder. Its name has the kind of entry and the hash of the recipe. The folder is made under another name and
renamed when it is complete, so that a crash leaves no incomplete entry. A changed recipe makes a new entry.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile

PARTIAL = ".partial"
LOCK = ".lock"
UNFIT = re.compile(r"[\s,:]")


def folder():
    """The folder of the cache."""
    user_cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.environ.get("TLSRPT_CACHE") or os.path.join(user_cache, "libtlsrpt")
    path = os.path.join(os.path.abspath(path), "mta")
    if UNFIT.search(path):
        raise SystemExit("the cache folder %s has a space, a comma or a colon in its name, which debootstrap and overlayfs "
                         "do not accept: set TLSRPT_CACHE to another one" % path)
    os.makedirs(path, exist_ok=True)
    return path


def entry(name, recipe, make):
    """The path of the entry NAME. Without an entry of this recipe, make(path) makes one."""
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]
    path = os.path.join(folder(), "%s-%s" % (name, digest))
    _hold(path + LOCK)
    if not os.path.isdir(path):
        with _locked(os.path.join(folder(), name + PARTIAL + LOCK)):
            _remove_leftovers(name, path)
            if not os.path.isdir(path):
                _make(name, path, make)
    return path


def _make(name, path, make):
    partial = tempfile.mkdtemp(prefix=name + PARTIAL, dir=folder())
    os.chmod(partial, 0o755)
    try:
        make(partial)
        os.rename(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _remove_leftovers(name, current):
    """Removes incomplete entries of interrupted runs, and entries of older recipes that no other run uses."""
    for found in os.listdir(folder()):
        path = os.path.join(folder(), found)
        if not os.path.isdir(path) or path == current:
            continue
        if found.startswith(name + PARTIAL):
            shutil.rmtree(path)
        elif found.rpartition("-")[0] == name:
            with contextlib.suppress(BlockingIOError), _locked(path + LOCK, fcntl.LOCK_NB):
                shutil.rmtree(path)
                os.unlink(path + LOCK)


_held = {}


def _hold(lock):
    """Prevents other runs from removing an entry while this process lives."""
    if lock not in _held:
        _held[lock] = open(lock, "w")
        fcntl.flock(_held[lock], fcntl.LOCK_SH)


@contextlib.contextmanager
def _locked(lock, flags=0):
    with open(lock, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | flags)
        yield
