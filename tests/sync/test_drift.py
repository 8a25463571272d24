"""Whether the flows at Meta are as the repository describes them, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, SAME_FLOW_JSON, actual, desired
from whatsapp_flows import FlowsError, ValidationIssue
from whatsapp_flows.sync import ActualFlow, OtherFlow, Snapshot
from whatsapp_flows.sync._drift import FlowDrift, find_drift


def drift(there: ActualFlow | None, **wanted: Any) -> FlowDrift:
    flow = desired(**wanted)
    (found,) = find_drift([flow], snapshot({flow.key: there}))
    return found


def snapshot(flows: Mapping[str, ActualFlow | None], *others: OtherFlow) -> Snapshot:
    return Snapshot(account_id="1", flows=flows, others=others)


ISSUE = ValidationIssue(error="X", message="m")
CASES: list[tuple[ActualFlow | None, dict[str, Any], list[str]]] = [
    (actual(), {}, []),
    (actual(content=SAME_FLOW_JSON), {}, []),
    (actual("PUBLISHED"), {}, []),
    (actual("PUBLISHED"), {"publish": True}, []),
    (actual("SOMETHING_NEW"), {"publish": True}, []),
    (None, {}, ["missing: the account does not have it"]),
    (actual(content=OTHER_FLOW_JSON), {}, ["edited: its Flow JSON is not that of booking.json"]),
    (actual(content=None), {}, ["edited: it has no Flow JSON"]),
    (actual(), {"publish": True}, ["draft: it is a draft, and should be published"]),
    (
        actual(content=OTHER_FLOW_JSON), {"publish": True},
        ["edited: its Flow JSON is not that of booking.json", "draft: it is a draft, and should be published"],
    ),
    (actual("DEPRECATED", content=None, categories=()), {}, ["deprecated: it is deprecated, which is final"]),
    (
        actual("BLOCKED"), {},
        ["blocked: Meta has blocked it: nobody can open it until its endpoint is healthy again"],
    ),
    (
        actual("THROTTLED"), {"publish": True},
        ["throttled: Meta limits it to ten messages an hour until its endpoint is healthy again"],
    ),
    (actual(validation_errors=(ISSUE,)), {}, ["errors: Meta finds 1 error in its Flow JSON"]),
    (actual(validation_errors=(ISSUE, ISSUE)), {}, ["errors: Meta finds 2 errors in its Flow JSON"]),
    (actual(categories=()), {}, ["metadata: its categories: none, and should be OTHER"]),
    (actual(categories=("B", "A")), {"categories": ("A", "B")}, []),
    (
        actual(endpoint_uri="https://b.example"), {"endpoint_uri": "https://a.example"},
        ["metadata: its endpoint: https://b.example, and should be https://a.example"],
    ),
    (actual(), {"endpoint_uri": "e"}, ["metadata: its endpoint: none, and should be e"]),
    (actual(endpoint_uri="https://b.example", application_id="5"), {}, []),
    (actual(application_id="5"), {"application_id": "6"}, ["metadata: its application: 5, and should be 6"]),
    (actual(), {"application_id": "6"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("there", "wanted", "expected"), CASES)
def test_ways_to_drift(there: ActualFlow | None, wanted: dict[str, Any], expected: list[str]) -> None:
    """Each has a kind and a message; what flows.toml does not set cannot drift."""
    found = drift(there, **wanted)
    assert [f"{reason.kind}: {reason.message}" for reason in found.reasons] == expected
    assert found.kind == (expected[0].split(":")[0] if expected else "none")


def test_an_edit_is_reported_as_differences() -> None:
    """From the repository's Flow JSON to Meta's."""
    assert drift(actual(content=OTHER_FLOW_JSON)).changes.lines() == ["~ screen SECOND, which was FIRST"]
    assert not drift(actual()).changes


def test_an_unknown_state_is_drift() -> None:
    """Its state is unknown, so it counts as drifted."""
    error = FlowsError("no answer")
    found = drift(actual(content=None, error=error))
    assert ([reason.kind for reason in found.reasons], found.error) == (["unread"], error)


def test_other_flows_are_drift_with_extra() -> None:
    """Except the deprecated ones, which cannot be removed."""
    others = [OtherFlow(id="7", name="New", status="DRAFT"), OtherFlow(id="8", name="Old", status="DEPRECATED")]
    there = snapshot({"booking": actual(content=FLOW_JSON)}, *others)
    assert [flow.key for flow in find_drift([desired()], there)] == ["booking"]
    extra = find_drift([desired()], there, extra=True)[1:]
    assert [(flow.key, flow.name, flow.flow_id, flow.kind) for flow in extra] == [("", "New", "7", "extra")]
