"""
Values of a played Flow as JSON, for the page, the storyboard and the screenshots.

The names are those of the values (`Node.enabled` is `"enabled"`). What JSON does not have becomes what it has: a tuple
an array, a number that is not finite null, a value of this package an object.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from ..play import Issue, Node, View

MAX_DEPTH: Final = 64
"""Levels of arrays and objects: a Flow JSON has fewer; what is deeper becomes null."""

Json = dict[str, Any]


def view_json(view: View) -> Json:
    """
    What the user sees, as `{"screen", "title", "back", "loading", "over", "snackbar", "issues", "nodes", "footer"}`.
    """
    return {
        "screen": view.screen,
        "title": view.title,
        "back": view.back,
        "loading": view.loading,
        "over": view.over,
        "snackbar": None if view.snackbar is None else plain(view.snackbar),
        "issues": [issue_json(issue) for issue in view.issues],
        "nodes": [node_json(node) for node in view.nodes],
        "footer": None if view.footer is None else node_json(view.footer),
    }


def node_json(node: Node) -> Json:
    """
    A component, as `{"path", "kind", "name", "props", "value", "error", "invalid", "enabled", "shown", "counter",
    "issues"}`.
    """
    return {
        "path": node.path,
        "kind": node.kind,
        "name": node.name,
        "props": plain(node.props),
        "value": plain(node.value),
        "error": node.error,
        "invalid": node.invalid,
        "enabled": node.enabled,
        "shown": node.shown,
        "counter": None if node.counter is None else plain(node.counter),
        "issues": [issue_json(issue) for issue in node.issues],
    }


def issue_json(issue: Issue) -> Json:
    """What is noteworthy about a component or a screen, as `{"text", "evidence": {"kind", "source"}, "blocking"}`."""
    return {
        "text": issue.text,
        "evidence": None if issue.evidence is None else plain(issue.evidence),
        "blocking": issue.blocking,
    }


def plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A value as JSON has it: dict with texts as keys, list, text, int, finite float, bool or None."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(each, depth - 1) for key, each in value.items()}
    if isinstance(value, (list, tuple, frozenset, set)):
        return [plain(each, depth - 1) for each in value]
    if is_dataclass(value):
        kind = getattr(type(value), "type", None)  # of a block of Markdown; no field
        found = {each.name: plain(getattr(value, each.name), depth - 1) for each in fields(value)}
        return {"type": kind, **found} if isinstance(kind, str) else found
    return str(value)
