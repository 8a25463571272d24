"""
OpenTelemetry: an event consumer that makes spans and metrics. Extra `opentelemetry`.

    from whatsapp_flows.contrib.opentelemetry import OpenTelemetryConsumer

    client = FlowsClient(token, on_event=OpenTelemetryConsumer())

A call is a client span named as the client's method, a child of the current span. Each HTTP request is a child span of
it, by the stable semantic conventions for HTTP. Except for the few operations that need several, an attempt is one
request; `http.request.resend_count` marks a retry. During a request its span is the current one, so spans of the host's
own hooks become its children.

A request to an endpoint is a span named `receive`, a child of the span of the host's web framework.

Nothing is added to the requests: Meta receives no `traceparent`. No attribute contains a token, a body or one of Meta's
messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import Token
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ._extra import missing

if absent := missing("opentelemetry", "opentelemetry.trace", "opentelemetry.metrics"):
    raise ImportError(absent)

from opentelemetry import context, metrics, trace

# Private by name, but used by all instrumentations of OpenTelemetry to suppress those of the libraries below them.
from opentelemetry.context import _SUPPRESS_HTTP_INSTRUMENTATION_KEY, Context
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from .._endpoint_events import EndpointEvent, EndpointRequestFinished
from .._version import __version__
from ..errors import FlowsError
from ..events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Call,
    CallAborted,
    CallFailed,
    CallSucceeded,
    Event,
    RequestFinished,
    RequestStarted,
    RetryScheduled,
)
from ..queued import Background
from ._endpoint_metrics import ALL_METRICS, all_measurements
from ._metrics import MAX_OBJECTS, ONE_REQUEST, OTHER, REQUEST_DURATION, LabelBounds, Metric

__all__ = ["OpenTelemetryConsumer"]

Attributes = dict[str, AttributeValue]

_NAME: Final = "whatsapp_flows"
# Label of a metric -> OpenTelemetry attribute.
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "operation": "whatsapp_flows.operation",
    "outcome": "whatsapp_flows.outcome",
    "error": "error.type",
    "code": "whatsapp_flows.error.code",
    "subcode": "whatsapp_flows.error.subcode",
    "object": "whatsapp_flows.object_id",
    "limit": "whatsapp_flows.limit",
    "figure": "whatsapp_flows.figure",
    "action": "whatsapp_flows.action",
    "screen": "whatsapp_flows.screen",
    "key": "whatsapp_flows.key",
    "sent": "whatsapp_flows.sent",
}
_INT64: Final = 2**63  # OTLP integers are below
_MAX_ID: Final = 64
_MAX_URL: Final = 2048
_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@dataclass(slots=True)
class _Running:
    """A span that has not ended, and the context that makes it the current one."""

    span: Span
    context: Context
    token: Token[Context]
    attributes: Attributes
    ended_at: int = 0

    def leave(self) -> None:
        """Make the previous span the current one; does nothing in a thread or task that did not enter the context."""
        if context.get_current() is self.context:
            context.detach(self.token)


@dataclass(slots=True)
class _Trace:
    """The spans of one call."""

    call: _Running
    request: _Running | None = None


class OpenTelemetryConsumer:
    """
    Creates spans and metrics from the events of its clients; docs/observability.md lists them.

    The providers default to the global ones; without an SDK nothing is recorded. With `suppress_http`, instrumentations
    of HTTP libraries create no span during a request, which would duplicate this one, and send no `traceparent` to
    Meta. Spans end in a thread of their own, so an exporter that blocks does not delay a call; at most `capacity` spans
    wait there, and more are dropped. `flush` waits for them, `close` ends the thread.

    The number of series is bounded: unknown codes beyond the first hundred and hosts beyond the first twenty become
    "other", and the usage of at most `max_objects` rate limits is recorded.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        suppress_http: bool = True,
        capacity: int = 10_000,
        max_objects: int = MAX_OBJECTS,
    ) -> None:
        self._bounds = LabelBounds(max_objects)
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._record = {
            metric: _recorder(metric, meter)
            for metric in ALL_METRICS
            if metric is not REQUEST_DURATION  # replaced by the metric of the semantic conventions
        }
        self._request_duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=ONE_REQUEST,
        )
        self._suppress_http = suppress_http
        self._traces: dict[int, _Trace] = {}
        self._end: Background[tuple[Span, int]] = Background(_end, capacity=capacity)

    def __repr__(self) -> str:
        return f"OpenTelemetryConsumer(suppress_http={self._suppress_http}, dropped={self.dropped})"

    def __call__(self, event: Event) -> None:
        """Update spans and metrics with an event."""
        for metric, value, labels in all_measurements(event, self._bounds):
            if metric in self._record:
                self._record[metric](value, labels)
        if isinstance(event, EndpointEvent):
            self._endpoint(event)
            return
        if isinstance(event, AttemptStarted) and event.attempt == 1:
            self._traces[event.call.id] = _Trace(self._call_span(event.call))
        running = self._traces.get(event.call.id)
        if running is not None:
            self._trace(running, event)

    @property
    def dropped(self) -> int:
        """The number of spans dropped because `capacity` others were waiting to end."""
        return self._end.dropped

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all spans have ended; False if that takes longer than `timeout` seconds."""
        return self._end.flush(timeout)

    def close(self, timeout: float | None = 5.0) -> bool:
        """Flush, and end the thread. Spans that end later are dropped."""
        return self._end.close(timeout)

    def _trace(self, running: _Trace, event: Event) -> None:
        if isinstance(event, RequestStarted):
            self._end_request(running)
            running.request = self._request_span(event)
        elif isinstance(event, RequestFinished):
            self._finish_request(running, event)
        elif isinstance(event, AttemptSucceeded):
            self._end_request(running)
        elif isinstance(event, AttemptFailed):
            self._end_request(running, event.error)
        elif isinstance(event, RetryScheduled):
            retry = {"whatsapp_flows.next_attempt": event.next_attempt, "whatsapp_flows.delay": event.delay}
            running.call.span.add_event("whatsapp_flows.retry_scheduled", {**retry, **_error_attributes(event.error)})
        elif isinstance(event, (CallSucceeded, CallFailed, CallAborted)):
            self._end_call(running, event)

    # A call

    def _call_span(self, call: Call) -> _Running:
        attributes: Attributes = {"whatsapp_flows.operation": call.operation}
        if call.flow_id is not None:
            attributes["whatsapp_flows.flow_id"] = call.flow_id
        span = self._tracer.start_span(call.operation, kind=SpanKind.CLIENT, attributes=attributes)
        return _enter(span, trace.set_span_in_context(span), attributes)

    def _end_call(self, running: _Trace, event: CallSucceeded | CallFailed | CallAborted) -> None:
        del self._traces[event.call.id]
        span = running.call.span
        if isinstance(event, CallAborted):
            self._end_request(running, event.exception)
            _mark_failed(span, {"error.type": event.exception})
        elif isinstance(event, CallFailed):
            _mark_failed(span, _error_attributes(event.error))
            span.set_attribute("whatsapp_flows.exhausted", event.exhausted)
        span.set_attribute("whatsapp_flows.attempts", event.attempts)
        span.set_attribute("whatsapp_flows.retries", event.attempts - 1)
        span.set_attribute("whatsapp_flows.wait_seconds", event.waited)
        running.call.leave()
        self._end_span(span, time.time_ns())

    # A request

    def _request_span(self, event: RequestStarted) -> _Running:
        url = urlsplit(event.url)
        host, port = url.hostname or "", url.port or _PORTS.get(url.scheme, 0)
        span_attributes: Attributes = {
            "http.request.method": event.method,
            "server.address": host,
            "url.full": event.url[:_MAX_URL],
            "whatsapp_flows.operation": event.call.operation,
            "whatsapp_flows.attempt": event.attempt,
        }
        # The attributes of the metric, where each new value is a new series.
        attributes: Attributes = {"http.request.method": event.method, "server.address": self._bounds.host(host, port)}
        if port:
            span_attributes["server.port"] = port
            if attributes["server.address"] == host:
                attributes["server.port"] = port
        if event.call.flow_id is not None:
            span_attributes["whatsapp_flows.flow_id"] = event.call.flow_id
        if event.attempt > 1:
            span_attributes["http.request.resend_count"] = event.attempt - 1
        span = self._tracer.start_span(event.method, kind=SpanKind.CLIENT, attributes=span_attributes)
        current = trace.set_span_in_context(span)
        if self._suppress_http:
            current = context.set_value(_SUPPRESS_HTTP_INSTRUMENTATION_KEY, True, current)
        return _enter(span, current, attributes)

    def _finish_request(self, running: _Trace, event: RequestFinished) -> None:
        request = running.request
        if request is None:
            return
        if event.status is not None:
            if self._bounds.status(event.status) != OTHER:
                request.attributes["http.response.status_code"] = event.status
            request.span.set_attribute("http.response.status_code", event.status)
        if event.error is not None:
            request.attributes["error.type"] = type(event.error).__name__
            _mark_failed(request.span, _error_attributes(event.error))
        self._request_duration.record(event.duration, request.attributes)
        request.leave()
        request.ended_at = time.time_ns()

    def _end_request(self, running: _Trace, error: FlowsError | str | None = None) -> None:
        """End the span only now: whether the response could be parsed is known after the request."""
        request, running.request = running.request, None
        if request is None:
            return
        if error is not None and "error.type" not in request.attributes:
            _mark_failed(request.span, {"error.type": error} if isinstance(error, str) else _error_attributes(error))
        request.leave()
        self._end_span(request.span, request.ended_at or time.time_ns())

    # A request to an endpoint

    def _endpoint(self, event: EndpointEvent) -> None:
        """A span of the whole request, below the host's own, once it is answered."""
        if not isinstance(event, EndpointRequestFinished):
            return
        facts = {
            "whatsapp_flows.action": event.action,
            "whatsapp_flows.screen": event.screen,
            "whatsapp_flows.outcome": event.outcome,
            "whatsapp_flows.handler_seconds": event.handler_duration,
            "whatsapp_flows.key": event.key_index,
            "http.response.status_code": event.status,
        }
        now = time.time_ns()
        span = self._tracer.start_span(
            "receive",
            kind=SpanKind.INTERNAL,
            attributes={name: value for name, value in facts.items() if value is not None},
            start_time=now - int(event.duration * 1e9),
        )
        if event.status >= 500:
            _mark_failed(span, {"error.type": event.outcome})
        self._end_span(span, now)

    def _end_span(self, span: Span, at: int) -> None:
        if span.is_recording():  # others are not exported
            self._end((span, at))


