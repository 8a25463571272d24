"""
The listening socket: HTTP/1.1 with persistent connections, one thread for each.

Rule 1: a request body is read completely before the response is sent, so that the next one starts at its first byte.
Rule 2: `close` ends every connection and waits for every thread; idle clients do not delay it.
Rule 3: when the system has no thread, descriptor or memory left, accepting pauses, without using CPU time.

werkzeug parses the requests. Its own server closes each connection after one response, so the response is written here.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

from werkzeug.exceptions import NotImplemented  # noqa: A004  the HTTP status of that name
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from ._connections import Connections, MemoryBudget
from ._http import ErrorResponse, Handler, HttpRequest, HttpResponse, plain_error

# Three times Meta's limit for an upload. A body above it is read and discarded, so that the client receives the error.
_MAX_BODY: Final = 32 * 1024 * 1024
_MAX_DISCARDED: Final = 64 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_BODY_MEMORY: Final = 4 * _MAX_BODY  # for all bodies that are larger than a chunk
_ACCEPT_PAUSE: Final = 0.1  # seconds until the next try to accept, after a shortage
_OVERDUE_INTERVAL: Final = 0.5  # seconds between two checks for overdue bodies
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds


class Server:
    """
    A listening socket and the threads behind it, until `close`.

    `name` names the logger (`whatsapp_flows.NAME`), the accepting thread, and the application in log messages.
    `error_response` makes the response to an unreadable request (4xx, 505) and to an exception of the handler (500).
    OSError when the address cannot be bound.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        host: str,
        port: int,
        name: str,
        error_response: ErrorResponse = plain_error,
        connections: Connections | None = None,
    ) -> None:
        self._connections = connections or Connections()
        self._listener = _listen(handler, error_response, self._connections, host, port, name)
        self._wake, self._waker = socket.socketpair()
        # Created now: when descriptors run out later, no selector could be created.
        self._accepting, self._pausing = selectors.DefaultSelector(), selectors.DefaultSelector()
        self._accepting.register(self._listener, selectors.EVENT_READ)
        for selector in (self._accepting, self._pausing):
            selector.register(self._wake, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._accept, name=f"whatsapp-flows-{name}", daemon=True)

    def start(self) -> None:
        """Start to serve; connections made before that wait in the backlog."""
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._listener.port

    def _accept(self) -> None:
        while True:
            pause = self._connections.full and not self._connections.close_longest_idle()
            found = self._pausing.select(_ACCEPT_PAUSE) if pause else self._accepting.select(_OVERDUE_INTERVAL)
            ready = {key.fileobj for key, _ in found}
            self._connections.close_overdue()
            if self._wake in ready:
                return
            if self._listener in ready and not self._listener.accept() and self._pausing.select(_ACCEPT_PAUSE):
                return

    def close(self) -> None:
        """End every connection and every thread."""
        self._waker.send(b"x")
        self._thread.join()
        self._listener.server_close()
        self._connections.close_all()
        for each in (self._accepting, self._pausing, self._wake, self._waker):
            each.close()


def _listen(
    handler: Handler, error_response: ErrorResponse, connections: Connections, host: str, port: int, name: str
) -> _Listener:
    # The socket is created here: werkzeug ends the process when the port is taken, and callers expect OSError.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=128)
    except OSError as failure:  # its reason ends with the address in brackets, which the caller knows
        reason = (failure.strerror or str(failure)).partition(" (while attempting")[0]
        raise type(failure)(failure.errno, reason) from None
    with bound:
        address = (host, bound.getsockname()[1])
        return _Listener(handler, error_response, connections, address, bound.fileno(), name)


class _Listener(ThreadedWSGIServer):
    """What werkzeug's request handler needs of its server, and the accepting of connections."""

    def __init__(
        self,
        handler: Handler,
        error_response: ErrorResponse,
        connections: Connections,
        address: tuple[str, int],
        descriptor: int,
        name: str,
    ) -> None:
        self.handler = handler
        self.error_response = error_response
        self.connections = connections
        self.body_memory = MemoryBudget(_BODY_MEMORY)
        self.name = name
        self.logger = logging.getLogger(f"whatsapp_flows.{name}")
        self._shortage_logged = False
        # `_Request` calls the handler; the WSGI application that werkzeug requires is never called.
        super().__init__(*address, NotImplemented(), _Request, fd=descriptor)
        self.socket.setblocking(False)

    def accept(self) -> bool:
        """Accept one connection, if one is pending; False when the system lacks the resources."""
        try:
            connection, address = self.socket.accept()
        except (BlockingIOError, ConnectionError, InterruptedError):
            return True  # the client has disconnected
        except OSError as failure:  # no descriptor or memory: closing an idle connection frees some
            self._log_shortage(f"no connection can be accepted: {failure.strerror}")
            self.connections.close_longest_idle()
            return False
        connection.setblocking(True)
        try:
            self.connections.serve(connection, lambda: self.process_request_thread(connection, address))
        except RuntimeError as failure:
            self._log_shortage(f"no connection can be served: {failure}")
            connection.close()
            return False
        self._shortage_logged = False
        return True

    def _log_shortage(self, sentence: str) -> None:
        """Once for each shortage, although accepting is tried ten times a second."""
        if not self._shortage_logged:
            self.logger.warning(sentence)
        self._shortage_logged = True


