"""
What the transports on requests and on aiohttp have in common.

Limits, the headers of a request, checks of the constructor's arguments, and the error that a failure becomes.
"""

from __future__ import annotations

import math
from typing import Final
from urllib.parse import urlsplit

from ._version import __version__
from ._wire import Request, redact, short_repr
from .errors import ConfigurationError, ErrorDetails, FlowsError

USER_AGENT: Final = f"whatsapp-flows-sdk/{__version__}"

ACCEPT_ENCODING: Final = "gzip, deflate"
"""The content codings that `_decoding` decodes."""

MAX_CONNECTIONS: Final = 100
"""Connections of a session of our own: a busy worker has as many threads, and aiohttp has the same default."""

MAX_HOSTS: Final = 10
"""Hosts to which a session of our own keeps connections, as urllib3 does; each download may come from another host."""

MAX_HEADER_BYTES: Final = 64 * 1024
"""The longest header line of a response; http.client has the same limit. On requests also the size of all headers."""

STOPPED: Final = "stopped while it was under way"
TIMED_OUT: Final = "no complete answer in time"
INVALID_HEADER: Final = "a header of the session holds characters that HTTP cannot carry."
CLOSED: Final = "the client that opened these connections has been closed: make another."

_TAKEN_BY: Final = {"requests.Session": "FlowsClient", "aiohttp.ClientSession": "AsyncFlowsClient"}


def check_session(session: object, expected: type, name: str) -> None:
    """Raise `ConfigurationError` unless `session` is None or of the expected type, called `name` in the message."""
    if session is not None and not isinstance(session, expected):
        given = f"{type(session).__module__.partition('.')[0]}.{type(session).__name__}"
        hint = f" ({_TAKEN_BY[given]} takes that one)" if given in _TAKEN_BY else ""
        raise ConfigurationError(f"session must be {name}, not {given}{hint}.")


def check_stop_grace(value: object) -> None:
    """Raise `ConfigurationError` unless `value` is a finite number of seconds, 0 or more."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= float(value) < math.inf:  # type: ignore[arg-type]  # it is a number
        raise ConfigurationError(f"stop_grace must be a finite number of seconds, 0 or more, not {short_repr(value)}.")


def message_headers(request: Request) -> dict[str, str]:
    """The headers that follow from the request itself: the codings it accepts, and type and length of its body."""
    headers = {"Accept-Encoding": "identity" if request.is_file else ACCEPT_ENCODING, **request.headers}
    if request.content_type:
        headers["Content-Type"] = request.content_type
    if request.body is not None or request.method == "POST":
        headers["Content-Length"] = str(len(request.body or b""))
    return headers


def is_default_user_agent(value: object, default: str) -> bool:
    """Whether a session's User-Agent is the library's default, `default/1.2.3`, and not one that the host chose."""
    return str(value).startswith(f"{default}/")


def transport_error(kind: type[FlowsError], message: str, request: Request) -> FlowsError:
    """An error of a request: the message names the host, and holds neither the token nor the proof."""
    message = redact(message, request.token)
    for value in request.proof.values():
        message = message.replace(value, "[redacted]")
    return kind(
        ErrorDetails(
            message=f"{urlsplit(request.url).netloc.rpartition('@')[2]}: {message}",
            operation=request.operation,
            flow_id=request.flow_id,
            advice=kind.default_advice,
        )
    )
