"""The booking Flow in examples/endpoint: each screen, each way back, what is entered wrongly, and who comes late."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from examples.endpoint.booking import FLOW, make_endpoint
from examples.endpoint.diary import TIMES, Booking, Diary, Slot
from whatsapp_flows.endpoint import EndpointClient, FlowEndpoint, KeyPair, PrivateKeys
from whatsapp_flows.flow_json import validate
from whatsapp_flows.play import EndpointFault, FlowPlayer, NotOffered, NotTappable
from whatsapp_flows.webhooks import FlowCompleted, WebhookEvent, Webhooks

SUNDAY = date(2030, 5, 5)
DATES = ["2030-05-06", "2030-05-07", "2030-05-08", "2030-05-09", "2030-05-10"]
CHOICE = {"service": "check", "date": DATES[0]}
SLOT = {**CHOICE, "time": "09:00"}


@pytest.fixture
def diary() -> Diary:
    return Diary(today=lambda: SUNDAY)


@pytest.fixture(scope="module")
def keys(flow_key_pair: KeyPair) -> PrivateKeys:
    """Parsed once: that takes longer than a visit."""
    return PrivateKeys(flow_key_pair.private_pem)


@pytest.fixture
def endpoint(diary: Diary, keys: PrivateKeys, flow_app_secret: str) -> FlowEndpoint:
    return make_endpoint(keys, flow_app_secret, diary)


@pytest.fixture
def client(endpoint: FlowEndpoint, flow_endpoint_client: Callable[..., EndpointClient]) -> EndpointClient:
    """Meta's client. The endpoint checks its answers against the Flow, and answers 500 where one would be refused."""
    return flow_endpoint_client(endpoint)


class Visitor:
    """Somebody who plays the Flow with a token of their own."""

    def __init__(self, client: EndpointClient, token: str) -> None:
        self._client = client
        self._token = token
        self.params: dict[str, Any] | None = None
        self.error: str | None = None

    def __call__(self, action: str, screen: str = "", data: Mapping[str, Any] | None = None) -> tuple[str | None, Any]:
        """The screen and the data that the client gets."""
        reply = self._client.exchange(action, screen, data, self._token)
        assert reply.ok, reply.problem
        self.params, self.error = reply.params, reply.error_message
        return reply.screen, reply.data

    def submit(self, screen: str, data: Mapping[str, Any]) -> tuple[str | None, Any]:
        return self("data_exchange", screen, data)


@pytest.fixture
def visitor(client: EndpointClient) -> Callable[[str], Visitor]:
    return lambda token: Visitor(client, token)


Visitors = Callable[[str], Visitor]


People = Callable[[str], FlowPlayer]


@pytest.fixture
def person(play_flow: Callable[..., FlowPlayer], endpoint: FlowEndpoint) -> People:
    """Somebody who plays the Flow as on a phone, with a token of their own."""
    return lambda token: play_flow(FLOW, endpoint=endpoint, flow_token=token, today=SUNDAY)


def to_the_details(player: FlowPlayer) -> FlowPlayer:
    return player.choose("service", "check").choose("date", DATES[0]).tap().choose("time", "9:00").tap()


def texts(player: FlowPlayer) -> list[str]:
    return [node.props["text"] for node in player.view.nodes if "text" in node.props]


def test_the_flow_json_is_valid() -> None:
    """Neither errors nor advice, today and in years."""
    assert validate(FLOW).issues == ()


def test_a_visit_ends_with_a_booking(person: People, diary: Diary) -> None:
    """Four requests, from the first screen to the message."""
    anna = person("anna")
    assert (anna.screen, list(anna.offered("service").values())) == ("CHOOSE", ["Check-up", "Repair", "New wheels"])
    assert list(anna.offered("date")) == DATES
    anna.choose("service", "Check-up").choose("date", "Monday, 6 May").tap("Show times")
    assert (anna.screen, list(anna.offered("time").values())) == ("TIME", ["9:00", "11:00", "14:00", "16:00"])
    anna.choose("time", "9:00").tap()
    assert anna.screen == "DETAILS"
    assert "Check-up on Monday, 6 May, at 9:00" in texts(anna)
    anna.fill(name=" Zoë ", note="the bell").tap("Book")
    assert anna.completed == {"flow_token": "anna", "booking_id": "B0001", **SLOT}
    assert diary.bookings() == [Booking("B0001", Slot("check", DATES[0], "09:00"), "Zoë", "the bell")]
    assert [request.action for request in anna.requests] == ["INIT", "data_exchange", "data_exchange", "data_exchange"]


