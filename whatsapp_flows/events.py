"""
What happened: typed events, and the log lines made from them.

A consumer is any callable that takes an `Event`. It runs in the calling thread, so it should be quick (put a slow one
behind a `QueuedConsumer`). An exception in it never breaks the call: the first of each consumer is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from ._dataclasses import dataclass, field
from ._inert import inert
from ._interrupts import is_interrupt
from ._log import logger
from ._wire import Response, redact
from .errors import FlowsError, RetryableError
from .usage import Usage

__all__ = [
    "AttemptFailed",
    "AttemptStarted",
    "AttemptSucceeded",
    "Call",
    "CallAborted",
    "CallFailed",
    "CallSucceeded",
    "Event",
    "EventConsumer",
    "RequestFinished",
    "RequestStarted",
    "ResponseMetadata",
    "RetryScheduled",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    The call that events belong to.

    `operation` is the client method's name. `id` is the same in all events of one call, and in no other call of this
    process. `flow_id` is None where the call is not about one flow. `subject` is how the log names it: `flow ID: 123`.
    """

    operation: str
    id: int
    flow_id: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in one call."""

    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Event):
    """
    An attempt begins, of one request or several. `attempt` counts from 1.

    For a retry, `after` is the failure that led to it, and `waited` the seconds waited since.
    """

    attempt: int
    max_attempts: int
    after: FlowsError | None = None
    waited: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStarted(Event):
    """
    Request `number` (from 1) of an attempt is about to be sent.

    `url` holds no credential, and no query where it leads to another host than the API's: such links are signed.
    """

    attempt: int
    number: int
    method: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMetadata:
    """
    The metadata of an answer, of a success too.

    Meta's support asks for `trace_id` (`x-fb-trace-id`); `api_version` is the version that answered. `headers`
    have lower-case names: at most 64 of them, each cut to 4,096 characters, all printable; without cookies and links,
    and with credentials masked.
    """

    status: int
    trace_id: str | None = None
    api_version: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_MAX_HEADERS: Final = 64
_MAX_HEADER_LENGTH: Final = 4096  # the usage header speaks of up to 32 objects, of some hundred characters each
_OMITTED_HEADERS: Final = frozenset(
    {"set-cookie", "set-cookie2", "location", "content-location", "link", "refresh", "www-authenticate",
     "proxy-authenticate", "authorization", "proxy-authorization", "cookie"}
)  # fmt: skip


def metadata_of(response: Response) -> ResponseMetadata:
    """The metadata of an answer, without credentials."""
    headers_shown: dict[str, str] = {}
    for name, value in response.headers.items():
        lowered = name.lower()
        if lowered not in _OMITTED_HEADERS and len(headers_shown) < _MAX_HEADERS:
            headers_shown[inert(lowered[:_MAX_HEADER_LENGTH])] = redact(
                inert(value[:_MAX_HEADER_LENGTH]), response.token
            )
    return ResponseMetadata(
        status=response.status,
        trace_id=headers_shown.get("x-fb-trace-id"),
        api_version=headers_shown.get("facebook-api-version"),
        headers=headers_shown,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFinished(Event):
    """
    A request has ended, after `duration` seconds: with an answer of this `status`, or None without an answer.

    `error` is the error that it ended in, `usage` the rate-limit figures of the answer, `response` its headers and
    trace id.
    """

    attempt: int
    number: int
    duration: float
    status: int | None
    error: FlowsError | None
    usage: tuple[Usage, ...] = ()
    response: ResponseMetadata | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSucceeded(Event):
    """An attempt succeeded, after `duration` seconds and `requests` HTTP requests."""

    attempt: int
    duration: float
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Event):
    """An attempt ended in `error`, after `duration` seconds and `requests` HTTP requests."""

    attempt: int
    max_attempts: int
    duration: float
    requests: int
    error: FlowsError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    """The call will wait `delay` seconds before attempt number `next_attempt`."""

    next_attempt: int
    max_attempts: int
    delay: float
    reason: str
    error: FlowsError


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSucceeded(Event):
    """
    The call has succeeded. `errors` are the failures before; `waited` and `elapsed` are in seconds.

    `last_response` has the headers and the trace id of the last answer.
    """

    attempts: int
    max_attempts: int
    errors: tuple[FlowsError, ...]
    waited: float
    elapsed: float
    last_response: ResponseMetadata | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(Event):
    """
    The call is given up, and `error` goes to the caller; `reason` says why it was not tried again.

    `exhausted`: the error was one to retry, and no attempts were left. `unfinished_wait`: the
    seconds of a wait that `stop` cut short; `waited`, all the seconds waited, includes them.
    """

    attempts: int
    max_attempts: int
    error: FlowsError
    exhausted: bool
    reason: str
    waited: float
    elapsed: float
    unfinished_wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAborted(Event):
    """Something that is not of this library ended the call: an interrupt, a cancellation, the host's own code."""

    attempts: int
    exception: str
    waited: float
    elapsed: float


