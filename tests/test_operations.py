"""Every call: what is asked of Meta, how its answers are read, and what is refused before anything is sent."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from datetime import date, datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.filepost import encode_multipart_formdata

from tests.support import DONE, FLOW, UPLOADED, WABA, Scene, answer, refusal
from whatsapp_flows import (
    ConfigurationError,
    FlowButton,
    FlowsClient,
    FlowStatus,
    FlowValidationError,
    NotFoundError,
    UnexpectedResponseError,
    ValidationIssue,
    ValidationPointer,
)
from whatsapp_flows._operations._graph import _multipart

Call = Callable[[FlowsClient], object]
DOCUMENT = b'{"version": "7.3", "screens": []}'
DEFAULT = "id,name,status,categories,validation_errors,json_version,data_api_version,endpoint_uri,updated_at"
PEM = (Path(__file__).parent / "data" / "public_key.pem").read_text()

HEALTHY = {"health_status": {"can_send_message": "AVAILABLE"}}
PREVIEW = {"preview": {"preview_url": "https://p"}}
METRIC = {"metric": {"name": "A"}}
SENT = {"messages": [{"id": "wamid.A"}]}
BUTTON = FlowButton("Book", flow_id=FLOW)

# call, answer, what is sent
ASKED: list[tuple[Call, Any, str]] = [
    (lambda c: c.update_flow_json(FLOW, DOCUMENT), {"success": True}, f"POST {FLOW}/assets"),
    (lambda c: c.create_flow("a", ["OTHER"]), {"id": "1"}, f"POST {WABA}/flows"),
    (lambda c: c.update_flow(FLOW, name="b"), {"success": True}, f"POST {FLOW}"),
    (lambda c: list(c.list_flows()), {"data": []}, f"GET {WABA}/flows?fields={DEFAULT}&limit=100"),
    (lambda c: list(c.list_flows(fields=["id", "name"], page_size=7)), {"data": []},
     f"GET {WABA}/flows?fields=id,name&limit=7"),
    (lambda c: c.find_flow_by_name("a"), {"data": []}, f"GET {WABA}/flows?fields={DEFAULT}&limit=100"),
    (lambda c: c.get_flow(FLOW), {"id": FLOW}, f"GET {FLOW}?fields={DEFAULT}"),
    (lambda c: c.get_flow(FLOW, fields="id,assets{download_url}"), {"id": FLOW},
     f"GET {FLOW}?fields=id,assets%7Bdownload_url%7D"),
    (lambda c: c.get_health(FLOW), HEALTHY, f"GET {FLOW}?fields=health_status"),
    (lambda c: c.get_health(FLOW, phone_number_id="9"), HEALTHY, f"GET {FLOW}?fields=health_status.phone_number(9)"),
    (lambda c: c.get_preview(FLOW), PREVIEW, f"GET {FLOW}?fields=preview.invalidate(false)"),
    (lambda c: c.get_preview(FLOW, invalidate=True), PREVIEW, f"GET {FLOW}?fields=preview.invalidate(true)"),
    (lambda c: c.list_assets(FLOW), {"data": []}, f"GET {FLOW}/assets?fields=name,asset_type,download_url"),
    (lambda c: c.publish_flow(FLOW), {"success": True}, f"POST {FLOW}/publish"),
    (lambda c: c.deprecate_flow(FLOW), {"success": True}, f"POST {FLOW}/deprecate"),
    (lambda c: c.delete_flow(FLOW), {"success": True}, f"DELETE {FLOW}"),
    (lambda c: c.migrate_flows("77"), {"migrated_flows": []}, f"POST {WABA}/migrate_flows"),
    (lambda c: c.get_metric(FLOW, "ENDPOINT_REQUEST_COUNT", "DAY"), METRIC,
     f"GET {FLOW}?fields=metric.name(ENDPOINT_REQUEST_COUNT).granularity(DAY)"),
    (lambda c: c.get_metric(FLOW, "A", "HOUR", since=date(2026, 1, 2), until="2026-01-31"), METRIC,
     f"GET {FLOW}?fields=metric.name(A).granularity(HOUR).since(2026-01-02).until(2026-01-31)"),
    (lambda c: c.set_public_key("9", PEM), {"success": True}, "POST 9/whatsapp_business_encryption"),
    (lambda c: c.get_public_key("9"), {"data": []}, "GET 9/whatsapp_business_encryption"),
    (lambda c: c.list_phone_numbers(), {"data": []}, f"GET {WABA}/phone_numbers"),
    (lambda c: c.subscribe_app(), {"success": True}, f"POST {WABA}/subscribed_apps"),
    (lambda c: c.list_subscribed_apps(), {"data": []}, f"GET {WABA}/subscribed_apps"),
    (lambda c: c.send_flow("491701234567", FLOW, cta="Book", body="Choose", phone_number_id="9"), SENT,
     "POST 9/messages"),
    (lambda c: c.send_flow_template("491701234567", "booking", "en", phone_number_id="9"), SENT, "POST 9/messages"),
    (lambda c: c.create_flow_template("booking", "en", body="Choose", buttons=[BUTTON]), {"id": "1"},
     f"POST {WABA}/message_templates"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "body", "sent"), ASKED, ids=[sent for _, _, sent in ASKED])
def test_each_call_is_one_request(call: Call, body: Any, sent: str) -> None:
    """Method, path and query of every operation, with the bearer and the client's time-out."""
    scene = Scene(answer(body), timeout=12.5)
    call(scene.client)
    assert scene.transport.sent == [sent]
    (request,) = scene.transport.requests
    assert request.url.startswith("https://graph.facebook.com/v25.0/")
    assert request.token is not None
    assert scene.transport.timeouts[0].read == 12.5


