"""The state of a Flow that is being played: a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from .._dataclasses import dataclass, field
from ._events import AskEndpoint, Broken, Complete, Effect, Event, Snackbar
from ._flow import PlayedFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenState:
    """
    What one screen holds: its data, and the form by the names of its components.

    A value in the form is as in `Node.value`. `touched` are the paths whose errors may be shown; `refused` are the
    texts that a server has sent as the errors of fields, by path, until the value changes; `refused_values` are the
    values that it sent them for.
    """

    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    form: Mapping[str, Any] = field(default_factory=dict, repr=False)
    touched: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused_values: Mapping[str, Any] = field(default_factory=dict, repr=False)


UNOPENED: Final = ScreenState()
"""What a screen holds before it is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a session was started: what `start` was given, for a replay."""

    screen: str | None = None
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    init: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    A Flow that is being played.

    `history` are the ids of the screens from the first to the current one; empty while an INIT is on its way.
    `screens` are the screens that have been opened, `events` what has happened so far, in order. `pending` is the
    request that awaits its answer. `end` says how it ended, if it has. `focused` is the path of the field that has the
    focus, or empty. `today` is the day on which the Flow is played: dates are suggested from
    it on.

    The repr shows neither the flow token nor anything that the user has entered.
    """

    flow: PlayedFlow = field(repr=False)
    opening: Opening
    flow_token: str = field(repr=False)
    today: date
    history: tuple[str, ...] = ()
    screens: Mapping[str, ScreenState] = field(default_factory=dict, repr=False)
    focused: str = ""
    pending: AskEndpoint | None = None
    asked: int = 0
    snackbar: Snackbar | None = None
    end: Complete | Broken | None = None
    events: tuple[Event, ...] = field(default=(), repr=False)

    @property
    def screen(self) -> str:
        """The id of the current screen; empty while the Flow opens."""
        return self.history[-1] if self.history else ""


@dataclass(frozen=True, slots=True)
class Step:
    """What `start` and `advance` return: the session after the event, and what it asks of its surroundings."""

    session: Session
    effects: tuple[Effect, ...] = ()
