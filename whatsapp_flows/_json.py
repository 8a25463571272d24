"""
The one place where values become compact JSON text, without spaces, as it is sent, stored and compared; and where the
path of a value becomes a JSON pointer (RFC 6901).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from json import JSONEncoder
from typing import Any


def compact_json(
    value: object,
    *,
    ascii_only: bool = True,
    allow_nan: bool = True,
    sort_keys: bool = False,
    default: Callable[[Any], Any] | None = None,
) -> str:
    """
    The text of a value, with characters beyond ASCII escaped if `ascii_only`. `default` makes JSON of what has no form.

    Raises TypeError, ValueError or RecursionError if the value has no JSON form. With `allow_nan`, NaN and infinities
    are written as Python reads them, although JSON does not have them.
    """
    return _encoder(ascii_only, allow_nan, sort_keys, default).encode(value)


@lru_cache
def _encoder(ascii_only: bool, allow_nan: bool, sort_keys: bool, default: Callable[[Any], Any] | None) -> JSONEncoder:
    """Cached, because `json.dumps` makes one for each call with options. It holds nothing of what it encodes."""
    return JSONEncoder(
        ensure_ascii=ascii_only, allow_nan=allow_nan, sort_keys=sort_keys, separators=(",", ":"), default=default
    )


def json_pointer(path: Iterable[str | int]) -> str:
    """
    The JSON pointer of the keys and indices that lead to a value.

    >>> json_pointer(["screens", 0, "data", "a/b"])
    '/screens/0/data/a~1b'
    """
    return "".join([f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path])


def pointer_steps(pointer: str) -> list[str]:
    """The keys and indices of a JSON pointer, as text."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
