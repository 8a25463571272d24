"""
One call as a conversation: send this, wait this long, send again.

The engine does no I/O and never sleeps. It yields steps; a driver of a dozen lines carries each out and sends back
the outcome: a `Response` for a `Request`, or False if it was not sent because the client was stopped or the call's time
was over; for a `Wait` whether it was waited out; nothing for `RunBlocking`; and for any of them the exception that was
raised. The policy decides whether and when to try again; the engine counts attempts and enforces the deadline.

Rule 1: the last error is raised, not a wrapper around it; the earlier ones are its `attempts`.
Rule 2: where an earlier attempt may have been carried out, `recover` reads the state before anything is sent again.
Rule 3: no request is sent after the deadline, and no wait begins that would reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Generic, TypeVar

from ._call import CallPolicy, CallReport
from ._classify import classify, is_error
from ._dataclasses import dataclass, replace
from ._wire import INLINE_PARSE_MAX_BYTES, Operation, Request, Response, Script, Secret
from .errors import ApiError, ErrorDetails, FlowsError, NotSentError
from .retry import Decision, RetryState

__all__ = [
    "CallPolicy",
    "Conversation",
    "GetToken",
    "Reply",
    "RunBlocking",
    "Step",
    "Wait",
    "converse",
    "run_blocking",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait `seconds`, then send True; or False if the wait was cut short."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RunBlocking:
    """Call `task`, which may block, then send None."""

    task: Callable[[], object]


@dataclass(frozen=True, slots=True)
class GetToken:
    """Send the access token as it is now."""


Step = Request | Wait | RunBlocking | GetToken
Reply = Response | Secret | bool | BaseException | None
Conversation = Generator[Step, Reply, T]


def run_blocking(task: Callable[[], T]) -> Conversation[T]:
    """The result of `task`, called where the driver allows blocking."""
    results: list[T] = []
    reply = yield RunBlocking(lambda: results.append(task()))
    if isinstance(reply, BaseException):
        try:
            raise reply
        finally:
            reply = None  # break the cycle of exception, traceback and this frame
    return results[0]


def converse(operation: Operation[T], policy: CallPolicy) -> Conversation[T]:
    """
    The whole of one call; returns its result.

    Raises the last `FlowsError`, with those before it in `.attempts`. Any other exception that is sent in, or that
    the policy raises, ends the call and passes through.
    """
    report = CallReport(operation, policy)
    began = report.started if policy.started is None else policy.started
    deadline = policy.deadline(began)
    errors: list[FlowsError] = []
    try:
        while True:
            attempt = _Attempt(policy, report, deadline)
            report.attempt_started(errors[-1] if errors else None)
            try:
                result = yield from _run_attempt(attempt, operation, errors)
            except FlowsError as caught:
                error = _in_callers_terms(caught, operation, errors)
            else:
                report.succeeded(tuple(errors))
                return result
            report.attempt_failed(error)
            decision = _decide(attempt, operation, error, elapsed=policy.clock() - began)
            if error is attempt.unsent and errors:
                error = errors.pop()  # the outcome of what was sent, rather than that no more was sent
            reason, unfinished_wait = decision.reason, 0.0
            if decision.delay is not None:
                report.retry_scheduled(decision, error)
                wait_began = policy.clock()
                if (yield from _wait(decision.delay)):
                    report.wait_finished(decision.delay)
                    errors.append(_without_traceback(error))
                    continue
                reason, unfinished_wait = "the wait was stopped", policy.clock() - wait_began
            error.attempts = tuple(errors)
            report.failed(error, reason, unfinished_wait=unfinished_wait)
            raise error
    except BaseException as exception:
        report.aborted(exception)
        raise


def _wait(seconds: float) -> Generator[Wait, Reply, bool]:
    """Whether the wait was waited out."""
    outcome = yield Wait(seconds)
    if isinstance(outcome, BaseException):
        try:
            raise outcome
        finally:
            outcome = None  # break the cycle of exception, traceback and this frame
    return bool(outcome)


class _Attempt:
    """
    The state of one attempt, shared by its scripts.

    `unsent` is the error for a request that was not sent because the time was over or the client was stopped. No
    other attempt follows it.
    """

    __slots__ = ("_deadline", "_renewed", "policy", "report", "unsent")

    def __init__(self, policy: CallPolicy, report: CallReport, deadline: float | None) -> None:
        self.policy, self.report, self._deadline = policy, report, deadline
        self._renewed = False
        self.unsent: NotSentError | None = None

    @property
    def time_left(self) -> float | None:
        """The seconds that the call has left; None when it has no deadline."""
        return None if self._deadline is None else self._deadline - self.policy.clock()

    def may_renew(self, error: FlowsError) -> bool:
        """Whether another token may help after this error, and none was asked for yet."""
        left = self.time_left
        if self._renewed or not self.policy.token_is_renewable or (left is not None and left <= 0):
            return False
        if not self.policy.error_codes.renewable(error):
            return False
        self._renewed = True
        return True

    def not_sent(self, request: Request) -> NotSentError:
        """The error for a request that is not sent."""
        left = self.time_left
        over = left is not None and left <= 0
        self.unsent = NotSentError(
            ErrorDetails(
                message="not sent: the time of the call is over." if over else "not sent: the client was told to stop.",
                operation=request.operation,
                flow_id=request.flow_id,
                advice="Make the call again, with more time." if over else "Make the call again when the stop is over.",
            )
        )
        return self.unsent


def _decide(attempt: _Attempt, operation: Operation[object], error: FlowsError, *, elapsed: float) -> Decision:
    """
    The policy's decision, where there is anything to decide.

    An exception that the policy raises has the call's error as its cause.
    """
    policy, report = attempt.policy, attempt.report
    if attempt.unsent is not None:
        return Decision(None, attempt.unsent.message.rstrip("."))
    if report.attempt >= policy.max_attempts:
        return Decision(None, "no attempts are left")
    state = RetryState(
        operation=operation.name,
        idempotent=operation.repeatable,
        error=error,
        attempt=report.attempt,
        max_attempts=policy.max_attempts,
        elapsed=elapsed,
        previous_delay=report.last_wait,
    )
    try:
        decision = policy.retry_policy.decide(state)
    except Exception as mistake:
        raise mistake from error
    left = attempt.time_left
    if decision.delay is None or left is None or decision.delay < left:
        return decision
    return Decision(None, f"a wait of {decision.delay:g} s would leave no time")


def _run_attempt(attempt: _Attempt, operation: Operation[T], errors: list[FlowsError]) -> Conversation[T]:
    """One attempt. After errors that leave the outcome unknown, `recover` reads the state before anything is sent."""
    ambiguous_errors = tuple(error for error in errors if operation.is_ambiguous(error))
    recover = operation.recover
    if not ambiguous_errors or recover is None:
        return (yield from _run_script(operation.script(attempt.report.attempt), attempt))
    found = yield from _run_script(recover(ambiguous_errors), attempt)
    if found is not None:
        return found
    try:
        return (yield from _run_script(operation.script(attempt.report.attempt), attempt))
    except ApiError as refusal:
        if not operation.resolves_ambiguity(refusal):
            raise
        duplicate_refusal = refusal
    found = yield from _run_script(recover(ambiguous_errors), attempt)
    if found is None:
        raise duplicate_refusal
    return found


@dataclass(frozen=True, slots=True)
class _Returned(Generic[T]):
    """The return value of a script."""

    result: T


def _advance(script: Script[T], response: Response | None, error: FlowsError | None) -> Request | _Returned[T]:
    """The script's next request, or its result. Runs no code of the host, whose StopIteration would look the same."""
    try:
        if error is not None:
            return script.throw(error)
        return next(script) if response is None else script.send(response)
    except StopIteration as stop:
        return _Returned(stop.value)


