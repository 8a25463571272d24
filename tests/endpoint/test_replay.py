"""Equal requests get equal answers: the replay guard, in memory or the host's own, and requests in progress."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endpoint.exchanges import DRIVERS, PING, Receive, areceive, ask, endpoint, receive, recording, seal
from tests.forks import in_a_child, needs_fork
from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import Answer, FlowRequest, HttpAnswer, InvalidToken, RecentAnswers, ReplayGuard

both_drivers = pytest.mark.parametrize("receive", DRIVERS, ids=lambda it: it.__name__)
PATIENCE = 30.0


class Clock:
    """A clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def answer(size: int = 10, outcome: Any = "answered") -> HttpAnswer:
    return HttpAnswer(200, {"Content-Type": "text/plain"}, b"x" * size, outcome)


class Store:
    """A host's own guard, as a shared cache would be: it keeps pickles."""

    def __init__(self, fails: str = "") -> None:
        self.kept: dict[str, bytes] = {}
        self.fails = fails
        self.asked: list[str] = []

    def get(self, key: str, /) -> HttpAnswer | None:
        self.asked.append(key)
        if "get" in self.fails:
            raise ConnectionError("the cache is down")
        found: HttpAnswer | None = pickle.loads(self.kept[key]) if key in self.kept else None
        return found

    def put(self, key: str, answer: HttpAnswer, /) -> None:
        if "put" in self.fails:
            raise ConnectionError("the cache is down")
        self.kept[key] = pickle.dumps(answer)


@both_drivers
@pytest.mark.parametrize("guard", [RecentAnswers, Store])
def test_equal_bytes_get_the_equal_answer(receive: Receive, guard: type[ReplayGuard]) -> None:
    """The handler runs once; without a guard it runs again, since nothing remembers the first answer."""
    sent = ask()
    for kept_by, calls in ((guard(), 1), (None, 2)):
        target = endpoint(replay=kept_by)
        got = recording(target)
        answers = [receive(target, sent) for _ in range(2)]
        assert answers[0] == answers[1]
        assert answers[0].outcome == "answered"
        assert len(got) == calls


@both_drivers
def test_a_person_who_tries_again_is_a_new_request(receive: Receive) -> None:
    """The same content under another key."""
    target = endpoint(replay=RecentAnswers())
    got = recording(target)
    assert receive(target, ask()) != receive(target, ask())
    assert len(got) == 2


def test_which_answers_are_kept() -> None:
    """Those that seal a text of the host's; a failure may be better the next time, and a ping is always the same."""
    guard = RecentAnswers()
    target = endpoint(replay=guard)

    @target.init
    def refuses(request: FlowRequest) -> Answer:
        raise InvalidToken("expired")

    @target.data_exchange("CHOOSE")
    def fails(request: FlowRequest) -> Answer:
        raise LookupError

    target.data_exchange("DETAILS")(lambda request: request.close())
    for sent, kept in [
        (seal(PING), 0),
        (seal(PING, key=1), 0),
        (ask(), 0),
        (ask("BACK"), 0),
        (ask("INIT", ""), 1),
        (ask(screen="DETAILS"), 2),
        (ask(data={"error": "timeout_error"}), 2),
    ]:
        first = receive(target, sent)
        assert (len(guard), receive(target, sent)) == (kept, first)


def test_a_request_is_known_by_what_is_encrypted() -> None:
    """Another JSON text with the same key and nonce is the same request, also in base64 that a decoder reads alike."""
    target = endpoint(replay=RecentAnswers())
    got = recording(target)
    sent = ask()
    first = receive(target, sent)
    envelope = json.loads(sent.body)
    vector = envelope["initial_vector"]
    same = vector[:-3] + chr(ord(vector[-3]) + 1) + vector[-2:]
    assert b64decode(same, validate=True) == b64decode(vector)
    for changed in (dict(reversed(envelope.items())), {**envelope, "more": 1}, {**envelope, "initial_vector": same}):
        again = replace(sent, body=json.dumps(changed, indent=2).encode()).signed()
        assert receive(target, again) == first
    assert len(got) == 1


