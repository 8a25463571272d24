"""
Writes a Flow's objects as JSON text, in one pass: how a reference is written is decided here, by where it stands.

The text is the product, and a document is what it says: nothing is built in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring as string_text
from typing import Any, Final, Protocol

from .. import flow_json
from .._wire import short_repr
from ._base import Action, Component, Data, Input, Item, OwnValue, Raw, Reference
from ._errors import FlowBuildError, a, instead
from ._expressions import Expr, Written
from ._meaning import same_meaning
from ._text import condition_text, expression_text
from ._walk import LISTS, inner_components

_GLOBAL: Final = flow_json.Version(4, 0)
_EXPRESSIONS: Final = flow_json.Version(6, 0)
_OPENINGS: Final = frozenset({"$", "`"})
MAX_DEPTH: Final = 100
"""Components within components. Our limit: one may have been put into itself."""


class ScreenParts(Protocol):
    """What is needed of a screen."""

    id: str
    data: tuple[Any, ...]
    children: tuple[Any, ...] | None


def object_text(entries: Mapping[str, str]) -> str:
    """A JSON object of texts of JSON."""
    return f"{{{','.join([f'{string_text(key)}:{value}' for key, value in entries.items()])}}}"


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
        self._encoder: json.JSONEncoder | None = None
        self.routes: dict[str, list[str]] = {}
        self.asking: list[str] = []

    def begin(self, screen: ScreenParts) -> None:
        """What is written from now on stands on this screen."""
        self._screen = screen.id
        self._here = {id(field) for field in screen.data}

    def plain(self, value: Any) -> str:
        """JSON that is not ours, such as an example. What is no JSON in it is written as it would be elsewhere."""
        if self._encoder is None:
            self._encoder = json.JSONEncoder(
                ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=self._within
            )
        try:
            return self._encoder.encode(value)
        except FlowBuildError:
            raise
        except (TypeError, ValueError, RecursionError) as error:
            raise FlowBuildError(f"{a(type(value).__name__)} cannot be written as JSON: {error}.") from None

    def _within(self, value: Any) -> Any:
        """What stands in JSON for an object in it."""
        return json.loads(self.component(value) if _is_plain_component(value) else self.value(value))

    # -- components

    def components(self, children: Any) -> str:
        """A list of components."""
        if isinstance(children, Raw):
            return self.plain(children.value)
        return f"[{','.join([self.component(child) for child in children])}]"

    def component(self, component: Any) -> str:
        """A component, with everything in it."""
        if not isinstance(component, Component):
            if isinstance(component, Raw):
                return self.plain(component.value)
            raise FlowBuildError(f"a component is needed here, not {short_repr(component)}{instead(component)}.")
        if len(self._inside) >= MAX_DEPTH:
            raise FlowBuildError("the components are nested too deeply: is one its own child?")
        self._inside.append(component)
        if isinstance(component, Input):
            self._here.add(id(component))
        written: list[str] = []
        try:
            for key, value in component.properties.items():
                if type(value) is str:
                    text = _fixed(value) if value[:1] in _OPENINGS else value
                    written.append(f'"{key}":{string_text(text)}')
                else:
                    written.append(f'"{key}":{self._property(key, value)}')
        except (FlowBuildError, RecursionError) as error:
            raise placed(error, self._screen, component) from None
        finally:
            self._inside.pop()
        return f"{{{','.join(written)}}}"

    def _property(self, key: str, value: Any) -> str:
        if key in LISTS:
            return self.components(value)
        if key == "cases" and isinstance(value, Mapping):
            return object_text({case: self.components(children) for case, children in value.items()})
        if key == "condition":
            return self._condition(value)
        return self.value(value)

    # -- values

    def value(self, value: Any) -> str:
        """Anything but a component: a plain value as it is, an expression as its text."""
        kind = type(value)
        if kind is str:
            return string_text(_fixed(value) if value[:1] in _OPENINGS else value)
        if kind is bool:
            return "true" if value else "false"
        if kind is list or kind is tuple:
            return f"[{','.join([self.value(each) for each in value])}]"
        if kind is dict:
            return self._entries(value)
        if isinstance(value, Reference):
            return string_text(self._reference(value))
        if isinstance(value, Item):
            return self._entries(value.properties)
        if isinstance(value, Action):
            return self._action(value)
        return self._other(value)

    def _entries(self, entries: Mapping[str, Any]) -> str:
        written: list[str] = []
        for key, value in entries.items():
            if not isinstance(key, str):
                raise FlowBuildError(f"the keys of an object are texts, not {short_repr(key)}.")
            written.append(f"{string_text(key)}:{self.value(value)}")
        return f"{{{','.join(written)}}}"

    def _other(self, value: Any) -> str:
        if isinstance(value, Expr):
            return string_text(self._dynamic(value))
        if isinstance(value, Raw):
            return self.plain(value.value)
        if isinstance(value, Component):
            raise FlowBuildError(f"{a(value.kind)} has no value that could be used.")
        if isinstance(value, Mapping):
            return self._entries(value)
        if isinstance(value, (list, tuple)):
            return self.value(list(value))
        if isinstance(value, str):  # of a subclass, such as an enum
            return self.value(str.__str__(value))
        if isinstance(value, (int, float)):
            return self.plain(value)
        raise FlowBuildError(f"{a(type(value).__name__)} has no JSON form: {short_repr(value)}{instead(value)}.")

    def _action(self, action: Action) -> str:
        properties = action.properties
        name = properties["name"]
        if name == "data_exchange" and self._screen not in self.asking:
            self.asking.append(self._screen)
        following = properties.get("next")
        if following is not None and following["type"] == "screen" and isinstance(following["name"], str):
            self.routes.setdefault(self._screen, []).append(following["name"])
        return self._entries(properties)

    # -- references and expressions

    def _dynamic(self, expression: Expr[Any]) -> str:
        if self._version < _EXPRESSIONS:
            raise FlowBuildError(f"expressions come with Flow JSON 6.0, and this Flow has {self._version}.")
        if isinstance(expression, Written):
            return _checked(self._text_of(expression.expression), expression.source)
        return expression_text(expression, self._reference)

    def _text_of(self, expression: Expr[Any]) -> str:
        return self._reference(expression) if isinstance(expression, Reference) else self._dynamic(expression)

    def _condition(self, condition: Any) -> str:
        if isinstance(condition, Raw):
            return self.plain(condition.value)
        if isinstance(condition, Written):
            own = condition_text(condition.expression, self._reference)
            return string_text(_checked(own, condition.source))
        return string_text(condition_text(condition, self._reference))

    def _reference(self, reference: Reference[Any]) -> str:
        """`${form.x}` on the screen of its owner, `${screen.ID.form.x}` on another."""
        if isinstance(reference, OwnValue):
            return self._own()
        local, owner = reference.local, id(reference.owner)
        if owner in self._here:
            return _referable(local, reference)
        homes = self._homes().get(owner, [])
        if self._screen in homes:
            return _referable(local, reference)
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
        return _referable(f"${{screen.{homes[0]}.{local[2:]}", reference)

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


def _referable(text: str, reference: Reference[Any]) -> str:
    """The text of a reference, if it leads to what it is of: a name may hold a period or a brace."""
    found = flow_json.parse_reference(text)
    if found is None or found.path != reference.path:
        raise FlowBuildError(
            f"{'.'.join(reference.path)!r} cannot be referred to: give it a name of letters, digits and _."
        )
    return text


def _is_plain_component(value: object) -> bool:
    """Whether it stands for itself within raw JSON: an input stands for its value, as everywhere but as a child."""
    return isinstance(value, Component) and not isinstance(value, Input)


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


def placed(error: FlowBuildError | RecursionError, screen: str, component: Component | None = None) -> FlowBuildError:
    """The error with its place, which the innermost component gives."""
    if isinstance(error, PlacedError):
        return error
    where = f"screen {screen}" if component is None else f"screen {screen}, {component!r}"
    if isinstance(error, RecursionError):
        return PlacedError(f"{where}: the values are nested too deeply: is one a part of itself?")
    return PlacedError(f"{where}: {error.message}")
