"""A Flow JSON, read once for many events: its screens and their components, the routes, the data models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from .. import flow_json
from .._cached import cached
from .._dataclasses import dataclass, field
from .._flow_facts import FlowFacts, FlowSource, ScreenFacts, facts_of, flow_document, screen_facts
from ._components import ACTION_KEYS, CONTAINERS, ITEM_LISTS, Component, Container, Layout, layout_of
from ._fields import CHOICES, GROUPS
from ._owned import is_too_deep
from ._plans import Plan, plan_of
from ._property_values import rows_of
from ._values import Issue
from ._versions import NEWEST

_NO_OBJECT: Final[Mapping[str, Any]] = {}
_OFFERING: Final = ("data-source", "visible", "condition", "value")
"""The properties of fields, Ifs and Switches on which it depends what is offered."""


class PlayedScreen:
    """
    One screen. `path` is its JSON pointer, `value` the mapping in the document.

    A screen without an id, or with that of an earlier one, has its path as its id, so that it can be opened too.
    `containers` are the kinds of what may hold its components.
    """

    def __init__(
        self, name: str, path: str, value: Mapping[str, Any], facts: ScreenFacts, containers: frozenset[str]
    ) -> None:
        self.id = name
        self.path = path
        self.value = value
        self.facts = facts
        self._containers = containers

    @cached
    def layout(self) -> Layout:
        """The components of the screen, and what holds them."""
        return layout_of(self.value, self.path, self._containers)

    @cached
    def by_path(self) -> Mapping[str, Component]:
        return {component.path: component for component in self.layout.components}

    @cached
    def by_name(self) -> Mapping[str, tuple[Component, ...]]:
        """The components with a name, one of each kind: the branches of an If often have one each."""
        found: dict[str, dict[str, Component]] = {}
        for component in self.layout.components:
            if component.name:
                found.setdefault(component.name, {}).setdefault(component.kind, component)
        return {name: tuple(components.values()) for name, components in found.items()}

    @cached
    def shared_names(self) -> frozenset[str]:
        """The names that several components have, in branches of which one is shown."""
        counts = Counter(component.name for component in self.layout.components if component.name)
        return frozenset(name for name, count in counts.items() if count > 1)

    @cached
    def switches_options(self) -> bool:
        """Whether a field with options shares its name: a value that switches a branch may reset it."""
        fields = (each for each in self.layout.components if each.name in self.shared_names)
        return any(each.kind in CHOICES | GROUPS for each in fields)

    @cached
    def reads_other_screens(self) -> bool:
        """Whether what a field with options offers may depend on the data of another screen."""
        fields = (each.value for each in self.layout.components if each.kind in CHOICES | GROUPS)
        branches = (each.value for each in self.layout.containers)
        texts = (each.get(key) for each in chain(fields, branches) for key in _OFFERING)
        return any(isinstance(text, str) and "${screen." in text for text in texts)

    @cached
    def form(self) -> Container | None:
        """The first Form at the top of the layout: it alone gives initial values and errors (form.first)."""
        top = f"{self.path}/layout/children"
        forms = (each for each in self.layout.containers if each.kind == "Form")
        return next((each for each in forms if each.path.rpartition("/")[0] == top), None)

    @cached
    def has_navigation_list(self) -> bool:
        return any(component.kind == "NavigationList" for component in self.layout.components)

    @cached
    def examples(self) -> Mapping[str, Any]:
        """The `__example__` of each field of the data model that has one; none that is nested too deeply."""
        model = self.facts.model or {}
        fields = {name: schema for name, schema in model.items() if isinstance(schema, dict)}
        found = {name: schema["__example__"] for name, schema in fields.items() if "__example__" in schema}
        return {name: example for name, example in found.items() if not is_too_deep(example)}

    @cached
    def issues(self) -> tuple[Issue, ...]:
        """What is noteworthy about the screen as it stands in the document."""
        if self.id != self.path:
            return ()
        return (Issue("The screen has no id, or that of an earlier screen: no action leads to it."),)


class FlowIndex:
    """What `read_flow` makes of a document. Its parts are made when they are first used."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._plans: dict[str, Plan] = {}

    def plan(self, component: Component) -> Plan:
        """What is known of a component's properties before a session: made when it is first needed."""
        found = self._plans.get(component.path)
        if found is None:
            found = self._plans[component.path] = plan_of(component, self.version)
        return found

    @cached
    def version(self) -> flow_json.Version:
        found = self.document.get("version")
        return (flow_json.parse_version(found) if isinstance(found, str) else None) or NEWEST

    @cached
    def facts(self) -> FlowFacts:
        return facts_of(self.document)

    @cached
    def screens(self) -> Mapping[str, PlayedScreen]:
        found: dict[str, PlayedScreen] = {}
        screens = self.document.get("screens")
        containers = frozenset(kind for kind in CONTAINERS if rows_of(kind, self.version))
        for i, screen in enumerate(screens if isinstance(screens, list) else ()):
            value = screen if isinstance(screen, dict) else _NO_OBJECT
            path, name = f"/screens/{i}", value.get("id")
            if isinstance(name, str) and name and name not in found:
                found[name] = PlayedScreen(name, path, value, self.facts.screens[name], containers)
            else:
                found.setdefault(path, PlayedScreen(path, path, value, screen_facts(value), containers))
        return found

    @cached
    def routes(self) -> Mapping[str, frozenset[str]]:
        """
        The screens to which each screen leads: by the routing model, or else by the navigate actions.

        Without a routing model each screen is a key (routes.inferred).
        """
        if self.facts.routes is not None:
            return self.facts.routes
        return {name: frozenset(_targets(screen)) for name, screen in self.screens.items()}

    @cached
    def anywhere(self) -> frozenset[str]:
        """The screens with a NavigationList, which lead to all others without a routing model and an endpoint."""
        if self.facts.routes is not None or "data_api_version" in self.document:
            return frozenset()
        return frozenset(name for name, screen in self.screens.items() if screen.has_navigation_list)

    @cached
    def unreached(self) -> tuple[str, ...]:
        """The screens to which no other leads, in document order."""
        if len(self.anywhere) > 1:
            return ()
        reached = frozenset[str]().union(*self.routes.values())
        names = self.anywhere or self.screens
        return tuple(name for name in names if name in self.routes and name not in reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedFlow:
    """
    A Flow JSON that can be played: made by `read_flow`.

    Two are equal if their documents are. It pickles as its document, and is read again when it is loaded.
    """

    document: Mapping[str, Any] = field(repr=False)
    index: FlowIndex = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return f"PlayedFlow(version='{self.version}', screens={len(self.screens)})"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _loaded, (json.dumps(self.document),)  # not as it is: pickle takes more of the stack for deep documents

    @property
    def version(self) -> flow_json.Version:
        """The version of the Flow JSON; one that cannot be read counts as the newest."""
        return self.index.version

    def plan(self, component: Component) -> Plan:
        """What is known of the properties of one of its components before a session."""
        return self.index.plan(component)

    @property
    def facts(self) -> FlowFacts:
        """What an answer of an endpoint is checked against."""
        return self.index.facts

    @property
    def screens(self) -> Mapping[str, PlayedScreen]:
        """The screens by their ids, in document order."""
        return self.index.screens

    @property
    def entries(self) -> tuple[str, ...]:
        """The ids of the screens at which the Flow can open; empty only if it has no screens."""
        return self.index.unreached or tuple(self.screens)[:1]

    def leads(self, source: str, target: str) -> bool:
        """Whether a screen leads to another, by the routing model or by the navigate actions."""
        return target in self.index.routes.get(source, ()) or (source in self.index.anywhere and source != target)


def read_flow(flow: FlowSource | PlayedFlow) -> PlayedFlow:
    """
    A Flow JSON to be played: a path, a mapping, a text or bytes. What is read already is returned as it is.

    It need not be valid: what cannot be played is kept, and shown as such. Raises `ConfigurationError` if it cannot be
    read, or is not a JSON object of at most 10 MB.
    """
    if isinstance(flow, PlayedFlow):
        return flow
    return _played(flow_document(flow))


def _played(document: dict[str, Any]) -> PlayedFlow:
    return PlayedFlow(document=document, index=FlowIndex(document))


def _loaded(text: str) -> PlayedFlow:
    """A Flow that was pickled."""
    return _played(json.loads(text))


def _targets(screen: PlayedScreen) -> Iterator[str]:
    """The screens that are written in the navigate actions of a screen."""
    for component in screen.layout.components:
        for holder in (component.value, *_items(component.value)):
            for action in map(holder.get, ACTION_KEYS):
                if isinstance(action, dict) and action.get("name") == "navigate":
                    following = action.get("next")
                    target = following.get("name") if isinstance(following, dict) else None
                    if isinstance(target, str):
                        yield target


def _items(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ITEM_LISTS:
        items = component.get(key)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                yield item
