"""One event of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .._dataclasses import replace
from .._wire import short_repr
from ._actions import perform
from ._answers import as_recorded, take_answer
from ._components import CLICK, SELECT, UNSELECT, Component
from ._events import Answer, Back, Blur, Complete, Event, Fill, RefusalKind, Refused, Select, Tap, Upload, UploadedFile
from ._fields import CALENDAR, CHOICES, ENDS, GROUPS, OPT_IN, PICKERS, TEXTS, is_file
from ._property_values import rows_of
from ._session import Session, Step
from ._update import Update
from ._validity import entered

MAX_EVENTS: Final = 10_000
"""More are refused. Our limit: a session keeps its events."""
MAX_TEXT: Final = 100_000
"""Characters of a text that is filled in. Our limit."""
MAX_FILES: Final = 100
"""Files in a picker. Our limit; Meta allows 30."""


def advance(session: Session, event: Event) -> Step:
    """
    The session after an event, and what the event asks of the surroundings.

    Never raises: an event that is impossible on a phone gives a `Refused` and the session as it was. Consecutive Fills
    of one text field are recorded as one event, unless the state depends on those before the last; a session takes at
    most 10,000 events.
    """
    handle = _HANDLERS.get(type(event))
    if handle is None:
        return _refused(session, "not-now", f"A {type(event).__name__} is no event.")
    if session.end is not None:
        return _refused(session, "not-now", "The Flow has ended.", event)
    update = Update(session)
    if isinstance(event, Answer):
        if session.pending is None or session.pending.number != event.number:
            return _refused(session, "not-now", "No request with this number awaits an answer.")
        event = as_recorded(event)
    elif session.pending is not None:
        return _refused(session, "not-now", "The Flow is loading: a request is on its way.", event)
    elif isinstance(event, Fill) and isinstance(event.value, Mapping):
        event = replace(event, value=dict(event.value))
    events = _recorded(session.events, event, update)
    if len(events) > MAX_EVENTS:
        return _refused(session, "not-now", f"A session takes at most {MAX_EVENTS} events.", event)
    update.change(events=events, snackbar=None)
    refusal = handle(update, event)
    return update.step() if refusal is None else Step(session, (refusal,))


def _refused(session: Session, kind: RefusalKind, message: str, event: object = None) -> Step:
    path = getattr(event, "path", "")
    return Step(session, (Refused(kind=kind, message=message, path=path if isinstance(path, str) else ""),))


def _recorded(events: tuple[Event, ...], event: Event, update: Update) -> tuple[Event, ...]:
    """The events with one more, or with the last text of a field that is being filled."""
    last = events[-1] if events else None
    if isinstance(event, Fill) and isinstance(last, Fill) and event.path == last.path:
        component = update.screen.by_path.get(event.path)
        if (
            component is not None
            and component.kind in _JOINED
            and not _each_fill_matters(update, component, last, event)
        ):
            return (*events[:-1], event)
    return (*events, event)


def _each_fill_matters(update: Update, component: Component, *fills: Fill) -> bool:
    """
    Whether each of two Fills has an effect that stays.

    A limit may depend on what was filled in; a branch that a text switches may reset an option; and an error of a
    server is gone even if the value is again what it was sent for.
    """
    if isinstance(component.value.get("max-length"), str) or update.screen.switches_options:
        return True
    gone = update.state.refused_values.get(component.path) if component.path not in update.state.refused else None
    return gone is not None and any(gone == _entered(update, component, each.value) for each in fills)


_JOINED: Final = frozenset({"TextInput", "TextArea"})
"""Fields without actions: only the last of consecutive Fills matters as a rule."""


# -- what is on the screen


def _usable(update: Update, path: str) -> Component | Refused:
    """The component at a path, if it is shown and enabled."""
    component = update.screen.by_path.get(path) if isinstance(path, str) else None
    if component is None:
        return Refused(
            kind="no-such-field",
            message="The screen has no such component.",
            path=path if isinstance(path, str) else "",
        )
    if not rows_of(component.kind, update.flow.version):
        return _not_tappable(component, "cannot be played")
    if not update.resolver.shown(component):
        return _not_tappable(component, "is not shown")
    if update.resolver.properties(component).values.get("enabled") is False:
        return _not_tappable(component, "is disabled")
    return component


def _named(component: Component) -> str:
    return f"{component.kind} {component.name!r}" if component.name else component.kind or "The component"


def _not_tappable(component: Component, why: str) -> Refused:
    return Refused(kind="not-tappable", message=f"{_named(component)} {why}.", path=component.path)


def _not_offered(component: Component, what: str) -> Refused:
    return Refused(kind="not-offered", message=f"{_named(component)} {what}.", path=component.path)


# -- events


def _fill(update: Update, event: Fill) -> Refused | None:
    component = _usable(update, event.path)
    if isinstance(component, Refused):
        return component
    value = _entered(update, component, event.value)
    if isinstance(value, Refused):
        return value
    update.focus(component.path)
    changed = value != update.resolver.value(component)
    update.put(component, value)
    if changed and component.kind not in _JOINED:
        _selected(update, component, None, selected=True)
    return None


def _entered(update: Update, component: Component, value: Any) -> Any:
    """What a field takes of a text; what it does not take is `Refused`."""
    if component.kind not in TEXTS and component.kind != CALENDAR:
        return Refused(kind="no-such-field", message=f"{_named(component)} takes no text.", path=component.path)
    props = update.resolver.properties(component).values
    if component.kind == CALENDAR and props.get("mode") == "range":
        if not isinstance(value, Mapping):
            return _not_offered(component, f"takes a mapping with {' and '.join(ENDS)}")
        if not all(key in ENDS and isinstance(each, str) and len(each) <= MAX_TEXT for key, each in value.items()):
            return _not_offered(component, f"takes a mapping with {' and '.join(ENDS)}, which are texts")
        return {key: each for key, each in value.items() if each}
    if not isinstance(value, str):
        return _not_offered(component, "takes a text")
    if len(value) > MAX_TEXT:
        return _not_offered(component, f"takes at most {MAX_TEXT} characters")
    return entered(component.kind, props, value)


def _blur(update: Update, event: Blur) -> Refused | None:
    component = _usable(update, event.path)
    if isinstance(component, Refused):
        return component
    update.focus(component.path)
    update.touch(component.path)
    update.change(focused="")
    return None


def _select(update: Update, event: Select) -> Refused | None:
    component = _usable(update, event.path)
    if isinstance(component, Refused):
        return component
    if component.kind == OPT_IN:
        value: Any = True if event.selected else None
        option = None
    elif component.kind in CHOICES or component.kind in GROUPS:
        option = next((each for each in update.resolver.options(component) if each.id == event.option), None)
        if option is None:
            return _not_offered(component, f"does not offer {short_repr(event.option)}")
        if not option.enabled:
            return _not_tappable(component, f"does not let {event.option!r} be selected: it is disabled")
        value = _with_option(component, update.resolver.value(component), event)
    else:
        return Refused(kind="no-such-field", message=f"{_named(component)} has no options.", path=component.path)
    before = update.resolver.value(component)
    update.focus(component.path)
    update.change(focused="")
    update.touch(component.path)
    if value == before or (not value and not before):
        return None
    update.put(component, value)
    if component.kind in CHOICES and before and event.selected:
        _item_action(update, component, before, selected=False)
    _selected(update, component, event.option, selected=event.selected)
    return None


def _with_option(component: Component, value: Any, event: Select) -> Any:
    """The value with an option, or without it."""
    if component.kind in CHOICES:
        return event.option if event.selected else "" if value == event.option else value
    others = tuple(each for each in value if each != event.option)
    return (*others, event.option) if event.selected else others


def _selected(update: Update, component: Component, option: str | None, *, selected: bool) -> None:
    """Carry out the actions of a selection: that of the item, then that of the component (select-action.order)."""
    if option is not None:
        _item_action(update, component, option, selected=selected)
    _select_action(update, component, component.value, component.path, selected=selected)


def _item_action(update: Update, component: Component, option: str, *, selected: bool) -> None:
    found = _item(update, component, "data-source", option)
    if found is not None:
        _select_action(update, component, found[1], f"{component.path}/data-source/{found[0]}", selected=selected)


def _item(update: Update, component: Component, key: str, name: str) -> tuple[int, Mapping[str, Any]] | None:
    """The item with an id as it is written, with its actions, and its index."""
    found = update.resolver.scope.value(component.value.get(key)).value
    items = enumerate(found if isinstance(found, list) else ())
    return next(((i, item) for i, item in items if isinstance(item, dict) and item.get("id") == name), None)


def _select_action(update: Update, component: Component, holder: Mapping[str, Any], at: str, *, selected: bool) -> None:
    """Without an on-unselect-action, the on-select-action is carried out for both (select-action.both)."""
    key = SELECT if selected or UNSELECT not in holder else UNSELECT
    if key in holder and update.session.pending is None and update.session.end is None:
        perform(update, component, holder[key], f"{at}/{key}")


def _tap(update: Update, event: Tap) -> Refused | None:
    component = _usable(update, event.path)
    if isinstance(component, Refused):
        return component
    action, at = component.value.get(CLICK), f"{component.path}/{CLICK}"
    if component.kind == "NavigationList":
        option = next((each for each in update.resolver.options(component) if each.id == event.item), None)
        if option is None or not option.id:
            return _not_offered(component, f"has no item {short_repr(event.item)}")
        if not option.enabled:
            return _not_tappable(component, f"has a disabled item {option.id!r}")
        found = _item(update, component, "list-items", option.id)
        if found is not None and CLICK in found[1]:
            action, at = found[1][CLICK], f"{component.path}/list-items/{found[0]}/{CLICK}"
    elif component.kind not in _TAPPED or action is None:
        return _not_tappable(component, "cannot be tapped")
    if component.kind == "Footer" and not update.resolver.enabled(component):
        return _not_tappable(component, f"is disabled: {_why_disabled(update)}")
    update.focus(component.path)
    update.change(focused="")
    if component.kind == "NavigationList" and component.name:
        update.put(component, event.item)
    perform(update, component, action, at)
    return None


_TAPPED: Final = frozenset({"Footer", "EmbeddedLink", OPT_IN})
"""What is tapped where it has an on-click-action (opt-in.read-more)."""


def _why_disabled(update: Update) -> str:
    """Why the Footer cannot be tapped: the fields that are not valid, or what its action lacks."""
    resolver = update.resolver
    wrong = [(each, found) for each in resolver.components if (found := resolver.invalid(each)) is not None]
    if not wrong:
        return "the data for the next screen is not there"
    return "; ".join(f"{_named(component)}: {found.text.rstrip('.')}" for component, found in wrong)


def _upload(update: Update, event: Upload) -> Refused | None:
    component = _usable(update, event.path)
    if isinstance(component, Refused):
        return component
    if component.kind not in PICKERS:
        return Refused(kind="no-such-field", message=f"{_named(component)} takes no files.", path=component.path)
    files = event.files
    if not isinstance(files, tuple) or not all(isinstance(file, UploadedFile) for file in files):
        return _not_offered(component, "takes a tuple of UploadedFile")
    if len(files) > MAX_FILES:
        return _not_offered(component, f"takes at most {MAX_FILES} files")
    if not all(map(is_file, files)):
        return _not_offered(component, "takes files with texts, a size that is no negative number, and a known state")
    update.focus(component.path)
    update.change(focused="")
    update.touch(component.path)
    update.put(component, files)
    return None


def _back(update: Update, event: Back) -> None:
    """Close the Flow on its first screen; ask the endpoint (back.refresh), or show what was before (back.kept)."""
    history = update.session.history
    if update.session.focused:
        update.touch(update.session.focused)
    update.change(focused="")
    if len(history) == 1:
        update.end(Complete(payload={}, sent=False))
    elif update.screen.facts.refresh_on_back:
        update.ask("BACK", {})
    else:
        update.change(history=history[:-1])


def _answer(update: Update, event: Answer) -> None:
    request = update.session.pending
    if request is not None:
        update.change(pending=None)
        take_answer(update, request, event)


_Handler = Callable[[Update, Any], "Refused | None"]
_HANDLERS: Final[Mapping[type, _Handler]] = {
    Answer: _answer,
    Back: _back,
    Blur: _blur,
    Fill: _fill,
    Select: _select,
    Tap: _tap,
    Upload: _upload,
}
