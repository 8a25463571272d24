"""
References and expressions in the properties of components.

Meta does not document whether references inside items, objects and titles of screens are checked: faults there are
warnings. Sources: Meta, Flow JSON reference ("Dynamic data", "Nested expressions"); Meta's client
validator, August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..language import ExpressionError, embedded_reference, is_expression, is_whole_binding, parse_reference
from ..schema import Document, Finding, Severity, Version, json_equal
from ._comparison import format_names, known_type
from ._contents import DYNAMIC_PROPERTY, TEXT_LIST, DynamicProperty
from ._gaps import NO_PAYLOADS_OR_BINDINGS
from ._index import index
from ._rule import Newer, Rule
from ._types import ITEM_SHAPES, ITEM_TYPES, Shape, types_of

CODE: Final = "INVALID_SCREEN_DYNAMIC_DATA"
EXPRESSIONS_SINCE: Final = Version(6, 0)
_OF_A_FORM: Final = frozenset({"init-values", "error-messages"})
_NOT_TYPED: Final = frozenset({"init-value", "init-values", "error-message", "error-messages"})
_TEXTS: Final = ("TextBody", "TextCaption", "RichText")


def reference_to_nothing(doc: Document) -> Iterator[Finding]:
    """
    A property refers to a field or an input that exists. References to the same screen do not name it.

    Passes: {"screens": [{"data": {"a": {"type": "string"}}, "children": [{"type": "TextBody", "text": "${data.a}"}]}]}
    Fails: {"screens": [{"data": {"a": {"type": "string"}}, "children": [{"type": "TextBody", "text": "${data.b}"}]}]}
    """
    found = index(doc)
    for use in found.dynamic_properties:
        reference = parse_reference(use.text)
        if reference is None:
            continue
        resolved = found.references.resolve(use.screen, use.text)
        if not reference.legal:
            problem = f"{use.text}: a path into data has no hyphen, blank, backtick or quote"
        elif reference.screen == use.screen.id:
            local = f"${{{reference.source}.{'.'.join(reference.path)}}}"
            problem = f"{use.text} names its own screen: write {local}"
        elif resolved is None or not resolved.problem:
            continue
        else:
            problem = resolved.problem
        yield Finding(CODE, f"{problem}.", use.pointer, severity=_severity(doc, use))
    for screen in doc.screens:
        title = screen.value.get("title")
        if isinstance(title, str) and title[:1] == "$":
            resolved = found.references.resolve(screen, title)
            if resolved is not None and resolved.problem:
                yield Finding(CODE, f"{resolved.problem}.", screen.at("title"), severity=Severity.WARNING)


def reference_of_another_type(doc: Document) -> Iterator[Finding]:
    """
    A property refers to a field of its own type. Types are compared by name: an integer is not a number.

    Passes: {"screens": [{"data": {"a": {"type": "boolean"}}, "children": [{"type": "Image", "visible": "${data.a}"}]}]}
    Fails: {"screens": [{"data": {"a": {"type": "string"}}, "children": [{"type": "Image", "visible": "${data.a}"}]}]}
    """
    found = index(doc)
    for use in found.dynamic_properties:
        resolved = found.references.resolve(use.screen, use.text)
        wanted = types_of(use.component, use.property)
        if resolved is None or not resolved.type or not wanted:
            continue
        if resolved.type not in wanted:
            reason = f"is of type {resolved.type}; {use.property} takes {' or '.join(wanted)}"
        else:
            reason = "" if use.nested else _content_mismatch(doc, use, resolved.schema)
        if reason:
            yield Finding(CODE, f"{use.text} {reason}.", use.pointer, severity=_severity(doc, use))


def _content_mismatch(doc: Document, use: DynamicProperty, schema: Mapping[str, Any] | None) -> str:
    items = schema.get("items") if schema is not None and schema.get("type") == "array" else None
    if not isinstance(items, dict):
        return ""
    shape = ITEM_SHAPES.get(use.property)
    wanted = "object" if shape else ITEM_TYPES.get(use.property, "")
    got = known_type(items)
    if got and wanted and got != wanted:
        return f"holds items of type {got}; {use.property} takes items of type {wanted}"
    if not shape:
        return ""
    return _shape_mismatch(items, shape, deeper=doc.version >= EXPRESSIONS_SINCE) or _constant_mismatch(doc, items)


def _shape_mismatch(schema: Mapping[str, Any], shape: Shape, *, deeper: bool) -> str:
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    for key, wanted in shape.items():
        if not isinstance(known.get(key), dict):
            return f"has a data model without {key}"
        got = known_type(known[key])
        name = wanted if isinstance(wanted, str) else "object"
        if got and got != name:
            return f"has {key} of type {got}, not {name}"
        if deeper and not isinstance(wanted, str) and (reason := _shape_mismatch(known[key], wanted, deeper=False)):
            return f"{reason} in {key}"
    return ""


def _constant_mismatch(doc: Document, items: Mapping[str, Any]) -> str:
    """The constant that the name of an action in an item may have."""
    properties: Any = items.get("properties") if doc.version >= EXPRESSIONS_SINCE else None
    for key in ("on-select-action", "on-unselect-action"):
        step = properties
        for name in (key, "properties", "name"):
            step = step.get(name) if isinstance(step, dict) else None
        if isinstance(step, dict) and "const" in step and not json_equal(step["const"], "update_data"):
            return f"has {key} with a constant that is not 'update_data'"
    return ""


def unusable_expression(doc: Document) -> Iterator[Finding]:
    """
    An expression in backticks is valid, refers to what exists, and gives a type that its property takes.

    Passes: {"children": [{"type": "TextBody", "text": "`'1 + 2 = ' (1 + 2)`"}]}
    Fails: {"children": [{"type": "TextBody", "text": "`1 + 2`"}]}
    """
    found = index(doc)
    for use in found.dynamic_properties:
        if use.text[0] == "`" and use.property.partition(".")[0] not in _NOT_TYPED:
            wanted = types_of(use.component, use.property)
            if reason := _expression_mismatch(doc, use, wanted):
                yield Finding(
                    "INVALID_PROPERTY_VALUE", f"The expression {use.text} cannot be used in {use.property}: {reason}.",
                    use.pointer, key=True, severity=_severity(doc, use),
                )  # fmt: skip
    for screen, component in found.of("If"):
        text = component.value.get("condition")
        if isinstance(text, str) and is_expression(text):
            use = DynamicProperty(screen, component, component.at("condition"), "condition", text, False)
            if reason := _expression_mismatch(doc, use, ("boolean",)):
                message = f"The expression {text} cannot be used as a condition: {reason}."
                yield Finding("INVALID_PROPERTY_VALUE", message, use.pointer, key=True)


def _expression_mismatch(doc: Document, use: DynamicProperty, wanted: tuple[str, ...]) -> str:
    try:
        got = index(doc).type_of_expression(use.screen, use.text)
    except ExpressionError as error:
        return error.reason
    return f"it gives {got}, not {' or '.join(wanted)}" if got and wanted and got not in wanted else ""


def mixed_rich_text(doc: Document) -> Iterator[Finding]:
    """
    The text of a RichText is static or a reference, not a mix of both.

    Passes: {"children": [{"type": "RichText", "text": "${data.a}"}]}
    Fails: {"children": [{"type": "RichText", "text": "Hello ${data.a}"}]}
    """
    for _, component in index(doc).of("RichText"):
        text = component.value.get("text")
        if isinstance(text, str) and not is_expression(text) and (part := embedded_reference(text)) and part != text:
            message = f"A RichText does not mix text with a reference: {part}."
            yield Finding("INVALID_PROPERTY_VALUE", message, component.at("text"), key=True)


def reference_in_text_array(doc: Document) -> Iterator[Finding]:
    """
    No text of an array is a reference. A text that contains one is not refused: the app shows it as written.

    Passes: {"children": [{"type": "TextBody", "text": ["Hello", "Dear ${data.a}"]}]}
    Fails: {"children": [{"type": "TextBody", "text": ["Hello", "${data.a}"]}]}
    """
    for _, component in index(doc).of(*_TEXTS):
        texts = component.value.get("text")
        if isinstance(texts, list):
            parts = [text for text in texts if isinstance(text, str) and is_whole_binding(text)]
            if parts:
                message = f"No text of an array is a reference: {format_names(parts)}."
                yield Finding("INVALID_TEXT_DYNAMIC_DATA", message, component.at("type"))


def _severity(doc: Document, use: DynamicProperty) -> Severity | None:
    """From 6.0 on Meta's client does not check what a Form passes to its inputs."""
    unchecked = use.nested or (use.property in _OF_A_FORM and doc.version >= EXPRESSIONS_SINCE)
    return Severity.WARNING if unchecked else None


RULES: Final = (
    Rule(
        "FJ401",
        "a reference to nothing",
        reference_to_nothing,
        skipped_by_meta=NO_PAYLOADS_OR_BINDINGS,
        needs=(DYNAMIC_PROPERTY,),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule(
        "FJ402",
        "a reference of another type",
        reference_of_another_type,
        skipped_by_meta=NO_PAYLOADS_OR_BINDINGS,
        needs=(DYNAMIC_PROPERTY,),
    ),
    Rule(
        "FJ403",
        "an expression that cannot be used",
        unusable_expression,
        since=EXPRESSIONS_SINCE,
        needs=(DYNAMIC_PROPERTY, "condition"),
        newer=Newer.NEVER,
    ),
    Rule(
        "FJ404",
        "a RichText with text and reference mixed",
        mixed_rich_text,
        since=EXPRESSIONS_SINCE,
        needs=("RichText",),
    ),
    Rule("FJ405", "a reference in an array of texts", reference_in_text_array, since=Version(5, 1), needs=(TEXT_LIST,)),
)
