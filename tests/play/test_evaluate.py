"""Conditions and expressions give what a client gives, oddities included."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from whatsapp_flows.flow_json import Reference
from whatsapp_flows.play import BEHAVIOUR
from whatsapp_flows.play._evaluate import evaluate_condition, evaluate_expression, is_true, text_of
from whatsapp_flows.play._values import Issue


def values(**known: Any) -> Callable[[Reference], Any]:
    """A lookup by the first step of a reference's path; what is not known has no value."""
    return lambda reference: known.get(reference.path[0])


@pytest.mark.parametrize(
    ("condition", "form", "expected"),
    [
        ("${form.a} == 'x'", {"a": "x"}, True),
        ("${form.a} == 'x' && ${form.b} == 'y'", {"a": "x", "b": "y"}, False),
        ("${form.a} == 'z' || ${form.b} == 'y'", {"a": "x", "b": "y"}, False),
        ("(${form.a} == 'z') || (${form.b} == 'y')", {"a": "x", "b": "y"}, True),
        ("(${form.a} == 'x') && (${form.b} == 'y')", {"a": "x", "b": "y"}, True),
        ("${form.n} > 5 && ${form.n} < 7", {"n": 6}, False),
        ("(${form.n} > 5) && (${form.n} < 7)", {"n": 6}, True),
        ("${form.f} == true && ${form.g} == false", {"f": True, "g": False}, True),
        ("${form.f} == true && ${form.g} == false", {"f": False, "g": True}, True),
        ("(${form.f} == true) && (${form.g} == false)", {"f": False, "g": True}, False),
        ("`${form.n} > 5`", {"n": 6}, False),
        ("${form.m} > 5", {"m": "5.5"}, False),
        ("${form.m} > 5", {"m": "6.5"}, True),
    ],
)
def test_conditions_as_observed(condition: str, form: dict[str, Any], expected: bool) -> None:
    """The table of conditions that an upload accepts: some are evaluated to something else than they say."""
    assert evaluate_condition(condition, values(**form)) is expected


@pytest.mark.parametrize(
    ("expression", "form", "expected"),
    [
        ("1 + 2 * 3", {}, 7),
        ("${form.a} + 1", {}, 1),
        ("${form.a} + 1", {"a": ""}, 1),
        ("${form.a} * 2", {"a": "2.5"}, 5),
        ("1 / 3", {}, 0.33),
        ("2 / 3", {}, 0.67),
        ("-1 / 8", {}, -0.12),
        ("5 / 0", {}, 0),
        ("5 % 0", {}, 0),
        ("5 / ${form.a}", {}, 0),
        ("5 % ${form.a}", {"a": ""}, 0),
        ("-7 % 3", {}, -1),
        ("${form.a} == ''", {}, True),
        ("${form.a} == 'x'", {}, False),
        ("${form.a} == 0", {}, False),
        ("${form.a} == 5", {"a": "5.0"}, True),
        ("${form.a} == 5", {"a": "five"}, False),
        ("'a' == 'a'", {}, True),
        ("true == 'true'", {}, False),
        ("'a' != 'b'", {}, True),
        ("${form.a} < 5", {"a": "4"}, True),
        ("${form.a} < 5", {}, False),
        ("${form.a} >= 0", {"a": ""}, False),
        ("${form.a} < ${form.b}", {"a": "2026-01-01", "b": "2026-01-02"}, False),
        ("${form.a} > ${form.b}", {"a": "2026-01-01", "b": "2026-01-02"}, False),
        ("${form.a} && true", {"a": "x"}, True),
        ("${form.a} || false", {"a": 0}, False),
        ("!${form.a}", {}, True),
        ("'Hello ' ${form.a} ', you are ' ${form.n}", {"a": "Ada", "n": 36.0}, "Hello Ada, you are 36"),
        ("'x' == ${form.a} 'y'", {"a": "x"}, "truey"),
        ("'x' == ${form.a} 'y'", {"a": "z"}, "falsey"),
        ("${form.a} ('y')", {"a": "x"}, None),
        ("'a}b'", {}, "ab"),
        ("'it\\'s'", {}, "it's"),
    ],
)
def test_expressions_as_observed(expression: str, form: dict[str, Any], expected: object) -> None:
    """What an expression gives, with the type of the result."""
    found = evaluate_expression(f"`{expression}`", values(**form))
    assert (found, type(found)) == (expected, type(expected))


def test_a_text_that_was_joined_from_a_comparison_is_true() -> None:
    """Operands side by side bind loosest: what looks like a comparison is a text, which is true in any case."""
    assert is_true(evaluate_expression("`'x' == ${form.a} 'y'`", values(a="z")))


def test_a_failed_call_is_an_issue() -> None:
    """The value is none, and the issue says why, with its evidence."""
    issues: list[Issue] = []
    assert text_of(evaluate_expression("`${form.a} ('y')`", values(a="x"), issues.append)) == ""
    assert [(issue.evidence.kind, "call" in issue.text) for issue in issues if issue.evidence] == [("observed", True)]


