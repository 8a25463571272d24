"""From the JSON of a webhook to typed events."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.webhooks.samples import (
    ALL_CHANGES,
    ANSWERS,
    AVAILABILITY,
    CLIENT_ERRORS,
    LATENCY,
    MESSAGE_ID,
    SECRET,
    SENT_ID,
    STATUS_CHANGE,
    USER,
    body_of,
    completion,
    flows,
    messages,
    signed,
    webhook,
)
from whatsapp_flows import FlowStatus
from whatsapp_flows.webhooks import (
    ClientErrorRate,
    EndpointAvailability,
    EndpointErrorRate,
    EndpointLatency,
    FlowAlert,
    FlowCompleted,
    FlowErrorCount,
    FlowEvent,
    FlowStatusChanged,
    FlowVersionExpiry,
    UnknownEvent,
    WebhookEvent,
    Webhooks,
)

HOOKS = Webhooks(app_secrets=SECRET)


def parsed(document: Any) -> tuple[WebhookEvent, ...]:
    """The events of a signed webhook."""
    body = body_of(document)
    return HOOKS.parse(body, signed(body))


USERNAME = completion(**{"from": None, "from_user_id": "v", "from_parent_user_id": "p"})
"""Of a user who is known by a username, as third-party documentation has it."""


def only(change: Any) -> Any:
    """The one event of a change."""
    (event,) = parsed(webhook(change))
    return event


def test_a_completion_has_its_answers_and_where_they_come_from() -> None:
    """Every documented field of the message, its contact and its metadata is an attribute."""
    event = only(messages(completion()))
    assert event == FlowCompleted(
        waba_id="102290129340398",
        time=datetime(2025, 11, 29, 22, 0, 1, tzinfo=timezone.utc),
        message_id=MESSAGE_ID,
        sender=USER,
        sender_name="Sheena Nelson",
        user_id="u-1",
        parent_user_id="u-0",
        timestamp=datetime(2025, 11, 29, 22, 0, tzinfo=timezone.utc),
        answers=ANSWERS,
        token="tok-1",
        context_id=SENT_ID,
        context_sender="15550783881",
        phone_number_id="106540352242922",
        display_phone_number="15550783881",
        body="Sent",
    )
    value = messages(completion())["value"]
    assert (event.raw, event.contact, event.metadata) == (completion(), value["contacts"][0], value["metadata"])


@pytest.mark.parametrize(
    ("answers", "token"),
    [
        ({"date": "2026-12-01"}, None),
        ({"flow_token": "unused"}, "unused"),
        ({"flow_token": ""}, ""),
        ({"flow_token": None}, None),
        ({"flow_token": ["a"]}, None),
        ({"flow_token": 17}, "17"),
        ({"flow_token": "tok-1", "wa_flow_response_params": {"flow_id": "7"}}, "tok-1"),
        ({}, None),
    ],
)
def test_the_token_may_be_missing(answers: dict[str, Any], token: str | None) -> None:
    """The token is what the client put into the answers, and never a reason to lose them."""
    event = only(messages(completion(answers)))
    assert (event.token, event.answers, event.context_id) == (token, answers, SENT_ID)


def test_response_json_may_be_an_object() -> None:
    """Meta's sample prints it so; on the wire it is a text."""
    reply = {"type": "nfm_reply", "nfm_reply": {"response_json": ANSWERS, "name": "flow"}}
    assert only(messages(completion(interactive=reply))).answers == ANSWERS


@pytest.mark.parametrize("response", ["", "{", "null", "[1]", '"text"', 7, None, ["a"], '{"a": NaN}', "[" * 5000])
def test_unreadable_answers_are_an_unknown_event(response: object) -> None:
    """They are not taken for an empty form: the event says why, and has the message."""
    message = completion(interactive={"type": "nfm_reply", "nfm_reply": {"response_json": response, "name": "flow"}})
    event = only(messages(message))
    assert isinstance(event, UnknownEvent)
    assert (event.kind, event.problem) == ("nfm_reply", "response_json is not a JSON object")
    assert event.raw == message


