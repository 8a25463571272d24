"""What the parsers of both languages share: tokens, operands, and the limit of nesting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from ._references import parse_reference
from ._tree import MAX_DEPTH, ExpressionError, Literal, Name, Node


class Token(NamedTuple):
    """A part of the text. `kind` is "text", "number", "word", "reference", "operator" or "end"."""

    kind: str
    text: str
    offset: int


class Parser(ABC):
    """A position in a list of tokens, of which the last is of kind "end"."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def operand(self) -> Node:
        """The next operand. Raises `ExpressionError` if operands are nested too deeply."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError("nested too deeply", self.token.offset)
        token = self.token
        self.at += token.kind != "end"
        node = self.operand_at(token)
        self.depth -= 1
        return node

    @abstractmethod
    def operand_at(self, token: Token) -> Node:
        """The operand that begins with a token, which has been consumed."""


def leaf(token: Token) -> Literal | Name | None:
    """The operand that one token is: a reference or a literal; or None."""
    if token.kind == "reference" and (reference := parse_reference(token.text)) is not None:
        return Name(reference, token.offset)
    if token.kind in ("text", "number"):
        return Literal(token.text, "string" if token.kind == "text" else "number", token.offset)
    if token.text in ("true", "false"):
        return Literal(token.text, "boolean", token.offset)
    return None
