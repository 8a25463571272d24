"""
References to data: `${data.x}`, `${form.x}`, `${screen.ID.data.x}`, `${screen.ID.form.x}`.

Read here as text, without knowing the document; `_index.py` finds out what they stand for. A string is a reference
when nothing precedes or follows it. Source of the forms and the types: Meta, Flow JSON reference ("Dynamic data").
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

TYPES: Final = frozenset({"string", "number", "integer", "boolean", "object", "array"})
"""The types a field of a data model may have. There is no null."""

BODY: Final = r"\$\{(?:screen\.([^.{}]*)\.)?(data|form)\.([^{}]+)\}"
REMEMBERED: Final = 256
"""Characters of the longest text whose reading is kept for the next time, so that what is kept stays small."""
_WHOLE: Final = re.compile(BODY, re.DOTALL)
# That there is an end is asked first: without one, each `.data` in a long text would read all of it again.
_ANYWHERE: Final = re.compile(r"\$\{(?=[^{}]*\})(?:screen\.[^{}]*?\.)?(?:data|form)\b[^{}]*\}", re.DOTALL)
_CATALOGUE: Final = re.compile(r"\$\{external_data\.[^{}]+\}", re.DOTALL)
# What begins a reference that is not a whole string. Each look ahead ends where the next reference may begin.
_PARTS: Final = re.compile(r"""\$\{(?!(?<="\$\{)[^"{}]*\}")""").search
_ILLEGAL: Final = re.compile(r"[-\s`'\"]")


class Reference(NamedTuple):
    """A reference taken apart. `screen` is None for one to the screen it stands on."""

    text: str
    screen: str | None
    source: str  # "data" or "form"
    path: tuple[str, ...]

    @property
    def legal(self) -> bool:
        """A path into a data model has no hyphen, blank, backtick or quote."""
        return self.source == "form" or not _ILLEGAL.search(".".join(self.path))


def parse_reference(text: str) -> Reference | None:
    """The reference that a whole string is, or None."""
    return _kept(text) if len(text) <= REMEMBERED else _parse(text)


def _parse(text: str) -> Reference | None:
    found = _WHOLE.fullmatch(text) if text.startswith("${") else None
    if found is None:
        return None
    screen, source, path = found.groups()
    return Reference(text, screen, source, tuple(path.split(".")))


_kept: Final = lru_cache(maxsize=2048)(_parse)


def is_expression(text: str) -> bool:
    """Whether a whole string is a nested expression: in backticks, with something between them."""
    return len(text) > 2 and text[0] == "`" and text[-1] == "`"


def is_dynamic(text: str) -> bool:
    """Whether a string has no value before the flow runs: a reference at its start, or an expression."""
    return is_expression(text) or (text.startswith("${") and _ANYWHERE.match(text) is not None)


def is_whole_binding(text: str) -> bool:
    """Whether a text is a binding from its first to its last character, be it to data, to a form or to a catalogue."""
    return parse_reference(text) is not None or (
        text[:16] == "${external_data." and _CATALOGUE.fullmatch(text) is not None
    )


def may_embed(text: str) -> bool:
    """
    Whether a JSON text has a string, neither in backticks nor a condition, that holds a reference and something beside.

    Said too often rather than too seldom; goes along the text once.
    """
    at = 0
    while at >= 0 and (found := _PARTS(text, at)):
        quote = text.rfind('"', at, found.start())
        if text[quote - 1] == "\\" or (text[quote + 1] != "`" and not _is_condition(text, quote)):
            return True
        at = text.find('"', found.end())  # the rest of this string is as good
    return False


def _is_condition(text: str, quote: int) -> bool:
    return text[max(0, quote - 32) : quote].rstrip(" \t\r\n:").endswith('"condition"')


def embedded_reference(text: str) -> str | None:
    """The first reference in a text, or None."""
    found = _ANYWHERE.search(text) if "${" in text else None
    return found.group() if found else None


def type_of_value(value: Any) -> str:
    """The JSON type of a value, as a data model names it; 5.0 is an integer, as in JSON schema."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if isinstance(value, dict):
        return "object"
    return "null" if value is None else "array"


def has_type(value: Any, wanted: str) -> bool:
    """Whether a value is of a type; an integer is a number as well."""
    found = type_of_value(value)
    return found == wanted or (found == "integer" and wanted == "number")