def test_the_files_of_an_answer() -> None:
    """`media` reads the value of a picker; an answer that is missing has no files."""
    photo = {"file_name": "../../a.jpg", "mime_type": "image/jpeg", "sha256": "", "id": "790"}
    event = only(messages(completion({"photos": [photo]})))
    (file,) = event.media("photos")
    assert (file.id, file.mime_type) == ("790", "image/jpeg")
    assert "/" not in file.safe_name
    assert event.media("documents") == ()


@pytest.mark.parametrize(
    ("message", "contacts", "name"),
    [
        (completion(), [{"wa_id": "1", "profile": {"name": "A"}}, {"wa_id": USER, "profile": {"name": "B"}}], "B"),
        (completion(), [{"wa_id": "1", "profile": {"name": "A"}}, {"wa_id": "2", "profile": {"name": "B"}}], ""),
        (completion(**{"from": None}), [{"user_id": "u", "profile": {"name": "A"}}], "A"),
        (completion(**{"from": None}), [{"user_id": "u", "profile": {"name": "A"}}, {"user_id": "v"}], ""),
        (completion(), [{"wa_id": "1", "profile": {"name": "A"}}], "A"),
        (USERNAME, [{"user_id": "u", "profile": {"name": "A"}}, {"user_id": "v", "profile": {"name": "B"}}], "B"),
        (USERNAME, [{"wa_id": "v", "profile": {"name": "A"}}, {"wa_id": "u", "user_id": "u"}], "A"),
        (completion(from_user_id="v"), [{"wa_id": USER, "profile": {"name": "A"}}, {"user_id": "v"}], "A"),
        (completion(), [], ""),
        (completion(), "odd", ""),
    ],
    ids=[
        "by number",
        "none of several",
        "the only one",
        "no number",
        "the only one of another",
        "by user id",
        "an id for a number",
        "the number first",
        "no contact",
        "no list",
    ],
)
def test_the_contact_is_the_senders(message: Any, contacts: Any, name: str) -> None:
    """In a batch each message finds its own contact."""
    assert only(messages(message, contacts=contacts)).sender_name == name


@pytest.mark.parametrize(
    "contacts",
    [
        [],
        "odd",
        [{"user_id": "u", "parent_user_id": "q"}],
        [{"profile": {"name": "A"}}, {"profile": {"name": "B"}}],
        [{"user_id": "u", "parent_user_id": "q"}, {"user_id": "v", "parent_user_id": "p"}],
    ],
)
def test_a_user_without_a_number_is_known_by_the_ids_of_the_message(contacts: Any) -> None:
    """Also where no contact is theirs: the answers are never nobody's."""
    event = only(messages(USERNAME, contacts=contacts))
    assert (event.sender, event.user_id, event.parent_user_id) == ("", "v", "p")


def test_a_status_change() -> None:
    """The states are those of `FlowStatus`; an unknown one stays a text; on creation there is no old one."""
    event = only(STATUS_CHANGE)
    assert isinstance(event, FlowStatusChanged)
    assert (event.old_status, event.new_status) == (FlowStatus.DRAFT, FlowStatus.PUBLISHED)
    assert (event.flow_id, event.message, event.waba_id) == ("6627390910605886", "Told.", "102290129340398")
    created = only(flows("FLOW_STATUS_CHANGE", new_status="FROZEN", warning="2.1 freezes"))
    assert (created.old_status, created.new_status, created.warning) == (None, "FROZEN", "2.1 freezes")


@pytest.mark.parametrize(
    ("name", "kind"), [("CLIENT_ERROR_RATE", ClientErrorRate), ("endpoint-error-rate", EndpointErrorRate)]
)
def test_an_error_rate(name: str, kind: type[ClientErrorRate | EndpointErrorRate]) -> None:
    """Rates are decimals in percent, whatever the case of the event's name."""
    event = only(flows(name, **{key: CLIENT_ERRORS["value"][key] for key in ("error_rate", "threshold", "errors")}))
    assert isinstance(event, kind)
    assert (event.error_rate, event.threshold, event.alert_state) == (14.28, 10.0, "")
    assert isinstance(event.threshold, float)
    assert event.errors == (
        FlowErrorCount(error_type="INVALID_SCREEN_TRANSITION", error_count=2, error_rate=66.66),
        FlowErrorCount(error_type="TIMEOUT", error_count=1, error_rate=33.33),
    )
    assert [error.error_key for error in event.errors] == ["invalid-screen-transition", "timeout_error"]


