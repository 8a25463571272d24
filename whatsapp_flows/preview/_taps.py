"""Where each thing that can be tapped on a screen leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._json import pointer_steps
from ..play import Node, View


def taps_of(document: Mapping[str, Any], seen: View) -> dict[tuple[str, str], str]:
    """
    The screens that a tap leads to by a `navigate` action: (path, item) -> id of the screen.

    `item` is the id of an item of a NavigationList, otherwise empty.
    """
    found: dict[tuple[str, str], str] = {}
    for node in (*seen.nodes, *filter(None, [seen.footer])):
        component = component_at(document, node.path)
        target = _target(component)
        if target:
            found[node.path, ""] = target
        for item in _list_items(node):
            target = _target(item) or _target(component)
            if target:
                found[node.path, item["id"]] = target
    return found


def _list_items(node: Node) -> list[Mapping[str, Any]]:
    items = node.props.get("list-items")
    return [
        item
        for item in (items if isinstance(items, (list, tuple)) else ())
        if isinstance(item, Mapping) and isinstance(item.get("id"), str)
    ]


def _target(component: Any) -> str:
    """The screen that a component's action navigates to, or an empty text."""
    action = component.get("on-click-action") if isinstance(component, Mapping) else None
    if not isinstance(action, Mapping) or action.get("name") != "navigate":
        return ""
    following = action.get("next")
    name = following.get("name") if isinstance(following, Mapping) else None
    return name if isinstance(name, str) else ""


def component_at(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901), or None."""
    for key in pointer_steps(pointer):
        if isinstance(document, Mapping):
            document = document.get(key)
        elif isinstance(document, (list, tuple)) and key.isascii() and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document
