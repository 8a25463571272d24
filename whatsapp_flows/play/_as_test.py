"""
A session as the source of a pytest test that does the same, and passes.

The events become calls of a `FlowPlayer`. They are played while the source is written, with what the endpoint has
answered, so that each line asserts what the player then has seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from .._dataclasses import dataclass, field, replace
from ..errors import ConfigurationError
from ._errors import PlayError
from ._events import Answer, Back, Blur, Complete, Event, Fill, Select, Tap, Upload
from ._exchange import Call
from ._literals import call, keywords, layout, literal
from ._locate import FOOTER, LISTED, OPT_IN, address_of, shown_errors
from ._playing import Moves, Playing, following
from ._session import Session
from ._uploads import Uploads
from ._values import Node, View

TOKEN: Final = "test"  # noqa: S105 - the flow token of a player that is given none
_LONG: Final = 8
"""Characters from which on a flow token is looked for inside of other texts, too; a shorter one may be any word."""
_ACKNOWLEDGED: Final[Mapping[str, Any]] = {"data": {"acknowledged": True}}


def as_test(session: Session, path: PurePath | str | None = None, *, name: str = "") -> str:
    """
    The source of a pytest test that plays a session again with the fixture `play_flow`, and passes.

    `path` is that of the Flow JSON, from the folder of the test or from the root of its project; without one, the
    source holds the document. `name` is the test's; without one, it is made of the file's. The endpoint is a function
    that gives the recorded answers in turn; a request without an answer is a time-out. Names and values are written as
    literals of Python. The flow token is left out: in answers and values, `test` stands in its place.
    """
    place = None if path is None else PurePath(path)
    return _Writer(session, place, name or (place.stem if place is not None else "flow")).source()


@dataclass(frozen=True, slots=True)
class _Move:
    """A call of a player: its source, and the same for the state of a player; or the values that `fill` is to take."""

    source: str
    run: Callable[[Playing], Moves] = field(repr=False)
    values: Mapping[str, Any] | None = None


class _Writer:
    """One test that is being written, and the player that plays it meanwhile."""

    def __init__(self, session: Session, path: PurePath | None, name: str) -> None:
        self._session = session
        self._path = path
        self._name = _function_name(name)
        self._events: tuple[Event, ...] = _without(session.events, session.flow_token)
        self._recorded = iter([event for event in self._events if isinstance(event, Answer)])
        self._given: list[Any] = []  # what the endpoint of the test answers, in turn
        self._raised: set[str] = set()
        self._lines: list[str] = []
        self._values: dict[str, Any] = {}  # of fields that one call of `fill` takes together
        opening = session.opening
        self._playing = Playing(
            session.flow,
            screen=opening.screen,
            data=opening.data,
            flow_token=TOKEN,
            today=session.today,
            init=opening.init,
            has_endpoint=True,
            uploads=Uploads(_no_upload),
        )

    def source(self) -> str:
        """The whole source."""
        failed = self._run(self._playing.opening())
        self._line(f"player = {self._opening()}", failed)
        if not failed:
            self._expect_screen("")
            for event in self._events:
                move = self._move(event)
                if move is not None:
                    self._play(move)
            self._flush()
            self._expect_end()
        return self._written()

    # -- the calls

    def _opening(self) -> str:
        opening, asked = self._session.opening, self._session.asked > 0
        screen = opening.screen
        has_version = "data_api_version" in self._session.flow.document
        arguments = ["FLOW" if self._path is None else literal(self._path.as_posix())]
        arguments += [f"screen={literal(screen)}"] if screen is not None else []
        arguments += [f"data={layout(opening.data)}"] if opening.data is not None else []
        arguments += ["endpoint=lambda request: next(answers)"] if asked else []
        by_itself = asked and screen is None and opening.data is None and has_version  # whether the player asks INIT
        arguments += [f"init={opening.init}"] if by_itself is not opening.init else []
        day = self._session.today
        return call("play_flow", [*arguments, f"today=date({day.year}, {day.month}, {day.day})"])

    def _move(self, event: Event) -> _Move | None:
        """The call for an event; None for an answer, and for a field that its `fill` has left already."""
        if isinstance(event, Back):
            return _Move("player.back()", Playing.back)
        if isinstance(event, Answer):
            return None
        view = self._playing.view
        node = view.node(event.path)
        if node is None or (isinstance(event, Blur) and address_of(view, node) in self._values):
            return None
        return _move_of(event, node, view)

    def _play(self, move: _Move) -> None:
        before = self._playing.session.screen
        if move.values is None or move.values.keys() & self._values.keys():
            self._flush()
        failed = self._run(move.run(self._playing))
        if move.values is None or failed:
            self._flush()
            self._line(move.source, failed)
        else:
            self._values |= move.values
        if self._playing.session.screen != before:
            self._flush()
            self._expect_screen(before)

    def _flush(self) -> None:
        """Write the fields that one call fills in."""
        if self._values:
            self._lines.append(call("player.fill", keywords(self._values)))
            self._values = {}

    def _run(self, moves: Moves) -> str:
        """Play; the name of the error that is raised, or an empty text."""
        try:
            asked = next(moves, None)
            while asked is not None:
                asked = following(moves, self._reply(asked))
        except PlayError as error:
            return type(error).__name__
        return ""

    def _reply(self, asked: Call) -> Answer:
        if asked.error:
            answer = Answer(number=asked.number, content=_ACKNOWLEDGED)
        else:
            answer = next(self._recorded, Answer(number=asked.number, failure="timeout"))
        self._given.append(answer if answer.failure else answer.content)
        return answer

    # -- the source

    def _line(self, text: str, failed: str) -> None:
        if failed:
            self._raised.add(failed)
            self._lines += [f"with pytest.raises({failed}):", *(f"    {line}" for line in text.split("\n"))]
        else:
            self._lines.append(text)

    def _expect_screen(self, before: str) -> None:
        screen = self._playing.session.screen
        if screen != before:
            self._lines.append(f"assert player.screen == {literal(screen)}")

    def _expect_end(self) -> None:
        session, shown = self._playing.session, self._playing.view
        if isinstance(session.end, Complete) and session.end.sent:
            self._lines.append(f"assert player.completed == {layout(session.end.payload)}")
        elif session.end is not None:
            self._lines.append("assert player.view.over")
        else:
            errors = shown_errors(shown)
            self._lines += [f"assert player.errors == {layout(errors)}"] if errors else []
            text = "" if shown.snackbar is None else shown.snackbar.text
            self._lines += [f"assert player.view.snackbar.text == {literal(text)}"] if text else []

    def _written(self) -> str:
        answers = [f"answers = iter({layout(self._given)})"] if self._given else []
        body = "\n".join([*answers, *self._lines])
        names = [*self._raised]
        names += ["Answer"] if any(isinstance(each, Answer) for each in self._given) else []
        names += ["UploadedFile"] if any(isinstance(event, Upload) and event.files for event in self._events) else []
        imports = ["from datetime import date", "", *(["import pytest", ""] if self._raised else [])]
        imports += [f"from whatsapp_flows.play import {', '.join(sorted(names))}", ""] if names else []
        document = [] if self._path is not None else [f"FLOW = {layout(self._session.flow.document)}", ""]
        test = [f"def {self._name}(play_flow):", *(f"    {line}" for line in body.split("\n")), ""]
        return "\n".join([*imports, *document, "", *test])


def _move_of(event: Blur | Fill | Select | Tap | Upload, node: Node, view: View) -> _Move:
    """The call for an event at a component."""
    name = address_of(view, node, tapped=isinstance(event, Tap))
    if isinstance(event, Fill):
        values = {name: event.value}
        return _Move(call("player.fill", keywords(values)), lambda playing: playing.fill(values), values)
    if isinstance(event, Blur):
        return _Move(call("player.blur", [literal(name)]), lambda playing: playing.blur(name))
    if isinstance(event, Upload):
        files = event.files
        return _Move(call("player.attach", map(literal, (name, *files))), lambda playing: playing.attach(name, files))
    if isinstance(event, Tap):
        target = None if node.kind == FOOTER else name
        item = event.item if node.kind == LISTED else None
        texts = [literal(each) for each in (target, item) if each is not None]
        return _Move(call("player.tap", texts), lambda playing: playing.tap(target, item))
    selected = event.selected
    if node.kind == OPT_IN:
        method = "check" if selected else "uncheck"
        return _Move(call(f"player.{method}", [literal(name)]), lambda playing: playing.check(name, selected))
    method, option = "choose" if selected else "unchoose", event.option
    source = call(f"player.{method}", [literal(name), literal(option)])
    return _Move(source, lambda playing: playing.choose(name, (option,), selected))


def _without(events: tuple[Event, ...], token: str) -> tuple[Event, ...]:
    """The events with another flow token in place of a session's."""
    if token in {"", TOKEN}:
        return events
    return tuple(_rewritten(event, lambda text: _replaced(text, token)) for event in events)


def _replaced(text: str, token: str) -> str:
    return text.replace(token, TOKEN) if len(token) >= _LONG else TOKEN if text == token else text


def _rewritten(event: Event, change: Callable[[str], str]) -> Event:
    if isinstance(event, Answer):
        return replace(event, content=_changed(event.content, change), message=change(event.message))
    if isinstance(event, Fill):
        return replace(event, value=_changed(event.value, change))
    return event


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """JSON with all texts changed, also the names."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(key): _changed(each, change) for key, each in value.items()}
    return [_changed(each, change) for each in value] if isinstance(value, (list, tuple)) else value


def _no_upload(content: bytes, *, file_name: str) -> Mapping[str, Any]:
    """The recorded answers do not depend on what a request holds."""
    return {}


def _function_name(name: str) -> str:
    """`booking-2.json` as `test_booking_2`."""
    if not isinstance(name, str):
        raise ConfigurationError(f"name must be a text, not a {type(name).__name__}.")
    slug = re.sub(r"[^0-9A-Za-z]+", "_", name.removeprefix("test_")).strip("_").lower()
    return f"test_{slug or 'flow'}"
