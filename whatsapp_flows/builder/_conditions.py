"""
What the condition of an If can express: less than an expression in backticks.

A condition has comparisons, `&`, `|`, `~`, whole numbers, texts without quotes, and fields at the top of a data model.
Source: Meta, Flow JSON reference ("If"); Meta's client validator, August 2026.
"""

from __future__ import annotations

from typing import Any, Final

from .._wire import short_repr
from ._base import InnerField, Raw, Reference
from ._errors import FlowBuildError, a
from ._expressions import Constant, Expr, Joined, Operation, Prefixed, Written, type_of

_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%"})
_COMPARABLE: Final = frozenset({"", "boolean", "number", "string"})


def checked_condition(condition: Any) -> Any:
    """The condition of an If. Raises `FlowBuildError`, with the remedy, for what one cannot express."""
    if isinstance(condition, Raw):
        return condition
    if isinstance(condition, bool):
        raise FlowBuildError(
            "the condition is already known: a comparison of two Python values gives a bool. Compare a Data or an "
            "input, or choose the components in Python."
        )
    if not isinstance(condition, Expr):
        raise FlowBuildError(
            f"the condition of an If is an expression, such as name == 'a', not {short_repr(condition)}; what is "
            "written already stands in Raw(...)."
        )
    _check(condition)
    kind = type_of(condition)
    if kind not in ("", "boolean"):
        raise FlowBuildError(f"the condition of an If is a boolean, and {condition!r} is {a(kind)}: compare it.")
    return condition


def _check(node: Expr[Any]) -> None:
    if isinstance(node, Written):
        _check(node.expression)
    elif isinstance(node, Joined):
        raise FlowBuildError("a condition cannot join texts: compare the parts one by one.")
    elif isinstance(node, Prefixed):
        if node.operator == "-" and not isinstance(node.operand, Constant):
            raise FlowBuildError(f"a condition cannot calculate: {node!r}. Move the value to the other side.")
        _check(node.operand)
    elif isinstance(node, Operation):
        if node.operator in _ARITHMETIC:
            raise FlowBuildError(
                f"a condition cannot calculate: {node!r}. Let the endpoint or the payload before this screen calculate."
            )
        if isinstance(node.left, Constant) and isinstance(node.right, Constant):
            raise FlowBuildError(f"a condition cannot compare two constants: {node!r}.")
        _check(node.left)
        _check(node.right)
    elif isinstance(node, Constant):
        _check_constant(node.value)
    elif isinstance(node, Reference):
        _check_reference(node)


def _check_constant(value: object) -> None:
    if isinstance(value, float) and not value.is_integer():
        raise FlowBuildError(
            f"a condition has no decimals: {value}. Clients cut both sides to whole numbers (observed); compare in "
            "`visible` of the components instead, which takes an expression."
        )
    if isinstance(value, str) and "'" in value:
        raise FlowBuildError(f"a text in a condition cannot have a quote: {short_repr(value)}. Compare an id instead.")


def _check_reference(node: Reference[Any]) -> None:
    if isinstance(node, InnerField):
        raise FlowBuildError(f"a condition takes fields at the top of a data model only, not {node!r}.")
    kind = type_of(node)
    if kind not in _COMPARABLE:
        raise FlowBuildError(f"a condition cannot use {node!r}, {a(kind)}: only texts, numbers and booleans.")
