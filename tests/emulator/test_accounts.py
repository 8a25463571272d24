"""Phone numbers, public keys and subscriptions."""

from __future__ import annotations

import pytest

from tests.emulator.support import CURVE_PEM, NUMBER, PEM, SHORT_PEM, WABA, Model
from whatsapp_flows.emulator.graph._state import DEFAULT_APP_ID, PhoneNumber

_KEY = f"{NUMBER}/whatsapp_business_encryption"


def test_numbers_are_listed(model: Model) -> None:
    """With what the official collection shows, and the status that the OpenAPI file requires."""
    body = model.get(f"{WABA}/phone_numbers")
    assert body["data"] == [
        {
            "id": NUMBER,
            "display_phone_number": "+1 555-000-0001",
            "verified_name": f"Business {NUMBER}",
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "status": "LINKED",
        }
    ]


def test_numbers_come_in_pages_and_with_the_fields_asked_for(model: Model) -> None:
    """The id is there whether asked for or not."""
    model.world = model.world.with_phone_number(PhoneNumber(id="7", waba_id=WABA, verified=False))
    first = model.get(f"{WABA}/phone_numbers", limit="1", fields="account_mode")
    assert first["data"] == [{"account_mode": "LIVE", "id": NUMBER}]
    after = first["paging"]["cursors"]["after"]
    second = model.get(f"{WABA}/phone_numbers", limit="1", after=after, fields="id,status,code_verification_status")
    assert second["data"] == [{"id": "7", "status": "PENDING", "code_verification_status": "UNVERIFIED"}]
    assert "next" not in second["paging"]


def test_an_account_may_have_no_numbers() -> None:
    """The list is then empty, without `paging`."""
    model = Model()
    model.world = type(model.world)(accounts=model.world.accounts)
    assert model.get(f"{WABA}/phone_numbers") == {"data": []}


def test_a_number_without_a_key_reports_a_mismatch(model: Model) -> None:
    """With a space in place of the key."""
    assert model.get(_KEY) == {
        "data": [{"business_public_key": " ", "business_public_key_signature_status": "MISMATCH"}]
    }


def test_a_key_is_kept_until_the_next(model: Model) -> None:
    """Setting the same one again is harmless."""
    for _ in range(2):
        assert model.post(_KEY, business_public_key=PEM) == {"success": True}
    assert model.get(_KEY) == {"data": [{"business_public_key": PEM, "business_public_key_signature_status": "VALID"}]}
    assert model.get(_KEY, fields="business_public_key_signature_status") == {
        "data": [{"business_public_key_signature_status": "VALID"}]
    }


@pytest.mark.parametrize("pem", [None, "", "a key", SHORT_PEM, CURVE_PEM])
def test_only_a_2048_bit_rsa_key_is_taken(model: Model, pem: str | None) -> None:
    """Anything else is code 100."""
    assert model.error_codes("POST", _KEY, parameters={"business_public_key": pem}) == (100, None)


@pytest.mark.parametrize("path", ["whatsapp_business_encryption", "phone_numbers"])
def test_fields_that_do_not_exist_are_refused(model: Model, path: str) -> None:
    """As for a Flow."""
    node = NUMBER if path == "whatsapp_business_encryption" else WABA
    assert model.error_codes("GET", f"{node}/{path}", query={"fields": "nonsense"}) == (100, None)


def test_a_key_belongs_to_a_number(model: Model) -> None:
    """Setting a key on a Flow is an error."""
    flow_id = model.add()
    for method in ("GET", "POST"):
        path = f"{flow_id}/whatsapp_business_encryption"
        assert model.error_codes(method, path, parameters={"business_public_key": PEM}) == (100, 33)


def test_an_app_subscribes_once(model: Model) -> None:
    """Twice makes no difference; afterwards it can unsubscribe, also twice."""
    path = f"{WABA}/subscribed_apps"
    assert model.get(path) == {"data": []}
    for _ in range(2):
        assert model.post(path) == {"success": True}
    (app,) = model.get(path)["data"]
    assert app["whatsapp_business_api_data"]["id"] == DEFAULT_APP_ID
    for _ in range(2):
        assert model.ask("DELETE", path) == (200, {"success": True})
    assert model.get(path) == {"data": []}


_CALLBACK = {"override_callback_uri": "https://hooks.example/wa", "verify_token": "v"}


def test_an_address_of_its_own_is_shown_again(model: Model) -> None:
    """In the answer, in the list and on the number; until the app subscribes without one, or not at all."""
    path = f"{WABA}/subscribed_apps"
    answer = model.post(path, **_CALLBACK)
    (app,) = model.get(path)["data"]
    assert app["override_callback_uri"] == "https://hooks.example/wa"
    assert answer == {"success": True, "data": [app]}
    asked = model.get(NUMBER, fields="webhook_configuration")["webhook_configuration"]
    assert asked == {"whatsapp_business_account": "https://hooks.example/wa"}
    model.post(path)
    assert [list(each) for each in model.get(path)["data"]] == [["whatsapp_business_api_data"]]
    model.post(path, **_CALLBACK)
    model.ask("DELETE", path)
    model.post(path)
    assert "override_callback_uri" not in model.get(path)["data"][0]


@pytest.mark.parametrize(
    "changes", [{"override_callback_uri": "http://hooks.example"}, {"override_callback_uri": 5}, {"verify_token": None}]
)
def test_an_address_that_meta_could_not_call_is_refused(model: Model, changes: dict[str, object]) -> None:
    """It must be https, and be sent with a `verify_token`."""
    assert model.error_codes("POST", f"{WABA}/subscribed_apps", parameters={**_CALLBACK, **changes}) == (100, None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("id", {"whatsapp_business_api_data": {"id": DEFAULT_APP_ID}}),
        ("name,id", {"whatsapp_business_api_data": {"name": f"App {DEFAULT_APP_ID}", "id": DEFAULT_APP_ID}}),
        ("override_callback_uri", {"override_callback_uri": "https://hooks.example/wa"}),
        ("whatsapp_business_api_data{id}", {"whatsapp_business_api_data": {"id": DEFAULT_APP_ID}}),
    ],
)
def test_a_subscription_shows_what_is_asked_for(model: Model, fields: str, expected: dict[str, object]) -> None:
    """The OpenAPI file names the app's own fields, which stand inside its object."""
    path = f"{WABA}/subscribed_apps"
    model.post(path, **_CALLBACK)
    assert model.get(path, fields=fields)["data"] == [expected]
    assert model.error_codes("GET", path, query={"fields": "nonsense"}) == (100, None)
