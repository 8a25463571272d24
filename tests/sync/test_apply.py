"""Application of a plan: the states of each flow, and failures in each of them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.sync.support import (
    FLOW_JSON,
    OTHER_FLOW_JSON,
    as_wanted,
    calls,
    client_of,
    desired,
    planned,
    synced,
)
from whatsapp_flows import (
    ConfigurationError,
    FixedDelays,
    FlowProcessingError,
    FlowsClient,
    FlowStateError,
    NameTakenError,
    NoAnswerError,
    NoRetry,
    PlanError,
    PublishBlockedError,
    RetryBudget,
)
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import FlowEvent, Lock, apply

LARGE = FLOW_JSON + b" " * (1024 * 1024)


def test_a_new_flow_is_created_and_published_in_one_request(meta: Emulator, client: FlowsClient) -> None:
    """With its Flow JSON in the same request."""
    (result,) = synced(client, desired(publish=True, categories=("SURVEY",), endpoint_uri="https://a.example"))
    flow = meta.flow(result.flow_id)
    assert (flow.name, flow.status, flow.categories) == ("Booking", "PUBLISHED", ("SURVEY",))
    assert (flow.endpoint_uri, flow.flow_json) == ("https://a.example", FLOW_JSON)
    assert (result.ok, result.done, result.status, result.attempts) == (True, ("create",), "PUBLISHED", 1)
    assert calls(meta) == ["list_flows", "create_flow"]


@pytest.mark.parametrize(
    ("more", "done"),
    [
        ({"application_id": "20300000000000009"}, ("create", "update", "publish")),
        ({"content": LARGE}, ("create", "upload", "publish")),
    ],
)
def test_an_application_or_a_large_document_is_sent_before_publishing(
    meta: Emulator, client: FlowsClient, more: dict[str, object], done: tuple[str, ...]
) -> None:
    """A create cannot contain an application or a document over its size limit."""
    wanted = desired(publish=True, **more)  # type: ignore[arg-type]
    (result,) = synced(client, wanted)
    assert (result.ok, result.done) == (True, done)
    as_wanted(meta, [wanted])
    assert meta.flow(result.flow_id).application_id == (wanted.application_id or "20300000000000001")


def test_a_published_flow_is_read_before_it_is_changed(meta: Emulator, client: FlowsClient) -> None:
    """Then uploaded, and published again."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    wanted = desired(publish=True)
    plan = planned(client, [wanted])
    meta.clear_requests()
    (result,) = apply(client, plan)
    assert (result.action, result.done, result.status) == ("republish", ("upload", "publish"), "PUBLISHED")
    assert calls(meta) == ["get_flow", "update_flow_json", "publish_flow"]
    assert len(calls(meta)) == plan.calls
    as_wanted(meta, [wanted])


def test_results_have_the_order_of_the_plan_and_a_failure_ends_one_flow(meta: Emulator) -> None:
    """The failed flow ends; the others continue."""
    second = meta.add_flow("Second", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=100, flow_id=second.id)
    wanted = [desired("first"), desired("second", publish=True), desired("third")]
    results = synced(client_of(meta), *wanted, jobs=3)
    assert [(result.key, result.ok) for result in results] == [("first", True), ("second", False), ("third", True)]
    assert (results[1].done, results[1].status, results[1].attempts) == ((), "DRAFT", 1)


def test_the_processing_error_is_retried(meta: Emulator, client: FlowsClient) -> None:
    """An upload that fails twice with 139001/4016012 succeeds on the third attempt, and each wait is an event."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    events: list[FlowEvent] = []
    (result,) = apply(
        client, planned(client, [desired(publish=True)]), on_event=events.append, retry_policy=FixedDelays((5, 10))
    )
    assert (result.ok, result.attempts, result.status) == (True, 3, "PUBLISHED")
    report_rows = [(event.state, event.attempt, event.wait) for event in events]
    assert report_rows == [
        ("checking", 1, 0.0), ("uploading", 1, 0.0), ("uploading", 2, 5), ("uploading", 3, 10), ("publishing", 1, 0.0),
        ("done", 1, 0.0),
    ]  # fmt: skip
    assert events[-1].result == result


def test_an_unprocessed_upload_is_repeated_by_the_next_run(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """Meta has stored the document, so it looks the same; the lock file knows that it was not processed."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    fault = meta.fail("update_flow_json", code=139001, subcode=4016012)
    (result,) = synced(client, desired(), lock=Lock(lock_file, account_id=meta.waba_id))
    assert isinstance(result.error, FlowProcessingError)
    assert (result.attempts, result.status) == (3, "DRAFT")
    fault.cancel()
    (result,) = synced(client, desired(), lock=Lock(lock_file, account_id=meta.waba_id))
    assert (result.done, result.ok) == (("upload",), True)


