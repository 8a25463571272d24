"""Sending a Flow: what is asked of Meta, what is refused before, what is repeated, and what is shown of it."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import TOKEN, WABA, Scene, answer, refusal, valid_flow
from whatsapp_flows import (
    ERROR_CODES,
    ConfigurationError,
    Decision,
    FlowButton,
    FlowButtonParameters,
    FlowsClient,
    FlowsError,
    FlowTemplate,
    FlowValidationError,
    InvalidRequestError,
    NameTakenError,
    NoAnswerError,
    NotSentError,
    RateLimitedError,
    RetryableError,
    RetryState,
    SentMessage,
    ServiceUnavailableError,
    UnexpectedResponseError,
)

TO = "491701234567"
USER = "US.13491208655302741918"
FLOW = "7001"
NUMBER = "20200000000000001"
WAMID = "wamid.HBgLNDkxNzAxMjM0NTY3FQIAERgSQ0E="
SENT = answer({"messaging_product": "whatsapp", "contacts": [{"input": TO, "wa_id": TO}], "messages": [{"id": WAMID}]})
PENDING = answer({"id": "55", "status": "PENDING", "category": "UTILITY"})


def scene(*script: Any, **options: Any) -> Scene:
    """A client with a phone number."""
    return Scene(*(script or (SENT,)), phone_number_id=NUMBER, **options)


def body_of(asked: Scene, number: int = -1) -> dict[str, Any]:
    """The JSON of a request."""
    request = asked.transport.requests[number]
    assert request.content_type == "application/json"
    assert request.body is not None
    found: dict[str, Any] = json.loads(request.body)
    return found


# What is asked


def test_a_message_is_one_json_request() -> None:
    """Everything that was given, and nothing that was not."""
    asked = scene()
    sent = asked.client.send_flow(TO, FLOW, cta="Book", body="Choose a date", screen="CHOOSE", data={"dates": ["1"]})
    assert asked.transport.sent == [f"POST {NUMBER}/messages"]
    assert body_of(asked) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": TO,
        "type": "interactive",
        "interactive": {
            "type": "flow",
            "body": {"text": "Choose a date"},
            "action": {
                "name": "flow",
                "parameters": {
                    "flow_message_version": "3",
                    "flow_id": FLOW,
                    "flow_cta": "Book",
                    "flow_token": sent.token,
                    "mode": "published",
                    "flow_action": "navigate",
                    "flow_action_payload": {"screen": "CHOOSE", "data": {"dates": ["1"]}},
                },
            },
        },
    }
    assert sent == SentMessage(id=WAMID, token=sent.token, tokens=(sent.token,))


Change = Callable[[dict[str, Any]], None]


def _set(path: str, value: object) -> Change:
    def change(found: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for each in parents:
            found = found[each]
        found[last] = value

    return change


def _drop(path: str) -> Change:
    def change(found: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for each in parents:
            found = found[each]
        del found[last]

    return change


PARAMETERS = "interactive.action.parameters"
# arguments, how they change the request of `send_flow(TO, FLOW, cta="Book", body="Choose", token="t")`
OPTIONS: list[tuple[dict[str, Any], list[Change]]] = [
    ({"to": USER}, [_drop("to"), _set("recipient", USER)]),
    ({"to": f"+{TO}"}, [_set("to", f"+{TO}")]),
    ({"header": "Salon", "footer": "Bye"}, [
        _set("interactive.header", {"type": "text", "text": "Salon"}), _set("interactive.footer", {"text": "Bye"})]),
    ({"flow_id": None, "flow_name": "booking"}, [
        _drop(f"{PARAMETERS}.flow_id"), _set(f"{PARAMETERS}.flow_name", "booking")]),
    ({"mode": "draft"}, [_set(f"{PARAMETERS}.mode", "draft")]),
    ({"action": "data_exchange"}, [_set(f"{PARAMETERS}.flow_action", "data_exchange")]),
    ({"screen": "CHOOSE"}, [_set(f"{PARAMETERS}.flow_action_payload", {"screen": "CHOOSE"})]),
    ({"data": {"a": 1}}, [_set(f"{PARAMETERS}.flow_action_payload", {"data": {"a": 1}})]),
    ({"data": '{"a": {"b": [null]}}'}, [_set(f"{PARAMETERS}.flow_action_payload", {"data": {"a": {"b": [None]}}})]),
    ({"reply_to": WAMID}, [_set("context", {"message_id": WAMID})]),
    ({"body": " Grüße 😀\n"}, [_set("interactive.body.text", " Grüße 😀\n")]),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "changes"), OPTIONS, ids=[",".join(given_) for given_, _ in OPTIONS])
def test_each_argument_has_its_place(given_: dict[str, Any], changes: list[Change]) -> None:
    """And changes nothing else of the request."""
    usual: dict[str, Any] = {"to": TO, "flow_id": FLOW, "cta": "Book", "body": "Choose", "token": "t"}
    plain, changed = scene(), scene()
    plain.client.send_flow(**usual)
    changed.client.send_flow(**{**usual, **given_})
    expected = body_of(plain)
    for change in changes:
        change(expected)
    assert body_of(changed) == expected


def test_the_sender_of_a_call_wins_over_the_clients() -> None:
    """Which may be set by the environment, or by `with_options`."""
    asked = scene(SENT, SENT, SENT)
    asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", phone_number_id="9")
    asked.client.with_options(phone_number_id="8").send_flow(TO, FLOW, cta="Book", body="Choose")
    asked.client.send_flow_template(TO, "booking", "en", phone_number_id="7")
    assert asked.transport.sent == ["POST 9/messages", "POST 8/messages", "POST 7/messages"]


def test_a_client_without_a_number_says_what_to_give() -> None:
    """Nothing is sent."""
    asked = Scene()
    with pytest.raises(ConfigurationError, match="WHATSAPP_FLOWS_PHONE_NUMBER_ID"):
        asked.client.send_flow(TO, FLOW, cta="Book", body="Choose")
    with pytest.raises(ConfigurationError, match="phone_number_id must be"):
        asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", phone_number_id="+49 170")
    assert asked.transport.requests == []


def test_a_token_is_unpredictable_unless_it_is_given() -> None:
    """32 random characters, another in each call, and the same in all attempts of one."""
    asked = scene(SENT, SENT, NotSentError("refused"), SENT)
    tokens = [asked.client.send_flow(TO, FLOW, cta="Book", body="Choose").token for _ in range(3)]
    assert len({*tokens}) == 3
    assert all(re.fullmatch(r"[\w-]{32}", token) for token in tokens)
    tokens_sent = [body_of(asked, number)["interactive"]["action"]["parameters"]["flow_token"] for number in range(4)]
    assert tokens_sent == [*tokens, tokens[2]]


# Templates


def test_a_template_message_always_has_its_button() -> None:
    """Without the component Meta refuses the message with 131009; no key has a null."""
    asked = scene()
    sent = asked.client.send_flow_template(TO, "booking", "en")
    assert body_of(asked) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": TO,
        "type": "template",
        "template": {
            "name": "booking",
            "language": {"code": "en"},
            "components": [
                {
                    "type": "button",
                    "sub_type": "flow",
                    "index": "0",
                    "parameters": [{"type": "action", "action": {"flow_token": sent.token}}],
                }
            ],
        },
    }


def test_a_template_message_has_parameters_and_several_buttons() -> None:
    """Each button by its index, with a token and data of its own; variables by position or by name."""
    accepted = answer({"messages": [{"id": WAMID, "message_status": "accepted"}]})
    asked = scene(accepted, accepted)
    sent = asked.client.send_flow_template(
        TO,
        "booking",
        "pt_BR",
        buttons=[FlowButtonParameters(index=1, token="one"), FlowButtonParameters(index=3, data={"a": 1})],
        header_parameters=["Ann"],
        body_parameters=["Bob", "Cy"],
        reply_to=WAMID,
    )
    assert (sent.token, sent.tokens[0], len(sent.tokens), sent.status) == ("one", "one", 2, "accepted")
    found = body_of(asked)
    assert found["context"] == {"message_id": WAMID}
    header, body, *buttons = found["template"]["components"]
    assert header == {"type": "header", "parameters": [{"type": "text", "text": "Ann"}]}
    assert body["parameters"] == [{"type": "text", "text": "Bob"}, {"type": "text", "text": "Cy"}]
    assert [(each["index"], each["parameters"][0]["action"]) for each in buttons] == [
        ("1", {"flow_token": "one"}),
        ("3", {"flow_token": sent.tokens[1], "flow_action_data": {"a": 1}}),
    ]
    asked.client.send_flow_template(TO, "booking", "en", token="t", data={"b": 2}, body_parameters={"first": "Bob"})
    body, button = body_of(asked)["template"]["components"]
    assert body["parameters"] == [{"type": "text", "parameter_name": "first", "text": "Bob"}]
    assert button["parameters"][0]["action"] == {"flow_token": "t", "flow_action_data": {"b": 2}}


def test_tokens_are_in_the_order_of_the_buttons_index() -> None:
    """Whatever the order of the argument; so is what is sent."""
    buttons = [FlowButtonParameters(index=index, token=f"token {index}") for index in (2, 0, 10)]
    asked = scene()
    sent = asked.client.send_flow_template(TO, "booking", "en", buttons=buttons)
    assert (sent.token, sent.tokens) == ("token 0", ("token 0", "token 2", "token 10"))
    assert [each["index"] for each in body_of(asked)["template"]["components"]] == ["0", "2", "10"]


def test_a_template_is_created_with_all_its_parts() -> None:
    """Header, body, footer and buttons, with the examples of the variables."""
    asked = Scene(PENDING)
    template = asked.client.create_flow_template(
        "booking",
        "en_US",
        category="UTILITY",
        header="For {{1}}",
        header_examples=["Ann"],
        body="{{1}}, your date at {{2}}.",
        body_examples=["Ann", "Salon"],
        footer="Bye",
        buttons=[
            FlowButton("Book", flow_id=FLOW, navigate_screen="CHOOSE", icon="DOCUMENT"),
            FlowButton("Ask", flow_name="asking", flow_action="data_exchange"),
        ],
    )
    assert template == FlowTemplate(id="55", status="PENDING", category="UTILITY")
    assert asked.transport.sent == [f"POST {WABA}/message_templates"]
    assert body_of(asked) == {
        "name": "booking",
        "language": "en_US",
        "category": "UTILITY",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "For {{1}}", "example": {"header_text": ["Ann"]}},
            {"type": "BODY", "text": "{{1}}, your date at {{2}}.", "example": {"body_text": [["Ann", "Salon"]]}},
            {"type": "FOOTER", "text": "Bye"},
            {
                "type": "BUTTONS",
                "buttons": [
                    {
                        "type": "FLOW",
                        "text": "Book",
                        "flow_id": FLOW,
                        "flow_action": "navigate",
                        "navigate_screen": "CHOOSE",
                        "icon": "DOCUMENT",
                    },
                    {"type": "FLOW", "text": "Ask", "flow_name": "asking", "flow_action": "data_exchange"},
                ],
            },
        ],
    }


def test_named_variables_have_named_examples() -> None:
    """And the template says that its parameters are named."""
    asked = Scene(PENDING)
    asked.client.create_flow_template(
        "booking",
        "en",
        header="For {{who}}",
        header_examples={"who": "Ann"},
        body="Hello {{ who }}.",
        body_examples={"who": "Ann"},
        buttons=[FlowButton("Book", flow_id=FLOW)],
    )
    found = body_of(asked)
    assert (found["parameter_format"], found["category"]) == ("NAMED", "MARKETING")
    named = [{"param_name": "who", "example": "Ann"}]
    assert found["components"][0]["example"] == {"header_text_named_params": named}
    assert found["components"][1]["example"] == {"body_text_named_params": named}


@pytest.mark.parametrize("source", [valid_flow(), json.dumps(valid_flow()), json.dumps(valid_flow()).encode()])
def test_a_button_may_bring_its_flow_json(source: Any) -> None:
    """As a mapping, text or bytes; it is sent as text inside the JSON."""
    asked = Scene(PENDING)
    asked.client.create_flow_template("a", "en", body="Choose", buttons=[FlowButton("Book", flow_json=source)])
    (button,) = body_of(asked)["components"][-1]["buttons"]
    assert json.loads(button["flow_json"]) == valid_flow()
    assert button.keys() == {"type", "text", "flow_json", "flow_action"}


def test_the_flow_json_of_a_button_is_validated_if_asked_for() -> None:
    """As with `create_flow`: by the client's option or by the call's."""
    asked = Scene()
    button = FlowButton("Book", flow_json={"version": "7.3"})
    with pytest.raises(FlowValidationError):
        asked.client.create_flow_template("a", "en", body="Choose", buttons=[button], validate="error")
    with pytest.raises(FlowValidationError):
        asked.client.with_options(validate="error").create_flow_template("a", "en", body="Choose", buttons=[button])
    assert asked.transport.requests == []


# What is refused before anything is sent

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"to": "0170 1234567"}, "country code"),
    ({"to": "0049170123456"}, "country code"),
    ({"to": f"{TO}x"}, "country code"),
    ({"to": "4" * 16}, "country code"),
    ({"to": "us.123"}, "business-scoped"),
    ({"to": f"US.{'1' * 129}"}, "business-scoped"),
    ({"to": 491701234567}, "country code"),
    ({"to": f"{TO}\n"}, "country code"),
    ({"flow_id": None}, "exactly one of flow_id, flow_name"),
    ({"flow_name": "booking"}, "exactly one of flow_id, flow_name"),
    ({"flow_id": None, "flow_name": " "}, "flow_name"),
    ({"flow_id": "../me"}, "flow_id"),
    ({"cta": ""}, "cta"),
    ({"cta": "x" * 31}, "at most 30 characters, not 31"),
    ({"cta": "Book 📅"}, "emoji"),
    ({"cta": "Book ✂️"}, "emoji"),
    ({"body": " \n"}, "body"),
    ({"body": "x" * 1025}, "at most 1024 characters, not 1025"),
    ({"body": "\ud800"}, "surrogate"),
    ({"body": None}, "body"),
    ({"header": ""}, "header"),
    ({"header": "x" * 61}, "at most 60"),
    ({"footer": "x" * 61}, "at most 60"),
    ({"token": "unused"}, "token must not be"),
    ({"token": " Unused"}, "token must not be"),
    ({"token": ""}, "token"),
    ({"token": "x" * 4097}, "token"),
    ({"token": 7}, "token"),
    ({"mode": "Draft"}, "mode must be one of published, draft"),
    ({"action": "navigat"}, "action must be one of navigate, data_exchange"),
    ({"action": "data_exchange", "screen": "A"}, "screen and data"),
    ({"action": "data_exchange", "data": {"a": 1}}, "screen and data"),
    ({"screen": ""}, "screen"),
    ({"data": {}}, "at least one key"),
    ({"data": "{}"}, "at least one key"),
    ({"data": "[1]"}, "at least one key"),
    ({"data": "no JSON"}, "at least one key"),
    ({"data": "[" * 100_000}, "at least one key"),
    ({"data": [1]}, "at least one key"),
    ({"data": {1: "a"}}, "keys must be strings"),
    ({"data": {"a": object()}}, "no JSON form"),
    ({"data": {"a": float("nan")}}, "no JSON form"),
    ({"data": {"a": "\udc00"}}, "no JSON form"),
    ({"data": {"a": "x" * 2**20}}, "bytes of JSON"),
    ({"reply_to": "HBgL"}, "reply_to"),
]


@pytest.mark.parametrize(("wrong", "why"), REFUSED, ids=range(len(REFUSED)))
def test_what_meta_would_refuse_is_refused_before(wrong: dict[str, Any], why: str) -> None:
    """The error names the argument, and quotes nothing of it; nothing is sent."""
    asked = scene()
    usual: dict[str, Any] = {"to": TO, "flow_id": FLOW, "cta": "Book", "body": "Choose a date"}
    with pytest.raises(ConfigurationError, match=re.escape(why)) as caught:
        asked.client.send_flow(**{**usual, **wrong})
    assert asked.transport.requests == []
    assert caught.value.__cause__ is None
    private = [wrong[name] for name in ("to", "body", "header", "footer") if isinstance(wrong.get(name), str)]
    assert [each for each in private if len(each.strip()) > 1 and each in str(caught.value)] == []


BUTTON = FlowButton("Book", flow_id=FLOW)
WRONG_CALLS: list[tuple[Callable[[FlowsClient], object], str]] = [
    (lambda c: FlowButton("x" * 26, flow_id=FLOW), "at most 25"),
    (lambda c: FlowButton("Book"), "exactly one of flow_id, flow_name, flow_json"),
    (lambda c: FlowButton("Book", flow_id="1", flow_json="{}"), "exactly one of"),
    (lambda c: FlowButton("Book", flow_id="1", flow_action="open"), "flow_action"),  # type: ignore[arg-type]
    (lambda c: FlowButton("Book", flow_id="1", flow_action="data_exchange", navigate_screen="A"), "navigate_screen"),
    (lambda c: FlowButtonParameters(index=-1), "index"),
    (lambda c: FlowButtonParameters(index=True), "index"),
    (lambda c: c.create_flow_template("Booking", "en", body="A", buttons=[BUTTON]), "name"),
    (lambda c: c.create_flow_template("booking", "english", body="A", buttons=[BUTTON]), "language"),
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons=[BUTTON], category="no one"), "category"),
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons=[]), "buttons"),
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons=[BUTTON] * 11), "buttons"),
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons=["Book"]), "buttons"),  # type: ignore[list-item]
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons=BUTTON), "buttons must be a list"),  # type: ignore[arg-type]
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons="Book"), "buttons must be a list"),  # type: ignore[arg-type]
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons=None), "buttons must be a list"),  # type: ignore[arg-type]
    (lambda c: c.create_flow_template("booking", "en", body="Hi {{1}}", buttons=[BUTTON]), "body_examples"),
    (lambda c: c.create_flow_template("booking", "en", body="Hi", buttons=[BUTTON], body_examples=["A"]), "examples"),
    (lambda c: c.create_flow_template("booking", "en", body="{{a}}!", buttons=[BUTTON], body_examples=["A"]), "examp"),
    (lambda c: c.create_flow_template("booking", "en", body="{{1}}!", buttons=[BUTTON], body_examples="A"), "examp"),
    (lambda c: c.create_flow_template("booking", "en", body="A", buttons=[BUTTON], header_examples=["A"]), "header"),
    (lambda c: c.create_flow_template("booking", "en", body="A", footer="x" * 61, buttons=[BUTTON]), "footer"),
    (lambda c: c.send_flow_template(TO, "booking", "EN"), "language"),
    (lambda c: c.send_flow_template(TO, "book-ing", "en"), "name"),
    (lambda c: c.send_flow_template(TO, "booking", "en", data={}), "data"),
    (lambda c: c.send_flow_template(TO, "booking", "en", token="unused"), "token"),
    (lambda c: c.send_flow_template(TO, "booking", "en", token="t", buttons=[FlowButtonParameters()]), "not both"),
    (lambda c: c.send_flow_template(TO, "booking", "en", buttons=[FlowButtonParameters()] * 2), "index of its own"),
    (lambda c: c.send_flow_template(TO, "booking", "en", buttons=[1]), "FlowButtonParameters"),  # type: ignore[list-item]
    (lambda c: c.send_flow_template(TO, "booking", "en", buttons=FlowButtonParameters()), "must be a list"),  # type: ignore[arg-type]
    (lambda c: c.send_flow_template(TO, "booking", "en", body_parameters="Ann"), "body_parameters"),
    (lambda c: c.send_flow_template(TO, "booking", "en", body_parameters=[""]), "body_parameters"),
    (lambda c: c.send_flow_template(TO, "booking", "en", body_parameters=["A"] * 1001), "body_parameters"),
    (lambda c: c.send_flow_template("me", "booking", "en"), "country code"),
]


@pytest.mark.parametrize(("call", "why"), WRONG_CALLS, ids=range(len(WRONG_CALLS)))
def test_templates_are_checked_too(call: Callable[[FlowsClient], object], why: str) -> None:
    """A button when it is made, everything else in the call; nothing is sent."""
    asked = scene()
    with pytest.raises(ConfigurationError, match=why):
        call(asked.client)
    assert asked.transport.requests == []


def test_a_long_label_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Over 20 characters some phones cut it off; the log has its length alone."""
    asked = scene(SENT, SENT)
    asked.client.send_flow(TO, FLOW, cta="x" * 20, body="Choose")
    assert caplog.messages == []
    asked.client.send_flow(TO, FLOW, cta="Book your appointment", body="Choose")
    assert caplog.messages == ["The cta of a Flow message has 21 characters: some phones show 20"]


