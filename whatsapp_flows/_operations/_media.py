"""
The content of an uploaded file, through a client.

A file of a response message is read in two steps ("Media" page): `GET /{media-id}` gives an address that is good for
about 5 minutes, and that address is requested with the same token. An encrypted file has its address already, and gets
no token.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from .._allowed_hosts import CDN_HOSTS, MEDIA_HOSTS, AllowedHosts
from .._classify import unexpected
from .._dataclasses import dataclass, field
from .._decoding import BodyTooLargeError
from .._endpoint_errors import MediaDownloadError, MediaIntegrityError, MediaRefusedError
from .._error_values import ErrorDetails
from .._fields import text, whole
from .._media_values import EncryptedMedia, ResponseMedia, max_file_bytes, read_media, sha256_digest
from .._wire import Operation, Request, Script, check_count, short_repr
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
    UnknownApiError,
)
from ._arguments import path_id
from ._graph import Api, read_object

OpenMedia = Callable[[EncryptedMedia, bytes], bytes]

_NAME: Final = "download_media"
_EXPIRED: Final = (AuthenticationError, NotFoundError, PermissionDeniedError)  # 401, 403, 404 of the address
_REFUSED: Final = (*_EXPIRED, InvalidRequestError, UnknownApiError)
_REFUSED_ADVICE: Final = "Meta keeps an uploaded file for some days (7 to 20): ask the user for the file again."
_LOST_ADVICE: Final = (
    "A download changes nothing at Meta: try it again later; if it goes on, look for a proxy that answers in its place."
)
_ERROR_BYTES: Final = 64 * 1024  # of a response that is an error, where a file may be smaller


@dataclass(frozen=True, slots=True)
class _Address:
    """What `GET /{media-id}` says: where the file is, its SHA-256 and its size; the last two if Meta says so."""

    url: str = field(repr=False)  # it is signed
    digest: bytes | None
    size: int | None


def download_media(
    api: Api,
    item: EncryptedMedia | ResponseMedia | Mapping[str, Any],
    open_media: OpenMedia,
    *,
    max_bytes: int,
    allowed_hosts: Iterable[str] | None,
) -> Operation[bytes]:
    """
    The content of the file, checked; `open_media` decrypts, if it is encrypted.

    `allowed_hosts` are where it may be fetched from; None is Meta's, and an emulator on this machine if the API is one.
    """
    check_count("max_bytes", max_bytes)
    if isinstance(item, Mapping):
        item = read_media(item)
    if not isinstance(item, (EncryptedMedia, ResponseMedia)):
        raise ConfigurationError(f"item must be an EncryptedMedia or a ResponseMedia, not {short_repr(item)}.")
    usual = CDN_HOSTS if isinstance(item, EncryptedMedia) else MEDIA_HOSTS
    hosts = AllowedHosts([*usual, *api.local_origins] if allowed_hosts is None else allowed_hosts)
    if isinstance(item, EncryptedMedia):
        return _encrypted(item, open_media, max_bytes, hosts)
    return _of_response(api, item, max_bytes, hosts)


def _encrypted(item: EncryptedMedia, open_media: OpenMedia, max_bytes: int, hosts: AllowedHosts) -> Operation[bytes]:
    hosts.check(item.cdn_url)

    def script(_: int) -> Script[bytes]:
        downloaded = yield from _file(item.cdn_url, max_bytes, max_file_bytes(max_bytes), authenticated=False)
        content = open_media(item, downloaded)
        if len(content) > max_bytes:
            raise _too_large(max_bytes)
        return content

    return Operation(name=_NAME, script=script, subject=f"media ID: {item.media_id}", lost_advice=_LOST_ADVICE)


def _of_response(api: Api, item: ResponseMedia, max_bytes: int, hosts: AllowedHosts) -> Operation[bytes]:
    asked = api.get(_NAME, path_id("item.id", item.id))

    def script(_: int) -> Script[bytes]:
        status = None
        for _ in range(2):  # an address that has expired is asked for again, once
            answer = yield asked
            address = _address(read_object(answer, asked), asked)
            _check_announced(item, address, max_bytes)
            hosts.check(address.url)
            try:
                content = yield from _file(address.url, max_bytes, max_bytes, authenticated=True)
            except _EXPIRED as refusal:
                status = refusal.http_status
                continue
            _check_content(content, item, address)
            return content
        raise MediaDownloadError(
            ErrorDetails(
                message=f"Meta has refused the address of the file twice (HTTP {status}).",
                http_status=status,
                advice="The id of a file in a webhook is good for 7 days: ask the user for the file again.",
            )
        )

    return Operation(name=_NAME, script=script, subject=f"media ID: {item.id}", lost_advice=_LOST_ADVICE)


def _file(url: str, max_bytes: int, most: int, *, authenticated: bool) -> Script[bytes]:
    """The file at an address, of at most `most` bytes: no more is read, but for what an error may say."""
    limit = max(most, _ERROR_BYTES)
    request = Request(
        method="GET", url=url, operation=_NAME, authenticated=authenticated, is_file=True, max_response_bytes=limit
    )
    try:
        answer = yield request
    except UnexpectedResponseError as failure:
        if not failure.message.endswith(str(BodyTooLargeError(limit))):  # as both transports say it
            raise
    except _REFUSED as refusal:
        refusal.amended(advice=_REFUSED_ADVICE)
        raise
    else:
        if len(answer.body) <= most:
            return answer.body
    raise _too_large(max_bytes)


def _address(found: Mapping[str, Any], asked: Request) -> _Address:
    url, written = text(found, "url"), text(found, "sha256")
    if not url:
        raise unexpected("Meta's answer has no address of the file.", asked)
    try:
        return _Address(url, sha256_digest(written) if written else None, whole(found, "file_size"))
    except MediaRefusedError:
        pass
    raise unexpected("Meta's answer has an invalid sha256.", asked)


def _check_announced(item: ResponseMedia, address: _Address, max_bytes: int) -> None:
    """Refuse a file by what is said about it, before it is downloaded."""
    if item.digest is not None and address.digest is not None and item.digest != address.digest:
        raise MediaIntegrityError("Meta has another file under this id: its SHA-256 differs.", "sha256")
    if item.digest is None and address.digest is None:
        raise MediaIntegrityError("Neither the message nor Meta's answer has a SHA-256 of the file.", "sha256")
    if address.size is not None and address.size > max_bytes:
        raise _too_large(max_bytes)


def _check_content(content: bytes, item: ResponseMedia, address: _Address) -> None:
    if address.size is not None and address.size != len(content):
        raise MediaIntegrityError("The downloaded file is incomplete: its size differs.", "length")
    if not hmac.compare_digest(hashlib.sha256(content).digest(), item.digest or address.digest or b""):
        raise MediaIntegrityError(
            "The downloaded file is not the one that was uploaded: its SHA-256 differs.", "sha256"
        )


def _too_large(max_bytes: int) -> MediaRefusedError:
    return MediaRefusedError(f"The file has more than {max_bytes} bytes.")
