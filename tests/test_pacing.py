"""Slowing down before the rate limit: the decision, which is pure, and the transports that wait."""

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
    Timeout,
    Turn,
    Usage,
    pause_before,
)
from whatsapp_flows.emulator import Emulator

NOW = 10_000.0
ASKED = Request(method="GET", url="https://graph.facebook.com/v25.0/1", operation="get_flow", flow_id="1")


def used(percent: float, *, regain_access: float = 0.0, at: float = NOW) -> Usage:
    return Usage(object_id=WABA, call_count=percent, regain_access=regain_access, received_at=at)


def says(percent: int, minutes: int = 0) -> Response:
    entry = {"call_count": percent, "estimated_time_to_regain_access": minutes}
    return answer({"success": True}, headers={"X-Business-Use-Case-Usage": json.dumps({WABA: [entry]})})


@pytest.mark.parametrize(
    ("usage", "spacing"),
    [
        ((), 0.0),
        ((used(75),), 0.0),
        ((used(80),), 4.5),
        ((used(87.5),), 18.0),
        ((used(90),), 27.0),
        ((used(100),), 432.0),
        ((used(300),), 432.0),
        ((used(10), used(90), used(80)), 27.0),
        ((used(90, at=NOW - 3600),), 0.0),
        ((used(90, at=NOW - 3599),), 27.0),
    ],
)
def test_the_nearer_the_limit_the_wider_the_spacing(usage: tuple[Usage, ...], spacing: float) -> None:
    """Nothing up to 75 percent, 18 s half way to the limit; the worst figure counts, and none that is an hour old."""
    first = pause_before(Pace(), usage, Turn(), NOW)
    assert first.pause == 0.0
    second = pause_before(Pace(), usage, first, NOW)
    assert second.pause == pytest.approx(spacing)
    assert pause_before(Pace(), usage, first, NOW + spacing).pause == 0.0


def test_a_lock_out_is_waited_for() -> None:
    """As long as Meta estimated, less what has passed since."""
    assert pause_before(Pace(), (used(100, regain_access=60, at=NOW - 15),), Turn(), NOW).pause == 45.0
    assert pause_before(Pace(), (used(100, regain_access=60, at=NOW - 75),), Turn(), NOW).pause == 0.0


def test_a_budget_has_its_bursts() -> None:
    """Of 200 calls an hour, ten may leave at once; then one in 18 s; a quiet hour gives ten again, and no more."""
    pace, turn, now, pauses = Pace(calls_per_hour=200, burst=10), Turn(), NOW, []
    for _ in range(12):
        turn = pause_before(pace, (), turn, now)
        pauses.append(turn.pause)
        now += turn.pause
    assert pauses == [0.0] * 10 + [18.0] * 2
    now += 3600
    for number in range(11):
        turn = pause_before(pace, (), turn, now)
        assert turn.pause == (18.0 if number == 10 else 0.0)


def test_nobody_bursts_into_a_limit_that_is_near() -> None:
    """With usage high, a budget's bursts are off."""
    pace = Pace(calls_per_hour=3600, burst=10)
    first = pause_before(pace, (used(90),), Turn(), NOW)
    assert pause_before(pace, (used(90),), first, NOW).pause == 27.0


@given(
    rate=st.floats(min_value=1, max_value=10_000),
    burst=st.integers(min_value=1, max_value=50),
    gaps=st.lists(st.floats(min_value=0, max_value=900), min_size=1, max_size=60),
)
def test_a_budget_is_never_passed(rate: float, burst: int, gaps: Iterable[float]) -> None:
    """However the calls arrive, no hour sees more than the hour's calls and one burst."""
    pace, turn, now, sent = Pace(calls_per_hour=rate, burst=burst), Turn(), 0.0, []
    for gap in gaps:
        now += gap
        turn = pause_before(pace, (), turn, now)
        assert turn.pause >= 0.0
        sent.append(now + turn.pause)
    for start in sent:
        assert sum(start <= at < start + 3600 for at in sent) <= rate + burst + 1e-6


@given(percent=st.floats(min_value=0, max_value=200), more=st.floats(min_value=0, max_value=100),
       start=st.floats(min_value=0, max_value=2 * NOW))  # fmt: skip
def test_more_usage_never_means_less_pause(percent: float, more: float, start: float) -> None:
    """The decision is monotonous in what the limits say, and never lets anybody go back in time."""
    last = Turn(start=start, due=start)
    calm = pause_before(Pace(), (used(percent),), last, NOW)
    tense = pause_before(Pace(), (used(percent + more),), last, NOW)
    assert 0.0 <= calm.pause <= tense.pause
    assert max(NOW, start) <= calm.start <= tense.start


def paced(*script: Response, pace: Pace | None = None) -> tuple[PacedTransport, ScriptedTransport, FakeTime]:
    time, transport = FakeTime(), ScriptedTransport(script)
    return PacedTransport(transport, pace, clock=time.clock, sleep=time.sleep), transport, time


def test_a_transport_learns_from_the_answers() -> None:
    """No pause before Meta says anything, a wide one after it said 90 percent, none once the figures are low again."""
    transport, inner, time = paced(UPLOADED, UPLOADED, says(90), says(90), says(5), UPLOADED, UPLOADED)
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


