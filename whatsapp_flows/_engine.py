"""
One call as a conversation: send this, wait this long, send again.

The engine does no I/O and never sleeps. It yields what it wants done; a driver of a dozen lines does it and sends
back what came of it: a `Response` for a `Request` (or throws the error in), and for a `Wait` whether it was waited
out. The policy says whether and when to try again; the engine counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, TypeVar

from ._error_codes import ErrorCodes, classify, is_error
from ._wire import Operation, Request, Response, Script
from .errors import ApiError, FlowsError, RetryableError
from .events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Call,
    CallAborted,
    CallFailed,
    CallSucceeded,
    Emit,
    RetryScheduled,
)
from .retry import Decision, RetryPolicy, RetryState

T = TypeVar("T")

_call_ids: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait `seconds`, then send True; or False if something cut the wait short."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How calls are made: the policy, the number of attempts, the table of codes, who hears of it, the clock."""

    policy: RetryPolicy
    max_attempts: int
    error_codes: ErrorCodes
    emit: Emit
    clock: Callable[[], float]


Conversation = Generator[Request | Wait, Response | bool, T]


def converse(operation: Operation[T], rules: Rules) -> Conversation[T]:
    """
    The whole of one call; returns its result.

    Raises the last `FlowsError`, with those before it in `.attempts`. Anything else that is thrown in ends the call
    and passes through.
    """
    emit, clock, limit = rules.emit, rules.clock, rules.max_attempts
    call = Call(operation=operation.name, id=next(_call_ids), flow_id=operation.flow_id, subject=operation.subject)
    started = clock()
    errors: list[FlowsError] = []
    waited = last_wait = 0.0
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
            try:
                result = yield from _attempt(operation, errors, rules.error_codes)
            except FlowsError as caught:
                error = caught
            else:
                now = clock()
                emit(AttemptSucceeded, call=call, attempt=attempt, duration=now - began)
                emit(
                    CallSucceeded,
                    call=call,
                    attempts=attempt,
                    max_attempts=limit,
                    errors=tuple(errors),
                    waited=waited,
                    elapsed=now - started,
                )
                return result

            now = clock()
            emit(AttemptFailed, call=call, attempt=attempt, max_attempts=limit, duration=now - began, error=error)
            state = RetryState(
                operation=operation.name,
                idempotent=operation.repeatable,
                error=error,
                attempt=attempt,
                max_attempts=limit,
                elapsed=now - started,
                previous_delay=last_wait,
            )
            decision = rules.policy.decide(state) if attempt < limit else Decision(None, "no attempts are left")
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
                if (yield Wait(decision.delay)):
                    last_wait = decision.delay
                    waited += last_wait
                    errors.append(_bare(error))
                    continue
                unfinished, reason = clock() - now, "the wait was stopped"
                waited += unfinished
            error.attempts = tuple(errors)
            emit(
                CallFailed,
                call=call,
                attempts=attempt,
                max_attempts=limit,
                error=error,
                reason=reason,
                waited=waited,
                exhausted=isinstance(error, RetryableError),
                unfinished_wait=unfinished,
                elapsed=clock() - started,
            )
            raise error
    except FlowsError:
        raise
    except BaseException as other:
        emit(
            CallAborted,
            call=call,
            attempts=len(errors) + 1,
            exception=type(other).__name__,
            waited=waited,
            elapsed=clock() - started,
        )
        raise


def _attempt(operation: Operation[T], errors: list[FlowsError], codes: ErrorCodes) -> Script[T]:
    """One attempt: where an earlier one left the outcome open, look first; then ask."""
    doubt = next((error for error in reversed(errors) if operation.uncertain(error)), None)
    recover = operation.recover
    if doubt is None or recover is None:
        return (yield from _talk(operation.script(len(errors) + 1), codes))
    found = yield from _talk(recover(doubt), codes)
    if found is not None:
        return found
    try:
        return (yield from _talk(operation.script(len(errors) + 1), codes))
    except ApiError as refusal:
        if not operation.settles(refusal):
            raise
        echo = refusal
    found = yield from _talk(recover(doubt), codes)
    if found is None:
        raise echo
    return found


def _talk(script: Script[T], codes: ErrorCodes) -> Script[T]:
    """Relays a script's requests; an answer that is a refusal is thrown into it as the error it stands for."""
    try:
        request = next(script)
        while True:
            try:
                answer = yield request
                problem = classify(answer, request, codes) if is_error(answer, request) else None
            except FlowsError as caught:
                problem = caught
            request = script.send(answer) if problem is None else script.throw(problem)
    except StopIteration as done:
        result: T = done.value
        return result


def _bare(error: FlowsError) -> FlowsError:
    """The error without its traceback and context: a history must not keep frames alive."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