def _parse(response: Response | None, task: Callable[[], T]) -> Conversation[T]:
    """What `task` makes of a response. Megabytes of JSON take seconds, so a large one is a `RunBlocking`."""
    if response is not None and len(response.body) > INLINE_PARSE_MAX_BYTES:
        return (yield from run_blocking(task))
    return task()


def _run_script(script: Script[T], attempt: _Attempt) -> Conversation[T]:
    """
    Relays a script's requests and their responses; an error response is thrown into the script as its exception.

    A request whose token was refused is sent once more, at once, if there is another token by now: Meta has done
    nothing for it.
    """
    response: Response | None = None
    resend: Request | None = None
    error: FlowsError | None = None
    reply: Reply = None
    try:
        while True:
            if resend is not None:
                request, resend = resend, None
            else:
                following = yield from _parse(response, partial(_advance, script, response, error))
                if isinstance(following, _Returned):
                    return following.result
                request = following
            left = attempt.time_left
            if attempt.unsent is not None or (left is not None and left <= 0):
                response, error = None, attempt.unsent or attempt.not_sent(request)
                continue
            attempt.report.on_request(request)
            reply = yield (request if left is None else replace(request, time_left=left))
            if reply is False:
                reply = attempt.not_sent(request)
            response = reply if isinstance(reply, Response) else None
            if isinstance(reply, (Response, FlowsError)):
                error = yield from _parse(response, partial(_error_of, reply, request, attempt.policy))
                attempt.report.on_response(reply, error)
                token = None if error is None or response is None else (yield from _renewed(error, response, attempt))
                if token is not None:
                    resend, response, error = replace(request, token=token), None, None
            elif isinstance(reply, BaseException):
                raise reply
            else:
                raise TypeError(f"a Transport must return a Response, not {type(reply).__name__}")
    finally:
        reply = error = None  # break the cycle of exception, traceback and this frame


