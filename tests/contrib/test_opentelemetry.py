"""Spans and metrics, as the in-memory exporters of OpenTelemetry's own SDK receive them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.context import _SUPPRESS_HTTP_INSTRUMENTATION_KEY
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes, url_attributes
from opentelemetry.semconv.metrics.http_metrics import HTTP_CLIENT_REQUEST_DURATION
from opentelemetry.trace import SpanKind, StatusCode

from tests.support import FLOW, PROCESSING, TOKEN, UPLOADED, Scene, answer, refusal
from whatsapp_flows import (
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    NoAnswerError,
    Request,
    Response,
    Timeout,
    UnexpectedResponseError,
)
from whatsapp_flows.contrib.opentelemetry import OpenTelemetryConsumer
from whatsapp_flows.emulator import Emulator

PATIENCE = 30.0


class Sdk:
    """The official SDK with its in-memory exporters, and a consumer that feeds them."""

    def __init__(self, exporter: SpanExporter | None = None, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(exporter or self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.consumer = OpenTelemetryConsumer(tracer_provider=self.provider, meter_provider=self.meters, **options)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """All that have ended, in the order of their start."""
        assert self.consumer.flush(PATIENCE)
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    @cached_property
    def collected(self) -> MetricsData:
        """All metrics as they stand when they are first asked for."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return data

    def points(self, name: str) -> dict[tuple[Any, ...], Any]:
        """The points of a metric by the values of their attributes."""
        return {
            tuple(value for _, value in sorted((point.attributes or {}).items())): point
            for resource in self.collected.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        }


@pytest.fixture
def sdk() -> Iterator[Sdk]:
    sdk = Sdk()
    yield sdk
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert sdk.consumer._traces == {}
    sdk.consumer.close()
    sdk.meters.shutdown()
    sdk.provider.shutdown()


