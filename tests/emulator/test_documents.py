"""The properties of a stored Flow JSON, and the form of its errors."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.emulator.support import NOON, endpoint_json, flow_json
from whatsapp_flows.emulator.graph._documents import issue_to_json, stored_flow_json
from whatsapp_flows.errors import ValidationIssue, ValidationPointer
from whatsapp_flows.flow_json import validate


def noon(year: int, month: int, day: int) -> float:
    """That day at noon (UTC), in Unix seconds."""
    return datetime(year, month, day, 12, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (flow_json(), []),
        (flow_json(version="7.4"), []),  # on no page of Meta's, and known all the same
        (b"{", ["INVALID_FLOW_JSON"]),
        (b"\xff\xfe\xff", ["INVALID_FLOW_JSON"]),
        (b"[" * 100_000, ["INVALID_FLOW_JSON"]),
        (b"[]", ["INVALID_FLOW_JSON"]),
        (b"{}", ["MISSING_FLOW_JSON_VERSION"]),
        (flow_json(version=7.3), ["INVALID_FLOW_JSON_VERSION"]),
        (flow_json(screens=[]), ["MIN_ITEMS_REQUIRED"]),
        (flow_json(data_api_version="2.0", routing_model={}), ["INVALID_PROPERTY_VALUE"]),
    ],
)
def test_the_errors_are_those_of_the_validator(content: bytes, expected: list[str]) -> None:
    """Without advice and warnings, which Meta does not have."""
    issues = stored_flow_json(content, NOON).issues
    assert [issue.error for issue in issues] == expected
    assert issues == validate(content, advice=False).errors


def test_an_error_has_its_place_twice() -> None:
    """Line and column are at the top and in the pointer with the path."""
    (issue,) = stored_flow_json(b'{\n "version": 7\n}', NOON).issues
    place = {"line_start": 2, "line_end": 2, "column_start": 13, "column_end": 14}
    assert issue_to_json(issue) == {
        "error": "INVALID_FLOW_JSON_VERSION",
        "error_type": "FLOW_JSON_ERROR",
        "message": issue.message,
        **place,
        "pointers": [{**place, "path": "version"}],
    }


def test_what_an_error_lacks_is_left_out() -> None:
    """Meta omits keys without a value and empty pointers; lines and columns are always present."""
    nowhere = {"line_start": 0, "line_end": 0, "column_start": 0, "column_end": 0}
    assert issue_to_json(ValidationIssue(error="E", message="M")) == {"error": "E", "message": "M", **nowhere}
    pointed = ValidationIssue(error="E", message="M", line_start=2, pointers=(ValidationPointer(path="a"),))
    assert issue_to_json(pointed) == {
        "error": "E",
        "message": "M",
        **nowhere,
        "line_start": 2,
        "pointers": [{**nowhere, "path": "a"}],
    }


@pytest.mark.parametrize("version", ["8.0", "99.0", "7.5"])
def test_an_unknown_version_is_an_error(version: str) -> None:
    """It is the only error, at the position of the validator's warning."""
    content = b'{"screens": [],\n "version": "%s"}' % version.encode()
    assert "MIN_ITEMS_REQUIRED" in [issue.error for issue in validate(content).issues]
    (issue,) = stored_flow_json(content, NOON).issues
    assert (issue.error, issue.line_start, issue.severity) == ("INVALID_FLOW_JSON_VERSION", 2, "error")
    assert version in issue.message


def test_what_was_uploaded_is_kept_byte_for_byte() -> None:
    """Also if it is invalid."""
    assert stored_flow_json(b"{ ", NOON).content == b"{ "


@pytest.mark.parametrize(
    ("version", "now", "publishable"),
    [
        ("5.1", NOON, True),
        ("7.3", NOON, True),
        ("5.0", noon(2025, 9, 8), True),
        ("5.0", noon(2025, 9, 9), False),
        ("5.2", NOON, False),
        ("99.0", NOON, False),
    ],
)
def test_a_version_is_publishable_from_its_announcement_until_it_is_frozen(
    version: str, now: float, publishable: bool
) -> None:
    """An unreleased or unknown version cannot be published."""
    assert stored_flow_json(flow_json(version=version), now).publishable(now) is publishable


@pytest.mark.parametrize("version", [None, 7.3, "x", "07.3"])
def test_a_version_that_is_none_is_not_kept(version: object) -> None:
    """The document then has no version and no endpoint, and cannot be published."""
    document = stored_flow_json(flow_json(version=version), NOON)
    assert (document.version, document.names_its_endpoint, document.publishable(NOON)) == (None, False, False)


def test_the_day_of_the_upload_decides() -> None:
    """A document without errors on one day has one on the next, when its version is frozen."""
    content = flow_json(version="5.0")
    assert stored_flow_json(content, noon(2025, 9, 8)).issues == ()
    assert [issue.error for issue in stored_flow_json(content, noon(2025, 9, 9)).issues] == [
        "INVALID_FLOW_JSON_VERSION"
    ]


@pytest.mark.parametrize(("version", "named"), [("2.1", True), ("3.0", False), ("10.0", False)])
def test_before_version_3_the_document_names_its_endpoint(version: str, named: bool) -> None:
    """Versions compare as numbers."""
    assert stored_flow_json(flow_json(version=version), NOON).names_its_endpoint is named


def test_properties_of_the_wrong_type_count_as_absent() -> None:
    """They are validation errors, and are otherwise ignored."""
    document = stored_flow_json(flow_json(data_api_version=3, data_channel_uri=[]), NOON)
    assert (document.data_api_version, document.data_channel_uri) == (None, None)
    document = stored_flow_json(endpoint_json(version="2.1", data_channel_uri="https://e.example"), NOON)
    assert (document.data_api_version, document.data_channel_uri) == ("3.0", "https://e.example")
