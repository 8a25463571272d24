"""
What many rules ask of a document, computed once: its contents, its references, payloads, trees, forms and routes.

The index is made when the first rule asks for it; what only some rules need is computed on first use. It is kept in the
document's `cache`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from ..._cached import cached
from ..language import (
    ExpressionError,
    Node,
    is_expression,
    parse_condition,
    parse_expression,
    type_of_expression,
)
from ..schema import STRING_ARRAY, Component, Document, Part, Screen, is_plain, parts_of
from ..text import Pointer
from ._contents import Contents, PlacedAction
from ._resolution import Resolution, ResolvedReference
from ._routes import Routes

_NONE: Final[Mapping[str, str]] = {}
_COMPARABLE: Final = frozenset({"boolean", "integer", "number", "string", STRING_ARRAY})
"""Types that need no further comparison if they have the same name."""
_Parsed = dict[str, "Node | ExpressionError"]


class PayloadEntry(NamedTuple):
    """A key of a payload with its value, and `found`: what the value refers to, if it is a reference."""

    action: PlacedAction
    key: str
    value: Any
    found: ResolvedReference | None


class Index(Contents):
    """See the module. Made by `index`."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.document = document
        self.references = Resolution(document, self.screens, self.names, self.of("Form"))
        self.comparisons: dict[tuple[Pointer, str, Pointer], tuple[Any, ...]] = {}
        """What was found between the target of a reference, its type, and a field: see `_payloads.py`."""
        self._expressions: _Parsed = {}
        self._conditions: _Parsed = {}

    # -- payloads

    @cached
    def entries(self) -> dict[str, list[PayloadEntry]]:
        """For each name of an action: the top-level keys of all its payloads that a rule has to check."""
        found: dict[str, list[PayloadEntry]] = {}
        for name, actions in self.actions.items():
            entries: list[PayloadEntry] = []
            found[name] = entries
            for action in actions:
                if action.payload:
                    self._add_entries(action, action.payload, entries)
        return found

    def _add_entries(self, action: PlacedAction, payload: Mapping[str, Any], entries: list[PayloadEntry]) -> None:
        """Add all keys except plainly valid ones: references to what exists, of the same simple type as their field."""
        screen, references = action.screen, self.references
        following = self.screens.get(action.target) if action.target else None
        fields = _NONE if following is None else references.names(following).field_types
        simple = _NONE if action.name == "update_data" else references.names(screen).types
        for key, value in payload.items():
            if type(value) is not str:
                entries.append(PayloadEntry(action, key, value, None))
                continue
            kind = simple.get(value)
            if kind is not None:
                field = fields.get(key)
                if field is None or (field == kind and kind in _COMPARABLE):
                    references.mark_read(screen, value)
                    continue
            found = references.resolve(screen, value) if value[:1] == "$" else None
            entries.append(PayloadEntry(action, key, value, found))

    def entries_of(self, *names: str) -> Iterator[PayloadEntry]:
        """The entries of the payloads of some actions, name by name."""
        for name in names:
            yield from self.entries.get(name, ())

    # -- expressions and conditions

    @cached
    def expressions(self) -> list[tuple[Screen, Pointer, str]]:
        """The expressions in properties of components and at the top level of payloads."""
        found = [(each.screen, each.pointer, each.text) for each in self.dynamic_properties if each.text[0] == "`"]
        found += [
            (action.screen, (*action.pointer, "payload", key), value)
            for entries in self.entries.values()
            for action, key, value, _ in entries
            if type(value) is str and is_expression(value)
        ]
        return found

    def expression(self, text: str) -> Node:
        """The tree of an expression in backticks, parsed once for all rules. Raises `ExpressionError`."""
        return _parse_once(text, parse_expression, self._expressions)

    def condition(self, text: str) -> Node:
        """The tree of a condition, parsed once for all rules. Raises `ExpressionError`."""
        return _parse_once(text, parse_condition, self._conditions)

    def type_of_expression(self, screen: Screen, text: str) -> str:
        """The type of an expression in backticks, UNTYPED if it has none. Raises `ExpressionError`."""
        return type_of_expression(self.expression(text), partial(self.references.type_of, screen))

    # -- data models

    @cached
    def fields(self) -> list[tuple[Screen, str, Mapping[str, Any]]]:
        """All fields of data models, except simple ones whose example is of their type."""
        return [field for screen in self.document.screens for field in self.references.names(screen).fields_to_check]

    @cached
    def schemas(self) -> list[tuple[Screen, str, Mapping[str, Any], list[Part]]]:
        """The fields of data models with parts, and all their parts."""
        return [
            (screen, name, field, list(parts_of(field, screen.at("data", name))))
            for screen, name, field in self.fields
            if not is_plain(field)
        ]

    # -- forms

    @cached
    def _forms(self) -> dict[Pointer, Component]:
        return {form.pointer: form for _, form in self.of("Form")}

    def form_around(self, component: Component) -> Component | None:
        """The Form that a component stands in."""
        if "Form" not in component.inside:
            return None
        outermost_first = (component.pointer[:length] for length in range(len(component.pointer)))
        return next((self._forms[pointer] for pointer in outermost_first if pointer in self._forms), None)

    @cached
    def inputs(self) -> dict[Pointer, dict[str, Component]]:
        """For each Form, by its pointer: the components in it by name."""
        found: dict[Pointer, dict[str, Component]] = {pointer: {} for pointer in self._forms}
        for names in self.names if found else ():
            for name, component in names.items():
                if form := self.form_around(component):
                    found[form.pointer][name] = component
        return found

    # -- routes

    @cached
    def routes(self) -> Routes:
        """The routing graph."""
        value, screens = self.document.value, self.document.screens
        model = value.get("routing_model")
        return Routes(
            start=screens[0].id if screens else None,
            model=model if isinstance(model, dict) else None,
            navigations=[
                (action.screen.id, action.target) for action in self.actions.get("navigate", ()) if action.target
            ],
            lists=() if "data_api_version" in value else (screen.id for screen, _ in self.of("NavigationList")),
        )


def _parse_once(text: str, parse: Callable[[str], Node], parsed: _Parsed) -> Node:
    found = parsed.get(text)
    if found is None:
        try:
            found = parsed[text] = parse(text)
        except ExpressionError as error:
            found = parsed[text] = error.with_traceback(None)
    if isinstance(found, ExpressionError):
        raise ExpressionError(found.reason, found.offset)
    return found


def index(document: Document) -> Index:
    """The index of a document, made on the first call."""
    found = document.cache.get("index")
    if found is None:
        found = document.cache["index"] = Index(document)
    made: Index = found
    return made
