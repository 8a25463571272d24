"""
The two clients and their transports behind one interface: a test that takes a `Wire` runs on both.

`AsyncFlowsClient` is driven through `Blocking`, whose methods run in an event loop of its own, in asyncio's debug mode.
A warning of asyncio at the end fails the test: an exception of a task that was never retrieved, or an unclosed
connection.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, TypeVar, cast

import aiohttp
import pytest
import requests

from whatsapp_flows import (
    AiohttpTransport,
    AsyncFlowsClient,
    FlowsClient,
    Request,
    RequestsTransport,
    Response,
    Timeout,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Setup:
    """A session of the host's: the certificate that it trusts, and its proxies by scheme."""

    trusted: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)


class Loop:
    """An event loop in debug mode, for coroutines in a blocking test."""

    def __init__(self, make: Callable[[], asyncio.AbstractEventLoop] | None = None, *, debug: bool = True) -> None:
        self.warnings: list[object] = []
        self._loop = (make or asyncio.new_event_loop)()
        self._loop.set_debug(debug)
        self._loop.slow_callback_duration = math.inf  # a test may block, as a fork does, and a busy machine is slow
        self._loop.set_exception_handler(lambda _, context: self.warnings.append(context))
        self._listener = logging.Handler(logging.WARNING)
        self._listener.emit = self.warnings.append  # type: ignore[method-assign, assignment]
        logging.getLogger("asyncio").addHandler(self._listener)

    def run(self, awaitable: Awaitable[T]) -> T:
        """The result of a coroutine."""

        async def result() -> T:
            return await awaitable

        return self._loop.run_until_complete(result())

    def close(self) -> None:
        """Closes the loop. A warning of asyncio, in the log or not, fails the test."""
        self.run(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        logging.getLogger("asyncio").removeHandler(self._listener)
        assert self.warnings == []


@contextmanager
def event_loop(make: Callable[[], asyncio.AbstractEventLoop] | None = None, *, debug: bool = True) -> Iterator[Loop]:
    """A `Loop` for the time of a test."""
    loop = Loop(make, debug=debug)
    try:
        yield loop
    finally:
        loop.close()


class Blocking:
    """An `AsyncFlowsClient` whose methods block."""

    def __init__(self, client: AsyncFlowsClient, loop: Loop) -> None:
        self.client, self.loop = client, loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.client, name)

        def call(*args: Any, **options: Any) -> Any:
            outcome = method(*args, **options)
            if isinstance(outcome, AsyncFlowsClient):
                return Blocking(outcome, self.loop)
            if hasattr(outcome, "__anext__"):
                return self._each(outcome)
            return self.loop.run(outcome) if isawaitable(outcome) else outcome

        return call

    def _each(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        while (item := self.loop.run(_next(items))) is not _END:
            yield item

    def __repr__(self) -> str:
        return repr(self.client)


_END = object()


async def _next(items: AsyncIterator[Any]) -> Any:
    return await anext(items, _END)


class RequestsWire:
    """`FlowsClient` on requests."""

    name = "requests"

    @contextmanager
    def client(self, *args: Any, setup: Setup | None = None, **options: Any) -> Iterator[FlowsClient]:
        """A client with a session of its own, or with a host's."""
        with _requests_session(setup) as session, FlowsClient(*args, session=session, **options) as client:
            yield client

    def exchange(self, request: Request, timeout: Timeout, *, setup: Setup | None = None, **options: Any) -> Response:
        """One request by the transport alone."""
        with _requests_session(setup) as session:
            transport = RequestsTransport(session, **options)
            try:
                return transport.send(request, timeout=timeout)
            finally:
                transport.close()


class AiohttpWire:
    """`AsyncFlowsClient` on aiohttp."""

    name = "aiohttp"

    @contextmanager
    def client(self, *args: Any, setup: Setup | None = None, **options: Any) -> Iterator[FlowsClient]:
        """The same, with blocking methods."""
        if sleep := options.get("sleep"):
            options["sleep"] = _awaited(sleep)
        with event_loop() as loop, _aiohttp_session(setup, loop) as session:
            client = AsyncFlowsClient(*args, session=session, **options)
            try:
                yield cast("FlowsClient", Blocking(client, loop))
            finally:
                loop.run(client.aclose())

    def exchange(self, request: Request, timeout: Timeout, *, setup: Setup | None = None, **options: Any) -> Response:
        """One request by the transport alone."""
        with event_loop() as loop, _aiohttp_session(setup, loop) as session:
            transport = AiohttpTransport(session, **options)
            try:
                return loop.run(transport.send(request, timeout=timeout))
            finally:
                loop.run(transport.aclose())


Wire = RequestsWire | AiohttpWire
WIRES: tuple[Wire, ...] = (RequestsWire(), AiohttpWire())
over_both = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)


def _awaited(sleep: Callable[[float], object]) -> Callable[[float], Awaitable[object]]:
    async def awaited(seconds: float) -> object:
        return sleep(seconds)

    return awaited


@contextmanager
def _requests_session(setup: Setup | None) -> Iterator[requests.Session | None]:
    if setup is None:
        yield None
        return
    with requests.Session() as session:
        session.proxies = dict(setup.proxies)
        if setup.trusted is not None:
            session.verify = setup.trusted
        yield session


@contextmanager
def _aiohttp_session(setup: Setup | None, loop: Loop) -> Iterator[aiohttp.ClientSession | None]:
    if setup is None:
        yield None
        return
    session = loop.run(_opened(setup))
    try:
        yield session
    finally:
        loop.run(session.close())


async def _opened(setup: Setup) -> aiohttp.ClientSession:
    context = True if setup.trusted is None else ssl.create_default_context(cafile=setup.trusted)
    proxy = next(iter(setup.proxies.values()), None)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), proxy=proxy)
