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
