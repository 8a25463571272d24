"""
What all workers share in Redis: each account's budget, pauses and lock entries, a guard for each flow, the flows.

Rule 1: nothing here waits. What has to wait raises, and the error says for how long.
Rule 2: everything but the flows may be lost. The budget spares calls that Meta would refuse and the guard work that
        would be done twice; what keeps the flows right is that the engine looks before it writes.
Rule 3: no token comes here.
Rule 4: nothing is kept for ever, and what is read is no larger than what is written here: others use this Redis, too.
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

from .._wire import short_repr
from ..errors import ConfigurationError, ErrorDetails, FatalError, NotSentError, RateLimitedError, RetryableError
from ..sync import DesiredFlow, LiveVersion, Lock, LockEntry, OldDocuments, digest_of
from ..usage import LONGEST_HINT

_LOOK_AGAIN: Final = 10.0  # seconds; most workers need a flow for less
_DAY: Final = 86400  # seconds
MOST_LOSSES: Final = 10  # rather many: a deployment of the workers themselves kills some, too
_LEAST_WAIT: Final = 0.05  # seconds; the clocks of two machines do not agree to less
_LONGEST_KEPT: Final = 366 * _DAY  # seconds
_ENTRIES_KEPT: Final = 90 * _DAY  # seconds without a deployment; a lost entry costs a download
_FLOW_BYTES: Final = 64 * 1024 * 1024  # a Flow JSON of 10 MB, Meta's limit, each character escaped as JSON does
_ENTRY_BYTES: Final = 64 * 1024
_SHARE_OF_GUARD: Final = 0.9  # a request ends before the guard does, which is renewed before each


class NoRoomError(RateLimitedError):
    """Nothing was sent: the account's budget is spent, or Meta asked for a pause. `retry_after` says when to come."""


class GuardedError(RetryableError):
    """Nothing more was sent: another worker has this flow. `retry_after` says when to look again."""


