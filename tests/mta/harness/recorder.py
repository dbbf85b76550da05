"""Receives at the collector's socket and keeps every datagram."""

import contextlib
import os
import socket
import threading

SOCKET_MODE = 0o622  # anyone may write, as tlsrpt-collectd's documentation has it
LARGEST = 1 << 20


@contextlib.contextmanager
def short(path):
    """A short name of a path whose folder exists: the name of a socket has at most 107 bytes."""
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    try:
        yield "/proc/self/fd/%d/%s" % (folder, os.path.basename(path))
    finally:
        os.close(folder)


class Recorder:
    """A collector's socket. `datagrams` has the received datagrams, in order."""

    def __init__(self, path):
        self.path = path
        self.datagrams = []
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with short(path) as name:
            self.socket.bind(name)
        os.chmod(path, SOCKET_MODE)

    def start(self):
        """Receives in the background. Before this call, datagrams wait in the queue of the socket."""
        threading.Thread(target=self._receive, daemon=True).start()
        return self

    def count(self):
        """The number of received events."""
        return len(self.datagrams)

    def since(self, first):
        """The datagrams after the first FIRST."""
        return self.datagrams[first:]

    def _receive(self):
        while True:
            self.datagrams.append(self.socket.recv(LARGEST))
