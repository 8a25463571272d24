"""
Values that are known only while a Flow runs, as typed Python: references, operations on them, joined texts.

Every operator makes an `Expr`; nothing is computed. What Python would compute at once (`and`, `or`, `not`, chained
comparisons, `if`, `bool()`) raises a `FlowBuildError` that names what to write instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, NoReturn, TypeVar, overload

from .._wire import short_repr
from ._errors import FlowBuildError, a, instead

T_co = TypeVar("T_co", covariant=True)

_NO_TRUTH: Final = (
    "an expression has no value before the Flow runs: write & for and, | for or, ~ for not, and "
    "(low < x) & (x < high) for low < x < high; each comparison in parentheses."
)
_NO_TEXT: Final = 'an expression has no text before the Flow runs: write text("Hello ", name).'
_NO_SUM: Final = 'a number is needed, and texts are joined by text("Hello ", name)'


class Expr(Generic[T_co]):
    """
    A value that is known only while the Flow runs, of the Python type `T_co`: str, float, bool, list or dict.

    `==`, `!=`, `<`, `<=`, `>`, `>=`, `+`, `-`, `*`, `/`, `%`, `&`, `|`, `~` make further expressions. Comparing a text
    with a number is an error for a type checker, and a `FlowBuildError` where it is seen at run time.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    # `==` makes an expression, as in SQLAlchemy: an Expr is hashable by its identity.
    @overload  # type: ignore[override]
    def __eq__(self: Expr[str], other: str | Expr[str], /) -> Expr[bool]: ...
    @overload
    def __eq__(self: Expr[bool], other: bool | Expr[bool], /) -> Expr[bool]: ...
    @overload
    def __eq__(self: Expr[float], other: float | Expr[float], /) -> Expr[bool]: ...
    def __eq__(self, other: Any, /) -> Expr[bool]:
        return Operation("==", self, operand(other))

    @overload  # type: ignore[override]
    def __ne__(self: Expr[str], other: str | Expr[str], /) -> Expr[bool]: ...
    @overload
    def __ne__(self: Expr[bool], other: bool | Expr[bool], /) -> Expr[bool]: ...
    @overload
    def __ne__(self: Expr[float], other: float | Expr[float], /) -> Expr[bool]: ...
    def __ne__(self, other: Any, /) -> Expr[bool]:
        return Operation("!=", self, operand(other))

    __hash__ = object.__hash__

    def __lt__(self: Expr[float], other: float | Expr[float], /) -> Expr[bool]:
        return Operation("<", self, operand(other))

    def __le__(self: Expr[float], other: float | Expr[float], /) -> Expr[bool]:
        return Operation("<=", self, operand(other))

    def __gt__(self: Expr[float], other: float | Expr[float], /) -> Expr[bool]:
        return Operation(">", self, operand(other))

    def __ge__(self: Expr[float], other: float | Expr[float], /) -> Expr[bool]:
        return Operation(">=", self, operand(other))

    def __add__(self: Expr[float], other: float | Expr[float], /) -> Expr[float]:
        return Operation("+", self, operand(other))

    def __radd__(self: Expr[float], other: float, /) -> Expr[float]:
        return Operation("+", operand(other), self)

    def __sub__(self: Expr[float], other: float | Expr[float], /) -> Expr[float]:
        return Operation("-", self, operand(other))

    def __rsub__(self: Expr[float], other: float, /) -> Expr[float]:
        return Operation("-", operand(other), self)

    def __mul__(self: Expr[float], other: float | Expr[float], /) -> Expr[float]:
        return Operation("*", self, operand(other))

    def __rmul__(self: Expr[float], other: float, /) -> Expr[float]:
        return Operation("*", operand(other), self)

    def __truediv__(self: Expr[float], other: float | Expr[float], /) -> Expr[float]:
        return Operation("/", self, operand(other))

    def __rtruediv__(self: Expr[float], other: float, /) -> Expr[float]:
        return Operation("/", operand(other), self)

    def __mod__(self: Expr[float], other: float | Expr[float], /) -> Expr[float]:
        return Operation("%", self, operand(other))

    def __rmod__(self: Expr[float], other: float, /) -> Expr[float]:
        return Operation("%", operand(other), self)

    def __neg__(self: Expr[float]) -> Expr[float]:
        return Prefixed("-", self)

    def __and__(self: Expr[bool], other: Expr[bool], /) -> Expr[bool]:
        return Operation("&&", self, operand(other))

    def __or__(self: Expr[bool], other: Expr[bool], /) -> Expr[bool]:
        return Operation("||", self, operand(other))

    def __invert__(self: Expr[bool]) -> Expr[bool]:
        return Prefixed("!", self)

    def __bool__(self) -> NoReturn:
        raise FlowBuildError(_NO_TRUTH)

    def __iter__(self) -> NoReturn:
        raise FlowBuildError("an expression cannot be iterated: its items are known only while the Flow runs.")

    def __len__(self) -> NoReturn:
        raise FlowBuildError("the length of an expression is known only while the Flow runs.")

    def __contains__(self, item: object) -> NoReturn:
        raise FlowBuildError("`in` is evaluated at once: compare with ==, and join comparisons with |.")

    def __format__(self, spec: str, /) -> NoReturn:
        raise FlowBuildError(_NO_TEXT)

    def __str__(self) -> NoReturn:
        raise FlowBuildError(_NO_TEXT)

    def written_as(self, source: str) -> Expr[T_co]:
        """
        The same expression, written into the Flow JSON as `source`: for documents with another layout of expressions.

        `source` stands in backticks, or is a condition. Raises `FlowBuildError` when the Flow is written if it says
        something else than this expression.
        """
        if not isinstance(source, str):
            raise FlowBuildError(f"written_as takes the text of the expression, not {short_repr(source)}.")
        return Written(self, source)


