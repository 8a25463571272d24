"""The content of a report, and its form in a terminal."""

from __future__ import annotations

import copy
import pickle
from datetime import date
from typing import Any

import pytest

from whatsapp_flows.errors import FlowValidationError, ValidationIssue, ValidationPointer
from whatsapp_flows.flow_json import Report, validate

TODAY = date(2026, 1, 1)


def issue(severity: str = "error", **places: Any) -> ValidationIssue:
    return ValidationIssue(error="CODE", message="It is wrong.", severity=severity, rule="FJ1", **places)


def at(line: int, start: int, end: int, **more: Any) -> ValidationIssue:
    return issue(line_start=line, line_end=line, column_start=start, column_end=end, **more)


def test_errors_and_warnings_are_separate() -> None:
    """`ok` depends on errors only."""
    report = Report((issue(), issue("warning")))
    assert report.errors == (issue(),)
    assert report.warnings == (issue("warning"),)
    assert not report.ok
    assert Report((issue("warning"),)).ok


def test_errors_are_raised_on_request() -> None:
    """`raise_for_errors` raises one error with all the issues that are errors; warnings never raise."""
    Report((issue("warning"),)).raise_for_errors()
    with pytest.raises(FlowValidationError, match=r"CODE at line 3, column 5: It is wrong\. \(and 1 more\)") as caught:
        Report((at(3, 5, 6), issue("warning"), issue())).raise_for_errors()
    assert caught.value.issues == (at(3, 5, 6), issue())
    assert caught.value.advice
    with pytest.raises(FlowValidationError, match=r"CODE: It is wrong\."):
        Report((issue(),)).raise_for_errors()


def test_a_report_can_be_copied_and_pickled() -> None:
    """A report is plain data."""
    report = validate('{"version": "7.3"}', today=TODAY)
    assert copy.deepcopy(report) == report == pickle.loads(pickle.dumps(report))
    assert "version" not in repr(report.text is None)


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ('{\n  "a": 1\n}', at(2, 8, 9), '2:8: error: CODE: It is wrong. [FJ1]\n  2 |   "a": 1\n    |        ^'),
        ("{\r\n}\r\n", at(1, 1, 2), "1:1: error: CODE: It is wrong. [FJ1]\n  1 | {\n    | ^"),
        ("\t😀 ab", at(1, 5, 7), "1:5: error: CODE: It is wrong. [FJ1]\n  1 |  😀 ab\n    |    ^^"),
        ("é", at(1, 9, 9), "1:9: error: CODE: It is wrong. [FJ1]\n  1 | é\n    |  ^"),
        ("ab", issue(line_start=1, line_end=2, column_start=1, column_end=1),
         "1:1: error: CODE: It is wrong. [FJ1]\n  1 | ab\n    | ^^"),
        ("", at(7, 1, 1), "7:1: error: CODE: It is wrong. [FJ1]"),
        ("{}", issue(), "error: CODE: It is wrong. [FJ1]"),
        ("{}", ValidationIssue(error="E", message="m"), "error: E: m"),
    ],
)  # fmt: skip
def test_an_issue_shows_its_line_with_a_caret(text: str, found: ValidationIssue, expected: str) -> None:
    """The caret stands below the place; an issue without a place has no line."""
    assert Report((found,), text=text).render() == expected


def test_only_a_piece_of_a_long_line_is_shown() -> None:
    """Of a long line, the part around the place is shown, with the caret below it."""
    text = "x" * 500 + "HERE" + "y" * 500
    rendered = Report((at(1, 501, 505),), text=text).render().split("\n")
    assert max(map(len, rendered)) < 120
    assert rendered[1].startswith("  1 | …xxx")
    assert rendered[1].endswith("yyy…")
    start = rendered[2].index("^")
    assert rendered[1][start : start + rendered[2].count("^")] == "HERE"


def test_paths_and_further_places_follow() -> None:
    """The path of the first place, then the other places; a name stands before the place."""
    places = (
        ValidationPointer(path="a.b", line_start=1, column_start=1),
        ValidationPointer(path="c", line_start=2, column_start=7),
        ValidationPointer(path="", line_start=3, column_start=1),
    )
    report = Report((at(1, 1, 2, pointers=places),))
    assert report.render("{}", name="f.json").split("\n") == [
        "f.json:1:1: error: CODE: It is wrong. [FJ1]",
        "  1 | {}",
        "    | ^",
        "  in a.b",
        "  also at 2:7 c",
        "  also at 3:1",
    ]


def test_without_a_text_there_are_no_lines() -> None:
    """A report without its text still gives the places."""
    assert Report((at(1, 1, 2),)).render() == "1:1: error: CODE: It is wrong. [FJ1]\n  1 | \n    | ^"
    assert Report(()).render() == ""
