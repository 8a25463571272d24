"""Sessions in a given state, and what their user sees: for the tests of resolving and drawing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from whatsapp_flows.play._components import Component
from whatsapp_flows.play._flow import read_flow
from whatsapp_flows.play._resolve import Resolver
from whatsapp_flows.play._session import Opening, ScreenState, Session
from whatsapp_flows.play._values import Node, View
from whatsapp_flows.play._view import view

TODAY: Final = date(2026, 11, 30)
VERSION: Final = "7.3"
CHILD: Final = "/screens/0/layout/children"
FIRST: Final = f"{CHILD}/0"
PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


def document(*children: Any, version: str = VERSION, **screen: Any) -> dict[str, Any]:
    """A Flow JSON of one screen with these components."""
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"version": version, "screens": [{"id": "START", "title": "Start", **screen, "layout": layout}]}


def session(
    *children: Any,
    version: str = VERSION,
    data: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
    touched: tuple[str, ...] = (),
    refused: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Session:
    """A session on the screen of a Flow JSON with these components. `more` are properties of the screen."""
    state = ScreenState(data=data or {}, form=form or {}, touched=frozenset(touched), refused=refused or {})
    known = {
        "history": ("START",),
        "screens": {"START": state},
        "opening": Opening(),
        "flow_token": "t",
        "today": TODAY,
    }
    flow = read_flow(document(*children, version=version, **(more or {})))
    return Session(flow=flow, **{**known, **changes})


def seen(*children: Any, **state: Any) -> View:
    """What the user sees of a screen with these components."""
    return view(session(*children, **state))


def node(component: Any, **state: Any) -> Node:
    """What the user sees of a component that is alone on its screen."""
    found = seen(component, **state).node(FIRST)
    assert found is not None
    return found


def issues(found: Node | View) -> list[str]:
    """The texts of the issues."""
    return [issue.text for issue in found.issues]


def resolver(*children: Any, **state: Any) -> tuple[Resolver, tuple[Component, ...]]:
    """The resolver of a screen with these components, and the components."""
    of = session(*children, **state)
    made = Resolver(of.flow, of.screens, "START")
    return made, made.components
