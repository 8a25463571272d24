"""From what a caller hands us to the bytes that are sent: read once, checked to be JSON, kept for all attempts."""

from __future__ import annotations

import json as jsonlib
import os
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, NoReturn

from ..errors import ConfigurationError

FlowJson = Mapping[str, Any] | str | bytes | os.PathLike[str] | BinaryIO
"""A mapping, JSON text, JSON bytes in UTF-8, a path (`pathlib.Path`), or a file opened in binary mode."""

MAX_BYTES: Final = 10 * 1024 * 1024
"""Meta takes at most 10 MB ("Flows API", Updating a Flow's JSON)."""


def read_flow_json(source: FlowJson) -> bytes:
    """
    The document as bytes: text, bytes and files as they are, a mapping in compact form.

    Raises `ConfigurationError` for what is not a JSON object in UTF-8 of at most 10 MB, or cannot be read.
    """
    if isinstance(source, Mapping):
        return _within_limit(_serialised(source))
    if isinstance(source, str):
        content = _encoded(source)
    elif isinstance(source, (bytes, bytearray)):
        content = bytes(source)
    elif isinstance(source, os.PathLike):
        content = _read_path(source)
    elif hasattr(source, "read"):
        content = _read_file(source)
    else:
        raise ConfigurationError(
            f"json must be a mapping, str, bytes, a path or a binary file, not {type(source).__name__}."
        )
    _check_object(_within_limit(content), given_text=isinstance(source, str))
    return content


def _serialised(document: Mapping[str, Any]) -> bytes:
    try:
        text = jsonlib.dumps(
            document if isinstance(document, dict) else dict(document),
            ensure_ascii=False, allow_nan=False, separators=(",", ":"),
        )  # fmt: skip
    except (TypeError, ValueError, RecursionError) as exc:
        raise ConfigurationError(f"json cannot be written as JSON: {exc}.") from None
    return _encoded(text)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise ConfigurationError(f"json holds a lone surrogate at character {exc.start}: it has no UTF-8.") from None


def _read_path(path: os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            return _read_file(file)
    except OSError as exc:
        raise ConfigurationError(f"json: {os.fspath(path)!r} cannot be read: {exc.strerror}.") from None


def _read_file(file: BinaryIO) -> bytes:
    """All of a file, but no more than shows that it is too large."""
    pieces, size = [], 0
    while size <= MAX_BYTES and (piece := file.read(MAX_BYTES + 1 - size)):
        if not isinstance(piece, bytes):
            raise ConfigurationError("json: open the file in binary mode, open(path, 'rb').")
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _within_limit(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"json has {len(content)} bytes or more; Meta takes at most {MAX_BYTES} (10 MB).")
    return content


def _check_object(content: bytes, *, given_text: bool) -> None:
    if content.startswith(b"\xef\xbb\xbf"):
        raise ConfigurationError("json begins with a byte order mark (BOM): save it as UTF-8 without one.")
    try:
        found = _strict(content.decode())
    except UnicodeDecodeError as exc:
        raise ConfigurationError(f"json is not UTF-8: byte {exc.start} cannot be decoded.") from None
    except jsonlib.JSONDecodeError as exc:
        hint = " For a file, pass pathlib.Path(...)." if given_text and not exc.doc.lstrip().startswith("{") else ""
        raise ConfigurationError(
            f"json is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.{hint}"
        ) from None
    except RecursionError:
        raise ConfigurationError("json is nested too deeply to be a Flow JSON.") from None
    except ValueError as exc:
        raise ConfigurationError(f"json is not JSON: {exc}.") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"json must be a JSON object, not {type(found).__name__}.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_strict: Final = jsonlib.JSONDecoder(parse_constant=_no_constant).decode
