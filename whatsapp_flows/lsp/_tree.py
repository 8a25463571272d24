"""
A JSON text as a tree of its parts with their offsets, also while the text is half written.

Never raises. What is missing is left out: a string without its quote ends with its line, a container without its
bracket ends where one around it ends, a key may have no value. Of whole documents the tree says what a parser says.
No recursion: the depth of a text is bounded by its length alone.

Objects in lists (screens, components) that are whole are read only when they are asked for: Python's parser skips them
at twenty times the speed of this one.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, TypeAlias

_DECODER: Final = json.JSONDecoder()
# A string ends with its line at the latest: JSON has no line end in a string, and an open quote must not take the rest.
_TOKEN: Final = re.compile(r'"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"?|[{}\[\],:]|[^ \t\r\n{}\[\],:"]+')


@dataclass(slots=True, eq=False)
class Scalar:
    """A string, a number, true, false, null, or any other run of characters. `end` is exclusive."""

    start: int
    end: int
    source: str

    @property
    def is_string(self) -> bool:
        """Whether it begins with a quote."""
        return self.source[0] == '"'

    @property
    def closed(self) -> bool:
        """Whether a string has its closing quote; any other scalar is closed."""
        return not self.is_string or _is_closed(self.source)

    @property
    def inner(self) -> tuple[int, int]:
        """The offsets of the content of a string, without its quotes."""
        return self.start + self.is_string, self.end - (self.is_string and self.closed)

    @property
    def text(self) -> str:
        """The content of a string, escapes resolved where they can be; the characters of another scalar."""
        if not self.is_string:
            return self.source
        inner = self.source[1 : -1 if self.closed else None]
        if "\\" not in inner:
            return inner
        try:
            return str(json.loads(f'"{inner}"'))
        except ValueError:
            return inner


def _is_closed(source: str) -> bool:
    if len(source) < 2 or source[-1] != '"':
        return False
    before = source[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 0


@dataclass(slots=True, eq=False)
class Member:
    """A key of an object and its value, if it has one. `colon`: the colon is there."""

    key: Scalar
    value: Value | None = None
    colon: bool = False

    @property
    def end(self) -> int:
        """Where it ends, as far as it is written."""
        return self.key.end if self.value is None else self.value.end


@dataclass(slots=True, eq=False)
class Object:
    """Members in the order of the text. `closed`: the brace at the end is there."""

    start: int
    end: int = -1
    closed: bool = False
    _members: list[Member] = field(default_factory=list)
    _unread: str | None = None  # the whole text, of which this object is still to be read
    _value: dict[str, Any] | None = None  # what it holds, if that is known

    @classmethod
    def unread(cls, text: str, start: int, end: int, value: dict[str, Any]) -> Object:
        """An object that is whole, with its value."""
        return cls(start, end, True, _unread=text, _value=value)

    @property
    def members(self) -> list[Member]:
        """The members, in the order of the text."""
        if self._unread is not None:
            text, self._unread = self._unread, None
            _Builder(text, self).build()
        return self._members

    def get(self, name: str) -> Value | None:
        """The value of a key; of duplicates the last one counts."""
        return next((each.value for each in reversed(self.members) if each.key.text == name), None)

    def text(self, name: str) -> str | None:
        """The value of a key, if that is a string."""
        if self._value is not None:
            value = self._value.get(name)
            return value if isinstance(value, str) else None
        found = self.get(name)
        return found.text if isinstance(found, Scalar) and found.is_string else None

    def list(self, name: str) -> list[Value]:
        """The items of the list that is the value of a key; none if it is no list."""
        found = self.get(name)
        return found.items if isinstance(found, Array) else []

    def object(self, name: str) -> Object | None:
        """The value of a key, if that is an object."""
        found = self.get(name)
        return found if isinstance(found, Object) else None


@dataclass(slots=True, eq=False)
class Array:
    """Items in the order of the text. `closed`: the bracket at the end is there."""

    start: int
    end: int = -1
    closed: bool = False
    items: list[Value] = field(default_factory=list)


Value: TypeAlias = "Scalar | Object | Array"
Container: TypeAlias = "Object | Array"


def parse_tree(text: str) -> Value | None:
    """The first value of a text; None if there is nothing."""
    return _Builder(text).build()


class _Builder:
    """Reads token by token; `open` are the containers that have not ended."""

    def __init__(self, text: str, whole: Object | None = None) -> None:
        """`whole`: read the members of this object alone."""
        self.text = text
        self.open: list[Container] = [] if whole is None else [whole]
        self.root: Value | None = whole
        self.at = int(text.startswith("\ufeff")) if whole is None else whole.start + 1  # a byte order mark is no JSON
        self.patience = 16 * len(text)  # characters that may be read in vain, for objects that are not whole

    def build(self) -> Value | None:
        while self.at >= 0 and self._read():
            pass
        for left in self.open:
            left.end = len(self.text)
        return self.root

    def _read(self) -> bool:
        """Read on from `at`; True if an object was skipped, and reading goes on behind it."""
        for match in _TOKEN.finditer(self.text, self.at):
            sign, at = match[0], match.start()
            if sign in "{[":
                if sign == "{" and self.open and isinstance(self.open[-1], Array) and self._skip(self.open[-1], at):
                    return True
                made: Container = Object(at) if sign == "{" else Array(at)
                if not self.add(made):
                    return False
                self.open.append(made)
            elif sign in "}]":
                self.close(Object if sign == "}" else Array, match.end())
                if not self.open and self.root is not None:
                    return False
            elif sign == ":":
                self.colon()
            elif sign != "," and not self.add(Scalar(at, match.end(), sign)):
                return False
        return False

    def _skip(self, around: Array, at: int) -> bool:
        """Take an object as a whole, if it is one."""
        if self.patience < 0:
            return False
        try:
            value, self.at = _DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            self.patience -= error.pos + 1  # Python counts the lines up to there
        except (ValueError, RecursionError):  # a number of thousands of digits; a deep text
            self.patience = -1
        else:
            around.items.append(Object.unread(self.text, at, self.at, value))
            return True
        return False

    def add(self, value: Value) -> bool:
        """Put a value where it belongs; False after the end of the document."""
        if not self.open:
            if self.root is not None:
                return False
            self.root = value
            return True
        top = self.open[-1]
        if isinstance(top, Array):
            top.items.append(value)
            return True
        last = top.members[-1] if top.members else None
        if last is not None and last.colon and last.value is None:
            last.value = value
        elif isinstance(value, Scalar):
            top.members.append(Member(value))
        else:  # a container without a key
            top.members.append(Member(Scalar(value.start, value.start, '"'), value, colon=True))
        return True

    def close(self, kind: type[Container], end: int) -> None:
        """End the innermost container of a kind, and those in it that have no bracket."""
        if not self.open or not (isinstance(self.open[-1], kind) or any(isinstance(each, kind) for each in self.open)):
            return
        while True:
            last = self.open.pop()
            last.closed = isinstance(last, kind)
            last.end = end if last.closed else end - 1
            if last.closed:
                return

    def colon(self) -> None:
        """A colon after a value means that the value was a key, and that the key before has no value."""
        top = self.open[-1] if self.open else None
        if not isinstance(top, Object) or not top.members:
            return
        last = top.members[-1]
        if isinstance(last.value, Scalar):
            key, last.value = last.value, None
            top.members.append(Member(key))
        top.members[-1].colon = True


def parts(root: Value | None) -> Iterator[tuple[Value, Container | None, Scalar | None]]:
    """All values of a tree in the order of the text, each with what holds it and its key."""
    ahead: list[tuple[Value, Container | None, Scalar | None]] = [] if root is None else [(root, None, None)]
    while ahead:
        part = ahead.pop()
        yield part
        value = part[0]
        if isinstance(value, Object):
            ahead += [(each.value, value, each.key) for each in reversed(value.members) if each.value is not None]
        elif isinstance(value, Array):
            ahead += [(each, value, None) for each in reversed(value.items)]


class Lines:
    """
    Offsets of a text as positions of the Language Server Protocol, and back: lines and UTF-16 units from 0.

    As in the validator's report, a newline alone ends a line.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._narrow = text.isascii()
        # Each line's length with its end, added up.
        self._starts = [0, *accumulate(map((1).__add__, map(len, text.split("\n")[:-1])))]

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset."""
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        return line, offset - start if self._narrow else utf16_length(self._text[start:offset])

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column; outside the text, the nearest place in it. Half a character is its start."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self._text)
        start = self._starts[line]
        last = line + 1 == len(self._starts)
        content = self._text[start : None if last else self._starts[line + 1] - 1]
        column = max(column, 0)
        if column > len(content) and column > utf16_length(content):
            return start + len(content if last else content.removesuffix("\r"))
        if self._narrow or content[:column].isascii():
            return start + column
        wide = content.encode("utf-16-le", "surrogatepass")[: 2 * column]
        return start + len(wide.decode("utf-16-le", "ignore"))


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def quoted(text: str) -> str:
    """A text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def plain(value: Value | None, depth: int = 0) -> Any:
    """What a part of a tree is in Python, down to a depth of 20; None for what is not written yet."""
    if isinstance(value, Object):
        return {each.key.text: plain(each.value, depth + 1) for each in value.members} if depth < 20 else {}
    if isinstance(value, Array):
        return [plain(each, depth + 1) for each in value.items] if depth < 20 else []
    if value is None or value.is_string:
        return None if value is None else value.text
    try:
        return json.loads(value.source)
    except (ValueError, RecursionError):
        return None
