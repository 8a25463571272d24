"""
One call as a conversation: send this, wait this long, send again.

The engine does no I/O and never sleeps. It yields steps; a driver of a dozen lines carries each out and sends back
the outcome: a `Response` for a `Request`, or False if it was not sent because the client was stopped or the call's time
was over; for a `Wait` whether it was waited out; nothing for `RunBlocking`; and for any of them the exception that was
raised. The policy decides whether and when to try again; the engine counts attempts and enforces the deadline.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Generic, TypeVar

from ._error_codes import ErrorCodes, classify, is_error
from ._inert import without_credentials
from ._wire import INLINE_PARSE_MAX_BYTES, Operation, Request, Response, Script, Secret
from .errors import ApiError, ErrorDetails, FlowsError, NotSentError, RetryableError
from .events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Call,
    CallAborted,
    CallFailed,
    CallSucceeded,
    Emit,
    RequestFinished,
    RequestStarted,
    ResponseMetadata,
    RetryScheduled,
    metadata_of,
)
from .retry import Decision, RetryPolicy, RetryState, longest_call
from .usage import Usage, usage_in

T = TypeVar("T")

_call_ids: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait `seconds`, then send True; or False if something cut the wait short."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RunBlocking:
    """Call `task`, which may block, then send None."""

    task: Callable[[], object]


@dataclass(frozen=True, slots=True)
class NewToken:
    """Send another token than the one that was `refused`, or None if there is no other."""

    refused: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """
    How calls are made: retry policy, number of attempts, table of error codes, event emitter and clock.

    `has_listeners`: whether a consumer of events is registered; without one, no events of single requests are made.
    `record_usage` receives the headers of each response and returns the rate-limit figures in them. `started` is when
    the client's call began, on `clock`, for an operation that is only a part of that call; None for a whole call.
    `token_is_renewable`: the token comes from a callable, which may return another one later.
    """

    retry_policy: RetryPolicy
    max_attempts: int
    error_codes: ErrorCodes
    emit: Emit
    clock: Callable[[], float]
    has_listeners: bool = True
    record_usage: Callable[[Mapping[str, str], float], tuple[Usage, ...]] = usage_in
    started: float | None = None
    token_is_renewable: bool = False

    def starting_now(self) -> CallPolicy:
        """The same, for the parts of a call that begins now."""
        return replace(self, started=self.clock()) if self.started is None else self

    def deadline(self, since: float) -> float | None:
        """When a call that began then must be over, by the policy's `max_elapsed`; None for never."""
        longest = longest_call(self.retry_policy)
        return None if longest is None else since + longest


Reply = Response | Secret | bool | BaseException | None
Conversation = Generator[Request | Wait | RunBlocking | NewToken, Reply, T]


def run_blocking(task: Callable[[], T]) -> Conversation[T]:
    """What `task` returns, called wherever the driver lets things block."""
    results: list[T] = []
    reply = yield RunBlocking(lambda: results.append(task()))
    if isinstance(reply, BaseException):
        try:
            raise reply
        finally:
            reply = None  # or the exception, its traceback and this frame would keep each other alive
    return results[0]


def converse(operation: Operation[T], policy: CallPolicy) -> Conversation[T]:
    """
    The whole of one call; returns its result.

    Raises the last `FlowsError`, with those before it in `.attempts`. Any other exception that is sent in, or that
    the policy raises, ends the call and passes through.
    """
    emit, clock, limit = policy.emit, policy.clock, policy.max_attempts
    call = Call(operation=operation.name, id=next(_call_ids), flow_id=operation.flow_id, subject=operation.subject)
    started = clock()
    since = started if policy.started is None else policy.started
    deadline = policy.deadline(since)
    errors: list[FlowsError] = []
    waited = last_wait = 0.0
    failed = False
    try:
        while True:
            attempt, began = len(errors) + 1, clock()
            emit(
                AttemptStarted,
                call=call,
                attempt=attempt,
                max_attempts=limit,
                waited=last_wait,
                after=errors[-1] if errors else None,
            )
            exchange = _Exchange(policy, call, attempt, deadline)
            try:
                result = yield from _attempt(operation, errors, exchange)
            except FlowsError as caught:
                error = _in_callers_terms(caught, operation, errors)
            else:
                now = clock()
                emit(AttemptSucceeded, call=call, attempt=attempt, duration=now - began, requests=exchange.requests)
                emit(
                    CallSucceeded,
                    call=call,
                    attempts=attempt,
                    max_attempts=limit,
                    errors=tuple(errors),
                    waited=waited,
                    elapsed=now - started,
                    last_response=exchange.last_response,
                )
                return result

            now = clock()
            emit(
                AttemptFailed,
                call=call,
                attempt=attempt,
                max_attempts=limit,
                duration=now - began,
                requests=exchange.requests,
                error=error,
            )
            state = RetryState(
                operation=operation.name,
                idempotent=operation.repeatable,
                error=error,
                attempt=attempt,
                max_attempts=limit,
                elapsed=now - since,
                previous_delay=last_wait,
            )
            decision = _decide(policy.retry_policy, state, exchange)
            if error is exchange.unsent and errors:
                error = errors.pop()  # what became of what was sent
            unfinished, reason = 0.0, decision.reason
            if decision.delay is not None:
                emit(
                    RetryScheduled,
                    call=call,
                    next_attempt=attempt + 1,
                    max_attempts=limit,
                    delay=decision.delay,
                    reason=reason,
                    error=error,
                )
                if (yield from _wait(decision.delay)):
                    last_wait = decision.delay
                    waited += last_wait
                    errors.append(_without_traceback(error))
                    continue
                unfinished, reason = clock() - now, "the wait was stopped"
                waited += unfinished
            error.attempts = tuple(errors)
            failed = True
            emit(
                CallFailed,
                call=call,
                attempts=attempt,
                max_attempts=limit,
                error=error,
                reason=reason,
                waited=waited,
                exhausted=attempt >= limit and isinstance(error, RetryableError),
                unfinished_wait=unfinished,
                elapsed=clock() - started,
            )
            raise error
    except BaseException as other:
        if not failed:
            emit(
                CallAborted,
                call=call,
                attempts=len(errors) + 1,
                exception=type(other).__name__,
                waited=waited,
                elapsed=clock() - started,
            )
        raise


