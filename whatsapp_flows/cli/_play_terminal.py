"""
A Flow, played line by line on a terminal: the screen, a question, what was typed, the next screen.

Everything that can be used has a number:

    WELCOME  Book a table
         Please fill in the form.
       1 Name: -
       2 Seating
     2.1   ( ) Inside
     2.2   ( ) Outside
       3 [ Continue ]
    > 1 Ada
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from .._inert import inert
from .._wire import Secret
from ..play import (
    Answer,
    Asker,
    Back,
    Broken,
    Effect,
    Event,
    Fill,
    Node,
    OpenUrl,
    PlayedFlow,
    Refused,
    Select,
    Session,
    Snackbar,
    Step,
    Tap,
    Upload,
    UploadedFile,
    View,
    advance,
    asker_for,
    example_answers,
    start,
    view,
)
from ._app import App
from ._layout import HangingLine
from ._play_screen import Line, heading, screen_lines
from ._text import Lines, as_text
from ._values import Value

# What can be typed, and what it does.
_HELP: Final = (
    ("1 Ada", "fill in a field, attach the file of that name"),
    ("2.1", "choose an option, or take it back; or by its id or title: 2 Inside"),
    ("3", "tap a button or a link, tick a box or take the tick back"),
    ("", "tap the button at the bottom"),
    ("4 2026-03-04 2026-03-06", "a range of days"),
    ("5 more", "read more of a box that can be ticked"),
    ("back", "go back, as with the arrow at the top; on the first screen this closes the Flow"),
    ("undo", "take the last step back"),
    ("quit", "stop playing"),
)
_HELP_WIDTH: Final = 26
_MARK_WIDTH: Final = 5

_COMMAND: Final = re.compile(r"\s*(\d{1,4})(?:\.(\d{1,4}))?(?:\s+(.*?))?\s*")
_TEXT_FIELDS: Final = frozenset({"TextInput", "TextArea", "DatePicker"})
_CHOICES: Final = frozenset({"RadioButtonsGroup", "Dropdown", "CheckboxGroup", "ChipsSelector"})
_GROUPS: Final = frozenset({"CheckboxGroup", "ChipsSelector"})
_PICKERS: Final = frozenset({"PhotoPicker", "DocumentPicker"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen(Value):
    """A screen with the numbers of what can be used on it, and what has happened since the last one."""

    shown: View
    notes: tuple[RenderableType, ...] = ()


def play_on_terminal(
    app: App,
    flow: PlayedFlow,
    *,
    endpoint: object,
    public_key: bytes | None,
    app_secret: Secret | None,
    screen: str | None,
    data: Mapping[str, Any] | None,
    flow_token: str,
) -> Session:
    """Play until the Flow is over, or the user stops. The arguments are those of `autoplay`."""
    with asker_for(endpoint, flow, public_key=public_key, app_secret=app_secret) as ask:
        init = ask is not None and ask.opens and screen is None and data is None
        first = start(flow, screen, data, flow_token, init=init)
        return TerminalPlay(app, first, ask).run()


class MistypedError(ValueError):
    """What was typed means nothing here; the message says why."""


class TerminalPlay:
    """One Flow on a terminal. `ask` gives the answer of the endpoint; without it, one of the examples is chosen."""

    def __init__(self, app: App, first: Step, ask: Asker | None) -> None:
        self._app = app
        self._ask = ask
        self._steps = [first.session]
        self._notes: list[RenderableType] = []
        self._first = first

    def run(self) -> Session:
        """Play until the Flow is over, or the user stops."""
        self._steps = [self._answered(self._first)]
        typed: str | None = ""
        while self._session.end is None:
            self._app.show(Screen(shown=view(self._session), notes=tuple(self._notes)))
            self._notes = []
            typed = self._app.ask("> ")
            if typed is None or typed.strip().lower() in {"q", "quit"}:
                break
            self._obey(typed.strip())
        return self._session

    @property
    def _session(self) -> Session:
        return self._steps[-1]

    def _obey(self, typed: str) -> None:
        if typed in {"?", "h", "help"}:
            self._notes += [_help_line(typed or "(empty line)", text) for typed, text in _HELP]
        elif typed.lower() in {"u", "undo"}:
            if len(self._steps) > 1:
                self._steps.pop()
            else:
                self._notes.append(Text("There is nothing to undo."))
        else:
            try:
                events = event_of(typed, view(self._session))
            except MistypedError as mistake:
                self._notes.append(Text(f"{mistake} Type ? for help.", style="yellow"))
                return
            self._take(events)

    def _take(self, event: Event) -> None:
        step = advance(self._session, event)
        session = self._answered(step)
        if session != self._session:
            self._steps.append(session)

    # -- what the Flow asks for

    def _answered(self, step: Step) -> Session:
        """The session after a step and the answers to its requests. Notes what else the step has caused."""
        while True:
            self._notes += filter(None, map(_note, step.effects))
            request = step.session.pending
            if request is None:
                return step.session
            step = advance(step.session, self._ask(request) if self._ask else self._example(step.session))

    def _example(self, session: Session) -> Answer:
        """The answer that the user chooses among the examples; the first if there is only one."""
        answers = list(example_answers(session))
        number = session.pending.number if session.pending else 0
        chosen = self._chosen(answers) if len(answers) > 1 else 0
        content = answers[chosen] if answers else None
        if content is not None:
            self._notes.append(Text(f"There is no endpoint: answered with {_named(content)}.", style="dim"))
        return Answer(number=number, content=content)

    def _chosen(self, answers: list[dict[str, Any]]) -> int:
        lines = ["There is no endpoint. What does it answer?"]
        lines += [f"  {i} {_named(answer)}" for i, answer in enumerate(answers, 1)]
        self._app.show(Choices(lines=tuple(lines)))
        typed = (self._app.ask("Answer [1]: ") or "").strip()
        return int(typed) - 1 if typed.isdecimal() and 1 <= int(typed) <= len(answers) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices(Value):
    """The answers that the user may choose among."""

    lines: tuple[str, ...]


def _named(content: dict[str, Any]) -> str:
    data = content.get("data")
    keys = ", ".join(map(str, data)) if isinstance(data, dict) and content.get("screen") != "SUCCESS" else ""
    return f"{content.get('screen')}{' and the examples of ' if keys else ''}{keys}"


def _note(effect: Effect) -> Text | None:
    match effect:
        case Refused():
            return Text(inert(effect.message), style="yellow")
        case Broken():
            return Text(f"A client refuses this: {inert(effect.message)} ({inert(effect.key)})", style="red")
        case OpenUrl():
            return Text(f"Opens {inert(effect.url)}")
        case Snackbar():
            return None  # it stands on the screen
    return None


# -- what was typed


def event_of(typed: str, shown: View) -> Event:
    """The event that was typed. Raises `MistypedError`."""
    if typed.lower() in {"b", "back"}:
        return Back()
    if not typed:
        if shown.footer is None:
            raise MistypedError("There is no button at the bottom.")
        return Tap(shown.footer.path)
    found = _COMMAND.fullmatch(typed)
    if found is None:
        raise MistypedError(f"{typed!r} does not begin with a number.")
    number, item, text = int(found[1]), int(found[2] or 0), found[3] or ""
    for line, place in numbered(shown):
        if place == (number, item):
            node = shown.node(line.path)
            if node is not None:
                return _event(node, line.item, text)
    raise MistypedError(f"There is no number {number}{f'.{item}' if item else ''} on this screen.")


def numbered(shown: View) -> Iterator[tuple[Line, tuple[int, int]]]:
    """The lines of a screen, each with its number and that of its item; 0 is none."""
    numbers: dict[str, int] = {}
    items: dict[str, int] = {}
    for line in screen_lines(shown):
        if not line.path:
            yield line, (0, 0)
            continue
        number = numbers.setdefault(line.path, len(numbers) + 1)
        items[line.path] = item = items.get(line.path, 0) + bool(line.item)
        yield line, (number, item if line.item else 0)


def _event(node: Node, item: str, text: str) -> Event:
    kind = node.kind
    if kind in _CHOICES:
        return _selected(node, item or _option(node, text))
    if text and kind in _TEXT_FIELDS:
        return Fill(node.path, text)
    if kind == "CalendarPicker" and text:
        days = text.split()
        ranged = node.props.get("mode") == "range"
        return Fill(node.path, dict(zip(("start-date", "end-date"), days, strict=False)) if ranged else text)
    if kind in _PICKERS and text:
        return Upload(node.path, (*node.value, _file(text)) if isinstance(node.value, tuple) else (_file(text),))
    if kind == "OptIn" and not text:
        return Select(node.path, selected=node.value is not True)
    if kind in {"Footer", "EmbeddedLink", "NavigationList"} or text.lower() == "more":
        return Tap(node.path, item)
    raise MistypedError("Type the number, a blank, and what to fill in.")


def _selected(node: Node, option: str) -> Select:
    items = node.props.get("data-source")
    now = (
        {each.get("id") for each in items if each.get("selected") is True}
        if isinstance(items, (list, tuple))
        else set()
    )
    return Select(node.path, option, selected=option not in now or node.kind not in _GROUPS)


def _option(node: Node, text: str) -> str:
    """The id of the option with this id or title, or whose title alone begins with the text."""
    items = [each for each in node.props.get("data-source") or () if isinstance(each.get("id"), str)]
    wanted = text.casefold()
    for name in ("id", "title"):
        for each in items:
            if str(each.get(name, "")).casefold() == wanted:
                return str(each["id"])
    near = [each for each in items if str(each.get("title", "")).casefold().startswith(wanted)]
    if len(near) == 1 and wanted:
        return str(near[0]["id"])
    raise MistypedError("Choose an option by its number, such as 2.1, its id or its title.")


def _file(name: str) -> UploadedFile:
    """A file by its name. It is not read: only its size is looked at."""
    path = Path(name)
    mime_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    size = path.stat().st_size if path.is_file() else 1024
    return UploadedFile(name=path.name, mime_type=mime_type, size=size)


# -- output


@as_text.register
def _(value: Screen) -> Lines:
    yield Text()
    yield from value.notes
    if value.notes:
        yield Text()
    yield heading(value.shown)
    for line, (number, item) in numbered(value.shown):
        mark = f"{number}.{item}" if item else str(number or "")
        before = Text(f"{mark:>{_MARK_WIDTH - 1}} {'  ' * line.level}", style="cyan")
        yield HangingLine(Text.assemble(before, line.text), len(before))


def _help_line(typed: str, text: str) -> RenderableType:
    return HangingLine(Text.assemble("  ", (f"{typed:<{_HELP_WIDTH - 2}}", "cyan"), text), _HELP_WIDTH)


@as_text.register
def _(value: Choices) -> Lines:
    yield from (Text(inert(line)) for line in value.lines)
