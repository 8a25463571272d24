"""What the data of a screen makes of its form: initial values, options that are no longer offered, errors of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .. import flow_json
from .._dataclasses import replace
from ._fields import CHOICES, GROUPS, initial
from ._flow import PlayedFlow, PlayedScreen
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
    for path, source in _error_sources(screen):
        if before is None or _names(source) & incoming.keys():
            refused.pop(path, None)
            if text := _text(now, source):
                refused[path] = text
    arrived = ScreenState(data=data, form=form, touched=state.touched, refused=refused)
    return reoffered(flow, {**screens, name: arrived}, name)


def reoffered(flow: PlayedFlow, screens: Mapping[str, ScreenState], name: str) -> Mapping[str, ScreenState]:
    """
    The states of all screens without what the fields of one no longer offer (data-source.reset).

    A field that is reset may switch a branch, in which another one is reset.
    """
    for _ in range(_MAX_RESETS):
        lost = dict(_no_longer_offered(flow.screens[name], Resolver(flow, screens, name)))
        if not lost:
            break
        state = screens[name]
        screens = {**screens, name: replace(state, form={**state.form, **lost})}
    return screens


_MAX_RESETS: Final = 50
"""Of one field after the other: as many as Meta allows components on a screen."""


def _no_longer_offered(screen: PlayedScreen, now: Resolver) -> Iterator[tuple[str, Any]]:
    """The names of the fields that lose what they hold, with what is left. Of one name, those that are shown count."""
    offered: dict[str, set[str]] = {}
    holding = [
        component
        for component in now.components
        if component.kind in CHOICES | GROUPS
        and now.value(component)
        and "data-source" in now.properties(component).values
        and (component.name not in screen.shared_names or now.shown(component))
    ]
    for component in holding:
        offered.setdefault(component.name, set()).update(option.id for option in now.options(component))
    for component in holding:
        value, known = now.value(component), offered[component.name]
        if component.kind in GROUPS and not known.issuperset(value):
            yield component.name, tuple(each for each in value if each in known)
        elif component.kind in CHOICES and value not in known:
            yield component.name, ""


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
        value = component.value.get("init-value") if screen.form is None else written.get(component.name)
        if component.name and component.name not in found and value is not None:
            fitting = initial(component, scope.deep(value))
            if fitting is not None:
                found[component.name] = fitting
    return found


# -- errors that a server has sent


def _error_sources(screen: PlayedScreen) -> Iterator[tuple[str, Any]]:
    """The path of each field that may have an error, and what gives it: a property, or a part of the Form's."""
    messages = None if screen.form is None else screen.form.value.get("error-messages")
    for component in screen.layout.components:
        if screen.form is None:
            written = component.value.get("error-message")
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
