"""A web server on loopback that leads on, for tests of what HTTP tasks may ask."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Website(ThreadingHTTPServer):
    """`asked` are the targets of its requests so far, `hosts` what their Host headers said."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.asked: list[str] = []
        self.hosts: list[str] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


class _Page(BaseHTTPRequestHandler):
    """Says that it was asked, and leads on to what stands behind `/to?`."""

    server: Website

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.hosts.append(self.headers.get("Host", ""))
        led = self.path.startswith("/to?")
        self.send_response(302 if led else 200)
        if led:
            self.send_header("Location", self.path.partition("?")[2])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def website() -> Iterator[Website]:
    """One that serves until the block is left."""
    with Website() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
