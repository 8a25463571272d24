"""A server in development, which speaks the data exchange in plain JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOTS = {"screen": "SLOTS", "data": {"hint": "At noon"}}


class Development(BaseHTTPRequestHandler):
    """Answers a path with what stands for it."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)  # type: ignore[attr-defined]
        status, body = ANSWERS[self.path]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/good")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


ANSWERS = {
    "/good": (200, json.dumps(SLOTS).encode()),
    "/text": (200, b"<html>"),
    "/large": (200, b'"' + b"x" * 5_000_000 + b'"'),
    "/away": (302, b""),
    "/error": (500, b"oops"),
    "/token": (427, b'{"error_msg": "This link has expired."}'),
    "/key": (421, b""),
}


@contextmanager
def development() -> Iterator[tuple[str, list[Any]]]:
    """The address of such a server, and the requests that it has got."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Development)
    server.requests = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.requests  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
