"""
Prometheus: an event consumer that fills the metrics of a registry. Extra `prometheus`.

    from whatsapp_flows.contrib.prometheus import PrometheusConsumer

    client = FlowsClient(token, on_event=PrometheusConsumer())
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ._extra import missing

if absent := missing("prometheus", "prometheus_client"):
    raise ImportError(absent)

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ..errors import ConfigurationError
from ..events import Event
from ._endpoint_metrics import ALL_METRICS, all_measurements
from ._metrics import MAX_OBJECTS, LabelBounds, Metric

__all__ = ["PrometheusConsumer"]

_SUFFIXES: Final[Mapping[str, str]] = {"s": "_seconds", "1": "_ratio"}


def exported_name(metric: Metric) -> str:
    """The metric's Prometheus name, by OpenTelemetry's rules: `whatsapp_flows_wait_seconds`."""
    return metric.name.replace(".", "_") + _SUFFIXES.get(metric.unit, "") + "_total" * (metric.kind == "counter")


class PrometheusConsumer:
    """
    Counts calls, attempts, retries and waits, reports the usage of rate limits, and counts the requests to endpoints;
    docs/observability.md lists the metrics.

    Share one instance between all clients and endpoints of a process: a registry accepts each name once, and a second
    consumer with the same registry is a `ConfigurationError`. It works in memory and never blocks; in
    prometheus-client's multiprocess mode the gauges have the latest value of any process.

    The number of series is bounded: unknown codes beyond the first hundred become "other", and the usage of at most
    `max_objects` rate limits is reported.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, max_objects: int = MAX_OBJECTS) -> None:
        self._bounds = LabelBounds(max_objects)
        try:
            self._record = {metric: _recorder(metric, registry) for metric in ALL_METRICS}
        except ValueError:
            duplicate = True
        else:
            duplicate = False
        if duplicate:
            raise ConfigurationError("this registry has these metrics already: share one PrometheusConsumer.")

    def __repr__(self) -> str:
        return f"PrometheusConsumer(metrics={len(self._record)})"

    def __call__(self, event: Event) -> None:
        """Update the metrics with an event."""
        for metric, value, labels in all_measurements(event, self._bounds):
            self._record[metric](value, labels)


def _recorder(metric: Metric, registry: CollectorRegistry) -> Callable[[float, tuple[str, ...]], None]:
    """Create the metric; returns the function that adds a value to the series with the given labels."""
    name = exported_name(metric)
    if metric.kind == "counter":
        counter = Counter(name, metric.help, metric.labels, registry=registry)
        return lambda value, labels: counter.labels(*labels).inc(value)
    if metric.kind == "gauge":
        gauge = Gauge(name, metric.help, metric.labels, registry=registry, multiprocess_mode="mostrecent")
        return lambda value, labels: gauge.labels(*labels).set(value)
    histogram = Histogram(name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
    return lambda value, labels: histogram.labels(*labels).observe(value)
