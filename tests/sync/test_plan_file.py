"""A plan in a file: it has what was found, and grants no permission."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, actual, desired
from whatsapp_flows import ConfigurationError, PlanError
from whatsapp_flows.sync import DesiredFlow, OtherFlow, Plan, PlanOptions, Snapshot, diff

FLOWS = (desired("booking", publish=True), desired("survey"), desired("new"))
LIVE = actual("PUBLISHED", content=OTHER_FLOW_JSON)
OLD = OtherFlow(id="9", name="Old", status="PUBLISHED", key="old")


def plan_of(options: PlanOptions | None = None, flows: tuple[DesiredFlow, ...] = FLOWS, **more: Any) -> Plan:
    """A plan with something of each kind."""
    there = {"booking": LIVE, "survey": actual(name="Survey", id="2"), "new": None}
    return diff(flows, Snapshot(account_id="1", flows=there, others=(OLD,), **more), options)


DOCUMENT = json.loads(json.dumps(plan_of(PlanOptions(prune=True, allow_unpublish=True)).to_json()))


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, held in inner for place in places(held, (*at, key)))]


def changed(at: tuple[Any, ...], value: Any, *, remove: bool) -> Any:
    """The document with another value at a place, or with none."""
    document = copy.deepcopy(DOCUMENT)
    if not at:
        return value
    holder = document
    for step in at[:-1]:
        holder = holder[step]
    if remove:
        del holder[at[-1]]
    else:
        holder[at[-1]] = value
    return document


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800")
    | st.sampled_from(["create", "deprecate", "PUBLISHED", "2026-13-01", "id"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=some(400))
@given(st.sampled_from(places(DOCUMENT)), ANYTHING, st.booleans())
def test_any_plan_document_is_read_or_refused(at: tuple[Any, ...], value: Any, remove: bool) -> None:
    """The only error is `PlanError`, and a plan that was read can be used like any other."""
    document = changed(at, value, remove=remove)
    try:
        plan = Plan.from_json(document, FLOWS)
    except PlanError:
        return
    assert json.loads(json.dumps(plan.to_json()))["flows"]
    assert plan.refusal  # it gives no permission, and one of the changes needs some


@pytest.mark.parametrize("document", [None, 7, "x", [], {}, {"version": 2}, {"version": True}])
def test_a_value_that_is_no_plan_is_refused(document: Any) -> None:
    """Of any type."""
    with pytest.raises(PlanError):
        Plan.from_json(document, FLOWS)


def test_a_deeply_nested_plan_is_refused() -> None:
    """Without a `RecursionError`."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(PlanError):
        Plan.from_json({**DOCUMENT, "flows": deep}, FLOWS)


@pytest.mark.parametrize(
    ("options", "flows", "expected"),
    [
        (PlanOptions(prune=True), FLOWS, "1 flow would be deprecated, which is final: set prune"),
        (PlanOptions(allow_unpublish=True), (desired("booking"),), "Booking would become a draft: set allow_unpublish"),
    ],
)
def test_a_plan_file_grants_no_permission(options: PlanOptions, flows: tuple[DesiredFlow, ...], expected: str) -> None:
    """Whoever applies it passes the options again."""
    document = plan_of(options, flows).to_json()
    with pytest.raises(PlanError, match=expected):
        Plan.from_json(document, flows).raise_if_refused(force=True, new_account=True)
    Plan.from_json(document, flows, permitted=options).raise_if_refused()


