"""
One request and its response, between the host's middlewares and the wire; and the error that a failure stands for.

Two middlewares surround the host's. The inner one sees each try that reaches the network: it sets the bearer token
where nothing replaces it, and records whether anything may have been sent. The outer one keeps aiohttp from repeating
a GET or a DELETE by itself after a lost response (which RFC 9112, section 9.3.1, allows): the retry policy decides.

    what happened                                        exception                               error
    refused, unreachable, unknown host                   ClientConnectorError                    NotSentError
    no connection in time, the handshake included        ConnectionTimeoutError                  NotSentError
    the proxy refuses, or cannot be reached              ClientHttpProxyError, the same two      NotSentError
    the name of a host or a proxy is invalid             InvalidURL                              NotSentError
    a kept connection closed before the first byte       ServerDisconnectedError, and others     NotSentError
    connection closed during the TLS handshake           ClientConnectorError                    NotSentError
    certificate, handshake, no TLS on the other side     ClientConnectorSSLError, -Certificate-  TlsError
    silence after the request, stall within the body     SocketTimeoutError                      NoAnswerError
    a body that the server does not read                 SocketTimeoutError                      NoAnswerError
    reset or closed after the request                    ClientOSError, ServerDisconnectedError  NoAnswerError
    body shorter than announced, bad chunk               ClientPayloadError                      NoAnswerError
    not HTTP                                             ClientResponseError                     NoAnswerError
    out of time, or `stop` was set                       DeadlineError, StoppedError             NoAnswerError
    the same before anything was sent                    DeadlineError, StoppedError             NotSentError
    body that cannot be decoded, or is too large         UnreadableResponseError                 UnexpectedResponseError
    not sent, but a middleware of the host's had tried   any of the NotSentError rows            NoAnswerError
    a header of the session that HTTP cannot carry       found by the inner middleware           ConfigurationError
"""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import Any, Final

import aiohttp

from .._http import INVALID_HEADER, STOPPED, TIMED_OUT, transport_error
from .._wire import Request
from ..errors import ConfigurationError, FlowsError, NoAnswerError, NotSentError, TlsError, UnexpectedResponseError
from ..transport import Timeout
from ._bodies import RequestBody, UnreadableResponseError, abort, bounded_class
from ._deadlines import DeadlineError, StoppedError
from ._proxies import BundleError

_NOT_CONNECTED: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
)

_TLS: Final = (
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ClientConnectorSSLError,
    aiohttp.ServerFingerprintMismatch,
    BundleError,
)

