"""
What a test means by a name, a label or a title: the component on the screen, the option of a component.

A component is named by its `name`, by what is written on it (`label`, or the `text` of an EmbeddedLink), or by its JSON
pointer; an option by its id or its title. A name wins over a label, an id over a title.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .. import flow_json
from .._dataclasses import dataclass
from ..errors import ConfigurationError
from ._components import ITEM_LISTS
from ._errors import NoSuchField, NotOffered, NotTappable, sentence
from ._values import Node, View

FOOTER: Final = "Footer"
OPT_IN: Final = "OptIn"
LISTED: Final = "NavigationList"

# Component -> the property with what is written on it. What a user taps, and what a user fills in.
TAPPED: Final[Mapping[str, str]] = {
    FOOTER: "label",
    "EmbeddedLink": "text",
    OPT_IN: "label",
    LISTED: "label",
}
FIELDS: Final = frozenset(
    {
        "CalendarPicker", "CheckboxGroup", "ChipsSelector", "DatePicker", "DocumentPicker", "Dropdown", OPT_IN,
        "PhotoPicker", "RadioButtonsGroup", "TextArea", "TextInput",
    }
)  # fmt: skip
_MOST_NAMED: Final = 20
"""So many names or options are listed in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a component: its id, the title that a user sees, and whether it is selected and can be used."""

    id: str
    title: str
    selected: bool
    enabled: bool


def field_of(view: View, name: str) -> Node:
    """The field with a name, a label or a path. Raises `NoSuchField`, with the nearest name."""
    fields = _fields(view)
    found = _found(fields, name)
    if found is None:
        raise NoSuchField(_no_such(view, "field", name, [node.name for node in fields if node.name]))
    return found


def listed_of(view: View, name: str) -> Node:
    """The field or the NavigationList with a name, a label or a path. Raises `NoSuchField`."""
    found = _found([node for node in view.nodes if node.kind == LISTED], name)
    return field_of(view, name) if found is None else found


def tapped(view: View, target: str | None) -> Node:
    """
    What is tapped: the Footer, or the component with a name, a label or a path.

    Raises `NotTappable` for a screen without Footer, and `NoSuchField` for a name that is not there.
    """
    if target is None:
        if view.footer is None:
            raise NotTappable(f"{_screen(view)} has no Footer: say what to tap.")
        return view.footer
    nodes = _tappable(view)
    found = _found(nodes, target)
    if found is None:
        texts = [text for node in nodes for text in (node.name, label_of(node)) if text]
        raise NoSuchField(_no_such(view, "component to tap", target, texts))
    return found


def address_of(view: View, node: Node, *, tapped: bool = False) -> str:
    """What names this component for `field_of`, or for `tapped`: its name, its label, else its path."""
    nodes = _tappable(view) if tapped else _fields(view)
    return next((text for text in (node.name, label_of(node)) if text and _found(nodes, text) is node), node.path)


def shown_errors(view: View) -> dict[str, str]:
    """The errors that are shown, by the names of their fields; by their paths, if they have none."""
    return {node.name or node.path: node.error for node in view.nodes if node.shown and node.error}


def label_of(node: Node) -> str:
    """What is written on a component, or an empty text."""
    label = node.props.get(TAPPED.get(node.kind, "label"))
    return label if isinstance(label, str) else ""


def option_of(view: View, node: Node, wanted: str) -> str:
    """The id of the option, or item, with this id or title. Raises `NotOffered`, with what is offered."""
    options = tuple(options_of(node))
    if any(option.id == wanted for option in options):
        return wanted
    titled = [option.id for option in options if option.title == wanted]
    if len(titled) == 1:
        return titled[0]
    called = f"{node.kind} {node.name or label_of(node)!r} of screen {view.screen}"
    if titled:
        several = f"{called} has several options {wanted!r}: use one of the ids {_listed(titled)}"
        raise NotOffered(sentence(several, node.path), node.path)
    names = [option.title or option.id for option in options]
    hint = flow_json.did_you_mean(wanted, tuple(dict.fromkeys([*names, *(option.id for option in options)])))
    offered = f"it offers {_listed(names)}" if names else "it offers nothing"
    raise NotOffered(f"{sentence(f'{called} does not offer {wanted!r}: {offered}', node.path)}{hint}", node.path)


def options_of(node: Node) -> Iterator[Option]:
    """The options of a component, or the items of a NavigationList."""
    for key in ITEM_LISTS:
        source = node.props.get(key)
        for item in source if isinstance(source, (list, tuple)) else ():
            if isinstance(item, Mapping) and isinstance(item.get("id"), str):
                yield Option(
                    id=item["id"],
                    title=_title(item),
                    selected=item.get("selected") is True,
                    enabled=item.get("enabled", True) is not False,
                )


def _title(item: Mapping[str, Any]) -> str:
    content = item.get("main-content")
    title = content.get("title") if isinstance(content, Mapping) else item.get("title")
    return title if isinstance(title, str) else ""


def _fields(view: View) -> tuple[Node, ...]:
    return tuple(node for node in view.nodes if node.kind in FIELDS)


def _tappable(view: View) -> tuple[Node, ...]:
    nodes = view.nodes if view.footer is None else (*view.nodes, view.footer)
    return tuple(node for node in nodes if node.kind in TAPPED)


def _found(nodes: Iterable[Node], wanted: str) -> Node | None:
    """The component that is meant; one that is shown, if several are. None if there is none."""
    if not isinstance(wanted, str):
        raise ConfigurationError(f"a component is named by a text, not by a value of type {type(wanted).__name__}.")
    each = tuple(nodes)
    for text_of in (_name, label_of, _path):
        found = [node for node in each if text_of(node) == wanted]
        if found:
            return next((node for node in found if node.shown), found[0])
    return None


def _name(node: Node) -> str:
    return node.name


def _path(node: Node) -> str:
    return node.path


def _no_such(view: View, what: str, wanted: str, names: Iterable[str]) -> str:
    known = tuple(dict.fromkeys(names))
    has = f"it has {_listed(known)}" if known else "it has none"
    return f"{_screen(view)} has no {what} {wanted!r}: {has}.{flow_json.did_you_mean(wanted, known)}"


def _listed(names: Iterable[str]) -> str:
    each = list(names)
    more = [f"and {len(each) - _MOST_NAMED} more"] if len(each) > _MOST_NAMED else []
    return ", ".join([*map(repr, each[:_MOST_NAMED]), *more])


def _screen(view: View) -> str:
    return f"Screen {view.screen}" if view.screen else "The Flow, which has not opened,"
