"""The status of the flows: state, health, version, and the day on which that version freezes."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sync.support import FLOW_JSON, desired
from whatsapp_flows import AuthenticationError, FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync._status import FlowState, frozen_on, read_states


def test_one_request_returns_every_status(meta: Emulator, client: FlowsClient) -> None:
    """A missing flow has an entry too."""
    flow_id = client.create_flow("Booking", ["OTHER"], flow_json=FLOW_JSON, publish=True).id
    meta.clear_requests()
    there, missing = read_states(client, [desired(), desired("other")])
    assert len(meta.requests) == 1
    assert (there.key, there.id, there.status, there.version) == ("booking", flow_id, "PUBLISHED", "7.3")
    assert (there.health, there.errors, there.frozen_on) == ("AVAILABLE", 0, None)
    assert there.changed_at is not None
    assert missing == FlowState(key="other", name="Other")


def test_without_health_the_other_fields_are_read(meta: Emulator, client: FlowsClient) -> None:
    """Meta documents `health_status` for one flow, not for a list."""
    client.create_flow("Booking", ["OTHER"], flow_json=FLOW_JSON)
    meta.fail("list_flows", code=100, times=1)
    (found,) = read_states(client, [desired()])
    assert (found.status, found.version, found.health) == ("DRAFT", "7.3", "")


def test_any_other_refusal_is_raised(meta: Emulator, client: FlowsClient) -> None:
    """It is not repeated with other fields."""
    meta.fail("list_flows", code=190, times=1)
    with pytest.raises(AuthenticationError):
        read_states(client, [desired()])


def test_the_status_is_that_of_the_generation_in_use(client: FlowsClient) -> None:
    """Of a deprecated one only if there is no other."""
    for name in ("Booking", "Booking (generation 2)", "Booking (generation 3)"):
        client.create_flow(name, ["OTHER"], flow_json=FLOW_JSON, publish=True)
    ids = {flow.name: flow.id for flow in client.list_flows()}
    client.deprecate_flow(ids["Booking (generation 3)"])
    assert read_states(client, [desired(replace=True)])[0].name == "Booking (generation 2)"
    client.deprecate_flow(ids["Booking (generation 2)"])
    client.deprecate_flow(ids["Booking"])
    assert read_states(client, [desired(replace=True)])[0].name == "Booking (generation 3)"


@pytest.mark.parametrize(
    ("version", "day"),
    [("4.0", date(2025, 4, 8)), ("7.3", None), ("99.0", None), ("odd", None), ("", None), (None, None)],
)
def test_the_day_on_which_a_version_freezes(version: str | None, day: date | None) -> None:
    """From the table of versions; None if none is announced."""
    assert frozen_on(version) == day


def test_days_left_until_that_day() -> None:
    """0 from that day on."""
    state = FlowState(key="a", name="A", frozen_on=date(2026, 12, 1))
    assert [state.days_left(date(2026, *day)) for day in ((11, 1), (11, 30), (12, 1), (12, 9))] == [30, 1, 0, 0]
    assert FlowState(key="a", name="A").days_left(date(2026, 1, 1)) is None
