"""Client-side rate limiting: the pure decision, and the transports that wait."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import FLOW, TOKEN, UPLOADED, WABA, FakeTime, ScriptedTransport, answer
from whatsapp_flows import (
    AsyncPacedTransport,
    ConfigurationError,
    FlowsClient,
    NotSentError,
    Pace,
    PacedTransport,
    Pacer,
    RateLimitedError,
    Request,
    RequestsTransport,
    Response,
    Slot,
    Timeout,
    Usage,
    pause_before,
)
from whatsapp_flows.emulator import Emulator

NOW = 10_000.0
ASKED = Request(method="GET", url="https://graph.facebook.com/v25.0/1", operation="get_flow", flow_id="1")


def usage_of(percent: float, *, regain_access: float = 0.0, at: float = NOW) -> Usage:
    return Usage(object_id=WABA, call_count=percent, regain_access=regain_access, received_at=at)


def response_with_usage(percent: int, minutes: int = 0) -> Response:
    entry = {"call_count": percent, "estimated_time_to_regain_access": minutes}
    return answer({"success": True}, headers={"X-Business-Use-Case-Usage": json.dumps({WABA: [entry]})})


@pytest.mark.parametrize(
    ("usage", "spacing"),
    [
        ((), 0.0),
        ((usage_of(75),), 0.0),
        ((usage_of(80),), 4.5),
        ((usage_of(87.5),), 18.0),
        ((usage_of(90),), 27.0),
        ((usage_of(100),), 432.0),
        ((usage_of(300),), 432.0),
        ((usage_of(10), usage_of(90), usage_of(80)), 27.0),
        ((usage_of(90, at=NOW - 3600),), 0.0),
        ((usage_of(90, at=NOW - 3599),), 27.0),
    ],
)
def test_spacing_grows_with_the_usage(usage: tuple[Usage, ...], spacing: float) -> None:
    """None up to 75 percent, 18 s half way to the limit. The highest counts; those of an hour ago are ignored."""
    first = pause_before(Pace(), usage, Slot(), NOW)
    assert first.pause == 0.0
    second = pause_before(Pace(), usage, first, NOW)
    assert second.pause == pytest.approx(spacing)
    assert pause_before(Pace(), usage, first, NOW + spacing).pause == 0.0


def test_the_pause_lasts_as_long_as_a_lock_out() -> None:
    """Meta's estimate, less the time that has passed since."""
    assert pause_before(Pace(), (usage_of(100, regain_access=60, at=NOW - 15),), Slot(), NOW).pause == 45.0
    assert pause_before(Pace(), (usage_of(100, regain_access=60, at=NOW - 75),), Slot(), NOW).pause == 0.0


def test_a_budget_allows_bursts() -> None:
    """Of 200 calls an hour, ten leave at once, then one every 18 s; after an idle hour ten again, and no more."""
    pace, slot, now, pauses = Pace(calls_per_hour=200, burst=10), Slot(), NOW, []
    for _ in range(12):
        slot = pause_before(pace, (), slot, now)
        pauses.append(slot.pause)
        now += slot.pause
    assert pauses == [0.0] * 10 + [18.0] * 2
    now += 3600
    for number in range(11):
        slot = pause_before(pace, (), slot, now)
        assert slot.pause == (18.0 if number == 10 else 0.0)


def test_there_are_no_bursts_close_to_a_limit() -> None:
    """High usage disables the budget's bursts."""
    pace = Pace(calls_per_hour=3600, burst=10)
    first = pause_before(pace, (usage_of(90),), Slot(), NOW)
    assert pause_before(pace, (usage_of(90),), first, NOW).pause == 27.0


