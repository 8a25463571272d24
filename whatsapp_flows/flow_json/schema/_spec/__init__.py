"""
What exists in which version of Flow JSON: the tables, and the functions that read them.

A new version is a row in `_versions.py`, and rows with `since` in the tables of components and of everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ._components import COMPONENTS
from ._document import ACTIONS, ITEMS, LAYOUT, NEXT, ON_CLICK, ON_SELECT, ROOT, SCREEN
from ._limits import CAROUSEL_IMAGES, DROPDOWN_WITH_IMAGES, LARGE_LABEL
from ._rows import ActionRow, Property, Shape, Version, VersionRow
from ._shopping import SHOPPING_ACTIONS, SHOPPING_LAYOUTS, SHOPPING_ROUTES
from ._versions import (
    BINDINGS,
    CONDITION_MAY_BE_BOOLEAN,
    ERROR_MESSAGES_OF_ANY_TYPE,
    LOOSE_BINDING,
    NAMES_ARE_FIXED,
    NOT_A_BINDING,
    NOT_BLANK,
    RECOMMENDED,
    TEXT_LISTS,
    TOLERANT,
    VERSIONS,
    WITHDRAWN,
)

__all__ = [
    "ACTIONS",
    "BINDINGS",
    "CAROUSEL_IMAGES",
    "COMPONENTS",
    "CONDITION_MAY_BE_BOOLEAN",
    "DROPDOWN_WITH_IMAGES",
    "ERROR_MESSAGES_OF_ANY_TYPE",
    "ITEMS",
    "KNOWN",
    "LARGE_LABEL",
    "LAYOUT",
    "LOOSE_BINDING",
    "NAMES_ARE_FIXED",
    "NEWEST",
    "NEXT",
    "NOT_A_BINDING",
    "NOT_BLANK",
    "ON_CLICK",
    "ON_SELECT",
    "RECOMMENDED",
    "ROOT",
    "SCREEN",
    "SHOPPING_ACTIONS",
    "SHOPPING_LAYOUTS",
    "SHOPPING_ROUTES",
    "TEXT_LISTS",
    "TOLERANT",
    "VERSIONS",
    "WITHDRAWN",
    "ActionRow",
    "Property",
    "Shape",
    "Version",
    "VersionRow",
    "parse_version",
    "places_of",
    "properties_of",
]

KNOWN_VERSIONS: Final[Mapping[Version, VersionRow]] = MappingProxyType({row.version: row for row in VERSIONS})
NEWEST: Final = max(KNOWN_VERSIONS)


def parse_version(text: str) -> Version | None:
    """The version that a text spells, or None. Major 1 to 32766, minor 0 to 99; no leading zeros."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        return None
    if len(major) > 5 or len(minor) > 2:
        return None
    found = Version(int(major), int(minor))
    return found if str(found) == text and 1 <= found.major <= 32766 else None


def properties_of(shape: Shape, version: Version, *, in_form: bool = False) -> dict[str, Property]:
    """The properties that a shape has in a version, by name."""
    return {row.name: row for row in shape.properties if _covers(row, version) and not (in_form and row.outside_form)}


def places_of(shape: Shape, version: Version) -> frozenset[str]:
    """The places where a component may stand in a version; empty if it does not exist in it."""
    return frozenset(place for place, since in shape.places.items() if version >= _read(since))


def _covers(row: Property, version: Version) -> bool:
    return (not row.since or version >= _read(row.since)) and (not row.until or version <= _read(row.until))


def _read(text_check: str) -> Version:
    major, minor = text_check.split(".")
    return Version(int(major), int(minor))
