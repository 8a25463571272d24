"""The endpoint of the booking Flow: one function for what the client asks, and the screens that answer it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from examples.endpoint.diary import Diary, Slot
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, InvalidToken, PrivateKeys, RecentAnswers, Show

FLOW = Path(__file__).with_name("booking.json")
SERVICES = {"check": "Check-up", "repair": "Repair", "wheels": "New wheels"}
NO_DAY = {"id": "none", "title": "All days are taken"}  # a Dropdown needs an item

logger = logging.getLogger(__name__)


def make_endpoint(keys: PrivateKeys, app_secret: str, diary: Diary, **options: Any) -> FlowEndpoint:
    """The endpoint, which keeps its bookings in `diary`. `options` are those of `FlowEndpoint`."""
    endpoint = FlowEndpoint(
        keys, app_secrets=app_secret, flow=FLOW, checks="raise", tokens=require_token, replay=RecentAnswers(), **options
    )

    @endpoint.init
    def start(request: FlowRequest) -> Show:
        return choose(diary)

    @endpoint.data_exchange("CHOOSE")
    def chosen(request: FlowRequest) -> Show:
        service, day = text(request, "service"), text(request, "date")
        free = diary.free_dates()
        if not free:
            return request.show("FULL")
        if service not in SERVICES or day not in free:
            return choose(diary, error="This day is fully booked by now.", errors={"date": "Choose another day."})
        return times(diary, service, day, token(request))

    @endpoint.data_exchange("TIME")
    def timed(request: FlowRequest) -> Show:
        slot = Slot(text(request, "service"), text(request, "date"), text(request, "time"))
        if slot.date not in diary.free_dates() or slot.service not in SERVICES:
            return choose(diary, error="This day is fully booked by now.")
        if slot.time not in diary.free_times(slot.date, token(request)) or not diary.hold(token(request), slot):
            return times(
                diary, slot.service, slot.date, token(request), error="Somebody was faster: choose another time."
            )
        return details(slot)

    @endpoint.data_exchange("DETAILS")
    def entered(request: FlowRequest) -> Answer:
        name, note = text(request, "name").strip(), text(request, "note").strip()
        slot = diary.held(token(request))
        if slot is not None and len(name) < 2:
            return details(slot, errors={"name": "Please enter your name."})
        booking = diary.book(token(request), name, note)
        if booking is None:
            raise InvalidToken("This form has expired. Please ask for a new one.")
        return request.finish(
            booking_id=booking.id, service=booking.slot.service, date=booking.slot.date, time=booking.slot.time
        )

    @endpoint.back("TIME")
    def back_to_choose(request: FlowRequest) -> Show:
        return choose(diary)

    @endpoint.back("DETAILS")
    def back_to_times(request: FlowRequest) -> Show:
        slot = diary.held(token(request))
        if slot is None:
            raise InvalidToken("This form has expired. Please ask for a new one.")
        return times(diary, slot.service, slot.date, token(request))

    @endpoint.on_error
    def could_not_show(request: FlowRequest) -> None:
        logger.warning("the client could not show screen %s: %s", request.screen, request.error_key)

    return endpoint


# -- the screens


def choose(diary: Diary, *, error: str | None = None, errors: Mapping[str, str] | None = None) -> Show:
    """The first screen, with the days that are free now."""
    data = {
        "services": [{"id": service, "title": title} for service, title in SERVICES.items()],
        "dates": [{"id": day, "title": title_of(day)} for day in diary.free_dates()] or [NO_DAY],
    }
    return Show("CHOOSE", data, error=error, errors=errors or {})


def times(diary: Diary, service: str, day: str, token: str, *, error: str | None = None) -> Show:
    """The times of a day, with those that this person holds already."""
    free = [{"id": time, "title": time.removeprefix("0")} for time in diary.free_times(day, token)]
    return Show("TIME", {"day": title_of(day), "date": day, "service": service, "times": free}, error=error)


def details(slot: Slot, *, errors: Mapping[str, str] | None = None) -> Show:
    """The last screen."""
    summary = f"{SERVICES[slot.service]} on {title_of(slot.date)}, at {slot.time.removeprefix('0')}"
    return Show("DETAILS", {"summary": summary}, errors=errors or {})


def title_of(day: str) -> str:
    """`2030-05-06` as `Monday, 6 May`."""
    found = date.fromisoformat(day)
    return f"{found:%A}, {found.day} {found:%B}"


# -- the request


def require_token(request: FlowRequest) -> None:
    """Refuse a message that was sent without a token of its own: its holder's bookings could not be told apart."""
    if request.flow_token in {None, "", "unused"}:
        raise InvalidToken("Please ask for a new form.")


def token(request: FlowRequest) -> str:
    """The flow token, which `require_token` has seen."""
    return request.flow_token or ""


def text(request: FlowRequest, name: str) -> str:
    """What the user has entered, if it is a text: the client decides what it sends."""
    value = request.data.get(name)
    return value if isinstance(value, str) else ""
