"""The actual state, in as few requests as possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, calls, desired, synced
from whatsapp_flows import FlowsClient, NoRetry, ServiceUnavailableError
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Lock, generation_name, take_snapshot


def test_one_listing_finds_flows_by_their_names(meta: Emulator, client: FlowsClient) -> None:
    """An existing flow has its state, a missing one is None; the listing has the link of the Flow JSON."""
    there = meta.add_flow("There", flow_json=FLOW_JSON, status="PUBLISHED", endpoint_uri="https://a.example")
    other = meta.add_flow("Other")
    snapshot = take_snapshot(client, [desired("there"), desired("absent")])
    found = snapshot.flows["there"]
    assert found is not None
    assert (found.id, found.status, found.categories) == (there.id, "PUBLISHED", ("OTHER",))
    assert (found.endpoint_uri, found.digest, found.content) == ("https://a.example", desired().digest, None)
    assert snapshot.flows["absent"] is None
    assert [it.id for it in snapshot.others] == [other.id]
    assert calls(meta) == ["list_flows", "download_flow_json"]


def test_contents_are_kept_where_they_differ_or_are_requested(meta: Emulator, client: FlowsClient) -> None:
    """So memory does not grow with unchanged flows."""
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.add_flow("Two", flow_json=FLOW_JSON)
    wanted = [desired("one"), desired("two")]
    kept = [flow and flow.content for flow in take_snapshot(client, wanted).flows.values()]
    assert kept == [OTHER_FLOW_JSON, None]
    kept = [flow and flow.content for flow in take_snapshot(client, wanted, contents=True).flows.values()]
    assert kept == [OTHER_FLOW_JSON, FLOW_JSON]


def test_a_deprecated_flow_is_not_downloaded(meta: Emulator, client: FlowsClient) -> None:
    """It cannot be changed."""
    meta.add_flow("Booking", flow_json=FLOW_JSON, status="DEPRECATED")
    found = take_snapshot(client, [desired()]).flows["booking"]
    assert found is not None
    assert (found.status, found.digest, calls(meta)) == ("DEPRECATED", None, ["list_flows"])


def test_a_flow_without_a_flow_json_has_none(meta: Emulator, client: FlowsClient) -> None:
    """It exists, and differs from every file."""
    meta.add_flow("Booking")
    found = take_snapshot(client, [desired()]).flows["booking"]
    assert found is not None
    assert (found.digest, found.error) == (None, None)


def test_a_link_that_is_refused_is_requested_again(meta: Emulator, client: FlowsClient) -> None:
    """How long Meta's links are valid is not documented."""
    meta.add_flow("Booking", flow_json=FLOW_JSON)
    meta.fail("download_flow_json", status=403, times=1)
    found = take_snapshot(client, [desired()]).flows["booking"]
    assert found is not None
    assert found.digest == desired().digest
    assert calls(meta) == ["list_flows", "download_flow_json", "list_assets", "download_flow_json"]


@pytest.mark.parametrize("refusals", [1, 2, 3, 4])
def test_fields_that_meta_refuses_are_left_out(meta: Emulator, client: FlowsClient, refusals: int) -> None:
    """Down to those that it documents for the list, on a smaller page; the Flow JSON is then found flow by flow."""
    meta.add_flow("Booking", flow_json=FLOW_JSON)
    meta.fail("list_flows", code=100, times=refusals)
    found = take_snapshot(client, [desired()]).flows["booking"]
    assert found is not None
    assert found.digest == desired().digest
    assert bool(found.updated_at) == (refusals < 3)
    assert calls(meta) == [*["list_flows"] * (refusals + 1), "list_assets", "download_flow_json"]
    assert [request.query["limit"] for request in meta.requests[:2]] == ["200", "100"]


@pytest.mark.parametrize("fault", [{"code": 1}, {"code": 10}, {"code": 100}])
def test_a_refused_page_is_requested_with_fewer_fields(
    meta: Emulator, client: FlowsClient, fault: dict[str, int]
) -> None:
    """Also in the middle of a listing; no flow is lost or counted twice."""
    for number in range(201):
        meta.add_flow(f"F{number}")
    meta.fail("list_flows", **fault, times=1 if fault["code"] != 1 else 3, every=2)  # type: ignore[arg-type]
    snapshot = take_snapshot(client.with_options(retry_policy=NoRetry()), [desired("absent")])
    assert snapshot.listed == len(snapshot.others) == 201


def test_a_failed_listing_does_not_count_as_an_empty_account(meta: Emulator, client: FlowsClient) -> None:
    """Nothing is planned, so no second flow is created."""
    meta.fail("list_flows", code=131000)
    with pytest.raises(ServiceUnavailableError):
        take_snapshot(client, [desired()])


def test_a_failed_download_fails_one_flow(meta: Emulator, client: FlowsClient) -> None:
    """The others are read."""
    broken = meta.add_flow("Broken", flow_json=FLOW_JSON)
    meta.add_flow("Fine", flow_json=FLOW_JSON)
    meta.fail("download_flow_json", status=500, flow_id=broken.id)
    flows = take_snapshot(client, [desired("broken"), desired("fine")]).flows
    assert isinstance(flows["broken"] and flows["broken"].error, ServiceUnavailableError)
    assert flows["fine"] is not None
    assert flows["fine"].error is None


def test_the_newest_generation_in_use_is_the_flow(meta: Emulator, client: FlowsClient) -> None:
    """With `replace`; earlier ones are other flows. A name of another table is not a generation."""
    for number, status in ((1, "PUBLISHED"), (2, "PUBLISHED"), (3, "DEPRECATED")):
        meta.add_flow(generation_name("Booking", number), flow_json=FLOW_JSON, status=status)
    meta.add_flow("Booking (generation 9)", flow_json=FLOW_JSON)
    own = desired("nine", name="Booking (generation 9)")
    snapshot = take_snapshot(client, [own, desired(replace=True)])
    found = snapshot.flows["booking"]
    assert found is not None
    assert (found.generation, found.last_generation, found.name) == (2, 9, "Booking (generation 2)")
    assert [(it.name, it.key) for it in snapshot.others] == [("Booking", ""), ("Booking (generation 3)", "")]
    assert snapshot.flows["nine"] is not None


def test_an_unchanged_account_costs_one_request_for_two_hundred_flows(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """After the first deployment already, because it reads the times at its end."""
    flows = [desired(f"f{number}", publish=True) for number in range(201)]
    synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id), jobs=4)
    meta.clear_requests()
    lock = Lock(lock_file, account_id=meta.waba_id)
    results = synced(client, *flows, lock=lock)
    assert {result.action for result in results} == {"unchanged"}
    assert calls(meta) == ["list_flows", "list_flows"]
