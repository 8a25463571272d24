"""
The `pattern` of a TextInput: a JavaScript regular expression, searched in a value.

Strategy: the tree becomes a program of a few kinds of instructions, and all ways through it are followed at once, one
code unit of the value after the other. The time is bounded by the length of the value times that of the program,
whatever the pattern: nothing is tried again. Sets of places in the program are remembered with where a code unit leads
to, so that an ordinary pattern takes a look-up for each code unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from ._pattern_syntax import (
    Boundary,
    BrokenError,
    Choice,
    Lookahead,
    OneOf,
    Ranges,
    Repeat,
    Sequence,
    Tree,
    UncheckedError,
    code_units,
    parse_pattern,
)

_MAX_PROGRAM: Final = 5_000
"""Instructions. Our limit: a pattern that needs more is not checked."""
_MAX_STEPS: Final = 50_000
"""Instructions and code units that one search may look at. Our limit: after it the value counts as not checked."""
_MAX_REMEMBERED: Final = 10_000
"""Instructions in all sets that one program remembers."""


class Pattern(NamedTuple):
    """
    A pattern that has been read.

    `problem` is empty if it can be searched. A "broken" one is passed by every value (`text-input.broken-pattern`);
    an "unchecked" one is too much for us. `reason` says why, in a clause: "a group has no end".
    """

    problem: Literal["", "broken", "unchecked"]
    reason: str
    program: _Program | None

    def found_in(self, text: str) -> bool | None:
        """Whether the pattern is found in a value. None: not checked, or not within the limit of steps."""
        if self.program is None:
            return True if self.problem == "broken" else None
        try:
            return self.program.found_in(code_units(text), 0, Budget(_MAX_STEPS, "it takes too long"), anywhere=True)
        except UncheckedError:
            return None


def read_pattern(source: str) -> Pattern:
    """A pattern of JavaScript without flags. Reads each once."""
    return _read_cached(source) if len(source) <= _CACHED_LENGTH else _read(source)


def _read(source: str) -> Pattern:
    try:
        return Pattern(
            "", "", _Program(parse_pattern(source), Budget(_MAX_PROGRAM, "it is too large with its repetitions"))
        )
    except BrokenError as error:
        return Pattern("broken", str(error), None)
    except UncheckedError as error:
        return Pattern("unchecked", str(error), None)


_CACHED_LENGTH: Final = 256
_read_cached: Final = lru_cache(maxsize=64)(_read)


# -- programs


class _Unit(NamedTuple):
    """Takes a code unit, and goes on with the next instruction."""

    ranges: Ranges


class _Fork(NamedTuple):
    """Goes on at several instructions."""

    targets: tuple[int, ...]


class _Place(NamedTuple):
    """Goes on with the next instruction if the place is right."""

    boundary: str


class _Ahead(NamedTuple):
    """Goes on with the next instruction if another program fits from here on, or does not."""

    program: _Program
    negative: bool


class _Found(NamedTuple):
    """The end."""


_Instruction = _Unit | _Fork | _Place | _Ahead | _Found


class Budget:
    """What is left of a limit."""

    def __init__(self, limit: int, exceeded: str) -> None:
        self._left = limit
        self._exceeded = exceeded

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise UncheckedError(self._exceeded)


class _Reached(NamedTuple):
    """The instructions that take a code unit, and whether the end was reached."""

    units: tuple[int, ...]
    found: bool


class _Program:
    """The instructions of a pattern, and what a search remembers for the next one."""

    def __init__(self, tree: Tree, size: Budget) -> None:
        self._instructions: list[_Instruction] = []
        self._size = size
        self._add(tree)
        self._instructions.append(_Found())
        self._looks_ahead = any(isinstance(each, _Ahead) for each in self._instructions)
        self._reached: dict[tuple[frozenset[int], int], _Reached] = {}
        self._following: dict[tuple[tuple[int, ...], str], frozenset[int]] = {}
        self.remembered = 0
        """Instructions in all sets that are remembered."""

    # -- writing

    def _append(self, instruction: _Instruction) -> int:
        self._size.take(1)
        self._instructions.append(instruction)
        return len(self._instructions) - 1

    def _add(self, tree: Tree) -> None:
        match tree:
            case OneOf():
                self._append(_Unit(tree.ranges))
            case Boundary():
                self._append(_Place(tree.kind))
            case Lookahead():
                self._append(_Ahead(_Program(tree.part, self._size), tree.negative))
            case Sequence():
                for part in tree.parts:
                    self._add(part)
            case Choice():
                self._add_choice(tree.branches)
            case Repeat():
                self._add_repeat(tree)

    def _add_choice(self, branches: tuple[Tree, ...]) -> None:
        fork = self._append(_Fork(()))
        starts, ends = [], []
        for branch in branches:
            starts.append(len(self._instructions))
            self._add(branch)
            ends.append(self._append(_Fork(())))
        self._instructions[fork] = _Fork(tuple(starts))
        for end in ends:
            self._instructions[end] = _Fork((len(self._instructions),))

    def _add_repeat(self, tree: Repeat) -> None:
        for _ in range(tree.low):
            start = len(self._instructions)
            self._add(tree.part)
            if start == len(self._instructions):  # an empty part
                return
        if tree.high is None:
            fork = self._append(_Fork(()))
            self._add(tree.part)
            self._append(_Fork((fork,)))
            self._instructions[fork] = _Fork((fork + 1, len(self._instructions)))
            return
        forks = []
        for _ in range(tree.high - tree.low):
            forks.append(self._append(_Fork(())))
            self._add(tree.part)
        for fork in forks:
            self._instructions[fork] = _Fork((fork + 1, len(self._instructions)))

    # -- searching

    def found_in(self, units: str, start: int, steps: Budget, *, anywhere: bool) -> bool:
        """Whether the program fits from an index on, or anywhere after it. Raises `UncheckedError`."""
        places = frozenset((0,))
        for at in range(start, len(units) + 1):
            steps.take(1)
            reached = self._reach(places, units, at, steps)
            if reached.found:
                return True
            if at == len(units):
                break
            places = self._follow(reached.units, units[at], steps)
            if anywhere:
                places |= {0}
            elif not places:
                break
        return False

    def _reach(self, places: frozenset[int], units: str, at: int, steps: Budget) -> _Reached:
        if self._looks_ahead:
            return self._reach_anew(places, units, at, steps)
        key = (places, _surroundings(units, at))
        reached = self._reached.get(key)
        if reached is None:
            reached = self._reach_anew(places, units, at, steps)
            self._remember(len(reached.units) + len(places))
            self._reached[key] = reached
        return reached

    def _reach_anew(self, places: Iterable[int], units: str, at: int, steps: Budget) -> _Reached:
        """Follows all instructions that take no code unit."""
        ahead = list(places)
        seen = set(ahead)
        found: list[int] = []
        while ahead:
            index = ahead.pop()
            steps.take(1)
            following: tuple[int, ...] = ()
            match self._instructions[index]:
                case _Found():
                    return _Reached((), True)
                case _Unit():
                    found.append(index)
                case _Fork(targets):
                    following = targets
                case _Place(boundary) if _is_at(boundary, units, at):
                    following = (index + 1,)
                case _Ahead(program, negative):
                    if program.found_in(units, at, steps, anywhere=False) != negative:
                        following = (index + 1,)
            ahead += (each for each in following if each not in seen)
            seen.update(following)
        return _Reached(tuple(sorted(found)), False)

    def _follow(self, indexes: tuple[int, ...], unit: str, steps: Budget) -> frozenset[int]:
        key = (indexes, unit)
        following = self._following.get(key)
        if following is None:
            steps.take(len(indexes))
            code = ord(unit)
            following = frozenset(index + 1 for index in indexes if self._takes(index, code))
            self._remember(len(indexes) + len(following))
            self._following[key] = following
        return following

    def _takes(self, index: int, code: int) -> bool:
        instruction = self._instructions[index]
        return isinstance(instruction, _Unit) and any(first <= code <= last for first, last in instruction.ranges)

    def _remember(self, count: int) -> None:
        self.remembered += count + 1
        if self.remembered > _MAX_REMEMBERED:
            self._reached.clear()
            self._following.clear()
            self.remembered = count + 1


_WORD: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


def _surroundings(units: str, at: int) -> int:
    """What boundaries depend on, as a number: start, end, and words on either side."""
    start, end = at == 0, at == len(units)
    before = not start and units[at - 1] in _WORD
    after = not end and units[at] in _WORD
    return start | end << 1 | before << 2 | after << 3


def _is_at(boundary: str, units: str, at: int) -> bool:
    around = _surroundings(units, at)
    if boundary == "^":
        return bool(around & 1)
    if boundary == "$":
        return bool(around & 2)
    return (bool(around & 4) != bool(around & 8)) == (boundary == "b")
