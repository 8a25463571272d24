"""The little that is checked of a Flow JSON."""

from __future__ import annotations

import pytest

from tests.emulator.support import endpoint_json, flow_json
from whatsapp_flows.emulator._documents import FROZEN_VERSIONS, PUBLISHABLE_VERSIONS, read_document


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (flow_json(), []),
        (b"{", ["INVALID_FLOW_JSON"]),
        (b"\xff\xfe\xff", ["INVALID_FLOW_JSON"]),
        (b"[" * 100_000, ["INVALID_FLOW_JSON"]),
        (b"[]", ["INVALID_FLOW_JSON"]),
        (b"{}", ["MISSING_FLOW_JSON_VERSION", "MISSING_REQUIRED_TYPE_PROPERTY"]),
        (flow_json(version=7.3), ["INVALID_FLOW_JSON_VERSION"]),
        (flow_json(version="7"), ["INVALID_FLOW_JSON_VERSION"]),
        (flow_json(version="99.0"), ["UNSUPPORTED_FLOW_JSON_VERSION"]),
        (flow_json(screens={}), ["INVALID_PROPERTY_TYPE"]),
        (flow_json(screens=[]), ["MIN_ITEMS_REQUIRED"]),
    ],
)
def test_a_document_parses_has_a_version_and_screens(content: bytes, expected: list[str]) -> None:
    """Each fault has one of Meta's error codes."""
    assert [issue.error for issue in read_document(content).issues] == expected


def test_a_syntax_error_has_its_place() -> None:
    """Line and column are those of the document, once at the top and once with the path."""
    (issue,) = read_document(b'{\n "version": }').issues
    place = {"line_start": 2, "line_end": 2, "column_start": 13, "column_end": 13}
    assert issue.as_json() == {
        "error": "INVALID_FLOW_JSON",
        "error_type": "FLOW_JSON_ERROR",
        "message": "Invalid Flow JSON: Expecting value.",
        **place,
        "pointers": [{**place, "path": ""}],
    }


def test_what_was_uploaded_is_kept_byte_for_byte() -> None:
    """Also when it is broken."""
    assert read_document(b"{ ").content == b"{ "


@pytest.mark.parametrize(
    ("content", "publishable"),
    [
        *((flow_json(version=version), True) for version in sorted(PUBLISHABLE_VERSIONS)),
        *((flow_json(version=version), False) for version in sorted(FROZEN_VERSIONS)),
        (endpoint_json(), True),
        (flow_json(data_api_version="4.0"), True),
        (flow_json(data_api_version="2.0"), False),
    ],
)
def test_a_frozen_version_cannot_be_published(content: bytes, publishable: bool) -> None:
    """Neither a frozen Flow JSON version nor a frozen data API version."""
    document = read_document(content)
    assert (document.publishable, document.issues) == (publishable, ())


@pytest.mark.parametrize(("version", "named"), [("2.1", True), ("3.0", False), ("10.0", False), ("x", False)])
def test_before_version_3_the_document_names_its_endpoint(version: str, named: bool) -> None:
    """Versions compare as numbers."""
    assert read_document(flow_json(version=version)).names_its_endpoint is named


def test_properties_of_the_wrong_type_count_as_absent() -> None:
    """Their types are not checked here, and they must not break anything."""
    document = read_document(flow_json(data_api_version=3, data_channel_uri=[]))
    assert (document.data_api_version, document.data_channel_uri) == (None, None)
