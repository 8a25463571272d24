"""Parsing a source: its content never raises."""

from __future__ import annotations

import io
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from whatsapp_flows.errors import ConfigurationError
from whatsapp_flows.flow_json.text import _parse, json_anomalies, parse_json


@pytest.mark.parametrize(
    "source",
    [
        '{"a": 1}',
        b'{"a": 1}',
        bytearray(b'{"a": 1}'),
        {"a": 1},
        MappingProxyType({"a": 1}),
        io.BytesIO(b'{"a": 1}'),
    ],
)
def test_every_kind_of_source_is_read(source: Any) -> None:
    """A mapping, text, bytes and a file give the same value."""
    assert parse_json(source).value == {"a": 1}


def test_a_path_is_read(tmp_path: Path) -> None:
    """A path is opened; one that cannot be read raises ConfigurationError."""
    path = tmp_path / "flow.json"
    path.write_bytes(b"{}")
    assert parse_json(path).value == {}
    with pytest.raises(ConfigurationError, match="cannot be read"):
        parse_json(tmp_path / "none.json")


@pytest.mark.parametrize("source", [None, 7, io.StringIO("{}")])
def test_what_is_no_source_is_refused(source: Any) -> None:
    """A source of an unknown type raises ConfigurationError."""
    with pytest.raises(ConfigurationError, match="source"):
        parse_json(source)


@pytest.mark.parametrize("source", ["\ufeff{}", b"\xef\xbb\xbf{}", io.BytesIO(b"\xef\xbb\xbf{}")])
def test_a_byte_order_mark_is_no_part_of_the_text(source: Any) -> None:
    """The text and its size are without the mark, as the text is sent."""
    parsed = parse_json(source)
    assert (parsed.text, parsed.size, parsed.value, parsed.marked) == ("{}", 2, {}, True)
    assert not parse_json("{}").marked


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, }', "a comma before a closing brace is one too many"),
        ('{"a": [1, ]}', "a comma before a closing bracket is one too many"),
        ('{"a": [1,, 2]}', "a value is missing here"),
        ('{"a": 1,, "b": 2}', "a comma is one too many"),
        ('{"a" }', "a colon is missing after the key"),
        ('{"a": 1 "b": 2}', "a comma is missing before this"),
        ('{"a": [1 2]}', "a comma is missing before this"),
        ('{"a": ["b": 1]}', "a key stands in a list, or a comma is missing before the key"),
        ('{"a": 01}', "a number does not begin with 0"),
        ('{"a": True}', "true, false and null are the only words in JSON, in small letters"),
        ('{"a": yes}', "a text needs double quotes"),
        ("{\"a\": 'b'}", "a text needs double quotes"),
        ("{'a': 1}", "a key needs double quotes"),
        ("{a: 1}", "a key needs double quotes"),
        ('{"a": // b\n1}', "there are no comments in JSON"),
        ('{/* b */ "a": 1}', "there are no comments in JSON"),
        ('{"a": "b\n"}', "the string does not end on this line"),
        ('{"a": "b\tc"}', "U+0009 must be written as \\u0009 in a string"),
        ('{"a": "\\q"}', "\\ begins an escape that there is not"),
        ('{"a": "\\u12"}', "\\u needs four hexadecimal digits"),
        ('{"a": "b', "the string that begins here has no closing quote"),
        ('{"a": [{"b": 1]}', "the object before this ] is not closed: a } is missing"),
        ('{"a": {"b": 1, ]}', "the object before this ] is not closed: a } is missing"),
        ('{"a": [1}', "the list before this } is not closed: a ] is missing"),
        ('[{"a": 1, {"a": 2}]', "the object before this is not closed, or its next key is missing"),
        ('{1: 2}', "a key in double quotes is expected here"),
        ('{"a": ?}', "a value is expected here"),
        ('{"a": 1} x', "something follows the end of the document"),
        ('{"a": 1', "it ends too early: a closing bracket or brace is missing"),
        ('{"a":', "it ends too early: nothing follows the last colon"),
        ('{"a": 1,', "it ends too early: nothing follows the last comma"),
        (" ", "it ends too early: there is nothing"),
    ],
)  # fmt: skip
def test_a_syntax_error_says_what_to_do(text: str, message: str) -> None:
    """In our own words: those of Python's parser are of Python, and change with its version."""
    problem = parse_json(text).problem
    assert problem is not None
    assert problem.message.startswith(f"this is not valid JSON: {message}")