@given(st.text())
def test_any_text_is_a_message_or_a_configuration_error(text: str) -> None:
    """What is sent is what was given, whatever characters it has."""
    asked = scene()
    try:
        asked.client.send_flow(TO, FLOW, cta="Book", body=text, data={"text": text})
    except ConfigurationError:
        assert asked.transport.requests == []
    else:
        found = body_of(asked)["interactive"]
        assert found["body"]["text"] == text
        assert found["action"]["parameters"]["flow_action_payload"]["data"] == {"text": text}


# What is repeated

SEND: Callable[[FlowsClient], object] = lambda c: c.send_flow(TO, FLOW, cta="Book", body="Choose")  # noqa: E731
SEND_TEMPLATE: Callable[[FlowsClient], object] = lambda c: c.send_flow_template(TO, "booking", "en")  # noqa: E731
SOON = {"Retry-After": "1"}
CUT_OFF = NoAnswerError("silence")
GATEWAY = answer(b"<html>Bad Gateway</html>", 502)


@pytest.mark.parametrize("call", [SEND, SEND_TEMPLATE], ids=["message", "template"])
@pytest.mark.parametrize(
    ("first", "times"),
    [
        (NotSentError("refused"), 2),
        (refusal(130429, headers=SOON), 2),
        (refusal(131056, headers=SOON), 2),
        (refusal(80007, status=429, headers=SOON), 2),
        (CUT_OFF, 1),
        (GATEWAY, 1),
        (refusal(131000, status=500), 1),
        (refusal(131016, status=503), 1),
        (refusal(2, is_transient=True), 1),
        (answer(b""), 1),
        (answer({"messages": []}), 1),
        (refusal(131047), 1),
        (refusal(131026), 1),
        (refusal(132068), 1),
        (refusal(132069), 1),
    ],
    ids=lambda each: None,
)
def test_a_message_is_repeated_only_where_nothing_was_sent(
    call: Callable[[FlowsClient], object], first: Any, times: int
) -> None:
    """Not after silence, and not after an answer that leaves open whether the message went out."""
    asked = scene(first, SENT)
    if times == 2:
        call(asked.client)
    else:
        with pytest.raises(FlowsError):
            call(asked.client)
    assert len(asked.transport.requests) == times


