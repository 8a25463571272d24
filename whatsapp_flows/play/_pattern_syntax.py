"""
The syntax of a JavaScript regular expression without flags, as a tree.

A value is a sequence of UTF-16 code units, as in JavaScript: an emoji is two of them. What is read is the common
subset: literals, classes, groups, alternatives, repetitions, `^ $ \\b \\B` and lookaheads. The rest of the language
(references to groups, lookbehinds, properties of Unicode) is recognised, and refused as `UncheckedError`.
Source: ECMAScript 2025, section 22.2.1 and annex B.1.2.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from .._dataclasses import dataclass

MAX_LENGTH: Final = 2000
"""Code units of a pattern. Our limit: a longer one is not checked."""
_MAX_DEPTH: Final = 50
"""Groups inside each other. Our limit."""
_LAST_UNIT: Final = 0xFFFF

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Code units: ranges with both their ends, in order, none touching the next."""


class BrokenError(ValueError):
    """The text is no regular expression: JavaScript throws a SyntaxError."""


class UncheckedError(ValueError):
    """The pattern uses a part of the language that is not read here, or is too large."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One code unit in these ranges."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """All parts, one after the other."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the branches."""

    branches: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, from `low` to `high` times. No `high`: without limit."""

    part: Tree
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place: the start or the end of the value, or one with or without a word on exactly one side."""

    kind: Literal["^", "$", "b", "B"]


@dataclass(frozen=True, slots=True)
class Lookahead:
    """A place where the part follows, or does not."""

    part: Tree
    negative: bool


Tree: TypeAlias = "OneOf | Sequence | Choice | Repeat | Boundary | Lookahead"


def code_units(text: str) -> str:
    """A text as UTF-16 code units, each a character: an emoji becomes two surrogates."""
    if text.isascii():
        return text
    encoded = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(encoded[i] | encoded[i + 1] << 8) for i in range(0, len(encoded), 2))


def parse_pattern(pattern: str) -> Tree:
    """The tree of a pattern. Raises `BrokenError` or `UncheckedError`."""
    units = code_units(pattern[: MAX_LENGTH + 1])
    if len(units) > MAX_LENGTH:
        raise UncheckedError("it is too long")
    return _Reader(units).whole()