def facts(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_call_and_its_attempts_are_client_spans(sdk: Sdk) -> None:
    """One for the call, with its retries and its wait; a child for each attempt, with the HTTP attributes."""
    Scene(PROCESSING, PROCESSING, UPLOADED, on_event=[sdk.consumer]).client.update_flow_json(FLOW, b"{}")
    call, *attempts = sdk.spans
    assert {span.kind for span in sdk.spans} == {SpanKind.CLIENT}
    assert call.name == "update_flow_json"
    assert call.parent is None
    assert call.status.status_code is StatusCode.UNSET
    assert facts(call) == {
        "whatsapp_flows.operation": "update_flow_json",
        "whatsapp_flows.flow_id": FLOW,
        "whatsapp_flows.attempts": 3,
        "whatsapp_flows.retries": 2,
        "whatsapp_flows.wait_seconds": 15.0,
    }
    assert [(event.name, dict(event.attributes or {})["whatsapp_flows.delay"]) for event in call.events] == [
        ("whatsapp_flows.retry_scheduled", 5.0),
        ("whatsapp_flows.retry_scheduled", 10.0),
    ]
    assert call.context is not None
    assert [span.parent and span.parent.span_id for span in attempts] == [call.context.span_id] * 3
    first, _, last = attempts
    common = {
        http_attributes.HTTP_REQUEST_METHOD: "POST",
        url_attributes.URL_FULL: f"https://graph.facebook.com/v25.0/{FLOW}/assets",
        server_attributes.SERVER_ADDRESS: "graph.facebook.com",
        server_attributes.SERVER_PORT: 443,
        "whatsapp_flows.operation": "update_flow_json",
        "whatsapp_flows.flow_id": FLOW,
    }
    assert first.name == last.name == "POST"
    assert facts(first) == {
        **common,
        http_attributes.HTTP_RESPONSE_STATUS_CODE: 400,
        error_attributes.ERROR_TYPE: "FlowProcessingError",
        "whatsapp_flows.attempt": 1,
        "whatsapp_flows.error.code": 139001,
        "whatsapp_flows.error.subcode": 4016012,
        "whatsapp_flows.error.fbtrace_id": "AbCdEf",
    }
    assert first.status.status_code is StatusCode.ERROR
    assert facts(last) == {
        **common,
        http_attributes.HTTP_RESPONSE_STATUS_CODE: 200,
        http_attributes.HTTP_REQUEST_RESEND_COUNT: 2,
        "whatsapp_flows.attempt": 3,
    }
    assert last.status.status_code is StatusCode.UNSET


def test_a_failed_call_says_what_it_failed_of(sdk: Sdk) -> None:
    """`error.type` is the class of the error that the caller gets; the codes are further attributes."""
    scene = Scene(PROCESSING, NoAnswerError("silence"), max_attempts=2, on_event=[sdk.consumer])
    with pytest.raises(NoAnswerError):
        scene.client.update_flow_json(FLOW, b"{}")
    call, first, second = sdk.spans
    assert facts(call)["error.type"] == facts(second)["error.type"] == "NoAnswerError"
    assert facts(call)["whatsapp_flows.exhausted"] is True
    assert call.status.status_code is StatusCode.ERROR
    assert facts(first)["error.type"] == "FlowProcessingError"
    assert http_attributes.HTTP_RESPONSE_STATUS_CODE not in facts(second)


def test_an_answer_that_cannot_be_read_is_the_attempts_failure(sdk: Sdk) -> None:
    """The span is an error, although the status is 200."""
    scene = Scene(answer(b"<html>"), on_event=[sdk.consumer])
    with pytest.raises(UnexpectedResponseError):
        scene.client.update_flow_json(FLOW, b"{}")
    call, attempt = sdk.spans
    assert facts(attempt)[http_attributes.HTTP_RESPONSE_STATUS_CODE] == 200
    assert facts(attempt)["error.type"] == facts(call)["error.type"] == "UnexpectedResponseError"


def test_a_call_that_is_interrupted_ends_its_spans(sdk: Sdk) -> None:
    """Both of them, with the exception's name, and the host's span is the current one again."""
    scene = Scene(KeyboardInterrupt(), on_event=[sdk.consumer])
    with pytest.raises(KeyboardInterrupt):
        scene.client.update_flow_json(FLOW, b"{}")
    assert [facts(span)["error.type"] for span in sdk.spans] == ["KeyboardInterrupt"] * 2


def test_each_request_of_an_attempt_has_its_span(sdk: Sdk) -> None:
    """A download is two requests, to two hosts; the signed part of the link is in no attribute."""
    link = "https://cdn.example:8443/file.json?signature=abc"
    assets = answer({"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": link}]})
    Scene(assets, answer({"version": "7.3"}), on_event=[sdk.consumer]).client.download_flow_json(FLOW)
    _, listing, file = sdk.spans
    assert facts(listing)["server.address"] == "graph.facebook.com"
    assert facts(file)["url.full"] == "https://cdn.example:8443/file.json"
    assert (facts(file)["server.address"], facts(file)["server.port"]) == ("cdn.example", 8443)


def test_the_context_propagates_within_the_process(sdk: Sdk) -> None:
    """The call is a child of the host's span; what the transport does belongs to the attempt; then all is as before."""
    seen: list[tuple[trace.Span, object]] = []

    class Nosy:
        def send(self, request: Request, /, *, timeout: Timeout) -> Response:
            seen.append((trace.get_current_span(), context.get_value(_SUPPRESS_HTTP_INSTRUMENTATION_KEY)))
            return UPLOADED if len(seen) > 1 else PROCESSING

        def close(self) -> None: ...

    pauses: list[trace.Span] = []
    client = FlowsClient(
        TOKEN,
        transport=Nosy(),
        on_event=sdk.consumer,
        sleep=lambda _: pauses.append(trace.get_current_span()),
    )
    with sdk.provider.get_tracer("host").start_as_current_span("request of a user") as host:
        client.update_flow_json(FLOW, b"{}")
        assert trace.get_current_span() is host
    outer, call, *attempts = sdk.spans
    assert call.parent == outer.context
    assert [span.get_span_context() for span, _ in seen] == [attempt.context for attempt in attempts]
    assert [still for _, still in seen] == [True, True]
    assert [span.get_span_context() for span in pauses] == [call.context]