def test_every_method_of_the_client_has_a_row() -> None:
    """In the table above; those that take several requests have other tests."""
    called = {name for call, _, _ in ASKED for name in call.__code__.co_names}
    no_call = {"close", "from_env", "options", "usage", "waba_id", "with_options", "wrapping"}
    public = {name for name in dir(FlowsClient) if not name.startswith("_")}
    assert public - no_call - called == {"check_endpoint", "ensure_flow", "download_flow_json", "download_media"}


@pytest.mark.parametrize(("call", "body", "sent"), ASKED, ids=[sent for _, _, sent in ASKED])
def test_the_log_has_words_for_each_call(call: Call, body: Any, sent: str, caplog: pytest.LogCaptureFixture) -> None:
    """And not the name of the method: the table is in `events`."""
    with caplog.at_level(logging.INFO, "whatsapp_flows"):
        call(Scene(answer(body)).client)
    (message,) = caplog.messages
    assert re.fullmatch("Successfully [a-zJSON ]+ for .+", message)


def test_base_url_and_version_are_the_clients() -> None:
    """A gateway with a path in front of the API works; a trailing slash is not doubled."""
    scene = Scene(DONE, base_url="https://gateway.example/meta/", api_version="v26.0")
    scene.client.publish_flow(FLOW)
    assert scene.transport.requests[0].url == f"https://gateway.example/meta/v26.0/{FLOW}/publish"


UNREADABLE: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"   ", "empty"),
    (b"<html>ok</html>", "not JSON"),
    (b'{"success": tr', "not JSON"),
    (b"\xff\xfe\x80", "not JSON"),
    (b"[" * 100_000, "not JSON"),
    (b"[]", "not a JSON object"),
    (b'"yes"', "not a JSON object"),
]


@pytest.mark.parametrize(("body", "why"), UNREADABLE, ids=range(len(UNREADABLE)))
@pytest.mark.parametrize(("call", "_body", "sent"), ASKED, ids=[sent for _, _, sent in ASKED])
def test_a_2xx_that_cannot_be_read_is_an_error(call: Call, _body: Any, sent: str, body: bytes, why: str) -> None:
    """No call takes an empty or unrelated response for a success, and none crashes on it."""
    with pytest.raises(UnexpectedResponseError, match=why) as caught:
        call(Scene(answer(body)).client)
    assert caught.value.http_status == 200
    assert caught.value.may_have_acted


@pytest.mark.parametrize(
    "call", [call for call, body, _ in ASKED if body == {"success": True}], ids=lambda call: None
)  # fmt: skip
@pytest.mark.parametrize("body", [{"success": False}, {}, {"success": None}, {"success": "yes"}])
def test_only_success_true_is_a_success(call: Call, body: dict[str, object]) -> None:
    """A 200 with `success: false`, or without `success`, is an error."""
    with pytest.raises(UnexpectedResponseError, match="has no success: true"):
        call(Scene(answer(body)).client)


ISSUE = {
    "error": "INVALID_PROPERTY_VALUE",
    "error_type": "FLOW_JSON_ERROR",
    "message": "Invalid value",
    "line_start": 10,
    "line_end": "10",
    "column_start": 21,
    "column_end": 34,
    "pointers": [{"line_start": 10, "line_end": 10, "column_start": 21, "column_end": 34, "path": "screens[0].id"}],
    "novelty": True,
}
READ_ISSUE = ValidationIssue(
    error="INVALID_PROPERTY_VALUE",
    error_type="FLOW_JSON_ERROR",
    message="Invalid value",
    line_start=10,
    line_end=10,
    column_start=21,
    column_end=34,
    pointers=(
        ValidationPointer(path="screens[0].id", line_start=10, line_end=10, column_start=21, column_end=34),
    ),
)  # fmt: skip


def test_validation_errors_come_with_a_success() -> None:
    """Meta stores an invalid document with a 200: the result has the issues, typed, and nothing is raised."""
    update = Scene(answer({"success": True, "validation_errors": [ISSUE, {"error": "X", "message": "y"}, 7]})).client
    result = update.update_flow_json(FLOW, DOCUMENT)
    assert result.validation_errors == (READ_ISSUE, ValidationIssue(error="X", message="y"))


@pytest.mark.parametrize(
    "call", [lambda c: c.update_flow_json(FLOW, DOCUMENT), lambda c: c.create_flow("a", ["OTHER"], publish=True)]
)
def test_a_refused_document_says_what_is_wrong_with_it(call: Call) -> None:
    """`success: false` with issues is a `FlowValidationError` that has them."""
    with pytest.raises(FlowValidationError) as caught:
        call(Scene(answer({"success": False, "validation_errors": [ISSUE]})).client)
    assert caught.value.issues == (READ_ISSUE,)
    assert "Correct the Flow JSON" in caught.value.advice


