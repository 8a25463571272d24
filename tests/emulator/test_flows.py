"""The operations on Flows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.support import WABA, Model, endpoint_json, flow_json
from whatsapp_flows.emulator.graph._call import Part
from whatsapp_flows.emulator.graph._state import DEFAULT_APP_ID, Account
from whatsapp_flows.flow_json import MAX_BYTES

_FILE = {"file": Part(filename="flow.json", content_type=None, content=b"{}")}
_OTHER = "20100000000000099"
_MINIMUM: dict[str, object] = {"name": "a", "categories": ["OTHER"]}
_OLD = endpoint_json(version="2.1", data_channel_uri="https://example.com").decode()


def _create(model: Model, **parameters: object) -> dict[str, Any]:
    return model.post(f"{WABA}/flows", **{**_MINIMUM, **parameters})


def test_a_flow_begins_as_a_draft(model: Model) -> None:
    """Without a JSON the response is the id alone; the token's app is connected."""
    created = _create(model)
    assert created.keys() == {"id"}
    flow = model.flow(created["id"])
    assert (flow.name, flow.status, flow.categories, flow.document) == ("a", "DRAFT", ("OTHER",), None)
    assert (flow.application_id, flow.updated_at) == (DEFAULT_APP_ID, model.now)


@pytest.mark.parametrize(
    ("content", "errors"),
    [(flow_json(), []), (flow_json(screens=[]), ["MIN_ITEMS_REQUIRED"]), (b"", ["INVALID_FLOW_JSON"])],
)
def test_a_flow_may_come_with_its_json(model: Model, content: bytes, errors: list[str]) -> None:
    """The response then has its validation errors; an invalid one is stored too."""
    created = _create(model, flow_json=content.decode())
    assert created["success"] is True
    assert [issue["error"] for issue in created["validation_errors"]] == errors
    assert model.flow(created["id"]).flow_json == content


def test_a_create_may_ask_for_fields(model: Model) -> None:
    """They are read back from the new Flow, a preview link included."""
    created = _create(model, fields="id,name,status,preview,assets", flow_json=flow_json().decode())
    assert (created["name"], created["status"]) == ("a", "DRAFT")
    assert created["assets"]["data"][0]["name"] == "flow.json"
    assert model.get(created["id"], fields="preview")["preview"] == created["preview"]


def test_a_flow_may_be_published_at_once(model: Model) -> None:
    """With a JSON that passes the checks."""
    created = _create(model, flow_json=flow_json().decode(), publish=True, fields="status")
    assert created["status"] == "PUBLISHED"


def test_an_id_may_be_a_number(model: Model) -> None:
    """In a JSON body, each id parameter may be a number."""
    source, other = model.add("source", endpoint_json()), model.add("other")
    clone = model.flow(_create(model, clone_flow_id=int(source))["id"])
    assert clone.flow_json == endpoint_json()
    assert model.post(other, application_id=77) == {"success": True}
    assert model.flow(other).application_id == "77"
    model.world = model.world.with_account(Account(id="3"))
    assert len(model.post("3/migrate_flows", source_waba_id=int(WABA))["migrated_flows"]) == 3


@pytest.mark.parametrize("value", [True, 2.01e16, ["1"], {"id": 1}])
def test_what_is_no_id_is_refused(model: Model, value: object) -> None:
    """A boolean, a float (which has lost digits), an array, an object."""
    model.world = model.world.with_account(Account(id="3"))
    flow_id = model.add()
    for path, name in ((flow_id, "application_id"), ("3/migrate_flows", "source_waba_id")):
        assert model.error_codes("POST", path, parameters={name: value}) == (100, None)
    assert model.error_codes("POST", f"{WABA}/flows", parameters={**_MINIMUM, "clone_flow_id": value}) == (100, None)


def test_a_flow_json_may_come_as_a_file(model: Model) -> None:
    """A multipart create with a file part of that name means its content."""
    part = Part(filename="flow.json", content_type="application/json", content=flow_json())
    status, body = model.ask("POST", f"{WABA}/flows", parameters=_MINIMUM, files={"flow_json": part})
    assert (status, body["success"], body["validation_errors"]) == (200, True, [])
    assert model.flow(body["id"]).flow_json == flow_json()
    large = Part(filename="f", content_type=None, content=b"x" * (MAX_BYTES + 1))
    parameters = {**_MINIMUM, "name": "b"}
    assert model.error_codes("POST", f"{WABA}/flows", parameters=parameters, files={"flow_json": large}) == (100, None)


