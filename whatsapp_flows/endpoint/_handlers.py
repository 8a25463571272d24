"""Which handler a request goes to: the more specific one."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from ..errors import ConfigurationError
from ._answers import Answer
from ._request import FlowRequest
from ._steps import Function

Handler = Callable[[FlowRequest], Answer] | Callable[[FlowRequest], Awaitable[Answer]]
"""A function from a request to an answer, plain or asynchronous."""

Observer = Callable[[FlowRequest], object]
"""A function that is told of an error notification; what it returns is ignored, or awaited."""

H = TypeVar("H", bound=Callable[..., Any])

ACTIONS: Final = ("INIT", "data_exchange", "BACK")
_OTHER: Final = None  # in place of an action: no peer can send it

Place = tuple[str | None, str | None]
"""An action and a screen; None is every screen."""

FALLBACK: Final[Place] = (_OTHER, "fallback")
ON_ERROR: Final[Place] = (_OTHER, "on_error")


class Handlers:
    """The handlers of an endpoint, by action and screen."""

    def __init__(self) -> None:
        self._found: dict[Place, Function] = {}
        self.screens: set[str] = set()
        """The screens that have a handler of their own."""

    def add(self, place: Place, handler: H) -> H:
        """Register a handler. Raises `ConfigurationError` if there is one for that place, or if it is none."""
        action, screen = place
        name = " of ".join(part for part in place if part is not None)
        if not callable(handler):
            raise ConfigurationError(f"the handler for {name} must be a function of the request.")
        function = Function(handler, name)
        if not takes_a_request(handler):
            raise ConfigurationError(
                f"{function.described}, the handler for {name}, must take one argument, the request."
            )
        if (before := self._found.get(place)) is not None:
            raise ConfigurationError(
                f"there are two handlers for {name}: {before.described} and {function.described}. Remove one."
            )
        self._found[place] = function
        if action is not None and screen is not None:
            self.screens.add(screen)
        return handler

    def find(self, action: str, screen: str | None) -> Function | None:
        """The handler of the action and the screen, else of the action, else the fallback."""
        found = self._found
        return found.get((action, screen)) or found.get((action, None)) or found.get(FALLBACK)

    @property
    def on_error(self) -> Function | None:
        """What is told of error notifications."""
        return self._found.get(ON_ERROR)

    def __len__(self) -> int:
        return len(self._found)


def takes_a_request(handler: Callable[..., Any]) -> bool:
    """Whether a function can be called with one argument; True if that cannot be known."""
    try:
        inspect.signature(handler).bind(None)
    except TypeError:
        return False
    except ValueError:  # of a function that is not written in Python
        return True
    return True
