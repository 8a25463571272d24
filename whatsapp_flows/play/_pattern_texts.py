"""
Texts that match a `pattern`, for an automatic walk through a Flow.

A pattern is read into a small tree of what it can match: alternatives, sequences, repetitions, sets of characters.
Assertions (`^`, `$`, `\\b`, lookarounds) match nothing by themselves and are left out; what they demand is checked by
whoever tries the texts. Texts of many passwords are tried as well, because those patterns consist of lookaheads.
Source of the syntax: ECMAScript, "Patterns".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from .._dataclasses import dataclass

_MAX_PATTERN: Final = 500
"""Characters of a pattern that is read."""
_MAX_DEPTH: Final = 20
"""Groups inside each other."""
_MAX_TEXT: Final = 1_000
"""Characters of a text."""
_WHOLE_TEXTS: Final = ("Aa1!Aa1!", "Aa1!Aa1!Aa1!Aa1!", "Abcdef12", "abc123", "ABC-123", "2026-01-31", "10:30")
"""For patterns that the tree does not tell, such as lookaheads of passwords."""

_DIGITS: Final = "0123456789"
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_UPPER: Final = _LOWER.upper()
# The order is that of preference: the first member of a set is the one that is used.
_ALPHABET: Final = f"{_LOWER}{_UPPER}{_DIGITS} -_.,:;!?@#$%&*+/=()[]{{}}<>'\"\\|^~`\t\n"
_CLASSES: Final = {
    "d": _DIGITS,
    "w": f"{_LOWER}{_UPPER}{_DIGITS}_",
    "s": " \t\n",
}
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_ASSERTIONS: Final = ("(?=", "(?!", "(?<=", "(?<!")


class _UnreadError(ValueError):
    """The pattern has a part that is not read here."""


@dataclass(frozen=True, slots=True)
class _Set:
    """One of these characters."""

    characters: str


@dataclass(frozen=True, slots=True)
class _Sequence:
    """All parts, one after the other."""

    parts: tuple[_Tree, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of the branches."""

    branches: tuple[_Tree, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    """A part, from `low` to `high` times; no `high` is without limit."""

    part: _Tree
    low: int
    high: int | None


_Tree: TypeAlias = "_Set | _Sequence | _Choice | _Repeat"


def matching_texts(pattern: str, *, low: int, high: int) -> Iterator[str]:
    """
    Texts of `low` to `high` characters that may match a pattern of JavaScript, at most some dozens.

    They are guesses: whether one matches is for the pattern itself to say.
    """
    seen: set[str] = set()
    for text in (*_generated(pattern, low, high), *_WHOLE_TEXTS):
        if low <= len(text) <= high and text not in seen:
            seen.add(text)
            yield text


def _generated(pattern: str, low: int, high: int) -> Iterator[str]:
    try:
        tree = _Reader(pattern).whole()
    except _UnreadError:
        return
    for branch in range(4):
        text = ""
        for extra in range(min(high, _MAX_TEXT) + 1):
            longer = _text(tree, extra, branch)
            if extra and len(longer) == len(text):
                break  # nothing in it can be repeated more often
            text = longer
            if len(text) >= max(low, 1):
                break
        yield text
        if text and len(text) < low:
            yield text * -(-low // len(text))  # a pattern that is not anchored matches any text around it


def _text(tree: _Tree, extra: int, branch: int) -> str:
    """A text in which every repetition takes `extra` rounds more than it must."""
    match tree:
        case _Set():
            return tree.characters[branch % len(tree.characters)] if tree.characters else ""
        case _Sequence():
            return "".join(_text(part, extra, branch) for part in tree.parts)[: _MAX_TEXT + 1]
        case _Choice():
            return _text(tree.branches[branch % len(tree.branches)], extra, branch)
    rounds = tree.low + extra if tree.high is None else min(tree.low + extra, tree.high)
    once = _text(tree.part, extra, branch)
    return once * min(rounds, _MAX_TEXT // max(len(once), 1) + 1)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > _MAX_PATTERN:
            raise _UnreadError(pattern[:20])
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self._groups: list[_Tree] = []

    def whole(self) -> _Tree:
        """The tree of the whole pattern."""
        tree = self._choice()
        if self._at < len(self._pattern):
            raise _UnreadError("a closing parenthesis without an opening one")
        return tree

    def _next_is(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _take(self) -> str:
        if self._at >= len(self._pattern):
            raise _UnreadError("the pattern ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def _choice(self) -> _Tree:
        branches = [self._sequence()]
        while self._next_is("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _Choice(tuple(branches))

    def _sequence(self) -> _Tree:
        parts: list[_Tree] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            parts.append(self._repeated(self._one()))
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def _repeated(self, part: _Tree) -> _Tree:
        bounds = self._bounds()
        if bounds is None:
            return part
        self._next_is("?")  # a lazy repetition matches the same texts
        return _Repeat(part, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._next_is(sign):
                return bounds
        if not self._next_is("{"):
            return None
        inside, closed, _ = self._pattern[self._at :].partition("}")
        first, comma, last = inside.partition(",")
        if not closed or not _is_number(first) or (last and not _is_number(last)):
            raise _UnreadError("a brace that is no repetition")
        self._at += len(inside) + 1
        return int(first), (int(last) if last else None) if comma else int(first)

    def _one(self) -> _Tree:
        for opening in _ASSERTIONS:
            if self._next_is(opening):
                self._inside()
                return _Sequence(())
        sign = self._take()
        if sign == "(":
            return self._group()
        if sign == "[":
            return _Set(self._members())
        if sign == "\\":
            return self._escape()
        if sign in "^$":
            return _Sequence(())
        return _Set(_ALPHABET if sign == "." else sign)

    def _group(self) -> _Tree:
        counted = True
        if self._next_is("?<"):
            while self._take() != ">":  # the name of the group
                pass
        elif self._next_is("?"):
            if not self._next_is(":"):
                raise _UnreadError("a group of another kind")
            counted = False
        tree = self._inside()
        if counted:
            self._groups.append(tree)
        return tree

    def _inside(self) -> _Tree:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _UnreadError("too many groups inside each other")
        tree = self._choice()
        self._depth -= 1
        if not self._next_is(")"):
            raise _UnreadError("a group without an end")
        return tree

    def _escape(self) -> _Tree:
        sign = self._take()
        if sign in "bB":
            return _Sequence(())
        if sign in "123456789":
            if int(sign) > len(self._groups):
                raise _UnreadError("a reference to a group that is not there")
            return self._groups[int(sign) - 1]
        return _Set(self._escaped(sign))

    def _escaped(self, sign: str) -> str:
        """The characters that an escape stands for."""
        if sign.lower() in _CLASSES:
            members = _CLASSES[sign.lower()]
            return members if sign.islower() else _others(members)
        if sign in "xu":
            digits = self._pattern[self._at : self._at + (2 if sign == "x" else 4)]
            self._at += len(digits)
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise _UnreadError("an escape without its digits") from None
        if sign in "pPkc":
            raise _UnreadError("a property of Unicode, a named reference or a control character")
        return _CONTROLS.get(sign, sign)

    def _members(self) -> str:
        """The characters of a set, those of everyday texts first."""
        negated = self._next_is("^")
        members: list[str] = []
        while not self._next_is("]"):
            first = self._member()
            if len(first) == 1 and self._range_follows():
                self._at += 1
                last = self._member()
                if len(last) != 1 or last < first:
                    raise _UnreadError("a range that goes backwards")
                members += [chr(each) for each in range(ord(first), min(ord(last), ord(first) + 255) + 1)]
            else:
                members += first
        return _others(members) if negated else "".join(sorted(dict.fromkeys(members), key=_rank))

    def _range_follows(self) -> bool:
        return self._pattern[self._at : self._at + 1] == "-" and self._pattern[self._at + 1 : self._at + 2] not in "]"

    def _member(self) -> str:
        sign = self._take()
        if sign != "\\":
            return sign
        escaped = self._take()
        return "\b" if escaped == "b" else self._escaped(escaped)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5


def _others(members: Sequence[str]) -> str:
    return "".join(each for each in _ALPHABET if each not in members)


def _rank(character: str) -> int:
    found = _ALPHABET.find(character)
    return found if found >= 0 else len(_ALPHABET)
