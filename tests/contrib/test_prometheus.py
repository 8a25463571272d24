"""The same metrics through prometheus-client; the alerts and the dashboard that query them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.support import FLOW, PROCESSING, TOKEN, UPLOADED, Scene, answer, refusal
from whatsapp_flows import ConfigurationError
from whatsapp_flows._endpoint_events import LATENCY_ALERTS
from whatsapp_flows._http_answer import Outcome
from whatsapp_flows.contrib._endpoint_metrics import ALL_METRICS, DURATION
from whatsapp_flows.contrib.prometheus import PrometheusConsumer, exported_name

DOCS = Path(__file__).resolve().parents[2] / "docs"
ALERTS = DOCS / "observability" / "alerts.yml"
DASHBOARD = DOCS / "observability" / "dashboard.json"
RECORDED = re.findall(r"- record: (\S+)", ALERTS.read_text())


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_the_figures_are_exposed(registry: CollectorRegistry) -> None:
    """Counters, histograms and gauges with their labels, in the names that OpenTelemetry's exporter would give."""
    output = answer({"success": True}, headers={"x-app-usage": '{"call_count": 85}'})
    scene = Scene(PROCESSING, output, refusal(100), on_event=[PrometheusConsumer(registry)])
    scene.client.update_flow_json(FLOW, b"{}")
    with pytest.raises(Exception, match="100"):
        scene.client.publish_flow(FLOW)
    none = {"error": "", "code": "", "subcode": ""}
    processed = {"error": "FlowProcessingError", "code": "139001", "subcode": "4016012"}
    upload = {"operation": "update_flow_json"}

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"whatsapp_flows_{name}", labels)

    assert value("calls_total", **upload, outcome="success", **none) == 1
    assert value("calls_total", operation="publish_flow", outcome="failure", error="InvalidRequestError", code="100",
                 subcode="") == 1  # fmt: skip
    assert value("attempts_total", **upload, outcome="failure", **processed) == 1
    assert value("retries_total", **upload, **processed) == 1
    assert value("successes_after_retry_total", **upload) == 1
    assert value("failures_after_retry_total", **upload) is None
    assert value("wait_seconds_sum", **upload) == 5.0
    assert value("wait_seconds_bucket", **upload, le="5.0") == 1
    assert value("call_duration_seconds_count", **upload, outcome="success") == 1
    assert value("request_duration_seconds_count", **upload, status="400") == 1
    assert value("usage_ratio", object="app", limit="", figure="call_count") == 0.85
    assert value("regain_access_seconds", object="app", limit="") == 0.0
    assert TOKEN[:20] not in generate_latest(registry).decode()


def test_a_registry_has_one_consumer(registry: CollectorRegistry) -> None:
    """A second one is a ConfigurationError; the first is not affected."""
    consumer = PrometheusConsumer(registry)
    with pytest.raises(ConfigurationError, match="share one"):
        PrometheusConsumer(registry)
    Scene(UPLOADED, on_event=[consumer]).client.update_flow_json(FLOW, b"{}")
    assert b"whatsapp_flows_calls_total{" in generate_latest(registry)


def series() -> dict[str, set[str]]:
    """The names that a query may ask for, with their labels."""
    found = {}
    for metric in ALL_METRICS:
        name = exported_name(metric)
        labels = set(metric.labels)
        if metric.kind == "histogram":
            found.update({f"{name}_sum": labels, f"{name}_count": labels, f"{name}_bucket": {*labels, "le"}})
        else:
            found[name] = labels
    return found


def assert_it_can_be_asked(query: str) -> None:
    """Each metric that a query names is exposed, with each label that it selects or groups by."""
    names = re.findall(r"\bwhatsapp_flows[_:][\w:]+", query)
    assert names, query
    known = {**series(), **{key: {"operation"} for key in RECORDED}}
    for name in names:
        assert name in known, name
    labels = set().union(*(known[name] for name in names))
    for selector in re.findall(r"\{([^}]*)\}", query):
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector)) <= {*labels, "job", "instance"}, query
    for group in re.findall(r"\b(?:by|without) \(([^)]*)\)", query):
        assert set(re.findall(r"\w+", group)) <= labels, query


def test_the_alerts_ask_for_metrics_that_exist() -> None:
    """Retries, rate limits, and an endpoint's answers, 421s and latency: in terms of what is exposed."""
    text = ALERTS.read_text()
    alerts = re.findall(r"^ +- alert: (\w+)$", text, re.MULTILINE)
    assert alerts == [
        "WhatsAppFlowsRetriesDoNotHelp",
        "WhatsAppFlowsRetriesExhausted",
        "WhatsAppFlowsNearRateLimit",
        "WhatsAppFlowsRateLimited",
        "WhatsAppFlowsAnswersRefused",
        "WhatsAppFlowsBadSignatures",
        "WhatsAppFlowsNotDecrypted",
        "WhatsAppFlowsEndpointFails",
        "WhatsAppFlowsEndpointSlow",
        "WhatsAppFlowsEndpointVerySlow",
        "WhatsAppFlowsEndpointNearTimeLimit",
    ]
    queries = re.findall(r"expr: (?:>-?|\|-?)\n((?: {10,}.*\n)+)", text)
    assert len(queries) == len(RECORDED) + len(alerts)
    for query in queries:
        assert_it_can_be_asked(query)
    ratio, exhausted, near, _, refused, unsigned, undecrypted, failed, *slow = queries[len(RECORDED) :]
    assert all(name in ratio for name in RECORDED)
    assert "< 0.8" in ratio
    assert 'outcome="exhausted"' in exhausted
    assert "> 0.8" in near
    assert "refused_answers" in refused
    requests = "whatsapp_flows_endpoint_requests_total"
    bad_signatures, of_all = re.findall(r"rate\(([^)]+)\)", unsigned)
    assert (bad_signatures, of_all) == (f'{requests}{{outcome="bad-signature"}}[15m]', f"{requests}[15m]")
    assert f"and sum(increase({requests}[15m])) >= 20" in unsigned  # the floor
    assert 'outcome="not-decrypted"' in undecrypted
    for query in (undecrypted, failed):  # those without a signature do not dilute the share
        assert f'/ sum(rate({requests}{{outcome!~"bad-signature|too-large"}}[15m])) > 0.05' in query
    outcomes = set(re.findall(r"[\w-]+", re.findall(r'outcome=~"([^"]*)"', failed)[0]))
    assert outcomes < set(get_args(Outcome))
    assert [re.findall(r"> (\d+)$", query.strip()) for query in slow] == [[f"{level:g}"] for level in LATENCY_ALERTS]
    assert all(level in DURATION.buckets for level in (*LATENCY_ALERTS, 10.0))


def targets(panels: list[dict[str, Any]]) -> list[str]:
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def test_the_dashboard_can_be_imported() -> None:
    """It has no fixed data source, panels do not overlap, and each query is valid."""
    board = json.loads(DASHBOARD.read_text())
    assert board["id"] is None
    assert board["__inputs"][0]["name"] == "DS_PROMETHEUS"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells
    queries = targets(board["panels"])
    for query in queries:
        assert_it_can_be_asked(query)
    asked = set(re.findall(r"\bwhatsapp_flows_\w+", " ".join(queries)))
    for metric in ALL_METRICS:
        assert any(name.startswith(exported_name(metric)) for name in asked), metric.name
