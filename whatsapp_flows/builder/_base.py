"""What the parts of a Flow are made of: raw JSON, fields of a data model, components, inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, TypeVar

from .. import flow_json
from .._wire import short_repr
from ._errors import FlowBuildError, a, instead
from ._expressions import Expr

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Raw:
    """
    JSON that is written as it is: `Raw({"type": "NewComponent"})`, `Raw("${data.name}")`.

    It may stand anywhere: as a component, an action, a property or a part of one. It is not checked.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Raw({short_repr(self.value)})"


class Reference(Expr[T_co]):
    """
    A value in the data of a screen or in its form.

    `owner` is the `Data` or the input that it is a value of: whether it is written as `${form.x}` or as
    `${screen.ID.form.x}` depends on where it stands, and is decided when the Flow is written.
    """

    __slots__ = ()
    source: ClassVar[str] = "form"

    @property
    def owner(self) -> object:
        """The `Data` or the input."""
        return self

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the value."""
        raise NotImplementedError

    @property
    def json_type(self) -> str:
        """The type of the value; empty if it is not known before the Flow runs."""
        raise NotImplementedError

    @property
    def local(self) -> str:
        """How it is written on the screen of its owner."""
        return f"${{{self.source}.{'.'.join(self.path)}}}"

    @property
    def is_plain(self) -> bool:
        """Whether nothing in its names could end them."""
        return all(map(str.isidentifier, self.path))

    def __repr__(self) -> str:
        return self.local


class OwnValue(Reference[Any]):
    """The class of `own_value`."""

    __slots__ = ()

    @property
    def json_type(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "own_value"


own_value: Final[Expr[Any]] = OwnValue()
"""
The value of the input that this stands in: `Dropdown(..., on_select_action=DataExchange({"day": own_value}))`.

An input cannot be named in its own arguments, since it is not made yet.
"""


TYPES: Final = ("string", "number", "integer", "boolean", "object", "array")
"""The types of a data model. Source: Meta, Flow JSON reference ("Dynamic properties")."""
_JSON_TYPES: Final = ((bool, "boolean"), (str, "string"), ((int, float), "number"), (Mapping, "object"))


def json_type(example: object) -> str:
    """The type of a data model that fits an example. Raises `FlowBuildError` for what has no such type, as None."""
    for kind, name in _JSON_TYPES:
        if isinstance(example, kind):
            return name
    if isinstance(example, (list, tuple)):
        return "array"
    found = "null" if example is None else type(example).__name__
    remedy = "; give a value of the type that the field will have" if example is None else instead(example)
    raise FlowBuildError(f"{a(found)} cannot be an example: {short_repr(example)}{remedy}.")


_TOO_DEEP: Final = "the values are nested too deeply: is one a part of itself?"
_CONTAINERS: Final = frozenset({dict, list, tuple})
_SCALARS: Final = {str: "string", bool: "boolean", int: "number", float: "number"}


def schema_of(example: object) -> dict[str, Any]:
    """
    The data model of an example, without the example; the first item stands for all of a list.

    Raises `FlowBuildError` for an example that has none.
    """
    try:
        return _schema_of(example)
    except RecursionError:
        raise FlowBuildError(_TOO_DEEP) from None


def _schema_of(example: object) -> dict[str, Any]:
    if type(example) in _SCALARS:
        return {"type": _SCALARS[type(example)]}
    kind = json_type(example)
    if isinstance(example, Mapping):
        return {"type": kind, "properties": {str(name): _schema_of(value) for name, value in example.items()}}
    if isinstance(example, (list, tuple)):
        return {"type": kind, "items": _schema_of(example[0])} if example else {"type": kind}
    return {"type": kind}


class Data(Reference[T_co]):
    """
    A field of a screen's data model, and the reference to its value: `Data(name="price", example=12.5)`.

    `example` is shown by previews. Its type is the field's type: a text, a number, a boolean, a list or an object.
    `type` overrides it (`"integer"`), and `schema` gives the whole JSON schema, without the example. `field["name"]` is
    the value of a field of an object.
    """

    __slots__ = ("example", "name", "schema")
    source: ClassVar[str] = "data"

    def __init__(
        self, name: str, example: T_co, *, type: str | None = None, schema: Mapping[str, Any] | None = None
    ) -> None:
        if not isinstance(name, str) or not name:
            raise FlowBuildError(f"the name of a Data is a text that is not empty, not {short_repr(name)}.")
        if type is not None and schema is not None:
            raise FlowBuildError("Data takes a type or a schema, not both.")
        if type is not None and type not in TYPES:
            raise FlowBuildError(f"the type of a Data is one of {', '.join(TYPES)}, not {short_repr(type)}.")
        if schema is not None and not isinstance(schema, Mapping):
            raise FlowBuildError(f"the schema of a Data is a dict, not {short_repr(schema)}.")
        self.name = name
        self.example = keyed(example)
        self.schema = schema if schema is not None else {"type": type} if type is not None else schema_of(example)

    @property
    def path(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def local(self) -> str:
        return f"${{data.{self.name}}}"

    @property
    def json_type(self) -> str:
        return str(self.schema.get("type", ""))

    def __getitem__(self, name: str, /) -> InnerField:
        """The value of a field of an object."""
        return _inner(self, self.path, self.schema, name)

    def arguments(self) -> list[tuple[str, Any]]:
        """What `Data` needs beside the name and the example, to make this field."""
        if self.schema == schema_of(self.example):
            return []
        short = self.schema.keys() == {"type"} and self.schema["type"] in TYPES
        return [("type", self.schema["type"]) if short else ("schema", self.schema)]

    def model(self) -> dict[str, Any]:
        """The field as it stands in the data model."""
        return {**self.schema, "__example__": self.example}


class InnerField(Reference[Any]):
    """A value inside an object of the data: `customer["name"]`."""

    __slots__ = ("_owner", "_path", "schema")
    source: ClassVar[str] = "data"

    def __init__(self, owner: object, path: tuple[str, ...], schema: Mapping[str, Any]) -> None:
        self._owner, self._path, self.schema = owner, path, schema

    @property
    def owner(self) -> object:
        return self._owner

    @property
    def path(self) -> tuple[str, ...]:
        return self._path

    @property
    def json_type(self) -> str:
        return str(self.schema.get("type", ""))

    def __getitem__(self, name: str, /) -> InnerField:
        """The value of a field of an object."""
        return _inner(self.owner, self.path, self.schema, name)


def _inner(owner: object, path: tuple[str, ...], schema: Mapping[str, Any], name: str) -> InnerField:
    if schema.get("type") != "object":
        remedy = "; show its items as the data_source of a component" if schema.get("type") == "array" else ""
        raise FlowBuildError(f"{'.'.join(path)} is no object: only the fields of an object have names{remedy}.")
    fields = schema.get("properties")
    field = fields.get(name) if isinstance(fields, Mapping) else None
    if not isinstance(field, Mapping):
        known = ", ".join(map(str, fields)) if isinstance(fields, Mapping) and fields else "none"
        raise FlowBuildError(f"{'.'.join(path)} has no field {short_repr(name)}; its fields: {known}.")
    return InnerField(owner, (*path, name), field)


class Component:
    """A component. `properties` are its properties by their names in Flow JSON, `type` included."""

    __slots__ = ("properties",)
    kind: ClassVar[str] = ""
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Property -> the only texts that it takes."""
    holds: ClassVar[tuple[str, ...]] = ()
    """The properties with components, in their order: each a list, or lists by text."""
    properties: dict[str, Any]

    def _choice(self, name: str, value: Any) -> Any:
        """A value of a property with a closed list. Raises `FlowBuildError` if it is out of the list."""
        texts = self.choices[name]
        for each in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(each, str) and each not in texts:
                hint = flow_json.did_you_mean(each, texts)
                raise FlowBuildError(
                    f"{name} of {a(self.kind)} cannot be {short_repr(each)}: it is one of {', '.join(texts)}.{hint}"
                )
        return value

    def _name(self, name: Any) -> Any:
        """The name of a component. Raises `FlowBuildError` for what is none."""
        if not isinstance(name, str) or not name:
            raise FlowBuildError(
                f"the name of {a(self.kind)} must be a text that is not empty, not {short_repr(name)}{instead(name)}."
            )
        return name

    def __repr__(self) -> str:
        named = self.properties.get("name")
        return f"{type(self).__name__}({f'name={named!r}' if isinstance(named, str) else ''})"


