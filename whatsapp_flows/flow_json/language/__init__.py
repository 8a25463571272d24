"""
The two languages of Flow JSON, and the references in them: each text is parsed once, into a frozen tree.

An *expression* stands in backticks in a property (`parse_expression`); a *condition* is what an If tests
(`parse_condition`). Both give a `Node`; `type_of_expression` and `check_condition` type it with a function that knows
the types of references. `parse_reference` reads a reference that is a whole string.
"""

from ._conditions import parse_condition
from ._expressions import parse_expression
from ._references import (
    Reference,
    embedded_reference,
    is_dynamic,
    is_expression,
    is_whole_binding,
    may_embed,
    parse_reference,
    referenced_names,
)
from ._tree import (
    COMPARISONS,
    LOGICAL,
    ORDERINGS,
    Binary,
    Concatenation,
    ExpressionError,
    Group,
    Literal,
    Name,
    Node,
    Unary,
    called_references,
    walk,
    without_parentheses,
)
from ._types import TYPES, UNTYPED, has_type, type_of_value
from ._typing import Resolver, check_condition, type_of_expression

__all__ = [
    "COMPARISONS",
    "LOGICAL",
    "ORDERINGS",
    "TYPES",
    "UNTYPED",
    "Binary",
    "Concatenation",
    "ExpressionError",
    "Group",
    "Literal",
    "Name",
    "Node",
    "Reference",
    "Resolver",
    "Unary",
    "called_references",
    "check_condition",
    "embedded_reference",
    "has_type",
    "is_dynamic",
    "is_expression",
    "is_whole_binding",
    "may_embed",
    "parse_condition",
    "parse_expression",
    "parse_reference",
    "referenced_names",
    "type_of_expression",
    "type_of_value",
    "walk",
    "without_parentheses",
]
