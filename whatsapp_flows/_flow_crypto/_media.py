"""
The file format of uploads through an endpoint: `ciphertext || mac`, the MAC cut to 10 bytes.

AES-256-CBC with PKCS#7; HMAC-SHA256 over `iv || ciphertext`; SHA-256 of the whole file and of the content (documented:
Meta's media upload reference). The hash and the MAC are checked before anything is decrypted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from .._dataclasses import dataclass, field
from .._endpoint_errors import MediaIntegrityError

_MAC_BYTES: Final = 10
_CHUNK: Final = 64 * 1024
_MESSAGES: Final = {
    "metadata": "The encryption metadata of the file has a key, an IV or a hash of the wrong length.",
    "encrypted-hash": "The downloaded file is not the one that was uploaded: its SHA-256 differs.",
    "mac": "The downloaded file is not authentic: its HMAC differs.",
    "padding": "The downloaded file cannot be decrypted: its padding is wrong.",
    "plaintext-hash": "The decrypted file is not the one that was uploaded: its SHA-256 differs.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaKeys:
    """The decoded `encryption_metadata` of a file: keys of 32 bytes, an IV of 16, and hashes of 32."""

    encryption_key: bytes = field(repr=False)
    hmac_key: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    encrypted_hash: bytes = field(repr=False)
    plaintext_hash: bytes = field(repr=False)


def open_media_file(source: BinaryIO, sink: BinaryIO, keys: MediaKeys) -> int:
    """
    Check and decrypt a downloaded file in chunks of 64 KiB: `source` is seekable and read twice from its start.

    Returns the number of bytes that were written. Raises `MediaIntegrityError`, whose `check` is `metadata`,
    `encrypted-hash`, `mac`, `padding` or `plaintext-hash`; what `sink` holds by then is to be thrown away.
    """
    lengths = [len(keys.encryption_key), len(keys.hmac_key), len(keys.iv), len(keys.encrypted_hash)]
    if [*lengths, len(keys.plaintext_hash)] != [32, 32, 16, 32, 32]:
        raise _fault("metadata")
    size = _check_file(source, keys)
    if size == 0 or size % 16:
        raise _fault("padding")
    source.seek(0)
    digest, written = hashlib.sha256(), 0
    for part in _plaintext(source, size, keys):
        if part is None:
            raise _fault("padding")
        digest.update(part)
        sink.write(part)
        written += len(part)
    if not hmac.compare_digest(digest.digest(), keys.plaintext_hash):
        raise _fault("plaintext-hash")
    return written


def seal_media_file(content: bytes, *, encryption_key: bytes, hmac_key: bytes, iv: bytes) -> bytes:
    """The file that a phone uploads for this content: what `open_media_file` opens. For emulators and tests."""
    padder, encryptor = PKCS7(128).padder(), Cipher(AES(encryption_key), CBC(iv)).encryptor()
    padded = padder.update(content) + padder.finalize()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    return ciphertext + hmac.new(hmac_key, iv + ciphertext, hashlib.sha256).digest()[:_MAC_BYTES]


def _fault(check: str) -> MediaIntegrityError:
    return MediaIntegrityError(_MESSAGES[check], check)


def _check_file(source: BinaryIO, keys: MediaKeys) -> int:
    """The length of the ciphertext, when the file's hash and MAC are right."""
    whole, mac = hashlib.sha256(), hmac.new(keys.hmac_key, keys.iv, hashlib.sha256)
    size, tail = 0, b""
    source.seek(0)
    while chunk := source.read(_CHUNK):
        whole.update(chunk)
        held = tail + chunk
        mac.update(held[:-_MAC_BYTES])
        tail = held[-_MAC_BYTES:]
        size += len(chunk)
    if not hmac.compare_digest(whole.digest(), keys.encrypted_hash):
        raise _fault("encrypted-hash")
    if not hmac.compare_digest(mac.digest()[:_MAC_BYTES], tail):
        raise _fault("mac")
    return size - _MAC_BYTES


def _plaintext(source: BinaryIO, size: int, keys: MediaKeys) -> Iterator[bytes | None]:
    """The content in parts; None when the padding is wrong."""
    decryptor = Cipher(AES(keys.encryption_key), CBC(keys.iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    while size and (chunk := source.read(min(_CHUNK, size))):
        size -= len(chunk)
        yield unpadder.update(decryptor.update(chunk))
    try:
        yield unpadder.update(decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        yield None