class Input(Component, Reference[T_co]):
    """
    A component that takes a value, and the reference to that value: `Complete({"name": name})`.

    Operators use the value: `size == "large"`, `~terms`.
    """

    __slots__ = ()
    value_type: ClassVar[str] = "string"

    @property
    def path(self) -> tuple[str, ...]:
        return (self.properties["name"],)

    @property
    def local(self) -> str:
        return f"${{form.{self.properties['name']}}}"

    @property
    def json_type(self) -> str:
        return self.value_type


def listed(what: str, value: Any) -> tuple[Any, ...]:
    """The objects of a list. Raises `FlowBuildError` for anything but an iterable of objects."""
    if isinstance(value, (list, tuple)):
        return tuple(value)
    if not isinstance(value, Iterable) or isinstance(value, (str, Mapping, Expr)):
        raise FlowBuildError(f"{what} stand in a list, not in {a(type(value).__name__)}: write [...].")
    return tuple(value)


def keyed(value: T) -> T:
    """A value in whose objects every key is a text. Raises `FlowBuildError` for another key."""
    kind = type(value)
    if kind is not str and kind is not bool:
        try:
            _check_keys(value)
        except RecursionError:
            raise FlowBuildError(_TOO_DEEP) from None
    return value


def _check_keys(value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise FlowBuildError(f"the keys of an object are texts, not {short_repr(key)}.")
            if type(each) in _CONTAINERS:
                _check_keys(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            if type(each) in _CONTAINERS:
                _check_keys(each)


def components_of(value: Any) -> Any:
    """The components in a component. Raises `FlowBuildError` for what is neither a list of them nor `Raw`."""
    return value if isinstance(value, Raw) else listed("components", value)


def cases_of(value: Any) -> Any:
    """The components of each case of a Switch. Raises `FlowBuildError` for anything but a dict of lists, and `Raw`."""
    if isinstance(value, Raw):
        return value
    if not isinstance(value, Mapping) or not all(isinstance(case, str) for case in value):
        raise FlowBuildError(f'cases is a dict, such as {{"text": [...]}}, not {short_repr(value)}.')
    return {case: components_of(each) for case, each in value.items()}


class Item:
    """An item of a list, such as an `Option`. `properties` are by their names in Flow JSON."""

    __slots__ = ("properties",)
    properties: dict[str, Any]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({short_repr(self.properties.get('id', ''))})"


class Action:
    """What a tap or a selection does. `properties` are by their names in Flow JSON."""

    __slots__ = ("properties",)
    properties: dict[str, Any]

    def __repr__(self) -> str:
        payload = self.properties.get("payload")
        shown = f"payload={list(payload)!r}" if isinstance(payload, Mapping) else ""
        return f"{type(self).__name__}({shown})"
