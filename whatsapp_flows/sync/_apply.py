"""What is done: the steps of a plan, several flows side by side (see `_machine` for one flow, `_schedule` for all)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Final

from ..client import FlowsClient
from ..errors import ConfigurationError, PlanError
from ..models import Flow
from ..retry import ExponentialBackoff, NoRetry, RetryBudget, RetryPolicy, equal_jitter
from ..transport import Request, Response, Timeout, Transport
from ._live import OldDocuments
from ._lock import Lock, LockEntry
from ._machine import FlowMachine
from ._memory import Memory
from ._plan import Plan
from ._result import KEPT, NOT_BEGUN, FlowEvent, FlowResult, OnEvent
from ._schedule import Schedule
from ._snapshot import TIMES_PAGE_SIZE, moment_text
from ._stops import AbandonStop, either

logger: Final = logging.getLogger("whatsapp_flows")

_SAME_SECOND: Final = 1.0  # Meta's times are whole seconds
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
    now: Callable[[], float] = time.time,
) -> tuple[FlowResult, ...]:
    """
    Do what the plan says; a result for each of its changes, in their order.

    `jobs` flows are worked on side by side; the first live flow that is un-published goes alone. `lock` is written
    after every flow. Setting `stop`, or the client's own, ends every wait, and each flow before its next request; a
    live flow that was written to is brought up again first. `retry_policy` is None for the client's own, with
    `equal_jitter` if it has no jitter, and one `RetryBudget` for the run. `on_event` hears of each flow, one call at a
    time, from the threads that do the work. `now` is Unix time in seconds.

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
    run = Run(client, plan, lock, stop, retry_policy, on_event, now)
    return run.results(jobs)


@dataclass(frozen=True, slots=True)
class _ServerClock:
    """A transport that notes how far Meta's clock, from the `Date` of its answers, is ahead of ours."""

    transport: Transport
    ahead: list[float] = field(default_factory=list)

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        response = self.transport.send(request, timeout=timeout)
        if request.authenticated:
            try:
                said = parsedate_to_datetime(response.header("date")).timestamp()
            except (TypeError, ValueError, OverflowError, OSError, IndexError):  # no date, or none of this world
                return response
            self.ahead[:] = [said - response.received_at]
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
        stop: threading.Event | None,
        policy: RetryPolicy | None,
        on_event: OnEvent | None,
        now: Callable[[], float],
    ) -> None:
        self.plan, self.now = plan, now
        self.memory = Memory(lock)
        self.documents = OldDocuments(lock)
        self.stop = either(stop, client._options["stop"])
        self.abandon = AbandonStop(self.stop)
        self.clock = _ServerClock(client._transport)
        # The plan has validated what is sent, in the way that it was asked to.
        self.client = client.with_options(transport=self.clock, stop=self.stop, validate="off")
        self.last_client = self.client.with_options(stop=self.abandon)
        self.policy = policy or _budgeted(client._settings.rules.policy, len(plan.pending))
        self._on_event = on_event
        self._telling = threading.Lock()
        self._interrupt: BaseException | None = None

    def results(self, jobs: int) -> tuple[FlowResult, ...]:
        self.memory.found(self.plan)
        schedule = Schedule(self.plan.changes)
        machines: list[FlowMachine] = []
        with ThreadPoolExecutor(max_workers=1) as driver:
            self._finished(driver.submit(self._drive, schedule, machines, jobs))
        if self._interrupt is not None:
            raise self._interrupt
        self._read_times(machines)
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

    def server_time(self) -> float:
        """Unix time by Meta's clock; minus infinity if it is not known."""
        return self.now() + self.clock.ahead[0] if self.clock.ahead else float("-inf")

    # -- many flows

    def _drive(self, schedule: Schedule, machines: list[FlowMachine], jobs: int) -> None:
        """All changes, in a thread of its own: an interrupt strikes the main thread, wherever it is."""
        running: dict[Future[FlowResult], int] = {}
        changes = self.plan.changes
        try:
            with ThreadPoolExecutor(max_workers=min(jobs, max(len(self.plan.pending), 1))) as pool:
                while True:
                    while len(running) < jobs and (number := schedule.next()) is not None:
                        change = changes[number]
                        machine = FlowMachine(self, change, schedule.successor(change))
                        machines.append(machine)
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

    # -- after the work

    def _read_times(self, machines: list[FlowMachine]) -> None:
        """
        Meta's `updated_at` of what was changed, so that the next run need not download it.

        It counts if it is no later than our own last write, by Meta's clock: else somebody has changed it since. What
        cannot be read costs the next run a download, and nothing else, whatever was raised.
        """
        changed = {machine.flow_id: machine for machine in machines if machine.entry and not machine.problem}
        if not self.memory.kept or not changed or self.stop.is_set():
            return
        entries: dict[str, LockEntry | None] = {}
        try:
            for flow in self._changed_since(changed):
                mine = changed.get(flow.id)
                if mine is None or mine.entry is None or flow.updated_at is None:
                    continue
                if flow.updated_at.timestamp() <= mine.written_at + _SAME_SECOND:
                    entries[mine.change.key] = replace(mine.entry, updated_at=moment_text(flow))
        except Exception as failure:  # noqa: BLE001 - the host's token callable, transport and hooks may raise anything
            logger.warning("The times of what was changed were not read: %s", type(failure).__name__)
        self.memory.last(entries)

    def _changed_since(self, changed: dict[str, FlowMachine]) -> list[Flow]:
        fields = "id,updated_at"
        if len(changed) <= self.plan.last_calls:
            return [self.client.get_flow(flow_id, fields=fields) for flow_id in changed]
        return list(self.client.list_flows(fields=fields, page_size=TIMES_PAGE_SIZE))
