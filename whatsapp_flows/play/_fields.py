"""The values that fields hold: what is empty, what fits a field, what an initial value or a payload makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final, get_args

from ._components import Component
from ._events import UploadedFile, UploadState

TEXTS: Final = frozenset({"TextInput", "TextArea", "DatePicker"})
"""Fields that are filled with a text; a CalendarPicker too, or with two."""
CHOICES: Final = frozenset({"RadioButtonsGroup", "Dropdown"})
"""Fields that hold the id of one option."""
GROUPS: Final = frozenset({"CheckboxGroup", "ChipsSelector"})
"""Fields that hold the ids of several options."""
PICKERS: Final = frozenset({"PhotoPicker", "DocumentPicker"})
CALENDAR: Final = "CalendarPicker"
OPT_IN: Final = "OptIn"
ENDS: Final = ("start-date", "end-date")
"""The keys of the value of a CalendarPicker in range mode."""

# What a field holds before it is used (opt-in.untouched), and after its value is no longer offered (data-source.reset).
_EMPTY: Final[Mapping[str, Any]] = {
    **dict.fromkeys((*TEXTS, *CHOICES, CALENDAR, "NavigationList"), ""),
    **dict.fromkeys((*GROUPS, *PICKERS), ()),
    OPT_IN: False,
}


def is_field(component: Component) -> bool:
    """Whether a component holds a value."""
    return component.kind in _EMPTY and bool(component.name)


def is_file(file: UploadedFile) -> bool:
    """Whether what tells of an uploaded file is of the types that it names."""
    texts = all(isinstance(each, str) for each in (file.name, file.mime_type, file.sha256))
    return texts and type(file.size) is int and file.size >= 0 and file.state in get_args(UploadState)


def held(component: Component, form: Mapping[str, Any]) -> Any:
    """
    The value of a component: what the form holds under its name, if it is of the component's kind, or its empty value.

    Components of several kinds may have one name, in different branches. None for what is no field.
    """
    value = form.get(component.name) if component.name else None
    return value if value is not None and _fits(component.kind, value) else empty(component, form)


def empty(component: Component, form: Mapping[str, Any]) -> Any:
    """The empty value of a component; None for an OptIn that was unchecked (opt-in.unchecked)."""
    if component.kind == OPT_IN and component.name in form and form[component.name] is None:
        return None
    return _EMPTY.get(component.kind)


def _fits(kind: str, value: Any) -> bool:
    if kind in GROUPS:
        return isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    if kind in PICKERS:
        return isinstance(value, tuple) and all(isinstance(each, UploadedFile) for each in value)
    if kind == OPT_IN:
        return isinstance(value, bool)
    return isinstance(value, str) or (kind == CALENDAR and isinstance(value, Mapping))


def initial(component: Component, value: Any) -> Any:
    """
    What an initial value of a Flow JSON becomes in the form; None if it does not fit the component.

    A TextInput holds a text, also where it takes numbers (text-input.number-is-text).
    """
    if component.kind in GROUPS:
        return tuple(each for each in value if isinstance(each, str)) if isinstance(value, (list, tuple)) else None
    if component.kind in PICKERS:
        return None
    if component.kind == CALENDAR and isinstance(value, Mapping):
        return {end: value[end] for end in ENDS if isinstance(value.get(end), str)}
    if component.kind == "TextInput" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return value if _fits(component.kind, value) else None


def as_json(value: Any) -> Any:
    """The value of a field as it stands in a payload. Uploaded files stay as they are: the action gives them a form."""
    if isinstance(value, tuple) and not any(isinstance(each, UploadedFile) for each in value):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def as_milliseconds(value: Any) -> Any:
    """
    A date as the milliseconds from 1970 to its midnight, in a text. Anything else is as it was.

    A phone takes midnight where it is; the player, in UTC.
    """
    try:
        day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        return value
    return str(int(day.timestamp()) * 1000)