@pytest.mark.parametrize(
    ("error_type", "key"),
    [
        ("PUBLIC_KEY_MISSING", "public-key-missing"),
        ("public-key-signiture-verification", "public-key-signature-verification"),
        ("CAPABILITY_ERROR", "missing_capability"),
        ("Timeout-Error", "timeout_error"),
        ("NO_HTTP_RESPONSE_ERROR", "no_http_response_error"),
        ("SOMETHING-NEW", "something_new"),
        ("", ""),
    ],
)
def test_an_errors_name_is_reported_in_one_spelling(error_type: str, key: str) -> None:
    """Case, separators and the webhooks' own names do not matter; an unknown name is kept."""
    assert FlowErrorCount(error_type=error_type).error_key == key


def test_a_latency_is_in_milliseconds() -> None:
    """As Meta sends it."""
    event = only(LATENCY)
    assert isinstance(event, EndpointLatency)
    assert (event.p50_latency, event.p90_latency, event.threshold, event.requests_count) == (500.0, 8000.0, 7000.0, 34)


def test_an_availability() -> None:
    """In percent; the alert is on below the threshold, and off when Meta says so."""
    event = only(AVAILABILITY)
    assert isinstance(event, EndpointAvailability)
    assert (event.availability, event.threshold, event.alert_state, event.is_active) == (75.0, 90.0, "ACTIVATED", True)
    recovered = only(flows("ENDPOINT_AVAILABILITY", availability=100, threshold=90, alert_state="DEACTIVATED"))
    assert not recovered.is_active


def test_a_version_expiry() -> None:
    """It has a warning, and often no message."""
    event = only(flows("FLOW_VERSION_EXPIRY_WARNING", warning="2.1 expires", message=None))
    assert isinstance(event, FlowVersionExpiry)
    assert (event.warning, event.message) == ("2.1 expires", "")


@pytest.mark.parametrize(
    ("change", "field", "kind"),
    [
        (messages({"type": "text", "id": "wamid.T"}), "messages", "text"),
        (messages({"type": "interactive", "interactive": {"type": "button_reply"}}), "messages", "interactive"),
        (
            messages(completion(interactive={"type": "nfm_reply", "nfm_reply": {"name": "address_message"}})),
            "messages",
            "interactive",
        ),
        (messages(statuses=[{"id": SENT_ID, "status": "read"}]), "messages", "read"),
        (messages(errors=[{"code": 130429}]), "messages", "errors"),
        (messages(), "messages", ""),
        (flows("FLOW_SOMETHING_NEW"), "flows", "FLOW_SOMETHING_NEW"),
        ({"field": "flows", "value": {}}, "flows", ""),
        ({"field": "account_update", "value": {"event": "X"}}, "account_update", ""),
        ({"value": {}}, "", ""),
    ],
)
def test_anything_else_is_an_unknown_event(change: Any, field: str, kind: str) -> None:
    """With its field and its kind, without a problem, and with what Meta sent."""
    event = only(change)
    assert isinstance(event, UnknownEvent)
    assert (event.field, event.kind, event.problem) == (field, kind, "")
    value = change["value"]
    assert event.raw in [value, *(item for key in ("messages", "statuses", "errors") for item in value.get(key, ()))]


def test_another_message_has_its_contact_and_your_number() -> None:
    """A bot needs both to answer; a status has your number."""
    message = only(messages({"from": USER, "id": "wamid.T", "type": "text", "text": {"body": "hello"}}))
    assert message.contact["profile"] == {"name": "Sheena Nelson"}
    status = only(messages(statuses=[{"id": SENT_ID, "status": "read"}]))
    assert message.metadata["phone_number_id"] == status.metadata["phone_number_id"] == "106540352242922"
    assert status.contact == {}


