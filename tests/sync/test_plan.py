"""Planning: a table of cases, and the laws that hold in every case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.support import (
    FLOW_JSON,
    OTHER_FLOW_JSON,
    SAME_FLOW_JSON,
    actual,
    desired,
)
from whatsapp_flows import NoAnswerError, ValidationIssue
from whatsapp_flows.sync import ActualFlow, DesiredFlow, SyncOptions, Unreadable, decide

LIVE = ("PUBLISHED", "THROTTLED", "BLOCKED", "SOMETHING_NEW")
PUBLISH = SyncOptions(publish=True)
FORCE = SyncOptions(force=True)
PLAIN = SyncOptions()
WISH: dict[str, Any] = {"publish": True}


@pytest.mark.parametrize(
    ("wanted", "found", "options", "action", "steps"),
    [
        (desired(), None, PLAIN, "create", ("create", "upload")),
        (desired(**WISH), None, PLAIN, "create", ("create", "upload", "publish")),
        (desired(), None, PUBLISH, "create", ("create", "upload", "publish")),
        (desired(), None, FORCE, "create", ("create", "upload")),
        (desired(), actual(), PLAIN, "unchanged", ()),
        (desired(**WISH), actual(), PLAIN, "publish", ("publish",)),
        (desired(), actual(), PUBLISH, "publish", ("publish",)),
        (desired(), actual(), FORCE, "update", ("upload",)),
        (desired(), actual(content=OTHER_FLOW_JSON), PLAIN, "update", ("upload",)),
        (desired(), actual(content=None), PLAIN, "update", ("upload",)),
        (desired(), actual(content=b"{"), PLAIN, "update", ("upload",)),
        (desired(**WISH), actual(content=OTHER_FLOW_JSON), PLAIN, "update", ("upload", "publish")),
        (desired(), actual(content=SAME_FLOW_JSON), PLAIN, "unchanged", ()),
        (desired(content=b'{"a": 1}'), actual(content=b'{"a": true}'), PLAIN, "update", ("upload",)),
        (desired(categories=("SURVEY",)), actual(), PLAIN, "update", ("update",)),
        (desired(categories=("A", "B")), actual(categories=("B", "A")), PLAIN, "unchanged", ()),
        (desired(endpoint_uri="https://a.example"), actual(), PLAIN, "update", ("update",)),
        (desired(), actual(endpoint_uri="https://a.example"), PLAIN, "unchanged", ()),
        (desired(), actual("PUBLISHED"), PLAIN, "unchanged", ()),
        (desired(), actual("PUBLISHED"), PUBLISH, "unchanged", ()),
        (desired(), actual("PUBLISHED"), FORCE, "unchanged", ()),
        (desired(), actual("PUBLISHED", content=OTHER_FLOW_JSON), PLAIN, "refused", ()),
        (desired(), actual("PUBLISHED", content=OTHER_FLOW_JSON), PUBLISH, "update", ("upload", "publish")),
        (desired(), actual("PUBLISHED", content=OTHER_FLOW_JSON), FORCE, "update", ("upload",)),
        (desired(**WISH), actual("PUBLISHED", content=OTHER_FLOW_JSON), PLAIN, "refused", ()),
        (desired(**WISH), actual("PUBLISHED", content=OTHER_FLOW_JSON), FORCE, "update", ("upload", "publish")),
        (desired(), actual("PUBLISHED", categories=("SURVEY",)), PLAIN, "refused", ()),
        (
            desired(),
            actual("PUBLISHED", categories=("SURVEY",), content=None),
            PUBLISH,
            "update",
            ("update", "upload", "publish"),
        ),
        (desired(), actual("THROTTLED", content=OTHER_FLOW_JSON), PLAIN, "refused", ()),
        (desired(), actual("DEPRECATED"), PLAIN, "refused", ()),
        (desired(), actual("DEPRECATED"), SyncOptions(publish=True, force=True), "refused", ()),
    ],
)
def test_what_is_wanted_and_what_is_there_make_a_plan(
    wanted: DesiredFlow, found: ActualFlow | None, options: SyncOptions, action: str, steps: tuple[str, ...]
) -> None:
    """The plan follows from the two states and the options alone."""
    plan = decide(wanted, found, options)
    assert (plan.action, plan.steps) == (action, steps)
    assert bool(plan.problem) == (action == "refused")


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (False, "published; pass --publish to upload and publish again, or --force to upload and leave a draft"),
        (True, "published; pass --publish to upload and publish again"),
    ],
)
def test_a_refusal_names_the_way_out(wish: bool, reason: str) -> None:
    """A live flow that differs is refused with the option that would permit it."""
    assert decide(desired(publish=wish), actual("PUBLISHED", content=None), PLAIN).problem == reason


def test_a_draft_with_errors_is_not_published() -> None:
    """A draft that is the same, and in which Meta has found errors, is a problem and not a success."""
    issues = (ValidationIssue(error="E", message="M"), ValidationIssue(error="E", message="M"))
    plan = decide(desired(publish=True), actual(issues=issues), PLAIN)
    assert (plan.action, plan.steps, plan.issues) == ("unchanged", (), issues)
    assert plan.problem == "Meta found 2 errors in booking.json"


def test_what_cannot_be_read_is_not_touched() -> None:
    """A flow whose Flow JSON could not be downloaded is left alone, and the error kept."""
    error = NoAnswerError("silence")
    plan = decide(desired(), Unreadable(id="1", status="DRAFT", error=error), SyncOptions(publish=True, force=True))
    assert (plan.action, plan.steps, plan.error, plan.flow_id) == ("unread", (), error, "1")


contents = st.sampled_from([FLOW_JSON, SAME_FLOW_JSON, OTHER_FLOW_JSON])
wanted_flows = st.builds(
    desired, publish=st.booleans(), content=contents, endpoint_uri=st.sampled_from([None, "https://a.example"])
)
found_flows = st.builds(
    actual,
    st.sampled_from(["DRAFT", "DEPRECATED", *LIVE]),
    content=st.none() | contents,
    endpoint_uri=st.sampled_from([None, "https://a.example"]),
    categories=st.sampled_from([("OTHER",), ("SURVEY", "OTHER")]),
)
all_options = st.builds(SyncOptions, publish=st.booleans(), force=st.booleans())


@given(wanted_flows, found_flows)
def test_a_live_flow_is_never_touched_without_permission(wanted: DesiredFlow, found: ActualFlow) -> None:
    """Without --publish and --force no plan has a step for a flow that is in use."""
    if found.status in LIVE:
        assert decide(wanted, found, PLAIN).steps == ()


@given(wanted_flows, found_flows, all_options)
def test_what_is_as_it_should_be_is_left_alone(wanted: DesiredFlow, found: ActualFlow, options: SyncOptions) -> None:
    """An unchanged plan has no steps, and a live flow that is the same has an unchanged plan."""
    plan = decide(wanted, found, options)
    assert plan.action not in {"unchanged", "refused"} or plan.steps == ()
    same = decide(wanted, found, SyncOptions(force=True)).action == "unchanged"
    if found.status in LIVE and same:
        assert plan.action == "unchanged"


@given(wanted_flows, st.none() | found_flows, all_options)
def test_publishing_comes_last_and_is_always_wanted(
    wanted: DesiredFlow, found: ActualFlow | None, options: SyncOptions
) -> None:
    """`publish` is the last step or none, and never without the wish of the file or of the command line."""
    steps = decide(wanted, found, options).steps
    assert "publish" not in steps[:-1]
    assert ("publish" in steps) <= (wanted.publish or options.publish)
    assert ("create" in steps) == (found is None)


@given(wanted_flows, st.none() | found_flows, all_options)
def test_a_plan_carried_out_leaves_nothing_to_do(
    wanted: DesiredFlow, found: ActualFlow | None, options: SyncOptions
) -> None:
    """When a plan without a problem has been carried out, the next one is unchanged, unless --force asks again."""
    plan = decide(wanted, found, options)
    if not plan.problem:
        now = ActualFlow(
            id="1",
            status="PUBLISHED" if "publish" in plan.steps else "DRAFT" if plan.steps or found is None else found.status,
            categories=wanted.categories,
            endpoint_uri=wanted.endpoint_uri or (found.endpoint_uri if found else None),
            content=wanted.content,
        )
        assert decide(wanted, now, SyncOptions(publish=options.publish)).steps == ()
