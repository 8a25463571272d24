"""Messages and templates: what the emulator takes, what it refuses and with which of Meta's codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from tests.emulator.support import NUMBER, WABA, Clock, Model, endpoint_json, flow_json
from whatsapp_flows import FlowButton, FlowButtonParameters, FlowsClient, FlowsError, FlowStateError, RateLimitedError
from whatsapp_flows.emulator import Emulator, FaultRule
from whatsapp_flows.emulator.graph._documents import stored_flow_json
from whatsapp_flows.emulator.graph._state import PhoneNumber

TO = "491701234567"


def two_screens(**changes: Any) -> bytes:
    """A Flow JSON in which FIRST leads to SECOND."""
    footer = {"type": "Footer", "label": "Go"}
    following = {"name": "navigate", "next": {"type": "screen", "name": "SECOND"}, "payload": {}}
    complete = {"name": "complete", "payload": {}}
    screens = [
        {"id": "FIRST", "title": "1", "layout": _layout({**footer, "on-click-action": following})},
        {"id": "SECOND", "title": "2", "terminal": True, "layout": _layout({**footer, "on-click-action": complete})},
    ]
    return json.dumps({"version": "7.3", "screens": screens, **changes}).encode()


def _layout(footer: Mapping[str, object]) -> dict[str, object]:
    return {"type": "SingleColumnLayout", "children": [footer]}


def message(flow_id: str, /, **parameters: object) -> dict[str, object]:
    """The request of a message that opens a Flow; a parameter of None is taken out."""
    usual: dict[str, object] = {"flow_message_version": "3", "flow_id": flow_id, "flow_cta": "Book", "flow_token": "t"}
    given = {name: value for name, value in {**usual, **parameters}.items() if value is not None}
    action = {"name": "flow", "parameters": given}
    interactive = {"type": "flow", "body": {"text": "Choose"}, "action": action}
    return {"messaging_product": "whatsapp", "to": TO, "type": "interactive", "interactive": interactive}


class Sender(Model):
    """The pure emulator, and a way to send. Meta's OpenAPI file has no messages."""

    def send(self, request: Mapping[str, object]) -> tuple[int, dict[str, Any]]:
        return self.ask("POST", f"{NUMBER}/messages", parameters=dict(request), checked=False)

    def code(self, request: Mapping[str, object]) -> int:
        """The code of a message that is refused, without a change."""
        before = self.world
        status, body = self.send(request)
        assert status >= 400, body
        assert self.world is before
        assert body["error"].get("error_data", {"details": "x"})["details"]
        return int(body["error"]["code"])

    def template(self, **changes: object) -> tuple[int, dict[str, Any]]:
        body = {"type": "BODY", "text": "Hello {{1}}.", "example": {"body_text": [["Ann"]]}}
        usual: dict[str, object] = {"name": "booking", "language": "en", "category": "MARKETING", "components": [body]}
        return self.ask("POST", f"{WABA}/message_templates", parameters={**usual, **changes}, checked=False)


@pytest.fixture
def model() -> Sender:
    return Sender()


@pytest.fixture
def flow(model: Sender) -> str:
    return model.add("booking", two_screens(), status="PUBLISHED")


# Messages


def test_a_message_is_answered_with_its_id_and_stored(model: Sender, flow: str) -> None:
    """As at Meta: `wa_id` without the plus sign."""
    status, body = model.send(
        {**message(flow, flow_action_payload={"screen": "FIRST", "data": {"a": 1}}), "to": f"+{TO}"}
    )
    assert (status, body["messaging_product"]) == (200, "whatsapp")
    assert body["contacts"] == [{"input": f"+{TO}", "wa_id": TO}]
    (sent,) = body["messages"]
    assert sent.keys() == {"id"}
    stored = model.world.messages[sent["id"]]
    assert (stored.to, stored.flow_id, stored.token, stored.mode) == (f"+{TO}", flow, "t", "published")
    assert (stored.action, stored.screen, stored.data, stored.number) == ("navigate", "FIRST", {"a": 1}, 0)
    assert stored.content["action"]["name"] == "flow"


