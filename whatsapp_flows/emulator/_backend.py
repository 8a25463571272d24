"""
From a request to a reply: the pure parts, given a clock, a lock and, on request, a file.

One request at a time has the world; only the delays of faults are spent outside the lock.
"""

from __future__ import annotations

import hashlib
import threading
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable
from typing import Final

from ._access import CallLog, Usage, usage_headers
from ._call import Answer, Call, Settings
from ._errors import Problem, error
from ._faults import Fault, FaultRule
from ._routes import DOWNLOAD, Target, handle, target_of
from ._state import World
from ._storage import Storage
from ._wire import Received, RecordedRequest, Reply

_NO_FAULT: Final = FaultRule(delay=0.0)


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
    ) -> None:
        self.lock: Final = threading.RLock()
        self.settings = settings
        self.storage: Storage | None = None
        self.faults: list[Fault] = []
        self.requests: Final[deque[RecordedRequest]] = deque(maxlen=keep_requests)
        self.leaks: Final[deque[RecordedRequest]] = deque(maxlen=keep_requests)
        self.forced_usage: Usage | None = None
        self._world = world
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._calls = calls
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
        with self.lock:
            call = self._call(received)
            target = target_of(call)
            rule = self._rule(target)
            answer, usage = self._answer(call, target, rule)
            self._record(received, target, answer.status if answer else None, call.now)
        if rule.delay:
            self._sleep(rule.delay)
        if answer is None:
            return Reply(reset=True)
        headers = {"Content-Type": answer.content_type, "x-fb-trace-id": call.trace_id}
        if target.version is not None:
            headers["facebook-api-version"] = target.version
        if usage is not None:
            headers.update(usage_headers(self._world.account_of(target.node_id), usage))
        headers.update(rule.headers)
        return Reply(status=answer.status, headers=headers, body=answer.body, truncate=rule.truncate)

    def _call(self, received: Received) -> Call:
        self._count += 1
        digest = hashlib.sha256(f"{self.settings.seed}|{self._count}".encode()).digest()
        return Call(
            method=received.method,
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

    def _rule(self, target: Target) -> FaultRule:
        """The rule of the first fault that strikes; one that does nothing when none does."""
        node_id = target.node_id or None
        struck = (fault for fault in self.faults if fault.strikes(target.operation, node_id, self._chance))
        fault = next(struck, None)
        return fault.rule if fault else _NO_FAULT

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

    def _record(self, received: Received, target: Target, status: int | None, now: float) -> None:
        request = RecordedRequest(
            operation=target.operation,
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
        self.requests.append(request)
        if target.operation == DOWNLOAD and received.carries_credentials:
            self.leaks.append(request)
