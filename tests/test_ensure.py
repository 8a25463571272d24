"""`ensure_flow`: finding or creating a flow, changing and publishing it; a live flow is not lost when a step fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import TOKEN, Scene, answer, refusal, valid_flow
from whatsapp_flows import (
    AsyncFlowsClient,
    ConfigurationError,
    EnsuredFlow,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    FlowStateError,
    FlowStatus,
    FlowValidationError,
    IntegrityError,
    NameTakenError,
    NoAnswerError,
    PlanError,
    PublishBlockedError,
    ServiceUnavailableError,
)
from whatsapp_flows.emulator import Emulator

OLD, NEW = valid_flow("OLD"), valid_flow("NEW")
ENDPOINT = "https://flows.example/data"
Ensure = Callable[..., EnsuredFlow]


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An empty account."""
    with Emulator() as meta:
        yield meta


def no_wait(_: float) -> None:
    """Time is a parameter."""


@pytest.fixture(params=["sync", "asyncio"])
def ensure(request: pytest.FixtureRequest, meta: Emulator) -> Ensure:
    """The call, of either client."""

    def plainly(*arguments: Any, **options: Any) -> EnsuredFlow:
        with FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, sleep=no_wait) as client:
            return client.ensure_flow(*arguments, **options)

    def in_a_loop(*arguments: Any, **options: Any) -> EnsuredFlow:
        async def main() -> EnsuredFlow:
            async def pause(_: float) -> None:
                return None

            async with AsyncFlowsClient(TOKEN, meta.waba_id, base_url=meta.url, sleep=pause) as client:
                return await client.ensure_flow(*arguments, **options)

        return asyncio.run(main())

    return plainly if request.param == "sync" else in_a_loop


def writes(meta: Emulator) -> list[str]:
    """The write requests, by the names of the client's methods."""
    return [str(request.operation) for request in meta.requests if request.method != "GET"]


def stored(meta: Emulator, flow_id: str) -> Any:
    with FlowsClient(TOKEN, meta.waba_id, base_url=meta.url) as client:
        return json.loads(client.download_flow_json(flow_id))


def status(meta: Emulator, flow_id: str) -> str:
    return next(str(flow.status) for flow in meta.flows() if flow.id == flow_id)


def live(meta: Emulator, document: Any = OLD, **more: Any) -> str:
    """A published flow."""
    return meta.add_flow("Booking", flow_json=json.dumps(document), status="PUBLISHED", **more).id


def test_a_missing_flow_is_created_uploaded_and_published(ensure: Ensure, meta: Emulator) -> None:
    """In one call."""
    flow = ensure("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert (flow.created, flow.uploaded, flow.published, flow.adopted) == (True, True, True, False)
    assert (flow.status, flow.success, flow.attempts) == (FlowStatus.PUBLISHED, True, 1)
    assert (status(meta, flow.id), stored(meta, flow.id)) == ("PUBLISHED", NEW)


@pytest.mark.parametrize("options", [{"publish": True}, {"publish": False}, {"endpoint_uri": ENDPOINT}])
def test_a_second_run_writes_nothing(ensure: Ensure, meta: Emulator, options: dict[str, Any]) -> None:
    """Whatever the layout of the document and the order of the categories."""
    first = ensure("Booking", ["OTHER", "SURVEY"], flow_json=NEW, **options)
    meta.clear_requests()
    again = ensure("Booking", ["SURVEY", "OTHER"], flow_json=json.dumps(NEW, indent=4, sort_keys=True), **options)
    assert (again.id, again.changed, again.success, again.attempts) == (first.id, False, True, 0)
    assert again.status == first.status
    assert writes(meta) == []
    assert len(meta.flows()) == 1


def test_what_differs_is_changed_and_nothing_else(ensure: Ensure, meta: Emulator) -> None:
    """A draft is completed."""
    flow_id = meta.add_flow("Booking", flow_json=json.dumps(OLD), categories=["OTHER"]).id
    flow = ensure("Booking", ["OTHER"], flow_json=NEW)
    assert (flow.id, flow.uploaded, flow.updated, flow.published, flow.created) == (flow_id, True, False, False, False)
    meta.clear_requests()
    flow = ensure("Booking", ["SURVEY"], flow_json=NEW, endpoint_uri=ENDPOINT)
    assert (flow.uploaded, flow.updated) == (False, True)
    assert writes(meta) == ["update_flow"]


def test_true_is_not_one(ensure: Ensure, meta: Emulator) -> None:
    """Documents are compared as JSON values, not as Python values."""
    one = {**valid_flow(), "version": "7.3", "x": 1}
    meta.add_flow("Booking", flow_json=json.dumps(one))
    assert ensure("Booking", ["OTHER"], flow_json={**one, "x": True}).uploaded


def test_a_live_flow_is_changed_and_published_again(ensure: Ensure, meta: Emulator) -> None:
    """If the caller passes `publish=True`."""
    flow_id = live(meta)
    flow = ensure("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert (flow.id, flow.uploaded, flow.published, flow.restored) == (flow_id, True, True, False)
    assert (status(meta, flow_id), stored(meta, flow_id)) == ("PUBLISHED", NEW)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"flow_json": NEW}, "Flow JSON"),
        ({"endpoint_uri": ENDPOINT}, "endpoint_uri"),
        ({"categories": ["SURVEY"]}, "categories"),
    ],
)
def test_a_live_flow_is_not_unpublished_implicitly(
    ensure: Ensure, meta: Emulator, change: dict[str, Any], named: str
) -> None:
    """Without `publish` nothing is written; the error names the difference, and how to allow the change."""
    flow_id = live(meta)
    categories, change = change.get("categories", ["OTHER"]), {k: v for k, v in change.items() if k != "categories"}
    with pytest.raises(PlanError, match=named) as caught:
        ensure("Booking", categories, **change)
    assert (caught.value.flow_id, writes(meta), status(meta, flow_id)) == (flow_id, [], "PUBLISHED")
    assert "publish=True" in caught.value.advice
    allowed = ensure("Booking", categories, allow_unpublish=True, **change)
    assert (allowed.status, status(meta, flow_id)) == (FlowStatus.DRAFT, "DRAFT")


