"""
The routing model, or the routes that the navigate actions make where there is none.

Only forward routes are declared: going back is always possible. Meta's documentation asks that all routes end at a
terminal screen. That is no rule here, as Meta's own examples have screens that only lead back. Sources: Meta, Flow JSON
reference ("Routing model"); Meta's client validator, August 2026, for what each version counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..schema import Document, Finding, Version, did_you_mean
from ..text import Pointer
from ._comparison import format_names
from ._gaps import NO_ENTRY_OR_EDGES
from ._index import index
from ._rule import Newer, Rule
from ._screens import MAX_SCREENS

CODE: Final = "INVALID_ROUTING_MODEL"
MAX_BRANCHES: Final = 10


def missing_screen(doc: Document) -> Iterator[Finding]:
    """
    Every screen that is not terminal is in the routing model, as a source or as a destination.

    Passes: {"routing_model": {"A": ["B"]}, "screens": [{}, {}, {"terminal": true}]}
    Fails: {"routing_model": {}, "screens": [{}, {"terminal": true}]}
    """
    model = index(doc).routes.model
    if model is None:
        return
    listed = {*model, *(target for targets in index(doc).routes.edges.values() for target in targets)}
    missing = [s for s in doc.screens if s.value.get("terminal") is not True and s.id not in listed]
    if missing:
        message = f"The routing model lacks: {_names(screen.id for screen in missing)}."
        for screen in missing:
            yield Finding(CODE, message, screen.at("id"))


def unknown_screen(doc: Document) -> Iterator[Finding]:
    """
    The screens in the routing model exist in the document.

    Passes: {"routing_model": {"A": ["B"]}, "screens": [{}, {}]}
    Fails: {"routing_model": {"A": ["C"], "D": []}, "screens": [{}, {}]}
    """
    routes, screens = index(doc).routes, index(doc).screens
    if routes.model is None:
        return
    wrong: list[tuple[str, Pointer, bool]] = []
    for source, targets in routes.model.items():
        if source not in screens:
            wrong.append((source, ("routing_model", source), True))
        for i, target in _destinations(targets):
            if target not in screens:
                wrong.append((target, ("routing_model", source, i), False))
    if wrong:
        names = _names(name for name, _, _ in wrong)
        hint = nearest_screen(doc, wrong[0][0]) if len({name for name, _, _ in wrong}) == 1 else ""
        message = f"The routing model names screens that do not exist: {names}.{hint}"
        for _, pointer, key in wrong:
            yield Finding(CODE, message, pointer, key=key)


def self_route(doc: Document) -> Iterator[Finding]:
    """
    No screen leads to itself.

    Passes: {"routing_model": {"A": ["B"]}, "screens": [{}, {}]}
    Fails: {"routing_model": {"A": ["A", "B"]}, "screens": [{}, {}]}
    """
    routes = index(doc).routes
    if routes.model is not None:
        for source, targets in routes.edges.items():
            if source in targets:
                yield Finding(CODE, f"Screen {source!r} leads to itself.", ("routing_model", source), key=True)


def too_many_branches(doc: Document) -> Iterator[Finding]:
    """
    At most 10 routes leave a screen.

    Passes: {"routing_model": {"A": ["B"]}, "screens": [{}, {}]}
    Fails: {"routing_model": {"A": ["B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"]}, "repeat": 12}
    """
    routes = index(doc).routes
    for source, targets in routes.edges.items():
        if len(targets) > MAX_BRANCHES:
            message = f"At most {MAX_BRANCHES} routes may leave a screen; {len(targets)} leave {source!r}."
            if routes.model is not None:
                yield Finding(CODE, message, ("routing_model", source), key=True)
            else:
                screen = index(doc).screens[source]
                yield Finding(CODE, f"{message} Navigate to fewer screens.", screen.at())


def back_route(doc: Document) -> Iterator[Finding]:
    """
    A route is declared in one direction only.

    Passes: {"routing_model": {"A": ["B"], "B": []}, "screens": [{}, {}]}
    Fails: {"routing_model": {"A": ["B"], "B": ["A"]}, "screens": [{}, {}]}
    """
    routes = index(doc).routes
    if routes.model is None:
        return
    forward: set[tuple[str, str]] = set()
    for source, targets in routes.model.items():
        for i, target in _destinations(targets):
            if (target, source) in forward and target != source:
                message = f"The route from {source!r} back to {target!r} is not declared: the forward route is enough."
                yield Finding(CODE, message, ("routing_model", source, i))
            forward.add((source, target))


def no_entry(doc: Document) -> Iterator[Finding]:
    """
    At least one screen is no destination: the flow begins there.

    Passes: {"routing_model": {"A": ["B"], "B": ["C"]}, "screens": [{}, {}, {}]}
    Fails: {"routing_model": {"A": ["B"], "B": ["C"], "C": ["A"]}, "screens": [{}, {}, {}]}
    """
    routes = index(doc).routes
    entered = {target for targets in routes.edges.values() for target in targets}
    if routes.model is None:
        if doc.version >= Version(6, 2) and "NavigationList" in index(doc).by_type:
            return
        if routes.anywhere:
            entered.update(index(doc).screens)
    elif doc.version >= Version(7, 3):
        entered.update(target for _, target in routes.navigations)
    if doc.screens and entered.issuperset(index(doc).screens):
        if routes.model is not None:
            yield Finding(CODE, "Every screen is a destination: the flow has no first screen.", ("routing_model",))
        else:
            yield Finding(CODE, "Some action navigates to every screen: the flow has no first screen.", ("screens",))


def disconnected_screen(doc: Document) -> Iterator[Finding]:
    """
    Every screen is connected with the first one by routes in either direction.

    Passes: {"routing_model": {"A": ["B"]}, "screens": [{}, {}]}
    Fails: {"routing_model": {"A": [], "B": []}, "screens": [{}, {}]}
    """
    routes = index(doc).routes
    if len(doc.screens) < 2 or routes.anywhere:
        return
    start = doc.screens[0].id
    if routes.reached.issuperset(index(doc).screens):
        return
    linked = routes.linked(start)
    disconnected = [screen for screen in doc.screens if screen.id not in linked]
    if disconnected:
        how = "by a route" if routes.model is not None else "by a navigate action"
        message = f"Not connected with screen {start!r} {how}: {_names(screen.id for screen in disconnected)}."
        for screen in disconnected:
            yield Finding(CODE, message, screen.at("id"))


def missing_route(doc: Document) -> Iterator[Finding]:
    """
    A screen navigates along routes of the routing model, in either direction.

    From 6.2 on, screens with a NavigationList may navigate anywhere.

    Passes: {"routing_model": {"A": ["B"]}, "screens": [{"go": "B"}, {}]}
    Fails: {"routing_model": {"A": ["B"], "B": ["C"]}, "screens": [{"go": "C"}, {}, {}]}
    """
    found = index(doc)
    routes = found.routes
    if routes.model is None or not routes.navigations:
        return
    known = {(source, target) for source, targets in routes.edges.items() for target in targets}
    free: set[str] = set()
    if doc.version >= Version(6, 2):
        free = {screen.id for screen, _ in found.of("NavigationList")}
    for source, target in dict.fromkeys(routes.navigations):
        if source != target and source not in free and target in found.screens:
            if (source, target) in known or (target, source) in known:
                continue
            message = f"The routing model has no route from {source!r} to {target!r}."
            yield Finding(CODE, message, found.screens[source].at("id"))
            yield Finding(CODE, message, found.screens[target].at("id"))


def _destinations(targets: Any) -> Iterator[tuple[int, str]]:
    if isinstance(targets, list):
        for i, target in enumerate(targets):
            if isinstance(target, str):
                yield i, target


def nearest_screen(doc: Document, name: str) -> str:
    """A sentence that suggests a similar screen id. Empty if the document has more screens than allowed."""
    names = tuple(index(doc).screens)
    return did_you_mean(name, names) if len(names) <= MAX_SCREENS else ""


def _names(names: Iterator[str]) -> str:
    return format_names(dict.fromkeys(names))


_MODEL: Final = ("routing_model",)
RULES: Final = (
    Rule("FJ201", "a screen that the routing model lacks", missing_screen, needs=_MODEL),
    Rule("FJ202", "an unknown screen in the routing model", unknown_screen, needs=_MODEL),
    Rule("FJ203", "a screen that leads to itself", self_route, needs=_MODEL),
    Rule("FJ204", "too many routes from a screen", too_many_branches),
    Rule("FJ205", "a route declared in both directions", back_route, needs=_MODEL),
    Rule("FJ206", "no first screen", no_entry, skipped_by_meta=NO_ENTRY_OR_EDGES, newer=Newer.IF_ALL_IS_KNOWN),
    Rule("FJ207", "a screen without connection", disconnected_screen, newer=Newer.IF_ALL_IS_KNOWN),
    Rule("FJ208", "navigation along no route", missing_route, skipped_by_meta=NO_ENTRY_OR_EDGES, needs=_MODEL),
)