@given(
    rate=st.floats(min_value=1, max_value=10_000),
    burst=st.integers(min_value=1, max_value=50),
    gaps=st.lists(st.floats(min_value=0, max_value=900), min_size=1, max_size=60),
)
def test_a_budget_is_never_exceeded(rate: float, burst: int, gaps: Iterable[float]) -> None:
    """Whenever calls arrive, no hour has more than the hour's calls and one burst."""
    pace, slot, now, sent = Pace(calls_per_hour=rate, burst=burst), Slot(), 0.0, []
    for gap in gaps:
        now += gap
        slot = pause_before(pace, (), slot, now)
        assert slot.pause >= 0.0
        sent.append(now + slot.pause)
    for start in sent:
        assert sum(start <= at < start + 3600 for at in sent) <= rate + burst + 1e-6


@given(percent=st.floats(min_value=0, max_value=200), more=st.floats(min_value=0, max_value=100),
       start=st.floats(min_value=0, max_value=2 * NOW))  # fmt: skip
def test_more_usage_never_means_less_pause(percent: float, more: float, start: float) -> None:
    """The pause is monotonic in the usage, and a slot never starts before the previous one."""
    last = Slot(start=start, due=start)
    low = pause_before(Pace(), (usage_of(percent),), last, NOW)
    high = pause_before(Pace(), (usage_of(percent + more),), last, NOW)
    assert 0.0 <= low.pause <= high.pause
    assert max(NOW, start) <= low.start <= high.start


def paced(*script: Response, pace: Pace | None = None) -> tuple[PacedTransport, ScriptedTransport, FakeTime]:
    time, transport = FakeTime(), ScriptedTransport(script)
    return PacedTransport(transport, pace, clock=time.clock, sleep=time.sleep), transport, time


def test_a_transport_reads_the_usage_of_each_response() -> None:
    """No pause before the first figures, a long one at 90 percent, none once the figures are low again."""
    transport, inner, time = paced(
        UPLOADED, UPLOADED, response_with_usage(90), response_with_usage(90), response_with_usage(5), UPLOADED, UPLOADED
    )
    client = FlowsClient(TOKEN, WABA, transport=transport)
    for _ in range(3):
        client.update_flow_json(FLOW, b"{}")
    assert time.sleeps == []
    client.update_flow_json(FLOW, b"{}")
    client.update_flow_json(FLOW, b"{}")
    assert time.sleeps == [27.0, 27.0]
    client.update_flow_json(FLOW, b"{}")
    client.update_flow_json(FLOW, b"{}")
    assert len(time.sleeps) == 2
    assert len(inner.requests) == 7
    assert client.usage[0].call_count == 5.0
    transport.close()
    assert inner.closed


def test_a_pause_over_the_maximum_is_an_error_with_retry_after() -> None:
    """Nothing is sent and nothing sleeps; `retry_after` tells the policy and the host when to try again."""
    transport, inner, time = paced(response_with_usage(100, minutes=19))
    client = FlowsClient(TOKEN, WABA, transport=transport)
    client.update_flow_json(FLOW, b"{}")
    time.now += 60
    with pytest.raises(RateLimitedError) as caught:
        client.update_flow_json(FLOW, b"{}")
    assert caught.value.retry_after == 18 * 60
    assert caught.value.http_status is None
    assert caught.value.attempts == ()
    assert "not sent" in str(caught.value)
    assert (len(inner.requests), time.sleeps) == (1, [])


def test_a_download_from_another_host_has_no_limit() -> None:
    """The usage figures are those of the API's host."""
    pacer = Pacer(Pace(calls_per_hour=1), clock=lambda: NOW)
    assert pacer.before(ASKED).pause == 0.0
    file = Request(method="GET", url="https://cdn.example/f", operation="download_flow_json", authenticated=False)
    assert pacer.before(file).pause == 0.0
    with pytest.raises(RateLimitedError):
        pacer.before(ASKED)


def test_threads_share_one_pacer() -> None:
    """Sixteen threads that ask at the same time get different slots."""
    pacer = Pacer(Pace(calls_per_hour=3600, max_pause=1000), clock=lambda: NOW)
    with ThreadPoolExecutor(16) as pool:
        pauses = list(pool.map(lambda _: pacer.before(ASKED).pause, range(160)))
    assert Counter(pauses) == Counter(float(number) for number in range(160))


