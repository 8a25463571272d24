"""Which flow at Meta a table means: a table of cases, properties, and hostile names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, actual, calls, desired, planned, synced
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import (
    ActualFlow,
    DesiredFlow,
    Identity,
    Lock,
    LockEntry,
    PlanOptions,
    Snapshot,
    apply,
    diff,
    find_drift,
    read_states,
    take_snapshot,
)
from whatsapp_flows.sync.account._identity import generation_of, identify
from whatsapp_flows.sync.planning._names import name_problem, normalized

REPLACE = desired(replace=True)
TERMIN = desired(name="Termin")


def entry(flow_id: str = "1", name: str = "Booking", **more: object) -> LockEntry:
    """What the lock file has of the flow `booking`."""
    return LockEntry(id=flow_id, name=name, **more)  # type: ignore[arg-type]


def flow(flow_id: str, name: str, status: str = "PUBLISHED") -> ActualFlow:
    """A flow of the listing."""
    return actual(status, id=flow_id, name=name)


CASES: dict[str, tuple[DesiredFlow, list[tuple[str, ...]], LockEntry | None, tuple[str, str, int, str]]] = {
    "nothing is there": (desired(), [], None, ("", "Booking", 1, "none")),
    "by its name": (desired(), [("1", "Booking")], None, ("1", "Booking", 1, "name")),
    "by the lock file": (desired(), [("1", "Booking")], entry(), ("1", "Booking", 1, "lock")),
    "the lock file's is gone": (desired(), [("2", "Booking")], entry(), ("2", "Booking", 1, "name")),
    "renamed at Meta": (desired(), [("1", "Renamed")], entry(), ("1", "Renamed", 1, "lock")),
    "renamed, and another has its name": (
        desired(), [("1", "Renamed"), ("2", "Booking")], entry(), ("1", "Renamed", 1, "lock"),
    ),
    "somebody's generation": (desired(), [("9", "Booking (generation 2)")], None, ("", "Booking", 1, "none")),
    "somebody's generation beside ours": (
        desired(), [("9", "Booking (generation 2)"), ("1", "Booking")], None, ("1", "Booking", 1, "name"),
    ),
    "somebody's generation, and the lock file knows better": (
        REPLACE, [("9", "Booking (generation 2)"), ("1", "Booking")], entry(), ("1", "Booking", 1, "lock"),
    ),
    "a generation that may replace": (
        REPLACE, [("9", "Booking (generation 2)"), ("1", "Booking")], None,
        ("9", "Booking (generation 2)", 2, "generation"),
    ),
    "a generation that the lock file has": (
        desired(), [("9", "Booking (generation 2)"), ("1", "Booking")], entry("9", "Booking (generation 2)"),
        ("9", "Booking (generation 2)", 2, "lock"),
    ),
    "a replacement that was begun": (
        REPLACE, [("9", "Booking (generation 2)"), ("1", "Booking")],
        entry(successor="Booking (generation 2)"), ("9", "Booking (generation 2)", 2, "lock"),
    ),
    "a replacement that was begun and never made": (
        REPLACE, [("1", "Booking")], entry(successor="Booking (generation 2)"), ("1", "Booking", 1, "lock"),
    ),
    "deprecated, and one lives": (
        desired(), [("1", "Booking", "DEPRECATED"), ("2", "Booking")], entry(), ("2", "Booking", 1, "name"),
    ),
    "deprecated alone": (desired(), [("1", "Booking", "DEPRECATED")], None, ("1", "Booking", 1, "name")),
    "the lock file's is deprecated": (
        desired(), [("1", "Booking", "DEPRECATED")], entry(), ("1", "Booking", 1, "lock"),
    ),
    "a live flow, and the table has another name": (
        TERMIN, [("1", "Booking")], entry(), ("", "Termin", 1, "none"),
    ),
    "a draft, and the table has another name": (
        TERMIN, [("1", "Booking", "DRAFT")], entry(), ("1", "Booking", 1, "lock"),
    ),
    "a draft, and the new name is there": (
        TERMIN, [("1", "Booking", "DRAFT"), ("2", "Termin")], entry(), ("2", "Termin", 1, "name"),
    ),
    "a page has shifted": (
        desired(), [("1", "Booking"), ("2", "X"), ("1", "Booking")], None, ("1", "Booking", 1, "name"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_which_flow_a_table_means(name: str) -> None:
    """The lock file's id first, then the name; a generation only if the lock file or the table says so."""
    wanted, listed, known, expected = CASES[name]
    lock = Lock(None, account_id="7")
    if known is not None:
        lock.put({"booking": known})
    found = identify([wanted], [flow(*each) for each in listed], lock)["booking"]
    assert (found.flow_id, found.name, found.generation, found.source) == expected