def _error_of(reply: Response | FlowsError, request: Request, policy: CallPolicy) -> FlowsError | None:
    """The error that a reply stands for; None for a success."""
    if isinstance(reply, FlowsError):
        return reply
    return classify(reply, request, policy.error_codes) if is_error(reply, request) else None


def _renewed(error: FlowsError, refusal: Response, attempt: _Attempt) -> Conversation[Secret | None]:
    """Another token than the one that was refused, if there is one; asked for once in an attempt."""
    if refusal.token is None or not attempt.may_renew(error):
        return None
    found = yield GetToken()
    if isinstance(found, BaseException) and not isinstance(found, FlowsError):  # an interrupt, a cancellation
        try:
            raise found
        finally:
            found = None
    if not isinstance(found, Secret) or found.is_same(refusal.token):  # a callable that raises now has no other token
        return None
    return found


def _in_callers_terms(error: FlowsError, operation: Operation[object], earlier: list[FlowsError]) -> FlowsError:
    """
    The error as one of the call that was made.

    The failure of a lookup is a failure of the call that needed it. Where this attempt or one before it may have been
    carried out, the advice never is to send the same again without a look at what a second time would do.
    """
    details = error.details
    if details.operation not in {None, operation.name}:
        details = replace(details, message=f"{details.message} (in {details.operation})")
    details = replace(details, operation=operation.name, flow_id=operation.flow_id or details.flow_id)
    earlier_unknown = not operation.idempotent and any(map(operation.is_ambiguous, earlier))
    if operation.lost_advice and (error.outcome_unknown or earlier_unknown):
        details = replace(details, advice=operation.lost_advice)
    elif earlier_unknown and not error.outcome_unknown:
        details = replace(details, advice="An earlier attempt may have been carried out: read the state first.")
    if details != error.details:
        error.details = details
        error.args = (details, *error.args[1:])
    return error


def _without_traceback(error: FlowsError) -> FlowsError:
    """The error without its traceback and context, which would keep frames alive in `.attempts`."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
