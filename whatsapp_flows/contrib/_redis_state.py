"""
The state that all workers share in Redis: each account's budget, pause and lock entries, the flows and their leases.

Rule 1: nothing here waits. What would have to wait raises an error whose `retry_after` says for how long.
Rule 2: all but the flows may be lost. The budget saves calls that Meta would reject, and the leases save duplicate
        work; the flows stay correct because the engine reads the current state before it writes.
Rule 3: no token is stored.
Rule 4: every key expires, and values larger than this module writes are not read: Redis may have other users.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis, RedisError
from redis.exceptions import LockError
from redis.lock import Lock as RedisLock

from .._json import compact_json
from .._wire import short_repr
from ..errors import ConfigurationError, ErrorDetails, FatalError, NotSentError, RateLimitedError, RetryableError
from ..sync import DesiredFlow, LiveVersion, Lock, LockEntry, OldDocuments, digest_of
from ..usage import MAX_HINT_SECONDS

_MAX_LEASE_WAIT: Final = 10.0  # seconds; most workers need a flow for less
_DAY: Final = 86400  # seconds
MAX_LOST_RUNS: Final = 10  # generous: an update of the workers themselves also ends some
_MIN_WAIT: Final = 0.05  # seconds; the clocks of two machines differ by more
_MAX_RETENTION: Final = 366 * _DAY  # seconds
_ENTRY_RETENTION: Final = 90 * _DAY  # seconds without a deployment; a lost entry costs a download
_MAX_FLOW_BYTES: Final = 64 * 1024 * 1024  # a Flow JSON of 10 MB, Meta's limit, with each character escaped in JSON
_MAX_ENTRY_BYTES: Final = 64 * 1024
_LEASE_SHARE: Final = 0.9  # of the lease: a request ends before the lease does, which is renewed before each


class BudgetExceededError(RateLimitedError):
    """Nothing was sent: the account's budget is used up, or paused at Meta's request. See `retry_after`."""


class FlowLeasedError(RetryableError):
    """Nothing more was sent: another worker holds the lease of this flow. See `retry_after`."""


class SharedState:
    """
    The state of all workers of one application. Every method raises `NotSentError` when Redis cannot be reached.

    `rate` is in the notation of limits ("200/hour"), or a function from an account to that. A lease that is not
    renewed ends after `guard_seconds`; a flow is kept for `keep_flows` seconds.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        rate: str | Callable[[str], str],
        prefix: str,
        guard_seconds: float,
        keep_flows: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._rate = rate
        self._prefix = prefix
        self._guard_seconds = guard_seconds
        self._keep_flows = keep_flows
        self._clock = clock
        for name, value, limit in (("guard_seconds", guard_seconds, _DAY), ("keep_flows", keep_flows, _MAX_RETENTION)):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value <= limit:
                raise ConfigurationError(f"{name} must be a number of seconds above 0, at most {limit}.")
        if isinstance(rate, str):
            _parse_rate(rate)
        # An exact rolling window, as Meta counts; limits checks and adds in one Lua script.
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=prefix)
        self._limiter = MovingWindowRateLimiter(storage)

    # Flows, by digest, so that a message to each of a thousand accounts need not carry the same Flow JSON

    def put_flow(self, flow: DesiredFlow) -> str:
        """Store a flow; returns the digest that `get_flow` takes."""
        content = compact_json(flow.to_json(), sort_keys=True).encode()
        digest = hashlib.sha256(content).hexdigest()
        with _redis_errors():
            self._redis.set(self._key("flow", digest), content, px=_milliseconds(self._keep_flows))
        return digest

    def get_flow(self, digest: str) -> DesiredFlow:
        """A stored flow. Raises `ConfigurationError` when it is gone or was altered."""
        content = self._bounded_value(self._key("flow", digest))
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            raise ConfigurationError(
                "the flow is no longer in Redis: it was kept too short (keep_flows), or Redis evicts keys "
                "(maxmemory-policy must be noeviction). Deploy it again."
            )
        return DesiredFlow.from_json(json.loads(content))

    # The current targets: a task that has waited for hours must not undo a later deployment

    def set_target(self, account: str, digests: Mapping[str, str]) -> None:
        """Set which version of each flow, by key, the account should have. It replaces the target of these flows."""
        mapping: dict[Any, Any] = dict(digests)
        key = self._key("wanted", account)
        with _redis_errors():
            self._redis.hset(key, mapping=mapping)
            self._redis.pexpire(key, _milliseconds(self._keep_flows))  # the flows themselves expire by then

    def raise_if_superseded(self, account: str, key: str, digest: str) -> None:
        """Raise `FatalError` when a later deployment has set another version of the flow as the target."""
        with _redis_errors():
            target = self._hash_field(self._key("wanted", account), key)
        if target and target not in (digest, digest.encode()):
            raise FatalError("superseded: a later deployment wants another version of this flow.")

    # Lock entries: what was uploaded

    def lock_entry(self, account: str, key: str) -> LockEntry | None:
        """The lock entry of a flow."""
        with _redis_errors():
            stored = self._hash_field(self._key("lock", account), key)
        try:
            return LockEntry.from_json(json.loads(stored)) if stored else None
        except (ValueError, RecursionError):
            return None  # damaged, or written by something else

    def save_lock_entries(self, account: str, entries: Mapping[str, LockEntry | None]) -> None:
        """Store lock entries by key; delete those that are None."""
        with _redis_errors():
            for key, entry in entries.items():
                if entry is None:
                    self._redis.hdel(self._key("lock", account), key)
                else:
                    self._redis.hset(self._key("lock", account), key, json.dumps(entry.to_json()))
            self._redis.expire(self._key("lock", account), _ENTRY_RETENTION)

    def _hash_field(self, key: str, name: str) -> Any:
        """A field of a hash; None if it does not exist, or is larger than what this module writes."""
        length: Any = self._redis.hstrlen(key, name)
        return self._redis.hget(key, name) if 0 < length <= _MAX_ENTRY_BYTES else None

    def _bounded_value(self, key: str) -> bytes | None:
        """A value; None if it does not exist, or is larger than what this module writes."""
        with _redis_errors():
            length: Any = self._redis.strlen(key)
            content: Any = self._redis.get(key) if 0 < length <= _MAX_FLOW_BYTES else None
        return content.encode() if isinstance(content, str) else content

    # The Flow JSONs of live flows while these are being changed

    def save_old_document(self, account: str, key: str, flow_id: str, content: bytes) -> None:
        """Store the Flow JSON of a live flow, until the flow is live again."""
        with _redis_errors():
            self._redis.set(self._key("old", account, key, flow_id), content, ex=_ENTRY_RETENTION)

    def find_old_document(self, account: str, key: str, flow_id: str) -> bytes | None:
        """The stored Flow JSON of a live flow."""
        return self._bounded_value(self._key("old", account, key, flow_id))

    def delete_old_document(self, account: str, key: str, flow_id: str) -> None:
        """Delete the stored Flow JSON."""
        with _redis_errors():
            self._redis.delete(self._key("old", account, key, flow_id))

    # The budget of an account

    def check_budget(self, account: str, calls: int) -> None:
        """Raise `BudgetExceededError` unless the budget has room for that many requests. Charges nothing."""
        limit = self._limit(account)
        with _redis_errors():
            free = self._limiter.test(limit, account, cost=min(calls, limit.amount))
            wait = max(0.0 if free else self._until_reset(limit, account), self._pause_left(account))
        if wait:
            raise _budget_exceeded(account, wait)

    def charge(self, account: str, calls: int = 1) -> None:
        """Charge that many requests to the budget (at most the whole budget), or raise `BudgetExceededError`."""
        limit = self._limit(account)
        with _redis_errors():
            wait = self._pause_left(account)
            if not wait and not self._limiter.hit(limit, account, cost=min(calls, limit.amount)):
                wait = self._until_reset(limit, account)
        if wait:
            raise _budget_exceeded(account, wait)

    def raise_if_paused(self, account: str) -> None:
        """Raise `BudgetExceededError` while an account is paused."""
        with _redis_errors():
            wait = self._pause_left(account)
        if wait:
            raise _budget_exceeded(account, wait)

    def pause(self, account: str, seconds: float) -> None:
        """Pause an account for as long as Meta asked for, at most a day."""
        with _redis_errors():
            self._redis.set(self._key("pause", account), "1", px=_milliseconds(min(seconds, MAX_HINT_SECONDS)))

    def _limit(self, account: str) -> RateLimitItem:
        return _parse_rate(self._rate if isinstance(self._rate, str) else self._rate(account))

    def _until_reset(self, limit: RateLimitItem, account: str) -> float:
        """Seconds until the oldest request leaves the window."""
        reset: float = self._limiter.get_window_stats(limit, account).reset_time
        return max(reset - self._clock(), _MIN_WAIT)

    def _pause_left(self, account: str) -> float:
        left: Any = self._redis.pttl(self._key("pause", account))
        return float(max(left, 0)) / 1000  # negative: no such key

    # The runs of a task

    @contextmanager
    def counted_run(self, task_id: str) -> Iterator[None]:
        """
        One run of a task. Raises `FatalError` when too many earlier runs have begun and never ended.

        The broker redelivers a message whose worker was killed; the count ends a message that kills every worker.
        """
        key = self._key("begun", task_id)
        with _redis_errors():
            begun: Any = self._redis.incr(key)
            self._redis.expire(key, _DAY)
        try:
            if begun > MAX_LOST_RUNS + 1:
                raise FatalError(f"given up: {MAX_LOST_RUNS} workers ended in the middle of this task.")
            yield
        finally:
            with suppress(RedisError):
                self._redis.delete(key)

    # The lease of a flow

    @contextmanager
    def leased(self, account: str, name: str) -> Iterator[FlowLease]:
        """Hold the lease of a flow inside the block. Raises `FlowLeasedError` when another worker holds it."""
        key = self._key("guard", account, name)
        lock = self._redis.lock(key, timeout=self._guard_seconds, blocking=False, thread_local=False)
        with _redis_errors():
            if not lock.acquire():
                left: Any = self._redis.pttl(key)
                raise _flow_leased(min(max(left / 1000, _MIN_WAIT), _MAX_LEASE_WAIT))
        try:
            yield FlowLease(lock, self._guard_seconds)
        finally:
            with suppress(LockError, RedisError):  # it has expired, or will
                lock.release()

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, *parts))