ACCEPTED: list[dict[str, object]] = [
    {},
    {"flow_id": None, "flow_name": "booking"},
    {"flow_token": None},
    {"flow_action": "NAVIGATE", "mode": "PUBLISHED"},
    {"flow_action_payload": {"screen": "FIRST_ENTRY_SCREEN"}},
    {"flow_action_payload": {"screen": "FIRST", "data": '{"a": 1}'}},
    {"mode": "draft"},
]


@pytest.mark.parametrize("parameters", ACCEPTED, ids=str)
def test_every_documented_form_is_taken(model: Sender, flow: str, parameters: dict[str, object]) -> None:
    """Upper and lower case, data as an object or as text, no token."""
    status, body = model.send(message(flow, **parameters))
    assert status == 200, body
    (stored,) = model.world.messages.values()
    assert (stored.flow_id, stored.token) == (flow, "t" if "flow_token" not in parameters else "unused")


REFUSED: list[tuple[dict[str, object], int]] = [
    ({"flow_message_version": "2"}, 131009),
    ({"flow_message_version": None}, 131009),
    ({"flow_cta": None}, 131008),
    ({"flow_cta": 7}, 131009),
    ({"flow_id": None}, 131008),
    ({"flow_name": "booking"}, 131009),
    ({"flow_id": "404"}, 131009),
    ({"flow_id": None, "flow_name": "nobody"}, 131009),
    ({"mode": "live"}, 131009),
    ({"flow_action": "open"}, 131009),
    ({"flow_action": "data_exchange"}, 131009),
    ({"flow_action_payload": {"screen": "SECOND"}}, 131009),
    ({"flow_action_payload": {"screen": "NOWHERE"}}, 131009),
    ({"flow_action_payload": {"screen": None}}, 131009),
    ({"flow_action_payload": {"screen": "FIRST", "data": {}}}, 131009),
    ({"flow_action_payload": {"screen": "FIRST", "data": [1]}}, 131009),
    ({"flow_action_payload": {"screen": "FIRST", "data": "[" * 9}}, 131009),
]


@pytest.mark.parametrize(("parameters", "code"), REFUSED, ids=str)
def test_wrong_parameters_are_refused(model: Sender, flow: str, parameters: dict[str, object], code: int) -> None:
    """131008 for one that is missing, 131009 for a wrong one; the cause is in `error_data`."""
    assert model.code(message(flow, **parameters)) == code


OUTSIDE: list[tuple[dict[str, object], int]] = [
    ({"messaging_product": "sms"}, 100),
    ({"to": ""}, 100),
    ({"to": None}, 100),
    ({"type": "text"}, 131051),
    ({"type": None}, 131051),
    ({"interactive": {"type": "button"}}, 131051),
    ({"interactive": {"type": "flow"}}, 131008),
    ({"interactive": {"type": "flow", "body": {"text": ""}}}, 131009),
    ({"interactive": {"type": "flow", "body": {"text": "x" * 1025}}}, 131009),
    ({"interactive": {"type": "flow", "body": {"text": "x"}, "footer": {"text": "x" * 61}}}, 131009),
    ({"interactive": {"type": "flow", "body": {"text": "x"}, "header": "x"}}, 131009),
    ({"interactive": {"type": "flow", "body": {"text": "x"}}}, 131008),
    ({"interactive": 7}, 131009),
    ({"context": "wamid.A"}, 131009),
    ({"context": {"message_id": 7}}, 131009),
]


@pytest.mark.parametrize(("changes", "code"), OUTSIDE, ids=lambda each: str(each)[:60])
def test_wrong_messages_are_refused(model: Sender, flow: str, changes: dict[str, object], code: int) -> None:
    """What stands around the parameters."""
    assert model.code({**message(flow), **changes}) == code


