"""
Rewrites a Flow JSON of an older version to a newer one, and lists what its author has to decide.

`STEPS` has one step for each boundary between two versions; they are applied in order to a copy. A step changes the
document where Meta's reference says how, and yields its changes and what it cannot decide. It never raises for what is
in the document: what is not of the expected form is left as it is, for the validator to report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from ..errors import ConfigurationError
from ._raw_document import SHAPES, actions_of, all_components, components_in, components_of, items_of, screens_of
from .language import is_dynamic, is_expression
from .schema import (
    BLANK,
    ITEMS,
    KNOWN_VERSIONS,
    NOT_BLANK,
    SCREEN,
    SHOPPING_LAYOUTS,
    Property,
    Shape,
    Version,
    parse_version,
    properties_of,
)
from .text import FlowJson, Pointer, format_pointer, parse_json

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = 86_400_000  # milliseconds
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_MILLISECONDS: Final = re.compile(r"-?[0-9]{1,15}").fullmatch
_LARGEST_IMAGE: Final = 102_400  # bytes, from 6.0 on


@dataclass(frozen=True, slots=True)
class Change:
    """One rewrite. `pointer` is the place as Meta spells it; `before` and `after` are short JSON, None for nothing."""

    pointer: str
    what: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """A place that the author of the flow has to look at, and the decision to make there."""

    pointer: str
    what: str


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A document in a newer version, its changes, and what is left to decide. `document` is a copy."""

    document: Mapping[str, Any] = field(repr=False)
    changes: tuple[Change, ...]
    undecided: tuple[Undecided, ...]
    from_version: Version
    to_version: Version

    @property
    def changed(self) -> bool:
        """Whether the document differs from the one given."""
        return bool(self.changes)


def upgrade(document: FlowJson, to: str | Version = "7.3") -> Upgrade:
    """
    A Flow JSON of an older version, rewritten to the version `to`.

    The input is not changed. A document that is already of that version is returned unchanged. Raises
    `ConfigurationError` for a source that is no JSON object, for an unknown version of the document or in `to`, and if
    `to` is older than the document's version.
    """
    parsed = parse_json(document)
    if parsed.value is None:
        raise ConfigurationError(f"document: {parsed.problem.message if parsed.problem else 'it is empty.'}")
    wanted = _known("to", to)
    stated = parsed.value.get("version")
    found = _known("document: version", stated)
    if wanted < found:
        raise ConfigurationError(f"to: the document is of version {found}, and cannot be downgraded to {wanted}.")
    new = parsed.value
    changes: list[Change] = []
    undecided: list[Undecided] = []
    if found != wanted:
        new["version"] = str(wanted)
        changes.append(_changed(("version",), "the version", stated, str(wanted)))
    for _, boundary, step in STEPS:
        if not found < boundary <= wanted:
            continue
        for point in step(new):
            if isinstance(point, Change):
                changes.append(point)
            elif (point.since is None or found >= point.since) and (point.until is None or wanted < point.until):
                undecided.append(Undecided(format_pointer(point.pointer), point.what))
    return Upgrade(new, tuple(changes), tuple(undecided), found, wanted)


def _known(argument: str, version: object) -> Version:
    asked = parse_version(version) if isinstance(version, str) else version
    if not isinstance(asked, Version) or asked not in KNOWN_VERSIONS:
        name = str(version) if isinstance(version, Version) else version
        raise ConfigurationError(f"{argument} {name!r} is not a version of Flow JSON that this library knows.")
    return asked


class _ToDecide(NamedTuple):
    """An `Undecided` for documents of `since` or later that are upgraded to a version before `until`."""

    pointer: Pointer
    what: str
    since: Version | None = None
    until: Version | None = None


StepResult = Change | _ToDecide
Step = Callable[[dict[str, Any]], Iterable[StepResult]]


# -- the steps


def _unchanged(_: dict[str, Any]) -> Iterable[StepResult]:
    """The newer version only adds."""
    return ()


def _to_3_0(document: dict[str, Any]) -> Iterator[StepResult]:
    """The endpoint is no longer named in the document."""
    if "data_channel_uri" in document:
        uri = document.pop("data_channel_uri")
        what = f"removed: set endpoint_uri to {_json(uri)} through the Flows API"
        yield _changed(("data_channel_uri",), what, uri)


def _to_4_0(document: dict[str, Any]) -> Iterator[StepResult]:
    """Labels of groups are required."""
    for pointer, component in all_components(document):
        if component["type"] in {"CheckboxGroup", "RadioButtonsGroup"} and "label" not in component:
            yield _ToDecide(pointer, f"a {component['type']} needs a label from 4.0 on: write one.")


