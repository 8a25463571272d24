"""
From a parsed value to the `Document` that rules check: one walk checks the structure and flattens the components.

The walk keeps its own stack, so that nesting does not exhaust Python's.
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
    prefixed,
)
from .text import Pointer

_MAX_NESTING: Final = 200  # of If and Form; Meta allows three
_Level = tuple[Iterator[tuple[int, Any]], Pointer, str, tuple[str, ...]]
"""Children not yet visited, the pointer of their list, the place they stand in, the containers around it."""


def build(
    value: Mapping[str, Any], structure: Structure, *, today: date | None = None, size: int = 0, text: str = '"`"a${'
) -> tuple[Document | None, list[Finding]]:
    """
    The document, or None if its structure has errors; and the findings, which are warnings if there is a document.

    `text` is what the value was parsed from: rules skip documents whose text cannot hold what they look for.
    """
    found = list(structure.root(value) or ())
    invalid = _has_errors(found)
    screens = value.get("screens")
    checked: list[Screen] = []
    for index, screen in enumerate(screens if type(screens) is list else ()):
        before = len(found)
        if wrong := structure.screen(screen):
            found += prefixed(("screens", index), wrong)
        components: list[Component] = []
        if children := _children(screen, any_layout=structure.context.newer):
            _walk(children, ("screens", index, "layout", "children"), structure, components, found)
        elif (layout := _shopping_layout(screen)) is not None:
            components.append(Component(layout["type"], ("screens", index, "layout"), layout))
        invalid = invalid or (len(found) > before and _has_errors(found[before:]))
        if invalid and len(found) > MAX_FINDINGS:
            break
        if not invalid:
            checked.append(Screen(index, screen["id"], screen, tuple(components)))
    if invalid:
        return None, found
    document = Document(
        value, structure.version, tuple(checked), today=today, size=size,
        may_embed=may_embed(text), may_compute="`" in text,
    )  # fmt: skip
    return document, found


def _has_errors(found: Sequence[Finding]) -> bool:
    return any(finding.severity is not Severity.WARNING for finding in found)


def _children(screen: Any, *, any_layout: bool) -> list[Any] | None:
    layout = screen.get("layout") if type(screen) is dict else None
    if type(layout) is dict and (any_layout or layout.get("type") in ("SingleColumnLayout", None)):
        children = layout.get("children")
        return children if type(children) is list else None
    return None


def _shopping_layout(screen: Any) -> Mapping[str, Any] | None:
    """A layout of 5.2 that is itself one component."""
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
            except (KeyError, TypeError):  # the fastest test where nearly all components are known
                error = structure.placement_error(value, place)
                found += prefixed(here, [error])
                unknown = structure.check_of_unknown(value) if error.severity else None
                if unknown is None:
                    if len(found) > MAX_FINDINGS:
                        return
                    continue
                kind, known = value["type"], unknown
            wrong = known.check(value)
            if wrong:
                found += prefixed(here, wrong)
                if len(found) > MAX_FINDINGS and _has_errors(wrong):
                    return
            components.append(_component((kind, here, value, inside, wrong is None)))
            if known.containers and len(inside) >= _MAX_NESTING:
                message = "components are nested too deeply to be checked."
                found.append(Finding("INVALID_FLOW_JSON", message, here))
            elif known.containers:
                levels.extend(reversed(list(_inner(value, known.containers, here, kind, inside))))
                break
        else:
            levels.pop()


_component: Final = partial(tuple.__new__, Component)
"""A Component from the tuple of its fields, in half the time of calling the class."""


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
