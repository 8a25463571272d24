"""
From a parsed document to what the rules see: the structure is checked and the components are flattened in one walk.

The walk keeps its own stack, so that depth is no matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

from .language import may_embed
from .schema import (
    LAYOUT_PLACE,
    MAX_FINDINGS,
    SHOPPING_LAYOUTS,
    Component,
    Document,
    Finding,
    Screen,
    Severity,
    Structure,
)
from .text import Pointer

_DEEPEST: Final = 200  # If and Form in one another; Meta allows three
_Level = tuple[Iterator[tuple[int, Any]], Pointer, str, tuple[str, ...]]
"""Children still to see, the pointer of their list, the place they stand in, the containers around it."""


def build(
    value: Mapping[str, Any], structure: Structure, *, today: date | None = None, size: int = 0, text: str = '"`"a${'
) -> tuple[Document | None, list[Finding]]:
    """
    The document, or None and the faults of its structure. Warnings come with the document.

    `text` is what it was parsed from: some rules need not look at a document whose text has no such thing at all.
    """
    found = list(structure.root(value) or ())
    faulty = _faulty(found)
    screens = value.get("screens")
    made: list[Screen] = []
    for index, screen in enumerate(screens if type(screens) is list else ()):
        before = len(found)
        if wrong := structure.screen(screen):
            found += _placed(("screens", index), wrong)
        components: list[Component] = []
        if children := _children(screen, any_layout=structure.context.newer):
            _walk(children, ("screens", index, "layout", "children"), structure, components, found)
        elif (layout := _shopping_layout(screen)) is not None:
            components.append(Component(layout["type"], ("screens", index, "layout"), layout))
        faulty = faulty or (len(found) > before and _faulty(found[before:]))
        if faulty and len(found) > MAX_FINDINGS:
            break
        if not faulty:
            made.append(Screen(index, screen["id"], screen, tuple(components)))
    if faulty:
        return None, found
    document = Document(
        value, structure.version, tuple(made), today=today, size=size,
        may_embed=may_embed(text), may_compute="`" in text,
    )  # fmt: skip
    return document, found


def _faulty(found: Sequence[Finding]) -> bool:
    return any(finding.severity is not Severity.WARNING for finding in found)


def _children(screen: Any, *, any_layout: bool) -> list[Any] | None:
    layout = screen.get("layout") if type(screen) is dict else None
    if type(layout) is dict and (any_layout or layout.get("type") in ("SingleColumnLayout", None)):
        children = layout.get("children")
        return children if type(children) is list else None
    return None


def _shopping_layout(screen: Any) -> Mapping[str, Any] | None:
    """A layout of 5.2 that is one component."""
    layout = screen.get("layout") if type(screen) is dict else None
    kind = layout.get("type") if type(layout) is dict else None
    return layout if type(kind) is str and kind in SHOPPING_LAYOUTS else None


def _walk(
    children: list[Any], pointer: Pointer, structure: Structure, components: list[Component], found: list[Finding]
) -> None:
    levels: list[_Level] = [(enumerate(children), pointer, LAYOUT_PLACE, ())]
    while levels:
        numbered, at, place, inside = levels[-1]
        allowed = structure.places.get(place, structure.anywhere)
        for index, value in numbered:
            here = (*at, index)
            try:
                kind = value["type"]
                known = allowed[kind]
            except (KeyError, TypeError):  # the quickest way to ask, where nearly all answers are yes
                refused = structure.refused(value, place)
                found += _placed(here, [refused])
                taken = structure.taken(value) if refused.severity else None
                if taken is None:
                    if len(found) > MAX_FINDINGS:
                        return
                    continue
                kind, known = value["type"], taken
            wrong = known.check(value)
            if wrong:
                found += _placed(here, wrong)
                if len(found) > MAX_FINDINGS and _faulty(wrong):
                    return
            components.append(_component((kind, here, value, inside, wrong is None)))
            if known.containers and len(inside) >= _DEEPEST:
                message = "components are nested too deeply to be checked."
                found.append(Finding("INVALID_FLOW_JSON", message, here))
            elif known.containers:
                levels.extend(reversed(list(_inner(value, known.containers, here, kind, inside))))
                break
        else:
            levels.pop()


_component: Final = partial(tuple.__new__, Component)
"""A Component from the tuple of its fields: half the time of calling the class."""


def _inner(
    value: Mapping[str, Any], containers: frozenset[str], here: Pointer, kind: str, inside: tuple[str, ...]
) -> Iterator[_Level]:
    """The lists of components in a container, in the order of the text."""
    for name, held in value.items():
        if name not in containers:
            continue
        if type(held) is list:
            yield enumerate(held), (*here, name), kind, (*inside, kind)
        elif type(held) is dict:
            for case, children in held.items():
                if type(children) is list:
                    yield enumerate(children), (*here, name, case), kind, (*inside, kind)


def _placed(at: Pointer, findings: Sequence[Finding]) -> list[Finding]:
    return [Finding(f.code, f.message, (*at, *f.pointer), f.key, f.severity) for f in findings]
