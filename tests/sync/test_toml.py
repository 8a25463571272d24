"""The scanner finds the lines of the keys and tables that `tomllib` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows.sync.desired._toml import TomlPath, lines_of, parse_toml

EVERYTHING = '''\
# a comment = "with a key"
top = 1
"quoted key" = 'literal # no comment'
dotted . "in ner" = true

[ a . b ]   # [not.a.table]
text = """
one = 1
[no.table] \\""" still text"""""
literal = \'\'\'
two = 2\'\'\'
day = 1979-05-27 07:32:00
list = [ 1, # first
  "two", [ { x = 1, y.z = "}" } ],
]
inline = { p = "a,b]", q = { r = [] } }
[a]
after = 1
[[many]]
n = 1
[many.inner]
m = 1
[[many]]
n = 2
[[many.deep]]
k = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2), (("quoted key",), 3), (("dotted",), 4), (("dotted", "in ner"), 4), (("a", "b"), 6),
        (("a", "b", "text"), 7), (("a", "b", "literal"), 10), (("a", "b", "day"), 12), (("a", "b", "list"), 13),
        (("a", "b", "list", 0), 13), (("a", "b", "list", 1), 14), (("a", "b", "list", 2, 0, "y", "z"), 14),
        (("a", "b", "inline", "q", "r"), 16), (("a",), 17), (("a", "after"), 18), (("many",), 19), (("many", 0), 19),
        (("many", 0, "n"), 20), (("many", 0, "inner"), 21), (("many", 1), 23), (("many", 1, "n"), 24),
        (("many", 1, "deep", 0), 25), (("many", 1, "deep", 0, "k"), 26),
    ],
)  # fmt: skip
def test_every_form_is_found(path: TomlPath, line: int) -> None:
    """Strings of four kinds, comments, dotted keys, inline tables, arrays of tables."""
    assert lines_of(EVERYTHING)[path] == line


def test_nothing_else_is_found() -> None:
    """A key inside a string or a comment is not one."""
    assert set(lines_of(EVERYTHING)) == set(paths(parse_toml(EVERYTHING)))


def paths(value: Any, path: TomlPath = ()) -> Iterator[TomlPath]:
    """The path of everything in a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from paths(inner, (*path, step))


texts = st.text("ab1.,=#[]{}\"'\\ \n\u00e9", max_size=6)
blanks = st.text(" \t", max_size=2)


@st.composite
def strings(draw: st.DrawFn) -> str:
    text = draw(texts)
    safe = text.replace("\\", "").replace("'", "")
    forms = [json.dumps(text), json.dumps(text, ensure_ascii=False), f"'{safe.replace(chr(10), '')}'", f"'''{safe}'''"]
    multiline = text.replace("\\", "\\\\").replace('"', '\\"')
    return draw(st.sampled_from([*forms, f'"""{multiline}"""', f'"""{multiline}"" """', f'"""{multiline}"""""']))


scalars = st.sampled_from(["1", "-0.5", "true", "1979-05-27 07:32:00", "07:32:00", "inf", "0xFF"]) | strings()
keys = st.sampled_from(["a", "b-c", "1", '"a b"', '"\\u00e9"', "'d.e'", "''", '"="'])


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    gaps = st.sampled_from(["", " ", "\n", ' # ], "\n', "\r\n\t"])
    items = "".join(f"{draw(gaps)}{item}{draw(gaps)}," for item in draw(st.lists(inner, max_size=3)))
    return f"[{items}{draw(gaps)}]"


@st.composite
def inline_tables(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    names = draw(st.lists(keys, max_size=3, unique=True))
    items = (f"{draw(blanks)}{name}{draw(blanks)}={draw(blanks)}{draw(inner)}{draw(blanks)}" for name in names)
    return f"{{{','.join(items)}}}"


values = st.recursive(scalars, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=5)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A text, and the lines of its headers and keys in their order."""
    text, at = "", []
    for number in range(draw(st.integers(0, 4))):
        text += draw(st.sampled_from(["", "\n", "# [a]\n", " \r\n"]))
        many = draw(st.booleans())
        header = f"t{0 if many else number}{'s' if many else ''}{draw(st.sampled_from(['', '. x']))}"
        header = "ts" if many else header
        at.append(text.count("\n") + 1)
        text += f"{draw(blanks)}{'[[' if many else '['}{draw(blanks)}{header}{draw(blanks)}{']]' if many else ']'}\n"
        for name in draw(st.lists(keys, max_size=3, unique=True)):
            at.append(text.count("\n") + 1)
            text += f'{draw(blanks)}{name}{draw(st.sampled_from(["", ".y"]))} = {draw(values)} # "end\n'
    return text, at


@given(documents())
def test_the_paths_are_those_of_the_document(document: tuple[str, list[int]]) -> None:
    """Every path of the document has a line, nothing else has one, and lines are where statements begin."""
    text, statements = document
    found = lines_of(text)
    assert set(found) == set(paths(parse_toml(text)))
    assert set(statements) <= set(found.values())
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


def test_a_deeply_nested_text_is_an_error() -> None:
    """Without a `RecursionError`."""
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_toml("a = " + "[" * 100_000)


def test_a_deeply_nested_text_has_at_least_its_first_lines() -> None:
    """The scanner goes as deep as Python lets it, and returns the lines found so far."""
    assert lines_of("\na = " + "[" * 5000 + "]" * 5000)["a",] == 2
