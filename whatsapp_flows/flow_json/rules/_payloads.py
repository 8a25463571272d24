"""
Payloads of actions: whether they fit the data model of the screen that receives them, and what they refer to.

navigate is checked against the next screen, update_data against its own; complete and data_exchange may send
anything. Sources: Meta, Flow JSON reference ("Actions"); Meta's client validator, August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..language import ExpressionError, is_expression, parse_reference
from ..schema import MAX_SCHEMA_DEPTH, Document, Finding, Screen, Severity, Version
from ..text import Pointer
from ._comparison import bound_mismatches, format_names, known_type, static_mismatch
from ._component_facts import NUMBER_INPUTS
from ._contents import PlacedAction
from ._gaps import NO_PAYLOAD_KEYS, NO_PAYLOADS_OR_BINDINGS
from ._index import PayloadEntry, index
from ._rule import Newer, Rule

NAVIGATE: Final = "INVALID_NAVIGATE_ACTION_PAYLOAD"
NAVIGATE_STATIC: Final = "INVALID_NAVIGATE_ACTION_STATIC_DATA"
UPDATE: Final = "INVALID_UPDATE_DATA_ACTION_PAYLOAD"
SINCE: Final = Version(6, 0)  # of update_data and of expressions

# action -> first version whose payloads' references are checked
REFERRING: Final = {
    "complete": Version(2, 1),
    "data_exchange": Version(2, 1),
    "navigate": Version(2, 1),
    "update_data": Version(6, 0),
}


def navigate_keys(doc: Document) -> Iterator[Finding]:
    """
    The payload of navigate has exactly the fields of the next screen's data model.

    Passes: {"screens": [{"go": "B", "payload": {"a": "x"}}, {"data": {"a": {"type": "string"}}}]}
    Fails: {"screens": [{"go": "B", "payload": {"b": "x"}}, {"data": {"a": {"type": "string"}}}]}
    """
    for action, following in _navigations(doc):
        fields, payload = index(doc).references.data_model(following) or {}, action.payload
        if payload is None:
            if fields:
                message = f"Screen {following.id!r} needs a payload with {format_names(fields)}."
                yield Finding("MISSING_NAVIGATION_ACTION_PAYLOAD", message, action.pointer)
        elif payload.keys() != fields.keys():
            yield from _differing_keys(action, payload, following, fields)


def _differing_keys(
    action: PlacedAction, payload: Mapping[str, Any], following: Screen, fields: Mapping[str, Any]
) -> Iterator[Finding]:
    at = (*action.pointer, "payload")
    unknown = [key for key in payload if key not in fields]
    if unknown and "data" not in following.value:
        yield Finding(NAVIGATE, f"Screen {following.id!r} has no data model, so it takes no payload.", at)
    elif unknown:
        message = f"The data model of screen {following.id!r} has no {format_names(unknown)}."
        for key in unknown:
            yield Finding(NAVIGATE, message, (*at, key), key=True)
    missing = format_names(key for key in fields if key not in payload)
    if missing:
        yield Finding(NAVIGATE, f"The payload lacks fields of screen {following.id!r}: {missing}.", at)


def navigate_values(doc: Document) -> Iterator[Finding]:
    """
    A static value or an expression in the payload of navigate is of the type of its field.

    Passes: {"screens": [{"go": "B", "payload": {"a": "x"}}, {"data": {"a": {"type": "string"}}}]}
    Fails: {"screens": [{"go": "B", "payload": {"a": 5}}, {"data": {"a": {"type": "string"}}}]}
    """
    for action, key, value, found in index(doc).entries_of("navigate"):
        following = None if found else index(doc).screens.get(action.target or "")
        fields = index(doc).references.data_model(following) if following else None
        if following is None or fields is None:
            continue
        at = (*action.pointer, "payload", key)
        if key not in fields:
            message = f"The data model of screen {following.id!r} has no {key}, which the payload sets."
            yield Finding(NAVIGATE_STATIC, message, at)
            yield Finding(NAVIGATE_STATIC, message, following.at("data"))
        elif reason := _value_mismatch(doc, action.screen, value, fields[key]):
            message = f"The payload's {key} does not fit screen {following.id!r}: {reason}."
            yield Finding(NAVIGATE_STATIC, message, at)


def navigate_references(doc: Document) -> Iterator[Finding]:
    """
    A reference in the payload of navigate is of the type of its field.

    Passes: {"screens": [{"go": "B", "payload": {"a": "${data.a}"}, "data": {"a": {"type": "string"}}},
        {"data": {"a": {"type": "string"}}}]}
    Fails: {"screens": [{"go": "B", "payload": {"a": "${data.a}"}, "data": {"a": {"type": "number"}}},
        {"data": {"a": {"type": "string"}}}]}
    """
    for entry in index(doc).entries_of("navigate"):
        following = index(doc).screens.get(entry.action.target or "") if entry.found else None
        if following is not None:
            yield from _reference(doc, entry, following, NAVIGATE)


def update_keys(doc: Document) -> Iterator[Finding]:
    """
    update_data sets fields of its own screen's data model.

    Passes: {"screens": [{"update": {"a": "x"}, "data": {"a": {"type": "string"}}}]}
    Fails: {"screens": [{"update": {"b": "x"}, "data": {"a": {"type": "string"}}}]}
    """
    for action in index(doc).actions.get("update_data", ()):
        at, fields = (*action.pointer, "payload"), index(doc).references.data_model(action.screen)
        unknown = [key for key in action.payload or () if key not in (fields or ())]
        if unknown and fields is None:
            message = f"Screen {action.screen.id!r} has no data model that could be updated."
            yield Finding(UPDATE, message, at, severity=action.severity)
        elif unknown:
            message = f"The data model of screen {action.screen.id!r} has no {format_names(unknown)}."
            for key in unknown:
                yield Finding(UPDATE, message, (*at, key), key=True, severity=action.severity)


def update_values(doc: Document) -> Iterator[Finding]:
    """
    A static value or an expression in the payload of update_data is of the type of its field.

    Passes: {"screens": [{"update": {"a": "x"}, "data": {"a": {"type": "string"}}}]}
    Fails: {"screens": [{"update": {"a": 5}, "data": {"a": {"type": "string"}}}]}
    """
    for action, key, value, found in index(doc).entries_of("update_data"):
        fields = index(doc).references.data_model(action.screen) or {}
        if key in fields and found is None and (reason := _value_mismatch(doc, action.screen, value, fields[key])):
            message = f"The payload's {key} does not fit screen {action.screen.id!r}: {reason}."
            yield Finding(UPDATE, message, (*action.pointer, "payload", key), severity=action.severity)


def update_references(doc: Document) -> Iterator[Finding]:
    """
    A reference in the payload of update_data is of the type of its field.

    Passes: {"screens": [{"update": {"a": "${data.b}"}, "data": {"a": {"type": "string"}, "b": {"type": "string"}}}]}
    Fails: {"screens": [{"update": {"a": "${data.b}"}, "data": {"a": {"type": "string"}, "b": {"type": "number"}}}]}
    """
    for entry in index(doc).entries_of("update_data"):
        yield from _reference(doc, entry, entry.action.screen, UPDATE)


def self_update(doc: Document) -> Iterator[Finding]:
    """
    update_data does not set a field to its current value.

    Passes: {"screens": [{"update": {"a": "${data.b}"}, "data": {"a": {"type": "string"}, "b": {"type": "string"}}}]}
    Fails: {"screens": [{"update": {"a": "${data.a}"}, "data": {"a": {"type": "string"}}}]}
    """
    for action, key, value, _ in index(doc).entries_of("update_data"):
        if value == f"${{data.{key}}}":
            message = f"{key} is set to the value it has."
            yield Finding(UPDATE, message, (*action.pointer, "payload", key), severity=action.severity)


def unknown_reference(doc: Document) -> Iterator[Finding]:
    """
    A payload refers to inputs, fields and screens that exist, and to no Form.

    Passes: {"children": [{"type": "TextInput", "name": "a"},
        {"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "${form.a}"}}}]}
    Fails: {"children": [{"type": "TextInput", "name": "b"},
        {"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "${form.a}"}}}]}
    """
    names = [name for name, since in REFERRING.items() if doc.version >= since]
    for action, key, _, found in index(doc).entries_of(*names):
        if found is not None and found.problem:
            at = (*action.pointer, "payload", key)
            yield Finding("INVALID_ON_CLICK_ACTION_PAYLOAD", f"{found.problem}.", at, severity=action.severity)


def footer_outside_form(doc: Document) -> Iterator[Finding]:
    """
    Until 3.1 the answers of a Form are sent by a Footer inside it; one outside sends none of them.

    Meta's page of errors only has the code, for versions below 4.0. What triggers it is inferred from its name, so this
    is a warning.

    Passes: {"version": "3.1", "children": [{"type": "Form", "children": [{"type": "TextInput", "name": "a"},
        {"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "${form.a}"}}}]}]}
    Fails: {"version": "3.1", "children": [{"type": "Form", "children": [{"type": "TextInput", "name": "a"}]},
        {"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "${form.a}"}}}]}
    """
    for action in index(doc).actions_named(*REFERRING):
        if action.component.type == "Footer" and "Form" not in action.component.inside:
            for key, value in (action.payload or {}).items():
                reference = parse_reference(value) if isinstance(value, str) else None
                if reference is not None and reference.source == "form":
                    message = f"A Footer outside of the Form cannot hand over {value}: put it into the Form."
                    at = (*action.pointer, "payload", key)
                    yield Finding("INVALID_FOOTER_PAYLOAD_OUTSIDE_FORM", message, at)


def expression_in_payload(doc: Document) -> Iterator[Finding]:
    """
    An expression in the payload of navigate or update_data is valid and refers to what exists.

    Passes: {"screens": [{"update": {"a": "`1 + 2`"}, "data": {"a": {"type": "number"}}}]}
    Fails: {"screens": [{"update": {"a": "`1 +`"}, "data": {"a": {"type": "number"}}}]}
    """
    for action, key, value, found in index(doc).entries_of("navigate", "update_data"):
        if found is None and isinstance(value, str):
            yield from _unreadable(doc, action, value, (*action.pointer, "payload", key))


def expression_in_answer(doc: Document) -> Iterator[Finding]:
    """
    An expression in the payload of complete or data_exchange is valid and refers to what exists.

    Passes: {"children": [{"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "`1 + 2`"}}}]}
    Fails: {"children": [{"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "`1 +`"}}}]}
    """
    for action, key, value, found in index(doc).entries_of("complete", "data_exchange"):
        if found is None:
            for pointer, text in _texts(value, (*action.pointer, "payload", key), 0):
                yield from _unreadable(doc, action, text, pointer)


def _navigations(doc: Document) -> Iterator[tuple[PlacedAction, Screen]]:
    """navigate actions whose next screen is known, with that screen."""
    screens = index(doc).screens
    for action in index(doc).actions.get("navigate", ()):
        if action.target is not None and (following := screens.get(action.target)):
            yield action, following


def _value_mismatch(doc: Document, screen: Screen, value: Any, schema: Any) -> str:
    if not isinstance(value, str) or doc.version < SINCE or not is_expression(value):
        return static_mismatch(value, schema)
    try:
        found, wanted = index(doc).type_of_expression(screen, value), known_type(schema)
    except ExpressionError:  # FJ318 reports it
        return ""
    return f"the expression gives {found}, not {wanted}" if found and wanted and found != wanted else ""


def _reference(doc: Document, entry: PayloadEntry, receiver: Screen, code: str) -> Iterator[Finding]:
    action, key, value, found = entry
    fields = index(doc).references.data_model(receiver) or {}
    if found is None or found.problem or key not in fields:
        return
    field, compared = receiver.at("data", key), index(doc).comparisons
    pair = (found.pointer, found.type, field)
    if pair not in compared:  # many payloads may pass the same reference
        compared[pair] = tuple(bound_mismatches(found, fields[key], field))
    for mismatch in compared[pair]:
        message = f"{value} does not fit {key} of screen {receiver.id!r}: {mismatch.reason}.{_instead(entry)}"
        for pointer in mismatch.fields or ((*action.pointer, "payload", key),):
            yield Finding(code, message, pointer, severity=action.severity)


def _instead(entry: PayloadEntry) -> str:
    """How to read a number input on the next screen. Passed as a string it works on phones, but may fail the upload."""
    component = entry.found.component if entry.found else None
    if entry.action.name != "navigate" or component is None or component.type != "TextInput":
        return ""
    if component.value.get("input-type") not in NUMBER_INPUTS:
        return ""
    return f" Read ${{screen.{entry.action.screen.id}.form.{component.value['name']}}} there instead."


def _unreadable(doc: Document, action: PlacedAction, text: str, pointer: Pointer) -> Iterator[Finding]:
    if is_expression(text):
        try:
            index(doc).type_of_expression(action.screen, text)
        except ExpressionError as error:
            message = f"The expression {text} cannot be used: {error.reason}."
            yield Finding("INVALID_ACTION_PAYLOAD_PROPERTY", message, pointer, severity=action.severity)


def _texts(value: Any, pointer: Pointer, depth: int) -> Iterator[tuple[Pointer, str]]:
    if isinstance(value, str):
        if value[:1] == "`":
            yield pointer, value
    elif isinstance(value, (dict, list)) and depth <= MAX_SCHEMA_DEPTH:
        steps: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in steps:
            yield from _texts(inner, (*pointer, step), depth + 1)


_UNCHECKED: Final = NO_PAYLOADS_OR_BINDINGS
RULES: Final = (
    Rule(
        "FJ310",
        "a payload with other keys than the next screen",
        navigate_keys,
        skipped_by_meta=NO_PAYLOAD_KEYS,
        needs=("navigate",),
    ),
    Rule(
        "FJ311",
        "a payload the next screen cannot take",
        navigate_values,
        skipped_by_meta=_UNCHECKED,
        needs=("navigate",),
    ),
    Rule(
        "FJ312",
        "a reference the next screen cannot take",
        navigate_references,
        skipped_by_meta=_UNCHECKED,
        needs=("navigate",),
    ),
    Rule(
        "FJ313",
        "an update of what is not there",
        update_keys,
        since=SINCE,
        skipped_by_meta=_UNCHECKED,
        needs=("update_data",),
    ),
    Rule(
        "FJ314",
        "an update with a value of another type",
        update_values,
        since=SINCE,
        skipped_by_meta=_UNCHECKED,
        needs=("update_data",),
    ),
    Rule(
        "FJ315",
        "an update with another type",
        update_references,
        since=SINCE,
        skipped_by_meta=_UNCHECKED,
        needs=("update_data",),
    ),
    Rule("FJ316", "an update that changes nothing", self_update, since=SINCE, needs=("update_data",)),
    Rule(
        "FJ317",
        "a payload with a reference to nothing",
        unknown_reference,
        skipped_by_meta=_UNCHECKED,
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule(
        "FJ318",
        "an expression in a payload",
        expression_in_payload,
        since=SINCE,
        skipped_by_meta=_UNCHECKED,
        needs=("navigate", "update_data"),
        newer=Newer.NEVER,
    ),
    Rule(
        "FJ319",
        "an expression in an answer",
        expression_in_answer,
        since=Version(7, 2),
        needs=("complete", "data_exchange"),
        newer=Newer.NEVER,
    ),
    Rule(
        "FJ320",
        "a Footer outside of the Form with its answers",
        footer_outside_form,
        until=Version(3, 1),
        severity=Severity.WARNING,
        needs=("Footer",),
    ),
)
