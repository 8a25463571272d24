"""
ASGI and WSGI applications as targets of an `EndpointClient`, called in this process without a socket.

The request is `POST https://testserver/...`, as Django's and Starlette's test clients name their host: Meta calls over
https, and an application may refuse anything else.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from io import BytesIO
from typing import Any, Final, cast
from urllib.parse import unquote, unquote_to_bytes

from ..._awaiting import LATE, check_no_loop, within
from ..._wire import Response
from ._targets import AWAIT, Arrival, Post, Silence, bounded, timed_out, too_large

_HOST: Final = "testserver"
_PORT: Final = 443

AsgiMessage = MutableMapping[str, Any]
AsgiApplication = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[AsgiMessage]], Callable[[AsgiMessage], Awaitable[None]]],
    Awaitable[None],
]
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WsgiTarget:
    """A WSGI application (PEP 3333). Awaited, it runs in a thread."""

    def __init__(self, application: WsgiApplication) -> None:
        self._application = application

    def send(self, post: Post, /) -> Arrival:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = bytearray()

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            if exc_info is not None and body:
                raise exc_info[1].with_traceback(exc_info[2])
            started[:] = [(status, headers)]
            return body.extend

        chunks = self._application(_environ(post), start_response)
        try:
            for chunk in chunks:
                body += chunk
                if len(body) > post.max_answer:
                    return too_large(post)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        if not started:
            return Silence("no-answer", "The application has not called start_response.")
        status, headers = started[0]
        return bounded(Response(status=int(status[:3]), headers=dict(headers), body=bytes(body)), post)

    async def asend(self, post: Post, /) -> Arrival:
        return await _arrived(post, asyncio.to_thread(self.send, post))

    def close(self) -> None:
        """Nothing is open."""


async def _arrived(post: Post, pending: Awaitable[Arrival]) -> Arrival:
    """What arrives within the time limit."""
    found = await within(post.time_limit, pending)
    return timed_out(post.time_limit) if found is LATE else cast("Arrival", found)


def _environ(post: Post) -> dict[str, Any]:
    path, _, query = post.path.partition("?")
    headers = {name.upper().replace("-", "_"): value for name, value in post.headers.items()}
    content_type = headers.pop("CONTENT_TYPE", "")
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(post.body)),
        "SERVER_NAME": _HOST,
        "SERVER_PORT": str(_PORT),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": _HOST,
        **{f"HTTP_{name}": value for name, value in headers.items()},
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(post.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


class AsgiTarget:
    """
    An ASGI application.

    `send` runs each request in an event loop of its own, or, between `start` and `close`, all in one. The lifespan of
    the application runs between `start` and `close`, or `astart` and `aclose`: its startup before the first request,
    its shutdown at the end. An application that raises during its startup has no lifespan, as the specification says.
    """

    def __init__(self, application: AsgiApplication) -> None:
        self._application = application
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lifespan: _Lifespan | None = None

    def send(self, post: Post, /) -> Arrival:
        check_no_loop(AWAIT)
        if self._loop is None:
            return asyncio.run(self.asend(post))
        return self._loop.run_until_complete(self.asend(post))

    async def asend(self, post: Post, /) -> Arrival:
        exchange = _AsgiExchange(post, self._lifespan.state if self._lifespan is not None else {})
        return await _arrived(post, exchange.run(self._application))

    def start(self) -> None:
        """Make one event loop for all requests, and run the application's startup in it."""
        check_no_loop(AWAIT)
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self.astart())

    def close(self) -> None:
        """Run the application's shutdown, and close the loop."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            loop.run_until_complete(self.aclose())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    async def astart(self) -> None:
        """Run the application's startup."""
        self._lifespan = _Lifespan(self._application)
        await self._lifespan.start()

    async def aclose(self) -> None:
        """Run the application's shutdown."""
        lifespan, self._lifespan = self._lifespan, None
        if lifespan is not None:
            await lifespan.stop()


class _AsgiExchange:
    """One request to an ASGI application."""

    def __init__(self, post: Post, state: Mapping[str, Any]) -> None:
        self._post = post
        self._state = state
        self._asked = False
        self._complete = asyncio.Event()
        self._start: AsgiMessage | None = None
        self._body = bytearray()

    async def run(self, application: AsgiApplication) -> Arrival:
        await application(self._scope(), self._receive, self._send)
        if len(self._body) > self._post.max_answer:
            return too_large(self._post)
        if self._start is None or not self._complete.is_set():
            return Silence("no-answer", "The application has not sent a complete response.")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._start.get("headers", ())}
        return Response(status=self._start["status"], headers=headers, body=bytes(self._body))

    def _scope(self) -> MutableMapping[str, Any]:
        post = self._post
        path, _, query = post.path.partition("?")
        headers = {"host": _HOST, "content-length": str(len(post.body)), **post.headers}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("127.0.0.1", 50_000),
            "server": (_HOST, _PORT),
            "state": dict(self._state),
        }

    async def _receive(self) -> AsgiMessage:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._post.body, "more_body": False}
        await self._complete.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            room = self._post.max_answer + 1 - len(self._body)
            self._body += message.get("body", b"")[:room]
            if not message.get("more_body", False):
                self._complete.set()


class _Lifespan:
    """
    The lifespan of an ASGI application (specification 2.0).

    `state` is what the application has put there for its requests.
    """

    def __init__(self, application: AsgiApplication) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._to_application: asyncio.Queue[AsgiMessage] = asyncio.Queue()
        self._from_application: asyncio.Queue[AsgiMessage] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Startup. Raises `RuntimeError` when the application says that it failed."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.ensure_future(self._run(scope))
        await self._exchange("startup")

    async def stop(self) -> None:
        """Shutdown. Raises `RuntimeError` when the application says that it failed."""
        if self._task is not None and not self._task.done():
            await self._exchange("shutdown")
            await self._task

    async def _run(self, scope: MutableMapping[str, Any]) -> None:
        await self._application(scope, self._to_application.get, self._from_application.put)

    async def _exchange(self, phase: str) -> None:
        assert self._task is not None  # noqa: S101 - made by `start`
        await self._to_application.put({"type": f"lifespan.{phase}"})
        answer = asyncio.ensure_future(self._from_application.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            if not self._task.cancelled():
                self._task.exception()  # raised or returned: an application without a lifespan
            return
        message = answer.result()
        if message["type"].endswith(".failed"):
            await self._task
            raise RuntimeError(f"the application's {phase} failed: {message.get('message', '')}")
