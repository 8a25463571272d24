"""
The transport on aiohttp; the only importer of aiohttp.

It sends through the host's own `ClientSession`, so that its connector, proxies, TLS context, cookies, traces and
middlewares hold, or through one of its own. Two middlewares stand around the host's. The inner one sees every try
that really goes out: it puts the bearer where nothing replaces it, and notes whether anything may have left. The outer
one keeps aiohttp from sending a GET or a DELETE again by itself after a lost answer (RFC 9112, section 9.3.1, lets it):
whether to send again is for the policy to say.

    what happened                                        aiohttp says                            error
    refused, unreachable, unknown host                   ClientConnectorError                    NotSentError
    no connection in time, the handshake included        ConnectionTimeoutError                  NotSentError
    the proxy refuses, or cannot be reached              ClientHttpProxyError, the same two      NotSentError
    a host or a proxy that is no name                    InvalidURL                              NotSentError
    a kept connection closed before the first byte       ServerDisconnectedError, and others     NotSentError
    connection closed during the TLS handshake           ClientConnectorError                    NotSentError
    certificate, handshake, no TLS on the other side     ClientConnectorSSLError, -Certificate-  TlsError
    silence after the request, stall in mid-body         SocketTimeoutError                      NoAnswerError
    a body that the server does not take                 SocketTimeoutError                      NoAnswerError
    reset or closed after the request                    ClientOSError, ServerDisconnectedError  NoAnswerError
    body shorter than promised, bad chunk                ClientPayloadError                      NoAnswerError
    not HTTP                                             ClientResponseError                     NoAnswerError
    the time for one attempt or for the call is over                                             NoAnswerError, or
                                                                                                 NotSentError
    body that cannot be unpacked, or is too large                                                UnexpectedResponseError
    not sent, but a middleware of the host's had tried   any of the first rows                   NoAnswerError
    a header of the session that HTTP cannot carry                                               ConfigurationError
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

try:
    import aiohttp
except ModuleNotFoundError as missing:
    if missing.name != "aiohttp":
        raise
    raise ImportError('AsyncFlowsClient needs aiohttp: pip install "whatsapp-flows-sdk[async]"') from None

from yarl import URL

from ._cutoff import Cutoff, CutOffError, StoppedError, ended_by
from ._decoding import DamagedError, TooLargeError, decoded
from ._environment import BundleError, Environment
from ._forks import register_after_fork
from ._version import __version__
from ._wire import Request, Response, redact
from .errors import (
    ConfigurationError,
    ErrorDetails,
    FlowsError,
    NoAnswerError,
    NotSentError,
    TlsError,
    UnexpectedResponseError,
)
from .transport import MAX_RESPONSE_BYTES, STOP_GRACE, Timeout

ClientSession = aiohttp.ClientSession

_USER_AGENT: Final = f"whatsapp-flows-sdk/{__version__}"
_CONNECTIONS: Final = 100  # to all hosts together, as aiohttp itself and the transport on requests have it
_HOSTS: Final = 10  # to which connections are kept, as with requests
_PIECE: Final = 32 * 1024  # with the headers less than the 64 KiB that aiohttp writes before it waits for the server

_UNPACKED_AT_ONCE: Final = 8 * 1024  # bytes of gzip, which hold at most 8 MiB: some milliseconds
_LONGEST_LINE: Final = 64 * 1024  # of an answer's head, as http.client has it

_NOT_CONNECTED: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
)

_NO_LINGERING: Final = struct.pack("ii", 1, 0)

_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (BundleError, "the CA bundle that the environment names cannot be used"),
    (aiohttp.InvalidURL, "the address cannot be used"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (aiohttp.ServerFingerprintMismatch, "the certificate has another fingerprint"),
    (aiohttp.ClientConnectionResetError, "the connection was closed"),
    (aiohttp.ServerDisconnectedError, "the server closed the connection"),
    (StoppedError, "stopped while it was under way"),
    (CutOffError, "no whole answer in time"),
    (asyncio.TimeoutError, "silence for too long"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
)


class AiohttpTransport:
    """
    Sends through an `aiohttp.ClientSession`: the host's, which stays open, or one of its own.

    One of its own is opened by the first request, in the event loop of that request. At most `max_connections`
    requests are on their way at once (None: as many as the host's connector allows, or 100); the others wait their
    turn, for which no time-out counts. In a forked child it opens another of its own.
    """

    def __init__(
        self,
        session: ClientSession | None = None,
        *,
        max_connections: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        if session is not None and not isinstance(session, ClientSession):
            kind = f"{type(session).__module__.partition('.')[0]}.{type(session).__name__}"
            remedy = " (FlowsClient takes that one)" if kind == "requests.Session" else ""
            raise ConfigurationError(f"session must be an aiohttp.ClientSession, not {kind}{remedy}.")
        self._owned = session is None
        self._session = session
        self._loop: object = getattr(session, "_loop", None)  # aiohttp has deprecated the public name
        self._max_connections = _limit(session, max_connections)
        self._slots = asyncio.Semaphore(self._max_connections)
        self._environment = Environment()
        self._closed = False
        self._now = now
        register_after_fork(self)

    def after_fork(self) -> None:
        """In a child, where the parent's connections must neither be used nor closed, and its requests are not ours."""
        self._slots = asyncio.Semaphore(self._max_connections)
        if self._owned and self._session is not None:
            _leave_to_the_parent(self._session)
            self._session = self._loop = None

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """One request, one answer. Raises `NotSentError`, `TlsError`, `NoAnswerError` or `UnexpectedResponseError`."""
        self._here()  # before the queue, which belongs to one event loop too
        sending = _Sending(request, timeout)
        try:
            with ended_by(_stop(request), STOP_GRACE), Cutoff(request.time_left):  # the queue included
                async with self._slots:
                    with Cutoff(timeout.total):
                        # What the server has said or done on a kept connection is seen before one is chosen: one turn
                        # of the loop hears of it, the next has dealt with it.
                        await asyncio.sleep(0)
                        await asyncio.sleep(0)
                        return await self._answer(self._here(), sending)
        except FlowsError:
            raise
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as failure:
            error = _translated(failure, sending)
        # Outside the handler, so that the error does not carry aiohttp's own, which holds the request and its token.
        raise error

    async def aclose(self) -> None:
        """Closes the session, unless it is the host's."""
        if self._owned:
            self._closed = True
            if self._session is not None and not self._session.closed:
                self._check_loop()
                await self._session.close()

    def _here(self) -> ClientSession:
        """The session, which must be open, and of the event loop that we are in."""
        if self._closed:
            raise ConfigurationError("the client that opened these connections has been closed: make another.")
        if self._session is None:
            self._session, self._loop = _own_session(), asyncio.get_running_loop()
        self._check_loop()
        if self._session.closed:
            raise ConfigurationError("the session has been closed: give the client an open one.")
        return self._session

    def _check_loop(self) -> None:
        if self._loop not in {None, asyncio.get_running_loop()}:
            raise ConfigurationError(
                "the session belongs to another event loop: make one client in each, inside a coroutine."
            )

    async def _answer(self, session: ClientSession, sending: _Sending) -> Response:
        request = sending.request
        url = _url(request.signed_url)
        sending.connector = session.connector
        answer = await session.request(
            request.method,
            url,
            data=sending.body,
            headers=_headers(session, request),
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=False,  # aiohttp would unpack in the event loop, older ones without a bound
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            timeout=sending.limits,
            middlewares=(sending.outer, *getattr(session, "_middlewares", ()), sending.inner),
            **(self._settings(url) if self._owned else {}),
        )
        transport, process = answer.connection.transport if answer.connection else None, os.getpid()
        try:
            body = await answer.read()
        except BaseException:
            if os.getpid() == process:  # not in a child, where Python closes the coroutines of the parent's loop
                _abort(transport)
            raise
        finally:
            answer.close()
            if self._owned:
                _keep_few_hosts(session.connector)
        return Response(
            status=answer.status,
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.raw_headers},
            body=body,
            received_at=self._now(),
            token=request.token,
        )

    def _settings(self, url: URL) -> dict[str, Any]:
        """What a session of our own takes from the environment."""
        environment, secured = self._environment, url.scheme == "https"
        return {
            "proxy": environment.proxy(url.scheme, url.host or "", url.port or 0),
            "ssl": environment.trust() if secured else True,
        }