def test_the_states_of_a_flow_decide(model: Sender) -> None:
    """A draft is sent in the mode `draft` alone, a blocked or deprecated Flow never."""
    draft = model.add("draft", flow_json())
    empty = model.add("empty")
    blocked = model.add("blocked", flow_json(), status="BLOCKED")
    deprecated = model.add("deprecated", flow_json(), status="DEPRECATED")
    assert model.code(message(draft)) == 131009
    assert model.send(message(draft, mode="draft"))[0] == 200
    assert model.code(message(empty, mode="draft")) == 131009
    assert model.code(message(blocked)) == 132068
    assert model.code(message(blocked, mode="draft")) == 132068
    assert model.code(message(deprecated)) == 131009


def test_a_flow_that_is_edited_is_still_sent_as_it_was_published(model: Sender) -> None:
    """`published` is what was published last, `draft` the edit ("Sending a Flow" page); publishing ends that."""
    flow = model.add("a", flow_json(), status="PUBLISHED")
    model.upload(flow, two_screens())
    assert model.flow(flow).status == "DRAFT"
    opens = {"flow_action_payload": {"screen": "START"}}
    assert model.send(message(flow, **opens))[0] == 200
    assert model.code(message(flow, mode="draft", **opens)) == 131009
    model.upload(flow, two_screens())
    assert model.send(message(flow, **opens))[0] == 200
    model.post(f"{flow}/publish")
    assert model.code(message(flow, **opens)) == 131009
    assert model.flow(flow).published is None


def test_a_throttled_flow_sends_ten_messages_an_hour(model: Sender) -> None:
    """The hour is that of the messages; other Flows are not affected."""
    flow, other = model.add("a", flow_json(), status="THROTTLED"), model.add("b", flow_json(), status="PUBLISHED")
    for _ in range(10):
        assert model.send(message(flow))[0] == 200
        model.now += 60
    assert model.code(message(flow)) == 132069
    assert model.send(message(other))[0] == 200
    model.now += 3600 - 600 + 1
    assert model.send(message(flow))[0] == 200
    assert model.code(message(flow)) == 132069


def test_an_endpoint_is_asked_only_where_there_is_one(model: Sender) -> None:
    """`data_exchange` needs a data API version, and takes no payload."""
    flow = model.add("a", endpoint_json(), status="PUBLISHED")
    assert model.send(message(flow, flow_action="data_exchange"))[0] == 200
    opens = {"screen": "START"}
    assert model.code(message(flow, flow_action="data_exchange", flow_action_payload=opens)) == 131009


def test_flows_and_numbers_of_other_accounts_are_refused(model: Sender) -> None:
    """And a number that is not registered."""
    foreign = model.add("foreign", flow_json(), status="PUBLISHED", waba_id="77")
    assert model.code(message(foreign)) == 131009
    own = model.add("own", flow_json(), status="PUBLISHED")
    model.world = model.world.with_phone_number(PhoneNumber(id=NUMBER, waba_id=WABA, verified=False))
    assert model.code(message(own)) == 133010


def test_a_user_id_is_a_recipient(model: Sender, flow: str) -> None:
    """In `recipient`; where both are given, the phone number wins."""
    user = "US.13491208655302741918"
    request = {name: value for name, value in message(flow).items() if name != "to"}
    assert model.send({**request, "recipient": user})[1]["contacts"] == [{"input": user, "user_id": user}]
    assert model.send({**request, "recipient": user, "to": TO})[1]["contacts"][0]["input"] == TO


def test_a_form_is_taken_as_well_as_json(model: Sender, flow: str) -> None:
    """Graph takes objects as text."""
    request = {name: value if isinstance(value, str) else json.dumps(value) for name, value in message(flow).items()}
    assert model.send(request)[0] == 200


