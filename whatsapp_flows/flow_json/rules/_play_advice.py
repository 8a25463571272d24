"""
Advice about how a flow runs: what Meta accepts on upload, and what then fails on a phone. All of it warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Any, Final

from ..language import embedded_reference, is_dynamic, parse_reference
from ..schema import Component, Document, Finding, Severity, Version, is_number
from ..text import Pointer, short_repr
from ._component_facts import NUMBER_INPUTS
from ._contents import PlacedAction
from ._index import index
from ._rule import DOCUMENTED, OBSERVED, REPORTED, Rule

LONGEST_PATTERN: Final = 2000
"""Characters. Our limit: a longer pattern is not checked."""
# An escape, a class, the start of a group (of a negative lookaround with its !), a single metacharacter.
_PATTERN_TOKENS: Final = re.compile(
    r"\\.|\[[^\]\\]*(?:\\.[^\]\\]*)*\]?|\((?:\?(?:<?[!=])?)?|[|)^$]", re.DOTALL
).finditer
_NONE: Final[frozenset[str]] = frozenset()
_PASSED: Final = {"^": 1, "$": 2}
_BOTH: Final = 3
_OPTIONAL: Final = ("?", "*", "{0,", "{0}")
_NO_TEXTS: Final = frozenset({"type", "name", "condition", "pattern", "value", "src", "image"})


# -- components


def optional_group_with_minimum(doc: Document) -> Iterator[Finding]:
    """
    A group with min-selected-items is required. An optional one left empty was observed to block the Footer.

    Passes: {"children": [{"type": "CheckboxGroup", "name": "a", "label": "A", "min-selected-items": 1, "required": true, "data-source": [{"id": "1", "title": "1"}]}], "payload": {"a": "${form.a}"}}
    Fails: {"children": [{"type": "CheckboxGroup", "name": "a", "label": "A", "min-selected-items": 1, "data-source": [{"id": "1", "title": "1"}]}], "payload": {"a": "${form.a}"}}
    """  # noqa: E501
    for _, component in index(doc).of("CheckboxGroup", "ChipsSelector"):
        least = component.value.get("min-selected-items")
        if is_number(least) and least > 0 and component.value.get("required", False) is False:
            message = (
                f"{component.type} {short_repr(component.value['name'])} is optional and has min-selected-items: "
                "left empty it blocks the Footer. Make it required, or drop the minimum."
            )
            yield Finding("OPTIONAL_GROUP_BLOCKS", message, component.at("min-selected-items"))


def pattern_without_anchors(doc: Document) -> Iterator[Finding]:
    """
    A pattern is anchored with ^ and $. Otherwise it matches anywhere in the value.

    Passes: {"children": [{"type": "TextInput", "name": "a", "label": "A", "pattern": "^[0-9]+$", "helper-text": "x"}], "payload": {"a": "${form.a}"}}
    Fails: {"children": [{"type": "TextInput", "name": "a", "label": "A", "pattern": "[0-9]+", "helper-text": "x"}], "payload": {"a": "${form.a}"}}
    """  # noqa: E501
    for _, component in index(doc).of("TextInput"):
        pattern = component.value.get("pattern")
        if isinstance(pattern, str) and pattern and not is_dynamic(pattern) and not _anchored(pattern):
            message = (
                f"the pattern {short_repr(pattern)} fits a value that holds more than it says: write it as ^(?:...)$."
            )
            yield Finding("PATTERN_NOT_ANCHORED", message, component.at("pattern"))


def _anchored(pattern: str) -> bool:
    """
    Whether every match of a JavaScript pattern passes a ^ and a $. True for an invalid or a very long pattern.

    Reads the pattern once. A group passes what each of its alternatives passes, unless it is optional or a negative
    lookaround.
    """
    if len(pattern) > LONGEST_PATTERN:
        return True
    around: list[tuple[int, int, bool]] = []
    each, here, counts = _BOTH, 0, True  # anchors of all alternatives so far; of this one; whether they count
    for found in _PATTERN_TOKENS(pattern):
        sign, passed = found[0], 0
        if sign[0] == "(":
            around.append((each, here, counts))
            each, here, counts = _BOTH, 0, sign[-1] != "!"
        elif sign == "|":
            each, here = each & here, 0
        elif sign == ")":
            if not around:
                return True
            passed = each & here if counts else 0
            each, here, counts = around.pop()
        else:
            passed = _PASSED.get(sign, 0)
        if passed and not pattern.startswith(_OPTIONAL, found.end()):
            here |= passed
    return bool(around) or each & here == _BOTH


def reference_in_text(doc: Document) -> Iterator[Finding]:
    """
    A reference is replaced only where it is the whole text, or in an expression. Beside other text it is shown as is.

    Passes: {"data": {"n": {"type": "string", "__example__": "x"}}, "children": [{"type": "TextBody", "text": "`'Dear ' ${data.n}`"}]}
    Fails: {"data": {"n": {"type": "string", "__example__": "x"}}, "children": [{"type": "TextBody", "text": "Dear ${data.n}"}]}
    """  # noqa: E501
    if not doc.may_embed:
        return
    how = "Write `'text ' ${data.x}` in backticks." if doc.version >= Version(6, 0) else "Expressions come with 6.0."
    for _, component in doc.components():
        for pointer, text in _texts(component):
            if part := _part(text):
                yield Finding("REFERENCE_SHOWN_AS_WRITTEN", f"{part} in a text is shown as written. {how}", pointer)
    for screen in doc.screens:
        title = screen.value.get("title")
        if isinstance(title, str) and (part := _part(title)):
            yield Finding(
                "REFERENCE_SHOWN_AS_WRITTEN", f"{part} in a title is shown as written. {how}", screen.at("title")
            )


def _part(text: str) -> str | None:
    """The reference in a text that is neither a reference itself nor an expression."""
    if "${" not in text or text[:1] == "`" or parse_reference(text) is not None:
        return None
    return embedded_reference(text)


def _texts(component: Component) -> Iterator[tuple[Pointer, str]]:
    """The texts that a component shows."""
    for key, value in component.value.items():
        if key in _NO_TEXTS:
            continue
        if type(value) is str:
            yield component.at(key), value
        elif type(value) is list and key != "children":
            for i, item in enumerate(value):
                if type(item) is str:
                    yield component.at(key, i), item
                elif type(item) is dict and "type" not in item:
                    yield from _texts_of(item, component.at(key, i))
        elif type(value) is dict and not key.startswith("on-") and key != "cases":
            yield from _texts_of(value, component.at(key))


def _texts_of(value: dict[str, Any], at: Pointer) -> Iterator[tuple[Pointer, str]]:
    for key, held in value.items():
        if type(held) is str and key not in _NO_TEXTS and key != "id":
            yield (*at, key), held
        elif type(held) is dict and not key.startswith("on-"):
            for inner, text in held.items():
                if type(text) is str and inner not in _NO_TEXTS:
                    yield (*at, key, inner), text


# -- values passed to the next screen


def number_passed_on(doc: Document) -> Iterator[Finding]:
    """
    The value of a number input is not passed to a number field: phones pass a string, which the field refuses.

    Passes: {"children": [{"type": "TextInput", "name": "a", "label": "A", "input-type": "number"}], "payload": {"a": "${form.a}"}}
    Fails: {"hand on": "${form.a}", "children": [{"type": "TextInput", "name": "a", "label": "A", "input-type": "number"}]}
    """  # noqa: E501
    found = index(doc)
    texts: dict[int, set[str]] = {}  # by the screen that the input is on
    for screen, component in found.of("TextInput"):
        if component.value.get("input-type") in NUMBER_INPUTS:
            texts.setdefault(screen.position, set()).add(f"${{form.{component.value['name']}}}")
    for action in found.actions.get("navigate", ()) if texts else ():
        here: Set[str] = texts.get(action.screen.position, _NONE)
        for key, value in (action.payload or {}).items() if here else ():
            if type(value) is str and value in here and (kind := _numeric(doc, action, key)):
                message = (
                    f"phones pass {value} as a string, which the field {short_repr(key)} of type {kind} refuses. Read "
                    f"${{screen.{action.screen.id}.{value[2:]} there instead."
                )
                yield Finding("NUMBER_HANDED_ON", message, (*action.pointer, "payload", key))


def _numeric(doc: Document, action: PlacedAction, key: str) -> str:
    """The type of the field that a key of a payload sets, if it is a number type."""
    following = index(doc).screens.get(action.target or "")
    field = (index(doc).references.data_model(following) or {}).get(key) if following else None
    kind = field.get("type") if isinstance(field, dict) else None
    return kind if kind in ("number", "integer") else ""


def params_of_the_endpoint(doc: Document) -> Iterator[Finding]:
    """
    A flow that ends with data_exchange does not define the message that it sends: the endpoint's answer does.

    Passes: {"children": [{"type": "TextInput", "name": "a", "label": "A"}], "payload": {"a": "${form.a}"}}
    Fails: {"end": "data_exchange", "children": [{"type": "TextInput", "name": "a", "label": "A"}], "payload": {"a": "${form.a}"}}
    """  # noqa: E501
    found = index(doc)
    if "complete" in found.actions:
        return
    for action in found.actions.get("data_exchange", ()):
        if action.component.type == "Footer" and action.screen.value.get("terminal") is True:
            message = (
                "the message at the end holds what the endpoint answers in extension_message_response.params, and "
                "nothing else; without params none is sent."
            )
            yield Finding("PARAMS_FROM_ENDPOINT", message, (*action.pointer, "name"))


PLAY_ADVICE: Final[tuple[Rule, ...]] = tuple(
    Rule(id=id_, name=name, check=check, severity=Severity.WARNING, since=since, needs=needs, evidence=evidence)
    for id_, name, check, since, needs, evidence in (
        ("FJ917", "an optional group with a minimum", optional_group_with_minimum, None, ("min-selected-items",),
         OBSERVED),
        ("FJ918", "a pattern without anchors", pattern_without_anchors, Version(6, 2), ("pattern",), OBSERVED),
        ("FJ919", "a reference in a text", reference_in_text, None, (), DOCUMENTED),
        ("FJ920", "a number that is handed on", number_passed_on, Version(4, 0), ("navigate",), REPORTED),
        ("FJ921", "params that only the endpoint declares", params_of_the_endpoint, None, ("data_exchange",), OBSERVED),
    )
)  # fmt: skip