def test_two_tables_never_mean_one_flow() -> None:
    """The table with the lock file's entry gets the flow; the other table has none."""
    lock = Lock(None, account_id="7")
    lock.put({"alpha": entry(name="Alpha")})
    wanted = [desired("beta"), desired("alpha")]
    found = identify(wanted, [flow("1", "Beta")], lock)
    assert (found["alpha"].flow_id, found["beta"].flow_id) == ("1", "")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Booking", 1), ("Booking (generation 2)", 2), ("Booking (generation 1)", 0), ("Booking (generation 02)", 0),
        ("booking (generation 2)", 0), ("Booking  (generation 2)", 0), ("Booking (generation 9999999)", 0),
    ],
)  # fmt: skip
def test_names_of_generations(name: str, number: int) -> None:
    """Only in this exact form: any other name is not a generation."""
    assert generation_of(name, "Booking") == number


NAMES = ("A", "B", "A (generation 2)", "A (generation 3)", "C")
listings = st.lists(
    st.builds(
        actual, st.sampled_from(["DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED"]),
        id=st.sampled_from("12345"), name=st.sampled_from(NAMES),
    ),
    max_size=6,
)  # fmt: skip
tables = st.lists(
    st.builds(
        desired, st.sampled_from(["a", "b"]), name=st.sampled_from(["A", "B", "C"]), replace=st.booleans()
    ),
    max_size=2, unique_by=(lambda flow: flow.key, lambda flow: flow.name),
)  # fmt: skip
locks = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.builds(
        LockEntry, id=st.sampled_from("12345"), name=st.sampled_from(NAMES), successor=st.sampled_from(["", *NAMES])
    ),
)  # fmt: skip


@given(tables, listings, locks)
def test_identity_properties(wanted: list[DesiredFlow], listed: list[ActualFlow], known: dict[str, LockEntry]) -> None:
    """A flow has one table; it has the table's name, or the lock file knows it, or the table allows replacing."""
    lock = Lock(None, account_id="7")
    lock.put(known)
    account = {flow.id: flow for flow in listed}
    found = identify(wanted, listed, lock)
    ids = [identity.flow_id for identity in found.values() if identity.flow_id]
    assert len(ids) == len(set(ids))
    for table in wanted:
        identity = found[table.key]
        if not identity.flow_id:
            assert identity == Identity(flow_id="", name=table.name)
            continue
        there, entry = account[identity.flow_id], known.get(table.key)
        assert identity.name == there.name
        by_lock = entry is not None and (entry.id == there.id or entry.successor == there.name)
        assert by_lock or there.name == table.name or (table.replace and generation_of(there.name, table.name) > 1)
        living = [flow for flow in account.values() if flow.name == table.name and flow.status != "DEPRECATED"]
        if there.status == "DEPRECATED":
            assert all(flow.id in ids for flow in living)


# -- with Meta


@pytest.fixture
def lock(lock_file: Path, meta: Emulator) -> Lock:
    """The lock file of the account."""
    return Lock(lock_file, account_id=meta.waba_id)


def test_a_generation_that_others_created_is_not_changed(meta: Emulator, client: FlowsClient, lock: Lock) -> None:
    """With `replace = false` it is not written to and does not count as ours, and `prune` keeps our own flow live."""
    synced(client, desired(publish=True), lock=lock)
    (ours,) = meta.flows()
    theirs = meta.add_flow("Booking (generation 2)", flow_json=OTHER_FLOW_JSON)
    wanted = desired(publish=True, content=OTHER_FLOW_JSON.replace(b"SECOND", b"THIRD"))
    (result,) = synced(client, wanted, lock=lock, prune=True)
    assert (result.action, result.flow_id, result.status) == ("republish", ours.id, "PUBLISHED")
    assert (meta.flow(theirs.id).flow_json, meta.flow(theirs.id).status) == (OTHER_FLOW_JSON, "DRAFT")


