"""
What many rules ask of a document, found out once: components by type, actions, dynamic strings, names, routes.

Strategy: one walk over all components when the first rule asks, which notes every action and every string that has no
value before the flow runs. Whatever only some rules need (routes, resolved references) is made when it is asked for.
The index lives in the document's `cache`, so that it ends with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from ..language import (
    UNTYPED,
    ExpressionError,
    Node,
    Reference,
    is_dynamic,
    is_expression,
    parse_condition,
    parse_expression,
    parse_reference,
    type_of_expression,
)
from ..schema import (
    EXAMPLE,
    SHOPPING_ACTIONS,
    TEXTS,
    Component,
    Document,
    Part,
    Screen,
    Severity,
    data_model,
    has_texts,
    is_plain,
    is_plain_and_right,
    parts_of,
    type_of_field,
)
from ..text import Pointer
from ._cached import cached
from ._routes import Routes

ACTION_KEYS: Final = SHOPPING_ACTIONS | {"on-click-action", "on-select-action", "on-unselect-action"}
NO_COMPONENTS: Final[tuple[tuple[Screen, Component], ...]] = ()
_NOT_PROPERTIES: Final = frozenset({"type", "name", "children", "then", "else", "cases", "condition", *ACTION_KEYS})
_NOT_NESTED: Final = _NOT_PROPERTIES | {"init-values", "error-messages"}
_ITEM_LISTS: Final = {"data-source": ("on-select-action", "on-unselect-action"), "list-items": ("on-click-action",)}
# Meta's client validator walks the items of these only (August 2026); the others are our advice.
_WALKED: Final = frozenset({"CheckboxGroup", "RadioButtonsGroup", "Dropdown", "NavigationList"})
_NOTHING: Final[Mapping[str, Any]] = {}

# Meta, Flow JSON reference: what `${form.name}` gives. TextInput and CalendarPicker depend on their properties.
VALUE_TYPES: Final = {
    "CheckboxGroup": "array",
    "ChipsSelector": "array",
    "DatePicker": "string",
    "DocumentPicker": "array",
    "Dropdown": "string",
    "NavigationList": "string",
    "OptIn": "boolean",
    "PhotoPicker": "array",
    "RadioButtonsGroup": "string",
    "TextArea": "string",
}
NUMBER_INPUTS: Final = frozenset({"number", "passcode"})
"""The input-types of a TextInput whose value is a number."""
MEDIA: Final = ("PhotoPicker", "DocumentPicker")
SOME_COMPONENTS: Final = 50
"""So many on a screen, and no more, need no closer look."""

# What an index notes beside the names that a document uses, for the `needs` of rules.
DYNAMIC: Final = "a dynamic property"
NO_END: Final = "no terminal screen"
SAME_ID: Final = "an id given twice"
SAME_NAME: Final = "a name given twice"
TEXT_LIST: Final = "a list of texts"
MANY_COMPONENTS: Final = "many components on a screen"
_MARKS: Final = frozenset({"$", "`"})
OF_TEXTS: Final = frozenset({"CheckboxGroup", "ChipsSelector"})
"""The inputs whose value is an array of strings."""
_COMPARABLE: Final = frozenset({"boolean", "integer", "number", "string", TEXTS})
"""The types of which two fit if they have one name."""


class Action(NamedTuple):
    """An action where it stands. `target` is the id of the next screen, if it is written out."""

    screen: Screen
    component: Component
    pointer: Pointer
    value: Mapping[str, Any]
    name: str
    payload: Mapping[str, Any] | None
    target: str | None
    key: str
    in_item: bool
    severity: Severity | None


class Use(NamedTuple):
    """A dynamic string in a property of a component; `nested` if it is inside an item or an object."""

    screen: Screen
    component: Component
    pointer: Pointer
    property: str
    text: str
    nested: bool


class Entry(NamedTuple):
    """A key of a payload: what it refers to, or the value that is written out or an expression."""

    action: Action
    key: str
    value: Any
    found: Resolved | None


class Resolved(NamedTuple):
    """What a reference stands for. `problem` says why it stands for nothing; then there is no more."""

    type: str = UNTYPED
    schema: Mapping[str, Any] | None = None
    component: Component | None = None
    pointer: Pointer = ()
    problem: str = ""


class Known(NamedTuple):
    """
    Of a screen: the types of the simplest references to it, by their text, and those of the fields of its data.

    The simplest are `${data.x}` and `${form.x}` where x is on the screen. Most references are, and they have to be
    found quickly. `rest` are the fields but those without parts whose example is of their type, as most are.
    """

    texts: dict[str, str]
    kinds: dict[str, str]
    rest: list[tuple[Screen, str, Mapping[str, Any]]]


class Index:
    """See the module. Made by `index`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.screens: dict[str, Screen] = {}
        self.by_type: dict[str, list[tuple[Screen, Component]]] = {}
        self.actions: dict[str, list[Action]] = {}
        self.uses: list[Use] = []
        self.names: list[dict[str, Component]] = []
        """For each screen: its components by name. Forms are not among them; of two, the first."""
        self._models = [data_model(screen.value.get("data")) for screen in document.screens]
        self.compared: dict[tuple[Pointer, str, Pointer], tuple[Any, ...]] = {}
        """What was found between the target of a reference, its type, and a field: see `rules/_payloads.py`."""
        self._resolved: list[dict[str, Resolved | None]] = [{} for _ in document.screens]
        self._expressions: _Parsed = {}
        self._conditions: _Parsed = {}
        self._known_names: list[Known | None] = [None] * len(document.screens)
        self._read_texts: list[set[str]] = [set() for _ in document.screens]
        """For each screen: the references that were resolved to something on it, without the rest of their paths."""
        self.ends = [screen for screen in document.screens if screen.value.get("terminal") is True]
        """The terminal screens."""
        keys = set(document.value)
        by_type = self.by_type
        for screen in document.screens:
            self.screens.setdefault(screen.id, screen)
            keys.update(screen.value)
            names: dict[str, Component] = {}
            named = 0
            for component in screen.components:
                kind, _, value, _, fixed = component
                if kind in by_type:
                    by_type[kind].append((screen, component))
                else:
                    by_type[kind] = [(screen, component)]
                if "name" in value and kind != "Form":
                    named += 1
                    if type(name := value["name"]) is str:
                        names.setdefault(name, component)
                keys.update(value)
                for key in _ITEM_LISTS:
                    if key in value and type(value[key]) is list:
                        keys.update(*[item for item in value[key] if type(item) is dict])
                if not fixed:
                    self._read(screen, component, keys)
            self.names.append(names)
            if named > len(names):
                keys.add(SAME_NAME)
            if len(screen.components) > SOME_COMPONENTS:
                keys.add(MANY_COMPONENTS)
        self.features = frozenset(keys.union(by_type, self.actions, self.screens, self._noted()))
        """
        Types of components, names of actions, ids of screens, keys of the document, its screens, components and items,
        and what is noted beside them.
        """

    def _noted(self) -> Iterator[str]:
        if not self.ends:
            yield NO_END
        if len(self.screens) < len(self.document.screens):
            yield SAME_ID
        if self.uses:
            yield DYNAMIC

    def of(self, *types: str) -> Iterable[tuple[Screen, Component]]:
        """All components of some types, type by type, each with its screen."""
        if len(types) == 1:
            return self.by_type.get(types[0], NO_COMPONENTS)
        return [place for kind in types for place in self.by_type.get(kind, NO_COMPONENTS)]

    def by_screen(self, *types: str) -> dict[int, list[Component]]:
        """For each screen that has some: its components of some types, by the index of the screen."""
        found: dict[int, list[Component]] = {}
        for screen, component in self.of(*types):
            found.setdefault(screen.position, []).append(component)
        return found

    def actions_named(self, *names: str) -> Iterable[Action]:
        """All actions of some names, name by name."""
        return [action for name in names for action in self.actions.get(name, ())]

    @cached
    def entries(self) -> dict[str, list[Entry]]:
        """For each name of an action: the keys at the top of all its payloads, but those that are plainly right."""
        found: dict[str, list[Entry]] = {}
        for name, actions in self.actions.items():
            entries: list[Entry] = []
            found[name] = entries
            for action in actions:
                if action.payload:
                    self._not_plain(action, action.payload, entries)
        return found

    def _not_plain(self, action: Action, payload: Mapping[str, Any], entries: list[Entry]) -> None:
        """All keys but references to what exists, of the same simple type as the field that takes them, if one does."""
        screen = action.screen
        following = self.screens.get(action.target) if action.target else None
        fields = _NOTHING if following is None else self._known(following).kinds
        simple = _NOTHING if action.name == "update_data" else self._known(screen).texts
        read = self._read_texts[screen.position].add
        for key, value in payload.items():
            if type(value) is not str:
                entries.append(Entry(action, key, value, None))
                continue
            kind = simple.get(value)
            if kind is not None:
                field = fields.get(key)
                if field is None or (field == kind and kind in _COMPARABLE):
                    read(value)
                    continue
            found = self.resolve(screen, value) if value[:1] == "$" else None
            entries.append(Entry(action, key, value, found))

    def _known(self, screen: Screen) -> Known:
        """What is known of the names on a screen, found out when it is first asked for."""
        found = self._known_names[screen.position]
        if found is None:
            found = self._known_names[screen.position] = Known({}, {}, [])
            texts, kinds, rest = found
            for name, field in (self._models[screen.position] or _NOTHING).items():
                kind = type_of_field(field)
                if kind is None:
                    continue
                if kind != "string" or len(field) != 2 or type(field.get(EXAMPLE)) is not str:
                    if has_texts(field):
                        kind = TEXTS
                    if not is_plain_and_right(field):
                        rest.append((screen, name, field))
                kinds[name] = kind
                if name.isidentifier():
                    texts[f"${{data.{name}}}"] = kind
            for name, component in self.names[screen.position].items():
                if name.isidentifier():
                    kind = value_type(component)
                    texts[f"${{form.{name}}}"] = TEXTS if component.type in OF_TEXTS else kind
        return found

    def entries_of(self, *names: str) -> Iterator[Entry]:
        """The keys of the payloads of some actions, name by name."""
        for name in names:
            yield from self.entries.get(name, ())

    @cached
    def expressions(self) -> list[tuple[Screen, Pointer, str]]:
        """The expressions in properties of components and at the top of payloads."""
        found = [(use.screen, use.pointer, use.text) for use in self.uses if use.text[0] == "`"]
        found += [
            (action.screen, (*action.pointer, "payload", key), value)
            for entries in self.entries.values()
            for action, key, value, _ in entries
            if type(value) is str and is_expression(value)
        ]
        return found

    @cached
    def fields(self) -> list[tuple[Screen, str, Mapping[str, Any]]]:
        """All fields of data models but those without parts whose example is of their type, as most are."""
        return [field for screen in self.document.screens for field in self._known(screen).rest]

    @cached
    def schemas(self) -> list[tuple[Screen, str, Mapping[str, Any], list[Part]]]:
        """The fields of data models with parts, and all their parts."""
        return [
            (screen, name, field, list(parts_of(field, screen.at("data", name))))
            for screen, name, field in self.fields
            if not is_plain(field)
        ]

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

    @cached
    def form_names(self) -> tuple[frozenset[str], ...]:
        """For each screen: the names of its Forms."""
        found: list[set[str]] = [set() for _ in self.document.screens]
        for screen, form in self.of("Form"):
            if isinstance(name := form.value.get("name"), str):
                found[screen.position].add(name)
        return tuple(frozenset(names) for names in found)

    def data(self, screen: Screen) -> Mapping[str, Any] | None:
        """
        The data model of a screen, if it has one.

        A list named `required` is no field: Meta takes it for the keyword, and ignores it.
        """
        return self._models[screen.position]

    def resolve(self, screen: Screen, text: str) -> Resolved | None:
        """What a string that is a reference stands for on a screen; None if it is not a reference."""
        resolved = self._resolved[screen.position]
        if text in resolved:
            return resolved[text]
        reference = parse_reference(text)
        found = resolved[text] = self._look_up(screen, reference) if reference else None
        return found

    @cached
    def unread(self) -> list[Screen]:
        """The screens with an input or a field for which no reference that was resolved by then may stand."""
        return [screen for screen in self.document.screens if not self._all_read(screen)]

    def _all_read(self, screen: Screen) -> bool:
        known = self._known(screen)
        names = len(known.kinds) + len(self.names[screen.position])
        return len(known.texts) == names and known.texts.keys() <= self._read_texts[screen.position]

    def is_read(self, screen: Screen, source: str, name: str) -> bool:
        """Whether a reference resolved so far stands for an input ("form") or a field ("data") of a screen."""
        return f"${{{source}.{name}}}" in self._read_texts[screen.position]

    def type_of_reference(self, screen: Screen, reference: Reference) -> str:
        """The type of a reference in an expression. Raises `ExpressionError` if it stands for nothing."""
        kind = self._known(screen).texts.get(reference.text)
        if kind is not None:
            self._read_texts[screen.position].add(reference.text)
            return "array" if kind is TEXTS else kind
        found = self.resolve(screen, reference.text) or Resolved()
        if found.problem:
            raise ExpressionError(found.problem, 0)
        return found.type

    def expression(self, text: str) -> Node:
        """The tree of an expression in backticks, parsed once for all rules. Raises `ExpressionError`."""
        return _parse_once(text, parse_expression, self._expressions)

    def condition(self, text: str) -> Node:
        """The tree of a condition, parsed once for all rules. Raises `ExpressionError`."""
        return _parse_once(text, parse_condition, self._conditions)

    def type_of_expression(self, screen: Screen, text: str) -> str:
        """The type of an expression in backticks, UNTYPED if it has none. Raises `ExpressionError`."""
        return type_of_expression(self.expression(text), partial(self.type_of_reference, screen))

    def _read(self, screen: Screen, component: Component, keys: set[str]) -> None:
        for key, value in component.value.items():
            kind = type(value)
            if kind is str:
                if value[:1] in _MARKS and key not in _NOT_PROPERTIES and is_dynamic(value):
                    self.uses.append(Use(screen, component, (*component.pointer, key), key, value, False))
            elif kind is list:
                if key not in _NOT_PROPERTIES:
                    self._read_items(screen, component, key, value, keys)
            elif kind is dict:
                if key in ACTION_KEYS:
                    self._action(screen, component, component.pointer, key, value, None)
                elif key not in _NOT_NESTED:  # typed by the rules of the Form
                    for name, text in value.items():
                        if type(text) is str and text[:1] in _MARKS and is_dynamic(text):
                            pointer = (*component.pointer, key, name)
                            self.uses.append(Use(screen, component, pointer, f"{key}.{name}", text, True))

    def _read_items(self, screen: Screen, component: Component, key: str, value: list[Any], keys: set[str]) -> None:
        actions = _ITEM_LISTS.get(key, ())
        if key == "text":
            keys.add(TEXT_LIST)
        for i, item in enumerate(value):
            if type(item) is not dict:
                continue
            for name, held in item.items():
                if type(held) is str:
                    if held[:1] in _MARKS and is_dynamic(held):
                        pointer = (*component.pointer, key, i, name)
                        self.uses.append(Use(screen, component, pointer, f"{key}.{name}", held, True))
                elif name in actions:
                    self._action(screen, component, (*component.pointer, key, i), name, held, i)

    def _action(
        self, screen: Screen, component: Component, owner: Pointer, key: str, value: Any, item: int | None
    ) -> None:
        if not isinstance(value, dict) or not isinstance(name := value.get("name"), str):
            return
        payload, following = value.get("payload"), value.get("next")
        target = None
        if name == "navigate" and isinstance(following, dict) and following.get("type") == "screen":
            target = following.get("name")
            if not isinstance(target, str) or is_dynamic(target):
                target = None
        severity = None if item is None or component.type in _WALKED else Severity.WARNING
        action = Action(
            screen, component, (*owner, key), value, name, payload if isinstance(payload, dict) else None,
            target, key, item is not None, severity,
        )  # fmt: skip
        self.actions.setdefault(name, []).append(action)

    def _look_up(self, screen: Screen, reference: Reference) -> Resolved:
        if reference.screen is not None:
            other = self.screens.get(reference.screen)
            if other is None:
                return Resolved(problem=f"{reference.text}: there is no screen {reference.screen!r}")
            screen = other
        self._read_texts[screen.position].add(f"${{{reference.source}.{reference.path[0]}}}")
        return self._in_data(screen, reference) if reference.source == "data" else self._in_form(screen, reference)

    def _in_data(self, screen: Screen, reference: Reference) -> Resolved:
        fields: Any = self.data(screen) or _NOTHING
        pointer: Pointer = screen.at("data")
        schema: Any = None
        for step in reference.path:
            if schema is not None and schema.get("type") == "array":
                return Resolved(problem=f"{reference.text}: {step!r} lies in an array, whose elements have no names")
            if not isinstance(fields, dict) or not isinstance(fields.get(step), dict):
                return Resolved(problem=f"{reference.text}: {step!r} is not in the data model of screen {screen.id!r}")
            schema, pointer = fields[step], (*pointer, step)
            fields, pointer = schema.get("properties"), (*pointer, "properties")
        return Resolved(type=type_of_field(schema) or UNTYPED, schema=schema, pointer=pointer[:-1])

    def _in_form(self, screen: Screen, reference: Reference) -> Resolved:
        component = self.names[screen.position].get(reference.path[0])
        if component is None:
            if reference.path[0] in self.form_names[screen.position]:
                return Resolved(problem=f"{reference.text}: a Form has no value that could be used")
            return Resolved(problem=f"{reference.text}: screen {screen.id!r} has no input {reference.path[0]!r}")
        if len(reference.path) > 1:  # a part of a value, whose types nobody documents
            return Resolved(component=component, pointer=component.pointer)
        return Resolved(type=value_type(component), component=component, pointer=component.pointer)

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


