"""
The state of one preview: changed by the page, by the endpoint's answers and by the watched file, one at a time.

Each change has a number, the revision; threads that wait for changes are notified.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from ..play import (
    Answer,
    AskEndpoint,
    Broken,
    Call,
    Complete,
    Effect,
    Event,
    OpenUrl,
    Refused,
    Session,
    Snackbar,
    Step,
    advance,
    as_test,
    call_of,
    notice_of,
    start,
)
from ._action_log import ActionLog, Kind
from ._asking import Asking
from ._delta import Delta
from ._document import Document, findings
from ._history import History
from ._json import Json, json_text
from ._replay import replay
from ._requests import Command, Open, Restart, Undo
from ._state import PreviewState, link, refused_text, state_parts

_NO_FLOW: Final = "There is no Flow to play: the file cannot be read"


class ConflictError(Exception):
    """What the page asked for is not possible now; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """
    How a play begins: see `play.start`. `today` None: the day on which it begins.

    `opens`: there is an endpoint that decides about the first screen, unless a screen or data is given here.
    """

    screen: str | None = None
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    opens: bool = False
    flow_token: str = field(repr=False)
    today: date | None = None


class Store:
    """
    One play. `asking` asks the endpoint; None: the user answers.

    `clock` gives Unix seconds, `timer` seconds for durations.
    """

    def __init__(
        self,
        state: PreviewState,
        begin: Begin,
        asking: Asking | None,
        *,
        clock: Callable[[], float],
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._changed = threading.Condition()
        self._state = state
        self._begin = begin
        self._asking = asking
        self._timer = timer
        self._log = ActionLog(clock)
        self._asked: AskEndpoint | None = None
        self._ticket = 0  # of the request to the endpoint whose answer counts
        self._document = Document()
        self._closed = False
        self._writing = threading.Lock()  # so that nobody who plays waits for the text of a large state
        self._written = Delta()

    # -- reading

    def read(self, seen: int = -1, *, refused: Refused | None = None) -> bytes:
        """
        The state as JSON, or what is new in it since the revision `seen`.

        `refused` is why the event that was sent has changed nothing.
        """
        with self._writing:
            with self._changed:
                state, lines = self._state, self._log.lines
            if state.revision > self._written.revision:
                self._written.update(state_parts(state, lines), state.revision)
            return self._written.text(seen, {} if refused is None else {"refused": refused_text(refused)}).encode()

    def wait(self, seen: int, timeout: float) -> int | None:
        """The revision as soon as it is not the one that was seen, or after some seconds; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._state.revision != seen, timeout)
            return None if self._closed else self._state.revision

    def link(self) -> Json:
        """What a link to the current screen holds."""
        with self._changed:
            return link(self._session)

    def test_source(self) -> str:
        """What was done so far, as the source of a test."""
        with self._changed:
            session, path = self._session, self._state.path
        return as_test(session, path)

    # -- the page

    def advance(self, event: Event) -> Refused | None:
        """Do what the user did; why it is not possible, if it is not."""
        with self._changed:
            effects = self._advanced(event, by_hand=True)
        return next((effect for effect in effects if isinstance(effect, Refused)), None)

    def run(self, command: Command) -> None:
        """Undo, restart, open or answer. Raises `ConflictError`."""
        with self._changed:
            if isinstance(command, Undo):
                self._undo()
            elif isinstance(command, Answer):
                self._answer_by_hand(command)
            elif isinstance(command, Restart):
                self._restart()
            else:
                self._open(command)

    def _undo(self) -> None:
        undone = self._history.undone
        if undone is None:
            raise ConflictError("There is nothing to undo")
        self._asked = None
        self._set(history=undone, stopped="")
        self._ask_again(undone.session)

    def _restart(self) -> None:
        """As the play began; as the preview was started if that could not be opened, such as a link with wrong data."""
        session = self._session
        opening = session.opening if session.history else self._begin
        self._play(opening.screen, opening.data)

    def _answer_by_hand(self, answer: Answer) -> None:
        if self._asking is not None:
            raise ConflictError("The endpoint answers in this preview")
        pending = self._session.pending
        if pending is None or pending.number != answer.number:
            raise ConflictError(f"No request with the number {answer.number} waits for an answer")
        self._log_answer(answer, None)
        self._advanced(answer, by_hand=True)

    def _open(self, command: Open) -> None:
        if command == Open():
            self._play(self._begin.screen, self._begin.data)
            return
        flow = self._document.flow
        if flow is not None and command.screen is not None and command.screen not in flow.screens:
            raise ConflictError(f"There is no screen {command.screen[:100]!r}")
        self._play(command.screen, command.data, before=self._state.history)

    # -- the file

    def load(self, document: Document) -> None:
        """Go on with a changed file: replay what was done. A file that cannot be played leaves everything as it is."""
        started = self._timer()
        with self._changed:
            self._document = document if document.flow is not None else self._document
            if document.flow is None:
                self._set(problem=document.problem)
            elif self._state.history is None:
                self._set(problem="", stopped="")
                self._play(self._begin.screen, self._begin.data)
            else:
                done = replay(document.flow, self._state.history.session, by_hand=self._asking is None)
                self._add_line(
                    "reload",
                    done.stopped or f"The file has changed: {done.steps} steps replayed.",
                    duration_ms=(self._timer() - started) * 1000,
                )
                self._set(problem="", history=done.history, stopped=done.stopped)
                self._ask_again(done.history.session)
        # Afterwards, as it may take long for a large document.
        found = json_text(findings(document, today=self._begin.today))
        with self._changed:
            if found != self._state.findings:
                self._set(findings=found)

    def fail(self, problem: str) -> None:
        """Say why the file cannot be played."""
        with self._changed:
            self._set(problem=problem)

    def close(self) -> None:
        """End the waiting of `wait`; nothing is asked any more."""
        with self._changed:
            self._closed = True
            self._ticket += 1
            self._changed.notify_all()

    # -- inside the lock

    @property
    def _history(self) -> History:
        if self._state.history is None:
            raise ConflictError(_NO_FLOW)
        return self._state.history

    @property
    def _session(self) -> Session:
        return self._history.session

    def _set(self, **changes: Any) -> None:
        self._state = replace(self._state, revision=self._state.revision + 1, **changes)
        self._changed.notify_all()

    def _add_line(self, kind: Kind, text: str, detail: Any = None, *, duration_ms: float | None = None) -> None:
        self._log.add(kind, text, detail, duration_ms=duration_ms)
        self._set()

    def _play(self, screen: str | None, data: Mapping[str, Any] | None, before: History | None = None) -> None:
        """Begin a play. With `before`, undo goes back to that: a click on a finding opens its screen too."""
        flow, begin = self._document.flow, self._begin
        if flow is None:
            raise ConflictError(_NO_FLOW)
        # A Flow without this key has no endpoint (documented).
        init = begin.opens and screen is None and data is None and "data_api_version" in flow.document
        step = start(flow, screen, data, flow_token=begin.flow_token, today=begin.today, init=init)
        self._ticket += 1
        history = History(session=step.session) if before is None else before.opened(step.session)
        self._set(history=history, stopped="")
        self._carry_out(step)

    def _advanced(self, event: Event, *, by_hand: bool) -> tuple[Effect, ...]:
        """Take over what comes of an event, and return its effects; a refused event changes nothing."""
        history = self._history
        step = advance(history.session, event)
        if not any(isinstance(effect, Refused) for effect in step.effects):
            self._set(history=history.then(step.session, event, by_hand=by_hand), stopped="")
            self._carry_out(step)
        return step.effects

    def _carry_out(self, step: Step) -> None:
        for effect in step.effects:
            self._note(effect)
            if isinstance(effect, AskEndpoint):
                self._ask(effect)

    def _ask_again(self, session: Session) -> None:
        """The session was replaced: the request that is on its way still counts if it is the one that waits now."""
        if session.pending is None or session.pending != self._asked:
            self._ticket += 1
            if session.pending is not None and self._asking is not None:
                self._note(session.pending)
                self._ask(session.pending)

    def _ask(self, request: AskEndpoint) -> None:
        if self._asking is None:
            return
        self._ticket += 1
        self._asked = request
        ticket, started = self._ticket, self._timer()
        call = call_of(request, request.data)

        def answered(answer: Answer) -> None:
            with self._changed:
                if ticket == self._ticket:
                    self._log_answer(answer, (self._timer() - started) * 1000)
                    self._tell(call, self._advanced(answer, by_hand=False))

        self._asking.ask(call, answered)

    def _tell(self, call: Call, effects: tuple[Effect, ...]) -> None:
        """Report to the endpoint, as a client does, what was wrong with its answer."""
        broken = next((effect for effect in effects if isinstance(effect, Broken)), None)
        notice = None if broken is None else notice_of(call, broken)
        if notice is None or self._asking is None:
            return
        self._add_line("request", f"Notification of {notice.error}", notice.data)
        started = self._timer()

        def answered(answer: Answer) -> None:
            with self._changed:
                self._log_answer(answer, (self._timer() - started) * 1000)

        self._asking.ask(notice, answered)

    def _log_answer(self, answer: Answer, duration_ms: float | None) -> None:
        if answer.failure:
            text, detail = f"No answer: {answer.failure}", answer.message or None
        else:
            text, detail = _answer_text(answer.content), answer.content
        self._add_line("answer", text, detail, duration_ms=duration_ms)

    def _note(self, effect: Effect) -> None:
        """A line of the log for what the player asks for, except that an event is refused."""
        if isinstance(effect, AskEndpoint):
            of = f" of {effect.screen}" if effect.screen else ""
            detail = {"action": effect.action, "screen": effect.screen, "data": effect.data}
            self._add_line("request", f"{effect.action}{of}", detail)
        elif isinstance(effect, OpenUrl):
            self._add_line("open_url", effect.url, {"url": effect.url, "path": effect.path})
        elif isinstance(effect, Complete):
            text = "The Flow is complete." if effect.sent else "The Flow closes without a message."
            self._add_line("complete", text, effect.payload)
        elif isinstance(effect, Snackbar):
            self._add_line("snackbar", effect.text)
        elif isinstance(effect, Broken):
            found = {"key": effect.key, "path": effect.path, "closed": effect.closed}
            self._add_line("broken", effect.message, found)


def _answer_text(content: Any) -> str:
    screen = content.get("screen") if isinstance(content, Mapping) else None
    return f"Screen {screen}" if isinstance(screen, str) else "An answer without a screen"
