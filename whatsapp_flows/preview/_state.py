"""All that the page draws, as one JSON object."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import PurePath
from typing import Any, Final, Literal

from ..play import Complete, Issue, Refused, ScreenState, Session, View, example_answers, summary, view
from ._action_log import Line
from ._delta import Items, Members
from ._history import History
from ._json import Json, json_text
from ._requests import MAX_BODY
from ._shortened import Space

Platform = Literal["android", "ios"]
Theme = Literal["light", "dark", "auto"]
PLATFORMS: Final[tuple[Platform, ...]] = ("android", "ios")
THEMES: Final[tuple[Theme, ...]] = ("light", "dark", "auto")

MAX_SCREENS: Final = 200
"""Screens that the page lists beside the current one."""
MAX_VALUES: Final = 256 * 1024
"""Characters of the data and the forms of all screens together."""
MAX_LINK: Final = 64 * 1024
"""Characters of the data in a link: some browsers take no longer address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewState:
    """
    What a preview is in: the play, and what stands around it.

    `path` is that of the file, as a test names it. `revision` grows with each change. `problem` is why the file cannot
    be read as it is now; the play then is that of the last file that could. `by_hand`: the user answers in place of an
    endpoint. `findings` are JSON already, as they change with the file alone. `stopped` is where a replay stopped.
    """

    path: PurePath
    platform: Platform
    theme: Theme
    by_hand: bool
    revision: int = 0
    problem: str = ""
    history: History | None = field(default=None, repr=False)
    findings: str = field(default="[]", repr=False)
    stopped: str = ""


def state_parts(state: PreviewState, log: tuple[Line, ...]) -> Members:
    """The state as the page takes it; see `static/app.js`."""
    session = None if state.history is None else state.history.session
    seen = _nothing(state.problem) if session is None else view(session)
    screens, left_out = ([], 0) if session is None else _screens(session)
    parts = {
        "file": {"name": state.path.name, "problem": state.problem or None},
        "history": [] if session is None else session.history,
        "asks": None if session is None or not state.by_hand else _asks(session),
        "completed": None if session is None else _completed(session),
        "can_undo": state.history is not None and state.history.undone is not None,
        "platform": state.platform,
        "theme": state.theme,
        "replay": {"text": state.stopped} if state.stopped else None,
        "screens_left_out": left_out,
    }
    return Members(
        {
            "revision": str(state.revision),
            "findings": state.findings,
            "view": _view_parts(seen),
            "screens": Items({each["id"]: json_text(each) for each in screens}),
            "log": Items({str(line.number): line.written for line in log}),
            **{name: json_text(part) for name, part in parts.items()},
        }
    )


def refused_text(refused: Refused) -> str:
    """Why an event has changed nothing."""
    return json_text({"kind": refused.kind, "message": refused.message, "path": refused.path})


def _view_parts(seen: View) -> Members:
    parts: dict[str, str | Items | Members] = {
        each.name: json_text(getattr(seen, each.name)) for each in fields(seen) if each.name != "nodes"
    }
    return Members({**parts, "nodes": Items({node.path: json_text(node) for node in seen.nodes})})


def _nothing(problem: str) -> View:
    """What is drawn while no file could be read yet."""
    return View(screen="", issues=(Issue(problem, blocking=True),))


def _screens(session: Session) -> tuple[list[Json], int]:
    """The screens for the page, each with its data and form; and how many are left out."""
    space = Space(MAX_VALUES)
    current = session.screens.get(session.screen)
    of_current = None if current is None else _values(current, space)  # first, as the space may not do for all
    found = []
    for number, (name, screen) in enumerate(session.flow.screens.items()):
        opened = session.screens.get(name)
        is_current = name == session.screen
        if number >= MAX_SCREENS and not is_current:
            continue
        title = screen.value.get("title")
        found.append(
            {
                "id": name,
                "number": number,
                "title": title if isinstance(title, str) else "",
                "current": is_current,
                "opened": opened is not None,
                **((is_current and of_current) or _values(opened, space)),
            }
        )
    return found, len(session.flow.screens) - len(found)


def _values(opened: ScreenState | None, space: Space) -> Json:
    """The data and the form of a screen."""
    if opened is None:
        return {"data": {}, "form": {}}
    return {"data": space.shortened(opened.data), "form": space.shortened(opened.form)}


def link(session: Session) -> Json:
    """What a link to the current screen holds. Data that are too long for it are left out: `complete` is false then."""
    opened = session.screens.get(session.screen)
    data = None if opened is None else opened.data or None
    complete = len(json_text(data)) <= MAX_LINK
    return {"screen": session.screen, "data": data if complete else None, "complete": complete}


def _completed(session: Session) -> Json | None:
    if not isinstance(session.end, Complete):
        return None
    payload = session.end.payload
    small = len(json_text(payload)) <= MAX_VALUES
    return {
        "payload": payload if small else Space(MAX_VALUES).shortened(payload),
        "summary": [{"label": row.label, "value": row.value} for row in summary(session)],
        "sent": session.end.sent,
    }


def _asks(session: Session) -> Json | None:
    request = session.pending
    if request is None:
        return None
    return {
        "number": request.number,
        "action": request.action,
        "screen": request.screen,
        "data": Space(MAX_VALUES).shortened(request.data),
        "choices": choices(session),
    }


def choices(session: Session) -> list[Json]:
    """
    Answers that a client accepts, each as `{"screen", "data"}`: the likeliest first, and one for each screen.

    They are bounded like an answer that the page sends: what is longer could not be given.
    """
    found: dict[str, Any] = {}
    left = MAX_BODY
    for answer in example_answers(session, every=True):
        if answer["screen"] not in found:
            size = len(json_text(answer))
            if size <= left:
                left -= size
                found[answer["screen"]] = answer["data"]
    return [{"screen": name, "data": data} for name, data in found.items()]