def test_the_key_is_a_digest() -> None:
    """Of the encrypted request; a guard holds nothing that can be read."""
    store = Store()
    target = endpoint(replay=store)
    recording(target)
    sent = ask(data={"name": "Zoë Zeppelin"})
    receive(target, sent)
    assert [len(key) for key in store.kept] == [64]
    assert not any(b"Zeppelin" in value or sent.aes_key in value for value in store.kept.values())


@both_drivers
@pytest.mark.parametrize("fails", ["get", "put", "get put"])
def test_a_guard_that_fails_is_passed_over(receive: Receive, fails: str, caplog: pytest.LogCaptureFixture) -> None:
    """A request is rather answered than lost; each failure is logged."""
    target = endpoint(replay=Store(fails))
    recording(target)
    assert receive(target, ask()).outcome == "answered"
    assert caplog.text.count("of the replay guard raised ConnectionError in ") == len(fails.split())
    assert "the cache is down" not in caplog.text


class Refuses:
    """A guard that no request may ask."""

    def get(self, key: str, /) -> HttpAnswer | None:
        raise AssertionError("asked")

    def put(self, key: str, answer: HttpAnswer, /) -> HttpAnswer | None:
        raise AssertionError("asked")


@both_drivers
def test_a_guard_is_not_asked_for_a_ping_or_an_error_notification(
    receive: Receive, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that is down does not make the health check fail, nor slow."""
    target = endpoint(replay=Refuses())
    target.on_error(lambda request: None)
    assert receive(target, seal(PING)).outcome == "ping"
    assert receive(target, ask(data={"error": "timeout_error"})).outcome == "error-notified"
    assert receive(target, seal(PING, key=1)).outcome == "not-decrypted"
    assert "replay guard" not in caplog.text


class Hangs:
    """A store that does not answer, until the test ends."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def get(self, key: str, /) -> HttpAnswer | None:
        assert self.release.wait(PATIENCE)
        return None

    def put(self, key: str, answer: HttpAnswer, /) -> HttpAnswer | None:
        return self.get(key)


class HangsAsynchronously:
    """The same, asynchronous."""

    def __init__(self) -> None:
        self.release = threading.Event()

    async def get(self, key: str, /) -> HttpAnswer | None:
        await asyncio.sleep(PATIENCE)
        return None

    async def put(self, key: str, answer: HttpAnswer, /) -> HttpAnswer | None:
        return await self.get(key)


@pytest.mark.parametrize(("receive", "hangs"), [(receive, Hangs), (areceive, Hangs), (areceive, HangsAsynchronously)])
def test_a_store_that_hangs_costs_the_guard_and_not_the_answer(
    receive: Receive, hangs: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its calls have a time of their own, and threads of their own: requests go on when it keeps all of them."""
    store = hangs()
    target = endpoint(replay=store, time_limit=0.6, max_threads=2)
    recording(target)
    for _ in range(3):
        assert receive(target, ask()).outcome == "answered"
    assert caplog.text.count("of the replay guard failed: it took too long") == 6
    store.release.set()


def test_an_answer_that_was_kept_has_an_event_with_its_action() -> None:
    """The request was opened, and no handler was called."""
    events: list[Any] = []
    target, sent = endpoint(replay=RecentAnswers(), on_event=events.append), ask()
    recording(target)
    for _ in range(2):
        receive(target, sent)
    assert [(it.action, it.screen, it.key_index) for it in events] == [("data_exchange", "CHOOSE", 0)] * 2
    assert events[1].handler_duration is None


class Shared(Store):
    """A store that sets an answer only if there is none: `SET NX`."""

    def get(self, key: str, /) -> HttpAnswer | None:
        return None  # both processes ask before either has an answer

    def put(self, key: str, answer: HttpAnswer, /) -> HttpAnswer | None:  # type: ignore[override]
        kept = self.kept.setdefault(key, pickle.dumps(answer))
        found: HttpAnswer = pickle.loads(kept)
        return None if found == answer else found


@both_drivers
@pytest.mark.parametrize("guard", [RecentAnswers, Shared])
def test_processes_that_share_a_guard_send_one_answer(receive: Receive, guard: Any) -> None:
    """Both run the handler for equal requests; the answer that was kept first is sent by both."""
    kept_by, sent, calls = guard(), ask(), list[int]()
    if guard is RecentAnswers:
        kept_by.get = lambda key: None  # as if both had asked at the same time

    def handler(request: FlowRequest) -> Answer:
        calls.append(1)
        return request.show("CHOOSE", dates=[], count=len(calls))

    answers = []
    for _ in range(2):
        target = endpoint(replay=kept_by)
        target.fallback(handler)
        answers.append(receive(target, sent))
    assert answers[0] == answers[1]
    assert sent.opened(answers[1])["data"]["count"] == 1
    assert len(calls) == 2


# -- in progress


@pytest.mark.parametrize("guard", [RecentAnswers, Store])
def test_equal_requests_at_the_same_time_get_one_answer(guard: type[ReplayGuard]) -> None:
    """From threads and from event loops; the handler runs once."""
    target, began, release, calls = endpoint(replay=guard()), threading.Event(), threading.Event(), list[int]()

    @target.fallback
    def waits(request: FlowRequest) -> Answer:
        calls.append(1)
        began.set()
        assert release.wait(PATIENCE)
        return request.show("CHOOSE", dates=[], count=len(calls))

    sent = ask()
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(receive, target, sent)]
        assert began.wait(PATIENCE)
        waiting += [pool.submit(call, target, sent) for call in (receive, areceive, areceive, receive)]
        release.set()
        answers = [each.result(PATIENCE) for each in waiting]
    assert answers == answers[:1] * 5
    assert len(calls) == 1


@both_drivers
def test_who_waits_for_an_equal_request_waits_within_its_limit(receive: Receive) -> None:
    """Then it is too slow, as the first one is."""
    target, began, release = endpoint(replay=RecentAnswers(), time_limit=1.0), threading.Event(), threading.Event()

    @target.fallback
    def waits(request: FlowRequest) -> Answer:
        began.set()
        assert release.wait(PATIENCE)
        return request.close()

    sent = ask()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(receive, target, sent)
        assert began.wait(PATIENCE)
        assert receive(target, sent).outcome == "too-slow"
        assert first.result(PATIENCE).outcome == "too-slow"
    release.set()


@both_drivers
def test_who_has_less_time_left_than_the_first_gives_up_before_it(receive: Receive) -> None:
    """And leaves the first one alone."""
    main, looks, began, release = threading.current_thread(), iter((0.0, 8.95)), threading.Event(), threading.Event()

    def clock() -> float:
        return next(looks, 9.0) if threading.current_thread() is main else 0.0

    target = endpoint(replay=RecentAnswers(), time_limit=9.0, clock=clock)

    @target.fallback
    def waits(request: FlowRequest) -> Answer:
        began.set()
        assert release.wait(PATIENCE)
        return request.close()

    sent = ask()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(receive, target, sent)
        assert began.wait(PATIENCE)
        assert receive(target, sent).outcome == "too-slow"
        release.set()
        assert first.result(PATIENCE).outcome == "answered"


@both_drivers
@pytest.mark.parametrize("name", ["encrypted_aes_key", "encrypted_flow_data", "initial_vector"])
@pytest.mark.parametrize("text", ["", "A", "====", "\ud800", "é" * 8, "no base64!"])
def test_what_is_no_base64_is_refused_with_a_guard_too(receive: Receive, name: str, text: str) -> None:
    """It has a key as every request."""
    spoiled: dict[str, Any] = {name: text}
    sent = seal(PING, **spoiled)
    assert receive(endpoint(replay=RecentAnswers()), sent).outcome == "not-decrypted"


def test_a_request_that_is_given_up_leaves_its_place_to_the_next() -> None:
    """A client that has gone does not spoil the equal request that waits for its answer."""
    target, calls = endpoint(replay=RecentAnswers()), list[str]()

    @target.fallback
    async def handler(request: FlowRequest) -> Answer:
        calls.append(request.action)
        if len(calls) == 1:
            await asyncio.sleep(PATIENCE)
        return request.close()

    async def main() -> HttpAnswer:
        sent = ask()
        first = asyncio.ensure_future(target.areceive(sent.body, sent.headers))
        while not calls:
            await asyncio.sleep(0)
        second = asyncio.ensure_future(target.areceive(sent.body, sent.headers))
        third = asyncio.ensure_future(target.areceive(sent.body, sent.headers))
        await asyncio.sleep(0)
        third.cancel()  # who waits may go too, and cancels nobody else
        first.cancel()
        answer = await second
        assert (await asyncio.gather(first, third, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        return answer

    assert asyncio.run(main()).outcome == "answered"
    assert len(calls) == 2


@needs_fork
@pytest.mark.slow
def test_a_forked_child_does_not_wait_for_a_request_of_its_parent() -> None:
    """Its thread does not exist there; the answers that are kept do."""
    target, began, release = endpoint(replay=RecentAnswers()), threading.Event(), threading.Event()

    @target.init
    def waits(request: FlowRequest) -> Answer:
        began.set()
        assert release.is_set() or release.wait(PATIENCE)
        return request.close()

    got = recording(target)
    kept, sent = ask(), ask("INIT", "")
    first = receive(target, kept)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(receive, target, sent)
        assert began.wait(PATIENCE)

        def work() -> tuple[bool, str, int]:
            release.set()
            return receive(target, kept) == first, receive(target, sent).outcome, len(got)

        assert in_a_child(work) == (True, "answered", 1)
        release.set()
        assert waiting.result(PATIENCE).outcome == "answered"


# -- RecentAnswers


def test_an_answer_is_kept_for_some_seconds() -> None:
    """From when it was put; the first one counts."""
    clock = Clock()
    guard = RecentAnswers(seconds=60, clock=clock)
    assert guard.put("a", answer(1)) is None
    assert guard.put("a", answer(2)) == answer(1)
    clock.now = 59.9
    assert guard.get("a") == answer(1)
    assert guard.get("b") is None
    clock.now = 60
    assert guard.put("a", answer(3)) is None
    clock.now = 120
    assert guard.get("a") is None
    assert len(guard) == 0


def test_the_number_and_the_bytes_of_answers_are_bounded() -> None:
    """The oldest give way; what is larger than all the room is not kept."""
    guard = RecentAnswers(most=3)
    for key in "abcde":
        guard.put(key, answer())
    assert [key for key in "abcde" if guard.get(key)] == ["c", "d", "e"]
    guard = RecentAnswers(max_bytes=10_000)
    for key in "abc":
        guard.put(key, answer(4_000))
    assert [key for key in "abc" if guard.get(key)] == ["b", "c"]
    guard.put("d", answer(10_001))
    assert [key for key in "abcd" if guard.get(key)] == ["b", "c"]
    assert repr(guard) == "RecentAnswers(seconds=60, most=10000, answers=2)"


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3_000), st.floats(0, 10)), max_size=60))
def test_bounds_hold_whatever_is_put(steps: list[tuple[int, int, float]]) -> None:
    """And what is returned is what was put first, and is not too old."""
    clock = Clock()
    guard, first = RecentAnswers(30, 5, max_bytes=9_000, clock=clock), dict[str, tuple[float, HttpAnswer]]()
    for number, size, passed in steps:
        clock.now += passed
        key = str(number)
        if (found := guard.get(key)) is not None:
            put_at, expected = first[key]
            assert found == expected
            assert clock.now < put_at + 30
        else:
            first[key] = clock.now, answer(size)
        guard.put(key, answer(size))
        assert len(guard) <= 5
        assert guard._bytes == sum(600 + len(kept.body) for _, kept in guard._answers.values()) <= 9_000


@pytest.mark.parametrize(
    "options", [{"seconds": 0}, {"seconds": float("inf")}, {"seconds": True}, {"most": 0}, {"max_bytes": -1}]
)
def test_a_bound_out_of_range_is_reported(options: dict[str, Any]) -> None:
    """At once."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        RecentAnswers(**options)


def test_threads_share_a_guard() -> None:
    """Nothing is lost, and the bounds hold."""
    guard = RecentAnswers(most=50)

    def work(number: int) -> None:
        for turn in range(200):
            guard.put(f"{number} {turn}", answer(turn))
            guard.get(f"{number} {turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(guard) == 50