@pytest.mark.parametrize("content", [None, b"{", endpoint_json()])
def test_a_create_that_cannot_publish_leaves_a_draft_behind(model: Model, content: bytes | None) -> None:
    """The response is an error without an id, and the name is taken."""
    more = {} if content is None else {"flow_json": content.decode()}
    status, body = model.ask("POST", f"{WABA}/flows", parameters={**_MINIMUM, **more, "publish": "true"})
    assert (status, body["error"]["code"]) == (400, 139002)
    (left,) = model.world.flows_of(WABA)
    assert (left.name, left.status, left.flow_json) == ("a", "DRAFT", content)
    assert model.error_codes("POST", f"{WABA}/flows", parameters=_MINIMUM) == (100, 4016019)


def test_a_clone_has_the_document_and_the_endpoint(model: Model) -> None:
    """Its name and categories are its own, and it can be edited although the original cannot."""
    source = model.add("old", endpoint_json(), status="PUBLISHED", endpoint_uri="https://a.example", locked=True)
    clone = model.flow(_create(model, clone_flow_id=source)["id"])
    assert (clone.flow_json, clone.endpoint_uri) == (endpoint_json(), "https://a.example")
    assert (clone.name, clone.status, clone.locked) == ("a", "DRAFT", False)


def test_a_json_goes_before_the_document_of_a_clone(model: Model) -> None:
    """Both may be given."""
    source = model.add("old", endpoint_json())
    created = _create(model, clone_flow_id=source, flow_json=flow_json().decode(), endpoint_uri="https://b.example")
    clone = model.flow(created["id"])
    assert (clone.flow_json, clone.endpoint_uri) == (flow_json(), "https://b.example")


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        ({"name": None}, None),
        ({"name": ""}, None),
        ({"name": "x" * 201}, None),
        ({"categories": None}, None),
        ({"categories": []}, None),
        ({"categories": "OTHER"}, None),
        ({"categories": '["NONSENSE"]'}, None),
        ({"flow_json": {"version": "7.3"}}, None),
        ({"flow_json": "x" * (MAX_BYTES + 1)}, None),
        ({"publish": "soon"}, None),
        ({"endpoint_uri": "example.com"}, None),
        ({"endpoint_uri": "ftp://example.com"}, None),
        ({"endpoint_uri": "https://"}, None),
        ({"endpoint_uri": "https://[::1"}, None),
        ({"endpoint_uri": "https://example.com", "flow_json": _OLD}, None),
        ({"clone_flow_id": "1"}, 33),
        ({"clone_flow_id": "1", "clone_template": "X"}, None),
        ({"clone_template": "X"}, None),
    ],
)
def test_a_create_that_makes_no_sense_is_refused(model: Model, changes: dict[str, object], subcode: int | None) -> None:
    """Code 100, and no Flow is created."""
    parameters = {**_MINIMUM, **changes}
    assert model.error_codes("POST", f"{WABA}/flows", parameters=parameters) == (100, subcode)


@pytest.mark.parametrize("status", ["DRAFT", "PUBLISHED", "DEPRECATED"])
def test_a_name_is_unique_in_its_account(model: Model, status: str) -> None:
    """Also that of a deprecated Flow; other accounts and other spellings are free."""
    model.add("a", status=status)
    assert model.error_codes("POST", f"{WABA}/flows", parameters=_MINIMUM) == (100, 4016019)
    assert _create(model, name="A")
    model.world = model.world.with_account(Account(id=_OTHER))
    assert model.post(f"{_OTHER}/flows", **_MINIMUM)


def test_a_deleted_flow_is_gone_and_its_name_is_free(model: Model) -> None:
    """Every later call about it is refused with 100/33."""
    flow_id = _create(model)["id"]
    assert model.ask("DELETE", flow_id) == (200, {"success": True})
    assert model.error_codes("GET", flow_id) == model.error_codes("DELETE", flow_id) == (100, 33)
    assert _create(model)["id"] != flow_id