def test_a_created_flow_without_an_id_is_an_error() -> None:
    """A success that names no flow cannot be used."""
    with pytest.raises(UnexpectedResponseError, match="no flow id"):
        Scene(answer({"success": True})).client.create_flow("a", ["OTHER"])


def test_a_flow_that_was_created_and_refused_is_named() -> None:
    """Meta may store the draft and refuse its document: the error has the id of the flow."""
    with pytest.raises(FlowValidationError) as caught:
        Scene(answer({"id": "55", "success": False, "validation_errors": [ISSUE]})).client.create_flow("a", ["OTHER"])
    assert caught.value.flow_id == "55"


def form(scene: Scene) -> dict[str, str]:
    """The parts of the last multipart body, by name."""
    from email.parser import BytesParser

    request = scene.transport.requests[-1]
    message = BytesParser().parsebytes(f"Content-Type: {request.content_type}\r\n\r\n".encode() + (request.body or b""))
    found = {}
    for part in message.get_payload():
        assert not isinstance(part, str)
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found[str(part.get_param("name", header="content-disposition"))] = payload.decode()
    return found


def test_the_upload_has_exactly_metas_three_parts() -> None:
    """`file` as application/json named flow.json, `name`, `asset_type`; the document byte for byte."""
    scene = Scene(UPLOADED)
    content = b'{"version": "7.3",\r\n "screens": [], "x": "\xc3\xa9"}'
    scene.client.update_flow_json(FLOW, content)
    assert form(scene) == {"file": content.decode(), "name": "flow.json", "asset_type": "FLOW_JSON"}
    body = scene.transport.requests[0].body or b""
    assert b'name="file"; filename="flow.json"\r\nContent-Type: application/json\r\n\r\n' + content + b"\r\n" in body


def test_a_document_may_contain_the_boundary() -> None:
    """The boundary is chosen so that no part contains it."""
    scene = Scene(UPLOADED)
    content = b'{"a": "--whatsapp-flows-sdk-boundary", "b": "\\r\\n--whatsapp-flows-sdk-boundary-x--"}'
    scene.client.update_flow_json(FLOW, content)
    assert form(scene)["file"] == content.decode()


@given(
    st.dictionaries(
        st.sampled_from(["file", "name", "asset_type"]),
        st.text() | st.tuples(st.just("flow.json"), st.binary(), st.just("application/json")),
        min_size=1,
    )
)
def test_forms_are_encoded_as_urllib3_encodes_them(parts: dict[str, str | tuple[str, bytes, str]]) -> None:
    """Our own encoder exists for speed only: it writes the same bytes."""
    body, content_type = _multipart(parts)
    boundary = content_type.partition("boundary=")[2]
    assert (body, content_type) == encode_multipart_formdata(parts, boundary=boundary)


def test_create_sends_its_arguments() -> None:
    """Lists as JSON, the document as its own text, and no parameter that was not given."""
    scene = Scene(answer({"id": "1", "success": True, "validation_errors": []}), answer({"id": "2"}))
    created = scene.client.create_flow(
        "Zoë, Ltd.", ["SIGN_UP", "OTHER"], flow_json={"version": "7.3"}, publish=True, clone_flow_id="8",
        endpoint_uri="https://example.com/flow",
    )  # fmt: skip
    assert (created.id, created.success, created.adopted) == ("1", True, False)
    assert form(scene) == {
        "name": "Zoë, Ltd.",
        "categories": '["SIGN_UP", "OTHER"]',
        "flow_json": '{"version":"7.3"}',
        "publish": "true",
        "clone_flow_id": "8",
        "endpoint_uri": "https://example.com/flow",
    }
    scene.client.create_flow("plain", ["OTHER"])
    assert form(scene) == {"name": "plain", "categories": '["OTHER"]'}


def test_update_sends_only_what_changes() -> None:
    """None leaves a value unchanged, and is not sent."""
    scene = Scene(DONE)
    scene.client.update_flow(FLOW, categories=["OTHER"], application_id="3", endpoint_uri="https://e.example")
    assert form(scene) == {"categories": '["OTHER"]', "application_id": "3", "endpoint_uri": "https://e.example"}


def test_over_a_hundred_names_are_migrated_in_several_requests() -> None:
    """Meta takes at most 100 at once; the outcome is one."""
    moved = [{"source_name": "n0", "source_id": "1", "migrated_id": "2"}]
    failed = [{"source_name": "n250", "error_code": "4233041", "error_message": "not found in source WABA."}]
    scene = Scene(
        answer({"migrated_flows": moved, "failed_flows": []}),
        answer({"migrated_flows": [], "failed_flows": []}),
        answer({"migrated_flows": [], "failed_flows": failed}),
    )
    migration = scene.client.migrate_flows("77", [f"n{number}" for number in range(251)])
    assert len(scene.transport.requests) == 3
    assert form(scene)["source_flow_names"] == '["n200", ' + ", ".join(f'"n{n}"' for n in range(201, 251)) + "]"
    assert form(scene)["source_waba_id"] == "77"
    assert [flow.migrated_id for flow in migration.migrated] == ["2"]
    assert [(failure.source_name, failure.error_code) for failure in migration.failed] == [("n250", 4233041)]


