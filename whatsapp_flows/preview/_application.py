"""
The preview over HTTP: the page and its files, the state, the commands, and a stream of changes.

Every response has the headers that protect the page from other sites. A refusal has a reason: as JSON
`{"error": ...}`, except on pages that a person opens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from .._json import compact_json
from .._server import HttpRequest, HttpResponse
from ..errors import ConfigurationError
from ._access import Access, has_token
from ._json import Json, json_text
from ._requests import MAX_BODY, BadRequestError, read_command, read_event, read_object, read_seen
from ._static import INDEX, static_file
from ._store import ConflictError, Store

KEEP_ALIVE: Final = 2.0
"""Seconds between two keep-alive comments in the stream of changes. The second one finds a closed connection."""

MAX_STREAMS: Final = 32
"""Streams of changes at the same time: one for all tabs of a browser, or one for each where it has no Web Locks."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_CLOSED: Final = "Open the whole address that the preview has shown when it was started."
# Of this site, a page that a link of another site has led to: only then are its cookies sent (`SameSite=Strict`).
_FORWARD: Final = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>Flow preview</title></html>
"""


class Application:
    """Answers the requests of one preview. `port` gives the port that it listens on."""

    def __init__(
        self, store: Store, access: Access, port: Callable[[], int], *, keep_alive: float = KEEP_ALIVE
    ) -> None:
        self._store = store
        self._access = access
        self._port = port
        self._keep_alive = keep_alive
        self._streams = threading.BoundedSemaphore(MAX_STREAMS)
        self._routes: Mapping[str, Mapping[str, Callable[[HttpRequest], HttpResponse]]] = {
            "/": {"GET": lambda _: static_file(INDEX) or _refusal(404, "The page is missing")},
            "/state": {"GET": self._state},
            "/link": {"GET": lambda _: _json(json_text(self._store.link()).encode())},
            "/test": {"GET": lambda _: _json(compact_json({"source": self._store.test_source()}).encode())},
            "/changes": {"GET": lambda _: self._changes()},
            "/event": {"POST": self._event},
            "/command": {"POST": self._command},
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response to a request."""
        response = self._answer(request)
        return replace(response, headers={**HEADERS, **response.headers})

    def _answer(self, request: HttpRequest) -> HttpResponse:
        headers = _headers(request)
        foreign = self._access.foreign(request.method, headers)
        if foreign is not None:
            return _refusal(403, foreign)
        if request.path == "/" and request.method == "GET" and has_token(str(request.environ["QUERY_STRING"])):
            return self._open(request, headers)
        if not self._access.admits(headers.get("Cookie", ""), self._port()):
            return _text(403, _CLOSED) if request.path == "/" else _refusal(403, _CLOSED)
        if len(request.body) > MAX_BODY:
            return _refusal(413, f"The body may have at most {MAX_BODY} bytes")
        return self._routed(request)

    def _open(self, request: HttpRequest, headers: Mapping[str, str]) -> HttpResponse:
        """The address with a token: a cookie for it, and on to the address without it."""
        if not self._access.opens(str(request.environ["QUERY_STRING"])):
            return _text(403, _CLOSED)
        cookie = {"Set-Cookie": self._access.cookie(self._port())}
        if headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return HttpResponse(headers={"Content-Type": "text/html; charset=UTF-8", **cookie}, body=_FORWARD)
        return HttpResponse(status=303, headers={"Location": "/", **cookie})

    def _routed(self, request: HttpRequest) -> HttpResponse:
        name = request.path.removeprefix("/static/")
        methods = self._routes.get(request.path)
        if methods is None and name != request.path:
            found = static_file(name)
            methods = None if found is None else {"GET": lambda _: found}
        if methods is None:
            return _refusal(404, "There is nothing at this path")
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            allowed = ", ".join(methods)
            return replace(_refusal(405, f"This path takes {allowed}"), headers={**_JSON, "Allow": allowed})
        try:
            return handler(request)
        except (BadRequestError, ConfigurationError) as mistake:
            return _refusal(400, str(mistake))
        except ConflictError as conflict:
            return _refusal(409, str(conflict))

    def _state(self, request: HttpRequest) -> HttpResponse:
        return _json(self._store.read(read_seen(request.environ["QUERY_STRING"].removeprefix("seen="))))

    def _event(self, request: HttpRequest) -> HttpResponse:
        body = read_object(request.body)
        refused = self._store.advance(read_event(body))
        return _json(self._store.read(read_seen(body.get("seen")), refused=refused))

    def _command(self, request: HttpRequest) -> HttpResponse:
        body = read_object(request.body)
        self._store.run(read_command(body))
        return _json(self._store.read(read_seen(body.get("seen"))))

    def _changes(self) -> HttpResponse:
        if not self._streams.acquire(blocking=False):
            return _refusal(503, f"There are {MAX_STREAMS} streams of changes already: close a tab")
        headers = {"Content-Type": "text/event-stream; charset=UTF-8"}
        return HttpResponse(headers=headers, stream=_Changes(self._store, self._keep_alive, self._streams.release))


class _Changes:
    """Server-sent events (HTML Standard, section 9.2): each revision from the current one on. `done` is called once."""

    def __init__(self, store: Store, keep_alive: float, done: Callable[[], object]) -> None:
        self._store = store
        self._keep_alive = keep_alive
        self.close = done

    def __iter__(self) -> Iterator[bytes]:
        seen = -1
        while (revision := self._store.wait(seen, self._keep_alive)) is not None:
            yield b": \n\n" if revision == seen else b'data: {"revision":%d}\n\n' % revision
            seen = revision


# -- responses

_JSON: Final = {"Content-Type": "application/json; charset=UTF-8"}
_NAMES: Final = {"HTTP_HOST": "Host", "HTTP_ORIGIN": "Origin", "HTTP_SEC_FETCH_SITE": "Sec-Fetch-Site",
                 "HTTP_COOKIE": "Cookie"}  # fmt: skip


def _headers(request: HttpRequest) -> dict[str, str]:
    return {name: str(request.environ[key]) for key, name in _NAMES.items() if key in request.environ}


def _json(body: bytes) -> HttpResponse:
    return HttpResponse(headers=_JSON, body=body)


def _refusal(status: int, reason: str) -> HttpResponse:
    found: Json = {"error": reason}
    return HttpResponse(status=status, headers=_JSON, body=compact_json(found).encode())


def _text(status: int, reason: str) -> HttpResponse:
    return HttpResponse(status=status, headers={"Content-Type": "text/plain; charset=UTF-8"}, body=reason.encode())


def error_response(status: int, sentence: str) -> HttpResponse:
    """The response to a request that could not be read, or that failed."""
    reason = sentence or HTTPStatus(status).phrase
    refusal = _refusal(status, reason)
    return replace(refusal, headers={**HEADERS, **refusal.headers})
