"""What an answer is checked against, read once: the screens of a Flow, their data models, the routes, the images."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from . import flow_json
from ._dataclasses import dataclass, field
from ._wire import short_repr
from .errors import ConfigurationError

FlowSource = Mapping[str, Any] | str | bytes | os.PathLike[str]
"""A Flow JSON: a mapping, its text (begins with a brace), its bytes in UTF-8, or a path."""

FINISH: Final = "SUCCESS"
"""The reserved name with which an answer ends the Flow. Source: Meta, "Implementing Endpoint for Flows"."""

TAKEN_OUT: Final = frozenset({"error_message", "extension_message_response"})
"""The client takes these keys out of `data` before it checks the rest (observed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenFacts:
    """
    One screen: the fields that its data has to have, by name (JSON schemas; None: it has no data model), and where
    images stand.

    `plain` is a fast check of the whole data, if the model allows one. `refresh_on_back`: leaving the screen with the
    back button sends a BACK request.
    """

    model: Mapping[str, Any] | None = field(repr=False)
    plain: flow_json.PlainSchema | None = field(repr=False)
    images: tuple[flow_json.ImagePlace, ...] = field(repr=False)
    refresh_on_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFacts:
    """
    A Flow JSON, read once for many answers: `FlowFacts.read("booking.json")`.

    `routes` is the routing model, screen -> the screens that it leads to; None if the Flow has none, which is a Flow
    without an endpoint. `entries` are its screens to which no other leads.
    """

    screens: Mapping[str, ScreenFacts]
    routes: Mapping[str, frozenset[str]] | None
    entries: frozenset[str]

    @classmethod
    def read(cls, flow: FlowSource | FlowFacts) -> FlowFacts:
        """
        The facts of a path, a mapping, a text or bytes; those that are read already as they are.

        The Flow JSON is not validated. Raises `ConfigurationError` if it cannot be read or has no screen.
        """
        return flow if isinstance(flow, FlowFacts) else _read(flow)

    def require_screen(self, name: str) -> None:
        """Raise `ConfigurationError`, with the nearest name, unless the Flow has this screen."""
        if name not in self.screens:
            raise ConfigurationError(self.unknown_screen(name))

    def unknown_screen(self, name: str) -> str:
        """The sentence about a screen that the Flow does not have."""
        hint = flow_json.did_you_mean(name, tuple(self.screens))
        return f"The Flow has no screen {short_repr(name)}.{hint}"

    def leads(self, source: str, target: str) -> bool:
        """Whether the routing model has an edge from one screen to another."""
        return self.routes is not None and target in self.routes.get(source, ())


def _read(flow: FlowSource) -> FlowFacts:
    facts = facts_of(flow_document(flow))
    if not facts.screens:
        raise ConfigurationError("flow has no screens: pass the Flow JSON that the endpoint answers.")
    return facts


def flow_document(flow: FlowSource) -> dict[str, Any]:
    """The parsed Flow JSON. Raises `ConfigurationError` if it cannot be read."""
    source = Path(flow) if isinstance(flow, str) and not flow.lstrip("\ufeff \t\r\n").startswith("{") else flow
    document: dict[str, Any] = json.loads(flow_json.read_flow_json(source, argument="flow"))
    return document


def facts_of(document: dict[str, Any]) -> FlowFacts:
    """The facts of a parsed Flow JSON, whatever is in it; of several screens with one id, those of the first."""
    images: dict[str, list[flow_json.ImagePlace]] = {}
    for place in flow_json.image_places(document):
        images.setdefault(place.screen, []).append(place)
    found = document.get("screens")
    screens: dict[str, ScreenFacts] = {}
    for screen in found if isinstance(found, list) else ():
        name = screen.get("id") if isinstance(screen, dict) else None
        if isinstance(name, str) and name and name not in screens:
            screens[name] = screen_facts(screen, tuple(images.get(name, ())))
    routes = _routes(document.get("routing_model"))
    reached = frozenset[str]().union(*routes.values()) if routes else frozenset[str]()
    return FlowFacts(screens=screens, routes=routes, entries=frozenset(routes or ()) - reached)


def screen_facts(screen: Mapping[str, Any], images: tuple[flow_json.ImagePlace, ...] = ()) -> ScreenFacts:
    """The facts of one screen, whatever is in it."""
    model = flow_json.data_model(screen.get("data"))
    fields = {name: schema for name, schema in (model or {}).items() if name not in TAKEN_OUT}
    whole = {"type": "object", "properties": fields, "required": list(fields)}
    return ScreenFacts(
        model=None if model is None else fields,
        plain=None if model is None else flow_json.plain_schema(whole),
        images=images,
        refresh_on_back=screen.get("refresh_on_back") is True,
    )


def _routes(model: Any) -> dict[str, frozenset[str]] | None:
    if not isinstance(model, dict):
        return None
    return {
        source: frozenset(each for each in (targets if isinstance(targets, list) else ()) if isinstance(each, str))
        for source, targets in model.items()
    }
