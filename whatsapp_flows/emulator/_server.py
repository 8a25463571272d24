"""
The socket: HTTP/1.1 with connections kept alive, one thread for each.

Rule 1: a body is read to its end before anything is answered, so that the next request begins where it should.
Rule 2: closing ends every connection and waits for every thread; an idle client does not hold it up.
Rule 3: when there is no thread, no descriptor or no memory for one more, it waits, and costs nobody anything.
werkzeug's own server ends each connection after one answer; its handler is used for what
it parses, and the answer is written here.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from werkzeug.exceptions import NotImplemented  # noqa: A004  the HTTP status of that name
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from ._call import json_answer
from ._connections import Connections, Room
from ._errors import Problem, error_body
from ._wire import Received, Reply, received

# Three uploads' worth: what is larger is read and thrown away, so that its sender gets to see the refusal.
_MAX_BODY: Final = 32 * 1024 * 1024
_MAX_DISCARDED: Final = 64 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_ROOM: Final = 4 * _MAX_BODY  # for all bodies at once; a small one needs none. Reading one takes a few times its size
_PAUSE: Final = 0.1  # seconds until the next look whether there is a descriptor or a thread again
_LOOK: Final = 0.5  # seconds between two looks at bodies that are overdue
_LINGER_NOT: Final = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: closing resets the connection

_NO_TRACE: Final = "A" * 23  # of a request that never got as far as the emulator

_logger = logging.getLogger("whatsapp_flows.emulator")

Application = Callable[[Received], Reply]


class Server:
    """A listening socket and the threads behind it, until `close`."""

    def __init__(
        self, application: Application, *, host: str, port: int, connections: Connections | None = None
    ) -> None:
        self._connections = connections or Connections()
        self._server = _listen(application, self._connections, host, port)
        self._wake, self._waker = socket.socketpair()
        # Made now: when descriptors run out later, there is none for a selector.
        self._watching, self._resting = selectors.DefaultSelector(), selectors.DefaultSelector()
        self._watching.register(self._server, selectors.EVENT_READ)
        for selector in (self._watching, self._resting):
            selector.register(self._wake, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._accept, name="whatsapp-flows-emulator", daemon=True)

    def start(self) -> None:
        """Serve from now on; who connects before that waits."""
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    def _accept(self) -> None:
        while True:
            rest = self._connections.full and not self._connections.end_one()
            found = self._resting.select(_PAUSE) if rest else self._watching.select(_LOOK)
            ready = {key.fileobj for key, _ in found}
            self._connections.end_overdue()
            if self._wake in ready:
                return
            if self._server in ready and not self._server.accept() and self._resting.select(_PAUSE):
                return

    def close(self) -> None:
        """End every connection and every thread."""
        self._waker.send(b"x")
        self._thread.join()
        self._server.server_close()
        self._connections.end_all()
        for each in (self._watching, self._resting, self._wake, self._waker):
            each.close()


def _listen(application: Application, connections: Connections, host: str, port: int) -> _Server:
    # A socket of our own: werkzeug ends the process when the port is taken, and we raise OSError.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as bound:
        return _Server(application, connections, host, bound.getsockname()[1], bound.fileno())


class _Server(ThreadedWSGIServer):
    """What werkzeug's handler wants to know of its server, and the accepting of connections."""

    def __init__(
        self, application: Application, connections: Connections, host: str, port: int, descriptor: int
    ) -> None:
        self.application = application
        self.connections = connections
        self.room = Room(_ROOM)
        self._complained = False
        # The handler answers; the WSGI application that werkzeug wants to have is never called.
        super().__init__(host, port, NotImplemented(), _Handler, fd=descriptor)
        self.socket.setblocking(False)

    def accept(self) -> bool:
        """Take one connection, if there still is one; False when the machine has nothing left to take it with."""
        try:
            connection, address = self.socket.accept()
        except (BlockingIOError, ConnectionError, InterruptedError):
            return True  # who wanted it has gone
        except OSError as failure:  # no descriptor, no memory: one that is idle has some
            self._complain(f"no connection can be accepted: {failure.strerror}")
            self.connections.end_one()
            return False
        connection.setblocking(True)
        try:
            self.connections.serve(connection, lambda: self.process_request_thread(connection, address))
        except RuntimeError as failure:
            self._complain(f"no connection can be served: {failure}")
            connection.close()
            return False
        self._complained = False
        return True

    def _complain(self, sentence: str) -> None:
        """Once for each shortage: it is tried again ten times a second."""
        if not self._complained:
            _logger.warning(sentence)
        self._complained = True


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def run_wsgi(self) -> None:
        """Answer one request."""
        try:
            environ = self.make_environ()
            with self._room(environ["wsgi.input"]):
                with self.server.connections.reading():
                    body = self._read_body(environ["wsgi.input"])
                reply = self._reply(environ, body)
        except (ValueError, OSError):
            self.close_connection = True
            reply = _refusal("The request could not be read")
        self._send(reply)

    def _reply(self, environ: dict[str, Any], body: bytes | None) -> Reply:
        """What is answered to a request whose body has been read, or was too large."""
        if body is None:
            return _refusal("The body is too large")
        try:
            with self.server.connections.working():
                return self.server.application(received(environ, body))
        except Exception:
            _logger.exception("the emulator failed to answer %s %s", self.command, environ["PATH_INFO"])
            return _error(Problem.UNKNOWN, "An unknown error occurred", 500)

    @contextlib.contextmanager
    def _room(self, stream: Any) -> Iterator[None]:
        """While there is memory for the body; one whose length is not told may be as large as any."""
        chunked = stream is not self.rfile
        size = _MAX_BODY if chunked else int(self.headers.get("Content-Length", "0"))
        with self.server.room.taken(size if _CHUNK < size <= _MAX_BODY else 0):
            yield

    def _read_body(self, stream: Any) -> bytes | None:
        """The whole body; None when it is too large to keep. ValueError or OSError when its length makes no sense."""
        chunked = stream is not self.rfile
        left = _MAX_DISCARDED if chunked else int(self.headers.get("Content-Length", "0"))
        if left < 0 or left > _MAX_DISCARDED:
            raise ValueError("Content-Length")
        pieces: list[bytes] = []
        size = 0
        while left > 0:
            piece = stream.read(min(left, _CHUNK))
            if not piece:
                break
            left -= len(piece)
            size += len(piece)
            if size <= _MAX_BODY:
                pieces.append(piece)
        if chunked and left == 0:
            raise ValueError("endless")
        if not chunked and left:
            raise OSError("the client went away")
        return b"".join(pieces) if size <= _MAX_BODY else None

    def _send(self, reply: Reply) -> None:
        if reply.reset:
            self._reset()
            return
        body = reply.body if reply.truncate is None else reply.body[: reply.truncate]
        if reply.truncate is not None:
            self.close_connection = True
        headers = {"Content-Length": str(len(reply.body)), "Date": self.date_time_string(), **reply.headers}
        headers["Connection"] = "close" if self.close_connection else "keep-alive"
        reason = HTTPStatus(reply.status).phrase if reply.status in _KNOWN_STATUSES else "Unknown"
        lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        head = "\r\n".join(lines).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def _reset(self) -> None:
        """Close so that the client sees a reset, as it would when a machine on the way dies."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.rfile.close()
        self.connection.close()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Stay quiet: what arrived is in `Emulator.requests`."""


_KNOWN_STATUSES: Final = frozenset(status.value for status in HTTPStatus)


def _refusal(sentence: str) -> Reply:
    return _error(Problem.INVALID_PARAMETER, f"(#100) {sentence}", 400)


def _error(problem: Problem, message: str, status: int) -> Reply:
    answer = json_answer(error_body(replace(problem.value, message=message), _NO_TRACE), status)
    return Reply(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})