def _to_5_0(document: dict[str, Any]) -> Iterator[StepResult]:
    """Dates are days, not milliseconds."""
    for pointer, component in all_components(document):
        if component["type"] == "DatePicker":
            yield from _rewrite_dates(component, pointer, ("min-date", "max-date", "unavailable-dates", "init-value"))
        elif component["type"] == "Form" and "init-values" in component:
            names = [
                inner["name"]
                for _, inner in components_in(component.get("children"), ())
                if inner["type"] == "DatePicker" and isinstance(inner.get("name"), str)
            ]
            values = component["init-values"]
            if isinstance(values, dict):
                yield from _rewrite_dates(values, (*pointer, "init-values"), names)
            elif names and isinstance(values, str):
                yield _ToDecide((*pointer, "init-values"), _FROM_DATA)


def _to_5_1(document: dict[str, Any]) -> Iterator[StepResult]:
    """Texts may not be blank."""
    return _blank_strings(document, Version(5, 1))


def _to_6_0(document: dict[str, Any]) -> Iterator[StepResult]:
    """The strictest step: no blank strings, smaller images, a layout everywhere, fixed names, expressions."""
    yield from _blank_strings(document, Version(6, 0))
    if document.get("data_api_version") == "3.1":
        yield _ToDecide(("data_api_version",), "3.1 is a value for 5.2 only: choose 3.0, or 4.0 from 7.3 on.")
    for pointer, screen in screens_of(document):
        if "external_data" in screen:
            yield _ToDecide((*pointer, "external_data"), "external_data exists only in 5.2.")
        layout = screen.get("layout")
        if layout is None:
            yield _ToDecide(pointer, "every screen needs a layout from 6.0 on.")
        elif isinstance(layout, dict) and isinstance(kind := layout.get("type"), str) and kind in SHOPPING_LAYOUTS:
            yield _ToDecide((*pointer, "layout", "type"), f"the layout {kind} exists only in 5.2.")
        for place, component in components_of(screen, pointer):
            yield from _component_to_6_0(component, place)


def _component_to_6_0(component: dict[str, Any], pointer: Pointer) -> Iterator[StepResult]:
    name = component.get("name")
    if isinstance(name, str) and is_dynamic(name):
        yield _ToDecide((*pointer, "name"), "a name may be neither a binding nor an expression from 6.0 on.")
    for key, text, _ in _strings(component, pointer, SHAPES[component["type"]], Version(5, 1)):
        if is_expression(text):
            yield _ToDecide(key, "a text in backticks is an expression from 6.0 on.")
    for place, item in items_of(component, pointer):
        image = item.get("image")
        if isinstance(image, str) and not is_dynamic(image) and (size := _image_size(image)) > _LARGEST_IMAGE:
            yield _ToDecide(
                (*place, "image"),
                f"an image of a list may have {_LARGEST_IMAGE:,} bytes from 6.0 on; this one has {size:,}.",
            )
    if "on-select-action" in component:
        what = "on-select-action also fires when the screen is first shown, from 6.0 until 7.0."
        yield _ToDecide((*pointer, "on-select-action"), what, until=Version(7, 0))


def _to_7_0(document: dict[str, Any]) -> Iterator[StepResult]:
    """on-select-action fires only when the user selects, as it did before 6.0."""
    for pointer, component in all_components(document):
        if "on-select-action" in component:
            what = "on-select-action no longer fires when the screen is first shown: make sure that nothing needs it."
            yield _ToDecide((*pointer, "on-select-action"), what, since=Version(6, 0))


def _to_7_3(document: dict[str, Any]) -> Iterator[StepResult]:
    """Routes are checked, and terminal screens end with a Footer."""
    if "data_api_version" in document and "routing_model" not in document:
        yield from _add_routing_model(document)
    for pointer, screen in screens_of(document):
        components = [component for _, component in components_of(screen, pointer)]
        if screen.get("terminal") is True and all(component["type"] != "Footer" for component in components):
            yield _ToDecide(pointer, "a terminal screen needs a Footer from 7.3 on.")


STEPS: Final[tuple[tuple[Version, Version, Step], ...]] = (
    (Version(2, 1), Version(3, 0), _to_3_0),
    (Version(3, 0), Version(3, 1), _unchanged),
    (Version(3, 1), Version(4, 0), _to_4_0),
    (Version(4, 0), Version(5, 0), _to_5_0),
    (Version(5, 0), Version(5, 1), _to_5_1),
    (Version(5, 1), Version(5, 2), _unchanged),
    (Version(5, 2), Version(6, 0), _to_6_0),
    (Version(6, 0), Version(6, 1), _unchanged),
    (Version(6, 1), Version(6, 2), _unchanged),
    (Version(6, 2), Version(6, 3), _unchanged),
    (Version(6, 3), Version(7, 0), _to_7_0),
    (Version(7, 0), Version(7, 1), _unchanged),
    (Version(7, 1), Version(7, 2), _unchanged),
    (Version(7, 2), Version(7, 3), _to_7_3),
    (Version(7, 3), Version(7, 4), _unchanged),
)
"""(from, to, step) for each boundary, in order. Source: Meta's changelog of Flow JSON, and its reference."""


# -- dates


_FROM_DATA: Final = "the value is dynamic: its source must send YYYY-MM-DD from 5.0 on."


