"""
A Flow that is being played, and what a test does with it: it decides, and does no I/O.

Each move is a generator: it yields a `Call` for each request to the endpoint, is sent the `Answer`, and raises a
`PlayError` where a user could not go on. A driver carries out the calls, blocking or awaited.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import date
from typing import Any, Final

from .._dataclasses import dataclass, field, replace
from .._flow_facts import FlowSource
from ..errors import ConfigurationError
from ._advance import advance
from ._errors import EndpointFault, NotOffered, NotTappable, PlayError, error_of, sentence
from ._events import (
    Answer,
    AskEndpoint,
    Back,
    Blur,
    Broken,
    Effect,
    Event,
    Failure,
    Fill,
    OpenUrl,
    Refused,
    Select,
    Tap,
    Upload,
)
from ._exchange import Call, call_of, notice_of
from ._flow import PlayedFlow
from ._locate import FOOTER, LISTED, OPT_IN, field_of, label_of, option_of, options_of, tapped
from ._session import Session, Step
from ._start import start
from ._uploads import Uploads
from ._values import Node, View
from ._view import view

Moves = Generator[Call, Answer, None]

# Component -> the method that is for it, where it is not `fill`.
_NOT_FILLED: Final[Mapping[str, str]] = {
    "CheckboxGroup": "choose",
    "ChipsSelector": "choose",
    "DocumentPicker": "attach",
    "Dropdown": "choose",
    OPT_IN: "check",
    "PhotoPicker": "attach",
    "RadioButtonsGroup": "choose",
}
_SINGLE: Final = frozenset({"Dropdown", "RadioButtonsGroup"})
_PICKERS: Final = frozenset({"DocumentPicker", "PhotoPicker"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedRequest:
    """
    A request that the endpoint got, and its answer.

    `action` is `INIT`, `data_exchange` or `BACK`; `screen` is empty for INIT. `data` are as they were sent, files in
    the form for an endpoint. `error` is set for a notification that the client could not use the answer before:
    `invalid-screen-transition`, ... `answer` is the decrypted JSON, None without one: then `failure` says why.

    The repr shows nothing that the user has entered.
    """

    action: str
    screen: str
    data: Mapping[str, Any] = field(repr=False)
    flow_token: str = field(repr=False)
    error: str = ""
    answer: Any = field(default=None, repr=False)
    failure: Failure = ""


class Playing:
    """
    The state of a player: the session, the requests so far, and the URLs that were opened.

    `has_endpoint`: whether there is one to ask. Raises what `start` raises for a Flow JSON that cannot be read.
    """

    def __init__(
        self,
        flow: FlowSource | PlayedFlow,
        *,
        screen: str | None,
        data: Mapping[str, Any] | None,
        flow_token: str,
        today: date | None,
        init: bool,
        has_endpoint: bool,
        uploads: Uploads,
    ) -> None:
        self.requests: list[PlayedRequest] = []
        self.opened_urls: list[str] = []
        self._uploads = uploads
        self._has_endpoint = has_endpoint
        self._begun = start(flow, screen, data, flow_token, today, init=init)
        self.session: Session = self._begun.session
        self._viewed: tuple[Session, View] | None = None

    @property
    def view(self) -> View:
        """What the user sees."""
        if self._viewed is None or self._viewed[0] is not self.session:
            self._viewed = (self.session, view(self.session))
        return self._viewed[1]

    # -- moves

    def opening(self) -> Moves:
        """Open the Flow: the INIT, if there is one."""
        yield from self._take(self._begun)

    def begin_again(self, screen: str | None, data: Mapping[str, Any] | None) -> Moves:
        """Start again, on a screen. Nothing changes if it cannot be opened."""
        session = self.session
        begun = start(session.flow, screen, data, session.flow_token, session.today)
        if (broken := _broken(begun.effects)) is not None and begun.session.end is not None:
            raise error_of(broken)
        self.requests.clear()
        self.opened_urls.clear()
        yield from self._take(begun)

    def fill(self, values: Mapping[str, Any]) -> Moves:
        """Enter values into fields, one after the other, and leave each."""
        for name, value in values.items():
            node = field_of(self.view, name)
            yield from self._apply(Fill(node.path, _entered(self.view, node, value)))
            if self.session.focused == node.path:
                yield from self._apply(Blur(node.path))

    def blur(self, name: str) -> Moves:
        """Leave a field as it is."""
        yield from self._apply(Blur(field_of(self.view, name).path))

    def check(self, name: str, selected: bool = True) -> Moves:
        """Check or uncheck an OptIn."""
        node = field_of(self.view, name)
        if node.kind != OPT_IN:
            message = f"{node.kind} {node.name!r} is not checked as a whole: use choose"
            raise NotTappable(sentence(message, node.path), node.path)
        yield from self._apply(Select(node.path, "", selected))

    def choose(self, name: str, options: Iterable[object], selected: bool = True) -> Moves:
        """Select or deselect options; without any, deselect all."""
        node = field_of(self.view, name)
        if node.kind == OPT_IN:
            yield from self.check(name, selected)
            return
        for option in self._chosen(node, _texts(options), selected):
            yield from self._apply(Select(node.path, option, selected))

    def _chosen(self, node: Node, wanted: tuple[str, ...], selected: bool) -> tuple[str, ...]:
        """The ids of the options that are meant."""
        if not wanted and not selected:
            return tuple(option.id for option in options_of(node) if option.selected)
        if not wanted:
            raise ConfigurationError(f"say which option of {node.name!r} is chosen, by its id or title.")
        if selected and len(wanted) > 1 and node.kind in _SINGLE:
            message = f"{node.kind} {node.name!r} takes one option, not {len(wanted)}"
            raise NotOffered(sentence(message, node.path), node.path)
        return tuple(option_of(self.view, node, each) for each in wanted)

    def tap(self, target: str | None, item: str | None) -> Moves:
        """Tap the Footer, or something else on the screen."""
        node = tapped(self.view, target)
        listed = node.kind == LISTED
        called = f"{node.kind} {node.name or label_of(node)!r}"
        if listed and item is None:
            message = f"{called} is tapped at an item: say which, by its id or title"
            raise NotOffered(sentence(message, node.path), node.path)
        if not listed and item is not None:
            raise NotOffered(sentence(f"{called} has no items", node.path), node.path)
        yield from self._apply(Tap(node.path, "" if item is None else option_of(self.view, node, item)))

    def back(self) -> Moves:
        """Go back."""
        yield from self._apply(Back())

    def attach(self, name: str, files: Iterable[object]) -> Moves:
        """Give a picker its files."""
        node = field_of(self.view, name)
        if node.kind not in _PICKERS:
            raise NotTappable(sentence(f"{node.kind} {node.name!r} takes no files", node.path), node.path)
        yield from self._apply(Upload(node.path, self._uploads.read(files, node.kind)))

    # -- what comes of a move

    def _apply(self, event: Event) -> Moves:
        step = advance(self.session, event)
        for effect in step.effects:
            if isinstance(effect, Refused):
                raise self._refused(event, effect)
        yield from self._take(step)

    def _take(self, step: Step) -> Moves:
        """Take over a step, and do what it asks for."""
        asks = [effect for effect in step.effects if isinstance(effect, AskEndpoint)]
        if asks and not self._has_endpoint:
            ask = asks[0]
            where = f"{ask.action} of screen {ask.screen}" if ask.screen else ask.action
            message = f"The Flow asks its endpoint ({where}), and the player has none: give endpoint"
            raise EndpointFault(sentence(f"{message}.", ask.path), ask.path)
        self.session = step.session
        self._note(step.effects)
        if broken := _broken(step.effects):
            raise error_of(broken)
        for ask in asks:
            yield from self._ask(ask)

    def _note(self, effects: Iterable[Effect]) -> None:
        self.opened_urls += [effect.url for effect in effects if isinstance(effect, OpenUrl)]

    def _ask(self, ask: AskEndpoint) -> Moves:
        """One exchange. What a driver raises leaves the player as after an endpoint that was not reached."""
        call = call_of(ask, self._uploads.for_endpoint(ask.data))
        self.requests.append(
            PlayedRequest(action=call.action, screen=call.screen, data=call.data, flow_token=call.flow_token)
        )
        try:
            answer = yield call
        except BaseException:
            self._answered(ask, Answer(number=ask.number, failure="unreachable"))
            raise
        step = self._answered(ask, replace(answer, number=ask.number))
        broken = _broken(step.effects)
        if broken is None:
            yield from self._take(step)
            return
        error = error_of(broken, answer.failure, asked_by=ask)
        notice = notice_of(call, broken)
        if notice is not None:
            try:
                yield from self._tell(notice)
            except Exception as failure:
                raise error from failure
        raise error

    def _answered(self, ask: AskEndpoint, answer: Answer) -> Step:
        self.requests[-1] = replace(self.requests[-1], answer=answer.content, failure=answer.failure)
        step = advance(self.session, answer)
        self.session = step.session
        return step

    def _tell(self, report: Call) -> Moves:
        """Report to the endpoint, as a client does, what was wrong with its answer."""
        self.requests.append(
            PlayedRequest(
                action=report.action,
                screen=report.screen,
                data=report.data,
                flow_token=report.flow_token,
                error=report.error,
            )
        )
        answer = yield report
        self.requests[-1] = replace(self.requests[-1], answer=answer.content, failure=answer.failure)

    def _refused(self, event: Event, refused: Refused) -> PlayError:
        """The error. That invalid fields disable a Footer is observed, and how they are checked."""
        node = self.view.node(refused.path)
        is_disabled = isinstance(event, Tap) and node is not None and node.kind == FOOTER and not node.enabled
        if is_disabled and any(each.shown and each.invalid for each in self.view.nodes):
            return NotTappable(sentence(refused.message, refused.path, rule="validity.required"), refused.path)
        return error_of(refused)


def _broken(effects: Iterable[Effect]) -> Broken | None:
    """The first thing that a client refuses; its message says how many others there are."""
    found = [effect for effect in effects if isinstance(effect, Broken)]
    if len(found) < 2:
        return found[0] if found else None
    return replace(found[0], message=f"{found[0].message.rstrip('.')}, and {len(found) - 1} more like this")


def _entered(view: View, node: Node, value: object) -> str | Mapping[str, str]:
    """The value of a `Fill`: numbers and dates as text."""
    if method := _NOT_FILLED.get(node.kind):
        message = f"{node.kind} {node.name!r} of screen {view.screen} is not typed into: use {method}"
        raise NotTappable(sentence(message, node.path), node.path)
    if isinstance(value, Mapping):
        return {str(key): _text(node, each) for key, each in value.items()}
    return _text(node, value)


def _text(node: Node, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()[:10]
    kind = type(value).__name__
    raise ConfigurationError(f"{node.kind} {node.name!r} takes a text, a number or a date, not a {kind}.")


def _texts(options: Iterable[object]) -> tuple[str, ...]:
    found: list[str] = []
    for option in options:
        for each in option if isinstance(option, (list, tuple)) else (option,):
            if not isinstance(each, str):
                kind = type(each).__name__
                raise ConfigurationError(f"an option is named by its id or title, a text, not by a {kind}.")
            found.append(each)
    return tuple(found)


def following(moves: Moves, answer: Answer) -> Call | None:
    """The next call of moves that were sent an answer; None at their end."""
    try:
        return moves.send(answer)
    except StopIteration:
        return None
