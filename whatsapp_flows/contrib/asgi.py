"""
ASGI: an endpoint or webhooks as an application, for uvicorn, Hypercorn, Daphne, or mounted in Starlette and others.

    from whatsapp_flows.contrib import asgi

    application = asgi.app(endpoint)          # uvicorn module:application

It answers on every path. Source: the ASGI specification, HTTP and lifespan protocols, versions 2 and 3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import suppress
from typing import Any

from .._http_answer import HttpAnswer, Receiver
from .._receiving import answer_without_body, check_receiver, joined, sent_headers, to_the_end

__all__ = ["app"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


def app(receiver: Receiver) -> Callable[[_Message, _Receive, _Send], Coroutine[Any, Any, None]]:
    """
    The ASGI application of a `FlowEndpoint`, of `Webhooks`, or of both combined.

    POST goes to the receiver, GET to its `verify` if it has one; other methods are answered with 405. At most
    `receiver.max_body` + 1 bytes of a body are read. Raises `ValueError` for a scope other than `http` and `lifespan`,
    as the specification asks.
    """
    check_receiver(receiver)
    return _Application(receiver)


class _Application:
    """An object rather than a function: Starlette and FastAPI take a function for a view of theirs."""

    __slots__ = ("_receiver",)

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def __repr__(self) -> str:
        return f"asgi.app({self._receiver!r})"

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"this application serves http, not {scope['type']}.")
        query = scope.get("query_string", b"").decode("latin-1")
        answer = answer_without_body(self._receiver, scope["method"], query)
        if answer is None:
            body = await _read(receive, self._receiver.max_body + 1)
            if body is None:
                return
            headers = joined((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
            answer = await to_the_end(self._receiver.areceive(body, headers))
        with suppress(OSError):  # the peer has gone (ASGI 2.4)
            await _send_answer(answer, send)


async def _read(receive: _Receive, most: int) -> bytes | None:
    """At most `most` bytes of the body; None when the peer disconnects before its end."""
    pieces: list[bytes] = []
    size = 0
    while size < most:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if not message.get("more_body", False):
            break
    return b"".join(pieces)[:most]


async def _send_answer(answer: HttpAnswer, send: _Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent_headers(answer)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _live(receive: _Receive, send: _Send) -> None:
    """Take part in the server's start and stop; the receiver needs neither."""
    while (event := (await receive())["type"]) != "lifespan.shutdown":
        await send({"type": f"{event}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
