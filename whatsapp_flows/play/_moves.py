"""Which moves of an endpoint's answer a client accepts."""

from __future__ import annotations

from .._wire import short_repr
from ._session import Session


def refused_move(session: Session, target: str, action: str) -> str:
    """
    Why a client does not go to the screen of an answer, or an empty text.

    Allowed are a route of the routing model in either direction, the same screen (but not from one with a
    NavigationList), and an earlier screen with `refresh_on_back`; for INIT, a screen to which no route leads
    (move.answer).
    """
    flow, here = session.flow, session.screen
    if target not in flow.facts.screens:
        return flow.facts.unknown_screen(target)
    if target not in flow.index.routes:
        return f"Screen {target!r} is no key of the routing model."
    if action == "INIT" or not here:
        entry = target in flow.index.unreached
        return "" if entry else f"A Flow cannot open at {target!r}: other screens lead to it."
    screen = flow.screens[here]
    if target == here:
        if screen.has_navigation_list:
            return f"An answer to a NavigationList cannot stay on its screen, {short_repr(here)}."
        return ""
    if flow.leads(here, target) or flow.leads(target, here):
        return ""
    if target in session.history and flow.screens[target].facts.refresh_on_back:
        return ""
    model = "The routing model leads" if flow.facts.routes is not None else "The navigate actions lead"
    return f"{model} neither from {short_repr(here)} to {target!r} nor back."
