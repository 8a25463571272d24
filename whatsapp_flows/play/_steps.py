"""
The steps of an automatic walk: an event, and the answers to the requests that it causes, within a limit.

`advance` decides; here the endpoint, or the examples in its place, are asked, and steps are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from .._dataclasses import dataclass
from ._advance import advance
from ._events import Answer, AskEndpoint, Broken, Event, Refused
from ._example_answers import example_answers
from ._session import Session, Step
from ._values import View
from ._view import view

_MAX_REQUESTS: Final = 4
"""Requests in a row without an event of the user between them."""
_MAX_ANSWERS: Final = 10
"""Answers that are tried for one request, without an endpoint. Meta, Flow JSON reference: a screen leads to 10."""

_COMPONENTS: Final = 50
"""Meta, Flow JSON reference: the most that a screen has."""
_PER_STEP: Final = 5
"""Components for which a step counts on a screen with more: each step looks at all of them."""
_PER_SECOND: Final = 10
"""Steps for which a second of waiting for the endpoint counts. Our limit: a walk has an end if each answer is slow."""

Ask = Callable[[AskEndpoint], Answer]
"""What gives the endpoint's answer to a request."""


class OutOfStepsError(Exception):
    """All steps were taken."""


class UnansweredError(Exception):
    """The endpoint gives no answer that can be used: asking it for other ways too would take its time limit each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What a client refused on the way: the session after it, and whether the endpoint gave no answer to use."""

    session: Session
    broken: Broken
    unanswered: bool


class Steps:
    """Takes steps, `limit` of them. `stopped` is told of each way that a client would not go on."""

    def __init__(
        self, ask: Ask | None, limit: int, stopped: Callable[[Stopped], None], clock: Callable[[], float]
    ) -> None:
        self.waited = 0.0  # seconds, for the endpoint
        self._ask = ask
        self._limit = limit
        self._taken = 0
        self._stopped = stopped
        self._clock = clock
        self._viewed: tuple[Session, View] | None = None

    @property
    def asks(self) -> bool:
        """Whether an endpoint is asked."""
        return self._ask is not None

    def view(self, session: Session) -> View:
        """What the user sees; of the same session twice in a row, the same value."""
        if self._viewed is None or self._viewed[0] is not session:
            self._viewed = (session, view(session))
        return self._viewed[1]

    def after(self, session: Session, event: Event) -> Iterator[Session]:
        """
        The sessions after an event, when all requests have been answered: one, or one for each answer that is tried.

        None if the event is impossible.
        """
        step = self._step(session, event)
        if not any(isinstance(effect, Refused) for effect in step.effects):
            yield from self.answered(step)

    def answered(self, step: Step, rounds: int = _MAX_REQUESTS, *, unanswered: bool = False) -> Iterator[Session]:
        """The sessions after a step, when all requests have been answered."""
        session = step.session
        broken = next((effect for effect in step.effects if isinstance(effect, Broken)), None)
        if broken is not None:
            self._stopped(Stopped(session=session, broken=broken, unanswered=unanswered))
            if unanswered:
                raise UnansweredError
        if session.pending is None:
            if not isinstance(session.end, Broken):  # the user stays where they are
                yield session
        elif rounds > 0:
            for answer in self._answers(session):
                yield from self.answered(self._step(session, answer), rounds - 1, unanswered=bool(answer.failure))

    def _step(self, session: Session, event: Event) -> Step:
        if self._taken + self.waited * _PER_SECOND >= self._limit:
            raise OutOfStepsError
        screen = session.flow.screens.get(session.screen)
        components = 0 if screen is None else len(screen.layout.components)
        self._taken += 1 if components <= _COMPONENTS else components // _PER_STEP
        return advance(session, event)

    def _answers(self, session: Session) -> Iterator[Answer]:
        request = session.pending
        if request is not None and self._ask is not None:
            began = self._clock()
            answer = self._ask(request)
            self.waited += self._clock() - began
            yield answer
        elif request is not None:
            for content in islice(example_answers(session), _MAX_ANSWERS):
                yield Answer(number=request.number, content=content)