def test_tasks_share_one_pacer() -> None:
    """Concurrent tasks each wait for their own slot."""

    class Inner:
        def __init__(self) -> None:
            self.closed = False

        async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
            return response_with_usage(5)

        async def aclose(self) -> None:
            self.closed = True

    async def main() -> None:
        sleeps: list[float] = []

        async def sleep(seconds: float) -> None:
            sleeps.append(seconds)

        inner = Inner()
        transport = AsyncPacedTransport(inner, Pace(calls_per_hour=3600), clock=lambda: NOW, sleep=sleep)
        answers = await asyncio.gather(*(transport.send(ASKED, timeout=Timeout()) for _ in range(5)))
        assert [each.status for each in answers] == [200] * 5
        assert sleeps == [1.0, 2.0, 3.0, 4.0]
        await transport.aclose()
        assert inner.closed

    asyncio.run(main())


ORDERS: dict[str, Callable[[int], Iterable[int]]] = {
    "first to last": range,
    "last to first": lambda number: reversed(range(number)),
    "mixed": lambda number: sorted(range(number), key=lambda it: it * 37 % number),
}


@pytest.mark.parametrize("order", ORDERS)
def test_released_slots_delay_no_other_request(order: str) -> None:
    """In any order: after sixty slots are released, the next slot is the one before them."""
    pacer = Pacer(Pace(calls_per_hour=3600), clock=lambda: NOW)
    pacer.before(ASKED)
    slots = [pacer.before(ASKED) for _ in range(60)]
    assert slots[-1].pause == 60.0
    for number in ORDERS[order](60):
        pacer.release(slots[number])
    assert pacer.before(ASKED).pause == 1.0


def test_a_released_slot_goes_to_the_next_request() -> None:
    """Waiting requests keep their slots. A slot is released once, and not after it has started."""
    now = [NOW]
    pacer = Pacer(Pace(calls_per_hour=3600), clock=lambda: now[0])
    slots = [pacer.before(ASKED) for _ in range(4)]
    pacer.release(slots[0])  # it has started
    pacer.release(slots[1])
    pacer.release(slots[1])
    assert [pacer.before(ASKED).pause for _ in range(2)] == [1.0, 4.0]
    pacer.release(slots[2])
    now[0] += 2.5
    assert pacer.before(ASKED).pause == 2.5  # a new slot: the released one has passed


def test_a_released_slot_is_not_used_during_a_lock_out() -> None:
    """Usage figures that arrived since apply to it too."""
    pacer = Pacer(Pace(calls_per_hour=3600, max_pause=1000), clock=lambda: NOW)
    slots = [pacer.before(ASKED) for _ in range(4)]
    pacer.release(slots[1])
    pacer.after(response_with_usage(100, minutes=1))
    assert pacer.before(ASKED).pause == 3.0 + 432.0


