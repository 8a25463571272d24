"""Uploaded files: every check in its order, before anything is decrypted where that is possible."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.endpoint import plain_crypto
from tests.endpoint.plain_crypto import Upload
from whatsapp_flows._flow_crypto import MediaKeys, open_media_file
from whatsapp_flows.endpoint import MediaIntegrityError

CONTENT = b"hello flows media\n"
UPLOAD = plain_crypto.seal_media(
    CONTENT,
    encryption_key=bytes(range(0x20, 0x40)),
    hmac_key=bytes(range(0x40, 0x60)),
    iv=bytes(range(0x60, 0x70)),
)


def keys_of(upload: Upload) -> MediaKeys:
    return MediaKeys(**{name: base64.b64decode(text) for name, text in upload.metadata.items()})


def content_of(upload: Upload) -> bytes:
    sink = BytesIO()
    assert open_media_file(BytesIO(upload.file), sink, keys_of(upload)) == len(sink.getvalue())
    return sink.getvalue()


def test_a_file_with_a_known_ciphertext_is_opened() -> None:
    """The vector of a media file; made with Node's crypto."""
    assert base64.b64encode(UPLOAD.file) == b"03+JM0DbMnf4f5I6L000+nCFcA+P6HormGpWDCPNOvwrX9UGSjpfZSJM"
    assert UPLOAD.metadata["encrypted_hash"] == "4z8FvApYfriYBkU5rlzeF1DwdWYlhifTRJpiHsDdRJI="
    assert UPLOAD.metadata["plaintext_hash"] == "IOoQ7aPHEqTZF8VbNxP8b561jcoWsESdw417lYD+4nM="
    assert content_of(UPLOAD) == CONTENT


@settings(max_examples=some(40))
@given(st.binary(max_size=70))
def test_a_file_of_any_length_is_opened(content: bytes) -> None:
    """Contents of every length modulo the block size, the empty one too; the plain implementation agrees."""
    upload = plain_crypto.seal_media(content)
    assert content_of(upload) == content == plain_crypto.open_media(upload)


@pytest.mark.parametrize("length", [65_519, 65_520, 65_526, 65_536, 131_072])
def test_files_around_the_size_of_a_chunk_are_opened(length: int) -> None:
    """The ten bytes of the MAC may lie across the end of a chunk."""
    content = bytes(length)
    upload = sealed_fast(content)
    assert content_of(upload) == content


def sealed_fast(content: bytes) -> Upload:
    """A file of zeros under the keys of zeros, whose encryption is written with the package cryptography."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    missing = 16 - len(content) % 16
    encryptor = Cipher(AES(bytes(32)), CBC(bytes(16))).encryptor()
    return authentic(encryptor.update(content + bytes([missing]) * missing), content)


def authentic(ciphertext: bytes, content: bytes = b"") -> Upload:
    """A file whose hash and MAC are right, whatever the ciphertext is, under keys of zeros."""
    file = ciphertext + hmac.new(bytes(32), bytes(16) + ciphertext, "sha256").digest()[:10]
    parts = {
        "encryption_key": bytes(32),
        "hmac_key": bytes(32),
        "iv": bytes(16),
        "encrypted_hash": hashlib.sha256(file).digest(),
        "plaintext_hash": hashlib.sha256(content).digest(),
    }
    return Upload(file, {name: base64.b64encode(part).decode() for name, part in parts.items()})


def with_file(file: bytes, *, same_hash: bool = False) -> Upload:
    digest = UPLOAD.metadata["encrypted_hash"] if same_hash else b64(hashlib.sha256(file).digest())
    return replace(UPLOAD, file=file, metadata=UPLOAD.metadata | {"encrypted_hash": digest})


def with_metadata(**parts: bytes) -> Upload:
    return replace(UPLOAD, metadata=UPLOAD.metadata | {name: b64(part) for name, part in parts.items()})


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


FAULTS = {
    "a flipped bit": (with_file(bytes([UPLOAD.file[0] ^ 1]) + UPLOAD.file[1:], same_hash=True), "encrypted-hash"),
    "cut off": (with_file(UPLOAD.file[:-1], same_hash=True), "encrypted-hash"),
    "another file": (with_file(plain_crypto.seal_media(b"other").file, same_hash=True), "encrypted-hash"),
    "longer": (with_file(UPLOAD.file + b"\0", same_hash=True), "encrypted-hash"),
    "empty": (with_file(b"", same_hash=True), "encrypted-hash"),
    "another MAC key": (with_metadata(hmac_key=bytes(32)), "mac"),
    "another IV": (with_metadata(iv=bytes(16)), "mac"),
    "a changed byte, and the hash with it": (with_file(b"\0" + UPLOAD.file[1:]), "mac"),
    "an empty file, and the hash with it": (with_file(b""), "mac"),
    "a file shorter than a MAC": (with_file(UPLOAD.file[:9]), "mac"),
    "a MAC alone": (authentic(b""), "padding"),
    "no whole number of blocks": (authentic(bytes(17)), "padding"),
    "a wrong padding": (authentic(bytes(32)), "padding"),
    "another encryption key": (with_metadata(encryption_key=bytes(32)), "padding"),
    "another content": (with_metadata(plaintext_hash=bytes(32)), "plaintext-hash"),
    "an encryption key of 16 bytes": (with_metadata(encryption_key=bytes(16)), "metadata"),
    "a MAC key of 31 bytes": (with_metadata(hmac_key=bytes(31)), "metadata"),
    "an IV of 12 bytes": (with_metadata(iv=bytes(12)), "metadata"),
    "a hash in hexadecimal": (with_metadata(encrypted_hash=bytes(64)), "metadata"),
    "no hash of the content": (with_metadata(plaintext_hash=b""), "metadata"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_check_has_its_own_name(name: str) -> None:
    """A file that is not what was uploaded is refused by the first check that fails; hash and MAC come first."""
    upload, check = FAULTS[name]
    sink = BytesIO()
    with pytest.raises(MediaIntegrityError) as caught:
        open_media_file(BytesIO(upload.file), sink, keys_of(upload))
    assert caught.value.check == check
    if check in {"metadata", "encrypted-hash", "mac"}:
        assert not sink.getvalue()


def test_the_keys_of_a_file_are_not_shown() -> None:
    """The repr of the keys is empty."""
    assert repr(keys_of(UPLOAD)) == "MediaKeys()"
