"""Batches: several operations in one request."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.emulator.support import WABA, flow_json
from tests.emulator.test_backend import Rig
from whatsapp_flows._server import HttpResponse
from whatsapp_flows.emulator._wire import MaskedMapping
from whatsapp_flows.emulator.graph._access import QuotaCounter
from whatsapp_flows.emulator.graph._call import Part


def _send(rig: Rig, operations: object, **parts: Any) -> HttpResponse:
    form = {"batch": operations if isinstance(operations, str) else json.dumps(operations), **parts.pop("form", {})}
    return rig.ask("POST", parts.pop("path", "/v25.0/"), form=MaskedMapping(form), **parts)


def _batch(rig: Rig, *operations: dict[str, Any], **parts: Any) -> list[Any]:
    """The items of a batch; each body is a JSON text."""
    reply = _send(rig, list(operations), **parts)
    assert reply.status == 200
    items = json.loads(reply.body)
    return [None if item is None else {**item, "body": json.loads(item["body"])} for item in items]


def _create(flow_name: str, **more: Any) -> dict[str, Any]:
    body = urlencode({"name": flow_name, "categories": '["OTHER"]'})
    return {"method": "POST", "relative_url": f"{WABA}/flows", "body": body, **more}


def test_operations_are_answered_in_order() -> None:
    """Each with its status, its headers and a JSON text; a failed operation is an item too."""
    rig = Rig()
    created, refused, listed = _batch(
        rig, _create("a"), _create("a"), {"method": "GET", "relative_url": f"{WABA}/flows?fields=name"}
    )
    assert (created["code"], list(created["body"])) == (200, ["id"])
    assert (refused["code"], refused["body"]["error"]["error_subcode"]) == (400, 4016019)
    assert (listed["code"], [flow["name"] for flow in listed["body"]["data"]]) == (200, ["a"])
    names = {header["name"] for header in listed["headers"]}
    assert names >= {"x-fb-trace-id", "facebook-api-version"}


def test_headers_can_be_left_out() -> None:
    """With `include_headers=false`."""
    (item,) = _batch(Rig(), {"method": "GET", "relative_url": WABA}, form={"include_headers": "false"})
    assert item.keys() == {"code", "body"}


@pytest.mark.parametrize("path", ["/v25.0/", "/v25.0", "/"])
@pytest.mark.parametrize("url", [WABA, f"/{WABA}", f"v24.0/{WABA}", f"/v24.0/{WABA}?fields=name"])
def test_a_relative_url_may_name_its_version(path: str, url: str) -> None:
    """Otherwise it has the version of the batch, which may have none either."""
    (item,) = _batch(Rig(), {"method": "GET", "relative_url": url}, path=path)
    assert (item["code"], item["body"]["id"]) == (200, WABA)
    (version,) = [each["value"] for each in item["headers"] if each["name"] == "facebook-api-version"]
    assert version == ("v24.0" if "v24" in url else "v25.0" if "v25" in path else "v20.0")


def test_one_operation_uses_what_another_found() -> None:
    """By a JSONPath; the answer that was used is left out when it is a success, unless that is said otherwise."""
    rig = Rig()
    first = {"method": "GET", "relative_url": f"{WABA}/flows?fields=id", "name": "list"}
    second = {"method": "GET", "relative_url": "?ids={result=list:$.data.*.id}&fields=name"}
    _batch(rig, _create("a"), _create("b"))
    omitted, found = _batch(rig, first, second)
    assert omitted is None
    assert sorted(flow["name"] for flow in found["body"].values()) == ["a", "b"]
    kept, _ = _batch(rig, {**first, "omit_response_on_success": False}, second)
    assert len(kept["body"]["data"]) == 2


def test_a_found_value_is_put_into_a_body_encoded() -> None:
    """A name with an ampersand remains one value."""
    rig = Rig()
    created, renamed = _batch(
        rig,
        _create("A & B", name="new", omit_response_on_success=False),
        {"method": "POST", "relative_url": "{result=new:$.id}", "body": "name=copy of {result=new:$['id']}&%26=x"},
    )
    assert renamed["body"] == {"success": True}
    assert rig.backend.world.flows[created["body"]["id"]].name == f"copy of {created['body']['id']}"
    rig = Rig()
    _batch(rig, _create("A & B"))
    listed = {"method": "GET", "relative_url": f"{WABA}/flows", "name": "list"}
    _batch(rig, listed, _create("x", body="name=again {result=list:$.data[0].name}&categories=" + quote('["OTHER"]')))
    assert sorted(flow.name for flow in rig.backend.world.flows.values()) == ["A & B", "again A & B"]


@pytest.mark.parametrize("how", [{"depends_on": "first"}, {"relative_url": "{result=first:$.id}"}])
def test_what_depends_on_a_failure_is_not_run(how: dict[str, str]) -> None:
    """Its item is null, and the item of the failed operation has its error."""
    rig = Rig()
    failed, skipped, other = _batch(
        rig, _create("x" * 201, name="first"), {**_create("b"), **how}, {"method": "GET", "relative_url": WABA}
    )
    assert (failed["code"], skipped, other["code"]) == (400, None, 200)
    assert rig.backend.world.flows == {}


@pytest.mark.parametrize(
    ("operations", "complaint"),
    [
        ("no json", "JSON array"),
        ("[]", "JSON array"),
        ("{}", "JSON array"),
        ("[1]", "JSON array"),
        ("[" * 100_000, "JSON array"),
        ([{"method": "GET", "relative_url": "1"}] * 51, "Too many requests in batch message. Maximum batch size is 50"),
        ([{"method": "BREW", "relative_url": "1"}], "method"),
        ([{"method": "GET"}], "relative_url"),
        ([{"method": "GET", "relative_url": "https://example.com/1"}], "relative_url"),
        ([{"method": "GET", "relative_url": "//example.com/1"}], "relative_url"),
        ([{"method": "POST", "relative_url": "1", "body": {"name": "a"}}], "body"),
        ([{"method": "GET", "relative_url": "1", "name": 5}], "name"),
        ([{"method": "GET", "relative_url": "1", "depends_on": "f"}], "Request 0 cannot depend on an unresolved"),
        ([{"method": "GET", "relative_url": "{result=f:$.id}"}], "Request 0 cannot depend on an unresolved"),
        ([{"relative_url": "1", "name": "a", "depends_on": "a"}], "Request 0 cannot depend"),
        ([{"relative_url": "1", "omit_response_on_success": "maybe"}], "omit_response_on_success"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(operations: object, complaint: str) -> None:
    """The whole batch is rejected before an operation runs."""
    reply = _send(Rig(), operations)
    error = json.loads(reply.body)["error"]
    assert (reply.status, error["code"]) == (400, 100)
    assert complaint in error["message"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.data[0].id", "1"),
        ("$.data.*.id", "1,2"),
        ("$.data[*]['id']", "1,2"),
        ("$.data[9].id", ""),
        ("$.nothing", ""),
        ("$.data.id", ""),
        ("$.n", "7"),
        ("$", '{"data": [{"id": "1"}, {"id": "2"}], "n": 7}'),
    ],
)
def test_a_path_selects(path: str, expected: str) -> None:
    """Names, indices and `*`; several values are joined by commas."""
    from whatsapp_flows.emulator.graph._batch import _json_path

    assert _json_path({"data": [{"id": "1"}, {"id": "2"}], "n": 7}, path) == expected


def test_a_path_that_cannot_be_read_fails_its_operation() -> None:
    """The other operations run."""
    operations = [{"relative_url": WABA, "name": "a"}, {"relative_url": "{result=a:$..id}"}, {"relative_url": WABA}]
    _, refused, done = _batch(Rig(), *operations)
    assert (refused["code"], refused["body"]["error"]["code"], done["code"]) == (400, 100, 200)


def test_there_is_no_batch_in_a_batch() -> None:
    """Nested batches are rejected."""
    inner = {"method": "POST", "relative_url": "v25.0", "body": urlencode({"batch": "[]"})}
    (item,) = _batch(Rig(), inner)
    assert (item["code"], item["body"]["error"]["code"]) == (400, 2500)


def test_files_are_attached_by_name() -> None:
    """A single one is the operation's `file`, whatever it is called: parts of one request have names of their own."""
    rig = Rig()
    ids = [item["body"]["id"] for item in _batch(rig, _create("a"), _create("b"))]
    files = {
        name: Part(filename="flow.json", content_type="application/json", content=flow_json(version=version))
        for name, version in (("first", "7.2"), ("second", "7.3"))
    }
    fixed = urlencode({"name": "flow.json", "asset_type": "FLOW_JSON"})
    uploads = [
        {"method": "POST", "relative_url": f"{flow_id}/assets", "body": fixed, "attached_files": name}
        for flow_id, name in zip(ids, files, strict=True)
    ]
    missing = {"method": "POST", "relative_url": f"{ids[0]}/assets", "body": fixed, "attached_files": "third"}
    items = _batch(rig, *uploads, missing, files=files)
    assert [item["code"] for item in items] == [200, 200, 400]
    versions = [rig.backend.world.flows[flow_id].document for flow_id in ids]
    assert [document and document.version for document in versions] == ["7.2", "7.3"]