LOST = [
    CUT_OFF,
    GATEWAY,
    answer(b"", 500),
    refusal(131000, status=500),
    refusal(131016, status=503),
    refusal(131057, status=500),
    refusal(2, is_transient=True),
    answer(b"{}"),
]


@pytest.mark.parametrize("call", [SEND, SEND_TEMPLATE], ids=["message", "template"])
@pytest.mark.parametrize("lost", LOST, ids=lambda each: None)
def test_the_error_of_a_lost_answer_says_that_the_message_may_be_out(
    lost: Any, call: Callable[[FlowsClient], object]
) -> None:
    """So that the caller does not send another by mistake; there is no state to read, and none is spoken of."""
    with pytest.raises(FlowsError) as caught:
        call(scene(lost).client)
    assert caught.value.may_have_acted
    assert caught.value.advice.startswith("The message may be out")
    assert "same token" in caught.value.advice
    assert not re.search(r"(?i)send the same request|read the state", str(caught.value))


def test_a_refusal_after_a_lost_answer_says_that_the_message_may_be_out() -> None:
    """A policy of the host's own may have sent it again."""

    class Stubborn:
        def decide(self, state: RetryState) -> Decision:
            return Decision(0.0, "again")

    asked = scene(CUT_OFF, refusal(131047), max_attempts=2, retry_policy=Stubborn())
    with pytest.raises(InvalidRequestError) as caught:
        SEND(asked.client)
    assert caught.value.may_have_acted
    assert caught.value.advice.startswith("The message may be out")


