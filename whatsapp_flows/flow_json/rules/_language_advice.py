"""
Advice about conditions and expressions that Meta accepts and a phone evaluates in another way. All of it warnings.

Rules look at their trees. A text that cannot contain what a rule looks for is not parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from ..language import (
    COMPARISONS,
    LOGICAL,
    ORDERINGS,
    Binary,
    ExpressionError,
    Literal,
    Name,
    Node,
    called_references,
    is_expression,
    type_of_expression,
    walk,
    without_parentheses,
)
from ..schema import EXAMPLE, Component, Document, Finding, Screen, Severity, Version
from ..text import Pointer, short_repr
from ._index import index
from ._rule import OBSERVED, Rule

# What a text must contain for a rule to have a finding: tested before the text is parsed.
_MAY_COMPARE: Final = re.compile(r"[=<>]").search
_MAY_COMBINE: Final = re.compile(r"&&|\|\|").search
_MAY_ORDER: Final = re.compile(r"[<>]").search
_MAY_CALL: Final = re.compile(r"\}\s*\(").search
_MAY_QUOTE: Final = re.compile(r"'").search


# -- conditions


def comparison_without_parentheses(doc: Document) -> Iterator[Finding]:
    """
    In a condition, a comparison beside && or || has its own parentheses. Without them it was observed to be wrong.

    Passes: {"children": [{"type": "TextInput", "name": "a", "label": "A"}, {"type": "If", "condition": "(${form.a} == 'x') || (${form.a} == 'y')", "then": [{"type": "TextBody", "text": "x"}]}], "payload": {"a": "${form.a}"}}
    Fails: {"children": [{"type": "TextInput", "name": "a", "label": "A"}, {"type": "If", "condition": "${form.a} == 'x' || ${form.a} == 'y'", "then": [{"type": "TextBody", "text": "x"}]}], "payload": {"a": "${form.a}"}}
    """  # noqa: E501
    for _, component, tree in _conditions(doc, _MAY_COMBINE):
        if any(
            isinstance(side, Binary) and side.operator in COMPARISONS
            for node in walk(tree)
            if isinstance(node, Binary) and node.operator in LOGICAL
            for side in (node.left, node.right)
        ):
            message = (
                "a comparison beside && or || needs parentheses of its own: phones were observed to evaluate the "
                f"condition {short_repr(component.value['condition'])} differently. Write (a == b) && (c == d)."
            )
            yield Finding("CONDITION_NEEDS_PARENTHESES", message, component.at("condition"))


def condition_in_backticks(doc: Document) -> Iterator[Finding]:
    """
    A condition has no backticks. With them it was observed to be always false.

    Passes: {"children": [{"type": "OptIn", "name": "a", "label": "A"}, {"type": "If", "condition": "${form.a}", "then": [{"type": "TextBody", "text": "x"}]}], "payload": {"a": "${form.a}"}}
    Fails: {"children": [{"type": "OptIn", "name": "a", "label": "A"}, {"type": "If", "condition": "`${form.a}`", "then": [{"type": "TextBody", "text": "x"}]}], "payload": {"a": "${form.a}"}}
    """  # noqa: E501
    for _, component in index(doc).of("If"):
        text = component.value.get("condition")
        if isinstance(text, str) and is_expression(text):
            message = "a condition in backticks was observed to be always false: write it without them."
            yield Finding("CONDITION_IN_BACKTICKS", message, component.at("condition"))


def decimal_in_condition(doc: Document) -> Iterator[Finding]:
    """
    A condition compares whole numbers. Decimals were observed to be truncated.

    Passes: {"data": {"n": {"type": "number", "__example__": 5}}, "children": [{"type": "If", "condition": "${data.n} > 5", "then": [{"type": "TextBody", "text": "x"}]}]}
    Fails: {"data": {"n": {"type": "number", "__example__": 5.5}}, "children": [{"type": "If", "condition": "${data.n} > 5", "then": [{"type": "TextBody", "text": "x"}]}]}
    """  # noqa: E501
    for screen, component, tree in _conditions(doc, _MAY_COMPARE):
        for node in walk(tree):
            if isinstance(node, Binary) and node.operator in COMPARISONS:
                decimal = next(
                    (s for s in map(without_parentheses, (node.left, node.right)) if _is_decimal(doc, screen, s)), None
                )
                if decimal is not None:
                    name = decimal.reference.text if isinstance(decimal, Name) else "a decimal"
                    message = f"a condition compares whole numbers: the decimals of {name} are truncated."
                    yield Finding("DECIMAL_IN_CONDITION", message, component.at("condition"))
                    break


def _is_decimal(doc: Document, screen: Screen, node: Node) -> bool:
    if isinstance(node, Literal):
        return node.type == "number" and "." in node.text
    if not isinstance(node, Name) or node.reference.source != "data":
        return False
    found = index(doc).references.resolve(screen, node.reference.text)
    example = found.schema.get(EXAMPLE) if found and found.schema else None
    return isinstance(example, float) and not example.is_integer()


# -- expressions


def ordered_texts(doc: Document) -> Iterator[Finding]:
    """
    <, <=, > and >= compare numbers. For two texts, such as dates, the result was observed to be always false.

    Passes: {"children": [{"type": "OptIn", "name": "a", "label": "A", "init-value": "`3 < 5`"}], "payload": {"a": "${form.a}"}}
    Fails: {"children": [{"type": "OptIn", "name": "a", "label": "A", "init-value": "`'2026-01-01' < '2026-01-02'`"}], "payload": {"a": "${form.a}"}}
    """  # noqa: E501
    for screen, pointer, tree in _expressions(doc, _MAY_ORDER):
        for node in walk(tree):
            if (
                isinstance(node, Binary)
                and node.operator in ORDERINGS
                and all(_type(doc, screen, side) == "string" for side in (node.left, node.right))
            ):
                message = f"{node.operator} between two texts is always false: it compares numbers only."
                yield Finding("TEXTS_ARE_ORDERED", message, pointer)
                break


def reference_as_call(doc: Document) -> Iterator[Finding]:
    """
    In an expression no parenthesis follows a reference: it was observed to be evaluated as a call, and to fail.

    Passes: {"data": {"n": {"type": "string", "__example__": "x"}}, "children": [{"type": "TextBody", "text": "`${data.n} ' ' ('y')`"}]}
    Fails: {"data": {"n": {"type": "string", "__example__": "x"}}, "children": [{"type": "TextBody", "text": "`${data.n} ('y')`"}]}
    """  # noqa: E501
    for _, pointer, tree in _expressions(doc, _MAY_CALL):
        called = next(called_references(tree), None)
        if called is not None:
            message = f"{called.reference.text} followed by a parenthesis is read as a call, and fails."
            yield Finding("REFERENCE_READ_AS_CALL", message, pointer)


def brace_in_text(doc: Document) -> Iterator[Finding]:
    """
    A text in an expression has no closing brace: each was observed to be dropped.

    Passes: {"children": [{"type": "TextBody", "text": "`'a{b'`"}]}
    Fails: {"children": [{"type": "TextBody", "text": "`'a}b'`"}]}
    """
    for _, pointer, tree in _expressions(doc, _MAY_QUOTE):
        for node in walk(tree):
            if isinstance(node, Literal) and node.type == "string" and "}" in node.text:
                message = f"the closing brace in {short_repr(node.text)} is dropped when the expression is computed."
                yield Finding("BRACE_VANISHES", message, pointer)
                break


# -- trees


def _conditions(doc: Document, may: Callable[[str], object]) -> Iterator[tuple[Screen, Component, Node]]:
    for screen, component in index(doc).of("If"):
        text = component.value.get("condition")
        if isinstance(text, str) and may(text) and not is_expression(text):
            try:
                tree = index(doc).condition(text)
            except ExpressionError:  # FJ410 reports it
                continue
            yield screen, component, tree


def _expressions(doc: Document, may: Callable[[str], object]) -> Iterator[tuple[Screen, Pointer, Node]]:
    """The expressions in properties and payloads that can be parsed."""
    for screen, pointer, text in index(doc).expressions if doc.may_compute else ():
        if may(text):
            try:
                tree = index(doc).expression(text)
            except ExpressionError:  # FJ403, FJ318 and FJ319 report it
                continue
            yield screen, pointer, tree


def _type(doc: Document, screen: Screen, node: Node) -> str:
    try:
        return type_of_expression(node, lambda reference: index(doc).references.type_of(screen, reference))
    except ExpressionError:
        return ""


LANGUAGE_ADVICE: Final[tuple[Rule, ...]] = tuple(
    Rule(id=id_, name=name, check=check, severity=Severity.WARNING, since=since, needs=needs, evidence=evidence)
    for id_, name, check, since, needs, evidence in (
        ("FJ911", "a comparison without parentheses", comparison_without_parentheses, None, ("If",), OBSERVED),
        ("FJ912", "a condition in backticks", condition_in_backticks, Version(6, 0), ("If",), OBSERVED),
        ("FJ913", "a decimal in a condition", decimal_in_condition, None, ("If",), OBSERVED),
        ("FJ914", "texts in an order", ordered_texts, Version(6, 0), (), OBSERVED),
        ("FJ915", "a reference before a parenthesis", reference_as_call, Version(6, 0), (), OBSERVED),
        ("FJ916", "a brace in a text of an expression", brace_in_text, Version(6, 0), (), OBSERVED),
    )
)  # fmt: skip