def test_a_mapping_is_its_compact_text() -> None:
    """The text of a mapping is what would be sent."""
    parsed = parse_json({"a": "é", "b": [1, 2]})
    assert parsed.text == '{"a":"é","b":[1,2]}'
    assert parsed.size == len(parsed.text.encode())


@pytest.mark.parametrize(
    ("source", "message", "offset"),
    [
        ("", "ends too early", 0),
        ("{", "ends too early", 1),
        ('{"a": }', "a value is missing here", 6),
        ("[]", "a JSON object, not list", 0),
        ("  7", "a JSON object, not int", 2),
        ("\ufeff\ufeff{}", "a value is expected here", 0),
        ('[NaNx, "' + '\\"' * 9, "NaN is not a JSON number", 1),
        ('{\n\u00a0"a": 1}', "U+00A0 is not a space", 2),
        ('{"a": NaN}', "NaN is not a JSON number", 6),
        ('{"NaN": -Infinity}', "-Infinity is not a JSON number", 8),
        (b'{"a": "\xff"}', "not UTF-8", 7),
        ('{"a": "\ud800"}', "lone surrogate", 7),
        ({"a": "\ud800"}, "lone surrogate", 6),
        ({"a": float("nan")}, "cannot be written as JSON", None),
        ({"a": {1, 2}}, "cannot be written as JSON", None),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested too deeply", None),
        ("[" * 10_000, "nested too deeply", None),
    ],
)
def test_what_cannot_be_parsed_is_a_problem(source: Any, message: str, offset: int | None) -> None:
    """The problem gives the reason, and the place in the text if it is known."""
    parsed = parse_json(source)
    assert parsed.value is None
    assert parsed.problem is not None
    assert message in parsed.problem.message
    assert parsed.problem.offset == offset


@pytest.mark.parametrize(
    "make", [lambda n: "x" * (n + 1), lambda n: b"x" * (n + 1), lambda n: "é" * n, lambda n: {"a": "x" * n}]
)
def test_a_text_over_the_limit_is_not_parsed(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit, which counts bytes, there is one problem, whatever the text holds."""
    monkeypatch.setattr(_parse, "MAX_BYTES", 100)
    problem = parse_json(make(100)).problem
    assert problem is not None
    assert "may have at most 100 bytes" in problem.message


def test_a_mapping_too_deep_is_a_problem() -> None:
    """A mapping of ten thousand levels gives a problem and does not raise."""
    value: dict[str, Any] = {}
    for _ in range(10_000):
        value = {"a": value}
    assert parse_json(value).value is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 1}]}', []),
        ('{"a": 1, "a": 2}', [("DUPLICATE_KEY", ("a",))]),
        ('{"x": [{"a": 1, "\\u0061": 2}]}', [("DUPLICATE_KEY", ("x", 0, "a"))]),
        ('{"a": {"b": 1}, "c": {"b": 1, "d": {}, "b": 2}}', [("DUPLICATE_KEY", ("c", "b"))]),
        ('{"a": 9007199254740991, "b": -9007199254740992}', [("UNSAFE_NUMBER", ("b",))]),
        ('{"a": 1e20, "b": 123456789012345}', []),
        ('{"a": ' + "9" * 5000 + "}", [("UNSAFE_NUMBER", ("a",))]),
        (r'{"a": "\ud83d\ude00", "b": "\ud83d", "c": "x\ude00"}',
         [("LONE_SURROGATE", ("b",)), ("LONE_SURROGATE", ("c",))]),
    ],
)  # fmt: skip
def test_anomalies_of_a_valid_text(text: str, expected: list[Any]) -> None:
    """Duplicate keys, and numbers and characters that JavaScript reads differently, are found at their place."""
    parsed = parse_json(text)
    assert parsed.value is not None
    found = [(finding.code, finding.pointer) for finding in json_anomalies(text)]
    assert found == expected
    assert parsed.has_anomalies or not found
