"""
Writes a document in the layout of a text: its indentation, line ends, escapes, last line, and the order of its keys.

`dump_in_style` writes the whole document. `update_text` changes a text only where the document differs: an object with
other keys, or a list of another length, is written again, and everything around it stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...errors import ConfigurationError
from ._positions import Place, Pointer, offsets_by_token, offsets_of

_INDENTED: Final = re.compile(r"\n([ \t]+)\S").search
_INDENT: Final = re.compile(r"[ \t]*").match
_TOO_DEEP: Final = "the document is nested too deeply to be written."
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Style:
    indent: str | None
    separators: tuple[str, str]
    escaped: bool
    line_end: str

    @classmethod
    def of(cls, text: str) -> _Style:
        found = _INDENTED(text)
        spaced = found is not None or '": ' in text
        return cls(
            indent=found[1] if found else None,
            separators=("," if found or ", " not in text else ", ", ": " if spaced else ":"),
            escaped=text.isascii() and "\\u" in text,
            line_end="\r\n" if "\r\n" in text else "\n",
        )

    def written(self, value: Any, margin: str = "") -> str:
        try:
            text = json.dumps(value, ensure_ascii=self.escaped, indent=self.indent, separators=self.separators)
        except RecursionError:
            raise ConfigurationError(_TOO_DEEP) from None
        return _encodable(text).replace("\n", f"{self.line_end}{margin}")


def dump_in_style(text: str, document: Any) -> str:
    """The document, written in the layout of the text."""
    style = _Style.of(text)
    return style.written(document) + (style.line_end if text.endswith("\n") else "")


def update_text(text: str, document: Mapping[str, Any]) -> str:
    """
    The text, changed so that it holds `document`, and otherwise as it is.

    `text` must be JSON. Keys keep the order of the text; new keys come last.
    """
    try:
        changes = dict(_changes(json.loads(text), document))
    except RecursionError:
        raise ConfigurationError(_TOO_DEEP) from None
    if () in changes:
        return dump_in_style(text, changes[()])
    offsets = _offsets(text, changes)
    style = _Style.of(text)
    pieces, at = [], 0
    for start, end, value in sorted((*offsets[pointer], pointer) for pointer in changes):
        margin = _INDENT(text, text.rfind("\n", 0, start) + 1)
        pieces += [text[at:start], style.written(changes[value], margin[0] if margin else "")]
        at = end
    return "".join([*pieces, text[at:]])


def json_string(text: str) -> str:
    """A JSON string with the value `text`, which has a UTF-8 form even for lone surrogates."""
    return _encodable(json.dumps(text, ensure_ascii=False))


def _encodable(text: str) -> str:
    """The text with lone surrogates, which have no UTF-8 form, as escapes."""
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _offsets(text: str, pointers: Mapping[Pointer, Any]) -> dict[Pointer, tuple[int, int]]:
    wanted: set[Place] = {(pointer, False) for pointer in pointers}
    try:
        found = offsets_of(text, wanted)
    except RecursionError:  # nested as deep as can just be parsed
        found = offsets_by_token(text, wanted)
    return {pointer: found[pointer, False] for pointer in pointers}


def _changes(old: Any, new: Any) -> Iterator[tuple[Pointer, Any]]:
    """The smallest places at which the old value differs from the new one, and the new value there."""
    waiting: list[tuple[Pointer, Any, Any]] = [((), old, new)]
    while waiting:
        pointer, before, after = waiting.pop()
        if isinstance(before, dict) and isinstance(after, Mapping) and before.keys() == after.keys():
            waiting += [((*pointer, key), value, after[key]) for key, value in before.items()]
        elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            waiting += [((*pointer, index), *pair) for index, pair in enumerate(zip(before, after, strict=True))]
        elif not same_scalar(before, after):
            yield pointer, _ordered_as(before, after)


def same_scalar(one: Any, other: Any) -> bool:
    """Whether two scalars have the same JSON text (in Python True == 1 == 1.0). False for containers."""
    return type(one) is type(other) and not isinstance(one, (dict, list)) and bool(one == other)


def _ordered_as(old: Any, new: Any) -> Any:
    """The new value with the keys that the old one has in the order of the old one, at every depth."""
    if isinstance(old, dict) and isinstance(new, Mapping):
        known = [key for key in old if key in new]
        return {key: _ordered_as(old.get(key), new[key]) for key in (*known, *(key for key in new if key not in old))}
    if isinstance(old, list) and isinstance(new, list):
        pairs = [*zip(old, new, strict=False)]
        return [_ordered_as(*pair) for pair in pairs] + new[len(pairs) :]
    return new