def test_a_failed_result_has_the_state_of_the_flow(meta: Emulator, client: FlowsClient) -> None:
    """An upload that Meta saved and could not process has un-published the flow, and the result says so."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    meta.fail("update_flow_json", code=139001, subcode=4016012)
    (result,) = synced(client, desired(publish=True))
    assert (result.ok, result.status_before, result.status) == (False, "PUBLISHED", "DRAFT")


def test_a_state_that_cannot_be_read_is_unknown(meta: Emulator, client: FlowsClient) -> None:
    """After an outage the state is unknown, and the result has none."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    plan = planned(client, [desired()])
    meta.fail("update_flow_json", reset="before")
    meta.fail("get_flow", reset="before", every=2)
    (result,) = apply(client, plan)
    assert isinstance(result.error, NoAnswerError)
    assert result.status == ""


def test_errors_in_the_flow_json_prevent_its_publishing(meta: Emulator, client: FlowsClient) -> None:
    """Meta answers with success and a list of errors: the flow has failed."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", status=200, body={"success": True, "validation_errors": [{"error": "NEW"}]})
    meta.fail("create_flow", status=200, body={"id": "5", "validation_errors": [{"error": "NEW"}]})
    results = synced(client, desired(publish=True), desired("survey", publish=True))
    assert [(it.ok, it.status, it.done, it.problem) for it in results] == [
        (False, "DRAFT", ("upload",), "Meta found 1 error in booking.json"),
        (False, "DRAFT", ("create",), "Meta found 1 error in survey.json"),
    ]
    assert "publish_flow" not in calls(meta)


def test_after_a_failed_publishing_check_the_result_has_the_draft(meta: Emulator, client: FlowsClient) -> None:
    """With its id, also when the create itself should have published it; the next run publishes it."""
    fault = meta.fail("publish_flow", code=139002, subcode=4233014)
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    (result,) = synced(client, desired(publish=True))
    assert isinstance(result.error, PublishBlockedError)
    assert (result.status, result.done) == ("DRAFT", ("upload",))
    fault.cancel()
    (result,) = synced(client, desired(publish=True))
    assert (result.ok, result.status) == (True, "PUBLISHED")


def test_a_create_that_could_not_publish_leaves_a_draft(meta: Emulator, client: FlowsClient) -> None:
    """The account has no verified phone number: the draft exists, and the result has its id."""
    with Emulator(phone_number_ids=()) as bare:
        (result,) = synced(client_of(bare), desired(publish=True))
        assert isinstance(result.error, PublishBlockedError)
        assert (result.flow_id, result.status, result.done) == (bare.flows()[0].id, "DRAFT", ("create",))


def test_a_second_run_writes_nothing(meta: Emulator, client: FlowsClient) -> None:
    """It finds every flow as desired."""
    wanted = [desired("one", publish=True), desired("two")]
    synced(client, *wanted)
    meta.clear_requests()
    assert [result.action for result in synced(client, *wanted)] == ["unchanged", "unchanged"]
    assert {request.method for request in meta.requests} == {"GET"}


# -- when the world moves


def test_a_flow_that_changed_since_the_plan_is_not_changed(meta: Emulator, client: FlowsClient) -> None:
    """It was edited in the Builder: neither the edit nor the flow's state is changed."""
    flow = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    plan = planned(client, [desired(publish=True)])
    client.update_flow_json(flow.id, OTHER_FLOW_JSON.replace(b"SECOND", b"THIRD"))
    (result,) = apply(client, plan)
    assert isinstance(result.error, PlanError)
    assert result.problem == "Booking has changed since the plan was made: it is DRAFT now."
    assert meta.flow(flow.id).flow_json == OTHER_FLOW_JSON.replace(b"SECOND", b"THIRD")


