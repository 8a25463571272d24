"""What an endpoint may answer, without an endpoint: the examples of the data models, along the routing model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .._flow_facts import FINISH
from ._events import AskEndpoint
from ._session import Session

_LEADING_ON: Final = frozenset({"Footer", "EmbeddedLink", "NavigationList", "OptIn"})
"""Components whose requests lead on; a request of another is taken to ask for new data of the same screen."""


def example_answers(session: Session, *, every: bool = False) -> Iterator[dict[str, Any]]:
    """
    Answers to the pending request of a session that a client would take, the likeliest first; none without a request.

    Each is the decrypted JSON, `{"screen": ..., "data": {...}}`, with the examples of the screen's data model. A
    terminal screen ends with SUCCESS, and a message that has the flow token alone; so does a screen from which no route
    leads on. A request that the choice of an option or a date has caused gets the same screen again, also with all
    booleans of its data true; BACK the screen before, and then that which is left.

    With `every`, the unlikely ones follow, for somebody who chooses: the screens to which a route leads, SUCCESS, the
    screen that has asked, and those from which a route leads to it.
    """
    request = session.pending
    if request is None:
        return
    yield from _likely(session, request)
    if every and request.action != "INIT":
        yield from _unlikely(session, request.screen)


def _likely(session: Session, request: AskEndpoint) -> Iterator[dict[str, Any]]:
    flow = session.flow
    if request.action == "INIT":
        yield from (_examples(session, name) for name in flow.entries)
    elif request.action == "BACK":
        before = [name for name in session.history if name != request.screen][-1:]
        yield from (answer for name in (*before, request.screen) for answer in _same_screen(session, name))
    elif _cause(session, request) not in _LEADING_ON:
        yield from _same_screen(session, request.screen)
    else:
        here = flow.screens.get(request.screen)
        targets = [name for name in flow.screens if flow.leads(request.screen, name)]
        if not targets or (here is not None and here.value.get("terminal") is True):
            yield _end(session)
        yield from (_examples(session, name) for name in targets)


def _unlikely(session: Session, asking: str) -> Iterator[dict[str, Any]]:
    flow = session.flow
    yield from (_examples(session, name) for name in flow.screens if flow.leads(asking, name))
    yield _end(session)
    if asking in flow.screens and not flow.screens[asking].has_navigation_list:
        yield _examples(session, asking)
    yield from (_examples(session, name) for name in flow.screens if flow.leads(name, asking))


def _cause(session: Session, request: AskEndpoint) -> str:
    """The type of the component that has caused a request."""
    screen = session.flow.screens.get(request.screen)
    component = None if screen is None else screen.by_path.get(request.path)
    return "" if component is None else component.kind


def _same_screen(session: Session, name: str) -> Iterator[dict[str, Any]]:
    """The examples again; those with all booleans true; or what the screen has already."""
    answer = _examples(session, name)
    data = answer["data"]
    yield answer
    if any(value is False for value in data.values()):
        yield {**answer, "data": {key: True if value is False else value for key, value in data.items()}}
    held = session.screens.get(name)
    if held is not None and data:
        yield {**answer, "data": {**data, **{key: held.data[key] for key in data if key in held.data}}}


def _examples(session: Session, name: str) -> dict[str, Any]:
    screen = session.flow.screens.get(name)
    return {"screen": name, "data": {} if screen is None else dict(screen.examples)}


def _end(session: Session) -> dict[str, Any]:
    return {"screen": FINISH, "data": {"extension_message_response": {"params": {"flow_token": session.flow_token}}}}
