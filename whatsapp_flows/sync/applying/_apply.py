"""Carries out a plan, several flows side by side. See `_machine` for one flow, and `_schedule` for their order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Final

from ..._interrupts import is_interrupt
from ...client import FlowsClient
from ...errors import ConfigurationError, PlanError
from ...retry import ExponentialBackoff, NoRetry, RetryBudget, RetryPolicy, equal_jitter
from ..account import Lock
from ..calls import AbandonStop, either_stop
from ..planning import FlowChange, Plan
from ._context import RunContext
from ._live import OldDocumentFiles, OldDocuments
from ._lock_writer import LockWriter
from ._machine import run_flow, skip_flow
from ._result import KEPT, NOT_BEGUN, FlowEvent, FlowResult, OnEvent
from ._schedule import Schedule
from ._server_time import ServerClock

logger: Final = logging.getLogger("whatsapp_flows")

_MIN_BUDGET: Final = 20.0


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
    Carry out a plan. Returns a result for each of its changes, in their order.

    `jobs` flows are changed side by side; the first live flow that is un-published goes alone. `lock` is written after
    every flow. Setting `stop`, or the client's own, ends every wait, and each flow before its next request; a live
    flow that was written to is published again first. `retry_policy` is None for the client's own, with `equal_jitter`
    if it has no jitter, and one `RetryBudget` for the run. `on_event` is called with the events of each flow, one call
    at a time, from the threads of the run. `old_documents` keeps the Flow JSONs of live flows while they are changed;
    None: in files beside the lock file. `now` is Unix time in seconds.

    Raises `PlanError`, before anything is sent, for a plan that must not be applied. `force` permits one that changes
    too much, but never one that deprecates too much; `new_account` permits the first one for an account other than
    that of the lock file. Later failures are in the results. Ctrl-C counts as `stop`: the results go to `on_event`,
    and `KeyboardInterrupt` is raised. A second Ctrl-C does not wait for live flows to be restored, and their results
    say which state they are in.
    """
    plan.raise_if_refused(force=force, new_account=new_account)
    if isinstance(jobs, bool) or jobs < 1:
        raise ConfigurationError(f"jobs must be at least 1, not {jobs!r}.")
    if client.waba_id != plan.account_id:
        raise PlanError("the plan is for another account.")
    documents = OldDocumentFiles(lock) if old_documents is None else old_documents
    with _Run(client, plan, lock, documents, stop, retry_policy, on_event, now) as run:
        return run.results(jobs)


def _budgeted(policy: RetryPolicy, flows: int) -> RetryPolicy:
    """
    The client's own policy, adapted to many threads.

    Jitter keeps them from repeating their calls at the same time. A budget of one retry for each flow ends the run in
    an outage.
    """
    if isinstance(policy, RetryBudget | NoRetry):
        return policy
    if isinstance(policy, ExponentialBackoff) and policy.jitter is None:
        policy = replace(policy, jitter=equal_jitter)
    return RetryBudget(policy, capacity=max(_MIN_BUDGET, float(flows)))


class _Run:
    """One application of a plan."""

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
        self._plan, self._on_event = plan, on_event
        self._reporting = threading.Lock()
        self._interrupted_by: BaseException | None = None
        clock = ServerClock(now)
        run_stop = either_stop(stop, client.options.stop)
        abandon = AbandonStop(run_stop)
        # The plan has validated what is sent, with the options that it was made with.
        own_client = client.wrapping(clock.reading).with_options(stop=run_stop, validate="off")
        self._context = RunContext(
            client=own_client,
            restoring_client=own_client.with_options(stop=abandon),
            policy=policy or _budgeted(client.options.retry_policy or ExponentialBackoff(), len(plan.pending)),
            options=plan.options,
            stop=run_stop,
            abandon=abandon,
            lock_writer=LockWriter(lock),
            documents=documents,
            report=self._report,
            interrupt=self._interrupt,
            server_time=clock.time,
        )

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._context.restoring_client.close()
        self._context.client.close()

    def results(self, jobs: int) -> tuple[FlowResult, ...]:
        self._context.lock_writer.write_unchanged(self._plan)
        schedule = Schedule(self._plan.changes)
        with ThreadPoolExecutor(max_workers=1) as driver:
            self._wait_for(driver.submit(self._drive, schedule, jobs))
        if self._interrupted_by is not None:
            raise self._interrupted_by
        return tuple(schedule.results[number] for number in range(len(self._plan.changes)))

    def _drive(self, schedule: Schedule, jobs: int) -> None:
        """Carry out all changes. This runs in a thread of its own, because interrupts are raised in the main thread."""
        running: dict[Future[FlowResult], int] = {}
        changes, context = self._plan.changes, self._context
        try:
            with ThreadPoolExecutor(max_workers=min(jobs, max(len(self._plan.pending), 1))) as pool:
                while True:
                    while len(running) < jobs and (number := schedule.next()) is not None:
                        change = changes[number]
                        running[pool.submit(run_flow, context, change, schedule.successor(change))] = number
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        schedule.ended(running.pop(future), future.result())
            for number in schedule.rest:
                schedule.ended(number, self._skip(schedule, changes[number]))
        finally:
            context.lock_writer.close()

    def _skip(self, schedule: Schedule, change: FlowChange) -> FlowResult:
        """The result of a change that was not begun."""
        if not change.steps:
            return run_flow(self._context, change)
        if change.action == "deprecate":
            return skip_flow(self._context, change, KEPT, schedule.kept(change))
        return skip_flow(self._context, change, NOT_BEGUN, schedule.halted)

    def _report(self, event: FlowEvent) -> None:
        if self._on_event is None:
            return
        with self._reporting:
            try:
                self._on_event(event)
            except Exception as raised:  # the host's consumer may raise anything, and must not end a run
                if is_interrupt(raised):
                    self._interrupt(raised)
                else:
                    logger.exception("An event consumer failed on %s", event.key)

    # -- interrupts

    def _interrupt(self, interrupt: BaseException) -> None:
        """End the run: after the first interrupt live flows are restored, after the second everything ends at once."""
        if self._interrupted_by is None:
            self._interrupted_by = interrupt
        else:
            self._context.abandon.set()
        self._context.stop.set()

    def _wait_for(self, run: Future[None]) -> None:
        """Wait through interrupts; the third one ends the wait for the requests that are in progress, too."""
        interrupts = 0
        while True:
            try:
                wait([run])
                break
            except BaseException as interrupt:
                interrupts += 1
                if interrupts > 2:
                    raise
                self._interrupt(interrupt)
        run.result()
