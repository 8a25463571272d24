"""
Files that a user has uploaded in a Flow, as values: what Meta says about them, before anything is downloaded.

There are two variants, told apart by their shape ("Media upload components"). The endpoint gets `EncryptedMedia`: an
address at Meta's CDN, and the keys of that one file. The response message holds `ResponseMedia`: an id, to be
downloaded with the access token. Neither needs the extra `endpoint`; decrypting does.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from json import loads
from typing import Any, Final, NoReturn, TypeVar

from ._dataclasses import dataclass, field, replace
from ._endpoint_errors import MediaRefusedError
from ._fields import text
from ._json import compact_json
from ._safe_names import distinct_names, safe_name

__all__ = [
    "MAX_FILES",
    "MAX_MEDIA_BYTES",
    "EncryptedMedia",
    "MediaKeys",
    "ResponseMedia",
    "encrypted_media",
    "response_media",
]

MAX_FILES: Final = 30
"""The most files that a picker takes ("Media upload components"); a response message has 10 at most."""

MAX_MEDIA_BYTES: Final = 25 * 2**20
"""The largest file that a picker takes ("Media upload components"): 25 MiB."""

BLOCK_BYTES: Final = 16
MAC_BYTES: Final = 10
"""The MAC at the end of a file at the CDN, cut to so many bytes."""

_MAX_URL: Final = 8192  # characters; observed addresses have some 300
_MAX_ID: Final = 256
_MAX_FILE_NAME: Final = 4096  # characters that are kept, from the end: a device has far shorter ones
_MAX_JSON: Final = 256 * 1024  # characters of one stored file; Meta's have about 1,000
# The sizes in bytes, documented and verified with a capture.
_SIZES: Final = {"encryption_key": 32, "hmac_key": 32, "iv": 16, "encrypted_hash": 32, "plaintext_hash": 32}


class MediaKeys:
    """
    The keys of one encrypted file, as bytes: `encryption_key` (32), `hmac_key` (32) and `iv` (16).

    No repr shows them, and they are not pickled: `EncryptedMedia.to_json` writes them where you want them.
    """

    __slots__ = ("encryption_key", "hmac_key", "iv")

    def __init__(self, encryption_key: bytes, hmac_key: bytes, iv: bytes) -> None:
        self.encryption_key = _sized("encryption_key", encryption_key)
        self.hmac_key = _sized("hmac_key", hmac_key)
        self.iv = _sized("iv", iv)

    def __eq__(self, other: object) -> bool:
        """Whether both are the same keys, compared in constant time."""
        return isinstance(other, MediaKeys) and hmac.compare_digest(self._joined(), other._joined())

    def __hash__(self) -> int:
        return hash(self._joined())

    def __repr__(self) -> str:
        return "MediaKeys(***)"

    def __copy__(self) -> MediaKeys:
        return self

    def __deepcopy__(self, memo: object) -> MediaKeys:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("the keys of a file are not pickled: store EncryptedMedia.to_json(), which holds them")

    def _joined(self) -> bytes:
        return self.encryption_key + self.hmac_key + self.iv


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedMedia:
    """
    A file that a user has uploaded, as the endpoint gets it: encrypted, at Meta's CDN, for up to 20 days.

    `media_id` names it, also in an answer with errors for single files. `file_name` is what the user's device calls
    it: never use it in a path. `safe_name` is made of it, and distinct from those of the other files of the picker.
    `encrypted_hash` and `plaintext_hash` are SHA-256 (32 bytes) of the file as downloaded and as decrypted.

    The repr shows `media_id` alone. It is not pickled, because it holds the keys: a task queue gets `to_json()`.
    """

    media_id: str
    cdn_url: str = field(repr=False)
    file_name: str = field(repr=False, default="")
    safe_name: str = field(repr=False, default="")
    encrypted_hash: bytes = field(repr=False)
    plaintext_hash: bytes = field(repr=False)
    keys: MediaKeys = field(repr=False)

    def __post_init__(self) -> None:
        _sized("encrypted_hash", self.encrypted_hash)
        _sized("plaintext_hash", self.plaintext_hash)
        object.__setattr__(self, "safe_name", safe_name(self.safe_name or self.file_name))

    def to_json(self) -> str:
        """
        The file as JSON text, for a queue or a database. It holds the keys of the file: keep it as safe as the file.

        The form is Meta's own, and `safe_name`.
        """
        keys = self.keys
        named = {
            "encryption_key": keys.encryption_key,
            "hmac_key": keys.hmac_key,
            "iv": keys.iv,
            "encrypted_hash": self.encrypted_hash,
            "plaintext_hash": self.plaintext_hash,
        }
        return compact_json(
            {
                "media_id": self.media_id,
                "cdn_url": self.cdn_url,
                "file_name": self.file_name,
                "safe_name": self.safe_name,
                "encryption_metadata": {name: b64encode(value).decode() for name, value in named.items()},
            }
        )

    @classmethod
    def from_json(cls, stored: str | bytes) -> EncryptedMedia:
        """The file that `to_json` has written. Raises `MediaRefusedError` for anything else."""
        return _encrypted(_stored(stored), "the stored file")

    def __reduce__(self) -> NoReturn:
        raise TypeError("EncryptedMedia holds keys and is not pickled: store to_json(), and read it with from_json()")

    def __copy__(self) -> EncryptedMedia:
        return self

    def __deepcopy__(self, memo: object) -> EncryptedMedia:
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMedia:
    """
    A file that a user has uploaded, as the response message names it: not encrypted, downloaded with the access token.

    `id` is good for 7 days. `file_name` is what the user's device calls it: never use it in a path. `safe_name` is made
    of it, and distinct from those of the other files of the picker. `mime_type` is what the device says.
    `sha256` is as Meta has sent it, base64 or hexadecimal; `digest` is its 32 bytes, or None when there is none.

    The repr shows `id` and `mime_type` alone.
    """

    id: str
    file_name: str = field(repr=False, default="")
    safe_name: str = field(repr=False, default="")
    mime_type: str = ""
    sha256: str = field(repr=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "safe_name", safe_name(self.safe_name or self.file_name))
        _ = self.digest

    @property
    def digest(self) -> bytes | None:
        """The SHA-256 of the content: 32 bytes, or None when Meta has sent none."""
        return sha256_digest(self.sha256) if self.sha256 else None

    def to_json(self) -> str:
        """The file as JSON text, for a queue or a database, in Meta's own form, with `safe_name`."""
        names = ("id", "file_name", "safe_name", "mime_type", "sha256")
        return compact_json({name: getattr(self, name) for name in names})

    @classmethod
    def from_json(cls, stored: str | bytes) -> ResponseMedia:
        """The file that `to_json` has written. Raises `MediaRefusedError` for anything else."""
        return _response(_stored(stored), "the stored file")


