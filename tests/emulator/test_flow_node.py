"""The Flow node: its fields, preview links and download links."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.emulator.support import NOON, NUMBER, WABA, Model, call, endpoint_json, flow_json
from whatsapp_flows.emulator.graph._flow_node import FLOW_FIELDS, PREVIEW_LIFETIME
from whatsapp_flows.emulator.graph._routes import handle, resolve_target
from whatsapp_flows.emulator.graph._state import DEFAULT_APP_ID, DEFAULT_BUSINESS_ID


def test_a_flow_shows_five_fields_by_default(model: Model) -> None:
    """As on Meta's page."""
    flow_id = model.add("hello", flow_json(version="2.0"))
    returned = model.get(flow_id)
    (issue,) = returned.pop("validation_errors")
    assert issue["error"] == "INVALID_FLOW_JSON_VERSION"
    assert returned == {"id": flow_id, "name": "hello", "status": "DRAFT", "categories": ["OTHER"]}


def test_every_field_can_be_asked_for(model: Model) -> None:
    """All at once, except `metric`, which has required arguments."""
    content = endpoint_json(version="2.1", data_channel_uri="https://old.example")
    flow_id = model.add(content=content, endpoint_uri="https://new.example", updated_at=NOON)
    names = FLOW_FIELDS.keys() - {"metric"}
    returned = model.get(flow_id, fields=",".join(sorted(names)))
    assert returned.keys() == names
    assert returned["application"] == {
        "id": DEFAULT_APP_ID,
        "name": f"App {DEFAULT_APP_ID}",
        "link": f"https://www.facebook.com/games/?app_id={DEFAULT_APP_ID}",
    }
    assert (returned["json_version"], returned["data_api_version"]) == ("2.1", "3.0")
    assert (returned["data_channel_uri"], returned["endpoint_uri"]) == ("https://old.example", "https://new.example")
    assert returned["updated_at"] == "2026-01-01T12:00:00+0000"
    assert returned["whatsapp_business_account"]["id"] == WABA


def test_what_a_flow_does_not_have_is_left_out(model: Model) -> None:
    """Without a JSON there is no version; the id is always present."""
    flow_id = model.add(application_id=None)
    asked = "json_version,data_api_version,data_channel_uri,endpoint_uri,application,assets,validation_errors"
    assert model.get(flow_id, fields=asked) == {"id": flow_id, "assets": {"data": []}, "validation_errors": []}


def test_nested_selections_cut_down(model: Model) -> None:
    """Objects and edges have only the selected names."""
    flow_id = model.add(content=flow_json())
    returned = model.get(flow_id, fields="id,application{id},whatsapp_business_account{name},assets{name}")
    assert returned == {
        "id": flow_id,
        "application": {"id": DEFAULT_APP_ID},
        "whatsapp_business_account": {"name": f"Account {WABA}"},
        "assets": {"data": [{"name": "flow.json"}]},
    }


@pytest.mark.parametrize(
    ("fields", "code"),
    [("id,nonsense", 100), ("preview.invalidate(maybe)", 100), ("preview.nonsense(1)", 100), ("id,", 2500)],
)
def test_a_bad_selection_is_refused(model: Model, fields: str, code: int) -> None:
    """Code 100 for an unknown field, 2500 for a syntax error."""
    assert model.error_codes("GET", model.add(), query={"fields": fields}) == (code, None)


def test_a_preview_link_is_kept_until_it_is_rotated(model: Model) -> None:
    """Reading returns the same link; `invalidate(true)` creates another."""
    flow_id = model.add(status="PUBLISHED")
    plain = model.get(flow_id, fields="preview")["preview"]
    assert plain["expires_at"] == "2026-01-31T12:00:00+0000"
    model.now += 5
    assert model.get(flow_id, fields="preview.invalidate(false)")["preview"] == plain
    rotated = model.get(flow_id, fields="preview.invalidate(true)")["preview"]
    assert rotated["preview_url"] != plain["preview_url"]
    assert rotated["expires_at"] == "2026-01-31T12:00:05+0000"
    assert model.get(flow_id, fields="preview")["preview"] == rotated


def test_a_preview_link_expires(model: Model) -> None:
    """After 30 days a new one is created."""
    flow_id = model.add()
    first = model.get(flow_id, fields="preview", date_format="U")["preview"]
    assert first["expires_at"] == NOON + PREVIEW_LIFETIME
    model.now += PREVIEW_LIFETIME
    assert model.get(flow_id, fields="preview{preview_url}")["preview"] != {"preview_url": first["preview_url"]}


def test_a_listing_can_rotate_every_link(model: Model) -> None:
    """`preview.invalidate(true)` on a list invalidates the links of all its Flows."""
    ids = [model.add(name) for name in "ab"]
    before = [model.get(flow_id, fields="preview")["preview"] for flow_id in ids]
    listed = model.get(f"{WABA}/flows", fields="preview.invalidate(true)")["data"]
    assert not {link["preview_url"] for link in before} & {each["preview"]["preview_url"] for each in listed}