def test_the_newest_messages_are_kept(model: Sender, flow: str) -> None:
    """10,000 of them, so that a long test does not fill the memory."""
    model.send(message(flow))
    (first,) = model.world.messages.values()
    filler = {str(number): replace(first, id=str(number)) for number in range(10_000)}
    model.world = replace(model.world, messages=filler, messages_sent=10_000)
    _, body = model.send(message(flow))
    assert len(model.world.messages) == 10_000
    assert next(iter(model.world.messages)) == "1"
    assert model.world.messages[body["messages"][0]["id"]].number == 10_000


@pytest.mark.parametrize(
    ("document", "entries"),
    [
        (two_screens(), ("FIRST",)),
        (two_screens(routing_model={"FIRST": ["SECOND"], "SECOND": []}), ("FIRST",)),
        (two_screens(routing_model={"FIRST": [], "SECOND": []}), ("FIRST", "SECOND")),
        (two_screens(routing_model={"FIRST": 7}), ("FIRST", "SECOND")),
        (flow_json(), ("START",)),
        (b'{"screens": 7}', ()),
        (b'{"screens": [{"id": 7}, 8, {"id": "A"}]}', ("A",)),
        (b"no JSON", ()),
    ],
    ids=range(8),
)
def test_entry_screens_are_those_that_no_other_leads_to(document: bytes, entries: tuple[str, ...]) -> None:
    """By the routing model, or without one by the navigate actions."""
    assert stored_flow_json(document, 0.0).entry_screens == entries


# Templates


def _button(**changes: object) -> list[dict[str, object]]:
    """Components with one FLOW button."""
    return [{"type": "BODY", "text": "Hi"}, {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Go", **changes}]}]


def test_a_template_is_pending_and_approved_at_once(model: Sender, flow: str) -> None:
    """The answer says PENDING, as Meta's does; a review that takes longer is a switch."""
    status, body = model.template(components=_button(flow_id=flow))
    assert (status, body["status"], body["category"]) == (200, "PENDING", "MARKETING")
    assert model.world.templates[body["id"]].status == "APPROVED"
    model.world = replace(model.world, holds_templates=True)
    _, body = model.template(name="slow", components=_button(flow_id=flow))
    assert model.world.templates[body["id"]].status == "PENDING"


def test_templates_are_listed_with_filters(model: Sender, flow: str) -> None:
    """A name finds parts of names; fields are those that were asked for."""
    for name, language in (("booking", "en"), ("booking", "de"), ("rebooking", "en"), ("other", "en")):
        model.template(name=name, language=language, components=_button(flow_name="booking"))

    def listed(**query: str) -> list[dict[str, Any]]:
        _, body = model.ask("GET", f"{WABA}/message_templates", query=query, checked=False)
        found: list[dict[str, Any]] = body["data"]
        return found

    assert [each["name"] for each in listed(name="booking", language="en")] == ["booking", "rebooking"]
    assert listed(status="REJECTED") == []
    assert listed()[0].keys() == {"id", "name", "status", "category", "language", "components"}
    assert listed(fields="name,id", limit="1") == [{"name": "booking", "id": listed()[0]["id"]}]
    status, body = model.ask("GET", f"{WABA}/message_templates", query={"fields": "colour"}, checked=False)
    assert (status, body["error"]["code"]) == (400, 100)


def test_a_flow_json_becomes_a_published_flow(model: Sender) -> None:
    """Whose id the button of the template has."""
    _, body = model.template(components=_button(flow_json=flow_json().decode(), navigate_screen="START"))
    (button,) = model.world.templates[body["id"]].buttons
    assert model.flow(button.flow_id).status == "PUBLISHED"
    assert model.flow(button.flow_id).flow_json == flow_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Booking"},
        {"name": ""},
        {"language": ""},
        {"category": "FUN"},
        {"components": 7},
        {"components": "[7]"},
        {"components": "["},
        {"components": []},
        {"components": [{"type": "BODY", "text": "x" * 1025}]},
        {"components": [{"type": "BODY", "text": "Hello {{1}}"}]},
        {"components": [{"type": "BODY", "text": "A"}] * 2},
        {"components": [{"type": "BODY", "text": "A"}, {"type": "BUTTONS"}]},
        {"components": [{"type": "BODY", "text": "A"}, {"type": "BUTTONS", "buttons": [{"type": "URL"}] * 11}]},
        {"components": _button()},
        {"components": _button(flow_id="404")},
        {"components": _button(flow_name="draft")},
        {"components": _button(flow_name="booking", flow_id="1")},
        {"components": _button(flow_json="{}")},
        {"components": _button(flow_name="booking", text="x" * 26)},
        {"components": _button(flow_name="booking", flow_action="open")},
        {"components": _button(flow_name="booking", flow_action="data_exchange")},
        {"components": _button(flow_name="booking", navigate_screen="SECOND")},
        {"components": _button(flow_name="booking", navigate_screen=["FIRST"])},
    ],
    ids=range(23),
)
def test_wrong_templates_are_refused(model: Sender, flow: str, changes: dict[str, object]) -> None:
    """With code 100, and without a change to the world."""
    model.add("draft", flow_json())
    before = model.world
    status, body = model.template(**changes)
    assert (status, body["error"]["code"]) == (400, 100)
    assert model.world is before


