"""The service in examples/flow_service: Boolean results, three attempts, the log lines, and one flow for each name."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support import valid_flow
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.pytest_plugin import FlowsClock

MODULE = Path(__file__).parent.parent / "examples" / "flow_service" / "whatsapp_flow_service.py"


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    """The example, imported from its file."""
    spec = importlib.util.spec_from_file_location("whatsapp_flow_service", MODULE)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    yield loaded
    del sys.modules[spec.name]


@pytest.fixture
def service(module: ModuleType, flows_client: FlowsClient) -> Any:
    return module.WhatsAppFlowService(flows_client)


def test_the_page_shows_the_file() -> None:
    """docs/migrating.md has its number of lines, and its method of the upload."""
    source = MODULE.read_text("utf-8")
    page = (MODULE.parents[2] / "docs" / "migrating.md").read_text("utf-8")
    assert f"in {len(source.splitlines())} lines" in page
    method = source.partition("    def update_flow_json(")[2].partition("\n    def ")[0]
    assert method.strip() in page


@pytest.mark.flows_fault("update_flow_json", code=139001, subcode=4016012, times=2)
def test_an_upload_is_sent_three_times(service: Any, flows_clock: FlowsClock, caplog: pytest.LogCaptureFixture) -> None:
    """With the waits of the service that it replaces, and its lines in the log."""
    caplog.set_level(logging.INFO, "whatsapp_flows")
    flow_id = service.create_flow("Booking", "OTHER")
    assert service.update_flow_json(flow_id, valid_flow(), max_retries=3) is True
    assert flows_clock.sleeps == [5.0, 10.0]
    assert f"Retry attempt 3/3 for flow ID: {flow_id}" in caplog.messages
    assert f"Successfully updated flow JSON for flow ID: {flow_id}" in caplog.messages


@pytest.mark.flows_fault("update_flow_json", code=139001, subcode=4016012)
def test_an_upload_that_keeps_failing_is_false(service: Any, caplog: pytest.LogCaptureFixture) -> None:
    """And logged as an error."""
    assert service.update_flow_json(service.create_flow("Booking", "OTHER"), valid_flow()) is False
    assert "Failed to update flow JSON after 3 attempts" in caplog.messages


@pytest.mark.flows_fault("update_flow_json", code=190)
def test_another_error_is_not_retried(service: Any, flows_clock: FlowsClock) -> None:
    """A token that Meta refuses stays refused."""
    assert service.update_flow_json(service.create_flow("Booking", "OTHER"), valid_flow()) is False
    assert flows_clock.sleeps == []


def test_a_flow_json_with_errors_is_false(service: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is stored and cannot be published; the log says why."""
    flow_id = service.create_flow("Booking", "OTHER")
    assert service.update_flow_json(flow_id, {"version": "7.3", "screens": []}) is False
    assert any("MIN_ITEMS_REQUIRED" in message for message in caplog.messages)
    assert service.publish_flow(flow_id) is False


def test_the_life_of_a_flow(service: Any, flows_emulator: Emulator) -> None:
    """Every method, from creating to retiring; what Meta refuses is False or None."""
    flow_id = service.create_flow("Booking", "OTHER")
    assert service.create_flow("Booking", "OTHER") is None
    assert service.update_flow_json(flow_id, valid_flow()) is True
    assert service.get_preview_url(flow_id).startswith("https://")
    assert service.get_preview_url("404") is None
    assert service.publish_flow(flow_id) is True
    assert service.delete_flow(flow_id) is False
    assert service.deprecate_flow(flow_id) is True
    assert [flow.status for flow in service.list_flows()] == ["DEPRECATED"]
    draft = service.create_flow("Survey", "SURVEY")
    assert service.delete_flow(draft) is True


def test_sync_makes_one_flow(service: Any, flows_emulator: Emulator) -> None:
    """Created and published the first time, untouched the second."""
    first = service.sync("Booking", "OTHER", valid_flow(), publish=True)
    assert (first.ok, first.status) == (True, "PUBLISHED")
    sent = len(flows_emulator.requests)
    assert service.sync("Booking", "OTHER", valid_flow(), publish=True) == first
    assert {request.method for request in flows_emulator.requests[sent:]} == {"GET"}


@pytest.mark.flows_fault("list_flows", status=503)
def test_sync_says_when_to_come_back(service: Any) -> None:
    """Meta is down: not an answer about the flow."""
    result = service.sync("Booking", "OTHER", valid_flow())
    assert (result.ok, result.retry_after) == (False, 60.0)


def test_sync_refuses_what_meta_would_refuse(service: Any, flows_emulator: Emulator) -> None:
    """The validator finds it first; another try would not help."""
    result = service.sync("Booking", "OTHER", {"version": "7.3", "screens": []})
    assert (result.ok, result.retry_after) == (False, None)
    assert flows_emulator.flows() == ()
