"""The values that Meta documents are written once, and every package reads that list."""

from __future__ import annotations

from io import StringIO

import pytest

from tests.emulator.support import endpoint_json
from whatsapp_flows import FlowButton, FlowsClient, InvalidRequestError
from whatsapp_flows._vocabulary import (
    BUTTON_ICONS,
    FLOW_ACTIONS,
    FLOW_CATEGORIES,
    FLOW_MODES,
    GRANULARITIES,
    METRIC_NAMES,
    TEMPLATE_CATEGORIES,
)
from whatsapp_flows.cli import run
from whatsapp_flows.emulator import Emulator


def test_the_emulator_takes_every_category_and_names_them_when_it_refuses_one() -> None:
    """A flow may have all documented categories; another one is refused with the list."""
    with Emulator() as meta, FlowsClient("token", meta.waba_id, base_url=meta.url) as client:
        created = client.create_flow("all", FLOW_CATEGORIES)
        assert client.get_flow(created.id).categories == FLOW_CATEGORIES
        with pytest.raises(InvalidRequestError) as caught:
            client.create_flow("unknown", ["LEISURE"])
        assert all(category in str(caught.value) for category in FLOW_CATEGORIES)


def test_the_emulator_has_every_metric_in_every_granularity() -> None:
    """Each documented metric is available by day, by hour and for the lifetime."""
    with Emulator() as meta, FlowsClient("token", meta.waba_id, base_url=meta.url) as client:
        flow = meta.add_flow("a")
        meta.add_metric(flow.id, "ENDPOINT_REQUEST_COUNT", {"value": 300})
        for name in METRIC_NAMES:
            for granularity in GRANULARITIES:
                metric = client.get_metric(flow.id, name, granularity)
                assert (metric.name, metric.granularity) == (name, granularity)


def test_the_emulator_takes_every_way_to_send_a_flow() -> None:
    """Each mode with each action, and templates of each category with each icon; the first of each is the default."""
    with Emulator() as meta:
        client = FlowsClient("token", meta.waba_id, phone_number_id=meta.phone_number_id, base_url=meta.url)
        flow = meta.add_flow("a", flow_json=endpoint_json(), status="PUBLISHED")
        for mode in FLOW_MODES:
            for action in FLOW_ACTIONS:
                client.send_flow("491701234567", flow.id, cta="Go", body="A", mode=mode, action=action)  # type: ignore[arg-type]
        sent = [(message.mode, message.action) for message in meta.messages]
        assert sent == [(mode, action) for mode in FLOW_MODES for action in FLOW_ACTIONS]
        client.send_flow("491701234567", flow.id, cta="Go", body="A")
        assert (meta.messages[-1].mode, meta.messages[-1].action) == sent[0]
        for category in TEMPLATE_CATEGORIES:
            buttons = [FlowButton("Go", flow_id=flow.id, icon=icon) for icon in BUTTON_ICONS]
            created = client.create_flow_template(category.lower(), "en", body="A", category=category, buttons=buttons)
            assert created.category == category
        with pytest.raises(InvalidRequestError) as caught:
            client.create_flow_template("unknown", "en", body="A", category="LEISURE", buttons=buttons)
        assert all(category in str(caught.value) for category in TEMPLATE_CATEGORIES)


def test_the_help_of_the_command_line_names_every_category() -> None:
    """`flows create --help` lists the categories that Meta documents."""
    stdout, stderr = StringIO(), StringIO()
    assert run(["flows", "create", "--help"], stdout=stdout, stderr=stderr, env={}) == 0
    assert all(category in stdout.getvalue() for category in FLOW_CATEGORIES)