def _flow_entity(model: Model, flow_id: str) -> dict[str, object]:
    health = model.get(flow_id, fields="health_status")["health_status"]
    entity = health["entities"][0]
    assert health["can_send_message"] == entity["can_send_message"]
    return {name: value for name, value in entity.items() if name not in ("entity_type", "id")}


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        ("DRAFT", flow_json(), {"can_send_message": "AVAILABLE"}),
        ("PUBLISHED", b"{", {"can_send_message": "AVAILABLE"}),
        (
            "THROTTLED",
            flow_json(),
            {
                "can_send_message": "LIMITED",
                "additional_info": ["The Flow is throttled: 10 messages per hour can be sent."],
            },
        ),
    ],
)
def test_a_flow_reports_its_health(model: Model, status: str, content: bytes, expected: object) -> None:
    """A draft that passes every check is AVAILABLE, as a published Flow is; a throttled one is LIMITED."""
    assert _flow_entity(model, model.add(content=content, status=status)) == expected


@pytest.mark.parametrize("status", ["BLOCKED", "DEPRECATED"])
def test_a_flow_that_is_out_of_use_is_blocked(model: Model, status: str) -> None:
    """For any document."""
    entity = _flow_entity(model, model.add(content=b"{", status=status))
    assert entity["can_send_message"] == "BLOCKED"
    assert [error["error_description"] for error in entity["errors"]] == [  # type: ignore[attr-defined]
        f"status: The Flow is {status}."
    ]


def test_a_draft_is_blocked_by_what_publishing_would_refuse(model: Model) -> None:
    """The health status lists all failed checks."""
    flow_id = model.add(content=endpoint_json(), application_id=None)
    errors = _flow_entity(model, flow_id)["errors"]
    assert [error["error_description"] for error in errors] == [  # type: ignore[attr-defined]
        "endpoint_uri: Publishing without endpoint_uri is forbidden",
        "public_key_check: Missing Flows Signed Public Key",
        "app_check: No Application Connected to the Flow",
        "webhook_check: WABA is not subscribed to Flows Webhooks",
    ]
    health = model.get(flow_id, fields="health_status")["health_status"]
    assert [entity["entity_type"] for entity in health["entities"]] == ["FLOW", "WABA", "BUSINESS"]


def test_health_can_include_a_phone_number(model: Model) -> None:
    """A number of the same account; one that is not verified cannot send."""
    flow_id, field = model.add(content=flow_json()), f"health_status.phone_number({NUMBER})"
    health = model.get(flow_id, fields=field)["health_status"]
    assert [(entity["entity_type"], entity["id"]) for entity in health["entities"]] == [
        ("FLOW", flow_id),
        ("WABA", WABA),
        ("BUSINESS", DEFAULT_BUSINESS_ID),
        ("APP", DEFAULT_APP_ID),
        ("PHONE_NUMBER", NUMBER),
    ]
    assert health["can_send_message"] == "AVAILABLE"
    unverified = replace(model.world.phone_numbers[NUMBER], verified=False)
    model.world = model.world.with_phone_number(unverified)
    assert model.get(flow_id, fields=field)["health_status"]["can_send_message"] == "BLOCKED"
    for unknown in ("1", WABA):
        field = f"health_status.phone_number({unknown})"
        assert model.error_codes("GET", flow_id, query={"fields": field}) == (100, None)


def _fetch(model: Model, url: str, **parts: Any) -> tuple[int, bytes]:
    path, _, query = url.removeprefix("http://localhost:1").partition("?")
    asked = call(
        "GET",
        path,
        now=model.now,
        **{"query": dict(pair.split("=") for pair in query.split("&")), "token": None, **parts},
    )
    world, answer = handle(model.world, asked, resolve_target(model.world, asked))
    assert world is model.world
    return answer.status, answer.body


def _link(model: Model, flow_id: str) -> str:
    return str(model.get(f"{flow_id}/assets")["data"][0]["download_url"])


def test_a_download_is_what_was_uploaded(model: Model) -> None:
    """Byte for byte, from another host than the API's."""
    content = b' {"version":"7.3",   "screens":[1]}\n'
    flow_id = model.add(content=content)
    url = _link(model, flow_id)
    assert url.startswith("http://localhost:1/cdn/")
    assert _fetch(model, url) == (200, content)


def test_a_download_link_expires(model: Model) -> None:
    """It is valid for five minutes."""
    url = _link(model, model.add(content=flow_json()))
    model.now += 300
    assert _fetch(model, url)[0] == 200
    model.now += 1
    assert _fetch(model, url) == (403, b"URL signature expired")


def test_a_download_link_cannot_be_forged(model: Model) -> None:
    """Its signature covers the time and the Flow."""
    flow_id = model.add(content=flow_json())
    url = _link(model, flow_id)
    assert _fetch(model, url.replace("oe=", "oe=f")) == (403, b"Bad URL hash")
    assert _fetch(model, url.replace(flow_id, "1")) == (403, b"Bad URL hash")
    assert _fetch(model, "/cdn/?oh=1") == (403, b"Bad URL hash")


def test_a_download_of_a_deleted_flow_is_not_found(model: Model) -> None:
    """Although the link is valid."""
    flow_id = model.add(content=flow_json())
    url = _link(model, flow_id)
    model.ask("DELETE", flow_id)
    assert _fetch(model, url) == (404, b"Content not found")


def test_a_download_takes_no_credentials(model: Model) -> None:
    """A client that sends them to the download host has leaked them."""
    assert _fetch(model, _link(model, model.add(content=flow_json())), carries_credentials=True)[0] == 400
