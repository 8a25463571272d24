"""The admin: its pages, its two actions, and the preview; text from Meta is escaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.contrib.django.support import flow, rows, sent, stored
from tests.support import valid_flow
from whatsapp_flows.contrib.django import admin as flows_admin
from whatsapp_flows.contrib.django.conf import read_settings
from whatsapp_flows.contrib.django.models import WhatsAppFlow
from whatsapp_flows.emulator import Emulator

LIST = "/admin/whatsapp_flows/whatsappflow/"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def browser() -> Client:
    """A superuser's."""
    made = Client()
    made.force_login(User.objects.create_superuser("ada"))
    return made


@pytest.fixture(params=[False, True], ids=["plain", "atomic_requests"])
def _requests(request: pytest.FixtureRequest) -> Iterator[None]:
    """A project with and without ATOMIC_REQUESTS."""
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


def act(browser: Client, action: str, **more: str) -> str:
    """Run an action on all flows; returns the resulting page."""
    chosen = [str(pk) for pk in rows().values_list("pk", flat=True)]
    response = browser.post(LIST, {"action": action, "_selected_action": chosen, **more}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def messages(page: str) -> list[str]:
    """The messages on a page, as HTML."""
    return [text.strip() for text in re.findall(r'<li class="(?:success|error|info)">(.*?)</li>', page, re.DOTALL)]


@pytest.mark.usefixtures("_requests")
def test_sync_is_an_action(browser: Client, meta: Emulator, configured: dict[str, Any]) -> None:
    """A message for each flow; also with ATOMIC_REQUESTS it is not in a transaction."""
    flow()
    WhatsAppFlow.objects.create(name="invalid", flow_json={"version": "7.3", "screens": []})
    output = messages(act(browser, "sync_with_meta"))
    assert output[0] == "Flow booking: create (DRAFT)"
    assert output[1].startswith("Flow invalid: 1 error in its Flow JSON")
    assert [there.status for there in meta.flows()] == ["DRAFT"]


@pytest.mark.usefixtures("_requests")
def test_publish_asks_first(browser: Client, meta: Emulator, configured: dict[str, Any]) -> None:
    """Nothing is written before the confirmation."""
    flow(friendly_name=f"Booking {EVIL}")
    page = act(browser, "sync_and_publish")
    assert "These flows will be published at Meta" in page
    assert "will not be changed" not in page
    assert EVIL not in page
    assert sent(meta) == []
    assert messages(act(browser, "sync_and_publish", confirmed="yes")) == ["Flow booking: create (PUBLISHED)"]
    assert stored().sync_status == "published"


def test_what_comes_from_meta_is_escaped(browser: Client, meta: Emulator, configured: dict[str, Any]) -> None:
    """In the message, in the list and on the page of the flow."""
    row = flow(friendly_name=EVIL)
    meta.fail("create_flow", code=100, message=EVIL)
    pages = [act(browser, "sync_with_meta"), get(browser, row), browser.get(LIST).content.decode()]
    assert EVIL in stored().sync_error
    for page in pages:
        assert EVIL not in page
        assert "&lt;script&gt;" in page


def get(browser: Client, row: WhatsAppFlow) -> str:
    """The page of a flow."""
    response = browser.get(f"{LIST}{row.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_of_a_flow_shows_its_state(browser: Client) -> None:
    """State, id, error and validation errors; the Flow JSON is indented."""
    row = flow(flow_id="17", sync_status="error", sync_error="first line\nsecond line")
    page = get(browser, row)
    assert "<div>first line</div><div>second line</div>" in page
    assert f"{LIST}{row.pk}/preview/" in page
    assert "no errors" in page
    assert "{\n  &quot;screens&quot;" in page or "{\n  &quot;version&quot;" in page
    rows().update(flow_json={"version": "7.3", "screens": []}, flow_id="", sync_status="syncing")
    page = get(browser, row)
    assert "MIN_ITEMS_REQUIRED" in page
    assert "/preview/" not in page
    rows().update(syncing_since=timezone.now() - timedelta(minutes=1))
    assert " since " in get(browser, row)


def form(**changes: Any) -> dict[str, Any]:
    """What a browser sends for a flow."""
    fields = {"name": "booking", "friendly_name": "", "description": "", "categories": ["OTHER"], "endpoint_uri": ""}
    return {**fields, "is_active": "on", "flow_json": json.dumps(valid_flow("FIRST")), **changes}


def shown(page: str, kind: str) -> list[str]:
    """The texts of the list items of a class on the publish page, without their markup."""
    (part,) = re.findall(rf'<ul class="{kind}">(.*?)\n</ul>', page, re.DOTALL) or [""]
    return [re.sub(r"<[^>]+>|\s+", " ", item).strip() for item in part.split("<li>")[1:]]


def test_the_confirmation_page_shows_what_will_not_be_published(
    browser: Client, meta: Emulator, configured: dict[str, Any]
) -> None:
    """With the reason, from the state at Meta and the Flow JSON; only the others are published."""
    flow("good")
    flow("put_aside")
    WhatsAppFlow.objects.create(name="invalid", flow_json={"version": "7.3", "screens": []})
    there = meta.add_flow("put_aside", flow_json=json.dumps(valid_flow("OLD")).encode(), status="PUBLISHED")
    meta.set_status(there.id, "THROTTLED")
    page = act(browser, "sync_and_publish")
    assert [item.partition(" ")[0] for item in shown(page, "publishable")] == ["good"]
    reported = " ".join(shown(page, "blocked"))
    assert "invalid (invalid)" in reported
    assert "MIN_ITEMS_REQUIRED" in reported
    assert "put_aside (put_aside)" in reported
    assert "THROTTLED" in reported
    chosen = re.findall(r'name="_selected_action" value="(\d+)"', page)
    assert chosen == [str(stored("good").pk)]
    meta.fail("list_flows", code=190)
    page = act(browser, "sync_and_publish")
    assert 'value="Publish"' not in page
    assert "code 190" in page


def test_a_publish_page_without_settings_is_a_message(browser: Client, configured: dict[str, Any]) -> None:
    """Not an error page."""
    flow()
    configured["WABA_ID"] = "no id"
    assert "WHATSAPP_FLOWS" in messages(act(browser, "sync_and_publish"))[0]


def test_a_flow_is_made_and_changed_in_a_form(browser: Client) -> None:
    """Its categories are checkboxes; a new flow has no results to show."""
    page = browser.get(f"{LIST}add/").content.decode()
    assert 'type="checkbox" name="categories" value="LEAD_GENERATION"' in page
    assert "At Meta" not in page
    assert not re.search(r"<textarea name=\"flow_json\"[^>]*>\s*[^<\s]", page)
    assert browser.post(f"{LIST}add/", form(categories=["SURVEY", "OTHER"])).status_code == 302
    row = stored()
    assert (row.flow_json, row.categories) == (valid_flow("FIRST"), ["SURVEY", "OTHER"])
    assert browser.post(f"{LIST}{row.pk}/change/", form(description="new")).status_code == 302
    assert stored().description == "new"


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"flow_json": "{"}, "Enter a valid JSON"),
        ({"flow_json": DEEP}, "Enter a valid JSON"),
        ({"flow_json": '{"version": %s}' % ("1" * 5000)}, "Enter a valid JSON"),
        ({"flow_json": '"{}"'}, "A Flow JSON is an object."),
        ({"flow_json": '{"version": "7.3", "screens": []}'}, "MIN_ITEMS_REQUIRED"),
        ({"flow_json": r'{"version": "\ud800"}'}, "Half of a surrogate pair"),
        ({"flow_json": r'{"\udc00": 1}'}, "Half of a surrogate pair"),
        ({"flow_json": r'{"version": "\u0000"}'}, "Null characters"),
        ({"flow_json": '{"version": NaN}'}, "no NaN"),
        ({"flow_json": '{"version": [-Infinity]}'}, "no NaN"),
        ({"categories": []}, "This field is required."),
        ({"categories": ["GARDENING"]}, "GARDENING is not one of the available choices"),
        ({"endpoint_uri": "http://crm.example"}, "Enter a valid URL."),
    ],
)
def test_a_form_that_makes_no_row_says_why(changes: dict[str, Any], words: str, browser: Client) -> None:
    """The submitted values are kept."""
    response = browser.post(f"{LIST}add/", form(**changes))
    assert (response.status_code, words in response.content.decode()) == (200, True)
    assert not rows().exists()


