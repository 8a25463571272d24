"""
Nothing is quadratic inside of what is written in C either: expressions, texts, joins, sets.

Measured in CPU time, since what is counted in `test_growth.py` is blind to it: four times the document takes about four
times as long, and sixteen times where each part is held against each other one. Told texts stay short as well.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any, Final

import pytest

from tests.flow_json.samples import TODAY, footer, navigate, screen
from whatsapp_flows.flow_json import validate

pytestmark = pytest.mark.slow

FEW: Final = 2_000
MANY: Final = 4 * FEW
MOST: Final = 9.0
B: Final = {"b": {"type": "boolean", "__example__": True}}


def keys(n: int) -> dict[str, int]:
    return {f"wrong_key_{i}": 1 for i in range(n)}


def one(*children: Any, version: str = "7.3", **more: Any) -> dict[str, Any]:
    return {"version": version, "screens": [screen("A", *children, footer(), terminal=True, **more)]}


def text(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBody", "text": content, **more}


def nested(n: int) -> dict[str, Any]:
    inner: dict[str, Any] = text("x")
    for _ in range(199):
        inner = {"type": "If", "condition": "${data.b}", "then": [inner]}
    return one(*[inner] * (n // 400), data=B)


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
    "Ifs two hundred deep": nested,
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


@pytest.fixture(autouse=True)
def _without_the_garbage_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def seconds(source: str) -> float:
    started = process_time()
    validate(source, today=TODAY).render()
    return process_time() - started


@pytest.mark.parametrize("shape", SHAPES)
def test_four_times_the_document_takes_about_four_times_as_long(shape: str) -> None:
    """Parts that do not grow with the document, such as the limit of findings, only make the factor smaller."""
    few, many = (json.dumps(SHAPES[shape](n)) for n in (FEW, MANY))
    seconds(few)
    assert min(seconds(many) for _ in range(2)) < MOST * min(seconds(few) for _ in range(3)) + 0.005


@pytest.mark.parametrize("shape", ["wrong keys of an update", "wrong keys of a payload"])
def test_a_message_does_not_list_all_that_is_wrong(shape: str) -> None:
    """A message names the first few, and that there are more."""
    issues = validate(SHAPES[shape](FEW), today=TODAY).issues
    assert max(len(issue.message) for issue in issues) < 1_000
