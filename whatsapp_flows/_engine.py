"""
One call as a conversation: send this, wait this long, send again.

The engine does no I/O and never sleeps. It yields what it wants done; a driver of a dozen lines does it and sends
back what came of it: a `Response` for a `Request`, or False if it was not sent because the client was stopped or its
time was over; for a `Wait` whether it was waited out; nothing for `Work`; and for all of them whatever exception was
raised. The policy says whether and when to try again; the engine counts, and sees to the deadline.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Generic, TypeVar

from ._error_codes import ErrorCodes, classify, is_error
from ._inert import without_credentials
from ._wire import READ_AT_ONCE, Operation, Request, Response, Script, Secret
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
class Work:
    """Call `task`, which may block, then send None."""

    task: Callable[[], object]


@dataclass(frozen=True, slots=True)
class NewToken:
    """Send another token than the one that was `refused`, or None if there is no other."""

    refused: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    How calls are made: the policy, the number of attempts, the table of codes, who hears of it, the clock.

    `watched`: whether anybody but the log listens; the events of single requests are made for them alone. `note` is
    given the headers of each answer, and returns what they say of the rate limits. `started` is when the call of the
    client began whose parts are made by these rules, on `clock`; None when what is made is the whole. `renews`: the
    token comes from a callable, which may have another one by now.
    """

    policy: RetryPolicy
    max_attempts: int
    error_codes: ErrorCodes
    emit: Emit
    clock: Callable[[], float]
    watched: bool = True
    note: Callable[[Mapping[str, str], float], tuple[Usage, ...]] = usage_in
    started: float | None = None
    renews: bool = False

    def begun(self) -> Rules:
        """The same, for the parts of a call that begins now."""
        return replace(self, started=self.clock()) if self.started is None else self

    def deadline(self, since: float) -> float | None:
        """When a call that began then must be over, by the policy's `max_elapsed`; None for never."""
        longest = longest_call(self.policy)
        return None if longest is None else since + longest


Reply = Response | Secret | bool | BaseException | None
Conversation = Generator[Request | Wait | Work | NewToken, Reply, T]


def work(task: Callable[[], T]) -> Conversation[T]:
    """What `task` returns, called wherever the driver lets things block."""
    results: list[T] = []
    reply = yield Work(lambda: results.append(task()))
    if isinstance(reply, BaseException):
        try:
            raise reply
        finally:
            reply = None  # or the exception, its traceback and this frame would keep each other alive
    return results[0]


def converse(operation: Operation[T], rules: Rules) -> Conversation[T]:
    """
    The whole of one call; returns its result.

    Raises the last `FlowsError`, with those before it in `.attempts`. Any other exception that is sent in, or that
    the policy raises, ends the call and passes through.
    """
    emit, clock, limit = rules.emit, rules.clock, rules.max_attempts
    call = Call(operation=operation.name, id=next(_call_ids), flow_id=operation.flow_id, subject=operation.subject)
    started = clock()
    since = started if rules.started is None else rules.started
    deadline = rules.deadline(since)
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
            line = _Line(rules, call, attempt, deadline)
            try:
                result = yield from _attempt(operation, errors, line)
            except FlowsError as caught:
                error = _labelled(caught, operation, errors)
            else:
                now = clock()
                emit(AttemptSucceeded, call=call, attempt=attempt, duration=now - began, requests=line.requests)
                emit(
                    CallSucceeded,
                    call=call,
                    attempts=attempt,
                    max_attempts=limit,
                    errors=tuple(errors),
                    waited=waited,
                    elapsed=now - started,
                    last_response=line.last_response,
                )
                return result

            now = clock()
            emit(
                AttemptFailed,
                call=call,
                attempt=attempt,
                max_attempts=limit,
                duration=now - began,
                requests=line.requests,
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
            decision = _decide(rules.policy, state, line)
            if error is line.unsent and errors:
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
                    errors.append(_bare(error))
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


def _decide(policy: RetryPolicy, state: RetryState, line: _Line) -> Decision:
    """
    The policy's word, where there is anything to decide.

    If it has a mistake in it, Meta's error is what that exception comes from.
    """
    if line.unsent is not None:
        return Decision(None, line.unsent.message.rstrip("."))
    if state.attempt >= state.max_attempts:
        return Decision(None, "no attempts are left")
    try:
        decision = policy.decide(state)
    except Exception as mistake:
        raise mistake from state.error
    left = line.time_left
    if decision.delay is None or left is None or decision.delay < left:
        return decision
    return Decision(None, f"a wait of {decision.delay:g} s would leave no time")


class _Line:
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
        "_renewed",
        "_rules",
        "last_response",
        "requests",
        "unsent",
    )

    def __init__(self, rules: Rules, call: Call, attempt: int, deadline: float | None) -> None:
        self._rules, self._call, self._attempt, self._deadline = rules, call, attempt, deadline
        self._began = 0.0
        self._renewed = False
        self.requests = 0
        self.last_response: ResponseMetadata | None = None
        self.unsent: NotSentError | None = None

    @property
    def time_left(self) -> float | None:
        """The seconds that the call has left; None when it has no deadline."""
        return None if self._deadline is None else self._deadline - self._rules.clock()

    def may_renew(self, problem: FlowsError) -> bool:
        """Whether another token may cure this, and none was looked for yet."""
        left = self.time_left
        if self._renewed or not self._rules.renews or (left is not None and left <= 0):
            return False
        if not self._rules.error_codes.renewable(problem):
            return False
        self._renewed = True
        return True

    def keeps(self, request: Request) -> NotSentError:
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

    def sends(self, request: Request) -> None:
        """A request is about to leave."""
        self.requests += 1
        if self._rules.watched:
            self._began = self._rules.clock()
            self._rules.emit(
                RequestStarted,
                call=self._call,
                attempt=self._attempt,
                number=self.requests,
                method=request.method,
                url=without_credentials(request.url if request.authenticated else request.url.partition("?")[0]),
            )

    def reads(self, request: Request, reply: Response | FlowsError) -> FlowsError | None:
        """The error that a reply stands for, or None. Takes its time with a large answer."""
        if isinstance(reply, FlowsError):
            return reply
        return classify(reply, request, self._rules.error_codes) if is_error(reply, request) else None

    def hears(self, reply: Response | FlowsError, problem: FlowsError | None) -> None:
        """A reply is there, and has been read."""
        usage: tuple[Usage, ...] = ()
        status: int | None = None
        if isinstance(reply, Response):
            status = reply.status
            self.last_response = metadata_of(reply) if self._rules.watched else None
            usage = self._rules.note(reply.headers, reply.received_at)
        if self._rules.watched:
            self._rules.emit(
                RequestFinished,
                call=self._call,
                attempt=self._attempt,
                number=self.requests,
                duration=self._rules.clock() - self._began,
                status=status,
                error=problem,
                usage=usage,
                response=self.last_response if status is not None else None,
            )


