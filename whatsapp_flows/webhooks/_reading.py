"""JSON that comes from elsewhere, read within bounds. What is wrong with it is a `WebhookFormatError`."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from .._endpoint_errors import WebhookFormatError

MAX_DEPTH: Final = 64
"""The objects and lists that may stand inside one another. Meta's own webhooks have about ten levels."""


def read_json(content: bytes | str) -> Any:
    """The value of a JSON text in UTF-8. Raises `WebhookFormatError` for anything else, and for deep nesting."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise WebhookFormatError("The body is not JSON in UTF-8", "json") from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise WebhookFormatError(f"The JSON is nested more than {MAX_DEPTH} levels deep", "json")
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are no JSON (RFC 8259, section 6)


def _is_deeper(value: Any, most: int) -> bool:
    """Whether a value has more than `most` levels of objects and lists. It looks at one level after the other."""
    level = [value]
    for _ in range(most):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
