"""
The components of a Flow JSON where they stand, whether or not the document is valid.

What is no component is kept as one of no kind, so that it can be shown as what cannot be played.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from .._dataclasses import dataclass, field
from .._json import json_pointer

MAX_NESTING: Final = 200
"""Of Form, If and Switch. What stands deeper is not played. The validator has the same limit; Meta allows three Ifs."""
MAX_COMPONENTS: Final = 5_000
"""On a screen. Those after them are not played. Our limit; Meta allows 50."""

CLICK: Final = "on-click-action"
SELECT: Final = "on-select-action"
UNSELECT: Final = "on-unselect-action"
ACTION_KEYS: Final = (CLICK, SELECT, UNSELECT)
"""The properties that hold an action, of components and of their items."""
ITEM_LISTS: Final = ("data-source", "list-items")
"""The properties that hold the items of which a user chooses."""

_NOTHING: Final[Mapping[str, Any]] = {}
_LISTS: Final = {"Form": ("children",), "If": ("then", "else"), "Switch": ()}
CONTAINERS: Final = frozenset(_LISTS)
"""The kinds of what holds components, and is none itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A Form, an If or a Switch: its JSON pointer, its kind, its own mapping."""

    path: str
    kind: str
    value: Mapping[str, Any] = field(repr=False)


class Branch(NamedTuple):
    """A branch of an If (`then`, `else`) or a case of a Switch."""

    container: Container
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """
    A component where it stands: its JSON pointer, its type, its own mapping.

    `kind` and `name` are empty where the document has no text for them. `branches` are those around it, outermost
    first; `in_form`: there is a Form around it.
    """

    path: str
    kind: str
    name: str
    value: Mapping[str, Any] = field(repr=False)
    branches: tuple[Branch, ...] = field(default=(), repr=False)
    in_form: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    All components of a screen in document order, flattened, and all Forms, Ifs and Switches.

    `is_whole` is False if the screen has more of either than are played.
    """

    components: tuple[Component, ...] = ()
    containers: tuple[Container, ...] = ()
    is_whole: bool = True


def layout_of(screen: Mapping[str, Any], path: str, kinds: frozenset[str] = CONTAINERS) -> Layout:
    """
    The components of a screen; `path` is its own JSON pointer. Never raises.

    `kinds` are those of `CONTAINERS` that the version of the Flow JSON has: another one is kept as a component.
    """
    layout = screen.get("layout")
    children = layout.get("children") if isinstance(layout, dict) else None
    components: list[Component] = []
    containers: list[Container] = []
    ahead = [(0, _children(children, f"{path}/layout/children", (), in_form=False))]
    while ahead:
        depth, siblings = ahead[-1]
        found = next(siblings, None)
        if found is None:
            ahead.pop()
            continue
        holds = found.kind in kinds and depth < MAX_NESTING
        if len(containers if holds else components) == MAX_COMPONENTS:
            return Layout(components=tuple(components), containers=tuple(containers), is_whole=False)
        if holds:
            container = Container(path=found.path, kind=found.kind, value=found.value)
            containers.append(container)
            ahead += [(depth + 1, inner) for inner in _inside(container, found)][::-1]
        else:
            components.append(found)
    return Layout(components=tuple(components), containers=tuple(containers))


def _inside(container: Container, found: Component) -> Iterator[Iterator[Component]]:
    """The lists of components in a container."""
    for name in _LISTS[container.kind]:
        form = container.kind == "Form"
        branches = found.branches if form else (*found.branches, Branch(container, name))
        children = container.value.get(name)
        yield _children(children, f"{container.path}/{name}", branches, in_form=form or found.in_form)
    cases = container.value.get("cases") if container.kind == "Switch" else None
    for name, children in cases.items() if isinstance(cases, dict) else ():
        at = container.path + json_pointer(("cases", name))
        yield _children(children, at, (*found.branches, Branch(container, name)), in_form=found.in_form)


def _children(value: Any, path: str, branches: tuple[Branch, ...], *, in_form: bool) -> Iterator[Component]:
    for i, child in enumerate(value if isinstance(value, list) else ()):
        own = child if isinstance(child, dict) else _NOTHING
        kind, name = own.get("type"), own.get("name")
        yield Component(
            path=f"{path}/{i}",
            kind=kind if isinstance(kind, str) else "",
            name=name if isinstance(name, str) else "",
            value=own,
            branches=branches,
            in_form=in_form,
        )
