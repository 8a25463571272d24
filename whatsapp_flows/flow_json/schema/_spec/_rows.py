"""The rows of the tables: what is stated of a version, a property, a component and an action."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple


class Version(NamedTuple):
    """A Flow JSON version. Compared part by part, as numbers: 1.10 follows 1.9."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class VersionRow(NamedTuple):
    """
    One version: the day of its release (None: never announced), the day it was frozen (None: it is active), the values
    of `data_api_version`, the layouts.
    """

    version: Version
    released: date | None = None
    frozen: date | None = None
    data_api: tuple[str, ...] = ("3.0",)
    layouts: tuple[str, ...] = ("SingleColumnLayout",)


class Property(NamedTuple):
    """
    One property. Of several rows with one name, the last that covers the version counts.

    `kind` is a row of `KINDS` in `_kinds.py`. `since` and `until` are inclusive. `values` are those of an enum, or the
    names of actions. `item` names the shape of the items or of the object. `min_items` and `max_items` bound a list,
    `minimum` and `maximum` a number. `tolerated`: invalid values that Meta's client accepts from 6.0 on ("any",
    "binding").

    The upload does not check the rest, which advice and the player use: `display_length` is how many characters the
    client app shows (the larger number where Meta's page and Meta's client differ), `advised_items` the least and most
    items of a list, `advised_bytes` the largest image, `default` what holds where the property is not given (None: no
    value is documented).
    """

    name: str
    kind: str
    required: bool = False
    since: str = ""
    until: str = ""
    outside_form: bool = False
    values: tuple[str, ...] = ()
    item: str = ""
    min_items: int | None = None
    max_items: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    format: str = ""
    tolerated: str = ""
    display_length: int | None = None
    advised_items: tuple[int, int] | None = None
    advised_bytes: int | None = None
    default: str | int | bool | tuple[str, ...] | None = None

    @property
    def bounded(self) -> bool:
        """Whether more than the kind decides which values are valid."""
        limits = (self.minimum, self.maximum, self.min_items, self.max_items)
        return bool(self.format) or any(limit is not None for limit in limits)


class Shape(NamedTuple):
    """
    An object: its properties, and the relations between them.

    `places`: for a component, where it may stand, and since which version. `both_or_neither`: two properties that
    require each other. `excludes`: the first excludes the others. `only_if`: the first is allowed only where the second
    is true. `restricts`: where the first is given, the second takes only these values. `hints`: a sentence for the
    message about a key that does not belong here.
    """

    name: str
    properties: tuple[Property, ...]
    places: Mapping[str, str] = {}
    both_or_neither: tuple[tuple[str, str], ...] = ()
    excludes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    only_if: tuple[tuple[str, str], ...] = ()
    restricts: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    hints: Mapping[str, str] = {}


class ActionRow(NamedTuple):
    """An on-click-action: the key that it requires and that no other action may have; the key it may not have."""

    name: str
    needs: str = ""
    without: str = ""
