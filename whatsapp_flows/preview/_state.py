"""All that the page draws, as one JSON object."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final, Literal

from ..play import Complete, Issue, Refused, Session, View, example_answers, summary, view
from ._action_log import Line
from ._history import History
from ._json import Json, array_text, json_text, object_text

Platform = Literal["android", "ios"]
Theme = Literal["light", "dark", "auto"]
PLATFORMS: Final[tuple[Platform, ...]] = ("android", "ios")
THEMES: Final[tuple[Theme, ...]] = ("light", "dark", "auto")


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


def state_text(state: PreviewState, log: tuple[Line, ...], refused: Refused | None = None) -> str:
    """
    The state as JSON, as the page takes it; see `static/app.js`. `refused` is why an event has changed nothing.
    """
    written = {
        "revision": str(state.revision),
        "findings": state.findings,
        "log": array_text([line.written for line in log]),
    }
    parts = {name: json_text(part) for name, part in _parts(state).items()}
    if refused is not None:
        parts["refused"] = json_text({"kind": refused.kind, "message": refused.message, "path": refused.path})
    return object_text({**written, **parts})


def _parts(state: PreviewState) -> Json:
    """What can be another with each event."""
    session = None if state.history is None else state.history.session
    return {
        "file": {"name": state.path.name, "problem": state.problem or None},
        "view": _nothing(state.problem) if session is None else view(session),
        "screens": [] if session is None else _screens(session),
        "history": [] if session is None else session.history,
        "asks": None if session is None or not state.by_hand else _asks(session),
        "completed": None if session is None else _completed(session),
        "can_undo": state.history is not None and state.history.undone is not None,
        "platform": state.platform,
        "theme": state.theme,
        "replay": {"text": state.stopped} if state.stopped else None,
    }


def _nothing(problem: str) -> View:
    """What is drawn while no file could be read yet."""
    return View(screen="", issues=(Issue(problem, blocking=True),))


def _screens(session: Session) -> list[Json]:
    found = []
    for name, screen in session.flow.screens.items():
        opened = session.screens.get(name)
        title = screen.value.get("title")
        found.append(
            {
                "id": name,
                "title": title if isinstance(title, str) else "",
                "current": name == session.screen,
                "opened": opened is not None,
                "data": {} if opened is None else opened.data,
                "form": {} if opened is None else opened.form,
            }
        )
    return found


def _completed(session: Session) -> Json | None:
    if not isinstance(session.end, Complete):
        return None
    return {
        "payload": session.end.payload,
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
        "data": request.data,
        "choices": choices(session),
    }


def choices(session: Session) -> list[Json]:
    """Answers that a client accepts, each as `{"screen", "data"}`: the likeliest first, and one for each screen."""
    found: dict[str, Any] = {}
    for answer in example_answers(session, every=True):
        found.setdefault(answer["screen"], answer["data"])
    return [{"screen": name, "data": data} for name, data in found.items()]