class SharedState:
    """
    The state of all workers of one application. Every method raises `NotSentError` when Redis cannot be reached.

    `rate` is in the notation of limits ("200/hour"), or a function from an account to that. A guard that is not
    renewed ends after `guard_seconds`, a flow is kept for `keep_flows` seconds.
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
        for name, value, most in (("guard_seconds", guard_seconds, _DAY), ("keep_flows", keep_flows, _LONGEST_KEPT)):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value <= most:
                raise ConfigurationError(f"{name} must be a number of seconds above 0, at most {most}.")
        if isinstance(rate, str):
            _parsed(rate)
        # An exact rolling window, as Meta counts; limits adds and counts in one script of its own.
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=prefix)
        self._limiter = MovingWindowRateLimiter(storage)

    # Flows, by digest: a message that went to a thousand accounts would carry the same Flow JSON a thousand times

    def put(self, flow: DesiredFlow) -> str:
        """Keep a flow, and return what `get` finds it by."""
        content = json.dumps(flow.to_json(), sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.sha256(content).hexdigest()
        with _reached():
            self._redis.set(self._key("flow", digest), content, px=_milliseconds(self._keep_flows))
        return digest

    def get(self, digest: str) -> DesiredFlow:
        """The flow that was kept. Raises `ConfigurationError` when it is gone, or is not what was put there."""
        with _reached():
            length: Any = self._redis.strlen(self._key("flow", digest))
            content: Any = self._redis.get(self._key("flow", digest)) if 0 < length <= _FLOW_BYTES else None
        content = content.encode() if isinstance(content, str) else content
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            raise ConfigurationError(
                "the flow is no longer in Redis: it was kept too short (keep_flows), or Redis evicts keys "
                "(maxmemory-policy must be noeviction). Deploy it again."
            )
        return DesiredFlow.from_json(json.loads(content))

    # What is wanted now: a task that has waited for hours must not undo a later deployment

    def want(self, account: str, digests: Mapping[str, str]) -> None:
        """From now on the account is to have these flows, by key; an earlier wish for one of them ends."""
        mapping: dict[Any, Any] = dict(digests)
        key = self._key("wanted", account)
        with _reached():
            self._redis.hset(key, mapping=mapping)
            self._redis.pexpire(key, _milliseconds(self._keep_flows))  # the flows themselves are gone by then

    def raise_if_superseded(self, account: str, key: str, digest: str) -> None:
        """Raise `FatalError` when a later deployment wants another version of the flow."""
        with _reached():
            said = self._field(self._key("wanted", account), key)
        if said and said not in (digest, digest.encode()):
            raise FatalError("superseded: a later deployment wants another version of this flow.")

    # What was uploaded: the entries of a lock file

    def entry(self, account: str, key: str) -> LockEntry | None:
        """What is remembered of one flow."""
        with _reached():
            said = self._field(self._key("lock", account), key)
        try:
            return LockEntry.from_json(json.loads(said)) if said else None
        except (ValueError, RecursionError):
            return None  # damaged, or somebody else's

    def remember(self, account: str, entries: Mapping[str, LockEntry | None]) -> None:
        """Remember entries, by key, and forget those that are None."""
        with _reached():
            for key, entry in entries.items():
                if entry is None:
                    self._redis.hdel(self._key("lock", account), key)
                else:
                    self._redis.hset(self._key("lock", account), key, json.dumps(entry.to_json()))
            self._redis.expire(self._key("lock", account), _ENTRIES_KEPT)

    def _field(self, key: str, name: str) -> Any:
        """A field of a hash; None if it is not there, or too large to be ours."""
        length: Any = self._redis.hstrlen(key, name)
        return self._redis.hget(key, name) if 0 < length <= _ENTRY_BYTES else None

    # The Flow JSONs of live flows while these are changed

    def keep_old(self, account: str, key: str, flow_id: str, content: bytes) -> None:
        """Keep the Flow JSON that a live flow has, until it is live again."""
        with _reached():
            self._redis.set(self._key("old", account, key, flow_id), content, ex=_ENTRIES_KEPT)

    def find_old(self, account: str, key: str, flow_id: str) -> bytes | None:
        """The one that was kept; None if there is none, or what is there is too large to be one."""
        name = self._key("old", account, key, flow_id)
        with _reached():
            length: Any = self._redis.strlen(name)
            content: Any = self._redis.get(name) if 0 < length <= _FLOW_BYTES else None
        return content.encode() if isinstance(content, str) else content

    def discard_old(self, account: str, key: str, flow_id: str) -> None:
        """It is no longer needed."""
        with _reached():
            self._redis.delete(self._key("old", account, key, flow_id))

    # The budget of an account

    def require(self, account: str, calls: int) -> None:
        """Raise `NoRoomError` unless so many requests may leave now. Takes nothing."""
        limit = self._limit(account)
        with _reached():
            free = self._limiter.test(limit, account, cost=min(calls, limit.amount))
            wait = max(0.0 if free else self._reset(limit, account), self._paused(account))
        if wait:
            raise _no_room(account, wait)

    def take(self, account: str, calls: int = 1) -> None:
        """Take so many requests out of the budget (at most all that it ever has), or raise `NoRoomError`."""
        limit = self._limit(account)
        with _reached():
            wait = self._paused(account)
            if not wait and not self._limiter.hit(limit, account, cost=min(calls, limit.amount)):
                wait = self._reset(limit, account)
        if wait:
            raise _no_room(account, wait)

    def raise_if_paused(self, account: str) -> None:
        """Raise `NoRoomError` while nothing may leave for an account."""
        with _reached():
            wait = self._paused(account)
        if wait:
            raise _no_room(account, wait)

    def pause(self, account: str, seconds: float) -> None:
        """Let nothing more leave for an account: Meta said when to come back. No hint is believed beyond a day."""
        with _reached():
            self._redis.set(self._key("pause", account), "1", px=_milliseconds(min(seconds, LONGEST_HINT)))

    def _limit(self, account: str) -> RateLimitItem:
        return _parsed(self._rate if isinstance(self._rate, str) else self._rate(account))

    def _reset(self, limit: RateLimitItem, account: str) -> float:
        """Seconds until the oldest request falls out of the window."""
        reset: float = self._limiter.get_window_stats(limit, account).reset_time
        return max(reset - self._clock(), _LEAST_WAIT)

    def _paused(self, account: str) -> float:
        left: Any = self._redis.pttl(self._key("pause", account))
        return float(max(left, 0)) / 1000  # negative: there is none

    # The tries of a task

    @contextmanager
    def counted(self, task_id: str) -> Iterator[None]:
        """
        A try of a task. Raises `FatalError` when too many before it have begun and never ended.

        A message that kills its worker is given back each time; some day it has to end.
        """
        key = self._key("begun", task_id)
        with _reached():
            begun: Any = self._redis.incr(key)
            self._redis.expire(key, _DAY)
        try:
            if begun > MOST_LOSSES + 1:
                raise FatalError(f"given up: {MOST_LOSSES} workers ended in the middle of this task.")
            yield
        finally:
            with suppress(RedisError):
                self._redis.delete(key)

    # The guard of a flow

    @contextmanager
    def guarded(self, account: str, name: str) -> Iterator[Guard]:
        """This flow is ours until the block ends. Raises `GuardedError` when it is another worker's."""
        key = self._key("guard", account, name)
        lock = self._redis.lock(key, timeout=self._guard_seconds, blocking=False, thread_local=False)
        with _reached():
            if not lock.acquire():
                left: Any = self._redis.pttl(key)
                raise _guarded(min(max(left / 1000, _LEAST_WAIT), _LOOK_AGAIN))
        try:
            yield Guard(lock, self._guard_seconds)
        finally:
            with suppress(LockError, RedisError):  # it ended by itself, or will
                lock.release()

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, *parts))


