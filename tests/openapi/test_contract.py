"""The checker itself: it passes what Meta's own examples show, and fails on violations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.openapi import contract
from tests.openapi.contract import DIFFERENCES, ContractViolationError, check_request, check_response

_TOKEN = {"Authorization": "Bearer abc"}
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_PLACE = {"line_start": 46, "line_end": 46, "column_start": 17, "column_end": 30}
_ISSUE = {"error": "INVALID_PROPERTY", "error_type": "JSON_SCHEMA_ERROR", "message": "m", **_PLACE}
_FLOW = {"id": "1", "name": "a", "status": "DRAFT", "categories": ["OTHER"], "validation_errors": [_ISSUE]}
_NUMBER = {"id": "1", "display_phone_number": "+1", "status": "LINKED", "quality_rating": "GREEN"}
_KEY = {"business_public_key": " ", "business_public_key_signature_status": "MISMATCH"}
_ERROR = {"error": {"message": "m", "type": "OAuthException", "code": 100}}


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "operation"),
    [
        (
            "GET",
            "/v25.0/1/flows",
            200,
            {"data": [_FLOW], "paging": {"cursors": {"before": "a", "after": "b"}}},
            "listFlows",
        ),
        ("GET", "/v25.0/1/flows?limit=5", 200, {"data": [], "paging": {"next": "https://x"}}, "listFlows"),
        ("POST", "/v25.0/1/flows", 200, {"id": "1"}, "createFlow"),
        ("POST", "/v25.0/1/flows", 200, {"id": "1", "success": True, "validation_errors": [_ISSUE]}, "createFlow"),
        ("GET", "/v25.0/1", 200, {**_FLOW, "updated_at": 5, "endpoint_uri": "https://x"}, "getFlow"),
        ("GET", "/v25.0/1", 200, {"id": "1", "preview": {"preview_url": "u", "expires_at": "2024"}}, "getFlow"),
        ("POST", "/v25.0/1/assets", 200, {"success": True, "validation_errors": [_ISSUE]}, "updateFlowJson"),
        ("POST", "/v25.0/1/publish", 200, {"success": True}, "publishFlow"),
        ("POST", "/v25.0/1/publish", 400, _ERROR, "publishFlow"),
        ("GET", "/v25.0/1/phone_numbers", 200, {"data": [_NUMBER]}, "getWhatsAppBusinessAccountPhoneNumbers"),
        ("GET", "/v25.0/1/whatsapp_business_encryption", 200, {"data": [_KEY]}, "getBusinessEncryptionPublicKey"),
        ("GET", "/v25.0/1/subscribed_apps", 200, {"data": [{"id": "1", "name": "a"}]}, "getAllSubscriptionsForAWaba"),
        ("DELETE", "/v25.0/1", 200, {"success": True}, "deleteFlow"),
    ],
)
def test_an_answer_of_meta_passes(method: str, path: str, status: int, body: Any, operation: str) -> None:
    """Examples of the file and of Meta's pages; the name of the operation comes back."""
    assert check_response(method, path, status, body) == operation


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "complaint"),
    [
        (
            "GET",
            "/v25.0/1/flows",
            200,
            {"data": [{**_FLOW, "name": 5}]},
            r"\$.data\[0\].name: 5 is not of type 'string'",
        ),
        ("GET", "/v25.0/1/flows", 200, {"data": [{**_FLOW, "nmae": "a"}]}, "nmae"),
        ("GET", "/v25.0/1/flows", 200, {"data": {}}, "not of type 'array'"),
        ("GET", "/v25.0/1/flows", 200, {}, "'data' is a required property"),
        ("POST", "/v25.0/1/flows", 200, {"id": 1}, "1 is not of type 'string'"),
        ("POST", "/v25.0/1/flows", 200, {"success": True}, "'id' is a required property"),
        ("GET", "/v25.0/1", 200, {**_FLOW, "validation_errors": [{"error": "X"}]}, "'message' is a required"),
        ("POST", "/v25.0/1/publish", 200, {"success": "true"}, "not of type 'boolean'"),
        ("POST", "/v25.0/1/publish", 200, [], "not of type 'object'"),
        ("POST", "/v25.0/1/publish", 201, {"success": True}, "no answer with status 201"),
        ("POST", "/v25.0/1/publish", 400, {"error": {"message": "m", "type": "t"}}, "'code' is a required"),
        ("POST", "/v25.0/1/publish", 400, {"error": {**_ERROR["error"], "subcode": 1}}, "subcode"),
        (
            "GET",
            "/v25.0/1/whatsapp_business_encryption",
            200,
            {"data": [{**_KEY, "business_public_key_signature_status": "X"}]},
            "not one of",
        ),
        ("GET", "/v25.0/1/nonsense", 200, {}, "no such path"),
        ("PUT", "/v25.0/1/flows", 200, {}, "has no PUT"),
    ],
)
def test_an_answer_that_is_wrong_fails(method: str, path: str, status: int, body: Any, complaint: str) -> None:
    """A type, a missing or an unknown name, a status, a path."""
    with pytest.raises(ContractViolationError, match=complaint):
        check_response(method, path, status, body)


def _multipart(*parts: tuple[str, str, str]) -> bytes:
    lines = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n' for name, more, value in parts
    ]
    return ("".join(lines) + "--b--\r\n").encode()


