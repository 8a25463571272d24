"""The one place where values become compact JSON text: without spaces, as it is sent, stored and compared."""

from __future__ import annotations

from functools import lru_cache
from json import JSONEncoder


def compact_json(value: object, *, ascii_only: bool = True, allow_nan: bool = True, sort_keys: bool = False) -> str:
    """
    The text of a value, with characters beyond ASCII escaped if `ascii_only`.

    Raises TypeError, ValueError or RecursionError if the value has no JSON form. With `allow_nan`, NaN and infinities
    are written as Python reads them, although JSON does not have them.
    """
    return _encoder(ascii_only, allow_nan, sort_keys).encode(value)


@lru_cache
def _encoder(ascii_only: bool, allow_nan: bool, sort_keys: bool) -> JSONEncoder:
    """Kept: `json.dumps` makes one for each call with options. It holds nothing of what it encodes."""
    return JSONEncoder(ensure_ascii=ascii_only, allow_nan=allow_nan, sort_keys=sort_keys, separators=(",", ":"))
