"""
How many components a screen may have, in all and of each type; duplicate names.

Of an If or a Switch only one branch is shown: the counts of branches are combined by maximum, those of siblings by sum.
Sources: Meta, Flow JSON reference; Meta's client validator, August 2026.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ..schema import Component, Document, Finding, Screen, Severity, Version
from ..text import Pointer
from ._component_facts import MEDIA, branch_of
from ._contents import DOCUMENTED_MAX_COMPONENTS, DUPLICATE_NAME, MANY_COMPONENTS
from ._index import index
from ._rule import Rule

MAX_COMPONENTS: Final = 100


# type -> (most on one screen, first version that limits it)
MAX_PER_SCREEN: Final = {
    "DocumentPicker": (1, Version(4, 0)),
    "EmbeddedLink": (2, Version(2, 1)),
    "Footer": (1, Version(2, 1)),
    "Form": (1, Version(7, 0)),
    "Image": (3, Version(2, 1)),
    "ImageCarousel": (2, Version(7, 1)),
    "NavigationList": (2, Version(6, 2)),
    "OptIn": (5, Version(2, 1)),
    "PhotoPicker": (1, Version(4, 0)),
}
_ANY_NUMBER: Final = (sys.maxsize, Version(2, 1))


def most_at_once(components: Sequence[Component]) -> int:
    """How many of these components can be visible on their screen at the same time."""
    levels: dict[int, dict[Pointer, dict[str | int, int]]] = {}
    total = 0

    def add(place: Pointer, count: int) -> None:
        nonlocal total
        branch = branch_of(place)
        if branch is None:
            total += count
        else:
            counts = levels.setdefault(len(branch[0]), {}).setdefault(branch[0], {})
            counts[branch[1]] = counts.get(branch[1], 0) + count

    for component in components:
        add(component.pointer, 1)
    for level in range(max(levels, default=0), 0, -1):  # innermost first: an outer container has a shorter pointer
        for owner, counts in levels.pop(level, {}).items():
            add(owner, max(counts.values()))
    return total


def too_many_of_a_type(doc: Document) -> Iterator[Finding]:
    """
    The number of some components on a screen is limited.

    Passes: {"children": [{"type": "Footer"}]}
    Fails: {"children": [{"type": "Footer"}, {"type": "Footer"}]}
    """
    for kind, places in index(doc).by_type.items():
        most, since = MAX_PER_SCREEN.get(kind, _ANY_NUMBER)
        if len(places) <= most or doc.version < since:
            continue
        for i, of_kind in index(doc).by_screen(kind).items():
            if len(of_kind) > most:
                yield from _excess(doc.screens[i], kind, of_kind, most)


def _excess(screen: Screen, kind: str, of_kind: list[Component], most: int) -> Iterator[Finding]:
    found, excess = len(of_kind), of_kind[most:]
    if _branching(screen):
        if kind == "Form":  # Meta's client does not count Forms beside an If or a Switch
            return
        found, excess = most_at_once(of_kind), of_kind
    if found > most:
        for component in excess:
            yield Finding(
                "COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN",
                f"A screen has at most {most} {kind}; {screen.id!r} has {found}.", component.at("type"),
            )  # fmt: skip


def _branching(screen: Screen) -> bool:
    return any(component.type in ("If", "Switch") for component in screen.components)


def two_pickers(doc: Document) -> Iterator[Finding]:
    """
    A screen has one PhotoPicker or one DocumentPicker, not both.

    Passes: {"children": [{"type": "PhotoPicker", "name": "a"}]}
    Fails: {"children": [{"type": "PhotoPicker", "name": "a"}, {"type": "DocumentPicker", "name": "b"}]}
    """
    for i, pickers in index(doc).by_screen(*MEDIA).items():
        if most_at_once(pickers) > 1:
            message = f"A screen has one PhotoPicker or one DocumentPicker; {doc.screens[i].id!r} has more."
            for picker in pickers:
                yield Finding("COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN", message, picker.at("type"))


def too_many_components(doc: Document) -> Iterator[Finding]:
    """
    A screen has at most 50 components by Meta's documentation, and 100 by its client, which does not count a Form.

    Passes: {"children": [{"type": "TextBody"}]}
    Fails: {"repeat_child": 101, "children": [{"type": "TextBody"}]}
    """
    for screen in doc.screens:
        if len(screen.components) <= DOCUMENTED_MAX_COMPONENTS:
            continue
        counted = [component for component in screen.components if component.type != "Form"]
        over = len(counted) > MAX_COMPONENTS
        most = MAX_COMPONENTS if over else DOCUMENTED_MAX_COMPONENTS
        for component in counted[most:]:
            yield Finding(
                "MAX_ALLOWED_COMPONENTS_PER_SCREEN",
                f"A screen has at most {most} components; {screen.id!r} has {len(counted)}.", component.at("type"),
                severity=None if over else Severity.WARNING,
            )  # fmt: skip


def duplicate_name(doc: Document) -> Iterator[Finding]:
    """
    No two inputs of a screen have the same name, not even in branches of which only one is shown.

    Passes: {"children": [{"type": "TextInput", "name": "a"}, {"type": "TextInput", "name": "b"}]}
    Fails: {"children": [{"type": "TextInput", "name": "a"}, {"type": "TextInput", "name": "a"}]}
    """
    for screen in doc.screens:
        named = [c for c in screen.components if "name" in c.value and c.type != "Form"]
        counts = Counter(c.value["name"] for c in named if isinstance(c.value["name"], str))
        for component in named:
            name = component.value["name"]
            if isinstance(name, str) and counts[name] > 1:
                message = f"Several inputs of screen {screen.id!r} are named {name!r}."
                yield Finding("DUPLICATE_FORM_COMPONENT_NAMES", message, component.at("name"))


RULES: Final = (
    Rule("FJ120", "too many components of a type", too_many_of_a_type),
    Rule("FJ121", "two media pickers on a screen", two_pickers, since=Version(4, 0), needs=MEDIA),
    Rule("FJ122", "too many components", too_many_components, needs=(MANY_COMPONENTS,)),
    Rule("FJ123", "a name given twice", duplicate_name, needs=(DUPLICATE_NAME,)),
)