class _Body(aiohttp.Payload):
    """
    The document, written in pieces of the one buffer that all attempts share.

    A piece that the server does not take for `patience` seconds is a silence like any other: aiohttp itself would wait
    for ever.
    """

    def __init__(self, content: bytes, patience: float) -> None:
        super().__init__(content)
        self._size = len(content)
        self._patience = patience
        self.begun = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The document as text."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: Any) -> None:
        """All of it."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: Any, content_length: int | None) -> None:
        """All of it; aiohttp gives our own length."""
        pieces = memoryview(self._value)
        await writer.write(pieces[:_PIECE])  # waits for nothing, and raises before it writes
        self.begun = True
        for start in range(_PIECE, len(pieces), _PIECE):
            try:
                await asyncio.wait_for(writer.write(pieces[start : start + _PIECE]), self._patience)
            except asyncio.TimeoutError:
                raise aiohttp.SocketTimeoutError("the server takes no more of the body") from None


class _Bounded(aiohttp.ClientResponse):
    """
    aiohttp's answer, or one of the host's, but no more of it is read than may be.

    And what ends the wait for it ends the connection at once. aiohttp closes it politely: after the rest of a body that
    nobody reads, and a TLS farewell that nobody answers.
    """

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Waits for the status and the headers."""
        transport, process = connection.transport, os.getpid()
        try:
            return await super().start(connection)
        except BaseException:
            if os.getpid() == process:
                _abort(transport)
            raise

    async def read(self) -> bytes:
        """The whole body, unpacked: in a thread, unless it is so small that it is not worth one."""
        if self._body is None:
            packed = await self._packed()
            codings = ",".join(self.headers.getall("Content-Encoding", ()))
            try:
                if codings and len(packed) > _UNPACKED_AT_ONCE:
                    body = await asyncio.to_thread(decoded, packed, codings, MAX_RESPONSE_BYTES)
                else:
                    body = decoded(packed, codings, MAX_RESPONSE_BYTES)
            except (TooLargeError, DamagedError) as problem:
                self.close()
                raise _UnreadableError(_UNREADABLE[type(problem)]) from None
            stream = self.content
            self.content = _Read(body)  # type: ignore[assignment]  # so that traces and the host's class see it
            try:
                return await super().read()
            finally:
                self.content = stream
        return await super().read()

    async def _packed(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := await self.content.readany():
            size += len(piece)
            if size > MAX_RESPONSE_BYTES:
                raise _UnreadableError(_UNREADABLE[TooLargeError])
            pieces.append(piece)
        return b"".join(pieces)


def _bounded(kind: type[aiohttp.ClientResponse]) -> type[aiohttp.ClientResponse]:
    """The class of answers that is `kind`, bounded."""
    if issubclass(kind, _Bounded):
        return kind
    return _Bounded if kind is aiohttp.ClientResponse else type(kind.__name__, (_Bounded, kind), {})


class _Read:
    """A body that has been read, in the place of the stream that it came from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, size: int = -1) -> bytes:
        """The whole of it, or its first bytes."""
        given, self._body = (self._body, b"") if size < 0 else (self._body[:size], self._body[size:])
        return given


class _UnreadableError(aiohttp.ClientError):
    """The answer is there, and cannot be read."""


_UNREADABLE: Final[dict[type[Exception], str]] = {
    TooLargeError: f"the answer has more than {MAX_RESPONSE_BYTES} bytes",
    DamagedError: "the answer cannot be unpacked",
}


class _LostError(aiohttp.ClientError):
    """A failure after which aiohttp would send again by itself; the failure is its cause."""


class _Sending:
    """One request under way: what is sent, and whether anything of it may have left."""

    __slots__ = ("body", "connected", "connector", "left", "limits", "request")

    def __init__(self, request: Request, timeout: Timeout) -> None:
        self.request = request
        self.connector: aiohttp.BaseConnector | None = None
        self.body = None if request.body is None else _Body(request.body, timeout.read)
        self.limits = aiohttp.ClientTimeout(total=None, connect=timeout.connect, sock_read=timeout.read)
        self.connected = self.left = False

    async def outer(self, wire: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Outside the host's middlewares: no second request behind our back."""
        try:
            return await handler(wire)
        except _NOT_CONNECTED:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as failure:
            raise _LostError(str(failure)) from failure

    async def inner(self, wire: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Inside the host's middlewares: the bearer and no other credential; and what became of this try."""
        wire.headers.popall("Authorization", None)
        if any(mark in text for header in wire.headers.items() for text in header for mark in "\r\n\0"):
            raise ConfigurationError("a header of the session holds characters that HTTP cannot carry.")
        if self.request.token is not None:
            wire.headers["Authorization"] = f"Bearer {self.request.token.reveal()}"
        wire.response_class = _bounded(wire.response_class)
        send = wire.send

        async def noted(connection: Any) -> aiohttp.ClientResponse:
            self.connected = True
            return await send(connection)

        wire.send = noted  # type: ignore[assignment, method-assign]  # the one place that knows that there is a connection
        _give_up_unclean(self.connector, wire.connection_key)
        try:
            answer = await handler(wire)
        except _NOT_CONNECTED:
            raise
        except BaseException as failure:
            self.left = self.left or not self._never_began(failure)
            raise
        self.left = True
        return answer

    def _never_began(self, failure: BaseException) -> bool:
        """Whether there was no connection yet, or a kept one that was closed before the first byte was written."""
        if not self.connected:
            return True
        if self.body is not None:
            return not self.body.begun
        return isinstance(failure, aiohttp.ClientConnectionResetError)  # by the writer, which writes all at once


_TLS: Final = (
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ClientConnectorSSLError,
    aiohttp.ServerFingerprintMismatch,
    BundleError,
)


def _translated(failure: BaseException, sending: _Sending) -> FlowsError:
    """Our error for aiohttp's, without the request that it may hold."""
    if isinstance(failure, _LostError) and failure.__cause__ is not None:
        failure = failure.__cause__
    request = sending.request
    if sending.left:
        unreadable = isinstance(failure, _UnreadableError)
        error: type[FlowsError] = UnexpectedResponseError if unreadable else NoAnswerError
    else:
        cut_off = isinstance(getattr(failure, "os_error", None), ssl.SSLEOFError)
        error = TlsError if isinstance(failure, _TLS) and not cut_off else NotSentError
    said = redact(_said(failure), request.token)
    for value in request.proof.values():
        said = said.replace(value, "[redacted]")
    return error(
        ErrorDetails(
            message=f"{urlsplit(request.url).netloc.rpartition('@')[2]}: {said}",
            operation=request.operation,
            flow_id=request.flow_id,
            advice=error.default_advice,
        )
    )


def _said(failure: BaseException) -> str:
    """What happened; aiohttp's own words quote the request and the answer."""
    if isinstance(failure, aiohttp.ClientHttpProxyError):
        return f"the proxy refused (HTTP {failure.status})"
    for kind, words in _WORDS:
        if isinstance(failure, kind):
            return words
    if isinstance(failure, aiohttp.ClientConnectorError):
        cause = getattr(failure, "certificate_error", None) or failure.os_error
        return str(cause) or type(cause).__name__
    if isinstance(failure, OSError):
        return os.strerror(failure.errno) if failure.errno and failure.errno > 0 else "the connection broke"
    return str(failure) or type(failure).__name__


def _stop(request: Request) -> asyncio.Event | None:
    """The client's `stop`; one of threads is of another client, and cannot be awaited."""
    return request.stop if isinstance(request.stop, asyncio.Event) else None


def _limit(session: ClientSession | None, wanted: int | None) -> int:
    """How many requests may be on their way at once."""
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1):
        raise ConfigurationError(f"max_connections must be a whole number above 0, not {wanted!r}.")
    connector = session.connector if session is not None else None
    allowed = [wanted] if wanted is not None else []
    if connector is not None:
        allowed += [limit for limit in (connector.limit, connector.limit_per_host) if limit]
    return min(allowed, default=_CONNECTIONS)


def _own_session() -> ClientSession:
    """A session that keeps no cookies; how many connections there are, our own limit says."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": _USER_AGENT},
    )


_of_the_parent: Final[list[object]] = []  # in a child: whatever is thrown away might be closed


def _leave_to_the_parent(session: ClientSession) -> None:
    """
    Forgets a session in a forked child, without a word on its connections.

    Closing one would say a TLS farewell on the parent's socket, and take it out of the parent's epoll, which the child
    shares. `detach` leaves the connector alone; that it has been dealt with has no public name.
    """
    connector: Any = session.connector
    session.detach()
    if connector is not None:
        connector._closed = True
        _of_the_parent.append(connector)


def _headers(session: ClientSession, request: Request) -> dict[str, str]:
    """Length and type of the body are the request's own; the User-Agent is ours unless the host has chosen one."""
    headers = {"Accept-Encoding": "gzip, deflate"}
    if request.content_type:
        headers["Content-Type"] = request.content_type
    if request.body is not None or request.method == "POST":
        headers["Content-Length"] = str(len(request.body or b""))
    if str(session.headers.get("User-Agent", "Python/")).startswith("Python/"):
        headers["User-Agent"] = _USER_AGENT
    return headers


def _url(text: str) -> URL:
    """As it is, when nothing in it needs quoting: a signed link must not change. Otherwise quoted."""
    return URL(text, encoded=text.isascii() and text.isprintable() and " " not in text)


def _give_up_unclean(connector: aiohttp.BaseConnector | None, key: object) -> None:
    """
    Ends the kept connections, of those that aiohttp would choose now, on which something has arrived since the answer.

    It is nobody's answer: a second one, a 408 before the close, the beginning of either. aiohttp would take it for the
    answer to the next request. The place where it keeps connections has no public name.
    """
    for protocol, _ in getattr(connector, "_conns", {}).get(key, ()):
        if _is_clean(protocol):
            return
        _abort(protocol.transport)


def _is_clean(protocol: Any) -> bool:
    """Whether a kept connection has read nothing since its last answer was complete."""
    if protocol.should_close:  # whole messages, or the end
        return False
    parser = getattr(protocol, "_parser", None)
    try:
        return parser is None or parser.feed_eof() is None  # what it returns is a message that has only begun
    except Exception:  # noqa: BLE001 - a parser that cannot be ended has read something
        return False


def _keep_few_hosts(connector: aiohttp.BaseConnector | None) -> None:
    """
    Closes what is kept to other hosts than the last ten: downloads come from hosts with ever new names.

    aiohttp itself has no bound for them. Whatever is used moves to the end of its dictionary.
    """
    kept = getattr(connector, "_conns", {})
    while len(kept) > _HOSTS:
        for protocol, _ in kept.pop(next(iter(kept))):
            protocol.close()


def _abort(transport: asyncio.Transport | None) -> None:
    """Ends a connection at once: with a reset, or the kernel would keep it for what the server does not take."""
    if transport is None:
        return
    if (sock := transport.get_extra_info("socket")) is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
    transport.abort()
