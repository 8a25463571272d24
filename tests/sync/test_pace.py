"""The request budget of a run: its waits, and their sum in advance."""

from __future__ import annotations

import threading

import pytest

from tests.sync.support import client_of
from whatsapp_flows import ConfigurationError, NotSentError
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import DEFAULT_CALLS_PER_HOUR, RunPace, paced
from whatsapp_flows.sync.calls._pace import unpaced


class Clock:
    """A clock that waits move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def pace_of(clock: Clock, calls_per_hour: float | None = None, stop: threading.Event | None = None) -> RunPace:
    """A pace in that clock's time."""
    return RunPace(calls_per_hour, clock=clock, sleep=clock.sleep, stop=stop)


def test_the_budget_of_an_hour_may_be_sent_at_once(meta: Emulator) -> None:
    """Then one request each 18 s with 200 an hour."""
    clock = Clock()
    client = paced(client_of(meta), pace_of(clock, 10))
    for _ in range(12):
        list(client.list_flows())
    assert clock.waits == [360.0, 360.0]


def test_the_duration_is_known_in_advance() -> None:
    """None up to the budget, and then what the refill takes; 200 unless a number is given."""
    pace = RunPace()
    assert pace.calls_per_hour == DEFAULT_CALLS_PER_HOUR == 200
    assert [pace.duration(calls) for calls in (0, 200, 201, 400)] == [0, 0, 18, 3600]
    assert RunPace(5000).duration(5000) == 0


def test_usage_headers_replace_the_default_budget(meta: Emulator) -> None:
    """Once Meta reports usage, the assumed 200 does not apply; near the limit requests are spaced out."""
    clock = Clock()
    pace = pace_of(clock)
    client = paced(client_of(meta), pace)
    meta.set_usage(1)
    for _ in range(205):
        list(client.list_flows(fields="id"))
    assert (clock.waits, pace.budgeted, pace.duration(1000)) == ([], False, 0.0)
    meta.set_usage(90)
    for _ in range(2):
        list(client.list_flows(fields="id"))
    assert len(clock.waits) == 1


def test_a_given_budget_applies_whatever_the_headers_say(meta: Emulator) -> None:
    """It is the host's own limit."""
    clock = Clock()
    client = paced(client_of(meta), pace_of(clock, 2))
    meta.set_usage(1)
    for _ in range(3):
        list(client.list_flows(fields="id"))
    assert clock.waits == [1800.0]


def test_downloads_do_not_count(meta: Emulator) -> None:
    """They come from another host."""
    pace = pace_of(Clock(), 10)
    flow = meta.add_flow("Booking", flow_json="{}")
    paced(client_of(meta), pace).download_flow_json(flow.id)
    assert pace.calls == 1


def test_stop_ends_a_wait(meta: Emulator) -> None:
    """With a real clock: nothing is sent, and the error says so."""
    stop = threading.Event()
    pace = RunPace(1, stop=stop, on_wait=lambda seconds: stop.set())
    client = paced(client_of(meta), pace).with_options(max_attempts=1)
    list(client.list_flows())
    with pytest.raises(NotSentError, match="the run was stopped"):
        list(client.list_flows())
    assert len(meta.requests) == 1


@pytest.mark.parametrize("number", [0, -1, 0.5])
def test_an_invalid_budget_is_refused(number: float) -> None:
    """At least one request an hour."""
    with pytest.raises(ConfigurationError, match="calls_per_hour"):
        RunPace(number)


def test_requests_that_restore_a_live_flow_do_not_wait(meta: Emulator) -> None:
    """Not for the budget, and no stop refuses them; any other request waits, or is refused."""
    clock, stop = Clock(), threading.Event()
    client = paced(client_of(meta), pace := pace_of(clock, 1, stop))
    list(client.list_flows())
    with unpaced():
        list(client.list_flows())
        stop.set()
        list(client.list_flows())
    assert (clock.waits, pace.calls) == ([], 3)
    with pytest.raises(NotSentError):
        list(client.with_options(max_attempts=1).list_flows())