class _Request(WSGIRequestHandler):
    """Reads the requests of one connection, and writes the responses."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def run_wsgi(self) -> None:
        """Answer one request."""
        try:
            environ = self.make_environ()
            with self._memory_for(environ["wsgi.input"]):
                with self.server.connections.reading_body():
                    body = self._read_body(environ["wsgi.input"])
                response = self._response_to(environ, body)
        except (ValueError, OSError):
            self.close_connection = True
            response = self.server.error_response(400, "The request could not be read")
        self._send(response)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """
        Answer what is no HTTP request, as any other error: the base class would name itself in a `Server` header, and
        repeat the request's line, which may hold a token.
        """
        self.close_connection = True
        self._send(self.server.error_response(code, HTTPStatus(code).phrase))

    def _response_to(self, environ: dict[str, Any], body: bytes | None) -> HttpResponse:
        """The response to a request whose body has been read, or was too large (None)."""
        if body is None:
            return self.server.error_response(400, "The body is too large")
        try:
            with self.server.connections.busy():
                return self.server.handler(HttpRequest(environ=environ, body=body))
        except Exception:
            self.server.logger.exception(
                "the %s failed to answer %s %s", self.server.name, self.command, environ["PATH_INFO"]
            )
            return self.server.error_response(500, "An unknown error occurred")

    @contextlib.contextmanager
    def _memory_for(self, stream: Any) -> Iterator[None]:
        """Holds memory for the body; a chunked one has no length and may be of the maximum size."""
        chunked = stream is not self.rfile
        size = _MAX_BODY if chunked else int(self.headers.get("Content-Length", "0"))
        with self.server.body_memory.reserve(size if _CHUNK < size <= _MAX_BODY else 0):
            yield

    def _read_body(self, stream: Any) -> bytes | None:
        """The whole body; None when it is too large to keep. ValueError or OSError when its length is invalid."""
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
            raise OSError("the client disconnected")
        return b"".join(pieces) if size <= _MAX_BODY else None

    def _send(self, response: HttpResponse) -> None:
        if response.reset:
            self._reset()
        elif response.stream is not None:
            self._send_stream(response, response.stream)
        else:
            self._send_body(response)

    def _send_body(self, response: HttpResponse) -> None:
        if response.truncate is not None:
            self.close_connection = True
        head = self._head(response, {"Content-Length": str(len(response.body))})
        self.wfile.write(head if self.command == "HEAD" else head + response.body[: response.truncate])

    def _send_stream(self, response: HttpResponse, stream: Iterable[bytes]) -> None:
        """In chunks (RFC 9112, section 7.1); a client of HTTP/1.0 reads until the connection closes."""
        chunked = self.request_version != "HTTP/1.0"
        self.close_connection = self.close_connection or not chunked
        encoding = {"Transfer-Encoding": "chunked"} if chunked else {}
        try:
            self.wfile.write(self._head(response, encoding))
            if self.command != "HEAD":
                for chunk in self._chunks(stream):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if chunked else chunk)
                if chunked and not self.close_connection:
                    self.wfile.write(b"0\r\n\r\n")
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()

    def _chunks(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks that are not empty, until the server closes. After an exception the client sees a cut body."""
        iterator = iter(stream)
        while not self.server.connections.closing:
            try:
                with self.server.connections.busy():
                    chunk = next(iterator, None)
            except Exception:
                self.server.logger.exception(
                    "the %s failed to stream %s", self.server.name, self.path.partition("?")[0]
                )
                chunk, self.close_connection = None, True
            if chunk is None:
                return
            if chunk:
                yield chunk
        self.close_connection = True

    def _head(self, response: HttpResponse, framing: dict[str, str]) -> bytes:
        connection = "close" if self.close_connection else "keep-alive"
        return response.head({**framing, "Date": self.date_time_string()}, connection=connection)

    def _reset(self) -> None:
        """Close so that the client sees a reset, as it would when a machine on the route fails."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.rfile.close()
        self.connection.close()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the application logs, in its own words."""