_UPLOAD = (("file", '; filename="flow.json"', "{}"), ("name", "", "flow.json"), ("asset_type", "", "FLOW_JSON"))
_BOUNDARY = "multipart/form-data; boundary=b"


def _check(method: str, path: str, **parts: Any) -> str:
    asked = {"headers": _TOKEN, "query": {}, "content_type": None, "body": b"", **parts}
    return check_request(method, f"/v25.0/{path}", **asked)


@pytest.mark.parametrize(
    ("method", "path", "parts", "operation"),
    [
        ("GET", "1/flows", {"query": {"fields": "id", "limit": "100", "after": "x"}}, "listFlows"),
        ("GET", "1/flows", {"headers": {}, "query": {"access_token": "x"}}, "listFlows"),
        ("GET", "1/flows", {"headers": {"authorization": "Bearer abc"}}, "listFlows"),
        ("POST", "1/flows", {"content_type": _FORM, "body": b"name=a&categories=%5B%22OTHER%22%5D"}, "createFlow"),
        (
            "POST",
            "1/flows",
            {"content_type": _JSON, "body": b'{"name":"a","categories":["OTHER"],"publish":true,"flow_json":"{}"}'},
            "createFlow",
        ),
        ("POST", "1/assets", {"content_type": _BOUNDARY, "body": _multipart(*_UPLOAD)}, "updateFlowJson"),
        ("POST", "1/publish", {}, "publishFlow"),
        ("POST", "1", {"content_type": _FORM, "body": b"name=b&application_id=5"}, "updateFlowMetadata"),
        ("POST", "1/migrate_flows", {"query": {"source_waba_id": "2"}}, "migrateFlows"),
        ("POST", "1/subscribed_apps", {}, "subscribeToWabaWebhooks"),
        (
            "POST",
            "1/whatsapp_business_encryption",
            {"content_type": _FORM, "body": b"business_public_key=x", "query": {"appsecret_proof": "0" * 64}},
            "setBusinessEncryptionPublicKey",
        ),
    ],
)
def test_a_request_that_is_right_passes(method: str, path: str, parts: dict[str, Any], operation: str) -> None:
    """In every encoding that Graph takes."""
    assert _check(method, path, **parts) == operation


@pytest.mark.parametrize(
    ("method", "path", "parts", "complaint"),
    [
        ("GET", "1/flows", {"headers": {}}, "no access token"),
        ("GET", "1/flows", {"headers": {"Authorization": "abc"}}, "does not match"),
        ("GET", "1/flows", {"query": {"limt": "1"}}, "'limt'"),
        ("GET", "1/flows", {"query": {"limit": "all"}}, "not of type 'integer'"),
        ("GET", "x/phone_numbers", {}, "path WABA-ID"),
        ("POST", "1/flows", {}, "'name' is a required property"),
        ("POST", "1/flows", {"content_type": _FORM, "body": b"name=a"}, "'categories' is a required property"),
        ("POST", "1/flows", {"content_type": _FORM, "body": b"name=a&categories=OTHER"}, "json-array"),
        ("POST", "1/flows", {"content_type": _FORM, "body": b"name=a&categories={}"}, "json-array"),
        ("POST", "1/flows", {"content_type": _JSON, "body": b'{"flow_json":{}}'}, "must be a JSON text"),
        ("POST", "1/flows", {"content_type": "text/plain", "body": b"x"}, "text/plain"),
        ("POST", "1", {"content_type": _FORM, "body": b"nmae=a"}, "nmae"),
        ("POST", "1/assets", {}, "required"),
        ("POST", "1/assets", {"content_type": _JSON, "body": b"{}"}, "insists on multipart"),
        ("POST", "1/assets", {"content_type": "multipart/form-data", "body": _multipart(*_UPLOAD)}, "boundary"),
        (
            "POST",
            "1/assets",
            {"content_type": _BOUNDARY, "body": _multipart(*_UPLOAD[:2])},
            "'asset_type' is a required",
        ),
        ("POST", "1/assets", {"content_type": _BOUNDARY, "body": _multipart(("file", "", "{}"))}, "no file name"),
        ("POST", "1/assets", {"content_type": _BOUNDARY, "body": b"--b\r\n\r\nx\r\n--b--\r\n"}, "has no name"),
        ("POST", "1/publish", {"content_type": _FORM, "body": b"now=1"}, "takes no body"),
        ("POST", "1/whatsapp_business_encryption", {}, "'business_public_key' is a required"),
    ],
)
def test_a_request_that_is_wrong_fails(method: str, path: str, parts: dict[str, Any], complaint: str) -> None:
    """A token, a name, a value, an encoding."""
    with pytest.raises(ContractViolationError, match=complaint):
        _check(method, path, **parts)


def test_every_difference_is_about_something_there() -> None:
    """A row for an operation that does not exist would do nothing, silently."""
    operations = {operation.id for methods in contract._OPERATIONS.values() for operation in methods.values()}
    assert {row.where for row in DIFFERENCES} <= operations | {"GraphAPIError"}
    assert all(row.why for row in DIFFERENCES)


def test_the_file_keeps_its_notice() -> None:
    """It is Meta's, under the MIT License."""
    file = contract._FILE
    assert "Copyright (c) Meta Platforms, Inc." in json.loads(file.read_text())["info"]["x-source"]
    notice = file.with_name("LICENSE").read_text()
    assert "MIT License" in notice
    assert "Meta Platforms, Inc. and affiliates" in notice
