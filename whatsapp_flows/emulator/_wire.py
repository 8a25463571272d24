"""
What arrives and what goes back, as values; the parsing of bodies is werkzeug's.
"""

from __future__ import annotations

import io
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from ._call import Part

_METHODS: Final = frozenset({"DELETE", "GET", "POST"})
SECRET_NAMES: Final = frozenset(
    {"access_token", "appsecret_proof", "authorization", "proxy-authorization", "cookie", "verify_token"}
)


_OVERHEAD: Final = 2_000  # bytes, roughly: what the objects themselves take


class Fields(Mapping[str, str]):
    """Names and values that cannot be changed, and whose secrets do not show in a repr."""

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items = dict(items or {})

    def __getitem__(self, name: str) -> str:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr({name: "***" if name.lower() in SECRET_NAMES else value for name, value in self._items.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came in, taken apart."""

    method: str
    path: str
    query: Fields = field(default_factory=Fields)
    # Names as they are usually written: Content-Type, User-Agent, X-Anything.
    headers: Fields = field(default_factory=Fields)
    form: Fields = field(default_factory=Fields)
    files: Mapping[str, Part] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    # Query and body together; the body wins.
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    # Why the body could not be read; None when it could.
    unreadable: str | None = None
    # The address that it came from, as a text; empty when it came over no socket.
    peer: str = ""

    @property
    def asked_method(self) -> str:
        """
        The method that is meant: Graph takes `?method=delete` on a POST, in the query or the body, from clients that
        can send no other. On a GET it is not taken: what an image can ask for must change nothing.
        """
        meant = self.parameters.get("method")
        known = isinstance(meant, str) and meant.upper() in _METHODS
        return str(meant).upper() if known and self.method == "POST" else self.method

    @property
    def token(self) -> str | None:
        """The access token, from the header or from a parameter."""
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and token.strip():
            return token.strip()
        parameter = self.parameters.get("access_token")
        return parameter if isinstance(parameter, str) and parameter else None

    @property
    def carries_credentials(self) -> bool:
        """Whether it brings a token, in any form, or a proof of one."""
        named = {"access_token", "appsecret_proof"} & self.parameters.keys()
        return bool(named) or "Authorization" in self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """
    A request that arrived, and the status it was answered with (None: the connection was reset).

    Secrets are there for a test to look at, and masked in a repr.
    """

    operation: str | None
    method: str
    path: str
    query: Fields
    headers: Fields
    form: Fields
    files: Mapping[str, Part]
    body: bytes = field(repr=False)
    status: int | None
    at: float

    @property
    def json(self) -> Any:
        """The body read as JSON; ValueError when it is none."""
        return json.loads(self.body)

    @property
    def size(self) -> int:
        """About the bytes of memory that it takes."""
        texts = sum(
            len(name) + len(value) for fields in (self.query, self.headers, self.form) for name, value in fields.items()
        )
        return (
            _OVERHEAD + len(self.path) + texts + len(self.body) + sum(len(part.content) for part in self.files.values())
        )


class RequestLog:
    """The last requests: at most so many, and at most so many bytes of them; the newest is there whatever its size."""

    def __init__(self, *, count: int, size: int) -> None:
        self._requests: deque[RecordedRequest] = deque()
        self._most, self._most_bytes, self._bytes = count, size, 0

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: RecordedRequest) -> None:
        """Keep one more, and let go of the oldest that there is no room for."""
        self._requests.append(request)
        self._bytes += request.size
        while len(self._requests) > self._most or (self._bytes > self._most_bytes and len(self._requests) > 1):
            self._bytes -= self._requests.popleft().size

    def clear(self) -> None:
        """Forget them."""
        self._requests.clear()
        self._bytes = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back: an answer, part of one, or a reset connection."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    reset: bool = False
    # Bytes of the body that are sent before the connection closes; None sends all.
    truncate: int | None = None


class _Request(Request):
    """Meta takes 10 MB of Flow JSON in a form field; werkzeug stops at half a megabyte unless told otherwise."""

    max_form_memory_size = None

    def _get_file_stream(self, *_: Any, **__: Any) -> io.BytesIO:
        """Files stay in memory: they are as large as the body, which is there already."""
        return io.BytesIO()


def received(environ: dict[str, Any], body: bytes) -> Received:
    """A request from the server's description of it and its whole body."""
    headers = EnvironHeaders(environ)
    environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    request = _Request(environ)
    query = Fields(request.args)
    seen = Received(
        method=request.method,
        path=request.path,
        query=query,
        headers=Fields({name.title(): value for name, value in headers.items()}),
        body=body,
        parameters=query,
        peer=str(environ.get("REMOTE_ADDR", "")),
    )
    try:
        form = Fields({name: value for name, value in request.form.items() if name})  # a part may have no name
        content = _json_object(body) if body and _is_json(request.content_type or "") else {}
    except HTTPException as fault:
        return replace(seen, unreadable=f"The body cannot be read: {fault.description}")
    except ValueError:
        return replace(seen, unreadable="The body must be a JSON object")
    files = {
        name: Part(filename=file.filename, content_type=file.content_type, content=file.read())
        for name, file in request.files.items()
        if name
    }
    return replace(seen, form=form, files=files, parameters={**query, **form, **content})


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _json_object(body: bytes) -> dict[str, object]:
    """A body read as a JSON object; ValueError for anything else."""
    try:
        content = json.loads(body)
    except RecursionError:
        raise ValueError("too deep") from None
    if isinstance(content, dict):
        return content
    raise ValueError("not an object")
