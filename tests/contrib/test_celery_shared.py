"""What workers share in a real Redis: the budget, the pause, the lease, the lock entries, the flows."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.contrib.conftest import free_port
from tests.support import UPLOADED, WABA, ScriptedTransport, valid_flow
from whatsapp_flows import ConfigurationError, FatalError, NotSentError, Request, Timeout
from whatsapp_flows.contrib._redis_state import (
    MAX_LOST_RUNS,
    BudgetExceededError,
    FlowLeasedError,
    SharedLock,
    SharedState,
)
from whatsapp_flows.contrib._request_budget import RequestBudget
from whatsapp_flows.sync import DesiredFlow, LockEntry

OTHER = "102290129340399"


def state(redis: Redis, **changes: Any) -> SharedState:
    return SharedState(
        redis, **{"rate": "5/hour", "prefix": "test", "guard_seconds": 30.0, "keep_flows": 60.0, **changes}
    )  # fmt: skip


def request(*, authenticated: bool = True) -> Request:
    return Request(
        method="GET", url="https://graph.facebook.com/v25.0/1", operation="get_flow", authenticated=authenticated
    )  # fmt: skip


def test_the_budget_is_one_for_all_workers(redis: Redis) -> None:
    """Concurrent workers do not exceed the budget; each account has its own."""
    workers = [state(redis) for _ in range(8)]

    def take(worker: SharedState) -> bool:
        try:
            worker.charge(WABA)
        except BudgetExceededError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, workers * 4)) == 5
    workers[0].charge(OTHER)
    with pytest.raises(BudgetExceededError) as refused:
        workers[1].charge(WABA)
    assert 3590 < (refused.value.retry_after or 0) <= 3600
    assert WABA in str(refused.value)


def test_a_budget_for_each_account(redis: Redis) -> None:
    """The rate may be a function: an account with a phone number has more."""
    shared = state(redis, rate=lambda account: "1/hour" if account == WABA else "2/hour")
    for account in (WABA, OTHER, OTHER):
        shared.charge(account)
    for account in (WABA, OTHER):
        with pytest.raises(BudgetExceededError):
            shared.charge(account)


def test_a_change_is_reserved_as_a_whole_or_not_at_all(redis: Redis) -> None:
    """A change without room for all its requests does not start, and checking the budget charges nothing."""
    shared = state(redis)
    shared.charge(WABA, 3)
    for _ in range(3):
        shared.check_budget(WABA, 2)
        with pytest.raises(BudgetExceededError):
            shared.check_budget(WABA, 3)
        with pytest.raises(BudgetExceededError):
            shared.charge(WABA, 3)
    shared.charge(WABA, 2)
    shared.check_budget(OTHER, 1000)  # more than there ever is: all of it will do


def test_a_pause_applies_to_all_workers(redis: Redis) -> None:
    """A pause that one worker sets applies to all."""
    state(redis).pause(WABA, 60.0)
    other = state(redis)
    asks: list[Callable[[], None]] = [lambda: other.charge(WABA), lambda: other.check_budget(WABA, 1)]
    for ask in asks:
        with pytest.raises(BudgetExceededError) as refused:
            ask()
        assert 59 < (refused.value.retry_after or 0) <= 60
    state(redis).charge(OTHER)


def test_a_budget_sends_what_was_reserved(redis: Redis) -> None:
    """Reserved requests are not charged again; a pause applies to them too, and downloads are not charged."""
    shared = state(redis)
    transport = ScriptedTransport([UPLOADED] * 7)
    with shared.leased(WABA, "Booking") as lease:
        budget = RequestBudget(shared, lease, WABA)
        budgeted = budget.around(transport)
        budget.reserve(3)
        shared.charge(WABA, 2)
        for _ in range(3):
            budgeted.send(request(), timeout=Timeout())
        with pytest.raises(BudgetExceededError):
            budgeted.send(request(), timeout=Timeout())
        budgeted.send(request(authenticated=False), timeout=Timeout())
    with state(redis, rate="9/hour").leased(WABA, "Booking") as lease:
        budget = RequestBudget(state(redis, rate="9/hour"), lease, WABA)
        budgeted = budget.around(transport)
        budget.reserve(1)
        shared.pause(WABA, 60.0)
        with pytest.raises(BudgetExceededError):
            budgeted.send(request(), timeout=Timeout())
        budgeted.close()
    assert len(transport.requests) == 4
    assert transport.closed


def test_a_flow_has_one_worker_at_a_time(redis: Redis) -> None:
    """A second delivery gets a `retry_after`; other flows and accounts are free."""
    shared = state(redis)
    with shared.leased(WABA, "Booking") as lease:
        lease.renew()
        with pytest.raises(FlowLeasedError) as refused, state(redis).leased(WABA, "Booking"):
            pytest.fail("two workers have the flow")
        assert refused.value.retry_after == 10.0  # it is looked at again long before its lease ends
        with shared.leased(WABA, "Other"), shared.leased(OTHER, "Booking"):
            pass
    with shared.leased(WABA, "Booking"):
        pass


def test_a_dead_workers_lease_ends(redis: Redis) -> None:
    """A slow worker sends nothing more once another worker holds the lease."""
    shared = state(redis, guard_seconds=0.05)
    transport = ScriptedTransport([UPLOADED])
    with shared.leased(WABA, "Booking") as slow:
        time.sleep(0.06)
        with shared.leased(WABA, "Booking") as other:
            other.renew()
            with pytest.raises(FlowLeasedError):
                RequestBudget(shared, slow, WABA).around(transport).send(request(), timeout=Timeout())
    assert transport.requests == []


def test_a_task_that_kills_its_workers_is_given_up(redis: Redis) -> None:
    """Runs that never ended are counted; a run that ends in any way resets the count."""
    shared = state(redis)
    for _ in range(2):
        with shared.counted_run("task"):
            redis.incrby("test:begun:task", MAX_LOST_RUNS - 1)
        assert not redis.exists("test:begun:task")
    redis.set("test:begun:task", MAX_LOST_RUNS)
    with shared.counted_run("task"):
        pass
    redis.set("test:begun:task", MAX_LOST_RUNS + 1)
    with pytest.raises(FatalError, match="given up"), shared.counted_run("task"):
        pytest.fail("it was tried again")


def test_flows_are_stored_by_their_digest(redis: Redis) -> None:
    """The same flow is stored once, and read unchanged."""
    shared = state(redis)
    flow = DesiredFlow.from_flow_json("booking", valid_flow(), name="Booking", publish=True)
    digest = shared.put_flow(flow)
    assert shared.put_flow(flow) == digest
    assert state(redis).get_flow(digest) == flow
    with Redis(port=redis.connection_pool.connection_kwargs["port"], decode_responses=True) as texts:
        assert state(texts).get_flow(digest) == flow
    assert len(redis.keys("test:flow:*")) == 1


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_flow_that_is_gone_or_changed_is_not_deployed(redis: Redis, damage: str) -> None:
    """An evicted key and an altered one are errors."""
    shared = state(redis)
    digest = shared.put_flow(DesiredFlow.from_flow_json("booking", valid_flow()))
    if damage == "gone":
        redis.flushall()
    else:
        redis.set(f"test:flow:{digest}", b"{}")
    with pytest.raises(ConfigurationError, match="noeviction"):
        shared.get_flow(digest)


def test_lock_entries_are_shared(redis: Redis) -> None:
    """An upload that one worker began is known to the next."""
    begun = LockEntry(id="1", name="Booking", digest="d", processed=False)
    first = SharedLock(state(redis), WABA, "booking")
    assert first.get("booking", "1") is None
    first.put({"booking": begun})
    assert SharedLock(state(redis), WABA, "booking").get("booking", "1") == begun
    assert SharedLock(state(redis), OTHER, "booking").get("booking", "1") is None
    first.put({"booking": None})
    assert SharedLock(state(redis), WABA, "booking").get("booking", "1") is None


def test_an_unavailable_redis_is_a_retryable_error() -> None:
    """Nothing was sent to Meta, so the error is retryable; it does not contain the server's address."""
    port = free_port()
    flow = DesiredFlow.from_flow_json("booking", valid_flow())
    with Redis(port=port, retry=Retry(NoBackoff(), 0)) as nobody:
        shared = state(nobody)
        calls: list[Callable[[], object]] = [
            lambda: shared.put_flow(flow),
            lambda: shared.get_flow("0"),
            lambda: shared.charge(WABA),
            lambda: shared.check_budget(WABA, 1),
            lambda: shared.pause(WABA, 1.0),
            lambda: ExitStack().enter_context(shared.counted_run("task")),
            lambda: shared.lock_entry(WABA, "booking"),
            lambda: shared.save_lock_entries(WABA, {"booking": None}),
            lambda: ExitStack().enter_context(shared.leased(WABA, "Booking")),
        ]
        for call in calls:
            with pytest.raises(NotSentError) as away:
                call()
            assert str(port) not in str(away.value)