def test_a_pause_that_is_too_long_is_an_error_that_says_when() -> None:
    """Nothing is sent, nobody sleeps for 19 minutes; the policy and the host see how long to stay away."""
    transport, inner, time = paced(says(100, minutes=19))
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
    """The figures are the API's."""
    pacer = Pacer(Pace(calls_per_hour=1), clock=lambda: NOW)
    assert pacer.before(ASKED).pause == 0.0
    file = Request(method="GET", url="https://cdn.example/f", operation="download_flow_json", authenticated=False)
    assert pacer.before(file).pause == 0.0
    with pytest.raises(RateLimitedError):
        pacer.before(ASKED)


def test_threads_share_one_queue() -> None:
    """Sixteen threads that come at once leave one after the other, each pause taken once."""
    pacer = Pacer(Pace(calls_per_hour=3600, max_pause=1000), clock=lambda: NOW)
    with ThreadPoolExecutor(16) as pool:
        pauses = list(pool.map(lambda _: pacer.before(ASKED).pause, range(160)))
    assert Counter(pauses) == Counter(float(number) for number in range(160))


def test_tasks_share_one_queue() -> None:
    """The same for asyncio: tasks wait side by side, in their turn."""

    class Inner:
        def __init__(self) -> None:
            self.closed = False

        async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
            return says(5)

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
def test_turns_that_are_given_back_delay_nobody(order: str) -> None:
    """In whatever order: sixty calls that are not made after all leave the queue as it was before them."""
    pacer = Pacer(Pace(calls_per_hour=3600), clock=lambda: NOW)
    pacer.before(ASKED)
    turns = [pacer.before(ASKED) for _ in range(60)]
    assert turns[-1].pause == 60.0
    for number in ORDERS[order](60):
        pacer.give_back(turns[number])
    assert pacer.before(ASKED).pause == 1.0


def test_a_turn_that_is_given_back_goes_to_the_next() -> None:
    """Who is waiting already keeps his own; a turn is given back once, and not after it has begun."""
    now = [NOW]
    pacer = Pacer(Pace(calls_per_hour=3600), clock=lambda: now[0])
    turns = [pacer.before(ASKED) for _ in range(4)]
    pacer.give_back(turns[0])  # it has begun
    pacer.give_back(turns[1])
    pacer.give_back(turns[1])
    assert [pacer.before(ASKED).pause for _ in range(2)] == [1.0, 4.0]
    pacer.give_back(turns[2])
    now[0] += 2.5
    assert pacer.before(ASKED).pause == 2.5  # after the last: the turn that was free has passed


def test_a_free_turn_is_not_taken_in_a_lock_out() -> None:
    """What Meta said since counts for it too."""
    pacer = Pacer(Pace(calls_per_hour=3600, max_pause=1000), clock=lambda: NOW)
    turns = [pacer.before(ASKED) for _ in range(4)]
    pacer.give_back(turns[1])
    pacer.after(says(100, minutes=1))
    assert pacer.before(ASKED).pause == 3.0 + 432.0


class Gate:
    """An inner transport for both, that counts."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        self.sent += 1
        return says(5)

    def close(self) -> None:
        """Nothing to close."""


class AsyncGate(Gate):
    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:  # type: ignore[override]
        return super().send(request, timeout=timeout)

    async def aclose(self) -> None:
        """Nothing to close."""


def test_cancelled_tasks_delay_nobody() -> None:
    """Sixty that are cancelled in their pause, and the next leaves as if they had never come."""

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
def test_an_interrupted_pause_delays_nobody(ends: type[BaseException]) -> None:
    """What a signal handler or a `sleep` of the host's raises comes out, and the turn is free again."""
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
    """`sleep=stop.wait` says True when it is stopped: the request is not sent, and its turn is free again."""
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


def test_a_pause_is_a_part_of_the_calls_time() -> None:
    """One that is longer than the call has left is not made; after another, the request has the rest."""
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
def test_a_budget_is_never_passed_though_turns_are_given_back(
    rate: float, burst: int, steps: Iterable[tuple[float, int]]
) -> None:
    """Turns that are given back and taken again make no hour fuller; no two have the same place."""
    now = 0.0
    pacer = Pacer(Pace(calls_per_hour=rate, burst=burst, max_pause=1e9), clock=lambda: now)
    waiting: list[Turn] = []
    sent: list[float] = []
    for gap, given_back in steps:
        now += gap
        sent += [turn.start for turn in waiting if turn.start <= now]
        waiting = [turn for turn in waiting if turn.start > now]
        if 0 <= given_back < len(waiting):
            pacer.give_back(waiting.pop(given_back))
        else:
            waiting.append(pacer.before(ASKED))
    sent += [turn.start for turn in waiting]
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
    """Whatever it says: a day at most for who reads `retry_after`, an hour for who is paced."""
    refused = answer({"error": {"code": 80008, "message": "too many"}}, 429, headers=header)
    time, inner = FakeTime(), ScriptedTransport([refused, UPLOADED])
    client = FlowsClient(TOKEN, WABA, transport=PacedTransport(inner, clock=time.clock, sleep=time.sleep))
    with pytest.raises(RateLimitedError) as caught:
        client.update_flow_json(FLOW, b"{}", max_retries=1)
    assert caught.value.retry_after == 24 * 3600.0
    time.now += 3600
    assert client.update_flow_json(FLOW, b"{}", max_retries=1).success


def test_the_limit_is_not_run_into() -> None:
    """Against the emulator's quota of 50 an hour: without a pace all calls after it are refused, with one none is."""

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
def test_a_pace_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    """Before the first call."""
    with pytest.raises(ConfigurationError):
        Pace(**options)


def test_a_transport_must_send() -> None:
    """A session in its place is the likely mistake."""
    thing: Any = object()
    with pytest.raises(ConfigurationError, match="RequestsTransport"):
        PacedTransport(thing)
