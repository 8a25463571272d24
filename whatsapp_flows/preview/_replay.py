"""
What the user did, done again on a changed document.

Rule 1: a component is found again by its screen and its name; without a name by its type and its number among those of
that type. So a text that is inserted above a field does not move what was typed.
Rule 2: the replay stops at the first step that is no longer possible, and says which one and why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..play import Answer, Back, Broken, Event, PlayedFlow, Refused, Session, Step, advance, start
from ._history import History


class Address(NamedTuple):
    """
    A component by the id of its screen and its name; without a name, by its type.

    Several that are alike, such as those in two branches, are numbered.
    """

    screen: str
    name: str
    kind: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`stopped` says where the replay stopped and why; it is empty if every step was possible."""

    history: History
    steps: int
    stopped: str = ""


def replay(flow: PlayedFlow, played: Session, *, by_hand: bool) -> Replay:
    """The events of a session on another document. `by_hand`: the answers in it were given by the user."""
    first = _started(flow, played)
    if played.opening.screen is not None and not first.session.history:
        reopened = start(flow, flow_token=played.flow_token, today=played.today, init=played.opening.init)
        stopped = f"{_unopened(flow, played.opening.screen, first.session)} The Flow was opened anew."
        return Replay(history=History(session=reopened.session), steps=0, stopped=stopped)
    history = History(session=first.session)
    old, new = addresses(played.flow), {address: path for path, address in addresses(flow).items()}
    for number, event in enumerate(played.events):
        moved = _relocated(event, old, new)
        step = None if moved is None else advance(history.session, moved)
        refused = _refusal(step)
        if step is None or moved is None or refused is not None:
            stopped = f"Stopped at step {number + 1} of {len(played.events)} ({_named(event, old)}): {refused}"
            return Replay(history=history, steps=number, stopped=stopped)
        history = history.then(step.session, moved, by_hand=by_hand)
    return Replay(history=history, steps=len(played.events))


def _started(flow: PlayedFlow, played: Session) -> Step:
    opening = played.opening
    return start(
        flow, opening.screen, opening.data, flow_token=played.flow_token, today=played.today, init=opening.init
    )


def _unopened(flow: PlayedFlow, screen: str, session: Session) -> str:
    """Why the Flow does not open on the screen that it was opened on before."""
    if isinstance(session.end, Broken) and screen in flow.screens:
        return session.end.message
    return f"There is no screen {screen} any more."


def _refusal(step: Step | None) -> str | None:
    if step is None:
        return "the component is not there any more."
    return next((effect.message for effect in step.effects if isinstance(effect, Refused)), None)


def _relocated(event: Event, old: dict[str, Address], new: dict[Address, str]) -> Event | None:
    """The event with the path that its component has now; None if the component is gone."""
    if isinstance(event, (Answer, Back)):
        return event
    address = old.get(event.path)
    path = event.path if address is None else new.get(address)
    return None if path is None else replace(event, path=path)


def _named(event: Event, old: dict[str, Address]) -> str:
    """What the user did, in words, without what was entered."""
    kind = type(event).__name__.lower()
    if isinstance(event, (Answer, Back)):
        return kind
    address = old.get(event.path)
    return f"{kind} {event.path if address is None else address.name or address.kind}"


def addresses(flow: PlayedFlow) -> dict[str, Address]:
    """The components of a Flow, path -> address."""
    found: dict[str, Address] = {}
    for screen in flow.screens.values():
        seen: Counter[tuple[str, str]] = Counter()
        for component in screen.layout.components:
            alike = (component.name, "" if component.name else component.kind)
            found[component.path] = Address(screen.id, *alike, seen[alike])
            seen[alike] += 1
    return found