def test_metadata_can_be_changed_piece_by_piece(model: Model) -> None:
    """Parameters that are not sent keep their value."""
    flow_id = model.add("a", flow_json())
    model.now += 60
    for change in ({"name": "b"}, {"categories": '["SURVEY","OTHER"]'}, {"endpoint_uri": "https://e.example"}):
        assert model.post(flow_id, **change) == {"success": True}
    assert model.post(flow_id, application_id="77") == {"success": True}
    flow = model.flow(flow_id)
    assert (flow.name, flow.categories, flow.endpoint_uri) == ("b", ("SURVEY", "OTHER"), "https://e.example")
    assert (flow.application_id, flow.updated_at) == ("77", model.now)


def test_a_flow_may_keep_its_own_name(model: Model) -> None:
    """Sending the same name again is not a conflict."""
    flow_id = model.add("a")
    assert model.post(flow_id, name="a") == {"success": True}


def test_an_update_of_nothing_changes_nothing(model: Model) -> None:
    """A published Flow stays published."""
    flow_id = model.add(content=flow_json(), status="PUBLISHED")
    before = model.world
    assert model.post(flow_id) == {"success": True}
    assert model.world is before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "taken"}, (100, 4016019)),
        ({"name": ""}, (100, None)),
        ({"categories": "[]"}, (100, None)),
        ({"endpoint_uri": "nowhere"}, (100, None)),
        ({"endpoint_uri": "https://e.example"}, (139001, None)),
        ({"application_id": "mine"}, (100, None)),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(
    model: Model, change: dict[str, object], expected: tuple[int, int | None]
) -> None:
    """The Flow is not changed; a document below 3.0 contains its endpoint itself."""
    model.add("taken")
    flow_id = model.add("a", _OLD.encode())
    assert model.error_codes("POST", flow_id, parameters=change) == expected


def test_an_upload_replaces_the_document(model: Model) -> None:
    """HTTP 200 also for an invalid one, whose errors can be read later."""
    flow_id = model.add(content=flow_json())
    assert model.upload(flow_id, b"{")[1]["success"] is True
    assert [issue["error"] for issue in model.get(flow_id)["validation_errors"]] == ["INVALID_FLOW_JSON"]
    assert model.upload(flow_id, flow_json()) == (200, {"success": True, "validation_errors": []})
    assert model.get(flow_id)["validation_errors"] == []


@pytest.mark.parametrize("missing", ["file", "name", "asset_type"])
def test_an_upload_needs_its_three_parts(model: Model, missing: str) -> None:
    """A missing or wrong part is code 100."""
    flow_id = model.add()
    status, _ = model.upload(flow_id, flow_json())
    assert status == 200
    parts = {"name": "flow.json", "asset_type": "FLOW_JSON"}
    for wrong in (None, "other"):
        parameters = {**parts, missing: wrong}
        error = model.error_codes(
            "POST", f"{flow_id}/assets", parameters=parameters, files={} if missing == "file" else _FILE
        )
        assert error == (100, None)


def test_an_upload_has_a_largest_size(model: Model) -> None:
    """Ten megabytes, to the byte."""
    flow_id = model.add()
    assert model.upload(flow_id, b" " * MAX_BYTES)[0] == 200
    status, body = model.upload(flow_id, b" " * (MAX_BYTES + 1))
    assert (status, body["error"]["code"]) == (400, 100)


@settings(deadline=None)
@given(count=st.integers(0, 60), limit=st.integers(1, 61))
def test_paging_covers_every_flow_once(count: int, limit: int) -> None:
    """Any number of Flows, any page size: each is seen exactly once, oldest first."""
    model = Model()
    model.world = model.world.with_account(Account(id=_OTHER))
    ids = [model.add(str(at)) for at in range(count)]
    model.add("elsewhere", waba_id=_OTHER)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        body = model.get(f"{WABA}/flows", fields="id", limit=str(limit), **after)
        seen += [flow["id"] for flow in body["data"]]
        if "next" not in body.get("paging", {}):
            break
        after = {"after": body["paging"]["cursors"]["after"]}
    assert seen == ids


def test_a_list_has_pages_of_25(model: Model) -> None:
    """Graph's usual default."""
    for at in range(26):
        model.add(str(at))
    assert len(model.get(f"{WABA}/flows")["data"]) == 25


