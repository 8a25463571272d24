"""
The size of an RSA public key in PEM.

A parser for the one DER structure that Meta accepts, SubjectPublicKeyInfo (RFC 5280, section 4.1; RSA: RFC 3279,
section 2.3.1), so that the emulator does not depend on a cryptography package.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_PEM: Final = re.compile(r"\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*")
_RSA_ENCRYPTION: Final = bytes.fromhex("2a864886f70d010101")  # object identifier 1.2.840.113549.1.1.1
_INTEGER, _BIT_STRING, _OBJECT_IDENTIFIER, _SEQUENCE = 0x02, 0x03, 0x06, 0x30


def rsa_bits(pem: str) -> int | None:
    """The size of the modulus in bits; None for a text that is not an RSA public key in PEM."""
    found = _PEM.fullmatch(pem)
    if found is None:
        return None
    try:
        der = base64.b64decode("".join(found[1].split()), validate=True)
        return _modulus(der).bit_length()
    except (ValueError, binascii.Error):
        return None


def _modulus(der: bytes) -> int:
    """The modulus of a SubjectPublicKeyInfo; ValueError for anything else."""
    info, rest = _element(der, _SEQUENCE)
    algorithm, key = _element(info, _SEQUENCE)
    identifier, _ = _element(algorithm, _OBJECT_IDENTIFIER)
    bits, more = _element(key, _BIT_STRING)
    if rest or more or identifier != _RSA_ENCRYPTION or bits[:1] != b"\0":
        raise ValueError("not an RSA public key")
    numbers, _ = _element(bits[1:], _SEQUENCE)
    modulus, exponent = _element(numbers, _INTEGER)
    _element(exponent, _INTEGER)
    number = int.from_bytes(modulus, "big", signed=True)
    if number <= 0:
        raise ValueError("the modulus must be positive")
    return number


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first DER element, and the bytes after it."""
    if len(der) < 2 or der[0] != tag:
        raise ValueError("not the expected element")
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if len(der) < start + length:
        raise ValueError("truncated")
    return der[start : start + length], der[start + length :]
