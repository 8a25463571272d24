"""
From what a caller passes to a value and its text. Never raises for the content.

Only a source that cannot be read, or is of an unknown type, raises `ConfigurationError`. JSON is what JavaScript's
JSON.parse accepts, because that reads it at Meta: no NaN, and no white space but the four characters of JSON. A byte
order mark is no part of the text: what Meta does with one is not known, and the client removes it.
"""

from __future__ import annotations

import json as jsonlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn

from ...errors import ConfigurationError
from ._messages import short_repr
from ._positions import TOKEN, Pointer, tokens
from ._source import BYTE_ORDER_MARK, MAX_BYTES, FlowJson, UnreadableError, mapping_text, read_file, read_path
from ._syntax import syntax_reason

_SAFE_DIGITS: Final = 15  # every integer of up to 15 digits is exact in a double
_MAX_DIGITS: Final = 600  # Python may be set to refuse the conversion of more than 640
_SAFE_INTEGER: Final = 2**53 - 1
_CONSTANTS: Final = ("NaN", "Infinity", "-Infinity")
_LONE_SURROGATE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
).search


@dataclass(frozen=True, slots=True)
class ParseProblem:
    """Why there is no value: a sentence, and the offset of its place in the text, if there is one."""

    message: str
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class ParsedJson:
    """
    A source as it was read. Either `value` or `problem` is given.

    `has_anomalies`: `json_anomalies` will find something. `marked`: the source began with a byte order mark, which is
    no longer in the text.
    """

    text: str = field(repr=False)
    size: int
    value: dict[str, Any] | None = field(default=None, repr=False)
    problem: ParseProblem | None = None
    has_anomalies: bool = False
    marked: bool = False


class _NotJsonConstantError(ValueError):
    """NaN or Infinity, which Python's parser accepts."""


