"""Typed use of the public API. Nobody runs this: mypy --strict reads it, and its word is the test."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict
from wsgiref.simple_server import make_server

import aiohttp
import requests
from django.urls import path
from fastapi import APIRouter
from flask import Blueprint, Flask
from prometheus_client import CollectorRegistry
from starlette.routing import Mount
from typing_extensions import assert_type

from whatsapp_flows import (
    ERROR_CODES,
    AiohttpTransport,
    Asset,
    AsyncFlowsClient,
    AsyncPacedTransport,
    CreatedFlow,
    Decision,
    EndpointReport,
    Event,
    ExponentialBackoff,
    FatalError,
    Flow,
    FlowAction,
    FlowButton,
    FlowButtonParameters,
    FlowCategory,
    FlowJsonUpdate,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    FlowStatus,
    FlowTemplate,
    FlowValidationError,
    Granularity,
    Health,
    Metric,
    MetricName,
    Migration,
    Pace,
    PacedTransport,
    PhoneNumber,
    Preview,
    PublicKey,
    QueuedConsumer,
    Request,
    RequestsTransport,
    Response,
    RetryableError,
    RetryCounters,
    RetryState,
    Secret,
    SentMessage,
    Slot,
    SubscribedApp,
    Timeout,
    Usage,
    ValidationIssue,
    equal_jitter,
    pause_before,
)
from whatsapp_flows.contrib import asgi, aws_lambda, fastapi, flask, wsgi
from whatsapp_flows.contrib.django import async_flow_view, flow_view
from whatsapp_flows.contrib.opentelemetry import OpenTelemetryConsumer
from whatsapp_flows.contrib.prometheus import PrometheusConsumer
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, Show
from whatsapp_flows.media import ResponseMedia
from whatsapp_flows.webhooks import EndpointLatency, FlowCompleted, HttpAnswer, WebhookEvent, Webhooks, combined


class Policy:
    def decide(self, state: RetryState, /) -> Decision:
        return Decision(1.0 if state.attempt < 2 else None, state.operation)


class Wire:
    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        return Response(status=200, headers={}, body=request.body or b"")

    def close(self) -> None:
        return


def heard(event: Event) -> None:
    assert_type(event.call.flow_id, str | None)


client = FlowsClient(
    lambda: "token",
    "1",
    app_secret="secret",
    max_attempts=2,
    retry_policy=ExponentialBackoff(jitter=equal_jitter),
    timeout=Timeout(connect=3, read=30),
    session=requests.Session(),
    stop=threading.Event(),
    error_codes=ERROR_CODES.with_rows({(1, None): FlowProcessingError}),
    on_event=[
        heard,
        RetryCounters(),
        QueuedConsumer(heard, capacity=10),
        PrometheusConsumer(CollectorRegistry()),
        OpenTelemetryConsumer(suppress_http=False),
    ],
)
assert_type(client.with_options(transport=Wire(), retry_policy=Policy()), FlowsClient)
assert_type(client.usage, tuple[Usage, ...])
assert_type(client.with_options(transport=PacedTransport(RequestsTransport(), Pace(burst=3))), FlowsClient)
assert_type(pause_before(Pace(), client.usage, Slot(), 0.0), Slot)
assert_type(FlowsClient.from_env({"WHATSAPP_FLOWS_ACCESS_TOKEN": "token"}), FlowsClient)

for document in ({"version": "7.3"}, "{}", b"{}", Path("flow.json"), io.BytesIO(b"{}")):
    client.update_flow_json("1", document)
assert_type(client.update_flow_json("1", {"version": "7.3"}, max_retries=3), FlowJsonUpdate)
assert_type(client.update_flow_json("1", Path("flow.json")).validation_errors, tuple[ValidationIssue, ...])
assert_type(client.create_flow("a", ["OTHER"], flow_json="{}", publish=True), CreatedFlow)
assert_type(client.list_flows(fields=("id", "name")), Iterator[Flow])
assert_type(client.find_flow_by_name("a"), Flow | None)
assert_type(client.get_flow("1").status, FlowStatus | str)
assert_type(client.get_flow("1").updated_at, datetime | None)
assert_type(client.get_health("1"), Health)
assert_type(client.get_preview("1", invalidate=True), Preview)
assert_type(client.list_assets("1"), tuple[Asset, ...])
assert_type(client.download_flow_json("1"), bytes)
assert_type(client.download_media(ResponseMedia(id="1"), "photo.jpg"), int)
assert_type(client.migrate_flows("2", ["a"]), Migration)
assert_type(client.get_metric("1", "ENDPOINT_REQUEST_COUNT", "DAY"), Metric)
metric: MetricName = "A_METRIC_OF_TOMORROW"
granularity: Granularity = "LIFETIME"
categories: list[FlowCategory] = ["SURVEY", "A_CATEGORY_OF_TOMORROW"]
assert_type(client.get_metric("1", metric, granularity), Metric)
client.update_flow("1", categories=categories)
client.update_flow("1", categories=["SURVEY".upper()])
assert_type(client.get_public_key("3"), PublicKey)
assert_type(client.check_endpoint("1", phone_number_id="3"), EndpointReport)
action: FlowAction = "data_exchange"
button = FlowButton("Book", flow_id="1", flow_action=action)
assert_type(client.send_flow("491701234567", "1", cta="Book", body="Choose", action=action), SentMessage)
assert_type(client.send_flow("491701234567", flow_name="a", cta="Book", body="Choose", data={"a": [1]}), SentMessage)
assert_type(client.create_flow_template("a", "en", body="Choose", buttons=[button], category="UTILITY"), FlowTemplate)
parameters = [FlowButtonParameters(index=1, data={"a": 1})]
assert_type(client.send_flow_template("491701234567", "a", "en", buttons=parameters), SentMessage)
assert_type(client.list_phone_numbers(), tuple[PhoneNumber, ...])
assert_type(client.list_subscribed_apps(), tuple[SubscribedApp, ...])


class AsyncWire:
    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        return Response(status=200)

    async def aclose(self) -> None:
        return


async def token() -> str:
    return "token"


async def asynchronous() -> None:
    async with AsyncFlowsClient(
        token,
        "1",
        timeout=30,
        session=aiohttp.ClientSession(),
        max_connections=50,
        sleep=asyncio.sleep,
        stop=asyncio.Event(),
        on_event=heard,
    ) as flows:
        assert_type(flows, AsyncFlowsClient)
        assert_type(flows.with_options(transport=AsyncWire(), access_token=lambda: "token"), AsyncFlowsClient)
        paced = AsyncPacedTransport(AiohttpTransport(max_connections=3, stop_grace=1.0), Pace(burst=3))
        assert_type(flows.with_options(transport=paced), AsyncFlowsClient)
        assert_type(AsyncFlowsClient.from_env({"WHATSAPP_FLOWS_ACCESS_TOKEN": "token"}), AsyncFlowsClient)
        assert_type(await flows.update_flow_json("1", Path("flow.json"), max_retries=3), FlowJsonUpdate)
        assert_type(await flows.create_flow("a", ["OTHER"], flow_json="{}", publish=True), CreatedFlow)
        assert_type(flows.list_flows(fields=("id", "name")), AsyncIterator[Flow])
        assert_type([flow.name async for flow in flows.list_flows()], list[str])
        assert_type(await flows.find_flow_by_name("a"), Flow | None)
        assert_type(await flows.get_health("1"), Health)
        assert_type(await flows.download_flow_json("1"), bytes)
        assert_type(await flows.migrate_flows("2", ["a"]), Migration)
        await flows.publish_flow("1")
        flows.with_options(transport=Wire())  # type: ignore[arg-type]
        flows.with_options(stop=threading.Event())  # type: ignore[arg-type]
        AsyncFlowsClient("token", session=requests.Session())  # type: ignore[arg-type]
        FlowsClient(token)  # type: ignore[arg-type]
        FlowsClient("token", session=aiohttp.ClientSession())  # type: ignore[arg-type]
        FlowsClient("token", transport=AsyncWire())  # type: ignore[arg-type]


def handle(event: WebhookEvent) -> None:
    """Events are told apart by their class."""
    assert_type(event.dedupe_key, str)
    if isinstance(event, FlowCompleted):
        assert_type(event.token, str | None)
        assert_type(event.timestamp, datetime | None)
        assert_type(event.media("photos"), tuple[ResponseMedia, ...])
    elif isinstance(event, EndpointLatency):
        assert_type(event.p90_latency, float | None)
        assert_type(event.alert_state, str)


async def webhooks() -> None:
    hooks = Webhooks(app_secrets=["new", Secret("old")], verify_token="token", handler=handle)
    assert_type(hooks.parse(b"{}", {}), tuple[WebhookEvent, ...])
    assert_type(hooks.verify({"hub.mode": "subscribe"}), HttpAnswer)
    assert_type(await hooks.areceive(b"{}", {}), HttpAnswer)
    assert_type(combined(hooks, hooks).receive(b"{}", {}), HttpAnswer)
    Mount("/hooks", app=asgi.app(hooks))
    assert_type(fastapi.router(combined(hooks, hooks), "/flow"), APIRouter)
    assert_type(flask.blueprint(hooks, "/flow"), Blueprint)
    Flask("service").register_blueprint(flask.blueprint(hooks, "/flow", name="flow"))
    make_server("", 8000, wsgi.app(hooks))
    path("flow", flow_view(hooks))
    path("flow", async_flow_view(hooks))
    assert_type(aws_lambda.handler(hooks)({}, None), dict[str, Any])
    asgi.app("hooks")  # type: ignore[arg-type]
    Webhooks("secret")  # type: ignore[call-arg]
    Webhooks(app_secrets=7)  # type: ignore[arg-type]


client.update_flow_json("1", {}, max_retry=3)  # type: ignore[call-arg]
client.update_flow_json("1", 7)  # type: ignore[arg-type]
client.create_flow("a")  # type: ignore[call-arg]
client.with_options(max_attempts="3")  # type: ignore[arg-type]
FlowsClient("token", "1", "v25.0")  # type: ignore[call-arg]

try:
    client.publish_flow("1")
except FlowProcessingError as error:
    assert_type(error.retry_after, float | None)
except FlowValidationError as error:
    assert_type(error.issues, tuple[ValidationIssue, ...])
except (RetryableError, FatalError) as error:
    assert_type(error.attempts, tuple[FlowsError, ...])


class ChooseData(TypedDict):
    """What a screen submits."""

    service: str


def typed_handlers(endpoint: FlowEndpoint) -> None:
    """A handler knows the keys of what its screen submits."""

    @endpoint.data_exchange("CHOOSE", data=ChooseData)
    def choose(request: FlowRequest[ChooseData]) -> Show:
        assert_type(request.data["service"], str)
        return request.show("NEXT")

    @endpoint.data_exchange("OTHER", data=ChooseData)
    async def other(request: FlowRequest[ChooseData]) -> Answer:
        return request.show("NEXT", **request.data)

    @endpoint.data_exchange
    def every(request: FlowRequest) -> Answer:
        assert_type(request, FlowRequest[Mapping[str, Any]])
        return request.close()