def test_the_error_of_a_message_that_is_not_out_keeps_its_advice() -> None:
    """Whether it was refused, or never sent."""
    for known, advice in ((refusal(131047), "send_flow_template"), (NotSentError("refused"), "Nothing reached Meta")):
        with pytest.raises(FlowsError) as caught:
            SEND(scene(known, max_attempts=1).client)
        assert not caught.value.may_have_acted
        assert advice in caught.value.advice


@pytest.mark.parametrize("code", [131000, 131016, 131057])
def test_the_table_does_not_advise_a_second_message(code: int) -> None:
    """Who explains the code of an error may have sent one."""
    row = ERROR_CODES.find(code, None)
    assert row is not None
    assert "the first may be out" in row.advice


def test_a_throttled_flow_is_a_rate_limit_of_an_hour() -> None:
    """It is given up at once, with the time to come back, and is one to put back on the queue."""
    with pytest.raises(RateLimitedError) as caught:
        SEND(scene(refusal(132069)).client)
    assert isinstance(caught.value, RetryableError)
    assert (caught.value.retry_after, caught.value.flow_id) == (3600.0, FLOW)
    assert "endpoint" in caught.value.advice


LISTED = {"id": "55", "name": "booking", "language": "en", "status": "APPROVED", "category": "MARKETING"}
CREATE: Callable[[FlowsClient], FlowTemplate] = lambda c: c.create_flow_template(  # noqa: E731
    "booking", "en", body="A", buttons=[BUTTON]
)
LOOKUP = f"GET {WABA}/message_templates?name=booking&language=en&fields=id,name,language,status,category&limit=100"
EXISTS = refusal(100, 2388024)