def _wait(seconds: float) -> Generator[Wait, Reply, bool]:
    """Whether the wait was waited out."""
    outcome = yield Wait(seconds)
    if isinstance(outcome, BaseException):
        try:
            raise outcome
        finally:
            outcome = None  # or the exception, its traceback and this frame would keep each other alive
    return bool(outcome)


def _decide(policy: RetryPolicy, state: RetryState, exchange: _Exchange) -> Decision:
    """
    The policy's word, where there is anything to decide.

    If it has a mistake in it, Meta's error is what that exception comes from.
    """
    if exchange.unsent is not None:
        return Decision(None, exchange.unsent.message.rstrip("."))
    if state.attempt >= state.max_attempts:
        return Decision(None, "no attempts are left")
    try:
        decision = policy.decide(state)
    except Exception as mistake:
        raise mistake from state.error
    left = exchange.time_left
    if decision.delay is None or left is None or decision.delay < left:
        return decision
    return Decision(None, f"a wait of {decision.delay:g} s would leave no time")


class _Exchange:
    """
    What one attempt says and hears: counts its requests, reads the answers, tells who watches.

    `unsent` is the error that stands for a request that was not made, since there was no time or the client was told
    to stop; whatever comes of it, no other attempt follows.
    """

    __slots__ = (
        "_attempt",
        "_began",
        "_call",
        "_deadline",
        "_policy",
        "_renewed",
        "last_response",
        "requests",
        "unsent",
    )

    def __init__(self, policy: CallPolicy, call: Call, attempt: int, deadline: float | None) -> None:
        self._policy, self._call, self._attempt, self._deadline = policy, call, attempt, deadline
        self._began = 0.0
        self._renewed = False
        self.requests = 0
        self.last_response: ResponseMetadata | None = None
        self.unsent: NotSentError | None = None

    @property
    def time_left(self) -> float | None:
        """The seconds that the call has left; None when it has no deadline."""
        return None if self._deadline is None else self._deadline - self._policy.clock()

    def may_renew(self, problem: FlowsError) -> bool:
        """Whether another token may cure this, and none was looked for yet."""
        left = self.time_left
        if self._renewed or not self._policy.token_is_renewable or (left is not None and left <= 0):
            return False
        if not self._policy.error_codes.renewable(problem):
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

    def on_request(self, request: Request) -> None:
        """A request is about to leave."""
        self.requests += 1
        if self._policy.has_listeners:
            self._began = self._policy.clock()
            self._policy.emit(
                RequestStarted,
                call=self._call,
                attempt=self._attempt,
                number=self.requests,
                method=request.method,
                url=without_credentials(request.url if request.authenticated else request.url.partition("?")[0]),
            )

    def error_of(self, request: Request, reply: Response | FlowsError) -> FlowsError | None:
        """The error that a reply stands for, or None. Takes its time with a large answer."""
        if isinstance(reply, FlowsError):
            return reply
        return classify(reply, request, self._policy.error_codes) if is_error(reply, request) else None

    def on_response(self, reply: Response | FlowsError, problem: FlowsError | None) -> None:
        """A reply is there, and has been read."""
        usage: tuple[Usage, ...] = ()
        status: int | None = None
        if isinstance(reply, Response):
            status = reply.status
            self.last_response = metadata_of(reply) if self._policy.has_listeners else None
            usage = self._policy.record_usage(reply.headers, reply.received_at)
        if self._policy.has_listeners:
            self._policy.emit(
                RequestFinished,
                call=self._call,
                attempt=self._attempt,
                number=self.requests,
                duration=self._policy.clock() - self._began,
                status=status,
                error=problem,
                usage=usage,
                response=self.last_response if status is not None else None,
            )


