"""Editing a text so that it holds another document, without changing anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows import ConfigurationError
from whatsapp_flows.flow_json.text import dump_in_style, json_string, update_text

FILE = """{
    "version": "7.3",   "own" : [1,2],
    "screens": [
        {"id": "A", "title": "Caf\u00e9"},
        {
            "id": "B"
        }
    ]
}
"""

texts = st.text('ab"\\\n\x7f\u00e9\u2028\U0001f600\ud83d', max_size=5)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
documents = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)
layouts = st.sampled_from(
    [{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"indent": 3, "ensure_ascii": False}]
)


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ('"7.3"', '"7.2"', ("version",)),
        ("[1,2]", "[1,3]", ("own",)),
        ('"Caf\u00e9"', '"T\u00e9"', ("screens", 0, "title")),
        ('{"id": "A", "title": "Caf\u00e9"}', '{\n            "id": "A",\n            "new": []\n        }',
         ("screens", 0)),
    ],
)  # fmt: skip
def test_only_the_place_of_a_change_is_written(before: str, after: str, place: tuple[Any, ...]) -> None:
    """White space, line ends and key order around a change stay; new text has the indentation of its place."""
    document = json.loads(FILE)
    inside = document
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = json.loads(after)
    assert update_text(FILE, document) == FILE.replace(before, after)


def test_the_order_of_keys_is_that_of_the_text() -> None:
    """A document with its keys in another order changes nothing; new keys come last."""
    document = json.loads(FILE)
    assert update_text(FILE, dict(reversed(document.items()))) == FILE
    changed = update_text(FILE, {"new": 1, **dict(reversed(document.items()))})
    assert list(json.loads(changed)) == ["version", "own", "screens", "new"]


def test_true_is_not_one() -> None:
    """A value of another JSON type is a change, even if Python compares it as equal."""
    assert update_text('{"a": 1}', {"a": True}) == '{"a": true}'
    assert update_text('{"a": 1}', {"a": 1.0}) == '{"a": 1.0}'


def test_line_ends_stay() -> None:
    """CRLF line ends are kept."""
    assert update_text('{\r\n  "a": 1\r\n}\r\n', {"a": {"b": 2}}) == '{\r\n  "a": {\r\n    "b": 2\r\n  }\r\n}\r\n'


def test_of_a_key_given_twice_the_last_is_changed() -> None:
    """Of duplicate keys the last one counts."""
    assert update_text('{"a": 1, "a": 2}', {"a": 3}) == '{"a": 1, "a": 3}'


@given(documents, documents, layouts)
def test_the_text_holds_the_document(old: dict[str, Any], new: dict[str, Any], layout: dict[str, Any]) -> None:
    """For any document and layout the new text parses to the document, and is unchanged if nothing differs."""
    text = json.dumps(old, **layout)
    assert canonical(json.loads(update_text(text, new))) == canonical(new)
    assert update_text(text, old) == text
    assert canonical(json.loads(dump_in_style(text, new))) == canonical(new)


@given(texts)
def test_any_text_can_be_written_and_sent(text: str) -> None:
    """A lone surrogate is written as an escape."""
    assert json.loads(json_string(text).encode()) == text


def test_deep_documents() -> None:
    """A text is edited up to the depth that can be parsed; a document too deep to be written is refused."""
    depth = 300
    text = '{"a":' * depth + "1" + "}" * depth
    assert update_text(text, json.loads(text.replace("1", "2"))) == text.replace("1", "2")
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        update_text(text, {"a": deep})
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        dump_in_style(text, deep)
