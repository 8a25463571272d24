"""What a writer needs of a screen: its properties, its components, its fields and inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._wire import short_repr
from ._base import Component, Data, Reference
from ._errors import FlowBuildError, instead
from ._walk import inner_components

MAX_DEPTH: Final = 100
"""Components within components. Our limit: one may have been put into itself."""


class Layout:
    """The components of a screen, at their place in its JSON."""

    __slots__ = ("children",)

    def __init__(self, children: Sequence[Any]) -> None:
        self.children = children


class Model:
    """The fields of a screen, at their place in its JSON."""

    __slots__ = ("fields",)

    def __init__(self, fields: Sequence[Any]) -> None:
        self.fields = fields

    def json(self) -> dict[str, Any]:
        """The data model. Raises `FlowBuildError` for what is no field, and two of a name."""
        model: dict[str, Any] = {}
        for field in self.fields:
            if not isinstance(field, Data):
                raise FlowBuildError(f"data is a list of Data, not of {short_repr(field)}{instead(field)}.")
            if field.name in model:
                raise FlowBuildError(f"two fields of data are called {field.name!r}.")
            model[field.name] = field.model()
        return model


class ScreenParts:
    """What is needed of a screen."""

    id: str
    data: tuple[Any, ...]
    children: tuple[Any, ...] | None

    def entries(self) -> Mapping[str, Any]:
        """The properties by their names in Flow JSON."""
        raise NotImplementedError


def owners(screen: ScreenParts) -> list[Reference[Any]]:
    """The fields and the inputs of a screen, the last input first: what a reference may belong to."""
    found: list[Reference[Any]] = [field for field in screen.data if isinstance(field, Data)]
    _add_inputs(found, screen.children or (), 0)
    return found


def _add_inputs(found: list[Reference[Any]], components: Sequence[Any], depth: int) -> None:
    for component in reversed(components):
        if isinstance(component, Reference):
            found.append(component)
        elif isinstance(component, Component) and component.holds and depth < MAX_DEPTH:
            _add_inputs(found, list(inner_components(component)), depth + 1)
