"""
How many steps a backtracking search takes, counted: the parsed expressions of `re`, walked in Python.

It tries what the engine of `re` tries, in the same order, without the engine's short cuts for a fixed beginning, which
save a part of each attempt and not the number of attempts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_parse as parser

Ends = Callable[[int], Iterator[int]]
"""From a position to those at which a match of a part may end, the preferred one first."""

_LIMIT: Final = 300_000
_BOUND: Final = 8
_CATEGORIES: Final = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


class TooManyStepsError(Exception):
    """The search takes more steps than any of ours may."""


def steps(pattern: re.Pattern[str], method: str, text: str) -> int:
    """
    The steps of one call; `TooManyStepsError` after 300,000.

    A repeat with an upper bound is a constant amount of work at each place: it is tried up to eight times.
    """
    return _search(pattern).run(method, text)


@cache
def _search(pattern: re.Pattern[str]) -> _Search:
    return _Search(pattern)


@cache
def _is(category: str, char: str, flags: int) -> bool:
    name = category.removeprefix("CATEGORY_").removeprefix("NOT_")
    return bool(re.fullmatch(_CATEGORIES[name], char, flags & re.ASCII)) is not ("NOT_" in category)


class _Search:
    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._text, self._flags, self._steps = "", pattern.flags, 0
        parsed: Any = parser.parse(pattern.pattern, pattern.flags)
        self._groups: dict[int, tuple[int, int]] = {}
        self._root = self._sequence(parsed.data)

    def run(self, method: str, text: str) -> int:
        self._text, self._steps = text, 0
        if method in {"match", "fullmatch"}:
            ends = self._root(0)
            next((end for end in ends if method == "match" or end == len(self._text)), None)
            return self._steps
        start = 0
        while start <= len(self._text):
            end = next(self._root(start), None)
            if end is not None and method == "search":
                break
            start = start + 1 if end is None or end == start else end
            self._count()
        return self._steps

    def _count(self) -> None:
        self._steps += 1
        if self._steps > _LIMIT:
            raise TooManyStepsError

    # -- one part

    def _sequence(self, nodes: list[Any]) -> Ends:
        parts = [self._part(str(op), argument) for op, argument in nodes]

        def ends(at: int, index: int = 0) -> Iterator[int]:
            if index == len(parts):
                yield at
                return
            for end in parts[index](at):
                yield from ends(end, index + 1)

        return parts[0] if len(parts) == 1 else ends

    def _part(self, op: str, argument: Any) -> Ends:
        fits = self._character(op, argument)
        if fits is not None:
            return self._once(fits)
        if op in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            return self._repeat(op, *argument)
        if op == "BRANCH":
            return self._branch([self._sequence(list(each)) for each in argument[1]])
        if op == "SUBPATTERN":
            return self._group(argument[0], self._sequence(list(argument[3])))
        if op == "ATOMIC_GROUP":
            return self._first(self._sequence(list(argument)))
        if op in {"ASSERT", "ASSERT_NOT"}:
            return self._assertion(op == "ASSERT", argument)
        if op == "AT":
            return self._at(str(argument))
        assert op == "GROUPREF", f"a part that is not walked yet: {op}"
        return self._reference(argument)

    def _character(self, op: str, argument: Any) -> Callable[[str], bool] | None:
        """Whether a character fits, for a part that is one character wide."""
        if op in {"LITERAL", "NOT_LITERAL"}:
            return lambda char: self._same(char, argument) is (op == "LITERAL")
        if op == "ANY":
            return lambda char: bool(self._flags & re.DOTALL) or char != "\n"
        if op != "IN":
            return None
        known: dict[str, bool] = {}
        negated = bool(argument) and str(argument[0][0]) == "NEGATE"

        def fits(char: str) -> bool:
            if char not in known:
                known[char] = any(self._in(char, str(kind), each) for kind, each in argument) is not negated
            return known[char]

        return fits

    def _in(self, char: str, kind: str, argument: Any) -> bool:
        if kind == "LITERAL":
            return self._same(char, argument)
        if kind == "RANGE":
            cases = {char, char.lower(), char.upper()} if self._flags & re.IGNORECASE else {char}
            return any(argument[0] <= ord(case) <= argument[1] for case in cases if len(case) == 1)
        return kind == "CATEGORY" and _is(str(argument), char, self._flags)

    def _same(self, char: str, code: int) -> bool:
        return ord(char) == code or bool(self._flags & re.IGNORECASE and char.lower() == chr(code).lower())

    def _once(self, fits: Callable[[str], bool]) -> Ends:
        def ends(at: int) -> Iterator[int]:
            self._count()
            if at < len(self._text) and fits(self._text[at]):
                yield at + 1

        return ends

    def _branch(self, branches: list[Ends]) -> Ends:
        def ends(at: int) -> Iterator[int]:
            for branch in branches:
                yield from branch(at)

        return ends

    def _group(self, number: int | None, inner: Ends) -> Ends:
        if number is None:
            return inner

        def ends(at: int) -> Iterator[int]:
            for end in inner(at):
                self._groups[number] = at, end
                yield end

        return ends

    def _reference(self, number: int) -> Ends:
        def ends(at: int) -> Iterator[int]:
            start, end = self._groups[number]
            self._count()
            if self._text.startswith(self._text[start:end], at):
                yield at + end - start

        return ends

    def _first(self, inner: Ends) -> Ends:
        def ends(at: int) -> Iterator[int]:
            yield from [end for end in [next(inner(at), None)] if end is not None]

        return ends

    def _assertion(self, wanted: bool, argument: Any) -> Ends:
        direction, nodes = argument
        inner = self._sequence(list(nodes))
        width = nodes.getwidth()[1] if direction < 0 else 0

        def ends(at: int) -> Iterator[int]:
            self._count()
            found = at >= width and next(inner(at - width), None) is not None
            if found is wanted:
                yield at

        return ends

    def _at(self, what: str) -> Ends:
        def word(at: int) -> bool:
            text = self._text
            return 0 <= at < len(text) and _is("CATEGORY_WORD", text[at], self._flags)

        def holds(at: int) -> bool:
            text = self._text
            if what in {"AT_BEGINNING", "AT_BEGINNING_STRING"}:
                lines = what == "AT_BEGINNING" and self._flags & re.MULTILINE
                return at == 0 or bool(lines and text[at - 1] == "\n")
            if what in {"AT_END", "AT_END_STRING"}:
                if what == "AT_END" and at < len(text) and text[at] == "\n":
                    return bool(self._flags & re.MULTILINE) or at == len(text) - 1
                return at == len(text)
            return (word(at - 1) != word(at)) is (what == "AT_BOUNDARY")

        def ends(at: int) -> Iterator[int]:
            self._count()
            if holds(at):
                yield at

        return ends

    # -- repeats

    def _repeat(self, op: str, least: int, most: int, nodes: Any) -> Ends:
        if most != parser.MAXREPEAT and most > _BOUND:
            least, most = min(least, _BOUND), _BOUND
        (first_op, first_argument), *others = nodes
        fits = None if others else self._character(str(first_op), first_argument)
        if fits is None:
            ends = self._repeated_groups(self._sequence(list(nodes)), least, int(most), lazy=op == "MIN_REPEAT")
        else:
            ends = self._repeated_characters(fits, least, int(most), lazy=op == "MIN_REPEAT")
        return self._first(ends) if op == "POSSESSIVE_REPEAT" else ends

    def _repeated_characters(self, fits: Callable[[str], bool], least: int, most: int, *, lazy: bool) -> Ends:
        def ends(at: int) -> Iterator[int]:
            text = self._text
            end, last = at, min(len(text), at + most)
            if lazy and not least:
                yield at
            while end < last and fits(text[end]):
                self._count()
                end += 1
                if lazy and end - at >= least:
                    yield end
            self._count()
            while not lazy and end - at >= least:
                yield end
                self._count()
                end -= 1

        return ends

    def _repeated_groups(self, inner: Ends, least: int, most: int, *, lazy: bool) -> Ends:
        def ends(at: int, done: int = 0) -> Iterator[int]:
            if lazy and done >= least:
                yield at
            if done < most:
                for end in inner(at):
                    if end > at or done < least:
                        yield from ends(end, done + 1)
            if not lazy and done >= least:
                yield at

        return ends
