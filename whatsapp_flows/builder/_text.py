"""How an expression is written: every operation in parentheses, texts quoted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .._wire import short_repr
from ._base import Reference
from ._errors import FlowBuildError
from ._expressions import Constant, Expr, Joined, Operation, Prefixed, Written

Refer = Callable[[Reference[Any]], str]
"""How a reference is written where the expression stands."""


def expression_text(expression: Expr[Any], refer: Refer) -> str:
    """An expression in backticks; a reference alone needs none. Raises `FlowBuildError` for what cannot be written."""
    if isinstance(expression, Reference):
        return refer(expression)
    inner = _joined(expression, refer) if isinstance(expression, Joined) else _operand(expression, refer, quoted)
    return f"`{inner}`"


def condition_text(condition: Expr[Any], refer: Refer) -> str:
    """The condition of an If, which `check_condition` has checked."""
    return _operand(condition, refer, "'{}'".format)


def _operand(node: Expr[Any], refer: Refer, quote: Callable[[str], str]) -> str:
    if isinstance(node, Reference):
        return refer(node)
    if isinstance(node, Constant):
        return _constant(node.value, quote)
    if isinstance(node, Operation):
        return f"({_operand(node.left, refer, quote)} {node.operator} {_operand(node.right, refer, quote)})"
    if isinstance(node, Prefixed):
        return f"{node.operator}{_operand(node.operand, refer, quote)}"
    if isinstance(node, Joined):
        return f"({_joined(node, refer)})"
    if isinstance(node, Written):
        return _operand(node.expression, refer, quote)
    raise FlowBuildError(f"{node!r} cannot stand in an expression.")


def _joined(node: Joined, refer: Refer) -> str:
    """
    Parts side by side. A minus beside another operand would subtract, so it stands in parentheses; a reference before a
    parenthesis is read as a call, which fails (observed), so an empty text stands between them.
    """
    written: list[str] = []
    for part in node.parts:
        piece = _operand(part, refer, quoted)
        if piece[0] in "-!":
            piece = f"({piece})"
        if piece[0] == "(" and written and written[-1][-1] == "}":
            written.append("''")
        written.append(piece)
    return " ".join(written)


def _constant(value: Any, quote: Callable[[str], str]) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 2**53):
        return str(int(value))
    found = f"{value:.10f}".rstrip("0").removesuffix(".")
    if found in ("inf", "-inf", "nan") or float(found) != value:
        raise FlowBuildError(f"{value!r} cannot be written in an expression: it may have ten decimals.")
    return found


_ESCAPED: Final = str.maketrans({"\\": "\\\\", "'": "\\'", "`": "\\`"})


def quoted(value: str) -> str:
    """A text within an expression, in single quotes. Raises `FlowBuildError` for what clients do not keep."""
    if "}" in value:
        raise FlowBuildError(
            f"a text in an expression cannot have a closing brace, which clients drop (observed): {short_repr(value)}. "
            "Put it into the screen's data."
        )
    if not value.isprintable() and any(char in value for char in "\n\r\u2028\u2029"):
        raise FlowBuildError(
            f"a text in an expression cannot have a line break: {short_repr(value)}. Use two components, or a Data."
        )
    return f"'{value.translate(_ESCAPED)}'"