def test_a_migration_that_names_no_flows_is_an_error() -> None:
    """A response without either list is not an empty migration."""
    with pytest.raises(UnexpectedResponseError, match="names no flows"):
        Scene(answer({"success": True})).client.migrate_flows("77")


NODE = {
    "id": FLOW,
    "name": "Solar",
    "status": "PUBLISHED",
    "categories": ["OTHER", "BRAND_NEW", 7],
    "validation_errors": [ISSUE],
    "json_version": "7.3",
    "data_api_version": "4.0",
    "endpoint_uri": "https://example.com",
    "application": {"id": 8, "name": "App"},
    "whatsapp_business_account": {"id": WABA},
    "updated_at": "2026-05-21T11:18:09+0000",
    "preview": {"preview_url": "https://business.facebook.com/x", "expires_at": "2026-06-21T11:18:09+0000"},
    "health_status": {
        "can_send_message": "LIMITED",
        "entities": [
            {"entity_type": "FLOW", "id": "1", "can_send_message": "BLOCKED", "errors": [
                {"error_code": 131000, "error_description": "app_check: x", "possible_solution": "y"}]},
            {"entity_type": "APP", "id": "4", "can_send_message": "LIMITED", "additional_info": ["z", 3]},
        ],
    },
    "assets": {"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": "https://cdn/x"}]},
    "of_tomorrow": {"kept": True},
}  # fmt: skip


def test_all_fields_of_a_flow_are_read() -> None:
    """Every documented field has its type; unknown ones stay in `raw`."""
    flow = Scene(answer(NODE)).client.get_flow(FLOW)
    assert flow.status is FlowStatus.PUBLISHED
    assert f"{flow.status} {flow.status!s}" == "PUBLISHED PUBLISHED"
    assert flow.categories == ("OTHER", "BRAND_NEW")
    assert flow.validation_errors == (READ_ISSUE,)
    assert (flow.json_version, flow.data_api_version, flow.endpoint_uri) == ("7.3", "4.0", "https://example.com")
    assert (flow.application_id, flow.whatsapp_business_account_id) == ("8", WABA)
    assert flow.updated_at == datetime(2026, 5, 21, 11, 18, 9, tzinfo=timezone.utc)
    assert flow.preview is not None
    assert flow.preview.expires_at == datetime(2026, 6, 21, 11, 18, 9, tzinfo=timezone.utc)
    assert flow.health is not None
    broken, limited = flow.health.entities
    assert (broken.errors[0].error_code, broken.errors[0].possible_solution) == (131000, "y")
    assert limited.additional_info == ("z",)
    assert flow.assets[0].download_url == "https://cdn/x"
    assert flow.raw["of_tomorrow"] == {"kept": True}
    assert "business.facebook.com" not in repr(flow)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({}, {"id": FLOW, "name": "", "status": "", "categories": (), "updated_at": None, "preview": None}),
        ({"status": "PUBLISHING"}, {"status": "PUBLISHING"}),
        ({"data_channel_uri": "https://old.example"}, {"endpoint_uri": "https://old.example"}),
        ({"updated_at": 1769000000}, {"updated_at": datetime(2026, 1, 21, 12, 53, 20, tzinfo=timezone.utc)}),
        ({"updated_at": "1769000000"}, {"updated_at": datetime(2026, 1, 21, 12, 53, 20, tzinfo=timezone.utc)}),
        ({"updated_at": "yesterday"}, {"updated_at": None}),
        ({"updated_at": 1e300}, {"updated_at": None}),
        ({"updated_at": []}, {"updated_at": None}),
        ({"name": None, "status": 7, "categories": "OTHER"}, {"name": "", "status": "7", "categories": ()}),
        ({"assets": [], "preview": "x", "health_status": []}, {"assets": (), "preview": None, "health": None}),
        ({"validation_errors": {"error": "X"}}, {"validation_errors": ()}),
        ({"validation_errors": [{}]}, {"validation_errors": (ValidationIssue(error="", message=""),)}),
    ],
)
def test_invalid_fields_never_break_a_flow(node: dict[str, object], expected: dict[str, object]) -> None:
    """Missing, unknown, renamed or ill-typed fields leave the others readable."""
    flow = Scene(answer(node)).client.get_flow(FLOW)
    assert {name: getattr(flow, name) for name in expected} == expected
    assert flow.raw.items() >= node.items()