def encrypted_media(value: object) -> tuple[EncryptedMedia, ...]:
    """
    The files of a picker, from what the endpoint got for it; empty for None, as an optional picker may be missing.

    At most 30. Raises `MediaRefusedError` for anything but a list of files in the documented form. The message names
    the place and what is wrong there, and holds nothing that the user has entered.
    """
    return _distinct(value, _encrypted)


def response_media(value: object) -> tuple[ResponseMedia, ...]:
    """The files of a picker, from the parsed `response_json` of a response message; otherwise as `encrypted_media`."""
    return _distinct(value, _response)


def read_media(found: Mapping[str, Any]) -> EncryptedMedia | ResponseMedia:
    """One file, of either variant: the shape tells which. Raises `MediaRefusedError` for anything else."""
    return _encrypted(found, "the file") if "encryption_metadata" in found else _response(found, "the file")


def max_file_bytes(max_bytes: int) -> int:
    """The size of a file at the CDN whose content has `max_bytes` bytes: with the padding and the MAC."""
    return max_bytes // BLOCK_BYTES * BLOCK_BYTES + BLOCK_BYTES + MAC_BYTES


def sha256_digest(written: str) -> bytes:
    """The 32 bytes of a SHA-256: Meta writes it in base64 in messages, in hexadecimal for `GET /{media-id}`."""
    try:
        digest = bytes.fromhex(written) if len(written) == 64 else _base64(written, 32)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise MediaRefusedError("sha256 must be 32 bytes, in base64 or hexadecimal.")
    return digest


