"""Small Flows for the tests of the player, and the shortest way to play them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from whatsapp_flows.play import AskEndpoint, Effect, Event, PlayedFlow, Session, Step, advance, read_flow, start

TODAY: Final = date(2026, 3, 4)
TEXT: Final = {"type": "string", "__example__": "x"}
NUMBER: Final = {"type": "number", "__example__": 1}
OPTIONS: Final = [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}, {"id": "c", "title": "C"}]
LIST: Final = {
    "type": "array",
    "items": {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}},
    "__example__": OPTIONS,
}


def flow(*screens: Mapping[str, Any], version: str = "7.3", **more: Any) -> PlayedFlow:
    """A Flow of these screens."""
    return read_flow({"version": version, **more, "screens": list(screens)})


def with_endpoint(*screens: Mapping[str, Any], routes: Mapping[str, Any], version: str = "7.3") -> PlayedFlow:
    """A Flow with an endpoint and this routing model."""
    return flow(*screens, version=version, data_api_version="3.0", routing_model=routes)


def screen(name: str, *children: Any, **more: Any) -> dict[str, Any]:
    """A screen with these components."""
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"id": name, "title": name, **more, "layout": layout}


def field(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """A component with a name and a label."""
    return {"type": kind, "name": name, "label": name, **more}


def footer(action: Mapping[str, Any]) -> dict[str, Any]:
    """A Footer with an action."""
    return {"type": "Footer", "label": "Go", "on-click-action": dict(action)}


def navigate(target: str, **payload: Any) -> dict[str, Any]:
    return {"name": "navigate", "next": {"type": "screen", "name": target}, "payload": payload}


def complete(**payload: Any) -> dict[str, Any]:
    return {"name": "complete", "payload": payload}


def exchange(**payload: Any) -> dict[str, Any]:
    return {"name": "data_exchange", "payload": payload}


def update(**payload: Any) -> dict[str, Any]:
    return {"name": "update_data", "payload": payload}


def opened(played: PlayedFlow, name: str | None = None, **more: Any) -> Session:
    """A session of a Flow that opens."""
    step = start(played, name, today=TODAY, **more)
    assert step.session.end is None, step.effects
    return step.session


def at(session: Session, found: str) -> str:
    """The path of the component of the current screen with a name, or of the first one of a kind."""
    components = session.flow.screens[session.screen].layout.components
    return next(each.path for each in components if found in (each.name, each.kind))


def played(session: Session, *events: Event) -> Step:
    """The session after some events, and the effects of all of them. None of them is refused."""
    effects: list[Effect] = []
    for event in events:
        step = advance(session, event)
        assert not [each for each in step.effects if type(each).__name__ == "Refused"], step.effects
        session, effects = step.session, [*effects, *step.effects]
    return Step(session, tuple(effects))


def asked(step: Step) -> AskEndpoint:
    """The one request of a step."""
    (request,) = [each for each in step.effects if isinstance(each, AskEndpoint)]
    return request
