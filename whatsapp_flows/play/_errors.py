"""
Why a move is impossible, or why a Flow cannot go on.

    FlowsError
    └─ PlayError                         F
       ├─ NoSuchField                    F     nothing on the screen has this name
       ├─ NotTappable                    F     it is there, and its user cannot use it: hidden, disabled, loading, over
       ├─ NotOffered                     F     the component does not offer this option
       ├─ WrongTransition                F     the move to a screen that a client refuses
       ├─ DataModelMismatch              F     data for a screen that are not what it declares
       └─ EndpointFault                  F     no answer of the endpoint that a client could use

F: also a `FatalError`. A message names components, screens and keys, never what a user has entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .._error_values import ErrorDetails
from ..errors import FatalError
from ._behaviour import BEHAVIOUR
from ._events import AskEndpoint, Broken, Failure, Refused

__all__ = [
    "DataModelMismatch",
    "EndpointFault",
    "NoSuchField",
    "NotOffered",
    "NotTappable",
    "PlayError",
    "WrongTransition",
    "error_of",
]


class PlayError(FatalError):
    """
    The base class: what a user tries is impossible, or a client would refuse to go on.

    `path` is a JSON pointer: of the component or the place in the Flow JSON, or, of an endpoint's answer, the place in
    the answer, such as `/data/dates`. It may be empty. `key` is the error that a client reports to the endpoint
    (`invalid-screen-transition`, `timeout_error`, ...), where there is one.
    """

    label = "Play"

    def __init__(self, details: ErrorDetails | str, path: str = "", key: str = "") -> None:
        super().__init__(details, path, key)
        self.path = path
        self.key = key


class NoSuchField(PlayError):  # noqa: N818 - the name of the contract
    """Nothing on the screen has this name, label or path; the message has the nearest one, and the others."""


class NotTappable(PlayError):  # noqa: N818
    """The component is there, but its user cannot use it: it is hidden or disabled, or the Flow is loading or over."""


class NotOffered(PlayError):  # noqa: N818
    """The component does not offer this option; the message has those that it offers."""


class WrongTransition(PlayError):  # noqa: N818
    """A move to a screen that a client refuses, of an endpoint's answer or of the Flow itself."""


class DataModelMismatch(PlayError):  # noqa: N818
    """The data for a screen do not fit what the screen declares, or an image does not fit its component."""


class EndpointFault(PlayError):  # noqa: N818
    """
    The endpoint gave no answer that a client could use: it was slow, was not there, or refused the request.

    `failure` is that of `Answer`: `timeout`, `token-refused` (427), `not-decrypted` (421), `status`, `unreadable` or
    `unreachable`; empty if the player has no endpoint. `closed`: the button of the message is disabled for good (427).
    """

    def __init__(
        self,
        details: ErrorDetails | str,
        path: str = "",
        key: str = "",
        failure: Failure = "",
        closed: bool = False,
    ) -> None:
        super().__init__(details, path, key)
        self.args = (*self.args, failure, closed)
        self.failure: Failure = failure
        self.closed = closed


_REFUSED: Final[Mapping[str, type[PlayError]]] = {
    "no-such-field": NoSuchField,
    "not-tappable": NotTappable,
    "not-offered": NotOffered,
    "not-now": NotTappable,
}
# Key of a `Broken` -> the error. Any other one that an answer has caused is an `EndpointFault`.
_BROKEN: Final[Mapping[str, type[PlayError]]] = {
    "invalid-screen-transition": WrongTransition,
    "no-such-screen": WrongTransition,
    "payload-schema-error": DataModelMismatch,
    "components-validation-error": DataModelMismatch,
}


# The row of `BEHAVIOUR` that an error is about.
_RULES: Final[Mapping[type[PlayError], str]] = {WrongTransition: "move.answer", DataModelMismatch: "data.checked"}


def error_of(effect: Refused | Broken, failure: Failure = "", *, asked_by: AskEndpoint | None = None) -> PlayError:
    """
    The error for an effect; `asked_by` is the request whose answer, of that `failure`, caused it.

    Where there is no answer, the path is that of the component that asked. The text of a 427 is the endpoint's own.
    """
    text, path = sentence(effect.message, effect.path), effect.path
    if isinstance(effect, Refused):
        return _REFUSED[effect.kind](text, path)
    kind = _BROKEN.get(effect.key)
    if kind is not None and not failure:
        return kind(sentence(effect.message, path, rule=_RULES[kind]), path, effect.key)
    if asked_by is not None or failure or effect.closed:
        if not path and asked_by is not None:
            path = asked_by.path
            text = text if effect.closed else sentence(text, path)
        return EndpointFault(text, path, effect.key, failure, effect.closed)
    return PlayError(text, path, effect.key)


def sentence(message: str, path: str, *, rule: str = "") -> str:
    """A message with the path, and the evidence of the rule of `BEHAVIOUR` if Meta does not document it."""
    notes = [path] if path and path not in message else []
    evidence = BEHAVIOUR[rule].evidence if rule else None
    if evidence is not None and evidence.kind != "documented":
        notes.append(str(evidence))
    return f"{message.rstrip('.')} ({'; '.join(notes)})." if notes else message