def test_a_name_is_unique_in_a_language(model: Sender) -> None:
    """Meta's subcode for it is 2388024."""
    assert model.template()[0] == 200
    assert model.template(language="de")[0] == 200
    status, body = model.template()
    assert (status, body["error"]["code"], body["error"]["error_subcode"]) == (400, 100, 2388024)


def template_message(*components: object, **changes: object) -> dict[str, object]:
    template = {"name": "booking", "language": {"code": "en"}, "components": list(components), **changes}
    return {"messaging_product": "whatsapp", "to": TO, "type": "template", "template": template}


def body_component(*texts: object, **more: object) -> dict[str, object]:
    return {"type": "body", "parameters": [{"type": "text", "text": text, **more} for text in texts]}


def button_component(index: object = "0", **action: object) -> dict[str, object]:
    return {"type": "button", "sub_type": "flow", "index": index, "parameters": [{"type": "action", "action": action}]}


@pytest.fixture
def two_buttons(model: Sender, flow: str) -> None:
    """The template `booking`, of a header and a body with a variable, a quick reply and two FLOW buttons."""
    endpoint = model.add("asking", endpoint_json(), status="PUBLISHED")
    buttons = [
        {"type": "FLOW", "text": "Book", "flow_id": flow, "navigate_screen": "FIRST"},
        {"type": "QUICK_REPLY", "text": "No"},
        {"type": "FLOW", "text": "Ask", "flow_id": endpoint, "flow_action": "data_exchange"},
    ]
    components = [
        {"type": "HEADER", "format": "IMAGE"},
        {"type": "BODY", "text": "Hello {{1}}.", "example": {"body_text": [["Ann"]]}},
        {"type": "BUTTONS", "buttons": buttons},
    ]
    assert model.template(components=json.dumps(components))[0] == 200


@pytest.mark.usefixtures("two_buttons")
def test_a_template_message_is_stored_with_all_its_buttons(model: Sender, flow: str) -> None:
    """The first gives action, screen and data; an entry may have no parameters."""
    bare = {"type": "button", "sub_type": "flow", "index": 2}
    status, body = model.send(
        template_message(body_component("Ann"), button_component(flow_token="t1", flow_action_data={"a": 1}), bare)
    )
    assert (status, body["messages"][0]["message_status"]) == (200, "accepted")
    (stored,) = model.world.messages.values()
    assert (stored.template, stored.language, stored.mode) == ("booking", "en", None)
    assert (stored.flow_id, stored.tokens, stored.screen, stored.data) == (flow, ("t1", "unused"), "FIRST", {"a": 1})


