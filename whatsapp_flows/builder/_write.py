"""
Writes a Flow's objects as JSON text: how a reference is written is decided here, by where it stands.

The components of a screen are encoded at once by the encoder of `json`, which is written in C and asks back for each
reference and expression. What that encoder would let pass is looked for in its text: a text that looks like a
reference, and null. Where something is found, or wrong, the components are written one by one instead, which tells the
place, or finds that there is nothing to tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from json.encoder import encode_basestring as string_text
from typing import Any, Final

from .. import flow_json
from .._wire import short_repr
from ._base import Action, Component, Input, Item, OwnValue, Raw, Reference
from ._errors import FlowBuildError, a, instead, placed
from ._expressions import Expr, Written
from ._meaning import same_meaning
from ._screens import MAX_DEPTH, Layout, Model, ScreenParts, owners
from ._text import condition_text, expression_text

_GLOBAL: Final = flow_json.Version(4, 0)
_EXPRESSIONS: Final = flow_json.Version(6, 0)
_OPENINGS: Final = frozenset({"$", "`"})
_NULL: Final = re.compile(r"[:,\[]null[,\]}]")


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
        self._all_homes: dict[int, tuple[str, ...]] | None = None
        self._dynamic_texts = 0
        self._marks = 0
        self._encode = json.JSONEncoder(
            ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=self._asked
        ).encode
        self._encode_plain = json.JSONEncoder(
            ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=self._within
        ).encode
        self.routes: dict[str, list[str]] = {}
        self.asking: list[str] = []

    def _begin(self, screen: ScreenParts) -> None:
        """What is written from now on stands on this screen."""
        self._screen = screen.id
        self._here = {id(field) for field in screen.data}

    def plain(self, value: Any) -> str:
        """JSON that is not ours, such as an example. What is no JSON in it is written as it would be elsewhere."""
        try:
            return self._encode_plain(value)
        except FlowBuildError:
            raise
        except (TypeError, ValueError, RecursionError) as error:
            raise FlowBuildError(f"{a(type(value).__name__)} cannot be written as JSON: {error}.") from None

    def _within(self, value: Any) -> Any:
        """What stands in raw JSON for an object in it: an input stands for its value."""
        alone = isinstance(value, Component) and not isinstance(value, Input)
        return json.loads(self.component(value) if alone else self.value(value))

    # -- at once

    def screens(self, screens: Sequence[Any]) -> str:
        """The screens of the Flow, and raw ones."""
        self._dynamic_texts = self._marks = 0
        try:
            text = self._encode(screens)
            return text if self._is_faithful(text) else self.one_by_one(screens)
        except (FlowBuildError, TypeError, ValueError, RecursionError):
            return self.one_by_one(screens)
        finally:
            self._screen, self._here = "", set()  # what follows stands on no screen

    def _is_faithful(self, text: str) -> bool:
        """Whether only our own texts look dynamic, and nothing is null. The first count is fast, and mostly enough."""
        if "null" in text and _NULL.search(text):
            return False
        if text.count("$") + text.count("`") == self._marks:
            return True
        return text.count('"${') + text.count('"`') == self._dynamic_texts

    def _asked(self, value: object) -> Any:
        """What the encoder writes for an object that is no JSON."""
        kind: Any = type(value)
        return _how(kind)(self, value)

    def asked_reference(self, reference: Reference[Any]) -> str:
        self._dynamic_texts += 1
        self._marks += 1
        return self._reference(reference)

    def asked_expression(self, expression: Expr[Any] | _Condition) -> str:
        if isinstance(expression, _Condition):
            text = self._condition(expression.expression)
        else:
            text = self._dynamic(expression)
        self._dynamic_texts += text[:1] in _OPENINGS
        self._marks += text.count("$") + text.count("`")
        return text

    def asked_layout(self, layout: Layout) -> dict[str, Any]:
        return {"type": "SingleColumnLayout", "children": [self._tree(child, 0) for child in layout.children]}

    def asked_screen(self, screen: ScreenParts) -> Mapping[str, Any]:
        self._begin(screen)
        return screen.entries()

    def _tree(self, component: Any, depth: int) -> Any:
        """A component as the encoder takes it."""
        if not isinstance(component, Component) or depth >= MAX_DEPTH:
            raise TypeError
        if isinstance(component, Input):
            self._here.add(id(component))
        properties = component.properties
        if not component.holds:
            return properties
        found = dict(properties)
        if "condition" in found:
            found["condition"] = _Condition(found["condition"])
        for name in component.holds:
            held = found.get(name)
            if isinstance(held, (list, tuple)):
                found[name] = [self._tree(child, depth + 1) for child in held]
            elif isinstance(held, dict):
                found[name] = {case: [self._tree(child, depth + 1) for child in each] for case, each in held.items()}
            elif held is not None:
                raise TypeError
        return found

    # -- one by one

    def one_by_one(self, screens: Sequence[Any]) -> str:
        """The same, by looking at each value in its place. Raises `FlowBuildError` with the place of what is wrong."""
        written = [self.plain(each.value) if isinstance(each, Raw) else self._screen_text(each) for each in screens]
        return f"[{','.join(written)}]"

    def _screen_text(self, screen: ScreenParts) -> str:
        self._begin(screen)
        try:
            return self._entries(screen.entries())
        except (FlowBuildError, RecursionError) as error:
            raise placed(error, screen.id) from None

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
                    written.append(f'"{key}":{self._property(component, key, value)}')
        except (FlowBuildError, RecursionError) as error:
            raise placed(error, self._screen, component) from None
        finally:
            self._inside.pop()
        return f"{{{','.join(written)}}}"

    def _property(self, component: Component, key: str, value: Any) -> str:
        if key in component.holds:
            if isinstance(value, Mapping):
                return object_text({case: self.components(children) for case, children in value.items()})
            return self.components(value)
        if key == "condition":
            return self.plain(value.value) if isinstance(value, Raw) else string_text(self._condition(value))
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
        if isinstance(value, (Item, Action)):
            return self._entries(self.opened(value))
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
        if isinstance(value, Layout):
            return f'{{"type":"SingleColumnLayout","children":{self.components(value.children)}}}'
        if isinstance(value, Model):
            return self.plain(value.json())
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

    def opened(self, value: Item | Action) -> Mapping[str, Any]:
        """The properties of an item or of an action, whose routes are noted."""
        properties = value.properties
        if isinstance(value, Item):
            return properties
        if properties["name"] == "data_exchange" and self._screen not in self.asking:
            self.asking.append(self._screen)
        following = properties.get("next")
        if following is not None and following["type"] == "screen" and isinstance(following["name"], str):
            self.routes.setdefault(self._screen, []).append(following["name"])
        return properties

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
        if isinstance(condition, Written):
            return _checked(condition_text(condition.expression, self._reference), condition.source)
        return condition_text(condition, self._reference)

    def _reference(self, reference: Reference[Any]) -> str:
        """`${form.x}` on the screen of its owner, `${screen.ID.form.x}` on another."""
        if isinstance(reference, OwnValue):
            return self._own()
        owner = id(reference.owner)
        homes = () if owner in self._here else self._homes().get(owner, ())
        if owner in self._here or self._screen in homes:
            return _referable(reference.local, reference)
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
        return _referable(f"${{screen.{homes[0]}.{reference.local[2:]}", reference)

    def _homes(self) -> Mapping[int, tuple[str, ...]]:
        """
        For each field and input, by its identity: the screens that it is on.

        Needed only for what stands on another screen, or further down on this one.
        """
        if self._all_homes is None:
            self._all_homes = {}
            for screen in self._screens:
                for owner in owners(screen):
                    homes = self._all_homes.get(id(owner), ())
                    if screen.id not in homes:
                        self._all_homes[id(owner)] = (*homes, screen.id)
        return self._all_homes

    def _own(self) -> str:
        """The reference to the input that is being written."""
        component = self._inside[-1] if self._inside else None
        if not isinstance(component, Input):
            raise FlowBuildError("own_value stands in the arguments of an input alone.")
        return component.local


def _referable(text: str, reference: Reference[Any]) -> str:
    """The text of a reference, if it leads to what it is of: a name may hold a period or a brace."""
    if not reference.is_plain:
        found = flow_json.parse_reference(text)
        if found is None or found.path != reference.path:
            name = ".".join(reference.path)
            raise FlowBuildError(f"{name!r} cannot be referred to: give it a name of letters, digits and underscores.")
    return text


class _Condition:
    """The condition of an If, for the encoder: it is written in another dialect than other expressions."""

    __slots__ = ("expression",)

    def __init__(self, expression: Any) -> None:
        self.expression = expression


@cache
def _how(kind: Any) -> Callable[[Writer, Any], Any]:
    """How an object of a class is written. Raises TypeError for one that has to be looked at in its place."""
    for classes, how in _HOW:
        if issubclass(kind, classes):
            return how
    raise TypeError


_HOW: Final[tuple[tuple[Any, Callable[[Writer, Any], Any]], ...]] = (
    (OwnValue, lambda writer, value: _how(object)),  # it has no place of its own
    (Reference, Writer.asked_reference),
    ((Item, Action), Writer.opened),
    ((Expr, _Condition), Writer.asked_expression),
    (Layout, Writer.asked_layout),
    (Model, lambda writer, model: model.json()),
    (ScreenParts, Writer.asked_screen),
)


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
