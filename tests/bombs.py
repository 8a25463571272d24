"""Responses that are small until they are decompressed."""

from __future__ import annotations

import gzip
import zlib

from whatsapp_flows.transport import MAX_RESPONSE_BYTES


def packed(size: int, window: int = 31) -> bytes:
    """So many zeros, compressed to a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return b"".join([*(packer.compress(bytes(min(2**20, size - at))) for at in range(0, size, 2**20)), packer.flush()])


def twice(size: int) -> bytes:
    return gzip.compress(packed(size))


BOMBS: dict[str, tuple[str, bytes]] = {
    "gzip": ("gzip", packed(100 * 2**20)),
    "deflate": ("deflate", packed(100 * 2**20, 15)),
    "deflate without a header": ("deflate", packed(100 * 2**20, -15)),
    "gzip in gzip": ("gzip, gzip", twice(300 * 2**20)),
    "not packed": ("", bytes(MAX_RESPONSE_BYTES + 1)),
}