def merged(ranges: list[tuple[int, int]]) -> Ranges:
    """Ranges in order, without overlaps."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def others(ranges: Ranges) -> Ranges:
    """All code units that are not in ordered ranges."""
    starts = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), _LAST_UNIT]
    return tuple((start, end) for start, end in zip(starts, ends, strict=True) if start <= end)


def _of(*pieces: str) -> Ranges:
    return merged([(ord(piece[0]), ord(piece[-1])) for piece in pieces])


_DIGITS: Final = _of("09")
_WORD: Final = _of("09", "AZ", "az", "_")
_SPACE: Final = _of(
    "\t\r", " ", "\u00a0", "\u1680", "\u2000\u200a", "\u2028\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"
)
_ANY: Final = others(_of("\n", "\r", "\u2028\u2029"))
_CLASSES: Final = {
    "d": _DIGITS, "D": others(_DIGITS), "w": _WORD, "W": others(_WORD), "s": _SPACE, "S": others(_SPACE),
}  # fmt: skip
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_BRACES: Final = re.compile(r"\{([0-9]+)(,([0-9]*))?\}").match
_SIMPLE: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_GROUP_NAME: Final = re.compile(r"\(\?<([A-Za-z_$][\w$]*)>").match
_HEX: Final = {"x": re.compile(r"[0-9A-Fa-f]{2}").match, "u": re.compile(r"[0-9A-Fa-f]{4}").match}


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, units: str) -> None:
        self._units = units
        self._at = 0
        self._depth = 0
        self._names: set[str] = set()

    def whole(self) -> Tree:
        tree = self._choice()
        if self._at < len(self._units):
            raise BrokenError("a closing parenthesis without an opening one")
        return tree

    def _next_is(self, text: str) -> bool:
        if not self._units.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _take(self, missing: str) -> str:
        if self._at >= len(self._units):
            raise BrokenError(missing)
        self._at += 1
        return self._units[self._at - 1]

    def _choice(self) -> Tree:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UncheckedError("it has too many groups inside each other")
        branches = [self._sequence()]
        while self._next_is("|"):
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self._at < len(self._units) and self._units[self._at] not in "|)":
            parts.append(self._repeated(self._one()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    # -- repetitions

    def _repeated(self, part: Tree) -> Tree:
        bounds = self._bounds()
        if bounds is None:
            return part
        if isinstance(part, Boundary):
            raise BrokenError("there is nothing to repeat")
        self._next_is("?")  # a lazy repetition is found in the same texts
        if self._bounds() is not None:
            raise BrokenError("there is nothing to repeat")
        low, high = bounds
        if high is not None and low > high:
            raise BrokenError("the numbers of a repetition are out of order")
        return Repeat(part, low, high)

    def _bounds(self) -> tuple[int, int | None] | None:
        sign = self._units[self._at : self._at + 1]
        if sign in _SIMPLE:
            self._at += 1
            return _SIMPLE[sign]
        found = _BRACES(self._units, self._at)
        if found is None:  # a brace that is no repetition is a character
            return None
        self._at = found.end()
        low = _count(found[1])
        return low, (low if found[2] is None else _count(found[3]) if found[3] else None)

    # -- atoms

    def _one(self) -> Tree:
        if self._bounds() is not None:
            raise BrokenError("there is nothing to repeat")
        sign = self._take("")
        if sign == "(":
            return self._group()
        if sign == "[":
            return OneOf(self._members())
        if sign == "\\":
            return self._escape()
        if sign in {"^", "$"}:
            return Boundary("^" if sign == "^" else "$")
        return OneOf(_ANY if sign == "." else _of(sign))

    def _group(self) -> Tree:
        for opening in ("?=", "?!"):
            if self._next_is(opening):
                return Lookahead(self._inside(), opening == "?!")
        if self._next_is("?<=") or self._next_is("?<!"):
            raise UncheckedError("it has a lookbehind")
        if self._next_is("?<"):
            self._name()
        elif self._next_is("?") and not self._next_is(":"):
            if self._units[self._at : self._at + 1] in ("i", "m", "s", "-"):
                raise UncheckedError("it has flags")
            raise BrokenError("a group of an unknown kind")
        tree = self._inside()
        return Sequence((tree,)) if isinstance(tree, Boundary) else tree  # which may be repeated

    def _name(self) -> None:
        found = _GROUP_NAME(self._units, self._at - 3)
        if found is None:
            raise BrokenError("the name of a group is not valid")
        if found[1] in self._names:
            raise UncheckedError("two of its groups have the same name")
        self._names.add(found[1])
        self._at = found.end()

    def _inside(self) -> Tree:
        tree = self._choice()
        if not self._next_is(")"):
            raise BrokenError("a group has no end")
        return tree

    # -- escapes and classes

    def _escape(self) -> Tree:
        sign = self._take("a backslash at the end")
        if sign in {"b", "B"}:
            return Boundary("b" if sign == "b" else "B")
        if sign == "k":
            raise UncheckedError("it refers to a group")
        return OneOf(self._escaped(sign))

    def _escaped(self, sign: str) -> Ranges:
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign in _HEX:
            digits = _HEX[sign](self._units, self._at)
            if digits is not None:
                self._at = digits.end()
                return _of(chr(int(digits[0], 16)))
            if sign == "u" and self._units.startswith("{", self._at):
                raise UncheckedError("it names a character by \\u{...}")
        if sign in "123456789" or (sign == "0" and self._units[self._at : self._at + 1].isdecimal()):
            raise UncheckedError("it refers to a group")
        if sign in "pP" and self._units.startswith("{", self._at):
            raise UncheckedError("it uses properties of Unicode")
        if sign == "c":
            raise UncheckedError("it names a control character")
        return _of("\0" if sign == "0" else _CONTROLS.get(sign, sign))

    def _members(self) -> Ranges:
        negated = self._next_is("^")
        found: list[tuple[int, int]] = []
        while not self._next_is("]"):
            first = self._member()
            if self._units.startswith("-", self._at) and not self._units.startswith("-]", self._at):
                self._at += 1
                found += self._range(first, self._member())
            else:
                found += first
        return others(merged(found)) if negated else merged(found)

    def _range(self, first: Ranges, last: Ranges) -> Ranges:
        if _single(first) is None or _single(last) is None:
            return (*first, *_of("-"), *last)  # a class beside the hyphen makes it a character
        if first > last:
            raise BrokenError("a range of characters is out of order")
        return ((first[0][0], last[0][0]),)

    def _member(self) -> Ranges:
        sign = self._take("a class of characters has no end")
        if sign != "\\":
            return _of(sign)
        escaped = self._take("a backslash at the end")
        return _of("\b") if escaped == "b" else self._escaped(escaped)


def _single(ranges: Ranges) -> int | None:
    return ranges[0][0] if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else None


def _count(digits: str) -> int:
    if len(digits.lstrip("0")) > 6:
        raise UncheckedError("it repeats a part very often")
    return int(digits)