@pytest.mark.parametrize("rate", ["often", "", "200"])
def test_a_rate_that_cannot_be_read_is_refused(redis: Redis, rate: str) -> None:
    """Before the first message is sent."""
    with pytest.raises(ConfigurationError, match="200/hour"):
        state(redis, rate=rate)


def test_threads_of_one_process_are_workers_too(redis: Redis) -> None:
    """A lease is not shared by the threads of a process."""
    shared = state(redis)
    refused = threading.Event()

    def second() -> None:
        try:
            with shared.leased(WABA, "Booking"):
                pass
        except FlowLeasedError:
            refused.set()

    with shared.leased(WABA, "Booking"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert refused.is_set()


def test_a_request_ends_before_the_lease_does(redis: Redis) -> None:
    """For any timeout of the client: after the lease, another worker might do the same."""
    shared = state(redis, guard_seconds=30.0)
    inner = ScriptedTransport([UPLOADED, UPLOADED])
    with shared.leased(WABA, "Booking") as lease:
        budgeted = RequestBudget(shared, lease, WABA).around(inner)
        budgeted.send(request(), timeout=Timeout(connect=5.0, read=300.0))
        budgeted.send(request(authenticated=False), timeout=Timeout(connect=5.0, read=5.0, total=9.0))
    assert [timeout.total for timeout in inner.timeouts] == [27.0, 9.0]
    assert inner.timeouts[0].read == 27.0


@pytest.mark.parametrize(("reported", "kept"), [(7.5, 7_500), (999_999_999.0, 86_400_000), (1e300, 86_400_000)])
def test_no_pause_is_longer_than_a_day(redis: Redis, reported: float, kept: int) -> None:
    """A `retry_after` of 32 years pauses for a day."""
    shared = state(redis)
    shared.pause(WABA, reported)
    left: Any = redis.pttl(f"test:pause:{WABA}")
    assert kept - 5_000 < left <= kept


def test_every_key_expires(redis: Redis) -> None:
    """Every key expires, if nothing is deployed any more."""
    shared = state(redis)
    flow = DesiredFlow.from_flow_json("booking", valid_flow("FIRST"))
    digest = shared.put_flow(flow)
    shared.set_target(WABA, {"booking": digest})
    shared.save_lock_entries(WABA, {"booking": LockEntry(id="1", name="Booking", digest="d")})
    shared.pause(WABA, 5.0)
    shared.charge(OTHER)
    keys: Any = redis.keys("*")
    with shared.counted_run("task"), shared.leased(WABA, "Booking"):
        keys += redis.keys("*")
        assert len(set(keys)) == 7
        for key in set(keys):
            left: Any = redis.ttl(key)
            assert 0 < left <= 90 * 86400


@pytest.mark.parametrize(
    "entry", ["{", "[]", '"x"', '{"id": "1"}', '{"id": 1, "name": "B"}', "[" * 10_000, "x" * 100_000, "\xff"]
)
def test_an_entry_that_cannot_be_read_is_none(redis: Redis, entry: str) -> None:
    """Of another version of this library, damaged, or far too large: it costs a download and nothing else."""
    redis.hset(f"test:lock:{WABA}", "booking", entry)
    assert state(redis).lock_entry(WABA, "booking") is None
    assert SharedLock(state(redis), WABA, "booking").get("booking", "1") is None


def test_a_flow_larger_than_any_is_not_read(redis: Redis) -> None:
    """A value that is larger than any flow is not loaded into the worker's memory."""
    shared = state(redis)
    digest = shared.put_flow(DesiredFlow.from_flow_json("booking", valid_flow("FIRST")))
    redis.setrange(f"test:flow:{digest}", 200 * 2**20, b"x")
    tracemalloc.start()
    try:
        with pytest.raises(ConfigurationError, match="no longer in Redis"):
            shared.get_flow(digest)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("seconds", [0, -1.0, float("inf"), float("nan"), True, "60", 10**400])
def test_times_that_cannot_be_kept_are_refused(seconds: Any) -> None:
    """Before anything is asked of Redis."""
    for name in ("guard_seconds", "keep_flows"):
        with pytest.raises(ConfigurationError, match=name):
            state(Redis(port=free_port()), **{name: seconds})
