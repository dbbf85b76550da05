"""The operator's command `tlsrpt`, built by make."""

import json
import os
import subprocess

from harness import recorder, waiting

LISTENING = "listening at"  # in the message when a socket is made, with its owner and mode
# Of `tlsrpt collect`, in a folder of its own.
COLLECTING = """[collect]
socket = "{socket}"
socket-group = "root"
[store]
url = "sqlite:{database}"
"""
BUILT = os.path.join("build", "tlsrpt")


def built(checkout):
    """The command that `make` built."""
    path = os.path.join(checkout, BUILT)
    if not os.path.exists(path):
        raise SystemExit("%s does not exist: run make" % path)
    return path


class Listener:
    """`tlsrpt listen`. It runs in the folder of its socket, because the full path may be too long for a socket."""

    def __init__(self, program, socket_path, *options):
        self.socket = socket_path
        self.output, self.messages = socket_path + ".out", socket_path + ".err"
        command = [program, "listen", "--socket", os.path.basename(socket_path)] + list(options)
        with open(self.output, "w") as output, open(self.messages, "w") as messages:
            self.process = subprocess.Popen(command, stdout=output, stderr=messages, cwd=os.path.dirname(socket_path))
        until_listening("tlsrpt listen", self.process, self.messages)

    def end(self):
        """Ends it and returns its output."""
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise RuntimeError("tlsrpt listen ended with %d:\n%s" % (self.process.returncode, read(self.messages)))
        return read(self.output)


class Collector:
    """`tlsrpt collect` with the CONFIGURATION in a folder of its own."""

    def __init__(self, program, folder, configuration=COLLECTING):
        self.socket, self.database = os.path.join(folder, "tlsrpt.sock"), os.path.join(folder, "tlsrpt.db")
        self.messages = os.path.join(folder, "err")
        file = os.path.join(folder, "tlsrpt.toml")
        with open(file, "w") as target:
            target.write(configuration.format(socket=self.socket, database=self.database))
        with open(self.messages, "w") as messages:
            self.process = subprocess.Popen([program, "collect", "--config", file], stderr=messages)
        until_listening("tlsrpt collect", self.process, self.messages)

    def end(self):
        """Ends it. Before it ends, it stores all received datagrams."""
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise RuntimeError("tlsrpt collect ended with %d:\n%s" % (self.process.returncode, read(self.messages)))


def until_listening(what, process, messages):
    """Waits until the socket of a service is made. Raises RuntimeError with its MESSAGES, a file, if it ends before."""
    waiting.until_ready(what, process, lambda: LISTENING in read(messages), messages)


def read(path):
    with open(path, encoding="utf-8") as source:
        return source.read()


def documents(text):
    """The JSON documents of a text, one after the other."""
    decoder, found = json.JSONDecoder(), []
    text = text.lstrip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].lstrip()
    return found


def send(program, socket_path, lines):
    """Sends recorded datagrams, and waits while the queue is full."""
    with recorder.short(socket_path) as name:
        folder = int(name.split("/")[4])
        subprocess.run([program, "send", "--socket", name, "--from", "-"], input="\n".join(lines).encode(),
                       stderr=subprocess.DEVNULL, pass_fds=[folder], check=True)


def mount_folder(mountpoint):
    """Gives a namespace a folder of its own for sockets and databases."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", mountpoint], check=True)
    return mountpoint
