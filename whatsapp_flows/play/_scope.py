"""What references and expressions give on a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .. import flow_json
from ._behaviour import BEHAVIOUR
from ._components import Component
from ._evaluate import Report, evaluate_expression, ignored
from ._fields import as_json, as_milliseconds, held
from ._flow import PlayedFlow
from ._session import UNOPENED, ScreenState
from ._values import Issue
from ._versions import DAYS_SINCE, EXPRESSIONS_SINCE

MAX_DEPTH: Final = 32
"""How deep references are looked for in the objects and lists of a payload. Our limit."""


class Found(NamedTuple):
    """What a reference gives; `known` is False if it leads to nothing."""

    known: bool
    value: Any = None


_NOTHING: Final = Found(known=False)


class Scope:
    """The names that a screen can use: its own data and form, and those of the other screens."""

    def __init__(self, flow: PlayedFlow, states: Mapping[str, ScreenState], screen: str) -> None:
        self.flow = flow
        self.screen = screen
        self._states = states
        self._expressions = flow.version >= EXPRESSIONS_SINCE

    def find(self, reference: flow_json.Reference) -> Found:
        """What a reference gives. Never raises."""
        name = self.screen if reference.screen is None else reference.screen
        state = self._states.get(name, UNOPENED)
        if reference.source == "form":
            return self._field(name, state, reference.path)
        value: Any = state.data
        for step in reference.path:
            if not isinstance(value, Mapping) or step not in value:
                return _NOTHING
            value = value[step]
        return Found(known=True, value=value)

    def _field(self, name: str, state: ScreenState, path: tuple[str, ...]) -> Found:
        screen = self.flow.screens.get(name)
        components = screen.by_name.get(path[0], ()) if screen is not None else ()
        if not components:
            return _NOTHING
        values = [(component, held(component, state.form)) for component in components]
        component, value = next((each for each in values if each[1]), values[0])
        for step in path[1:]:
            if not isinstance(value, Mapping) or step not in value:
                return _NOTHING
            value = value[step]
        return Found(known=True, value=self._handed_on(component, value))

    def _handed_on(self, component: Component, value: Any) -> Any:
        """The value of a field as a payload and an expression have it."""
        if component.kind == "DatePicker" and self.flow.version < DAYS_SINCE:
            return as_milliseconds(value)
        return as_json(value)

    def lookup(self, reference: flow_json.Reference) -> Any:
        """The value of a reference, None if it leads to nothing: for the evaluator."""
        return self.find(reference).value

    def value(self, written: Any, report: Report = ignored) -> Found:
        """
        What a property gives: a reference or an expression is replaced, anything else is as written.

        A reference is replaced only where it is the whole text.
        """
        if type(written) is not str:
            return Found(known=True, value=written)
        if written[:2] == "${" and (reference := flow_json.parse_reference(written)):
            found = self.find(reference)
            if not found.known:
                report(Issue(f"{written[:80]} has no value.", BEHAVIOUR["reference.missing"].evidence))
            return found
        if written[:1] == "`" and self._expressions and flow_json.is_expression(written):
            value = evaluate_expression(written, self.lookup, report)
            return _NOTHING if value is None else Found(known=True, value=value)
        return Found(known=True, value=written)

    def deep(self, written: Any, depth: int = 0) -> Any:
        """
        A payload, with all references in it replaced. A key that leads to nothing is left out, as `undefined` is.

        The actions in the items of a list are as written: their references are replaced when they are carried out.
        """
        if depth < MAX_DEPTH and isinstance(written, Mapping):
            return {
                key: found.value for key, value in written.items() if (found := self._inside(key, value, depth)).known
            }
        if depth < MAX_DEPTH and isinstance(written, list):
            return [self.deep(each, depth + 1) for each in written]
        return self.value(written).value

    def _inside(self, key: str, value: Any, depth: int) -> Found:
        if key.startswith("on-") and key.endswith("-action"):
            return Found(known=True, value=value)
        if isinstance(value, (Mapping, list)):
            return Found(known=True, value=self.deep(value, depth + 1))
        return self.value(value)
