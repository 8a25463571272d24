"""
What the components of a screen are in one state of a session: their properties, whether they are shown, their options.

Moves and view ask here, so that a component that looks as if it can be used can be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .. import flow_json
from ..flow_json import Property
from ._behaviour import BEHAVIOUR
from ._components import CLICK, ITEM_LISTS, Component, Container
from ._evaluate import Report, evaluate_condition, is_true, text_of
from ._fields import GROUPS, held, is_field
from ._flow import PlayedFlow, PlayedScreen
from ._plans import DYNAMIC_IN_ITEMS, Memory, Option, options_of, take, take_list
from ._property_values import NOTHING
from ._scope import Scope
from ._session import UNOPENED, ScreenState
from ._validity import Invalid, invalid
from ._values import Issue

_BOOLEAN: Final = "bool"


class Properties(NamedTuple):
    """The properties of a component in one state, by their names in Flow JSON, and what is noteworthy about them."""

    values: Mapping[str, Any]
    issues: tuple[Issue, ...]


class Resolver:
    """
    The components of one screen in one state. It remembers what it has worked out: make a new one for a new state.

    `states` are those of all screens, as `Session.screens`.
    """

    def __init__(self, flow: PlayedFlow, states: Mapping[str, ScreenState], screen: str) -> None:
        self.scope = Scope(flow, states, screen)
        self.screen: PlayedScreen | None = flow.screens.get(screen)
        self.state = states.get(screen, UNOPENED)
        self.version = flow.version
        self.components = self.screen.layout.components if self.screen else ()
        self._flow = flow
        self._taken: dict[str, str] = {}
        self._properties: dict[str, Properties] = {}
        self._shown: dict[str, bool] = {}
        self._invalid: dict[str, Invalid | None] = {}
        self._branch_issues: list[Issue] = []

    def properties(self, component: Component) -> Properties:
        """All properties of a component but its actions: references replaced, defaults filled in."""
        found = self._properties.get(component.path)
        if found is None:
            found = self._properties[component.path] = self._resolved(component)
        return found

    def value(self, component: Component) -> Any:
        """The value of a component, as in `Node.value`; None for what has none."""
        return held(component, self.state.form)

    def shown(self, component: Component) -> bool:
        """Whether a component is visible, and stands in the branches that are taken."""
        found = self._shown.get(component.path)
        if found is None:
            inside = all(self._branch(container) == name for container, name in component.branches)
            found = inside and self.properties(component).values.get("visible") is not False
            self._shown[component.path] = found
        return found

    def enabled(self, component: Component) -> bool:
        """What the property `enabled` says; of a Footer, whether it can be tapped unless a request is on its way."""
        if self.properties(component).values.get("enabled") is False:
            return False
        return component.kind != "Footer" or (self.is_valid and not self.missing_payload(component))

    def options(self, component: Component) -> tuple[Option, ...]:
        """The options of a group or a Dropdown, the items of a NavigationList; none for other components."""
        values = self.properties(component).values
        items = next((values[key] for key in ITEM_LISTS if key in values), ())
        value = self.value(component)
        usable = self.enabled(component)
        full = usable and component.kind in GROUPS and _is_full(value, values.get("max-selected-items"))
        return options_of(self.memory(component), items, value, usable=usable, full=full)

    def memory(self, component: Component) -> Memory:
        """What is remembered of a component from state to state."""
        return self._flow.plan(component).memory

    def invalid(self, component: Component) -> Invalid | None:
        """Why the value of a component is not valid. What is not shown is not checked (validity.hidden)."""
        if component.path not in self._invalid:
            checked = is_field(component) and self.shown(component)
            values = self.properties(component).values
            found = invalid(component.kind, values, self.value(component), self.version) if checked else None
            self._invalid[component.path] = found
        return self._invalid[component.path]

    @property
    def is_valid(self) -> bool:
        """Whether every field that is shown is valid."""
        return all(self.invalid(component) is None for component in self.components)

    def missing_payload(self, footer: Component) -> tuple[str, ...]:
        """The keys of the payload of a navigate that have no value yet (footer.navigate); none for other actions."""
        action = footer.value.get(CLICK)
        payload = action.get("payload") if isinstance(action, dict) and action.get("name") == "navigate" else None
        values = payload.items() if isinstance(payload, dict) else ()
        return tuple(key for key, each in values if not self.scope.value(each).known)

    def branch_issues(self) -> tuple[Issue, ...]:
        """What is noteworthy about the conditions of Ifs and the values of Switches."""
        for component in self.components:
            self.shown(component)
        return tuple(self._branch_issues)

    def resolve(self, written: Any, report: Report) -> Any:
        """What `Scope.value` gives: `NOTHING` if there is no value."""
        found = self.scope.value(written, report)
        return found.value if found.known else NOTHING

    def _resolved(self, component: Component) -> Properties:
        plan = self._flow.plan(component)
        if not plan.open:
            return Properties(plan.fixed, plan.issues)
        values, issues = dict(plan.fixed), list(plan.issues)
        for row, written in plan.open:
            value = self._parts(row, written, issues.append)
            if type(value) is list and row.item:
                shown = take_list(component, plan, row, value, self._flow.version, issues)
                values.update({} if shown is NOTHING else {row.name: shown})
            else:
                take(component, row, value, self._flow.version, values, issues)
        return Properties(values, tuple(issues))

    def _parts(self, row: Property, written: Any, report: Report) -> Any:
        """The value of a property that is a reference or an expression, or has some in it."""

        def named(issue: Issue) -> None:
            report(Issue(f"{row.name!r}: {issue.text}", issue.evidence, issue.blocking))

        if type(written) is list:
            return [self._item(each, named) for each in written]
        if type(written) is dict:
            return self._mapping(written, named)
        value = self.resolve(written, named)
        if row.kind == _BOOLEAN and value is not NOTHING and flow_json.is_expression(written):
            return is_true(value)  # such as a comparison that another operand makes a text (expression.concatenation)
        return value

    def _mapping(self, written: dict[str, Any], report: Report) -> dict[str, Any]:
        found = ((key, self.resolve(each, report)) for key, each in written.items())
        return {
            key: self._mapping(value, report) if key == "next" and type(value) is dict else value
            for key, value in found
            if value is not NOTHING
        }

    def _item(self, item: Any, report: Report) -> Any:
        if type(item) is not dict:
            return item
        found = {name: self.resolve(item[name], report) for name in DYNAMIC_IN_ITEMS if name in item}
        return {key: value for key, value in {**item, **found}.items() if value is not NOTHING}

    def _branch(self, container: Container) -> str:
        """The branch of an If or the case of a Switch that is taken; empty, if none is."""
        found = self._taken.get(container.path)
        if found is None:
            choose = self._branch_of_if if container.kind == "If" else self._case_of_switch
            found = self._taken[container.path] = choose(container)
        return found

    def _branch_of_if(self, container: Container) -> str:
        condition = container.value.get("condition")
        if isinstance(condition, str):
            return "then" if evaluate_condition(condition, self.scope.lookup, self._report_at(container)) else "else"
        if not isinstance(condition, bool):
            self._report_at(container)(Issue("The If has no condition that could be tested: its else is taken."))
        return "then" if condition is True else "else"

    def _case_of_switch(self, container: Container) -> str:
        cases = container.value.get("cases")
        value = self.resolve(container.value.get("value"), self._report_at(container))
        name, default = text_of(None if value is NOTHING else value), BEHAVIOUR["switch.default"].value
        known = cases if isinstance(cases, dict) else ()
        return str(name if name in known else default if default in known else "")

    def _report_at(self, container: Container) -> Report:
        def report(issue: Issue) -> None:
            self._branch_issues.append(Issue(f"{container.path}: {issue.text}", issue.evidence, issue.blocking))

        return report


def _is_full(value: Any, most: Any) -> bool:
    """Whether as many options are selected as may be (group.max-disables)."""
    return isinstance(value, tuple) and isinstance(most, (int, float)) and len(value) >= most