def test_the_same_content_again_is_the_same_booking(visitor: Visitors, diary: Diary) -> None:
    """A person who has seen no answer tries again, with a new request."""
    anna = visitor("anna")
    anna.submit("TIME", SLOT)
    for _ in range(2):
        anna.submit("DETAILS", {"name": "Anna", "note": ""})
        assert anna.params is not None
        assert anna.params["booking_id"] == "B0001"
    assert len(diary.bookings()) == 1


def test_a_name_is_needed(person: People) -> None:
    """The field says so until it is changed, and the slot stays."""
    anna = to_the_details(person("anna"))
    with pytest.raises(NotTappable, match="'name'"):
        anna.tap()
    anna.fill(name="A").tap()
    assert (anna.screen, anna.errors) == ("DETAILS", {"name": "Please enter your name."})
    assert "Check-up on Monday, 6 May, at 9:00" in texts(anna)
    assert anna.fill(name="Anna").errors == {}
    assert anna.tap().completed is not None


def test_back_shows_what_is_free_now(person: People, diary: Diary) -> None:
    """From the times to the days, and from the details to the times, with the own one still among them."""
    anna, ben = person("anna"), person("ben")
    anna.choose("service", "check").choose("date", DATES[0]).tap()
    for time in TIMES:
        diary.hold(f"holder of {time}", Slot("repair", DATES[0], time))
    anna.back()
    assert (anna.screen, list(anna.offered("date"))) == ("CHOOSE", DATES[1:])
    assert not anna.field("date").value  # what is no longer offered is no longer chosen
    ben.choose("service", "check").choose("date", DATES[1]).tap().choose("time", "09:00").tap().back()
    assert (ben.screen, list(ben.offered("time"))) == ("TIME", list(TIMES))
    anna.choose("date", DATES[1]).tap()
    assert list(anna.offered("time")) == list(TIMES[1:])


def test_somebody_was_faster(person: People) -> None:
    """The same screen again, with a text and the times that are left."""
    anna, ben = person("anna"), person("ben")
    for each in (ben, anna):
        each.choose("service", "check").choose("date", DATES[0]).tap().choose("time", "9:00")
    anna.tap()
    ben.tap()
    assert (ben.screen, list(ben.offered("time"))) == ("TIME", list(TIMES[1:]))
    assert ben.view.snackbar is not None
    assert ben.view.snackbar.text == "Somebody was faster: choose another time."
    with pytest.raises(NotOffered, match="does not offer '9:00'"):
        ben.choose("time", "9:00")


def fill(diary: Diary, days: list[str]) -> None:
    for day in days:
        for time in TIMES:
            assert diary.hold(f"{day} {time}", Slot("check", day, time))


def test_a_day_that_is_full_by_now(person: People, visitor: Visitors, diary: Diary) -> None:
    """The day's field says so; from the times the way leads back to the days."""
    anna = person("anna").choose("service", "check").choose("date", DATES[0])
    fill(diary, DATES[:1])
    anna.tap()
    assert (anna.screen, list(anna.offered("date"))) == ("CHOOSE", DATES[1:])
    assert anna.errors == {"date": "Choose another day."}
    assert visitor("ben").submit("TIME", SLOT)[0] == "CHOOSE"


def test_no_day_is_free(person: People, diary: Diary) -> None:
    """A list is never empty, which the client would refuse; the next screen offers the waiting list."""
    fill(diary, DATES)
    anna = person("anna")
    anna.choose("service", "check").choose("date", "All days are taken").tap()
    assert anna.screen == "FULL"
    assert anna.tap("Write to me").completed == {"waiting_list": True, "flow_token": "anna"}


