"""
The cryptography of Flows written out from the standards, for tests: slow, on the standard library alone.

Shares no code with the package, so that a mistake there cannot hide here. RSA-OAEP is RFC 8017, AES is FIPS 197, GCM is
NIST SP 800-38D, the formats of keys are RFC 8017 and RFC 5208. `hashlib`, `hmac` and `base64` are trusted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass


class RefusedError(Exception):
    """What was given cannot be decrypted."""


# RSA


@dataclass(frozen=True)
class Numbers:
    """An RSA key: the modulus and one exponent, public or private; of a private key its primes, too."""

    modulus: int
    exponent: int
    primes: tuple[int, int] | None = None

    def apply(self, number: int) -> int:
        if self.primes is None:
            return pow(number, self.exponent, self.modulus)
        p, q = self.primes  # by the Chinese remainder theorem, which takes a third of the time
        part = pow(number, self.exponent % (q - 1), q)
        return part + q * ((pow(number, self.exponent % (p - 1), p) - part) * pow(q, -1, p) % p)

    @property
    def size(self) -> int:
        return (self.modulus.bit_length() + 7) // 8


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The (tag, content) of each DER element."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(der[at : at + count], "big"), at + count
        yield tag, der[at : at + length]
        at += length


def _base64_of(pem: str) -> bytes:
    return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))


def public_numbers(pem: str) -> Numbers:
    """The numbers of a SubjectPublicKeyInfo."""
    ((_, info),) = _elements(_base64_of(pem))
    _, (_, bits) = _elements(info)
    ((_, key),) = _elements(bits[1:])
    (_, modulus), (_, exponent) = _elements(key)
    return Numbers(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))


def private_numbers(pem: str) -> Numbers:
    """The numbers of an unencrypted PKCS#8 key."""
    ((_, info),) = _elements(_base64_of(pem))
    octets = list(_elements(info))[2][1]
    ((_, key),) = _elements(octets)
    _, modulus, _, exponent, p, q, *_ = (int.from_bytes(content, "big") for _, content in _elements(key))
    return Numbers(modulus, exponent, (p, q))