_Parsed = dict[str, "Node | ExpressionError"]


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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def value_type(component: Component) -> str:
    """The type of an input's value, UNTYPED if it depends on data or the component has none."""
    if component.type == "TextInput":
        return "number" if component.value.get("input-type") in ("number", "passcode") else "string"
    if component.type == "CalendarPicker":
        return {"single": "string", "range": "object"}.get(mode_of(component), UNTYPED)
    return VALUE_TYPES.get(component.type, UNTYPED)


def mode_of(calendar: Component) -> str:
    """single, range, or whatever decides it when the flow runs."""
    mode = calendar.value.get("mode", "single")
    return mode if isinstance(mode, str) else ""


def branch_of(pointer: Pointer) -> tuple[Pointer, str | int] | None:
    """The innermost If or Switch around a place, and the branch of it."""
    for i in range(len(pointer) - 2, 1, -1):
        if isinstance(pointer[i + 1], int):
            if pointer[i - 1] == "cases":
                return pointer[: i - 1], pointer[i]
            if pointer[i] in ("then", "else"):
                return pointer[:i], pointer[i]
    return None


def static_items(component: Component, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The items that are written out in a list property."""
    for i, item in enumerate(_list(component.value.get(key))):
        if isinstance(item, dict):
            yield i, item


def index(document: Document) -> Index:
    """The index of a document, made on the first call."""
    found = document.cache.get("index")
    if found is None:
        found = document.cache["index"] = Index(document)
    made: Index = found
    return made