def _rewrite_dates(values: dict[str, Any], pointer: Pointer, keys: Iterable[str]) -> Iterator[StepResult]:
    """Rewrite the dates under some keys, each one or a list."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, list):
            for i, _ in enumerate(value):
                yield from _rewrite_date(value, i, (*pointer, key, i))
        elif value is not None:
            yield from _rewrite_date(values, key, (*pointer, key))


def _rewrite_date(holder: Any, key: str | int, pointer: Pointer) -> Iterator[StepResult]:
    value = holder[key]
    if isinstance(value, str) and _DATE(value):
        return
    if isinstance(value, str) and is_dynamic(value):
        yield _ToDecide(pointer, _FROM_DATA)
        return
    milliseconds = _milliseconds(value)
    try:
        if milliseconds is None:
            raise OverflowError
        day = (_EPOCH + timedelta(days=milliseconds // _DAY)).isoformat()
    except OverflowError:
        yield _ToDecide(pointer, f"{_json(value)} is no timestamp in milliseconds: write the day as YYYY-MM-DD.")
        return
    holder[key] = day
    yield _changed(pointer, "the day of the timestamp, in UTC", value, day)
    if milliseconds % _DAY:
        yield _ToDecide(
            pointer,
            f"{_json(value)} is not midnight in UTC: in another time zone it may be the day before or after {day}.",
        )


def _milliseconds(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (int, str)) and not isinstance(value, bool) and _MILLISECONDS(str(value)):
        return int(value)
    return None


# -- blank strings and images


def _blank_strings(document: dict[str, Any], version: Version) -> Iterator[_ToDecide]:
    """The blank strings of the kinds that may not be blank from this version on."""
    for pointer, screen in screens_of(document):
        places: list[tuple[Pointer, dict[str, Any], Shape]] = [(pointer, screen, SCREEN)]
        for place, component in components_of(screen, pointer):
            shape = SHAPES[component["type"]]
            places.append((place, component, shape))
            rows = {row.name: row.item for row in shape.properties if row.item in ITEMS}
            places += [
                (at, item, ITEMS[rows[str(at[-2])]]) for at, item in items_of(component, place) if at[-2] in rows
            ]
        for place, value, shape in places:
            for key, text, row in _strings(value, place, shape, version):
                if not text.strip(BLANK) and NOT_BLANK[row.kind.partition("|")[0]] == version:
                    yield _ToDecide(
                        key, f"{key[-1]} may not be blank from {version} on: write a text, or leave it out."
                    )


def _strings(
    value: dict[str, Any], pointer: Pointer, shape: Shape, version: Version
) -> Iterator[tuple[Pointer, str, Property]]:
    """The strings, except names, in those properties of an object that exist in a version."""
    rows = properties_of(shape, version)
    for key, text in value.items():
        row = rows.get(key)
        if isinstance(text, str) and row is not None and row.kind != "name" and row.kind.partition("|")[0] in NOT_BLANK:
            yield (*pointer, key), text, row


def _image_size(base64: str) -> int:
    """The bytes that a text in base64 stands for."""
    text = base64.partition(",")[2] if base64.startswith("data:") else base64
    return len(text.rstrip("=")) * 3 // 4


# -- routes


def _add_routing_model(document: dict[str, Any]) -> Iterator[StepResult]:
    """Insert a routing model made from the navigate actions. Of two opposite routes the first is kept."""
    model: dict[str, list[str]] = {
        screen["id"]: [] for _, screen in screens_of(document) if isinstance(screen.get("id"), str)
    }
    exchanging: list[Pointer] = []
    for pointer, screen in screens_of(document):
        source = screen.get("id")
        for place, component in components_of(screen, pointer):
            for at, action in actions_of(component, place):
                if action.get("name") == "data_exchange":
                    exchanging.append(at)
                target = _target(action)
                if isinstance(source, str) and target is not None and target in model:
                    known = target == source or target in model[source] or source in model[target]
                    model[source] += [] if known else [target]
    items = list(document.items())
    document.clear()
    for key, value in items:
        document[key] = value
        if key == "data_api_version":
            document["routing_model"] = model
    yield Change("routing_model", "made from the navigate actions", after=_truncate(json.dumps(model)))
    for at in exchanging:
        yield _ToDecide(at, "the document does not have the endpoint's routes from here: add them to routing_model.")


def _target(action: dict[str, Any]) -> str | None:
    following = action.get("next")
    if action.get("name") != "navigate" or not isinstance(following, dict) or following.get("type") != "screen":
        return None
    target = following.get("name")
    return target if isinstance(target, str) else None


# -- values in messages


_MAX_VALUE_LENGTH: Final = 80  # characters


def _changed(pointer: Pointer, what: str, before: object, after: str | None = None) -> Change:
    return Change(format_pointer(pointer), what, _truncate(_json(before)), None if after is None else _json(after))


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[: _MAX_VALUE_LENGTH - 3]}..."


def _json(value: object) -> str:
    """A value as JSON for a message; the content of a list or an object is left out."""
    if isinstance(value, (dict, list)):
        return "[...]" if isinstance(value, list) else "{...}"
    return json.dumps(value, ensure_ascii=False)
