"""`AsyncFlowsClient`: the same list as `FlowsClient`, and the driver that awaits."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from . import _conversations as conversations
from . import _operations as operations
from ._aiohttp import AiohttpTransport
from ._documents import Validate
from ._engine import Conversation, NewToken, Reply, RunBlocking, Wait, converse
from ._ensure import ensure_flow
from ._error_codes import ERROR_CODES, ErrorCodes
from ._leases import Lease, lease
from ._settings import CommonOptions, CommonValues, Configured, from_environment, hide, in_effect, read_environment
from ._wire import Operation, Request, Response, as_secret
from .errors import ConfigurationError
from .events import EventConsumer
from .flow_json import FlowJson
from .models import (
    Asset,
    CreatedFlow,
    EnsuredFlow,
    Flow,
    FlowJsonUpdate,
    Health,
    Metric,
    Migration,
    PhoneNumber,
    Preview,
    PublicKey,
    SubscribedApp,
)
from .retry import RetryPolicy
from .transport import AsyncTransport, Credentials, Timeout

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._aiohttp import ClientSession
    from ._vocabulary import FlowCategory, Granularity, MetricName

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

    `session` and `transport` are those of the host, or what `wrapping` made; None where the client opens connections of
    its own.
    """

    session: ClientSession | None
    transport: AsyncTransport | None
    max_connections: int | None
    sleep: Callable[[float], Awaitable[object]]
    stop: asyncio.Event | None


@dataclass(frozen=True, slots=True)
class _Shielded:
    """A transport that others use too: whoever is given it cannot close it."""

    transport: AsyncTransport

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        return await self.transport.send(request, timeout=timeout)

    async def aclose(self) -> None:
        """Nothing: it is closed with the last client that uses it."""


def _check_parts(session: object, transport: object, max_connections: object, sleep: object, stop: object) -> None:
    """Refuses what cannot work, before the first call finds out."""
    if session is not None and transport is not None:
        raise ConfigurationError("give the client a session or a transport, not both.")
    if transport is not None:
        if not all(callable(getattr(transport, name, None)) for name in ("send", "aclose")):
            raise ConfigurationError("transport must have the coroutines send and aclose: see AsyncTransport.")
        if max_connections is not None:
            raise ConfigurationError("max_connections belongs to the connections: give it where they are made.")
    if sleep is time.sleep:
        raise ConfigurationError("sleep must be a coroutine function, like asyncio.sleep.")
    if stop is not None and not isinstance(stop, asyncio.Event):
        raise ConfigurationError("stop must be an asyncio.Event.")


