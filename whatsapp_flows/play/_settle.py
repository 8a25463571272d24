"""What the data of a screen makes of its form: initial values, options that are no longer offered, errors of fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .. import flow_json
from .._dataclasses import replace
from ._components import Component
from ._fields import CHOICES, GROUPS, held, initial
from ._flow import PlayedFlow, PlayedScreen
from ._property_values import rows_of
from ._resolve import Resolver
from ._scope import Scope
from ._session import UNOPENED, ScreenState


def settled(
    flow: PlayedFlow, screens: Mapping[str, ScreenState], name: str, incoming: Mapping[str, Any]
) -> Mapping[str, ScreenState]:
    """
    The states of all screens after data has come for one of them.

    Data and input that the screen has already stay (state.merge, state.form). An initial value is taken over when the
    screen is opened for the first time; later, where it has changed and the user has not changed the value
    (init-value.changed). An error of a field appears when it is sent, also when it is sent again (error.of-server).
    """
    screen, state = flow.screens[name], screens.get(name, UNOPENED)
    before = Scope(flow, screens, name) if name in screens else None
    data = {**state.data, **incoming}
    opening = Scope(flow, {**screens, name: ScreenState(data=data, form=state.form)}, name)
    form = _with_initial_values(screen, before, opening, state.form)
    now = Scope(flow, {**screens, name: ScreenState(data=data, form=form)}, name)
    refused = dict(state.refused)
    for path, source in _error_sources(screen, now):
        if before is None or _names(source) & incoming.keys():
            refused.pop(path, None)
            if text := _text(now, source):
                refused[path] = text
    values = {path: held(screen.by_path[path], form) for path in refused}
    arrived = ScreenState(
        data=data, form=form, touched=state.touched, refused=refused, refused_values={**state.refused_values, **values}
    )
    after: Mapping[str, ScreenState] = {**screens, name: arrived}
    for each in screens:
        if each == name or flow.screens[each].reads_other_screens:
            after = reoffered(flow, screens, after, each)
    return after


def reoffered(
    flow: PlayedFlow, before: Mapping[str, ScreenState], screens: Mapping[str, ScreenState], name: str
) -> Mapping[str, ScreenState]:
    """
    The states of all screens without what the fields of one no longer offer (data-source.reset).

    Only fields whose options are others than `before` are reset: an initial value that was never offered stays
    (init-value.not-offered), and a Dropdown finds it invalid (dropdown.offered). A field that is reset may switch a
    branch, in which another is reset.
    """
    earlier = Resolver(flow, before, name)
    for _ in range(_MAX_RESETS):
        lost = dict(_no_longer_offered(flow.screens[name], earlier, Resolver(flow, screens, name)))
        if not lost:
            break
        state = screens[name]
        screens = {**screens, name: replace(state, form={**state.form, **lost})}
    return screens


_MAX_RESETS: Final = 50
"""Of one field after the other: as many as Meta allows components on a screen."""


def _no_longer_offered(screen: PlayedScreen, before: Resolver, now: Resolver) -> Iterator[tuple[str, Any]]:
    """The names of the fields that lose what they hold, with what is left. Of one name, those that are shown count."""
    offering = [component for component in _offering(screen, now) if now.value(component)]
    offered = _offered(now, offering)
    for component in offering:
        value, known = now.value(component), offered[component.name]
        if component.kind in GROUPS:
            left: Any = tuple(each for each in value if each in known)
        else:
            left = value if value in known else ""
        if left != value and _offered(before, _offering(screen, before, component.name)).get(component.name) != known:
            yield component.name, left


def _offering(screen: PlayedScreen, at: Resolver, name: str | None = None) -> list[Component]:
    """The fields with options, all or those of one name; of a name that several have, those that are shown."""
    return [
        component
        for component in at.components
        if component.kind in CHOICES | GROUPS
        and name in (None, component.name)
        and "data-source" in at.properties(component).values
        and (component.name not in screen.shared_names or at.shown(component))
    ]


def _offered(at: Resolver, offering: Iterable[Component]) -> dict[str, set[str]]:
    """The ids of the options of fields, by the names of the fields."""
    found: dict[str, set[str]] = {}
    for component in offering:
        found.setdefault(component.name, set()).update(option.id for option in at.options(component))
    return found


def _with_initial_values(
    screen: PlayedScreen, before: Scope | None, now: Scope, form: Mapping[str, Any]
) -> dict[str, Any]:
    earlier = {} if before is None else _initial_values(screen, before)
    taken = {
        name: value
        for name, value in _initial_values(screen, now).items()
        if before is None or (value != earlier.get(name) and form.get(name) == earlier.get(name))
    }
    return {**form, **taken}


def _initial_values(screen: PlayedScreen, scope: Scope) -> dict[str, Any]:
    """
    The initial values by the names of the fields, as far as they fit.

    The first Form at the top of the layout gives those of all fields; without one, each field its own (form.first).
    """
    written: dict[str, Any] = {}
    if screen.form is not None:
        values = scope.value(screen.form.value.get("init-values")).value
        written = dict(values) if isinstance(values, Mapping) else {}
    found: dict[str, Any] = {}
    for component in screen.layout.components:
        value = _own(component, "init-value", scope) if screen.form is None else written.get(component.name)
        if component.name and component.name not in found and value is not None:
            fitting = initial(component, scope.deep(value))
            if fitting is not None:
                found[component.name] = fitting
    return found


def _own(component: Component, name: str, scope: Scope) -> Any:
    """A property of a component as it is written, where the version has it; None otherwise."""
    return component.value.get(name) if name in rows_of(component.kind, scope.flow.version) else None


# -- errors that a server has sent


def _error_sources(screen: PlayedScreen, scope: Scope) -> Iterator[tuple[str, Any]]:
    """The path of each field that may have an error, and what gives it: a property, or a part of the Form's."""
    messages = None if screen.form is None else screen.form.value.get("error-messages")
    for component in screen.layout.components:
        if screen.form is None:
            written = _own(component, "error-message", scope)
        elif isinstance(messages, Mapping):
            written = messages.get(component.name)
        else:
            written = _Part(messages, component.name) if isinstance(messages, str) else None
        if written is not None and component.name:
            yield component.path, written


class _Part:
    """The value under a key of what a reference gives."""

    def __init__(self, reference: str, key: str) -> None:
        self.reference = reference
        self.key = key


def _names(source: Any) -> frozenset[str]:
    """The keys of the screen's own data that a source uses."""
    if isinstance(source, _Part):
        return _names(source.reference)
    if isinstance(source, Mapping):
        return frozenset().union(*map(_names, source.values()))
    if not isinstance(source, str):
        return frozenset()
    return frozenset(name for screen, kind, name in flow_json.referenced_names(source) if kind == "data" and not screen)


def _text(scope: Scope, source: Any) -> str:
    """The text of an error. A CalendarPicker may have one for each end, a picker one for each file: they are joined."""
    if isinstance(source, _Part):
        values = scope.value(source.reference).value
        value = values.get(source.key) if isinstance(values, Mapping) else None
    else:
        value = scope.deep(source)
    if isinstance(value, Mapping):
        return " ".join(each for each in value.values() if isinstance(each, str) and each)
    return value if isinstance(value, str) else ""
