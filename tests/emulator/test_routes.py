"""The route table, and the errors before an operation begins."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.support import NUMBER, SETTINGS, WABA, Model, call
from whatsapp_flows.emulator.graph._routes import OPERATIONS, ROUTES, handle, resolve_target, served_version
from whatsapp_flows.emulator.graph._state import World


def test_the_table_is_sorted_and_unambiguous() -> None:
    """By edge, then by method, then by kind of node; one row for each."""
    keys = [(route.edge, route.method, route.kind) for route in ROUTES]
    assert keys == sorted(set(keys))


def test_operations_are_named_as_the_clients_methods() -> None:
    """Faults use the same names."""
    assert sorted(OPERATIONS) == [
        "batch",
        "create_flow",
        "create_flow_template",
        "delete_flow",
        "deprecate_flow",
        "download_flow_json",
        "download_media",
        "get_account",
        "get_flow",
        "get_health",
        "get_metric",
        "get_nodes",
        "get_phone_number",
        "get_preview",
        "get_public_key",
        "list_assets",
        "list_flows",
        "list_message_templates",
        "list_phone_numbers",
        "list_subscribed_apps",
        "migrate_flows",
        "publish_flow",
        "send_flow",
        "send_flow_template",
        "set_public_key",
        "subscribe_app",
        "unsubscribe_app",
        "update_flow",
        "update_flow_json",
    ]


@pytest.mark.parametrize(
    ("fields", "operation"),
    [
        (None, "get_flow"),
        ("id,name", "get_flow"),
        ("name", "get_flow"),
        ("preview.invalidate(false)", "get_preview"),
        ("preview,id", "get_flow"),
        ("health_status", "get_health"),
        ("metric.name(A).granularity(DAY)", "get_metric"),
        ("preview{", "get_flow"),
    ],
)
def test_a_read_is_named_after_what_it_asks_for(fields: str | None, operation: str) -> None:
    """GET /{flow-id} is one call on the wire and four methods of the client."""
    asked = call("GET", "/v25.0/1", query={} if fields is None else {"fields": fields})
    assert resolve_target(World(), asked).operation == operation


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("v26.0", "v26.0"),
        ("v20.0", "v20.0"),
        ("v19.0", "v20.0"),
        ("v2.12", "v20.0"),
        ("v27.0", None),
        ("v25", None),
        ("25.0", None),
        ("", None),
    ],
)
def test_an_expired_version_is_served_by_the_oldest(asked: str, served: str | None) -> None:
    """An unknown version is an error."""
    assert served_version(asked) == served


def _refusal(method: str, path: str, world: World | None = None, **parts: Any) -> tuple[int, int, int | None]:
    model = Model(world)
    asked = call(method, path, **parts)
    after, answer = handle(model.world, asked, resolve_target(model.world, asked))
    assert after is model.world
    error = json.loads(answer.body)["error"]
    return answer.status, error["code"], error.get("error_subcode")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", (400, 2500, None)),
        ("GET", "/v99.0/1", (400, 2500, None)),
        ("GET", "/v25/1", (400, 2500, None)),
        ("GET", "/v25.0", (400, 2500, None)),
        ("GET", f"/v25.0/{WABA}/nonsense", (400, 2500, None)),
        ("GET", f"/v25.0/{WABA}/flows/more", (400, 2500, None)),
        ("GET", "/v25.0/me", (404, 803, None)),
        ("GET", "/v25.0/1", (400, 100, 33)),
        ("POST", f"/v25.0/{WABA}", (400, 100, 33)),
        ("DELETE", f"/v25.0/{NUMBER}", (400, 100, 33)),
        ("GET", "/v25.0/1/flows", (400, 100, 33)),
        ("POST", "/v25.0", (400, 2500, None)),
        ("GET", f"/v25.0/{NUMBER}/flows", (400, 100, 33)),
        ("POST", f"/v25.0/{WABA}/publish", (400, 100, 33)),
        ("PUT", f"/v25.0/{WABA}/flows", (400, 100, 33)),
        ("HEAD", f"/v25.0/{WABA}/flows", (400, 100, 33)),
        ("DELETE", f"/v25.0/{WABA}/flows", (400, 100, 33)),
        ("POST", "/cdn/1/flow.json", (400, 2500, None)),
    ],
)
def test_what_cannot_be_understood_is_refused(method: str, path: str, expected: tuple[int, int, int | None]) -> None:
    """Unknown paths and versions are 2500, unknown nodes and wrong methods 100/33."""
    assert _refusal(method, path) == expected


def test_refusals_come_in_an_order() -> None:
    """Path, then token, then body, then the rest: without a token, the error does not reveal whether a node exists."""
    settings = replace(SETTINGS, tokens=frozenset({"good"}))
    assert _refusal("GET", "/v99.0/1", settings=settings)[1] == 2500
    assert _refusal("POST", "/v25.0/1", settings=settings, unreadable="why")[1] == 190
    assert _refusal("POST", "/v25.0/1", unreadable="why") == (400, 100, None)


def test_a_path_may_end_in_a_slash() -> None:
    """As on Graph."""
    assert resolve_target(World(), call("GET", f"/v25.0/{WABA}/flows/")).operation == "list_flows"


_TEXTS = st.text(max_size=12) | st.sampled_from([WABA, NUMBER, "flows", "v25.0", "cdn", "assets", "null", "[]", "1"])
_VALUES: st.SearchStrategy[Any] = _TEXTS | st.none() | st.booleans() | st.integers() | st.lists(_TEXTS, max_size=3)
_NAMES = st.sampled_from(
    ["fields", "name", "categories", "flow_json", "limit", "after", "publish", "clone_flow_id", "oe", "ids", "batch"]
)


@settings(deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    parts=st.lists(_TEXTS, max_size=4),
    query=st.dictionaries(_NAMES, _TEXTS, max_size=4),
    parameters=st.dictionaries(_NAMES, _VALUES, max_size=4),
)
def test_whatever_is_asked_is_answered(
    method: str, parts: list[str], query: dict[str, str], parameters: dict[str, Any]
) -> None:
    """Any request gets a response with a status that Graph uses."""
    model = Model()
    model.add()
    asked = call(method, "/" + "/".join(parts), query=query, parameters=parameters)
    _, answer = handle(model.world, asked, resolve_target(model.world, asked))
    assert answer.status in (200, 400, 403, 404)