class AsyncFlowsClient(Configured["AsyncClientOptions", "AsyncTransport"]):
    """
    Meta's WhatsApp Flows management API for asyncio: `FlowsClient` with methods that are awaited. Needs aiohttp.

    The options are those of `FlowsClient`, but for these. `access_token` may also be a callable that returns an
    awaitable. `session` is an `aiohttp.ClientSession` of yours, whose connector, proxies, cookies, traces and
    middlewares hold and which stays open; without one, the first call opens one, in its event loop, that takes proxies
    and CA bundles from the environment as `FlowsClient` does and keeps no cookies. `transport` is any
    `AsyncTransport`. At most `max_connections` requests are on their way at once (None: 100, or what the connector of
    your session allows); further calls wait their turn, for which no time-out counts. `sleep` is awaited. `stop` is an
    `asyncio.Event`: setting it ends every wait at once, a request that is under way after `STOP_GRACE` seconds, and the
    last errors come out.

    One client serves many tasks of one event loop. Cancelling a call, or `asyncio.timeout` around it, ends it at once,
    be it in a request or in a wait, and leaves no connection open. Close the client with `aclose` or `async with`.

    >>> client = AsyncFlowsClient("token", "102290129340398")
    >>> client
    AsyncFlowsClient(waba_id='102290129340398', base_url='https://graph.facebook.com', api_version='v25.0')
    """

    def __init__(
        self,
        access_token: str | Callable[[], str | Awaitable[str]],
        waba_id: str | None = None,
        *,
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
        token, secret = as_secret(access_token), as_secret(app_secret)
        del access_token, app_secret  # a traceback that shows local variables must not show these
        credentials = Credentials(token, secret)
        given = in_effect({"timeout": timeout, "max_attempts": max_attempts, "on_event": on_event})
        options = AsyncClientOptions(
            waba_id=waba_id,
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
        _check_parts(options.session, options.transport, options.max_connections, options.sleep, options.stop)
        super()._configure(options, credentials, lease)
        self._sleep = options.sleep
        self._stop = options.stop

    def _connected(self, options: AsyncClientOptions) -> Lease[AsyncTransport]:
        if options.transport is not None:
            return lease(options.transport, owned=False)
        return lease(AiohttpTransport(options.session, max_connections=options.max_connections), owned=True)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """
        A client set up by `WHATSAPP_FLOWS_ACCESS_TOKEN`, `_WABA_ID`, `_API_VERSION`, `_BASE_URL`, `_APP_SECRET`,
        `_MAX_ATTEMPTS`, `_RETRY_INITIAL`, `_RETRY_MULTIPLIER`, `_RETRY_MAXIMUM`, `_RETRY_JITTER` (none, full, equal,
        decorrelated) and `_TIMEOUT`; all but the first are optional, all times in seconds.

        Raises `ConfigurationError` for a value that makes no sense, and for any other variable of that prefix, which
        would do nothing: the message has the nearest name.
        """
        given = read_environment(environ)
        del environ  # it holds the token
        return cls(**from_environment(given))

    def with_options(self, **changes: Unpack[Options]) -> Self:
        """
        A client with some options changed, on the same connections (unless `session` or `transport` is one of them).

        Each of the two is closed by itself; the connections are closed with the last client that uses them.
        """
        given = hide(changes)
        del changes
        if given.get("max_connections") is not None and not {"session", "transport"} & set(given):
            raise ConfigurationError("max_connections belongs to the connections: give it where they are made.")
        return self._changed(given)

    def wrapping(self, wrap: Callable[[AsyncTransport], AsyncTransport]) -> Self:
        """
        A client that sends by what `wrap` makes of this client's transport, and is like this one otherwise.

        The transport that is made is closed with the last client that uses it. What it was given cannot be closed by
        it: those connections are this client's as well, and close with the last client of both.
        """
        made = wrap(_Shielded(self._transport))
        return self._around(made)

    async def aclose(self) -> None:
        """
        End the use of this client; a call after that raises `ConfigurationError`.

        Connections that this library opened are closed with the last client that uses them (`with_options`,
        `wrapping`); a session or a transport of yours stays as it is.
        """
        self._closed = True
        for transport in self._lease.release():
            await transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    # Flows

    async def update_flow_json(
        self, flow_id: str, json: FlowJson, *, max_retries: int | None = None, validate: Validate | None = None
    ) -> FlowJsonUpdate:
        """
        Upload a Flow JSON, and send it again when Meta saved it but failed to process it (139001/4016012).

        `json` is a mapping, text, bytes, a path or a binary file; text and bytes are sent as they are, a mapping is
        serialised once. `max_retries` counts attempts in all (3: three requests, with waits of 5 and 10 s; 0 and 1:
        one); None is the client's `max_attempts`. `validate` as for the client; None is the client's.

        The result may carry `validation_errors`: the JSON is stored then, and cannot be published. An upload moves a
        PUBLISHED flow back to DRAFT (Meta, "Flows lifecycle").
        """
        policy, checks = self._settings.policy_for(max_retries), self._settings.mode_for(validate)
        return await self._run(conversations.update_flow_json(self._api, policy, flow_id, json, checks))

    async def create_flow(
        self,
        name: str,
        categories: Sequence[FlowCategory],
        *,
        flow_json: FlowJson | None = None,
        publish: bool = False,
        clone_flow_id: str | None = None,
        endpoint_uri: str | None = None,
        validate: Validate | None = None,
    ) -> CreatedFlow:
        """
        Create a flow, in DRAFT; with `publish` and a valid `flow_json`, published in the same call.

        `categories` are Meta's words, at least one. `clone_flow_id` copies another flow. `endpoint_uri` is where its
        data exchange goes. `validate` as for the client; None is the client's.

        Never makes a second flow: after a lost answer the name is looked up, and what is found is adopted
        (`CreatedFlow.adopted`), although it may have been there before. Without a lost answer, a name that is in use
        raises `NameTakenError`. When the publishing fails, the draft exists all the same: the `PublishBlockedError`
        has its `flow_id`.
        """
        return await self._run(
            conversations.create_flow(
                self._api,
                self._settings.policy,
                name,
                categories,
                flow_json=flow_json,
                publish=publish,
                clone_flow_id=clone_flow_id,
                endpoint_uri=endpoint_uri,
                validate=self._settings.mode_for(validate),
            )
        )

    async def ensure_flow(
        self,
        name: str,
        categories: Sequence[FlowCategory],
        *,
        flow_json: FlowJson | None = None,
        publish: bool = False,
        endpoint_uri: str | None = None,
        allow_unpublish: bool = False,
        validate: Validate | None = None,
    ) -> EnsuredFlow:
        """
        Have a flow of that name: found or created, changed where it differs, and with `publish` published.

        Call it as often as you like: what is as it should be is not written. A Flow JSON is compared by what it says,
        not by its layout; None, and `endpoint_uri=None`, leave what is there. `validate` as for the client; the Flow
        JSON of a live flow is checked before it is replaced ("error"), unless `validate` says otherwise here.

        A change makes a live flow a draft until it is published again. So without `publish` a live flow that differs
        raises `PlanError` and is left alone; `allow_unpublish=True` changes it all the same. With `publish`, when Meta
        finds errors in the new Flow JSON the flow gets its old one back and is live again (`EnsuredFlow.restored`,
        `success=False`); so it does when it cannot be published, and the error comes out. When even that fails, or Meta
        cannot be reached, the error's advice says which state the flow is left in, `error.details.lost_flow_json` holds
        what it had, and another call goes on from there.
        """
        return await self._run(
            ensure_flow(
                self._api,
                self._settings.policy,
                name,
                categories,
                flow_json=flow_json,
                publish=publish,
                endpoint_uri=endpoint_uri,
                allow_unpublish=allow_unpublish,
                validate=None if validate is None else self._settings.mode_for(validate),
                default=self._settings.validate,
            )
        )

    async def update_flow(
        self,
        flow_id: str,
        *,
        name: str | None = None,
        categories: Sequence[FlowCategory] | None = None,
        endpoint_uri: str | None = None,
        application_id: str | None = None,
    ) -> None:
        """Change metadata; None leaves as it is. Moves a PUBLISHED flow back to DRAFT."""
        await self._call(
            operations.update_flow(
                self._api,
                flow_id,
                name=name,
                categories=categories,
                endpoint_uri=endpoint_uri,
                application_id=application_id,
            )
        )

    def list_flows(self, *, fields: str | Sequence[str] | None = None, page_size: int = 100) -> AsyncIterator[Flow]:
        """
        The account's flows, fetched a page at a time as you iterate.

        `fields` is Meta's field syntax (`"id,name,assets{download_url}"`); None asks for all that is cheap.
        `page_size` is the number of flows in one request.
        """
        return self._each(operations.list_flows(self._api, fields=fields, page_size=page_size))

    async def find_flow_by_name(self, name: str) -> Flow | None:
        """
        The flow of that name, or None; a deprecated one only if no other has it.

        Meta cannot search, so this pages through the account. A listing that fails raises.
        """
        return await self._run(conversations.find_flow_by_name(self._api, self._settings.policy, name))

    async def get_flow(self, flow_id: str, *, fields: str | Sequence[str] | None = None) -> Flow:
        """One flow; `fields` as for `list_flows`. Never touches the preview link unless the fields name it."""
        return await self._call(operations.get_flow(self._api, flow_id, fields=fields))

    async def get_health(self, flow_id: str, *, phone_number_id: str | None = None) -> Health:
        """Whether the flow can be sent (from that number), and what stands in the way."""
        return await self._call(operations.get_health(self._api, flow_id, phone_number_id=phone_number_id))

    async def get_preview(self, flow_id: str, *, invalidate: bool = False) -> Preview:
        """A public link to try the flow, good for 30 days. `invalidate` voids the old one first."""
        return await self._call(operations.get_preview(self._api, flow_id, invalidate=invalidate))

    async def get_metric(
        self,
        flow_id: str,
        metric: MetricName,
        granularity: Granularity,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
    ) -> Metric:
        """
        A metric of the flow's endpoint: `ENDPOINT_REQUEST_COUNT` and the like, by `DAY`, `HOUR` or `LIFETIME`.

        Dates are `date`s or YYYY-MM-DD. Below 250 requests Meta refuses (`FlowStateError`, 139006).
        """
        return await self._call(
            operations.get_metric(self._api, flow_id, metric, granularity, since=since, until=until)
        )

    async def publish_flow(self, flow_id: str) -> None:
        """Publish a draft. Raises `PublishBlockedError` that says which of Meta's checks failed."""
        await self._call(operations.publish_flow(self._api, flow_id))

    async def deprecate_flow(self, flow_id: str) -> None:
        """Take a published flow out of use, for good."""
        await self._call(operations.deprecate_flow(self._api, flow_id))

    async def delete_flow(self, flow_id: str) -> None:
        """Delete a draft, for good."""
        await self._call(operations.delete_flow(self._api, flow_id))

    async def migrate_flows(self, source_waba_id: str, names: Sequence[str] | None = None) -> Migration:
        """
        Copy flows of another account of the same business into this one; None copies all.

        Over 100 names are sent in several requests. A flow that could not be copied stands in `failed`. When a later
        request fails its error comes out, and what the earlier ones copied stays: ask again, and those names come
        back in `failed`, because they exist.
        """
        return await self._run(conversations.migrate_flows(self._api, self._settings.policy, source_waba_id, names))

    # Assets

    async def list_assets(self, flow_id: str) -> tuple[Asset, ...]:
        """The flow's files, with links for immediate use."""
        return await self._call(operations.list_assets(self._api, flow_id))

    async def download_flow_json(self, flow_id: str, *, asset: Asset | None = None) -> bytes:
        """
        The stored Flow JSON, as Meta keeps it. The token does not go to the host that serves it.

        `asset` is one that was just listed: its link spares a call, and is replaced by a fresh one if it is refused.
        """
        return await self._call(operations.download_flow_json(self._api, flow_id, asset=asset))

    # Keys and account

    async def set_public_key(self, phone_number_id: str, pem: str | bytes) -> None:
        """Upload the 2048-bit RSA public key (PEM) of a phone number; it replaces the one before."""
        await self._call(operations.set_public_key(self._api, phone_number_id, pem))

    async def get_public_key(self, phone_number_id: str) -> PublicKey:
        """The key that Meta holds for a phone number, and whether its signature is valid."""
        return await self._call(operations.get_public_key(self._api, phone_number_id))

    async def list_phone_numbers(self) -> tuple[PhoneNumber, ...]:
        """The account's phone numbers."""
        return await self._call(operations.list_phone_numbers(self._api))

    async def subscribe_app(self) -> None:
        """Subscribe the token's app to the account's webhooks, as publishing a flow with an endpoint needs."""
        await self._call(operations.subscribe_app(self._api))

    async def list_subscribed_apps(self) -> tuple[SubscribedApp, ...]:
        """The apps that hear the account's webhooks."""
        return await self._call(operations.list_subscribed_apps(self._api))

    # The driver

    async def _call(self, operation: Operation[T]) -> T:
        return await self._run(converse(operation, self._settings.policy))

    async def _run(self, conversation: Conversation[T]) -> T:
        """Does what the engine asks for, until it returns or raises."""
        reply: Reply = None
        try:
            while True:
                try:
                    step = conversation.send(reply)
                except StopIteration as done:
                    result: T = done.value
                    return result
                try:
                    reply = await self._do(step)
                except BaseException as error:  # noqa: BLE001 - the engine decides; what it does not know it lets pass
                    reply = error
        finally:
            reply = None  # or the exception, its traceback and this frame would keep each other alive

    async def _do(self, step: Request | Wait | RunBlocking | NewToken) -> Reply:
        if isinstance(step, Request):
            return await self._send(step)
        if isinstance(step, NewToken):
            return await self._settings.credentials.aanother(step.refused)
        if isinstance(step, Wait):
            return await self._pause(step.seconds)
        await asyncio.to_thread(step.task)
        return None

    async def _send(self, request: Request) -> Response | bool:
        """The answer; False when the request was not sent, because there is no time for it or we are to stop."""
        self._check_open()
        stop, settings = self._stop, self._settings
        if stop is not None:
            if stop.is_set():
                return False
            request = replace(request, stop=stop)
        began = settings.policy.clock() if request.time_left is not None else 0.0
        timed = settings.timed(await settings.credentials.asign(request), began)
        if timed is None or (stop is not None and stop.is_set()):
            return False
        signed, timeout = timed
        return await self._transport.send(signed, timeout=timeout)

    async def _each(self, operation: Operation[operations.Page[T]]) -> AsyncIterator[T]:
        following: Operation[operations.Page[T]] | None = operation
        while following is not None:
            page = await self._call(following)
            for item in page.items:
                yield item
            following = page.following

    async def _pause(self, seconds: float) -> bool:
        """Waits, and says whether it was not stopped."""
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
