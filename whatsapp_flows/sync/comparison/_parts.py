"""The parts of a Flow JSON: its screens, their components, and the own properties of each. Never raises."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from ...flow_json import Pointer, format_pointer
from ._difference import quoted_id, short

_LISTS: Final = ("children", "then", "else")  # of components; the `cases` of a Switch are such lists too
_TEXTS: Final = ("name", "text", "label", "title")  # what identifies a component: the first that it has


class Component(NamedTuple):
    """A component. `own`: without nested components; `slot`: the list that it is in; `parent` -1: the layout."""

    value: dict[str, Any]
    own: dict[str, Any]
    type: str
    name: str | None
    parent: int
    slot: str
    pointer: Pointer

    @property
    def text(self) -> str | None:
        """Its name, or the text that it shows."""
        return next((self.own[key] for key in _TEXTS if isinstance(self.own.get(key), str)), None)

    @property
    def label(self) -> str:
        """`TextInput "email"`."""
        text = self.text
        return f"{quoted_id(self.type)} {short(text)}" if text else quoted_id(self.type)


class Screen(NamedTuple):
    value: dict[str, Any]
    own: dict[str, Any]
    id: str | None
    components: list[Component]
    pointer: Pointer

    @property
    def label(self) -> str:
        """Its id, or its place without one."""
        return quoted_id(self.id) if self.id else format_pointer(self.pointer)


def parsed(content: bytes | None) -> Any:
    """The document; the bytes if it is not a JSON object; an empty document for None."""
    try:
        found = {} if content is None else json.loads(content)
    except (ValueError, RecursionError):
        return content
    return found if isinstance(found, dict) else content


def screens_of(document: dict[str, Any]) -> tuple[dict[str, Any], list[Screen]]:
    """The document without its screens, and the screens."""
    screens = document.get("screens")
    if not screens or not isinstance(screens, list) or not all(isinstance(screen, dict) for screen in screens):
        return document, []
    own = {key: value for key, value in document.items() if key != "screens"}
    return own, [_screen(value, ("screens", index)) for index, value in enumerate(screens)]


def _screen(value: dict[str, Any], pointer: Pointer) -> Screen:
    components: list[Component] = []
    own = dict(value)
    if isinstance(value.get("layout"), dict):
        own["layout"] = _without_components(value["layout"], -1, (*pointer, "layout"), components)
    name = value.get("id")
    return Screen(value, own, name if isinstance(name, str) and name else None, components, pointer)


def _without_components(
    value: dict[str, Any], parent: int, pointer: Pointer, components: list[Component]
) -> dict[str, Any]:
    """The value without its nested components, which are added to the list, at every depth."""
    own = dict(value)
    for key in _LISTS:
        if _are_components(own.get(key)):
            _add(own.pop(key), parent, key, (*pointer, key), components)
    cases = own.get("cases")
    if isinstance(cases, dict):
        rest = dict(cases)
        for case, inside in cases.items():
            if _are_components(inside):
                _add(rest.pop(case), parent, f"cases.{case}", (*pointer, "cases", case), components)
        own["cases"] = rest
        if cases and not rest:
            del own["cases"]
    return own


def _are_components(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and isinstance(item.get("type"), str) for item in value)
    )


def _add(items: list[Any], parent: int, slot: str, pointer: Pointer, components: list[Component]) -> None:
    for index, value in enumerate(items):
        here, at = len(components), (*pointer, index)
        name = value.get("name")
        kept = name if isinstance(name, str) and name else None
        components.append(Component(value, value, value["type"], kept, parent, slot, at))
        own = _without_components(value, here, at, components)
        components[here] = components[here]._replace(own=own)
