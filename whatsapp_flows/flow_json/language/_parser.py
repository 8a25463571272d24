"""What the parsers of both languages share: tokens, operands, and the limit of nesting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

from ._references import parse_reference
from ._tree import MAX_DEPTH, ExpressionError, Literal, Name, Node


class Token(NamedTuple):
    """A part of the text. `kind` is "text", "number", "word", "reference", "operator" or "end"."""

    kind: str
    text: str
    offset: int


class Parser(ABC):
    """A position in a sequence of tokens, of which the last is of kind "end"."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._following = iter(tokens).__next__
        self.token = self._following()
        """The token that comes next."""
        self._depth = 0

    def advance(self) -> None:
        """Consume a token, which must not be the last."""
        self.token = self._following()

    def operand(self) -> Node:
        """The next operand. Raises `ExpressionError` if operands are nested too deeply."""
        token = self.token
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError("nested too deeply", token.offset)
        if token.kind != "end":
            self.token = self._following()
        node = self.operand_at(token)
        self._depth -= 1
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
