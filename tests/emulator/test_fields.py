"""The `fields` parameter: parsing, checking, selecting."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatsapp_flows.emulator.graph._errors import GraphError
from whatsapp_flows.emulator.graph._fields import Field, NodeField, check, parse, project, unparse

_NAMES = st.text(string.ascii_letters + "_", min_size=1, max_size=6)
_VALUES = st.text(string.ascii_letters + string.digits + " -_:./", max_size=8).map(str.strip)
_ARGUMENTS = st.lists(st.tuples(_NAMES, _VALUES), max_size=3).map(tuple)


def _fields(inside: st.SearchStrategy[tuple[Field, ...]]) -> st.SearchStrategy[tuple[Field, ...]]:
    return st.lists(st.builds(Field, _NAMES, _ARGUMENTS, inside), min_size=1, max_size=3).map(tuple)


_TREES = _fields(st.just(()) | _fields(st.just(()) | _fields(st.just(()))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id", (Field("id"),)),
        (" id , name ", (Field("id"), Field("name"))),
        ("preview.invalidate(false)", (Field("preview", (("invalidate", "false"),)),)),
        (
            "metric.name(A).since(2024-01-28)",
            (Field("metric", (("name", "A"), ("since", "2024-01-28"))),),
        ),
        ("a,b{c,d} ", (Field("a"), Field("b", (), (Field("c"), Field("d"))))),
        ("a.x( 1 ){b{c}},d", (Field("a", (("x", "1"),), (Field("b", (), (Field("c"),)),)), Field("d"))),
    ],
)
def test_a_selection_becomes_a_tree(text: str, expected: tuple[Field, ...]) -> None:
    """Names, arguments and nesting are parsed as Graph does."""
    assert parse(text) == expected


@settings(deadline=None)
@given(_TREES)
def test_what_is_written_is_read_back(fields: tuple[Field, ...]) -> None:
    """Writing a tree and reading it again changes nothing."""
    assert parse(unparse(fields)) == fields


@settings(deadline=None)
@given(st.text(max_size=30) | st.text("ab{}().,", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Any text becomes a tree, or is an error with code 2500."""
    try:
        fields = parse(text)
    except GraphError as error:
        code = error.spec.code
    else:
        code = 2500 if parse(unparse(fields)) == fields else 0
    assert code == 2500


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "end of string at character 0"),
        ("a,", "end of string at character 2"),
        ("a b", '"b" at character 2'),
        ("a{b", "end of string at character 3"),
        ("a{}", '"}" at character 2'),
        ("a.b", "end of string at character 3"),
        ("a.b(c", '"(" at character 3'),
        ("a{" * 5000, '"a" at character 16'),
    ],
)
def test_a_selection_that_cannot_be_read_says_where(text: str, place: str) -> None:
    """Code 2500 names the position, also for a text that nests too deeply."""
    with pytest.raises(GraphError) as error:
        parse(text)
    assert error.value.spec.code == 2500
    assert place in error.value.spec.message


def test_the_last_argument_of_a_name_wins() -> None:
    """An argument given twice has its last value; a missing one has none."""
    (field,) = parse("a.x(1).x(2)")
    assert (field.argument("x"), field.argument("y")) == ("2", None)


_TABLE: dict[str, NodeField[str]] = {
    "name": NodeField(lambda view, _: view),
    "gone": NodeField(lambda *_: None),
    "sized": NodeField(lambda view, field: len(view) * int(field.argument("by") or 1), frozenset({"by"})),
    "object": NodeField(lambda *_: {"a": 1, "b": 2}, inside=frozenset({"a", "c"})),
    "deep": NodeField(lambda *_: {"list": [{"a": 1, "b": 2}], "text": "t"}, inside=frozenset({"list", "text"})),
    "edge": NodeField(lambda *_: {"data": [{"a": 1, "b": 2}], "paging": {}}, inside=frozenset({"a"})),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,gone", {"name": "four"}),
        ("sized.by(3)", {"sized": 12}),
        ("object", {"object": {"a": 1, "b": 2}}),
        ("object{a,c}", {"object": {"a": 1}}),
        ("deep{list{b},text{x}}", {"deep": {"list": [{"b": 2}], "text": "t"}}),
        ("edge{a}", {"edge": {"data": [{"a": 1}], "paging": {}}}),
    ],
)
def test_a_node_shows_what_is_selected(text: str, expected: dict[str, object]) -> None:
    """Absent values are omitted; objects and edges are reduced to the nested selection."""
    fields = parse(text)
    check(fields, _TABLE)
    assert project(fields, _TABLE, "four") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "(#100) Tried accessing nonexisting field (nothing)"),
        ("name{x}", "(#100) Tried accessing nonexisting field (x)"),
        ("object{b}", "(#100) Tried accessing nonexisting field (b)"),
        ("name.by(1)", "(#100) Unknown argument (by) of field (name)"),
    ],
)
def test_what_a_node_does_not_have_is_refused(text: str, message: str) -> None:
    """Code 100 names the field."""
    with pytest.raises(GraphError) as error:
        check(parse(text), _TABLE)
    assert (error.value.spec.code, error.value.spec.message) == (100, message)