class SharedLock(Lock):
    """
    The lock file's entry of one flow, in Redis.

    Above all it remembers an upload that was begun and not answered, or that Meta saved without processing it: the
    next try sends it again, by whichever worker.
    """

    def __init__(self, state: SharedState, account: str, key: str) -> None:
        super().__init__(None, account_id=account)
        self._state, self._account = state, account
        entry = state.entry(account, key)
        if entry is not None:
            super().put({key: entry})

    def put(self, entries: Mapping[str, LockEntry | None]) -> None:
        """Remember entries, by key, and forget those that are None."""
        super().put(entries)
        self._state.remember(self._account, entries)


class SharedDocuments(OldDocuments):
    """The Flow JSONs of an account's live flows in Redis: whichever worker comes next can put one back."""

    def __init__(self, state: SharedState, account: str) -> None:
        self._state, self._account = state, account

    def keep(self, key: str, version: LiveVersion) -> None:
        """Kept when this returns. Raises `NotSentError`, and the flow stays as it is, when Redis cannot be reached."""
        self._state.keep_old(self._account, key, version.flow_id, version.content)

    def find(self, key: str, flow_id: str) -> bytes | None:
        """What an earlier try kept of a flow, and did not live to put back."""
        content = self._state.find_old(self._account, key, flow_id)
        return content if content is not None and digest_of(content) is not None else None

    def discard(self, key: str, flow_id: str) -> None:
        """The flow is live. What cannot be discarded is the version that a later try would see live, and ends."""
        with suppress(NotSentError):
            self._state.discard_old(self._account, key, flow_id)


class Guard:
    """What `guarded` gives: shows that the flow is still ours, and keeps it so."""

    def __init__(self, lock: RedisLock, seconds: float) -> None:
        self._lock, self._seconds = lock, seconds

    def renew(self) -> float:
        """
        Hold it for its whole time again; returns how many seconds a request may take now.

        Raises `GuardedError` when it is not ours any more.
        """
        try:
            with _reached():
                self._lock.reacquire()
        except LockError:
            raise _guarded(_LEAST_WAIT) from None
        return self._seconds * _SHARE_OF_GUARD


@contextmanager
def _reached() -> Iterator[None]:
    """A Redis that does not answer is a reason to come back: nothing was sent to Meta."""
    try:
        yield
    except LockError:
        raise
    except RedisError as error:
        kind = type(error).__name__  # its text may hold the address of the server
        raise NotSentError(f"nothing was sent: Redis could not be asked ({kind}).") from None


def _parsed(rate: str) -> RateLimitItem:
    try:
        return parse(rate)
    except (ValueError, TypeError):
        raise ConfigurationError(f'rate must be like "200/hour", not {short_repr(rate)}.') from None


def _no_room(account: str, wait: float) -> NoRoomError:
    message = f"not sent: the budget of account {account} leaves no room for {wait:.1f} s"
    return NoRoomError(ErrorDetails(message=message, retry_after=wait))


def _guarded(wait: float) -> GuardedError:
    return GuardedError(ErrorDetails(message="another worker has this flow", retry_after=wait))


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
