"""
A storyboard: the pictures of a Flow that a reviewer wants to see, screen by screen.

Of each screen: as it opens, with its errors, filled in, each part that another choice or other data shows, and the
lists that open. All of them come from `start`, `advance` and `view` alone, and so from the same rules as a played
Flow. The data of a screen are its `__example__`s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any, Final, Literal

from .._flow_facts import FlowSource
from .._inert import inert
from ..play import Blur, Node, PlayedFlow, Session, View, advance, read_flow, start, view, ways_to_fill
from ._taps import taps_of
from ._variations import Trials, shown, variations

MAX_SCREENS: Final = 200
"""Screens of one storyboard; the others are named. Meta documents no limit of the screens of a Flow."""
_MAX_CHOICES: Final = 4  # open lists of one screen
_MAX_WAYS: Final = 20  # values that are tried for one field
_MAX_ROUNDS: Final = 3  # times that a screen is filled: a value may show further fields
_MAX_FIELDS: Final = 200  # fields of one screen that are left empty, and filled
_MAX_WORK: Final = 20_000  # components that are looked at for it: each event looks at all of a screen
_ANCHOR: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

Kind = Literal["empty", "errors", "filled", "branch", "choices"]
CAPTIONS: Final[Mapping[Kind, str]] = {"empty": "As it opens", "errors": "With errors", "filled": "Filled in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """
    One picture: a screen in one state.

    `caption` says which one. `sheet` is the path of the component whose list is open, or empty. `first`: the Flow can
    open here, so the header offers to close it. `taps` are the screens that a tap leads to, by (path, item of a
    NavigationList or empty).
    """

    kind: Kind
    caption: str
    view: View
    sheet: str = ""
    first: bool = False
    taps: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardedScreen:
    """
    The boards of one screen, at least one. `anchor` is its place in a page; `routes` are the screens that it leads to.

    `document` is its part of the Flow JSON.
    """

    id: str
    title: str
    anchor: str
    boards: tuple[Board, ...]
    routes: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyboard:
    """The screens of a Flow in document order. `omitted` are the ids of those beyond `MAX_SCREENS`."""

    screens: tuple[BoardedScreen, ...]
    omitted: tuple[str, ...] = ()

    @property
    def boards(self) -> tuple[Board, ...]:
        """The boards of all screens."""
        return tuple(board for screen in self.screens for board in screen.boards)


def storyboard(flow: FlowSource | PlayedFlow, *, today: date | None = None) -> Storyboard:
    """
    The storyboard of a Flow JSON: the same for the same document and day.

    `today` is the day from which dates are filled in; by default the current one. A document with errors is drawn as
    far as it goes. Raises `ConfigurationError` for what is no JSON object, or over 10 MB.
    """
    played = read_flow(flow)
    today = today or date.today()  # the user's own day, as on a phone
    trials = Trials()
    screens = tuple(
        BoardedScreen(
            id=name,
            title=boards[0].view.title,
            anchor=_anchor(name, number),
            boards=boards,
            routes=tuple(other for other in played.screens if played.leads(name, other)),
            document=screen.value,
        )
        for number, (name, screen) in enumerate(islice(played.screens.items(), MAX_SCREENS))
        for boards in [_boards(played, name, today, trials)]
    )
    return Storyboard(screens=screens, omitted=tuple(played.screens)[MAX_SCREENS:])


def _anchor(name: str, number: int) -> str:
    return f"screen-{name}" if _ANCHOR.fullmatch(name) else f"number-{number + 1}"


def _boards(flow: PlayedFlow, name: str, today: date, trials: Trials) -> tuple[Board, ...]:
    opened = start(flow, name, today=today).session
    empty = view(opened)
    boards = [Board(kind="empty", caption=CAPTIONS["empty"], view=empty)]
    wrong = view(_touched(opened))
    if any(node.error for node in wrong.nodes):
        boards.append(Board(kind="errors", caption=CAPTIONS["errors"], view=wrong))
    filled = _filled(opened, today)
    if filled != opened:
        boards.append(Board(kind="filled", caption=CAPTIONS["filled"], view=view(filled)))
    known = frozenset[str]().union(*(shown(board.view) for board in boards))
    boards += [
        Board(kind="branch", caption=caption, view=seen)
        for caption, seen in variations(flow, name, opened, filled, known, trials)
    ]
    boards += islice(_choices(boards), _MAX_CHOICES)
    first = name in flow.entries
    return tuple(replace(board, first=first, taps=taps_of(flow.document, board.view)) for board in boards)


def _touched(session: Session) -> Session:
    """After each field has been left as it is."""
    for node in _fields(view(session)):
        session = advance(session, Blur(node.path)).session
    return session


def _fields(seen: View) -> Iterator[Node]:
    """The first components that can be used and take a value: fewer of them on a screen with very many."""
    number = min(max(_MAX_WORK // max(len(seen.nodes), 1), 4), _MAX_FIELDS)
    return islice((node for node in seen.nodes if node.shown and node.enabled and node.name), number)


def _filled(session: Session, today: date) -> Session:
    """With the first value that is valid in each field, as far as one is found."""
    for _ in range(_MAX_ROUNDS):
        open_fields = [node for node in _fields(view(session)) if _is_empty(node)]
        if not open_fields:
            break
        for node in open_fields:
            session = _with_value(session, node, today)
    return session


def _is_empty(node: Node) -> bool:
    return node.value in (None, "", (), False) or node.value == {}


def _with_value(session: Session, node: Node, today: date) -> Session:
    for way in islice(ways_to_fill(node, today), _MAX_WAYS):
        tried = session
        for event in (*way, Blur(node.path)):
            tried = advance(tried, event).session
        now = view(tried).node(node.path)
        if now is not None and now.shown and not now.invalid:
            return tried
    return session


def _choices(boards: list[Board]) -> Iterator[Board]:
    """The open list of each Dropdown, in the first board that shows it with something to choose."""
    done: set[str] = set()
    for board in boards:
        for node in board.view.nodes:
            if node.kind == "Dropdown" and node.shown and node.enabled and node.path not in done:
                done.add(node.path)
                label = inert(str(node.props.get("label") or node.name))
                yield Board(kind="choices", caption=f"Choices of {label}", view=board.view, sheet=node.path)
