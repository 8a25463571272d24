"""Differences of Flow JSONs on a terminal and in Markdown: shortened, and safe whatever they contain."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from rich.text import Text

from whatsapp_flows.cli._drift import StatusReport, _freezes
from whatsapp_flows.cli._markdown import diff_markdown
from whatsapp_flows.cli._text import diff_lines
from whatsapp_flows.sync import FlowJsonDiff, FlowState, compare


def difference(before: dict[str, Any], after: dict[str, Any]) -> FlowJsonDiff:
    return compare(json.dumps(before).encode(), json.dumps(after).encode())


def test_github_colours_what_was_added_removed_and_changed() -> None:
    """In a code block, where nothing is read as markup; a terminal's escapes are written out."""
    diff = difference({"a": 1, "b": 1}, {"b": 2, "c": "</details> <b>`x`\x9b\u202e"})
    assert diff_markdown(diff).splitlines() == [
        "```diff",
        "- a 1",
        "! b 1 -> 2",
        '+ c "</details> <b>`x`\\x9b\\u202e"',
        "```",
    ]


def test_a_fence_cannot_be_closed_from_inside() -> None:
    """It is longer than any fence in the block."""
    lines = diff_markdown(difference({}, {"a": "```` ```"})).splitlines()
    assert lines == ["`````diff", '+ a "```` ```"', "`````"]


def test_only_so_much_is_shown() -> None:
    """Fifty lines of a flow are shown, and the number of the others."""
    diff = difference({}, {f"k{number}": number for number in range(60)})
    lines = [line.plain for line in diff_lines(diff) if isinstance(line, Text)]
    assert (len(lines), lines[-1]) == (51, "  and 10 more")
    assert diff_markdown(diff).splitlines()[-2:] == ["# and 10 more", "```"]


@pytest.mark.parametrize(
    ("day", "message"),
    [
        (None, "-"),
        ((2026, 11, 1), "frozen since 2026-11-01"),
        ((2026, 12, 1), "in 1 day"),
        ((2027, 3, 1), "in 91 days"),
    ],
)
def test_when_a_version_freezes(day: tuple[int, int, int] | None, message: str) -> None:
    """It is shown in days; after that day, with its date."""
    state = FlowState(key="a", name="A", frozen_on=None if day is None else date(*day))
    value = StatusReport(flows=[state], calls=1, today=date(2026, 11, 30))
    assert _freezes(state, value.today).plain == message
