"""
The types of expressions and conditions: their trees, walked once.

Types are those of data models; UNTYPED fits everything. An expression that joins operands of which one is an operation
without parentheses has no type: Meta does not document what binds tighter there.
Source: Meta, Flow JSON reference ("Nested expressions", "If"); Meta's client validator, August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, cast

from ._references import Reference
from ._tree import (
    LOGICAL,
    OPERATORS,
    ORDERINGS,
    PREFIX_OPERATORS,
    Binary,
    Concatenation,
    ExpressionError,
    Group,
    Literal,
    Name,
    Node,
    Unary,
    without_parentheses,
)
from ._types import UNTYPED

Resolver = Callable[[Reference], str]
"""The type of a reference, UNTYPED if it is unknown. Raises `ExpressionError`, with any offset, if nothing is there."""


def _resolved(node: Name, resolve: Resolver) -> str:
    try:
        return resolve(node.reference)
    except ExpressionError as error:
        raise ExpressionError(error.reason, node.offset) from None


def _chain(node: Binary) -> list[Binary]:
    """An operation and those on its left side, outermost first: such chains may be too long for recursion."""
    links = [node]
    while isinstance(left := links[-1].left, Binary):
        links.append(left)
    return links


# -- expressions


def type_of_expression(node: Node, resolve: Resolver) -> str:
    """The type of the result, UNTYPED if it has none. Raises `ExpressionError` for operands that do not fit."""
    if isinstance(node, Literal):
        return node.type
    if isinstance(node, Name):
        return _resolved(node, resolve)
    if isinstance(node, Group):
        return type_of_expression(node.inner, resolve)
    if isinstance(node, Unary):
        takes = PREFIX_OPERATORS[node.operator]
        _require(frozenset({takes}), type_of_expression(node.operand, resolve), node)
        return takes
    if isinstance(node, Concatenation):
        for part in node.parts:
            type_of_expression(part, resolve)
        return UNTYPED if any(isinstance(part, Binary) for part in node.parts) else "string"
    links = _chain(node)
    found = type_of_expression(links[-1].left, resolve)
    for link in reversed(links):
        found = _type_of_operation(link, found, type_of_expression(link.right, resolve))
    return found


def _type_of_operation(node: Binary, left: str, right: str) -> str:
    row = OPERATORS[node.operator]
    if row.takes is None:
        if left and right and left != right:
            raise ExpressionError(f"{node.operator} compares {left} with {right}", node.offset)
    else:
        _require(row.takes, left, node)
        _require(row.takes, right, node)
    return row.gives


def _require(takes: frozenset[str], found: str, node: Binary | Unary) -> None:
    if takes and found and found not in takes:
        wanted = " or ".join(sorted(takes))
        raise ExpressionError(f"{node.operator} takes {wanted}, not {found}", node.offset)


# -- conditions

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)").fullmatch
_LEADING_ZERO: Final = re.compile(r"-?0[0-9]+").fullmatch
_COMPARABLE: Final = frozenset({"boolean", "number", "string", UNTYPED})


def check_condition(tree: Node, resolve: Resolver) -> None:
    """
    Raise `ExpressionError` unless a condition gives a boolean.

    A comparison and a logical operator take at most one literal.
    """
    _require_boolean(tree, _type_in_condition(tree, resolve), alone=True)


def _type_in_condition(node: Node, resolve: Resolver) -> str:
    if isinstance(node, Binary):
        links = _chain(node)
        found = _type_in_condition(links[-1].left, resolve)
        for link in reversed(links):
            found = _type_of_test(link, found, _type_in_condition(link.right, resolve))
        return found
    if isinstance(node, Group):
        return _type_in_condition(node.inner, resolve)
    if isinstance(node, Unary):
        _require_boolean(node.operand, _type_in_condition(node.operand, resolve), alone=True)
        return "boolean"
    if isinstance(node, Name):
        return _type_of_field(node, resolve)
    return _type_of_literal(cast("Literal", node))  # a condition has no Concatenation


def _type_of_test(node: Binary, left: str, right: str) -> str:
    operator = node.operator
    if all(isinstance(without_parentheses(side), Literal) for side in (node.left, node.right)):
        raise ExpressionError(f"{operator} has literals on both sides", node.offset)
    if operator in LOGICAL:
        _require_boolean(node.left, left)
        _require_boolean(node.right, right)
    elif operator in ORDERINGS:
        for side, found in ((node.left, left), (node.right, right)):
            if found not in ("number", UNTYPED):
                raise ExpressionError(f"{operator} compares numbers, not {found}", _start(side))
    elif left and right and left != right:
        raise ExpressionError(f"{operator} compares {left} with {right}", node.offset)
    return "boolean"


def _require_boolean(node: Node, found: str, *, alone: bool = False) -> None:
    if alone and isinstance(without_parentheses(node), Literal):
        raise ExpressionError("a single operand must not be a literal", _start(node))
    if found not in ("boolean", UNTYPED):
        raise ExpressionError(f"a boolean is needed here, not {found}", _start(node))


def _type_of_field(node: Name, resolve: Resolver) -> str:
    found = _resolved(node, resolve)
    if node.reference.source == "data" and len(node.reference.path) > 1:
        raise ExpressionError("only fields at the top of the data model can be compared", node.offset)
    if found not in _COMPARABLE:
        raise ExpressionError(f"an operand of type {found} is not supported", node.offset)
    return found


def _type_of_literal(node: Literal) -> str:
    if node.type == "number" and not _INTEGER(node.text):
        zero = _LEADING_ZERO(node.text)
        raise ExpressionError("a number with a leading zero" if zero else "only whole numbers", node.offset)
    return node.type


def _start(node: Node) -> int:
    """Where the first operand of a node begins, parentheses not counted."""
    while True:
        if isinstance(node, Binary):
            node = node.left
        elif isinstance(node, Group):
            node = node.inner
        else:
            return node.offset
