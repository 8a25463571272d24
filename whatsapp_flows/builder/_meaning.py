"""Whether two texts of an expression, or of a condition, say the same."""

from __future__ import annotations

from .. import flow_json


def same_meaning(first: str, second: str) -> bool:
    """Whether two texts have one tree, but for parentheses, blanks, and empty texts that are joined."""
    try:
        return _plain(_tree(first)) == _plain(_tree(second))
    except flow_json.ExpressionError:
        return first == second


def _tree(text: str) -> flow_json.Node:
    return flow_json.parse_expression(text) if flow_json.is_expression(text) else flow_json.parse_condition(text)


def _plain(node: flow_json.Node) -> object:
    """The tree without parentheses, as nested tuples."""
    if isinstance(node, flow_json.Group):
        return _plain(node.inner)
    if isinstance(node, flow_json.Binary):
        return (node.operator, _plain(node.left), _plain(node.right))
    if isinstance(node, flow_json.Unary):
        return (node.operator, _plain(node.operand))
    if isinstance(node, flow_json.Concatenation):
        parts = tuple(_plain(part) for part in node.parts if getattr(part, "text", None) != "''")
        return parts[0] if len(parts) == 1 else ("joined", *parts)
    return node
