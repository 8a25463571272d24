"""Parsing of requests."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from whatsapp_flows._server import HttpRequest
from whatsapp_flows.emulator._wire import IncomingRequest, MaskedMapping, RecordedRequest, RequestLog, parse_request

_FORM = {"name": "flow.json", "categories": '["OTHER"]'}


def _environ(**parts: Any) -> dict[str, Any]:
    builder = EnvironBuilder(**{"method": "POST", "path": "/v25.0/1", **parts})
    try:
        return builder.get_environ()
    finally:
        builder.close()


def _received(**parts: Any) -> IncomingRequest:
    environ = _environ(**parts)
    return parse_request(HttpRequest(environ=environ, body=environ["wsgi.input"].read()))


@pytest.mark.parametrize(
    "parts",
    [
        {"query_string": _FORM},
        {"data": _FORM},
        {"data": _FORM, "content_type": "multipart/form-data"},
        {"json": _FORM},
        {"query_string": {"name": "flow.json"}, "data": {"categories": '["OTHER"]'}},
        {"query_string": {**_FORM, "name": "overruled"}, "data": {"name": "flow.json"}},
    ],
)
def test_parameters_come_from_anywhere(parts: dict[str, Any]) -> None:
    """Query, form, multipart or JSON; the body takes precedence."""
    seen = _received(**parts)
    assert (seen.parameters, seen.unreadable) == (_FORM, None)


def test_a_json_body_keeps_its_types() -> None:
    """A list stays a list."""
    seen = _received(json={"categories": ["OTHER"], "publish": True})
    assert seen.parameters == {"categories": ["OTHER"], "publish": True}
    assert seen.form == {}


def test_files_are_kept_with_their_names() -> None:
    """Name, type and content of each part."""
    seen = _received(data={"file": (io.BytesIO(b"{}"), "flow.json", "application/json"), "name": "x"})
    (part,) = seen.files.values()
    assert (part.filename, part.content_type, part.content) == ("flow.json", "application/json", b"{}")
    assert seen.form == {"name": "x"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json; charset=utf-8"),
        (b"[" * 100_000, "application/json"),
        (b"\xff", "application/json"),
        (
            b"".join(b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n" for _ in range(1001)),
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_a_body_that_cannot_be_read_says_why(body: bytes, kind: str) -> None:
    """The other parts of the request and the raw body are kept."""
    seen = parse_request(HttpRequest(environ={**_environ(), "CONTENT_TYPE": kind}, body=body))
    assert seen.unreadable is not None
    assert (seen.method, seen.path, seen.body, seen.parameters) == ("POST", "/v25.0/1", body, {})


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b", "text/plain", ""])
@settings(deadline=None)
@given(body=st.binary(max_size=60))
def test_no_body_breaks_the_parser(kind: str, body: bytes) -> None:
    """For any bytes and any content type."""
    seen = parse_request(HttpRequest(environ={**_environ(), "CONTENT_TYPE": kind}, body=body))
    assert seen.body == body
    assert seen.token is None or seen.unreadable is None


def test_a_large_form_field_is_taken() -> None:
    """A Flow JSON inside a form may have ten megabytes."""
    body = urlencode({"flow_json": "x" * 2_000_000}).encode()
    environ = {**_environ(), "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    seen = parse_request(HttpRequest(environ=environ, body=body))
    assert len(seen.form["flow_json"]) == 2_000_000


@pytest.mark.parametrize(
    ("parts", "token"),
    [
        ({}, None),
        ({"headers": {"Authorization": "Bearer abc"}}, "abc"),
        ({"headers": {"Authorization": "bearer  abc "}}, "abc"),
        ({"headers": {"Authorization": "Basic abc"}}, None),
        ({"headers": {"Authorization": "Bearer"}}, None),
        ({"query_string": {"access_token": "abc"}}, "abc"),
        ({"query_string": {"access_token": ""}}, None),
        ({"json": {"access_token": "abc"}}, "abc"),
        ({"json": {"access_token": 5}}, None),
        ({"headers": {"Authorization": "Bearer abc"}, "query_string": {"access_token": "other"}}, "abc"),
    ],
)
def test_the_token_is_in_the_header_or_a_parameter(parts: dict[str, Any], token: str | None) -> None:
    """The header takes precedence."""
    assert _received(**parts).token == token


def test_a_recorded_request_does_not_show_its_secrets() -> None:
    """Its attributes have the secrets; its repr masks them."""
    seen = _received(
        headers={"Authorization": "Bearer SECRET-1"},
        query_string={"access_token": "SECRET-2", "fields": "id"},
        data={"appsecret_proof": "SECRET-3", "name": "a"},
    )
    recorded = RecordedRequest(
        operation="update_flow",
        method=seen.method,
        path=seen.path,
        query=seen.query,
        headers=seen.headers,
        form=seen.form,
        files=seen.files,
        body=seen.body,
        status=200,
        at=0.0,
    )
    assert (recorded.headers["Authorization"], recorded.query["access_token"]) == ("Bearer SECRET-1", "SECRET-2")
    for returned in (repr(recorded), repr(seen)):
        assert "SECRET" not in returned
        assert "'fields': 'id'" in returned
        assert "'name': 'a'" in returned


def test_fields_are_a_mapping() -> None:
    """They compare like one, and cannot be changed."""
    fields = MaskedMapping({"a": "1"})
    assert fields == {"a": "1"}
    assert (len(fields), list(fields), fields.get("b")) == (1, ["a"], None)
    assert not hasattr(fields, "__setitem__")


def test_a_recorded_json_body_can_be_read() -> None:
    """`json` parses the body."""
    seen = _received(json={"a": [1]})
    recorded = RecordedRequest(
        operation=None, method="POST", path="/", query=seen.query, headers=seen.headers, form=seen.form,
        files=seen.files, body=seen.body, status=None, at=0.0,
    )  # fmt: skip
    assert recorded.json == {"a": [1]}


def _recorded(path: str, size: int) -> RecordedRequest:
    return RecordedRequest(
        operation=None,
        method="GET",
        path=path,
        query=MaskedMapping(),
        headers=MaskedMapping(),
        form=MaskedMapping(),
        files={},
        body=b"x" * size,
        status=200,
        at=0.0,
    )


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([1, 1, 1, 1, 1], "cde"),  # no more than three
        ([1, 40_000, 1, 1], "bcd"),
        ([40_000, 40_000], "b"),  # no more than 50 kB
        ([1, 1, 90_000], "c"),  # the newest, whatever its size
        ([90_000, 1], "b"),
    ],
)
def test_requests_are_kept_by_number_and_by_size(sizes: list[int], kept: str) -> None:
    """The oldest are dropped first."""
    log = RequestLog(max_count=3, max_bytes=50_000)
    for name, size in zip("abcde", sizes, strict=False):
        log.add(_recorded(name, size))
    assert "".join(request.path for request in log) == kept
    assert len(log) == len(kept)


def test_what_was_forgotten_takes_no_room() -> None:
    """After `clear` the log has room for as many requests as at first."""
    log = RequestLog(max_count=3, max_bytes=50_000)
    log.add(_recorded("a", 40_000))
    log.clear()
    log.add(_recorded("b", 20_000))
    log.add(_recorded("c", 20_000))
    assert [request.path for request in log] == ["b", "c"]


@pytest.mark.parametrize(
    ("method", "parameters", "meant"),
    [
        ("POST", {"method": "delete"}, "DELETE"),
        ("POST", {"method": "GET"}, "GET"),
        ("POST", {"method": "brew"}, "POST"),
        ("POST", {"method": ["delete"]}, "POST"),
        ("POST", {}, "POST"),
        ("GET", {"method": "delete"}, "GET"),
        ("PUT", {"method": "delete"}, "PUT"),
    ],
)
def test_a_post_may_name_another_method(method: str, parameters: dict[str, object], meant: str) -> None:
    """Graph accepts that from clients that can send no other method; not on a GET."""
    assert IncomingRequest(method=method, path="/", parameters=parameters).effective_method == meant


def test_a_part_without_a_name_is_ignored() -> None:
    """It becomes neither a value nor a file: werkzeug reports None as its name."""
    parts = (b"", b'; name=""', b'; filename="f"', b'; name="kept"')
    lines = b"".join(b"--b\r\nContent-Disposition: form-data%s\r\n\r\nx\r\n" % part for part in parts)
    environ = {**_environ(), "CONTENT_TYPE": "multipart/form-data; boundary=b"}
    seen = parse_request(HttpRequest(environ=environ, body=lines + b"--b--\r\n"))
    assert (dict(seen.form), dict(seen.files)) == ({"kept": "x"}, {})
