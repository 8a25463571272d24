"""
The tree of an expression or a condition, and the operators in it.

Both languages have the same nodes; a condition has no `Concatenation`. A tree says how a text reads, not whether its
types fit: that is `_typing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from ._references import Reference
from ._types import UNTYPED

MAX_DEPTH: Final = 32
"""Parentheses and prefix operators may be nested this deep. Our limit: the parsers must not run out of stack."""


class ExpressionError(ValueError):
    """
    An expression or a condition that cannot be parsed or typed.

    `offset` counts characters: of an expression from its opening backtick, which is 0; of a condition from its start.
    -1 is no place.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, a number or a boolean, as written: a string with its quotes and escapes."""

    text: str
    type: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A reference used as an operand."""

    reference: Reference
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """A prefix operator and its operand."""

    operator: str
    operand: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands. Chains lean to the left. `offset` is that of the operator."""

    operator: str
    left: Node
    right: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """An operand in parentheses."""

    inner: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Operands side by side, which are joined as text."""

    parts: tuple[Node, ...]
    offset: int = field(default=0, compare=False)


Node: TypeAlias = "Literal | Name | Unary | Binary | Group | Concatenation"


class Operator(NamedTuple):
    """One row of the table: how tightly it binds, the types it takes, the type it gives."""

    binds: int
    takes: frozenset[str] | None  # None: any two of the same type; empty: anything
    gives: str


_NUMBERS: Final = frozenset({"number", "integer"})
_BOOLEANS: Final = frozenset({"boolean"})
_ANYTHING: Final[frozenset[str]] = frozenset()
# Meta, Flow JSON reference; `*` and the missing type of `%` from Meta's client validator, August 2026.
OPERATORS: Final = {
    "||": Operator(1, _BOOLEANS, "boolean"),
    "&&": Operator(2, _BOOLEANS, "boolean"),
    "==": Operator(3, None, "boolean"),
    "!=": Operator(3, None, "boolean"),
    "<": Operator(4, _NUMBERS, "boolean"),
    "<=": Operator(4, _NUMBERS, "boolean"),
    ">": Operator(4, _NUMBERS, "boolean"),
    ">=": Operator(4, _NUMBERS, "boolean"),
    "+": Operator(5, _NUMBERS, "number"),
    "-": Operator(5, _NUMBERS, "number"),
    "*": Operator(6, _NUMBERS, "number"),
    "/": Operator(6, _NUMBERS, "number"),
    "%": Operator(6, _ANYTHING, UNTYPED),
}
PREFIX_OPERATORS: Final = {"!": "boolean", "-": "number", "+": "number"}
"""Prefix operator -> the type that it takes and gives."""
LOGICAL: Final = frozenset({"&&", "||"})
ORDERINGS: Final = frozenset({"<", "<=", ">", ">="})
COMPARISONS: Final = ORDERINGS | {"==", "!="}


def walk(tree: Node) -> Iterator[Node]:
    """All nodes of a tree, from left to right, without recursion: chains of operators may be long."""
    ahead = [tree]
    while ahead:
        node = ahead.pop()
        yield node
        if isinstance(node, Binary):
            ahead += (node.right, node.left)
        elif isinstance(node, Unary):
            ahead.append(node.operand)
        elif isinstance(node, Group):
            ahead.append(node.inner)
        elif isinstance(node, Concatenation):
            ahead += reversed(node.parts)


def without_parentheses(node: Node) -> Node:
    """The operand in any number of parentheses."""
    while isinstance(node, Group):
        node = node.inner
    return node


def called_references(tree: Node) -> Iterator[Name]:
    """The references of an expression that a parenthesis follows: a client reads each as a call, which fails."""
    for node in walk(tree):
        if isinstance(node, Concatenation):
            for left, right in zip(node.parts, node.parts[1:], strict=False):
                last = _last(left)
                if isinstance(last, Name) and isinstance(_first(right), Group):
                    yield last


def _last(node: Node) -> Node:
    while isinstance(node, (Binary, Unary)):
        node = node.right if isinstance(node, Binary) else node.operand
    return node


def _first(node: Node) -> Node:
    while isinstance(node, Binary):
        node = node.left
    return node
