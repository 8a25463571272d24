"""Uploaded files in payloads."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ._events import UploadedFile


def is_upload(value: Any) -> bool:
    """Whether a value of a payload is that of a PhotoPicker or a DocumentPicker with files in it."""
    return isinstance(value, tuple) and any(isinstance(each, UploadedFile) for each in value)


def uploads_in(payload: Mapping[str, Any]) -> bool:
    """Whether a payload has uploaded files: only its own values can be, not those inside of them (documented)."""
    return any(map(is_upload, payload.values()))


def in_message(value: Any) -> Any:
    """
    A value as it stands in the message of a `complete`: files are a list of `{file_name, mime_type, sha256, id}`.

    `id` (digits), and a `sha256` (base64) that the file does not tell, are made up from name, type and size, so that
    they are the same each time. Anything else is as it was.
    """
    return [_message_file(each) for each in value] if is_upload(value) else value


def _message_file(file: UploadedFile) -> dict[str, str]:
    known = repr((file.name, file.mime_type, file.size, file.sha256))
    digest = sha256(known.encode("utf-8", "backslashreplace")).digest()
    return {
        "file_name": file.name,
        "mime_type": file.mime_type,
        "sha256": file.sha256 or b64encode(digest).decode(),
        "id": str(int.from_bytes(digest[:6], "big")).zfill(15),
    }