class SharedLock(Lock):
    """
    The lock entry of one flow, in Redis.

    It records above all an upload without a response, and one that Meta saved without processing it: the next run
    uploads again, on whichever worker.
    """

    def __init__(self, state: SharedState, account: str, key: str) -> None:
        super().__init__(None, account_id=account)
        self._state, self._account = state, account
        entry = state.lock_entry(account, key)
        if entry is not None:
            super().put({key: entry})

    def put(self, entries: Mapping[str, LockEntry | None]) -> None:
        """Store entries by key; delete those that are None."""
        super().put(entries)
        self._state.save_lock_entries(self._account, entries)


class SharedDocuments(OldDocuments):
    """The Flow JSONs of an account's live flows, in Redis: any worker can restore one."""

    def __init__(self, state: SharedState, account: str) -> None:
        self._state, self._account = state, account

    def keep(self, key: str, version: LiveVersion) -> None:
        """Store one. Raises `NotSentError` when Redis cannot be reached; the flow is then left as it is."""
        self._state.save_old_document(self._account, key, version.flow_id, version.content)

    def find(self, key: str, flow_id: str) -> bytes | None:
        """The Flow JSON that an earlier run stored, and ended before restoring it."""
        content = self._state.find_old_document(self._account, key, flow_id)
        return content if content is not None and digest_of(content) is not None else None

    def discard(self, key: str, flow_id: str) -> None:
        """Delete one, since the flow is live. If that fails, a later run finds the flow live and ignores it."""
        with suppress(NotSentError):
            self._state.delete_old_document(self._account, key, flow_id)