FOR_GOOD: list[tuple[dict[str, Any], type[FlowsError]]] = [
    ({"operation": "publish_flow", "code": 139002, "subcode": 4233014, "times": 1}, PublishBlockedError),
    ({"operation": "publish_flow", "code": 139000, "subcode": 4233020, "times": 1}, IntegrityError),
    ({"operation": "update_flow_json", "code": 139001, "subcode": 4016012, "times": 3}, FlowProcessingError),
]


@pytest.mark.parametrize(("fault", "error"), FOR_GOOD, ids=str)
def test_a_live_flow_that_cannot_be_published_is_restored(
    ensure: Ensure, meta: Emulator, fault: dict[str, Any], error: type[FlowsError]
) -> None:
    """Its old Flow JSON and categories are published again; the error is raised and says so."""
    flow_id = live(meta, categories=["OTHER"])
    meta.fail(**fault)
    with pytest.raises(error) as caught:
        ensure("Booking", ["SURVEY"], flow_json=NEW, publish=True)
    assert (status(meta, flow_id), stored(meta, flow_id)) == ("PUBLISHED", OLD)
    assert next(flow.categories for flow in meta.flows()) == ("OTHER",)
    assert caught.value.advice.startswith("The flow has its old Flow JSON back, and is live. ")
    assert caught.value.advice in str(caught.value)
    assert (caught.value.flow_id, caught.value.details.lost_flow_json) == (flow_id, None)


def test_errors_that_only_meta_finds_restore_the_live_flow(ensure: Ensure, meta: Emulator) -> None:
    """The new Flow JSON is stored, refused, and replaced by the old one; the result has the errors."""
    flow_id = live(meta)
    broken = {**NEW, "unheard_of": 1}
    flow = ensure("Booking", ["OTHER"], flow_json=broken, publish=True, validate="off")
    assert (flow.success, flow.restored, flow.status, flow.uploaded) == (False, True, FlowStatus.PUBLISHED, False)
    assert [issue.error for issue in flow.validation_errors] == ["INVALID_PROPERTY_KEY"]
    assert (status(meta, flow_id), stored(meta, flow_id)) == ("PUBLISHED", OLD)


def test_errors_that_validation_finds_leave_the_live_flow_unchanged(ensure: Ensure, meta: Emulator) -> None:
    """The new Flow JSON is validated first, although the client validates nothing by default."""
    flow_id = live(meta)
    with pytest.raises(FlowValidationError, match="INVALID_PROPERTY_KEY"):
        ensure("Booking", ["OTHER"], flow_json={**NEW, "unheard_of": 1}, publish=True)
    assert (writes(meta), status(meta, flow_id)) == ([], "PUBLISHED")


def test_a_draft_with_errors_is_not_published(ensure: Ensure, meta: Emulator) -> None:
    """The result has the errors; the next run reports them again without an upload."""
    for _ in range(2):
        flow = ensure("Booking", ["OTHER"], flow_json={**NEW, "unheard_of": 1}, publish=True)
        assert (flow.success, flow.published, flow.status) == (False, False, FlowStatus.DRAFT)
        assert [issue.error for issue in flow.validation_errors] == ["INVALID_PROPERTY_KEY"]
    assert writes(meta).count("update_flow_json") == 1
    assert "publish_flow" not in writes(meta)


