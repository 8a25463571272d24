"""
RSA keys in PEM: read once into opaque values, and made.

Each fault is a `ConfigurationError` that says what was found and what to do, and has no part of the key or password.
The functions that hold the text return the fault, and one that does not hold it raises, so that a traceback with local
variables shows neither.
"""

from __future__ import annotations

import hashlib
from typing import Final, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from .._wire import Secret
from ..errors import ConfigurationError
from ._pem_text import Block, Fault, blocks_of

KEY_BITS: Final = 2048  # documented: Meta takes no other size
_PRIVATE: Final = frozenset({"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY"})
_PUBLIC: Final = frozenset({"PUBLIC KEY", "RSA PUBLIC KEY"})
# The ciphers of PKCS#1 (`DEK-Info`) that are read, and the object identifiers of ciphers of PKCS#8 that are not.
_AES_192: Final = "AES-192-CBC"
_AES_192_BYTES: Final = 24
_LEGACY_CIPHERS: Final = frozenset({"AES-128-CBC", _AES_192, "AES-256-CBC", "DES-EDE3-CBC"})
_UNSUPPORTED: Final = {
    bytes.fromhex("2a83088c9a4b3d010101"): "Camellia",  # 1.2.392.200011.61.1.1.1
    bytes.fromhex("2a831a8c9a6e0101"): "ARIA",  # 1.2.410.200046.1.1
}
_ENCRYPT_AGAIN: Final = "Encrypt it with AES: openssl pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -out new.pem"
_KINDS: Final = {"EC": "an elliptic-curve key", "EllipticCurve": "an elliptic-curve key", "DSA": "a DSA key"}
_OTHER_KEY: Final = "Make one with: whatsapp-flows keys generate --out key.pem"
# The label of a PEM block -> what it is, and what to do when a private key was expected.
_NO_PRIVATE_KEY: Final = {
    "PUBLIC KEY": ("a public key", "Give the private key that belongs to it; the public one is for Meta."),
    "RSA PUBLIC KEY": ("a public key", "Give the private key that belongs to it; the public one is for Meta."),
    "CERTIFICATE": ("a certificate", "Give the private key; Meta asks for no certificate."),
    "TRUSTED CERTIFICATE": ("a certificate", "Give the private key; Meta asks for no certificate."),
    "X509 CERTIFICATE": ("a certificate", "Give the private key; Meta asks for no certificate."),
    "CERTIFICATE REQUEST": ("a certificate request", "Give the private key; Meta asks for no certificate."),
    "NEW CERTIFICATE REQUEST": ("a certificate request", "Give the private key; Meta asks for no certificate."),
    "OPENSSH PRIVATE KEY": (
        "in OpenSSH's own format, not PEM",
        "Convert a copy of it: ssh-keygen -p -m PEM -f copy-of-key",
    ),
    "EC PRIVATE KEY": ("an elliptic-curve key, not RSA", _OTHER_KEY),
    "EC PARAMETERS": ("the parameters of an elliptic curve, not an RSA key", _OTHER_KEY),
    "DSA PRIVATE KEY": ("a DSA key, not RSA", _OTHER_KEY),
}
_NO_PUBLIC_KEY: Final = _NO_PRIVATE_KEY | {
    "EC PRIVATE KEY": ("a private key", "Keep it where it is, and give the public key."),
    "DSA PRIVATE KEY": ("a private key", "Keep it where it is, and give the public key."),
    "OPENSSH PRIVATE KEY": ("a private key", "Keep it where it is, and give the public key."),
    "CERTIFICATE": ("a certificate", "Take the public key out of it: openssl x509 -pubkey -noout"),
}
_KEEP_IT: Final = "Keep it where it is, and give the public key: openssl pkey -in key.pem -pubout"


class SealingKey:
    """A public key, parsed; `pem` is its SubjectPublicKeyInfo as OpenSSL writes it."""

    __slots__ = ("der", "pem", "rsa")

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        self.rsa = key
        self.der = key.public_bytes(serialization.Encoding.DER, spki)
        self.pem = key.public_bytes(serialization.Encoding.PEM, spki).decode()

    def __repr__(self) -> str:
        return "<SealingKey: RSA 2048>"


class OpeningKey:
    """A private key, parsed; `encrypted` says whether its PEM was. Not shown by a repr, and not pickled."""

    __slots__ = ("encrypted", "public", "rsa")

    def __init__(self, key: rsa.RSAPrivateKey, *, encrypted: bool) -> None:
        self.rsa = key
        self.public = SealingKey(key.public_key())
        self.encrypted = encrypted

    def __repr__(self) -> str:
        return "<OpeningKey: RSA 2048>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not pickled: give the other process its own way to get the PEM")


def read_private_key(pem: Secret, password: Secret | None = None, *, name: str = "the private key") -> OpeningKey:
    """
    Parse and check one private key. The password is used if the PEM is encrypted.

    Raises `ConfigurationError`; `name` is how its message calls the key.
    """
    found = _private_key(pem, password)
    if isinstance(found, Fault):
        raise ConfigurationError(f"{name} {found.found}. {found.advice}")
    return found


