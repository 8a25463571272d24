"""
Two versions of a Flow side by side: what a reviewer of a change wants to see.

A screen is the same if its part of the Flow JSON and all its pictures are; where pictures differ, they stand in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from .._flow_facts import FlowSource
from ..play import PlayedFlow
from ._export import StoryPage, links_to, section, text
from ._json import Json, view_json
from ._state import Platform, Theme
from ._storyboard import Board, BoardedScreen, Storyboard, storyboard

Change = Literal["new", "removed", "changed", "same"]

_MARKS: Final[Mapping[Change, str]] = {"new": "New", "removed": "Removed", "changed": "Changed", "same": ""}
_NOT_SEEN: Final = frozenset({"path", "on-click-action", "on-select-action", "on-unselect-action"})
_UNCHANGED: Final = "Unchanged pictures of this screen"
_LOOKS_THE_SAME: Final = "Its pictures are the same: what changed is what it does, or its data."


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenChange:
    """What has become of one screen. `before` is None for a new one, `after` for a removed one."""

    change: Change
    before: BoardedScreen | None = None
    after: BoardedScreen | None = None

    @property
    def screen(self) -> BoardedScreen:
        """The screen as it is now, or as it was."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - one of them is given
        return found


def export_changes(
    before: FlowSource | PlayedFlow,
    after: FlowSource | PlayedFlow,
    *,
    platform: Platform = "android",
    theme: Theme = "auto",
    title: str = "Storyboard",
    today: date | None = None,
) -> str:
    """
    Two versions of a Flow as one HTML file, see `export`: changed screens before and after, unchanged ones folded.

    Raises `ConfigurationError` if one of them is no JSON object, or over 10 MB.
    """
    today = today or date.today()  # the same for both
    changes = compared(storyboard(before, today=today), storyboard(after, today=today))
    page = StoryPage({each.screen.id: each.screen.anchor for each in changes})
    sections = [_section(page, each) for each in changes]
    counts = {kind: sum(each.change == kind for each in changes) for kind in _MARKS}
    labels = {"changed": "changed", "new": "new", "removed": "removed", "same": "unchanged"}
    totals = ", ".join(
        f"{counts[kind]} {labels[kind]}" for kind in ("changed", "new", "removed", "same") if counts[kind]
    )
    marks = {each.screen.id: f" {_mark(each.change)}" for each in changes if each.change != "same"}
    links = links_to([each.screen for each in changes], marks)
    return page.document(title, [f"Screens: {totals or 'none'}."], links, sections, platform=platform, theme=theme)


def compared(before: Storyboard, after: Storyboard) -> tuple[ScreenChange, ...]:
    """The screens as they are now, in their order; then those that are gone."""
    old = {screen.id: screen for screen in before.screens}
    now = {screen.id for screen in after.screens}
    changes = []
    for screen in after.screens:
        was = old.get(screen.id)
        change: Change = "new" if was is None else "same" if _same(was, screen) else "changed"
        changes.append(ScreenChange(change=change, before=was, after=screen))
    gone = (replace(screen, anchor=f"removed-{screen.anchor}") for screen in before.screens if screen.id not in now)
    return (*changes, *(ScreenChange(change="removed", before=screen) for screen in gone))


def _same(before: BoardedScreen, after: BoardedScreen) -> bool:
    """Equal parts of the Flow JSON may still look different: with other data of another screen."""
    return (
        before.document == after.document
        and before.routes == after.routes
        and [*map(_look, before.boards)] == [*map(_look, after.boards)]
    )


def _look(board: Board) -> tuple[str, str, bool, Json, int]:
    """What is to be seen of a board: no actions, and no paths, which change when a screen is put in before it."""
    seen = view_json(board.view)
    shown = [node for node in seen["nodes"] if node["shown"]]
    opened = next((number for number, node in enumerate(shown) if node["path"] == board.sheet), -1)
    seen["nodes"] = shown
    return board.kind, board.caption, board.first, _visible(seen), opened


def _visible(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _visible(each) for key, each in value.items() if key not in _NOT_SEEN}
    return [_visible(each) for each in value] if isinstance(value, list) else value


# -- as HTML


def _mark(change: Change) -> str:
    return f'<span class="mark is-{change}">{_MARKS[change]}</span>' if _MARKS[change] else ""


def _section(page: StoryPage, change: ScreenChange) -> str:
    mark = _mark(change.change)
    if change.before is None or change.after is None:
        return page.screen(change.screen, mark=mark)
    if change.change == "same":
        return page.screen(change.screen, mark='<span class="mark">Unchanged</span>', folded=True)
    pairs, same = [], []
    for before, after in _pairs(change.before, change.after):
        if before is not None and after is not None and _look(before) == _look(after):
            same.append(after)
        else:
            pairs.append(_pair(page, before, after))
    inner = page.routes(change.after)
    inner += f'<div class="boards">{"".join(pairs)}</div>' if pairs else f"<p>{_LOOKS_THE_SAME}</p>"
    if same:
        boards = "".join(page.figure(board) for board in same)
        inner += (
            f'<details class="story-same"><summary>{_UNCHANGED}</summary><div class="boards">{boards}</div></details>'
        )
    return section(change.after, inner, mark=mark)


def _pairs(before: BoardedScreen, after: BoardedScreen) -> Iterator[tuple[Board | None, Board | None]]:
    """The boards of one state, by what their captions say, in the order of now; then those that are gone."""
    old = {(board.kind, board.caption): board for board in before.boards}
    for board in after.boards:
        yield old.pop((board.kind, board.caption), None), board
    for board in old.values():
        yield board, None


def _pair(page: StoryPage, before: Board | None, after: Board | None) -> str:
    caption = text((after or before).caption)  # type: ignore[union-attr]
    figures = [
        page.figure(board, caption) for board, caption in ((before, "Before"), (after, "After")) if board is not None
    ]
    return f'<div class="pair"><h3 class="pair-title">{caption}</h3>{"".join(figures)}</div>'
