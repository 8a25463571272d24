"""
Values as Python literals: whatever is in a text, it stays one, without a line break or a character that is not shown.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ._events import Answer, UploadedFile

WIDTH: Final = 100
"""Columns after which a value is written over several lines."""
_STEP: Final = "    "
_DEFAULTS: Final[Mapping[str, Any]] = {
    "content": None,
    "failure": "",
    "message": "",
    "mime_type": "application/octet-stream",
    "sha256": "",
    "state": "done",
}


def literal(value: Any) -> str:
    """A JSON value, an `Answer` or an `UploadedFile` as one line of Python."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, (Answer, UploadedFile)):
        return f"{type(value).__name__}({', '.join(_fields(value))})"
    return repr(value)


def layout(value: Any) -> str:
    """The same, over several lines if it is long."""
    line = literal(value)
    if len(line) <= WIDTH or not isinstance(value, (Mapping, list, tuple)):
        return line
    if isinstance(value, Mapping):
        return _block("{", [f"{literal(key)}: {layout(each)}" for key, each in value.items()], "}")
    return _block("[", list(map(layout, value)), "]")


def call(function: str, arguments: Iterable[str]) -> str:
    """A call, with an argument a line if it is long."""
    given = list(arguments)
    line = f"{function}({', '.join(given)})"
    return line if len(line) <= WIDTH and "\n" not in line else _block(f"{function}(", given, ")")


def keywords(values: Mapping[str, Any]) -> list[str]:
    """Arguments by name; one mapping, if a name is none that Python can read as it is."""
    if all(map(_is_name, values)):
        return [f"{name}={layout(value)}" for name, value in values.items()]
    return [layout(values)]


def _is_name(text: str) -> bool:
    # Python changes names beyond ASCII to a normal form (NFKC), which may be another name.
    return text.isascii() and text.isidentifier() and not keyword.iskeyword(text)


def _quoted(text: str) -> str:
    """In double quotes where nothing in it has to be escaped for that."""
    line = repr(text)
    return f'"{line[1:-1]}"' if line[0] == "'" and '"' not in text and "\\'" not in line else line


def _fields(value: Answer | UploadedFile) -> list[str]:
    found = {name: getattr(value, name) for name in type(value).__dataclass_fields__}
    return [f"{name}={literal(each)}" for name, each in found.items() if each != _DEFAULTS.get(name, ...)]


def _block(start: str, parts: list[str], end: str) -> str:
    """Parts on lines of their own; those of several lines are indented as a whole."""
    inner = "\n".join(f"{part}," for part in parts)
    return "\n".join([start, *(f"{_STEP}{line}" for line in inner.split("\n")), end])
