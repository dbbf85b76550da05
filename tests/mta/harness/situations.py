"""The behaviour of a libtlsrpt in situations in which the releases of the C library and ours differ.

Each situation is a function of a Caller that returns a description of the result. It runs in its own process, because the
library may crash.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

DOMAIN, RECORD = b"example.org", b"v=TLSRPTv1; rua=mailto:tls@example.org"
NO_POLICY_FOUND, FAILURE, CERTIFICATE_EXPIRED = 9, 1, 204
LATIN_1 = "caf\u00e9".encode("latin-1")
LARGE = 1 << 20  # bytes: more than a socket's send buffer holds by default, less than root may raise it to
SECONDS = 20  # until SIGALRM ends a situation

# The prototypes of tlsrpt.h.
HANDLE, OUT = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
INT, TEXT = ctypes.c_int, ctypes.c_char_p
ARGUMENTS = {
    "open": [OUT, TEXT], "close": [OUT], "get_socket": [HANDLE],
    "init_delivery_request": [OUT, HANDLE, TEXT, TEXT], "cancel_delivery_request": [OUT],
    "finish_delivery_request": [OUT], "init_policy": [HANDLE, INT, TEXT], "finish_policy": [HANDLE, INT],
    "add_policy_string": [HANDLE, TEXT], "add_mx_host_pattern": [HANDLE, TEXT],
    "add_delivery_request_failure": [HANDLE, INT] + [TEXT] * 6, "strerror": [INT],
    "set_malloc_and_free": [ctypes.c_void_p, ctypes.c_void_p],
}
RESULTS = {"strerror": TEXT}
ALLOCATE = ctypes.CFUNCTYPE(HANDLE, ctypes.c_size_t, use_errno=True)
RELEASE = ctypes.CFUNCTYPE(None, HANDLE)


class Caller:
    """A mail server with a library, and the collector's socket. Every function of the library is a method of it."""

    def __init__(self, library, folder):
        self.library = ctypes.CDLL(library, use_errno=True)
        self.address = os.path.join(folder, "socket").encode()
        self.collector = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.collector.bind(self.address)
        self.connection, self.request = HANDLE(), HANDLE()
        self.allocated = 0
        self.kept = []  # objects whose addresses the library has

    def __getattr__(self, name):
        function = getattr(self.library, "tlsrpt_" + name)
        function.argtypes, function.restype = ARGUMENTS[name], RESULTS.get(name, INT)
        return function

    def begin(self):
        """Opens a connection and begins a request."""
        self.open(self.connection, self.address)
        self.init_delivery_request(self.request, self.connection, DOMAIN, RECORD)

    def add_failure(self, reason=None):
        return self.add_delivery_request_failure(self.request, CERTIFICATE_EXPIRED, *[None] * 5, reason)

    def add_policy(self, reason=None):
        """Adds a policy with a failure."""
        self.init_policy(self.request, NO_POLICY_FOUND, DOMAIN)
        self.add_failure(reason)
        self.finish_policy(self.request, FAILURE)

    def finish(self):
        return error(self.finish_delivery_request(self.request))

    def received(self):
        """The datagram that the collector got, or None."""
        with contextlib.suppress(BlockingIOError):
            return self.collector.recv(2 * LARGE, socket.MSG_DONTWAIT)
        return None

    def use_allocator(self, blocks):
        """Sets an allocator that allocates at most BLOCKS blocks, counts them, and sets no errno."""
        system = ctypes.CDLL(None)
        system.malloc.argtypes, system.malloc.restype, system.free.argtypes = [ctypes.c_size_t], HANDLE, [HANDLE]

        def allocate(size):
            ctypes.set_errno(0)
            self.allocated += 1
            return system.malloc(size) if self.allocated <= blocks else None

        self.kept += [ALLOCATE(allocate), RELEASE(system.free)]
        self.set_malloc_and_free(*[ctypes.cast(function, ctypes.c_void_p) for function in self.kept[-2:]])


def answer(situation, library):
    """The description of the result with a library file, or the signal that ended the process."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, os.path.abspath(__file__), situation.__name__, library, folder]
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                              check=False)
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    if done.returncode:
        raise RuntimeError("%s with %s:\n%s" % (situation.__name__, library, done.stderr))
    return done.stdout


def error(code):
    return "error %d" % code if code else "no error"


def protocol_version(caller):
    caller.begin()
    caller.add_policy()
    caller.finish()
    version = json.loads(caller.received().decode()).get("dpv")
    return "`\"dpv\": \"%s\"`" % version if version else "none"


def null_handle(caller):
    return error(caller.init_policy(None, NO_POLICY_FOUND, DOMAIN))


def null_string(caller):
    caller.open(caller.connection, caller.address)
    return error(caller.init_delivery_request(caller.request, caller.connection, None, RECORD))


def policy_string_outside(caller):
    caller.begin()
    return error(caller.add_policy_string(caller.request, b"version: STSv1"))


def pattern_outside(caller):
    caller.begin()
    return error(caller.add_mx_host_pattern(caller.request, b"mx.example.org"))


def failure_outside(caller):
    caller.begin()
    return error(caller.add_failure())


def finished_twice(caller):
    caller.begin()
    caller.add_policy()
    caller.finish()
    return caller.finish()


def cancelled_twice(caller):
    caller.begin()
    caller.cancel_delivery_request(caller.request)
    return error(caller.cancel_delivery_request(caller.request))


def closed_twice(caller):
    caller.begin()
    caller.close(caller.connection)
    return error(caller.close(caller.connection))


def closed_early(caller):
    caller.begin()
    caller.add_policy()
    caller.close(caller.connection)
    finished = caller.finish()
    return finished + (", the event arrives" if caller.received() else ", the event is lost")


def no_memory(caller):
    caller.use_allocator(blocks=0)
    return error(caller.open(caller.connection, caller.address))


def long_text(caller):
    caller.use_allocator(blocks=1000)
    caller.begin()
    before = caller.allocated
    caller.init_policy(caller.request, NO_POLICY_FOUND, DOMAIN)
    caller.add_failure(b"x" * LARGE)
    return "from the allocator" if caller.allocated > before else "from `malloc`"


def not_utf8(caller):
    caller.begin()
    caller.add_policy(LATIN_1)
    caller.finish()
    try:
        return "valid: " + json.loads(caller.received().decode())["policies"][0]["failure-details"][0]["f"]
    except UnicodeDecodeError:
        return "no valid JSON"


def large_datagram(caller):
    caller.begin()
    caller.add_policy(b"x" * LARGE)
    finished = caller.finish()
    return finished + (", the event arrives" if caller.received() else ", the event is lost")


def executed_program(caller):
    caller.begin()
    descriptor = "/proc/self/fd/%d" % caller.get_socket(caller.connection)
    has_it = subprocess.run(["test", "-e", descriptor], close_fds=False, check=False).returncode == 0
    return "inherits the socket" if has_it else "does not inherit the socket"


def error_text(caller):
    return caller.strerror(13002).decode()


def main():
    """The program that answer() starts."""
    signal.alarm(SECONDS)
    name, library, folder = sys.argv[1:]
    sys.stdout.write(globals()[name](Caller(library, folder)))


if __name__ == "__main__":
    main()