def test_a_form_that_has_expired(play_flow: Callable[..., FlowPlayer], keys: PrivateKeys, flow_app_secret: str) -> None:
    """427: the user sees why, and the button of the message is disabled for good."""
    endpoint = make_endpoint(keys, flow_app_secret, Diary(today=lambda: SUNDAY, most_visits=1))
    anna, ben = (play_flow(FLOW, endpoint=endpoint, flow_token=name, today=SUNDAY) for name in ("anna", "ben"))
    to_the_details(anna).fill(name="Anna")
    ben.choose("service", "check").choose("date", DATES[1]).tap().choose("time", "9:00").tap()
    with pytest.raises(EndpointFault, match="This form has expired") as caught:
        anna.tap()
    assert caught.value.closed


def test_the_webhook_gets_the_booking(person: People, flow_app_secret: str) -> None:
    """What the phone sends at the end, signed."""
    anna = to_the_details(person("anna")).fill(name="Anna").tap()
    completed: list[WebhookEvent] = []
    hooks = Webhooks(app_secrets=flow_app_secret, verify_token="a-text", handler=completed.append)
    assert hooks.receive(*anna.webhook_body()).status == 200
    (event,) = completed
    assert isinstance(event, FlowCompleted)
    assert (event.token, event.answers["booking_id"]) == ("anna", "B0001")


@pytest.mark.parametrize(
    ("screen", "data", "shown"),
    [
        ("CHOOSE", {}, "CHOOSE"),
        ("CHOOSE", {"service": "check", "date": "2031-01-01"}, "CHOOSE"),
        ("CHOOSE", {"service": ["check"], "date": {"a": 1}}, "CHOOSE"),
        ("CHOOSE", {"service": "paint", "date": DATES[0]}, "CHOOSE"),
        ("TIME", {**SLOT, "time": "03:00"}, "TIME"),
        ("TIME", {**SLOT, "service": "paint"}, "CHOOSE"),
        ("TIME", {**SLOT, "date": "tomorrow"}, "CHOOSE"),
    ],
)
def test_the_client_is_not_trusted(
    visitor: Visitors, diary: Diary, screen: str, data: Mapping[str, Any], shown: str
) -> None:
    """What the screen did not offer is answered with a screen again, and nothing is held."""
    assert visitor("anna").submit(screen, data)[0] == shown
    assert diary.held("anna") is None


@pytest.mark.parametrize(
    ("token", "action", "screen"),
    [
        (None, "INIT", ""), ("", "INIT", ""), ("unused", "INIT", ""),
        ("anna", "BACK", "DETAILS"), ("anna", "data_exchange", "DETAILS"),
    ],
)  # fmt: skip
def test_a_token_without_a_visit_is_refused(
    client: EndpointClient, token: str | None, action: str, screen: str
) -> None:
    """427, with a text for the user: a message without a token, or details without a slot."""
    refused = client.exchange(action, screen, {"name": "Anna"}, token)
    assert refused.status == 427
    assert refused.error_msg


def test_the_diary_forgets_the_oldest_visits() -> None:
    """What people begin and do not end takes a bounded amount of memory, in which slots become free again."""
    diary = Diary(today=lambda: SUNDAY, most_visits=2)
    for token, time in zip("abc", TIMES, strict=False):
        assert diary.hold(token, Slot("check", DATES[0], time))
    assert diary.held("a") is None
    assert diary.free_times(DATES[0]) == ["09:00", "16:00"]


def test_errors_of_the_client_are_logged(client: EndpointClient, caplog: pytest.LogCaptureFixture) -> None:
    """With the screen and the kind of error, and nothing that was entered."""
    caplog.set_level("WARNING", "examples.endpoint.booking")
    assert client.notify_error("payload-schema-error", "the text", screen="TIME", token="anna").ok
    assert "the client could not show screen TIME: payload-schema-error" in caplog.messages


def test_the_flow_has_an_endpoint() -> None:
    """A routing model and a version of the data API; the address of the endpoint is set when the flow is created."""
    document = json.loads(FLOW.read_text("utf-8"))
    assert document["data_api_version"] == "3.0"
    assert document["routing_model"] == {
        "CHOOSE": ["TIME", "FULL"], "TIME": ["DETAILS"], "DETAILS": [], "FULL": []
    }  # fmt: skip
