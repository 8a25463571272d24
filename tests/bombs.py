"""Responses that are small until they are decompressed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import cache
from typing import Final

from whatsapp_flows.transport import MAX_RESPONSE_BYTES


def packed(size: int, window: int = 31) -> bytes:
    """So many zeros, compressed to a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return b"".join([*(packer.compress(bytes(min(2**20, size - at))) for at in range(0, size, 2**20)), packer.flush()])


def twice(size: int) -> bytes:
    return gzip.compress(packed(size))


_MADE: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "gzip": ("gzip", lambda: packed(100 * 2**20)),
    "deflate": ("deflate", lambda: packed(100 * 2**20, 15)),
    "deflate without a header": ("deflate", lambda: packed(100 * 2**20, -15)),
    "gzip in gzip": ("gzip, gzip", lambda: twice(300 * 2**20)),
    "not packed": ("", lambda: bytes(MAX_RESPONSE_BYTES + 1)),
}
BOMBS: Final = tuple(_MADE)


@cache
def bomb_of(name: str) -> tuple[str, bytes]:
    """Its content coding and its bytes. Packing takes up to a second: it is done when a test asks for it."""
    coding, make = _MADE[name]
    return coding, make()
