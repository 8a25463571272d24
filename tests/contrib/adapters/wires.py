"""A request and a response as values, and how a request is played to an application without a server."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

PIECE: Final = 100  # bytes that an ASGI message brings

ASGIApp = Callable[..., Awaitable[None]]
WSGIApp = Callable[..., Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request. `missing`: so many bytes of the announced body never arrive; `length`: another Content-Length."""

    method: str = "POST"
    path: str = "/flow"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    chunked: bool = False
    missing: int = 0
    length: str | None = None

    def all_headers(self) -> list[tuple[str, str]]:
        """With those that a client adds."""
        length = ("Content-Length", self.length or str(len(self.body) + self.missing))
        framing = ("Transfer-Encoding", "chunked") if self.chunked else length
        return [("Host", "testserver"), *self.headers, *([framing] if self.method == "POST" else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A response; `taken` is how many bytes of the request's body the application has taken."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    taken: int = 0

    def header(self, name: str) -> str | None:
        """The only value of a header; None without one."""
        found = [value for key, value in self.headers if key.lower() == name]
        assert len(found) < 2
        return found[0] if found else None


# -- ASGI


class AsgiCall:
    """One request to an ASGI application, message by message."""

    def __init__(self, sent: Sent) -> None:
        self.taken = 0
        self.messages: list[MutableMapping[str, Any]] = []
        self._sent = sent
        self._incoming = self._pieces(sent)
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": sent.method,
            "scheme": "http",
            "path": sent.path,
            "raw_path": sent.path.encode(),
            "root_path": "",
            "query_string": sent.query.encode("latin-1"),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.all_headers()],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }

    def _pieces(self, sent: Sent) -> Iterator[dict[str, Any]]:
        for start in range(0, max(len(sent.body), 1), PIECE):
            piece = sent.body[start : start + PIECE]
            self.taken += len(piece)
            more = start + PIECE < len(sent.body) or bool(sent.missing)
            yield {"type": "http.request", "body": piece, "more_body": more}
        if sent.missing:
            yield {"type": "http.disconnect"}

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message; after the last one the peer stays and sends nothing."""
        for message in self._incoming:
            return message
        await asyncio.Event().wait()
        raise AssertionError("never")

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.messages.append(message)

    def reply(self) -> Reply:
        start, *bodies = self.messages
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
        body = b"".join(message["body"] for message in bodies)
        return Reply(status=start["status"], headers=headers, body=body, taken=self.taken)


async def asgi_calls(app: ASGIApp, requests: Sequence[Sent]) -> list[Reply]:
    """Play requests at the same time."""
    calls = [AsgiCall(sent) for sent in requests]
    await asyncio.gather(*(app(call.scope, call.receive, call.send) for call in calls))
    return [call.reply() for call in calls]


# -- WSGI


class Body(io.BytesIO):
    """A body of which is known how much has been read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


def wsgi_environ(sent: Sent, body: io.BytesIO) -> dict[str, Any]:
    """The environment, as a server makes it: header names in upper case, repeated headers joined."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": sent.path,
        "QUERY_STRING": sent.query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if sent.chunked:
        environ["wsgi.input_terminated"] = True
    for name, value in sent.all_headers():
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def wsgi_call(app: WSGIApp, sent: Sent) -> Reply:
    """Play one request."""
    body = Body(sent.body)
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        started.append((status, headers))
        return written.append

    answer = app(wsgi_environ(sent, body), start_response)
    written.extend(answer)
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    ((status, headers),) = started
    code, space, phrase = status.partition(" ")
    assert space
    assert phrase
    return Reply(status=int(code), headers=tuple(headers), body=b"".join(written), taken=body.taken)
