"""
What is known of a component's properties before a session: worked out once for a Flow, whatever the document holds.

`fixed` properties have their values, defaults included. `open` ones hold a reference or an expression where the version
has them, and are worked out in each state of a session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final, NamedTuple

from .. import flow_json
from ..flow_json import Property, Version
from ._behaviour import BEHAVIOUR
from ._components import Component
from ._display import displayed
from ._property_values import NOTHING, fitted, rows_of
from ._values import Issue
from ._versions import EXPRESSIONS_SINCE, FORMS_SINCE

DYNAMIC_IN_ITEMS: Final = ("enabled", "image", "src", "alt-text")
"""What may be a reference in the items of a list that stands in the document ("Dynamic properties")."""


class Option(NamedTuple):
    """
    An option of a group, an item of a list: whether it is selected, and whether the user can change that.

    `item` is what it shows, and holds `selected` and `enabled` as well.
    """

    id: str
    item: Mapping[str, Any]
    selected: bool
    enabled: bool


class ShownList(NamedTuple):
    """A list from data (a copy: nobody changes it), and what is shown of it."""

    data: list[Any] | None
    shown: Any
    issues: tuple[Issue, ...]


class ShownOptions(NamedTuple):
    """The options of a list for a value. `full`: no more can be selected; `usable`: the component is enabled."""

    items: tuple[Mapping[str, Any], ...]
    value: Any
    usable: bool
    full: bool
    options: tuple[Option, ...]


class Memory:
    """
    What was worked out last: it holds as long as what it was made from, which is longer than a key press.

    `blocks` are a text and the blocks of its Markdown, as JSON; `lists` are by the names of their properties.
    """

    __slots__ = ("blocks", "lists", "options")

    def __init__(self) -> None:
        self.blocks: tuple[Any, tuple[dict[str, Any], ...]] | None = None
        self.lists: dict[str, ShownList] = {}
        self.options: ShownOptions | None = None


class Plan(NamedTuple):
    """The properties of a component, as far as they are known before a session. `issues` are about the fixed ones."""

    fixed: Mapping[str, Any]
    open: tuple[tuple[Property, Any], ...]
    issues: tuple[Issue, ...]
    memory: Memory


def plan_of(component: Component, version: Version) -> Plan:
    """The plan of a component in a version of Flow JSON; an empty one, if there is no such component in it."""
    fixed: dict[str, Any] = {}
    open_: list[tuple[Property, Any]] = []
    issues: list[Issue] = []
    for name, row in rows_of(component.kind, version).items():
        if component.in_form and row.outside_form:
            continue
        written = component.value.get(name, NOTHING)
        if row.kind.startswith("action:") and type(written) is dict:
            written = fitted(row, written, version)  # its payload is resolved when it is carried out
        if _is_open(written, version):
            open_.append((row, written))
            continue
        take(component, row, written, version, fixed, issues)
        issues += as_written(name, fixed.get(name))
        if written is NOTHING and row.required:
            issues.append(Issue(f"{name!r} is missing.", blocking=True))
    return Plan(fixed, tuple(open_), tuple(issues), Memory())


def take(
    component: Component, row: Property, value: Any, version: Version, found: dict[str, Any], issues: list[Issue]
) -> None:
    """
    Take a value into the properties, as a client shows it.

    Where it is no value of this property, there is an issue, and the default is taken, if there is one.
    """
    fit = NOTHING if value is NOTHING else fitted(row, value, version)
    if fit is not NOTHING:
        shown = displayed(component.kind, row, fit, component.value, version, issues.append)
        if shown is not None:
            found[row.name] = shown
        return
    if value is not NOTHING:
        what = repr(value) if isinstance(value, str) and len(value) <= _SHOWN else _named(value)
        issues.append(Issue(f"{row.name!r} cannot be {what}.", blocking=row.required))
    if row.default is not None:
        found[row.name] = row.default


def take_list(
    component: Component, plan: Plan, row: Property, value: list[Any], version: Version, issues: list[Issue]
) -> Any:
    """What a client shows of a list that comes from data; `NOTHING` if it is no value of this property."""
    known = plan.memory.lists.get(row.name)
    if known is None or known.data != value:
        found: dict[str, Any] = {}
        listed: list[Issue] = []
        take(component, row, value, version, found, listed)
        known = plan.memory.lists[row.name] = ShownList(_copied(value), found.get(row.name, NOTHING), tuple(listed))
    issues += known.issues
    return known.shown


def _copied(value: list[Any]) -> list[Any] | None:
    """A copy, or None of what is nested too deeply to be copied: it is worked out each time."""
    try:
        return deepcopy(value)
    except RecursionError:
        return None


def options_of(
    memory: Memory, items: tuple[Mapping[str, Any], ...], value: Any, *, usable: bool, full: bool
) -> tuple[Option, ...]:
    """The options that these items are, for a value of the component."""
    known = memory.options
    if known is None or known.items is not items or (known.value, known.usable, known.full) != (value, usable, full):
        chosen = frozenset(value if isinstance(value, tuple) else (value,))
        options = tuple(_option(item, chosen, usable=usable, full=full) for item in items)
        known = memory.options = ShownOptions(items, value, usable, full, options)
    return known.options


def _option(item: Mapping[str, Any], chosen: frozenset[Any], *, usable: bool, full: bool) -> Option:
    name = item.get("id", "")
    selected = bool(name) and name in chosen
    enabled = usable and bool(name) and item.get("enabled") is not False and (selected or not full)
    return Option(name, {**item, "selected": selected, "enabled": enabled}, selected, enabled)


_SHOWN: Final = 40  # characters of a value in a message


def as_written(name: str, value: Any) -> Iterator[Issue]:
    """An issue for each text of the document that has a reference beside other text."""
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str) and (found := flow_json.embedded_reference(text)):
            message = f"{name!r} is shown as written: {found[:_SHOWN]} is replaced only where it stands alone."
            yield Issue(message, BEHAVIOUR["reference.whole"].evidence)


def _is_open(value: Any, version: Version) -> bool:
    """Whether a value holds a reference or an expression where it may."""
    if type(value) is str:
        return (value[:2] == "${" and _is_reference(value, version)) or _is_computed(value, version)
    if type(value) is dict:
        following = value.get("next")  # of an action
        texts = (*value.values(), *(following.values() if type(following) is dict else ()))
        return any(type(text) is str and _is_open(text, version) for text in texts)
    if type(value) is list:
        items = (item for item in value if type(item) is dict)
        return any(type(item.get(name)) is str and _is_open(item[name], version)
                   for item in items for name in DYNAMIC_IN_ITEMS)  # fmt: skip
    return False


def _is_reference(text: str, version: Version) -> bool:
    found = flow_json.parse_reference(text)
    return found is not None and (version >= FORMS_SINCE or (found.screen is None and found.source == "data"))


def _is_computed(text: str, version: Version) -> bool:
    return text[:1] == "`" and version >= EXPRESSIONS_SINCE and flow_json.is_expression(text)


def _named(value: Any) -> str:
    names = {
        str: "a text",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        dict: "an object",
        type(None): "null",
    }
    return names.get(type(value), "a list")
