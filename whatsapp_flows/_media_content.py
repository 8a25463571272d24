"""An encrypted file that was downloaded becomes what the user has uploaded, if it passes every check."""

from __future__ import annotations

import io
from typing import BinaryIO

from ._endpoint_errors import MediaIntegrityError, MediaRefusedError
from ._media_values import BLOCK_BYTES, MAC_BYTES, EncryptedMedia


def open_media(item: EncryptedMedia, cdn_file: bytes) -> bytes:
    """
    The content of an encrypted file, from the bytes that its `cdn_url` serves; nothing is sent or written.

    Five checks, in this order, the first three before anything is decrypted. Each is a `MediaIntegrityError` with its
    name in `check`: `length` (whole blocks and the MAC), `encrypted-hash`, `mac`, `padding`, `plaintext-hash`. Hashes
    and MAC are compared in constant time. Raises `ImportError` without the extra `endpoint`.
    """
    content = io.BytesIO()
    decrypt(item, io.BytesIO(cdn_file), len(cdn_file), content)
    return content.getvalue()


def decrypt(item: EncryptedMedia, source: BinaryIO, size: int, sink: BinaryIO) -> int:
    """
    Write the content of the file of `size` bytes in `source` to `sink`, in chunks; returns the size of the content.

    Raises `MediaIntegrityError` as `open_media`; what `sink` holds by then must not be used.
    """
    check_encrypted(item)
    from ._flow_crypto import MediaKeys, open_media_file  # noqa: PLC0415 - the extra is needed here, not before

    if size < BLOCK_BYTES + MAC_BYTES or (size - MAC_BYTES) % BLOCK_BYTES:
        raise MediaIntegrityError("The downloaded file is incomplete: it is no whole number of blocks.", "length")
    keys = MediaKeys(
        encryption_key=item.keys.encryption_key,
        hmac_key=item.keys.hmac_key,
        iv=item.keys.iv,
        encrypted_hash=item.encrypted_hash,
        plaintext_hash=item.plaintext_hash,
    )
    return open_media_file(source, sink, keys)


def check_encrypted(item: object) -> None:
    """Raise `MediaRefusedError` unless the item is an `EncryptedMedia`."""
    if not isinstance(item, EncryptedMedia):
        raise MediaRefusedError("This is no EncryptedMedia: files of a response message need client.download_media().")