FIRST, THIRD = button_component(flow_token="t"), button_component("2", flow_token="u")
WRONG_TEMPLATES: list[tuple[dict[str, object], int]] = [
    (template_message(body_component("Ann")), 131009),
    (template_message(body_component("Ann"), FIRST), 131009),
    (template_message(body_component("Ann"), FIRST, FIRST, THIRD), 131009),
    (template_message(body_component("Ann"), FIRST, THIRD, button_component("1")), 131009),
    (template_message(body_component("Ann"), {**FIRST, "sub_type": "url"}, THIRD), 131009),
    (template_message(body_component("Ann"), button_component(flow_token=None), THIRD), 131009),
    (template_message(body_component("Ann"), button_component(flow_token=7), THIRD), 131009),
    (template_message(body_component("Ann"), button_component(flow_action_data={}), THIRD), 131009),
    (template_message(body_component("Ann"), FIRST, button_component("2", flow_action_data={"a": 1})), 131009),
    (template_message(body_component("Ann"), {**FIRST, "parameters": 7}, THIRD), 131009),
    (template_message(body_component("Ann"), {**FIRST, "parameters": [{"action": 7}]}, THIRD), 131009),
    (template_message(FIRST, THIRD), 132000),
    (template_message(body_component("Ann", "Bob"), FIRST, THIRD), 132000),
    (template_message({"type": "body", "parameters": 7}, FIRST, THIRD), 132000),
    (template_message(body_component(7), FIRST, THIRD), 132012),
    (template_message({"type": "body", "parameters": ["Ann"]}, FIRST, THIRD), 132012),
    (template_message(body_component("Ann", type="currency"), FIRST, THIRD), 132012),
    (template_message(body_component("Ann", parameter_name="first"), FIRST, THIRD), 132012),
    (template_message(components=7), 131009),
    (template_message(name="unknown"), 132001),
    (template_message(language={"code": "de"}), 132001),
    (template_message(language="en"), 131009),
]


@pytest.mark.usefixtures("two_buttons")
@pytest.mark.parametrize(("request_", "code"), WRONG_TEMPLATES, ids=range(len(WRONG_TEMPLATES)))
def test_wrong_template_messages_are_refused(model: Sender, request_: dict[str, object], code: int) -> None:
    """Above all, one without the component of a FLOW button: 131009."""
    assert model.code(request_) == code


@pytest.mark.usefixtures("two_buttons")
@pytest.mark.parametrize(
    ("status", "code"), [("PENDING", 132001), ("REJECTED", 132001), ("PAUSED", 132015), ("DISABLED", 132016)]
)
def test_only_an_approved_template_is_sent(model: Sender, status: str, code: int) -> None:
    """The other states have codes of their own."""
    (template,) = model.world.templates.values()
    model.world = model.world.with_template(replace(template, status=status))
    assert model.code(template_message(body_component("Ann"), FIRST, THIRD)) == code


@pytest.mark.usefixtures("two_buttons")
def test_the_flows_of_a_template_must_be_sendable(model: Sender, flow: str) -> None:
    """A blocked one is refused, and so is one that is gone."""
    whole = template_message(body_component("Ann"), FIRST, THIRD)
    model.world = model.world.with_flow(replace(model.flow(flow), status="BLOCKED"))
    assert model.code(whole) == 132068
    model.world = model.world.without_flow(flow)
    assert model.code(whole) == 131009


def test_a_template_without_a_flow_is_sent_as_well(model: Sender) -> None:
    """With named parameters, in any order."""
    named = [{"param_name": "a", "example": "x"}, {"param_name": "b", "example": "y"}]
    body = {"type": "BODY", "text": "{{a}} and {{b}}.", "example": {"body_text_named_params": named}}
    model.template(components=[body])
    both = [{"type": "text", "parameter_name": name, "text": "x"} for name in ("b", "a")]
    assert model.send(template_message({"type": "body", "parameters": both}))[0] == 200
    (stored,) = model.world.messages.values()
    assert (stored.flow_id, stored.token, stored.action) == (None, None, None)
    assert model.code(template_message({"type": "body", "parameters": [both[0], both[0]]})) == 132012


