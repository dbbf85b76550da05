"""Stands at the collector's socket and keeps every datagram as it came."""

import contextlib
import os
import socket
import threading

SOCKET_MODE = 0o622  # anyone may write, as tlsrpt-collectd's documentation has it
LARGEST = 1 << 20


@contextlib.contextmanager
def short(path):
    """Another name of a path in a folder that exists: the name of a socket may have 107 bytes only."""
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    try:
        yield "/proc/self/fd/%d/%s" % (folder, os.path.basename(path))
    finally:
        os.close(folder)


class Recorder:
    """A collector's socket; datagrams holds what arrived, in order."""

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
        """How many events have arrived."""
        return len(self.datagrams)

    def since(self, first):
        """What has arrived after the first so many."""
        return self.datagrams[first:]

    def _receive(self):
        while True:
            self.datagrams.append(self.socket.recv(LARGEST))
