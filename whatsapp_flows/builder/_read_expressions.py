"""From the tree of an expression to the builder's own, where Python can say it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from .. import flow_json
from ._base import Reference
from ._conditions import checked_condition
from ._errors import FlowBuildError
from ._expressions import Constant, Expr, Joined, Operation, Prefixed
from ._special import TextField
from ._text import condition_text, expression_text

Find = Callable[[flow_json.Reference], "Expr[Any] | None"]
"""What a reference of the document refers to, or None."""

_NUMERIC: Final = frozenset({"<", "<=", ">", ">=", "+", "-", "*", "/", "%"})
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def read_expression(text: str, find: Find, spell: Callable[[Reference[Any]], str]) -> Expr[Any] | None:
    """The expression in backticks; None where Python cannot say it. `spell` says how a reference is written here."""
    made = _read(text, flow_json.parse_expression, find)
    if made is None:
        return None
    if isinstance(made, Constant):
        if not isinstance(made.value, str):
            return None
        made = Joined([made])
    try:
        own = expression_text(made, spell)
    except FlowBuildError:
        return None
    return made if own == text else made.written_as(text)


def read_condition(text: str, find: Find, spell: Callable[[Reference[Any]], str]) -> Expr[Any] | None:
    """The condition of an If; None where Python cannot say it."""
    parse = flow_json.parse_expression if flow_json.is_expression(text) else flow_json.parse_condition
    made = _read(text, parse, find)
    if made is None:
        return None
    try:
        checked_condition(made)
    except FlowBuildError:
        return None
    return made if condition_text(made, spell) == text else made.written_as(text)


def _read(text: str, parse: Callable[[str], flow_json.Node], find: Find) -> Expr[Any] | None:
    try:
        return _node(parse(text), find)
    except (flow_json.ExpressionError, FlowBuildError):
        return None


class _NoPythonFormError(FlowBuildError):
    """The expression has no form in Python: it would be computed at once, or with its operands swapped."""


def _node(node: flow_json.Node, find: Find, *, numeric: bool = False) -> Expr[Any]:
    if isinstance(node, flow_json.Group):
        return _node(node.inner, find, numeric=numeric)
    if isinstance(node, flow_json.Literal):
        return Constant(_constant(node))
    if isinstance(node, flow_json.Name):
        return _name(node, find, numeric=numeric)
    if isinstance(node, flow_json.Concatenation):
        return Joined([_node(part, find) for part in node.parts])
    if isinstance(node, flow_json.Unary):
        return _unary(node, find)
    return _binary(node, find)


def _constant(node: flow_json.Literal) -> str | bool | float:
    if node.type == "string":
        return _ESCAPE.sub(r"\1", node.text[1:-1])
    if node.type == "boolean":
        return node.text == "true"
    return float(node.text) if "." in node.text else int(node.text)


def _name(node: flow_json.Name, find: Find, *, numeric: bool) -> Expr[Any]:
    found = find(node.reference)
    if found is None:
        raise _NoPythonFormError("a reference to nothing")
    return found.number if numeric and isinstance(found, TextField) else found


def _unary(node: flow_json.Unary, find: Find) -> Expr[Any]:
    inner = _node(node.operand, find, numeric=node.operator != "!")
    if node.operator == "-" and isinstance(inner, Constant) and not isinstance(inner.value, (str, bool)):
        return Constant(-inner.value)
    if node.operator == "+" or isinstance(inner, Constant):
        raise _NoPythonFormError("Python would compute it")
    return Prefixed(node.operator, inner)


def _binary(node: flow_json.Binary, find: Find) -> Expr[Any]:
    links = [node]
    while isinstance(left := links[-1].left, flow_json.Binary):  # chains lean to the left, and may be long
        links.append(left)
    found: Expr[Any] | None = None
    for link in reversed(links):
        numeric = link.operator in _NUMERIC or any(_is_number(side) for side in (link.left, link.right))
        left_side = _node(link.left, find, numeric=numeric) if found is None else found
        right_side = _node(link.right, find, numeric=numeric)
        if isinstance(left_side, Constant) and (isinstance(right_side, Constant) or link.operator in _COMPARISONS):
            raise _NoPythonFormError("Python would swap the operands")
        found = Operation(link.operator, left_side, right_side)
    if found is None:
        raise _NoPythonFormError("nothing")
    return found


def _is_number(node: flow_json.Node) -> bool:
    while isinstance(node, flow_json.Group):
        node = node.inner
    return isinstance(node, flow_json.Literal) and node.type == "number"
