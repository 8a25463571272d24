"""The `metric` field."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.support import NOON, Model
from whatsapp_flows._vocabulary import GRANULARITIES, METRIC_NAMES
from whatsapp_flows.emulator.graph._metrics import GRANULARITY_RANGES, METRIC_KEYS, REQUEST_COUNT
from whatsapp_flows.emulator.graph._state import MetricPoint

_DAY = 24 * 3600.0


def _point(metric: str, days_ago: float, **data: float) -> MetricPoint:
    return MetricPoint(metric=metric, at=NOON - days_ago * _DAY, data=tuple(data.items()))


_POINTS = (
    _point(REQUEST_COUNT, 100, value=1),
    _point(REQUEST_COUNT, 2, value=100),
    _point(REQUEST_COUNT, 1.01, value=100),
    _point(REQUEST_COUNT, 1, value=50),
    _point("ENDPOINT_REQUEST_ERROR", 1, timeout_error=25),
    _point("ENDPOINT_REQUEST_ERROR_RATE", 1, value=0.5),
    _point("ENDPOINT_REQUEST_ERROR_RATE", 1.1, value=0.25),
)


def _metric(model: Model, field: str, **query: str) -> Any:
    flow_id = model.add(metrics=_POINTS)
    return model.get(flow_id, fields=field, **query)["metric"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("granularity(DAY)", [("2025-12-30T00:00:00+0000", 100), ("2025-12-31T00:00:00+0000", 150)]),
        ("granularity(day).since(2025-12-31)", [("2025-12-31T00:00:00+0000", 150)]),
        ("granularity(DAY).until(2025-12-30)", [("2025-12-30T00:00:00+0000", 100)]),
        (
            "granularity(HOUR).since(2025-12-31)",
            [("2025-12-31T11:00:00+0000", 100), ("2025-12-31T12:00:00+0000", 50)],
        ),
        ("granularity(LIFETIME)", [("2025-09-23T00:00:00+0000", 251)]),
        ("granularity(LIFETIME).since(2026-01-01)", []),
    ],
)
def test_requests_are_summed_up(model: Model, arguments: str, expected: list[tuple[str, int]]) -> None:
    """By hour, by day or in total; the period includes both its ends."""
    metric = _metric(model, f"metric.name({REQUEST_COUNT}).{arguments}")
    assert metric["name"] == REQUEST_COUNT
    assert [(point["timestamp"], point["data"]) for point in metric["data_points"]] == [
        (time, [{"key": "value", "value": value}]) for time, value in expected
    ]


def test_a_rate_is_averaged(model: Model) -> None:
    """Several rates of one day are averaged."""
    metric = _metric(model, "metric.name(ENDPOINT_REQUEST_ERROR_RATE).granularity(DAY)")
    assert metric["data_points"][0]["data"] == [{"key": "value", "value": 0.375}]


def test_times_may_be_numbers(model: Model) -> None:
    """With `date_format=U`."""
    metric = _metric(model, "metric.name(ENDPOINT_REQUEST_ERROR).granularity(DAY)", date_format="U")
    assert metric["data_points"] == [
        {"timestamp": int(NOON - 1.5 * _DAY), "data": [{"key": "timeout_error", "value": 25}]}
    ]


@pytest.mark.parametrize(
    "field",
    [
        "metric",
        "metric.name(ENDPOINT_REQUEST_COUNT)",
        "metric.granularity(DAY)",
        "metric.name(NOTHING).granularity(DAY)",
        "metric.name(ENDPOINT_REQUEST_COUNT).granularity(WEEK)",
        "metric.name(ENDPOINT_REQUEST_COUNT).granularity(DAY).since(yesterday)",
        "metric.name(ENDPOINT_REQUEST_COUNT).granularity(DAY).since(2025-10-02)",
        "metric.name(ENDPOINT_REQUEST_COUNT).granularity(HOUR).since(2025-12-01)",
    ],
)
def test_a_metric_that_cannot_be_given_is_refused(model: Model, field: str) -> None:
    """Name and granularity are required; `since` is at most 90 days back, or 30 by the hour."""
    flow_id = model.add(metrics=_POINTS)
    assert model.error_codes("GET", flow_id, query={"fields": field}) == (100, None)


def test_there_must_have_been_250_requests(model: Model) -> None:
    """Below, code 139006 and no data."""
    flow_id = model.add(metrics=(_point(REQUEST_COUNT, 1, value=249),))
    field = f"metric.name({REQUEST_COUNT}).granularity(DAY)"
    assert model.error_codes("GET", flow_id, query={"fields": field}) == (139006, None)


def test_metrics_and_granularities_are_those_of_the_client() -> None:
    """The emulator defines the keys and ranges of exactly the values that the client documents."""
    assert set(METRIC_KEYS) == set(METRIC_NAMES)
    assert set(GRANULARITY_RANGES) == set(GRANULARITIES)
