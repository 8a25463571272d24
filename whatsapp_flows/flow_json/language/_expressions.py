"""
Nested expressions: the small language that a property may hold between backticks from 6.0 on.

Strategy: one regular expression cuts the text into tokens, and precedence climbing over the table of operators makes
the tree. From loose to tight:

    operands side by side (joined as text), ||, &&, == !=, < <= > >=, + -, * / %, ! - + before an operand

Source: Meta, Flow JSON reference ("Nested expressions").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ._parser import Parser, Token, leaf
from ._references import BODY, CACHED_LENGTH
from ._tree import (
    OPERATORS,
    PREFIX_OPERATORS,
    Binary,
    Concatenation,
    ExpressionError,
    Group,
    Node,
    Unary,
)

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
    return _parse_cached(text) if len(text) <= CACHED_LENGTH else _parse(text)


def _parse(text: str) -> Node:
    return _Parser(list(_tokens(text))).expression()


_parse_cached: Final = lru_cache(maxsize=512)(_parse)  # expressions repeat within a document and between calls


def _tokens(text: str) -> Iterator[Token]:
    end = len(text) - 1
    position = 1
    while True:
        found = _TOKEN.match(text, position, end)
        if found is None:
            break
        kind = found.lastgroup or ""
        yield Token(kind, found[kind], found.start(kind))
        position = found.end()
    blank = _BLANK.match(text, position, end)
    position = blank.end() if blank else position
    if position < end:
        reason = _MISTAKES.get(text[position], f"unexpected character {text[position]!r}")
        raise ExpressionError(reason, position)
    yield Token("end", "", max(end, 0))


class _Parser(Parser):
    """Precedence climbing over a list of tokens."""

    def expression(self) -> Node:
        node = self.concatenation()
        if self.token.kind != "end":  # only a parenthesis ends `concatenation` early
            raise ExpressionError("a closing parenthesis without an opening one", self.token.offset)
        return node

    def concatenation(self) -> Node:
        parts = [self.operation(0)]
        while self.token.kind != "end" and self.token.text != ")":
            parts.append(self.operation(0))
        return parts[0] if len(parts) == 1 else Concatenation(tuple(parts), parts[0].offset)

    def operation(self, at_least: int) -> Node:
        left = self.operand()
        while True:
            token = self.token
            row = OPERATORS.get(token.text) if token.kind == "operator" else None
            if row is None or row.binds <= at_least:
                return left
            self.advance()
            left = Binary(token.text, left, self.operation(row.binds), token.offset)

    def operand_at(self, token: Token) -> Node:
        if token.kind == "operator" and token.text in PREFIX_OPERATORS:
            return Unary(token.text, self.operand(), token.offset)
        if token.text == "(" and token.kind == "operator":
            return self.group(token)
        node = leaf(token)
        if node is not None:
            return node
        raise ExpressionError(_misplaced(token), token.offset)

    def group(self, opening: Token) -> Node:
        inner = self.concatenation()
        if self.token.text != ")":
            raise ExpressionError("a closing parenthesis is missing", opening.offset)
        self.advance()
        return Group(inner, opening.offset)


def _misplaced(token: Token) -> str:
    if token.kind == "end":
        return "an operand is missing at the end"
    if token.kind == "word":
        return f"{token.text!r} is neither a reference nor a literal; text is written in single quotes"
    return f"an operand is missing before {token.text!r}"
