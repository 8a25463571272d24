"""
A development server that speaks the data exchange without encryption: the decrypted request is posted as JSON.

Meta never does that: a real endpoint is asked with its public key. What the server refuses says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

from .._endpoint_url import endpoint_url
from .._http import TIMED_OUT
from .._json import compact_json
from .._wire import Request
from ..errors import TransportError, UnexpectedResponseError
from ..transport import Timeout
from ._events import Answer, Failure

MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes that are read of an answer."""

_AS_PLAIN: Final = " (it was asked in plain JSON, as no public key is given)"

_STATUSES: Final[dict[int, Failure]] = {421: "not-decrypted", 427: "token-refused"}


def plain_endpoint(url: str) -> Callable[[dict[str, Any], float], Answer]:
    """
    A function that posts a request to a URL, and reads the answer within so many seconds. No redirect is followed.

    Raises `ConfigurationError` for a URL that is not http or https, or that has a user name or a password.
    """
    from .._requests import RequestsTransport  # noqa: PLC0415 - no other endpoint needs it

    endpoint_url(url, begins="http:// or https://")

    def ask(content: dict[str, Any], seconds: float) -> Answer:
        request = Request(
            method="POST",
            url=url.partition("#")[0],
            operation="endpoint request",
            body=compact_json(content).encode(),
            content_type="application/json",
            authenticated=False,
        )
        with closing(RequestsTransport(max_response_bytes=MAX_ANSWER, stop_grace=0.0)) as transport:
            try:
                response = transport.send(request, timeout=Timeout(connect=seconds, read=seconds, total=seconds))
            except UnexpectedResponseError as error:
                return Answer(number=0, failure="unreadable", message=error.message)
            except TransportError as error:
                late = TIMED_OUT in error.message
                message = error.message if late else f"The endpoint cannot be reached: {error.message}"
                return Answer(number=0, failure="timeout" if late else "unreachable", message=message)
        return _read(response.status, response.body)

    return ask


def _read(status: int, body: bytes) -> Answer:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if status != 200:
        found = content.get("error_msg") if isinstance(content, dict) and status == 427 else None
        message = found if isinstance(found, str) else f"The endpoint answered with HTTP {status}{_AS_PLAIN}."
        return Answer(number=0, failure=_STATUSES.get(status, "status"), message=message)
    if content is None:
        return Answer(number=0, failure="unreadable", message=f"The answer of the endpoint is not JSON{_AS_PLAIN}.")
    return Answer(number=0, content=content)
