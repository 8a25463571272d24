"""
A walk through a Flow that finds its own way, from the first screen to an end.

On each screen, the fields that are not valid get values that fit; then each way to leave is tried, the Footer first.
Where none is open, other options are chosen and other values entered, those first that conditions depend on. A session
is a frozen value, so going back to try another way is to go on with an earlier one.

Everything is decided by `start`, `advance` and `view`; here are guesses, an order in which they are tried, and limits.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

from .._dataclasses import dataclass
from .._flow_facts import FlowSource
from .._wire import check_count
from ..signatures import AppSecrets
from ._asking import asker_for
from ._branch_values import BranchValues, branch_values
from ._events import Complete, Tap
from ._exchange import TIME_LIMIT, Endpoint, PublicKey
from ._filling import filled, left, variations
from ._flow import PlayedFlow, read_flow
from ._outcome import REASONS, Outcome, Reason, SeenScreen
from ._session import Session, Step
from ._start import start
from ._steps import Ask, OutOfStepsError, Steps, Stopped, UnansweredError
from ._summary import summary
from ._values import Node, View

_MAX_STEPS: Final = 3_000
"""Events of one walk, on all attempts together."""
_MAX_FILLINGS: Final = 8
"""Fillings of one visit that differ in the answers to their requests."""
_MAX_VISITS: Final = 12
"""Visits of one screen, on all attempts together."""

# What makes a value valid, of all fields, by the names in Flow JSON.
_LIMITS: Final = (
    "pattern", "min-chars", "max-chars", "max-length", "min-date", "max-date", "unavailable-dates", "include-days",
    "min-days", "max-days", "data-source", "min-selected-items", "max-selected-items", "min-uploaded-photos",
    "min-uploaded-documents",
)  # fmt: skip


def autoplay(
    flow: FlowSource | PlayedFlow,
    *,
    screen: str | None = None,
    data: Mapping[str, Any] | None = None,
    endpoint: Endpoint | None = None,
    flow_token: str = "test",  # noqa: S107 - no secret: it stands in for the token of a message
    today: date | None = None,
    public_key: PublicKey | None = None,
    app_secret: AppSecrets | None = None,
    time_limit: float = TIME_LIMIT,
    max_steps: int = _MAX_STEPS,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """
    Play a Flow without a user: fill in what is required, and tap on until it ends.

        outcome = autoplay("booking.json")
        assert outcome, outcome.explanation

    The values are made up, the same in every run on the same day. Where a screen cannot be left, or leads to a dead
    end, other values, options and ways are tried, at most `max_steps` events in all. `screen`, `data`, `endpoint`,
    `flow_token`, `today`, `public_key`, `app_secret` and `time_limit` are those of `FlowPlayer`.

    Without an endpoint, requests are answered with the examples of the data models, along the routing model, and with
    SUCCESS on a terminal screen. With one, it is asked for each way that is tried, until it gives no answer that can be
    used, in at most `time_limit` seconds each. A second of waiting for it, by `clock`, counts as ten events: all its
    answers together may take about five minutes. What it raises is no exception here, but the reason `endpoint-failed`.

    Raises `ConfigurationError` for a Flow JSON that cannot be read, and for what is no endpoint.
    """
    played = read_flow(flow)
    check_count("max_steps", max_steps)
    with asker_for(endpoint, played, public_key=public_key, app_secret=app_secret, time_limit=time_limit) as ask:
        init = ask is not None and ask.opens and screen is None and data is None
        first = start(played, screen, data, flow_token, today, init=init)
        return _Walk(first, ask, max_steps, clock).outcome()


@dataclass(frozen=True, slots=True)
class _Position:
    """A state on the way, and the screens before it."""

    session: Session
    trail: tuple[SeenScreen, ...] = ()


@dataclass(frozen=True, slots=True)
class _Why:
    """Why a walk came to no end, and the JSON pointer of the place."""

    reason: Reason
    explanation: str
    path: str = ""


class _Walk:
    """One walk: what was tried so far, and what is left to try."""

    def __init__(self, first: Step, ask: Ask | None, max_steps: int, clock: Callable[[], float]) -> None:
        self._first = first
        self._max_steps = max_steps
        self._steps = Steps(ask, max_steps, self._note_stop, clock)
        self._branches: BranchValues = branch_values(first.session.flow.document)
        self._visits: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._trail: tuple[SeenScreen, ...] = ()  # the screens until the step that is being taken
        self._farthest: Outcome | None = None

    def outcome(self) -> Outcome:
        """Walk, and return what was found."""
        try:
            if (found := self._walked()) is not None:
                return found
        except OutOfStepsError:
            seconds = self._steps.waited
            waited = f", with {seconds:.0f} s of waiting for the endpoint" if seconds >= 1 else ""
            self._give_up(_Why("too-many-steps", f"No end was found within {self._max_steps:,} steps{waited}."))
        except UnansweredError:
            pass  # it is noted
        nowhere = _failed(_Why("dead-end", REASONS["dead-end"]), self._first.session, self._trail)
        return nowhere if self._farthest is None else self._farthest

    def _walked(self) -> Outcome | None:
        """Depth first: the stack holds, for each position on the way, the positions that it leads to."""
        stack: list[Iterator[_Position]] = [map(_Position, self._steps.answered(self._first))]
        while stack:
            position = next(stack[-1], None)
            if position is None:
                stack.pop()
            elif isinstance(position.session.end, Complete):
                return _completed(position, position.session.end)
            elif self._is_new(position.session):
                stack.append(self._ways_on(position))
        return None

    def _is_new(self, session: Session) -> bool:
        """Whether this state was not reached before, and its screen not too often."""
        state = _state(session)
        if state in self._seen or self._visits[session.screen] == _MAX_VISITS:
            return False
        self._seen.add(state)
        self._visits[session.screen] += 1
        return True

    def _ways_on(self, position: _Position) -> Iterator[_Position]:
        """The positions after each way to leave the screen; in the end, a note of why there are no more."""
        screen = position.session.screen
        trail = (*position.trail, SeenScreen(view=self._steps.view(position.session)))
        self._trail = trail
        found = elsewhere = False
        for number, ready in enumerate(self._entries(position.session)):
            if number == 0 and not left(ready, screen):
                trail = (*position.trail, SeenScreen(view=self._steps.view(ready)))
            ways = iter((_Position(ready, trail),)) if left(ready, screen) else self._ways_off(ready, position.trail)
            for after in ways:
                found, elsewhere = True, elsewhere or left(after.session, screen)
                yield after
            self._trail = trail
        self._note(
            _why_no_further(position.session, trail[-1].view, found=found, elsewhere=elsewhere), position.session, trail
        )

    def _entries(self, session: Session) -> Iterator[Session]:
        """The filled screen, and after all its ways were tried, the same with other answers and other entries."""
        base = None
        for ready in islice(filled(self._steps, session), _MAX_FILLINGS):
            base = base or ready
            yield ready
        if base is not None and not left(base, session.screen):
            yield from variations(self._steps, base, self._branches)

    def _ways_off(self, session: Session, before: tuple[SeenScreen, ...]) -> Iterator[_Position]:
        """The positions after each tap that a filled screen offers."""
        shown = self._steps.view(session)
        for tap, text in _exits(shown):
            self._trail = trail = (*before, SeenScreen(view=shown, tapped=text))
            for after in self._steps.after(session, tap):
                yield _Position(after, trail)
                self._trail = trail

    # -- why not

    def _note_stop(self, stopped: Stopped) -> None:
        broken = stopped.broken
        reason: Reason = "endpoint-failed" if stopped.unanswered else "refused"
        if not stopped.session.history and broken.key == "no-such-screen":
            reason = "no-screen"
        elif broken.key == "unplayable":
            reason = "unplayable"
        self._note(_Why(reason, broken.message, broken.path), stopped.session, self._trail)

    def _note(self, why: _Why, session: Session, trail: tuple[SeenScreen, ...]) -> None:
        """Keep the first of the failures that passed most screens."""
        if self._farthest is None or len(trail) > len(self._farthest.screens):
            self._farthest = _failed(why, session, trail)

    def _give_up(self, why: _Why) -> None:
        """Keep how far it came, with another reason."""
        before = self._farthest
        session, trail = (self._first.session, self._trail) if before is None else (before.session, before.screens)
        self._farthest = _failed(why, session, trail)


def _failed(why: _Why, session: Session, trail: tuple[SeenScreen, ...]) -> Outcome:
    return Outcome(reason=why.reason, explanation=why.explanation, path=why.path, screens=trail, session=session)


def _completed(position: _Position, end: Complete) -> Outcome:
    return Outcome(
        completed=end.payload,
        sent=end.sent,
        summary=summary(position.session),
        screens=position.trail,
        session=position.session,
    )


def _exits(shown: View) -> Iterator[tuple[Tap, str]]:
    """What can be tapped, with its text: the Footer first."""
    if shown.loading:
        return
    if shown.footer is not None and shown.footer.shown and shown.footer.enabled:
        yield Tap(shown.footer.path), str(shown.footer.props.get("label", ""))
    for node in shown.nodes:
        if node.shown and node.enabled:
            yield from _taps(node)


def _taps(node: Node) -> Iterator[tuple[Tap, str]]:
    match node.kind:
        case "NavigationList":
            items = node.props.get("list-items")
            for item in items if isinstance(items, (list, tuple)) else ():
                if isinstance(item, Mapping) and item.get("enabled") is not False:
                    content = item.get("main-content")
                    title = content.get("title", "") if isinstance(content, Mapping) else ""
                    yield Tap(node.path, str(item.get("id", ""))), str(title)
        case "EmbeddedLink":
            yield Tap(node.path), str(node.props.get("text", ""))
        case "OptIn":
            yield Tap(node.path), str(node.props.get("label", ""))


def _why_no_further(session: Session, shown: View, *, found: bool, elsewhere: bool) -> _Why:
    """Why a screen is not left: `found` says whether something was tapped, `elsewhere` whether it led elsewhere."""
    if elsewhere:
        return _Why("going-in-circles", f"Everything on {shown.screen} leads to screens that were there before.")
    if found:
        return _Why("dead-end", f"What can be tapped on {shown.screen} leads to no other screen.")
    footer = shown.footer if shown.footer is not None and shown.footer.shown else None
    unfit = next((node for node in shown.nodes if node.shown and node.enabled and node.invalid), None)
    if unfit is not None:
        written = session.flow.screens[shown.screen].by_path[unfit.path].value
        limits = ", ".join(name for name in _LIMITS if name in written) or unfit.invalid
        named = f" {unfit.name!r}" if unfit.name else ""
        text = f"No value was found that is valid for {unfit.kind}{named} on {shown.screen}: see its {limits}."
        return _Why("no-fitting-value", text, unfit.path)
    blocking = next(_blocking(shown), None)
    if blocking is not None:
        return blocking
    if footer is not None:
        return _Why(
            "footer-disabled", f"The Footer of {shown.screen} stays disabled, whatever is entered.", footer.path
        )
    return _Why("dead-end", f"Nothing on {shown.screen} can be tapped.")


def _blocking(shown: View) -> Iterator[_Why]:
    """What of a screen cannot be drawn as a client would."""
    for path, issues in (("", shown.issues), *((node.path, node.issues) for node in shown.nodes if node.shown)):
        for issue in issues:
            if issue.blocking:
                yield _Why("unplayable", f"{shown.screen} cannot be played: {issue.text}", path)


def _state(session: Session) -> str:
    """What decides how it goes on: the screen, and what all screens hold."""
    screens = {name: (state.data, state.form, state.refused) for name, state in session.screens.items()}
    return json.dumps((session.screen, screens), default=_plain, sort_keys=True)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else repr(value)
