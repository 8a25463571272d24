"""Everything public has a repr that helps: no address of an object, no token, and the values that tell two apart."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

import whatsapp_flows
import whatsapp_flows.endpoint
from whatsapp_flows.builder import Complete, Navigate, OpenUrl
from whatsapp_flows.contrib.opentelemetry import OpenTelemetryConsumer
from whatsapp_flows.contrib.prometheus import PrometheusConsumer
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.play import read_flow
from whatsapp_flows.pytest_plugin import FlowsClock
from whatsapp_flows.sync import Lock, LockEntry, OldDocuments, RunPace

TOKEN = "EAAtoken0123456789abcdefghij"
ADDRESS = re.compile(r"\bat 0x[0-9a-f]+")
DETAILS = whatsapp_flows.ErrorDetails(message="refused", operation="get_flow", code=190)
CALL = whatsapp_flows.Call(operation="get_flow", id=1, flow_id="7")
ERROR = whatsapp_flows.AuthenticationError(DETAILS)

# Parameter -> an argument that every class with a parameter of that name takes.
ARGUMENTS: Mapping[str, Any] = {
    "access_token": TOKEN,
    "attempt": 1,
    "attempts": 1,
    "category": "payload",
    "checks": (),
    "endpoint_uri": "https://example.com/flow",
    "result": "passed",
    "body": TOKEN.encode(),
    "call": CALL,
    "data": {"value": 1.0},
    "delay": 1.0,
    "delays": (1.0, 2.0),
    "details": DETAILS,
    "elapsed": 1.0,
    "error": ERROR,
    "errors": (ERROR,),
    "id": "7",
    "max_attempts": 3,
    "message": "refused",
    "method": "GET",
    "name": "a",
    "operation": "get_flow",
    "outcome": "answered",
    "problems": (whatsapp_flows.endpoint.AnswerProblem(key="payload-schema-error", message="missing"),),
    "policy": whatsapp_flows.NoRetry(),
    "status": 200,
    "transport": whatsapp_flows.RequestsTransport(),
    "pace": whatsapp_flows.Pace(),
    "duration": 0.5,
    "exception": "KeyboardInterrupt",
    "exhausted": False,
    "waited": 0.0,
    "success": True,
    "source_name": "a",
    "source_id": "8",
    "migrated_id": "9",
    "number": 1,
    "next_attempt": 2,
    "idempotent": True,
    "object_id": "10",
    "requests": 1,
    "reason": "no attempts left",
    "timestamp": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "token": whatsapp_flows.Secret(TOKEN),
    "url": "https://graph.facebook.com/v25.0/7",
}
OWN: Mapping[str, Callable[[], object]] = {
    "Call": lambda: CALL,
    "FlowButton": lambda: whatsapp_flows.FlowButton("Book", flow_id="7"),
    "ErrorCodes": lambda: whatsapp_flows.ERROR_CODES,
    "ErrorRow": lambda: next(iter(whatsapp_flows.ERROR_CODES)),
    "FlowStatus": lambda: whatsapp_flows.FlowStatus.DRAFT,
    "Secret": lambda: whatsapp_flows.Secret(TOKEN),
    "ClientOptions": lambda: whatsapp_flows.FlowsClient(TOKEN, app_secret="s" * 32).options,
    "AsyncClientOptions": lambda: whatsapp_flows.AsyncFlowsClient(TOKEN).options,
    "ResponseMetadata": lambda: whatsapp_flows.ResponseMetadata(status=200, headers={"x": "y"}),
    "QueuedConsumer": lambda: whatsapp_flows.QueuedConsumer(print),
    "ExponentialBackoff": lambda: whatsapp_flows.ExponentialBackoff(jitter=whatsapp_flows.equal_jitter),
}


def public_classes() -> list[str]:
    return [
        name
        for name in whatsapp_flows.__all__
        if inspect.isclass(found := getattr(whatsapp_flows, name)) and not getattr(found, "_is_protocol", False)
    ]


def made(name: str) -> object:
    """A value of a public class, from the arguments that its constructor asks for."""
    if name in OWN:
        return OWN[name]()
    cls = getattr(whatsapp_flows, name)
    needed = [
        parameter.name
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    ]
    positional = [
        ARGUMENTS[each]
        for each in needed
        if inspect.signature(cls).parameters[each].kind is not inspect.Parameter.KEYWORD_ONLY
    ]
    keywords = {
        each: ARGUMENTS[each]
        for each in needed
        if inspect.signature(cls).parameters[each].kind is inspect.Parameter.KEYWORD_ONLY
    }
    return cls(*positional, **keywords)


@pytest.mark.parametrize("name", public_classes())
def test_a_public_value_shows_what_it_is(name: str) -> None:
    """The repr names the class, and holds neither an address nor a token."""
    text = repr(made(name))
    assert name in text
    assert not ADDRESS.search(text), text
    assert TOKEN not in text


def test_an_emulator_shows_where_it_is() -> None:
    """The URL while it is served, and its account."""
    meta = Emulator(waba_id="1")
    assert repr(meta) == "Emulator(not started, waba_id='1')"
    with meta:
        assert repr(meta) == f"Emulator({meta.url}, waba_id='1')"


@pytest.mark.parametrize(
    "module",
    [
        "",
        ".builder",
        ".cli",
        ".contrib.celery",
        ".contrib.opentelemetry",
        ".contrib.prometheus",
        ".emulator",
        ".endpoint",
        ".flow_json",
        ".lsp",
        ".media",
        ".play",
        ".preview",
        ".pytest_plugin",
        ".signatures",
        ".sync",
        ".webhooks",
    ],
)
def test_no_public_class_has_the_repr_of_object(module: str) -> None:
    """Every public class has a repr of its own."""
    public = importlib.import_module(f"whatsapp_flows{module}")
    classes = [found for name in public.__all__ if inspect.isclass(found := getattr(public, name))]
    assert not [cls for cls in classes if cls.__repr__ is object.__repr__ and not getattr(cls, "_is_protocol", False)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Lock(None, account_id="1"), "Lock(in memory, account_id='1', entries=0)"),
        (OldDocuments(), "OldDocuments()"),
        (RunPace(150), "RunPace(calls_per_hour=150, calls=0)"),
        (PrometheusConsumer(CollectorRegistry()), "PrometheusConsumer(metrics=15)"),
        (FlowsClock(), "FlowsClock(now=0, sleeps=[])"),
        (read_flow({"version": "7.3", "screens": [{"id": "A"}]}), "PlayedFlow(version='7.3', screens=1)"),
        (Navigate("END", {"age": 5}), "Navigate('END')"),
        (Complete({"age": 5}), "Complete(payload=['age'])"),
        (OpenUrl("https://example.com"), "OpenUrl()"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_runs_for_long_shows_its_state(value: object, text: str) -> None:
    """The values that a debugger shows tell one from another."""
    assert repr(value) == text


def test_a_consumer_shows_what_it_dropped() -> None:
    """Spans that were dropped are counted in the repr."""
    consumer = OpenTelemetryConsumer()
    assert repr(consumer) == "OpenTelemetryConsumer(suppress_http=True, dropped=0)"
    consumer.close()


def test_a_lock_shows_its_file(tmp_path: Path) -> None:
    """The path, and how many flows are known."""
    path = tmp_path / "flows.lock.json"
    lock = Lock(path, account_id="1")
    lock.put({"booking": LockEntry(id="7", name="Booking")})
    assert repr(lock) == f"Lock({path}, account_id='1', entries=1)"
