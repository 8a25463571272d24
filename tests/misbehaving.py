"""
An HTTP server that misbehaves, for tests of clients.

It is a real socket on 127.0.0.1 with a list of `Behaviour`s, each for one request (or, where nothing is read, for one
connection); the last one repeats. Requests that arrived whole are in `Server.requests`. Leaving the context closes all
connections and joins all threads, so that the record is complete.

    with Server(RESET_AFTER_REQUEST, answers()) as server:
        ...                                     # the first request is reset, all others are answered
    assert len(server.requests) == 2
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import pytest

# A key and a self-signed certificate for localhost and 127.0.0.1, valid from 2020 to 2120. They are public and for
# these tests alone: they protect nothing. Made with openssl (P-256), because the `ssl` module cannot make any.
TEST_ONLY_KEY: Final = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgx0qLFh6La1bDkekH
0lcQOIZFPYlR20f8fe7qghJcqEGhRANCAAR+LWNmj1AtSb8PZfmUWhGUuovAImeR
9v9jLJGiuZdPfIZDg1woRwl2Z4SGU2PXswr+eJigI4FRFzUpjUFLvRZY
-----END PRIVATE KEY-----
"""
TEST_ONLY_CERTIFICATE: Final = """\
-----BEGIN CERTIFICATE-----
MIIBtjCCAVygAwIBAgIBATAKBggqhkjOPQQDAjApMScwJQYDVQQDDB53aGF0c2Fw
cC1mbG93cy1zZGsgdGVzdCBzZXJ2ZXIwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx
MDEwMDAwMDBaMCkxJzAlBgNVBAMMHndoYXRzYXBwLWZsb3dzLXNkayB0ZXN0IHNl
cnZlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH4tY2aPUC1Jvw9l+ZRaEZS6
i8AiZ5H2/2MskaK5l098hkODXChHCXZnhIZTY9ezCv54mKAjgVEXNSmNQUu9Flij
czBxMB0GA1UdDgQWBBS6BoukO9+pX3qphTfEzWskbVpECjAPBgNVHRMBAf8EBTAD
AQH/MA4GA1UdDwEB/wQEAwIChDATBgNVHSUEDDAKBggrBgEFBQcDATAaBgNVHREE
EzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIgP8wjHxEW1t/K
+GqmkkQkCeoJndN5Kw5lP8W/mo/FqocCIQCU4pt2zwO07oiw00h5GPXGM+N5I9dR
M2cjvWw+AlabdQ==
-----END CERTIFICATE-----
"""

_PATIENCE: Final = 30.0  # seconds after which a test that waits for the server has failed
_ENVIRONMENT: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CA_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def forget_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the proxies, the CA bundles and the netrc file of the machine from the test's environment."""
    for name in (*_ENVIRONMENT, *(name.lower() for name in _ENVIRONMENT), *_CA_BUNDLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(Path(__file__).with_name("no netrc is here")))


