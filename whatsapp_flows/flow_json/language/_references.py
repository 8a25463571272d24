"""
References to data: `${data.x}`, `${form.x}`, `${screen.ID.data.x}`, `${screen.ID.form.x}`.

They are read here as text, without the document; the rules' index resolves them. A string is a reference only when
nothing precedes or follows it. Source of the forms: Meta, Flow JSON reference ("Dynamic data").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

BODY: Final = r"\$\{(?:screen\.([^.{}]*)\.)?(data|form)\.([^{}]+)\}"
CACHED_LENGTH: Final = 256
"""Characters. Longer texts are not cached once parsed, which bounds the memory of the caches."""
_WHOLE: Final = re.compile(BODY, re.DOTALL)
# The closing brace is looked for first: without one, each `.data` in a long text would read the rest of it again.
_ANYWHERE: Final = re.compile(r"\$\{(?=[^{}]*\})(?:screen\.[^{}]*?\.)?(?:data|form)\b[^{}]*\}", re.DOTALL)
_NAMES: Final = re.compile(r"\$\{(?:screen\.([^.}]*)\.)?(data|form)\.([^.}]+)").findall
_CATALOGUE: Final = re.compile(r"\$\{external_data\.[^{}]+\}", re.DOTALL)
# The start of a reference that is not a whole string. Each lookahead ends where the next reference may begin.
_PARTS: Final = re.compile(r"""\$\{(?!(?<="\$\{)[^"{}]*\}")""").search
_ILLEGAL: Final = re.compile(r"[-\s`'\"]")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference. `screen` is None for a reference to the screen it stands on; `source` is "data" or "form"."""

    text: str
    screen: str | None
    source: str
    path: tuple[str, ...]

    @property
    def legal(self) -> bool:
        """A path into a data model has no hyphen, blank, backtick or quote."""
        return self.source == "form" or not _ILLEGAL.search(".".join(self.path))


def parse_reference(text: str) -> Reference | None:
    """The reference that a whole string is, or None."""
    return _parse_cached(text) if len(text) <= CACHED_LENGTH else _parse(text)


def _parse(text: str) -> Reference | None:
    found = _WHOLE.fullmatch(text) if text.startswith("${") else None
    if found is None:
        return None
    screen, source, path = found.groups()
    return Reference(text, screen, source, tuple(path.split(".")))


_parse_cached: Final = lru_cache(maxsize=2048)(_parse)


def is_expression(text: str) -> bool:
    """Whether a whole string is a nested expression: in backticks, with something between them."""
    return len(text) > 2 and text[0] == "`" and text[-1] == "`"


def is_dynamic(text: str) -> bool:
    """Whether a string has no value before the flow runs: a reference at its start, or an expression."""
    return is_expression(text) or (text.startswith("${") and _ANYWHERE.match(text) is not None)


def is_whole_binding(text: str) -> bool:
    """Whether a text is a binding from its first to its last character: to data, to a form or to a catalogue."""
    return parse_reference(text) is not None or (
        text[:16] == "${external_data." and _CATALOGUE.fullmatch(text) is not None
    )


def may_embed(text: str) -> bool:
    """
    Whether a JSON text may have a string that holds a reference beside other text, outside backticks and conditions.

    False is certain, True is not. Reads the text once.
    """
    at = 0
    while at >= 0 and (found := _PARTS(text, at)):
        quote = text.rfind('"', at, found.start())
        if text[quote - 1] == "\\" or (text[quote + 1] != "`" and not _is_condition(text, quote)):
            return True
        at = text.find('"', found.end())  # the rest of this string need not be read
    return False


def _is_condition(text: str, quote: int) -> bool:
    return text[max(0, quote - 32) : quote].rstrip(" \t\r\n:").endswith('"condition"')


def embedded_reference(text: str) -> str | None:
    """The first reference in a text, or None."""
    found = _ANYWHERE.search(text) if "${" in text else None
    return found.group() if found else None


def referenced_names(text: str) -> list[tuple[str, str, str]]:
    """(screen, "data" or "form", first step of the path) of each reference anywhere in a text; no screen is ""."""
    return _NAMES(text)