def test_errors_are_shown_once(browser: Client, meta: Emulator, configured: dict[str, Any]) -> None:
    """On the page of a flow under the findings only; in a form at its field only."""
    row = flow()
    rows().update(flow_json={"version": "7.3", "screens": []})
    act(browser, "sync_with_meta")
    assert "MIN_ITEMS_REQUIRED" in stored().sync_error
    assert get(browser, row).count("MIN_ITEMS_REQUIRED") == 1
    changed = form(flow_json='{"version": "7.3", "screens": [], "more": 1}')
    page = browser.post(f"{LIST}{row.pk}/change/", changed).content.decode()
    assert page.count("MIN_ITEMS_REQUIRED") == 1


def test_what_was_saved_elsewhere_does_not_lock_its_page(browser: Client) -> None:
    """A row with errors and a category that the form does not offer can be shown, and its other fields changed."""
    row = WhatsAppFlow.objects.create(name="old", categories=["GARDENING"], flow_json={"version": "\ud800"})
    page = get(browser, row)
    assert "ud800" in page
    assert 'value="GARDENING"' in page
    rows().update(flow_json={"version": "7.3", "screens": []})
    same = form(name="old", categories=["GARDENING"], flow_json='{"version": "7.3", "screens": []}', description="new")
    assert browser.post(f"{LIST}{row.pk}/change/", same).status_code == 302
    assert (stored("old").description, stored("old").categories) == ("new", ["GARDENING"])


