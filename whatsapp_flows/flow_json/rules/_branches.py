"""If and Switch: conditions, empty branches, nesting, Footers in branches. Sources: Meta, Flow JSON reference ("If",
"Switch"); Meta's client validator, August 2026, which has the codes of the Footer rules and runs none of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from ..language import ExpressionError, check_condition, is_expression
from ..schema import Component, Document, Finding, Version
from ..text import Pointer
from ._component_facts import branch_of
from ._gaps import NEVER_RUN, NO_PAYLOADS_OR_BINDINGS
from ._index import index
from ._rule import Newer, Rule

SINCE: Final = Version(4, 0)
MAX_NESTING: Final = 3


def wrong_condition(doc: Document) -> Iterator[Finding]:
    """
    A condition is valid and compares operands of one type. In backticks it is an expression (FJ403).

    Passes: {"children": [{"type": "OptIn", "name": "a"}, {"type": "If", "condition": "${form.a} && true", "then": []}]}
    Fails: {"children": [{"type": "OptIn", "name": "a"}, {"type": "If", "condition": "${form.a} == 1", "then": []}]}
    """
    found = index(doc)
    for screen, component in found.of("If"):
        text = component.value.get("condition")
        if not isinstance(text, str) or (doc.version >= Version(6, 0) and is_expression(text)):
            continue
        try:
            check_condition(found.condition(text), partial(found.references.type_of, screen))
        except ExpressionError as error:
            place = f" at column {error.offset}" if error.offset >= 0 else ""
            message = f"The condition {text!r} is wrong: {error.reason}{place}."
            yield Finding("INVALID_PROPERTY_VALUE", message, component.at("condition"))


def empty_then(doc: Document) -> Iterator[Finding]:
    """
    An If has components in `then`.

    Passes: {"children": [{"type": "If", "then": [{"type": "TextBody"}]}]}
    Fails: {"children": [{"type": "If", "then": []}]}
    """
    for _, component in index(doc).of("If"):
        if component.value.get("then") == []:
            yield Finding("INVALID_PROPERTY_VALUE", "then has no components.", component.at("then"))


def empty_switch(doc: Document) -> Iterator[Finding]:
    """
    A Switch has at least one case.

    Passes: {"children": [{"type": "Switch", "cases": {"a": []}}]}
    Fails: {"children": [{"type": "Switch", "cases": {}}]}
    """
    for _, component in index(doc).of("Switch"):
        if component.value.get("cases") == {}:
            yield Finding("INVALID_PROPERTY_VALUE", "cases has no case.", component.at("cases"))


def deep_nesting(doc: Document) -> Iterator[Finding]:
    """
    If components are nested at most three levels deep.

    Passes: {"children": [{"type": "If", "then": [{"type": "If", "then": [{"type": "If"}]}]}]}
    Fails: {"children": [{"type": "If", "then": [{"type": "If", "then": [{"type": "If", "then": [{"type": "If"}]}]}]}]}
    """
    outer: Component | None = None
    for _, component in index(doc).of("If"):  # in document order, an inner If follows the outer one
        depth = component.inside.count("If") + 1
        if depth == 1:
            outer = component
        elif depth > MAX_NESTING and outer is not None:
            message = f"If components are nested at most {MAX_NESTING} levels deep."
            yield Finding("MAXIMUM_IF_NESTING", message, outer.at())
            outer = None


def footer_in_some_branches(doc: Document) -> Iterator[Finding]:
    """
    A Footer in a branch needs one in the other branch, and the If must not be nested.

    Passes: {"children": [{"type": "If", "then": [{"type": "Footer"}], "else": [{"type": "Footer"}]}]}
    Fails: {"children": [{"type": "If", "then": [{"type": "Footer"}]}]}
    """
    branches = _footers(doc)
    for _, component in index(doc).of("If") if branches else ():
        found = branches.get(component.pointer)
        if not found:
            continue
        if "If" in component.inside:
            message = "A Footer stands in an outermost If, not in one within another."
        elif "else" not in component.value:
            message = "An If with a Footer needs an else with a Footer."
        elif len(found) < 2:
            message = "A Footer stands in both branches of an If or in none."
        else:
            continue
        yield Finding("MISSING_FOOTER_IN_IF_ELSE_BRANCHES", message, component.at())


def footer_in_some_cases(doc: Document) -> Iterator[Finding]:
    """
    A Footer in one case of a Switch needs one in every case.

    Passes: {"children": [{"type": "Switch", "cases": {"a": [{"type": "Footer"}], "b": [{"type": "Footer"}]}}]}
    Fails: {"children": [{"type": "Switch", "cases": {"a": [{"type": "Footer"}], "b": []}}]}
    """
    branches = _footers(doc)
    for _, component in index(doc).of("Switch") if branches else ():
        found = branches.get(component.pointer)
        if found and len(found) < len(component.value.get("cases", ())):
            message = "A Footer stands in all cases of a Switch or in none."
            yield Finding("MISSING_FOOTER_IN_SWITCH_BRANCHES", message, component.at())


def _footers(doc: Document) -> dict[Pointer, set[str | int]]:
    """For each If and Switch: the branches that directly contain a Footer."""
    found: dict[Pointer, set[str | int]] = {}
    for _, footer in index(doc).of("Footer"):
        branch = branch_of(footer.pointer) if footer.inside else None
        if branch is not None:
            found.setdefault(branch[0], set()).add(branch[1])
    return found


RULES: Final = (
    Rule(
        "FJ410",
        "a wrong condition",
        wrong_condition,
        since=SINCE,
        skipped_by_meta=NO_PAYLOADS_OR_BINDINGS,
        needs=("If",),
        newer=Newer.NEVER,
    ),
    Rule(
        "FJ411",
        "an If that shows nothing",
        empty_then,
        since=SINCE,
        skipped_by_meta=NO_PAYLOADS_OR_BINDINGS,
        needs=("If",),
    ),
    Rule("FJ412", "a Switch without cases", empty_switch, since=SINCE, needs=("Switch",)),
    Rule("FJ413", "If nested too deeply", deep_nesting, since=SINCE, needs=("If",)),
    Rule(
        "FJ414",
        "a Footer in one branch only",
        footer_in_some_branches,
        since=SINCE,
        skipped_by_meta=NEVER_RUN,
        needs=("If",),
    ),
    Rule(
        "FJ415",
        "a Footer in some cases only",
        footer_in_some_cases,
        since=SINCE,
        skipped_by_meta=NEVER_RUN,
        needs=("Switch",),
    ),
)