def test_an_operation_may_bring_its_own_token() -> None:
    """Otherwise it has the batch's, be it in the header or in the form."""
    from dataclasses import replace

    rig = Rig()
    rig.backend.settings = replace(rig.backend.settings, tokens=frozenset({"good"}))
    operations = [
        {"relative_url": WABA},
        {"relative_url": f"{WABA}?access_token=good"},
        {"relative_url": f"{WABA}?access_token=bad"},
    ]
    assert [item["code"] for item in _batch(rig, *operations)] == [401, 200, 401]
    form = {"batch": json.dumps(operations), "access_token": "good"}
    reply = rig.send("POST", "/v25.0/", form=MaskedMapping(form))
    assert [item["code"] for item in json.loads(reply.body)] == [200, 200, 401]


def test_each_operation_counts_and_fails_by_itself() -> None:
    """Calls, faults and the record are those of the operations; the batch itself is no call."""
    rig = Rig(quota=QuotaCounter(2))
    fault = rig.fail(operation="get_account", code=2, times=1)
    items = _batch(rig, *[{"relative_url": WABA}] * 4)
    assert [item["code"] for item in items] == [503, 200, 200, 400]
    assert (fault.struck, items[3]["body"]["error"]["code"]) == (1, 80008)
    assert [request.operation for request in rig.backend.requests] == ["batch"] + ["get_account"] * 4


def test_a_lost_operation_is_null() -> None:
    """A reset fault makes its item null after it took effect; a truncated body is shorter, and delays add up."""
    rig = Rig()
    rig.fail(operation="create_flow", reset="after", times=1)
    rig.fail(operation="create_flow", delay=2.0, times=1)
    rig.fail(operation="get_account", truncate=3, delay=3.0)
    items = json.loads(_send(rig, [_create("a"), _create("b"), {"relative_url": WABA}]).body)
    assert (items[0], items[1]["code"], items[2]["body"]) == (None, 200, '{"i')
    assert len(rig.backend.world.flows) == 2
    assert rig.slept == [5.0]


@pytest.mark.parametrize(("rule", "made"), [({"code": 4}, 0), ({"reset": "before"}, 0), ({"reset": "after"}, 1)])
def test_a_batch_may_fail_as_a_whole(rule: dict[str, Any], made: int) -> None:
    """A fault for the operation `batch` applies to the whole request."""
    rig = Rig()
    rig.fail(operation="batch", **rule)
    reply = _send(rig, [_create("a")])
    assert (reply.reset, len(rig.backend.world.flows)) == ("reset" in rule, made)
    if "code" in rule:
        assert json.loads(reply.body)["error"]["code"] == 4
