"""Writes a Flow's objects as JSON: how a reference is written is decided here, by where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from .. import flow_json
from .._wire import short_repr
from ._base import Action, Component, Data, Input, Item, OwnValue, Raw, Reference
from ._errors import FlowBuildError
from ._expressions import Expr, Written
from ._meaning import same_meaning
from ._text import condition_text, expression_text
from ._walk import LISTS, inner_components

_GLOBAL: Final = flow_json.Version(4, 0)
_EXPRESSIONS: Final = flow_json.Version(6, 0)
_OPENINGS: Final = frozenset({"$", "`"})
_PLAIN: Final = frozenset({bool, int, float})
MAX_DEPTH: Final = 100
"""Components within components. Our limit: one may have been put into itself."""


class ScreenParts(Protocol):
    """What is needed of a screen."""

    id: str
    data: tuple[Any, ...]
    children: tuple[Any, ...] | None


class Writer:
    """
    Writes the parts of one Flow.

    `routes` are the targets of `Navigate` by screen, and `asking` the screens with a `DataExchange`, as they are met.
    """

    def __init__(self, screens: Sequence[ScreenParts], version: flow_json.Version) -> None:
        self._version = version
        self._screen = ""
        self._inside: list[Component] = []
        self._here: set[int] = set()
        self._screens = screens
        self._all_homes: dict[int, list[str]] | None = None
        self.routes: dict[str, list[str]] = {}
        self.asking: list[str] = []

    def begin(self, screen: ScreenParts) -> None:
        """What is written from now on stands on this screen."""
        self._screen = screen.id
        self._here = {id(field) for field in screen.data}

    # -- components

    def components(self, children: Any) -> Any:
        """A list of components."""
        if isinstance(children, Raw):
            return children.value
        if not isinstance(children, (list, tuple)):
            raise FlowBuildError(f"components stand in a list, not in a {type(children).__name__}.")
        return [self.component(child) for child in children]

    def component(self, component: Any) -> Any:
        """A component, with everything in it."""
        if isinstance(component, Raw):
            return component.value
        if not isinstance(component, Component):
            raise FlowBuildError(f"a component is needed here, not {short_repr(component)}.")
        if len(self._inside) >= MAX_DEPTH:
            raise FlowBuildError("the components are nested too deeply: is one its own child?")
        self._inside.append(component)
        if isinstance(component, Input):
            self._here.add(id(component))
        written: dict[str, Any] = {}
        try:
            for key, value in component.properties.items():
                kind = type(value)
                if kind is str and key not in LISTS:
                    written[key] = _fixed(value) if value[:1] in _OPENINGS else value
                else:
                    written[key] = value if kind is bool else self._property(key, value)
        except FlowBuildError as error:
            raise _placed(error, component, self._screen) from None
        finally:
            self._inside.pop()
        return written

    def _property(self, key: str, value: Any) -> Any:
        if key in LISTS:
            return self.components(value)
        if key == "cases" and isinstance(value, Mapping):
            return {case: self.components(children) for case, children in value.items()}
        if key == "condition":
            return self._condition(value)
        return self.value(value)

    # -- values

    def value(self, value: Any) -> Any:
        """Anything but a component: a plain value as it is, an expression as its text."""
        kind = type(value)
        if kind is str:
            return _fixed(value) if value[:1] in _OPENINGS else value
        if kind is dict:
            return {key: self.value(each) for key, each in value.items()}
        if kind is list:
            return [self.value(each) for each in value]
        if kind in _PLAIN:
            return value
        return self._object(value)

    def _object(self, value: Any) -> Any:
        if isinstance(value, Reference):
            return self._reference(value)
        if isinstance(value, Item):
            return self.value(value.properties)
        if isinstance(value, Action):
            return self._action(value)
        if isinstance(value, Expr):
            return self._dynamic(value)
        if isinstance(value, Raw):
            return value.value
        if isinstance(value, Component):
            raise FlowBuildError(f"a {value.kind} has no value that could be used.")
        if isinstance(value, Mapping):
            return self.value(dict(value))
        if isinstance(value, (list, tuple)):
            return [self.value(each) for each in value]
        if isinstance(value, str):  # of a subclass, such as an enum
            return self.value(str.__str__(value))
        if isinstance(value, (int, float)):
            return value
        raise FlowBuildError(f"a {type(value).__name__} has no JSON form: {short_repr(value)}.")

    def _action(self, action: Action) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for key, value in action.properties.items():
            written[key] = self._next(value) if key == "next" else self.value(value)
        if action.properties["name"] == "data_exchange" and self._screen not in self.asking:
            self.asking.append(self._screen)
        return written

    def _next(self, following: Mapping[str, Any]) -> dict[str, Any]:
        """The target of a navigation: the id of a screen, or a `Screen`."""
        target = following["name"]
        target = getattr(target, "id", target)
        if following["type"] == "screen" and isinstance(target, str):
            self.routes.setdefault(self._screen, []).append(target)
        return {**following, "name": self.value(target)}

    # -- references and expressions

    def _dynamic(self, expression: Expr[Any]) -> str:
        if self._version < _EXPRESSIONS:
            raise FlowBuildError(f"expressions come with Flow JSON 6.0, and this Flow has {self._version}.")
        if isinstance(expression, Written):
            return _checked(self.value(expression.expression), expression.source)
        return expression_text(expression, self._reference)

    def _condition(self, condition: Any) -> Any:
        if isinstance(condition, Raw):
            return condition.value
        if isinstance(condition, Written):
            return _checked(self._condition(condition.expression), condition.source)
        return condition_text(condition, self._reference)

    def _reference(self, reference: Reference[Any]) -> str:
        """`${form.x}` on the screen of its owner, `${screen.ID.form.x}` on another."""
        if isinstance(reference, OwnValue):
            return self._own()
        if id(reference.owner) in self._here:
            return reference.local
        homes = self._homes().get(id(reference.owner), [])
        if self._screen in homes:
            return reference.local
        if not homes:
            where = "children" if reference.source == "form" else "data"
            raise FlowBuildError(f"{reference!r} is on no screen of the Flow: put it into the {where} of one.")
        if len(homes) > 1:
            raise FlowBuildError(f"{reference!r} is on several screens, {', '.join(homes)}: give each its own.")
        if self._version < _GLOBAL:
            raise FlowBuildError(
                f"{reference!r} is on screen {homes[0]}: before Flow JSON 4.0, a value of another screen is passed on "
                "in the payload of Navigate."
            )
        return f"${{screen.{homes[0]}.{reference.local[2:]}"

    def _homes(self) -> Mapping[int, Sequence[str]]:
        """
        For each field and input, by its identity: the screens that it is on.

        Needed only for what stands on another screen, or further down on this one.
        """
        if self._all_homes is None:
            self._all_homes = {}
            for screen in self._screens:
                for owner in owners(screen):
                    self._all_homes.setdefault(id(owner), []).append(screen.id)
        return self._all_homes

    def _own(self) -> str:
        """The reference to the input that is being written."""
        component = self._inside[-1] if self._inside else None
        if not isinstance(component, Input):
            raise FlowBuildError("own_value stands in the arguments of an input alone.")
        return component.local


def owners(screen: ScreenParts) -> Iterator[Reference[Any]]:
    """The fields and the inputs of a screen: what a reference may belong to."""
    for field in screen.data:
        if isinstance(field, Data):
            yield field
    ahead: list[tuple[int, Any]] = [(0, child) for child in screen.children or ()]
    while ahead:
        depth, component = ahead.pop()
        if not isinstance(component, Component) or depth > MAX_DEPTH:
            continue
        if isinstance(component, Reference):
            yield component
        ahead += [(depth + 1, child) for child in inner_components(component)]


def _fixed(text: str) -> str:
    """A text of the host's, which is not meant to be a reference."""
    if flow_json.is_dynamic(text):
        raise FlowBuildError(
            f"{short_repr(text)} is a reference as a text: pass the Data or the input itself, text(...) for an "
            "expression, or Raw(...) to write it as it is."
        )
    return text


def _checked(own: str, source: str) -> str:
    """The text that `written_as` gave, if it says the same as our own."""
    if not same_meaning(own, source):
        raise FlowBuildError(f"written_as({short_repr(source)}) says something else than {own}.")
    return source


class PlacedError(FlowBuildError):
    """A `FlowBuildError` whose message names the screen and the component."""


def _placed(error: FlowBuildError, component: Component, screen: str) -> FlowBuildError:
    """The error with its place, which the innermost component gives."""
    if isinstance(error, PlacedError):
        return error
    return PlacedError(f"screen {screen}, {component!r}: {error.message}")
