"""The workshop's diary: which slots are free, who holds one while filling in the form, and what is booked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

TIMES = ("09:00", "11:00", "14:00", "16:00")
_OPEN_DAYS = 5


@dataclass(frozen=True)
class Slot:
    """A service at a time: `date` and `time` are ISO texts, as the Flow's components use them."""

    service: str
    date: str
    time: str


@dataclass(frozen=True)
class Booking:
    """A slot that is taken."""

    id: str
    slot: Slot
    name: str
    note: str


class Diary:
    """
    Slots by flow token, in memory; a real one is a table with a unique constraint on date and time.

    A person who tries again sends the same content once more, so `book` returns the first booking of a token.
    """

    def __init__(self, today: Callable[[], date] = date.today, *, most_visits: int = 10_000) -> None:
        self._today = today
        self._most_visits = most_visits  # of people who have begun; the oldest are forgotten
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Slot] = OrderedDict()
        self._booked: dict[str, Booking] = {}

    def free_dates(self) -> list[str]:
        """The next open days that have a free time."""
        days = (self._today() + timedelta(days=number) for number in range(1, 15))
        open_days = [day.isoformat() for day in days if day.weekday() < 5]
        return [day for day in open_days[:_OPEN_DAYS] if self.free_times(day)]

    def free_times(self, day: str, token: str = "") -> list[str]:
        """The times of a day that nobody else holds or has booked."""
        with self._lock:
            taken = self._taken(token)
        return [time for time in TIMES if (day, time) not in taken]

    def hold(self, token: str, slot: Slot) -> bool:
        """Keep a slot for whoever fills in the form; False if somebody else has it."""
        with self._lock:
            if (slot.date, slot.time) in self._taken(token):
                return False
            self._held[token] = slot
            self._held.move_to_end(token)
            if len(self._held) > self._most_visits:
                self._held.popitem(last=False)
            return True

    def held(self, token: str) -> Slot | None:
        """The slot that this person holds."""
        return self._held.get(token)

    def book(self, token: str, name: str, note: str) -> Booking | None:
        """Book the slot that this person holds; None without one. The second time, the booking is the first one."""
        with self._lock:
            if token not in self._booked:
                slot = self._held.pop(token, None)
                if slot is None:
                    return None
                self._booked[token] = Booking(f"B{len(self._booked) + 1:04}", slot, name, note)
            return self._booked[token]

    def bookings(self) -> list[Booking]:
        """All bookings, oldest first."""
        return list(self._booked.values())

    def _taken(self, token: str) -> set[tuple[str, str]]:
        held = [slot for holder, slot in self._held.items() if holder != token]
        return {(slot.date, slot.time) for slot in [*held, *(booking.slot for booking in self._booked.values())]}
