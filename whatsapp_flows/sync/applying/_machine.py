"""
One flow on its way: a small state machine. A state does one thing, and says which one is next; the table is `_STATES`.

    begin -> checking -> updating -> uploading -> publishing -> done
          -> creating -> updating -> uploading -> publishing -> done
          -> deprecating -> done
    a failure after the first write to a live flow -> restoring -> failed

Rule 1: a flow that was there is looked at before its first write. If it is not as the plan saw it, the plan is stale
        for it, unless somebody (another run) has brought it nearer to what is wanted.
Rule 2: a name that is taken, or an answer to a `create` that was lost, means that the flow is there: it is adopted.
Rule 3: a flow that refuses the edit is left as it is, or replaced where the plan allows it.
Rule 4: whatever ends a flow ends that flow only, and its result says what was done and in which state it is left.
Rule 5: a live flow goes back up. Before the first write its Flow JSON is kept; if the change fails, that is uploaded
        and published again. Once it was written to, `stop` ends it only when it is live again; a second interrupt ends
        it at once, and the result says how it is left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ..._digest import digest_of
from ..._inert import inert
from ...client import FlowsClient
from ...errors import (
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
from ...models import Flow, FlowStatus
from ...retry import Decision, RetryState, longest_call
from ..account import ActualFlow, LockEntry, entry_of, find_again, is_as_seen, look_again
from ..calls import GRACE, urgently
from ..desired import DesiredFlow
from ..planning import FlowChange, Step, change_of, replaced
from ._live import LiveVersion
from ._result import INTERRUPTED, KEPT, NOT_BEGUN, FlowEvent, FlowResult, Halted, State
from ._safeguard import Safeguard

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


class _KeptError(Exception):
    """The successor of a flow that is to be deprecated is not live."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """The run's retry policy; each wait that it decides on is told. A run that is stopped begins no long wait."""

    flow: FlowMachine

    @property
    def max_elapsed(self) -> float | None:
        """The deadline of each call, in seconds: the run's."""
        return longest_call(self.flow.run_.policy)

    def decide(self, state: RetryState, /) -> Decision:
        decision = self.flow.run_.policy.decide(state)
        delay = decision.delay
        if delay is not None and delay > GRACE and self.flow.run_.stop.is_set():
            asked = state.error.retry_after or 0.0  # by Meta, before which it is never asked again
            delay = None if asked > GRACE else GRACE
            decision = Decision(delay, "the run is stopped")
        if delay is not None:
            self.flow.waits(state, delay)
        return decision


