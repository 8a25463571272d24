"""The metrics of an endpoint: what each of its events adds, through both exporters."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry

from whatsapp_flows._endpoint_errors import AnswerProblem
from whatsapp_flows._endpoint_events import AnswerRefused, EndpointEvent, EndpointRequestFinished, ErrorNotified
from whatsapp_flows.contrib import _endpoint_metrics as metrics_module
from whatsapp_flows.contrib._endpoint_metrics import ENDPOINT_METRICS, endpoint_measurements
from whatsapp_flows.contrib._metrics import METRICS, OTHER, LabelBounds, Metric
from whatsapp_flows.contrib.opentelemetry import OpenTelemetryConsumer
from whatsapp_flows.contrib.prometheus import PrometheusConsumer
from whatsapp_flows.endpoint import EndpointClient, FlowEndpoint, FlowRequest, PrivateKeys, Show, generate_key_pair

ANSWERED = EndpointRequestFinished(
    action="data_exchange",
    screen="CHOOSE",
    status=200,
    outcome="answered",
    duration=1.5,
    handler_duration=1.25,
    key_index=1,
    request_bytes=700,
    answer_bytes=300,
)
UNDECRYPTED = EndpointRequestFinished(status=421, outcome="not-decrypted", duration=0.25)
FAILED = EndpointRequestFinished(
    action="INIT", status=500, outcome="handler-failed", duration=0.5, handler_duration=0.5, key_index=0
)
NOTIFIED = ErrorNotified(action="data_exchange", screen="CHOOSE", error="PAYLOAD_SCHEMA_ERROR")
PROBLEMS = (
    AnswerProblem(key="invalid-screen-transition", message="no edge"),
    AnswerProblem(key="payload-schema-error", message="date is missing", path="/data/date"),
)
REFUSED = AnswerRefused(action="data_exchange", screen="CHOOSE", problems=PROBLEMS, sent=True)
CHOOSE = ("data_exchange", "CHOOSE")


def measured(*events: EndpointEvent) -> list[tuple[Metric, float, tuple[str, ...]]]:
    bounds = LabelBounds()
    return [each for event in events for each in endpoint_measurements(event, bounds)]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            ANSWERED,
            [
                (metrics_module.REQUESTS, 1, (*CHOOSE, "answered", "1")),
                (metrics_module.DURATION, 1.5, CHOOSE),
                (metrics_module.HANDLER_DURATION, 1.25, CHOOSE),
            ],
        ),
        (
            UNDECRYPTED,
            [
                (metrics_module.REQUESTS, 1, ("", "", "not-decrypted", "")),
                (metrics_module.DURATION, 0.25, ("", "")),
            ],
        ),
        (NOTIFIED, [(metrics_module.CLIENT_ERRORS, 1, (*CHOOSE, "payload-schema-error"))]),
        (REFUSED, [(metrics_module.REFUSED_ANSWERS, 1, (*CHOOSE, "invalid-screen-transition", "true"))]),
        (AnswerRefused(problems=()), [(metrics_module.REFUSED_ANSWERS, 1, ("", "", "", "false"))]),
        (EndpointEvent(), []),
    ],
    ids=["answered", "not decrypted", "error notified", "answer refused", "no problem", "another event"],
)
def test_what_an_event_adds(event: EndpointEvent, expected: object) -> None:
    """Requests by outcome and key, the time of the whole and of the handlers, and errors by their key."""
    assert measured(event) == expected


def test_the_table_is_whole() -> None:
    """Every metric of the module is in it, once, with a name of its own; a histogram has its buckets, in order."""
    own = {metric for metric in vars(metrics_module).values() if isinstance(metric, Metric)}
    assert own == set(ENDPOINT_METRICS)
    assert len({metric.name for metric in (*METRICS, *ENDPOINT_METRICS)}) == len(METRICS) + len(ENDPOINT_METRICS)
    for metric in ENDPOINT_METRICS:
        assert metric.name.startswith("whatsapp_flows.endpoint.")
        assert (metric.kind == "histogram") == bool(metric.buckets)
        assert list(metric.buckets) == sorted(set(metric.buckets))


def distinct(events: Iterable[EndpointEvent]) -> set[tuple[str, ...]]:
    return {labels for _, _, labels in measured(*events)}


def test_labels_are_bounded() -> None:
    """Screens, errors and keys beyond the bounds are "other"; those that are known, and the first ones, keep theirs."""
    assert len(distinct(ErrorNotified(screen=f"S{number}", error="timeout_error") for number in range(1000))) == 201
    errors = distinct(ErrorNotified(error=f"new-{number}") for number in range(1000))
    assert len(errors) == 21
    bounds = LabelBounds()
    for number in range(1000):
        bounds.client_error(f"new-{number}")
    assert bounds.client_error("new-0") == "new_0"
    assert bounds.client_error("invalid-screen-transition") == "invalid-screen-transition"
    assert bounds.client_error("new-999") == OTHER
    assert [bounds.key(index) for index in (None, 0, 9, 10, 10**9)] == ["", "0", "9", OTHER, OTHER]


def test_prometheus_exposes_them() -> None:
    """In the names of the documentation, beside the metrics of calls."""
    registry = CollectorRegistry()
    consumer = PrometheusConsumer(registry)
    for event in (ANSWERED, UNDECRYPTED, NOTIFIED, REFUSED):
        consumer(event)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"whatsapp_flows_endpoint_{name}", labels)

    place = {"action": "data_exchange", "screen": "CHOOSE"}
    assert value("requests_total", **place, outcome="answered", key="1") == 1
    assert value("requests_total", action="", screen="", outcome="not-decrypted", key="") == 1
    assert value("duration_seconds_bucket", **place, le="1.0") == 0
    assert value("duration_seconds_bucket", **place, le="2.5") == 1
    assert value("handler_duration_seconds_sum", **place) == 1.25
    assert value("client_errors_total", **place, error="payload-schema-error") == 1
    assert value("refused_answers_total", **place, error="invalid-screen-transition", sent="true") == 1


def test_opentelemetry_has_metrics_and_a_span_of_each_request() -> None:
    """The span covers the request, is a child of the current one, and has failed where the answer is 500."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    consumer = OpenTelemetryConsumer(tracer_provider=provider, meter_provider=meters)
    with provider.get_tracer("host").start_as_current_span("POST /flow") as host:
        for event in (ANSWERED, FAILED, UNDECRYPTED, NOTIFIED, REFUSED):
            consumer(event)
    assert consumer.close()
    answered, failed, undecrypted = (span for span in exporter.get_finished_spans() if span.name == "receive")
    for span in (answered, failed, undecrypted):
        assert span.kind is SpanKind.INTERNAL
        assert span.parent == host.get_span_context()
    assert dict(answered.attributes or {}) == {
        "whatsapp_flows.action": "data_exchange",
        "whatsapp_flows.screen": "CHOOSE",
        "whatsapp_flows.outcome": "answered",
        "whatsapp_flows.handler_seconds": 1.25,
        "whatsapp_flows.key": 1,
        "http.response.status_code": 200,
    }
    assert seconds(answered) == pytest.approx(1.5)
    assert answered.status.status_code is StatusCode.UNSET
    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "handler-failed"
    assert undecrypted.status.status_code is StatusCode.UNSET
    data = reader.get_metrics_data()
    assert data is not None
    names = {
        metric.name
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert names >= {metric.name for metric in ENDPOINT_METRICS}


def seconds(span: ReadableSpan) -> float:
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


def test_a_real_endpoint_feeds_them() -> None:
    """What is refused, reported or not decrypted is counted; a screen that the Flow does not have is "other"."""
    pair = generate_key_pair()
    registry = CollectorRegistry()
    flow = {
        "version": "7.3",
        "data_api_version": "3.0",
        "routing_model": {"CHOOSE": ["DETAILS"], "DETAILS": []},
        "screens": [{"id": "CHOOSE", "data": {}}, {"id": "DETAILS", "terminal": True}],
    }
    keys = PrivateKeys(pair.private_pem.reveal())
    endpoint = FlowEndpoint(keys, app_secrets="secret", flow=flow, on_event=PrometheusConsumer(registry))

    @endpoint.fallback
    def answer(request: FlowRequest) -> Show:
        return request.show("NOWHERE")

    client = EndpointClient(endpoint, pair.public_pem, "secret", sleep=lambda _: None)
    client.ping()
    client.exchange("data_exchange", "CHOOSE", {"date": "2026-12-01"}, "token")
    client.exchange("data_exchange", "SCREEN_OF_AN_ATTACKER", {}, "token")
    client.notify_error("payload-schema-error", action="data_exchange", screen="CHOOSE", token="token")
    client.ping(tamper="wrong-key")
    requests = {
        tuple(sample.labels[name] for name in ("action", "screen", "outcome", "key")): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "whatsapp_flows_endpoint_requests_total"
    }
    assert requests == {
        ("ping", "", "ping", "0"): 1,
        ("data_exchange", "CHOOSE", "answered", "0"): 1,
        ("data_exchange", "other", "answered", "0"): 1,
        ("data_exchange", "CHOOSE", "error-notified", "0"): 1,
        ("", "", "not-decrypted", ""): 1,
    }
    place = {"action": "data_exchange", "screen": "CHOOSE"}
    refused = {**place, "error": "invalid-screen-transition", "sent": "true"}
    assert registry.get_sample_value("whatsapp_flows_endpoint_refused_answers_total", refused) == 1
    reported = {**place, "error": "payload-schema-error"}
    assert registry.get_sample_value("whatsapp_flows_endpoint_client_errors_total", reported) == 1
