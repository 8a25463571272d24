"""What is done: the steps of a plan, several flows side by side (see `_machine` for one flow, `_schedule` for all)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Final

from ...client import FlowsClient
from ...errors import ConfigurationError, PlanError
from ...retry import ExponentialBackoff, NoRetry, RetryBudget, RetryPolicy, equal_jitter
from ...transport import Request, Response, Timeout, Transport
from ..account import Lock
from ..calls import AbandonStop, either
from ..planning import Plan
from ._live import OldDocumentFiles, OldDocuments
from ._machine import FlowMachine
from ._memory import Memory
from ._result import KEPT, NOT_BEGUN, FlowEvent, FlowResult, OnEvent
from ._schedule import Schedule

logger: Final = logging.getLogger("whatsapp_flows")

_LEAST_BUDGET: Final = 20.0


def apply(
    client: FlowsClient,
    plan: Plan,
    *,
    lock: Lock | None = None,
    jobs: int = 8,
    force: bool = False,
    new_account: bool = False,
    stop: threading.Event | None = None,
    retry_policy: RetryPolicy | None = None,
    on_event: OnEvent | None = None,
    old_documents: OldDocuments | None = None,
    now: Callable[[], float] = time.time,
) -> tuple[FlowResult, ...]:
    """
    Do what the plan says; a result for each of its changes, in their order.

    `jobs` flows are worked on side by side; the first live flow that is un-published goes alone. `lock` is written
    after every flow. Setting `stop`, or the client's own, ends every wait, and each flow before its next request; a
    live flow that was written to is brought up again first. `retry_policy` is None for the client's own, with
    `equal_jitter` if it has no jitter, and one `RetryBudget` for the run. `on_event` hears of each flow, one call at a
    time, from the threads that do the work. `old_documents` is where the Flow JSONs of live flows are kept while they
    are changed; None: in files beside the lock file. `now` is Unix time in seconds.

    Raises `PlanError`, and nothing is sent, for a plan that must not be applied; `force` permits one that changes too
    much, but never one that deprecates too much, `new_account` the first one for an account beside that of the lock
    file. What fails after that is in the results. After Ctrl-C, which counts as `stop`, they have gone to `on_event`,
    and `KeyboardInterrupt` comes out; a second one lets go of live flows too, and their results say how they are left.
    """
    plan.raise_if_refused(force=force, new_account=new_account)
    if isinstance(jobs, bool) or jobs < 1:
        raise ConfigurationError(f"jobs must be at least 1, not {jobs!r}.")
    if client.waba_id != plan.account_id:
        raise PlanError("the plan is of another account.")
    documents = OldDocumentFiles(lock) if old_documents is None else old_documents
    with Run(client, plan, lock, documents, stop, retry_policy, on_event, now) as run:
        return run.results(jobs)


@dataclass(frozen=True, slots=True)
class _ServerClock:
    """
    A transport that notes how far Meta's clock, from the `Date` of its answers, is ahead of ours.

    For each thread of its own last answer, because a `Date` is cut to whole seconds.
    """

    transport: Transport
    noted: threading.local

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        response = self.transport.send(request, timeout=timeout)
        if request.authenticated:
            try:
                said = parsedate_to_datetime(response.header("date")).timestamp()
            except (TypeError, ValueError, OverflowError, OSError, IndexError):  # no date, or none of this world
                return response
            self.noted.ahead = said - response.received_at
        return response

    def close(self) -> None:
        self.transport.close()


def _budgeted(policy: RetryPolicy, flows: int) -> RetryPolicy:
    """
    The client's own policy, made fit for many threads.

    With jitter, so that they do not come back all at once, and with a budget of one retry for each flow, so that an
    outage ends the run rather than being hammered.
    """
    if isinstance(policy, RetryBudget | NoRetry):
        return policy
    if isinstance(policy, ExponentialBackoff) and policy.jitter is None:
        policy = replace(policy, jitter=equal_jitter)
    return RetryBudget(policy, capacity=max(_LEAST_BUDGET, float(flows)))


class Run:
    """One application of a plan: what its flows share."""

    def __init__(
        self,
        client: FlowsClient,
        plan: Plan,
        lock: Lock | None,
        documents: OldDocuments,
        stop: threading.Event | None,
        policy: RetryPolicy | None,
        on_event: OnEvent | None,
        now: Callable[[], float],
    ) -> None:
        self.plan, self.now = plan, now
        self.memory = Memory(lock)
        self.documents = documents
        self.stop = either(stop, client.options.stop)
        self.abandon = AbandonStop(self.stop)
        self.clock = threading.local()
        clocked = client.wrapping(lambda inner: _ServerClock(inner, self.clock))
        # The plan has validated what is sent, in the way that it was asked to.
        self.client = clocked.with_options(stop=self.stop, validate="off")
        self.last_client = self.client.with_options(stop=self.abandon)
        self.policy = policy or _budgeted(client.options.retry_policy or ExponentialBackoff(), len(plan.pending))
        self._on_event = on_event
        self._telling = threading.Lock()
        self._interrupt: BaseException | None = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.last_client.close()
        self.client.close()

    def results(self, jobs: int) -> tuple[FlowResult, ...]:
        self.memory.found(self.plan)
        schedule = Schedule(self.plan.changes)
        with ThreadPoolExecutor(max_workers=1) as driver:
            self._finished(driver.submit(self._drive, schedule, jobs))
        if self._interrupt is not None:
            raise self._interrupt
        return tuple(schedule.results[number] for number in range(len(self.plan.changes)))

    def interrupt(self, interrupt: BaseException) -> None:
        """End the run: the first time live flows are brought up again, the second time everything ends at once."""
        if self._interrupt is None:
            self._interrupt = interrupt
        else:
            self.abandon.set()
        self.stop.set()

    def tell(self, event: FlowEvent) -> None:
        if self._on_event is None:
            return
        with self._telling:
            try:
                self._on_event(event)
            except Exception:  # a host's consumer may raise anything, and must not break a run
                logger.exception("An event consumer failed on %s", event.key)

    def written_at(self) -> str:
        """
        When a write of this thread was answered just now, by Meta's clock and in ISO 8601; empty if that is not known.
        """
        try:
            return datetime.fromtimestamp(self.now() + self.clock.ahead, timezone.utc).isoformat()
        except (
            AttributeError,
            ValueError,
            OverflowError,
            OSError,
        ):  # none was told, or of no year
            return ""

    # -- many flows

    def _drive(self, schedule: Schedule, jobs: int) -> None:
        """All changes, in a thread of its own: an interrupt strikes the main thread, wherever it is."""
        running: dict[Future[FlowResult], int] = {}
        changes = self.plan.changes
        try:
            with ThreadPoolExecutor(max_workers=min(jobs, max(len(self.plan.pending), 1))) as pool:
                while True:
                    while len(running) < jobs and (number := schedule.next()) is not None:
                        change = changes[number]
                        machine = FlowMachine(self, change, schedule.successor(change))
                        running[pool.submit(machine.run)] = number
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        schedule.ended(running.pop(future), future.result())
            for number in schedule.rest:
                schedule.ended(number, self._left(schedule, number))
        finally:
            self.memory.close()

    def _left(self, schedule: Schedule, number: int) -> FlowResult:
        """What is said of a change that has not begun."""
        change = self.plan.changes[number]
        machine = FlowMachine(self, change)
        if not change.steps:
            return machine.run()
        if change.action == "deprecate":
            return machine.leave(KEPT, schedule.kept(change))
        return machine.leave(NOT_BEGUN, schedule.halted)

    def _finished(self, work: Future[None]) -> None:
        """Waits, whatever interrupts that; from the third time on not even for the requests that are under way."""
        interrupts = 0
        while True:
            try:
                wait([work])
                break
            except BaseException as interrupt:
                interrupts += 1
                if interrupts > 2:
                    raise
                self.interrupt(interrupt)
        work.result()
