"""
The envelope of a data-exchange request, and its answer, from both sides.

A request is `{encrypted_aes_key, encrypted_flow_data, initial_vector}`, each in standard base64: a 128-bit AES key
under RSA-OAEP (SHA-256, and MGF1 with SHA-256), AES-GCM with a nonce of 16 bytes, no associated data, the tag at the
end. The answer is encrypted with the same key and the nonce with every bit inverted, and is sent as bare base64
(documented: Meta's endpoint guide; the 16 bytes of key and nonce are observed).
"""

from __future__ import annotations

import os
import sys
from base64 import b64decode, b64encode
from binascii import a2b_base64
from collections.abc import Callable, Sequence
from typing import Final, Literal, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .._dataclasses import dataclass, field
from .._endpoint_errors import DecryptionError
from ._pem import OpeningKey, SealingKey

RsaPadding = Literal["sha256", "mgf1-sha1", "sha1"]
"""The hashes of RSA-OAEP; a caller that tests an endpoint makes the wrong ones, too."""

_OAEP: Final = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
_WRONG: Final = {
    "mgf1-sha1": OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA256(), label=None),  # noqa: S303
    "sha1": OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None),  # noqa: S303
}
_KEY_BYTES: Final = 16
_IV_BYTES: Final = 16
_INVERTED: Final = bytes(255 - byte for byte in range(256))


def not_decrypted(reason: str) -> DecryptionError:
    """The error of a body that cannot be decrypted: one message for all reasons, which a peer must not tell apart."""
    return DecryptionError("The body cannot be decrypted.", reason)


class AnswerChannel:
    """
    The key and the nonce of the answer to one request.

    Sealing two different answers would use an AES-GCM nonce twice: seal one. Not shown by a repr, and not pickled.
    """

    __slots__ = ("_cipher", "_iv")

    def __init__(self, cipher: AESGCM, request_iv: bytes) -> None:
        self._cipher = cipher
        self._iv = request_iv.translate(_INVERTED)

    def seal(self, plaintext: bytes) -> bytes:
        """The body of the answer: base64 of ciphertext and tag."""
        return b64encode(self._cipher.encrypt(self._iv, plaintext, None))

    def open(self, body: bytes, *, inverted: bool = True) -> bytes:
        """
        The plaintext of an answer, as the caller reads it. Raises `DecryptionError`.

        With `inverted=False`, that of an answer which was sealed, by mistake, with the nonce of the request.
        """
        data = _decoded(body)
        if data is None:
            raise not_decrypted("base64")
        iv = self._iv if inverted else self._iv.translate(_INVERTED)
        plaintext = _decrypted(self._cipher, iv, data)
        if plaintext is None:
            raise not_decrypted("tag")
        return plaintext

    def __repr__(self) -> str:
        return "<AnswerChannel: secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an AnswerChannel is not pickled: it holds the key of a request")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRequest:
    """A decrypted request, the channel of its answer, and the index of the private key that opened it."""

    plaintext: bytes = field(repr=False)
    channel: AnswerChannel = field(repr=False)
    key_index: int


def open_envelope(
    keys: Sequence[OpeningKey], encrypted_aes_key: str, encrypted_flow_data: str, initial_vector: str
) -> OpenedRequest:
    """
    Decrypt the three base64 texts of a request with the first of the keys that fits.

    Raises `DecryptionError` with one message for every fault; its `reason` is `base64`, `iv-size`, `rsa`, `key-size` or
    `tag`. When no key fits, the data is decrypted with a random key, and when the tag is wrong, the remaining keys are
    tried too: so neither shows in the time.
    """
    wrapped, data, iv = _decoded(encrypted_aes_key), _decoded(encrypted_flow_data), _decoded(initial_vector)
    if wrapped is None or data is None or iv is None:
        raise not_decrypted("base64")
    if len(iv) != _IV_BYTES:
        raise not_decrypted("iv-size")
    cipher, index, fault = _unwrapped(keys, wrapped)
    plaintext = _decrypted(cipher, iv, data)
    if plaintext is None or fault:
        _unwrapped(keys[index + 1 :], wrapped)
        raise not_decrypted(fault or "tag")
    return OpenedRequest(plaintext=plaintext, channel=AnswerChannel(cipher, iv), key_index=index)


def seal_request(
    key: SealingKey,
    plaintext: bytes,
    *,
    random: Callable[[int], bytes] = os.urandom,
    padding: RsaPadding = "sha256",
) -> tuple[bytes, AnswerChannel]:
    """The JSON body of a request, as Meta's client makes it, and the channel that opens its answer."""
    aes_key, iv = random(_KEY_BYTES), random(_IV_BYTES)
    cipher = AESGCM(aes_key)
    body = b'{"encrypted_flow_data":"%b","encrypted_aes_key":"%b","initial_vector":"%b"}' % (
        b64encode(cipher.encrypt(iv, plaintext, None)),
        b64encode(key.rsa.encrypt(aes_key, _WRONG.get(padding, _OAEP))),
        b64encode(iv),
    )
    return body, AnswerChannel(cipher, iv)


def _decoded(text: str | bytes) -> bytes | None:
    """
    Strict base64: the standard alphabet, as much padding as needed, and nothing else.

    A decoder takes surplus padding, which a replay guard would see as another request: the length has to be that which
    an encoder writes. The bits that the last character may have beyond the data are ignored, here as in `replay_key`.
    """
    try:
        if sys.version_info >= (3, 11):
            data = a2b_base64(text, strict_mode=True)  # what b64decode does, without its own cost
        else:
            data = b64decode(text, validate=True)
    except ValueError:
        return None
    return data if len(text) == (len(data) + 2) // 3 * 4 else None


def _decrypted(cipher: AESGCM, iv: bytes, data: bytes) -> bytes | None:
    try:
        return cipher.decrypt(iv, data, None)
    except InvalidTag:
        return None


def _unwrapped(keys: Sequence[OpeningKey], wrapped: bytes) -> tuple[AESGCM, int, str]:
    """The cipher, the index of the key that unwrapped it, and the fault; of a fault, a cipher with a random key."""
    for index, key in enumerate(keys):
        try:
            aes_key = key.rsa.decrypt(wrapped, _OAEP)
        except ValueError:
            continue
        if len(aes_key) == _KEY_BYTES:
            return AESGCM(aes_key), index, ""
        return AESGCM(os.urandom(_KEY_BYTES)), index, "key-size"
    return AESGCM(os.urandom(_KEY_BYTES)), len(keys), "rsa"
