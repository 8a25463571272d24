"""What is done: the steps of a plan, flow by flow, several flows side by side (see `_machine` for one flow)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Final

from ..client import FlowsClient
from ..errors import (
    ConfigurationError,
    FlowsError,
    PlanError,
)
from ..retry import ExponentialBackoff, NoRetry, RetryBudget, RetryPolicy, equal_jitter
from ..transport import Request, Response, Timeout, Transport
from ._lock import Lock, LockEntry
from ._machine import FlowMachine
from ._plan import Plan
from ._result import FlowEvent, FlowResult, OnEvent
from ._snapshot import TIMES_PAGE_SIZE, ActualFlow, entry_of, moment_text

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

    `jobs` flows are worked on side by side. `lock` is written after every flow. Setting `stop` ends every wait, and
    each flow before its next request. `retry_policy` is None for the client's own, with `equal_jitter` if it has no
    jitter, and one `RetryBudget` for the run. `on_event` hears of each flow, one call at a time, from the threads that
    do the work. `now` is Unix time in seconds.

    Raises `PlanError`, and nothing is sent, for a plan that must not be applied; `force` permits one that changes too
    much, but never one that deprecates too much, `new_account` the first one for an account beside that of the lock
    file. After Ctrl-C the results have gone to `on_event`, and
    `KeyboardInterrupt` comes out.
    """
    plan.raise_if_refused(force=force, new_account=new_account)
    if isinstance(jobs, bool) or jobs < 1:
        raise ConfigurationError(f"jobs must be at least 1, not {jobs!r}.")
    if client.waba_id != plan.account_id:
        raise PlanError("the plan is of another account.")
    run = Run(client, plan, lock, stop or threading.Event(), retry_policy, on_event, now)
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
            except (TypeError, ValueError):
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
        stop: threading.Event,
        policy: RetryPolicy | None,
        on_event: OnEvent | None,
        now: Callable[[], float],
    ) -> None:
        self.plan, self.lock, self.stop, self.now = plan, lock, stop, now
        self.clock = _ServerClock(client._transport)
        # The plan has validated what is sent, in the way that it was asked to.
        self.client = client.with_options(transport=self.clock, stop=stop, validate="off")
        self.policy = policy or _budgeted(client._settings.rules.policy, len(plan.pending))
        self._on_event = on_event
        self._telling = threading.Lock()
        self._noting = threading.Lock()
        self.interrupt: KeyboardInterrupt | None = None
        self._unwritten: dict[str, LockEntry | None] = {}
        self._writer = ThreadPoolExecutor(max_workers=1)

    def results(self, jobs: int) -> tuple[FlowResult, ...]:
        self._remember_unchanged()
        pool = ThreadPoolExecutor(max_workers=min(jobs, max(len(self.plan.pending), 1)))
        flows = [FlowMachine(self, change) for change in self.plan.changes]
        futures = [pool.submit(flow.run) for flow in flows]
        try:
            results = tuple(future.result() for future in futures)
        except BaseException:  # Ctrl-C: what is under way says how far it got
            self.stop.set()
            raise
        finally:
            pool.shutdown(wait=True)
            self._writer.shutdown(wait=True)
        if self.interrupt is not None:
            raise self.interrupt
        self._read_times(flows)
        return results

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

    # -- the lock file

    def _remember_unchanged(self) -> None:
        """What the snapshot has found to be as it should be."""
        found = {
            change.key: entry_of(change.desired, flow)
            for change in self.plan.changes
            if isinstance(flow := change.actual, ActualFlow) and not change.steps
            if change.desired is not None and flow.digest == change.desired.digest
        }
        self.remember(found)

    def remember(self, entries: Mapping[str, LockEntry | None]) -> None:
        """Write the lock file. It is a cache, so a disk that is full stops no deployment."""
        try:
            if self.lock is not None:
                self.lock.put(entries)
        except ConfigurationError as failure:
            logger.warning("%s", failure)

    def remember_soon(self, key: str, entry: LockEntry | None) -> None:
        """The same, but the flow need not wait for the disk; what comes together is written together."""
        with self._noting:
            self._unwritten[key] = entry
        self._writer.submit(self._write)

    def _write(self) -> None:
        with self._noting:
            entries, self._unwritten = self._unwritten, {}
        if entries:
            self.remember(entries)

    def _read_times(self, flows: list[FlowMachine]) -> None:
        """
        Meta's `updated_at` of what was changed, so that the next run need not download it.

        It counts if it is no later than our own last write, by Meta's clock: else somebody has changed it since. What
        cannot be read costs the next run a download, and nothing else.
        """
        changed = {flow.flow_id: flow for flow in flows if flow.entry is not None}
        if self.lock is None or not self.lock.kept or not changed or self.stop.is_set():
            return
        fields = "id,updated_at"
        entries: dict[str, LockEntry | None] = {}
        try:
            if len(changed) <= self.plan.last_calls:
                found = [self.client.get_flow(flow_id, fields=fields) for flow_id in changed]
            else:
                found = [
                    flow
                    for flow in self.client.list_flows(fields=fields, page_size=TIMES_PAGE_SIZE)
                    if flow.id in changed
                ]
        except FlowsError:
            return
        for flow in found:
            mine = changed[flow.id]
            if flow.updated_at is not None and flow.updated_at.timestamp() <= mine.written_at + _SAME_SECOND:
                entries[mine.change.key] = replace(mine.entry, updated_at=moment_text(flow))  # type: ignore[type-var]
        self.remember(entries)
