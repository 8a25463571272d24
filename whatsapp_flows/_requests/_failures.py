"""
The error of the tree that a failure of requests, urllib3 or http.client stands for.

It is read from the urllib3 cause, because requests raises the same `ConnectionError` for a refused connection and for a
body that stalls:

    what happened                                        exception                             error
    connection refused, unreachable, unknown host        NewConnectionError                    NotSentError
    timeout while connecting                             ConnectTimeoutError                   NotSentError
    the name of a host or a proxy is invalid             LocationValueError, InvalidURL        NotSentError
    a header of the session that HTTP cannot carry       ValueError from http.client           ConfigurationError
    the proxy refuses, or cannot be reached              ProxyError                            NotSentError
    connection closed during the TLS handshake           SSLError(SSLEOFError)                 NotSentError
    certificate, handshake, no TLS on the other side     SSLError                              TlsError
    TLS failure while data is transferred                SSLError, from a read or a write      NoAnswerError
    silence after the request, stall within the body     ReadTimeoutError                      NoAnswerError
    reset or closed after the request                    ProtocolError                         NoAnswerError
    body shorter than announced, bad chunk               IncompleteRead, InvalidChunkLength    NoAnswerError
    not sent, but the host's adapter had tried before    any of the NotSentError rows          NoAnswerError
    out of time, or `stop` was set                       ExchangeExpiredError                  NoAnswerError
    the same before anything was sent                    ExchangeExpiredError                  NotSentError
    headers too large, or a line of them                 ResponseTooLargeError, LineTooLong    NoAnswerError
    body that cannot be decoded                          DecodingError, DecodeError            UnexpectedResponseError
    body too large, before or after it is decoded        BodyTooLargeError                     UnexpectedResponseError
    an exception of the host's own hook or adapter       anything else                         propagates unchanged
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import traceback
from collections.abc import Collection, Iterator
from typing import Final

import requests
from urllib3 import exceptions as urllib3

from .._decoding import BodyTooLargeError, DecodingError
from .._http import INVALID_HEADER, transport_error
from .._wire import Request
from ..errors import ConfigurationError, FlowsError, NoAnswerError, NotSentError, TlsError, UnexpectedResponseError
from ._connections import Exchange

# The texts of these exceptions quote the address, which may be a proxy's and hold its password.
_UNUSABLE_ADDRESS: Final = "the address of the host, or of the proxy, cannot be used"
_NO_ADAPTER: Final = "no adapter is mounted for the address, or a SOCKS proxy needs requests[socks]"

# Cause -> error, and a message in place of the exception's own. The first matching row counts. A request whose failure
# matches no row may have been sent.
_ERRORS: Final[tuple[tuple[type[BaseException], type[FlowsError], str | None], ...]] = (
    (urllib3.NewConnectionError, NotSentError, None),
    (urllib3.ConnectTimeoutError, NotSentError, None),
    (urllib3.LocationValueError, NotSentError, _UNUSABLE_ADDRESS),
    (requests.exceptions.InvalidURL, NotSentError, _UNUSABLE_ADDRESS),
    (requests.exceptions.InvalidSchema, NotSentError, _NO_ADAPTER),
    (urllib3.ProxyError, NotSentError, None),
    (ssl.SSLEOFError, NotSentError, None),
    (ssl.SSLError, TlsError, None),
    (urllib3.SSLError, TlsError, None),
    (urllib3.DecodeError, UnexpectedResponseError, None),
    (DecodingError, UnexpectedResponseError, None),
    (BodyTooLargeError, UnexpectedResponseError, None),
)

_POOL: Final = re.compile(r"^\w+\(host=[^)]*\): ")  # the prefix of urllib3's messages; ours name the host already

_TLS_DATA: Final = {"read", "write", "recv", "recv_into", "send", "sendall"}  # methods of ssl.SSLSocket

# The packages in which the network raises an OSError or a ValueError. From any other, it is the host's own exception.
_NETWORK: Final = ("requests", "urllib3", "http", "ssl", "socket", "encodings", "idna", __name__.partition(".")[0])
_HOOKS: Final = "requests.hooks"
_NETWORK_ERRORS: Final = (
    requests.RequestException,
    urllib3.HTTPError,
    http.client.HTTPException,
    DecodingError,
    BodyTooLargeError,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
    socket.gaierror,
)
FAILURES: Final = (*_NETWORK_ERRORS, OSError, ValueError, TypeError)
"""The exceptions of which `is_transport_failure` tells whether they are failures of the transport."""
_ADDRESSES: Final = "requests.utils"


def error_for(
    failure: BaseException, request: Request, exchange: Exchange, *, own_session: bool, sent_before: bool
) -> FlowsError:
    """
    The error that a failure stands for.

    `own_session` is whether each connection of the exchange was a bounded one, so that `exchange` knows all that was
    sent. `sent_before` is whether the host's adapter may have sent the request before the try that failed.
    """
    if isinstance(failure, TypeError):
        return transport_error(NotSentError, _UNUSABLE_ADDRESS, request)
    if exchange.too_large:
        return transport_error(UnexpectedResponseError, str(BodyTooLargeError(exchange.max_response_bytes)), request)
    causes = tuple(_causes(failure))
    row = next((row for row in _ERRORS if any(isinstance(cause, row[0]) for cause in causes)), None)
    error = NoAnswerError if row is None else row[1]
    message = row[2] if row and row[2] else _POOL.sub("", str(causes[-1])) or type(causes[-1]).__name__
    if exchange.expired:
        error, message = (NoAnswerError if exchange.sent else NotSentError), exchange.expired
    elif any(_raised_in(cause, "http.client", {"putheader", "putrequest"}) for cause in causes):
        return ConfigurationError(INVALID_HEADER)
    if any(_raised_in(cause, "requests.adapters", {"cert_verify"}) for cause in causes):
        error = TlsError  # a CA bundle or a certificate is missing
    elif any(isinstance(cause, ssl.SSLError) and _raised_in(cause, "ssl", _TLS_DATA) for cause in causes) or (
        error is NotSentError and sent_before
    ):
        error = NoAnswerError
    if error is NoAnswerError and own_session and exchange.connects and not exchange.sent:
        error = NotSentError  # it failed while the connection was established
    return transport_error(error, message, request)


def is_transport_failure(failure: BaseException) -> bool:
    """Whether the network or the response raised an exception of `FAILURES`, and not the host's own code."""
    modules = _modules(failure)
    if _HOOKS in modules:
        return False
    if isinstance(failure, TypeError):
        return modules[-1] == _ADDRESSES  # requests raises it for a proxy without a host
    return isinstance(failure, _NETWORK_ERRORS) or modules[-1].partition(".")[0] in _NETWORK


def _modules(failure: BaseException) -> list[str]:
    """The modules of the frames that an exception passed, the innermost last."""
    return [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(failure.__traceback__)]


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """
    The exception and those inside it, outermost first.

    requests and urllib3 pass the cause on as an argument or as `reason`; `__context__` may be unrelated.
    """
    seen: set[int] = set()
    current: object = failure
    while isinstance(current, BaseException) and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = [part for part in (getattr(current, "reason", None), *current.args) if isinstance(part, BaseException)]
        current = inner[0] if inner else None


def _raised_in(cause: BaseException, module: str, functions: Collection[str]) -> bool:
    """Whether the exception passed one of these functions of the module."""
    frames = (frame for frame, _ in traceback.walk_tb(cause.__traceback__))
    return any(frame.f_globals.get("__name__") == module and frame.f_code.co_name in functions for frame in frames)