class Gate:
    """An inner transport that counts requests."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        self.sent += 1
        return response_with_usage(5)

    def close(self) -> None:
        """Nothing to close."""


class AsyncGate(Gate):
    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:  # type: ignore[override]
        return super().send(request, timeout=timeout)

    async def aclose(self) -> None:
        """Nothing to close."""


def test_cancelled_tasks_delay_no_other_task() -> None:
    """After sixty tasks are cancelled in their pause, the next task gets the first slot."""

    async def main() -> None:
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) <= 60:
                await asyncio.Event().wait()

        gate = AsyncGate()
        transport = AsyncPacedTransport(gate, Pace(calls_per_hour=3600), clock=lambda: NOW, sleep=sleep)
        calls = [asyncio.create_task(transport.send(ASKED, timeout=Timeout())) for _ in range(61)]
        await asyncio.sleep(0)
        assert pauses == [float(number) for number in range(1, 61)]
        for call in calls[1:]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await transport.send(ASKED, timeout=Timeout())
        assert (pauses[-1], gate.sent) == (1.0, 2)

    asyncio.run(main())


@pytest.mark.parametrize("ends", [KeyboardInterrupt, LookupError])
def test_an_interrupted_pause_delays_no_other_request(ends: type[BaseException]) -> None:
    """An exception from a signal handler or the host's `sleep` propagates, and the slot is released."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) <= 60:
            raise ends

    gate = Gate()
    transport = PacedTransport(gate, Pace(calls_per_hour=3600), clock=lambda: NOW, sleep=sleep)
    transport.send(ASKED, timeout=Timeout())
    for _ in range(60):
        with pytest.raises(ends):
            transport.send(ASKED, timeout=Timeout())
    transport.send(ASKED, timeout=Timeout())
    assert pauses == [1.0] * 61
    assert gate.sent == 2


def test_a_stopped_pause_sends_nothing() -> None:
    """`sleep=stop.wait` returns True once `stop` is set: the request is not sent, and its slot is released."""
    stop = threading.Event()
    stop.set()
    gate = Gate()
    transport = PacedTransport(gate, Pace(calls_per_hour=60), clock=lambda: NOW, sleep=stop.wait)
    transport.send(ASKED, timeout=Timeout())
    for _ in range(3):
        with pytest.raises(NotSentError, match="stopped"):
            transport.send(ASKED, timeout=Timeout())

    async def main() -> None:
        async def stopped(_: float) -> bool:
            return True

        waiting = AsyncPacedTransport(AsyncGate(), Pace(calls_per_hour=60), clock=lambda: NOW, sleep=stopped)
        await waiting.send(ASKED, timeout=Timeout())
        with pytest.raises(NotSentError, match="stopped"):
            await waiting.send(ASKED, timeout=Timeout())

    asyncio.run(main())
    assert gate.sent == 1


def test_a_pause_counts_against_the_deadline_of_the_call() -> None:
    """A pause longer than the time left is refused; after a shorter one the request gets the remaining time."""
    inner = ScriptedTransport([UPLOADED, UPLOADED])
    time = FakeTime()
    transport = PacedTransport(inner, Pace(calls_per_hour=3600), clock=time.clock, sleep=lambda _: None)
    for left in (0.5, 2.5):
        asked = replace(ASKED, time_left=left)
        if left < 1:
            transport.send(asked, timeout=Timeout(5, 5))
            with pytest.raises(RateLimitedError, match="no room for 1 s"):
                transport.send(asked, timeout=Timeout(5, 5))
        else:
            transport.send(asked, timeout=Timeout(5, 5))
    assert [request.time_left for request in inner.requests] == [0.5, 1.5]
    assert inner.timeouts[-1] == Timeout(1.5, 1.5, 1.5)


@given(
    rate=st.floats(min_value=1, max_value=10_000),
    burst=st.integers(min_value=1, max_value=5),
    steps=st.lists(
        st.tuples(st.floats(min_value=0, max_value=50), st.integers(min_value=-1, max_value=30)), max_size=60
    ),
)
def test_a_budget_is_never_exceeded_when_slots_are_released(
    rate: float, burst: int, steps: Iterable[tuple[float, int]]
) -> None:
    """Released slots that are reserved again add no calls to an hour, and no two requests share a slot."""
    now = 0.0
    pacer = Pacer(Pace(calls_per_hour=rate, burst=burst, max_pause=1e9), clock=lambda: now)
    waiting: list[Slot] = []
    sent: list[float] = []
    for gap, released in steps:
        now += gap
        sent += [slot.start for slot in waiting if slot.start <= now]
        waiting = [slot for slot in waiting if slot.start > now]
        if 0 <= released < len(waiting):
            pacer.release(waiting.pop(released))
        else:
            waiting.append(pacer.before(ASKED))
    sent += [slot.start for slot in waiting]
    for start in sent:
        assert sum(start <= at < start + 3600 for at in sent) <= rate + burst + 1e-6


