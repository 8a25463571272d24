"""A JSON text as a tree with offsets, while it is half written; positions in UTF-16."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lsp.lsp_support import FLOW, marked
from whatsapp_flows.lsp._cursor import cursor_at
from whatsapp_flows.lsp._tree import Array, Lines, Object, Scalar, parse_tree, parts, plain

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(_JSON, st.sampled_from([None, 2]))
def test_a_whole_document_reads_as_the_parser_reads_it(value: Any, indent: int | None) -> None:
    """Down to every key and scalar, in any layout."""
    assert plain(parse_tree(json.dumps(value, indent=indent, ensure_ascii=False))) == value


@given(st.text(alphabet='{}[]",: \n\\ab1😀'))
def test_no_text_raises(text: str) -> None:
    """Every part has its place in the text, and every offset has a cursor."""
    root = parse_tree(text)
    for value, _, _ in parts(root):
        assert 0 <= value.start <= value.end <= len(text)
    for offset in range(len(text) + 1):
        cursor_at(root, offset)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ('{"a": 1, "b"', {"a": 1, "b": None}),
        ('{"a": \n"b": 2}', {"a": None, "b": 2}),
        ('{"a": "open\n, "b": 2}', {"a": "open", "b": 2}),
        ('{"a": [1, {"b": 2, "c": [3}, 4], "d": 5}', {"a": [1, {"b": 2, "c": [3]}, 4], "d": 5}),
        ('{"a" "b": 1}', {"a": None, "b": 1}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{a: 1}', {"a": 1}),
        ('{"a": tru}', {"a": None}),
        ('{{"a": 1}}', {"": {"a": 1}}),
        (':}]{"a": 1} {"b": 2}', {"a": 1}),
        ('[1, :, 2]', [1, 2]),
        ('{: 1}', {"1": None}),
        ('{"a": "\\ud83d\\x"}', {"a": "\\ud83d\\x"}),
        ('{"a\\n": "b\\\\"}', {"a\n": "b\\"}),
    ],
)  # fmt: skip
def test_what_is_half_written_is_read_as_far_as_it_goes(text: str, value: Any) -> None:
    """What is missing is left out; what follows it is still found."""
    assert plain(parse_tree(text)) == value


def test_a_deep_text_is_no_matter() -> None:
    """Neither reading nor a cursor is limited by Python's stack; values are read to a depth of 20."""
    root = parse_tree("[" * 50_000)
    assert len(cursor_at(root, 50_000).steps) == 50_000
    assert str(plain(root)).count("[") == 21
    assert str(plain(parse_tree('{"a":' * 30))).count("a") == 20


def test_many_broken_objects_are_no_matter() -> None:
    """Each is tried as a whole only while the tries together take no longer than the text."""
    root = parse_tree("[" + '{"a" 1},' * 100_000)
    assert isinstance(root, Array)
    assert len(root.items) == 100_000


@pytest.mark.parametrize(
    ("text", "steps", "in_key", "scalar"),
    [
        ("‸", [], False, None),
        ("{‸", [None], True, None),
        ('{"a‸', [None], True, '"a'),
        ('{"a": ‸', ["a"], False, None),
        ('{"a": ‸"b"}', ["a"], False, '"b"'),
        ('{"a":‸ "b"}', ["a"], False, None),
        ('{"a": "b‸"}', ["a"], False, '"b"'),
        ('{"a": "b", ‸}', [None], True, None),
        ('{"a": "b"}‸', [], False, None),
        ('{"a": [1, ‸2]}', ["a", 1], False, "2"),
        ('{"a": [1, ‸]}', ["a", 1], False, None),
        ('{"a": [1, {"b": ‸}]}', ["a", 1, "b"], False, None),
        ('[{"a": 1}‸]', [1], False, None),
        ('{"a": "x‸ \n, "b": 1}', ["a"], False, '"x '),
    ],
)  # fmt: skip
def test_a_cursor_knows_where_it_is(text: str, steps: list[Any], in_key: bool, scalar: str | None) -> None:
    """The keys and indexes around it, and whether a key or a value is here."""
    whole, offset = marked(text)
    found = cursor_at(parse_tree(whole), offset)
    assert [step.key for step in found.steps] == steps
    assert (found.in_key, found.scalar.source if found.scalar else None) == (in_key, scalar)
    assert (found.container is None) == (not steps)


def test_duplicate_keys_read_as_the_last_one() -> None:
    """As a parser reads them."""
    root = parse_tree('{"a": 1, "a": {"b": ["c"]}}')
    assert isinstance(root, Object)
    assert root.object("a") is root.get("a")
    assert root.text("a") is None
    assert root.list("a") == []
    scalar = root.members[0].value
    assert isinstance(scalar, Scalar)
    assert (scalar.closed, scalar.inner, scalar.text) == (True, (6, 7), "1")


@given(st.text(alphabet="ab😀é\n\r\u2028"))
def test_offsets_and_positions_are_each_others_inverse(text: str) -> None:
    """Columns are UTF-16 units, and a newline alone ends a line."""
    lines = Lines(text)
    for offset in range(len(text) + 1):
        line, column = lines.position(offset)
        assert text[:offset].count("\n") == line
        assert column == len(text[text.rfind("\n", 0, offset) + 1 : offset].encode("utf-16-le")) // 2
        assert lines.offset(line, column) == offset


@pytest.mark.parametrize(
    ("line", "column", "offset"), [(-1, 0, 0), (0, -5, 0), (0, 99, 3), (9, 9, 6), (1, 99, 6), (0, 2, 1), (0, 1, 1)]
)
def test_a_position_outside_the_text_is_the_nearest_in_it(line: int, column: int, offset: int) -> None:
    """Half an emoji is its start."""
    assert Lines("a😀c\nde").offset(line, column) == offset


def test_the_flow_of_these_tests_is_whole() -> None:
    """The tree has what the parser has."""
    assert plain(parse_tree(FLOW))["screens"][0]["id"] == json.loads(FLOW)["screens"][0]["id"]
