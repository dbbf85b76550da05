"""A web server for the pages, which keeps the paths that it was asked for."""

import http.server
import threading


class Server(http.server.ThreadingHTTPServer):
    def __init__(self):
        self.pages, self.requests = {}, []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def offer(self, name, text):
        """The URL of a page with this text."""
        self.pages["/" + name] = text.encode()
        return "http://127.0.0.1:%d/%s" % (self.server_address[1], name)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        page = self.server.pages.get(self.path)
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, *_):
        pass
