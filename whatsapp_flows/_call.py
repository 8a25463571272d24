"""How one call is made (`CallPolicy`), and the events that report it (`CallReport`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Final

from ._dataclasses import dataclass, replace
from ._error_codes import ErrorCodes
from ._inert import without_credentials
from ._wire import Operation, Request, Response
from .errors import FlowsError, RetryableError
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
from .retry import Decision, RetryPolicy, longest_call
from .usage import Usage, usage_in

_call_ids: Final = itertools.count(1)


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
        """The same policy for the parts of a call that begins now."""
        return replace(self, started=self.clock()) if self.started is None else self

    def deadline(self, since: float) -> float | None:
        """When a call that began at `since` must be over, by the policy's `max_elapsed`; None without a deadline."""
        longest = longest_call(self.retry_policy)
        return None if longest is None else since + longest


class CallReport:
    """
    Emits the events of one call, and counts what they report: attempts, requests, seconds waited.

    `last_wait` is the seconds waited before this attempt, 0 for the first. Exactly one of `succeeded`, `failed` and
    `aborted` emits the last event.
    """

    __slots__ = (
        "_attempt_began",
        "_call",
        "_ended",
        "_last_response",
        "_policy",
        "_request_began",
        "_requests",
        "_waited",
        "attempt",
        "last_wait",
        "started",
    )

    def __init__(self, operation: Operation[object], policy: CallPolicy) -> None:
        self._call = Call(
            operation=operation.name, id=next(_call_ids), flow_id=operation.flow_id, subject=operation.subject
        )
        self._policy = policy
        self._ended = False
        self._last_response: ResponseMetadata | None = None
        self.last_wait = self._waited = self._request_began = 0.0
        self._requests = 0
        self.attempt = 0
        self.started = self._attempt_began = policy.clock()

    def attempt_started(self, after: FlowsError | None) -> None:
        """Another attempt begins; `after` is the failure of the one before."""
        self.attempt += 1
        self._requests = 0
        self._last_response = None
        self._attempt_began = self._policy.clock()
        self._policy.emit(
            AttemptStarted,
            call=self._call,
            attempt=self.attempt,
            max_attempts=self._policy.max_attempts,
            waited=self.last_wait,
            after=after,
        )

    def on_request(self, request: Request) -> None:
        """A request is about to be sent."""
        self._requests += 1
        if self._policy.has_listeners:
            self._request_began = self._policy.clock()
            self._policy.emit(
                RequestStarted,
                call=self._call,
                attempt=self.attempt,
                number=self._requests,
                method=request.method,
                url=without_credentials(_shown_url(request)),
            )

    def on_response(self, reply: Response | FlowsError, error: FlowsError | None) -> None:
        """A request has ended, with a response or without one; `error` is what the reply means, None for a success."""
        usage: tuple[Usage, ...] = ()
        status: int | None = None
        if isinstance(reply, Response):
            status = reply.status
            self._last_response = metadata_of(reply) if self._policy.has_listeners else None
            usage = self._policy.record_usage(reply.headers, reply.received_at)
        if self._policy.has_listeners:
            self._policy.emit(
                RequestFinished,
                call=self._call,
                attempt=self.attempt,
                number=self._requests,
                duration=self._policy.clock() - self._request_began,
                status=status,
                error=error,
                usage=usage,
                response=self._last_response if status is not None else None,
            )

    def attempt_failed(self, error: FlowsError) -> None:
        """The attempt has ended with this error."""
        self._policy.emit(
            AttemptFailed,
            call=self._call,
            attempt=self.attempt,
            max_attempts=self._policy.max_attempts,
            duration=self._policy.clock() - self._attempt_began,
            requests=self._requests,
            error=error,
        )

    def retry_scheduled(self, decision: Decision, error: FlowsError) -> None:
        """The policy has decided to try again after a wait."""
        self._policy.emit(
            RetryScheduled,
            call=self._call,
            next_attempt=self.attempt + 1,
            max_attempts=self._policy.max_attempts,
            delay=decision.delay,
            reason=decision.reason,
            error=error,
        )

    def wait_finished(self, seconds: float) -> None:
        """The wait before the next attempt is over."""
        self.last_wait = seconds
        self._waited += seconds

    def succeeded(self, errors: tuple[FlowsError, ...]) -> None:
        """The attempt, and with it the call, has succeeded after these failures."""
        now = self._policy.clock()
        self._policy.emit(
            AttemptSucceeded,
            call=self._call,
            attempt=self.attempt,
            duration=now - self._attempt_began,
            requests=self._requests,
        )
        self._policy.emit(
            CallSucceeded,
            call=self._call,
            attempts=self.attempt,
            max_attempts=self._policy.max_attempts,
            errors=errors,
            waited=self._waited,
            elapsed=now - self.started,
            last_response=self._last_response,
        )

    def failed(self, error: FlowsError, reason: str, *, unfinished_wait: float = 0.0) -> None:
        """The call has failed; `unfinished_wait` is how many seconds of a wait had passed when it was stopped."""
        self._ended = True
        self._waited += unfinished_wait
        self._policy.emit(
            CallFailed,
            call=self._call,
            attempts=self.attempt,
            max_attempts=self._policy.max_attempts,
            error=error,
            reason=reason,
            waited=self._waited,
            exhausted=self.attempt >= self._policy.max_attempts and isinstance(error, RetryableError),
            unfinished_wait=unfinished_wait,
            elapsed=self._policy.clock() - self.started,
        )

    def aborted(self, exception: BaseException) -> None:
        """An exception that is no failure of the call has ended it. Does nothing after `failed`."""
        if not self._ended:
            self._policy.emit(
                CallAborted,
                call=self._call,
                attempts=self.attempt,
                exception=type(exception).__name__,
                waited=self._waited,
                elapsed=self._policy.clock() - self.started,
            )


def _shown_url(request: Request) -> str:
    """Without the query where it leads to another host than the API's: it is signed."""
    return request.url if request.authenticated and not request.is_file else request.url.partition("?")[0]
