"""Findings as an editor shows them, and documents that change."""

from __future__ import annotations

from typing import Final

import pytest

from tests.lsp.lsp_support import FLOW, at
from whatsapp_flows.flow_json import MAX_BYTES
from whatsapp_flows.lsp import _findings
from whatsapp_flows.lsp._documents import Change, opened
from whatsapp_flows.lsp._findings import check
from whatsapp_flows.lsp._names import Index


def test_a_finding_stands_where_the_fault_is() -> None:
    """Columns are UTF-16 units, from 0; a place of several lines is cut to the first one."""
    text = FLOW.replace('"title": "Begin 😀",', '"title": "Begin 😀", "titel": 1,').replace('"label": "Next",', "")
    first, second = check(Index(text)).found
    assert (first.code, first.is_error) == ("INVALID_PROPERTY_KEY", True)
    line = text.split("\n")[first.line]
    units = line.encode("utf-16-le")
    assert units[2 * first.column : 2 * first.end_column].decode("utf-16-le") == '"titel"'
    assert second.code == "MISSING_REQUIRED_PROPERTY"
    assert (second.line, second.end_line) == (second.line, second.line)
    assert text.split("\n")[second.line][second.column : second.end_column] == "{"


@pytest.mark.parametrize("text", ["", "[]", '{"name": "package"}', '{"version": "1.0.0", "scripts": {}}', "not JSON"])
def test_other_documents_have_no_findings(text: str) -> None:
    """An editor sends every JSON file."""
    assert check(Index(text)) == ((), False)


def test_a_half_written_document_has_its_fault() -> None:
    """Where the parser stops; also with half an emoji."""
    (found,), whole = check(Index('{"screens": [\n  {"id": }\n]}'))
    assert not whole
    assert (found.code, found.line) == ("INVALID_FLOW_JSON", 1)
    assert check(Index(FLOW.replace("😀", "\ud83d"))).whole


def test_a_byte_order_mark_is_a_character_of_the_first_line() -> None:
    """As in the editor, if that sends one at all; the names of the document are known behind it."""
    text = '\ufeff{"version": 7, "screens": []}'
    wrong = next(each for each in check(Index(text)).found if each.code == "INVALID_FLOW_JSON_VERSION")
    assert text[wrong.column : wrong.end_column] == "7"
    assert Index(text).is_flow


def test_findings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One issue may have many places."""
    monkeypatch.setattr(_findings, "MAX_SHOWN", 3)
    assert len(check(Index(f'{{"version": "7.3", "screens": [{", ".join(["{}"] * 50)}]}}')).found) == 3


def test_the_last_whole_state_is_known_while_the_text_is_broken() -> None:
    """Until the next whole one; a state is whole once that was checked."""
    first = opened(FLOW, 1).check()
    second = first.changed([Change(FLOW[:500])], 2).check()
    third = second.changed([Change(FLOW[:400])], 3)
    assert (second.version, third.version) == (2, 3)
    assert second.known_index is third.known_index is first.index
    assert third.changed([Change(FLOW)], 4).known_index is first.index
    assert first.known_index is None
    assert third.checked is None


FAULTY: Final = FLOW.replace('"title": "Begin', '"titel": 1, "title": "Begin').replace('"title": "End"', '"titel": 1')


@pytest.mark.parametrize(
    ("before", "typed", "kept"),
    [
        ('"label": "I agree"', ", ", [0, 0]),
        ('"label": "I agree"', ",\n\n", [0, 2]),
        ('"titel": 1,', "\n,", [1]),  # what is on a line that has changed is left out
        ('"terminal": true', "\n x", [0, 0]),
    ],
)
def test_findings_of_lines_that_have_not_changed_stay_while_the_text_is_broken(
    before: str, typed: str, kept: list[int]
) -> None:
    """With the fault of syntax, in their new lines; the next whole text has its own."""
    first = opened(FAULTY, 1).check()
    assert first.checked is not None
    both = [each for each in first.checked.found if "'titel'" in each.message]
    offset = at(before, text=FAULTY)
    broken = first.changed([Change(FAULTY[:offset] + typed + FAULTY[offset:])], 2).check()
    assert broken.checked is not None
    assert not broken.checked.whole
    stayed = [each for each in broken.checked.found if "'titel'" in each.message]
    expected = both[-len(kept) :]
    assert [each.line for each in stayed] == [each.line + more for each, more in zip(expected, kept, strict=True)]
    assert [each.code for each in broken.checked.found].count("INVALID_FLOW_JSON") == 1
    again = broken.changed([Change(FLOW)], 3).check()
    assert again.checked == check(Index(FLOW))


def test_nothing_is_reported_of_a_text_over_the_limit() -> None:
    """Meta takes at most 10 MB."""
    document = opened('{"screens": "' + "x" * MAX_BYTES, 1)
    assert check(document.index) == ((), False)
    assert document.index.lines.offset(9, 9) == 0


@pytest.mark.parametrize(
    ("text", "changes", "after"),
    [
        ("a😀b", [Change("x", (0, 3), (0, 3))], "a😀xb"),
        ("a😀b", [Change("x", (0, 1), (0, 2))], "ax😀b"),  # half an emoji is its start
        ("a😀b", [Change("", (0, 1), (0, 3)), Change("c", (0, 2), (0, 2))], "abc"),
        ("a\r\nb\r\n", [Change("x", (1, 0), (1, 1))], "a\r\nx\r\n"),
        ("a\u2028b\nc", [Change("x", (1, 0), (1, 1))], "a\u2028b\nx"),
        ("a\nb", [Change("x", (1, 1), (1, 1))], "a\nbx"),
        ("a\nb", [Change("x", (9, 9), (99, 9))], "a\nbx"),
        ("a\nb", [Change("x", (0, 99), (0, 99))], "ax\nb"),
        ("a\r\nb", [Change("x", (0, 99), (0, 99))], "ax\r\nb"),
        ("😀\r\nb", [Change("x", (0, 99), (0, 99))], "😀x\r\nb"),
        ("abc", [Change("x", (0, 2), (0, 1))], "abxc"),  # an end before the start
        ("", [Change("a\nb", (0, 0), (0, 0)), Change("x", (1, 1), (1, 1))], "a\nbx"),
        ("abc", [Change("x", (0, 0), (0, 1)), Change("whole")], "whole"),
    ],
)
def test_changes_are_applied_one_by_one(text: str, changes: list[Change], after: str) -> None:
    """In UTF-16 units; a newline alone ends a line, and a position outside the text is the nearest place in it."""
    assert opened(text, 1).changed(changes, 2).text == after
