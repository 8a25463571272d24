"""JSON that comes from outside: copied, so that nobody changes it later, and bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .._json import compact_json

MAX_DEPTH: Final = 100
"""How deep lists and objects may be nested. Our limit: a session has to be compared and pickled."""
MAX_CHARACTERS: Final = 10 * 1024 * 1024
"""Of the JSON text. Our limit; a client takes 1 MB."""


def owned(value: Any) -> Any:
    """A copy of a JSON value. Raises `ValueError`, with the reason, if it is none or goes beyond the limits."""
    try:
        text = compact_json(value, ascii_only=False, allow_nan=False)
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"it has more than {MAX_CHARACTERS} characters")
        copied = json.loads(text)
    except (TypeError, ValueError, RecursionError) as exc:
        reason = str(exc)
    else:
        if not is_too_deep(copied):
            return copied
        reason = f"it is nested more than {MAX_DEPTH} levels deep"
    raise ValueError(reason)


def is_too_deep(value: Any) -> bool:
    """Whether the lists and objects in a JSON value are nested deeper than allowed."""
    level: list[Any] = [[value]]
    depth = 0
    while level and depth <= MAX_DEPTH:
        inner = [each.values() if isinstance(each, Mapping) else each for each in level]
        level = [each for values in inner for each in values if isinstance(each, (Mapping, list))]
        depth += 1
    return bool(level)
