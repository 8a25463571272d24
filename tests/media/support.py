"""Uploaded files as Meta keeps them, made with cryptography alone: nothing here is of the package."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from whatsapp_flows.media import EncryptedMedia, encrypted_media

# The vector of the reference: keys of rising bytes.
ENCRYPTION_KEY, HMAC_KEY, IV = bytes(range(0x20, 0x40)), bytes(range(0x40, 0x60)), bytes(range(0x60, 0x70))
CONTENT = b"hello flows media\n"


def padded(content: bytes) -> bytes:
    """PKCS#7 in blocks of 16 bytes."""
    size = 16 - len(content) % 16
    return content + bytes([size]) * size


def encrypted(blocks: bytes) -> bytes:
    """AES-256-CBC of whole blocks."""
    encryptor = Cipher(AES(ENCRYPTION_KEY), CBC(IV)).encryptor()
    return encryptor.update(blocks) + encryptor.finalize()


def mac(ciphertext: bytes, key: bytes = HMAC_KEY) -> bytes:
    """The MAC as it stands at the end of a file."""
    return hmac.new(key, IV + ciphertext, hashlib.sha256).digest()[:10]


@dataclass(frozen=True)
class Upload:
    """A file at the CDN, and what the endpoint gets for it; `file` is right for the content unless given."""

    content: bytes = CONTENT
    url: str = "https://mmg.whatsapp.net/v/t62.7118-24/30_n.enc?ccb=11-4&oh=01_signature&oe=65F"
    name: str = "Passport of Zoë.jpg"
    media_id: str = "790aba14"
    file: bytes = b""
    more: dict[str, str] = field(default_factory=dict)

    @property
    def served(self) -> bytes:
        """What the CDN serves."""
        ciphertext = encrypted(padded(self.content))
        return self.file or ciphertext + mac(ciphertext)

    @property
    def wire(self) -> dict[str, Any]:
        """The file in the list of a picker."""
        values = {
            "encryption_key": ENCRYPTION_KEY,
            "hmac_key": HMAC_KEY,
            "iv": IV,
            "encrypted_hash": hashlib.sha256(self.served).digest(),
            "plaintext_hash": hashlib.sha256(self.content).digest(),
        }
        return {
            "media_id": self.media_id,
            "cdn_url": self.url,
            "file_name": self.name,
            "encryption_metadata": {**{key: b64encode(value).decode() for key, value in values.items()}, **self.more},
        }

    @property
    def item(self) -> EncryptedMedia:
        """The file as the package reads it."""
        return encrypted_media([self.wire])[0]
