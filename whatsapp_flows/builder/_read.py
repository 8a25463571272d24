"""
Reads a Flow JSON into the builder's objects, so that writing them gives the same document.

What the classes cannot say stands in `Raw`: an unknown component or property, a value of another type than the table's,
a reference to something that is not there, an expression that Python cannot say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final

from .. import flow_json
from ..errors import ConfigurationError
from ._actions import Complete, DataExchange, Navigate, OpenUrl, UpdateData
from ._base import TYPES, Component, Data, Input, OwnValue, Raw, Reference, own_value, schema_of
from ._components import COMPONENTS, ITEMS
from ._errors import FlowBuildError
from ._expressions import Expr, type_of
from ._flow import Flow, Screen
from ._read_expressions import read_condition, read_expression
from ._special import TextField

_MAX_DEPTH: Final = 64
"""Components within components. Our limit: deeper ones stay raw JSON."""
_ROOT: Final = frozenset({"version", "data_api_version", "routing_model", "screens"})
_SCREEN: Final = ("id", "title", "data", "terminal", "success", "refresh_on_back", "sensitive", "layout")
_FLAGS: Final = ("terminal", "success", "refresh_on_back")
# Kind of a property -> the JSON types of a fixed value, and the type that a dynamic one has to have ("": any).
_KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    **dict.fromkeys(("base64", "label1", "string", "text"), ((str,), "string")),
    **dict.fromkeys(("text|array<text>", "string|array<string>"), ((str, list), "string")),
    **dict.fromkeys(("array<string>|binding", "array<enum>|binding", "array<object>|binding"), ((list,), "")),
    **dict.fromkeys(("bool", "loose-bool"), ((bool,), "boolean")),
    **dict.fromkeys(("messages", "object|binding"), ((dict,), "")),
    "array<enum>": ((list,), "never"),
    "array<string>": ((list,), "never"),
    "binding": ((), "string"),
    "calendar<bool>": ((bool, dict), "boolean"),
    "calendar<string>": ((str, dict), "string"),
    "enum": ((str,), "never"),
    "enum|binding": ((str,), "string"),
    "int": ((int,), "number"),
    "name": ((str,), "never"),
    "number": ((int, float), "number"),
    "static-bool": ((bool,), "never"),
    "static-int": ((int,), "never"),
    "string|object": ((str, dict), "string"),
}


def from_json(source: flow_json.FlowJson) -> Flow:
    """
    The Flow of a document: a mapping, JSON text, bytes, a path or a binary file. Its JSON is the same document.

    Raises `ConfigurationError` for what cannot be read, and what has no known version or no screens.
    """
    document = source.to_dict() if isinstance(source, Flow) else _object_of(source)
    version, screens = document.get("version"), document.get("screens")
    known = {str(each): each for each in flow_json.KNOWN_VERSIONS}
    if not isinstance(version, str) or version not in known:
        texts = ", ".join(known)
        raise ConfigurationError(f"json is no Flow JSON: it needs a version, a text which is one of {texts}.")
    if not isinstance(screens, list):
        raise ConfigurationError("json is no Flow JSON: it needs a list of screens.")
    for references in (True, False):  # a reference into raw JSON belongs to no object
        with suppress(FlowBuildError, RecursionError):  # what is nested too deeply for objects stays raw JSON
            flow = _flow(document, known[version], references=references)
            if flow.to_dict() == document:
                return flow
    return Flow(
        version=version,
        screens=[Raw(screen) for screen in screens],
        routing_model=None,
        more={key: Raw(value) for key, value in document.items() if key not in {"version", "screens"}},
    )


def _object_of(source: flow_json.FlowJson) -> dict[str, Any]:
    """The JSON object of a source. Raises `ConfigurationError` with what is wrong, and the line."""
    parsed = flow_json.parse_json(source)
    if parsed.value is not None:
        return parsed.value
    message, offset = (parsed.problem.message, parsed.problem.offset) if parsed.problem else ("it is empty.", None)
    line = f"line {parsed.text.count(chr(10), 0, offset) + 1}: " if offset else ""
    raise ConfigurationError(f"json is no Flow JSON: {line}{message}")


def _flow(document: Mapping[str, Any], version: flow_json.Version, *, references: bool) -> Flow:
    reader = _Reader([each for each in document["screens"] if _is_screen(each)], references=references)
    screens = [reader.screen(each) if _is_screen(each) else Raw(each) for each in document["screens"]]
    api, model = document.get("data_api_version"), document.get("routing_model")
    more = {key: Raw(value) for key, value in document.items() if key not in _ROOT}
    if not isinstance(api, str) and "data_api_version" in document:
        more["data_api_version"], api = Raw(api), None
    if not _is_model(model) and "routing_model" in document:
        more["routing_model"], model = Raw(model), None
    if model is not None and api is not None and model == _inferred(screens, version):
        model = "infer"
    return Flow(version=str(version), screens=screens, data_api_version=api, routing_model=model, more=more)


def _inferred(screens: Sequence[Screen | Raw], version: flow_json.Version) -> Mapping[str, Any] | None:
    with suppress(FlowBuildError):
        found: Mapping[str, Any] = Flow(version=str(version), screens=screens, data_api_version="3.0").to_dict()
        return found["routing_model"]  # type: ignore[no-any-return]
    return None


def _is_model(model: Any) -> bool:
    return isinstance(model, dict) and all(
        isinstance(targets, list) and all(isinstance(each, str) for each in targets) for targets in model.values()
    )


def _is_screen(value: Any) -> bool:
    """Whether it can become a `Screen`. Anything else stays raw."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        return False
    layout, sensitive = value.get("layout"), value.get("sensitive", [])
    if "layout" in value and not (
        isinstance(layout, dict)
        and layout.keys() == {"type", "children"}
        and layout["type"] == "SingleColumnLayout"
        and isinstance(layout["children"], list)
    ):
        return False
    if not isinstance(sensitive, list) or not all(isinstance(each, str) for each in sensitive):
        return False
    if value.get("title", "") is None or not isinstance(value.get("data", {}), dict):
        return False
    return all(isinstance(value.get(key, False), bool) for key in _FLAGS)