def test_a_flow_deleted_since_the_plan_is_not_created_again(meta: Emulator, client: FlowsClient) -> None:
    """The plan was to change it."""
    flow = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    plan = planned(client, [desired()])
    client.delete_flow(flow.id)
    (result,) = apply(client, plan)
    assert (result.problem, meta.flows()) == ("Booking has been deleted since the plan was made.", ())


@pytest.mark.parametrize("publish", [False, True])
def test_steps_that_another_run_has_done_are_not_repeated(meta: Emulator, client: FlowsClient, publish: bool) -> None:
    """Both have the same plan: the second finds the flow as desired, or some of its steps done."""
    flow = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    plan = planned(client, [desired(publish=True)])
    client.update_flow_json(flow.id, FLOW_JSON)
    if publish:
        client.publish_flow(flow.id)
    (result,) = apply(client, plan)
    assert (result.ok, result.status) == (True, "PUBLISHED")
    as_wanted(meta, [desired(publish=True)])


def test_a_flow_that_another_run_created_is_adopted(meta: Emulator, client: FlowsClient) -> None:
    """Only one flow of that name exists."""
    plan = planned(client, [desired(publish=True)])
    apply(client, plan)
    (result,) = apply(client, plan)
    assert (result.ok, result.adopted, result.done) == (True, True, ())
    as_wanted(meta, [desired(publish=True)])


def test_a_live_flow_that_has_appeared_is_not_unpublished(meta: Emulator, client: FlowsClient) -> None:
    """It has the name and differs from the desired state; the plan did not say that it would be un-published."""
    plan = planned(client, [desired(publish=True)])
    flow = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    (result,) = apply(client, plan)
    assert isinstance(result.error, PlanError)
    assert meta.flow(flow.id).status == "PUBLISHED"


def test_a_create_whose_answer_was_lost_makes_no_second_flow(meta: Emulator, client: FlowsClient) -> None:
    """The flow is found by its name, and is complete."""
    meta.fail("create_flow", reset="after", times=1)
    wanted = desired(publish=True)
    (result,) = synced(client, wanted)
    assert (result.ok, result.adopted) == (True, True)
    as_wanted(meta, [wanted])