# With the client, over a socket


def test_the_client_sends_what_the_emulator_takes() -> None:
    """A message and a template, from creating the Flow to the stored messages."""
    with Emulator() as meta:
        client = FlowsClient("token", meta.waba_id, phone_number_id=meta.phone_number_id, base_url=meta.url)
        flow = client.create_flow("booking", ["OTHER"], flow_json=two_screens(), publish=True)
        sent = client.send_flow(TO, flow.id, cta="Book", body="Choose", screen="FIRST", data={"a": 1})
        template = client.create_flow_template(
            "booking", "en", body="Hello {{1}}.", body_examples=["Ann"], buttons=[
                FlowButton("Book", flow_id=flow.id, navigate_screen="FIRST"), FlowButton("Ask", flow_json=flow_json())],
        )  # fmt: skip
        also = client.send_flow_template(
            TO, "booking", "en", body_parameters=["Bob"],
            buttons=[FlowButtonParameters(data={"b": 2}), FlowButtonParameters(index=1)],
        )  # fmt: skip
        assert [message.id for message in meta.messages] == [sent.id, also.id]
        assert [message.tokens for message in meta.messages] == [sent.tokens, also.tokens]
        assert [message.data for message in meta.messages] == [{"a": 1}, {"b": 2}]
        assert [(each.id, each.status) for each in meta.templates] == [(template.id, "APPROVED")]
        assert [request.operation for request in meta.requests] == [
            "create_flow", "send_flow", "create_flow_template", "send_flow_template"
        ]  # fmt: skip
        assert "wa_id" not in repr(meta.messages)
        assert TO not in repr(meta.messages)


def test_what_meta_or_a_person_does_can_be_set() -> None:
    """The 24 hours, the state of a Flow, the review of templates, and faults by the client's method."""
    clock = Clock()
    with Emulator(clock=clock) as meta:
        client = FlowsClient(
            "token", meta.waba_id, phone_number_id=meta.phone_number_id, base_url=meta.url, max_attempts=1
        )
        flow = meta.add_flow("booking", flow_json=flow_json(), status="PUBLISHED")

        def code_of_a_message() -> int | None:
            try:
                client.send_flow(f"+{TO}", flow.id, cta="Book", body="Choose")
            except FlowsError as error:
                return error.code
            return None

        assert code_of_a_message() is None
        meta.set_window_open(False, to=TO)
        assert code_of_a_message() == 131047
        meta.set_window_open(True, to=f"+{TO}")
        assert code_of_a_message() is None
        meta.set_window_open(False)
        assert code_of_a_message() == 131047
        meta.set_window_open(True)
        meta.fail("send_flow", code=131026, times=1)
        assert [code_of_a_message(), code_of_a_message()] == [131026, None]

        meta.hold_templates()
        template = client.create_flow_template("a", "en", body="A", buttons=[FlowButton("Book", flow_id=flow.id)])
        meta.set_window_open(False)  # templates are for that
        with pytest.raises(FlowsError) as pending:
            client.send_flow_template(TO, "a", "en")
        meta.set_template_status(template.id, "APPROVED")
        client.send_flow_template(TO, "a", "en")
        assert pending.value.code == 132001
        meta.set_status(flow.id, "BLOCKED")
        with pytest.raises(FlowStateError):
            client.send_flow_template(TO, "a", "en")
        meta.set_status(flow.id, "THROTTLED")
        meta.fail("send_flow_template", code=132069)
        with pytest.raises(RateLimitedError):
            client.send_flow_template(TO, "a", "en")
        with pytest.raises(ValueError, match="status must be"):
            meta.set_template_status(template.id, "LOVED")
        with pytest.raises(LookupError):
            meta.set_template_status("1", "APPROVED")