@pytest.mark.parametrize(
    ("script", "asked_for"),
    [
        ([CUT_OFF, answer({"data": [{**LISTED, "name": "booking_2"}, LISTED]})], ["POST", "GET"]),
        ([CUT_OFF, answer({"data": []}), EXISTS, answer({"data": [LISTED]})], ["POST", "GET", "POST", "GET"]),
    ],
    ids=["there", "there a moment later"],
)
def test_a_template_whose_answer_is_lost_is_adopted(script: list[Any], asked_for: list[str]) -> None:
    """It is looked up by its name and language, both in full."""
    asked = Scene(*script)
    template = CREATE(asked.client)
    assert template == FlowTemplate(id="55", status="APPROVED", category="MARKETING", adopted=True)
    assert [sent.split()[0] for sent in asked.transport.sent] == asked_for
    assert asked.transport.sent[1] == LOOKUP


def test_a_template_that_is_not_there_is_created_again() -> None:
    """The lost request was not executed."""
    other = {**LISTED, "language": "en_US"}
    asked = Scene(CUT_OFF, answer({"data": [other]}), PENDING)
    assert CREATE(asked.client) == FlowTemplate(id="55", status="PENDING", category="UTILITY")


def test_a_template_name_that_is_taken_is_an_error() -> None:
    """Without a lost answer nothing is adopted: the existing one may have another text."""
    asked = Scene(EXISTS)
    with pytest.raises(NameTakenError) as caught:
        CREATE(asked.client)
    assert len(asked.transport.requests) == 1
    assert "template" in caught.value.advice