def test_other_answers_are_read() -> None:
    """Health, metric, key, numbers, apps: each in the shapes that Meta documents."""
    data = [
        {"key": "value", "value": 138},
        {"key": "rate", "value": "0.5"},
        {"key": "odd", "value": None},
        {"key": "huge", "value": 10**400},
    ]
    points = [{"timestamp": "2024-01-28T08:00:00+0000", "data": data}]
    metric = {"id": FLOW, "metric": {"name": "N", "granularity": "DAY", "data_points": points}}
    key = {"business_public_key": " ", "business_public_key_signature_status": "MISMATCH"}
    scene = Scene(
        answer(metric),
        answer({"data": [key]}),
        answer({**key, "business_public_key": "PEM\n", "business_public_key_signature_status": "VALID"}),
        answer({"data": [{"id": "9", "display_phone_number": "+1", "quality_rating": "VIOLET"}]}),
        answer({"data": [{"whatsapp_business_api_data": {"id": "1", "name": "A", "link": "l"}}, {"id": 2}]}),
        answer({"health_status": {"can_send_message": "AVAILABLE"}}),
        answer({"preview": {"preview_url": "https://p"}}),
    )
    client = scene.client
    point = client.get_metric(FLOW, "N", "DAY").data_points[0]
    assert point.data == {"value": 138.0, "rate": 0.5}
    assert point.timestamp == datetime(2024, 1, 28, 8, tzinfo=timezone.utc)
    assert (client.get_public_key("9").pem, client.get_public_key("9").status) == ("", "VALID")
    assert client.list_phone_numbers()[0].quality_rating == "VIOLET"
    assert [app.id for app in client.list_subscribed_apps()] == ["1", "2"]
    assert client.get_health(FLOW).can_send_message == "AVAILABLE"
    assert client.get_preview(FLOW).url == "https://p"


def page(*ids: str, after: str | None = None, **paging: object) -> Any:
    if after:
        paging["cursors"] = {"before": "b", "after": after}
    return answer({"data": [{"id": each, "name": f"n{each}"} for each in ids], "paging": paging})


def test_a_list_ends_where_next_is_absent() -> None:
    """A short or empty page with `next` is not the last; one with a cursor and without `next` is."""
    scene = Scene(page("1", after="a", next="https://x"), page(after="b", next="https://x"), page("2", after="c"))
    assert [flow.id for flow in scene.client.list_flows()] == ["1", "2"]
    assert [path.partition("&after=")[2] for path in scene.transport.sent] == ["", "a", "b"]


def test_a_page_is_fetched_when_it_is_reached() -> None:
    """Leaving the iteration early sends no further request."""
    scene = Scene(page("1", "2", after="a", next="https://x"))
    flows = scene.client.list_flows()
    assert scene.transport.requests == []
    assert next(flows).id == "1"
    assert len(scene.transport.requests) == 1


def test_a_cursor_may_be_in_next_alone() -> None:
    """Of `paging.next` only the cursor is read: the URL contains the token, and is never requested."""
    link = "https://evil.example/v25.0/1/flows?access_token=EAAx&limit=25&after=QVFI%3D%3D"
    scene = Scene(page("1", next=link), page("2"))
    assert [flow.id for flow in scene.client.list_flows()] == ["1", "2"]
    assert scene.transport.requests[1].url.endswith("&after=QVFI%3D%3D")
    assert "evil" not in scene.transport.requests[1].url


@pytest.mark.parametrize("link", ["https://x/?limit=1", "https://[broken", 7])
def test_a_list_that_continues_without_a_cursor_is_an_error(link: object) -> None:
    """It cannot be read to its end, and must not be taken for complete."""
    with pytest.raises(UnexpectedResponseError, match="no cursor"):
        list(Scene(page("1", next=link)).client.list_flows())


@pytest.mark.parametrize(
    "call", [lambda c: c.get_health(FLOW), lambda c: c.get_preview(FLOW), lambda c: c.get_metric(FLOW, "A", "DAY")]
)
def test_a_response_without_the_requested_part_is_an_error(call: Call) -> None:
    """An empty link or an empty health is not a result."""
    with pytest.raises(UnexpectedResponseError, match="has no"):
        call(Scene(answer({"id": FLOW})).client)


def test_a_repeated_cursor_is_an_error() -> None:
    """The list would never end."""
    scene = Scene(*[page("1", after=after, next="https://x") for after in ("a", "b", "a")])
    with pytest.raises(UnexpectedResponseError, match="same cursor twice"):
        list(scene.client.list_flows())


@pytest.mark.parametrize("body", [{"data": None}, {}, {"data": {"0": {}}}])
def test_an_object_that_is_no_list_is_an_error(body: object) -> None:
    """It is not an empty account, which would lead to a second flow of the same name."""
    with pytest.raises(UnexpectedResponseError, match="not a list"):
        Scene(answer(body)).client.find_flow_by_name("a")


def test_a_listed_flow_without_an_id_is_an_error() -> None:
    """It cannot be used."""
    with pytest.raises(UnexpectedResponseError, match="without an id"):
        list(Scene(answer({"data": [{"name": "x"}]})).client.list_flows())


def named(*flows: tuple[str, str, str], after: str | None = None) -> Any:
    data = [{"id": flow_id, "name": name, "status": status} for flow_id, name, status in flows]
    return answer({"data": data, "paging": {"next": f"https://x?after={after}"} if after else {}})


