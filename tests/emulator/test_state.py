"""The values of the world."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from tests.emulator.support import NOON, NUMBER, WABA, Model, endpoint_json, flow_json
from whatsapp_flows.emulator.graph._documents import stored_flow_json
from whatsapp_flows.emulator.graph._state import FlowRecord, World, default_world


def test_the_default_world_is_one_account_with_a_number() -> None:
    """Nothing is subscribed, and there is no key."""
    world = default_world(WABA, (NUMBER,))
    assert world.accounts[WABA].subscribed_apps == ()
    assert [(number.id, number.verified, number.public_key) for number in world.phone_numbers_of(WABA)] == [
        (NUMBER, True, None)
    ]
    assert list(world.flows_of(WABA)) == []


def test_ids_are_too_large_for_a_float_and_never_repeat() -> None:
    """Every id exceeds 2^53, and a later one is the larger."""
    world, ids = World(), []
    for _ in range(100):
        world, flow_id = world.new_flow_id()
        ids.append(int(flow_id))
    assert ids == sorted(set(ids))
    assert ids[0] > 2**53


def test_a_world_is_replaced_and_not_changed(model: Model) -> None:
    """The previous value is unchanged."""
    before = model.world
    flow_id = model.add("one")
    assert (before.flows, list(model.world.flows)) == ({}, [flow_id])
    with pytest.raises(FrozenInstanceError):
        model.flow(flow_id).name = "two"  # type: ignore[misc]  # this is the point
    assert model.world.without_flow(flow_id).flows == {}


def test_every_node_belongs_to_an_account(model: Model) -> None:
    """An account belongs to itself; an unknown id belongs to none."""
    flow_id = model.add()
    found = [model.world.account_of(node_id) for node_id in (WABA, flow_id, NUMBER, "1")]
    assert found == [WABA, WABA, WABA, None]


@pytest.mark.parametrize(
    ("content", "has_endpoint"), [(None, False), (flow_json(), False), (endpoint_json(), True), (b"{", False)]
)
def test_a_flow_has_an_endpoint_when_its_json_says_so(content: bytes | None, has_endpoint: bool) -> None:
    """It has one if its JSON has a data API version."""
    document = None if content is None else stored_flow_json(content, NOON)
    flow = FlowRecord(id="1", waba_id=WABA, name="a", categories=("OTHER",), document=document)
    assert (flow.has_endpoint, flow.flow_json) == (has_endpoint, content)
