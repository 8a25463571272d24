"""What a handler returns: `Show`, `Finish` or `Close`, and the plaintext that each becomes."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from .._dataclasses import dataclass, field
from .._flow_facts import FINISH
from .._json import compact_json
from ..errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Show:
    """
    Show a screen, the same one or another, with the data that its data model declares.

    `error` is a text that the client shows in a snackbar (`error_message`, documented). `errors` is a text for each
    field by its name. It is sent as `error_messages`: declare that in the screen's data model, and bind the form's
    `error-messages` to it, as Meta's examples do.
    """

    screen: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    error: str | None = field(default=None, repr=False)
    errors: Mapping[str, str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.screen, str) or not self.screen:
            raise ConfigurationError("screen must be the id of a screen, a text that is not empty.")
        _check_mapping("data", self.data)
        if self.errors is not None:
            _check_mapping("errors", self.errors)
        if self.error is not None and not isinstance(self.error, str):
            raise ConfigurationError("error must be a text.")

    def plaintext(self, flow_token: str | None = None, /) -> dict[str, Any]:
        """The answer as it is encrypted."""
        data = dict(self.data)
        if self.error is not None:
            data["error_message"] = self.error
        if self.errors is not None:
            data["error_messages"] = dict(self.errors)
        return {"screen": self.screen, "data": data}


@dataclass(frozen=True, slots=True)
class Finish:
    """
    End the Flow: the client sends a message with exactly these parameters, and the `flow_token` of the request.

    A `flow_token` among the parameters is kept as it is.
    """

    params: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _check_mapping("params", self.params)

    def plaintext(self, flow_token: str | None = None, /) -> dict[str, Any]:
        """The answer as it is encrypted; `flow_token` is that of the request."""
        token = {} if flow_token is None else {"flow_token": flow_token}
        params = {**token, **self.params}
        return {"screen": FINISH, "data": {"extension_message_response": {"params": params}}}


@dataclass(frozen=True, slots=True)
class Close:
    """End the Flow without a message: `SUCCESS` without parameters (observed in Meta's web client)."""

    def plaintext(self, flow_token: str | None = None, /) -> dict[str, Any]:
        """The answer as it is encrypted."""
        return {"screen": FINISH, "data": {}}


_MAX_PATH: Final = 200  # characters
_SEARCHED: Final = 10_000  # values of an answer that are searched for what JSON cannot hold

Answer = Show | Finish | Close
"""What a handler returns."""


_TEXT: Final = frozenset({str})


def _check_mapping(name: str, value: object) -> None:
    fits = isinstance(value, (dict, Mapping)) and (
        _TEXT.issuperset(map(type, value)) or all(isinstance(key, str) for key in value)
    )
    if not fits:
        raise ConfigurationError(f"{name} must be a mapping with texts as keys.")


def encoded(plaintext: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8; with escapes where a text holds half a surrogate pair, which UTF-8 does not have."""
    try:
        return compact_json(plaintext, ascii_only=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return compact_json(plaintext, allow_nan=False).encode()


def unwritable(answer: object) -> str:
    """The type and the place of the first value that JSON cannot hold."""
    waiting: deque[tuple[str, object]] = deque([("", answer)])
    for _ in range(_SEARCHED):
        if not waiting:
            break
        path, value = waiting.popleft()
        if isinstance(value, dict):
            if wrong := next((key for key in value if not isinstance(key, str)), None):
                return f"a key that is a {type(wrong).__qualname__} at {path}"
            waiting.extend((_inner(path, key), inner) for key, inner in value.items())
        elif isinstance(value, (list, tuple)):
            waiting.extend((_inner(path, str(index)), inner) for index, inner in enumerate(value))
        elif isinstance(value, float) and not math.isfinite(value):
            return f"{value} at {path}"
        elif not isinstance(value, (str, int, float, type(None))):
            return f"a {type(value).__qualname__} at {path}"
    return "a value that is too deep or too large, or contains itself"


def _inner(path: str, step: str) -> str:
    """The place of a value, for a log: `...` where it is long, or has a key that is no plain name."""
    named = step if re.fullmatch(r"\w{1,40}", step, re.ASCII) else "..."
    return f"{path}/{named}" if len(path) < _MAX_PATH else path
