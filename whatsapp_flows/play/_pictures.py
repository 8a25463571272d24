"""
Images of a Flow: base64 text becomes a `data:` URL of a type that browsers draw, or a sentence says why not.

The type is told by the first bytes of the image, and never by what a document says.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from typing import Final, NamedTuple

_CACHED_LENGTH: Final = 512 * 1024
"""Characters. Longer images are not kept, which bounds the memory of the cache."""
_SPACE: Final = str.maketrans("", "", "\t\n\f\r ")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*").fullmatch
_HEAD: Final = 16  # characters that hold the first 12 bytes

# Type -> how its files begin; a dot is any byte.
_TYPES: Final = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
)


class Picture(NamedTuple):
    """An image: its `data:` URL, empty if it cannot be drawn; its size in bytes; what is wrong with it, if anything."""

    url: str
    size: int = 0
    problem: str = ""


def picture_of(text: str) -> Picture:
    """
    The image that a base64 text holds.

    White space is ignored and padding may be missing, as in a browser (WHATWG Infra, "forgiving-base64 decode"). A text
    that begins with `data:` is no base64.
    """
    return _cached(text) if len(text) <= _CACHED_LENGTH else _picture(text)


def _picture(text: str) -> Picture:
    dense = text.translate(_SPACE)
    if len(dense) % 4 == 0 and dense.endswith("="):
        dense = dense[:-2] if dense.endswith("==") else dense[:-1]
    if dense.startswith("data:"):
        return Picture("", problem="begins with data:, where Meta takes base64 alone")
    if len(dense) % 4 == 1 or not _BASE64(dense):
        return Picture("", problem="is not base64")
    if not dense:
        return Picture("", problem="is empty")
    size = len(dense) * 3 // 4
    head = dense[:_HEAD]
    first = binascii.a2b_base64(head + "=" * (-len(head) % 4))
    found = next((name for name, begins in _TYPES if begins.match(first)), None)
    if found is None:
        return Picture("", size, "is no PNG, JPEG, WebP or GIF")
    return Picture(f"data:{found};base64,{dense}{'=' * (-len(dense) % 4)}", size)


_cached: Final = lru_cache(maxsize=24)(_picture)