def test_a_name_is_looked_up_page_by_page() -> None:
    """The first match that is not deprecated ends the search; names are compared exactly."""
    scene = Scene(
        named(("1", "solar", "DRAFT"), ("2", "Solar ", "DRAFT"), after="a"),
        named(("3", "Solar", "DEPRECATED"), ("4", "Solar", "PUBLISHED"), after="b"),
    )
    found = scene.client.find_flow_by_name("Solar")
    assert found is not None
    assert found.id == "4"


def test_a_deprecated_flow_is_found_when_no_other_has_the_name() -> None:
    """Meta may keep its name reserved, which the caller should know."""
    found = Scene(named(("3", "Solar", "DEPRECATED"))).client.find_flow_by_name("Solar")
    assert found is not None
    assert found.status is FlowStatus.DEPRECATED
    assert Scene(named()).client.find_flow_by_name("Solar") is None


ASSETS = answer(
    {"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": "https://cdn.example/a?s=1"}]}
)


def test_the_cdn_never_receives_the_token() -> None:
    """The file is requested by its link, without any credential."""
    scene = Scene(ASSETS, answer(b'{"a": 1}\n'), app_secret="secret-secret")
    assert scene.client.download_flow_json(FLOW) == b'{"a": 1}\n'
    listing, download = scene.transport.requests
    assert listing.token is not None
    assert listing.proof
    assert (download.url, download.token, download.proof) == ("https://cdn.example/a?s=1", None, {})


def test_an_expired_link_is_replaced_once() -> None:
    """403 or 404 from the CDN means an expired link; twice is an error that does not blame the token."""
    scene = Scene(ASSETS, answer(b"expired", 403), ASSETS, answer(b"{}"))
    assert scene.client.download_flow_json(FLOW) == b"{}"
    scene = Scene(ASSETS, answer(b"", 404), ASSETS, answer(b"", 403))
    with pytest.raises(UnexpectedResponseError, match="refused twice"):
        scene.client.download_flow_json(FLOW)


def test_a_cdn_that_is_down_is_retried() -> None:
    """A 503 from the CDN is a failure of this attempt; the next requests a fresh link."""
    scene = Scene(ASSETS, answer(b"", 503), ASSETS, answer(b"{}"))
    assert scene.client.download_flow_json(FLOW) == b"{}"
    assert scene.time.sleeps == [5.0]


def test_a_flow_without_a_document_is_not_found() -> None:
    """It is not reported as a failure of the download."""
    for assets in ([], [{"asset_type": "PICTURE", "download_url": "https://cdn.example/x"}]):
        with pytest.raises(NotFoundError, match="no Flow JSON"):
            Scene(answer({"data": assets})).client.download_flow_json(FLOW)


@pytest.mark.parametrize(
    "url", ["http://cdn.example/a", "ftp://cdn.example/a", "file:///etc/passwd", "https:///a", "https://[x"]
)
def test_a_link_with_a_weaker_scheme_is_not_followed(url: str) -> None:
    """Meta's response is untrusted input: only https, or the scheme of the base URL."""
    scene = Scene(answer({"data": [{"asset_type": "FLOW_JSON", "download_url": url}]}))
    with pytest.raises(UnexpectedResponseError, match="not an https URL"):
        scene.client.download_flow_json(FLOW)
    assert len(scene.transport.requests) == 1


PRIVATE = "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"
SMALL = (Path(__file__).parent / "data" / "public_key_1024.pem").read_text()
EC = (Path(__file__).parent / "data" / "public_key_ec.pem").read_text()