def test_a_flow_that_another_run_published_succeeds(meta: Emulator, client: FlowsClient) -> None:
    """Meta refuses to publish a published flow."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    plan = planned(client, [desired(publish=True)])

    def publish_first(event: FlowEvent) -> None:
        if event.state == "publishing":
            client.publish_flow(event.flow_id)

    (result,) = apply(client, plan, on_event=publish_first)
    assert (result.ok, result.status) == (True, "PUBLISHED")


# -- replace and deprecate


def test_a_flow_that_refuses_edits_is_replaced(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """The old one stays live until `prune`; the next run finds the new one, and changes that."""
    wanted = desired(publish=True, replace=True)
    lock = Lock(lock_file, account_id=meta.waba_id)
    (first,) = synced(client, desired(publish=True, content=OTHER_FLOW_JSON), lock=lock)
    old = meta.flow(first.flow_id)
    meta.lock(old.id)
    (result,) = synced(client, wanted, lock=lock)
    assert (result.ok, result.action, result.name) == (True, "replace", "Booking (generation 2)")
    assert {flow.name: flow.status for flow in meta.flows()} == {
        "Booking": "PUBLISHED",
        "Booking (generation 2)": "PUBLISHED",
    }
    assert [it.action for it in synced(client, wanted, lock=lock)] == ["unchanged"]
    _, pruned = synced(client, wanted, lock=lock, prune=True)
    assert (pruned.action, pruned.flow_id, meta.flow(old.id).status) == ("deprecate", old.id, "DEPRECATED")
    assert lock.get("booking", result.flow_id) is not None
    (again,) = synced(client, desired(publish=True, replace=True, content=OTHER_FLOW_JSON), lock=lock)
    assert (again.action, again.flow_id) == ("republish", result.flow_id)


def test_without_replace_a_flow_that_refuses_edits_is_not_replaced(meta: Emulator, client: FlowsClient) -> None:
    """It stays live."""
    old = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    meta.lock(old.id)
    for wanted in (desired(publish=True), desired(publish=True, categories=("SURVEY",))):
        (result,) = synced(client, wanted)
        assert isinstance(result.error, FlowStateError)
        assert (result.status, meta.flow(old.id).status) == ("PUBLISHED", "PUBLISHED")


def test_a_removed_flow_is_deprecated_and_leaves_the_lock_file(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """Only with `prune`, and only a flow that was deployed from here."""
    meta.add_flow("Somebody's", flow_json=FLOW_JSON, status="PUBLISHED")
    lock = Lock(lock_file, account_id=meta.waba_id)
    synced(client, desired("old", publish=True), desired("new"), lock=lock)
    assert len(synced(client, desired("new"), lock=lock)) == 1
    _, pruned = synced(client, desired("new"), lock=lock, prune=True)
    assert (pruned.ok, pruned.action, pruned.status) == (True, "deprecate", "DEPRECATED")
    assert {flow.name: flow.status for flow in meta.flows()} == {
        "Somebody's": "PUBLISHED",
        "Old": "DEPRECATED",
        "New": "DRAFT",
    }
    assert lock.owner(pruned.flow_id, "Old") is None


@pytest.mark.parametrize(("status", "ok"), [("DEPRECATED", True), ("THROTTLED", False)])
def test_a_flow_is_read_before_it_is_deprecated(
    meta: Emulator, client: FlowsClient, lock_file: Path, status: str, ok: bool
) -> None:
    """If it is deprecated already, it succeeds; after any other change the plan is stale for it."""
    lock = Lock(lock_file, account_id=meta.waba_id)
    (made,) = synced(client, desired("old", publish=True), lock=lock)
    plan = planned(client, [], lock, prune=True)
    meta.set_status(made.flow_id, status)
    (result,) = apply(client, plan, lock=lock)
    assert (result.ok, result.status) == (ok, status)


# -- the run as a whole


def test_a_refused_plan_sends_nothing(meta: Emulator, client: FlowsClient) -> None:
    """Too many changes, another account, no jobs."""
    flows = [desired(f"f{number}") for number in range(11)]
    for flow in flows:
        meta.add_flow(flow.name, flow_json=OTHER_FLOW_JSON)
    plan = planned(client, flows)
    meta.clear_requests()
    with pytest.raises(PlanError, match="set force"):
        apply(client, plan)
    with pytest.raises(PlanError, match="another account"):
        apply(client.with_options(waba_id="1"), plan, force=True)
    with pytest.raises(ConfigurationError, match="jobs"):
        apply(client, plan, force=True, jobs=0)
    assert not meta.requests
    assert all(result.ok for result in apply(client, plan, force=True))


def test_stop_ends_each_flow_before_its_next_request(meta: Emulator, client: FlowsClient) -> None:
    """The result of a flow that was begun has the steps done; the others are reported as not begun."""
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    stop = threading.Event()
    plan = planned(client, [desired("one", publish=True), desired("two")])

    def stop_it(event: FlowEvent) -> None:
        if event.state == "publishing":
            stop.set()

    one, two = apply(client, plan, jobs=1, stop=stop, on_event=stop_it)
    assert (one.problem, one.done, one.status) == ("interrupted", ("upload",), "DRAFT")
    assert (two.problem, two.done) == ("not begun", ())
    assert "publish_flow" not in calls(meta)
    assert "create_flow" not in calls(meta)


def test_stop_ends_a_wait_at_once(meta: Emulator) -> None:
    """A wait of an hour, in a real clock."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012)
    client = FlowsClient("token", meta.waba_id, base_url=meta.url)
    stop = threading.Event()
    (result,) = apply(
        client,
        planned(client, [desired()]),
        stop=stop,
        retry_policy=FixedDelays((3600,)),
        on_event=lambda event: stop.set() if event.wait else None,
    )
    assert (result.problem, result.status) == ("interrupted", "")