BAD: list[Any] = [None, 7, "text", [], [1], True]


@pytest.mark.parametrize("bad", BAD, ids=repr)
@pytest.mark.parametrize(
    "around",
    [
        lambda bad: [webhook(STATUS_CHANGE)["entry"][0], bad, webhook(AVAILABILITY)["entry"][0]],
        lambda bad: webhook(STATUS_CHANGE, bad, AVAILABILITY)["entry"],
        lambda bad: webhook(STATUS_CHANGE, {"field": "flows", "value": bad}, AVAILABILITY)["entry"],
        lambda bad: [
            *webhook(STATUS_CHANGE)["entry"],
            {"id": "1", "changes": bad},
            *webhook(AVAILABILITY)["entry"],
        ],
        lambda bad: webhook(STATUS_CHANGE, messages(bad), AVAILABILITY)["entry"],
        lambda bad: webhook(STATUS_CHANGE, messages(statuses=[bad]), AVAILABILITY)["entry"],
        lambda bad: webhook(STATUS_CHANGE, messages(completion(interactive=bad)), AVAILABILITY)["entry"],
        lambda bad: webhook(STATUS_CHANGE, messages(messages=bad), AVAILABILITY)["entry"],
    ],
    ids=["entry", "change", "value", "changes", "message", "status", "interactive", "messages"],
)
def test_one_odd_part_takes_nothing_from_the_others(bad: Any, around: Any) -> None:
    """The events before and after it are read, and it is an `UnknownEvent` itself."""
    first, *between, last = parsed({"object": "whatsapp_business_account", "entry": around(bad)})
    assert isinstance(first, FlowStatusChanged)
    assert isinstance(last, EndpointAvailability)
    assert all(isinstance(event, UnknownEvent) for event in between)


@pytest.mark.parametrize("field", ["flow_id", "message", "error_rate", "threshold", "alert_state", "errors"])
@pytest.mark.parametrize("bad", [None, {}, [], [None], True], ids=repr)
def test_an_odd_field_is_empty(field: str, bad: Any) -> None:
    """The event keeps its class and its other fields."""
    value = CLIENT_ERRORS["value"] | {field: bad}
    event = only({"field": "flows", "value": value})
    assert isinstance(event, ClientErrorRate)
    assert getattr(event, field) in ("", None, ())
    assert event.raw == value


def test_a_batch_is_read_whole_and_in_order() -> None:
    """Every entry, every change and every message is an event."""
    one = webhook(messages(completion(id="wamid.1"), completion(id="wamid.2")), messages(completion(id="wamid.3")))
    two = webhook(STATUS_CHANGE, messages(completion(id="wamid.4")))
    events = parsed(one | {"entry": one["entry"] + two["entry"]})
    ids = [event.message_id if isinstance(event, FlowCompleted) else type(event).__name__ for event in events]
    assert ids == ["wamid.1", "wamid.2", "wamid.3", "FlowStatusChanged", "wamid.4"]


def test_a_repeated_delivery_has_the_same_keys() -> None:
    """Also when the keys of the JSON are in another order; each of the events has another key."""
    document = webhook(*ALL_CHANGES)
    keys = [event.dedupe_key for event in parsed(document)]
    assert len(set(keys)) == len(ALL_CHANGES)
    assert all(0 < len(key) <= 200 for key in keys)
    assert keys == [event.dedupe_key for event in parsed(json.loads(json.dumps(document, sort_keys=True)))]


def test_the_key_of_a_completion_is_the_messages_id() -> None:
    """Whatever else the webhook says, and whichever other messages it has."""
    alone = only(messages(completion()))
    assert alone.dedupe_key == MESSAGE_ID
    batched = parsed(webhook(STATUS_CHANGE, messages(completion(id="wamid.0"), completion()), time=1764459999))[-1]
    assert batched.dedupe_key == MESSAGE_ID