class FlowLease:
    """The exclusive right to change one flow, which ends unless it is renewed."""

    def __init__(self, lock: RedisLock, seconds: float) -> None:
        self._lock, self._seconds = lock, seconds

    def renew(self) -> float:
        """
        Extend the lease to its full time; returns how many seconds a request may take now.

        Raises `FlowLeasedError` when it has expired.
        """
        try:
            with _redis_errors():
                self._lock.reacquire()
        except LockError:
            raise _flow_leased(_MIN_WAIT) from None
        return self._seconds * _LEASE_SHARE


@contextmanager
def _redis_errors() -> Iterator[None]:
    """Raise `NotSentError`, which is retryable, when Redis does not respond: nothing was sent to Meta."""
    try:
        yield
    except LockError:
        raise
    except RedisError as error:
        kind = type(error).__name__  # its text may contain the address of the server
        raise NotSentError(f"nothing was sent: Redis could not be asked ({kind}).") from None


def _parse_rate(rate: str) -> RateLimitItem:
    try:
        return parse(rate)
    except (ValueError, TypeError):
        raise ConfigurationError(f'rate must be like "200/hour", not {short_repr(rate)}.') from None


def _budget_exceeded(account: str, wait: float) -> BudgetExceededError:
    message = f"not sent: the budget of account {account} leaves no room for {wait:.1f} s"
    return BudgetExceededError(ErrorDetails(message=message, retry_after=wait))


def _flow_leased(wait: float) -> FlowLeasedError:
    return FlowLeasedError(ErrorDetails(message="another worker has this flow", retry_after=wait))


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