Media = TypeVar("Media", EncryptedMedia, ResponseMedia)


def _distinct(value: object, read: Callable[[Mapping[str, Any], str], Media]) -> tuple[Media, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise MediaRefusedError(f"the files of a picker must be a list, not {_kind(value)}.")
    if len(value) > MAX_FILES:
        raise MediaRefusedError(f"a picker has at most {MAX_FILES} files, not {len(value)}.")
    files = []
    for index, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise MediaRefusedError(f"file {index} of the picker must be an object, not {_kind(item)}.")
        files.append(read(item, f"file {index} of the picker"))
    names = distinct_names(file.safe_name for file in files)
    return tuple(replace(file, safe_name=name) for file, name in zip(files, names, strict=True))


def _encrypted(found: Mapping[str, Any], place: str) -> EncryptedMedia:
    metadata = found.get("encryption_metadata")
    if not isinstance(metadata, Mapping):
        if "id" in found and "mime_type" in found:
            raise MediaRefusedError(f"{place} is of a response message: read it with response_media().")
        raise MediaRefusedError(f"{place}: encryption_metadata must be an object.")
    decoded = {name: _decoded(metadata.get(name), name, size, place) for name, size in _SIZES.items()}
    return EncryptedMedia(
        media_id=_short(found, "media_id", _MAX_ID, place),
        cdn_url=_short(found, "cdn_url", _MAX_URL, place),
        file_name=_name(found, "file_name"),
        safe_name=_name(found, "safe_name"),
        encrypted_hash=decoded["encrypted_hash"],
        plaintext_hash=decoded["plaintext_hash"],
        keys=MediaKeys(decoded["encryption_key"], decoded["hmac_key"], decoded["iv"]),
    )


def _response(found: Mapping[str, Any], place: str) -> ResponseMedia:
    if "encryption_metadata" in found:
        raise MediaRefusedError(f"{place} is encrypted: read it with encrypted_media().")
    media_id = _short(found, "id", _MAX_ID, place)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", media_id):  # it becomes a part of a URL
        raise MediaRefusedError(f"{place}: id must be a string of letters, digits, _ and -.")
    return ResponseMedia(
        id=media_id,
        file_name=_name(found, "file_name"),
        safe_name=_name(found, "safe_name"),
        mime_type=_short(found, "mime_type", _MAX_ID, place, least=0),  # "": the device does not know it
        sha256=_name(found, "sha256"),
    )


def _stored(stored: str | bytes) -> Mapping[str, Any]:
    try:
        found = loads(stored) if isinstance(stored, (str, bytes)) and len(stored) <= _MAX_JSON else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise MediaRefusedError("the stored file must be the JSON text of to_json().")
    return found


def _short(found: Mapping[str, Any], key: str, most: int, place: str, *, least: int = 1) -> str:
    value = text(found, key)
    if value is None or not least <= len(value) <= most:
        raise MediaRefusedError(f"{place}: {key} must be a string of {least} to {most} characters.")
    return value


def _name(found: Mapping[str, Any], key: str) -> str:
    """A text that may be missing."""
    return (text(found, key) or "")[-_MAX_FILE_NAME:]


def _decoded(value: object, name: str, size: int, place: str) -> bytes:
    try:
        decoded = _base64(value, size) if isinstance(value, str) else b""
    except ValueError:  # of characters beyond ASCII too
        decoded = b""
    if len(decoded) != size:
        raise MediaRefusedError(f"{place}: encryption_metadata.{name} must be {size} bytes in base64.")
    return decoded


def _base64(text: str, size: int) -> bytes:
    """Bytes in base64 of the length that an encoder writes: a decoder takes surplus padding. Empty for another."""
    return b64decode(text, validate=True) if len(text) == (size + 2) // 3 * 4 else b""


def _sized(name: str, value: object) -> bytes:
    if not isinstance(value, bytes) or len(value) != _SIZES[name]:
        raise MediaRefusedError(f"{name} must be {_SIZES[name]} bytes.")
    return value


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
