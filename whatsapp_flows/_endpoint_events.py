"""What happened at an endpoint, as events: no value of them holds a token, or what a user has entered."""

from __future__ import annotations

from typing import Final

from ._dataclasses import dataclass
from ._endpoint_errors import AnswerProblem
from ._http_answer import Outcome
from .events import Call, Event

__all__ = ["LATENCY_ALERTS", "AnswerRefused", "EndpointEvent", "EndpointRequestFinished", "ErrorNotified"]

LATENCY_ALERTS: Final = (1.0, 5.0, 7.0)
"""Seconds: Meta alerts when 90 % of the answers take this long (documented: "Flows health monitoring")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointEvent(Event):
    """
    Something that happened in one request to an endpoint.

    `call.operation` is `receive`; `call.id` is the same in all events of one request. `action` and `screen` are those
    of the request. Both are from short lists, so that they may label a metric: an action that Meta does not document
    is `other`, and so is a screen that neither is in the endpoint's `flow` nor has a handler. None: not known, since
    the request was not decrypted, or has no screen.
    """

    call: Call = Call(operation="receive", id=0)
    action: str | None = None
    screen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRequestFinished(EndpointEvent):
    """
    A request was answered, after `duration` seconds, with this HTTP status and outcome.

    `handler_duration` is the part of it that the check of tokens and the handler took, in seconds; None if none was
    called, as for an answer that the replay guard has kept. `key_index` is the index of the private key that opened the
    request; None if it was not opened.
    """

    status: int
    outcome: Outcome
    duration: float
    handler_duration: float | None = None
    key_index: int | None = None
    request_bytes: int = 0
    answer_bytes: int = 0

    @property
    def latency_alert(self) -> float | None:
        """The highest of Meta's alert levels (1, 5 and 7 seconds) that the duration has reached, or None."""
        return max((level for level in LATENCY_ALERTS if self.duration >= level), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorNotified(EndpointEvent):
    """
    The client could not use an earlier answer. `error` is Meta's key, such as `payload-schema-error`.

    It is in the documented spelling. An unknown key is in lower case, with underscores; one that is empty, has over 64
    characters, or has a digit is `other`.
    """

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRefused(EndpointEvent):
    """The check found that the client would refuse an answer. With `sent`, the answer was sent all the same."""

    problems: tuple[AnswerProblem, ...]
    sent: bool = False
