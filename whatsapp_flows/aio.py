# The source of client.py: after a change, run `make generate`.
"""`AsyncFlowsClient`: one method for each operation of Meta's API."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from . import _conversations as conversations
from . import _operations as operations
from ._documents import Validate
from ._driver_async import AsyncClientOptions, AsyncSharedTransport, Options
from ._ensure import EnsureOptions, ensure_flow
from ._environment import from_environment, read_environment
from ._messages_async import AsyncMessages
from ._operations import NewFlow
from ._settings import hide_secrets
from ._wire import Secret, as_secret
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
from .transport import AsyncTransport

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._endpoint_report import EndpointReport
    from ._vocabulary import FlowCategory, Granularity, MetricName

__all__ = ["AsyncClientOptions", "AsyncFlowsClient", "Options"]


class AsyncFlowsClient(AsyncMessages):
    """
    Meta's WhatsApp Flows management API, for one access token and at most one WhatsApp Business Account.

    `with_options` gives any call options of its own: `client.with_options(timeout=10, max_attempts=1).get_flow(id)`.

    Every method raises a `FlowsError`: a `RetryableError` may succeed later, a `FatalError` will not; a
    `ConfigurationError` means that nothing was sent.

    >>> client = AsyncFlowsClient("token", "102290129340398")
    >>> client
    AsyncFlowsClient(waba_id='102290129340398', base_url='https://graph.facebook.com', api_version='v25.0')
    """

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """
        A client set up by `WHATSAPP_FLOWS_ACCESS_TOKEN`, `_WABA_ID`, `_PHONE_NUMBER_ID`, `_API_VERSION`, `_BASE_URL`,
        `_APP_SECRET`, `_MAX_ATTEMPTS`, `_RETRY_INITIAL`, `_RETRY_MULTIPLIER`, `_RETRY_MAXIMUM`, `_RETRY_JITTER` (none,
        full, equal, decorrelated) and `_TIMEOUT`; all but the first are optional, all times in seconds.

        Raises `ConfigurationError` for an invalid value, and for an unknown variable of that prefix, with the nearest
        known name.
        """
        given = read_environment(environ)
        del environ  # it holds the token
        return cls(**from_environment(given))

    def with_options(self, **changes: Unpack[Options]) -> Self:
        """
        A client with some options changed, on the same connections (unless `session` or `transport` is one of them).

        Making one costs no request and no connection, so that a single call may have its own:
        `client.with_options(timeout=10, max_attempts=1).get_flow(flow_id)`. The connections are closed with the last
        client that uses them.
        """
        given = hide_secrets(changes)
        del changes
        return self._with_changes(given)

    def wrapping(self, wrap: Callable[[AsyncTransport], AsyncTransport]) -> Self:
        """
        A client that sends by the transport that `wrap` makes of this client's, with the same options otherwise.

        The transport that `wrap` returns is closed with the last client that uses it. The one that it is given cannot
        be closed by it: those connections are this client's as well, and are closed with the last client of both.
        """
        return self._with_transport(wrap(AsyncSharedTransport(self._transport)))

    async def aclose(self) -> None:
        """
        End the use of this client; a call after that raises `ConfigurationError`.

        Connections that this library opened are closed with the last client that uses them (`with_options`,
        `wrapping`); a session or a transport of yours stays open.
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
        Upload a Flow JSON, in at most `max_retries` attempts (3: at most three requests; None: `max_attempts`).

        It is sent again when Meta has saved it but failed to process it (139001/4016012), with waits of 5, 10, 20 ...
        seconds; 0 and 1 both mean one attempt. `with_options` sets the time-out and the retry policy of one call.

        `json` is a mapping, text, bytes, a path or a binary file. Text and bytes are sent as they are; a mapping is
        serialised once for all attempts. `validate` overrides the client's option of that name.

        The result may carry `validation_errors`: Meta has stored the JSON, but the flow cannot be published with it. An
        upload moves a PUBLISHED flow back to DRAFT (Meta, "Flows lifecycle").
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
        Create a flow in DRAFT; with `publish` and a valid `flow_json`, publish it in the same call.

        `categories` are Meta's category names, at least one. `clone_flow_id` copies another flow. `endpoint_uri` is the
        URL of its endpoint. `validate` overrides the client's option of that name. Per-call options: `with_options`.

        A lost answer never leads to a second flow: the name is looked up, and a flow of that name is adopted
        (`CreatedFlow.adopted`), even if it existed before the call. Without a lost answer, a name that is in use raises
        `NameTakenError`. When publishing fails, the draft still exists: the `PublishBlockedError` has its `flow_id`.
        """
        new = NewFlow(
            name=name,
            categories=categories,
            publish=publish,
            clone_flow_id=clone_flow_id,
            endpoint_uri=endpoint_uri,
        )
        mode = self._settings.mode_for(validate)
        return await self._run(conversations.create_flow(self._api, self._settings.policy, new, flow_json, mode))

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
        Find or create the flow of that name, change what differs, and with `publish` publish it.

        Repeating the call is safe: nothing is written that is already as asked. A Flow JSON is compared by content, not
        by layout; `flow_json=None` and `endpoint_uri=None` leave the present ones. `validate` overrides the client's
        option of that name; without it, the new Flow JSON of a live flow is checked with "error". Per-call options:
        `with_options`.

        A change turns a live flow into a draft until it is published again. So without `publish`, a live flow that
        differs raises `PlanError` and stays unchanged; `allow_unpublish=True` changes it all the same. With `publish`,
        when Meta finds errors in the new Flow JSON, the flow gets its old one back and is live again
        (`EnsuredFlow.restored`, `success=False`). When it cannot be published, the same happens, and the error is
        raised. When that fails too, or Meta cannot be reached, the error's advice names the state of the flow,
        `error.details.lost_flow_json` holds its old Flow JSON, and calling again continues from there.
        """
        new = NewFlow(name=name, categories=categories, publish=publish, endpoint_uri=endpoint_uri)
        options = EnsureOptions(
            allow_unpublish=allow_unpublish,
            validate=self._settings.mode_for(validate),
            check_live=validate is None,
        )
        return await self._run(ensure_flow(self._api, self._settings.policy, new, flow_json, options))

    async def update_flow(
        self,
        flow_id: str,
        *,
        name: str | None = None,
        categories: Sequence[FlowCategory] | None = None,
        endpoint_uri: str | None = None,
        application_id: str | None = None,
    ) -> None:
        """
        Change metadata; None leaves a value unchanged. Moves a PUBLISHED flow back to DRAFT.

        Per-call options: `with_options`.
        """
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
        Iterate over the account's flows, fetched a page at a time.

        `fields` is Meta's field syntax (`"id,name,assets{download_url}"`); None requests all fields that are cheap for
        Meta. `page_size` is the number of flows in one request. Per-call options, for each page: `with_options`.
        """
        return self._pages(operations.list_flows(self._api, fields=fields, page_size=page_size))

    async def find_flow_by_name(self, name: str) -> Flow | None:
        """
        The flow of that name, or None; a deprecated one only if no other flow has the name.

        Meta has no search, so this pages through the account. A listing that fails raises its error. Per-call options:
        `with_options`.
        """
        return await self._run(conversations.find_flow_by_name(self._api, self._settings.policy, name))

    async def get_flow(self, flow_id: str, *, fields: str | Sequence[str] | None = None) -> Flow:
        """
        One flow; `fields` as for `list_flows`. Never invalidates the preview link, unless the fields ask for that.

        Per-call options: `with_options`.
        """
        return await self._call(operations.get_flow(self._api, flow_id, fields=fields))

    async def get_health(self, flow_id: str, *, phone_number_id: str | None = None) -> Health:
        """Whether the flow can be sent (from that number), and what prevents it. Per-call options: `with_options`."""
        return await self._call(operations.get_health(self._api, flow_id, phone_number_id=phone_number_id))

    async def get_preview(self, flow_id: str, *, invalidate: bool = False) -> Preview:
        """
        A public link to try the flow, valid for 30 days. `invalidate` replaces the previous link.

        Per-call options: `with_options`.
        """
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
        A metric of the flow's endpoint: `ENDPOINT_REQUEST_COUNT` and others, by `DAY`, `HOUR` or `LIFETIME`.

        Dates are `date`s or YYYY-MM-DD. Below 250 requests Meta refuses (`FlowStateError`, 139006). Per-call options:
        `with_options`.
        """
        operation = operations.get_metric(self._api, flow_id, metric, granularity, since=since, until=until)
        return await self._call(operation)

    async def publish_flow(self, flow_id: str) -> None:
        """
        Publish a draft. `PublishBlockedError` says which of Meta's checks failed.

        Per-call options: `with_options`.
        """
        await self._call(operations.publish_flow(self._api, flow_id))

    async def deprecate_flow(self, flow_id: str) -> None:
        """Take a published flow out of use; this cannot be undone. Per-call options: `with_options`."""
        await self._call(operations.deprecate_flow(self._api, flow_id))

    async def delete_flow(self, flow_id: str) -> None:
        """Delete a draft; this cannot be undone. Per-call options: `with_options`."""
        await self._call(operations.delete_flow(self._api, flow_id))

    async def migrate_flows(self, source_waba_id: str, names: Sequence[str] | None = None) -> Migration:
        """
        Copy flows of another account of the same business into this one; None copies all.

        More than 100 names are sent in several requests. A flow that could not be copied is in `failed`. When a later
        request fails, its error is raised, and the flows that were copied before stay: call again, and their names come
        back in `failed`, because they exist. Per-call options, for each request: `with_options`.
        """
        return await self._run(conversations.migrate_flows(self._api, self._settings.policy, source_waba_id, names))

    # Assets

    async def list_assets(self, flow_id: str) -> tuple[Asset, ...]:
        """The flow's files, with short-lived download links. Per-call options: `with_options`."""
        return await self._call(operations.list_assets(self._api, flow_id))

    async def download_flow_json(self, flow_id: str, *, asset: Asset | None = None) -> bytes:
        """
        The stored Flow JSON, as Meta keeps it. The host that serves the file never receives the token.

        `asset` is one from a recent listing: its link saves a request, and is replaced by a fresh one if it is refused.
        Per-call options: `with_options`.
        """
        return await self._call(operations.download_flow_json(self._api, flow_id, asset=asset))

    # Keys and account

    async def set_public_key(self, phone_number_id: str, pem: str | bytes) -> None:
        """
        Upload the 2048-bit RSA public key (PEM) of a phone number; it replaces the previous one.

        Per-call options: `with_options`.
        """
        await self._call(operations.set_public_key(self._api, phone_number_id, pem))

    async def get_public_key(self, phone_number_id: str) -> PublicKey:
        """
        The public key that Meta holds for a phone number, and whether its signature is valid.

        Per-call options: `with_options`.
        """
        return await self._call(operations.get_public_key(self._api, phone_number_id))

    async def check_endpoint(
        self,
        flow_id: str,
        *,
        phone_number_id: str | None = None,
        app_secret: str | Secret | None = None,
    ) -> EndpointReport:
        """
        Send Meta's health check to the flow's endpoint: encrypted with the registered public key, and signed.

        Checked for that phone number, or for all numbers of the flow's account: each key gets its own request, which
        lasts at most 10 seconds, or twice that where the endpoint answers 421, also if the call is cancelled.
        `app_secret` is that of the app that is connected to the flow; None is the client's own. What is wrong with the
        endpoint is in the report, and never raised. The endpoint sees a request from here, not from Meta: a firewall
        may treat the two differently.

        Needs the extra `endpoint`. Per-call options, for Meta's part: `with_options`.
        """
        from ._endpoint_check import check_endpoint  # noqa: PLC0415 - most processes check no endpoint

        secret = self._settings.credentials.parts[1] if app_secret is None else as_secret(app_secret)
        del app_secret
        return await self._run(check_endpoint(self._api, self._settings.policy, flow_id, phone_number_id, secret))

    async def list_phone_numbers(self) -> tuple[PhoneNumber, ...]:
        """The account's phone numbers. Per-call options: `with_options`."""
        return await self._call(operations.list_phone_numbers(self._api))

    async def subscribe_app(self) -> None:
        """
        Subscribe the token's app to the account's webhooks, which publishing a flow with an endpoint requires.

        Per-call options: `with_options`.
        """
        await self._call(operations.subscribe_app(self._api))

    async def list_subscribed_apps(self) -> tuple[SubscribedApp, ...]:
        """The apps that receive the account's webhooks. Per-call options: `with_options`."""
        return await self._call(operations.list_subscribed_apps(self._api))