@pytest.mark.parametrize(
    ("condition", "form", "expected"),
    [
        ("${form.a}", {"a": True}, True),
        ("${form.a}", {}, False),
        ("!${form.a}", {}, True),
        ("!(${form.a} == 'x')", {"a": "x"}, False),
        ("${form.a} == ''", {}, True),
        ("${form.a} != ''", {"a": ""}, False),
        ("${form.a} != ''", {"a": "x"}, True),
        ("${form.a} == false", {}, True),
        ("${form.a} == true", {"a": "true"}, False),
        ("${form.n} == 5", {"n": 5}, True),
        ("${form.n} == 5", {"n": "5.9"}, True),
        ("${form.n} == 0", {}, False),
        ("${form.n} >= -1", {"n": -1.9}, True),
        ("${form.n} < 5", {}, False),
        ("${form.n} < 5", {"n": "four"}, False),
        ("${form.n} > 5", {"n": True}, False),
        ("${form.n} > 5", {"n": 10**400}, True),
        ("${form.n} > 5", {"n": "9" * 5000}, True),
        ("${form.n} < 5", {"n": float("nan")}, False),
        ("${form.a} == ${form.b}", {"a": ["1"], "b": ["1"]}, False),
        ("${form.a} || ${form.b} && ${form.c}", {"a": True, "b": True, "c": False}, True),
        ("(${form.a} || ${form.b}) && ${form.c}", {"a": True, "b": True, "c": False}, False),
        ("(${form.a} == 'x') && ${form.b}", {"a": "x", "b": True}, True),
        ("${form.a} == 'x' && ${form.b}", {"a": "x", "b": True}, False),
        ("${form.a} != 'x' && ${form.b} != 'y'", {"a": "x", "b": "y"}, True),
        ("${form.a} ==", {"a": "x"}, False),
        ("", {}, False),
    ],
)
def test_conditions_otherwise(condition: str, form: dict[str, Any], expected: bool) -> None:
    """Parentheses first, then && before ||, then comparisons; what is no number is in no order."""
    assert evaluate_condition(condition, values(**form)) is expected


@pytest.mark.parametrize(
    ("condition", "row", "text"),
    [
        ("${form.a} == 'x'", "", ""),
        ("(${form.a} == 'x') && (${form.b} == 'y')", "", ""),
        ("${form.a} == 'x' && ${form.b}", "condition.operators", "no parentheses of its own"),
        ("(${form.a} == 'x' || ${form.b})", "condition.operators", "no parentheses of its own"),
        ("`${form.a}`", "condition.backticks", "always false"),
        ("${form.a} ==", "condition.unreadable", "an operand is missing at the end"),
    ],
)
def test_issues_of_conditions(condition: str, row: str, text: str) -> None:
    """What is evaluated to something else than it says is an issue, with the evidence for it."""
    issues: list[Issue] = []
    evaluate_condition(condition, values(), issues.append)
    assert [issue.evidence for issue in issues] == ([BEHAVIOUR[row].evidence] if row else [])
    assert all(text in issue.text for issue in issues)


