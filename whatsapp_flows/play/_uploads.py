"""
The files that a test attaches, and what an endpoint gets for them: the metadata of an encrypted file.

Made up are the ids, the address at the CDN, the keys (derived from the file, so that two runs are equal), and a name or
a content that the test does not give. Real are the encryption, the hashes and the sizes: `open_media` and
`MediaDownloader` take them.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .._media_values import MAX_MEDIA_BYTES
from .._reading import is_too_large, read_regular
from .._wire import short_repr
from ..errors import ConfigurationError
from ._events import UploadedFile

Attachment = bytes | str | os.PathLike[str] | UploadedFile
"""A file's content, its path, or the value that a picker holds."""

UploadFunction = Callable[..., Mapping[str, Any]]
"""`upload(content, file_name=...)` gives what an endpoint gets for a file, as `Emulator.add_encrypted_media` does."""

CDN: Final = "https://mmg.whatsapp.net/made-up/"
"""In the zone of Meta's CDN, which a `MediaDownloader` allows; nothing is there, and nothing is sent there."""

# Picker -> the name and the type of a file of which a test gives the bytes alone.
_UNNAMED: Final = {
    "PhotoPicker": ("photo-{}.jpg", "image/jpeg"),
    "DocumentPicker": ("document-{}.pdf", "application/pdf"),
}
_BINARY: Final = "application/octet-stream"
_KEYS: Final = {"encryption_key": 32, "hmac_key": 32, "iv": 16}  # bytes


class Uploads:
    """The files of one player. `served` is what the CDN would serve, by address."""

    def __init__(self, upload: UploadFunction | None = None) -> None:
        self.served: dict[str, bytes] = {}
        self._upload = upload or self._sealed
        self._contents: dict[str, bytes] = {}  # by SHA-256
        self._sent: dict[UploadedFile, Mapping[str, Any]] = {}

    def read(self, files: Iterable[object], kind: str) -> tuple[UploadedFile, ...]:
        """
        The files as a picker of that kind holds them; lists of files are joined.

        A file over 25 MiB, which no picker takes, is not read. Raises `ConfigurationError` for what is no file.
        """
        return tuple(self._read(file, number, kind) for number, file in enumerate(_flat(files), 1))

    def for_endpoint(self, value: Any) -> Any:
        """A request's data with the files as an endpoint gets them. Needs the extra `endpoint` where there are any."""
        return as_json(value, self._encrypted)

    def _read(self, file: object, number: int, kind: str) -> UploadedFile:
        if isinstance(file, UploadedFile):
            return file
        if isinstance(file, bytes):
            name, mime_type = _UNNAMED[kind]
            return self._known(name.format(number), mime_type, file)
        if not isinstance(file, (str, os.PathLike)):
            raise ConfigurationError(f"a file must be bytes, a path or an UploadedFile, not {short_repr(file)}.")
        path = Path(file)
        mime_type = mimetypes.guess_type(path.name)[0] or _BINARY
        try:
            return self._known(path.name, mime_type, read_regular(path, MAX_MEDIA_BYTES))
        except OSError as failure:
            if is_too_large(failure):
                return UploadedFile(name=path.name, mime_type=mime_type, size=path.stat().st_size)
            reason = failure.strerror
        raise ConfigurationError(f"the file {str(file)!r} cannot be read: {reason}.")

    def _known(self, name: str, mime_type: str, content: bytes) -> UploadedFile:
        digest = b64encode(hashlib.sha256(content).digest()).decode()
        self._contents[digest] = content
        return UploadedFile(name=name, mime_type=mime_type, size=len(content), sha256=digest)

    def _encrypted(self, file: UploadedFile) -> Mapping[str, Any]:
        if file not in self._sent:
            content = self._contents.get(file.sha256)
            if content is None:
                content = bytes(min(max(file.size, 0), MAX_MEDIA_BYTES))
            self._sent[file] = self._upload(content, file_name=file.name)
        return self._sent[file]

    def _sealed(self, content: bytes, *, file_name: str) -> Mapping[str, Any]:
        from .._flow_crypto import seal_media_file  # noqa: PLC0415 - the extra is needed here, not before

        digest = hashlib.sha256(content).digest()
        keys = {name: _derived(name, digest, file_name)[:size] for name, size in _KEYS.items()}
        sealed = seal_media_file(content, **keys)
        media_id = _derived("media_id", digest, file_name).hex()[:16]
        url = f"{CDN}{media_id}.enc"
        self.served[url] = sealed
        metadata = {**keys, "encrypted_hash": hashlib.sha256(sealed).digest(), "plaintext_hash": digest}
        return {
            "media_id": media_id,
            "cdn_url": url,
            "file_name": file_name,
            "encryption_metadata": {name: b64encode(value).decode() for name, value in metadata.items()},
        }


def as_json(value: Any, convert: Callable[[UploadedFile], Mapping[str, Any]]) -> Any:
    """A copy of a payload in which each file is converted, and all arrays are lists."""
    if isinstance(value, UploadedFile):
        return dict(convert(value))
    if isinstance(value, Mapping):
        return {key: as_json(each, convert) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(each, convert) for each in value]
    return value


def _derived(purpose: str, digest: bytes, name: str) -> bytes:
    return hashlib.sha256(b"\0".join((purpose.encode(), digest, name.encode("utf-8", "surrogatepass")))).digest()


def _flat(files: Iterable[object]) -> Iterator[object]:
    for file in files:
        if isinstance(file, (list, tuple)):
            yield from file
        else:
            yield file
