"""
Nested expressions: the small language that a property may hold between backticks from 6.0 on.

Strategy: one regular expression cuts the text into tokens, one function climbs the table of precedences, one types the
tree. From loose to tight:

    operands side by side (joined as text), ||, &&, == !=, < <= > >=, + -, * / %, ! - + before an operand

Types are those of data models. "" stands for "no type", which fits everything: the result of %, and whatever a
resolver does not know. Where joined operands hold an operator outside of parentheses, the result has no type either:
Meta does not document what binds tighter there. Source: Meta, Flow JSON reference ("Nested expressions").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from ._references import BODY, REMEMBERED, Reference, parse_reference

MAX_DEPTH: Final = 32
"""Parentheses and operators before an operand may be nested this deep. Ours: the parser must not run out of stack."""

UNTYPED: Final = ""


class ExpressionError(ValueError):
    """An expression that cannot be read or typed. `offset` counts characters from the opening backtick, which is 0."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number or a truth value, as written."""

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
    """An operator before its operand."""

    operator: str
    operand: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands."""

    operator: str
    left: Node
    right: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in parentheses."""

    inner: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """Operands side by side."""

    parts: tuple[Node, ...]
    offset: int = field(default=0, compare=False)


Node: TypeAlias = "Literal | Name | Unary | Binary | Group | Joined"
Resolver = Callable[[Reference], str]
"""The type of a reference, UNTYPED if nobody knows; raises ExpressionError with any offset for one to nothing."""


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
UNARY: Final = {"!": "boolean", "-": "number", "+": "number"}


class _Token(NamedTuple):
    kind: str  # "text", "number", "word", "reference", "operator", "end"
    text: str
    offset: int


_TOKEN: Final = re.compile(
    rf"""\s*(?:
        (?P<reference>{BODY})
      | (?P<text>'[^'\\]*(?:\\.[^'\\]*)*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<operator>\|\||&&|[=!<>]=|[-+*/%<>!()])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_BLANK: Final = re.compile(r"\s*")
_MISTAKES: Final = {
    "'": "a closing quote is missing",
    "`": "a backtick inside needs a backslash before it",
    "?": "there is no conditional operator",
    "[": "there are no array literals",
    "=": "equality is written ==",
    "&": "and is written &&",
    "|": "or is written ||",
    "$": "a reference is written ${data.name}, ${form.name} or ${screen.ID.form.name}",
    '"': "text is written in single quotes",
}


def parse_expression(text: str) -> Node:
    """The tree of a whole property value with its backticks. Raises `ExpressionError`."""
    return _kept(text) if len(text) <= REMEMBERED else _parse(text)


def _parse(text: str) -> Node:
    return _Parser(list(_tokens(text))).whole()


_kept: Final = lru_cache(maxsize=512)(_parse)  # the same expressions come again, in a document and from call to call


def _tokens(text: str) -> Iterator[_Token]:
    end = len(text) - 1
    position = 1
    while True:
        found = _TOKEN.match(text, position, end)
        if found is None:
            break
        kind = found.lastgroup or ""
        yield _Token(kind, found[kind], found.start(kind))
        position = found.end()
    blank = _BLANK.match(text, position, end)
    position = blank.end() if blank else position
    if position < end:
        reason = _MISTAKES.get(text[position], f"unexpected character {text[position]!r}")
        raise ExpressionError(reason, position)
    yield _Token("end", "", max(end, 0))


class _Parser:
    """Precedence climbing over a list of tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def whole(self) -> Node:
        node = self.joined()
        if self.token.kind != "end":  # all that ends `joined` early is a parenthesis
            raise ExpressionError("a closing parenthesis without an opening one", self.token.offset)
        return node

    def joined(self) -> Node:
        parts = [self.operation(0)]
        while self.token.kind != "end" and self.token.text != ")":
            parts.append(self.operation(0))
        return parts[0] if len(parts) == 1 else Joined(tuple(parts), _offset(parts[0]))

    def operation(self, at_least: int) -> Node:
        left = self.operand()
        while True:
            token = self.token
            row = OPERATORS.get(token.text) if token.kind == "operator" else None
            if row is None or row.binds <= at_least:
                return left
            self.at += 1
            left = Binary(token.text, left, self.operation(row.binds), token.offset)

    def operand(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError("nested too deeply", self.token.offset)
        node = self.single()
        self.depth -= 1
        return node

    def single(self) -> Node:
        token = self.token
        self.at += token.kind != "end"
        if token.kind == "operator" and token.text in UNARY:
            return Unary(token.text, self.operand(), token.offset)
        if token.text == "(" and token.kind == "operator":
            return self.group(token)
        reference = parse_reference(token.text) if token.kind == "reference" else None
        if reference is not None:
            return Name(reference, token.offset)
        if token.kind in ("text", "number"):
            return Literal(token.text, "string" if token.kind == "text" else "number", token.offset)
        if token.text in ("true", "false"):
            return Literal(token.text, "boolean", token.offset)
        raise ExpressionError(_misplaced(token), token.offset)

    def group(self, opening: _Token) -> Node:
        inner = self.joined()
        if self.token.text != ")":
            raise ExpressionError("a closing parenthesis is missing", opening.offset)
        self.at += 1
        return Group(inner, opening.offset)


def _misplaced(token: _Token) -> str:
    if token.kind == "end":
        return "an operand is missing at the end"
    if token.kind == "word":
        return f"{token.text!r} is neither a reference nor a literal; text is written in single quotes"
    return f"an operand is missing before {token.text!r}"


def _offset(node: Node) -> int:
    return node.offset


def type_of(node: Node, resolve: Resolver) -> str:
    """The type of the result, UNTYPED if it has none. Raises `ExpressionError` for operands that do not fit."""
    if isinstance(node, Literal):
        return node.type
    if isinstance(node, Name):
        try:
            return resolve(node.reference)
        except ExpressionError as error:
            raise ExpressionError(error.reason, node.offset) from None
    if isinstance(node, Group):
        return type_of(node.inner, resolve)
    if isinstance(node, Unary):
        _demand(frozenset({UNARY[node.operator]}), type_of(node.operand, resolve), node)
        return UNARY[node.operator]
    if isinstance(node, Joined):
        for part in node.parts:
            type_of(part, resolve)
        return UNTYPED if any(isinstance(part, Binary) for part in node.parts) else "string"
    return _type_of_binary(node, resolve)


def _type_of_binary(node: Binary, resolve: Resolver) -> str:
    """Chains of operators lean to the left: walked without recursion, since they may be long."""
    chain = [node]
    while isinstance(chain[-1].left, Binary):
        chain.append(chain[-1].left)
    found = type_of(chain[-1].left, resolve)
    for link in reversed(chain):
        row, right = OPERATORS[link.operator], type_of(link.right, resolve)
        if row.takes is None:
            if found and right and found != right:
                raise ExpressionError(f"{link.operator} compares {found} with {right}", link.offset)
        else:
            _demand(row.takes, found, link)
            _demand(row.takes, right, link)
        found = row.gives
    return found


def _demand(takes: frozenset[str], found: str, node: Binary | Unary) -> None:
    if takes and found and found not in takes:
        wanted = " or ".join(sorted(takes))
        raise ExpressionError(f"{node.operator} takes {wanted}, not {found}", node.offset)