BARRED = {WABA: [{"type": "x", "call_count": 100, "estimated_time_to_regain_access": 999_999_999}]}


@pytest.mark.parametrize(
    "header",
    [
        {"Retry-After": "999999999"},
        {"Retry-After": "9" * 400},
        {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"X-Business-Use-Case-Usage": json.dumps(BARRED)},
    ],
    ids=["seconds", "a long number", "a date", "usage"],
)
def test_no_answer_pauses_an_account_for_years(header: dict[str, str]) -> None:
    """`retry_after` is at most a day, and a pacer waits for an hour at most."""
    refused = answer({"error": {"code": 80008, "message": "too many"}}, 429, headers=header)
    time, inner = FakeTime(), ScriptedTransport([refused, UPLOADED])
    client = FlowsClient(TOKEN, WABA, transport=PacedTransport(inner, clock=time.clock, sleep=time.sleep))
    with pytest.raises(RateLimitedError) as caught:
        client.update_flow_json(FLOW, b"{}", max_retries=1)
    assert caught.value.retry_after == 24 * 3600.0
    time.now += 3600
    assert client.update_flow_json(FLOW, b"{}", max_retries=1).success


def test_a_paced_client_does_not_reach_the_limit() -> None:
    """With a quota of 50 an hour, the emulator refuses every later call without a pace, and none with one."""

    def refused(pace: Pace | None, calls: int) -> int:
        clock, found = FakeTime(), 0
        with (
            Emulator(calls_per_hour=50, clock=clock.clock) as meta,
            closing(RequestsTransport()) as inner,
        ):
            paced = inner if pace is None else PacedTransport(inner, pace, clock=clock.clock, sleep=clock.sleep)
            client = FlowsClient("token", meta.waba_id, base_url=meta.url, max_attempts=1, transport=paced)
            for _ in range(calls):
                try:
                    client.list_phone_numbers()
                except RateLimitedError as error:
                    found += error.http_status is not None
                    clock.now += error.retry_after or 0.0 if pace else 0.0
                clock.now += 1
        return found

    assert refused(None, 99) == 49
    assert refused(Pace(average=3600 / 50), 99) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"slow_from": 99.5},
        {"slow_from": -1},
        {"average": float("inf")},
        {"max_pause": "long"},
        {"calls_per_hour": 0},
        {"calls_per_hour": -5},
        {"burst": 0},
        {"burst": True},
    ],
)
def test_a_pace_with_a_number_out_of_range_is_refused(options: dict[str, Any]) -> None:
    """Before the first call."""
    with pytest.raises(ConfigurationError):
        Pace(**options)


def test_a_transport_must_send() -> None:
    """Passing a session, or anything else without `send`, is refused."""
    thing: Any = object()
    with pytest.raises(ConfigurationError, match="RequestsTransport"):
        PacedTransport(thing)


def test_a_repr_has_the_pace_and_the_state() -> None:
    """The wrapped transport is named by its type: its own repr may hold a secret of the host's."""

    class Inner(Gate):
        def __repr__(self) -> str:
            return TOKEN

    pacer = Pacer(Pace(calls_per_hour=3600, burst=5), clock=lambda: NOW)
    for _ in range(7):
        pacer.before(ASKED)
    pacer.after(response_with_usage(40))
    pace = "Pace(slow_from=75.0, average=18.0, max_pause=120.0, calls_per_hour=3600, burst=5)"
    assert repr(pacer) == f"Pacer({pace}, highest_usage=40, waiting=2)"
    assert repr(PacedTransport(Inner(), pacer.pace)) == f"PacedTransport(Inner, {pace})"
    assert repr(AsyncPacedTransport(AsyncGate(), pacer.pace)) == f"AsyncPacedTransport(AsyncGate, {pace})"
