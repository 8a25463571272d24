"""
The condition of an If: a smaller language than that of nested expressions, without backticks.

    condition  =  all { "||" all }        all  =  test { "&&" test }
    test       =  operand [ comparison operand ]
    operand    =  "!" operand | "(" condition ")" | reference | 'text' | number | true | false

Comparisons cannot be chained. Offsets count characters of the condition from 0, as Meta's own messages do.
Source: Meta's client validator, August 2026; Meta, Flow JSON reference ("If").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ._parser import Parser, Token, leaf
from ._references import BODY, CACHED_LENGTH
from ._tree import COMPARISONS, Binary, ExpressionError, Group, Node, Unary

_TOKEN: Final = re.compile(
    rf"""(?P<reference>{BODY})
      | (?P<text>'[^']*')
      | (?P<number>-?\d[\w.]*|-)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<operator>\|\||&&|[=!<>]=|[<>!()])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_BLANK: Final = re.compile(r"\s*")


def parse_condition(text: str) -> Node:
    """The tree of a condition. Raises `ExpressionError`."""
    return _parse_cached(text) if len(text) <= CACHED_LENGTH else _parse(text)


def _parse(text: str) -> Node:
    if not text.strip():
        raise ExpressionError("the condition is empty", -1)
    return _Parser(_tokens(text)).whole()


_parse_cached: Final = lru_cache(maxsize=512)(_parse)


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while True:
        blank = _BLANK.match(text, position)
        position = blank.end() if blank else position
        if position == len(text):
            return [*tokens, Token("end", "", position)]
        found = _TOKEN.match(text, position)
        if found is None:
            quote = text[position] == "'"
            reason = "a closing quote is missing" if quote else f"unexpected character {text[position]!r}"
            raise ExpressionError(reason, position)
        kind = found.lastgroup or ""
        tokens.append(Token(kind, found[kind], position))
        position = found.end()


class _Parser(Parser):
    """Recursive descent over a list of tokens."""

    def whole(self) -> Node:
        tree = self.condition()
        if self.token.text == ")":
            raise ExpressionError("a closing parenthesis without an opening one", self.token.offset)
        if self.token.kind != "end":
            raise ExpressionError("an operator is missing between two operands", self.token.offset)
        return tree

    def condition(self) -> Node:
        return self.chain("||", self.all)

    def all(self) -> Node:
        return self.chain("&&", self.test)

    def chain(self, operator: str, part: Callable[[], Node]) -> Node:
        left = part()
        while self.token.text == operator:
            offset = self.token.offset
            self.advance()
            left = Binary(operator, left, part(), offset)
        return left

    def test(self) -> Node:
        left = self.operand()
        token = self.token
        if token.text not in COMPARISONS:
            return left
        self.advance()
        right = self.operand()
        if self.token.text in COMPARISONS:
            raise ExpressionError("comparisons cannot be chained", self.token.offset)
        return Binary(token.text, left, right, token.offset)

    def operand_at(self, token: Token) -> Node:
        if token.text == "!":
            return Unary("!", self.operand(), token.offset)
        if token.text == "(":
            return self.group(token)
        if token.text == "-":
            raise ExpressionError("a number is missing after the minus sign", token.offset)
        node = leaf(token)
        if node is not None:
            return node
        if token.kind == "end":
            raise ExpressionError("an operand is missing at the end", token.offset)
        reason = "is not an operand" if token.kind == "word" else "stands where an operand is needed"
        raise ExpressionError(f"{token.text!r} {reason}", token.offset)

    def group(self, opening: Token) -> Node:
        if self.token.text == ")":
            raise ExpressionError("nothing stands between the parentheses", opening.offset)
        inner = self.condition()
        if self.token.kind == "end":
            raise ExpressionError("a closing parenthesis is missing", opening.offset)
        if self.token.text != ")":
            raise ExpressionError("an operator is missing between two operands", self.token.offset)
        self.advance()
        return Group(inner, opening.offset)
