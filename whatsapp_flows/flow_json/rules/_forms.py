"""Forms: what must be inside, and the values they pass to their inputs. Sources: Meta, Flow JSON reference ("Form");
Meta's client validator, August 2026."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..language import ExpressionError, has_type, is_dynamic, is_expression, type_of_value
from ..schema import Component, Document, Finding, Screen, Version
from ._comparison import known_type
from ._component_facts import MEDIA, mode_of, value_type
from ._index import index
from ._rule import Newer, Rule

# CalendarPicker, ChipsSelector and NavigationList are not in the list of Meta's client.
_INPUTS: Final = (
    "CheckboxGroup", "DatePicker", "DocumentPicker", "Dropdown", "OptIn", "PhotoPicker", "RadioButtonsGroup",
    "TextArea", "TextInput",
)  # fmt: skip


def input_outside_form(doc: Document) -> Iterator[Finding]:
    """
    On a screen with a Form, all inputs are inside it.

    Passes: {"children": [{"type": "Form", "children": [{"type": "TextInput", "name": "a"}]}]}
    Fails: {"children": [{"type": "Form", "children": []}, {"type": "TextInput", "name": "a"}]}
    """
    with_form = {screen.position for screen, _ in index(doc).of("Form")}
    if not with_form:
        return
    outside = [
        component
        for screen, component in index(doc).of(*_INPUTS)
        if screen.position in with_form and "Form" not in component.inside
    ]
    if outside:
        types = ", ".join(dict.fromkeys(component.type for component in outside))
        for component in outside:
            message = f"On a screen with a Form these stand inside of it: {types}."
            yield Finding("COMPONENTS_OUTSIDE_FORM", message, component.at())


def media_with_initial_value(doc: Document) -> Iterator[Finding]:
    """
    Media pickers have no initial value.

    Passes: {"children": [{"type": "Form", "init-values": {},
        "children": [{"type": "PhotoPicker", "name": "a"}]}]}
    Fails: {"children": [{"type": "Form", "init-values": {"a": 1},
        "children": [{"name": "a", "type": "PhotoPicker"}]}]}
    """
    forms: dict[int, Component] = {}
    for screen, form in index(doc).of("Form"):
        forms.setdefault(screen.position, form)
    for screen, picker in index(doc).of(*MEDIA) if forms else ():
        owner, name = forms.get(screen.position), picker.value.get("name")
        values = owner.value.get("init-values") if owner else None
        if owner and isinstance(values, dict) and isinstance(name, str) and name in values:
            message = f"A {picker.type} takes no initial value."
            yield Finding("NATIVE_COMPONENT_IN_FORM_INIT_VALUES", message, owner.at("init-values", name), key=True)


def initial_values(doc: Document) -> Iterator[Finding]:
    """
    `init-values` names inputs of the Form and gives each a value of its type.

    Passes: {"children": [{"type": "Form", "init-values": {"a": "x"},
        "children": [{"type": "TextInput", "name": "a"}]}]}
    Fails: {"children": [{"type": "Form", "init-values": {"a": 5},
        "children": [{"type": "TextInput", "name": "a"}]}]}
    """
    for entry in _entries(doc, "init-values"):
        if entry.component is None:
            reason = f"{entry.key}: the Form has no such input"
        elif entry.component.type in MEDIA:
            continue
        else:
            reason = _mismatch(doc, entry, (value_type(entry.component),))
        if reason:
            yield Finding("INVALID_PROPERTY_VALUE", f"init-values: {reason}.", entry.form.at("init-values"))


def error_messages(doc: Document) -> Iterator[Finding]:
    """
    `error-messages` holds texts; for a CalendarPicker that takes a range, objects.

    Passes: {"children": [{"type": "Form", "error-messages": {"a": "No"},
        "children": [{"type": "TextArea", "name": "a"}]}]}
    Fails: {"children": [{"type": "Form", "error-messages": {"a": 5},
        "children": [{"type": "TextArea", "name": "a"}]}]}
    """
    for entry in _entries(doc, "error-messages"):
        if entry.component is not None and (reason := _mismatch(doc, entry, _message_types(entry.component))):
            yield Finding("INVALID_PROPERTY_VALUE", f"error-messages: {reason}.", entry.form.at("error-messages"))


def _message_types(component: Component) -> tuple[str, ...]:
    if component.type == "CalendarPicker":
        return {"single": ("string",), "range": ("object",)}.get(mode_of(component), ("string", "object"))
    return ("string", "object") if component.type in MEDIA else ("string",)


class _Entry(NamedTuple):
    """
    What a Form passes to one of its inputs: a value; or, where one reference gives all values, the value's schema.

    `component` is None if the Form has no input of that name.
    """

    screen: Screen
    form: Component
    key: str
    component: Component | None
    value: Any
    schema: Mapping[str, Any] | None


def _entries(doc: Document, name: str) -> Iterator[_Entry]:
    """What all Forms pass to their inputs in a property."""
    for screen, form in index(doc).of("Form"):
        values = form.value.get(name)
        inputs = index(doc).inputs[form.pointer] if values is not None else {}
        if isinstance(values, dict):
            for key, value in values.items():
                yield _Entry(screen, form, key, inputs.get(key), value, None)
        elif isinstance(values, str):
            found = index(doc).references.resolve(screen, values)
            properties = found.schema.get("properties") if found and found.schema else None
            known = properties if isinstance(properties, dict) else {}
            for key in inputs:  # not over `known`: many Forms may share one large field
                if key in known:
                    schema = known[key] if isinstance(known[key], dict) else {}
                    yield _Entry(screen, form, key, inputs[key], None, schema)


def _mismatch(doc: Document, entry: _Entry, wanted: tuple[str, ...]) -> str:
    if "" in wanted:
        return ""
    if entry.schema is not None:
        got = known_type(entry.schema)
    elif isinstance(entry.value, str) and is_dynamic(entry.value):
        try:
            got = _dynamic_type(doc, entry.screen, entry.value)
        except ExpressionError as error:
            return f"{entry.key}: {error.reason}"
    else:
        if any(has_type(entry.value, one) for one in wanted):
            return ""
        got = type_of_value(entry.value)
    return f"{entry.key} is of type {got}, not {' or '.join(wanted)}" if got and got not in wanted else ""


def _dynamic_type(doc: Document, screen: Screen, text: str) -> str:
    if is_expression(text):
        return index(doc).type_of_expression(screen, text)
    found = index(doc).references.resolve(screen, text)
    if found is not None and found.problem:
        raise ExpressionError(found.problem, 0)
    return found.type if found is not None else ""


RULES: Final = (
    Rule("FJ620", "an input outside of the Form", input_outside_form, since=Version(4, 0), needs=("Form",)),
    Rule(
        "FJ621",
        "a media picker with an initial value",
        media_with_initial_value,
        since=Version(4, 0),
        needs=("init-values",),
    ),
    Rule(
        "FJ622",
        "an initial value that does not fit",
        initial_values,
        since=Version(7, 0),
        needs=("init-values",),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule("FJ623", "an error message that is none", error_messages, since=Version(7, 0), needs=("error-messages",)),
)