def test_assets_are_listed(model: Model) -> None:
    """One file, with cursors; none before there is a JSON."""
    flow_id = model.add()
    assert model.get(f"{flow_id}/assets") == {"data": []}
    model.upload(flow_id, flow_json())
    body = model.get(f"{flow_id}/assets")
    assert [(asset["name"], asset["asset_type"]) for asset in body["data"]] == [("flow.json", "FLOW_JSON")]
    assert body["paging"].keys() == {"cursors"}


def _source(model: Model) -> None:
    model.world = model.world.with_account(Account(id=_OTHER))
    for name, status in (("live", "PUBLISHED"), ("draft", "DRAFT"), ("old", "DEPRECATED")):
        model.add(name, endpoint_json(), status=status, waba_id=_OTHER, endpoint_uri="https://e.example")


def test_flows_are_copied_from_another_account(model: Model) -> None:
    """With new ids and the same names; a published Flow stays published, any other becomes a draft."""
    _source(model)
    body = model.post(f"{WABA}/migrate_flows", source_waba_id=_OTHER)
    assert body["failed_flows"] == []
    assert [each["source_name"] for each in body["migrated_flows"]] == ["live", "draft", "old"]
    copies = [model.flow(each["migrated_id"]) for each in body["migrated_flows"]]
    assert [(copy.waba_id, copy.status) for copy in copies] == [(WABA, "PUBLISHED"), (WABA, "DRAFT"), (WABA, "DRAFT")]
    assert {(copy.flow_json, copy.endpoint_uri) for copy in copies} == {(endpoint_json(), "https://e.example")}
    assert {copy.id for copy in copies}.isdisjoint(each["source_id"] for each in body["migrated_flows"])


@pytest.mark.parametrize(
    "names", ['["live","draft","unknown","live"]', ["live", "draft", "unknown"], "live,draft,unknown"]
)
def test_what_cannot_be_copied_is_reported(model: Model, names: object) -> None:
    """A name that is taken or unknown fails alone; its code is a string."""
    _source(model)
    model.add("draft")
    body = model.post(f"{WABA}/migrate_flows", source_waba_id=_OTHER, source_flow_names=names)
    assert [each["source_name"] for each in body["migrated_flows"]] == ["live"]
    prefix = "Flows Migration Error: "
    assert body["failed_flows"] == [
        {
            "source_name": "draft",
            "error_code": "4233041",
            "error_message": prefix + "Flow with the same name exists in destination WABA.",
        },
        {
            "source_name": "unknown",
            "error_code": "4233041",
            "error_message": prefix + "Flow name not found in source WABA.",
        },
    ]


def test_a_migration_can_be_repeated(model: Model) -> None:
    """Flows that were copied before are reported as failed."""
    _source(model)
    model.post(f"{WABA}/migrate_flows", source_waba_id=_OTHER)
    body = model.post(f"{WABA}/migrate_flows", source_waba_id=_OTHER)
    assert (body["migrated_flows"], len(body["failed_flows"])) == ([], 3)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, (100, None)),
        ({"source_waba_id": "1"}, (100, 33)),
        ({"source_waba_id": "20100000000000098"}, (200, None)),
        ({"source_waba_id": _OTHER, "source_flow_names": json.dumps([str(at) for at in range(101)])}, (100, None)),
        ({"source_waba_id": WABA}, (100, None)),
    ],
)
def test_a_migration_that_makes_no_sense_is_refused(
    model: Model, parameters: dict[str, object], expected: tuple[int, int | None]
) -> None:
    """Both accounts must belong to one business, and a request is limited to 100 Flows."""
    _source(model)
    model.world = model.world.with_account(Account(id="20100000000000098", business_id="5"))
    for at in range(101):
        model.add(str(at))
    assert model.error_codes("POST", f"{WABA}/migrate_flows", parameters=parameters) == expected


def test_a_hundred_flows_fit_into_one_migration(model: Model) -> None:
    """The limit itself is allowed."""
    _source(model)
    names = [str(at) for at in range(100)]
    body = model.post(f"{WABA}/migrate_flows", source_waba_id=_OTHER, source_flow_names=names)
    assert len(body["failed_flows"]) == 100
