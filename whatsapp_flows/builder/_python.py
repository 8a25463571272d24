"""Writes a Flow as the Python that builds it: what is referred to becomes a variable, and each screen."""

from __future__ import annotations

import builtins
import keyword as keywords
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .. import flow_json
from ._base import Action, Component, Data, Input, Item, OwnValue, Raw, Reference
from ._code import Block, Code, array, call, flat, keyword, lay_out, mapping, string
from ._expressions import Constant, Expr, Joined, Operation, Prefixed, Written
from ._flow import Flow, Screen
from ._read import from_json, python_name
from ._screens import owners
from ._walk import referred, referred_values

_MODULE: Final = "whatsapp_flows.builder"
_SYMBOLS: Final = {"&&": "&", "||": "|", "!": "~"}
_TAKEN: Final = frozenset({"flow", "text"})
_SOFT: Final = frozenset(name for name in dir(builtins) if name.islower())
"""Names of Python's own that a variable should not hide."""
_POSITIONAL: Final = {"If": "condition"}
_LISTS: Final = frozenset({"children", "else", "then"})


def to_python(source: flow_json.FlowJson) -> str:
    """
    A Python module that builds a Flow JSON with `whatsapp_flows.builder`, and binds it to the name `flow`.

    A version that cannot be uploaded any more is told in a comment, with what to do.

    Fields and inputs that are referred to become variables, named as they are; so does each screen. The module is laid
    out as common formatters do and passes `mypy --strict`. Running it gives the same document.

    `source` is a mapping (a `Flow` is one), JSON text, bytes, a path or a binary file. Raises `ConfigurationError` for
    what cannot be read, and what has no known version or no screens.
    """
    return _Module(from_json(source)).source()


