"""Deprecations come last: a flow is deprecated only after its successor is live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, calls, desired, planned, synced
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import DesiredFlow, FlowEvent, Lock, Plan, apply

RENAMED = desired("booking", name="Termin", publish=True)


def deployed(meta: Emulator, client: FlowsClient, lock_file: Path, *flows: DesiredFlow) -> Lock:
    """An account and a lock file after a deployment of these flows."""
    lock = Lock(lock_file, account_id=meta.waba_id)
    assert all(result.ok for result in synced(client, *flows, lock=lock))
    meta.clear_requests()
    return lock


def states(meta: Emulator) -> dict[str, str]:
    """The state of each flow, by name."""
    return {flow.name: str(flow.status) for flow in meta.flows()}


@pytest.mark.parametrize("jobs", [1, 8])
def test_after_a_rename_the_old_flow_is_deprecated_last(
    meta: Emulator, client: FlowsClient, lock_file: Path, jobs: int
) -> None:
    """The new one is created, published and read again first."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True))
    plan = planned(client, [RENAMED], lock, prune=True)
    (deprecation,) = [change for change in plan.changes if change.action == "deprecate"]
    assert deprecation.after == "booking"
    meta.clear_requests()
    results = apply(client, plan, lock=lock, jobs=jobs)
    assert all(result.ok for result in results)
    assert states(meta) == {"Booking": "DEPRECATED", "Termin": "PUBLISHED"}
    writes = [call for call in calls(meta) if call not in {"get_flow", "list_flows"}]
    assert writes == ["create_flow", "deprecate_flow"]
    assert len(calls(meta)) == plan.calls


FAILURES: list[dict[str, Any]] = [
    {"operation": "create_flow", "code": 139002, "subcode": 4233014},
    {"operation": "create_flow", "status": 500},
    {"operation": "create_flow", "code": 80008},
    {"operation": "create_flow", "code": 10},
    {"operation": "create_flow", "code": 100},
    {"operation": "create_flow", "reset": "before"},
    {"operation": "create_flow", "status": 200, "body": {"id": "5", "validation_errors": [{"error": "NEW"}]}},
]


@pytest.mark.parametrize("key", ["booking", "termin"])
@pytest.mark.parametrize("fault", FAILURES, ids=str)
def test_the_old_flow_stays_when_its_successor_fails(
    meta: Emulator, client: FlowsClient, lock_file: Path, fault: dict[str, Any], key: str
) -> None:
    """Under the same key, or under another one, where nothing says that it is the successor."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True))
    meta.fail(**fault)
    _, old = synced(client, desired(key, name="Termin", publish=True), lock=lock, prune=True)
    assert (old.action, old.status, old.halted, old.done) == ("deprecate", "PUBLISHED", "kept", ())
    assert old.problem.startswith("kept: Termin ")
    assert states(meta)["Booking"] == "PUBLISHED"
    assert "deprecate_flow" not in calls(meta)


def test_the_old_generation_stays_when_the_new_one_cannot_be_published(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """One run creates the new one, the next prunes, and the new one is no longer live."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True, replace=True))
    old = meta.flows()[0]
    meta.lock(old.id)
    wanted = desired("booking", publish=True, replace=True, content=OTHER_FLOW_JSON)
    (new,) = synced(client, wanted, lock=lock)
    assert (new.action, new.name) == ("replace", "Booking (generation 2)")
    newest = desired("booking", publish=True, replace=True, content=FLOW_JSON.replace(b"FIRST", b"THIRD"))
    meta.fail("publish_flow", code=139002, subcode=4233014, flow_id=new.flow_id)
    _, kept = synced(client, newest, lock=lock, prune=True)
    assert (kept.flow_id, kept.problem) == (old.id, "kept: Booking (generation 2) could not be published again")
    assert meta.flow(old.id).status == "PUBLISHED"
    meta.clear_faults()
    _, gone = synced(client, newest, lock=lock, prune=True)
    assert (gone.ok, meta.flow(old.id).status) == (True, "DEPRECATED")


def test_a_successor_without_publish_keeps_the_old_flow(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """It is not live, so people use the old one."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True))
    _, old = synced(client, desired("booking", name="Termin"), lock=lock, prune=True)
    assert (old.problem, states(meta)["Booking"]) == ("kept: Termin is not live", "PUBLISHED")


def test_a_successor_that_is_blocked_in_the_plan_keeps_the_old_flow(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """By errors in its Flow JSON, for example."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True))
    broken = desired("termin", publish=True, content=b'{"version": "7.3", "screens": []}')
    _, old = synced(client, broken, lock=lock, prune=True)
    assert (old.problem, states(meta)) == ("kept: Termin is not live", {"Booking": "PUBLISHED"})


def test_a_successor_is_read_before_the_old_flow_is_deprecated(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """It was live when the plan was made, and was edited since."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True))
    synced(client, RENAMED, lock=lock)
    plan = planned(client, [RENAMED], lock, prune=True)
    assert [change.action for change in plan.changes] == ["unchanged", "deprecate"]
    client.update_flow(plan.changes[0].flow_id, categories=["SURVEY"])
    _, old = apply(client, plan, lock=lock)
    assert (old.problem, states(meta)["Booking"]) == ("kept: Termin is DRAFT", "PUBLISHED")


def test_flows_without_a_successor_are_deprecated_last(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """And stay when another flow fails; a blocked flow that is live does not prevent it."""
    lock = deployed(meta, client, lock_file, desired("old", publish=True), desired("blocked", publish=True))
    wanted = [desired("new", publish=True), desired("blocked", content=OTHER_FLOW_JSON)]
    plan = planned(client, wanted, lock, prune=True)
    assert [(change.action, change.after) for change in plan.changes] == [
        ("create", ""),
        ("blocked", ""),
        ("deprecate", ""),
    ]
    order: list[str] = []

    def ended(event: FlowEvent) -> None:
        if event.result is not None:
            order.append(event.key)

    results = apply(client, plan, lock=lock, on_event=ended)
    assert [result.action for result in results if result.ok] == ["create", "deprecate"]
    assert order[-1] == "old"


def test_the_plan_has_what_a_deprecation_waits_for(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """In its JSON and in its digest, so that removing it from the file is noticed."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True))
    plan = planned(client, [RENAMED], lock, prune=True)
    document = json.loads(json.dumps(plan.to_json()))
    assert [flow["after"] for flow in document["flows"]] == [None, "booking"]
    again = Plan.from_json(document, [RENAMED])
    assert [change.after for change in again.changes] == ["", "booking"]
    assert again.digest == plan.digest
    document["flows"][1]["after"] = None
    with pytest.raises(Exception, match="have changed since the plan"):
        Plan.from_json(document, [RENAMED])


def test_a_deprecation_whose_successor_is_not_in_the_plan_is_not_made(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """A plan from which the successor was removed."""
    lock = deployed(meta, client, lock_file, desired("booking", publish=True))
    plan = planned(client, [RENAMED], lock, prune=True)
    half = Plan(account_id=plan.account_id, changes=plan.changes[1:], options=plan.options)
    (old,) = apply(client, half, lock=lock, jobs=1)
    assert (old.problem, states(meta)) == ("kept: booking is not in the plan", {"Booking": "PUBLISHED"})