EventConsumer = Callable[[Event], object]

# operation -> (infinitive, past): the words of the log lines.
_VERBS: Final[Mapping[str, tuple[str, str]]] = {
    "create_flow": ("create flow", "created flow"),
    "create_flow_template": ("create flow template", "created flow template"),
    "delete_flow": ("delete flow", "deleted flow"),
    "deprecate_flow": ("deprecate flow", "deprecated flow"),
    "download_flow_json": ("download flow JSON", "downloaded flow JSON"),
    "download_media": ("download media", "downloaded media"),
    "get_flow": ("get flow", "got flow"),
    "get_health": ("get health", "got health"),
    "get_metric": ("get metric", "got metric"),
    "get_preview": ("get preview", "got preview"),
    "get_public_key": ("get public key", "got public key"),
    "list_assets": ("list assets", "listed assets"),
    "list_flows": ("list flows", "listed flows"),
    "list_phone_numbers": ("list phone numbers", "listed phone numbers"),
    "list_subscribed_apps": ("list subscribed apps", "listed subscribed apps"),
    "migrate_flows": ("migrate flows", "migrated flows"),
    "publish_flow": ("publish flow", "published flow"),
    "send_flow": ("send flow", "sent flow"),
    "send_flow_template": ("send flow template", "sent flow template"),
    "set_public_key": ("set public key", "set public key"),
    "subscribe_app": ("subscribe app", "subscribed app"),
    "update_flow": ("update flow", "updated flow"),
    "update_flow_json": ("update flow JSON", "updated flow JSON"),
}


_FIXED_FAILURE_LINES: Final = frozenset({"update_flow_json"})  # its failure is one of the four lines of the contract


def log_event(event: Event) -> None:
    """
    The retry log on the logger `whatsapp_flows`.

    The wording of the four lines is a contract; each record carries its facts in `extra`. A failure of any operation
    but `update_flow_json`, whose line people match as a whole, also names its subject and the cause.
    """
    subject, (todo, done) = event.call.subject, _VERBS.get(event.call.operation, (event.call.operation,) * 2)
    if isinstance(event, AttemptStarted):
        if event.after is not None:
            text = f"Retry attempt {event.attempt}/{event.max_attempts} for {subject}"
            _log(logging.INFO, text, event, event.attempt, event.max_attempts, event.waited, event.after)
    elif isinstance(event, AttemptFailed):
        if isinstance(event.error, RetryableError):
            text = f"{event.error.label} error detected (retryable): {_message(event.error)}"
            _log(logging.WARNING, text, event, event.attempt, event.max_attempts, error=event.error)
    elif isinstance(event, RetryScheduled):
        text = f"Waiting {event.delay:g} s before attempt {event.next_attempt}/{event.max_attempts}"
        _log(logging.DEBUG, text, event, event.next_attempt, event.max_attempts, event.delay, event.error)
    elif isinstance(event, CallSucceeded):
        _log(logging.INFO, f"Successfully {done} for {subject}", event, event.attempts, event.max_attempts)
    elif isinstance(event, CallFailed):
        text = f"Failed to {todo} after {event.attempts} attempts"
        if event.call.operation not in _FIXED_FAILURE_LINES:
            text += f" for {subject}: {_cause(event.error)}" if subject else f": {_cause(event.error)}"
        _log(logging.ERROR, text, event, event.attempts, event.max_attempts, error=event.error)