def certificate_file(folder: Path) -> str:
    """The server's certificate as a file, for a client that trusts it."""
    path = folder / "test-only-certificate.pem"
    path.write_text(TEST_ONLY_CERTIFICATE, encoding="ascii")
    return str(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request that arrived whole. Header names are lower case; `target` is that of the request line."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    raw_head: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A regular response; Content-Length is added unless given."""

    body: bytes = b'{"success": true}'
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The response as bytes."""
        headers = {"Content-Type": "application/json", "Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {'OK' if self.status < 300 else 'Whatever'}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


class Connection:
    """An accepted connection, for a behaviour."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self._server = server
        self._sock = sock
        self._buffer = b""

    def arrives(self) -> bool:
        """Waits for a first byte; False when the peer closes instead."""
        return bool(self._buffer) or self._fill()

    def receive(self) -> Received | None:
        """Reads one whole request and records it; None when the peer closes before its end."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._fill():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            if not self._fill():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        received = Received(method=method, target=target, headers=headers, body=body, raw_head=head)
        self._server.record(received)
        return received

    def skip(self, size: int) -> None:
        """Reads a request with a body of this size, and discards it."""
        while b"\r\n\r\n" not in self._buffer and self._fill():
            pass
        left = size - len(self._buffer.partition(b"\r\n\r\n")[2])
        self._buffer = b""
        room = bytearray(65536)
        while left > 0 and (read := self._sock.recv_into(room, min(left, len(room)))):
            left -= read

    def send(self, data: bytes) -> None:
        """Sends all of it."""
        self._sock.sendall(data)

    def send_around_tls(self, data: bytes) -> None:
        """Sends plain bytes where the peer expects TLS records."""
        socket.socket.sendall(self._sock, data)

    def linger(self) -> None:
        """Sends nothing until the peer closes, or the server is closed."""
        while self._fill():
            pass

    def stays_for(self, seconds: float, *, reading: int = 0) -> bool:
        """Waits, then reads at most so many bytes; False as soon as the peer has closed or the server closes."""
        poll = select.poll()
        poll.register(self._sock, select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0))
        if poll.poll(seconds * 1000):
            return False
        return not reading or bool(self._sock.recv(reading))

    def wait_for_the_end(self) -> None:
        """Reads nothing, and returns when the peer resets the connection or the server is closed."""
        poll = select.poll()
        poll.register(self._sock, select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0))
        poll.poll(2 * _PATIENCE * 1000)

    def reset(self) -> None:
        """Makes the next close a reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _fill(self) -> bool:
        try:
            data = self._sock.recv(65536)
        except OSError:  # reset by the other side
            return False
        self._buffer += data
        return bool(data)


Act = Callable[[Connection], bool]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    What the server does with one request: a name, and a function that returns whether the connection stays open.

    `scheme` is that of the URL for the client. With `secured` the server negotiates TLS before it acts.
    """

    name: str
    act: Act
    scheme: Literal["http", "https"] = "http"
    secured: bool = False

    def __str__(self) -> str:
        return self.name


def replies(reply: Callable[[Received], Answer], *, name: str = "replies", secured: bool = False) -> Behaviour:
    """Answers with what `reply` returns, and keeps the connection open."""

    def act(connection: Connection) -> bool:
        received = connection.receive()
        if received is None:
            return False
        connection.send(reply(received).encoded())
        return True

    return Behaviour(name, act, "https" if secured else "http", secured)


def answers(
    body: bytes = b'{"success": true}',
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    secured: bool = False,
) -> Behaviour:
    """Answers with this, and keeps the connection open."""
    answer = Answer(body, status, headers or {})
    return replies(lambda _: answer, name=f"answers {status}", secured=secured)


def redirects(location: str, status: int = 302) -> Behaviour:
    """Redirects the client."""
    return answers(b"", status, {"Location": location})


Then = Callable[[Connection], None]


def _close(_: Connection) -> None:
    """Closes the connection."""


def _after_request(content: bytes, then: Then) -> Act:
    def act(connection: Connection) -> bool:
        if connection.receive() is not None:
            if content:
                connection.send(content)
            then(connection)
        return False

    return act


def _without_reading(content: bytes, then: Then) -> Act:
    def act(connection: Connection) -> bool:
        if connection.arrives():
            if content:
                connection.send(content)
            then(connection)
        return False

    return act


def _tls_damage(content: bytes) -> Act:
    def damage(connection: Connection) -> None:
        connection.send_around_tls(b"this is no TLS record, whatever it may look like to you")
        connection.linger()

    return _after_request(content, damage)


def _one_answer(connection: Connection) -> bool:
    if connection.receive() is not None:
        connection.send(Answer().encoded())
    return False


_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_LONG: Final = _HEAD + b"Content-Length: 100\r\n\r\n"
_CHUNKED: Final = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_SOME: Final = b'{"success"'
_stall, _reset = Connection.linger, Connection.reset

RESET_BEFORE_READING: Final = Behaviour("reset before reading", _without_reading(b"", _reset))
SILENCE: Final = Behaviour("silence after the request", _after_request(b"", _stall))
RESET_AFTER_REQUEST: Final = Behaviour("reset after the request", _after_request(b"", _reset))
CLOSE_AFTER_REQUEST: Final = Behaviour("close after the request", _after_request(b"", _close))
STALL_IN_HEADERS: Final = Behaviour("stall in mid-headers", _after_request(_HEAD, _stall))
CUT_IN_HEADERS: Final = Behaviour("cut in the status line", _after_request(b"HTTP/1.1 2", _close))
STALL_BEFORE_BODY: Final = Behaviour("stall before the body", _after_request(_LONG, _stall))
STALL_IN_BODY: Final = Behaviour("stall in mid-body", _after_request(_LONG + _SOME, _stall))
STALL_IN_CHUNK: Final = Behaviour("stall in a chunk", _after_request(_CHUNKED + b"64\r\n" + _SOME, _stall))
RESET_IN_BODY: Final = Behaviour("reset in mid-body", _after_request(_LONG + _SOME, _reset))
SHORT_BODY: Final = Behaviour("short body", _after_request(_LONG + _SOME, _close))
BAD_CHUNK: Final = Behaviour("bad chunk", _after_request(_CHUNKED + b"no number\r\n" + _SOME + b"\r\n", _close))
SHORT_CHUNK: Final = Behaviour("short chunk", _after_request(_CHUNKED + b"64\r\n" + _SOME, _close))
NO_LAST_CHUNK: Final = Behaviour("no last chunk", _after_request(_CHUNKED + b"a\r\n" + _SOME + b"\r\n", _close))
DAMAGED_GZIP: Final = Behaviour(
    "damaged gzip",
    _after_request(_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" + _SOME, _close),
)
GARBAGE: Final = Behaviour("garbage instead of HTTP", _after_request(b"\x00\xff\x16\x03 hello\r\n\r\n" * 4, _close))
HUGE_HEADER: Final = Behaviour("a huge header", _after_request(_HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n", _close))
MANY_HEADERS: Final = Behaviour("many headers", _after_request(_HEAD + b"X: x\r\n" * 200 + b"\r\n", _close))
NO_TLS: Final = Behaviour(
    "plain HTTP where TLS is expected",
    _without_reading(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", _close),
    "https",
)
TLS_SILENCE: Final = Behaviour("silence in the TLS handshake", _without_reading(b"", _stall), "https")
TLS_CUT: Final = Behaviour("TLS handshake cut off", _without_reading(b"", _close), "https")
TLS_RESET: Final = Behaviour("TLS handshake reset", _without_reading(b"", _reset), "https")
TLS_CLOSE_AFTER_REQUEST: Final = Behaviour(
    "TLS, close after the request", _after_request(b"", _close), "https", secured=True
)
TLS_SILENCE_AFTER_REQUEST: Final = Behaviour(
    "TLS, silence after the request", _after_request(b"", _stall), "https", secured=True
)
TLS_SHORT_BODY: Final = Behaviour("TLS, short body", _after_request(_LONG + _SOME, _close), "https", secured=True)
TLS_DAMAGED_ANSWER: Final = Behaviour("TLS, damaged after the request", _tls_damage(b""), "https", secured=True)
TLS_DAMAGED_BODY: Final = Behaviour("TLS, damaged in mid-body", _tls_damage(_LONG + _SOME), "https", secured=True)


def _take_no_body(connection: Connection) -> bool:
    if connection.arrives():
        connection.wait_for_the_end()
    return False


TAKES_NO_BODY: Final = Behaviour("takes no more of the request", _take_no_body)
ANSWER_AND_CLOSE: Final = Behaviour("an answer, then the connection is closed without a word", _one_answer)

_OK: Final = b"HTTP/1.1 200 OK\r\n"


def _drip(connection: Connection, piece: bytes) -> None:
    pause = 0.01  # the server is slow; the client's `total` ends it
    while connection.stays_for(pause):
        connection.send(piece)


def _drips(name: str, content: bytes, piece: bytes, *, secured: bool = False) -> Behaviour:
    """Reads the request, sends the content, and goes on in small pieces without an end."""

    def act(connection: Connection) -> bool:
        if connection.receive() is not None:
            connection.send(content)
            _drip(connection, piece)
        return False

    return Behaviour(name, act, "https" if secured else "http", secured)


def _handshake(connection: Connection) -> bool:
    if connection.arrives():
        connection.send(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")  # a handshake record of 16 KiB, which never ends
        _drip(connection, b"\0")
    return False


def _takes_little(connection: Connection) -> bool:
    while connection.stays_for(0.01, reading=256):
        pass
    return False


TUNNEL_DRIPS: Final = _drips("a tunnel drips", _OK, b"X: x\r\n")
HANDSHAKE_DRIPS: Final = Behaviour("a handshake drips", _handshake, "https")
TAKES_LITTLE: Final = Behaviour("takes little of the request at a time", _takes_little)
BODY_DRIPS: Final = _drips("a body drips", _OK + b"Content-Length: 100000\r\n\r\n", b"x")
DRIPPING: Final = (
    _drips("the status line drips", b"HTTP/1.1 200 O", b"K"),
    _drips("a header drips", _OK + b"X: ", b"x"),
    _drips("headers drip", _OK, b"X: x\r\n"),
    BODY_DRIPS,
    _drips("a body without a length drips", _OK + b"\r\n", b"x"),
    _drips("chunks drip", _OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    _drips("trailers drip", _OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: x\r\n"),
    _drips("continuations without an end", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 10),
    _drips("early hints without an end", b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    _drips("a body drips over TLS", _OK + b"Content-Length: 100000\r\n\r\n", b"x", secured=True),
)

# Everything that leaves a client without a usable response.
MISBEHAVIOURS: Final = (
    RESET_BEFORE_READING,
    SILENCE,
    RESET_AFTER_REQUEST,
    CLOSE_AFTER_REQUEST,
    STALL_IN_HEADERS,
    CUT_IN_HEADERS,
    STALL_BEFORE_BODY,
    STALL_IN_BODY,
    STALL_IN_CHUNK,
    RESET_IN_BODY,
    SHORT_BODY,
    BAD_CHUNK,
    SHORT_CHUNK,
    NO_LAST_CHUNK,
    DAMAGED_GZIP,
    GARBAGE,
    HUGE_HEADER,
    MANY_HEADERS,
    NO_TLS,
    TLS_SILENCE,
    TLS_CUT,
    TLS_RESET,
    TLS_CLOSE_AFTER_REQUEST,
    TLS_SILENCE_AFTER_REQUEST,
    TLS_SHORT_BODY,
    TLS_DAMAGED_ANSWER,
    TLS_DAMAGED_BODY,
)


class Server:
    """
    A server on 127.0.0.1 with a list of behaviours, one for each request; the last one repeats.

    With `connections` it refuses all but the first so many.
    """

    def __init__(self, *behaviours: Behaviour, connections: int | None = None) -> None:
        assert behaviours, "a server needs something to do"
        self._behaviours = behaviours
        self._limit = connections
        self._begun = 0
        self._requests: list[Received] = []
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._tls: ssl.SSLContext | None = None
        self._resources = ExitStack()
        self.connections = 0

    def __enter__(self) -> Server:
        with ExitStack() as resources:
            if any(behaviour.secured for behaviour in self._behaviours):
                self._tls = _tls_context()
            self._listener = resources.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            self._wake, self._woken = (resources.enter_context(closing(end)) for end in socket.socketpair())
            self.port: int = self._listener.getsockname()[1]
            self._resources = resources.pop_all()
        self._spawn(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._changed:
            self._closing = True
            for sock in self._open:
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        self._wake.send(b"!")
        for thread in self._threads:  # complete once the accepting thread, which is the first, has ended
            thread.join(_PATIENCE)
            assert not thread.is_alive(), f"a thread of the server did not end: {thread.name}"
        self._resources.close()

    @property
    def url(self) -> str:
        """Its address, with the scheme that its first behaviour expects."""
        return self.url_at("127.0.0.1")

    def url_at(self, host: str) -> str:
        """The same address under another name, such as localhost."""
        return f"{self._behaviours[0].scheme}://{host}:{self.port}"

    @property
    def requests(self) -> tuple[Received, ...]:
        """The requests that arrived whole so far, in order."""
        with self._changed:
            return tuple(self._requests)

    def record(self, received: Received) -> None:
        """Records a request."""
        with self._changed:
            self._requests.append(received)
            self._changed.notify_all()

    def has_received(self, number: int) -> bool:
        """Waits until so many requests have arrived whole; False if they do not."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._requests) >= number, _PATIENCE)

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        with self._changed:
            return len(self._open)

    def all_connections_end(self) -> bool:
        """Waits until no connection is open; False if that takes too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, _PATIENCE)

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"{self._behaviours[0]}, connection {self.connections}")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while self.connections != self._limit:
            ready, _, _ = select.select([self._listener, self._woken], [], [])
            if self._woken in ready:
                return
            sock, _ = self._listener.accept()
            if self.connections + 1 == self._limit:
                self._listener.close()
            if self._enlist(sock):
                self.connections += 1
                self._spawn(lambda sock=sock: self._serve(sock))  # type: ignore[misc]

    def _enlist(self, sock: socket.socket, *, instead_of: socket.socket | None = None) -> bool:
        """Counts a socket among the open ones; closes it when the server is closing."""
        with self._changed:
            self._open.discard(instead_of or sock)
            if not self._closing:
                self._open.add(sock)
                return True
        sock.close()
        return False

    def _serve(self, sock: socket.socket) -> None:
        try:
            behaviour = self._next()
            if behaviour.secured:
                assert self._tls is not None
                secured = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                if not self._enlist(secured, instead_of=sock):
                    return
                sock = secured
                secured.do_handshake()
            connection = Connection(self, sock)
            while behaviour.act(connection) and connection.arrives():
                behaviour = self._next()
        except OSError:
            pass  # the peer has closed, which some tests are about
        finally:
            sock.close()
            with self._changed:
                self._open.discard(sock)
                self._changed.notify_all()

    def _next(self) -> Behaviour:
        with self._changed:
            behaviour = self._behaviours[min(self._begun, len(self._behaviours) - 1)]
            self._begun += 1
            return behaviour


def _tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        certificate.write_text(TEST_ONLY_CERTIFICATE, encoding="ascii")
        key.write_text(TEST_ONLY_KEY, encoding="ascii")
        context.load_cert_chain(certificate, key)
    return context


@contextmanager
def refusing() -> Iterator[str]:
    """The URL of a port that refuses connections and is reserved meanwhile."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def unreachable() -> Iterator[str]:
    """The URL of a port whose queue is full: a connection is not accepted."""
    with ExitStack() as resources:
        listener = resources.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = resources.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def addresses(monkeypatch: pytest.MonkeyPatch, dead: int, port: int | None = None) -> Iterator[None]:
    """Every name resolves to so many addresses that do not answer, and then perhaps to a server of this machine."""
    with ExitStack() as resources:
        listener = resources.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # one or two fill the queue; the kernel drops further ones
            waiting = resources.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        at = [listener.getsockname()] * dead + ([] if port is None else [("127.0.0.1", port)])
        found = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for address in at]
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", lambda *args, **more: found)
            yield
