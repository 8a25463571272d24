"""
What is done: the steps of a plan, flow by flow, several flows side by side.

Each flow is a small state machine. A state does one thing, and says which one is next; the table is `_STATES`:

    begin -> checking -> updating -> uploading -> publishing -> done
          -> creating -> updating -> uploading -> publishing -> done
          -> deprecating -> done

Rule 1: a flow that was there is looked at before its first write. If it is not as the plan saw it, the plan is stale
        for it, unless somebody (another run) has brought it nearer to what is wanted.
Rule 2: a name that is taken, or an answer to a `create` that was lost, means that the flow is there: it is adopted.
Rule 3: a flow that refuses the edit is left as it is, or replaced where the plan allows it.
Rule 4: whatever ends a flow ends that flow only, and its result says what was done and in which state it is left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from ..client import FlowsClient
from ..errors import (
    ConfigurationError,
    FlowProcessingError,
    FlowsError,
    FlowStateError,
    NameTakenError,
    NotFoundError,
    PlanError,
    PublishBlockedError,
    RetryableError,
    ValidationIssue,
)
from ..models import FlowStatus
from ..retry import Decision, ExponentialBackoff, NoRetry, RetryBudget, RetryPolicy, RetryState, equal_jitter
from ..transport import Request, Response, Timeout, Transport
from ._desired import DesiredFlow
from ._lock import Lock, LockEntry
from ._plan import Action, FlowChange, Plan, Step, change_of, replaced
from ._snapshot import TIMES_PAGE_SIZE, ActualFlow, find_again, look_again, moment_text

State = Literal[
    "begin", "checking", "creating", "updating", "uploading", "publishing", "deprecating", "done", "failed", "stopped"
]

logger: Final = logging.getLogger("whatsapp_flows")

_STATE_OF: Final[Mapping[Step, State]] = {
    "create": "creating",
    "update": "updating",
    "upload": "uploading",
    "publish": "publishing",
    "deprecate": "deprecating",
}
_SAME_SECOND: Final = 1.0  # Meta's times are whole seconds
_LEAST_BUDGET: Final = 20.0
INTERRUPTED: Final = "interrupted"
NOT_BEGUN: Final = "not begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowResult:
    """
    What became of one flow.

    `action` is the plan's, or "replace" when it came to that. `status` is the state that it is in now (empty: unknown),
    `status_before` the one that the plan saw. `done` are the steps that succeeded, `attempts` how often its Flow JSON
    was sent. `problem` says what is not as it should be, `error` and `issues` are the facts behind that.
    """

    key: str
    name: str
    action: Action
    flow_id: str = ""
    status: str = ""
    status_before: str = ""
    done: tuple[Step, ...] = ()
    attempts: int = 0
    adopted: bool = False
    problem: str = ""
    issues: tuple[ValidationIssue, ...] = ()
    error: FlowsError | None = None

    @property
    def ok(self) -> bool:
        """Whether the flow is as it should be."""
        return not self.problem

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a queue or a report."""
        return {
            "key": self.key,
            "name": self.name,
            "id": self.flow_id or None,
            "action": self.action,
            "status": self.status or None,
            "status_before": self.status_before or None,
            "done": list(self.done),
            "attempts": self.attempts,
            "adopted": self.adopted,
            "ok": self.ok,
            "error": self._error_json(),
        }

    def _error_json(self) -> dict[str, Any] | None:
        if self.ok:
            return None
        error = self.error
        return {
            "message": self.problem,
            "class": type(error).__name__ if error is not None else None,
            "retryable": isinstance(error, RetryableError),
            "code": error.code if error is not None else None,
            "subcode": error.subcode if error is not None else None,
            "retry_after": error.retry_after if error is not None else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEvent:
    """
    Something that happened to one flow: it has come into a `state`, or waits `wait` seconds there before `attempt`.

    `result` is there when the flow has ended, `error` what the wait is for. `flow_id` is empty while there is none.
    """

    key: str
    name: str
    state: State
    flow_id: str = ""
    attempt: int = 1
    max_attempts: int = 1
    wait: float = 0.0
    error: FlowsError | None = None
    result: FlowResult | None = None


OnEvent = Callable[[FlowEvent], object]


def apply(
    client: FlowsClient,
    plan: Plan,
    *,
    lock: Lock | None = None,
    jobs: int = 8,
    force: bool = False,
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
    much, but never one that deprecates too much. After Ctrl-C the results have gone to `on_event`, and
    `KeyboardInterrupt` comes out.
    """
    plan.raise_if_refused(force=force)
    if isinstance(jobs, bool) or jobs < 1:
        raise ConfigurationError(f"jobs must be at least 1, not {jobs!r}.")
    if client.waba_id != plan.account_id:
        raise PlanError("the plan is of another account.")
    run = _Run(client, plan, lock, stop or threading.Event(), retry_policy, on_event, now)
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


class _Run:
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
        self.client = client.with_options(transport=self.clock, stop=stop)
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
        flows = [_Flow(self, change) for change in self.plan.changes]
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
            change.key: LockEntry(
                id=flow.id, name=flow.name, digest=flow.digest, updated_at=flow.updated_at, processed=flow.processed
            )
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

    def _read_times(self, flows: list[_Flow]) -> None:
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


class _StoppedError(Exception):
    """`stop` was set."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """The run's retry policy; each wait that it decides on is told."""

    flow: _Flow

    def decide(self, state: RetryState, /) -> Decision:
        decision = self.flow.run_.policy.decide(state)
        if decision.delay is not None:
            self.flow.waits(state, decision.delay)
        return decision


class _Flow:
    """One flow on its way through the states."""

    def __init__(self, run: _Run, change: FlowChange) -> None:
        self.run_ = run
        self.change = change
        self.client = run.client.with_options(retry_policy=_Telling(self))
        self.flow_id = change.flow_id
        self.status = change.status
        self.state: State = "begin"
        self.steps = list(change.steps)
        self.done: list[Step] = []
        self.attempts = 0
        self.adopted = change.action == "adopt"
        self.entry: LockEntry | None = None
        self.written_at = float("-inf")
        self.problem = change.reason if change.blocked else ""
        self.issues = change.issues
        self.error = change.error

    @property
    def desired(self) -> DesiredFlow:
        assert self.change.desired is not None  # noqa: S101 - a deprecation never comes here
        return self.change.desired

    def run(self) -> FlowResult:
        """Through the states, to the end. Raises nothing."""
        try:
            while self.state not in _ENDS:
                if self.state != "begin":
                    self._tell()
                    if self.run_.stop.is_set():
                        raise _StoppedError
                self.state = _STATES[self.state](self)
        except FlowsError as error:
            self._failed(error)
        except _StoppedError:
            self._stopped()
        except KeyboardInterrupt as interrupt:  # in a thread it can only come out of the host's own sleep
            self.run_.interrupt = interrupt
            self.run_.stop.set()
            self._stopped(in_doubt=True)
        except Exception as mistake:
            self.state, self.problem = "failed", f"{type(mistake).__name__}: {mistake}"
            logger.exception("Flow %s ended by a mistake", self.change.key)
        result = self.result()
        self.run_.tell(self._event(result=result))
        return result

    def result(self) -> FlowResult:
        change = self.change
        return FlowResult(
            key=change.key, name=change.name, action=change.action, flow_id=self.flow_id, status=self.status,
            status_before=change.status, done=tuple(self.done), attempts=self.attempts, adopted=self.adopted,
            problem=self.problem, issues=self.issues, error=self.error,
        )  # fmt: skip

    # -- states: each does one thing and says what is next

    def _begin(self) -> State:
        if not self.steps:
            return "failed" if self.problem else "done"
        return "creating" if self.steps[0] == "create" else "checking"

    def _checking(self) -> State:
        seen = self.change.actual
        assert seen is not None  # noqa: S101 - what is not there begins with `creating`
        fields = "id,name,status,updated_at" if seen.updated_at else "id,name,status"
        try:
            flow = self.client.get_flow(self.flow_id, fields=fields)
        except NotFoundError:
            raise PlanError(f"{self.change.name} is gone since the plan was made.") from None
        self.status = str(flow.status)
        if (flow.name, self.status, moment_text(flow)) == (seen.name, seen.status, seen.updated_at):
            return self._next()
        if self.change.action == "deprecate":
            if self.status == FlowStatus.DEPRECATED and flow.name == seen.name:
                return self._deprecated()
            raise self._moved()
        return self._go_on(look_again(self.client, self.desired, self.flow_id, self.run_.lock), appeared=False)

    def _creating(self) -> State:
        wanted = self.desired
        self.attempts = 1 if "upload" not in self.steps else 0
        try:
            created = self.client.create_flow(
                self.change.name,
                wanted.categories,
                flow_json=None if "upload" in self.steps else wanted.content,
                publish=wanted.publish and "publish" not in self.steps,
                endpoint_uri=wanted.endpoint_uri,
            )
        except NameTakenError as taken:
            found = find_again(self.client, self._by_name(), self.run_.lock)
            if found is None or found.status == FlowStatus.DEPRECATED:
                raise taken from None
            return self._go_on(found, appeared=True)
        except PublishBlockedError as refusal:
            self.flow_id = refusal.flow_id or ""
            self.status = FlowStatus.DRAFT.value if self.flow_id else ""
            if self.flow_id:
                self._wrote("create")
            raise
        self.flow_id = created.id
        if created.adopted or (not created.success and not created.validation_errors):
            return self._go_on(look_again(self.client, wanted, created.id, self.run_.lock), appeared=True)
        published = wanted.publish and "publish" not in self.steps and not created.validation_errors
        self.status = (FlowStatus.PUBLISHED if published else FlowStatus.DRAFT).value
        self._wrote("create")
        return self._next() if not created.validation_errors else self._faulty(created.validation_errors)

    def _updating(self) -> State:
        wanted = self.desired
        created = self.done[:1] == ["create"]
        try:
            self.client.update_flow(
                self.flow_id,
                categories=None if created else wanted.categories,
                endpoint_uri=None if created else wanted.endpoint_uri,
                application_id=wanted.application_id,
            )
        except FlowStateError as refusal:
            return self._refused(refusal)
        self.status = FlowStatus.DRAFT.value
        self._wrote("update")
        return self._next()

    def _uploading(self) -> State:
        # On the disk before it is sent: if this process dies now, the next run sends it again.
        self.run_.remember({self.change.key: self._entry(processed=False)})
        self.attempts = 1
        try:
            upload = self.client.update_flow_json(self.flow_id, self.desired.content)
        except FlowStateError as refusal:
            return self._refused(refusal)
        self.status = FlowStatus.DRAFT.value
        self._wrote("upload")
        return self._next() if not upload.validation_errors else self._faulty(upload.validation_errors)

    def _publishing(self) -> State:
        try:
            self.client.publish_flow(self.flow_id)
        except (FlowStateError, PublishBlockedError):
            self.status = str(self.client.get_flow(self.flow_id, fields="status").status)
            if self.status != FlowStatus.PUBLISHED:  # or another run has published it
                raise
        self.status = FlowStatus.PUBLISHED.value
        self._wrote("publish")
        return self._next()

    def _deprecating(self) -> State:
        try:
            self.client.deprecate_flow(self.flow_id)
        except FlowStateError:
            self.status = str(self.client.get_flow(self.flow_id, fields="status").status)
            if self.status != FlowStatus.DEPRECATED:
                raise
        self.steps.remove("deprecate")
        self.done.append("deprecate")
        return self._deprecated()

    # -- what states have in common

    def _next(self) -> State:
        return _STATE_OF[self.steps[0]] if self.steps else "done"

    def _deprecated(self) -> State:
        self.status = FlowStatus.DEPRECATED.value
        self.run_.remember_soon(self.change.key, None)
        return "done"

    def _faulty(self, issues: tuple[ValidationIssue, ...]) -> State:
        """Meta has stored it, and will not publish it."""
        self.issues = issues
        count = f"{len(issues)} error{'' if len(issues) == 1 else 's'}"
        where = self.desired.file.name if self.desired.file is not None else "its Flow JSON"
        self.problem = f"Meta found {count} in {where}"
        return "failed"

    def _refused(self, refusal: FlowStateError) -> State:
        """The flow cannot be edited. Another one takes its place, if the plan allows that and nothing was done yet."""
        if not self.change.may_replace or self.done:
            raise refusal
        change = replaced(self.change)
        if change.blocked:
            raise refusal
        self.change, self.steps, self.flow_id, self.status = change, list(change.steps), "", ""
        return "creating"

    def _by_name(self) -> DesiredFlow:
        """The wish as its own generation, for a look at that name alone."""
        return replace(self.desired, name=self.change.name)

    def _go_on(self, found: ActualFlow, *, appeared: bool) -> State:
        """
        From where the flow is now: done, nearer to what is wanted, or not what the plan was made for.

        A flow that has appeared is adopted unless it is in use and not what is wanted.
        """
        seen = self.change.actual if isinstance(self.change.actual, ActualFlow) else None
        rest = change_of(self._by_name(), found, self.run_.plan.options)
        self.flow_id, self.status, self.adopted = found.id, found.status, self.adopted or appeared
        self.change = replace(self.change, actual=found) if appeared else self.change
        if not rest.steps and not rest.blocked:
            self._note(found)
            return "done"
        known = {self.desired.digest, seen.digest if seen is not None else None}
        if rest.blocked or (not appeared and found.digest not in known):
            raise self._moved()
        if rest.unpublishes and (appeared or not self.change.unpublishes):
            raise self._moved()
        if not appeared and not set(rest.steps) <= {*self.steps, "upload"}:
            raise self._moved()
        self.steps = list(rest.steps)
        return self._next()

    def _moved(self) -> PlanError:
        return PlanError(f"{self.change.name} is not as it was when the plan was made: it is {self.status}.")

    # -- what is remembered

    def _wrote(self, step: Step) -> None:
        """A step is done. Its order is that of the plan, so it is the first of those that are left."""
        self.steps.remove(step)
        self.done.append(step)
        self.written_at = self.run_.server_time()
        if "upload" not in self.steps:  # so it holds what is wanted
            seen = self.change.actual
            known = seen.processed if step == "update" and isinstance(seen, ActualFlow) else True
            self._remember(processed=known if self.entry is None else self.entry.processed or known)

    def _remember(self, *, processed: bool | None) -> None:
        self.run_.remember_soon(self.change.key, self._entry(processed))

    def _entry(self, processed: bool | None) -> LockEntry:
        self.entry = LockEntry(
            id=self.flow_id, name=self.change.name, digest=self.desired.digest, processed=processed
        )  # fmt: skip
        return self.entry

    def _note(self, found: ActualFlow) -> None:
        """Somebody else has made it what is wanted."""
        entry = LockEntry(
            id=found.id, name=found.name, digest=self.desired.digest, updated_at=found.updated_at
        )  # fmt: skip
        self.run_.remember_soon(self.change.key, entry)

    # -- ends

    def _failed(self, error: FlowsError) -> None:
        in_doubt = error.may_have_acted or isinstance(error, FlowProcessingError)
        if self.run_.stop.is_set():
            self._stopped(in_doubt=in_doubt)
            return
        self.state, self.error, self.problem = "failed", error, str(error)
        if in_doubt:
            self.status = self._status_now()

    def _stopped(self, *, in_doubt: bool = False) -> None:
        begun = bool(self.done) or in_doubt
        self.state, self.problem = "stopped", INTERRUPTED if begun else NOT_BEGUN
        if in_doubt:
            self.status = ""

    def _status_now(self) -> str:
        """What Meta says, asked once: this comes after a call that has been repeated often enough."""
        if not self.flow_id:
            return ""
        try:
            return str(self.client.with_options(max_attempts=1).get_flow(self.flow_id, fields="status").status)
        except FlowsError:
            return ""

    # -- telling

    def waits(self, state: RetryState, seconds: float) -> None:
        if state.operation in {"create_flow", "update_flow_json"}:
            self.attempts = state.attempt + 1
        self.run_.tell(
            self._event(attempt=state.attempt + 1, max_attempts=state.max_attempts, wait=seconds, error=state.error)
        )

    def _tell(self) -> None:
        self.run_.tell(self._event())

    def _event(self, **more: Any) -> FlowEvent:
        return FlowEvent(
            key=self.change.key, name=self.change.name, state=self.state, flow_id=self.flow_id, **more
        )  # fmt: skip


_ENDS: Final = frozenset({"done", "failed", "stopped"})
_STATES: Final[Mapping[State, Callable[[_Flow], State]]] = {
    "begin": _Flow._begin,
    "checking": _Flow._checking,
    "creating": _Flow._creating,
    "updating": _Flow._updating,
    "uploading": _Flow._uploading,
    "publishing": _Flow._publishing,
    "deprecating": _Flow._deprecating,
}