def test_an_answer_without_an_id_is_an_error() -> None:
    """Meta may have acted."""
    for call in (SEND, SEND_TEMPLATE, CREATE):
        with pytest.raises(UnexpectedResponseError, match=r"has no (message|template) id") as caught:
            call(scene(answer({"status": "PENDING"})).client)
        assert caught.value.may_have_acted


# What is shown

PRIVATE: dict[str, Any] = {
    "to": TO,
    "token": "session-4711",
    "header": "Dear Mrs Smith",
    "body": "Your cancer screening",
    "footer": "St Mary Hospital",
    "reply_to": WAMID,
}
DATA = {"patient": "Jane Smith", "notes": ["allergy", {"drug": "Aspirin"}], "age": 42}
SECRETS = [*PRIVATE.values(), "Jane Smith", "allergy", "Aspirin"]


def private_send(client: FlowsClient) -> SentMessage:
    return client.send_flow(flow_id=FLOW, cta="Book", screen="CHOOSE", data=DATA, **PRIVATE)


@pytest.mark.parametrize(
    "failure",
    [
        None,
        NotSentError("refused"),
        CUT_OFF,
        refusal(131009, message=f"Params: {SECRETS}", error_user_msg=json.dumps(SECRETS), error_user_title=TO),
        refusal(100, message="no", error_data={"messaging_product": "whatsapp", "details": " | ".join(SECRETS)}),
        answer(" ".join(SECRETS).encode()),
    ],
    ids=["success", "not sent", "silence", "texts", "details", "no JSON"],
)
def test_nothing_of_a_message_is_shown(failure: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in a log, an event, a repr, an error nor a pickle of one, even where Meta quotes it."""
    asked = scene(failure or SENT, max_attempts=1)
    shown: list[object] = []
    with caplog.at_level(logging.DEBUG):
        try:
            sent = private_send(asked.client)
            shown += [repr(sent), str(sent)]
        except FlowsError as error:
            shown += [str(error), repr(error), repr(error.details), pickle.dumps(error), repr(copy.copy(error))]
    shown += [repr(event) for event in asked.events]
    shown += [repr(record.__dict__) for record in caplog.records]
    shown += [repr(request) for request in asked.transport.requests]
    secrets = [
        secret for secret in SECRETS if secret != WAMID or failure is not None
    ]  # the answer has an id of its own
    assert [secret for secret in secrets if any(secret in str(each) for each in shown)] == []


def test_escaped_texts_are_masked_too() -> None:
    """Meta may quote the request's own JSON."""
    texts = {"a": 'says "Grüße"\n', "b": "x/y & z", "c": "Zoë"}
    quoted = [json.dumps(texts), json.dumps(json.dumps(texts)), json.dumps(texts, ensure_ascii=False)]
    for each in quoted:
        asked = scene(refusal(131009, message=f"refused: {each}"))
        with pytest.raises(InvalidRequestError) as caught:
            asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", data=texts)
        assert [word for word in ("Gr", "x/y", "& z", "Zo") if word in caught.value.message] == [], each


def test_an_error_of_a_large_message_is_read_at_once() -> None:
    """Its texts are collected for an error alone; ten times as many take about ten times the steps, not a hundred."""

    def steps(texts: int) -> int:
        data = {str(number): f"a text of its own, with the number {number}" for number in range(texts)}
        asked = scene(refusal(131009, message="100% of \\u0041 & " + data["77"] * 3))
        taken = 0

        def count(*_: object) -> None:
            nonlocal taken
            taken += 1

        sys.setprofile(count)
        try:
            with pytest.raises(InvalidRequestError) as caught:
                asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", data=data)
        finally:
            sys.setprofile(None)
        assert data["77"] not in caught.value.message
        return taken

    assert steps(3_000) < 20 * steps(300)


def test_short_private_words_are_masked_as_words() -> None:
    """A part of another word stays readable, and so does a single character."""
    asked = scene(refusal(131009, message="Ann, a b: the annual Annex of Ann. b"))
    with pytest.raises(InvalidRequestError) as caught:
        asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", data={"name": "Ann", "letter": "b"})
    assert caught.value.message == "[redacted], a b: the annual Annex of [redacted]. b"


@pytest.mark.parametrize("quoted", [TO, f"+{TO}"])
@pytest.mark.parametrize("given_", [TO, f"+{TO}"])
def test_a_phone_number_is_masked_with_and_without_its_sign(given_: str, quoted: str) -> None:
    """Meta drops the plus that the caller writes."""
    asked = scene(refusal(131026, message=f"({quoted}) has no account"))
    with pytest.raises(InvalidRequestError) as caught:
        asked.client.send_flow(given_, FLOW, cta="Book", body="Choose", data={"phone": given_})
    assert "491701234567" not in caught.value.message


@pytest.mark.parametrize(
    ("data", "quoted"),
    [
        ({"amount": 4111111111111111}, "4111111111111111"),
        ({"list": [{"amount": 4111111111111111}]}, '"amount":4111111111111111'),
        ({"amount": -1250.75}, "-1250.75"),
        ({"amount": 4111111111111111.0}, "4111111111111111"),
        ({"age": 42}, "42"),
        ({"Jane Smith": True}, "Jane Smith"),
        ({"names": {"jane@smith.example": 1}}, "jane@smith.example"),
        ({"names": {4111111111111111: "x"}}, "4111111111111111"),
        ({"4111111111111111": "x"}, "4111111111111111"),
    ],
)
def test_numbers_and_keys_of_the_data_are_masked(data: dict[str, object], quoted: str) -> None:
    """A number says as much as a text does, and so does a key that is no name of a field."""
    calls: list[Callable[[FlowsClient], object]] = [
        lambda client: client.send_flow(TO, FLOW, cta="Book", body="Choose", data=data),
        lambda client: client.send_flow_template(TO, "booking", "en", data=data),
    ]
    for call in calls:
        with pytest.raises(InvalidRequestError) as caught:
            call(scene(refusal(131009, message=f"wrong: {quoted} in data")).client)
        assert quoted not in caught.value.message
        assert caught.value.message.startswith("wrong: ")


def test_the_name_of_a_field_is_shown() -> None:
    """It says which value is wrong, and so does the type; `true` is a word of any text."""
    asked = scene(refusal(131009, message="visit_date is not true"))
    with pytest.raises(InvalidRequestError, match="visit_date is not true"):
        asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", data={"visit_date": True, "none": None})


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_no_error_quotes_a_number_of_the_data(number: float) -> None:
    """As JSON writes it; a single digit says nothing."""
    quoted = json.dumps(number)
    asked = scene(refusal(131009, message=f"wrong: {quoted} in data"))
    with pytest.raises(InvalidRequestError) as caught:
        asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", data={"n": number})
    assert len(quoted) == 1 or quoted not in caught.value.message


@given(st.text(min_size=2).filter(str.strip), st.text(), st.text(), st.sampled_from(["message", "error_user_msg"]))
def test_no_error_quotes_the_text_of_a_message(private: str, before: str, after: str, where: str) -> None:
    """Whatever the text is, and whatever stands around it: a word alone, everything else anywhere."""
    word = re.fullmatch(r"\w+", private) is not None and len(private) < 8
    quoted = f"{before} {private} {after}" if word else f"{before}{private}{after}"
    texts: dict[str, Any] = {where: quoted}
    asked = scene(refusal(131009, **texts))
    try:
        asked.client.send_flow(TO, FLOW, cta="Book", body=private)
    except ConfigurationError:
        return
    except InvalidRequestError as error:
        shown = (error.user_message or error.message).replace("[redacted]", "")
        remaining = re.findall(r"\w+", shown) if word else shown
        assert private not in remaining


def test_values_hide_what_is_private() -> None:
    """Tokens, data, Flow JSON and Meta's answer; everything else is shown."""
    sent = SentMessage(id=WAMID, token="secret-token", tokens=("secret-token",), raw={"contacts": [{"wa_id": TO}]})
    assert repr(sent) == "SentMessage(status=None)"
    assert repr(FlowButtonParameters(token="t", data={"a": 1})) == "FlowButtonParameters(index=0)"
    assert "Start" not in repr(FlowButton("Book", flow_json=valid_flow()))


@pytest.mark.parametrize(
    "value",
    [
        SentMessage(id=WAMID, token="t"),
        FlowTemplate(id="1", status="PENDING"),
        FlowButton("Book", flow_id=FLOW, icon="REVIEW"),
        FlowButtonParameters(index=2, data={"a": 1}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_frozen_comparable_and_picklable(value: Any) -> None:
    """Like all values of this library."""
    assert pickle.loads(pickle.dumps(value)) == value == copy.deepcopy(value)
    with pytest.raises(AttributeError):
        setattr(value, next(iter(value.__dataclass_fields__)), "x")


def test_the_events_name_the_flow_and_not_the_person() -> None:
    """The subject of the log is the Flow or the template."""
    asked = scene(SENT, SENT, SENT)
    SEND(asked.client)
    asked.client.send_flow(TO, flow_name="booking", cta="Book", body="Choose")
    SEND_TEMPLATE(asked.client)
    subjects = {(event.call.operation, event.call.flow_id, event.call.subject) for event in asked.events}
    assert subjects == {
        ("send_flow", FLOW, f"flow ID: {FLOW}"),
        ("send_flow", None, "flow name: booking"),
        ("send_flow_template", None, "template: booking"),
    }


def test_a_message_carries_the_token_as_every_call_does() -> None:
    """As a bearer, by the transport; never in the body."""
    asked = scene()
    SEND(asked.client)
    (request,) = asked.transport.requests
    assert request.token is not None
    assert request.token.reveal() == TOKEN
    assert TOKEN.encode() not in (request.body or b"")


def test_a_mapping_is_read_at_once() -> None:
    """What its owner changes later is not sent."""

    class Watched(Mapping[str, object]):
        def __getitem__(self, key: str) -> object:
            return {"a": 1}[key]

        def __iter__(self) -> Any:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    asked = scene()
    asked.client.send_flow(TO, FLOW, cta="Book", body="Choose", data=Watched())
    assert body_of(asked)["interactive"]["action"]["parameters"]["flow_action_payload"] == {"data": {"a": 1}}


def test_a_service_that_is_down_is_not_asked_again() -> None:
    """It may have sent the message all the same."""
    asked = scene(refusal(131016, status=503), SENT)
    with pytest.raises(ServiceUnavailableError):
        SEND(asked.client)
    assert asked.time.sleeps == []