class FlowMachine:
    """
    One flow on its way through the states.

    `successor` is what became of the flow that a deprecation waits for.
    """

    def __init__(self, run: Run, change: FlowChange, successor: FlowResult | None = None) -> None:
        self.run_ = run
        self.change = change
        self.successor = successor
        self._clients = run.client, run.last_client
        self.flow_id = change.flow_id
        self.status = change.status
        self.state: State = "begin"
        self.steps = list(change.steps)
        self.done: list[Step] = []
        self.attempts = 0
        self.adopted = change.action == "adopt"
        self.entry: LockEntry | None = None
        self.problem = change.reason if change.blocked else ""
        self.halted: Halted = ""
        self.issues = change.issues
        self.error = change.error
        self.guard = Safeguard(change.key, change.flow_id, run.memory, run.documents)
        self._written_at = ""
        self._end: State = "failed"  # after the restoration
        self._struck: State = "begin"  # where it failed

    @property
    def desired(self) -> DesiredFlow:
        assert self.change.desired is not None  # noqa: S101 - a deprecation never comes here
        return self.change.desired

    @property
    def client(self) -> FlowsClient:
        """The run's, which `stop` ends; while the flow is at risk, the one that only a second interrupt ends."""
        return self._clients[self.guard.at_risk]

    def run(self) -> FlowResult:
        """Through the states, to the end. Raises nothing."""
        policy, (soft, last) = _Telling(self), self._clients
        with soft.with_options(retry_policy=policy) as soft, last.with_options(retry_policy=policy) as last:
            self._clients = soft, last
            return self._run()

    def _run(self) -> FlowResult:
        while self.state not in _ENDS:
            try:
                if self.state != "begin":
                    self._tell()
                    self._heed_stop()
                with urgently() if self.guard.at_risk else nullcontext():
                    self.state = _STATES[self.state](self)
            except FlowsError as error:
                self.state = self._failed(error)
            except _StoppedError:
                self.state = self._stopped()
            except _KeptError as reason:
                self.state, self.halted, self.problem = "stopped", KEPT, f"{KEPT}: {reason}"
            except Exception as mistake:
                logger.exception("Flow %s ended by a mistake", self.change.key)
                self.state = self._ended("failed", f"{type(mistake).__name__}: {mistake}")
            except BaseException as interrupt:  # noqa: BLE001 - out of the host's own sleep; it comes out of `apply`
                self.run_.interrupt(interrupt)
                self.state = self._stopped(in_doubt=True)
        if not self.problem:
            self.guard.over()
        self._note_time()
        if self.guard.note:
            logger.warning("Flow %s: %s", inert(self.change.key), inert(self.guard.note))
        result = self.result()
        self.run_.tell(self._event(result=result))
        return result

    def leave(self, halted: Halted, reason: str = "") -> FlowResult:
        """The end of a flow that is not begun."""
        self.state, self.halted = "stopped", halted
        self.problem = f"{halted}: {reason}" if reason else halted
        result = self.result()
        self.run_.tell(self._event(result=result))
        return result

    def result(self) -> FlowResult:
        change = self.change
        return FlowResult(
            key=change.key, name=change.name, action=change.action, flow_id=self.flow_id, status=self.status,
            status_before=change.status, done=tuple(self.done), attempts=self.attempts, adopted=self.adopted,
            problem=self.problem, issues=self.issues, error=self.error, halted=self.halted,
            restored=self.guard.restored, note=self.guard.note, old_document=self.guard.left,
        )  # fmt: skip

    # -- states: each does one thing and says what is next

    def _begin(self) -> State:
        if not self.steps:
            return "failed" if self.problem else "done"
        return "creating" if self.steps[0] == "create" else "checking"

    def _checking(self) -> State:
        seen = self.change.actual
        assert seen is not None  # noqa: S101 - what is not there begins with `creating`
        flow = self._look("id,name,status,categories,endpoint_uri,updated_at" if seen.updated_at else _LOOK)
        self.status = str(flow.status)
        if flow.id != self.flow_id or flow.name not in {seen.name, self.change.name}:
            raise PlanError(f"{seen.name} is not as it was when the plan was made: it is called {flow.name}.")
        same = flow.name == seen.name and is_as_seen(flow, seen)
        if not isinstance(seen, ActualFlow):
            return self._deprecation(same)
        if same:
            self._keep_live(seen)
            return self._next()
        lock = self.run_.memory.lock
        return self._go_on(look_again(self.client, self.desired, self.flow_id, lock, seen=seen), appeared=False)

    def _creating(self) -> State:
        wanted = self.desired
        self._note_successor(self.change.name)
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
            found = find_again(self.client, self.desired, self.change.name, self.run_.memory.lock)
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
            return self._go_on(look_again(self.client, wanted, created.id, self.run_.memory.lock), appeared=True)
        published = wanted.publish and "publish" not in self.steps and not created.validation_errors
        self.status = (FlowStatus.PUBLISHED if published else FlowStatus.DRAFT).value
        self._wrote("create")
        return self._next() if not created.validation_errors else self._faulty(created.validation_errors)

    def _updating(self) -> State:
        wanted = self.desired
        created = self.done[:1] == ["create"]
        self.guard.about_to("update")
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
        self.guard.about_to("upload")
        # On the disk before it is sent: if this process dies now, the next run sends it again.
        self.run_.memory.begun(self.change.key, self._entry(processed=False))
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
        return self._published()

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

    def _restoring(self) -> State:
        """The old version is live again, or the note says how the flow is left. What went wrong before stays told."""
        way = self.guard.restore(self.client, new_name=self.change.name, status=self.status, ask=self._status_now)
        self.status, self.entry = way.status, None
        if self.status != FlowStatus.PUBLISHED:
            return self._end
        if not way.republished and self._struck == "publishing":  # the new version has come through
            self.problem, self.halted, self.error, self.issues = "", "", None, ()
            return self._published()
        self.guard.back(republished=way.republished)
        return self._end

    # -- what states have in common

    def _look(self, fields: str) -> Flow:
        try:
            return self.client.get_flow(self.flow_id, fields=fields)
        except NotFoundError:
            raise PlanError(f"{self.change.name} is gone since the plan was made.") from None

    def _next(self) -> State:
        return _STATE_OF[self.steps[0]] if self.steps else "done"

    def _published(self) -> State:
        self.status = FlowStatus.PUBLISHED.value
        self._wrote("publish")
        self.guard.over()
        return self._next()

    def _deprecation(self, same: bool) -> State:
        """A flow that is to be deprecated was looked at; its successor is looked at too, for this is for good."""
        if not same:
            if self.status == FlowStatus.DEPRECATED:
                return self._deprecated()
            raise self._moved()
        if self.change.after:
            assert self.successor is not None  # noqa: S101 - or it would have been kept
            successor = self.client.get_flow(self.successor.flow_id, fields="id,name,status")
            if successor.status != FlowStatus.PUBLISHED:
                raise _KeptError(f"{self.successor.name} is {successor.status}")
        return "deprecating"

    def _deprecated(self) -> State:
        self.status = FlowStatus.DEPRECATED.value
        self.run_.memory.soon(self.change.key, None)
        return "done"

    def _faulty(self, issues: tuple[ValidationIssue, ...]) -> State:
        """Meta has stored it, and will not publish it."""
        self.issues = self.desired.in_file(issues)
        count = f"{len(issues)} error{'' if len(issues) == 1 else 's'}"
        where = self.desired.file.name if self.desired.file is not None else "its Flow JSON"
        return self._ended("failed", f"Meta found {count} in {where}")

    def _refused(self, refusal: FlowStateError) -> State:
        """The flow cannot be edited. Another one takes its place, if the plan allows that and nothing was done yet."""
        if not self.change.may_replace or self.done:
            raise refusal
        change = replaced(self.change, self.run_.plan.options)
        if change.blocked:
            raise refusal
        self.guard.over()
        self.guard.live, self.entry = None, None
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
        if not appeared:
            self._keep_live(found)
        return self._next()

    def _moved(self) -> PlanError:
        return PlanError(f"{self.change.name} is not as it was when the plan was made: it is {self.status}.")

    # -- a live flow

    def _keep_live(self, flow: ActualFlow) -> None:
        """Have the version that is live, or was when the plan was made or by an earlier run, before the first write."""
        if self.status == FlowStatus.PUBLISHED:
            content = self._content(flow)
            self.guard.watch(None if content is None else LiveVersion.of(flow, content))
            return
        seen = self.change.actual
        kept = self.run_.documents.find(self.change.key, self.flow_id) if self.desired.publish else None
        if isinstance(seen, ActualFlow) and seen.status == FlowStatus.PUBLISHED and seen.content is not None:
            self.guard.was_live(LiveVersion.of(seen, seen.content))
        elif kept is not None:
            self.guard.was_live(LiveVersion(flow_id=self.flow_id, name=flow.name, content=kept))

    def _content(self, seen: ActualFlow) -> bytes | None:
        """The Flow JSON that is live, if there is one. Raises `PlanError` if it is not the one that the plan saw."""
        if "upload" not in self.steps:
            return self.desired.content
        if seen.content is not None or seen.digest is None:
            return seen.content
        content = self.client.download_flow_json(self.flow_id)
        if digest_of(content) != seen.digest:
            raise self._moved()
        return content

    # -- what is remembered

    def _wrote(self, step: Step) -> None:
        """A step is done. Its order is that of the plan, so it is the first of those that are left."""
        self.steps.remove(step)
        self.done.append(step)
        self._written_at = self.run_.written_at()
        if "upload" not in self.steps:  # so it holds what is wanted
            seen = self.change.actual
            known = seen.processed if step == "update" and isinstance(seen, ActualFlow) else True
            self._remember(processed=known if self.entry is None else self.entry.processed or known)

    def _remember(self, *, processed: bool | None) -> None:
        self.run_.memory.soon(self.change.key, self._entry(processed))

    def _entry(self, processed: bool | None) -> LockEntry:
        seen = self.change.actual
        there = seen.application_id if isinstance(seen, ActualFlow) else None
        self.entry = LockEntry(
            id=self.flow_id, name=self.change.name, digest=self.desired.digest, processed=processed,
            written=bool(self.done), application_id=self.desired.application_id if "update" in self.done else there,
        )  # fmt: skip
        return self.entry

    def _note_time(self) -> None:
        """
        All is done: what Meta lists with a time that is no later than our last write is this.

        Not before the end, because what comes after a failure writes something else.
        """
        if self.state == "done" and not self.problem and self.entry is not None and self._written_at:
            self.run_.memory.soon(self.change.key, replace(self.entry, written_at=self._written_at))

    def _note(self, found: ActualFlow) -> None:
        """Somebody else has made it what is wanted."""
        self.run_.memory.soon(self.change.key, entry_of(self.desired, found))

    def _note_successor(self, name: str) -> None:
        """
        On the disk before another flow is made in its place: if this process dies now, that one is known.

        Empty: none was made.
        """
        seen = self.change.actual
        before = self.run_.memory.entry(self.change.key, seen.id) if seen is not None else None
        if self.change.action == "replace" and before is not None:
            self.run_.memory.begun(self.change.key, replace(before, successor=name))

    # -- ends

    def _heed_stop(self) -> None:
        stop = self.run_.abandon if self.guard.at_risk else self.run_.stop
        if stop.is_set():
            raise _StoppedError

    def _failed(self, error: FlowsError) -> State:
        in_doubt = error.may_have_acted or isinstance(error, FlowProcessingError)
        if self.run_.stop.is_set() and (not self.guard.at_risk or isinstance(error, RetryableError)):
            return self._stopped(in_doubt=in_doubt)
        self.error = error
        if self.state == "creating" and not in_doubt:
            self._note_successor("")
        if in_doubt:
            self.status = "" if self.guard.at_risk else self._status_now()
        return self._ended("failed", str(error))

    def _stopped(self, *, in_doubt: bool = False) -> State:
        begun = bool(self.done) or in_doubt or self.guard.at_risk
        if in_doubt:
            self.status = ""
        if self.state != "restoring":
            self.halted = INTERRUPTED if begun else NOT_BEGUN
        return self._ended("stopped", self.halted)

    def _ended(self, end: State, problem: str) -> State:
        """The end; of a flow that is at risk, after it was brought up again."""
        if self.state == "restoring":  # where the host's own code, or an interrupt, has struck
            self.guard.give_up(self.status, problem)
            return self._end
        self.problem = problem
        if not self.guard.at_risk:
            return end
        if self.run_.abandon.is_set():
            self.guard.give_up(self.status, problem)
            return end
        self._end, self._struck = end, self.state
        return "restoring"

    def _status_now(self) -> str:
        """What Meta says, asked once: this comes after a call that has been repeated often enough."""
        if not self.flow_id or self.run_.abandon.is_set():
            return ""
        try:
            with self.client.with_options(max_attempts=1) as client:
                return str(client.get_flow(self.flow_id, fields="status").status)
        except FlowsError:
            return ""

    # -- telling

    def waits(self, state: RetryState, seconds: float) -> None:
        if self.state != "restoring" and state.operation in {"create_flow", "update_flow_json"}:
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


_LOOK: Final = "id,name,status,categories,endpoint_uri"
_ENDS: Final = frozenset({"done", "failed", "stopped"})
_STATES: Final[Mapping[State, Callable[[FlowMachine], State]]] = {
    "begin": FlowMachine._begin,
    "checking": FlowMachine._checking,
    "creating": FlowMachine._creating,
    "updating": FlowMachine._updating,
    "uploading": FlowMachine._uploading,
    "publishing": FlowMachine._publishing,
    "restoring": FlowMachine._restoring,
    "deprecating": FlowMachine._deprecating,
}