@pytest.mark.parametrize("live", [True, False])
def test_a_flow_renamed_since_the_plan_is_not_written_to(
    meta: Emulator, client: FlowsClient, lock: Lock, live: bool
) -> None:
    """Its id is the same, its name is not: the plan was made for another flow."""
    flow = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED" if live else "DRAFT")
    plan = planned(client, [desired(publish=True)], lock)
    client.update_flow(flow.id, name="Somebody's own")
    if live:
        client.publish_flow(flow.id)
    meta.clear_requests()
    (result,) = apply(client, plan, lock=lock)
    assert not result.ok
    assert "Somebody's own" in result.problem
    assert meta.flow(flow.id).flow_json == OTHER_FLOW_JSON
    assert {request.method for request in meta.requests} == {"GET"}


@pytest.mark.parametrize("publish", [True, False])
def test_a_flow_renamed_at_meta_is_renamed_back(meta: Emulator, client: FlowsClient, lock: Lock, publish: bool) -> None:
    """The lock file knows the id; the plan shows the change, and so does the drift."""
    wanted = desired(publish=publish)
    synced(client, wanted, lock=lock)
    (flow,) = meta.flows()
    client.update_flow(flow.id, name="Renamed")
    (drift,) = find_drift([wanted], take_snapshot(client, [wanted], lock))
    assert "its name: Renamed, and should be Booking" in [reason.message for reason in drift.reasons]
    (change,) = planned(client, [wanted], lock).changes
    assert (change.steps[0], change.name, change.flow_id) == ("update", "Booking", flow.id)
    assert [state.id for state in read_states(client, [wanted], lock)] == [flow.id]
    (result,) = synced(client, wanted, lock=lock)
    assert (result.ok, meta.flow(flow.id).name) == (True, "Booking")
    assert planned(client, [wanted], lock).changes[0].action == "unchanged"


def test_a_flow_whose_name_was_taken_meanwhile_is_blocked(meta: Emulator, client: FlowsClient, lock: Lock) -> None:
    """Another flow has the name now, and is not written to either."""
    synced(client, desired(), lock=lock)
    (flow,) = meta.flows()
    client.update_flow(flow.id, name="Renamed")
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    (change,) = planned(client, [desired()], lock).changes
    assert (change.blocked, change.flow_id, change.name) == ("name", flow.id, "Renamed")
    assert "another flow of the account is called 'Booking'" in change.reason


def test_a_draft_is_renamed_with_its_table(meta: Emulator, client: FlowsClient, lock: Lock) -> None:
    """It is not in use yet."""
    synced(client, desired(), lock=lock)
    (flow,) = meta.flows()
    (result,) = synced(client, TERMIN, lock=lock)
    assert (result.ok, [(it.id, it.name) for it in meta.flows()]) == (True, [(flow.id, "Termin")])
    assert planned(client, [TERMIN], lock).changes[0].action == "unchanged"


def test_a_live_flow_is_not_renamed_with_its_table(meta: Emulator, client: FlowsClient, lock: Lock) -> None:
    """Another flow is created; `prune` deprecates the old one after the new one is live."""
    synced(client, desired(publish=True), lock=lock)
    wanted = desired(name="Termin", publish=True)
    made, old = planned(client, [wanted], lock, prune=True).changes
    assert (made.action, made.name) == ("create", "Termin")
    assert (old.action, old.name, old.after) == ("deprecate", "Booking", "booking")
    synced(client, wanted, lock=lock, prune=True)
    assert {it.name: it.status for it in meta.flows()} == {"Booking": "DEPRECATED", "Termin": "PUBLISHED"}


def test_a_replaced_flow_stays_in_the_lock_file_until_it_is_pruned(
    meta: Emulator, client: FlowsClient, lock: Lock, lock_file: Path
) -> None:
    """Its successor has the key, and it has one of its own: both count as written by us."""
    synced(client, desired(publish=True), lock=lock)
    (old,) = meta.flows()
    synced(client, desired(name="Termin", publish=True), lock=lock)
    again = Lock(lock_file, account_id=meta.waba_id)
    assert again.owner(old.id, "Booking") == "booking"
    synced(client, desired(name="Termin", publish=True), lock=again, prune=True)
    assert meta.flow(old.id).status == "DEPRECATED"
    assert Lock(lock_file, account_id=meta.waba_id).owner(old.id, "Booking") is None


