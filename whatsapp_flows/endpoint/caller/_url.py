"""A URL as the target of an `EndpointClient`: sent through the library's own transport, which bounds time and size."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from typing import Final
from urllib.parse import SplitResult

from ..._decoding import BodyTooLargeError
from ..._endpoint_url import endpoint_url
from ..._http import TIMED_OUT
from ..._requests import RequestsTransport
from ..._wire import Request
from ...errors import (
    ConfigurationError,
    NoAnswerError,
    NotSentError,
    TlsError,
    TransportError,
    UnexpectedResponseError,
)
from ...transport import Timeout
from ._reply import CallOutcome
from ._targets import Arrival, Post, Silence, bounded, timed_out, too_large

_OPERATION: Final = "endpoint request"
_NO_ANSWERS: Final[tuple[tuple[type[TransportError], CallOutcome], ...]] = (
    (NotSentError, "not-reached"),
    (TlsError, "not-trusted"),
    (NoAnswerError, "no-answer"),
)


def checked_url(url: str) -> SplitResult:
    """
    The parts of an endpoint's URL.

    Raises `ConfigurationError` unless it is https, or http to this machine: Meta calls nothing else, and the answer
    may hold what a user has entered. A URL with a user name or a password is refused: it would get into a log.
    """
    parts = endpoint_url(url, begins="https://")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigurationError("the URL of the endpoint must begin with https://: http is for this machine only.")
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine, without a look-up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class UrlTarget:
    """
    An endpoint at a URL, on connections of its own: nothing of the host's session goes there.

    No redirect is followed. Awaited, it runs in a thread; the request of a cancelled call is aborted.
    """

    def __init__(self, url: str, max_answer: int) -> None:
        checked_url(url)
        self._url = url.partition("#")[0]
        self._transport = RequestsTransport(max_response_bytes=max_answer, stop_grace=0.0)

    def send(self, post: Post, /) -> Arrival:
        return self._send(post, None)

    def _send(self, post: Post, stop: threading.Event | None) -> Arrival:
        request = Request(
            method="POST",
            url=self._url,
            operation=_OPERATION,
            body=post.body,
            content_type="application/json",
            headers={name: value for name, value in post.headers.items() if name.lower() != "content-type"},
            authenticated=False,
            stop=stop,
        )
        limit = post.time_limit
        try:
            response = self._transport.send(request, timeout=Timeout(connect=limit, read=limit, total=limit))
        except UnexpectedResponseError as error:
            is_size = str(BodyTooLargeError(post.max_answer)) in error.message
            return too_large(post) if is_size else Silence("no-answer", error.message)
        except TransportError as error:
            if TIMED_OUT in error.message:
                return timed_out(limit)
            return Silence(next(row[1] for row in _NO_ANSWERS if isinstance(error, row[0])), error.message)
        return bounded(response, post)

    async def asend(self, post: Post, /) -> Arrival:
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._send, post, stop)
        finally:
            stop.set()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
