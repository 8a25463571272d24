"""Places in the text: lines, columns and paths, as Meta counts them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows.flow_json.text import Span, format_pointer, locate
from whatsapp_flows.flow_json.text._positions import offsets_by_token, offsets_of

TEXT = """{
  "version": "7.3",
  "screens": [
    {"id": "A", "data": {}},
    {
      "id": "B", "n": -1.5e3, "t": true
    }
  ]
}"""


@pytest.mark.parametrize(
    ("pointer", "key", "span"),
    [
        ((), False, (1, 1, 9, 2)),
        (("version",), False, (2, 14, 2, 19)),
        (("version",), True, (2, 3, 2, 12)),
        (("screens",), False, (3, 14, 8, 4)),
        (("screens", 0), False, (4, 5, 4, 28)),
        (("screens", 0, "data"), False, (4, 25, 4, 27)),
        (("screens", 1), False, (5, 5, 7, 6)),
        (("screens", 1, "id"), False, (6, 13, 6, 16)),
        (("screens", 1, "id"), True, (6, 7, 6, 11)),
        (("screens", 1, "n"), False, (6, 23, 6, 29)),
        (("screens", 1, "t"), False, (6, 36, 6, 40)),
    ],
)
def test_keys_and_values_have_spans(pointer: tuple[str | int, ...], key: bool, span: tuple[int, ...]) -> None:
    """1-based, the end column exclusive, keys and strings with their quotes, containers with their brackets."""
    assert locate(TEXT, [(pointer, key)]) == {(pointer, key): Span(*span)}


@pytest.mark.parametrize(
    ("text", "pointer", "key", "span"),
    [
        ('{"a": 1, "a": 2}', ("a",), False, (1, 15, 1, 16)),
        ('{"a": 1, "a": 2}', ("a",), True, (1, 10, 1, 13)),
        ('{"😀": "é😀", "b": 1}', ("b",), False, (1, 20, 1, 21)),
        ('{"a\\u0062": 1}', ("ab",), False, (1, 13, 1, 14)),
        ('{"a\\\\": "x\\"y", "b": 1}', ("b",), False, (1, 22, 1, 23)),
        ('{\r\n\t"a": 1\r\n}', ("a",), False, (2, 7, 2, 8)),
        ('{"a": {"b": 1}}', ("a", "missing", "too"), False, (1, 7, 1, 15)),
        ('{"a": {"b": 1}}', ("a", "missing"), True, (1, 7, 1, 15)),
        ("[[1, 2], [3, [4]]]", (1, 1, 0), False, (1, 15, 1, 16)),
    ],
)
def test_unusual_texts(text: str, pointer: tuple[str | int, ...], key: bool, span: tuple[int, ...]) -> None:
    """The last of two keys counts, columns count UTF-16 units, a missing place has the span around it."""
    assert locate(text, [(pointer, key)])[pointer, key] == Span(*span)


def test_no_places_no_scan() -> None:
    """Without places the text is not read."""
    assert locate("not JSON", []) == {}


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        ((), ""),
        (("screens", 0, "layout", "children", 0, "type"), "screens[0].layout.children[0].type"),
        (("routing_model", "A", 10), "routing_model.A[10]"),
        (("data", "7"), "data[7]"),
        (("a.b", "on-click-action"), "a.b.on-click-action"),
        ((0,), "[0]"),
        (("", "a"), ".a"),
    ],
)
def test_paths_are_spelt_as_metas(pointer: tuple[str | int, ...], path: str) -> None:
    """Dots between keys, brackets around steps of digits."""
    assert format_pointer(pointer) == path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def pointers(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield at, value
    held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in held:
        yield from pointers(inner, (*at, step))


@given(value=JSON, indent=st.sampled_from([None, 0, 2]), ascii_=st.booleans())
def test_what_a_span_holds_is_the_value(value: Any, indent: int | None, ascii_: bool) -> None:
    """The text between the ends of any span parses to the value or the key pointed at."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    lines = [line.encode("utf-16-le", "surrogatepass") for line in text.split("\n")]

    def between(span: Span) -> str:
        taken = lines[span.line - 1 : span.end_line]
        taken[-1] = taken[-1][: 2 * (span.end_column - 1)]
        taken[0] = taken[0][2 * (span.column - 1) :]
        return b"\n\0".join(taken).decode("utf-16-le", "surrogatepass")

    wanted = dict(pointers(value))
    found = locate(text, [(pointer, key) for pointer in wanted for key in (False, True)])
    for pointer, held in wanted.items():
        assert json.loads(between(found[pointer, False])) == held
        if pointer and isinstance(pointer[-1], str):
            assert json.loads(between(found[pointer, True])) == pointer[-1]


@given(value=JSON, indent=st.sampled_from([None, 0, 2]), data=st.data())
def test_both_ways_to_a_place_end_there(value: Any, indent: int | None, data: st.DataObject) -> None:
    """The fast walk and the walk over all tokens find the same offsets."""
    text = json.dumps(value, indent=indent)
    places = [(pointer, key) for pointer, _ in pointers(value) for key in (False, True)]
    wanted = data.draw(st.sets(st.sampled_from(places)))
    around = {(pointer[:length], False) for pointer, _ in wanted for length in range(len(pointer) + 1)}
    fast, slow = (find(text, wanted | around) for find in (offsets_of, offsets_by_token))
    assert {place: fast.get(place) for place in wanted} == {place: slow.get(place) for place in wanted}


def test_what_is_nested_too_deeply_for_the_parser_has_places_too() -> None:
    """The slow walk keeps its own stack."""
    text = "[" * 100_000 + "]" * 100_000
    assert locate(text, [((0, 0), False)])[(0, 0), False] == Span(1, 3, 1, 199_999)
