"""The emulator answers an upload with the errors of the validator, over a real socket."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.emulator.support import Graph
from whatsapp_flows import FlowsClient, PublishBlockedError, ValidationIssue
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.flow_json import validate

_GONE = object()
_DAY = date(2026, 1, 1)  # of the fixture's clock
_GO = {"name": "navigate", "next": {"type": "screen", "name": "END"}, "payload": {"name": "${form.name}"}}
_DONE = {"name": "complete", "payload": {}}
_SOUND: dict[str, Any] = {
    "version": "7.3",
    "routing_model": {"START": ["END"], "END": []},
    "screens": [
        {
            "id": "START",
            "title": "Größe 😀",
            "layout": {
                "type": "SingleColumnLayout",
                "children": [
                    {"type": "TextInput", "name": "name", "label": "Name"},
                    {"type": "Footer", "label": "Go", "on-click-action": _GO},
                ],
            },
        },
        {
            "id": "END",
            "title": "End",
            "terminal": True,
            "data": {"name": {"type": "string", "__example__": "Zoë"}},
            "layout": {
                "type": "SingleColumnLayout",
                "children": [
                    {"type": "TextBody", "text": "${data.name}"},
                    {"type": "Footer", "label": "Done", "on-click-action": _DONE},
                ],
            },
        },
    ],
}
_START = ("screens", 0, "layout", "children")
_END = ("screens", 1, "layout", "children")
# The first error, where to break the sound document, and what to put there.
_BROKEN: list[tuple[str, tuple[str | int, ...], object]] = [
    ("MISSING_FLOW_JSON_VERSION", ("version",), _GONE),
    ("INVALID_FLOW_JSON_VERSION", ("version",), "5.0"),
    ("MISSING_REQUIRED_PROPERTY", ("screens", 0, "title"), _GONE),
    ("INVALID_PROPERTY_KEY", (*_START, 0, "colour"), "😀"),
    ("INVALID_PROPERTY_TYPE", ("screens",), {}),
    ("INVALID_PROPERTY_VALUE", ("data_api_version",), "2.0"),
    ("INVALID_ENUM_VALUE", (*_START, 0, "input-type"), "name"),
    ("MIN_ITEMS_REQUIRED", ("screens",), []),
    ("PATTERN_MISMATCH", ("screens", 0, "id"), "START 1"),
    ("INVALID_SCREEN_DYNAMIC_DATA", (*_END, 0, "text"), "${data.nome}"),
    ("INVALID_ROUTING_MODEL", ("routing_model", "START"), ["NOWHERE"]),
    ("INVALID_ROUTING_MODEL", ("routing_model",), {"START": ["END"], "END": ["START"]}),
    ("INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME", (*_START, 1, "on-click-action", "next", "name"), "NOWHERE"),
    ("MISSING_TERMINAL_SCREEN", ("screens", 1, "terminal"), _GONE),
    ("DUPLICATE_SCREEN_IDS", ("screens", 1, "id"), "START"),
    ("DUPLICATE_FORM_COMPONENT_NAMES", (*_START, 1), {"type": "TextInput", "name": "name", "label": "Again"}),
    ("MISSING_FOOTER_ON_TERMINAL_SCREEN", (*_END, 1), {"type": "TextBody", "text": "Done"}),
]


def shortened(value: object) -> str:
    """A short id for a case, the same in every process."""
    return "gone" if value is _GONE else str(value)[:40]


@pytest.fixture
def client(meta: Emulator) -> Iterator[FlowsClient]:
    """A client of the running emulator."""
    with FlowsClient("token", meta.waba_id, base_url=meta.url) as flows:
        yield flows


def broken(place: tuple[str | int, ...], value: object) -> bytes:
    """The valid document over many lines, with one error."""
    document = copy.deepcopy(_SOUND)
    *path, last = place
    parent: Any = document
    for step in path:
        parent = parent[step]
    if value is _GONE:
        del parent[last]
    else:
        parent[last] = value
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def expected(content: bytes) -> tuple[ValidationIssue, ...]:
    """The errors of the validator, without the ids of rules, which Meta does not send."""
    return tuple(replace(issue, rule=None) for issue in validate(content, advice=False, today=_DAY).errors)


@pytest.mark.parametrize(("code", "place", "value"), _BROKEN, ids=shortened)
def test_an_invalid_document_is_stored_and_reported_and_not_published(
    meta: Emulator, client: FlowsClient, code: str, place: tuple[str | int, ...], value: object
) -> None:
    """The response, the stored flow and the validator agree in code, message, positions and pointers."""
    content = broken(place, value)
    assert code in {issue.error for issue in expected(content)}
    flow = client.create_flow("Booking", ["OTHER"])
    update = client.update_flow_json(flow.id, content)
    assert (update.success, update.validation_errors) == (True, expected(content))
    assert client.get_flow(flow.id).validation_errors == expected(content)
    assert client.download_flow_json(flow.id) == content
    with pytest.raises(PublishBlockedError) as caught:
        client.publish_flow(flow.id)
    assert (caught.value.code, caught.value.subcode) == (139002, 4016011)
    assert meta.flow(flow.id).status == "DRAFT"
    assert client.update_flow_json(flow.id, _SOUND).validation_errors == ()
    client.publish_flow(flow.id)
    assert meta.flow(flow.id).status == "PUBLISHED"


@pytest.mark.parametrize(("code", "place", "value"), _BROKEN[:3], ids=shortened)
def test_the_errors_of_a_new_flow_are_reported_too(
    meta: Emulator, client: FlowsClient, code: str, place: tuple[str | int, ...], value: object
) -> None:
    """Creating it as a draft returns its errors; with `publish` the call fails, and the draft exists."""
    content = broken(place, value)
    created = client.create_flow("Booking", ["OTHER"], flow_json=content)
    assert (created.success, created.validation_errors) == (True, expected(content))
    with pytest.raises(PublishBlockedError) as caught:
        client.create_flow("Live", ["OTHER"], flow_json=content, publish=True)
    assert caught.value.subcode == 4016011
    assert [(flow.name, flow.status) for flow in meta.flows()] == [("Booking", "DRAFT"), ("Live", "DRAFT")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{\n "version": "7.3",\n}',
        b'{"version": NaN}',
        b"[1]",
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf" * 2 + b"{}",
        b"[" * 50_000,
    ],
    ids=["nothing", "a comma", "NaN", "a list", "not UTF-8", "two BOMs", "too deep"],
)
def test_a_text_that_is_no_json_is_reported_too(
    client: FlowsClient, graph: Graph, meta: Emulator, content: bytes
) -> None:
    """The client does not send such a file, so the test uploads it itself; the client then reads the errors."""
    flow = client.create_flow("Booking", ["OTHER"])
    assert graph.upload(flow.id, content).json()["success"] is True
    (issue,) = client.get_flow(flow.id).validation_errors
    assert (issue.error, (issue,)) == ("INVALID_FLOW_JSON", expected(content))
    with pytest.raises(PublishBlockedError):
        client.publish_flow(flow.id)
