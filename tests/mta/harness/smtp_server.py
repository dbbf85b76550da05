"""Fake mail servers: each has an address of its own, answers STARTTLS as its domain defines, and keeps its mails."""

import contextlib
import socket
import socketserver
import ssl
import threading
from dataclasses import asdict, dataclass, field

from harness import domains

TIMEOUT = 60
REFUSAL = "550 5.1.1 no such user here"
NOT_TLS = b'this is not TLS, "quoted" \\ backslash\r\n' * 3


@dataclass
class Mail:
    """A mail that a fake server accepted."""

    server: str
    tls: bool
    sender: str = ""
    recipients: list = field(default_factory=list)
    data: str = ""


class Session(socketserver.BaseRequestHandler):
    """One SMTP connection."""

    def handle(self):
        self.domain = self.server.domain
        self.connection = self.request
        self.connection.settimeout(TIMEOUT)
        self.incoming = self.connection.makefile("rb")
        self.mail = Mail(self.domain.server, tls=False)
        with contextlib.suppress(OSError):
            self.say("220 %s ESMTP" % self.domain.server)
            while self.answer(self.incoming.readline()):
                pass

    def say(self, text):
        self.connection.sendall((text if isinstance(text, bytes) else text.encode()) + b"\r\n")

    def answer(self, line):
        """Answers one command; false ends the connection."""
        verb = (line.split() or [b""])[0].upper().decode("latin-1")
        if not line:
            return False
        if verb in ("EHLO", "HELO"):
            self.greet()
        elif verb == "STARTTLS":
            return self.start_tls()
        elif verb == "DATA":
            self.take_mail()
        elif verb == "MAIL":
            self.mail = Mail(self.domain.server, self.mail.tls, sender=line.decode("latin-1").strip())
            self.say("250 2.1.0 sender ok")
        elif verb == "RCPT":
            self.take_recipient(line.decode("latin-1").strip())
        elif verb in ("RSET", "NOOP"):
            self.say("250 2.0.0 ok")
        elif verb == "QUIT":
            self.say("221 2.0.0 bye")
            return False
        else:
            self.say("500 5.5.1 unknown command")
        return True

    def take_recipient(self, command):
        if any("<%s>" % address in command for address in self.server.refused):
            self.say(REFUSAL)
        else:
            self.mail.recipients.append(command)
            self.say("250 2.1.5 recipient ok")

    def greet(self):
        lines = [self.domain.server.encode()] + list(self.domain.ehlo) + [b"SIZE 10240000"]
        if self.domain.starttls != domains.MISSING and not self.mail.tls:
            lines.append(b"STARTTLS")
        if self.domain.requiretls and self.mail.tls:
            lines.append(b"REQUIRETLS")
        for line in lines:
            self.say(b"250-" + line)
        self.say("250 ENHANCEDSTATUSCODES")

    def start_tls(self):
        if self.domain.starttls == domains.REJECTED:
            self.say("454 4.7.0 TLS not available")
            return True
        self.say("220 2.0.0 go ahead")
        if self.domain.starttls != domains.OFFERED:
            self.spoil_handshake()
            return False
        try:
            self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError):
            return False
        self.incoming = self.connection.makefile("rb")
        self.mail = Mail(self.domain.server, tls=True)
        return True

    def spoil_handshake(self):
        """Sends nothing or garbage instead of TLS, and waits until the client closes: a reset could discard the garbage."""
        if self.domain.starttls == domains.GARBAGE:
            self.connection.sendall(NOT_TLS)
        self.connection.shutdown(socket.SHUT_WR)
        while self.connection.recv(4096):
            pass

    def take_mail(self):
        self.say("354 end with a dot")
        data = b""
        line = self.incoming.readline()
        while line not in (b".\r\n", b""):
            # The client adds a dot to a line that begins with one (RFC 5321 section 4.5.2).
            data += line[1:] if line.startswith(b".") else line
            line = self.incoming.readline()
        self.mail.data = data.decode("latin-1")
        self.server.mails.append(asdict(self.mail))
        self.say("250 2.0.0 taken")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


class Server6(Server):
    address_family = socket.AF_INET6


def serve(address, domain, tls, mails, refused):
    """Serves a domain on port 25 of an address with an ssl.SSLContext, and appends accepted mails to MAILS. Recipients in the set
    REFUSED are refused."""
    server = (Server6 if ":" in address else Server)((address, 25), Session)
    server.domain, server.tls, server.mails, server.refused = domain, tls, mails, refused
    threading.Thread(target=server.serve_forever, daemon=True).start()
