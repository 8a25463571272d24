"""Reading what is there and carrying out plans, against the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sync.support import FAULTY_FLOW_JSON, FLOW_JSON, OTHER_FLOW_JSON, desired
from whatsapp_flows import FlowProcessingError, FlowsClient, NoAnswerError, PublishBlockedError, ServiceUnavailableError
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import ActualFlow, DesiredFlow, FlowResult, SyncOptions, Unreadable, apply, decide, observe


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An emulator."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(meta: Emulator) -> Iterator[FlowsClient]:
    """A client of it that does not wait."""
    with FlowsClient("token", meta.waba_id, base_url=meta.url, sleep=lambda seconds: None) as flows:
        yield flows


def synced(client: FlowsClient, *wanted: DesiredFlow, publish: bool = False, force: bool = False) -> list[FlowResult]:
    """Plan and apply."""
    options = SyncOptions(publish=publish, force=force)
    plans = [decide(flow, found, options) for flow, found in zip(wanted, observe(client, wanted), strict=True)]
    return list(apply(client, plans))


def calls(meta: Emulator) -> list[str | None]:
    """The operations that arrived."""
    return [request.operation for request in meta.requests]


def test_one_listing_serves_all_flows(meta: Emulator, client: FlowsClient) -> None:
    """The account is listed once, and only what exists is downloaded."""
    here = meta.add_flow("Here", flow_json=FLOW_JSON)
    asked: list[tuple[str, str]] = []
    found = observe(
        client, [desired("here"), desired("missing")], on_flow=lambda flow, flow_id: asked.append((flow.key, flow_id))
    )
    assert found == (ActualFlow(id=here.id, status="DRAFT", categories=("OTHER",), content=FLOW_JSON), None)
    assert asked == [("here", here.id)]
    assert calls(meta).count("list_flows") == 1


def test_a_deprecated_flow_gives_way_to_another_of_its_name(meta: Emulator, client: FlowsClient) -> None:
    """A deprecated flow counts only if no other has its name, and is not downloaded."""
    old = meta.add_flow("Here", flow_json=FLOW_JSON, status="DEPRECATED")
    (found,) = observe(client, [desired("here")])
    assert isinstance(found, ActualFlow)
    assert (found.id, found.status, found.content) == (old.id, "DEPRECATED", None)
    assert calls(meta) == ["list_flows"]


def test_a_flow_without_a_flow_json_has_none(meta: Emulator, client: FlowsClient) -> None:
    """A flow that was never given a Flow JSON is there, and differs from every file."""
    meta.add_flow("Here")
    (found,) = observe(client, [desired("here")])
    assert isinstance(found, ActualFlow)
    assert found.content is None


def test_a_download_that_fails_is_that_flows_own_trouble(meta: Emulator, client: FlowsClient) -> None:
    """One flow that cannot be read does not keep the others from being read."""
    broken = meta.add_flow("Broken", flow_json=FLOW_JSON)
    meta.add_flow("Fine", flow_json=FLOW_JSON)
    meta.fail("list_assets", code=131000, flow_id=broken.id)
    first, second = observe(client, [desired("broken"), desired("fine")])
    assert isinstance(first, Unreadable)
    assert isinstance(first.error, ServiceUnavailableError)
    assert isinstance(second, ActualFlow)


def test_a_listing_that_fails_is_no_empty_account(meta: Emulator, client: FlowsClient) -> None:
    """When the account cannot be listed nothing is planned: no second flow is ever made by mistake."""
    meta.fail("list_flows", code=131000)
    with pytest.raises(ServiceUnavailableError):
        observe(client, [desired()])


def test_a_new_flow_is_created_uploaded_and_published(meta: Emulator, client: FlowsClient) -> None:
    """The steps run in order, and the result says what was done."""
    (result,) = synced(client, desired(publish=True, categories=("SURVEY",)))
    flow = meta.flow(result.flow_id)
    assert (flow.name, flow.status, flow.categories) == ("Booking", "PUBLISHED", ("SURVEY",))
    assert result.ok
    assert (result.done, result.status, result.attempts) == (("create", "upload", "publish"), "PUBLISHED", 1)


def test_results_come_in_the_order_of_the_file_and_a_failure_stops_one_flow(
    meta: Emulator, client: FlowsClient
) -> None:
    """The flow that fails ends there; those after it go on."""
    second = meta.add_flow("Second", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=100, flow_id=second.id)
    results = synced(client, desired("first"), desired("second", publish=True), desired("third"))
    assert [(result.plan.desired.key, result.ok) for result in results] == [
        ("first", True),
        ("second", False),
        ("third", True),
    ]
    assert (results[1].done, results[1].status, results[1].attempts) == ((), "DRAFT", 1)
    assert meta.flow(second.id).status == "DRAFT"


def test_the_processing_error_is_outlasted(meta: Emulator, client: FlowsClient) -> None:
    """An upload that fails twice with 139001/4016012 gets through on the third attempt."""
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    (result,) = synced(client, desired(publish=True))
    assert (result.ok, result.attempts, result.status) == (True, 3, "PUBLISHED")


def test_a_failure_says_in_which_state_the_flow_is_left(meta: Emulator, client: FlowsClient) -> None:
    """An upload that Meta saved and could not process has un-published the flow, and the result says so."""
    flow = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    meta.fail("update_flow_json", code=139001, subcode=4016012)
    (result,) = synced(client, desired(), publish=True)
    assert isinstance(result.error, FlowProcessingError)
    assert (result.attempts, result.plan.status, result.status) == (3, "PUBLISHED", "DRAFT")
    assert meta.flow(flow.id).status == "DRAFT"


def test_a_state_that_cannot_be_read_is_unknown(meta: Emulator, client: FlowsClient) -> None:
    """After an outage nobody knows the state, and the result does not pretend to."""
    meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    meta.fail("update_flow_json", reset="before")
    meta.fail("get_flow", reset="before")
    (result,) = synced(client, desired(), publish=True)
    assert isinstance(result.error, NoAnswerError)
    assert result.status == ""


def test_a_creation_that_fails_leaves_no_id(meta: Emulator, client: FlowsClient) -> None:
    """A flow that could not be created has no id and no state."""
    meta.fail("create_flow", code=131000)
    (result,) = synced(client, desired())
    assert (result.flow_id, result.status, result.ok) == ("", "", False)


def test_errors_in_the_flow_json_keep_it_from_being_published(meta: Emulator, client: FlowsClient) -> None:
    """Meta answers a faulty upload with a success and a list of errors: a failure all the same."""
    (result,) = synced(client, desired(publish=True, content=FAULTY_FLOW_JSON))
    assert (result.ok, result.status, result.done) == (False, "DRAFT", ("create", "upload"))
    assert result.problem == "Meta found 1 error in booking.json"
    assert [issue.error for issue in result.issues] == ["MIN_ITEMS_REQUIRED"]
    assert "publish_flow" not in calls(meta)


def test_new_metadata_is_sent_when_it_differs(meta: Emulator, client: FlowsClient) -> None:
    """Categories and the endpoint are changed, and the Flow JSON is not sent again."""
    flow = meta.add_flow("Booking", flow_json=FLOW_JSON)
    (result,) = synced(client, desired(categories=("SURVEY",), endpoint_uri="https://a.example"))
    assert (result.done, result.attempts) == (("update",), 0)
    now = meta.flow(flow.id)
    assert (now.categories, now.endpoint_uri) == (("SURVEY",), "https://a.example")
    assert "update_flow_json" not in calls(meta)


def test_a_publishing_check_that_fails_is_told(meta: Emulator, client: FlowsClient) -> None:
    """The flow stays a draft, and the result carries Meta's reason."""
    meta.fail("publish_flow", code=139002, subcode=4233014)
    (result,) = synced(client, desired(publish=True))
    assert isinstance(result.error, PublishBlockedError)
    assert (result.status, result.done, result.attempts) == ("DRAFT", ("create", "upload"), 1)


def test_nothing_is_written_twice(meta: Emulator, client: FlowsClient) -> None:
    """A second run finds everything as it should be, and sends no write."""
    wanted = [desired("one", publish=True), desired("two")]
    synced(client, *wanted)
    meta.clear_requests()
    assert [result.plan.action for result in synced(client, *wanted)] == ["unchanged", "unchanged"]
    assert {request.method for request in meta.requests} == {"GET"}


def test_an_interrupt_yields_what_was_done_before_it_goes_on(meta: Emulator, client: FlowsClient) -> None:
    """Ctrl-C in the middle of a flow: its result is yielded, and then the interrupt comes through."""

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    meta.fail("publish_flow", code=131000)
    results = apply(
        client.with_options(sleep=interrupted), [decide(desired(publish=True), None, SyncOptions()) for _ in range(2)]
    )
    result = next(results)
    assert (result.done, result.problem, result.status) == (("create", "upload"), "interrupted", "")
    with pytest.raises(KeyboardInterrupt):
        next(results)