def test_other_instrumentations_may_create_spans() -> None:
    """Without `suppress_http` the host's instrumentation of requests creates child spans."""
    seen: list[object] = []

    class Nosy:
        def send(self, request: Request, /, *, timeout: Timeout) -> Response:
            seen.append(context.get_value(_SUPPRESS_HTTP_INSTRUMENTATION_KEY))
            return UPLOADED

        def close(self) -> None: ...

    sdk = Sdk(suppress_http=False)
    FlowsClient(TOKEN, transport=Nosy(), on_event=sdk.consumer).update_flow_json(FLOW, b"{}")
    assert seen == [None]
    sdk.consumer.close()
    sdk.meters.shutdown()


def test_nothing_is_added_to_what_is_sent(sdk: Sdk) -> None:
    """Over a real connection: Meta gets no traceparent, no tracestate and no baggage."""
    with (
        Emulator() as meta,
        sdk.provider.get_tracer("host").start_as_current_span("host"),
        FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, on_event=sdk.consumer) as client,
    ):
        flow = client.create_flow("Solar", ["OTHER"], flow_json={"version": "7.3", "screens": []})
        client.download_flow_json(flow.id)
        names = {name.lower() for request in meta.requests for name in request.headers}
        assert not names & {"traceparent", "tracestate", "baggage"}
        assert [facts(span)["server.port"] for span in sdk.spans if span.name == "GET"]


def test_no_token_and_no_body_is_in_any_attribute(sdk: Sdk) -> None:
    """Neither from the request, nor from Meta's message, which quotes both."""
    echo = refusal(100, message=f"token {TOKEN} and DOCUMENT", error_user_msg="DOCUMENT is wrong", status=400)
    scene = Scene(PROCESSING, echo, on_event=[sdk.consumer])
    with pytest.raises(Exception, match="DOCUMENT"):
        scene.client.update_flow_json(FLOW, b'{"DOCUMENT": 1}')
    reported = "".join(span.to_json() for span in sdk.spans)
    reported += sdk.collected.to_json()
    assert "update_flow_json" in reported
    assert TOKEN[:20] not in reported
    assert "DOCUMENT" not in reported
    assert "processing has failed" not in reported


def test_what_meta_says_is_kept_within_bounds(sdk: Sdk) -> None:
    """A code that OTLP cannot represent is omitted, and a long id is truncated."""
    scene = Scene(refusal(2**63, 2**70, fbtrace_id="A" * 100_000), on_event=[sdk.consumer])
    with pytest.raises(FlowsError):
        scene.client.update_flow_json(FLOW, b"{}")
    for span in sdk.spans:
        reported = {name: value for name, value in facts(span).items() if name.startswith("whatsapp_flows.error")}
        assert reported == {"whatsapp_flows.error.fbtrace_id": "A" * 64}


def test_the_metrics_are_those_of_the_table(sdk: Sdk) -> None:
    """Counters and histograms by operation, outcome and error; gauges of the limits."""
    answered = answer({"success": True}, headers={"x-app-usage": '{"call_count": 85}'})
    scene = Scene(PROCESSING, answered, refusal(100), on_event=[sdk.consumer])
    scene.client.update_flow_json(FLOW, b"{}")
    with pytest.raises(Exception, match="100"):
        scene.client.publish_flow(FLOW)
    upload = "update_flow_json"
    assert {key: point.value for key, point in sdk.points("whatsapp_flows.calls").items()} == {
        (upload, "success"): 1,
        ("InvalidRequestError", "100", "publish_flow", "failure"): 1,
    }
    assert {key: point.value for key, point in sdk.points("whatsapp_flows.retries").items()} == {
        ("FlowProcessingError", "139001", "4016012", upload): 1
    }
    assert sdk.points("whatsapp_flows.successes_after_retry")[(upload,)].value == 1
    (wait,) = sdk.points("whatsapp_flows.wait").values()
    assert (wait.count, wait.sum, tuple(wait.explicit_bounds)[:4]) == (1, 5.0, (1.0, 2.5, 5.0, 10.0))
    usage = {key[0]: point.value for key, point in sdk.points("whatsapp_flows.usage").items()}
    assert usage["call_count"] == 0.85
    requests = sdk.points(HTTP_CLIENT_REQUEST_DURATION)
    assert {key: point.count for key, point in requests.items()} == {
        ("FlowProcessingError", "POST", 400, "graph.facebook.com", 443): 1,
        ("POST", 200, "graph.facebook.com", 443): 1,
        ("InvalidRequestError", "POST", 400, "graph.facebook.com", 443): 1,
    }
    assert sdk.points("whatsapp_flows.request.duration") == {}