# Nothing of this is sent: call, what the error names, what it must not echo.
REFUSED: list[tuple[Call, str]] = [
    (lambda c: c.update_flow_json("", DOCUMENT), "flow_id"),
    (lambda c: c.update_flow_json("a/b", DOCUMENT), "flow_id"),
    (lambda c: c.update_flow_json("..", DOCUMENT), "flow_id"),
    (lambda c: c.update_flow_json("1?fields=x", DOCUMENT), "flow_id"),
    (lambda c: c.update_flow_json("1\n", DOCUMENT), "flow_id"),
    (lambda c: c.update_flow_json("é", DOCUMENT), "flow_id"),
    (lambda c: c.update_flow_json(123, DOCUMENT), "flow_id"),  # type: ignore[arg-type]
    (lambda c: c.update_flow_json(FLOW, DOCUMENT, max_retries=-1), "max_retries"),
    (lambda c: c.update_flow_json(FLOW, DOCUMENT, max_retries=True), "max_retries"),
    (lambda c: c.update_flow_json(FLOW, DOCUMENT, max_retries=2.5), "max_retries"),  # type: ignore[arg-type]
    (lambda c: c.update_flow_json(FLOW, "{"), "line 1, column 2"),
    (lambda c: c.get_flow("a b"), "flow_id"),
    (lambda c: c.get_flow(FLOW, fields=""), "fields"),
    (lambda c: c.get_health(FLOW, phone_number_id="1)"), "phone_number_id"),
    (lambda c: c.get_preview("x/y"), "flow_id"),
    (lambda c: c.publish_flow(""), "flow_id"),
    (lambda c: c.deprecate_flow(" "), "flow_id"),
    (lambda c: c.delete_flow("a/../b"), "flow_id"),
    (lambda c: c.list_assets(""), "flow_id"),
    (lambda c: c.download_flow_json(""), "flow_id"),
    (lambda c: c.create_flow("", ["OTHER"]), "name"),
    (lambda c: c.create_flow("  ", ["OTHER"]), "name"),
    (lambda c: c.create_flow("\ud800", ["OTHER"]), "name"),
    (lambda c: c.create_flow("a", []), "categories"),
    (lambda c: c.create_flow("a", "OTHER"), "categories"),
    (lambda c: c.create_flow("a", [""]), "categories"),
    (lambda c: c.create_flow("a", ["OTHER"], clone_flow_id="/"), "clone_flow_id"),
    (lambda c: c.create_flow("a", ["OTHER"], endpoint_uri=""), "endpoint_uri"),
    (lambda c: c.create_flow("a", ["OTHER"], flow_json="[]"), "object"),
    (lambda c: c.update_flow(FLOW), "something to change"),
    (lambda c: c.update_flow(FLOW, categories=[]), "categories"),
    (lambda c: c.update_flow(FLOW, application_id="a b"), "application_id"),
    (lambda c: c.list_flows(page_size=0), "page_size"),
    (lambda c: c.list_flows(page_size=True), "page_size"),
    (lambda c: c.list_flows(page_size="5"), "page_size"),  # type: ignore[arg-type]
    (lambda c: c.migrate_flows(""), "source_waba_id"),
    (lambda c: c.migrate_flows("77", []), "names"),
    (lambda c: c.migrate_flows("77", "one"), "names"),
    (lambda c: c.migrate_flows("77", [""]), "names"),
    (lambda c: c.get_metric(FLOW, "A)", "DAY"), "metric"),
    (lambda c: c.get_metric(FLOW, "A", ""), "granularity"),
    (lambda c: c.get_metric(FLOW, "A", "DAY", since="1)"), "since"),
    (lambda c: c.get_metric(FLOW, "A", "DAY", until="yesterday"), "until"),
    (lambda c: c.get_flow(FLOW, fields=["id", 5]), "fields"),  # type: ignore[list-item]
    (lambda c: c.get_flow("0" * 65), "flow_id"),
    (lambda c: c.get_flow("EAAGm0PX4ZCpsBAKZBxTestTokenThat"), "flow_id"),
    (lambda c: c.find_flow_by_name(""), "name"),
    (lambda c: c.create_flow(" Solar", ["OTHER"]), "begin or end"),
    (lambda c: c.create_flow("a", ["OTHER"], flow_json="{"), "flow_json is not JSON"),
    (lambda c: c.set_public_key("", PEM), "phone_number_id"),
    (lambda c: c.set_public_key("9", PRIVATE), "private key"),
    (lambda c: c.set_public_key("9", PRIVATE.encode()), "private key"),
    (lambda c: c.set_public_key("9", "text before " + PRIVATE), "private key"),
    (lambda c: c.set_public_key("9", PEM.replace("PUBLIC", "RSA PUBLIC")), "RSAPublicKey_in"),
    (lambda c: c.set_public_key("9", "not a key"), "PEM block"),
    (lambda c: c.set_public_key("9", PEM + PEM), "PEM block"),
    (lambda c: c.set_public_key("9", b"\x30\x82\xff"), "DER"),
    (lambda c: c.set_public_key("9", None), "PEM block"),  # type: ignore[arg-type]
    (lambda c: c.set_public_key("9", PEM.replace("MII", "MI")), "base64"),
    (lambda c: c.set_public_key("9", SMALL), "2048"),
    (lambda c: c.set_public_key("9", EC), "2048"),
]


@pytest.mark.parametrize(("call", "named"), REFUSED, ids=range(len(REFUSED)))
def test_invalid_arguments_are_refused_before_anything_is_sent(call: Call, named: str) -> None:
    """A `ConfigurationError` names the argument; it contains no key."""
    scene = Scene(UPLOADED)
    with pytest.raises(ConfigurationError, match=named.replace(")", r"\)")) as caught:
        call(scene.client)
    assert scene.transport.requests == []
    assert "MIIE" not in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda client, token: client.get_flow(token),
        lambda client, token: client.list_flows(page_size=token),
    ],
    ids=["an id", "a number"],
)
def test_no_error_contains_a_long_argument(call: Callable[[FlowsClient, Any], object]) -> None:
    """It may be the token."""
    with pytest.raises(ConfigurationError) as caught:
        call(Scene().client, "Bearer EAAGm0PX4ZCpsBAKZBxTestTokenThatIsLongEnough0123456789")
    assert "EAAG" not in str(caught.value)


ACCOUNT_CALLS: list[Call] = [
    lambda c: c.list_flows(),
    lambda c: c.find_flow_by_name("a"),
    lambda c: c.create_flow("a", ["OTHER"]),
    lambda c: c.migrate_flows("77"),
    lambda c: c.list_phone_numbers(),
    lambda c: c.subscribe_app(),
    lambda c: c.list_subscribed_apps(),
]


