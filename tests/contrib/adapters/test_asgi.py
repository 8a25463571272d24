"""What is ASGI's own: the lifespan, other protocols, disconnects and cancellation."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import MutableMapping
from typing import Any

import pytest

from tests.contrib.adapters.receivers import Echo
from tests.contrib.adapters.wires import AsgiCall, Sent
from whatsapp_flows.contrib import asgi
from whatsapp_flows.webhooks import Webhooks


def test_the_application_takes_part_in_the_lifespan() -> None:
    """A server that insists on it starts and stops."""
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(events)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(asgi.app(Echo())({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    assert sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]


def test_the_application_shows_what_it_serves() -> None:
    """By the receiver's own repr, which holds no secret."""
    hooks = Webhooks(app_secrets="a-secret-of-an-app")
    assert repr(asgi.app(hooks)) == f"asgi.app({hooks!r})"


def test_another_protocol_is_refused() -> None:
    """With an error that names it, as the specification asks."""
    call = AsgiCall(Sent())
    with pytest.raises(ValueError, match="serves http, not websocket"):
        asyncio.run(asgi.app(Echo())({**call.scope, "type": "websocket"}, call.receive, call.send))


def test_header_names_are_sent_in_lower_case() -> None:
    """Servers of HTTP/2 insist on it."""
    call = AsgiCall(Sent(headers=(("X-Wanted", "427"),), body=b"{}"))
    asyncio.run(asgi.app(Echo())(call.scope, call.receive, call.send))
    assert dict(call.reply().headers) == {"content-type": "text/plain", "content-length": "12"}


def test_a_peer_that_has_gone_before_the_answer_is_no_error() -> None:
    """Servers raise `OSError` when the answer is sent."""
    echo, call = Echo(), AsgiCall(Sent(body=b"{}"))

    async def send(message: MutableMapping[str, Any]) -> None:
        raise ConnectionResetError

    asyncio.run(asgi.app(echo)(call.scope, call.receive, send))
    assert echo.finished == [b"{}"]


def test_a_handler_is_completed_when_the_server_cancels_the_request() -> None:
    """As Daphne and Django do when the peer has gone: the cancellation is the request's, not the handler's."""

    async def play() -> None:
        began, go_on = asyncio.Event(), asyncio.Event()

        class Slow(Echo):
            async def areceive(self, *arguments: Any) -> Any:
                began.set()
                await go_on.wait()
                return await super().areceive(*arguments)

        slow, call = Slow(), AsgiCall(Sent(body=b"{}"))
        request = asyncio.ensure_future(asgi.app(slow)(call.scope, call.receive, call.send))
        await began.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        go_on.set()
        while not slow.finished:
            await asyncio.sleep(0)
        assert call.messages == []

    asyncio.run(asyncio.wait_for(play(), 10))


def test_an_error_of_the_host_reaches_the_server() -> None:
    """A receiver raises only for a mistake of the host's: it is not hidden behind an answer."""

    class Wrong(Echo):
        async def areceive(self, *arguments: Any) -> Any:
            raise LookupError("a mistake")

    call = AsgiCall(Sent(body=b"{}"))
    with pytest.raises(LookupError, match="a mistake"):
        asyncio.run(asgi.app(Wrong())(call.scope, call.receive, call.send))


def test_an_error_after_the_request_was_cancelled_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By the event loop: nobody waits for it any more."""

    async def play() -> None:
        began, go_on = asyncio.Event(), asyncio.Event()

        class Wrong(Echo):
            async def areceive(self, *arguments: Any) -> Any:
                began.set()
                await go_on.wait()
                raise LookupError("a mistake")

        call = AsgiCall(Sent(body=b"{}"))
        request = asyncio.ensure_future(asgi.app(Wrong())(call.scope, call.receive, call.send))
        await began.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        go_on.set()
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(play(), 10))
    gc.collect()
    assert any("exception was never retrieved" in message for message in caplog.messages)
