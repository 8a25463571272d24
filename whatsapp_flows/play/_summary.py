"""The summary of a completed Flow, as the user finds it in the chat: `summary`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .._dataclasses import dataclass, field
from ._behaviour import BEHAVIOUR
from ._components import Component
from ._evaluate import is_empty, text_of
from ._events import Complete
from ._fields import ENDS, PICKERS, is_field
from ._flow import PlayedScreen
from ._resolve import Resolver
from ._session import Session
from ._versions import SUMMARY_SINCE

_LEFT_OUT: Final = PICKERS | {"NavigationList"}
_HIDDEN_INPUTS: Final = ("password", "passcode")


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """A line of the summary: the label of a field, and its value as text. `name` and `screen` say which field it is."""

    screen: str
    name: str
    label: str
    value: str = field(repr=False)


def summary(session: Session) -> tuple[SummaryRow, ...]:
    """
    What the message in the chat shows of the answer, field by field; nothing before the Flow has sent it.

    The summary came with Flow JSON 5.1. It has the fields of the screens from the first to the last, as far as they are
    shown and have a value (summary.fields): titles for ids (summary.titles), 12 bullets for a sensitive field unless it
    is an OptIn (summary.masked); no password, passcode or file (summary.left-out).
    """
    sent = isinstance(session.end, Complete) and session.end.sent
    if not sent or session.flow.version < SUMMARY_SINCE:
        return ()
    screens = (session.flow.screens.get(name) for name in dict.fromkeys(session.history))
    return tuple(row for screen in screens if screen is not None for row in _rows(session, screen))


def _rows(session: Session, screen: PlayedScreen) -> Iterator[SummaryRow]:
    resolver = Resolver(session.flow, session.screens, screen.id)
    sensitive = screen.value.get("sensitive")
    masked = sensitive if isinstance(sensitive, list) else ()
    for component in resolver.components:
        if not is_field(component) or component.kind in _LEFT_OUT or not resolver.shown(component):
            continue
        props = resolver.properties(component).values
        value = _text(component, resolver)
        if value and props.get("input-type") not in _HIDDEN_INPUTS:
            if component.name in masked and component.kind != "OptIn":
                value = str(BEHAVIOUR["summary.masked"].value)
            yield SummaryRow(screen=screen.id, name=component.name, label=_label(component, props), value=value)


def _label(component: Component, props: Mapping[str, Any]) -> str:
    label = props.get("title") if isinstance(props.get("label"), Mapping) else props.get("label")
    return label or component.name


def _text(component: Component, resolver: Resolver) -> str:
    """The value of a field as text, empty if it has none."""
    value = resolver.value(component)
    if component.kind == "OptIn":
        return "Yes" if value is True else "No"
    if is_empty(value):
        return ""
    if isinstance(value, Mapping):
        return " to ".join(text_of(value[end]) for end in ENDS if value.get(end))
    titles = {option.id: text_of(option.item.get("title")) for option in resolver.options(component)}
    chosen = value if isinstance(value, tuple) else (value,)
    return ", ".join(titles.get(each) or text_of(each) for each in chosen)
