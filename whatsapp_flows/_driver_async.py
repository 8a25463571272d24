"""
What `AsyncFlowsClient` is built on: its options, and the driver that awaits, on asyncio.

`_driver_sync` is its counterpart for threads. Each is written by hand; the methods of the clients are one list.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ._aiohttp import AiohttpTransport
from ._base_client import BaseClient
from ._dataclasses import dataclass, field
from ._documents import Validate
from ._engine import Conversation, GetToken, Reply, Step, Wait, converse
from ._error_codes import ErrorCodes
from ._error_rows import ERROR_CODES
from ._leases import Lease, lease
from ._operations import Page
from ._settings import CommonOptions, CommonValues, normalized
from ._wire import Operation, Request, Response, as_secret
from .errors import ConfigurationError
from .events import EventConsumer
from .retry import RetryPolicy
from .transport import AsyncTransport, Credentials, Timeout

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._aiohttp import ClientSession

T = TypeVar("T")


class Options(CommonOptions, total=False):
    """The options of a client, for `with_options`."""

    access_token: str | Callable[[], str | Awaitable[str]]
    session: ClientSession | None
    transport: AsyncTransport | None
    max_connections: int | None
    sleep: Callable[[float], Awaitable[object]]
    stop: asyncio.Event | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncClientOptions(CommonValues):
    """
    What `AsyncFlowsClient.options` returns: every option but the secrets.

    `session` and `transport` are those that were given to the client, or that `wrapping` made; None for a client that
    opens connections of its own.
    """

    session: ClientSession | None
    transport: AsyncTransport | None
    max_connections: int | None
    sleep: Callable[[float], Awaitable[object]] = field(repr=False)
    stop: asyncio.Event | None


class AsyncDriver(BaseClient["AsyncClientOptions", AsyncTransport]):
    """The constructor of `AsyncFlowsClient`, and how it carries out the engine's steps."""

    def __init__(
        self,
        access_token: str | Callable[[], str | Awaitable[str]],
        waba_id: str | None = None,
        *,
        phone_number_id: str | None = None,
        api_version: str = "v25.0",
        base_url: str = "https://graph.facebook.com",
        app_secret: str | None = None,
        max_attempts: int = 3,
        retry_policy: RetryPolicy | None = None,
        timeout: float | Timeout = 30.0,
        session: ClientSession | None = None,
        transport: AsyncTransport | None = None,
        max_connections: int | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        stop: asyncio.Event | None = None,
        error_codes: ErrorCodes = ERROR_CODES,
        on_event: EventConsumer | Iterable[EventConsumer] | None = None,
        validate: Validate = "off",
    ) -> None:
        """
        The options are those of `FlowsClient`, except for the following. Needs aiohttp (extra `async`).

        `access_token` may also be a callable that returns an awaitable. `session` is an `aiohttp.ClientSession` of
        yours: its connector, proxies, cookies, traces and middlewares apply, and it stays open. Without one, the first
        call opens a session in its event loop, which takes proxies and CA bundles from the environment as
        `FlowsClient` does and keeps no cookies. `transport` is any `AsyncTransport`, instead of a session.

        At most `max_connections` requests are sent at once (None: 100, or the limit of your session's connector);
        further calls wait for a free connection, and no time-out applies to that wait. `sleep` is awaited. `stop` is
        an `asyncio.Event`: setting it ends every wait at once, and a request that is under way after `STOP_GRACE`
        seconds; the calls raise their last errors.

        One client serves many tasks of one event loop. Cancelling a call, or `asyncio.timeout` around it, ends it at
        once, during a request as well as during a wait, and leaves no connection open.
        """
        token, secret = as_secret(access_token), as_secret(app_secret)
        del access_token, app_secret  # so that a traceback with local variables does not show them
        credentials = Credentials(token, secret)
        given = normalized({"timeout": timeout, "max_attempts": max_attempts, "on_event": on_event})
        options = AsyncClientOptions(
            waba_id=waba_id,
            phone_number_id=phone_number_id,
            api_version=api_version,
            base_url=base_url,
            retry_policy=retry_policy,
            session=session,
            transport=transport,
            max_connections=max_connections,
            sleep=sleep,
            clock=clock,
            stop=stop,
            error_codes=error_codes,
            validate=validate,
            **given,
        )
        self._configure(options, credentials, None)

    def _configure(
        self, options: AsyncClientOptions, credentials: Credentials, lease: Lease[AsyncTransport] | None
    ) -> None:
        _check_options(options)
        super()._configure(options, credentials, lease)
        self._sleep = options.sleep
        self._stop: asyncio.Event | None = options.stop

    def _connect(self, options: AsyncClientOptions) -> Lease[AsyncTransport]:
        if options.transport is not None:
            return lease(options.transport, owned=False)
        return lease(AiohttpTransport(options.session, max_connections=options.max_connections), owned=True)

    def _with_changes(self, changes: Mapping[str, Any]) -> Self:
        if changes.get("max_connections") is not None and not {"session", "transport"} & set(changes):
            raise ConfigurationError("max_connections belongs to the connections: give it where they are made.")
        return super()._with_changes(changes)

    async def _call(self, operation: Operation[T]) -> T:
        return await self._run(converse(operation, self._settings.policy))

    async def _pages(self, operation: Operation[Page[T]]) -> AsyncIterator[T]:
        following: Operation[Page[T]] | None = operation
        while following is not None:
            page = await self._call(following)
            for item in page.items:
                yield item
            following = page.following

    async def _run(self, conversation: Conversation[T]) -> T:
        """Carry out the steps of a conversation until it returns or raises."""
        reply: Reply = None
        try:
            while True:
                try:
                    step = conversation.send(reply)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                try:
                    reply = await self._do(step)
                except BaseException as error:  # noqa: BLE001 - the engine raises it again unless it can handle it
                    reply = error
        finally:
            reply = None  # break the cycle of exception, traceback and this frame

    async def _do(self, step: Step) -> Reply:
        if isinstance(step, Request):
            return await self._send(step)
        if isinstance(step, Wait):
            return await self._wait(step.seconds)
        if isinstance(step, GetToken):
            return await self._settings.credentials.atoken()
        await asyncio.to_thread(step.task)
        return None

    async def _send(self, request: Request) -> Response | bool:
        """The response; False when the request was not sent, because the client is stopped or no time is left."""
        self._check_open()
        if self._is_stopped():
            return False
        began = self._settings.policy.clock()
        token = await self._settings.credentials.atoken() if request.needs_token else request.token
        prepared = self._prepared(request, token, began)
        if prepared is None:
            return False
        signed, timeout = prepared
        return await self._transport.send(signed, timeout=timeout)

    async def _wait(self, seconds: float) -> bool:
        """Wait; False as soon as `stop` is set."""
        if self._stop is None:
            await self._sleep(seconds)
            return True
        ends = [asyncio.ensure_future(end) for end in (self._stop.wait(), self._sleep(seconds))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            outcomes = await asyncio.gather(*ends, return_exceptions=True)
        failed = next((it for it in outcomes if isinstance(it, Exception)), None)
        if failed is not None:
            raise failed
        return not self._stop.is_set()


def _check_options(options: AsyncClientOptions) -> None:
    """Refuse options that would fail at the first call."""
    if options.session is not None and options.transport is not None:
        raise ConfigurationError("give the client a session or a transport, not both.")
    if options.transport is not None:
        if not all(callable(getattr(options.transport, name, None)) for name in ("send", "aclose")):
            raise ConfigurationError("transport must have the coroutines send and aclose: see AsyncTransport.")
        if options.max_connections is not None:
            raise ConfigurationError("max_connections belongs to the connections: give it where they are made.")
    sleep: object = options.sleep
    if sleep is time.sleep:
        raise ConfigurationError("sleep must be a coroutine function, like asyncio.sleep.")
    if options.stop is not None and not isinstance(options.stop, asyncio.Event):
        raise ConfigurationError("stop must be an asyncio.Event.")


@dataclass(frozen=True, slots=True)
class AsyncSharedTransport:
    """A transport that other clients use too, and that cannot be closed through this value."""

    transport: AsyncTransport

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        return await self.transport.send(request, timeout=timeout)

    async def aclose(self) -> None:
        """Does nothing: the transport is closed with the last client that uses it."""
