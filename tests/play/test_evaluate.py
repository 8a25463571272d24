"""Conditions and expressions give what a client gives, oddities included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from whatsapp_flows.flow_json import Reference
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