@pytest.mark.parametrize("call", ACCOUNT_CALLS, ids=range(len(ACCOUNT_CALLS)))
def test_an_account_call_needs_an_account(call: Call) -> None:
    """Without a WABA id the error says how to give one."""
    scene = Scene(UPLOADED, waba_id=None)
    with pytest.raises(ConfigurationError, match="WHATSAPP_FLOWS_WABA_ID"):
        call(scene.client)
    assert scene.transport.requests == []


def test_a_key_with_other_line_ends_or_as_bytes_is_accepted() -> None:
    """As PEM files have it."""
    scene = Scene(DONE, DONE)
    scene.client.set_public_key("9", PEM.replace("\n", "\r\n"))
    scene.client.set_public_key("9", PEM.encode())
    assert form(scene)["business_public_key"] == PEM


# How a Flow JSON may be handed over, and what is sent then.
SOURCES: list[tuple[Callable[[Path], Any], bytes]] = [
    (lambda _: {"a": [1, "é"], "b": None}, '{"a":[1,"é"],"b":null}'.encode()),
    (lambda _: MappingProxyType({"a": 1}), b'{"a":1}'),
    (lambda _: '{"a":  1, "é": 2}', '{"a":  1, "é": 2}'.encode()),
    (lambda _: b' {"a":\n1}\n', b' {"a":\n1}\n'),
    (lambda _: bytearray(b'{"a":1}'), b'{"a":1}'),
    (lambda path: path, b'{"from": "a file"}\n'),
    (lambda path: path.open("rb"), b'{"from": "a file"}\n'),
    (lambda _: io.BytesIO(b'{"a": 1}'), b'{"a": 1}'),
]


@pytest.mark.parametrize(("source", "sent"), SOURCES, ids=range(len(SOURCES)))
def test_a_flow_json_is_accepted_in_every_form(source: Callable[[Path], Any], sent: bytes, tmp_path: Path) -> None:
    """A mapping is serialised compactly; text, bytes and files are sent as they are."""
    path = tmp_path / "flow.json"
    path.write_bytes(b'{"from": "a file"}\n')
    scene = Scene(UPLOADED)
    given = source(path)
    scene.client.update_flow_json(FLOW, given)
    if hasattr(given, "close"):
        given.close()
    assert form(scene)["file"].encode() == sent


class Closed(io.BytesIO):
    """A closed file."""

    def __init__(self) -> None:
        super().__init__()
        self.close()


LOOP: dict[str, object] = {}
LOOP["self"] = LOOP

NOT_FLOW_JSON: list[tuple[Any, str]] = [
    ("", "line 1, column 1"),
    ('{"a": 1,\n  "b": }', "line 2, column 8"),
    ("flows/solar.json", "pathlib.Path"),
    ("[]", "object, not list"),
    ("null", "object, not NoneType"),
    (b"\xff\xfe{}", "UTF-8"),
    (b"\xef\xbb\xbf\xef\xbb\xbf{}", "not JSON"),
    ('{"a": NaN}', "NaN is not a JSON number at line 1, column 7"),
    ('{"NaN":\n "Infinity \\" ", "b": [-Infinity]}', "-Infinity is not a JSON number at line 2, column 24"),
    ('{"a": "\ud800"}', "surrogate"),
    ({"a": "\ud800"}, "surrogate"),
    ({"a": float("nan")}, "written as JSON"),
    ({"a": object()}, "written as JSON"),
    (LOOP, "written as JSON"),
    ("[" * 100_000, "nested"),
    ('{"a": ' + "9" * 5000 + "}", "not JSON"),
    (b'{"a": "' + b"x" * (10 * 1024 * 1024) + b'"}', "10 MB"),
    ({"a": "x" * (10 * 1024 * 1024)}, "10 MB"),
    (io.BytesIO(b" " * (10 * 1024 * 1024 + 1)), "10 MB"),
    (io.StringIO("{}"), "binary"),
    (Path("does/not/exist.json"), "No such file"),
    (Path(), "directory"),
    (Path("a\0b"), "null byte|null character"),
    (Closed(), "closed file"),
    (7, "not int"),
    (None, "not NoneType"),
    ([], "not list"),
]


@pytest.mark.parametrize(("source", "why"), NOT_FLOW_JSON, ids=range(len(NOT_FLOW_JSON)))
def test_what_is_no_flow_json_is_not_sent(source: Any, why: str) -> None:
    """A `ConfigurationError` with line and column, or with the remedy, before any request."""
    scene = Scene(UPLOADED)
    with pytest.raises(ConfigurationError, match=why) as caught:
        scene.client.update_flow_json(FLOW, source)
    assert scene.transport.requests == []
    assert len(str(caught.value)) < 300


def test_exactly_ten_megabytes_are_sent() -> None:
    """The limit itself is allowed."""
    document = b'{"a": "' + b"x" * (10 * 1024 * 1024 - 9) + b'"}'
    assert Scene(UPLOADED).client.update_flow_json(FLOW, document).success


def test_an_error_names_the_operation_and_the_flow() -> None:
    """Whatever fails."""
    with pytest.raises(NotFoundError) as caught:
        Scene(refusal(100, 33)).client.get_preview(FLOW)
    assert (caught.value.operation, caught.value.flow_id) == ("get_preview", FLOW)