def test_ctrl_c_is_raised_after_the_results_were_reported(meta: Emulator) -> None:
    """It ends the flow in which it was raised, and those that were not begun."""

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("publish_flow", code=131000)
    client = FlowsClient("token", meta.waba_id, base_url=meta.url, sleep=interrupted)
    plan = planned(client, [desired("one", publish=True), desired("two")])
    events: list[FlowEvent] = []
    with pytest.raises(KeyboardInterrupt):
        apply(client, plan, jobs=1, on_event=events.append)
    results = [event.result for event in events if event.result is not None]
    assert [(it.key, it.problem, it.status, it.done) for it in results] == [
        ("one", "interrupted", "", ("upload",)),
        ("two", "not begun", "", ()),
    ]


def test_a_consumer_that_raises_fails_no_run(
    meta: Emulator, client: FlowsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged."""

    def broken(event: FlowEvent) -> None:
        raise RuntimeError("the consumer")

    (result,) = apply(client, planned(client, [desired()]), on_event=broken)
    assert result.ok
    assert "An event consumer failed on booking" in caplog.text


def test_an_unexpected_exception_fails_one_flow(
    meta: Emulator, client: FlowsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A policy of the host's raises one."""

    class Broken:
        def decide(self, state: object, /) -> None:
            raise RuntimeError("the policy")

    meta.fail("create_flow", code=131000, times=1)
    one, two = apply(client, planned(client, [desired("one"), desired("two")]), jobs=1, retry_policy=Broken())  # type: ignore[arg-type]
    assert (one.ok, one.problem, two.ok) == (False, "RuntimeError: the policy", True)


def test_a_client_with_no_retry_makes_no_retry(meta: Emulator) -> None:
    """As in a task queue, which repeats the task itself."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012)
    (result,) = synced(client_of(meta, retry_policy=NoRetry()), desired())
    assert (result.attempts, calls(meta).count("update_flow_json")) == (1, 1)


def test_an_edit_just_after_our_last_write_is_not_hidden(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """The time is that of another write: it is not recorded, so the next run reads the flow."""
    lock = Lock(lock_file, account_id=meta.waba_id)
    plan = planned(client, [desired()], lock)
    (result,) = apply(client, plan, lock=lock, now=lambda: 0.0)  # so that Meta's time is later than our write
    entry = lock.get("booking", result.flow_id)
    assert entry is not None
    assert entry.updated_at == ""


def test_a_flow_that_another_run_deprecated_succeeds(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """Meta refuses to deprecate a deprecated flow; any other refusal is a failure."""
    lock = Lock(lock_file, account_id=meta.waba_id)
    synced(client, desired("old", publish=True), desired("older", publish=True), lock=lock)

    def deprecate_first(event: FlowEvent) -> None:
        if event.state == "deprecating" and event.key == "old":
            client.deprecate_flow(event.flow_id)
        elif event.state == "deprecating":
            meta.fail("deprecate_flow", code=139003, flow_id=event.flow_id)

    plan = planned(client, [], lock, prune=True)
    old, older = apply(client, plan, lock=lock, jobs=1, on_event=deprecate_first)
    assert (old.ok, old.status) == (True, "DEPRECATED")
    assert isinstance(older.error, FlowStateError)
    assert older.status == "PUBLISHED"


def test_a_name_taken_by_an_unknown_flow_is_a_failure(meta: Emulator, client: FlowsClient) -> None:
    """By a deprecated flow, for example."""
    plan = planned(client, [desired()])
    meta.add_flow("Booking", status="DEPRECATED")
    (result,) = apply(client, plan)
    assert isinstance(result.error, NameTakenError)
    assert result.flow_id == ""


def test_a_replacement_whose_name_would_be_too_long_is_not_created(meta: Emulator, client: FlowsClient) -> None:
    """Meta's names have a maximum length."""
    name = "N" * 195
    meta.lock(meta.add_flow(name, flow_json=OTHER_FLOW_JSON, status="PUBLISHED").id)
    (result,) = synced(client, desired(name=name, publish=True, replace=True))
    assert isinstance(result.error, FlowStateError)


def test_a_change_of_metadata_since_the_plan_makes_it_stale(meta: Emulator, client: FlowsClient) -> None:
    """The plan was to upload; now the categories differ as well, which the plan does not show."""
    flow = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    plan = planned(client, [desired()])
    client.update_flow(flow.id, categories=["SURVEY"])
    (result,) = apply(client, plan)
    assert isinstance(result.error, PlanError)
    assert meta.flow(flow.id).flow_json == OTHER_FLOW_JSON


def test_a_retry_policy_of_the_callers_is_used_unchanged(meta: Emulator) -> None:
    """So several runs can share one budget."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012)
    budget = RetryBudget(FixedDelays((0,)), capacity=1, refill=0)
    for attempts in (2, 1):
        (result,) = synced(client_of(meta, retry_policy=budget), desired(publish=True), jobs=1)
        assert result.attempts == attempts


@pytest.mark.parametrize(("later", "reads"), [(-60.0, 1), (0.0, 0), (60.0, 1)])
def test_a_flow_changed_after_our_last_write_is_read_again(
    meta: Emulator, client: FlowsClient, lock_file: Path, later: float, reads: int
) -> None:
    """By Meta's clock: what is listed with the time of our write is what was written; all else is read again."""
    wanted = desired(publish=True)
    lock = Lock(lock_file, account_id=meta.waba_id)
    (result,) = apply(client, planned(client, [wanted], lock), lock=lock, now=lambda: time.time() + later)
    entry = Lock(lock_file, account_id=meta.waba_id).get("booking", result.flow_id)
    assert entry is not None
    assert (entry.updated_at, bool(entry.written_at)) == ("", True)
    meta.clear_requests()
    again = Lock(lock_file, account_id=meta.waba_id)
    assert planned(client, [wanted], again).changes[0].action == "unchanged"
    assert calls(meta).count("download_flow_json") == reads


def test_one_changed_flow_of_two_hundred_costs_four_requests_and_a_download(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """The listing, the old Flow JSON, the look before the first write, the upload, the publishing; then nothing."""
    flows = [desired(f"f{number}", publish=True) for number in range(200)]
    synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id), jobs=8)
    flows[7] = desired("f7", publish=True, content=OTHER_FLOW_JSON)
    lock = Lock(lock_file, account_id=meta.waba_id)
    meta.clear_requests()
    plan = planned(client, flows, lock)
    assert calls(meta) == ["list_flows", "download_flow_json"]
    meta.clear_requests()
    apply(client, plan, lock=lock)
    assert calls(meta) == ["get_flow", "update_flow_json", "publish_flow"]
    assert plan.calls == 3
    meta.clear_requests()
    before = lock_file.read_bytes()
    assert {it.action for it in synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id))} == {"unchanged"}
    assert calls(meta) == ["list_flows"]
    assert lock_file.read_bytes() == before


def test_apply_makes_as_many_requests_as_the_plan_says(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """A change of every kind, and a deprecation that reads its successor first."""
    lock = Lock(lock_file, account_id=meta.waba_id)
    synced(
        client, desired("renamed", publish=True), desired("gone", publish=True), desired("republished", publish=True),
        desired("updated"), desired("uploaded"), desired("published"), lock=lock,
    )  # fmt: skip
    meta.add_flow("Adopted", flow_json=FLOW_JSON)
    wanted = [
        desired("renamed", name="Termin", publish=True),
        desired("republished", publish=True, content=OTHER_FLOW_JSON, categories=("SURVEY",)),
        desired("updated", categories=("SURVEY",)),
        desired("uploaded", content=OTHER_FLOW_JSON),
        desired("published", publish=True),
        desired("adopted"),
        desired("created", application_id="20300000000000009", publish=True),
        desired("large", content=LARGE),
    ]
    plan = planned(client, wanted, lock, prune=True)
    meta.clear_requests()
    assert all(result.ok for result in apply(client, plan, lock=lock))
    assert len(calls(meta)) == plan.calls
    assert planned(client, wanted, Lock(lock_file, account_id=meta.waba_id), prune=True).empty
