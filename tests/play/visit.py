"""A Flow of a visit with an endpoint, what that endpoint answers, and every kind of endpoint that can say it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from whatsapp_flows.contrib import asgi, wsgi
from whatsapp_flows.endpoint import (
    Answer,
    Close,
    Finish,
    FlowEndpoint,
    FlowRequest,
    HttpAnswer,
    InvalidToken,
    KeyPair,
    PrivateKeys,
    Show,
)
from whatsapp_flows.play import AsyncFlowPlayer, FlowPlayer

SLOTS = [
    {"id": "s10", "title": "10:00"},
    {"id": "s11", "title": "11:00"},
    {"id": "s12", "title": "12:00", "enabled": False},
]
_OPTIONS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "enabled": {"type": "boolean"}},
    },
    "__example__": [{"id": "s9", "title": "9:00"}],
}


def footer(label: str, action: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Footer", "label": label, "on-click-action": dict(action)}


def screen(name: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"id": name, "title": name.title(), "layout": layout, **more}


START = screen(
    "START",
    {"type": "TextInput", "name": "name", "label": "Your name", "required": True},
    {"type": "TextInput", "name": "email", "label": "E-mail", "input-type": "email"},
    {"type": "TextInput", "name": "code", "label": "Code", "visible": False},
    {"type": "EmbeddedLink", "text": "Prices", "on-click-action": {"name": "open_url", "url": "https://example.com/prices"}},
    footer("Continue", {"name": "data_exchange", "payload": {"name": "${form.name}"}}),
    data={"greeting": {"type": "string", "__example__": "Hello"}},
)  # fmt: skip
CHOOSE = screen(
    "CHOOSE",
    {"type": "Dropdown", "name": "slot", "label": "Slot", "required": True, "data-source": "${data.slots}"},
    footer("Book", {"name": "data_exchange", "payload": {"slot": "${form.slot}"}}),
    data={"slots": _OPTIONS},
    refresh_on_back=True,
)
DONE = screen("DONE", footer("Close", {"name": "complete", "payload": {"done": True}}), terminal=True, success=True)
FLOW: dict[str, Any] = {
    "version": "7.3",
    "data_api_version": "3.0",
    "routing_model": {"START": ["CHOOSE"], "CHOOSE": ["DONE"], "DONE": []},
    "screens": [START, CHOOSE, DONE],
}


def answer(request: FlowRequest) -> Answer:
    """What the endpoint answers; names of users ask for something special."""
    if request.action == "INIT":
        return Show("START", {"greeting": "Welcome"})
    if request.action == "BACK":
        return Show("START", {"greeting": "Welcome back"})
    if request.screen == "CHOOSE":
        return Finish({"slot": request.data["slot"]})
    special = _SPECIAL.get(str(request.data["name"]))
    if special is not None:
        return special()
    return Show("CHOOSE", {"slots": SLOTS})


def _gone() -> Answer:
    raise InvalidToken("Ask for a new form.")


_SPECIAL: Mapping[str, Callable[[], Answer]] = {
    "nowhere": lambda: Show("NOWHERE"),
    "too far": lambda: Show("DONE"),
    "wrong data": lambda: Show("CHOOSE", {"slots": "none"}),
    "closed": Close,
    "gone": _gone,
    "again": lambda: Show("START", {"greeting": "Hello"}, error="Once more, please."),
}


# -- every kind of endpoint


@lru_cache
def _parsed(pem: str) -> PrivateKeys:
    return PrivateKeys(pem)


def private_keys(pair: KeyPair) -> PrivateKeys:
    """Parsed once: that takes longer than a visit."""
    return _parsed(pair.private_pem.reveal())


def flow_endpoint(pair: KeyPair, secret: str, notified: list[str], **options: Any) -> FlowEndpoint:
    """The endpoint itself; `notified` gets what the client could not use."""
    endpoint = FlowEndpoint(private_keys(pair), app_secrets=secret, **options)
    endpoint.fallback(answer)

    @endpoint.on_error
    def note(request: FlowRequest) -> None:
        notified.append(f"{request.screen}: {request.error_key}")

    return endpoint


def function(notified: list[str]) -> Callable[[dict[str, Any]], Any]:
    """The same without encryption."""

    def function(request: dict[str, Any]) -> Any:
        if "error" in request["data"]:
            notified.append(f"{request['screen']}: {request['data']['error']}")
            return {"data": {"acknowledged": True}}
        return answer(FlowRequest(action=request["action"], screen=request["screen"], data=request["data"]))

    return function


def coroutine_function(notified: list[str]) -> Callable[[dict[str, Any]], Any]:
    """The same, awaited, with plain dicts as answers."""
    plain = function(notified)

    async def function_(request: dict[str, Any]) -> Any:
        await asyncio.sleep(0)
        found = plain(request)
        return found if isinstance(found, dict) else found.plaintext(request["flow_token"])

    return function_


def raw(endpoint: FlowEndpoint) -> Callable[[bytes, Mapping[str, str]], HttpAnswer]:
    """A function of body and headers."""
    return endpoint.receive


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(endpoint: FlowEndpoint) -> Iterator[str]:
    """A server on a free port of this machine; gives its URL."""
    with make_server("127.0.0.1", 0, wsgi.app(endpoint), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/flow"
        finally:
            server.shutdown()
            thread.join()


# Kind -> what is made of the endpoint. The functions need no key.
ENCRYPTED: Mapping[str, Callable[[FlowEndpoint], Any]] = {
    "FlowEndpoint": lambda endpoint: endpoint,
    "ASGI": asgi.app,
    "WSGI": wsgi.app,
    "body and headers": raw,
}
PLAIN: Mapping[str, Callable[[list[str]], Any]] = {"function": function, "coroutine function": coroutine_function}


# -- both players


_MOVES = {"fill", "blur", "choose", "unchoose", "check", "uncheck", "tap", "back", "attach", "open"}


class Awaited:
    """An `AsyncFlowPlayer` with the face of a `FlowPlayer`: each move is awaited in a loop of its own."""

    def __init__(self, flow: Any, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        try:
            self._player = AsyncFlowPlayer(flow, **options)
            self._wait()
        except BaseException:
            self.close()
            raise

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._player, name)
        if name not in _MOVES:
            return found

        def move(*args: Any, **kwargs: Any) -> Awaited:
            found(*args, **kwargs)
            return self._wait()

        return move

    def _wait(self) -> Awaited:
        async def wait() -> None:
            await self._player

        self._loop.run_until_complete(wait())
        return self

    def close(self) -> None:
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


PLAYERS: Mapping[str, Callable[..., Any]] = {"FlowPlayer": FlowPlayer, "AsyncFlowPlayer": Awaited}