@pytest.mark.parametrize("message_id", [None, "", "a" * 201, "wamid.\n1", "wamid.\ud800", "wamid.é"])
def test_a_message_without_a_usable_id_has_a_key_all_the_same(message_id: str | None) -> None:
    """It is of printable ASCII, short, and of this message alone."""
    one, same, other = (
        only(messages(completion(answers, id=message_id))).dedupe_key for answers in ({"a": 1}, {"a": 1}, {"a": 2})
    )
    assert one == same != other
    assert one.isascii()
    assert one.isprintable()
    assert len(one) <= 200


def test_the_same_alert_at_another_time_has_another_key() -> None:
    """A level that is crossed again is told again."""
    keys = {parsed(webhook(AVAILABILITY, time=time))[0].dedupe_key for time in (1, 2, None)}
    assert len(keys) == 3


def test_a_message_that_is_delivered_again_at_another_time_has_the_same_key() -> None:
    """Its own id and time tell it apart."""
    status = messages(statuses=[{"id": SENT_ID, "status": "read", "timestamp": "1764453600"}])
    assert len({parsed(webhook(status, time=time))[0].dedupe_key for time in (1, 2, None)}) == 1


@pytest.mark.parametrize(
    "change",
    [
        messages(errors=[{"code": 130429, "title": "Rate limit hit"}]),
        messages(),
        messages(statuses=[{"status": "failed"}]),
        messages({"type": "text", "text": {"body": "hello"}}),
        messages(completion(id=None)),
        messages(7),
    ],
    ids=["error", "nothing", "status", "message", "completion", "odd"],
)
def test_what_has_no_id_is_another_event_at_another_time(change: Any) -> None:
    """Meta sends the same error again a day later, and nothing else in it says when; a repetition has the same time."""
    keys = [parsed(webhook(change, time=time))[0].dedupe_key for time in (1764453601, 1764540001, 1764453601)]
    assert keys[0] == keys[2] != keys[1]


def test_what_else_a_change_has_is_one_more_event() -> None:
    """It is neither lost, nor an event for each of its parts."""
    more = {"calls": [{"id": "1"}, {"id": "2"}], "note": "new", "errors": {"code": 1}}
    *events, rest = parsed(webhook(messages(completion(), statuses=[{"id": SENT_ID, "status": "read"}], **more)))
    assert [event.raw["id"] for event in events] == [MESSAGE_ID, SENT_ID]
    assert isinstance(rest, UnknownEvent)
    assert (rest.field, rest.kind, rest.problem, rest.raw) == ("messages", "", "", more)
    assert rest.metadata["phone_number_id"] == "106540352242922"
    assert len(parsed(webhook(messages(completion(), errors=None)))) == 1


def test_no_repr_shows_what_a_user_entered() -> None:
    """Neither an answer, a token, a phone number, a name, nor the id of a message, which contains the number."""
    for event in parsed(webhook(*ALL_CHANGES)):
        text = repr(event)
        assert type(event).__name__ in text
        for hidden in (USER, "tok-1", "2026-12-01", "Sheena", "Zoë", "wamid", "hello"):
            assert hidden not in text


def test_events_are_frozen_comparable_and_picklable() -> None:
    """A queue can carry them, and a set can hold them."""
    events = parsed(webhook(*ALL_CHANGES))
    assert pickle.loads(pickle.dumps(events)) == events == parsed(webhook(*ALL_CHANGES))
    assert len(set(events)) == len(events)
    for event in events:
        with pytest.raises(AttributeError):
            event.waba_id = "1"  # type: ignore[misc]


def test_the_events_of_monitoring_have_a_common_base() -> None:
    """So that one branch can take all of them."""
    events = [event for event in parsed(webhook(*ALL_CHANGES)) if isinstance(event, FlowEvent)]
    assert {type(event) for event in events} == {
        FlowStatusChanged, ClientErrorRate, EndpointErrorRate, EndpointLatency, EndpointAvailability, FlowVersionExpiry
    }  # fmt: skip
    assert {event.flow_id for event in events} == {"6627390910605886"}
    assert sum(isinstance(event, FlowAlert) for event in events) == 4
