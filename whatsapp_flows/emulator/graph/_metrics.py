"""
The `metric` field: the metrics of a Flow's endpoint by hour, by day or for its lifetime.

Source: "Metrics API" page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Final

from ._call import GraphCall, bad_parameter, timestamp
from ._errors import Problem, graph_error
from ._fields import Field
from ._state import FlowRecord, MetricPoint

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
REQUEST_COUNT: Final = "ENDPOINT_REQUEST_COUNT"
MINIMUM_REQUESTS: Final = 250

# Metric -> the keys of its data.
METRIC_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "ENDPOINT_AVAILABILITY": frozenset({"succeeded", "failed"}),
    REQUEST_COUNT: frozenset({"value"}),
    "ENDPOINT_REQUEST_ERROR": frozenset(
        {"timeout_error", "unexpected_http_status_code", "cannot_be_served", "no_http_response_error"}
    ),
    "ENDPOINT_REQUEST_ERROR_RATE": frozenset({"value"}),
    "ENDPOINT_REQUEST_LATENCY_SECONDS_CEIL": frozenset({*map(str, range(1, 11)), "10+"}),
}
_AVERAGED: Final = "ENDPOINT_REQUEST_ERROR_RATE"
# Granularity -> the seconds that a point covers, and how many days `since` may be in the past.
GRANULARITY_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "DAY": (_DAY, 90),
    "HOUR": (_HOUR, 30),
    "LIFETIME": (float("inf"), float("inf")),
}


def metric_object(call: GraphCall, flow: FlowRecord, field: Field) -> dict[str, object]:
    """The value of `metric.name(..).granularity(..)`; code 139006 below 250 requests."""
    name, granularity = field.argument("name"), (field.argument("granularity") or "").upper()
    if name not in METRIC_KEYS:
        raise bad_parameter("name", "must be one of " + ", ".join(METRIC_KEYS))
    if granularity not in GRANULARITY_RANGES:
        raise bad_parameter("granularity", "must be one of " + ", ".join(GRANULARITY_RANGES))
    width, days = GRANULARITY_RANGES[granularity]
    earliest = _midnight(call.now) - days * _DAY
    since = _date(field, "since", earliest)
    until = _date(field, "until", _midnight(call.now)) + _DAY
    if since < earliest:
        raise bad_parameter("since", f"must not be more than {days:g} days back")
    if _request_count(flow.metrics) < MINIMUM_REQUESTS:
        raise graph_error(Problem.TOO_FEW_REQUESTS)
    points = [point for point in flow.metrics if point.metric == name and since <= point.at < until]
    return {"granularity": granularity, "name": name, "data_points": _data_points(call, points, width)}


def _data_points(call: GraphCall, points: Iterable[MetricPoint], width: float) -> list[dict[str, object]]:
    """The points, with those of the same hour or day combined into one."""
    grouped: dict[float, list[MetricPoint]] = {}
    for point in sorted(points, key=lambda point: point.at):
        start = point.at // width * width if width != float("inf") else 0.0
        grouped.setdefault(start, []).append(point)
    return [
        {"timestamp": timestamp(call, start or _midnight(group[0].at)), "data": _combined(group)}
        for start, group in grouped.items()
    ]


def _combined(points: list[MetricPoint]) -> list[dict[str, object]]:
    sums: dict[str, float] = {}
    for point in points:
        for key, value in point.data:
            sums[key] = sums.get(key, 0) + value
    divisor = len(points) if points[0].metric == _AVERAGED else 1
    return [{"key": key, "value": value / divisor if divisor > 1 else value} for key, value in sums.items()]


def _request_count(points: Iterable[MetricPoint]) -> float:
    return sum(value for point in points if point.metric == REQUEST_COUNT for _, value in point.data)


def _midnight(seconds: float) -> float:
    return seconds // _DAY * _DAY


def _date(field: Field, name: str, default: float) -> float:
    """The first second of a day written YYYY-MM-DD."""
    value = field.argument(name)
    if value is None:
        return default
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise bad_parameter(name, "must be a date like 2024-01-28") from None
