"""The ways to reach a receiver: each adapter without a server, and behind each server that people run."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from tests.contrib.adapters import lambdas, real, servers
from tests.contrib.adapters.applications import ASGI, WSGI, Receivers
from tests.contrib.adapters.receivers import Echo, VerifyingEcho
from tests.contrib.adapters.wires import ASGIApp, Reply, Sent, WSGIApp, asgi_calls, wsgi_call
from whatsapp_flows.contrib import aws_lambda
from whatsapp_flows.endpoint import PrivateKeys

Call = Callable[[Sent], Reply]


class Way:
    """One way; `flow` is the receiver at /flow, None in another process."""

    def __init__(
        self, receivers: Receivers, call: Call, *, address: servers.Address | None = None, prefix: str = ""
    ) -> None:
        self.flow = receivers.get("/flow")
        self.call = call
        self.address = address
        self.prefix = prefix  # of the path, behind a server that several ways share

    def together(self, requests: Sequence[Sent]) -> list[Reply]:
        """Requests at the same time."""
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(self.call, requests))

    def connect(self, sent: Sent) -> socket.socket:
        """Send a request to the server, without what is `missing` of its body; returns the open connection."""
        assert self.address is not None
        return servers.connect(self.address, replace(sent, path=self.prefix + sent.path))


class AsgiWay(Way):
    """Without a server, in one event loop."""

    def __init__(self, receivers: Receivers, app: ASGIApp) -> None:
        super().__init__(receivers, lambda sent: self.together([sent])[0])
        self.app = app

    def together(self, requests: Sequence[Sent]) -> list[Reply]:
        return asyncio.run(asgi_calls(self.app, requests))


def make_receivers(keys: PrivateKeys) -> Receivers:
    """Path -> receiver: those that echo, and real ones."""
    return {"/flow": Echo(), "/hook": VerifyingEcho(), **real.make_receivers(keys)}


def _without_server(receivers: Receivers, name: str) -> Way:
    if name in ASGI:
        return AsgiWay(receivers, ASGI[name](receivers))
    return Way(receivers, partial(wsgi_call, WSGI[name](receivers)))


def _lambda(receivers: Receivers, shape: str) -> Way:
    handlers = {path: aws_lambda.handler(receiver) for path, receiver in receivers.items()}
    to_event = lambdas.SHAPES[shape]
    return Way(receivers, lambda sent: lambdas.as_reply(handlers[sent.path](to_event(sent), None), shape))


@contextmanager
def _uvicorn(name: str, receivers: Receivers) -> Iterator[Way]:
    with servers.uvicorn_server(ASGI[name](receivers)) as address:
        yield Way(receivers, partial(servers.exchange, address), address=address)


@contextmanager
def _threads(
    name: str, server: Callable[[WSGIApp], AbstractContextManager[servers.Address]], receivers: Receivers
) -> Iterator[Way]:
    with server(WSGI[name](receivers)) as address:
        yield Way(receivers, partial(servers.exchange, address), address=address)


WITHOUT_SERVER: Final = (*ASGI, *WSGI)
LAMBDAS: Final = tuple(lambdas.SHAPES)
IN_THIS_PROCESS: Final[dict[str, Callable[[Receivers], AbstractContextManager[Way]]]] = {
    "asgi on uvicorn": partial(_uvicorn, "asgi"),
    "fastapi on uvicorn": partial(_uvicorn, "fastapi"),
    "django async on uvicorn": partial(_uvicorn, "django async"),
    "wsgi on werkzeug": partial(_threads, "wsgi", servers.werkzeug_server),
    "flask on werkzeug": partial(_threads, "flask", servers.werkzeug_server),
    "django on runserver": partial(_threads, "django", servers.django_server),
}
IN_A_PROCESS: Final = {f"{name} on gunicorn": name for name in ("wsgi", "flask", "django")}
SERVERS: Final = (*IN_THIS_PROCESS, *IN_A_PROCESS)
WAYS: Final = (*WITHOUT_SERVER, *LAMBDAS, *SERVERS)


class Ways:
    """Gives a way by its name, made when it is first asked for; servers end with `stack`."""

    def __init__(self, stack: ExitStack, private_pem: str) -> None:
        self._stack = stack
        self._private_pem = private_pem
        self.keys = PrivateKeys(private_pem)
        self._made: dict[str, Way] = {}
        self._gunicorn: servers.Address | None = None

    def __call__(self, name: str) -> Way:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Way:
        if name in IN_A_PROCESS:
            return self._on_gunicorn(IN_A_PROCESS[name])
        receivers = make_receivers(self.keys)
        if name in IN_THIS_PROCESS:
            return self._stack.enter_context(IN_THIS_PROCESS[name](receivers))
        return _lambda(receivers, name) if name in LAMBDAS else _without_server(receivers, name)

    def _on_gunicorn(self, name: str) -> Way:
        """One process serves the three of them, each below its name."""
        if self._gunicorn is None:
            self._gunicorn = self._stack.enter_context(servers.gunicorn_server(self._private_pem))
        address = self._gunicorn

        def call(sent: Sent) -> Reply:
            return servers.exchange(address, replace(sent, path=f"/{name}{sent.path}"))

        return Way({}, call, address=address, prefix=f"/{name}")
