"""
What an endpoint logs, and the events that it emits.

No record or event holds a value of a user's, a token, a key, or the text of an exception, which may quote one of them.
An exception is named by its type and by the places where it was raised.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable
from typing import Final

from .._client_error_keys import CLIENT_ERROR_KEYS, client_error_key
from .._dataclasses import replace
from .._endpoint_errors import AnswerProblem
from .._endpoint_events import AnswerRefused, EndpointEvent, EndpointRequestFinished, ErrorNotified
from .._http_answer import HttpAnswer, Outcome
from .._log import logger, place_of
from ..events import Call, Event, isolated
from ._request import FlowRequest
from ._steps import Function, HandlerError

OTHER: Final = "other"
_ACTIONS: Final = frozenset({"INIT", "BACK", "data_exchange", "ping", "navigate"})
_SIGNIFICANT: Final = 5  # problems of one answer that are logged
_call_ids: Final = itertools.count(1)

# The level at which an outcome is logged. A refused request may be an attack or a wrong setting, so it is a warning.
_LEVELS: Final[dict[Outcome, int]] = {
    "answered": logging.DEBUG,
    "ping": logging.DEBUG,
    "token-refused": logging.INFO,
    "error-notified": logging.DEBUG,  # has a line of its own
    "too-large": logging.WARNING,
    "bad-signature": logging.WARNING,
    "bad-envelope": logging.WARNING,
    "not-decrypted": logging.WARNING,
    "too-slow": logging.ERROR,
    "no-handler": logging.ERROR,
    "handler-failed": logging.ERROR,
    "refused-answer": logging.ERROR,
}


class Exchange:
    """
    The facts of one request, as they become known; `note` is a sentence about what went wrong.

    `failed` is what failed, where the log is to name something else than the outcome.
    """

    __slots__ = ("action", "call", "failed", "handler_duration", "key_index", "note", "screen", "started")

    def __init__(self, started: float) -> None:
        self.started = started
        self.call: Call | None = None
        self.action: str | None = None
        self.screen: str | None = None
        self.key_index: int | None = None
        self.handler_duration: float | None = None
        self.failed = ""
        self.note = ""


class Reports:
    """Logs, and emits events to the consumers; `screens` are the names that may be shown."""

    def __init__(
        self,
        consumers: tuple[Callable[[Event], object], ...],
        clock: Callable[[], float],
        screens: Callable[[str], bool],
    ) -> None:
        self._consumers = consumers
        self._deliver = isolated(consumers, clock)
        self._clock = clock
        self._known = screens

    def decrypted(self, exchange: Exchange, request: FlowRequest, key_index: int) -> None:
        """A request was decrypted: what of it may be shown."""
        exchange.key_index = key_index
        exchange.action = request.action if request.action in _ACTIONS else OTHER
        if request.screen:
            exchange.screen = request.screen if self._known(request.screen) else OTHER

    def finished(self, exchange: Exchange, answer: HttpAnswer, request_bytes: int) -> None:
        """A request has its answer."""
        level = _LEVELS[answer.outcome]
        duration = self._clock() - exchange.started
        if not self._consumers and duration < 1.0 and not logger.isEnabledFor(level):
            return
        event = EndpointRequestFinished(
            action=exchange.action,
            screen=exchange.screen,
            status=answer.status,
            outcome=answer.outcome,
            duration=duration,
            handler_duration=exchange.handler_duration,
            key_index=exchange.key_index,
            request_bytes=request_bytes,
            answer_bytes=len(answer.body),
        )
        if logger.isEnabledFor(level):
            note = f": {exchange.note}" if exchange.note else ""
            text = f"Flow endpoint: {exchange.failed or answer.outcome} (HTTP {answer.status}), {_subject(event)}{note}"
            _log(level, text, event)
        if (alert := event.latency_alert) is not None:
            text = f"Flow endpoint: {_subject(event)} took {duration:.1f} s; Meta alerts at {alert:g} s"
            _log(logging.WARNING, text, event, latency_alert=alert)
        self._emit(exchange, event)

    def error_notified(self, exchange: Exchange, error: str) -> None:
        """The client could not use an earlier answer."""
        event = ErrorNotified(action=exchange.action, screen=exchange.screen, error=_error_key(error))
        _log(logging.WARNING, f"Flow endpoint: the client reports {event.error}, {_subject(event)}", event)
        self._emit(exchange, event)

    def answer_refused(self, exchange: Exchange, problems: tuple[AnswerProblem, ...], sent: bool) -> None:
        """The check found problems in an answer."""
        event = AnswerRefused(action=exchange.action, screen=exchange.screen, problems=problems, sent=sent)
        for problem in problems[:_SIGNIFICANT]:
            place = f" at {problem.path}" if problem.path else ""
            text = f"Flow endpoint: the client would refuse the answer, {_subject(event)}: {problem.message}{place}"
            _log(logging.WARNING if sent else logging.ERROR, f"{text} ({problem.key})", event, key=problem.key)
        self._emit(exchange, event)

    def failed(self, what: str, error: BaseException) -> None:
        """A function of the host's failed where the request goes on without it."""
        if isinstance(error, HandlerError):
            logger.error("Flow endpoint: %s failed: %s", what, str(error))
        else:
            logger.error("Flow endpoint: %s raised %s", what, place_of(error))

    def _emit(self, exchange: Exchange, event: EndpointEvent) -> None:
        if self._consumers:
            if exchange.call is None:
                exchange.call = Call(operation="receive", id=next(_call_ids))
            self._deliver(replace(event, call=exchange.call))


def described(function: Function) -> str:
    """A handler in a sentence."""
    return f"the handler for {function.name}, {function.described},"


def _error_key(error: str) -> str:
    """
    The documented key of an error, whatever its spelling; an unknown one in lower case.

    Meta's keys have no digits. One with a digit becomes "other": it may be what a user wrote into a field `error`.
    """
    key = client_error_key(error)
    return key if key in CLIENT_ERROR_KEYS or re.fullmatch(r"[a-z_]{1,64}", key) else OTHER


def _subject(event: EndpointEvent) -> str:
    """What a request was about: `data_exchange of CHOOSE`."""
    if event.action is None:
        return "a request that was not opened"
    return event.action if event.screen is None else f"{event.action} of {event.screen}"


_FACTS: Final = (
    "action", "screen", "status", "outcome", "duration", "handler_duration", "key_index", "request_bytes",
    "answer_bytes", "error",
)  # fmt: skip


def _log(level: int, text: str, event: EndpointEvent, **more: object) -> None:
    facts = {name: getattr(event, name, None) for name in _FACTS}
    logger.log(level, "%s", text, extra={**facts, **more})