def test_a_flow_that_refuses_the_change_stays_unchanged(ensure: Ensure, meta: Emulator) -> None:
    """Nothing was changed, so nothing is restored."""
    flow_id = live(meta)
    meta.fail("update_flow_json", code=139001, subcode=4016010)
    with pytest.raises(FlowStateError) as caught:
        ensure("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert caught.value.advice.startswith("The flow is live as before. ")
    assert (status(meta, flow_id), stored(meta, flow_id)) == ("PUBLISHED", OLD)


def test_an_error_after_a_failed_restore_has_the_state_and_the_old_flow_json(ensure: Ensure, meta: Emulator) -> None:
    """So that the caller can restore it."""
    flow_id = live(meta)
    meta.fail("publish_flow", code=139000, subcode=4233020)
    with pytest.raises(IntegrityError) as caught:
        ensure("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert caught.value.advice.startswith(f"The flow {flow_id} is a draft, and what it had could not be put back (")
    assert json.loads(caught.value.details.lost_flow_json or b"") == OLD


def test_an_outage_is_left_to_the_next_call(ensure: Ensure, meta: Emulator) -> None:
    """A restore would fail as well: the error says that another call continues, and it does."""
    flow_id = live(meta)
    meta.fail("publish_flow", code=2, times=3)
    with pytest.raises(ServiceUnavailableError) as caught:
        ensure("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert "call again to have it published" in caught.value.advice
    assert json.loads(caught.value.details.lost_flow_json or b"") == OLD
    flow = ensure("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert (flow.id, flow.uploaded, flow.published, status(meta, flow_id)) == (flow_id, False, True, "PUBLISHED")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["create_flow", "update_flow_json", "publish_flow", "list_flows"])
def test_a_lost_answer_makes_no_second_flow(ensure: Ensure, meta: Emulator, operation: str, when: Any) -> None:
    """Whichever answer is lost."""
    meta.fail(operation, reset=when, times=1)
    flow = ensure("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert [(each.id, str(each.status)) for each in meta.flows()] == [(flow.id, "PUBLISHED")]
    assert stored(meta, flow.id) == NEW
    assert flow.adopted is (operation == "create_flow" and when == "after")


def test_a_flow_that_another_process_created_meanwhile_is_used() -> None:
    """The flow that has the name is changed instead."""
    listing = answer({"data": [{"id": "7", "name": "Booking", "status": "DRAFT", "categories": ["OTHER"]}]})
    empty = answer({"data": []})
    scene = Scene(empty, refusal(100, 4016019), listing, listing)
    flow = scene.client.ensure_flow("Booking", ["OTHER"])
    assert (flow.id, flow.created, flow.changed) == ("7", False, False)
    scene = Scene(empty, refusal(100, 4016019), empty, empty)
    with pytest.raises(NameTakenError):
        scene.client.ensure_flow("Booking", ["OTHER"])


def test_an_endpoint_that_is_missing_from_the_listing_is_read() -> None:
    """A missing value is not a difference."""
    flow = {"id": "7", "name": "Booking", "status": "PUBLISHED", "categories": ["OTHER"]}
    scene = Scene(answer({"data": [flow]}), answer({**flow, "endpoint_uri": ENDPOINT}))
    assert not scene.client.ensure_flow("Booking", ["OTHER"], endpoint_uri=ENDPOINT).changed


def test_a_download_that_fails_is_no_difference() -> None:
    """A flow whose Flow JSON cannot be read is not overwritten."""
    flow = {"id": "7", "name": "Booking", "status": "PUBLISHED", "categories": ["OTHER"]}
    scene = Scene(answer({"data": [flow]}), NoAnswerError("silence"), max_attempts=1)
    with pytest.raises(NoAnswerError):
        scene.client.ensure_flow("Booking", ["OTHER"], flow_json=NEW, publish=True)
    assert {request.method for request in scene.transport.requests} == {"GET"}


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("", ["OTHER"]), {}),
        (("Booking", []), {}),
        (("Booking", "OTHER"), {}),
        (("Booking", ["OTHER"]), {"flow_json": "{"}),
        (("Booking", ["OTHER"]), {"endpoint_uri": ""}),
        (("Booking", ["OTHER"]), {"validate": "yes"}),
    ],
)
def test_arguments_are_checked_before_anything_is_sent(arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    """With a `ConfigurationError`."""
    scene = Scene()
    with pytest.raises(ConfigurationError):
        scene.client.ensure_flow(*arguments, **options)
    assert scene.transport.requests == []


def test_a_new_flow_cannot_be_published_without_its_flow_json(ensure: Ensure, meta: Emulator) -> None:
    """The error is raised before the flow is created."""
    with pytest.raises(ConfigurationError, match="flow_json"):
        ensure("Booking", ["OTHER"], publish=True)
    assert (writes(meta), meta.flows()) == ([], ())


def test_a_deprecated_flow_counts_as_missing(ensure: Ensure, meta: Emulator) -> None:
    """If its name is taken, the error has its id."""
    dead = meta.add_flow("Booking", flow_json=json.dumps(OLD), status="DEPRECATED").id
    meta.fail("create_flow", code=100, subcode=4016019)
    with pytest.raises(NameTakenError) as caught:
        ensure("Booking", ["OTHER"], flow_json=NEW)
    assert caught.value.flow_id == dead
