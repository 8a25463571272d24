"""
The parts of a screen that are not shown as it opens: what other choices and other data show.

From a screen that is known, one thing is changed at a time: a field, or a value of the data. A state that shows
something new is kept and changed further, so that an If in an If is found. What is tried is bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .._dataclasses import dataclass, field
from .._inert import inert
from ..play import (
    Event,
    Fill,
    Node,
    PlayedFlow,
    Scalar,
    Select,
    Session,
    Source,
    View,
    advance,
    deciding_values,
    entered,
    start,
    view,
    ways_to_fill,
)

_MAX_BOARDS: Final = 12
"""Boards of one screen that show something new."""
_MAX_OPTIONS: Final = 20
"""Options of one field that are tried."""
_MAX_WAYS: Final = 4
"""Values of a field without options and constants."""
_MAX_LABEL: Final = 60
"""Characters of a value in a caption."""
_MAX_TRIALS: Final = 2_000
"""States of one Flow that are looked at: some seconds, at two milliseconds for each."""
_MANY: Final = 50
"""Components for which a state is counted once more."""


class Trials:
    """How many states of one Flow may still be looked at."""

    def __init__(self, left: int = _MAX_TRIALS) -> None:
        self._left = left

    def take(self, components: int) -> bool:
        """Whether there is one left; it is gone then. One of very many components counts for several."""
        self._left -= 1 + components // _MANY
        return self._left >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A state of the screen: its data, what the user has done, and how to say it."""

    session: Session
    data: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    words: tuple[str, ...] = ()


def shown(seen: View) -> frozenset[str]:
    """The paths of what is visible."""
    nodes = (*seen.nodes, seen.footer) if seen.footer is not None else seen.nodes
    return frozenset(node.path for node in nodes if node.shown)


def variations(
    flow: PlayedFlow, name: str, opened: Session, filled: Session, known: frozenset[str], trials: Trials
) -> Iterator[tuple[str, View]]:
    """
    A caption and a view for each state found in which something is shown that `known`, a set of paths, has not.

    They are looked for from the screen as it opens, and from the same screen filled in.
    """
    found = deciding_values(flow.screens[name].value)
    deciding = {source: values for source, values in found.items() if source.screen == name}  # as no other is open
    states = deque([_State(session=opened), _State(session=filled, events=filled.events, words=("Filled in",))])
    boards, covered = 0, set(known)
    while states and deciding:
        state = states.popleft()
        for changed in _changes(flow, name, state, deciding):
            if boards == _MAX_BOARDS or not trials.take(len(state.session.flow.screens[name].by_path)):
                return
            seen = view(changed.session)
            paths = shown(seen)
            if seen.screen == name and not seen.over and not paths <= covered:
                covered |= paths
                boards += 1
                states.append(changed)
                yield ", ".join(changed.words), seen


def _changes(
    flow: PlayedFlow, name: str, state: _State, deciding: Mapping[Source, tuple[Scalar, ...]]
) -> Iterator[_State]:
    seen = view(state.session)
    held = state.session.screens[name].data if name in state.session.screens else {}
    for source, values in deciding.items():
        if source.source == "data":
            for value in _other_data(held.get(source.name), values):
                yield _with_data(flow, name, state, source.name, value)
        else:
            node = seen.named(source.name)
            if node is not None and node.shown and node.enabled:
                for events, words in _entries(node, values, state.session):
                    yield _with_events(state, events, words)


def _other_data(now: Any, values: Sequence[Scalar]) -> Iterator[Scalar]:
    """What else a value of the data may be, of the type that it has."""
    candidates = values or ((not now,) if isinstance(now, bool) else (True, False))
    for value in candidates:
        fitting = value
        if isinstance(now, str) and isinstance(value, (int, float)) and not isinstance(value, bool):
            fitting = str(value)
        if type(fitting) is not type(now) or fitting != now:
            yield fitting


def _with_data(flow: PlayedFlow, name: str, state: _State, key: str, value: Scalar) -> _State:
    held = state.session.screens[name].data if name in state.session.screens else {}
    data = {**held, **state.data, key: value}
    session = start(flow, name, data, today=state.session.today).session
    for event in state.events:
        session = advance(session, event).session
    return _State(session=session, data=data, events=state.events, words=(*state.words, _words(key, value)))


def _with_events(state: _State, events: Sequence[Event], words: str) -> _State:
    session = state.session
    for event in events:
        session = advance(session, event).session
    return _State(
        session=session, data=state.data, events=(*state.events, *events), words=(*state.words, words)
    )  # fmt: skip


def _entries(node: Node, values: Sequence[Scalar], session: Session) -> Iterator[tuple[tuple[Event, ...], str]]:
    """The events that give a field another value, each with words for it."""
    label = str(node.props.get("label") or node.name)
    if node.kind == "OptIn":
        yield (Select(node.path, selected=not node.value),), _words(label, not node.value)
    elif "data-source" in node.props:
        for item in _items(node)[:_MAX_OPTIONS]:
            event = Select(node.path, item["id"], selected=item.get("selected") is not True)
            yield (event,), _words(label, item.get("title") or item["id"])
    elif values and node.kind in {"TextInput", "TextArea"}:
        for value in values:
            yield (Fill(node.path, entered(value)),), _words(label, entered(value))
    else:
        for _, way in zip(range(_MAX_WAYS), ways_to_fill(node, session.today), strict=False):
            yield tuple(way), f"{_short(label)} filled in"


def _items(node: Node) -> list[Mapping[str, Any]]:
    offered = node.props["data-source"]
    return [
        item
        for item in (offered if isinstance(offered, (list, tuple)) else ())
        if isinstance(item, Mapping) and isinstance(item.get("id"), str) and item.get("enabled") is not False
    ]


def _words(name: str, value: object) -> str:
    label = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return f"{_short(name)}: {_short(label) or 'empty'}"


def _short(text: str) -> str:
    text = inert(text)
    return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL - 1]}…"
