"""How a session begins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from .._answer_check import data_problems, image_problems, listed
from .._flow_facts import FlowSource
from ..errors import ConfigurationError
from ._actions import NO_SCREEN, enter
from ._flow import PlayedFlow, read_flow
from ._owned import owned
from ._session import Opening, Session, Step
from ._update import Update


def start(
    flow: FlowSource | PlayedFlow,
    screen: str | None = None,
    data: Mapping[str, Any] | None = None,
    flow_token: str = "preview",  # noqa: S107 - no secret: it stands in for the token of a message
    today: date | None = None,
    *,
    init: bool = False,
) -> Step:
    """
    Open a Flow.

    `flow` is a Flow JSON (a path, a mapping, text or bytes), or a `PlayedFlow`, which is read once for many sessions.
    `screen` is the id of the screen to open, the first one to which no other leads if it is not given. `data` is the
    data for it, each `__example__` of its data model if it is not given. `flow_token` stands in the requests and in
    the message at the end. `today` is the day on which the Flow is played, the current date if it is not given.

    `init`: the endpoint decides about the screen: there is none yet, and the effect is an `AskEndpoint` for INIT.

    A screen that does not exist, or data that does not fit, gives a session that has ended, and the effect `Broken`.
    Raises `ConfigurationError` for a Flow JSON that cannot be read, data that is no JSON, or another argument of a
    wrong type.
    """
    _require_type("screen", screen, str | None, "a text or None")
    _require_type("flow_token", flow_token, str, "a text")
    _require_type("today", today, date | None, "a date or None")
    played = read_flow(flow)
    own = None if data is None else _own(data)
    opening = Opening(screen=screen, data=own, init=init)
    day = today.date() if isinstance(today, datetime) else today or date.today()
    session = Session(flow=played, opening=opening, flow_token=flow_token, today=day)
    update = Update(session)
    if init:
        update.ask("INIT", {})
        return update.step()
    target = screen if screen is not None else next(iter(played.entries), None)
    if target is None or target not in played.screens:
        message = "The Flow has no screens." if target is None else played.facts.unknown_screen(target)
        update.broken(NO_SCREEN, message, "/screens")
        return update.step()
    facts = played.screens[target].facts
    if own is not None:
        for problem in listed([*data_problems(played.facts, facts, own), *image_problems(facts, own)]):
            update.broken(problem.key, problem.message, problem.path)
    if update.session.end is None:
        enter(update, target, played.screens[target].examples if own is None else own)
    return update.step()


def _require_type(argument: str, value: object, expected: Any, named: str) -> None:
    if not isinstance(value, expected):
        raise ConfigurationError(f"{argument} must be {named}, not {type(value).__name__}.")


def _own(data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that nobody changes later."""
    _require_type("data", data, Mapping, "a mapping")
    try:
        copied: dict[str, Any] = owned(dict(data))
    except ValueError as exc:
        reason = str(exc)
    else:
        return copied
    raise ConfigurationError(f"data is no JSON object: {reason}.")
