"""What is slow to make (root filesystems, certificates, a Python environment), made once and kept outside the checkout.

An entry is a folder named for what it holds and for the hash of the recipe that it was made by. It is made under
another name and renamed when whole, so that a crash never leaves a half-made one, and made again when the recipe
changes.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile

PARTIAL = ".partial"
LOCK = ".lock"


def folder():
    """The folder for everything that is kept between runs."""
    user_cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.environ.get("TLSRPT_CACHE") or os.path.join(user_cache, "libtlsrpt")
    path = os.path.join(os.path.abspath(path), "mta")
    os.makedirs(path, exist_ok=True)
    return path


def entry(name, recipe, make):
    """The path of the entry NAME, made by make(path) unless one made by the same recipe is there."""
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
    """Removes what an interrupted run left and what older recipes made, unless another run is using it."""
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
    """Keeps other runs from removing an entry for as long as this process lives."""
    if lock not in _held:
        _held[lock] = open(lock, "w")
        fcntl.flock(_held[lock], fcntl.LOCK_SH)


@contextlib.contextmanager
def _locked(lock, flags=0):
    with open(lock, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | flags)
        yield
