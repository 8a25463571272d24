"""
What a document holds, collected in one walk over its components: components by type and name, actions, dynamic strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..language import is_dynamic
from ..schema import SHOPPING_ACTIONS, Component, Document, Screen, Severity
from ..text import Pointer

ACTION_KEYS: Final = SHOPPING_ACTIONS | {"on-click-action", "on-select-action", "on-unselect-action"}
DOCUMENTED_MAX_COMPONENTS: Final = 50
"""Components on a screen, by Meta's documentation."""

# Features of a document beside the names in it, for the `needs` of rules.
DYNAMIC_PROPERTY: Final = "a dynamic property"
NO_TERMINAL_SCREEN: Final = "no terminal screen"
DUPLICATE_ID: Final = "an id given twice"
DUPLICATE_NAME: Final = "a name given twice"
TEXT_LIST: Final = "a list of texts"
MANY_COMPONENTS: Final = "many components on a screen"

_NO_COMPONENTS: Final[tuple[tuple[Screen, Component], ...]] = ()
_NOT_PROPERTIES: Final = frozenset({"type", "name", "children", "then", "else", "cases", "condition", *ACTION_KEYS})
_NOT_NESTED: Final = _NOT_PROPERTIES | {"init-values", "error-messages"}
_ITEM_LISTS: Final = {"data-source": ("on-select-action", "on-unselect-action"), "list-items": ("on-click-action",)}
# Meta's client validator checks the actions of the items of these only (August 2026); for the others it is our advice.
_CHECKED_BY_META: Final = frozenset({"CheckboxGroup", "RadioButtonsGroup", "Dropdown", "NavigationList"})
_FIRST_OF_DYNAMIC: Final = frozenset({"$", "`"})  # how a reference and an expression begin


class PlacedAction(NamedTuple):
    """
    An action and where it stands.

    `target` is the id of the next screen, if it is written out. `severity` is that of its findings, None for that of
    the rule.
    """

    screen: Screen
    component: Component
    pointer: Pointer
    value: Mapping[str, Any]
    name: str
    payload: Mapping[str, Any] | None
    target: str | None
    severity: Severity | None


class DynamicProperty(NamedTuple):
    """A dynamic string in a property of a component; `nested` if it is inside an item or an object."""

    screen: Screen
    component: Component
    pointer: Pointer
    property: str
    text: str
    nested: bool


class Contents:
    """See the module. `fixed` components hold nothing dynamic and no action: their values are not read."""

    def __init__(self, document: Document) -> None:
        self.screens: dict[str, Screen] = {}
        """Screens by id; of several with one id, the first."""
        self.by_type: dict[str, list[tuple[Screen, Component]]] = {}
        self.actions: dict[str, list[PlacedAction]] = {}
        """Actions by name."""
        self.dynamic_properties: list[DynamicProperty] = []
        self.names: list[dict[str, Component]] = []
        """For each screen: its components by name. Forms are not among them; of several with one name, the first."""
        self.terminal_screens = [screen for screen in document.screens if screen.value.get("terminal") is True]
        keys = set(document.value)
        for screen in document.screens:
            self.screens.setdefault(screen.id, screen)
            keys.update(screen.value)
            self._collect(screen, keys)
        if not self.terminal_screens:
            keys.add(NO_TERMINAL_SCREEN)
        if len(self.screens) < len(document.screens):
            keys.add(DUPLICATE_ID)
        if self.dynamic_properties:
            keys.add(DYNAMIC_PROPERTY)
        self.features = frozenset(keys.union(self.by_type, self.actions, self.screens))
        """
        What the document has: types of components, names of actions, ids of screens, keys of the document, its screens,
        components and items, and the features named above.
        """

    def of(self, *types: str) -> Iterable[tuple[Screen, Component]]:
        """All components of some types, type by type, each with its screen."""
        if len(types) == 1:
            return self.by_type.get(types[0], _NO_COMPONENTS)
        return [place for kind in types for place in self.by_type.get(kind, _NO_COMPONENTS)]

    def by_screen(self, *types: str) -> dict[int, list[Component]]:
        """For each screen that has some: its components of some types, by the position of the screen."""
        found: dict[int, list[Component]] = {}
        for screen, component in self.of(*types):
            found.setdefault(screen.position, []).append(component)
        return found

    def actions_named(self, *names: str) -> Iterator[PlacedAction]:
        """All actions of some names, name by name."""
        for name in names:
            yield from self.actions.get(name, ())

    def _collect(self, screen: Screen, keys: set[str]) -> None:
        """Collect from the components of a screen, and add the features of the screen to `keys`."""
        by_type = self.by_type
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
            keys.add(DUPLICATE_NAME)
        if len(screen.components) > DOCUMENTED_MAX_COMPONENTS:
            keys.add(MANY_COMPONENTS)

    def _read(self, screen: Screen, component: Component, keys: set[str]) -> None:
        for key, value in component.value.items():
            kind = type(value)
            if kind is str:
                if value[:1] in _FIRST_OF_DYNAMIC and key not in _NOT_PROPERTIES and is_dynamic(value):
                    pointer = (*component.pointer, key)
                    self.dynamic_properties.append(DynamicProperty(screen, component, pointer, key, value, False))
            elif kind is list:
                if key not in _NOT_PROPERTIES:
                    self._read_items(screen, component, key, value, keys)
            elif kind is dict:
                if key in ACTION_KEYS:
                    self._add_action(screen, component, (*component.pointer, key), value, None)
                elif key not in _NOT_NESTED:  # rules about the Form check those
                    for name, text in value.items():
                        self._add_nested(screen, component, (*component.pointer, key, name), f"{key}.{name}", text)

    def _read_items(self, screen: Screen, component: Component, key: str, value: list[Any], keys: set[str]) -> None:
        actions = _ITEM_LISTS.get(key, ())
        severity = None if component.type in _CHECKED_BY_META else Severity.WARNING
        if key == "text":
            keys.add(TEXT_LIST)
        for i, item in enumerate(value):
            if type(item) is not dict:
                continue
            for name, held in item.items():
                if type(held) is str:
                    if held[:1] in _FIRST_OF_DYNAMIC:
                        self._add_nested(screen, component, (*component.pointer, key, i, name), f"{key}.{name}", held)
                elif name in actions:
                    self._add_action(screen, component, (*component.pointer, key, i, name), held, severity)

    def _add_nested(self, screen: Screen, component: Component, pointer: Pointer, name: str, text: Any) -> None:
        if type(text) is str and text[:1] in _FIRST_OF_DYNAMIC and is_dynamic(text):
            self.dynamic_properties.append(DynamicProperty(screen, component, pointer, name, text, True))

    def _add_action(
        self, screen: Screen, component: Component, pointer: Pointer, value: Any, severity: Severity | None
    ) -> None:
        if not isinstance(value, dict) or not isinstance(name := value.get("name"), str):
            return
        payload, following = value.get("payload"), value.get("next")
        target = None
        if name == "navigate" and isinstance(following, dict) and following.get("type") == "screen":
            target = following.get("name")
            if not isinstance(target, str) or is_dynamic(target):
                target = None
        held = payload if isinstance(payload, dict) else None
        action = PlacedAction(screen, component, pointer, value, name, held, target, severity)
        self.actions.setdefault(name, []).append(action)
