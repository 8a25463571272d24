"""
Nothing is quadratic inside of what is written in C either: slices, joins, sets, messages.

The bytes that are copied are counted, since what is counted in `test_growth.py` is blind to them: four times the
document copies about four times as much, and sixteen times where each part copies all others. Messages stay short as
well. The regular expressions have a test of their own, `tests/test_patterns.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.counting import copied
from tests.flow_json.samples import TODAY, footer, navigate, screen
from whatsapp_flows.flow_json import validate

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

FEW: Final = 100
MANY: Final = 4 * FEW
MAX_RATIO: Final = 6.0
ROUNDING: Final = 20_000  # bytes: tables that double their size
B: Final = {"b": {"type": "boolean", "__example__": True}}


def keys(n: int) -> dict[str, int]:
    return {f"{i:040}": 1 for i in range(n)}  # too long to be like a known one


def one(*children: Any, version: str = "7.3", **more: Any) -> dict[str, Any]:
    return {"version": version, "screens": [screen("A", *children, footer(), terminal=True, **more)]}


def text(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBody", "text": content, **more}


def nested(n: int) -> dict[str, Any]:
    inner: dict[str, Any] = text("x")
    for _ in range(40):
        inner = {"type": "If", "condition": "${data.b}", "then": [inner]}
    return one(*[inner] * (n // 50), data=B)


def updating(payload: dict[str, Any]) -> dict[str, Any]:
    action = {"name": "update_data", "payload": payload}
    return one({"type": "OptIn", "name": "o", "label": "O", "on-select-action": action}, data=B)


SHAPES: Final[dict[str, Callable[[int], Any]]] = {
    "wrong keys of a component": lambda n: one(text("x", **keys(n))),
    "wrong keys of a newer version": lambda n: one(text("x", **keys(n)), version="8.0"),
    "wrong keys of an update": lambda n: updating(keys(n)),
    "wrong keys of a payload": lambda n: {
        "version": "7.3",
        "screens": [screen("B", navigate("A", keys(n))), *one(data=B)["screens"]],
    },
    "wrong fields": lambda n: one(data=keys(n)),
    "fields that nothing reads": lambda n: one(
        data={f"f{i}": {"type": "string", "__example__": "x"} for i in range(n)}
    ),
    "Ifs forty deep": nested,
    "a reference with many parts": lambda n: one(text("${screen." + ".data" * n)),
    "an operand and many others": lambda n: one(text("`" + "${data.s} " * n + "`")),
    "a condition of many parts": lambda n: one(
        {"type": "If", "condition": " || ".join(["${data.b}"] * n), "then": [text("x")]}, data=B
    ),
    "text beside references": lambda n: one(text("x ${data.b} " * n), data=B),
    "a pattern of many parts": lambda n: one(
        {"type": "TextInput", "name": "p", "label": "P", "helper-text": "x", "pattern": "(a|" * n + ")" * n}
    ),
}


def copies(source: Any) -> int:
    return copied(lambda: validate(source, today=TODAY).render())


@pytest.mark.parametrize("shape", SHAPES)
def test_four_times_the_document_copies_about_four_times_as_much(shape: str) -> None:
    """Parts that do not grow with the document, such as the limit of findings, only make the factor smaller."""
    few, many = (json.dumps(SHAPES[shape](n)) for n in (FEW, MANY))
    validate(many, today=TODAY)  # what is made once, for a version or for a text, is made
    assert copies(many) < MAX_RATIO * copies(few) + ROUNDING


def test_a_quadratic_copy_would_be_seen() -> None:
    """An artificial copy of all keys for each key exceeds the limit."""

    class Copying(dict[str, Any]):
        def items(self) -> Any:
            for _ in self:
                list(self)
            return super().items()

    few, many = (copies(one(Copying(text("x", **keys(n))))) for n in (FEW, MANY))
    assert many > MAX_RATIO * few + ROUNDING


@pytest.mark.parametrize("shape", ["wrong keys of an update", "wrong keys of a payload"])
def test_a_message_does_not_list_all_that_is_wrong(shape: str) -> None:
    """A message names the first few, and that there are more."""
    issues = validate(SHAPES[shape](FEW), today=TODAY).issues
    assert max(len(issue.message) for issue in issues) < 1_000
