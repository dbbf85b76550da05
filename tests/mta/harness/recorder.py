"""Stands at the collector's socket and keeps every datagram as it came."""

import contextlib
import os
import socket
import threading

SOCKET_MODE = 0o622  # anyone may write, as tlsrpt-collectd's documentation has it
LARGEST = 1 << 20


class Recorder:
    """A collector's socket; datagrams holds what arrived, in order."""

    def __init__(self, path):
        self.path = path
        self.datagrams = []
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, SOCKET_MODE)

    def start(self):
        """Receives in the background. Before this call, datagrams wait in the queue of the socket."""
        threading.Thread(target=self._receive, daemon=True).start()
        return self

    def _receive(self):
        while True:
            self.datagrams.append(self.socket.recv(LARGEST))
