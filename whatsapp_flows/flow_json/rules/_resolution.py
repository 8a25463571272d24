"""
What references resolve to on each screen of a document: inputs, and fields of data models.

Most references are `${data.x}` or `${form.x}` where x is on the screen. They are looked up by their whole text, in a
table that is made for a screen when it is first needed; the others are parsed and looked up step by step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..._cached import cached
from ..language import UNTYPED, ExpressionError, Reference, parse_reference
from ..schema import (
    EXAMPLE,
    STRING_ARRAY,
    Component,
    Document,
    Screen,
    data_model,
    is_plain_and_valid,
    is_string_array,
    type_of_field,
)
from ..text import Pointer
from ._component_facts import STRING_ARRAY_INPUTS, value_type

_NO_FIELDS: Final[Mapping[str, Any]] = {}


class ResolvedReference(NamedTuple):
    """The target of a reference. If there is none, `problem` says why, and the rest is empty."""

    type: str = UNTYPED
    schema: Mapping[str, Any] | None = None
    component: Component | None = None
    pointer: Pointer = ()
    problem: str = ""


class Names(NamedTuple):
    """
    The names on a screen.

    `types`: the types of the simplest references, by their text. `field_types`: the types of the fields of its data.
    `fields_to_check`: all fields except simple ones whose example is of their type.
    """

    types: dict[str, str]
    field_types: dict[str, str]
    fields_to_check: list[tuple[Screen, str, Mapping[str, Any]]]


class Resolution:
    """
    See the module. Remembers which inputs and fields were referred to.

    `by_id` are the screens by id, `components` those of each screen by name, `forms` all Forms with their screens.
    """

    def __init__(
        self,
        document: Document,
        by_id: Mapping[str, Screen],
        components: Sequence[Mapping[str, Component]],
        forms: Iterable[tuple[Screen, Component]],
    ) -> None:
        self._screens = document.screens
        self._by_id = by_id
        self._components = components
        self._forms = forms
        self._models = [data_model(screen.value.get("data")) for screen in document.screens]
        self._names: list[Names | None] = [None] * len(document.screens)
        self._resolved: list[dict[str, ResolvedReference | None]] = [{} for _ in document.screens]
        self._read: list[set[str]] = [set() for _ in document.screens]
        """For each screen: the references that stand for something on it, without the rest of their paths."""

    def data_model(self, screen: Screen) -> Mapping[str, Any] | None:
        """
        The data model of a screen, if it has one.

        A list named `required` is no field: Meta takes it for the keyword, and ignores it.
        """
        return self._models[screen.position]

    def names(self, screen: Screen) -> Names:
        """The names on a screen, collected on the first call."""
        found = self._names[screen.position]
        if found is None:
            found = self._names[screen.position] = Names({}, {}, [])
            self._add_fields(screen, found)
            for name, component in self._components[screen.position].items():
                if name.isidentifier():
                    kind = STRING_ARRAY if component.type in STRING_ARRAY_INPUTS else value_type(component)
                    found.types[f"${{form.{name}}}"] = kind
        return found

    def _add_fields(self, screen: Screen, names: Names) -> None:
        types, field_types, fields_to_check = names
        for name, field in (self._models[screen.position] or _NO_FIELDS).items():
            kind = type_of_field(field)
            if kind is None:
                continue
            if kind != "string" or len(field) != 2 or type(field.get(EXAMPLE)) is not str:
                if is_string_array(field):
                    kind = STRING_ARRAY
                if not is_plain_and_valid(field):
                    fields_to_check.append((screen, name, field))
            field_types[name] = kind
            if name.isidentifier():
                types[f"${{data.{name}}}"] = kind

    def mark_read(self, screen: Screen, text: str) -> None:
        """Remember that one of the simplest references is used on a screen."""
        self._read[screen.position].add(text)

    def resolve(self, screen: Screen, text: str) -> ResolvedReference | None:
        """The target of a string that is a reference, on a screen; None if it is not a reference."""
        resolved = self._resolved[screen.position]
        if text in resolved:
            return resolved[text]
        reference = parse_reference(text)
        found = resolved[text] = self._look_up(screen, reference) if reference else None
        return found

    def type_of(self, screen: Screen, reference: Reference) -> str:
        """The type of a reference in an expression. Raises `ExpressionError` if it has no target."""
        kind = self.names(screen).types.get(reference.text)
        if kind is not None:
            self._read[screen.position].add(reference.text)
            return "array" if kind is STRING_ARRAY else kind
        found = self.resolve(screen, reference.text) or ResolvedReference()
        if found.problem:
            raise ExpressionError(found.problem, 0)
        return found.type

    @cached
    def screens_with_unread(self) -> list[Screen]:
        """The screens that may have an input or a field that no reference resolved by then refers to."""
        return [screen for screen in self._screens if not self._all_read(screen)]

    def _all_read(self, screen: Screen) -> bool:
        names = self.names(screen)
        count = len(names.field_types) + len(self._components[screen.position])
        return len(names.types) == count and names.types.keys() <= self._read[screen.position]

    def is_read(self, screen: Screen, source: str, name: str) -> bool:
        """Whether a reference resolved so far refers to an input ("form") or a field ("data") of a screen."""
        return f"${{{source}.{name}}}" in self._read[screen.position]

    def _look_up(self, screen: Screen, reference: Reference) -> ResolvedReference:
        if reference.screen is not None:
            other = self._by_id.get(reference.screen)
            if other is None:
                return ResolvedReference(problem=f"{reference.text}: there is no screen {reference.screen!r}")
            screen = other
        self._read[screen.position].add(f"${{{reference.source}.{reference.path[0]}}}")
        return self._in_data(screen, reference) if reference.source == "data" else self._in_form(screen, reference)

    def _in_data(self, screen: Screen, reference: Reference) -> ResolvedReference:
        fields: Any = self.data_model(screen) or _NO_FIELDS
        pointer: Pointer = screen.at("data")
        schema: Any = None
        text = reference.text
        for step in reference.path:
            if schema is not None and schema.get("type") == "array":
                return ResolvedReference(problem=f"{text}: {step!r} lies in an array, whose elements have no names")
            if not isinstance(fields, dict) or not isinstance(fields.get(step), dict):
                return ResolvedReference(problem=f"{text}: {step!r} is not in the data model of screen {screen.id!r}")
            schema, pointer = fields[step], (*pointer, step)
            fields, pointer = schema.get("properties"), (*pointer, "properties")
        return ResolvedReference(type=type_of_field(schema) or UNTYPED, schema=schema, pointer=pointer[:-1])

    def _in_form(self, screen: Screen, reference: Reference) -> ResolvedReference:
        name = reference.path[0]
        component = self._components[screen.position].get(name)
        if component is None:
            if name in self._form_names[screen.position]:
                return ResolvedReference(problem=f"{reference.text}: a Form has no value that could be used")
            return ResolvedReference(problem=f"{reference.text}: screen {screen.id!r} has no input {name!r}")
        if len(reference.path) > 1:  # a part of a value: its type is not documented
            return ResolvedReference(component=component, pointer=component.pointer)
        return ResolvedReference(type=value_type(component), component=component, pointer=component.pointer)

    @cached
    def _form_names(self) -> tuple[frozenset[str], ...]:
        """For each screen: the names of its Forms."""
        found: list[set[str]] = [set() for _ in self._screens]
        for screen, form in self._forms:
            if isinstance(name := form.value.get("name"), str):
                found[screen.position].add(name)
        return tuple(frozenset(names) for names in found)