@pytest.mark.parametrize(
    ("expression", "form", "expected", "row"),
    [
        ("1 +", {}, None, "expression.unreadable"),
        ("${form.a} ('y')", {"a": "x"}, None, "expression.call"),
        ("!${form.a} ('y') == 'z'", {"a": "x"}, None, "expression.call"),
        ("1 + 'a'", {}, 1, "expression.not-a-number"),
        ("-${form.a}", {"a": ["1"]}, 0, "expression.not-a-number"),
        ("${form.a} * ${form.a}", {"a": 1e200}, 0, "expression.not-a-number"),
        ("${form.a} + 1", {"a": 10**400}, 1, "expression.not-a-number"),
        ("${form.a}", {"a": float("inf")}, 0, "expression.not-a-number"),
        ("9" * 400, {}, 0, "expression.not-a-number"),
    ],
)
def test_failed_expressions(expression: str, form: dict[str, Any], expected: object, row: str) -> None:
    """One that cannot be parsed, or fails, has no value; what is no number counts as 0. Each is an issue."""
    issues: list[Issue] = []
    assert evaluate_expression(f"`{expression}`", values(**form), issues.append) == expected
    assert {issue.evidence for issue in issues} == {BEHAVIOUR[row].evidence}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("a", "a"), (True, "true"), (False, "false"), (5, "5"), (5.0, "5"), (-0.0, "0"), (2.5, "2.5"),
        (1e21, "1e+21"), (10**21, "1e+21"), (1e-7, "1e-7"), (0.00001, "0.00001"), (123456789.5, "123456789.5"),
        (10**400, "Infinity"), (-(10**400), "-Infinity"), (float("nan"), "NaN"), (["a", 1, None, ["b"]], "a,1,,"),
        (("a",), "a"), ({"a": 1}, ""),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) or abs(value) < 10**30 else "a long number",
)  # fmt: skip
def test_values_as_text(value: object, text: str) -> None:
    """Numbers are written as JavaScript writes them; nothing is no text."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "truth"),
    [(None, False), ("", False), (0, False), (0.0, False), (float("nan"), False), (False, False), ("false", True),
     (-1, True), ([], True), ((), True), ({}, True)],
)  # fmt: skip
def test_truthiness(value: object, truth: bool) -> None:
    """As in JavaScript: empty lists and objects are true."""
    assert is_true(value) is truth


@pytest.mark.parametrize(
    ("constant", "text"),
    [
        ("a}b}", "ab"),
        ("{a", "{a"),
        ("\\'", "'"),
        ("\\`", "`"),
        ("\\\\", "\\"),
        ("a\\nb", "a\nb"),
        ("\\}", ""),
        ("é", "é"),
    ],
)
def test_text_constants(constant: str, text: str) -> None:
    """Escapes are replaced, and closing braces vanish."""
    assert evaluate_expression(f"`'{constant}'`", values()) == text


def test_a_text_is_cut_at_the_limit() -> None:
    """A long text that is joined many times ends after a million characters, with an issue."""
    issues: list[Issue] = []
    found = evaluate_expression("`" + "${form.a} " * 20 + "`", values(a="x" * 99_999), issues.append)
    assert len(found) == 1_000_000
    assert [issue.text for issue in issues] == ["The text is cut after 1000000 characters."]


def test_long_chains_are_evaluated() -> None:
    """Thousands of operators in a row are no problem of the stack."""
    assert evaluate_expression("`" + " + ".join(["1"] * 1500) + "`", values()) == 1500
    assert evaluate_condition(" && ".join(["${form.a}"] * 1500), values(a=True)) is True
    assert evaluate_condition(" && ".join(["(${form.a} == 'x')"] * 1500), values(a="x")) is True


# -- laws

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "x", "5", " 5.5", "-1e3", "1e999", "}"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=1),
    max_leaves=4,
)
FORMS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
PARTS = ["${form.a}", "${data.b}", "${screen.X.form.c}", "'x'", "'a}b'", "''", "5", "0.25", "-3", "true", "false", "(",
         ")", "!", "-", "+", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS), max_size=14).map(" ".join)


def trees(*operators: str) -> st.SearchStrategy[str]:
    """Texts that can be parsed, with parentheses around every operation."""
    leaves = st.sampled_from(["${form.a}", "${form.b}", "'x'", "5", "true"])
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(inner, st.sampled_from(operators), inner).map(lambda parts: f"({' '.join(parts)})")
            | inner.map(lambda part: f"!({part})")
        ),
        max_leaves=8,
    )


@settings(max_examples=some(80))
@given(TEXTS | trees("==", "!=", "<", ">=", "&&", "||", "+", "*", "/", "%", "-", ""), FORMS)
def test_no_text_and_no_value_makes_an_evaluation_raise(text: str, form: dict[str, Any]) -> None:
    """There is always a result, the same each time, and one that JSON can hold."""
    lookup = values(**form)
    for evaluate, written in ((evaluate_condition, text), (evaluate_expression, f"`{text}`")):
        first, again = evaluate(written, lookup), evaluate(written, lookup)
        assert repr(first) == repr(again)
        assert first is None or isinstance(first, (str, int, float, list, dict))
        assert not isinstance(first, float) or math.isfinite(first)


@settings(max_examples=some(60))
@given(trees("&&", "||", "=="), st.dictionaries(st.sampled_from("ab"), st.booleans() | st.sampled_from(["x", "y"])))
def test_with_all_parentheses_both_dialects_agree(text: str, form: dict[str, Any]) -> None:
    """Where every operation has its own parentheses, a condition means what it says."""
    known = {"a": "x", "b": True} | form
    expected = evaluate_expression(f"`{text}`", values(**known))
    if "5 ==" not in text and "== 5" not in text:  # a condition takes whole numbers only
        assert evaluate_condition(text, values(**known)) == is_true(expected)


@pytest.mark.parametrize("first", ["&&", "||"])
@pytest.mark.parametrize("second", ["&&", "||"])
@pytest.mark.parametrize("form", list(product([True, False], repeat=3)))
def test_and_before_or(first: str, second: str, form: tuple[bool, bool, bool]) -> None:
    """Without comparisons, && binds tighter than || in both dialects."""
    a, b, c = form
    expected = {
        ("&&", "&&"): a and b and c,
        ("&&", "||"): (a and b) or c,
        ("||", "&&"): a or (b and c),
        ("||", "||"): a or b or c,
    }[first, second]
    text, lookup = f"${{form.a}} {first} ${{form.b}} {second} ${{form.c}}", values(a=a, b=b, c=c)
    assert evaluate_condition(text, lookup) is expected
    assert evaluate_expression(f"`{text}`", lookup) is expected


def test_very_long_texts_are_not_evaluated() -> None:
    """They are what cannot be read: parsing them again for each state would take too long."""
    reported: list[Issue] = []
    assert evaluate_expression(f"`{'1 + ' * 20_000}1`", lambda _: None, reported.append) is None
    assert evaluate_condition(" && ".join(["(${data.x} == 1)"] * 5_000), lambda _: 1, reported.append) is False
    assert ["more than 65536 characters" in issue.text for issue in reported] == [True, True]
