"""
A document whose structure has errors, read on: what rules can say of it although something in it is wrong.

First as it is meant: a key, a type or a value for which an error proposes another one is read as that. Then without
what nothing else depends on: a text that is shown, an example, a property such as `required`. If errors are left, the
document is read as one of a version newer than the tables, in which the unknown may mean anything: a component with an
error becomes one of an unknown type, and only rules count that are sure whatever it means. After an error elsewhere, or
about a key of a screen or of the document that cannot be read, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, NamedTuple

from ._build import build
from .schema import COMPONENTS, LAYOUT, Document, Finding, Severity, Version, meant_by, structure_of
from .text import ParsedJson, Pointer

_ROUNDS: Final = 4
"""How often a document is corrected: the type of a component, then a key in it, the key of an action, its name."""
_ALONE: Final = frozenset(
    {"array<enum>|binding", "base64", "bool", "enum", "enum|binding", "int", "number", "static-bool"}
)
"""Kinds of properties on which no other component depends."""
_TEXTS: Final = (
    frozenset({"label1", "string", "text"}),
    frozenset({"init-value", "max-date", "min-date", "name", "pattern"}),
)
"""Kinds of properties that are texts, and those of these properties that are not only shown."""
_OF_THE_VALUE: Final = frozenset({"input-type", "mode"})
"""Properties that decide the type of an input's value, which other components use."""
_MISSING: Final = re.compile(r"required property '([^']+)' is missing in ")
_UNKNOWN: Final = "\0"  # a type that no component has
_HOLDERS: Final = frozenset(
    row.name
    for shape in (LAYOUT, *COMPONENTS)
    for row in shape.properties
    if row.kind in {"components", "map<components>"}
)


_PROPERTIES: Final = [row for shape in COMPONENTS for row in shape.properties]
_SHOWN: Final = frozenset(row.name for row in _PROPERTIES if row.kind in _TEXTS[0]) - _TEXTS[1]
_SET_ASIDE: Final = frozenset(row.name for row in _PROPERTIES if row.kind in _ALONE) - _SHOWN - _OF_THE_VALUE


class SoundParts(NamedTuple):
    """
    What was made of a document. `is_whole`: it has no errors as it is read; otherwise the components at `faulty` are of
    an unknown type. Nothing is said of what is in `faulty`. `found` are errors of the structure that appear only when
    others are corrected. `keys` are the keys that were read as others: where the value is now -> the key in the text.
    """

    document: Document
    is_whole: bool
    faulty: frozenset[Pointer]
    found: tuple[Finding, ...]
    keys: dict[Pointer, str]

    def place(self, finding: Finding) -> Finding | None:
        """A finding with its place in the text; None if it is about a component with an error."""
        pointer = finding.pointer
        if any(pointer[:length] in self.faulty for length in range(len(pointer) + 1)):
            return None
        return replace(finding, pointer=_in_text(pointer, self.keys))


def sound_parts(parsed: ParsedJson, version: Version, faults: Sequence[Finding], today: date) -> SoundParts | None:
    """What can be said of a document with these errors of its structure. Changes the parsed value."""
    value = parsed.value or {}
    keys: dict[Pointer, str] = {}
    known = {(each.code, each.message, each.pointer) for each in faults}
    found: list[Finding] = []
    faulty: set[Pointer] = set()
    document, left = None, list(faults)
    for _ in range(_ROUNDS):
        if document is not None or not [each for each in left if _correct(value, each, keys)]:
            break
        document, left = build(value, structure_of(version), today=today, size=parsed.size, text=parsed.text)
        placed = [replace(each, pointer=_in_text(each.pointer, keys)) for each in left]
        found += [each for each in placed if (each.code, each.message, each.pointer) not in known]
        known |= {(each.code, each.message, each.pointer) for each in placed}
    if document is None:
        faulty |= {at for each in left if (at := _set_aside(value, each)) is not None}
        document, left = build(value, structure_of(version), today=today, size=parsed.size, text=parsed.text)
    is_whole = document is not None
    if document is None:
        unknown = {_component_at(value, each.pointer) for each in left if each.severity is not Severity.WARNING}
        for at in unknown:
            if at is None:
                return None
            _at(value, at)["type"] = _UNKNOWN
            faulty.add(at)
        document, _ = build(value, structure_of(version, newer=True), today=today, size=parsed.size, text=parsed.text)
    return None if document is None else SoundParts(document, is_whole, frozenset(faulty), tuple(found), keys)


def _correct(value: Any, fault: Finding, keys: dict[Pointer, str]) -> bool:
    """Read a key or a value as the one that is proposed; False if none is, or another has that key."""
    meant = meant_by(fault.message)
    if meant is None or not fault.pointer:
        return False
    *around, last = fault.pointer
    try:
        holder = _at(value, around)
        given = holder[last]
    except (KeyError, IndexError, TypeError):  # corrected already, as a key above it
        return False
    if not fault.key:
        if type(given) is str:
            holder[last] = meant
        return type(given) is str
    if meant in holder:
        return False
    members = [(meant if key == last else key, held) for key, held in holder.items()]
    holder.clear()
    holder.update(members)
    here: Pointer = (*around, meant)
    keys[here] = str(last)
    return True


def _set_aside(value: Any, fault: Finding) -> Pointer | None:
    """Take a property with an error away; gives what nothing can be said of then, None if much depends on it."""
    pointer, missing = fault.pointer, _MISSING.match(fault.message)
    at = _component_at(value, pointer)
    if at is None:
        in_data = len(pointer) == 4 and pointer[2] == "data" and missing is not None and missing[1] == "__example__"
        field = _at(value, pointer) if in_data else None
        if type(field) is dict:
            field["__example__"] = None
        return pointer if type(field) is dict else None
    component = _at(value, at)
    name = pointer[-1] if len(pointer) == len(at) + 1 else missing[1] if missing and pointer == at else None
    if name in _SHOWN:
        component[name] = "-"
    elif name not in _SET_ASIDE or component.pop(name, None) is None:
        return None
    return at


def _in_text(pointer: Pointer, keys: dict[Pointer, str]) -> Pointer:
    return tuple(keys.get(pointer[: at + 1], step) for at, step in enumerate(pointer))


def _component_at(value: Any, pointer: Pointer) -> Pointer | None:
    """The innermost component around a place."""
    found = None
    for length, step in enumerate(pointer, 1):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
        if type(step) is int and type(value) is dict and not _HOLDERS.isdisjoint(pointer[max(length - 3, 0) : length]):
            found = pointer[:length]
    return found


def _at(value: Any, pointer: Sequence[str | int]) -> Any:
    for step in pointer:
        value = value[step]
    return value