# The texts of aiohttp's own exceptions quote the request and the response.
_MESSAGES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (BundleError, "the CA bundle that the environment names cannot be used"),
    (aiohttp.InvalidURL, "the address cannot be used"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (aiohttp.ServerFingerprintMismatch, "the certificate has another fingerprint"),
    (aiohttp.ClientConnectionResetError, "the connection was closed"),
    (aiohttp.ServerDisconnectedError, "the server closed the connection"),
    (StoppedError, STOPPED),
    (DeadlineError, TIMED_OUT),
    (asyncio.TimeoutError, "no data in time"),
    (aiohttp.ClientPayloadError, "the answer is incomplete"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
)


class _ConnectionLostError(aiohttp.ClientError):
    """A failure, its cause, after which aiohttp would repeat the request by itself."""


class Exchange:
    """One request under way: what is sent, and whether any of it may have been sent already."""

    __slots__ = ("_connected", "_max_response_bytes", "_sent", "body", "connector", "limits", "request")

    failures: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError)
    """The exceptions for which `error_for` has an error."""

    def __init__(self, request: Request, timeout: Timeout, max_response_bytes: int) -> None:
        self.request = request
        self.connector: aiohttp.BaseConnector | None = None
        self.body = None if request.body is None else RequestBody(request.body, timeout.read)
        self.limits = aiohttp.ClientTimeout(total=None, connect=timeout.connect, sock_read=timeout.read)
        self._max_response_bytes = max_response_bytes
        self._connected = self._sent = False

    async def outer(self, wire: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Outside the host's middlewares: keeps aiohttp from repeating the request."""
        try:
            return await handler(wire)
        except _NOT_CONNECTED:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as failure:
            raise _ConnectionLostError(str(failure)) from failure

    async def inner(self, wire: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Inside the host's middlewares: sets the only credential, and records whether this try was sent."""
        wire.headers.popall("Authorization", None)
        if any(mark in text for header in wire.headers.items() for text in header for mark in "\r\n\0"):
            raise ConfigurationError(INVALID_HEADER)
        if self.request.token is not None:
            wire.headers["Authorization"] = f"Bearer {self.request.token.reveal()}"
        kind: Any = wire.response_class
        wire.response_class = bounded_class(kind, self._max_response_bytes)
        send = wire.send

        async def on_connected(connection: Any) -> aiohttp.ClientResponse:
            self._connected = True
            return await send(connection)

        wire.send = on_connected  # type: ignore[assignment, method-assign]  # called once there is a connection
        _abort_dirty_connections(self.connector, wire.connection_key)
        try:
            response = await handler(wire)
        except _NOT_CONNECTED:
            raise
        except BaseException as failure:
            self._sent = self._sent or not self._nothing_written(failure)
            raise
        self._sent = True
        return response

    def error_for(self, failure: BaseException) -> FlowsError:
        """The error that a failure stands for; without the request that aiohttp's exceptions may hold."""
        if isinstance(failure, _ConnectionLostError) and failure.__cause__ is not None:
            failure = failure.__cause__
        error: type[FlowsError]
        if self._sent:
            error = UnexpectedResponseError if isinstance(failure, UnreadableResponseError) else NoAnswerError
        else:
            closed = isinstance(getattr(failure, "os_error", None), ssl.SSLEOFError)
            error = TlsError if isinstance(failure, _TLS) and not closed else NotSentError
        return transport_error(error, message_for(failure), self.request)

    def _nothing_written(self, failure: BaseException) -> bool:
        """Whether there was no connection yet, or a kept one that was closed before the first byte was written."""
        if not self._connected:
            return True
        if self.body is not None:
            return not self.body.started
        return isinstance(failure, aiohttp.ClientConnectionResetError)  # from the writer, which writes all at once


def message_for(failure: BaseException) -> str:
    """The message for a failure of aiohttp or of the operating system."""
    if isinstance(failure, aiohttp.ClientHttpProxyError):
        return f"the proxy refused (HTTP {failure.status})"
    for kind, message in _MESSAGES:
        if isinstance(failure, kind):
            return message
    if isinstance(failure, aiohttp.ClientConnectorError):
        cause = getattr(failure, "certificate_error", None) or failure.os_error
        return str(cause) or type(cause).__name__
    if isinstance(failure, OSError):
        return os.strerror(failure.errno) if failure.errno and failure.errno > 0 else "the connection failed"
    return str(failure) or type(failure).__name__


def _abort_dirty_connections(connector: aiohttp.BaseConnector | None, key: object) -> None:
    """
    Abort the idle connections that aiohttp would choose next, as long as they have received bytes since their response.

    Such bytes answer no request: a second response, or a 408 before the close. aiohttp would take them for the response
    to the next request. Its table of idle connections has no public name.
    """
    for protocol, _ in getattr(connector, "_conns", {}).get(key, ()):
        if _is_clean(protocol):
            return
        abort(protocol.transport)


def _is_clean(protocol: Any) -> bool:
    """Whether an idle connection has read nothing since its last response was complete."""
    if protocol.should_close:  # it has read whole messages, or the end
        return False
    parser = getattr(protocol, "_parser", None)
    try:
        return parser is None or parser.feed_eof() is None  # it returns a message that has begun
    except Exception:  # noqa: BLE001 - a parser that raises here has read something
        return False
