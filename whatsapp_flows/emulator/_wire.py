"""
Requests as values: what arrived, parsed by werkzeug, and what `Emulator.requests` records.
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

from .._server import HttpRequest
from .graph import Part

_METHODS: Final = frozenset({"DELETE", "GET", "POST"})
SECRET_NAMES: Final = frozenset(
    {"access_token", "appsecret_proof", "authorization", "proxy-authorization", "cookie", "verify_token"}
)
_OBJECT_BYTES: Final = 2_000  # about what the Python objects of one recorded request take


class MaskedMapping(Mapping[str, str]):
    """Names and values, immutable. The repr masks the values of secret names."""

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
class IncomingRequest:
    """A request as it arrived, parsed."""

    method: str
    path: str
    query: MaskedMapping = field(default_factory=MaskedMapping)
    # Names in title case: Content-Type, User-Agent, X-Anything.
    headers: MaskedMapping = field(default_factory=MaskedMapping)
    form: MaskedMapping = field(default_factory=MaskedMapping)
    files: Mapping[str, Part] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    # Query and body merged; the body takes precedence.
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    # Why the body could not be parsed; None when it could.
    unreadable: str | None = None
    # The client's IP address; empty without a socket.
    peer: str = ""

    @property
    def effective_method(self) -> str:
        """
        The method, or the one that a POST names in its `method` parameter, in the query or the body.

        Graph accepts that from clients that can send no other. On a GET it is ignored: a page can make a browser send
        a GET, which must change nothing.
        """
        named = self.parameters.get("method")
        known = isinstance(named, str) and named.upper() in _METHODS
        return str(named).upper() if known and self.method == "POST" else self.method

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
        """Whether it carries a token in any form, or an appsecret_proof."""
        named = {"access_token", "appsecret_proof"} & self.parameters.keys()
        return bool(named) or "Authorization" in self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """
    A request that arrived, and the status of its response (None: the connection was reset).

    Secrets are included, so that tests can compare them; the repr masks them.
    """

    operation: str | None
    method: str
    path: str
    query: MaskedMapping
    headers: MaskedMapping
    form: MaskedMapping
    files: Mapping[str, Part]
    body: bytes = field(repr=False)
    status: int | None
    at: float

    @property
    def json(self) -> Any:
        """The body parsed as JSON; ValueError when it is not JSON."""
        return json.loads(self.body)

    @property
    def size(self) -> int:
        """Approximate memory use, in bytes."""
        mappings = (self.query, self.headers, self.form)
        texts = sum(len(name) + len(value) for mapping in mappings for name, value in mapping.items())
        files = sum(len(part.content) for part in self.files.values())
        return _OBJECT_BYTES + len(self.path) + texts + len(self.body) + files


class RequestLog:
    """
    The most recent requests, bounded by count and by bytes.

    The newest is kept even if it alone exceeds the bytes.
    """

    def __init__(self, *, max_count: int, max_bytes: int) -> None:
        self._requests: deque[RecordedRequest] = deque()
        self._max_count, self._max_bytes, self._bytes = max_count, max_bytes, 0

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: RecordedRequest) -> None:
        """Append a request, and drop the oldest beyond the bounds."""
        self._requests.append(request)
        self._bytes += request.size
        while len(self._requests) > self._max_count or (self._bytes > self._max_bytes and len(self._requests) > 1):
            self._bytes -= self._requests.popleft().size

    def clear(self) -> None:
        """Drop all requests."""
        self._requests.clear()
        self._bytes = 0


class _Request(Request):
    """Without werkzeug's limit of 500 kB for a form field: Meta accepts 10 MB of Flow JSON in one."""

    max_form_memory_size = None

    def _get_file_stream(self, *_: Any, **__: Any) -> io.BytesIO:
        """Files stay in memory, as the body does already."""
        return io.BytesIO()


def parse_request(received: HttpRequest) -> IncomingRequest:
    """A request, with its query, form, files and JSON parsed."""
    body = received.body
    headers = EnvironHeaders(dict(received.environ))
    environ = {**received.environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    parser = _Request(environ)
    query = MaskedMapping(parser.args)
    request = IncomingRequest(
        method=parser.method,
        path=parser.path,
        query=query,
        headers=MaskedMapping({name.title(): value for name, value in headers.items()}),
        body=body,
        parameters=query,
        peer=str(environ.get("REMOTE_ADDR", "")),
    )
    try:
        form = MaskedMapping({name: value for name, value in parser.form.items() if name})  # a part may have no name
        content = _json_object(body) if body and _is_json(parser.content_type or "") else {}
    except HTTPException as error:
        return replace(request, unreadable=f"The body cannot be read: {error.description}")
    except ValueError:
        return replace(request, unreadable="The body must be a JSON object")
    files = {
        name: Part(filename=file.filename, content_type=file.content_type, content=file.read())
        for name, file in parser.files.items()
        if name
    }
    return replace(request, form=form, files=files, parameters={**query, **form, **content})


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _json_object(body: bytes) -> dict[str, object]:
    """A body parsed as a JSON object; ValueError for anything else."""
    try:
        content = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(content, dict):
        return content
    raise ValueError("not an object")
