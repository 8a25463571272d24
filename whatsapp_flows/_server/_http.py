"""Requests and responses as values, and how a response is written to a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """
    A request whose body has been read completely.

    `environ` is the WSGI environment (PEP 3333). Its `wsgi.input` has been consumed: use `body`.
    """

    environ: Mapping[str, Any] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def method(self) -> str:
        """The method, in upper case as it was sent."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The path without the query, percent-decoded."""
        return str(self.environ["PATH_INFO"])


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """
    What the server sends. The server adds `Date`, `Connection`, and `Content-Length` or `Transfer-Encoding`.

    A `stream`, such as server-sent events, is sent instead of the body: each chunk as soon as the iterator yields it.
    Closing the server ends a stream after the chunk that it is waiting for, so an application that waits inside its
    iterator must end that wait before it calls `Server.close`, or yield from time to time: an empty chunk sends
    nothing. A generator is closed when the client disconnects, which the server notices at the next write.

    Two faults, for tests of clients: `reset` sends nothing and resets the connection; `truncate` announces the whole
    body, sends that many bytes of it and closes the connection (not for streams).
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    stream: Iterable[bytes] | None = field(default=None, repr=False)
    reset: bool = False
    truncate: int | None = None

    def head(self, defaults: Mapping[str, str], *, connection: str) -> bytes:
        """The status line and the headers; those of the response replace the server's `defaults`."""
        reason = _PHRASES.get(self.status, "Unknown")
        headers = {**defaults, **self.headers, "Connection": connection}
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")


Handler = Callable[[HttpRequest], HttpResponse]
# Status and sentence -> the response to a request that no handler answered.
ErrorResponse = Callable[[int, str], HttpResponse]


def plain_error(status: int, sentence: str) -> HttpResponse:
    """An error as plain text."""
    return HttpResponse(status=status, headers={"Content-Type": "text/plain; charset=UTF-8"}, body=sentence.encode())