def _attempt(operation: Operation[T], errors: list[FlowsError], line: _Line) -> Conversation[T]:
    """One attempt: where earlier ones left the outcome open, look first; then ask."""
    doubts = tuple(error for error in errors if operation.uncertain(error))
    recover = operation.recover
    if not doubts or recover is None:
        return (yield from _talk(operation.script(len(errors) + 1), line))
    found = yield from _talk(recover(doubts), line)
    if found is not None:
        return found
    try:
        return (yield from _talk(operation.script(len(errors) + 1), line))
    except ApiError as refusal:
        if not operation.settles(refusal):
            raise
        echo = refusal
    found = yield from _talk(recover(doubts), line)
    if found is None:
        raise echo
    return found


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """What a script returned."""

    result: T


def _go_on(script: Script[T], answer: Response | None, problem: FlowsError | None) -> Request | _Done[T]:
    """The script's next request, or its end. No code of the host's runs in here, whose StopIteration is no end."""
    try:
        if problem is not None:
            return script.throw(problem)
        return next(script) if answer is None else script.send(answer)
    except StopIteration as done:
        return _Done(done.value)


def _read(answer: Response | None, task: Callable[[], T]) -> Conversation[T]:
    """What `task` makes of an answer; of a large one wherever the driver lets things block."""
    if answer is not None and len(answer.body) > READ_AT_ONCE:
        return (yield from work(task))
    return task()


def _talk(script: Script[T], line: _Line) -> Conversation[T]:
    """
    Relays a script's requests; an answer that is a refusal is thrown into it as the error it stands for.

    A large answer is read wherever the driver lets things block: some megabytes of JSON take seconds.

    A request whose token was refused is sent once more, at once, if there is another token by now: Meta has done
    nothing of it.
    """
    answer: Response | None = None
    again: Request | None = None
    problem: FlowsError | None = None
    reply: Reply = None
    try:
        while True:
            if again is not None:
                request, again = again, None
            else:
                following = yield from _read(answer, partial(_go_on, script, answer, problem))
                if isinstance(following, _Done):
                    return following.result
                request = following
            left = line.time_left
            if line.unsent is not None or (left is not None and left <= 0):
                answer, problem = None, line.unsent or line.keeps(request)
                continue
            line.sends(request)
            reply = yield (request if left is None else replace(request, time_left=left))
            if reply is False:
                reply = line.keeps(request)
            answer = reply if isinstance(reply, Response) else None
            if isinstance(reply, (Response, FlowsError)):
                problem = yield from _read(answer, partial(line.reads, request, reply))
                line.hears(reply, problem)
                token = None if problem is None or answer is None else (yield from _renewed(problem, answer, line))
                if token is not None:
                    again, answer, problem = replace(request, token=token), None, None
            elif isinstance(reply, BaseException):
                raise reply
            else:
                raise TypeError(f"a Transport must return a Response, not {type(reply).__name__}")
    finally:
        reply = problem = None  # or an exception, its traceback and this frame would keep each other alive


def _renewed(problem: FlowsError, refusal: Response, line: _Line) -> Conversation[Secret | None]:
    """Another token than the one that was refused, if there is one; looked for once in an attempt."""
    if refusal.token is None or not line.may_renew(problem):
        return None
    found = yield NewToken(refusal.token)
    if isinstance(found, BaseException) and not isinstance(found, Exception):  # an interrupt, a cancellation
        try:
            raise found
        finally:
            found = None
    return found if isinstance(found, Secret) else None  # a callable that fails now has no other token


def _labelled(error: FlowsError, operation: Operation[object], earlier: list[FlowsError]) -> FlowsError:
    """
    The error in the caller's terms.

    A lookup that fails is a failure of the call it was made for. And when an earlier attempt may have been carried
    out, no error may advise to simply send the same again.
    """
    details = error.details
    if details.operation not in {None, operation.name}:
        details = replace(details, message=f"{details.message} (in {details.operation})")
    details = replace(details, operation=operation.name, flow_id=operation.flow_id or details.flow_id)
    if not operation.idempotent and not error.leaves_doubt and any(map(operation.uncertain, earlier)):
        details = replace(details, advice="An earlier attempt may have been carried out: read the state first.")
    if details != error.details:
        error.details = details
        error.args = (details, *error.args[1:])
    return error


def _bare(error: FlowsError) -> FlowsError:
    """The error without its traceback and context: a history must not keep frames alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
