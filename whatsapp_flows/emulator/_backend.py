"""
From a request to a reply: the pure parts, given a clock, a lock and, on request, a file.

One request at a time has the world; only the delays of faults are spent outside the lock.
"""

from __future__ import annotations

import hashlib
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from ._access import CallLog, Usage, usage_headers
from ._batch import Asked, Outcome, run_batch
from ._browser import refusal_of
from ._call import Answer, Call, Settings, refused
from ._control import CONTROL_PATH, control
from ._errors import Problem, error
from ._faults import FaultList, FaultRule
from ._routes import BATCH, DOWNLOAD, Target, handle, names_version, target_of
from ._state import World
from ._storage import Storage
from ._wire import Fields, Received, RecordedRequest, Reply, RequestLog

_NO_FAULT: Final = FaultRule(delay=0.0)
_CREDENTIALS: Final = frozenset({"access_token", "appsecret_proof", "appsecret_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What was decided of one request. Without an answer its connection is reset."""

    answer: Answer | None
    headers: dict[str, str]
    delay: float
    truncate: int | None


class Backend:
    """The one place that changes: the world, the faults, and what is remembered of requests."""

    def __init__(
        self,
        *,
        world: World,
        settings: Settings,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        chance: Callable[[], float],
        calls: CallLog | None,
        keep_requests: int,
        keep_bytes: int,
        hosts: Collection[str] = (),
        on_request: Callable[[RecordedRequest], object] | None = None,
    ) -> None:
        self.lock: Final = threading.RLock()
        self.settings = settings
        self.storage: Storage | None = None
        self.faults: Final = FaultList()
        self.requests: Final = RequestLog(count=keep_requests, size=keep_bytes)
        self.leaks: Final = RequestLog(count=keep_requests, size=keep_bytes)
        self.forced_usage: Usage | None = None
        self._world = world
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._calls = calls
        self._hosts = frozenset(host.lower() for host in hosts)
        self._on_request = on_request
        self._count = 0

    @property
    def world(self) -> World:
        """The world as it is now."""
        return self._world

    def change(self, change: Callable[[World], World]) -> None:
        """Put the next world in place; it is written down before anybody is told of it."""
        with self.lock:
            world = change(self._world)
            if self.storage is not None:
                self.storage.save(self._world, world)
            self._world = world

    def open(self, storage: Storage, complete: Callable[[World], World]) -> None:
        """Go on with the world of a file, completed with what it lacks."""
        with self.lock:
            self._world, self.storage = storage.load(), storage
            self.change(complete)

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            storage, self.storage = self.storage, None
            if storage is not None:
                storage.close()

    def reply(self, received: Received) -> Reply:
        """What goes back. A delay comes after the work: a client that gives up waiting has been served."""
        recorded: list[RecordedRequest] = []
        with self.lock:
            served = self._guarded(received, recorded.append)
            for request in recorded:
                self.requests.add(request)
                if request.operation == DOWNLOAD and received.carries_credentials:
                    self.leaks.add(request)
        if self._on_request is not None:
            for request in recorded:
                self._on_request(request)
        if served.delay:
            self._sleep(served.delay)
        if served.answer is None:
            return Reply(reset=True)
        date = {"Date": formatdate(recorded[-1].at, usegmt=True)} if recorded else {}  # by the clock of `updated_at`
        headers = {"Content-Type": served.answer.content_type, **date, **served.headers}
        return Reply(status=served.answer.status, headers=headers, body=served.answer.body, truncate=served.truncate)

    def _guarded(self, received: Received, record: Callable[[RecordedRequest], object]) -> _Served:
        """The decision on a request that no browser was tricked into, and that may be one to the emulator itself."""
        reason = refusal_of(received.method, received.headers, self._hosts)
        if reason is None and received.path.startswith(CONTROL_PATH):
            answer = control(received, self.faults, self.requests)
            return _Served(answer=answer, headers={}, delay=0.0, truncate=None)
        if reason is None:
            return self._served(received, record)
        call = self._call(received)
        answer = refused(error(Problem.ACCESS_DENIED, f"(#200) {reason}"), call.trace_id)
        record(self._recorded(received, None, answer.status, call.now))
        return _Served(answer=answer, headers={}, delay=0.0, truncate=None)

    def _served(
        self, received: Received, record: Callable[[RecordedRequest], object], *, inside: bool = False
    ) -> _Served:
        """The decision on a request to Graph; `inside` a batch there is no other batch."""
        call = self._call(received)
        target = target_of(self._world, call)
        rule = self.faults.striking(target.operation, target.node_id or None, self._chance) or _NO_FAULT
        delay = rule.delay or 0.0
        if target.operation == BATCH and not inside and rule.works_first(BATCH):
            usage = self.forced_usage
            answer, more = self._batch(received, call, target, rule, record)
            delay += more
        else:
            answer, usage = self._answer(call, target, rule)
            record(self._recorded(received, target.operation, answer.status if answer else None, call.now))
        headers = {"x-fb-trace-id": call.trace_id}
        if target.version is not None:
            headers["facebook-api-version"] = target.version
        if usage is not None:
            headers.update(usage_headers(self._world.account_of(target.node_id), usage))
        headers.update(rule.headers)
        return _Served(answer=answer, headers=headers, delay=delay, truncate=rule.truncate)

    def _batch(
        self,
        received: Received,
        call: Call,
        target: Target,
        rule: FaultRule,
        record: Callable[[RecordedRequest], object],
    ) -> tuple[Answer | None, float]:
        """The answer to a batch, and the seconds that its operations are delayed. Each is recorded behind the batch."""
        operations: list[RecordedRequest] = []
        delays: list[float] = []

        def run(asked: Asked) -> Outcome:
            served = self._served(_operation(received, target, asked), operations.append, inside=True)
            delays.append(served.delay)
            return Outcome(answer=_cut(served), headers=served.headers)

        done = run_batch(call, run)
        answer = None if rule.reset else rule.answer(call.trace_id) or done
        for request in (self._recorded(received, BATCH, answer.status if answer else None, call.now), *operations):
            record(request)
        return answer, sum(delays)

    def _call(self, received: Received) -> Call:
        self._count += 1
        digest = hashlib.sha256(f"{self.settings.seed}|{self._count}".encode()).digest()
        return Call(
            method=received.asked_method,
            path=received.path,
            now=self._clock(),
            trace_id="A" + urlsafe_b64encode(digest)[:22].decode(),
            settings=self.settings,
            query=received.query,
            parameters=received.parameters,
            files=received.files,
            token=received.token,
            carries_credentials=received.carries_credentials,
            unreadable=received.unreadable,
        )

    def _answer(self, call: Call, target: Target, rule: FaultRule) -> tuple[Answer | None, Usage | None]:
        """What is answered (None: nothing, the connection is reset), and the usage to report with it."""
        usage = self.forced_usage
        if not rule.works_first(target.operation):
            return rule.answer(call.trace_id), usage

        def admit(account_id: str) -> None:
            nonlocal usage
            if self._calls is None:
                return
            counted = self._calls.count(account_id, call.now)
            usage = usage or counted
            if counted.minutes:
                raise error(Problem.MANAGEMENT_LIMIT)

        world, truth = handle(self._world, call, target, admit)
        self.change(lambda _: world)
        if rule.reset is not None:
            return None, usage
        # A refusal of its own comes before a failure that happens on the way back.
        instead = rule.answer(call.trace_id) if truth.status < 400 else None
        return instead or truth, usage

    @staticmethod
    def _recorded(received: Received, operation: str | None, status: int | None, now: float) -> RecordedRequest:
        return RecordedRequest(
            operation=operation,
            method=received.method,
            path=received.path,
            query=received.query,
            headers=received.headers,
            form=received.form,
            files=received.files,
            body=received.body,
            status=status,
            at=now,
        )


def _operation(batch: Received, target: Target, asked: Asked) -> Received:
    """One operation of a batch as a request of its own: with the batch's credentials, unless it brings a token."""
    own = "access_token" in asked.query or "access_token" in asked.form
    shared = {} if own else {name: value for name, value in batch.parameters.items() if name in _CREDENTIALS}
    authorization = {} if own else {k: v for k, v in batch.headers.items() if k == "Authorization"}
    versioned = names_version(asked.path.split("/")[1])
    return Received(
        method=asked.method,
        path=asked.path if versioned else f"/{target.version}{asked.path}",
        query=Fields(asked.query),
        headers=Fields(authorization),
        form=Fields(asked.form),
        files=asked.files,
        parameters={**shared, **asked.query, **asked.form},
    )


def _cut(served: _Served) -> Answer | None:
    """The answer of one operation, as far as it came."""
    answer = served.answer
    if answer is None or served.truncate is None:
        return answer
    return Answer(status=answer.status, body=answer.body[: served.truncate], content_type=answer.content_type)
