"""A mail server that takes report mails, and refuses those to some domains."""

import socketserver
import threading

ANSWERS = {
    "refuses.example": "550 5.1.1 <tlsrpt@refuses.example>: no such user here",
    "busy.example": "450 4.2.1 the mailbox is busy, try again later",
    "hostile.example": "550 5.7.1 <img src=/asked onerror=injected=1> </dd><script>injected=1</script>",
}


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 sink.example ESMTP")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"EHLO":
                self.say("250 sink.example")
            elif word == b"RCPT":
                domain = line.split(b"@")[-1].split(b">")[0].decode()
                self.say(ANSWERS.get(domain, "250 2.1.5 Ok"))
            elif word == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.say("250 2.0.0 Ok: queued as 4XyZ12")
            elif word == b"QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("250 2.0.0 Ok")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


def start():
    """The port of the server."""
    socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
