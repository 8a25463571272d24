"""
One flow on its way: a small state machine. A state does one thing, and says which one is next; the table is `_STATES`.

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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import (
    FlowProcessingError,
    FlowsError,
    FlowStateError,
    NameTakenError,
    NotFoundError,
    PlanError,
    PublishBlockedError,
    ValidationIssue,
)
from ..models import FlowStatus
from ..retry import Decision, RetryState
from ._desired import DesiredFlow
from ._diff import change_of, replaced
from ._lock import LockEntry
from ._plan import FlowChange, Step
from ._result import INTERRUPTED, NOT_BEGUN, FlowEvent, FlowResult, State
from ._snapshot import ActualFlow, entry_of, find_again, is_as_seen, look_again

if TYPE_CHECKING:
    from ._apply import Run

logger: Final = logging.getLogger("whatsapp_flows")

_STATE_OF: Final[Mapping[Step, State]] = {
    "create": "creating",
    "update": "updating",
    "upload": "uploading",
    "publish": "publishing",
    "deprecate": "deprecating",
}


class _StoppedError(Exception):
    """`stop` was set."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """The run's retry policy; each wait that it decides on is told."""

    flow: FlowMachine

    def decide(self, state: RetryState, /) -> Decision:
        decision = self.flow.run_.policy.decide(state)
        if decision.delay is not None:
            self.flow.waits(state, decision.delay)
        return decision


class FlowMachine:
    """One flow on its way through the states."""

    def __init__(self, run: Run, change: FlowChange) -> None:
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
        fields = "id,name,status,categories,endpoint_uri"
        try:
            flow = self.client.get_flow(self.flow_id, fields=f"{fields},updated_at" if seen.updated_at else fields)
        except NotFoundError:
            raise PlanError(f"{self.change.name} is gone since the plan was made.") from None
        self.status = str(flow.status)
        if flow.id != self.flow_id or flow.name not in {seen.name, self.change.name}:
            raise PlanError(f"{seen.name} is not as it was when the plan was made: it is called {flow.name}.")
        if flow.name == seen.name and is_as_seen(flow, seen):
            return self._next()
        if self.change.action == "deprecate":
            if self.status == FlowStatus.DEPRECATED and flow.name == seen.name:
                return self._deprecated()
            raise self._moved()
        assert isinstance(seen, ActualFlow)  # noqa: S101 - all others are deprecated
        found = look_again(self.client, self.desired, self.flow_id, self.run_.lock, seen=seen)
        return self._go_on(found, appeared=False)

    def _creating(self) -> State:
        wanted = self.desired
        self._note_successor()
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
            found = find_again(self.client, self.desired, self.change.name, self.run_.lock)
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
                name=None if created or self.change.name == self._name_seen else self.change.name,
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
        change = replaced(self.change, self.run_.plan.options)
        if change.blocked:
            raise refusal
        self.change, self.steps, self.flow_id, self.status = change, list(change.steps), "", ""
        return "creating"

    @property
    def _name_seen(self) -> str:
        return self.change.actual.name if self.change.actual is not None else ""

    def _go_on(self, found: ActualFlow, *, appeared: bool) -> State:
        """
        From where the flow is now: done, nearer to what is wanted, or not what the plan was made for.

        A flow that has appeared is adopted unless it is in use and not what is wanted.
        """
        seen = self.change.actual if isinstance(self.change.actual, ActualFlow) else None
        rest = change_of(self.desired, found, self.run_.plan.options)
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
        seen = self.change.actual
        there = seen.application_id if isinstance(seen, ActualFlow) else None
        self.entry = LockEntry(
            id=self.flow_id, name=self.change.name, digest=self.desired.digest, processed=processed,
            written=bool(self.done), application_id=self.desired.application_id if "update" in self.done else there,
        )  # fmt: skip
        return self.entry

    def _note(self, found: ActualFlow) -> None:
        """Somebody else has made it what is wanted."""
        self.run_.remember_soon(self.change.key, entry_of(self.desired, found))

    def _note_successor(self) -> None:
        """On the disk before another flow is made in its place: if this process dies now, that one is known."""
        lock, seen = self.run_.lock, self.change.actual
        before = lock.get(self.change.key, seen.id) if lock is not None and seen is not None else None
        if self.change.action == "replace" and before is not None:
            self.run_.remember({self.change.key: replace(before, successor=self.change.name)})

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
_STATES: Final[Mapping[State, Callable[[FlowMachine], State]]] = {
    "begin": FlowMachine._begin,
    "checking": FlowMachine._checking,
    "creating": FlowMachine._creating,
    "updating": FlowMachine._updating,
    "uploading": FlowMachine._uploading,
    "publishing": FlowMachine._publishing,
    "deprecating": FlowMachine._deprecating,
}
