"""Decoding of `Content-Encoding` (RFC 9110, section 8.4.1) up to a limit: gzip can expand a thousandfold."""

from __future__ import annotations

import zlib
from typing import Final

MEMBERS: Final = 16
"""The members that one gzip stream may have (RFC 1952, section 2.2). Each costs a copy of the rest."""

CODINGS: Final = 3
"""The codings that one body may have. We ask for one, and a proxy may add one."""

_CHUNK: Final = 1024 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_GZIP_MAGIC: Final = b"\x1f\x8b"


class BodyTooLargeError(Exception):
    """The body has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the answer has more than {limit} bytes")


class DecodingError(Exception):
    """The body is damaged, or has a coding that was not asked for."""

    def __init__(self) -> None:
        super().__init__("the answer cannot be decoded")


def decoded(body: bytes, codings: str, limit: int) -> bytes:
    """
    The body without the codings that a `Content-Encoding` header lists, the last of which was applied last.

    Raises `BodyTooLargeError` as soon as more than `limit` bytes are decoded, and `DecodingError` for a damaged body or
    an unknown coding.
    """
    names = [name for name in (part.strip().lower() for part in codings.split(",")) if name not in {"", "identity"}]
    if len(names) > CODINGS:
        raise DecodingError
    for name in reversed(names):
        body = _decode_one(body, name, limit) if body else body
    if len(body) > limit:
        raise BodyTooLargeError(limit)
    return body


def _decode_one(body: bytes, coding: str, limit: int) -> bytes:
    if coding in {"gzip", "x-gzip"}:
        return _inflate(body, _GZIP, limit)
    if coding != "deflate":
        raise DecodingError
    # Some servers omit the zlib header; its first byte has the method, 8, in its lower half (RFC 1950).
    return _inflate(body, zlib.MAX_WBITS if body[0] & 0x0F == 8 else -zlib.MAX_WBITS, limit)


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for _ in range(MEMBERS):
        member = zlib.decompressobj(window)
        left = body
        while not member.eof:
            try:
                piece = member.decompress(left, _CHUNK)
            except zlib.error:
                raise DecodingError from None
            if not piece and not member.eof:
                raise DecodingError  # it is truncated
            size += len(piece)
            if size > limit:
                raise BodyTooLargeError(limit)
            pieces.append(piece)
            left = member.unconsumed_tail
        body = member.unused_data
        if window != _GZIP or not body.startswith(_GZIP_MAGIC):
            return b"".join(pieces)
    raise DecodingError
