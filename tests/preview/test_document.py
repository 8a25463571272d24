"""A file as a document: its findings, and the paths of them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from tests.preview.serving import screen, text_input, two_screens
from whatsapp_flows.preview._document import MAX_FINDINGS, Document, findings, json_pointer, read_document
from whatsapp_flows.preview._watch import FileContent


def content(document: dict[str, Any]) -> FileContent:
    return FileContent(content=json.dumps(document).encode())


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("", {}, ""),
        ("version", {"version": 1}, "/version"),
        ("screens[0].title", {"screens": [{"title": "a"}]}, "/screens/0/title"),
        ("screens[0].cases.a.b[1]", {"screens": [{"cases": {"a.b": [0, 1], "a": {}}}]}, "/screens/0/cases/a.b/1"),
        ("cases.a[0]", {"cases": {"a[0]": 1}}, "/cases/a[0]"),
        ("cases[1][0]", {"cases": {"1": [5]}}, "/cases/1/0"),
        ("a.x/y~z", {"a": {"x/y~z": 1}}, "/a/x~1y~0z"),
        ("screens[7].title", {"screens": []}, "/screens/7/title"),
        ("missing.key[2].more", {}, "/missing/key/2/more"),
        ("a[", {"a": []}, "/a/"),
        (".", {}, "/."),
    ],
)
def test_paths_become_json_pointers(path: str, root: dict[str, Any], expected: str) -> None:
    """As Meta spells them, also with keys that hold dots, brackets and slashes, and to what is not there."""
    assert json_pointer(path, root) == expected


def test_findings_are_bounded() -> None:
    """Of very many, the first ones are shown, and a line says how many more there are."""
    document = two_screens()
    document["screens"][0]["layout"]["children"] = [text_input(f"a{i}", odd=1) for i in range(MAX_FINDINGS + 50)]
    found = findings(read_document(content(document)), today=date(2026, 9, 1))
    assert [each["path"] for each in found[:2]] == [f"/screens/0/layout/children/{i}/odd" for i in range(2)]
    assert len(found) == MAX_FINDINGS + 1
    assert (found[-1]["code"], found[-1]["severity"], found[-1]["line"]) == ("MORE", "warning", None)
    assert "more findings" in found[-1]["message"]


def test_a_file_that_is_not_there_has_no_findings() -> None:
    """There is nothing to check."""
    document = read_document(FileContent(problem="the file is not there"))
    assert document == Document(problem="The file is not there.")
    assert findings(document) == ()


def test_a_document_is_read_with_a_byte_order_mark() -> None:
    """As the client sends it: without."""
    found = read_document(FileContent(content=b"\xef\xbb\xbf" + json.dumps({"screens": [screen("A")]}).encode()))
    assert found.flow is not None
    assert list(found.flow.screens) == ["A"]
