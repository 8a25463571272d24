"""
What conditions and expressions give when a Flow runs. A client evaluates the two by different rules.

A condition is flattened into operands and operators, parentheses apart, and folded in the order of the row
`condition.folding`; an expression is evaluated as its tree says. Neither raises: what fails has a value of its own
(the rows `condition.unreadable` and `expression.unreadable`), and an issue says why.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from operator import add, ge, gt, le, lt, mul, sub, truediv
from typing import Any, Final, cast

from ..flow_json import (
    COMPARISONS,
    LOGICAL,
    Binary,
    Concatenation,
    ExpressionError,
    Group,
    Literal,
    Name,
    Reference,
    Unary,
    called_references,
    is_expression,
    parse_condition,
    parse_expression,
    walk,
)
from ..flow_json import Node as Tree
from ._behaviour import BEHAVIOUR
from ._values import Issue

Lookup = Callable[[Reference], Any]
"""The value that a reference has now: None if there is none."""
Report = Callable[[Issue], object]
"""Takes what is noteworthy about an evaluation, such as the `append` of a list."""


def ignored(issue: Issue) -> None:
    """The report of those who want to know of no issue."""


def evaluate_condition(text: str, lookup: Lookup, report: Report = ignored) -> bool:
    """Whether the condition of an If holds. Never raises; `lookup` must not either."""
    if is_expression(text):
        report(_issue("condition.backticks", "The condition stands in backticks: it is always false."))
        return bool(BEHAVIOUR["condition.backticks"].value)
    try:
        tree = parse_condition(_short_enough(text))
    except ExpressionError as error:
        report(_issue("condition.unreadable", f"The condition cannot be read: {error.reason}."))
        return bool(BEHAVIOUR["condition.unreadable"].value)
    if _misread_comparison(tree):
        message = "A comparison beside && or || has no parentheses of its own: it is evaluated in another order."
        report(_issue("condition.operators", message))
    return is_true(_Condition(lookup).value(tree))


def evaluate_expression(text: str, lookup: Lookup, report: Report = ignored) -> Any:
    """
    The value of a whole property in backticks: a text, a number, a boolean, what a reference has, or None.

    None if the expression fails. A whole number is an `int`. Never raises; `lookup` must not either.
    """
    try:
        tree = parse_expression(_short_enough(text))
    except ExpressionError as error:
        report(_issue("expression.unreadable", f"The expression cannot be read: {error.reason}."))
        return BEHAVIOUR["expression.unreadable"].value
    for called in called_references(tree):
        message = f"{called.reference.text} followed by a parenthesis is read as a call, and the expression fails."
        report(_issue("expression.call", message))
        return BEHAVIOUR["expression.unreadable"].value
    found = _Expression(lookup, report).value(tree)
    if isinstance(found, float) and not math.isfinite(found):  # JSON cannot hold it
        report(_issue("expression.not-a-number", "The result is not a number."))
        return BEHAVIOUR["expression.not-a-number"].value
    return found


_LONGEST: Final = 64 * 1024
"""Characters. Our limit: a text is parsed again for each state, and a longer one would hold up whoever plays it."""


def _short_enough(text: str) -> str:
    if len(text) > _LONGEST:
        raise ExpressionError(f"it has more than {_LONGEST} characters", 0)
    return text


def is_true(value: Any) -> bool:
    """The truthiness of a value: nothing, false, 0, NaN and an empty text are false (expression.logic)."""
    if isinstance(value, (str, int, float)):
        return bool(value) and not (isinstance(value, float) and math.isnan(value))
    return value is not None


def text_of(value: Any) -> str:
    """A value as it is joined to a text and shown: 5.0 is 5, nothing is an empty text, items have commas between."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(_scalar_text, value[:_SHOWN_ITEMS]))
    return _scalar_text(value)


def is_empty(value: Any) -> bool:
    """Whether there is no value, or an empty text."""
    return value is None or (isinstance(value, str) and not value)


# -- values, as JavaScript takes them

