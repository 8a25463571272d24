"""
The actions of components: go on, ask the endpoint, finish, change the screen's data, open a web page.

The values of a payload are texts, numbers, booleans, lists, objects, and references: `{"age": age, "source": "web"}`.
Source: Meta, Flow JSON reference ("Actions").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._base import Action, given


class Navigate(Action):
    """Go to another screen; `payload` is that screen's data. `screen` is the id of the screen, or the `Screen`."""

    def __init__(self, screen: Any, payload: Mapping[str, Any] | None = None, *, type: str = "screen") -> None:
        self.properties = given({"name": "navigate", "next": {"type": type, "name": screen}, "payload": payload})


class DataExchange(Action):
    """Send `payload` to the endpoint, whose answer decides what follows."""

    def __init__(self, payload: Mapping[str, Any] | None = None) -> None:
        self.properties = (
            {"name": "data_exchange"} if payload is None else {"name": "data_exchange", "payload": payload}
        )


class Complete(Action):
    """End the Flow; `payload` is the answer that the business gets. On a terminal screen only."""

    def __init__(self, payload: Mapping[str, Any] | None = None) -> None:
        self.properties = given({"name": "complete", "payload": payload})


class UpdateData(Action):
    """Change fields of the screen's own data. From 6.0 on."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.properties = {"name": "update_data", "payload": payload}


class OpenUrl(Action):
    """Open a web page. From 6.0 on, of an EmbeddedLink and an OptIn."""

    def __init__(self, url: str) -> None:
        self.properties = {"name": "open_url", "url": url}
