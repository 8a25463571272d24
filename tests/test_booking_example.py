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


def ids(options: list[dict[str, str]]) -> list[str]:
    return [option["id"] for option in options]


def test_the_flow_json_is_valid() -> None:
    """Neither errors nor advice, today and in years."""
    assert validate(FLOW).issues == ()


def test_a_visit_ends_with_a_booking(visitor: Visitors, diary: Diary) -> None:
    """Four requests, from the first screen to the message."""
    anna = visitor("anna")
    screen, data = anna("INIT")
    assert (screen, ids(data["dates"]), ids(data["services"])) == ("CHOOSE", DATES, ["check", "repair", "wheels"])
    assert data["dates"][0]["title"] == "Monday, 6 May"
    screen, data = anna.submit("CHOOSE", CHOICE)
    assert (screen, data["day"], ids(data["times"])) == ("TIME", "Monday, 6 May", list(TIMES))
    screen, data = anna.submit("TIME", SLOT)
    assert (screen, data["summary"]) == ("DETAILS", "Check-up on Monday, 6 May, at 9:00")
    screen, _ = anna.submit("DETAILS", {"name": " Zoë ", "note": "the bell"})
    assert screen == "SUCCESS"
    assert anna.params == {"flow_token": "anna", "booking_id": "B0001", **SLOT}
    assert diary.bookings() == [Booking("B0001", Slot("check", DATES[0], "09:00"), "Zoë", "the bell")]


def test_the_same_content_again_is_the_same_booking(visitor: Visitors, diary: Diary) -> None:
    """A person who has seen no answer tries again, with a new request."""
    anna = visitor("anna")
    anna.submit("TIME", SLOT)
    for _ in range(2):
        anna.submit("DETAILS", {"name": "Anna", "note": ""})
        assert anna.params is not None
        assert anna.params["booking_id"] == "B0001"
    assert len(diary.bookings()) == 1


def test_a_name_is_needed(visitor: Visitors) -> None:
    """The field says so, and the slot stays."""
    anna = visitor("anna")
    anna.submit("TIME", SLOT)
    screen, data = anna.submit("DETAILS", {"name": " A ", "note": ""})
    assert (screen, data["error_messages"]) == ("DETAILS", {"name": "Please enter your name."})
    assert data["summary"] == "Check-up on Monday, 6 May, at 9:00"
    assert anna.submit("DETAILS", {"name": "Anna", "note": ""})[0] == "SUCCESS"


def test_back_shows_what_is_free_now(visitor: Visitors, diary: Diary) -> None:
    """From the times to the days, and from the details to the times, with the own one still among them."""
    anna, ben = visitor("anna"), visitor("ben")
    anna("INIT")
    anna.submit("CHOOSE", CHOICE)
    for time in TIMES:
        diary.hold(f"holder of {time}", Slot("repair", DATES[0], time))
    screen, data = anna("BACK", "TIME")
    assert (screen, ids(data["dates"])) == ("CHOOSE", DATES[1:])
    ben.submit("TIME", {**SLOT, "date": DATES[1]})
    assert ids(ben("BACK", "DETAILS")[1]["times"]) == list(TIMES)
    assert ids(anna.submit("CHOOSE", {**CHOICE, "date": DATES[1]})[1]["times"]) == list(TIMES[1:])


def test_somebody_was_faster(visitor: Visitors) -> None:
    """The same screen again, with a text and the times that are left."""
    anna, ben = visitor("anna"), visitor("ben")
    ben.submit("CHOOSE", CHOICE)
    anna.submit("TIME", SLOT)
    screen, data = ben.submit("TIME", SLOT)
    assert (screen, ids(data["times"])) == ("TIME", list(TIMES[1:]))
    assert ben.error == "Somebody was faster: choose another time."


def fill(diary: Diary, days: list[str]) -> None:
    for day in days:
        for time in TIMES:
            assert diary.hold(f"{day} {time}", Slot("check", day, time))


def test_a_day_that_is_full_by_now(visitor: Visitors, diary: Diary) -> None:
    """The day's field says so; from the times the way leads back to the days."""
    anna = visitor("anna")
    fill(diary, DATES[:1])
    screen, data = anna.submit("CHOOSE", CHOICE)
    assert (screen, ids(data["dates"])) == ("CHOOSE", DATES[1:])
    assert data["error_messages"] == {"date": "Choose another day."}
    assert anna.submit("TIME", SLOT)[0] == "CHOOSE"


def test_no_day_is_free(visitor: Visitors, diary: Diary) -> None:
    """A list is never empty, which the client would refuse; the next screen offers the waiting list."""
    fill(diary, DATES)
    anna = visitor("anna")
    assert ids(anna("INIT")[1]["dates"]) == ["none"]
    assert anna.submit("CHOOSE", {"service": "check", "date": "none"}) == ("FULL", {})


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