def _attempt(operation: Operation[T], errors: list[FlowsError], exchange: _Exchange) -> Conversation[T]:
    """One attempt: where earlier ones left the outcome open, look first; then ask."""
    ambiguous_errors = tuple(error for error in errors if operation.is_ambiguous(error))
    recover = operation.recover
    if not ambiguous_errors or recover is None:
        return (yield from _run_script(operation.script(len(errors) + 1), exchange))
    found = yield from _run_script(recover(ambiguous_errors), exchange)
    if found is not None:
        return found
    try:
        return (yield from _run_script(operation.script(len(errors) + 1), exchange))
    except ApiError as refusal:
        if not operation.resolves_ambiguity(refusal):
            raise
        duplicate_refusal = refusal
    found = yield from _run_script(recover(ambiguous_errors), exchange)
    if found is None:
        raise duplicate_refusal
    return found


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """What a script returned."""

    result: T


def _advance(script: Script[T], answer: Response | None, problem: FlowsError | None) -> Request | _Done[T]:
    """The script's next request, or its end. No code of the host's runs in here, whose StopIteration is no end."""
    try:
        if problem is not None:
            return script.throw(problem)
        return next(script) if answer is None else script.send(answer)
    except StopIteration as done:
        return _Done(done.value)


def _read(answer: Response | None, task: Callable[[], T]) -> Conversation[T]:
    """What `task` makes of an answer; of a large one wherever the driver lets things block."""
    if answer is not None and len(answer.body) > INLINE_PARSE_MAX_BYTES:
        return (yield from run_blocking(task))
    return task()


def _run_script(script: Script[T], exchange: _Exchange) -> Conversation[T]:
    """
    Relays a script's requests; an answer that is a refusal is thrown into it as the error it stands for.

    A large answer is read wherever the driver lets things block: some megabytes of JSON take seconds.

    A request whose token was refused is sent once more, at once, if there is another token by now: Meta has done
    nothing of it.
    """
    answer: Response | None = None
    resend: Request | None = None
    problem: FlowsError | None = None
    reply: Reply = None
    try:
        while True:
            if resend is not None:
                request, resend = resend, None
            else:
                following = yield from _read(answer, partial(_advance, script, answer, problem))
                if isinstance(following, _Done):
                    return following.result
                request = following
            left = exchange.time_left
            if exchange.unsent is not None or (left is not None and left <= 0):
                answer, problem = None, exchange.unsent or exchange.not_sent(request)
                continue
            exchange.on_request(request)
            reply = yield (request if left is None else replace(request, time_left=left))
            if reply is False:
                reply = exchange.not_sent(request)
            answer = reply if isinstance(reply, Response) else None
            if isinstance(reply, (Response, FlowsError)):
                problem = yield from _read(answer, partial(exchange.error_of, request, reply))
                exchange.on_response(reply, problem)
                token = None if problem is None or answer is None else (yield from _renewed(problem, answer, exchange))
                if token is not None:
                    resend, answer, problem = replace(request, token=token), None, None
            elif isinstance(reply, BaseException):
                raise reply
            else:
                raise TypeError(f"a Transport must return a Response, not {type(reply).__name__}")
    finally:
        reply = problem = None  # or an exception, its traceback and this frame would keep each other alive


def _renewed(problem: FlowsError, refusal: Response, exchange: _Exchange) -> Conversation[Secret | None]:
    """Another token than the one that was refused, if there is one; looked for once in an attempt."""
    if refusal.token is None or not exchange.may_renew(problem):
        return None
    found = yield NewToken(refusal.token)
    if isinstance(found, BaseException) and not isinstance(found, Exception):  # an interrupt, a cancellation
        try:
            raise found
        finally:
            found = None
    return found if isinstance(found, Secret) else None  # a callable that fails now has no other token


def _in_callers_terms(error: FlowsError, operation: Operation[object], earlier: list[FlowsError]) -> FlowsError:
    """
    The error in the caller's terms.

    A lookup that fails is a failure of the call it was made for. And when an earlier attempt may have been carried
    out, no error may advise to simply send the same again.
    """
    details = error.details
    if details.operation not in {None, operation.name}:
        details = replace(details, message=f"{details.message} (in {details.operation})")
    details = replace(details, operation=operation.name, flow_id=operation.flow_id or details.flow_id)
    if not operation.idempotent and not error.outcome_unknown and any(map(operation.is_ambiguous, earlier)):
        details = replace(details, advice="An earlier attempt may have been carried out: read the state first.")
    if details != error.details:
        error.details = details
        error.args = (details, *error.args[1:])
    return error


def _without_traceback(error: FlowsError) -> FlowsError:
    """The error without its traceback and context: a history must not keep frames alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
