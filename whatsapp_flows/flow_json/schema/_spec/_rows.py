"""The rows of the tables: what a version, a property, a component and an action are, as facts."""

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
    One version: the day it came out (None: never announced), the day it was frozen (None: it is active), the values
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

    `kind` is a row of the engine's table of kinds. `since` and `until` are inclusive. `values` are those of an enum,
    or the action names. `item` names the shape of the items or of the object. `least`, `most`: how many items;
    `low`, `high`: numbers. `tolerated`: wrong values that Meta's client lets through from 6.0 ("any", "binding").

    For advice alone, as the upload does not check them: `cut` is the length the client app shows (where Meta's page
    and Meta's client differ, the larger), `items` the sizes of a list, `size` the bytes of an image.
    """

    name: str
    kind: str
    required: bool = False
    since: str = ""
    until: str = ""
    outside_form: bool = False
    values: tuple[str, ...] = ()
    item: str = ""
    least: int | None = None
    most: int | None = None
    low: int | None = None
    high: int | None = None
    format: str = ""
    tolerated: str = ""
    cut: int | None = None
    items: tuple[int, int] | None = None
    size: int | None = None

    @property
    def bounded(self) -> bool:
        """Whether more than the kind decides which values are right."""
        limits = (self.low, self.high, self.least, self.most)
        return bool(self.format) or any(limit is not None for limit in limits)


class Shape(NamedTuple):
    """
    An object with its properties, and what holds between them.

    `together`: both or neither. `apart`: the first excludes the others. `only_if`: the first only where the second is
    true. `limits`: where the first stands, the second takes only these values. `places`: for a component, where it may
    stand, and since which version. `hints`: what to say of a key that does not belong here.
    """

    name: str
    properties: tuple[Property, ...]
    places: Mapping[str, str] = {}
    together: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, tuple[str, ...]], ...] = ()
    only_if: tuple[tuple[str, str], ...] = ()
    limits: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    hints: Mapping[str, str] = {}


class Action(NamedTuple):
    """An on-click-action: the keys that it needs and that no other action may have; the keys it may not have."""

    name: str
    needs: str = ""
    without: str = ""
