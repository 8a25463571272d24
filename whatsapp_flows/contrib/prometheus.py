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
from ._figures import MAX_OBJECTS, METRICS, LabelBounds, Metric, measurements

__all__ = ["PrometheusConsumer"]

_SUFFIXES: Final[Mapping[str, str]] = {"s": "_seconds", "1": "_ratio"}


def exported_name(metric: Metric) -> str:
    """The metric's name as Prometheus has it, by OpenTelemetry's rules: `whatsapp_flows_wait_seconds`."""
    return metric.name.replace(".", "_") + _SUFFIXES.get(metric.unit, "") + "_total" * (metric.kind == "counter")


class PrometheusConsumer:
    """
    Counts calls, attempts, retries and waits, and shows how near the rate limits are; docs/observability.md lists
    the metrics.

    Share one between all clients of a process: a registry takes each name once, and a second consumer for it is a
    `ConfigurationError`. It works in memory and never blocks; in prometheus-client's multiprocess mode the gauges
    show the latest value of any process.

    What comes from answers makes no endless series: an unknown code beyond the first hundred is "other", and the usage
    of at most `max_objects` rate limits is shown.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, max_objects: int = MAX_OBJECTS) -> None:
        self._bounds = LabelBounds(max_objects)
        try:
            self._record = {metric: _recorder(metric, registry) for metric in METRICS}
        except ValueError:
            taken = True
        else:
            taken = False
        if taken:
            raise ConfigurationError("this registry has these metrics already: share one PrometheusConsumer.")

    def __call__(self, event: Event) -> None:
        """Adds what the event tells."""
        for metric, value, labels in measurements(event, self._bounds):
            self._record[metric](value, labels)


def _recorder(metric: Metric, registry: CollectorRegistry) -> Callable[[float, tuple[str, ...]], None]:
    """Makes the metric; the function adds a value to the series with these labels."""
    name = exported_name(metric)
    if metric.kind == "counter":
        counter = Counter(name, metric.help, metric.labels, registry=registry)
        return lambda value, labels: counter.labels(*labels).inc(value)
    if metric.kind == "gauge":
        gauge = Gauge(name, metric.help, metric.labels, registry=registry, multiprocess_mode="mostrecent")
        return lambda value, labels: gauge.labels(*labels).set(value)
    histogram = Histogram(name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
    return lambda value, labels: histogram.labels(*labels).observe(value)
