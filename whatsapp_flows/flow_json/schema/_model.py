"""Findings, and a Flow JSON whose structure has been checked: the `Document` that the rules read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

from ..text import Pointer
from ._spec import Version


class Severity(str, Enum):
    """An ERROR is what Meta reports. A WARNING is our advice, or what Meta may report."""

    ERROR = "error"
    WARNING = "warning"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One fault at one place.

    `code` is Meta's (`INVALID_ROUTING_MODEL`) or ours for advice. Findings of one rule with equal code and message
    become one issue with several pointers. `key`: the place is the key of the last step, not its value. `severity`
    replaces that of the rule for this one.
    """

    code: str
    message: str
    pointer: Pointer = ()
    key: bool = False
    severity: Severity | None = None


class Component(NamedTuple):
    """
    A component where it stands: its pointer, its own mapping, and the containers around it, outermost first.

    `fixed`: it is known to hold nothing dynamic and no action.
    """

    type: str
    pointer: Pointer
    value: Mapping[str, Any]
    inside: tuple[str, ...] = ()  # of "Form", "If", "Switch"
    fixed: bool = False

    def at(self, *steps: str | int) -> Pointer:
        """The pointer of something in it."""
        return (*self.pointer, *steps)


class Screen(NamedTuple):
    """A screen: its place in the list, its id, its own mapping, and all its components in document order, flattened."""

    position: int
    id: str
    value: Mapping[str, Any]
    components: tuple[Component, ...]

    def at(self, *steps: str | int) -> Pointer:
        """The pointer of something in it."""
        return ("screens", self.position, *steps)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed Flow JSON whose structure has been checked: what the rules check."""

    value: Mapping[str, Any] = field(repr=False)
    version: Version
    screens: tuple[Screen, ...] = field(repr=False)
    cache: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What rules compute once and share: see `rules/_index.py`."""
    today: date | None = None
    """The day for which the document is checked; None: rules that depend on it find nothing."""
    size: int = 0
    """Bytes of the text that is sent."""
    may_embed: bool = True
    """Whether the text may have a reference elsewhere than at the beginning of a string."""
    may_compute: bool = True
    """Whether the text has a backtick."""

    def components(self) -> Iterator[tuple[Screen, Component]]:
        """All components of all screens, with their screen."""
        for screen in self.screens:
            for component in screen.components:
                yield screen, component