_SHOWN_ITEMS: Final = 1000
_LONGEST_TEXT: Final = 1_000_000
"""Characters. Our limit: an expression may join a long text many times."""
_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]+)").match
_NUMBER: Final = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*").fullmatch
_EXPONENT: Final = re.compile(r"e([+-])0+").sub
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL).sub
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_ORDERS: Final[dict[str, Callable[[float, float], bool]]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": add, "-": sub, "*": mul, "/": truediv, "%": math.fmod,
}  # fmt: skip


def _scalar_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number_text(_to_float(value))
    return ""


def _number_text(number: float) -> str:
    """A number in the notation of JavaScript."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "-Infinity" if number < 0 else "Infinity"
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    return format(Decimal(repr(number)), "f") if 1e-6 <= abs(number) < 1e21 else _EXPONENT(r"e\1", repr(number))


def _to_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer of a document may have any length
        return math.inf if number > 0 else -math.inf


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> float:
    """A value as a number: nothing is 0, what is none is NaN."""
    if is_empty(value):
        return float(BEHAVIOUR["expression.empty-is-zero"].value)
    if isinstance(value, str):
        return float(value) if _NUMBER(value) else math.nan
    return _to_float(value) if isinstance(value, (int, float)) else math.nan


def _whole_number(value: Any) -> float:
    """A value cut to a whole number, as a condition takes it (condition.whole-numbers); NaN if it is none."""
    if isinstance(value, str):
        found = _WHOLE(value)
        return float(found[1]) if found else math.nan
    if not _is_number(value):
        return math.nan
    number = _to_float(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def _same(left: Any, right: Any) -> bool:
    """Whether two values are of one type and equal. Lists and objects equal only themselves."""
    return left is right or (
        isinstance(left, (str, bool)) and isinstance(right, (str, bool)) and type(left) is type(right) and left == right
    )


def _issue(row: str, text: str) -> Issue:
    return Issue(text, BEHAVIOUR[row].evidence)


# -- conditions


def _flattened(tree: Binary) -> tuple[list[Tree], list[str]]:
    """The operands and the operators of a condition, in the order in which they are written, parentheses apart."""
    operands: list[Tree] = []
    operators: list[str] = []
    ahead: list[Tree | str] = [tree]
    while ahead:
        part = ahead.pop()
        if isinstance(part, str):
            operators.append(part)
        elif isinstance(part, Binary):
            ahead += (part.right, part.operator, part.left)
        else:
            operands.append(part)
    return operands, operators


def _misread_comparison(tree: Tree) -> bool:
    """Whether a condition has, at some level of parentheses, a comparison beside && or ||."""
    return any(
        isinstance(side, Binary) and side.operator in COMPARISONS
        for node in walk(tree)
        if isinstance(node, Binary) and node.operator in LOGICAL
        for side in (node.left, node.right)
    )


class _Condition:
    """Evaluates a condition for one lookup."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def value(self, node: Tree) -> Any:
        if isinstance(node, Name):
            return self._lookup(node.reference)
        if isinstance(node, Literal):
            return _literal(node)
        if isinstance(node, Group):
            return self.value(node.inner)
        if isinstance(node, Unary):
            return not is_true(self.value(node.operand))
        return self._folded(cast("Binary", node))  # a condition has no Concatenation

    def _folded(self, node: Binary) -> Any:
        operands, operators = _flattened(node)
        values = [self.value(operand) for operand in operands]
        for together in BEHAVIOUR["condition.folding"].value:
            left, waiting = [values[0]], []
            for operator, value in zip(operators, values[1:], strict=True):
                if operator in together:
                    left[-1] = _test(operator, left[-1], value)
                else:
                    left.append(value)
                    waiting.append(operator)
            values, operators = left, waiting
        return values[0]


def _literal(node: Literal) -> Any:
    if node.type == "boolean":
        return node.text == "true"
    return node.text[1:-1] if node.type == "string" else _whole_number(node.text)


def _test(operator: str, left: Any, right: Any) -> bool:
    if operator == "&&":
        return is_true(left) and is_true(right)
    if operator == "||":
        return is_true(left) or is_true(right)
    if operator in _ORDERS:
        return _ORDERS[operator](_whole_number(left), _whole_number(right))
    return _equal_in_condition(left, right) == (operator == "==")