class Blocking(SpanExporter):
    """An exporter that blocks until the test releases it."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        assert self.release.wait(PATIENCE)
        return SpanExportResult.SUCCESS


def test_an_exporter_that_blocks_stalls_no_call() -> None:
    """Spans end in another thread; those beyond its capacity are dropped and counted."""
    exporter = Blocking()
    sdk = Sdk(exporter, capacity=3)
    scene = Scene(*[UPLOADED] * 4, on_event=[sdk.consumer])
    for _ in range(4):
        scene.client.update_flow_json(FLOW, b"{}")
    assert sdk.consumer.dropped >= 8 - 3 - 1
    assert not sdk.consumer.flush(0.0)
    exporter.release.set()
    assert sdk.consumer.close(PATIENCE)
    sdk.meters.shutdown()


def test_an_exporter_that_raises_breaks_no_call(sdk: Sdk, caplog: pytest.LogCaptureFixture) -> None:
    """A processor of the host's that raises when a span ends is logged once, and the next spans still end."""

    class Broken(SimpleSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise ZeroDivisionError

    sdk.provider.add_span_processor(Broken(InMemorySpanExporter()))
    scene = Scene(UPLOADED, on_event=[sdk.consumer])
    scene.client.update_flow_json(FLOW, b"{}")
    assert len(sdk.spans) == 2
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_a_call_that_another_thread_ends_leaves_its_context_alone(sdk: Sdk, caplog: pytest.LogCaptureFixture) -> None:
    """An abandoned call is ended by whoever collects it; that thread's own span stays the current one."""
    events: list[Any] = []
    Scene(UPLOADED, on_event=[events.append]).client.update_flow_json(FLOW, b"{}")
    opening, closing = events[:2], events[2:]

    def tell(some: Sequence[Any]) -> None:
        for event in some:
            sdk.consumer(event)

    worker = threading.Thread(target=tell, args=(opening,))
    worker.start()
    worker.join()
    with sdk.provider.get_tracer("host").start_as_current_span("other") as other:
        tell(closing)
        assert trace.get_current_span() is other
    assert len(sdk.spans) == 3
    assert not caplog.records


def test_events_of_a_call_without_its_first_event_are_ignored(sdk: Sdk) -> None:
    """A call without its first event has no span, and uses no memory."""
    events: list[Any] = []
    scene = Scene(PROCESSING, PROCESSING, max_attempts=2, on_event=[events.append])
    with pytest.raises(FlowProcessingError):
        scene.client.update_flow_json(FLOW, b"{}")
    for event in events[1:]:
        sdk.consumer(event)
    assert list(sdk.spans) == []


def test_without_an_sdk_nothing_is_recorded() -> None:
    """The API alone makes spans that are none, and the call goes on."""
    consumer = OpenTelemetryConsumer()
    Scene(PROCESSING, UPLOADED, on_event=[consumer]).client.update_flow_json(FLOW, b"{}")
    assert consumer.close(PATIENCE)
    assert consumer.dropped == 0


def test_hosts_named_by_answers_make_no_endless_series(sdk: Sdk) -> None:
    """A download link may name any host, and a transport may return any status; the spans say which it was."""
    links = [f"https://cdn-{number}.example/flow.json" for number in range(50)]
    assets = [
        answer({"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": link}]}) for link in links
    ]
    scene = Scene(*(each for asset in assets for each in (asset, answer({}, 200))), on_event=[sdk.consumer])
    for _ in links:
        scene.client.download_flow_json(FLOW)
    hosts = {
        dict(point.attributes or {}).get(server_attributes.SERVER_ADDRESS)
        for point in sdk.points(HTTP_CLIENT_REQUEST_DURATION).values()
    }
    assert {"graph.facebook.com", "other"} < hosts
    assert len(hosts) == 21
    assert {f"cdn-{number}.example" for number in range(50)} <= {
        facts(span).get(server_attributes.SERVER_ADDRESS) for span in sdk.spans
    }