def _mask(seed: bytes, length: int, digest: str) -> bytes:
    """MGF1."""
    size = hashlib.new(digest).digest_size
    blocks = (hashlib.new(digest, seed + n.to_bytes(4, "big")).digest() for n in range(-(-length // size)))
    return b"".join(blocks)[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def oaep_encrypt(key: Numbers, message: bytes, *, digest: str = "sha256", mgf: str = "sha256") -> bytes:
    """RSA-OAEP with an empty label."""
    empty = hashlib.new(digest).digest()
    seed = os.urandom(len(empty))
    data = empty + b"\0" * (key.size - len(message) - 2 * len(empty) - 2) + b"\1" + message
    masked = _xor(data, _mask(seed, len(data), mgf))
    block = b"\0" + _xor(seed, _mask(masked, len(seed), mgf)) + masked
    return key.apply(int.from_bytes(block, "big")).to_bytes(key.size, "big")


def oaep_decrypt(key: Numbers, data: bytes, *, digest: str = "sha256", mgf: str = "sha256") -> bytes:
    empty = hashlib.new(digest).digest()
    block = key.apply(int.from_bytes(data, "big")).to_bytes(key.size, "big")
    masked_seed, masked = block[1 : 1 + len(empty)], block[1 + len(empty) :]
    content = _xor(masked, _mask(_xor(masked_seed, _mask(masked, len(empty), mgf)), len(masked), mgf))
    if block[0] or not content.startswith(empty):
        raise RefusedError("oaep")
    return content[len(empty) :].lstrip(b"\0")[1:]


# AES


def _times(a: int, b: int) -> int:
    """The product in GF(2^8) of FIPS 197."""
    product = 0
    while b:
        product ^= a * (b & 1)
        a, b = (a << 1) ^ (0x11B if a & 0x80 else 0), b >> 1
    return product


def _substitution() -> bytes:
    box = [0x63] * 256
    for value in range(1, 256):
        inverse, rotated = _INVERSES[value], 0
        for shift in range(5):
            rotated ^= (inverse << shift | inverse >> 8 - shift) & 0xFF
        box[value] = rotated ^ 0x63
    return bytes(box)


def _inverses() -> list[int]:
    """The inverse of each number: powers of 3 run through all of them."""
    powers = [1]
    while len(powers) < 255:
        powers.append(_times(powers[-1], 3))
    inverses = [0] * 256
    for exponent, value in enumerate(powers):
        inverses[value] = powers[-exponent % 255]
    return inverses


_INVERSES = _inverses()
_BOX = _substitution()
_UNBOX = bytes(_BOX.index(value) for value in range(256))
_SHIFTED = [(column + row) % 4 * 4 + row for column in range(4) for row in range(4)]
_UNSHIFTED = [(column - row) % 4 * 4 + row for column in range(4) for row in range(4)]
_PRODUCTS = {factor: bytes(_times(value, factor) for value in range(256)) for factor in (1, 2, 3, 9, 11, 13, 14)}


def _mixed(state: bytes, factors: tuple[int, int, int, int]) -> bytes:
    tables = [_PRODUCTS[factor] for factor in factors]
    return bytes(
        tables[-row % 4][column[0]]
        ^ tables[(1 - row) % 4][column[1]]
        ^ tables[(2 - row) % 4][column[2]]
        ^ tables[(3 - row) % 4][column[3]]
        for column in (state[at : at + 4] for at in range(0, 16, 4))
        for row in range(4)
    )


def _round_keys(key: bytes) -> list[bytes]:
    words = [key[at : at + 4] for at in range(0, len(key), 4)]
    count, constant = len(words), 1
    while len(words) < 4 * (count + 7):
        word = words[-1]
        if len(words) % count == 0:
            word = bytes(_BOX[byte] for byte in word[1:] + word[:1])
            word, constant = bytes([word[0] ^ constant]) + word[1:], _times(constant, 2)
        elif count > 6 and len(words) % count == 4:
            word = bytes(_BOX[byte] for byte in word)
        words.append(_xor(words[-count], word))
    return [b"".join(words[at : at + 4]) for at in range(0, len(words), 4)]


def aes_block(key: bytes, block: bytes) -> bytes:
    """One block encrypted."""
    first, *middle, last = _round_keys(key)
    state = _xor(block, first)
    for round_key in middle:
        state = _xor(_mixed(bytes(_BOX[state[at]] for at in _SHIFTED), (2, 3, 1, 1)), round_key)
    return _xor(bytes(_BOX[state[at]] for at in _SHIFTED), last)


def aes_block_opened(key: bytes, block: bytes) -> bytes:
    """One block decrypted."""
    first, *middle, last = _round_keys(key)
    state = bytes(_UNBOX[_xor(block, last)[at]] for at in _UNSHIFTED)
    for round_key in reversed(middle):
        mixed = _mixed(_xor(state, round_key), (14, 11, 13, 9))
        state = bytes(_UNBOX[mixed[at]] for at in _UNSHIFTED)
    return _xor(state, first)


# GCM


def _field_product(x: int, y: int) -> int:
    """The product in GF(2^128) of GCM, whose first bit is the lowest power."""
    product = 0
    for bit in range(127, -1, -1):
        if y >> bit & 1:
            product ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return product


def _ghash(subkey: int, data: bytes) -> bytes:
    """GHASH of a text (or of a nonce that is not 12 bytes long), padded, with its length."""
    padded = data + b"\0" * (-len(data) % 16) + (0).to_bytes(8, "big") + (8 * len(data)).to_bytes(8, "big")
    state = 0
    for at in range(0, len(padded), 16):
        state = _field_product(state ^ int.from_bytes(padded[at : at + 16], "big"), subkey)
    return state.to_bytes(16, "big")


def _gcm(key: bytes, iv: bytes, text: bytes, *, opening: bool) -> tuple[bytes, bytes]:
    """(output, tag of the ciphertext)."""
    subkey = int.from_bytes(aes_block(key, bytes(16)), "big")
    start = iv + b"\0\0\0\1" if len(iv) == 12 else _ghash(subkey, iv)
    prefix, counter = start[:12], int.from_bytes(start[12:], "big")
    blocks = -(-len(text) // 16)
    stream = b"".join(
        aes_block(key, prefix + ((counter + n) & 0xFFFFFFFF).to_bytes(4, "big")) for n in range(1, blocks + 1)
    )
    output = _xor(text, stream[: len(text)])
    return output, _xor(_ghash(subkey, text if opening else output), aes_block(key, start))


def gcm_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Ciphertext and tag of AES-GCM without associated data."""
    output, tag = _gcm(key, iv, plaintext, opening=False)
    return output + tag


def gcm_decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    output, tag = _gcm(key, iv, data[:-16], opening=True)
    if len(data) < 16 or tag != data[-16:]:
        raise RefusedError("tag")
    return output


# Requests and answers, as Meta's client makes and reads them


@dataclass(frozen=True)
class Sealed:
    """A request on the wire, and what opens its answer."""

    envelope: dict[str, str]
    aes_key: bytes
    iv: bytes

    @property
    def body(self) -> bytes:
        return json.dumps(self.envelope).encode()


def seal_request(
    public_pem: str, plaintext: bytes, *, aes_key: bytes | None = None, iv: bytes | None = None, **hashes: str
) -> Sealed:
    """A request to the owner of a public key. `hashes` are `digest` and `mgf`, for those that are to be refused."""
    aes_key, iv = aes_key or os.urandom(16), iv or os.urandom(16)
    parts = {
        "encrypted_flow_data": gcm_encrypt(aes_key, iv, plaintext),
        "encrypted_aes_key": oaep_encrypt(public_numbers(public_pem), aes_key, **hashes),
        "initial_vector": iv,
    }
    return Sealed({name: base64.b64encode(part).decode() for name, part in parts.items()}, aes_key, iv)


def open_request(private_pem: str, envelope: dict[str, str]) -> tuple[bytes, Sealed]:
    """The plaintext of a request, as an endpoint reads it with an unencrypted PKCS#8 key."""
    aes_key = oaep_decrypt(private_numbers(private_pem), base64.b64decode(envelope["encrypted_aes_key"]))
    iv = base64.b64decode(envelope["initial_vector"])
    plaintext = gcm_decrypt(aes_key, iv, base64.b64decode(envelope["encrypted_flow_data"]))
    return plaintext, Sealed(envelope, aes_key, iv)


def inverted(iv: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in iv)


def seal_answer(request: Sealed, plaintext: bytes) -> bytes:
    """The body that answers a request."""
    return base64.b64encode(gcm_encrypt(request.aes_key, inverted(request.iv), plaintext))


def open_answer(request: Sealed, body: bytes) -> bytes:
    """The plaintext of the answer to a request. Raises `RefusedError`, also for what is not strict base64."""
    if base64.b64encode(base64.b64decode(body)) != body:
        raise RefusedError("base64")
    return gcm_decrypt(request.aes_key, inverted(request.iv), base64.b64decode(body))


def sign(body: bytes, app_secret: str) -> str:
    """The header `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(app_secret.encode(), body, "sha256").hexdigest()


# Uploaded files


@dataclass(frozen=True)
class Upload:
    """A file on Meta's CDN, and the `encryption_metadata` of the request that names it."""

    file: bytes
    metadata: dict[str, str]


def seal_media(
    content: bytes,
    *,
    encryption_key: bytes | None = None,
    hmac_key: bytes | None = None,
    iv: bytes | None = None,
) -> Upload:
    """A file as a client uploads it: AES-256-CBC, PKCS#7, the first 10 bytes of its HMAC, and the hashes."""
    encryption_key, hmac_key, iv = encryption_key or os.urandom(32), hmac_key or os.urandom(32), iv or os.urandom(16)
    ciphertext = cbc_encrypt(encryption_key, iv, content)
    file = ciphertext + hmac.new(hmac_key, iv + ciphertext, "sha256").digest()[:10]
    parts = {
        "encryption_key": encryption_key,
        "hmac_key": hmac_key,
        "iv": iv,
        "encrypted_hash": hashlib.sha256(file).digest(),
        "plaintext_hash": hashlib.sha256(content).digest(),
    }
    return Upload(file, {name: base64.b64encode(part).decode() for name, part in parts.items()})


def cbc_encrypt(key: bytes, iv: bytes, content: bytes) -> bytes:
    """AES-CBC with PKCS#7."""
    missing = 16 - len(content) % 16
    padded, previous, ciphertext = content + bytes([missing]) * missing, iv, b""
    for at in range(0, len(padded), 16):
        previous = aes_block(key, _xor(padded[at : at + 16], previous))
        ciphertext += previous
    return ciphertext


def open_media(upload: Upload) -> bytes:
    """The content of a file, without its checks."""
    keys = {name: base64.b64decode(text) for name, text in upload.metadata.items()}
    ciphertext, previous, content = upload.file[:-10], keys["iv"], b""
    for at in range(0, len(ciphertext), 16):
        block = ciphertext[at : at + 16]
        content += _xor(aes_block_opened(keys["encryption_key"], block), previous)
        previous = block
    return content[: -content[-1]]
