"""Reading nodes: accounts, numbers, several at once, and the one that a write changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.support import NUMBER, PEM, WABA, Model, flow_json
from tests.openapi.contract import check_node
from whatsapp_flows.emulator.graph._account_nodes import ACCOUNT_FIELDS, NUMBER_FIELDS
from whatsapp_flows.emulator.graph._state import DEFAULT_APP_ID, DEFAULT_BUSINESS_ID, Account, PhoneNumber


def test_an_account_shows_itself(model: Model) -> None:
    """With Meta's default fields, and others if selected."""
    body = model.get(WABA)
    assert body == {
        "id": WABA,
        "name": f"Account {WABA}",
        "timezone_id": "1",
        "message_template_namespace": body["message_template_namespace"],
    }
    asked = "account_review_status,business_verification_status,country,ownership_type,primary_business_location"
    assert model.get(WABA, fields=asked) == {
        "id": WABA,
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "country": "US",
        "ownership_type": "SELF",
        "primary_business_location": "US",
    }


def test_an_account_reports_its_health(model: Model) -> None:
    """Of itself, its business and the calling app."""
    health = model.get(WABA, fields="health_status{can_send_message,entities}")["health_status"]
    assert health["can_send_message"] == "AVAILABLE"
    assert [(each["entity_type"], each["id"]) for each in health["entities"]] == [
        ("WABA", WABA),
        ("BUSINESS", DEFAULT_BUSINESS_ID),
        ("APP", DEFAULT_APP_ID),
    ]


def test_an_account_shows_its_numbers(model: Model) -> None:
    """As a nested edge, with the fields selected there."""
    numbers = model.get(WABA, fields="phone_numbers")["phone_numbers"]
    assert numbers == {"data": model.get(f"{WABA}/phone_numbers")["data"]}
    asked = model.get(WABA, fields="id,phone_numbers{id,throughput{level}}")["phone_numbers"]["data"]
    assert asked == [{"id": NUMBER, "throughput": {"level": "STANDARD"}}]
    assert model.error_codes("GET", WABA, query={"fields": "phone_numbers{nonsense}"}) == (100, None)


def test_a_phone_number_shows_itself(model: Model) -> None:
    """As an item of the list of numbers does."""
    assert model.get(NUMBER) == model.get(f"{WABA}/phone_numbers")["data"][0]
    assert model.get(NUMBER, fields="throughput{level},platform_type") == {
        "id": NUMBER,
        "throughput": {"level": "STANDARD"},
        "platform_type": "CLOUD_API",
    }


def test_a_number_that_is_not_verified_says_so_everywhere(model: Model) -> None:
    """In its status, its name's status and its health."""
    model.world = model.world.with_phone_number(PhoneNumber(id="20200000000000007", waba_id=WABA, verified=False))
    body = model.get("20200000000000007", fields="status,name_status,unified_cert_status,health_status")
    assert (body["status"], body["name_status"], body["unified_cert_status"]) == (
        "PENDING",
        "PENDING_REVIEW",
        "NAME_PENDING_REVIEW",
    )
    assert body["health_status"]["can_send_message"] == "BLOCKED"


@pytest.mark.parametrize("kind", ["account", "phone_number"])
def test_every_field_of_a_node_can_be_asked_for(model: Model, kind: str) -> None:
    """All at once, alone, and in a list; each response conforms to Meta's OpenAPI file."""
    node, table = {"account": (WABA, ACCOUNT_FIELDS), "phone_number": (NUMBER, NUMBER_FIELDS)}[kind]
    whole = model.get(node, fields=",".join(table))
    check_node(kind, whole)
    for name in table:
        assert model.get(node, fields=name) == {"id": node, **({name: whole[name]} if name in whole else {})}
    if kind == "phone_number":
        assert model.get(f"{WABA}/phone_numbers", fields=",".join(table))["data"] == [whole]
    assert model.error_codes("GET", node, query={"fields": "nonsense"}) == (100, None)


def test_several_nodes_are_read_at_once(model: Model) -> None:
    """Of any kind, keyed by id; each with its default fields or the selected ones."""
    flow_id = model.add("survey")
    body = model.get("", ids=f"{flow_id}, {WABA},{NUMBER}")
    assert body == {each: model.get(each) for each in (flow_id, WABA, NUMBER)}
    assert model.get("", ids=f"{flow_id},{WABA}", fields="name") == {
        flow_id: {"name": "survey", "id": flow_id},
        WABA: {"name": f"Account {WABA}", "id": WABA},
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"ids": f"{WABA},1"}, (100, 33)),
        ({"ids": f"{WABA},me"}, (803, None)),
        ({"ids": ""}, (803, None)),
        ({"ids": f"{WABA},{NUMBER}", "fields": "quality_rating"}, (100, None)),
        ({"ids": ",".join([WABA] * 51)}, (100, None)),
    ],
)
def test_one_bad_id_fails_them_all(model: Model, query: dict[str, str], expected: tuple[int, int | None]) -> None:
    """An unknown node, an alias, a field that one of them lacks, more than 50."""
    assert model.error_codes("GET", "", query=query) == expected


