"""
Filling a screen for an automatic walk: first what has to be filled, then other entries that may open another way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple

from ._branch_values import BranchValues
from ._components import SELECT, UNSELECT
from ._events import Fill, Select
from ._fitting_values import Events, options, selected, selecting, ways_to_fill
from ._session import Session
from ._steps import Steps
from ._values import Node

_MAX_WAYS: Final = 60
"""Values that are tried for one field."""
_MAX_ROUNDS: Final = 3
"""Times that one field is filled: another field may empty it."""
_MAX_VARIATIONS: Final = 80
"""Different entries that are tried on one visit of a screen."""
_MAX_CHANGES: Final = 3
"""Fields that are changed together for a variation."""
_MAX_OPTIONS: Final = 12
"""Options of one field that are tried for a variation."""


def left(session: Session, screen: str) -> bool:
    """Whether a session is no longer on a screen."""
    return session.end is not None or session.screen != screen


def filled(steps: Steps, session: Session) -> Iterator[Session]:
    """
    The session with a valid value in every field that is not valid, as far as values were found.

    One for each answer that is tried for the requests that the values cause; at least one.
    """
    screen = session.screen
    stack: list[Iterator[_Filling]] = [iter((_Filling(session, {}),))]
    while stack:
        filling = next(stack[-1], None)
        if filling is None:
            stack.pop()
            continue
        wanting = None if left(filling.session, screen) else _next_field(steps, filling)
        if wanting is None:
            yield filling.session
        else:
            stack.append(_with_field(steps, filling, wanting))


class _Filling(NamedTuple):
    """A screen on the way, and how often each field was filled, by path."""

    session: Session
    rounds: Mapping[str, int]


def _next_field(steps: Steps, filling: _Filling) -> Node | None:
    for node in steps.view(filling.session).nodes:
        if node.invalid and node.shown and node.enabled and filling.rounds.get(node.path, 0) < _MAX_ROUNDS:
            return node
    return None


def _with_field(steps: Steps, filling: _Filling, node: Node) -> Iterator[_Filling]:
    """The same with a value in this field; or without one, never to be tried again."""
    rounds = filling.rounds.get(node.path, 0) + 1
    unfit = True
    for after in _with_value(steps, filling.session, node):
        unfit = False
        yield _Filling(after, {**filling.rounds, node.path: rounds})
    if unfit:
        yield _Filling(filling.session, {**filling.rounds, node.path: _MAX_ROUNDS})


def variations(steps: Steps, session: Session, branches: BranchValues) -> Iterator[Session]:
    """
    The same screen with other options and values, filled again after each change: those fields first on which a
    condition depends, one change before two.
    """
    screen = session.screen
    ahead = deque([(session, 0)])
    seen = [session.screens.get(screen)]
    while ahead:
        base, changes = ahead.popleft()
        for events in _changes(steps, base, branches):
            for changed in _applied(steps, base, events):
                after = next(filled(steps, changed))
                state = after.screens.get(screen)
                if state in seen and not left(after, screen):
                    continue
                seen.append(state)
                yield after
                if len(seen) > _MAX_VARIATIONS:
                    return
                if changes + 1 < _MAX_CHANGES and not left(after, screen):
                    ahead.append((after, changes + 1))


def _with_value(steps: Steps, session: Session, node: Node) -> Iterator[Session]:
    """The sessions with the first value that is valid in this field, one for each answer; none if no value is."""
    for events in islice(ways_to_fill(node, session.today), _MAX_WAYS):
        fits = False
        for after in _applied(steps, session, events):
            node_now = None if left(after, session.screen) else steps.view(after).node(node.path)
            if node_now is None or not node_now.shown or not node_now.invalid:
                fits = True
                yield after
        if fits:
            return


def _applied(steps: Steps, session: Session, events: Events) -> Iterator[Session]:
    """The sessions after all these events."""
    if not events:
        yield session
        return
    for after in steps.after(session, events[0]):
        yield from _applied(steps, after, events[1:])


# -- variations


def _changes(steps: Steps, session: Session, branches: BranchValues) -> Iterator[Events]:
    """
    Each change of one field that may change more than itself: those that a condition depends on, then those with an
    action of their own; all others only for an endpoint, whose answers may depend on them.
    """
    nodes = [node for node in steps.view(session).nodes if node.shown and node.enabled and node.name]
    pivots = [node for node in nodes if (session.screen, node.name) in branches]
    others = [node for node in nodes if node not in pivots and (steps.asks or _acts(session, node))]
    for node in pivots:
        yield from _changes_of(node, branches[session.screen, node.name])
    for node in others:
        yield from _changes_of(node, ())


def _acts(session: Session, node: Node) -> bool:
    """Whether the choice of an option has an action."""
    component = session.flow.screens[session.screen].by_path.get(node.path)
    options = node.props.get("data-source")
    holders = [*(options if isinstance(options, (list, tuple)) else ()), {} if component is None else component.value]
    return any(key in holder for holder in holders for key in (SELECT, UNSELECT))


def _changes_of(node: Node, values: tuple[str, ...]) -> Iterator[Events]:
    match node.kind:
        case "TextInput" | "TextArea" | "DatePicker":
            yield from ((Fill(node.path, value),) for value in values if value != node.value)
        case "OptIn":
            yield (Select(node.path, selected=node.value is not True),)
        case "RadioButtonsGroup" | "Dropdown":
            now = selected(node)
            ordered = sorted(options(node), key=lambda option: option not in values)
            yield from ((Select(node.path, option),) for option in ordered[:_MAX_OPTIONS] if option not in now)
        case "CheckboxGroup" | "ChipsSelector":
            now = selected(node)
            for option in options(node)[:_MAX_OPTIONS]:
                wanted = [each for each in now if each != option] if option in now else [*now, option]
                yield selecting(node, wanted)