def read_public_key(pem: Secret, *, name: str = "the public key") -> SealingKey:
    """Parse one public key. Raises `ConfigurationError`; `name` is how its message calls the key."""
    found = _public_key(pem)
    if isinstance(found, Fault):
        raise ConfigurationError(f"{name} {found.found}. {found.advice}")
    return found


def make_key_pair(password: Secret | None = None) -> tuple[Secret, str]:
    """A new RSA-2048 pair: the private key in PKCS#8 (encrypted with the password), and the public key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    secret = _bytes(password)
    cipher = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)
    return Secret(pem.decode()), SealingKey(key.public_key()).pem


def _private_key(pem: Secret, password: Secret | None) -> OpeningKey | Fault:
    blocks = blocks_of(pem)
    if isinstance(blocks, Fault):
        return blocks
    keys = [block for block in blocks if block.label in _PRIVATE]
    if len(keys) > 1:
        return Fault(f"holds {len(keys)} private keys", "Give each key as an argument of its own, the newest first.")
    if not keys:
        return _other(blocks, _NO_PRIVATE_KEY)
    block = keys[0]
    if not block.cipher and block.label != "ENCRYPTED PRIVATE KEY":
        return _loaded(block, None)
    if password is None:
        return Fault("is encrypted, and no password was given", "Give its password.")
    cipher = _unsupported_cipher(block)
    return (
        Fault(f"is encrypted with {cipher}, which is not supported", _ENCRYPT_AGAIN)
        if cipher
        else _loaded(block, password)
    )


def _unsupported_cipher(block: Block) -> str | None:
    if block.cipher:
        return block.cipher if block.cipher not in _LEGACY_CIPHERS else None
    return next((name for oid, name in _UNSUPPORTED.items() if oid in block.der[:200]), None)


def _loaded(block: Block, password: Secret | None) -> OpeningKey | Fault:
    try:
        if password and block.cipher == _AES_192:
            key = serialization.load_pem_private_key(_opened_aes_192(block, password).pem(), None)
        else:
            key = serialization.load_pem_private_key(block.pem(), _bytes(password))
    except (ValueError, TypeError, UnsupportedAlgorithm, Warning):  # a deprecation, where warnings are errors
        if password:
            return Fault("cannot be decrypted: the password is wrong, or the PEM is damaged", "Check the password.")
        return Fault("is damaged, or of a kind that cannot be read", f"Copy the whole file again. {_OTHER_KEY}")
    if not isinstance(key, rsa.RSAPrivateKey):
        return Fault(f"is {_kind(key)}, not RSA", _OTHER_KEY)
    if key.key_size != KEY_BITS:
        return Fault(f"has {key.key_size} bits, and Meta takes {KEY_BITS}", _OTHER_KEY)
    return OpeningKey(key, encrypted=password is not None)


def _opened_aes_192(block: Block, password: Secret) -> Block:
    """
    An unencrypted PKCS#1 block out of one under AES-192, which the package cryptography does not read.

    The key is derived as OpenSSL's EVP_BytesToKey does with MD5, one round, and the first 8 bytes of the IV as salt.
    """
    key = last = b""
    while len(key) < _AES_192_BYTES:
        last = hashlib.md5(last + (_bytes(password) or b"") + block.iv[:8], usedforsecurity=False).digest()
        key += last
    decryptor, unpadder = Cipher(AES(key[:_AES_192_BYTES]), CBC(block.iv)).decryptor(), PKCS7(128).unpadder()
    padded = decryptor.update(block.der) + decryptor.finalize()
    return Block(block.label, unpadder.update(padded) + unpadder.finalize())


def _bytes(password: Secret | None) -> bytes | None:
    return password.reveal().encode("utf-8", "surrogateescape") if password else None


def _kind(key: object) -> str:
    """The kind of a key, from the name of its class, which differs between versions of the package cryptography."""
    name = type(key).__name__.lstrip("_").removesuffix("Key").removesuffix("Private").removesuffix("Public")
    return _KINDS.get(name, f"a key of the kind {name}")


def _public_key(pem: Secret) -> SealingKey | Fault:
    blocks = blocks_of(pem)
    if isinstance(blocks, Fault):
        return blocks
    if any("PRIVATE KEY" in block.label for block in blocks):
        return Fault("is a private key", _KEEP_IT)
    keys = [block for block in blocks if block.label in _PUBLIC]
    if len(keys) > 1:
        return Fault(f"holds {len(keys)} public keys", "Give one.")
    if not keys:
        return _other(blocks, _NO_PUBLIC_KEY)
    try:
        key = serialization.load_pem_public_key(keys[0].pem())
    except (ValueError, UnsupportedAlgorithm, Warning):
        return Fault("is damaged, or of a kind that cannot be read", "Copy the whole file again.")
    if not isinstance(key, rsa.RSAPublicKey):
        return Fault(f"is {_kind(key)}, not RSA", _OTHER_KEY)
    if key.key_size != KEY_BITS:
        return Fault(f"has {key.key_size} bits, and Meta takes {KEY_BITS}", _OTHER_KEY)
    return SealingKey(key)


def _other(blocks: list[Block], table: dict[str, tuple[str, str]]) -> Fault:
    label = next((block.label for block in blocks if "PRIVATE KEY" in block.label), blocks[0].label)
    found, advice = table.get(label, (f"a PEM block of the kind {label}", _OTHER_KEY))
    return Fault(f"is {found}", advice)
