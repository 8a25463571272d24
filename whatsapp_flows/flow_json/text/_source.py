"""From what a caller passes to the bytes that are sent: read once, checked to be JSON, kept for all attempts."""

from __future__ import annotations

import json as jsonlib
import os
import re
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, NoReturn

from ..._json import compact_json
from ..._reading import open_regular
from ...errors import ConfigurationError

FlowJson = Mapping[str, Any] | str | bytes | os.PathLike[str] | BinaryIO
"""A mapping, JSON text, JSON bytes in UTF-8, a path (`pathlib.Path`), or a file opened in binary mode."""

MAX_BYTES: Final = 10 * 1024 * 1024
"""Meta takes at most 10 MB ("Flows API", Updating a Flow's JSON)."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_flow_json(source: FlowJson, *, argument: str = "json", keep_mark: bool = False) -> bytes:
    """
    The document as bytes: text, bytes and files as they are, a mapping in compact form.

    A byte order mark at the beginning is removed, as it is no part of a JSON text; `keep_mark` keeps it, for a check
    that reports it. Raises `ConfigurationError`, which names the `argument`, if the source cannot be read or is not a
    JSON object in UTF-8 of at most 10 MB.
    """
    try:
        content = _read(source)
        return content if keep_mark else content.removeprefix(BYTE_ORDER_MARK)
    except UnreadableError as error:
        reason = str(error)
    raise ConfigurationError(f"{argument} {reason}")


class UnreadableError(Exception):
    """Why a source cannot be used, as the rest of a sentence that begins with the argument's name."""


def _read(source: FlowJson) -> bytes:
    if isinstance(source, Mapping):
        return _within_limit(_from_mapping(source))
    if isinstance(source, str):
        content = _encode(source)
    elif isinstance(source, (bytes, bytearray)):
        content = bytes(source)
    elif isinstance(source, os.PathLike):
        content = read_path(source)
    elif hasattr(source, "read"):
        content = read_file(source)
    else:
        raise UnreadableError(f"must be a mapping, str, bytes, a path or a binary file, not {type(source).__name__}.")
    _check_object(_within_limit(content), given_text=isinstance(source, str))
    return content


def mapping_text(document: Mapping[str, Any]) -> str:
    """The text that is sent for a mapping. Raises TypeError, ValueError or RecursionError if it has no JSON form."""
    plain = document if isinstance(document, dict) else dict(document)
    return compact_json(plain, ascii_only=False, allow_nan=False)


def _from_mapping(document: Mapping[str, Any]) -> bytes:
    try:
        text = mapping_text(document)
    except ConfigurationError:  # of a Flow in Python, with its own place
        raise
    except (TypeError, ValueError, RecursionError) as exc:
        raise UnreadableError(f"cannot be written as JSON: {exc}.") from None
    return _encode(text)


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise UnreadableError(f"holds a lone surrogate at character {exc.start}: it has no UTF-8.") from None


def read_path(path: os.PathLike[str]) -> bytes:
    try:
        with open_regular(path) as file:
            return read_file(file)
    except (OSError, ValueError) as exc:
        raise UnreadableError(f"{os.fspath(path)!r} cannot be read: {getattr(exc, 'strerror', None) or exc}.") from None


def read_file(file: BinaryIO) -> bytes:
    """All of a file, or one byte more than is allowed."""
    pieces, size = [], 0
    limit = MAX_BYTES + len(BYTE_ORDER_MARK)
    while size <= limit and (piece := _read_chunk(file, limit + 1 - size)):
        if not isinstance(piece, bytes):
            raise UnreadableError("is a text file: open it in binary mode, open(path, 'rb').")
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _read_chunk(file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except (OSError, ValueError) as exc:
        raise UnreadableError(f"cannot be read from the file: {exc}.") from None


def _within_limit(content: bytes) -> bytes:
    if len(content) > MAX_BYTES + len(BYTE_ORDER_MARK) * content.startswith(BYTE_ORDER_MARK):
        raise UnreadableError(f"has {len(content)} bytes or more; Meta takes at most {MAX_BYTES} (10 MB).")
    return content


def _check_object(content: bytes, *, given_text: bool) -> None:
    content = content.removeprefix(BYTE_ORDER_MARK)
    try:
        found = _strict(content.decode())
    except UnicodeDecodeError as exc:
        raise UnreadableError(f"is not UTF-8: byte {exc.start} cannot be decoded.") from None
    except jsonlib.JSONDecodeError as exc:
        hint = " For a file, pass pathlib.Path(...)." if given_text and not exc.doc.lstrip().startswith("{") else ""
        raise UnreadableError(f"is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}.{hint}") from None
    except RecursionError:
        raise UnreadableError("is nested too deeply to be a Flow JSON.") from None
    except _NotJsonError as exc:
        line, column = _place_of_constant(content.decode())
        raise UnreadableError(f"is not JSON: {exc} at line {line}, column {column}.") from None
    except ValueError as exc:
        raise UnreadableError(f"is not JSON: {exc}.") from None
    if not isinstance(found, dict):
        raise UnreadableError(f"must be a JSON object, not {type(found).__name__}.")


class _NotJsonError(Exception):
    """NaN or Infinity, which Python's parser accepts and JSON does not have."""


def _no_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"{name} is not a JSON number")


_STRING_OR_CONSTANT: Final = r'"[^"\\]*(?:\\.[^"\\]*)*"|".*|-?Infinity|NaN'


def _place_of_constant(text: str) -> tuple[int, int]:
    """Line and column of the first NaN or Infinity outside a string."""
    found = next(match for match in re.finditer(_STRING_OR_CONSTANT, text, re.DOTALL) if match[0][0] != '"')
    return text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())


_strict: Final = jsonlib.JSONDecoder(parse_constant=_no_constant).decode
