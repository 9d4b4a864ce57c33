"""The page of the live view: what Rerun serves, kept from talking to anybody but this machine.

Rerun's page reports what is used to its makers, asks for newer versions and fetches a typeface. A browser that is told a
content security policy lets it do none of that.
"""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
POLICY = (
    "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' data: blob:; connect-src 'self' data: blob: http://{grpc}; "
    "frame-ancestors 'none'"
)
KEPT = ("Content-Type", "rerun-final-length")  # headers that are passed on
CHUNK = 1 << 20


class Page(ThreadingHTTPServer):
    """Serves at `port` of the loopback interface what Rerun serves at `behind`, whose data come from `grpc`."""

    daemon_threads = True

    def __init__(self, port: int, behind: int, grpc: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.behind, self.policy = behind, POLICY.format(grpc=f"{LOOPBACK}:{grpc}")
        self.hosts = {f"{host}:{self.server_address[1]}" for host in (LOOPBACK, "localhost")}
        threading.Thread(target=self.serve_forever, args=(0.2,), daemon=True).start()

    @property
    def port(self) -> int:
        """Where it is."""
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: Page
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:  # a page elsewhere whose name was bent to us
            self.send_error(403)
            return
        behind = http.client.HTTPConnection(LOOPBACK, self.server.behind, timeout=10.0)
        try:
            behind.request("GET", urlsplit(self.path).path)
            answer = behind.getresponse()
            self._pass_on(answer)
        finally:
            behind.close()

    def _pass_on(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name in KEPT:
            if (value := answer.getheader(name)) is not None:
                self.send_header(name, value)
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        while part := answer.read(CHUNK):
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
