"""
Values of a played Flow as JSON, for the page, the storyboard and the screenshots.

The names are those of the values (`Node.enabled` is `"enabled"`). What JSON does not have becomes what it has: a tuple
an array, a number that is not finite null, a value of this package an object.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Final

from .._json import compact_json
from ..play import View

MAX_DEPTH: Final = 64
"""Levels of arrays and objects: a Flow JSON has fewer; what is deeper becomes null."""

Json = dict[str, Any]


def view_json(view: View) -> Json:
    """
    What the user sees, as `{"screen", "title", "back", "loading", "over", "snackbar", "issues", "nodes", "footer"}`.

    A node is `{"path", "kind", "name", "props", "value", "error", "invalid", "enabled", "shown", "counter", "issues"}`;
    an issue is `{"text", "evidence": {"kind", "source"}, "blocking"}`.
    """
    found: Json = plain(view)
    return found


def plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A value as JSON has it: dict with texts as keys, list, text, int, finite float, bool or None."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return None
    shallow = _shallow(value)
    if isinstance(shallow, dict):
        return {str(key): plain(each, depth - 1) for key, each in shallow.items()}
    return [plain(each, depth - 1) for each in shallow] if isinstance(shallow, (list, tuple)) else shallow


def json_text(value: Any) -> str:
    """
    The text of `plain(value)`, except that what is deeper than `MAX_DEPTH` may be in it.

    The values of the page change with each key, so they are not copied first: the encoder asks for what it does not
    know. Only what it refuses (a number that is not finite, a key that is no text, too many levels) is made plain.
    """
    try:
        return compact_json(value, allow_nan=False, default=_shallow)
    except (TypeError, ValueError, RecursionError):
        return compact_json(plain(value), allow_nan=False)


def object_text(members: Mapping[str, str]) -> str:
    """An object whose values are texts of JSON already."""
    return f"{{{','.join(f'{compact_json(name)}:{text}' for name, text in members.items())}}}"


def array_text(items: list[str]) -> str:
    """An array whose items are texts of JSON already."""
    return f"[{','.join(items)}]"


def _shallow(value: Any) -> Any:
    """A value as a dict, a list or a text, whose own values are as they were."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple, frozenset, set)):
        return list(value)
    if not is_dataclass(value):
        return str(value)
    cls: Any = type(value)
    found = {name: getattr(value, name) for name in _names(cls)}
    kind = getattr(cls, "type", None)  # of a block of Markdown; no field
    return {"type": kind, **found} if isinstance(kind, str) else found


@lru_cache(maxsize=128)
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))