def parse_json(source: FlowJson) -> ParsedJson:
    """Parse a source. Raises `ConfigurationError` if it cannot be read, never for its content."""
    if isinstance(source, str):
        return _from_text(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    given = bytes(source) if isinstance(source, (bytes, bytearray)) else _content_of(source)
    content = given.removeprefix(BYTE_ORDER_MARK)
    if len(content) > MAX_BYTES:
        return ParsedJson("", len(content), problem=_too_large(len(content)))
    try:
        text = content.decode()
    except UnicodeDecodeError as exc:
        before = content[: exc.start].decode()
        message = f"the text is not UTF-8: byte {exc.start} cannot be decoded."
        return ParsedJson(content.decode(errors="replace"), len(content), problem=ParseProblem(message, len(before)))
    return _from_json(text, len(content), marked=len(content) < len(given))


def _content_of(source: os.PathLike[str] | BinaryIO) -> bytes:
    try:
        if isinstance(source, os.PathLike):
            return read_path(source)
        if hasattr(source, "read"):
            return read_file(source)
    except UnreadableError as exc:
        raise ConfigurationError(f"source {exc}") from None
    raise ConfigurationError(
        f"source must be a mapping, str, bytes, a path or a binary file, not {type(source).__name__}."
    )


def _from_mapping(document: Mapping[str, Any]) -> ParsedJson:
    """Parses the text that would be sent, as that is what Meta reads."""
    try:
        text = mapping_text(document)
    except ConfigurationError as exc:  # of a Flow in Python, with its own place
        return ParsedJson("", 0, problem=ParseProblem(exc.message))
    except (TypeError, ValueError, RecursionError) as exc:
        return ParsedJson("", 0, problem=ParseProblem(f"this cannot be written as JSON: {exc}."))
    return _from_text(text)


def _from_text(given: str) -> ParsedJson:
    text = given.removeprefix("\ufeff")
    if len(text) > MAX_BYTES:
        return ParsedJson("", len(text), problem=_too_large(len(text)))
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError as exc:
        message = "the text holds a lone surrogate: it has no UTF-8 and cannot be sent."
        return ParsedJson(text, len(text), problem=ParseProblem(message, exc.start))
    if size > MAX_BYTES:
        return ParsedJson("", size, problem=_too_large(size))
    return _from_json(text, size, marked=text is not given)


def _too_large(size: int) -> ParseProblem:
    """A document of this size is never sent, so it is not parsed."""
    return ParseProblem(
        f"the document may have at most {MAX_BYTES} bytes (10 MB); it has at least {size - MAX_BYTES} more."
    )


def _from_json(text: str, size: int, *, marked: bool) -> ParsedJson:
    has_anomalies = False
    try:
        try:
            value = _STRICT.decode(text)
        except _AnomalyError:
            value, has_anomalies = _TOLERANT.decode(text), True
    except jsonlib.JSONDecodeError as exc:
        return _unreadable(text, size, syntax_reason(exc), exc.pos)
    except RecursionError:
        return _unreadable(text, size, "it is nested too deeply", None)
    except _NotJsonConstantError as exc:
        at = next((match.start() for match in TOKEN.finditer(text) if match[0].startswith(_CONSTANTS)), None)
        return _unreadable(text, size, f"{exc} is not a JSON number", at)
    if not isinstance(value, dict):
        message = f"a Flow JSON is a JSON object, not {type(value).__name__}."
        return ParsedJson(text, size, problem=ParseProblem(message, len(text) - len(text.lstrip())))
    surrogates = "\\" in text and ("\\ud" in text or "\\uD" in text)
    return ParsedJson(text, size, value, has_anomalies=has_anomalies or surrogates, marked=marked)


def _unreadable(text: str, size: int, reason: str, offset: int | None) -> ParsedJson:
    return ParsedJson(text, size, problem=ParseProblem(f"this is not valid JSON: {reason}.", offset))


class _AnomalyError(ValueError):
    """The text has an anomaly: see `json_anomalies`."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _AnomalyError
    return value


def _exact_integer(digits: str) -> int:
    if len(digits) > _SAFE_DIGITS:
        raise _AnomalyError
    return int(digits)


def _any_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _no_constant(name: str) -> NoReturn:
    raise _NotJsonConstantError(name)


_STRICT: Final = jsonlib.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_int=_exact_integer, parse_constant=_no_constant
)
_TOLERANT: Final = jsonlib.JSONDecoder(parse_int=_any_integer, parse_constant=_no_constant)
"""For the few texts that the strict decoder refuses because of an anomaly."""


class Anomaly(NamedTuple):
    """Something that JSON allows and a Flow JSON should not have. `key`: the key of the last step is meant."""

    code: str
    message: str
    pointer: Pointer
    key: bool = False


def json_anomalies(text: str) -> Iterator[Anomaly]:
    """
    The anomalies of a JSON text: duplicate keys, integers that JavaScript cannot represent, lone surrogates.

    Scans the whole text. Call it only if `ParsedJson.has_anomalies`.
    """
    seen: dict[int, set[str | int]] = {}  # the keys of the open object at each depth
    for path, is_key, start, end in tokens(text):
        depth = len(path)
        if is_key:
            keys = seen.setdefault(depth, set())
            if path[-1] in keys:
                message = f"the key {short_repr(str(path[-1]))} is given twice in one object: the last one counts."
                yield Anomaly("DUPLICATE_KEY", message, tuple(path), key=True)
            keys.add(path[-1])
        elif text[start] in "{[":
            seen.pop(depth + 1, None)
        elif text[start] == '"':
            if _LONE_SURROGATE(text, start, end):
                yield Anomaly(
                    "LONE_SURROGATE", "a string has a lone surrogate, which is half a character.", tuple(path)
                )
        elif not _exact(text[start:end]):
            message = "a number beyond 2^53 - 1: JavaScript, which reads it, rounds it. Write it as a string."
            yield Anomaly("UNSAFE_NUMBER", message, tuple(path))


def _exact(written: str) -> bool:
    digits = written.removeprefix("-")
    if not digits.isdigit() or len(digits) <= _SAFE_DIGITS:
        return True
    return len(digits) <= _MAX_DIGITS and int(digits) <= _SAFE_INTEGER
