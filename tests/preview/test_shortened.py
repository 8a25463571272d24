"""Values for a reader of the page."""

from __future__ import annotations

from typing import Any

import pytest

from whatsapp_flows.preview._shortened import MAX_TEXT, Space


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, True, None, "text"], "b": {}}, {"a": [1, True, None, "text"], "b": {}}),
        (("a",), ["a"]),
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
        ("x" * 2_001, f"{'x' * 300}… (2001 characters)"),
        ({"k" * 500: 1}, {"k" * 200: 1}),
        ([5] * 200, [*[5] * 124, "… and 76 more"]),
        ({str(n): 0 for n in range(1_000, 1_200)}, {**{str(n): 0 for n in range(1_000, 1_083)}, "…": "and 117 more"}),
    ],
)
def test_what_is_shown(value: Any, shown: Any) -> None:
    """Small values as they are; the beginning of a long text; as many entries as there is space for."""
    assert Space(1_000).shortened(value) == shown


def test_depth_is_bounded() -> None:
    """The innermost value says that there is more."""
    value: Any = 1
    for _ in range(50_000):
        value = [value]
    assert str(Space(1_000_000).shortened(value)) == f"{'[' * 16}'… and 1 more'{']' * 16}"


def test_values_share_the_space() -> None:
    """What comes later gets what is left."""
    space = Space(100)
    assert space.shortened("a" * 90) == "a" * 90
    assert space.shortened({"b": 1, "c": 2}) == {"…": "and 2 more"}
