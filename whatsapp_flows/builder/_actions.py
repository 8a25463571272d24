"""
The actions of components: go on, ask the endpoint, finish, change the screen's data, open a web page.

The values of a payload are texts, numbers, booleans, lists, objects, and references: `{"age": age, "source": "web"}`.
Source: Meta, Flow JSON reference ("Actions").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .._wire import short_repr
from ._base import Action, Raw, keyed
from ._errors import FlowBuildError
from ._expressions import Expr


class Target(Protocol):
    """A `Screen`, as far as an action needs it."""

    id: str


class Navigate(Action):
    """Go to another screen; `payload` is that screen's data. `screen` is the id of the screen, or the `Screen`."""

    __slots__ = ()

    def __init__(
        self, screen: str | Target | Raw, payload: Mapping[str, Any] | Raw | None = None, *, type: str = "screen"
    ) -> None:
        name = screen if isinstance(screen, (str, Raw)) else getattr(screen, "id", None)
        if not isinstance(name, (str, Raw)):
            raise FlowBuildError(f"Navigate takes the id of a screen, or a Screen, not {short_repr(screen)}.")
        self.properties = {"name": "navigate", "next": {"type": type, "name": name}}
        if payload is not None:
            self.properties["payload"] = _payload(payload)

    def __repr__(self) -> str:
        return f"Navigate({short_repr(self.properties['next']['name'])})"


class DataExchange(Action):
    """Send `payload` to the endpoint, whose answer decides what follows."""

    __slots__ = ()

    def __init__(self, payload: Mapping[str, Any] | Raw | None = None) -> None:
        self.properties = {"name": "data_exchange"}
        if payload is not None:
            self.properties["payload"] = _payload(payload)


class Complete(Action):
    """End the Flow; `payload` is the answer that the business gets. On a terminal screen only."""

    __slots__ = ()

    def __init__(self, payload: Mapping[str, Any] | Raw | None = None) -> None:
        self.properties = {"name": "complete"}
        if payload is not None:
            self.properties["payload"] = _payload(payload)


class UpdateData(Action):
    """Change fields of the screen's own data. From 6.0 on."""

    __slots__ = ()

    def __init__(self, payload: Mapping[str, Any] | Raw) -> None:
        self.properties = {"name": "update_data", "payload": _payload(payload)}


class OpenUrl(Action):
    """Open a web page. From 6.0 on, of an EmbeddedLink and an OptIn."""

    __slots__ = ()

    def __init__(self, url: str | Expr[str] | Raw) -> None:
        if not isinstance(url, (str, Expr, Raw)):
            raise FlowBuildError(f"OpenUrl takes a URL as a text, not {short_repr(url)}.")
        self.properties = {"name": "open_url", "url": url}


def _payload(payload: Any) -> Mapping[str, Any] | Raw:
    if type(payload) is dict or isinstance(payload, (Mapping, Raw)):
        return keyed(payload)
    raise FlowBuildError(f'a payload is a dict, such as {{"name": name}}, not {short_repr(payload)}.')
