"""
The two small languages of Flow JSON and the references in them: each text is parsed once, into a tree.

An expression stands in backticks in a property; a condition is what an If asks.
"""

from ._conditions import check_condition
from ._expressions import (
    UNTYPED,
    Binary,
    ExpressionError,
    Group,
    Joined,
    Literal,
    Name,
    Node,
    Unary,
    parse_expression,
    type_of,
)
from ._references import (
    TYPES,
    Reference,
    embedded_reference,
    has_type,
    is_dynamic,
    is_expression,
    is_whole_binding,
    may_embed,
    parse_reference,
    type_of_value,
)

__all__ = [
    "TYPES",
    "UNTYPED",
    "Binary",
    "ExpressionError",
    "Group",
    "Joined",
    "Literal",
    "Name",
    "Node",
    "Reference",
    "Unary",
    "check_condition",
    "embedded_reference",
    "has_type",
    "is_dynamic",
    "is_expression",
    "is_whole_binding",
    "may_embed",
    "parse_expression",
    "parse_reference",
    "type_of",
    "type_of_value",
]
