"""Planning: a table of cases, and properties that hold in every case."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.support import FAULTY_FLOW_JSON, FLOW_JSON, OTHER_FLOW_JSON, SAME_FLOW_JSON, actual, desired
from whatsapp_flows import NoAnswerError, PlanError, ValidationIssue
from whatsapp_flows.sync import (
    ActualFlow,
    DesiredFlow,
    FlowChange,
    OtherFlow,
    Plan,
    PlanOptions,
    Snapshot,
    counted,
    diff,
)

LIVE = ("PUBLISHED", "THROTTLED", "BLOCKED", "SOMETHING_NEW")
PLAIN = PlanOptions()
ALLOW = PlanOptions(allow_unpublish=True)
PUBLISH: dict[str, Any] = {"publish": True}
OTHER: dict[str, Any] = {"content": OTHER_FLOW_JSON}
LARGE = FLOW_JSON + b" " * (1024 * 1024)


def change_of(wanted: DesiredFlow, found: ActualFlow | None, options: PlanOptions = PLAIN) -> FlowChange:
    """The change of one flow."""
    (change,) = diff([wanted], Snapshot(account_id="1", flows={wanted.key: found}, listed=1), options).changes
    return change


@pytest.mark.parametrize(
    ("wanted", "found", "options", "action", "steps"),
    [
        (desired(), None, PLAIN, "create", ("create",)),
        (desired(**PUBLISH), None, PLAIN, "create", ("create",)),
        (desired(application_id="7"), None, PLAIN, "create", ("create", "update")),
        (desired(application_id="7", **PUBLISH), None, PLAIN, "create", ("create", "update", "publish")),
        (desired(content=LARGE, **PUBLISH), None, PLAIN, "create", ("create", "upload", "publish")),
        (desired(content=FAULTY_FLOW_JSON), None, PLAIN, "blocked", ()),
        (desired(), actual(), PLAIN, "unchanged", ()),
        (desired(), actual(known=False), PLAIN, "adopt", ()),
        (desired(content=FAULTY_FLOW_JSON), actual(content=FAULTY_FLOW_JSON), PLAIN, "unchanged", ()),
        (desired(), actual(processed=None), PLAIN, "unchanged", ()),
        (desired(), actual(processed=False), PLAIN, "upload", ("upload",)),
        (desired(**PUBLISH), actual(), PLAIN, "publish", ("publish",)),
        (desired(**PUBLISH), actual(processed=None), PLAIN, "publish", ("upload", "publish")),
        (desired(), actual(**OTHER), PLAIN, "upload", ("upload",)),
        (desired(), actual(content=None), PLAIN, "upload", ("upload",)),
        (desired(), actual(content=b"{"), PLAIN, "upload", ("upload",)),
        (desired(**PUBLISH), actual(**OTHER), PLAIN, "upload", ("upload", "publish")),
        (desired(), actual(content=SAME_FLOW_JSON), PLAIN, "unchanged", ()),
        (desired(categories=("SURVEY",)), actual(), PLAIN, "update", ("update",)),
        (desired(categories=("SURVEY",)), actual(**OTHER), PLAIN, "upload", ("update", "upload")),
        (desired(categories=("A", "B")), actual(categories=("B", "A")), PLAIN, "unchanged", ()),
        (desired(endpoint_uri="https://a.example"), actual(), PLAIN, "update", ("update",)),
        (desired(), actual(endpoint_uri="https://a.example"), PLAIN, "unchanged", ()),
        (desired(application_id="7"), actual(application_id="8"), PLAIN, "update", ("update",)),
        (desired(), actual(application_id="8"), PLAIN, "unchanged", ()),
        (desired(), actual("PUBLISHED"), PLAIN, "unchanged", ()),
        (desired(), actual("PUBLISHED", known=False), PLAIN, "adopt", ()),
        (desired(**PUBLISH), actual("PUBLISHED"), PLAIN, "unchanged", ()),
        (desired(**PUBLISH), actual("PUBLISHED", **OTHER), PLAIN, "republish", ("upload", "publish")),
        (
            desired(**PUBLISH),
            actual("PUBLISHED", categories=("SURVEY",), **OTHER),
            PLAIN,
            "republish",
            ("update", "upload", "publish"),
        ),
        (desired(content=FAULTY_FLOW_JSON, **PUBLISH), actual("PUBLISHED"), PLAIN, "blocked", ()),
        (desired(), actual("PUBLISHED", **OTHER), PLAIN, "blocked", ()),
        (desired(), actual("PUBLISHED", **OTHER), ALLOW, "upload", ("upload",)),
        (desired(), actual("PUBLISHED", categories=("SURVEY",)), ALLOW, "update", ("update",)),
        (desired(**PUBLISH), actual("THROTTLED"), PLAIN, "unchanged", ()),
        (desired(**PUBLISH), actual("THROTTLED", **OTHER), PLAIN, "blocked", ()),
        (desired(**PUBLISH), actual("BLOCKED", **OTHER), ALLOW, "blocked", ()),
        (desired(replace=True, **PUBLISH), actual("BLOCKED", **OTHER), PLAIN, "replace", ("create",)),
        (desired(**PUBLISH), actual("SOMETHING_NEW", **OTHER), ALLOW, "blocked", ()),
        (desired(**PUBLISH), actual("SOMETHING_NEW"), PLAIN, "unchanged", ()),
        (desired(), actual("DEPRECATED", content=None), ALLOW, "blocked", ()),
        (desired(replace=True), actual("DEPRECATED", content=None), PLAIN, "replace", ("create",)),
        (desired(replace=True, name="N" * 190), actual("DEPRECATED"), PLAIN, "blocked", ()),
    ],
)
def test_the_change_for_each_desired_and_actual_state(
    wanted: DesiredFlow, found: ActualFlow | None, options: PlanOptions, action: str, steps: tuple[str, ...]
) -> None:
    """The change follows from the two states and the options alone; a reason says why a flow is blocked."""
    change = change_of(wanted, found, options)
    assert (change.action, change.steps) == (action, steps)
    assert bool(change.blocked) == (action == "blocked") <= bool(change.reason)


@pytest.mark.parametrize(
    ("wanted", "found", "why", "expected"),
    [
        (desired(content=FAULTY_FLOW_JSON), None, "validation", "1 error in booking.json"),
        (desired(content=FLOW_JSON.replace(b'"7.3"', b'"2.1"')), None, "frozen", "frozen since"),
        (desired(), actual("DEPRECATED"), "deprecated", "deprecated, which is final"),
        (desired(), actual("DEPRECATED", known=False), "name", "a deprecated flow has this name"),
        (desired(**PUBLISH), actual("THROTTLED", **OTHER), "state", "throttled, and cannot be edited"),
        (desired(), actual("PUBLISHED", **OTHER), "unpublish", "--allow-unpublish leaves it a draft"),
        (desired(), actual(error=NoAnswerError("silence")), "unread", "silence"),
    ],
)
def test_a_blocked_flow_has_a_reason(wanted: DesiredFlow, found: ActualFlow | None, why: str, expected: str) -> None:
    """In one word and in a sentence, with a remedy if there is one."""
    change = change_of(wanted, found, PlanOptions(today=date(2026, 11, 1)))
    assert change.blocked == why
    assert expected in change.reason


def test_a_draft_in_which_meta_found_errors_is_not_published() -> None:
    """It is the same as the file, so there is nothing to send, and it cannot be published."""
    issues = (ValidationIssue(error="E", message="M"), ValidationIssue(error="E", message="M"))
    change = change_of(desired(**PUBLISH), actual(validation_errors=issues))
    assert (change.blocked, change.issues) == ("validation", issues)
    assert change.reason == "Meta found 2 errors in booking.json"


def test_a_replacement_has_the_name_of_the_next_generation() -> None:
    """Also when generations in between are missing or deprecated."""
    found = actual("BLOCKED", generation=2, last_generation=4, **OTHER)
    assert change_of(desired(replace=True), found).name == "Booking (generation 5)"


@pytest.mark.parametrize(
    ("change", "calls", "seconds"),
    [
        (change_of(desired(**PUBLISH), None), 1, 0.0),
        (change_of(desired(**PUBLISH), actual("PUBLISHED", **OTHER)), 3, 2.0),
        (change_of(desired(), actual("PUBLISHED", **OTHER), ALLOW), 2, None),
        (change_of(desired(), actual()), 0, 0.0),
    ],
)
def test_the_requests_and_the_time_as_a_draft(change: FlowChange, calls: int, seconds: float | None) -> None:
    """Not at all, for a moment, or from then on."""
    assert (change.calls, change.draft_seconds()) == (calls, seconds)


def test_a_slow_pace_makes_the_time_as_a_draft_longer() -> None:
    """Between the upload and the publishing there may be a pause of the budget."""
    change = change_of(desired(**PUBLISH), actual("PUBLISHED", **OTHER))
    assert change.draft_seconds(calls_per_hour=200) == 2 + 18


# -- the plan as a whole


def snapshot_of(count: int, found: ActualFlow | None) -> tuple[list[DesiredFlow], Snapshot]:
    """So many flows, each of them there as `found`."""
    flows = [desired(f"f{number}", publish=True) for number in range(count)]
    return flows, Snapshot(account_id="1", flows={flow.key: found for flow in flows}, listed=count, remembers=True)


@pytest.mark.parametrize(
    ("count", "changed", "refused"),
    [(200, 0, False), (10, 10, False), (11, 11, True), (40, 12, False), (40, 13, True)],
)
def test_too_many_changes_need_force(count: int, changed: int, refused: bool) -> None:
    """Over ten changes, and over three in ten of the existing flows; `force` permits it."""
    flows, snapshot = snapshot_of(count, actual("PUBLISHED"))
    moved = {flow.key: actual("PUBLISHED", **OTHER) for flow in flows[:changed]}
    snapshot = Snapshot(account_id="1", flows={**snapshot.flows, **moved}, listed=count)
    plan = diff(flows, snapshot)
    assert bool(plan.refusal) == refused
    assert not diff(flows, snapshot, PlanOptions(force=True)).refusal
    if refused:
        with pytest.raises(PlanError, match="set force"):
            plan.raise_if_refused()
        plan.raise_if_refused(force=True)


def test_new_flows_are_never_too_many() -> None:
    """A first deployment needs no permission, and one request for each flow."""
    plan = diff(*snapshot_of(200, None))
    assert (plan.refusal, plan.calls) == ("", 200)
    assert list(counted(plan.changes)) == [("create", 200)]


def others(count: int, **changes: Any) -> tuple[OtherFlow, ...]:
    """Flows that were deployed from here, and are not wanted."""
    return tuple(
        OtherFlow(**{"id": str(n), "name": f"Old {n}", "status": "PUBLISHED", "key": f"old{n}", **changes})
        for n in range(count)
    )


@pytest.mark.parametrize(
    ("other", "pruned"),
    [
        (others(1), True),
        (others(1, status="THROTTLED"), True),
        (others(1, status="DRAFT"), False),
        (others(1, status="DEPRECATED"), False),
        (others(1, key=""), False),
    ],
)
def test_only_live_flows_from_here_are_pruned(other: tuple[OtherFlow, ...], pruned: bool) -> None:
    """Flows of others in the account are never deprecated, and without `prune` none is."""
    snapshot = Snapshot(account_id="1", flows={"booking": actual()}, others=other)
    assert not diff([desired()], snapshot).pending
    changes = diff([desired()], snapshot, PlanOptions(prune=True)).pending
    assert [(change.action, change.flow_id) for change in changes] == ([("deprecate", "0")] if pruned else [])


def test_deprecations_have_a_limit_that_force_does_not_lift() -> None:
    """Because they cannot be undone."""
    snapshot = Snapshot(account_id="1", flows={}, others=others(6))
    plan = diff([], snapshot, PlanOptions(prune=True, force=True))
    with pytest.raises(PlanError, match="6 flows would be deprecated, which is final, and the limit is 5"):
        plan.raise_if_refused(force=True)
    assert not diff([], snapshot, PlanOptions(prune=True, prune_limit=6)).refusal


def test_a_replaced_flow_is_pruned_under_a_key_of_its_own() -> None:
    """Its successor has the key."""
    snapshot = Snapshot(account_id="1", flows={"booking": actual()}, others=others(1, key="booking"))
    (change,) = diff([desired()], snapshot, PlanOptions(prune=True)).pending
    assert (change.key, change.reason) == ("booking@0", "replaced by another flow")


# -- a plan as data


def test_a_plan_is_restored_from_json_with_its_flows() -> None:
    """The document holds digests, not contents: the flows are passed again."""
    flows, snapshot = snapshot_of(3, actual("PUBLISHED", **OTHER))
    plan = diff(flows, snapshot, PlanOptions(prune=True, today=date(2026, 11, 1)))
    document = json.loads(json.dumps(plan.to_json()))
    again = Plan.from_json(document, flows)
    assert again.digest == plan.digest == document["digest"]
    assert [(it.action, it.steps, it.desired) for it in again.changes] == [
        (it.action, it.steps, it.desired) for it in plan.changes
    ]
    assert (again.calls, again.options) == (plan.calls, plan.options)


@pytest.mark.parametrize(
    "damage",
    [
        lambda plan: {},
        lambda plan: [],
        lambda plan: {**plan, "version": 99},
        lambda plan: {**plan, "flows": [{}]},
        lambda plan: {**plan, "flows": [{**plan["flows"][0], "action": "explode"}]},
        lambda plan: {**plan, "flows": [{**plan["flows"][0], "seen": {**plan["flows"][0]["seen"], "id": "9"}}]},
        lambda plan: {**plan, "options": {**plan["options"], "today": "x"}},
    ],
)
def test_an_invalid_plan_document_is_refused(damage: Any) -> None:
    """Whatever is wrong with it, the error is a `PlanError`."""
    flows, snapshot = snapshot_of(1, actual("PUBLISHED", **OTHER))
    with pytest.raises(PlanError):
        Plan.from_json(damage(diff(flows, snapshot).to_json()), flows)


def test_a_plan_is_only_for_the_flows_that_it_was_made_for() -> None:
    """A file that has changed since makes it another plan."""
    flows, snapshot = snapshot_of(1, actual("PUBLISHED", **OTHER))
    document = diff(flows, snapshot).to_json()
    with pytest.raises(PlanError, match="have changed since the plan"):
        Plan.from_json(document, [desired("f0", content=SAME_FLOW_JSON.replace(b"FIRST", b"THIRD"), publish=True)])


@pytest.mark.parametrize(
    "moved", [{"updated_at": "later"}, {"status": "DRAFT"}, {"id": "2"}, {"content": FLOW_JSON}, {"name": "X"}]
)
def test_a_plan_is_stale_after_a_change_at_meta(moved: dict[str, Any]) -> None:
    """Another id, state, time or content; the error names the flow. The lock file makes no difference."""
    flows, snapshot = snapshot_of(2, actual("PUBLISHED", **OTHER))
    plan = diff(flows, snapshot)
    plan.raise_if_stale(diff(flows, snapshot))
    known = {key: actual("PUBLISHED", known=False, processed=None, **OTHER) for key in snapshot.flows}
    plan.raise_if_stale(diff(flows, Snapshot(account_id="1", flows=known)))
    now = {**snapshot.flows, "f1": actual(**{"status": "PUBLISHED", **OTHER, **moved})}
    with pytest.raises(PlanError, match="stale: these have changed since it was made: f1"):
        plan.raise_if_stale(diff(flows, Snapshot(account_id="1", flows=now)))
    with pytest.raises(PlanError, match="for another account"):
        plan.raise_if_stale(diff(flows, Snapshot(account_id="2", flows=snapshot.flows)))


# -- laws

contents = st.sampled_from([FLOW_JSON, SAME_FLOW_JSON, OTHER_FLOW_JSON, FAULTY_FLOW_JSON])
wanted_flows = st.builds(
    desired,
    publish=st.booleans(),
    replace=st.booleans(),
    content=contents,
    endpoint_uri=st.sampled_from([None, "https://a.example"]),
)
found_flows = st.builds(
    actual,
    st.sampled_from(["DRAFT", "DEPRECATED", *LIVE]),
    content=st.none() | contents,
    processed=st.sampled_from([True, False, None]),
    known=st.booleans(),
    endpoint_uri=st.sampled_from([None, "https://a.example"]),
    categories=st.sampled_from([("OTHER",), ("SURVEY", "OTHER")]),
)
all_options = st.builds(PlanOptions, allow_unpublish=st.booleans(), force=st.booleans())


@given(wanted_flows, found_flows)
def test_a_live_flow_is_never_unpublished_without_permission(wanted: DesiredFlow, found: ActualFlow) -> None:
    """Without one in the file or the options, a live flow has no step, and its replacement does not change it."""
    change = change_of(wanted, found)
    if found.status in LIVE and not wanted.publish:
        assert change.steps == () or change.action == "replace"
    assert change.unpublishes <= (found.status == "PUBLISHED")


@given(wanted_flows, st.none() | found_flows, all_options)
def test_publish_is_the_last_step(wanted: DesiredFlow, found: ActualFlow | None, options: PlanOptions) -> None:
    """Or is missing; and nothing that Meta would refuse is sent."""
    change = change_of(wanted, found, options)
    assert "publish" not in change.steps[:-1]
    assert ("publish" in change.steps) <= wanted.publish
    assert ("create" in change.steps) == (change.action in {"create", "replace"})
    if wanted.content == FAULTY_FLOW_JSON:
        assert change.steps == ()


@given(wanted_flows, found_flows, all_options)
def test_a_flow_that_is_as_desired_has_no_step(wanted: DesiredFlow, found: ActualFlow, options: PlanOptions) -> None:
    """Such as a flow that was just changed to its desired state."""
    same = actual(
        "PUBLISHED" if wanted.publish else found.status,
        content=wanted.content,
        categories=wanted.categories,
        endpoint_uri=wanted.endpoint_uri,
    )
    if same.status != "DEPRECATED":
        assert change_of(wanted, same, options).action == "unchanged"
