"""States, transitions and publishing checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tests.effort import some
from tests.emulator.support import NUMBER, WABA, Model, endpoint_json, flow_json
from whatsapp_flows.emulator.graph._errors import Problem
from whatsapp_flows.emulator.graph._lifecycle import failed_checks
from whatsapp_flows.emulator.graph._state import STATUSES

# "Lifecycle" page: (state, operation) -> the state after it, or the code and subcode of the refusal.
_LEGALITY: dict[tuple[str, str], str | tuple[int, int | None]] = {
    ("BLOCKED", "delete"): (139004, 4016026),
    ("BLOCKED", "deprecate"): "DEPRECATED",
    ("BLOCKED", "edit"): (139001, 4016010),
    ("BLOCKED", "publish"): (139002, None),
    ("DEPRECATED", "delete"): (139004, 4016026),
    ("DEPRECATED", "deprecate"): (139003, None),
    ("DEPRECATED", "edit"): (139001, 4016010),
    ("DEPRECATED", "publish"): (139002, None),
    ("DRAFT", "delete"): "gone",
    ("DRAFT", "deprecate"): (139003, None),
    ("DRAFT", "edit"): "DRAFT",
    ("DRAFT", "publish"): "PUBLISHED",
    ("PUBLISHED", "delete"): (139004, 4016026),
    ("PUBLISHED", "deprecate"): "DEPRECATED",
    ("PUBLISHED", "edit"): "DRAFT",
    ("PUBLISHED", "publish"): (139002, None),
    ("THROTTLED", "delete"): (139004, 4016026),
    ("THROTTLED", "deprecate"): "DEPRECATED",
    ("THROTTLED", "edit"): (139001, 4016010),
    ("THROTTLED", "publish"): (139002, None),
}
_ASK: dict[str, Callable[[Model, str], tuple[int, dict[str, object]]]] = {
    "delete": lambda model, flow_id: model.ask("DELETE", flow_id),
    "deprecate": lambda model, flow_id: model.ask("POST", f"{flow_id}/deprecate"),
    "edit": lambda model, flow_id: model.ask("POST", flow_id, parameters={"categories": '["SURVEY"]'}),
    "publish": lambda model, flow_id: model.ask("POST", f"{flow_id}/publish"),
    "upload": lambda model, flow_id: model.upload(flow_id, flow_json()),
}


def _outcome(model: Model, flow_id: str, operation: str) -> str | tuple[int, int | None]:
    status, body = _ASK[operation](model, flow_id)
    if status == 200:
        assert body["success"] is True
        return model.flow(flow_id).status if flow_id in model.world.flows else "gone"
    error = body["error"]
    assert status == 400
    assert isinstance(error, dict)
    return error["code"], error.get("error_subcode")


@pytest.mark.parametrize(("state", "operation"), sorted(_LEGALITY))
def test_an_operation_is_legal_or_refused(model: Model, state: str, operation: str) -> None:
    """Every operation in every state has the outcome of the lifecycle table."""
    flow_id = model.add(content=flow_json(), status=state)
    assert _outcome(model, flow_id, operation) == _LEGALITY[state, operation]


@pytest.mark.parametrize("state", sorted(STATUSES))
def test_an_upload_is_an_edit(model: Model, state: str) -> None:
    """A document moves a Flow exactly as new metadata does."""
    flow_id = model.add(content=flow_json(), status=state)
    assert _outcome(model, flow_id, "upload") == _LEGALITY[state, "edit"]


def test_a_retired_flow_says_so(model: Model) -> None:
    """139003 has two causes with different titles."""
    titles = []
    for state in ("DRAFT", "DEPRECATED"):
        _, body = model.ask("POST", f"{model.add(state, status=state)}/deprecate")
        titles.append(body["error"]["error_user_title"])
    assert titles == ["Can't deprecate unpublished flow", "Flow is already deprecated"]


@pytest.mark.parametrize("state", ["DRAFT", "PUBLISHED"])
def test_a_locked_flow_refuses_every_edit(model: Model, state: str) -> None:
    """Some old Flows cannot be edited; they can still be deprecated or deleted."""
    flow_id = model.add(content=flow_json(), status=state, locked=True)
    assert _outcome(model, flow_id, "edit") == _outcome(model, flow_id, "upload") == (139001, 4016010)
    assert _outcome(model, flow_id, "delete" if state == "DRAFT" else "deprecate") in ("gone", "DEPRECATED")


def _no_number(model: Model) -> None:
    model.world = replace(model.world, phone_numbers={})


def _unverified(model: Model) -> None:
    number = model.world.phone_numbers[NUMBER]
    model.world = model.world.with_phone_number(replace(number, verified=False))


def _no_key(model: Model) -> None:
    number = model.world.phone_numbers[NUMBER]
    model.world = model.world.with_phone_number(replace(number, public_key=None))


def _not_subscribed(model: Model) -> None:
    model.world = model.world.with_account(replace(model.world.accounts[WABA], subscribed_apps=()))


def _all_down(model: Model) -> None:
    model.world = replace(model.world, dead_endpoints=frozenset({"*"}))


def _one_down(model: Model) -> None:
    model.world = replace(model.world, dead_endpoints=frozenset({"https://example.com"}))


def _nothing(_: Model) -> None:
    """The world is not changed."""


_BEFORE_THE_FREEZE = datetime(2025, 4, 7, 12, tzinfo=timezone.utc).timestamp()  # of 2.1 to 4.0
_OLD = endpoint_json(version="2.1", data_channel_uri="https://example.com")
_WITH = {"endpoint_uri": "https://example.com"}


@pytest.mark.parametrize(
    ("spoil", "content", "more", "problem"),
    [
        (_nothing, None, {}, Problem.INVALID_JSON),
        (_nothing, b"{", {}, Problem.INVALID_JSON),
        (_nothing, flow_json(screens=[]), {}, Problem.INVALID_JSON),
        (_nothing, flow_json(version="5.0"), {}, Problem.INVALID_JSON),
        (_nothing, endpoint_json(data_api_version="2.0"), _WITH, Problem.INVALID_JSON),
        (_nothing, flow_json(version="5.2"), {}, Problem.FROZEN_VERSION),
        (_no_number, flow_json(), {}, Problem.NO_PHONE_NUMBER),
        (_unverified, flow_json(), {}, Problem.NO_PHONE_NUMBER),
        (_nothing, endpoint_json(), {}, Problem.NO_ENDPOINT),
        (_no_key, endpoint_json(), _WITH, Problem.NO_PUBLIC_KEY),
        (_nothing, endpoint_json(), {**_WITH, "application_id": None}, Problem.NO_APPLICATION),
        (_all_down, endpoint_json(), _WITH, Problem.ENDPOINT_DOWN),
        (_one_down, endpoint_json(), _WITH, Problem.ENDPOINT_DOWN),
        (_not_subscribed, endpoint_json(), _WITH, Problem.NOT_SUBSCRIBED),
        (_no_key, flow_json(), {}, None),
        (_not_subscribed, flow_json(), _WITH, None),
        (_nothing, endpoint_json(), _WITH, None),
        (_one_down, endpoint_json(), {"endpoint_uri": "https://example.org"}, None),
    ],
)
def test_a_publishing_check_that_fails_is_named(
    model: Model,
    spoil: Callable[[Model], None],
    content: bytes | None,
    more: dict[str, Any],
    problem: Problem | None,
) -> None:
    """Each check has its own error; the endpoint checks apply only to Flows with an endpoint."""
    model.ready()
    spoil(model)
    flow_id = model.add(content=content, **more)
    status, body = model.ask("POST", f"{flow_id}/publish")
    if problem is None:
        assert (status, model.flow(flow_id).status) == (200, "PUBLISHED")
    else:
        row = problem.value
        assert (status, model.flow(flow_id).status) == (400, "DRAFT")
        found = body["error"]
        assert (found["code"], found.get("error_subcode")) == (row.code, row.subcode)
        assert found["error_user_title"] == row.title


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (endpoint_json(version="2.1"), [Problem.NO_DATA_CHANNEL]),
        (_OLD, []),
        (endpoint_json(version="3.0"), [Problem.NO_ENDPOINT]),
    ],
)
def test_an_old_document_names_its_endpoint_itself(model: Model, content: bytes, expected: list[Problem]) -> None:
    """Before Flow JSON 3.0 the URI is in the document, later on the Flow."""
    model.ready()
    model.now = _BEFORE_THE_FREEZE
    flow = model.flow(model.add(content=content))
    assert [check.problem for check in failed_checks(model.world, flow, model.now)] == expected


def test_a_version_that_is_frozen_after_the_upload_cannot_be_published(model: Model) -> None:
    """The document has no errors, and the health status and publishing refuse its version from that day on."""
    model.now = _BEFORE_THE_FREEZE
    flow_id = model.add(content=flow_json(version="4.0"))
    assert model.get(flow_id, fields="health_status")["health_status"]["can_send_message"] == "AVAILABLE"
    model.now += 24 * 3600
    returned = model.get(flow_id, fields="validation_errors,health_status")
    assert (returned["validation_errors"], returned["health_status"]["can_send_message"]) == ([], "BLOCKED")
    assert model.error_codes("POST", f"{flow_id}/publish") == (139002, None)
    model.now -= 24 * 3600
    assert model.post(f"{flow_id}/publish") == {"success": True}


class Lifecycle(RuleBasedStateMachine):
    """In any sequence of calls, the status of a Flow changes only as the lifecycle allows."""

    flows = Bundle("flows")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.expected: dict[str, str] = {}

    @rule(target=flows, content=st.sampled_from([None, flow_json(), b"{", flow_json(version="5.0")]))
    def create(self, content: bytes | None) -> str:
        more = {} if content is None else {"flow_json": content.decode()}
        name = f"flow {len(self.model.world.flows)} {self.model.world.ids_given}"
        created = self.model.post(f"{WABA}/flows", name=name, categories=["OTHER"], **more)
        self.expected[created["id"]] = "DRAFT"
        return str(created["id"])

    @rule(flow_id=flows, operation=st.sampled_from(sorted(_ASK)))
    def ask(self, flow_id: str, operation: str) -> None:
        before = self.expected[flow_id]
        if before == "gone":
            assert _ASK[operation](self.model, flow_id)[1]["error"]["error_subcode"] == 33  # type: ignore[index]
            return
        flow = self.model.flow(flow_id)
        sound = flow.document is not None and not flow.document.issues and flow.document.publishable(self.model.now)
        after = _outcome(self.model, flow_id, operation)
        legal = _LEGALITY[before, "edit" if operation == "upload" else operation]
        if operation == "publish" and before == "DRAFT" and not sound:
            assert after in ((139002, None), (139002, 4016011))
        else:
            assert after == legal
        if isinstance(after, str):
            self.expected[flow_id] = after

    @rule(
        flow_id=flows, step=st.sampled_from([("PUBLISHED", "THROTTLED"), ("THROTTLED", "BLOCKED")]), back=st.booleans()
    )
    def health(self, flow_id: str, step: tuple[str, str], back: bool) -> None:
        """Meta throttles, blocks and restores."""
        before, after = reversed(step) if back else step
        if self.expected[flow_id] == before:
            self.model.world = self.model.world.with_flow(replace(self.model.flow(flow_id), status=after))
            self.expected[flow_id] = after

    @invariant()
    def states_are_as_expected(self) -> None:
        states = {flow.id: flow.status for flow in self.model.world.flows.values()}
        assert states == {flow_id: state for flow_id, state in self.expected.items() if state != "gone"}

    @invariant()
    def only_sound_flows_were_published(self) -> None:
        for flow in self.model.world.flows.values():
            if flow.status != "DRAFT":
                assert flow.document is not None
                assert flow.document.issues == ()
                assert flow.document.publishable(self.model.now)


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(max_examples=some(30), stateful_step_count=30, deadline=None)
