"""The HTTP server: the protocol, malformed requests, shortages, and streams."""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from whatsapp_flows._server import Connections, HttpRequest, HttpResponse, Server
from whatsapp_flows._server._connections import MemoryBudget


def _echo(request: HttpRequest) -> HttpResponse:
    body = json.dumps([request.method, request.path, len(request.body)]).encode()
    return HttpResponse(status=200, headers={"Content-Type": "application/json"}, body=body)


@contextmanager
def _serving(
    handler: Callable[[HttpRequest], HttpResponse] = _echo, *, connections: Connections | None = None
) -> Iterator[Server]:
    before = set(threading.enumerate())
    server = Server(handler, host="127.0.0.1", port=0, name="test", connections=connections)
    server.start()
    try:
        yield server
    finally:
        server.close()
    assert set(threading.enumerate()) <= before


@contextmanager
def _connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        yield connection


def _read_answer(connection: socket.socket) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of one answer."""
    with connection.makefile("rb", buffering=0) as stream:
        status = stream.readline().decode().strip()
        headers = {}
        while line := stream.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        body = b""
        while (missing := int(headers["Content-Length"]) - len(body)) and (piece := stream.read(missing)):
            body += piece
    return status, headers, body


def _ask(server: Server, request: bytes) -> tuple[str, dict[str, str], bytes]:
    with _connected(server) as connection:
        connection.sendall(request)
        return _read_answer(connection)


def test_a_connection_serves_many_requests() -> None:
    """For any method and body, the next request is read from its first byte."""
    with _serving() as server, _connected(server) as connection:
        for request, expected in (
            (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", ["GET", "/a", 0]),
            (b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", ["POST", "/b", 3]),
            (
                b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                ["POST", "/c", 5],
            ),
            (b"DELETE /d HTTP/1.1\r\nHost: x\r\n\r\n", ["DELETE", "/d", 0]),
        ):
            connection.sendall(request)
            status, headers, body = _read_answer(connection)
            assert (status, headers["Connection"], json.loads(body)) == ("HTTP/1.1 200 OK", "keep-alive", expected)


def test_requests_may_arrive_together() -> None:
    """Two at once on one connection are answered in order."""
    with _serving() as server, _connected(server) as connection:
        connection.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        assert [json.loads(_read_answer(connection)[2])[1] for _ in range(2)] == ["/a", "/a"]


def test_a_client_may_ask_before_it_sends() -> None:
    """Expect: 100-continue is answered, and then the request."""
    with _serving() as server, _connected(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"x")
        assert _read_answer(connection)[0] == "HTTP/1.1 200 OK"


def test_a_client_may_end_the_connection() -> None:
    """HTTP/1.0, or `Connection: close`."""
    with _serving() as server:
        for request in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            assert _ask(server, request)[1]["Connection"] == "close"


def test_head_has_no_body() -> None:
    """The response has a Content-Length, and the next response follows directly."""
    with _serving() as server, _connected(server) as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "request_text",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_malformed_request_is_refused(request_text: bytes) -> None:
    """With HTTP 400, and the connection is closed."""
    with _serving() as server:
        status, headers, body = _ask(server, request_text)
        assert (status, headers["Connection"]) == ("HTTP/1.1 400 Bad Request", "close")
        assert body == b"The request could not be read"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"nonsense\r\n\r\n", "400 Bad Request"),
        (b"PUT /?token=secret\r\n\r\n", "400 Bad Request"),
        (b"GET /?token=secret HTTP/9.9\r\n\r\n", "505 HTTP Version Not Supported"),
        (b"GET /?token=secret" + b"x" * 70_000, "414 "),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n", "431 Request Header Fields Too Large"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, "431 Request Header Fields Too Large"),
    ],
    ids=lambda each: each[:40] if isinstance(each, bytes) else each,
)
def test_what_is_not_http_is_refused(request_text: bytes, status: str) -> None:
    """In the application's words, without the server's name or what was sent; it logs nothing, and continues."""
    with _previewing() as (_, server):
        with _connected(server) as connection:
            connection.sendall(request_text)
            connection.shutdown(socket.SHUT_WR)
            line, headers, body = _read_answer(connection)
        assert line.startswith(f"HTTP/1.1 {status}")
        assert body.startswith(b"preview: ")
        assert headers.keys() == {"Content-Length", "Date", "Connection"}
        assert headers["Connection"] == "close"
        assert b"secret" not in body
        assert _ask(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0] == "HTTP/1.1 200 OK"


def test_a_body_that_is_too_large_is_read_and_refused() -> None:
    """The client receives the error, and can send the next request."""
    size = 33 * 1024 * 1024
    with _serving() as server, _connected(server) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
        connection.sendall(bytes(size))
        status, headers, _ = _read_answer(connection)
        assert (status, headers["Connection"]) == ("HTTP/1.1 400 Bad Request", "keep-alive")


def test_a_body_without_end_is_cut_off() -> None:
    """A chunked body is read up to 64 MB."""
    megabyte = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    with _serving() as server, _connected(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(64):
            connection.sendall(megabyte)
        status, headers, _ = _read_answer(connection)
        assert (status, headers["Connection"]) == ("HTTP/1.1 400 Bad Request", "close")


def test_a_client_may_disconnect() -> None:
    """In the middle of a body, or before its answer."""
    with _serving() as server:
        for request in (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            with _connected(server) as connection:
                connection.sendall(request)
        assert _ask(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(("status", "line"), [(503, "503 Service Unavailable"), (299, "299 Unknown")])
def test_any_status_can_be_sent(status: int, line: str) -> None:
    """Also one that has no name."""
    with _serving(lambda _: HttpResponse(status=status)) as server:
        assert _ask(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0] == f"HTTP/1.1 {line}"


def test_a_body_can_end_too_early() -> None:
    """The length that was announced is the whole body's."""
    with _serving(lambda _: HttpResponse(body=b"0123456789", truncate=4)) as server:
        _, headers, body = _ask(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (headers["Content-Length"], headers["Connection"], body) == ("10", "close", b"0123")


def test_a_connection_can_be_reset() -> None:
    """The client sees a reset, not the end of the stream."""
    with _serving(lambda _: HttpResponse(reset=True)) as server, _connected(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_an_exception_of_the_handler_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With HTTP 500; the server continues."""

    def broken(_: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with _serving(broken) as server, caplog.at_level(logging.ERROR, "whatsapp_flows.test"):
        for _ in range(2):
            status, _, body = _ask(server, b"GET /path HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (status, body) == ("HTTP/1.1 500 Internal Server Error", b"An unknown error occurred")
    assert [record.getMessage() for record in caplog.records] == ["the test failed to answer GET /path"] * 2
    assert all(record.exc_info for record in caplog.records)


class _EventStream:
    """
    A second application, as a preview is: a page, and server-sent events that end when the application stops.

    It keeps its own access log, and words its own errors.
    """

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.access_log: list[str] = []
        self.closed_streams = threading.Event()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.access_log.append(f"{request.method} {request.path}")
        if request.path != "/events":
            return HttpResponse(headers={"Content-Type": "text/html"}, body=b"<p>preview</p>")
        return HttpResponse(headers={"Content-Type": "text/event-stream"}, stream=self._stream())

    @staticmethod
    def error(status: int, sentence: str) -> HttpResponse:
        return HttpResponse(status=status, body=f"preview: {sentence}".encode())

    def _stream(self) -> Iterator[bytes]:
        try:
            while (event := self.events.get(timeout=30)) is not None:
                yield event
        finally:
            self.closed_streams.set()

    def stop(self) -> None:
        self.events.put(None)


@contextmanager
def _previewing() -> Iterator[tuple[_EventStream, Server]]:
    application = _EventStream()
    server = Server(application, host="127.0.0.1", port=0, name="preview", error_response=application.error)
    server.start()
    try:
        yield application, server
    finally:
        application.stop()
        server.close()


def _read_until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        piece = connection.recv(1000)
        assert piece, read
        read += piece
    return read


_GET_EVENTS = b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_second_application_streams_events() -> None:
    """Each event is sent when it occurs; after the end of the stream, the connection serves the next request."""
    with _previewing() as (application, server), _connected(server) as connection:
        connection.sendall(_GET_EVENTS)
        head = _read_until(connection, b"\r\n\r\n")
        assert b"\r\nTransfer-Encoding: chunked\r\n" in head
        assert b"Content-Length" not in head
        for event in (b"data: 1\n\n", b"", b"data: 2\n\n"):  # an empty chunk would end the stream: it is not sent
            application.events.put(event)
            if event:
                assert _read_until(connection, event + b"\r\n") == b"9\r\n" + event + b"\r\n"
        application.stop()
        assert _read_until(connection, b"0\r\n\r\n") == b"0\r\n\r\n"
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert _read_answer(connection)[2] == b"<p>preview</p>"
    assert application.access_log == ["GET /events", "GET /"]


def test_a_second_application_words_its_own_errors() -> None:
    """A request that cannot be read is answered in the words of the application."""
    with _previewing() as (_, server):
        assert (
            _ask(server, b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n")[2]
            == b"preview: The request could not be read"
        )


def test_a_stream_without_chunked_encoding_ends_with_the_connection() -> None:
    """HTTP/1.0 has no chunks."""
    with _previewing() as (application, server), _connected(server) as connection:
        connection.sendall(b"GET /events HTTP/1.0\r\n\r\n")
        application.events.put(b"data: 1\n\n")
        application.stop()
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert body == b"data: 1\n\n"


def test_head_of_a_stream_has_no_body() -> None:
    """The stream is closed without being read, and the next request is answered."""
    with _previewing() as (_, server), _connected(server) as connection:
        connection.sendall(b"HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n")
        _read_until(connection, b"\r\n\r\n")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert _read_answer(connection)[2] == b"<p>preview</p>"


def test_a_stream_is_closed_when_its_client_disconnects() -> None:
    """The generator's `finally` runs at a write after the client has gone."""
    with _previewing() as (application, server):
        with _connected(server) as connection:
            connection.sendall(_GET_EVENTS)
            _read_until(connection, b"\r\n\r\n")
        while not application.closed_streams.wait(0.01):
            application.events.put(b"data: 1\n\n")


def test_a_stream_that_fails_is_cut_off_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The client sees that the body is incomplete: the last chunk is missing."""

    def fails() -> Iterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    with (
        _serving(lambda _: HttpResponse(stream=fails())) as server,
        caplog.at_level(logging.ERROR, "whatsapp_flows.test"),
        _connected(server) as connection,
    ):
        connection.sendall(b"GET /path?secret=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        with connection.makefile("rb") as stream:
            assert stream.read().endswith(b"\r\n\r\n3\r\none\r\n")
    assert [record.getMessage() for record in caplog.records] == ["the test failed to stream /path"]


def test_closing_ends_a_stream() -> None:
    """A stream that yields from time to time, if only an empty chunk, does not delay `close`."""
    begun = threading.Event()

    def ticks() -> Iterator[bytes]:
        while True:
            begun.set()
            yield b""

    with _serving(lambda _: HttpResponse(stream=ticks())) as server, _connected(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert begun.wait(30)


def test_closing_does_not_wait_for_idle_clients() -> None:
    """Idle connections are closed, and no thread is left."""
    started = time.perf_counter()
    with _serving() as server:
        connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
        for connection in connections[:5]:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            _read_answer(connection)
    assert time.perf_counter() - started < 20  # no client ends its connection before that
    for connection in connections:
        # Those that were never accepted are reset, the others end.
        with connection, suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_a_taken_port_is_an_error() -> None:
    """An OSError, not the end of the process."""
    with _serving() as server, pytest.raises(OSError, match=r"in use$"):
        Server(_echo, host="127.0.0.1", port=server.port, name="test")


def test_it_also_listens_on_ipv6() -> None:
    """Where there is IPv6."""
    try:
        server = Server(_echo, host="::1", port=0, name="test")
    except OSError:
        pytest.skip("this machine has no IPv6")
    server.start()
    with socket.create_connection(("::1", server.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert _read_answer(connection)[0] == "HTTP/1.1 200 OK"
    server.close()


def test_running_out_of_descriptors_is_survived(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New connections wait without using CPU time, it is logged once, and they are served once descriptors are free."""
    resource = pytest.importorskip("resource")
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    filling: list[int] = []
    with _serving() as server, ExitStack() as stack, caplog.at_level(logging.WARNING, "whatsapp_flows.test"):
        clients = [stack.enter_context(socket.socket()) for _ in range(5)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(client.fileno() for client in clients) + 20, hard))
        try:
            with suppress(OSError):
                while True:
                    filling.append(os.dup(0))
            tried = 0
            accept = socket.socket.accept

            def counted(listener: socket.socket) -> Any:
                nonlocal tried
                tried += 1
                return accept(listener)

            monkeypatch.setattr(socket.socket, "accept", counted)
            for client in clients:
                client.connect(("127.0.0.1", server.port))
                client.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.3)
            assert 0 < tried < 30  # ten times a second; without the pause some ten thousand times
        finally:
            for descriptor in filling:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))
        for client in clients:
            client.settimeout(30)
            assert _read_answer(client)[0] == "HTTP/1.1 200 OK"
    (record,) = caplog.records
    assert record.getMessage() == "no connection can be accepted: Too many open files"


