"""What adapters and servers do alike: requests without a body for the receiver, headers, bodies, disconnects."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol, cast
from urllib.parse import parse_qsl

from ._http_answer import HttpAnswer, Receiver, VerifyingReceiver
from .errors import ConfigurationError

INCOMPLETE: Final = HttpAnswer(400, {}, b"", "bad-envelope")
"""The answer to a body that ended early. The receiver does not get it: it would count a wrong signature."""

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_MOST_DIGITS: Final = 15  # of a length that is read as a number; int() refuses thousands of them with ValueError
_running: Final[set[asyncio.Task[None]]] = set()


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def check_receiver(receiver: Receiver) -> None:
    """ConfigurationError for what is no receiver: a mistake at start-up, not at the first request."""
    absent = [name for name in ("receive", "areceive") if not callable(getattr(receiver, name, None))]
    if not isinstance(getattr(receiver, "max_body", None), int):  # of a class it is the property
        absent.insert(0, "max_body")
    if absent:
        kind = receiver.__name__ if isinstance(receiver, type) else type(receiver).__name__
        raise ConfigurationError(
            f"{kind} cannot be served, because it has no {', '.join(absent)}: pass a FlowEndpoint, Webhooks, or both "
            "combined."
        )


def check_combination(endpoint: Receiver, hooks: Receiver) -> None:
    """ConfigurationError unless both are receivers, and the second alone answers Meta's GET."""
    check_receiver(endpoint)
    check_receiver(hooks)
    if hasattr(endpoint, "verify") or not hasattr(hooks, "verify"):
        raise ConfigurationError("combined takes the endpoint first, and the webhooks second.")


def answer_without_body(receiver: Receiver, method: str, query: str) -> HttpAnswer | None:
    """
    The answer to a request whose body is not read; None for a POST, which the receiver answers.

    A GET is answered by the receiver's `verify`, if it has one. Any other method is answered with 405 (RFC 9110,
    section 15.5.6).
    """
    if method == "POST":
        return None
    verifies = hasattr(receiver, "verify")
    if method == "GET" and verifies:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
        return cast(VerifyingReceiver, receiver).verify(dict(pairs))
    return HttpAnswer(405, {"Allow": "GET, POST" if verifies else "POST"}, b"", "method-not-allowed")


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by their name in lower case; the values of a repeated one are joined (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()  # noqa: PLW2901
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def environ_headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The headers of a WSGI environment, or of `request.META` in Django."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
        elif name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
            yield name.replace("_", "-"), value


def ends_itself(environ: Mapping[str, Any]) -> bool:
    """
    Whether the body ends where `wsgi.input` ends, as the server says (`wsgi.input_terminated`).

    So it is with a chunked body, and with one that has neither length nor encoding, as in HTTP/2.
    """
    has_no_length = "HTTP_TRANSFER_ENCODING" in environ or not environ.get("CONTENT_LENGTH")
    return has_no_length and bool(environ.get("wsgi.input_terminated"))


def sent_headers(answer: HttpAnswer) -> list[tuple[str, str]]:
    """The headers of an answer, and its Content-Length."""
    headers = [item for item in answer.headers.items() if item[0].lower() != "content-length"]
    return [*headers, ("Content-Length", str(len(answer.body)))]


def status_line(status: int) -> str:
    """Status and reason phrase, which PEP 3333 asks for; Meta's 427 and 432 have none in any register."""
    return f"{status} {_PHRASES.get(status, 'Unknown')}"


def read_body(stream: _Readable, length: str | None, most: int) -> bytes | None:
    """
    At most `most` bytes of a body; None if it ends early, or if its announced length is not a number.

    `length` is the Content-Length; one of more than 15 digits is more than `most`. With None the body ends where the
    stream ends.
    """
    if length is not None and not (length.isascii() and length.isdigit()):
        return None
    digits = None if length is None else length.lstrip("0") or "0"
    wanted = most if digits is None or len(digits) > _MOST_DIGITS else min(int(digits), most)
    pieces: list[bytes] = []
    left = wanted
    try:
        while left > 0 and (piece := stream.read(left)):
            pieces.append(piece)
            left -= len(piece)
    except OSError:  # the peer has gone, or its chunks are malformed
        return None
    return None if left and length is not None else b"".join(pieces)


async def to_the_end(receiving: Coroutine[object, object, HttpAnswer]) -> HttpAnswer:
    """
    Await an answer; it is completed even if the caller is cancelled.

    Some servers cancel a request when its peer disconnects. What a handler has begun, such as a booking, is not to be
    interrupted by that. `asyncio.shield` does the same in one more turn of the event loop.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[HttpAnswer] = loop.create_future()
    task = loop.create_task(_complete(receiving, answered))
    _running.add(task)  # the event loop itself keeps weak references only
    task.add_done_callback(_running.discard)
    return await answered


async def _complete(receiving: Coroutine[object, object, HttpAnswer], answered: asyncio.Future[HttpAnswer]) -> None:
    try:
        answer = await receiving
    except BaseException as failure:
        if answered.done():  # the caller was cancelled: the event loop logs the failure
            raise
        answered.set_exception(failure)
    else:
        if not answered.done():
            answered.set_result(answer)