@pytest.mark.parametrize("lost", [True, False])
def test_a_replacement_whose_answer_was_lost_is_found(
    meta: Emulator, client: FlowsClient, lock: Lock, lost: bool
) -> None:
    """The lock file has the name that was about to be created; a refused create removes it."""
    synced(client, desired(publish=True), lock=lock)
    (old,) = meta.flows()
    meta.set_status(old.id, "BLOCKED")
    wanted = desired(publish=True, replace=True, content=OTHER_FLOW_JSON)
    plan = planned(client, [wanted], lock)
    meta.fail("create_flow", **({"reset": "after"} if lost else {"code": 100}))
    fault = meta.fail("list_flows", code=131000)
    (result,) = apply(client, plan, lock=lock)
    assert not result.ok
    fault.cancel()
    meta.clear_faults()
    found = planned(client, [wanted], lock).changes[0]
    made = "Booking (generation 2)"
    assert (found.action, found.name) == ("adopt" if lost else "replace", made)
    entry = lock.entry("booking")
    assert entry is not None
    assert entry.successor == (made if lost else "")


@pytest.mark.parametrize("adopt_first", [True, False])
def test_an_adopted_flow_is_never_pruned(meta: Emulator, client: FlowsClient, lock: Lock, adopt_first: bool) -> None:
    """A flow that somebody else created counts as ours after our first write."""
    theirs = meta.add_flow("Old", flow_json=FLOW_JSON, status="PUBLISHED")
    if adopt_first:
        synced(client, desired("old", publish=True), lock=lock)
        meta.clear_requests()
    assert planned(client, [desired()], lock, prune=True).pending[0].action == "create"
    assert [change.action for change in planned(client, [desired()], lock, prune=True).changes] == ["create"]
    synced(client, desired("old", publish=True, categories=("SURVEY",)), lock=lock)
    assert [change.flow_id for change in planned(client, [desired()], lock, prune=True).changes][1:] == [theirs.id]


# -- what Meta does not tell


class TestUntold:
    """What the listing does not tell is read from the flow; what that does not tell either is not known."""

    APPLICATION = "20300000000000009"

    @pytest.fixture
    def wanted(self) -> DesiredFlow:
        return desired(publish=True, application_id=self.APPLICATION)

    def hide(self, meta: Emulator, operation: str) -> None:
        """Refuses the ways of asking that ask for the application."""
        meta.fail(operation, code=100, subcode=None, times=2)

    def test_a_field_missing_in_the_listing_is_read_from_the_flow(
        self, meta: Emulator, client: FlowsClient, wanted: DesiredFlow
    ) -> None:
        """So a live flow that is as desired is not changed."""
        synced(client, wanted)
        meta.clear_requests()
        self.hide(meta, "list_flows")
        (change,) = planned(client, [wanted]).changes
        assert change.action == "unchanged"
        assert calls(meta)[-3:].count("get_flow") == 1

    def test_an_unknown_field_never_differs(self, meta: Emulator, client: FlowsClient, wanted: DesiredFlow) -> None:
        """Neither in the plan nor in the drift."""
        meta.add_flow("Booking", flow_json=FLOW_JSON, status="PUBLISHED")
        for _ in range(2):
            self.hide(meta, "list_flows")
            self.hide(meta, "get_flow")
            snapshot = take_snapshot(client, [wanted])
            found = snapshot.flows["booking"]
            assert found is not None
            assert found.unreported == {"application_id"}
            assert not diff([wanted], snapshot).pending
            assert not find_drift([wanted], snapshot)[0].reasons

    def test_a_field_that_was_refused_is_not_requested_again(self, meta: Emulator, client: FlowsClient) -> None:
        """Otherwise two hundred flows would take four hundred requests in each run."""
        wanted = [desired(f"f{number}", application_id=self.APPLICATION) for number in range(20)]
        for flow in wanted:
            meta.add_flow(flow.name, flow_json=FLOW_JSON)
        self.hide(meta, "list_flows")
        self.hide(meta, "get_flow")
        planned(client, wanted)
        assert calls(meta).count("get_flow") == 3

    def test_a_field_that_the_plan_does_not_need_is_not_read(self, meta: Emulator, client: FlowsClient) -> None:
        """The file has no application."""
        synced(client, desired(publish=True))
        meta.clear_requests()
        self.hide(meta, "list_flows")
        planned(client, [desired(publish=True)])
        assert "get_flow" not in calls(meta)

    def test_with_the_lock_file_the_field_is_not_read(
        self, meta: Emulator, client: FlowsClient, wanted: DesiredFlow, lock: Lock
    ) -> None:
        """While the flow is unchanged: otherwise two hundred flows would take two hundred requests in each run."""
        synced(client, wanted, lock=lock)
        synced(client, wanted, lock=lock)
        meta.clear_requests()
        self.hide(meta, "list_flows")
        assert planned(client, [wanted], lock).changes[0].action == "unchanged"
        assert set(calls(meta)) == {"list_flows"}