class _Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_there_are_only_so_many_threads() -> None:
    """A further connection waits, until another has been idle long enough to be closed."""
    clock = _Clock()
    connections = Connections(maximum=2, clock=clock)
    with _serving(connections=connections) as server, ExitStack() as stack:
        clients = []
        for _ in range(2):
            clients.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30)))
            clients[-1].sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            _read_answer(clients[-1])
            clock.now += 0.4
        third = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        third.sendall(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        third.settimeout(0.15)
        with pytest.raises(TimeoutError):
            third.recv(1)
        clock.now += 0.6
        third.settimeout(30)
        assert json.loads(_read_answer(third)[2])[1] == "/b"
        assert clients[0].recv(100) == b""
        clients[1].sendall(b"GET /c HTTP/1.1\r\nHost: x\r\n\r\n")
        assert json.loads(_read_answer(clients[1])[2])[1] == "/c"


def test_a_busy_connection_is_not_closed() -> None:
    """A connection whose response is being computed is not closed, although others wait."""
    clock, go, begun = _Clock(), threading.Event(), threading.Event()

    def slow(request: HttpRequest) -> HttpResponse:
        begun.set()
        assert go.wait(30)
        return _echo(request)

    connections = Connections(maximum=1, clock=clock)
    with _serving(slow, connections=connections) as server, _connected(server) as first, _connected(server) as second:
        first.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert begun.wait(30)
        clock.now += 1000
        assert connections.full
        assert not connections.close_longest_idle()
        second.sendall(b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        go.set()
        assert json.loads(_read_answer(first)[2])[1] == "/a"
        clock.now += 1000
        assert json.loads(_read_answer(second)[2])[1] == "/b"


@pytest.mark.parametrize("how", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_a_body_that_drips_is_ended(how: bytes) -> None:
    """A body that arrives too slowly ends its connection, and its memory is released."""
    clock = _Clock()
    with _serving(connections=Connections(clock=clock)) as server, _connected(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + how + b"\r\n\r\n1")
        time.sleep(0.05)
        assert _ask(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0] == "HTTP/1.1 200 OK"
        clock.now += 61
        with suppress(ConnectionResetError):
            while client.recv(1000):
                pass


def test_large_bodies_share_a_memory_budget() -> None:
    """A large body waits until the memory is free; a small one does not."""
    budget, order = MemoryBudget(100), []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with budget.reserve(80):
            inside.set()
            assert leave.wait(30)
            order.append("first")

    def second() -> None:
        with budget.reserve(30):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(30)
    threads[1].start()
    with budget.reserve(20):
        order.append("small")
    leave.set()
    for thread in threads:
        thread.join()
    assert order == ["small", "first", "second"]
