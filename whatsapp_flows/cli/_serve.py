"""`endpoint serve`: an endpoint or webhooks of a module on this machine, for development."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from types import ModuleType
from typing import Any, Final

import click
from rich.text import Text

from .._http_answer import HttpAnswer, Receiver
from .._inert import inert
from .._log import logger
from .._receiving import answer_without_body, environ_headers, joined, sent_headers
from ..errors import ConfigurationError
from ._app import App
from ._json import Json, as_json
from ._line_log import LineLog
from ._named_objects import import_named
from ._options import Command
from ._text import Lines, as_text
from ._values import Stopped, Value

_DEFAULT_PORT: Final = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStarted(Value):
    """A server that has started; `name` is `module:attribute`."""

    name: str
    url: str


@click.command("serve", cls=Command, api=False)
@click.argument("name", metavar="MODULE:NAME")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="NAME", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=_DEFAULT_PORT, metavar="N", show_default=True,
              help="Port to listen on; 0 for a free one.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Do not log requests.")
@click.pass_obj
def serve(app: App, /, *, name: str, host: str, port: int, quiet: bool) -> Stopped:
    """
    Serve an endpoint or webhooks until Ctrl-C, for development.

    NAME is a FlowEndpoint, Webhooks or both combined, in MODULE, which is also looked for in the current folder. It is
    served on every path. Writes a line for each request to stderr: what was asked, HTTP status, outcome, duration;
    nothing that a user has entered.
    """
    server_room = _import_server()
    with import_named(name) as found, _event_loop() as loop:
        receiver = _receiver(name, found)
        log = _RequestLog(LineLog(app.stderr))
        application = _Application(receiver, loop, server_room, None if quiet else log)
        try:
            server = server_room.Server(application, host=host, port=port, name="endpoint")
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}.") from None
        server.start()
        try:
            with suppress(KeyboardInterrupt), log.attached(quiet=quiet):
                shown = f"[{host}]" if ":" in host else host
                app.show(EndpointStarted(name=name, url=f"http://{shown}:{server.port}"))
                app.stdout.flush()
                app.stop.wait()
        finally:
            server.close()
    return Stopped()


def _import_server() -> ModuleType:
    try:
        from .. import _server  # noqa: PLC0415 - needs the extra
    except ImportError:
        raise click.UsageError('endpoint serve needs werkzeug: pip install "whatsapp-flows-sdk[emulator]".') from None
    return _server


def _receiver(name: str, found: object) -> Receiver:
    if callable(getattr(found, "areceive", None)) and isinstance(getattr(found, "max_body", None), int):
        receiver: Any = found
        return receiver  # type: ignore[no-any-return]
    raise ConfigurationError(
        f"{name} is a {type(found).__name__}, and not a FlowEndpoint, Webhooks or combined(...): name the object."
    )


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop on a thread of its own, so that handlers may be asynchronous."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        ending = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), ending))
        await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="whatsapp-flows-endpoint-loop", daemon=True)
    thread.start()
    loop, ending = started.result()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()


# -- a request


class _Application:
    """Passes the requests of the server's threads to the receiver."""

    def __init__(
        self, receiver: Receiver, loop: asyncio.AbstractEventLoop, server_room: Any, log: _RequestLog | None
    ) -> None:
        self._receiver = receiver
        self._loop = loop
        self._response = server_room.HttpResponse
        self._log = log

    def __call__(self, request: Any) -> Any:
        answer = self._answer(request) if self._log is None else self._log.logged(request.method, self._answer, request)
        return self._response(status=answer.status, headers=dict(sent_headers(answer)), body=answer.body)

    def _answer(self, request: Any) -> HttpAnswer:
        answer = answer_without_body(self._receiver, request.method, request.environ.get("QUERY_STRING", ""))
        if answer is not None:
            return answer
        body = request.body[: self._receiver.max_body + 1]
        receiving = self._receiver.areceive(body, joined(environ_headers(request.environ)))
        return asyncio.run_coroutine_threadsafe(receiving, self._loop).result()


# The endpoint's log records of the request that this context answers; its tasks and threads have a copy.
_records: contextvars.ContextVar[list[logging.LogRecord]] = contextvars.ContextVar("whatsapp_flows_records")


class _RequestLog(logging.Handler):
    """
    A line for each request, with the action and the screen that the endpoint has logged; and the endpoint's warnings.

    The endpoint names only screens that are in the Flow, or that have a handler.
    """

    def __init__(self, lines: LineLog, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines
        self._clock = clock

    @contextmanager
    def attached(self, *, quiet: bool) -> Iterator[None]:
        """While the server runs, the endpoint's log goes here."""
        before = logger.level
        if not quiet:
            logger.addHandler(self)
            logger.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(before)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record for the line of its request, and write it if it is a warning."""
        if hasattr(record, "outcome"):
            _records.get([]).append(record)
        if record.levelno >= logging.WARNING:
            self._lines.write(f"{self._time()} {record.levelname.lower()}: {inert(record.getMessage())}")

    def logged(self, method: str, answer_to: Callable[[Any], HttpAnswer], request: Any) -> HttpAnswer:
        """The answer to a request, which is logged."""
        records: list[logging.LogRecord] = []
        token = _records.set(records)
        started = self._clock()
        try:
            answer = answer_to(request)
        finally:
            _records.reset(token)
        facts = [getattr(record, name, None) for record in records[-1:] for name in ("action", "screen")]
        subject = " ".join(str(fact) for fact in facts if fact) or method[:20]
        milliseconds = (self._clock() - started) * 1000
        self._lines.write(f"{self._time()} {inert(subject)} {answer.status} {answer.outcome} {milliseconds:.1f} ms")
        return answer

    def _time(self) -> str:
        return datetime.now(timezone.utc).strftime("%H:%M:%S")


# -- output


@as_text.register
def _(value: EndpointStarted) -> Lines:
    yield Text.assemble(f"Serving {inert(value.name)} at ", (value.url, "bold"))
    yield Text("Meta needs an HTTPS address: put a tunnel or a proxy in front, and set it as the flow's endpoint.")
    yield Text("Press Ctrl-C to stop.", style="dim")


@as_json.register
def _(value: EndpointStarted) -> Json:
    return {"name": value.name, "url": value.url}