class Operation(Expr[Any]):
    """An operator between two operands."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Expr[Any], right: Expr[Any]) -> None:
        check_operands(operator, left, right)
        self.operator, self.left, self.right = operator, left, right

    def __repr__(self) -> str:
        return f"({self.left!r} {_PYTHON.get(self.operator, self.operator)} {self.right!r})"


class Prefixed(Expr[Any]):
    """`~` or `-` before an operand."""

    __slots__ = ("operand", "operator")

    def __init__(self, operator: str, inner: Expr[Any]) -> None:
        check_operands(operator, inner)
        self.operator, self.operand = operator, inner

    def __repr__(self) -> str:
        return f"{_PYTHON.get(self.operator, self.operator)}{self.operand!r}"


class Constant(Expr[T_co]):
    """A text, a number or a boolean beside an operator."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


class Joined(Expr[str]):
    """Texts side by side: `text`."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Expr[Any]]) -> None:
        self.parts = tuple(parts)

    def __repr__(self) -> str:
        return f"text({', '.join(map(repr, self.parts))})"


class Written(Expr[T_co]):
    """An expression with the text that it is written as."""

    __slots__ = ("expression", "source")

    def __init__(self, expression: Expr[Any], source: str) -> None:
        self.expression, self.source = expression, source

    def __repr__(self) -> str:
        return f"{self.expression!r}.written_as({self.source!r})"


_PYTHON: Final = {"&&": "&", "||": "|", "!": "~"}


def text(*parts: str | float | Expr[Any]) -> Expr[str]:
    """
    Texts and values side by side, joined while the Flow runs: `text("Hello ", name, "!")`. From Flow JSON 6.0 on.

    Raises `FlowBuildError` for a part that cannot be written: a text with a line break, or with a closing brace, which
    clients drop (observed: Meta's web client, August 2026).
    """
    if not parts:
        raise FlowBuildError("text() needs at least one part.")
    return Joined([operand(part) for part in parts])


def operand(value: object) -> Expr[Any]:
    """An operand: an expression as it is, a plain value as a constant. Raises `FlowBuildError` for anything else."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, str):
        return Constant(str.__str__(value))  # an enum may be a text
    if isinstance(value, (bool, float)):
        return Constant(value)
    if isinstance(value, int):
        return Constant(int(value))
    if value is None:
        raise FlowBuildError("Flow JSON has no null: compare with an empty text, ''.")
    kind = a(type(value).__name__)
    raise FlowBuildError(f"{kind} cannot stand in an expression: {short_repr(value)}{instead(value)}.")


# -- types, as far as they are known before the Flow runs

_TAKES: Final = {
    **dict.fromkeys(("<", "<=", ">", ">=", "+", "-", "*", "/", "%"), "number"),
    **dict.fromkeys(("&&", "||", "!"), "boolean"),
}
_GIVES: Final = {
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "&&", "||", "!"), "boolean"),
    **dict.fromkeys(("+", "-", "*", "/", "%"), "number"),
}
_REMEDIES: Final = {
    "number": "a number is needed: use .number of a TextInput with input_type='number', or a Data with a number",
    "boolean": "a boolean is needed: compare the value with == or another operator, in parentheses",
}


def type_of(expression: Expr[Any]) -> str:
    """The JSON type of an expression, empty if it is not known before the Flow runs."""
    if isinstance(expression, Constant):
        return {str: "string", bool: "boolean"}.get(type(expression.value), "number")
    if isinstance(expression, (Operation, Prefixed)):
        return _GIVES[expression.operator]
    if isinstance(expression, Joined):
        return "string"
    if isinstance(expression, Written):
        return type_of(expression.expression)
    kind: str = getattr(expression, "json_type", "")
    return "number" if kind == "integer" else kind


def check_operands(operator: str, *operands: Expr[Any]) -> None:
    """Raise `FlowBuildError`, with the remedy, for operands that the operator does not take."""
    kinds = [type_of(each) for each in operands]
    takes = _TAKES.get(operator)
    shown = _PYTHON.get(operator, operator)
    for each, kind in zip(operands, kinds, strict=True):
        if takes and kind and kind != takes:
            remedy = _NO_SUM if (operator, kind) == ("+", "string") else _REMEDIES[takes]
            raise FlowBuildError(f"{shown} does not take {each!r}, {a(kind)}: {remedy}.")
    if takes is None and len(set(filter(None, kinds))) > 1:
        left, right = kinds
        raise FlowBuildError(f"{shown} compares {a(left)} with {a(right)}: both sides must be of one type.")