def test_a_fault_may_be_that_of_one_flow() -> None:
    """Of the one that the message names, by id or by name, or that the template's first button opens."""
    with Emulator() as meta:
        client = FlowsClient(
            "token", meta.waba_id, phone_number_id=meta.phone_number_id, base_url=meta.url, max_attempts=1
        )
        faulty, other = (meta.add_flow(name, flow_json=flow_json(), status="PUBLISHED") for name in ("a", "b"))
        client.create_flow_template("t", "en", body="A", buttons=[FlowButton("Book", flow_id=faulty.id)])
        fault = meta.add_fault(FaultRule(flow_id=faulty.id, code=131000))
        client.send_flow(TO, other.id, cta="Book", body="Choose")
        with pytest.raises(FlowsError):
            client.send_flow(TO, faulty.id, cta="Book", body="Choose")
        with pytest.raises(FlowsError):
            client.send_flow(TO, flow_name="a", cta="Book", body="Choose")
        with pytest.raises(FlowsError):
            client.send_flow_template(TO, "t", "en")
        assert (fault.struck, len(meta.messages)) == (3, 1)
        with pytest.raises(FlowsError):  # a wrong Flow, a wrong template, a wrong number: the errors are their own
            client.send_flow(TO, "404", cta="Book", body="Choose")
        with pytest.raises(FlowsError):
            client.send_flow_template(TO, "unknown", "en")
        with pytest.raises(FlowsError):
            client.send_flow(TO, faulty.id, cta="Book", body="Choose", phone_number_id="404")
        assert fault.struck == 3


def test_a_lost_answer_makes_one_message_and_one_template() -> None:
    """The message is not sent again, the template is adopted."""
    with Emulator() as meta:
        client = FlowsClient(
            "token", meta.waba_id, phone_number_id=meta.phone_number_id, base_url=meta.url, sleep=lambda _: None
        )
        flow = meta.add_flow("booking", flow_json=flow_json(), status="PUBLISHED")
        meta.fail("send_flow", reset="after", times=1)
        meta.fail("create_flow_template", reset="after", times=1)
        with pytest.raises(FlowsError) as caught:
            client.send_flow(TO, flow.id, cta="Book", body="Choose")
        assert caught.value.may_have_acted
        template = client.create_flow_template("a", "en", body="A", buttons=[FlowButton("Book", flow_id=flow.id)])
        assert (template.adopted, template.status) == (True, "APPROVED")
        assert (len(meta.messages), len(meta.templates)) == (1, 1)


def test_messages_do_not_count_against_the_management_quota() -> None:
    """ "Rate limits" lists the calls that do."""
    with Emulator(calls_per_hour=1) as meta:
        client = FlowsClient("token", meta.waba_id, phone_number_id=meta.phone_number_id, base_url=meta.url)
        flow = meta.add_flow("booking", flow_json=flow_json(), status="PUBLISHED")
        for _ in range(3):
            client.send_flow(TO, flow.id, cta="Book", body="Choose")
        client.get_flow(flow.id)
        with pytest.raises(RateLimitedError):
            client.get_flow(flow.id)


def test_the_body_is_json_on_the_wire() -> None:
    """As Meta documents it for both calls, with the token in the header alone."""
    with Emulator() as meta:
        client = FlowsClient("token-123456", meta.waba_id, phone_number_id=meta.phone_number_id, base_url=meta.url)
        flow = meta.add_flow("booking", flow_json=flow_json(), status="PUBLISHED")
        client.send_flow(TO, flow.id, cta="Buchen", body="Wähle 😀")
        (request,) = meta.requests
        assert request.headers["Content-Type"] == "application/json"
        assert request.json["interactive"]["body"] == {"text": "Wähle 😀"}
        assert (dict(request.query), dict(request.form)) == ({}, {})
        assert b"token-123456" not in request.body
        assert requests.get(f"{meta.url}/v25.0/{meta.phone_number_id}/messages", timeout=30).status_code == 401
