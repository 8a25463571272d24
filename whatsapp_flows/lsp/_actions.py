"""Code actions: the remedy that a finding names, as an edit; and the upgrade of a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ..errors import ConfigurationError
from ..flow_json import (
    COMPARISONS,
    LOGICAL,
    RECOMMENDED,
    Binary,
    Concatenation,
    ExpressionError,
    Group,
    Literal,
    Name,
    Node,
    Unary,
    Version,
    did_you_mean,
    meant_by,
    parse_condition,
    parse_version,
    update_text,
    upgrade,
)
from ._cursor import cursor_at
from ._findings import Found
from ._fixes import missing_property, other_example
from ._names import Index, Use
from ._rename import Edit
from ._tree import Object, Scalar, quoted

_REFERENCE: Final = re.compile(r"\$\{(?:screen\.[^.{}]*\.)?(?:data|form)\.[^{}]+\}")
_EXPRESSIONS: Final = Version(6, 0)


class Action(NamedTuple):
    """
    One remedy. `finding` is the position in the list of findings of the one that it fixes; None for a rewriting.

    `preferred`: it is surely what was meant.
    """

    title: str
    edits: tuple[Edit, ...]
    finding: int | None = None
    preferred: bool = False


def actions(index: Index, start: int, end: int, found: Iterable[Found]) -> tuple[Action, ...]:
    """The actions for the text from `start` to `end`, of which `found` are the findings."""
    if not index.is_flow:
        return ()
    made: list[Action] = []
    for number, each in enumerate(found):
        remedies = _remedies(index, each, index.lines.offset(each.line, each.column))
        made += [action._replace(finding=number) for action in remedies]
        made += _of_references(index, *_value_at(index, index.lines.offset(each.line, each.column)))
    made += _of_references(index, start, end)
    made += _upgrades(index, start, end)
    return tuple(dict.fromkeys(made))


def _value_at(index: Index, at: int) -> tuple[int, int]:
    """The value of the key at an offset, since some findings stand at the key of the text that they are about."""
    found = cursor_at(index.root, at)
    value = found.member.value if found.in_key and found.member is not None else None
    return (value.start, value.end) if isinstance(value, Scalar) else (at, at)


def _remedies(index: Index, found: Found, at: int) -> Iterator[Action]:
    for number, (title, edit) in enumerate((*missing_property(index, found, at), *other_example(index, found, at))):
        yield Action(title, (edit,), preferred=number == 0)
    scalar = cursor_at(index.root, at).scalar
    if scalar is None or scalar.start != at:
        return
    name = meant_by(found.message)
    if name is not None:
        yield Action(f"Replace by {name!r}", (Edit(scalar.start, scalar.end, quoted(name)),), preferred=True)
    remedy = _BY_CODE.get(found.code)
    text = remedy(index, scalar.text) if remedy is not None and scalar.is_string else None
    if text is not None:
        title = _TITLES[found.code]
        yield Action(title, (Edit(scalar.start, scalar.end, quoted(text)),), preferred=True)


# -- conditions and texts


def with_parentheses(condition: str) -> str | None:
    """A condition whose comparisons beside && and || have parentheses; None if it cannot be parsed."""
    try:
        return _written(parse_condition(condition))
    except ExpressionError:
        return None


def _written(node: Node) -> str:
    """A tree as text. Chains lean to the left, and are walked in a loop: they may be long."""
    if isinstance(node, Literal):
        return node.text
    if isinstance(node, Name):
        return node.reference.text
    if isinstance(node, Group):
        return f"({_written(node.inner)})"
    if isinstance(node, Unary):
        return f"{node.operator}{_written(node.operand)}"
    if isinstance(node, Concatenation):
        return " ".join(map(_written, node.parts))
    pieces: list[str] = []
    while isinstance(node, Binary):
        pieces.append(f" {node.operator} {_side(node.right, node.operator)}")
        operator, node = node.operator, node.left
        if not isinstance(node, Binary) or _is_wrapped(node, operator):
            return _side(node, operator) + "".join(reversed(pieces))
    raise AssertionError(node)  # the loop ends at an operand


def _is_wrapped(node: Node, around: str) -> bool:
    return around in LOGICAL and isinstance(node, Binary) and node.operator in COMPARISONS


def _side(node: Node, around: str) -> str:
    return f"({_written(node)})" if _is_wrapped(node, around) else _written(node)


def as_expression(text: str) -> str | None:
    """A text with references as an expression in backticks; None where clients would not keep the text."""
    pieces: list[str] = []
    at = 0
    for match in _REFERENCE.finditer(text):
        pieces += [text[at : match.start()], match[0]]
        at = match.end()
    pieces.append(text[at:])
    literals = pieces[::2]
    if at == 0 or any("}" in each or "\n" in each or "\r" in each for each in literals):
        return None
    escaped = (piece if i % 2 else f"'{piece.translate(_ESCAPES)}'" for i, piece in enumerate(pieces) if piece)
    return f"`{' '.join(escaped)}`"


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "'": "\\'", "`": "\\`"})


def _expression(index: Index, text: str) -> str | None:
    stated = parse_version(index.version or "")
    return as_expression(text) if stated is not None and stated >= _EXPRESSIONS else None


_BY_CODE: Final[Mapping[str, Callable[[Index, str], str | None]]] = {
    "CONDITION_NEEDS_PARENTHESES": lambda index, text: with_parentheses(text),
    "CONDITION_IN_BACKTICKS": lambda index, text: text.strip("`") or None,
    "REFERENCE_SHOWN_AS_WRITTEN": _expression,
}
_TITLES: Final = {
    "CONDITION_NEEDS_PARENTHESES": "Put comparisons in parentheses",
    "CONDITION_IN_BACKTICKS": "Remove the backticks",
    "REFERENCE_SHOWN_AS_WRITTEN": "Write text and reference as an expression",
}


# -- references to names that do not exist


def _of_references(index: Index, start: int, end: int) -> Iterator[Action]:
    for use in index.uses:
        if use.start <= end and start <= use.end:
            yield from _nearest_name(index, use)


def _nearest_name(index: Index, use: Use) -> Iterator[Action]:
    screen = index.screen(use.screen)
    if screen is None:
        if use.screen_at is not None:
            yield from _replacement(use.screen, tuple(each.id for each in index.screens), use.screen_at)
        return
    names: Iterable[str] = screen.components if use.source == "form" else screen.data
    if use.path[0] not in names:
        yield from _replacement(use.path[0], tuple(names), use.name_at)


def _replacement(name: str, names: tuple[str, ...], at: tuple[int, int]) -> Iterator[Action]:
    near = meant_by(did_you_mean(name, names))
    if near is not None:
        yield Action(f"Refer to {near!r}", (Edit(*at, near),), preferred=True)


# -- versions


def _upgrades(index: Index, start: int, end: int) -> Iterator[Action]:
    """The upgrade, where the version stands in the range and is an older one."""
    stated = index.root.get("version") if isinstance(index.root, Object) else None
    if not isinstance(stated, Scalar) or stated.end < start or end < stated.start:
        return
    try:
        result = upgrade(index.text, RECOMMENDED)
        text = update_text(index.text, result.document)
    except ConfigurationError:  # half written, or newer
        return
    if result.changed:
        left = f"; {len(result.undecided)} decisions are left to you" if result.undecided else ""
        yield Action(f"Upgrade to version {RECOMMENDED}{left}", (_difference(index.text, text),))


def _difference(before: str, after: str) -> Edit:
    """One edit, without what is the same at the beginning and the end."""
    size = min(len(before), len(after))
    same = next((i for i in range(size) if before[i] != after[i]), size)
    tail = next((i for i in range(size - same) if before[-1 - i] != after[-1 - i]), size - same)
    return Edit(same, len(before) - tail, after[same : len(after) - tail])