@pytest.mark.parametrize("field", ["name", "friendly_name", "description"])
def test_a_text_that_cannot_be_stored_makes_no_row(field: str) -> None:
    """Refused by the model itself, so by definitions in Python too."""
    row = WhatsAppFlow(**{"name": "n", "flow_json": {}, field: "half \ud83d"})
    with pytest.raises(ValidationError) as refused:
        row.clean()
    assert list(refused.value.message_dict) == [field]


def test_a_form_leaves_alone_what_a_sync_writes_meanwhile(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that is acquired between reading and writing the row is kept."""
    row = flow()
    before = flows_admin.WhatsAppFlowAdmin.save_model

    def claimed_first(self: Any, request: Any, obj: Any, form: Any, change: Any) -> None:
        rows().update(sync_status="syncing")
        before(self, request, obj, form, change)

    monkeypatch.setattr(flows_admin.WhatsAppFlowAdmin, "save_model", claimed_first)
    browser.post(f"{LIST}{row.pk}/change/", form(description="new"))
    assert (stored().description, stored().sync_status) == ("new", "syncing")


def preview(browser: Client, row: WhatsAppFlow) -> HttpResponse:
    url = reverse("admin:whatsapp_flows_whatsappflow_preview", args=(row.pk,))
    response: HttpResponse = browser.get(url)  # type: ignore[assignment]
    return response


@pytest.mark.usefixtures("_requests")
def test_the_preview_is_metas(browser: Client, meta: Emulator, configured: dict[str, Any]) -> None:
    """The link is requested when it is followed; it is not stored, and invalidates no other."""
    row = flow()
    act(browser, "sync_with_meta")
    response = preview(browser, row)
    assert response.status_code == 302
    assert response["Location"].startswith("https://")
    assert response["Referrer-Policy"] == "no-referrer"
    assert "invalidate(true)" not in str(meta.requests[-1])


def test_a_missing_preview_is_a_message(browser: Client, meta: Emulator, configured: dict[str, Any]) -> None:
    """As a message on the page of the flow; a link that is not https is not followed."""
    row = flow(flow_id="17")
    response = browser.get(f"{LIST}{row.pk}/preview/", follow=True)
    assert "get_preview" in messages(response.content.decode())[0]
    meta.fail("get_preview", status=200, body={"id": "17", "preview": {"preview_url": "javascript:alert(1)"}})
    meta.fail("get_flow", status=200, body={"id": "17", "preview": {"preview_url": "javascript:alert(1)"}})
    response = browser.get(f"{LIST}{row.pk}/preview/", follow=True)
    assert "no link to a preview" in response.content.decode()
    assert browser.get(f"{LIST}4711/preview/").status_code == 403


def test_the_view_permission_does_not_permit_a_sync(meta: Emulator, configured: dict[str, Any]) -> None:
    """The actions need the permission to change; the preview that to view."""
    row = flow(flow_id="17")
    user = User.objects.create_user("bob", is_staff=True)
    browser = Client()
    browser.force_login(user)
    assert browser.get(f"{LIST}{row.pk}/preview/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_whatsappflow"))
    assert "sync_with_meta" not in browser.get(LIST).content.decode()
    act(browser, "sync_with_meta")
    assert sent(meta) == []
    assert browser.get(f"{LIST}{row.pk}/preview/").status_code == 302


def test_calls_of_the_admin_have_a_deadline(meta: Emulator, configured: dict[str, Any]) -> None:
    """Retries do not block a web worker for a minute."""
    with flows_admin.admin_client(read_settings()) as client:
        assert getattr(client.options.retry_policy, "max_elapsed", None) == 20.0
        assert getattr(client.options.retry_policy, "initial", None) == 0
    del configured["RETRY_INITIAL"]
    with flows_admin.admin_client(read_settings()) as client:
        assert getattr(client.options.retry_policy, "initial", None) == 5.0


def test_settings_that_cannot_be_used_are_a_message(browser: Client, configured: dict[str, Any]) -> None:
    """Not an error page."""
    flow()
    configured["WABA_ID"] = "no id"
    assert "WHATSAPP_FLOWS" in messages(act(browser, "sync_with_meta"))[0]


def test_a_project_may_hand_the_work_to_its_queue(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """By overriding one method."""
    queued: list[int] = []

    def sync(self: Any, flows: Any, *, publish: bool) -> None:
        queued.extend(flows.values_list("pk", flat=True))

    monkeypatch.setattr(flows_admin.WhatsAppFlowAdmin, "sync", sync)
    row = flow()
    assert messages(act(browser, "sync_with_meta")) == ["The flows will be synced."]
    assert queued == [row.pk]