class _Module:
    """The statements of a module, in the order in which they depend on each other."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._used: set[str] = {"Flow"}
        self._typed = False
        self._names = _Names()
        self._statements: list[str] = []
        self._assigned: set[int] = set()
        self._variables: dict[int, str] = {}

    def source(self) -> str:
        screens = [screen for screen in self._flow.screens if isinstance(screen, Screen)]
        wanted = {id(each.owner) for screen in screens for each in _referred(screen)} - {id(None)}
        for screen in screens:
            for owner in owners(screen):
                if id(owner) in wanted and id(owner) not in self._variables:
                    self._variables[id(owner)] = self._names.of(owner, screen)
        shown = [
            self._assigned_screen(each) if isinstance(each, Screen) else self._raw(each) for each in self._flow.screens
        ]
        self._assign("flow", call("Flow", *self._flow_arguments(array(shown))))
        return "\n".join([*self._head(), "", *self._statements]) + "\n"

    def _head(self) -> list[str]:
        typing = ["from typing import Any", ""] if self._typed else []
        names = sorted(self._used, key=lambda name: (name[0].islower(), name))
        line = f"from {_MODULE} import {', '.join(names)}"
        if len(line) > 88:
            line = "\n".join([f"from {_MODULE} import (", *(f"    {name}," for name in names), ")"])
        return [*self._advice(), *typing, line]

    def _advice(self) -> list[str]:
        """Comments on a version that cannot be uploaded any more."""
        if flow_json.KNOWN_VERSIONS[self._flow.version].frozen is None:
            return []
        return [
            f"# Meta takes no uploads of Flow JSON {self._flow.version} any more. To go on from a newer version:",
            "# whatsapp-flows upgrade FILE --write",
            "",
        ]

    def _assign(self, name: str, code: Code, *, annotation: str = "") -> None:
        self._statements.append(lay_out(code, before=f"{name}{annotation} = "))

    def _flow_arguments(self, screens: Code) -> Iterator[Code]:
        yield keyword("version", string(str(self._flow.version)))
        for name, value in self._flow.arguments().items():
            yield keyword(name, screens if name == "screens" else self._value(value))

    # -- variables

    def _assigned_screen(self, screen: Screen) -> Code:
        for owner in owners(screen):
            self._require(owner)
        for reference in _referred(screen):
            self._require(reference.owner)
        name = self._names.screen(screen)
        self._used.add("Screen")
        parts = [keyword(key, self._argument(key, value)) for key, value in screen.arguments().items()]
        self._assign(name, call("Screen", *parts))
        return name

    def _require(self, owner: object) -> None:
        """Assign a field or an input to its variable, if it has one, after those that it refers to."""
        name = self._variables.get(id(owner))
        if name is None or id(owner) in self._assigned:
            return
        self._assigned.add(id(owner))
        if isinstance(owner, Component):
            for reference in referred(owner):
                self._require(reference.owner)
        self._assign(name, self._made(owner), annotation=self._annotation(owner))

    def _annotation(self, owner: object) -> str:
        """A type checker cannot tell what an empty list or object would hold."""
        if not isinstance(owner, Data) or owner.example not in ([], {}):
            return ""
        self._typed = True
        return ": Data[list[Any]]" if isinstance(owner.example, list) else ": Data[dict[str, Any]]"

    # -- objects

    def _made(self, made: object) -> Code:
        """The call that makes an object."""
        if isinstance(made, Data):
            return self._field(made)
        if isinstance(made, (Component, Item)):
            kind = type(made).__name__
            self._used.add(kind)
            given = {key: each for key, each in made.properties.items() if key != "type" or isinstance(made, Item)}
            return call(kind, *(self._labelled(kind, key, each) for key, each in given.items()))
        return self._value(made)

    def _labelled(self, kind: str, key: str, value: Any) -> Code:
        argument = self._argument(key, value)
        return argument if _POSITIONAL.get(kind) == key else keyword(python_name(key), argument)

    def _argument(self, key: str, value: Any) -> Code:
        if key in _LISTS and isinstance(value, (list, tuple)):
            return array([self._component(child) for child in value])
        if key == "cases" and isinstance(value, Mapping):
            return mapping([(case, self._argument("children", children)) for case, children in value.items()])
        return self._value(value)

    def _component(self, component: Any) -> Code:
        if isinstance(component, Raw):
            return self._raw(component)
        self._require(component)
        return self._variables.get(id(component)) or self._made(component)

    def _field(self, field: Data[Any]) -> Code:
        self._used.add("Data")
        parts = [keyword("name", string(field.name)), keyword("example", self._plain(field.example))]
        for name, value in field.arguments():
            parts.append(keyword(name, self._plain(value)))
        return call("Data", *parts)

    def _raw(self, raw: Raw) -> Code:
        self._used.add("Raw")
        return call("Raw", self._plain(raw.value))

    def _action(self, action: Action) -> Code:
        kind = type(action).__name__
        self._used.add(kind)
        parts: list[Code] = []
        properties = action.properties
        if "next" in properties:
            parts.append(self._value(properties["next"]["name"]))
        parts += [self._value(properties[key]) for key in ("payload", "url") if key in properties]
        if "next" in properties and properties["next"]["type"] != "screen":
            parts.append(keyword("type", string(properties["next"]["type"])))
        return call(kind, *parts)

    # -- values

    def _value(self, value: Any) -> Code:
        if isinstance(value, Raw):
            return self._raw(value)
        if isinstance(value, Data) and id(value) not in self._variables:
            return self._field(value)
        if isinstance(value, Expr):
            return self._expression(value)
        if isinstance(value, Action):
            return self._action(value)
        if isinstance(value, Item):
            return self._made(value)
        if isinstance(value, Mapping):
            return mapping([(str(key), self._value(each)) for key, each in value.items()])
        if isinstance(value, (list, tuple)):
            return array([self._value(each) for each in value])
        return self._plain(value)

    def _plain(self, value: Any) -> Code:
        """JSON as Python."""
        if isinstance(value, str):
            return string(value)
        if isinstance(value, Mapping):
            return mapping([(str(key), self._plain(each)) for key, each in value.items()])
        if isinstance(value, (list, tuple)):
            return array([self._plain(each) for each in value])
        return repr(value)

    def _expression(self, node: Expr[Any], *, inner: bool = False) -> Code:
        if isinstance(node, Reference):
            return self._reference(node)
        if isinstance(node, Constant):
            return self._plain(node.value)
        if isinstance(node, Joined):
            self._used.add("text")
            return call("text", *(self._expression(part) for part in node.parts))
        if isinstance(node, Prefixed):
            return f"{_SYMBOLS.get(node.operator, node.operator)}{self._text(node.operand)}"
        if isinstance(node, Written):
            inside = self._text(node.expression)
            return Block(f"{inside}.written_as(", (string(node.source),), ")")
        if isinstance(node, Operation):
            found = f"{self._text(node.left)} {_SYMBOLS.get(node.operator, node.operator)} {self._text(node.right)}"
            return f"({found})" if inner else found
        raise TypeError(type(node).__name__)

    def _text(self, node: Expr[Any]) -> str:
        """An operand, in parentheses if it is an operation itself."""
        return flat(self._expression(node, inner=True))

    def _reference(self, reference: Reference[Any]) -> str:
        if isinstance(reference, OwnValue):
            self._used.add("own_value")
            return "own_value"
        owner: Any = reference.owner
        name = self._variables[id(owner)]
        if reference is owner:
            return name
        if isinstance(owner, Input):
            return f"{name}.number"
        return name + "".join(f"[{string(step)}]" for step in reference.path[1:])


class _Names:
    """Names of variables, each once."""

    def __init__(self) -> None:
        self._taken = set(_TAKEN)
        self._numbers: dict[str, int] = {}

    def of(self, owner: object, screen: Screen) -> str:
        """The name of a field or an input: its own, else with what it is, else with its screen."""
        if isinstance(owner, Data):
            return self._first(owner.name, f"{owner.name}_data", f"{owner.name}_{screen.id}")
        name = owner.properties["name"] if isinstance(owner, Component) else ""
        return self._first(name, f"{name}_input", f"{name}_{screen.id}")

    def screen(self, screen: Screen) -> str:
        """The name of a screen."""
        return self._first(screen.id, f"{screen.id}_screen")

    def _first(self, *candidates: str) -> str:
        wished = [_identifier(each) for each in candidates]
        name = next((each for each in wished if each not in self._taken), "")
        while not name or name in self._taken:
            self._numbers[wished[0]] = number = self._numbers.get(wished[0], 1) + 1
            name = f"{wished[0]}_{number}"
        self._taken.add(name)
        return name


def _identifier(text: str) -> str:
    """A variable's name: lower case, words joined by underscores."""
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text) if not text.isupper() else text
    name = re.sub(r"[^a-z0-9]+", "_", separated.lower()).strip("_")
    if not name or name[0].isdigit():
        name = f"value_{name}".rstrip("_")
    return f"{name}_" if keywords.iskeyword(name) or name in _SOFT else name


def _referred(screen: Screen) -> Iterator[Reference[Any]]:
    """The references on a screen."""
    for name, value in screen.arguments().items():
        if name == "children":
            for child in value:
                if isinstance(child, Component):
                    yield from referred(child)
        elif name != "data":
            yield from referred_values(value)