def test_every_id_counts_as_a_call(model: Model) -> None:
    """For the account of its node."""
    asked: list[str] = []
    model.admit = asked.append
    model.get("", ids=f"{WABA},{NUMBER}")
    assert asked == [WABA, WABA]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("{flow}", {"name": "new"}),
        ("{flow}/publish", {}),
        ("{flow}/deprecate", {}),
    ],
)
def test_a_write_may_ask_for_fields(model: Model, path: str, parameters: dict[str, Any]) -> None:
    """The response has the node's fields after the write, beside those of the write itself."""
    flow_id = model.add("old", flow_json(), status="PUBLISHED" if "deprecate" in path else "DRAFT")
    body = model.post(path.format(flow=flow_id), **parameters, fields="id,name,status,success")
    after = model.flow(flow_id)
    assert body == {"success": True, "id": flow_id, "name": after.name, "status": after.status}


def test_an_upload_may_ask_for_fields(model: Model) -> None:
    """The validation errors of the upload are kept."""
    flow_id = model.add("old")
    part = {"name": "flow.json", "asset_type": "FLOW_JSON", "fields": "json_version,validation_errors"}
    status, body = model.upload(flow_id, flow_json(screens=[]), **part)
    assert (status, body["json_version"]) == (200, "7.3")
    assert [issue["error"] for issue in body["validation_errors"]] == ["MIN_ITEMS_REQUIRED"]


@pytest.mark.parametrize(
    ("path", "parameters", "fields", "expected"),
    [
        ("{number}/whatsapp_business_encryption", {"business_public_key": PEM}, "status", {"status": "LINKED"}),
        ("{waba}/subscribed_apps", {}, "name", {"name": f"Account {WABA}"}),
        ("3/migrate_flows", {"source_waba_id": WABA}, "migrated_flows", {}),
    ],
)
def test_the_node_of_a_write_is_read(
    model: Model, path: str, parameters: dict[str, Any], fields: str, expected: dict[str, Any]
) -> None:
    """Also where it is a number or an account."""
    model.world = model.world.with_account(Account(id="3"))
    body = model.ask(
        "POST", path.format(number=NUMBER, waba=WABA), parameters={**parameters, "fields": fields}, checked=False
    )[1]
    assert body == {**body, **expected}
    assert "error" not in body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "{waba}/flows"), ("POST", "{flow}"), ("POST", "{flow}/publish"), ("DELETE", "{flow}")],
)
def test_a_read_that_fails_does_not_undo_the_write(model: Model, method: str, path: str) -> None:
    """The error contains the response of the write ("Advanced uses", read-after-write)."""
    flow_id = model.add("old", flow_json())
    before = model.world
    parameters = {"name": "new", "categories": '["OTHER"]', "fields": "nonsense"}
    status, body = model.ask(method, path.format(waba=WABA, flow=flow_id), parameters=parameters)
    assert (status, body["error"]["code"]) == (400, 100)
    assert body["error"]["original_response"].keys() & {"id", "success"}
    assert model.world is not before


@pytest.mark.parametrize("fields", ["name", "download_url,asset_type"])
def test_an_asset_shows_what_is_asked_for(model: Model, fields: str) -> None:
    """An unknown field is an error."""
    flow_id = model.add("a", flow_json())
    (asset,) = model.get(f"{flow_id}/assets", fields=fields)["data"]
    assert list(asset) == fields.split(",")
    assert model.error_codes("GET", f"{flow_id}/assets", query={"fields": "size"}) == (100, None)


@pytest.mark.parametrize("version", ["v25.0/", "v19.0/", ""])
def test_a_path_may_have_no_version(version: str) -> None:
    """The oldest live version serves it."""
    model = Model()
    flow_id = model.add("a")
    model.version = version
    assert model.get(flow_id, fields="name")["name"] == "a"
    assert model.get(f"{WABA}/flows")["data"][0]["id"] == flow_id
    assert model.get("", ids=flow_id)[flow_id]["name"] == "a"


def test_times_of_numbers_have_the_requested_format(model: Model) -> None:
    """`date_format=U` gives Unix seconds, here as on a Flow."""
    text = model.get(NUMBER, fields="last_onboarded_time")["last_onboarded_time"]
    number = model.get(NUMBER, fields="last_onboarded_time", date_format="U")["last_onboarded_time"]
    assert (text, number) == ("2024-01-01T00:00:00+0000", 1_704_067_200)
