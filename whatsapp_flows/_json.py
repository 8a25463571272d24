"""The one place where values become compact JSON text: without spaces, as it is sent, stored and compared."""

from __future__ import annotations

from json import dumps


def compact_json(value: object, *, ascii_only: bool = True, allow_nan: bool = True, sort_keys: bool = False) -> str:
    """
    The text of a value, with characters beyond ASCII escaped if `ascii_only`.

    Raises TypeError, ValueError or RecursionError if the value has no JSON form. With `allow_nan`, NaN and infinities
    are written as Python reads them, although JSON does not have them.
    """
    return dumps(value, ensure_ascii=ascii_only, allow_nan=allow_nan, sort_keys=sort_keys, separators=(",", ":"))
