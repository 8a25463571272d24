"""Content codings undone (RFC 9110, section 8.4.1), with a bound: a megabyte of gzip may hold a thousand."""

from __future__ import annotations

import zlib
from typing import Final

MEMBERS: Final = 16
"""The parts that one gzip stream may have (RFC 1952, section 2.2); each costs a copy of the rest. Servers send one."""

CODINGS: Final = 3
"""How often an answer may be packed. We ask for one coding, and a proxy may add one."""

_PIECE: Final = 1024 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_GZIP_MAGIC: Final = b"\x1f\x8b"


class TooLargeError(Exception):
    """More came out than may."""


class DamagedError(Exception):
    """What is packed so cannot be unpacked."""


def decoded(body: bytes, codings: str, limit: int) -> bytes:
    """
    The body without the codings that `Content-Encoding` names, the last of which was put on last.

    Raises `TooLargeError` as soon as more than `limit` bytes have come out, and `DamagedError` for what cannot be
    unpacked or is packed in a way that nobody asked for.
    """
    names = [name for name in (part.strip().lower() for part in codings.split(",")) if name not in {"", "identity"}]
    if len(names) > CODINGS:
        raise DamagedError
    for name in reversed(names):
        body = _unpacked(body, name, limit) if body else body
    if len(body) > limit:
        raise TooLargeError
    return body


def _unpacked(body: bytes, coding: str, limit: int) -> bytes:
    if coding in {"gzip", "x-gzip"}:
        return _inflated(body, _GZIP, limit)
    if coding != "deflate":
        raise DamagedError
    # Some servers leave out the header of zlib, whose first byte has the method 8 in its lower half (RFC 1950).
    return _inflated(body, zlib.MAX_WBITS if body[0] & 0x0F == 8 else -zlib.MAX_WBITS, limit)


def _inflated(body: bytes, window: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for _ in range(MEMBERS):
        member = zlib.decompressobj(window)
        left = body
        while not member.eof:
            try:
                piece = member.decompress(left, _PIECE)
            except zlib.error:
                raise DamagedError from None
            if not piece and not member.eof:
                raise DamagedError  # it ends before its end
            size += len(piece)
            if size > limit:
                raise TooLargeError
            pieces.append(piece)
            left = member.unconsumed_tail
        body = member.unused_data
        if window != _GZIP or not body.startswith(_GZIP_MAGIC):
            return b"".join(pieces)
    raise DamagedError