@cache
def _shape(kind: str, *, items: bool) -> Mapping[str, flow_json.Property]:
    """The properties of a component or an item, over all versions."""
    if items:
        shape = flow_json.ITEMS.get(kind)
    else:
        shape = next((each for each in flow_json.COMPONENTS if each.name == kind), None)
    return {row.name: row for row in shape.properties} if shape is not None else {}


def python_name(key: str) -> str:
    """The argument that stands for a property."""
    return "else_" if key == "else" else key.replace("-", "_")


class _Reader:
    """Makes each component and each field once, so that all references to it are to one object."""

    def __init__(self, screens: Sequence[Mapping[str, Any]], *, references: bool) -> None:
        self._references = references
        self._screen = ""
        self._fields: dict[tuple[str, str], Data[Any]] = {}
        self._inputs: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._homes: dict[int, str] = {}
        self._made: dict[int, Component | Raw] = {}
        self._making: list[Mapping[str, Any]] = []
        ids = Counter(screen["id"] for screen in screens)
        for screen in screens:
            if ids[screen["id"]] == 1:  # otherwise a reference has two meanings
                self._collect(screen)

    def _collect(self, screen: Mapping[str, Any]) -> None:
        for name, field in screen.get("data", {}).items():
            if name and isinstance(field, dict) and "__example__" in field:
                self._fields[screen["id"], name] = _field(name, field)
        for component in _components(screen.get("layout", {}).get("children")):
            name = component.get("name")
            if isinstance(name, str):
                self._inputs.setdefault((screen["id"], name), component)

    def screen(self, screen: Mapping[str, Any]) -> Screen:
        """A screen with everything on it."""
        self._screen = screen["id"]
        children = screen["layout"]["children"] if "layout" in screen else None
        return Screen(
            id=screen["id"],
            title=self._plain(screen["title"]) if "title" in screen else None,
            data=self._model(screen),
            terminal=screen.get("terminal"),
            success=screen.get("success"),
            refresh_on_back=screen.get("refresh_on_back"),
            sensitive=screen.get("sensitive"),
            children=None if children is None else [self._component(child, 0) for child in children],
            more={key: Raw(value) for key, value in screen.items() if key not in _SCREEN},
        )

    def _model(self, screen: Mapping[str, Any]) -> list[Data[Any]] | Raw | None:
        model = screen.get("data")
        if model is None:
            return None
        fields = [self._fields.get((screen["id"], name)) for name in model]
        known = [field for field in fields if field is not None]
        for field in known:
            self._homes[id(field)] = screen["id"]
        return known if len(known) == len(fields) else Raw(model)

    # -- components

    def _component(self, source: Any, depth: int) -> Component | Raw:
        if not isinstance(source, dict) or depth > _MAX_DEPTH:
            return Raw(source)
        if id(source) not in self._made:
            self._making.append(source)
            kind = str(source.get("type"))
            rows = _shape(kind, items=False) if kind in COMPONENTS else {}
            made = self._object(COMPONENTS.get(kind), source, rows, depth, {"type"})
            self._homes[id(made)] = self._screen
            self._made[id(source)] = made
            self._making.pop()
        return self._made[id(source)]

    def _object(
        self,
        cls: Callable[..., Any] | None,
        source: Mapping[str, Any],
        rows: Mapping[str, flow_json.Property],
        depth: int,
        fixed: set[str],
    ) -> Any:
        """An object of a class; raw JSON where the class cannot say it."""
        given = {key: value for key, value in source.items() if key not in fixed}
        if cls is None or not given.keys() <= rows.keys():
            return Raw(source)
        try:
            return cls(**{python_name(key): self._property(rows[key], each, depth) for key, each in given.items()})
        except (FlowBuildError, TypeError):  # a required property is missing, or the class refuses a value
            return Raw(source)

    def _property(self, row: flow_json.Property, value: Any, depth: int) -> Any:
        if row.kind == "components" and isinstance(value, list):
            return [self._component(each, depth + 1) for each in value]
        if row.kind == "map<components>" and isinstance(value, dict):
            if all(isinstance(each, list) for each in value.values()):
                return {key: [self._component(child, depth + 1) for child in each] for key, each in value.items()}
        elif row.kind == "condition" and isinstance(value, str):
            return self._or_raw(value, read_condition(value, self._find, self._spelled))
        elif row.kind.startswith("action:"):
            return self._action(row, value)
        elif row.item and isinstance(value, list):
            return [self._item(row.item, each, depth) for each in value]
        elif row.item and isinstance(value, dict):
            return self._item(row.item, value, depth)
        elif row.kind in _KINDS:
            return self._typed(row, value)
        return Raw(value)

    def _typed(self, row: flow_json.Property, value: Any) -> Any:
        """A value that fits the type of the argument; raw otherwise."""
        fixed, dynamic = _KINDS[row.kind]
        if isinstance(value, str) and flow_json.is_dynamic(value):
            found = self._plain(value)
            fits = dynamic != "never" and (not dynamic or _python_type(found) in ("", dynamic))
            return found if isinstance(found, Raw) or fits else Raw(value)
        if not isinstance(value, fixed) or (isinstance(value, bool) and bool not in fixed):
            return Raw(value)
        if row.values and not set(value if isinstance(value, list) else [value]) <= set(row.values):
            return Raw(value)
        if isinstance(value, list) and not all(
            isinstance(each, str) and not flow_json.is_dynamic(each) for each in value
        ):
            return Raw(value)
        return self._plain(value)

    def _item(self, name: str, value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            return Raw(value)
        return self._object(ITEMS.get(name), value, _shape(name, items=True), depth, set())

    def _action(self, row: flow_json.Property, value: Any) -> Any:
        name = value.get("name") if isinstance(value, dict) else None
        if name not in row.values:
            return Raw(value)
        payload = value.get("payload", {})
        following = value.get("next", {})
        keys = {"navigate": {"name", "next"}, "open_url": {"name", "url"}}.get(name, {"name"})
        if (
            not keys <= value.keys() <= keys | {"payload"}
            or not isinstance(payload, dict)
            or not isinstance(following, dict)
        ):
            return Raw(value)
        read = {key: self._plain(each) for key, each in payload.items()} if "payload" in value else None
        if name == "navigate" and following.keys() == {"name", "type"} and isinstance(following["type"], str):
            target = following["name"]
            fixed = isinstance(target, str) and not flow_json.is_dynamic(target)
            return Navigate(target if fixed else Raw(target), read, type=following["type"])
        if name == "open_url" and read is None and isinstance(value["url"], str):
            return OpenUrl(self._plain(value["url"]))
        if name == "update_data" and read is not None:
            return UpdateData(read)
        simple = {"complete": Complete, "data_exchange": DataExchange}.get(name)
        return simple(read) if simple is not None else Raw(value)

    # -- values

    def _plain(self, value: Any) -> Any:
        """A value of no particular type, in which texts may be dynamic."""
        if isinstance(value, str):
            return self._or_raw(value, self._dynamic(value)) if flow_json.is_dynamic(value) else value
        if isinstance(value, dict):
            return {key: self._plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        return Raw(None) if value is None else value

    def _or_raw(self, text: str, found: Expr[Any] | None) -> Any:
        return found if found is not None and self._references else Raw(text)

    def _dynamic(self, text: str) -> Expr[Any] | None:
        if flow_json.is_expression(text):
            return read_expression(text, self._find, self._spelled)
        reference = flow_json.parse_reference(text)
        return self._find(reference) if reference is not None else None

    def _find(self, reference: flow_json.Reference) -> Expr[Any] | None:
        """What a reference refers to, None for nothing. Its own screen by name would be written without the name."""
        if reference.screen == self._screen:
            return None
        screen, (name, *inner) = reference.screen or self._screen, reference.path
        if reference.source == "form":
            found = None if inner else self._input(screen, name)
            return found if isinstance(found, Input) or found is own_value else None
        value: Any = self._fields.get((screen, name))
        with suppress(FlowBuildError):
            for step in inner if value is not None else ():
                value = value[step]
            return value if isinstance(value, Expr) else None
        return None

    def _input(self, screen: str, name: str) -> Component | Raw | Expr[Any] | None:
        """The component with a name; `own_value` within itself; None where two refer to each other."""
        source = self._inputs.get((screen, name))
        if source is None or any(source is each for each in self._making):
            return own_value if source is not None and source is self._making[-1] else None
        here, self._screen = self._screen, screen
        try:
            return self._component(source, 0)
        finally:
            self._screen = here

    def _spelled(self, reference: Reference[Any]) -> str:
        """How a reference is written on this screen."""
        if isinstance(reference, OwnValue):
            return f"${{form.{self._making[-1]['name']}}}"
        home = self._homes.get(id(reference.owner), self._screen)
        return reference.local if home == self._screen else f"${{screen.{home}.{reference.local[2:]}"


def _python_type(found: object) -> str:
    """The type that a type checker sees, by its name in Flow JSON; empty for any."""
    if isinstance(found, TextField):
        return "string"
    return type_of(found) if isinstance(found, Expr) else "raw"


def _field(name: str, field: Mapping[str, Any]) -> Data[Any]:
    """A field, with the shortest arguments that give it."""
    schema, example = {key: value for key, value in field.items() if key != "__example__"}, field["__example__"]
    with suppress(FlowBuildError):
        if schema_of(example) == schema:
            return Data(name, example)
    if schema.keys() == {"type"} and schema["type"] in TYPES:
        return Data(name, example, type=schema["type"])
    return Data(name, example, schema=schema)


def _components(children: Any) -> Iterator[Mapping[str, Any]]:
    """All components below a list, by way of Form, If and Switch."""
    ahead: list[tuple[int, Any]] = [(0, children)]
    while ahead:
        depth, found = ahead.pop()
        if depth > _MAX_DEPTH:
            continue
        for component in found if isinstance(found, list) else ():
            if isinstance(component, dict):
                yield component
                lists = [component.get(key) for key in ("children", "then", "else")]
                cases = component.get("cases")
                lists += cases.values() if isinstance(cases, dict) else ()
                ahead += [(depth + 1, each) for each in lists]
