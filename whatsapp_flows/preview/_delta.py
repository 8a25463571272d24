"""
A state as JSON, as a whole or as what is new in it.

The page has the state of an earlier revision: of an object it gets the members that are another since then, of an array
`{"items": [...]}` with the items that are, and `"keys"`, the keys of all items in order, if these are. An image of the
document is sent once so, and not with each key press.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .._dataclasses import dataclass
from .._json import compact_json
from ._json import array_text, object_text


@dataclass(frozen=True, slots=True)
class Items:
    """An array: the JSON of each item by its key, which is a member of it, written as a text."""

    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Members:
    """An object: JSON, an array or an object by name."""

    parts: Mapping[str, str | Items | Members]


_Path = tuple[str, ...]
"""Where a part is; that of an array stands for its keys."""


class Delta:
    """The last state, and the revision since which each part of it is what it is."""

    def __init__(self) -> None:
        self.revision = -1
        self._state = Members({})
        self._known: dict[_Path, tuple[str, int]] = {}

    def update(self, state: Members, revision: int) -> None:
        """Take over a state; revisions only grow."""
        known = {}
        for path, text in _leaves(state):
            old = self._known.get(path)
            known[path] = (text, old[1] if old is not None and old[0] == text else revision)
        self._state, self._known, self.revision = state, known, revision

    def text(self, seen: int, more: Mapping[str, str]) -> str:
        """
        The state for a page that has that of the revision `seen`, with `more` members; the whole for one that has none.

        What is not the whole has the member "since".
        """
        if not 0 <= seen <= self.revision:
            return object_text({**{name: _whole(part) for name, part in self._state.parts.items()}, **more})
        return object_text({**self._new_members(self._state, (), seen), **more, "since": str(seen)})

    def _new_members(self, members: Members, path: _Path, seen: int) -> dict[str, str]:
        found = ((name, self._new(part, (*path, name), seen)) for name, part in members.parts.items())
        return {name: text for name, text in found if text}

    def _new(self, part: str | Items | Members, path: _Path, seen: int) -> str:
        """What is new in a part, or an empty text."""
        if isinstance(part, str):
            return part if self._is_new(path, seen) else ""
        if isinstance(part, Members):
            members = self._new_members(part, path, seen)
            return object_text(members) if members else ""
        items = [text for key, text in part.texts.items() if self._is_new((*path, key), seen)]
        keys = {"keys": self._known[path][0]} if self._is_new(path, seen) else {}
        return object_text({"items": array_text(items), **keys}) if items or keys else ""

    def _is_new(self, path: _Path, seen: int) -> bool:
        return self._known[path][1] > seen


def _leaves(part: str | Items | Members, path: _Path = ()) -> Iterator[tuple[_Path, str]]:
    if isinstance(part, str):
        yield path, part
    elif isinstance(part, Members):
        for name, each in part.parts.items():
            yield from _leaves(each, (*path, name))
    else:
        yield path, compact_json(list(part.texts))
        for key, text in part.texts.items():
            yield (*path, key), text


def _whole(part: str | Items | Members) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Members):
        return object_text({name: _whole(each) for name, each in part.parts.items()})
    return array_text(list(part.texts.values()))