@pytest.mark.parametrize(
    ("name", "value"), [("force", True), ("prune_limit", 1000), ("max_changes", 1.0), ("new_account", True)]
)
def test_limits_in_a_plan_file_do_not_count(name: str, value: Any) -> None:
    """They are not part of its digest, so anybody could edit them."""
    flows = tuple(desired(f"f{number}", publish=True) for number in range(20))
    there = {flow.key: actual("PUBLISHED", name=flow.name, content=OTHER_FLOW_JSON) for flow in flows}
    others = tuple(OtherFlow(id=f"9{n}", name=f"O{n}", status="PUBLISHED", key=f"o{n}") for n in range(6))
    snapshot = Snapshot(account_id="1", flows=there, others=others, other_account="2")
    document = diff(flows, snapshot, PlanOptions(prune=True)).to_json()
    document["options"][name] = value
    document["refusal"] = ""
    loaded = Plan.from_json(document, flows)
    assert loaded.refusal
    for permitted in (PlanOptions(), PlanOptions(new_account=True), PlanOptions(new_account=True, prune=True)):
        with pytest.raises(PlanError):
            Plan.from_json(document, flows, permitted=permitted).raise_if_refused()


@pytest.mark.parametrize(
    ("made", "now", "expected"),
    [
        (PlanOptions(prune=True), PlanOptions(), "prune = true"),
        (PlanOptions(), PlanOptions(prune=True), "prune = false"),
        (PlanOptions(validate="off"), PlanOptions(), 'validate = "off"'),
        (PlanOptions(allow_unpublish=True), PlanOptions(), "allow_unpublish = true"),
    ],
)
def test_a_plan_is_applied_with_the_options_that_it_was_made_with(
    made: PlanOptions, now: PlanOptions, expected: str
) -> None:
    """Otherwise it is another plan, and the error says which option differs."""
    with pytest.raises(PlanError, match=f"made with other options: {expected}"):
        plan_of(made).raise_if_stale(plan_of(now))


def test_limits_may_differ() -> None:
    """They come from whoever applies it."""
    plan_of(PlanOptions(force=True, prune_limit=0)).raise_if_stale(plan_of())


def test_a_deprecation_that_was_added_to_a_plan_file_is_stale() -> None:
    """Even with a correct digest: a new plan, made without `prune`, does not have it."""
    document = plan_of().to_json()
    document["flows"].append(
        {**plan_of(PlanOptions(prune=True)).to_json()["flows"][-1], "key": "theirs", "name": "Theirs"}
    )
    loaded = [change for change in document["flows"] if change["action"] == "deprecate"]
    assert loaded
    with pytest.raises(PlanError, match="have changed since the plan"):
        Plan.from_json(document, FLOWS)
    forged = Plan(
        account_id="1",
        changes=(*plan_of().changes, plan_of(PlanOptions(prune=True)).changes[-1]),
        options=PlanOptions(),
    )
    with pytest.raises(PlanError, match="stale"):
        Plan.from_json(forged.to_json(), FLOWS).raise_if_stale(plan_of())


def test_the_first_deployment_to_another_account_needs_permission() -> None:
    """The refusal names both accounts; a plan that does nothing needs none."""
    plan = plan_of(other_account="102290129340398")
    with pytest.raises(
        PlanError, match="this is account 1, and so far the flows were deployed to account 102290129340398"
    ):
        plan.raise_if_refused(force=True)
    plan.raise_if_refused(new_account=True)
    plan_of(PlanOptions(new_account=True), other_account="2").raise_if_refused()
    nothing = diff([desired()], Snapshot(account_id="1", flows={"booking": actual()}, other_account="2"))
    nothing.raise_if_refused()


def test_an_unknown_validate_mode_is_refused() -> None:
    """As on the client."""
    with pytest.raises(ConfigurationError, match="validate must be one of off, warn, error"):
        PlanOptions(validate="maybe")  # type: ignore[arg-type]


FAULTY = FLOW_JSON.replace(b'"type"', b'"typo"', 1)


@pytest.mark.parametrize(
    ("mode", "blocked", "issues"), [("error", True, True), ("warn", False, True), ("off", False, False)]
)
def test_validator_errors_block_or_are_reported_or_are_not_searched(mode: Any, blocked: bool, issues: bool) -> None:
    """Depending on `validate`."""
    snapshot = Snapshot(account_id="1", flows={"booking": None})
    (change,) = diff([desired(content=FAULTY)], snapshot, PlanOptions(validate=mode)).changes
    assert (change.blocked == "validation", bool(change.issues)) == (blocked, issues)
