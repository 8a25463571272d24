"""The desired state, as values."""

from __future__ import annotations

import json

import pytest

from tests.support import valid_flow
from tests.sync.support import FLOW_JSON, SAME_FLOW_JSON, desired
from whatsapp_flows import ConfigurationError
from whatsapp_flows.sync import DesiredFlow, Workspace, digest_of


def test_a_flow_from_python() -> None:
    """From a dictionary, as an app defines it; the name is the key unless given."""
    flow = DesiredFlow.from_flow_json("booking", valid_flow("FIRST"), categories=["SURVEY"], publish=True)
    assert (flow.name, flow.categories, flow.publish, flow.source) == ("booking", ("SURVEY",), True, "booking")
    assert flow.digest == digest_of(FLOW_JSON)
    assert desired().source == "booking.json"
    with pytest.raises(ConfigurationError, match="flow_json"):
        DesiredFlow.from_flow_json("booking", "[")


def test_a_flow_as_plain_values() -> None:
    """For a queue: everything but its file."""
    flow = desired(publish=True, endpoint_uri="https://a.example", application_id="7", replace=True)
    again = DesiredFlow.from_json(json.loads(json.dumps(flow.to_json())))
    assert again.to_json() == flow.to_json()
    assert again.digest == flow.digest


@pytest.mark.parametrize(
    ("content", "same"),
    [(SAME_FLOW_JSON, True), (FLOW_JSON.replace(b"true", b"1"), False), (b"{", False), (None, False)],
)
def test_a_digest_depends_on_the_content_only(content: bytes | None, same: bool) -> None:
    """Layout and the order of keys do not count; `true` and `1` differ; an unreadable document has none."""
    assert (digest_of(content) == digest_of(FLOW_JSON)) == same
    assert desired(content=b"{").digest == ""


def test_a_workspace_has_no_flow_twice() -> None:
    """No two flows have the same key or name."""
    with pytest.raises(ConfigurationError, match="two flows have the key 'booking'"):
        Workspace(flows=(desired(), desired()))
    with pytest.raises(ConfigurationError, match="'Booking' is already the name of"):
        Workspace(flows=(desired(), desired("other", name="Booking")))


def test_flows_are_selected_by_key_or_name() -> None:
    """In the order of the workspace; a key comes before a name; an unknown word is refused with a hint."""
    flows = (desired("one"), desired("two", name="three"), desired("three", name="Last"))
    workspace = Workspace(flows=flows)
    assert workspace.select([]) == flows
    assert workspace.select(["three", "One"]) == (flows[0], flows[2])
    with pytest.raises(ConfigurationError, match="the workspace has no flow 'tow': did you mean 'two'"):
        workspace.select(["tow"])
