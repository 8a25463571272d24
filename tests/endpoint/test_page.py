"""The page about the endpoint says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from whatsapp_flows import _answer_check
from whatsapp_flows.endpoint._exchange import _STATUS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "endpoint.md").read_text("utf-8")


def test_the_table_of_statuses_is_that_of_the_code() -> None:
    """Each outcome stands in the table, with the status that it has."""
    rows = re.findall(r"^\|[^|]*\|[^|]*\| (\d{3}) \| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert {outcome: int(status) for status, outcome in rows} == _STATUS
    assert len(rows) == len(_STATUS)


def test_the_table_of_problems_has_every_key() -> None:
    """Each error key that the check uses is explained."""
    section = PAGE.partition("## Checks")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == {
        _answer_check.TRANSITION, _answer_check.DATA, _answer_check.COMPONENTS
    }  # fmt: skip
