"""What an `Emulator` offers about files: those that people upload in a Flow."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

from ._admin import existing
from ._backend import Backend
from .graph import MediaRecord, Settings, World, encrypted_url

_BINARY: Final = "application/octet-stream"
_KEYS: Final = {"encryption_key": 32, "hmac_key": 32, "iv": 16}  # bytes


class Uploads:
    """The part of `Emulator` that is about uploaded files."""

    _backend: Backend
    _waba_id: str
    _clock: Callable[[], float]

    def _change(self, change: Callable[[World], World]) -> None:
        raise NotImplementedError

    @property
    def cdn_url(self) -> str:
        """The address that files are downloaded from; its host differs from the API's. Empty before `start`."""
        return self._backend.settings.cdn_url

    def add_media(
        self, content: bytes, *, file_name: str = "photo.jpg", mime_type: str = "image/jpeg", waba_id: str | None = None
    ) -> dict[str, Any]:
        """
        A file that a person has uploaded, as a response message names it: `id`, `file_name`, `mime_type`, `sha256`.

        `download_media` finds it for 7 days of the emulator's clock. The last 1,000 files are kept.
        """
        media = self._upload(waba_id, mime_type, lambda _: content)
        digest = b64encode(hashlib.sha256(content).digest()).decode()
        return {"file_name": file_name, "mime_type": mime_type, "sha256": digest, "id": media.id}

    def add_encrypted_media(
        self, content: bytes, *, file_name: str = "photo.jpg", waba_id: str | None = None
    ) -> dict[str, Any]:
        """
        A file that a person has uploaded, as an endpoint gets it: `media_id`, `cdn_url`, `file_name` and
        `encryption_metadata`. Needs the extra `endpoint`.

        The emulator serves it for 20 days of its clock: to `download_media`, and to `MediaDownloader([meta.cdn_url])`.
        """
        from .._flow_crypto import seal_media_file  # noqa: PLC0415 - the emulator works without the extra

        settings = self._backend.settings
        media = self._upload(
            waba_id, _BINARY, lambda media_id: seal_media_file(content, **_keys(settings, media_id)), is_encrypted=True
        )
        metadata = {
            **_keys(settings, media.id),
            "encrypted_hash": hashlib.sha256(media.content).digest(),
            "plaintext_hash": hashlib.sha256(content).digest(),
        }
        return {
            "media_id": media.id,
            "cdn_url": encrypted_url(settings, media),
            "file_name": file_name,
            "encryption_metadata": {name: b64encode(value).decode() for name, value in metadata.items()},
        }

    def _upload(
        self, waba_id: str | None, mime_type: str, content: Callable[[str], bytes], *, is_encrypted: bool = False
    ) -> MediaRecord:
        """Add a file; `content` gives what is stored under an id."""
        with self._backend.lock:
            world, media_id = self._backend.world.new_media_id()
            media = MediaRecord(
                id=media_id,
                waba_id=existing(world.accounts, waba_id or self._waba_id).id,
                added_at=self._clock(),
                mime_type=mime_type,
                is_encrypted=is_encrypted,
                content=content(media_id),
            )
            self._change(lambda _: world.with_media(media))
        return media


def _keys(settings: Settings, media_id: str) -> dict[str, bytes]:
    """The keys of an encrypted file: other ones for each file, and the same in every run."""
    return {
        name: hashlib.sha256(settings.token_for(name, media_id).encode()).digest()[:size]
        for name, size in _KEYS.items()
    }
