"""
The condition of an If: a language of its own, smaller than nested expressions, without backticks.

    condition  =  all { "||" all }        all  =  test { "&&" test }
    test       =  operand [ comparison operand ]
    operand    =  "!" operand | "(" condition ")" | reference | 'text' | integer | true | false

A comparison takes one operand whose value is known only when the flow runs; chains of comparisons do not exist.
Offsets count characters of the condition from 0, as Meta's own messages do. Source: Meta's client validator, August
2026; Meta, Flow JSON reference ("If").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from ._expressions import MAX_DEPTH, ExpressionError, Resolver
from ._references import BODY, REMEMBERED, parse_reference

_TOKEN: Final = re.compile(
    rf"""(?P<reference>{BODY})
      | (?P<text>'[^']*')
      | (?P<number>-?\d[\w.]*|-)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<operator>\|\||&&|[=!<>]=|[<>!()])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_BLANK: Final = re.compile(r"\s*")
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ORDERINGS: Final = frozenset({"<", "<=", ">", ">="})
_SUPPORTED: Final = frozenset({"boolean", "number", "string", ""})


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


class _Operand(NamedTuple):
    """What has been read: its type ("" if unknown), and whether it is written out rather than looked up."""

    type: str
    literal: bool
    offset: int


def check_condition(text: str, resolve: Resolver) -> None:
    """Read and type a condition. Raises `ExpressionError`; its offset is -1 when no place can be named."""
    if not text.strip():
        raise ExpressionError("the condition is empty", -1)
    _Reader(_kept(text) if len(text) <= REMEMBERED else _tokens(text), resolve).whole()


def _tokens(text: str) -> tuple[_Token, ...]:
    tokens: list[_Token] = []
    position = 0
    while True:
        blank = _BLANK.match(text, position)
        position = blank.end() if blank else position
        if position == len(text):
            return (*tokens, _Token("end", "", position))
        found = _TOKEN.match(text, position)
        if found is None:
            reason = (
                "a closing quote is missing" if text[position] == "'" else f"unexpected character {text[position]!r}"
            )
            raise ExpressionError(reason, position)
        kind = next(name for name in ("reference", "text", "number", "word", "operator") if found[name] is not None)
        tokens.append(_Token(kind, found[kind], position))
        position = found.end()


_kept: Final = lru_cache(maxsize=512)(_tokens)
_Part = Callable[[], _Operand]


class _Reader:
    """Reads and types in one go: a condition is needed once, so that no tree is built."""

    def __init__(self, tokens: tuple[_Token, ...], resolve: Resolver) -> None:
        self.tokens = tokens
        self.resolve = resolve
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def whole(self) -> None:
        result = self.condition()
        if self.token.text == ")":
            raise ExpressionError("a closing parenthesis without an opening one", self.token.offset)
        if self.token.kind != "end":
            raise ExpressionError("an operator is missing between two operands", self.token.offset)
        self.truth(result, alone=True)

    def condition(self) -> _Operand:
        return self.chain("||", self.all)

    def all(self) -> _Operand:
        return self.chain("&&", self.test)

    def chain(self, operator: str, part: _Part) -> _Operand:
        left = part()
        while self.token.text == operator:
            offset = self.token.offset
            self.at += 1
            right = part()
            if left.literal and right.literal:
                raise ExpressionError(f"{operator} has literals on both sides", offset)
            self.truth(left)
            self.truth(right)
            left = _Operand("boolean", False, left.offset)
        return left

    def truth(self, operand: _Operand, *, alone: bool = False) -> None:
        if alone and operand.literal:
            raise ExpressionError("a single operand must not be a literal", operand.offset)
        if operand.type not in ("boolean", ""):
            raise ExpressionError(f"a boolean is needed here, not {operand.type}", operand.offset)

    def test(self) -> _Operand:
        left = self.operand()
        token = self.token
        if token.text not in _COMPARISONS:
            return left
        self.at += 1
        right = self.operand()
        if left.literal and right.literal:
            raise ExpressionError(f"{token.text} has literals on both sides", token.offset)
        if token.text in _ORDERINGS:
            for side in (left, right):
                if side.type not in ("number", ""):
                    raise ExpressionError(f"{token.text} compares numbers, not {side.type}", side.offset)
        elif left.type and right.type and left.type != right.type:
            raise ExpressionError(f"{token.text} compares {left.type} with {right.type}", token.offset)
        if self.token.text in _COMPARISONS:
            raise ExpressionError("comparisons cannot be chained", self.token.offset)
        return _Operand("boolean", False, left.offset)

    def operand(self) -> _Operand:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError("nested too deeply", self.token.offset)
        found = self.single()
        self.depth -= 1
        return found

    def single(self) -> _Operand:
        token = self.token
        self.at += token.kind != "end"
        if token.text == "!":
            inner = self.operand()
            self.truth(inner, alone=True)
            return _Operand("boolean", False, token.offset)
        if token.text == "(":
            return self.group(token)
        if token.kind == "reference":
            return self.looked_up(token)
        if token.kind == "text":
            return _Operand("string", True, token.offset)
        if token.kind == "number":
            return _number(token)
        if token.text in ("true", "false"):
            return _Operand("boolean", True, token.offset)
        if token.kind == "end":
            raise ExpressionError("an operand is missing at the end", token.offset)
        reason = "is not an operand" if token.kind == "word" else "stands where an operand is needed"
        raise ExpressionError(f"{token.text!r} {reason}", token.offset)

    def group(self, opening: _Token) -> _Operand:
        if self.token.text == ")":
            raise ExpressionError("nothing stands between the parentheses", opening.offset)
        inner = self.condition()
        if self.token.kind == "end":
            raise ExpressionError("a closing parenthesis is missing", opening.offset)
        if self.token.text != ")":
            raise ExpressionError("an operator is missing between two operands", self.token.offset)
        self.at += 1
        return inner

    def looked_up(self, token: _Token) -> _Operand:
        reference = parse_reference(token.text)
        try:
            found = self.resolve(reference) if reference else ""
        except ExpressionError as error:
            raise ExpressionError(error.reason, token.offset) from None
        if reference and reference.source == "data" and len(reference.path) > 1:
            raise ExpressionError("only fields at the top of the data model can be compared", token.offset)
        if found not in _SUPPORTED:
            raise ExpressionError(f"an operand of type {found} is not supported", token.offset)
        return _Operand(found, False, token.offset)


def _number(token: _Token) -> _Operand:
    if token.text == "-":
        raise ExpressionError("a number is missing after the minus sign", token.offset)
    if not _INTEGER.fullmatch(token.text):
        zero = re.fullmatch(r"-?0[0-9]+", token.text, re.ASCII)
        raise ExpressionError("a number with a leading zero" if zero else "only whole numbers", token.offset)
    return _Operand("number", True, token.offset)