def _equal_in_condition(left: Any, right: Any) -> bool:
    if _is_number(left) or _is_number(right):
        return _whole_number(left) == _whole_number(right)
    if is_empty(left) and is_empty(right):
        return True
    if isinstance(left, bool) or isinstance(right, bool):
        left, right = (False if side is None else side for side in (left, right))  # condition.empty
    return _same(left, right)


# -- expressions


class _Expression:
    """Evaluates an expression for one lookup."""

    def __init__(self, lookup: Lookup, report: Report) -> None:
        self._lookup = lookup
        self._report = report

    def value(self, node: Tree) -> Any:
        if isinstance(node, Name):
            return self._lookup(node.reference)
        if isinstance(node, Literal):
            return _constant(node)
        if isinstance(node, Group):
            return self.value(node.inner)
        if isinstance(node, Concatenation):
            return self._joined(node.parts)
        if isinstance(node, Unary):
            return self._prefixed(node.operator, self.value(node.operand))
        return self._chained(node)

    def _chained(self, node: Binary) -> Any:
        links = [node]  # outermost first: a chain of operators may be too long for recursion
        while isinstance(left := links[-1].left, Binary):
            links.append(left)
        found = self.value(links[-1].left)
        for link in reversed(links):
            found = self._operated(link.operator, found, self.value(link.right))
        return found

    def _joined(self, parts: tuple[Tree, ...]) -> str:
        """Operands side by side (expression.concatenation): a text, even where one of them is a comparison."""
        texts: list[str] = []
        length = 0
        for part in parts:
            texts.append(text_of(self.value(part)))
            length += len(texts[-1])
            if length > _LONGEST_TEXT:
                self._report(Issue(f"The text is cut after {_LONGEST_TEXT} characters."))
                break
        return "".join(texts)[:_LONGEST_TEXT]

    def _prefixed(self, operator: str, value: Any) -> Any:
        if operator == "!":
            return not is_true(value)
        number = self._operand(value)
        return self._rounded(-number if operator == "-" else number)

    def _operated(self, operator: str, left: Any, right: Any) -> Any:
        if operator == "&&":
            return is_true(left) and is_true(right)
        if operator == "||":
            return is_true(left) or is_true(right)
        if operator in ("==", "!="):
            return _equal(left, right) == (operator == "==")
        if operator in _ORDERS:
            return _ordered(operator, left, right)
        first, second = self._operand(left), self._operand(right)
        if operator in ("/", "%") and second == 0:
            return BEHAVIOUR["expression.division-by-zero"].value
        return self._rounded(_ARITHMETIC[operator](first, second))

    def _operand(self, value: Any) -> float:
        number = _number(value)
        return number if math.isfinite(number) else float(self._no_number())

    def _rounded(self, number: float) -> int | float:
        if not math.isfinite(number):
            return self._no_number()
        if number.is_integer():
            return int(number)
        scale = 10 ** BEHAVIOUR["expression.rounding"].value
        rounded = math.floor(number * scale + 0.5) / scale
        return int(rounded) if rounded.is_integer() else rounded

    def _no_number(self) -> int:
        row = BEHAVIOUR["expression.not-a-number"]
        self._report(_issue(row.id, f"An operand or a result is not a number: it counts as {row.value}."))
        return int(row.value)


def _constant(node: Literal) -> Any:
    if node.type == "boolean":
        return node.text == "true"
    if node.type == "number":
        number = float(node.text)
        return int(number) if number.is_integer() else number
    text = _ESCAPE(lambda found: _ESCAPES.get(found[1], found[1]), node.text[1:-1])
    return text.replace(BEHAVIOUR["expression.brace"].value, "")


def _equal(left: Any, right: Any) -> bool:
    """The row expression.equality."""
    if is_empty(left) or is_empty(right):
        return is_empty(left) and is_empty(right)
    if _is_number(left) or _is_number(right):
        return _number(left) == _number(right)
    return _same(left, right)


def _ordered(operator: str, left: Any, right: Any) -> bool:
    if is_empty(left) or is_empty(right) or not (_is_number(left) or _is_number(right)):
        return bool(BEHAVIOUR["expression.ordering"].value)
    return _ORDERS[operator](_number(left), _number(right))
