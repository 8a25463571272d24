"""
Files that users upload in a Flow: downloaded, checked, decrypted and saved.

`MediaDownloader` fetches what an endpoint gets (`EncryptedMedia`) from Meta's CDN; decrypting needs the extra
`endpoint`. A file of a response message (`ResponseMedia`) is downloaded by a client, with its access token:
`client.download_media`, which takes both.

    for photo in request.media("photos"):            # in the handler: store it, answer, and fetch it later
        queue.put(photo.to_json())

    photo = EncryptedMedia.from_json(stored)         # in the worker
    MediaDownloader().save(photo, folder / photo.safe_name)
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from ._allowed_hosts import CDN_HOSTS, MEDIA_HOSTS, AllowedHosts
from ._endpoint_errors import MediaDownloadError, MediaError, MediaIntegrityError, MediaRefusedError
from ._error_values import ErrorDetails
from ._files import write_file
from ._media_content import check_encrypted, decrypt, open_media
from ._media_values import (
    MAX_MEDIA_BYTES,
    EncryptedMedia,
    MediaKeys,
    ResponseMedia,
    encrypted_media,
    max_file_bytes,
    response_media,
)
from ._requests import RequestsTransport
from ._safe_names import distinct_names, safe_name
from ._wire import Request, check_count
from .errors import TransportError, UnexpectedResponseError
from .transport import Timeout

if TYPE_CHECKING:
    from ._requests import Session
    from .transport import StreamedResponse

__all__ = [
    "CDN_HOSTS",
    "MAX_MEDIA_BYTES",
    "MEDIA_HOSTS",
    "EncryptedMedia",
    "MediaDownloadError",
    "MediaDownloader",
    "MediaError",
    "MediaIntegrityError",
    "MediaKeys",
    "MediaRefusedError",
    "ResponseMedia",
    "encrypted_media",
    "open_media",
    "response_media",
    "safe_name",
]

_SLACK: Final = 64 * 1024  # bytes that the transport reads at once: our own limit comes first
_TOO_LARGE: Final = "The file has more than {} bytes."


class MediaDownloader:
    """
    Downloads encrypted files from Meta's CDN, and gives out what has passed every check.

    Only https, and only `allowed_hosts`: `.whatsapp.net` is every host below that name, `cdn.example` is that host. No
    redirect is followed, and no credential is sent. The content of a file has at most `max_bytes` bytes; a longer one
    is not read to its end. `timeout` limits a whole download, from connecting to the last byte, in seconds; a `Timeout`
    has its own `total`.

    `session` is a `requests.Session` of yours: its proxies, adapters, `verify` and `cert` apply, and it stays open.
    Without one, proxies and CA bundles of the environment apply, as they do for the clients.

    Threads may share it. A download that failed is not repeated: a task queue does that better. With asyncio use
    `AsyncFlowsClient.download_media`, or a thread: `await asyncio.to_thread(downloader.save, photo, path)`.

    Raises `ConfigurationError` for an option that makes no sense.

    >>> MediaDownloader(max_bytes=2**20)
    MediaDownloader(allowed_hosts=('.whatsapp.net',), max_bytes=1048576, timeout=10)
    """

    def __init__(
        self,
        allowed_hosts: Iterable[str] = CDN_HOSTS,
        max_bytes: int = MAX_MEDIA_BYTES,
        timeout: float | Timeout = 10.0,
        *,
        session: Session | None = None,
    ) -> None:
        check_count("max_bytes", max_bytes)
        self._hosts = AllowedHosts(allowed_hosts)
        self._max_bytes = max_bytes
        self._timeout = timeout if isinstance(timeout, Timeout) else Timeout(timeout, timeout, timeout)
        self._transport = RequestsTransport(session, max_response_bytes=max_file_bytes(max_bytes) + _SLACK)

    def check(self, item: EncryptedMedia) -> None:
        """Raise `MediaRefusedError` if `read` or `save` would refuse the file for its address. Sends nothing."""
        check_encrypted(item)
        self._hosts.check(item.cdn_url)

    def read(self, item: EncryptedMedia) -> bytes:
        """
        The content of a file, in memory.

        Raises `MediaRefusedError` for its address or its size, `MediaDownloadError` when it cannot be downloaded in
        time, and `MediaIntegrityError` when a check fails (`open_media` lists them).
        """
        self.check(item)
        downloaded, content = io.BytesIO(), io.BytesIO()
        self._open(item, downloaded, content)
        return content.getvalue()

    def save(self, item: EncryptedMedia, path: str | os.PathLike[str]) -> int:
        """
        Download a file to `path`, which appears when every check has passed; returns its size in bytes.

        A file that is there is replaced at once, as a whole.

        What is downloaded goes through an unnamed file in the same folder, so the memory in use does not depend on the
        size. Use `item.safe_name` for a name, never `item.file_name`. Raises what `read` raises, and
        `ConfigurationError` when the file cannot be written; then nothing has changed.
        """
        self.check(item)
        target, sizes = Path(path), []

        def write(file: BinaryIO) -> None:
            with tempfile.TemporaryFile(dir=target.parent) as downloaded:
                sizes.append(self._open(item, downloaded, file))

        write_file(target, write)
        return sizes[0]

    def save_all(self, items: Iterable[EncryptedMedia], folder: str | os.PathLike[str]) -> tuple[Path, ...]:
        """
        Download the files of a picker into a folder, one after the other; returns their paths, in the same order.

        Each has its `safe_name`, with a number where another has it too; a file of that name in the folder is replaced,
        so give each submission a folder of its own. All addresses are checked before anything is sent. The first file
        that fails raises what `save` raises; those before it stay.
        """
        files = tuple(items)
        for item in files:
            self.check(item)
        paths = tuple(Path(folder, name) for name in distinct_names(item.safe_name for item in files))
        for item, path in zip(files, paths, strict=True):
            self.save(item, path)
        return paths

    def close(self) -> None:
        """Close the connections, unless they are those of your session."""
        self._transport.close()

    def __enter__(self) -> MediaDownloader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"MediaDownloader(allowed_hosts={self._hosts!r}, max_bytes={self._max_bytes}, "
            f"timeout={self._timeout.total:g})"
        )

    def _open(self, item: EncryptedMedia, downloaded: BinaryIO, content: BinaryIO) -> int:
        """Download to the one file, and decrypt to the other; returns the size of the content."""
        size = decrypt(item, downloaded, self._fetch(item, downloaded), content)
        if size > self._max_bytes:
            raise MediaRefusedError(_TOO_LARGE.format(self._max_bytes))
        return size

    def _fetch(self, item: EncryptedMedia, sink: BinaryIO) -> int:
        """Download the file as the CDN has it; returns its size."""
        try:
            with self._transport.stream(_request(item), timeout=self._timeout) as answer:
                return self._receive(answer, sink)
        except (TransportError, UnexpectedResponseError) as failure:
            message = failure.message
        raise MediaDownloadError(f"The file could not be downloaded from {message}.")

    def _receive(self, answer: StreamedResponse, sink: BinaryIO) -> int:
        if 300 <= answer.status < 400:
            raise MediaRefusedError(f"The CDN redirects (HTTP {answer.status}): that is not followed.")
        if answer.status != 200:
            raise MediaDownloadError(
                ErrorDetails(
                    message=f"The CDN answered with HTTP {answer.status}.",
                    http_status=answer.status,
                    advice=MediaDownloadError.default_advice,
                )
            )
        if answer.header("content-encoding").strip().lower() not in {"", "identity"}:
            raise MediaDownloadError("The CDN has compressed the file, which was not asked for.")
        most = max_file_bytes(self._max_bytes)
        announced = answer.header("content-length")
        if announced.isdecimal() and (len(announced) > 15 or int(announced) > most):
            raise MediaRefusedError(_TOO_LARGE.format(self._max_bytes))
        size = 0
        for chunk in answer.chunks():
            size += len(chunk)
            if size > most:
                raise MediaRefusedError(_TOO_LARGE.format(self._max_bytes))
            sink.write(chunk)
        return size


def _request(item: EncryptedMedia) -> Request:
    """Kept in no local variable: the address is signed, and a traceback may show it."""
    return Request(method="GET", url=item.cdn_url, operation="download_media", authenticated=False, is_file=True)
