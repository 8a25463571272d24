"""Values of a played Flow as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from whatsapp_flows.play import Counter, Evidence, Heading, Issue, Node, Snackbar, Span, UploadedFile, View
from whatsapp_flows.preview._json import MAX_DEPTH, array_text, json_text, object_text, plain, view_json

ISSUE = Issue("cut", Evidence("observed", "a client, 2026-08"), blocking=True)


def test_a_view_has_the_names_of_its_values() -> None:
    """Every field of a view, a node, an issue and a counter is there, by its name."""
    node = Node(
        path="/screens/0/layout/children/0",
        kind="TextInput",
        name="age",
        props={"label": "Age", "helper-text": "in years"},
        value="7",
        error="Too young",
        invalid="pattern",
        counter=Counter(count=1, limit=3),
        issues=(ISSUE,),
    )
    footer = Node(path="/screens/0/layout/children/1", kind="Footer", name="", props={}, enabled=False, shown=False)
    issue = {"text": "cut", "evidence": {"kind": "observed", "source": "a client, 2026-08"}, "blocking": True}
    found = view_json(
        View(
            screen="A",
            title="Start",
            back=True,
            nodes=(node,),
            footer=footer,
            snackbar=Snackbar("Sorry", 4.5),
            issues=(Issue("odd"),),
            loading=True,
            over=True,
        )
    )
    assert found == {
        "screen": "A",
        "title": "Start",
        "back": True,
        "loading": True,
        "over": True,
        "snackbar": {"text": "Sorry", "seconds": 4.5},
        "issues": [{"text": "odd", "evidence": None, "blocking": False}],
        "nodes": [
            {
                "path": "/screens/0/layout/children/0",
                "kind": "TextInput",
                "name": "age",
                "props": {"label": "Age", "helper-text": "in years"},
                "value": "7",
                "error": "Too young",
                "invalid": "pattern",
                "enabled": True,
                "shown": True,
                "counter": {"count": 1, "limit": 3},
                "issues": [issue],
            }
        ],
        "footer": {
            "path": "/screens/0/layout/children/1",
            "kind": "Footer",
            "name": "",
            "props": {},
            "value": None,
            "error": "",
            "invalid": "",
            "enabled": False,
            "shown": False,
            "counter": None,
            "issues": [],
        },
    }


def test_an_empty_view() -> None:
    """Without a Footer and a snackbar there are nulls."""
    found = view_json(View(screen=""))
    assert (found["footer"], found["snackbar"], found["nodes"]) == (None, None, [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (("a", "b"), ["a", "b"]),
        (frozenset({"a"}), ["a"]),
        ({"a": (1, 2.5, True, None)}, {"a": [1, 2.5, True, None]}),
        ({1: "a"}, {"1": "a"}),
        ([float("inf"), float("-inf"), float("nan")], [None, None, None]),
        (
            (UploadedFile(name="a.png", size=3, state="running"),),
            [{"name": "a.png", "mime_type": "application/octet-stream", "size": 3, "state": "running", "sha256": ""}],
        ),
        (
            {"blocks": (Heading(1, (Span(text="Hi", bold=True),)),)},
            {
                "blocks": [
                    {
                        "type": "heading",
                        "level": 1,
                        "spans": [{"text": "Hi", "bold": True, "italic": False, "strike": False, "href": ""}],
                    }
                ]
            },
        ),
        (b"a", "b'a'"),
    ],
)
def test_any_value_becomes_json(value: Any, expected: Any) -> None:
    """Tuples are arrays, values of the package objects, numbers that are not finite null."""
    assert plain(value) == expected
    assert json.loads(json_text(value), parse_constant=pytest.fail) == expected


def test_depth_is_bounded() -> None:
    """What is nested more deeply than any Flow JSON becomes null, without a recursion error."""
    value: Any = "deep"
    for _ in range(50_000):
        value = [value]
    found, levels = plain(value), 0
    while found is not None:
        found, levels = found[0], levels + 1
    assert levels == MAX_DEPTH
    assert json_text(value) == json.dumps(plain(value))


def test_a_key_that_is_no_text_and_a_cycle_are_written() -> None:
    """What the encoder refuses is made plain first: the page always gets a state."""
    cycle: list[Any] = []
    cycle.append(cycle)
    assert json_text({(1, 2): float("nan"), "a": {"b"}}) == '{"(1, 2)":null,"a":["b"]}'
    assert json_text(cycle) == json.dumps(plain(cycle))


def test_a_view_is_written_as_it_is_made_plain() -> None:
    """The text that the page gets and the values of a storyboard are the same."""
    view = View(screen="A", snackbar=Snackbar("Sorry", 4.5), issues=(ISSUE,))
    assert json.loads(json_text(view)) == view_json(view)


def test_texts_of_json_are_joined() -> None:
    """Parts that were written before become an object or an array, whatever the names are."""
    written = object_text({'a"b': array_text(["1", '"x"']), "c": array_text([])})
    assert json.loads(written) == {'a"b': [1, "x"], "c": []}