# -- what Meta would refuse

NEEDS = FLOW_JSON.replace(b'"version"', b'"data_api_version": "3.0", "routing_model": {}, "version"')


@pytest.mark.parametrize(
    ("wanted", "found", "blocked"),
    [
        ({}, None, True),
        ({"endpoint_uri": "https://a.example"}, None, False),
        ({"publish": False}, None, False),
        ({}, actual(content=OTHER_FLOW_JSON), True),
        ({}, actual(content=OTHER_FLOW_JSON, endpoint_uri="https://a.example"), False),
        ({}, actual(content=OTHER_FLOW_JSON, unreported=frozenset({"endpoint_uri"})), False),
        ({}, actual("PUBLISHED", content=NEEDS), False),
        ({"replace": True}, actual("BLOCKED", content=OTHER_FLOW_JSON, endpoint_uri="https://a.example"), True),
    ],
)
def test_a_flow_that_needs_an_endpoint_is_not_published_without_one(
    wanted: dict[str, Any], found: ActualFlow | None, blocked: bool
) -> None:
    """Neither in the file nor at Meta (139002/4233024): the plan names both remedies."""
    flow = desired(**{"publish": True, "content": NEEDS, **wanted})
    snapshot = Snapshot(account_id="1", flows={"booking": found})
    (change,) = diff([flow], snapshot, PlanOptions(validate="off")).changes
    assert (change.blocked == "endpoint") == blocked
    if blocked:
        assert "endpoint = " in change.reason
        assert "remove data_api_version from booking.json" in change.reason


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (" Booking", "begins or ends with a blank"),
        ("Booking\u00a0", "begins or ends with a blank"),
        ("\u200bBooking", "begins or ends with a blank"),
        ("Boo\ud800king", "lone surrogate"),
        ("Boo\nking", "control character"),
        ("N" * 201, "over 200 characters"),
        ("BOOKING", "called 'Booking'"),
        ("Booking ", "begins or ends"),
        ("\uff22ooking", "called 'Booking'"),
        ("Booking table", ""),
    ],
)
def test_a_name_that_meta_may_refuse_is_blocked_in_the_plan(
    meta: Emulator, client: FlowsClient, name: str, expected: str
) -> None:
    """Before anything is created with it."""
    meta.add_flow("Booking", flow_json=FLOW_JSON)
    (change,) = planned(client, [desired("other", name=name)]).changes
    assert (change.blocked == "name") == bool(expected)
    assert expected in change.reason


def test_two_new_flows_get_no_names_that_meta_may_treat_as_equal(client: FlowsClient) -> None:
    """The first of them is created; existing flows with such names are not changed."""
    first, second = planned(client, [desired("one", name="Caf\u00e9"), desired("two", name="Cafe\u0301")]).changes
    assert (first.action, second.blocked) == ("create", "name")
    assert "[flows.one]" in second.reason


def test_existing_names_are_not_checked(meta: Emulator, client: FlowsClient) -> None:
    """Meta has accepted them."""
    for name in (" Booking ", "booking", "Booking"):
        meta.add_flow(name, flow_json=FLOW_JSON)
    wanted = [desired(f"f{number}", name=name) for number, name in enumerate((" Booking ", "booking", "Booking"))]
    assert [change.blocked for change in planned(client, wanted).changes] == [None, None, None]


def test_normalized_names() -> None:
    """Case, the Unicode form, and runs of blanks."""
    assert len({normalized(name) for name in ("Stra\u00dfe  1", "STRASSE 1", " stra\u00dfe\u00a01 ")}) == 1
    assert name_problem("") == "is empty"