def _message(error: FlowsError) -> str:
    """Meta's message for users, else the error's own, on one line."""
    return " ".join((error.user_message or error.message).splitlines())


def _cause(error: FlowsError) -> str:
    """The same with the code: `Flow name is not unique (code 100/4016019)`."""
    if error.code is None:
        return _message(error)
    return f"{_message(error)} (code {error.code}{'' if error.subcode is None else f'/{error.subcode}'})"


def _log(
    level: int,
    text: str,
    event: Event,
    attempt: int,
    max_attempts: int,
    delay: float | None = None,
    error: FlowsError | None = None,
) -> None:
    facts = {
        "operation": event.call.operation,
        "flow_id": _fact(event.call.flow_id),
        "attempt": attempt,
        "max_attempts": max_attempts,
        "delay": delay,
        "code": error.code if error else None,
        "subcode": error.subcode if error else None,
        "fbtrace_id": _fact(error.fbtrace_id) if error else None,
    }
    logger.log(level, "%s", text, extra=facts)


def _fact(text: str | None) -> str | None:
    return None if text is None else inert(text)


class Emit(Protocol):
    """How the engine reports an event: its class, and its fields."""

    def __call__(self, kind: type[Event], /, **fields: Any) -> None: ...


# The level at which an event is logged. An event without a listener is not made.
_LEVELS: Final[Mapping[type[Event], int]] = {
    AttemptStarted: logging.INFO,
    AttemptFailed: logging.WARNING,
    RetryScheduled: logging.DEBUG,
    CallSucceeded: logging.INFO,
    CallFailed: logging.ERROR,
}


def emitter(consumers: tuple[EventConsumer, ...], clock: Callable[[], float] | None = None) -> Emit:
    """Makes each event that has a listener, and passes it to the log and to all consumers."""
    deliver = isolated(consumers, clock)

    def emit(kind: type[Event], /, **fields: Any) -> None:
        logged = kind in _LEVELS and logger.isEnabledFor(_LEVELS[kind])
        if not (logged or consumers):
            return
        event = kind(**fields)
        if logged:
            log_event(event)
        deliver(event)

    return emit


_SLOW_SECONDS: Final = 1.0  # seconds; a call takes a fraction of one


def isolated(
    consumers: tuple[Callable[[T], object], ...], clock: Callable[[], float] | None = None
) -> Callable[[T], None]:
    """
    Passes a value to all consumers: what one raises does not reach the others or the caller.

    Only the first exception of each consumer is logged, because a broken one fails on every event. Given a clock, so is
    the first time that one takes longer than a second.
    """
    failed: set[int] = set()
    slow: set[int] = set()

    def deliver(value: T) -> None:
        for number, consumer in enumerate(consumers):
            started = clock() if clock else 0.0
            try:
                consumer(value)
            except Exception as raised:  # a host's consumer may raise anything, and must not break a call
                if is_interrupt(raised):
                    raise
                if number not in failed:
                    failed.add(number)
                    what = type(value).__name__
                    logger.exception("An event consumer failed on %s; it is not logged when it fails again", what)
            if clock and number not in slow and (took := clock() - started) > _SLOW_SECONDS:
                slow.add(number)
                logger.warning("An event consumer held up a call for %.1f s: put it behind a QueuedConsumer", took)

    return deliver
