"""
One flow of a run: a small state machine. A state does one thing and returns the next state.

    begin -> checking -> updating -> uploading -> publishing -> done
          -> creating -> updating -> uploading -> publishing -> done
          -> deprecating -> done
    a failure after the first write to a live flow -> restoring -> failed

Rules 1 to 3 are in `_steps`, which has the states that send the plan's requests.

Rule 4: a failure ends its own flow only. The result says what was done, and which state the flow is in.
Rule 5: a live flow is published again. Its Flow JSON is kept before the first write; if the change fails, that is
        uploaded and published. After the first write, `stop` ends the flow only when it is live again; a second
        interrupt ends it at once, and the result says which state it is in.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import replace
from typing import Final

from ..._inert import inert
from ..._interrupts import is_interrupt
from ...client import FlowsClient
from ...errors import FlowProcessingError, FlowsError, RetryableError
from ...models import FlowStatus
from ..calls import unpaced
from ..planning import FlowChange
from ._context import RunContext
from ._progress import FlowProgress
from ._record import FlowRecord
from ._reporting import FlowReporter, ReportingPolicy
from ._result import INTERRUPTED, KEPT, NOT_BEGUN, FlowResult, Halted, State
from ._safeguard import Safeguard
from ._steps import STEPS, FlowSteps, InvalidFlowJsonError, SuccessorNotLiveError

logger: Final = logging.getLogger("whatsapp_flows")

_ENDS: Final = frozenset({"done", "failed", "stopped"})


def run_flow(context: RunContext, change: FlowChange, successor: FlowResult | None = None) -> FlowResult:
    """
    Carry out the change of one flow. Raises nothing.

    `successor` is the result of the flow that a deprecation waits for.
    """
    progress = FlowProgress.of(change)
    reporter = FlowReporter(progress, context.report)
    policy = ReportingPolicy(context.policy, context.stop, reporter)
    with (
        context.client.with_options(retry_policy=policy) as client,
        context.restoring_client.with_options(retry_policy=policy) as restoring_client,
    ):
        own = replace(context, client=client, restoring_client=restoring_client)
        return _FlowMachine(own, progress, reporter, successor).run()


def skip_flow(context: RunContext, change: FlowChange, halted: Halted, reason: str = "") -> FlowResult:
    """The result of a flow that the run does not begin, and why."""
    progress = FlowProgress.of(change)
    return _FlowMachine(context, progress, FlowReporter(progress, context.report)).skip(halted, reason)


class _FlowMachine:
    """The states of one flow, from `begin` to its result."""

    def __init__(
        self,
        context: RunContext,
        progress: FlowProgress,
        reporter: FlowReporter,
        successor: FlowResult | None = None,
    ) -> None:
        change = progress.change
        self._context, self._progress, self._reporter = context, progress, reporter
        self._safeguard = Safeguard(change.key, change.flow_id, context.lock_writer, context.documents)
        self._record = FlowRecord(progress, context.lock_writer, context.server_time)
        self._steps = FlowSteps(context, progress, self._safeguard, self._record, successor)
        self._problem = change.reason if change.blocked else ""
        self._halted: Halted = ""
        self._issues, self._error = change.issues, change.error
        self._end: State = "failed"  # after the restoration
        self._failed_in: State = "begin"

    @property
    def _client(self) -> FlowsClient:
        return self._context.client_for(at_risk=self._safeguard.at_risk)

    def run(self) -> FlowResult:
        progress = self._progress
        while progress.state not in _ENDS:
            try:
                progress.state = self._advance()
            except FlowsError as error:
                progress.state = self._failed(error)
            except InvalidFlowJsonError as invalid:
                self._issues = invalid.issues
                progress.state = self._ended("failed", str(invalid))
            except SuccessorNotLiveError as reason:
                progress.state, self._halted, self._problem = "stopped", KEPT, f"{KEPT}: {reason}"
            except BaseException as raised:
                if isinstance(raised, Exception) and not is_interrupt(raised):
                    logger.exception("Flow %s failed unexpectedly", progress.change.key)
                    progress.state = self._ended("failed", f"{type(raised).__name__}: {raised}")
                else:  # raised in the host's own `sleep`, for example; `apply` raises it in the end
                    self._context.interrupt(raised)
                    progress.state = self._stopped(outcome_unknown=True)
        if not self._problem:
            self._safeguard.release()
            self._record.finish()
        if self._safeguard.note:
            logger.warning("Flow %s: %s", inert(progress.change.key), inert(self._safeguard.note))
        return self._result()

    def skip(self, halted: Halted, reason: str) -> FlowResult:
        self._progress.state, self._halted = "stopped", halted
        self._problem = f"{halted}: {reason}" if reason else halted
        return self._result()

    def _result(self) -> FlowResult:
        progress, safeguard = self._progress, self._safeguard
        result = FlowResult(
            key=progress.change.key,
            name=progress.change.name,
            action=progress.change.action,
            flow_id=progress.flow_id,
            status=progress.status,
            status_before=progress.change.status,
            done=tuple(progress.done),
            attempts=progress.attempts,
            adopted=progress.adopted,
            problem=self._problem,
            issues=self._issues,
            error=self._error,
            halted=self._halted,
            restored=safeguard.restored,
            note=safeguard.note,
            old_document=safeguard.saved_file,
        )
        self._reporter.result(result)
        return result

    # -- states

    def _advance(self) -> State:
        state, at_risk = self._progress.state, self._safeguard.at_risk
        if state == "begin":
            return self._begin()
        self._reporter.state()
        if self._context.is_stopped(at_risk=at_risk):
            return self._stopped()
        with unpaced() if at_risk else nullcontext():
            return self._restore() if state == "restoring" else STEPS[state](self._steps)

    def _begin(self) -> State:
        steps = self._progress.steps
        if not steps:
            return "failed" if self._problem else "done"
        return "creating" if steps[0] == "create" else "checking"

    def _restore(self) -> State:
        """Publish the old version again, or note which state the flow is in. The first problem stays in the result."""
        progress = self._progress
        restoration = self._safeguard.restore(
            self._client, new_name=progress.change.name, status=progress.status, ask=self._read_status
        )
        progress.status = restoration.status
        self._record.discard()
        if progress.status != FlowStatus.PUBLISHED:
            return self._end
        if not restoration.republished and self._failed_in == "publishing":  # the new version is live after all
            self._problem, self._halted, self._error, self._issues = "", "", None, ()
            return self._steps.published()
        self._safeguard.mark_restored(republished=restoration.republished)
        return self._end

    # -- ends

    def _failed(self, error: FlowsError) -> State:
        at_risk, state = self._safeguard.at_risk, self._progress.state
        outcome_unknown = error.may_have_acted or isinstance(error, FlowProcessingError)
        if self._context.stop.is_set() and (not at_risk or isinstance(error, RetryableError)):
            return self._stopped(outcome_unknown=outcome_unknown)
        self._error = error
        if state == "creating" and not outcome_unknown:
            self._record.note_successor("")
        if outcome_unknown:
            self._progress.status = "" if at_risk else self._read_status()
        return self._ended("failed", str(error))

    def _stopped(self, *, outcome_unknown: bool = False) -> State:
        begun = bool(self._progress.done) or outcome_unknown or self._safeguard.at_risk
        if outcome_unknown:
            self._progress.status = ""
        if self._progress.state != "restoring":
            self._halted = INTERRUPTED if begun else NOT_BEGUN
        return self._ended("stopped", self._halted)

    def _ended(self, end: State, problem: str) -> State:
        """The end of the flow; if it is at risk, after its restoration."""
        progress = self._progress
        if progress.state == "restoring":  # an error in the host's own code, or an interrupt
            self._safeguard.give_up(progress.status, problem)
            return self._end
        self._problem = problem
        if not self._safeguard.at_risk:
            return end
        if self._context.abandon.is_set():
            self._safeguard.give_up(progress.status, problem)
            return end
        self._end, self._failed_in = end, progress.state
        return "restoring"

    def _read_status(self) -> str:
        """The flow's status, or empty. Asked once: the call before has used up its retries."""
        if not self._progress.flow_id or self._context.abandon.is_set():
            return ""
        try:
            with self._client.with_options(max_attempts=1) as client:
                return str(client.get_flow(self._progress.flow_id, fields="status").status)
        except FlowsError:
            return ""