def _enter(span: Span, current: Context, attributes: Attributes) -> _Running:
    return _Running(span, current, context.attach(current), attributes)


def _end(item: tuple[Span, int]) -> None:
    span, at = item
    span.end(at)


def _mark_failed(span: Span, attributes: Mapping[str, AttributeValue]) -> None:
    """Mark as failed, without a description: Meta's message may quote the body."""
    span.set_status(StatusCode.ERROR)
    span.set_attributes(attributes)


def _error_attributes(error: FlowsError) -> Attributes:
    """The class, as the conventions' `error.type`, and Meta's code, subcode and trace id within the bounds of OTLP."""
    facts: Attributes = {"error.type": type(error).__name__}
    for name, number in (("code", error.code), ("subcode", error.subcode)):
        if number is not None and abs(number) < _INT64:
            facts[f"whatsapp_flows.error.{name}"] = number
    if error.fbtrace_id is not None:
        facts["whatsapp_flows.error.fbtrace_id"] = error.fbtrace_id[:_MAX_ID]
    return facts


def _recorder(metric: Metric, meter: metrics.Meter) -> Callable[[float, tuple[str, ...]], None]:
    """Create the instrument; returns the function that adds a value with the given labels, without empty ones."""
    names = tuple(_ATTRIBUTES[label] for label in metric.labels)
    add: Callable[[float, Attributes], None]
    if metric.kind == "counter":
        add = meter.create_counter(metric.name, metric.unit, metric.help).add
    elif metric.kind == "gauge":
        add = meter.create_gauge(metric.name, metric.unit, metric.help).set
    else:
        add = meter.create_histogram(
            metric.name, metric.unit, metric.help, explicit_bucket_boundaries_advisory=metric.buckets
        ).record
    return lambda value, labels: add(value, {name: label for name, label in zip(names, labels, strict=True) if label})
