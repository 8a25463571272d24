"""Variables are replaced in the strings of a Flow JSON, and found again in Meta's content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows import ConfigurationError, ValidationIssue, ValidationPointer
from whatsapp_flows.sync.desired._variables import escaped, fill, in_file, unfill

VARIABLES = {"endpoint": "https://a.example", "who": 'A "B"\n\\ \u2028', "empty": "", "x-1": "{{who}}"}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("{{endpoint}}/path", "https://a.example/path"),
        ("{{ endpoint\t}}{{who}}", 'https://a.exampleA "B"\n\\ \u2028'),
        ("a{{empty}}b", "ab"),
        ("{{x-1}}", "{{who}}"),  # what is put in is not looked at again
        ("{{{{endpoint}}", "{{endpoint}}"),
        ("{{{{ {{endpoint}} {{{{{{{{", "{{ https://a.example {{{{"),
        ("${data.who} }} {who}", "${data.who} }} {who}"),
    ],
)
def test_a_variable_is_replaced(written: str, filled: str) -> None:
    """For any value, the text stays JSON of the same structure."""
    assert json.loads(fill(json.dumps({"a": [written]}), VARIABLES, source="f").text) == {"a": [filled]}


def test_everything_else_is_unchanged() -> None:
    """Spaces, escapes of other strings and keys; `used` has the names of the variables."""
    text = '{"{{endpoint}}" : "caf\\u00e9",\n\t"b":"{{endpoint}}"}'
    filled = fill(text, VARIABLES, source="f")
    assert filled.text == '{"{{endpoint}}" : "caf\\u00e9",\n\t"b":"https://a.example"}'
    assert filled.used == {"endpoint"}


def test_an_escaped_brace_counts_as_a_brace() -> None:
    """The value of the string counts, not how it is written."""
    assert fill('["\\u007b\\u007Bendpoint}}"]', VARIABLES, source="f").text == '["https://a.example"]'


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{{endpont}}", "flow.json:3: unknown variable 'endpont': did you mean 'endpoint'?"),
        ("{{Zebra}}", "flow.json:3: unknown variable 'Zebra': known are endpoint, who, empty, x-1."),
        ("{{end point}}", 'flow.json:3: "{{" does not begin a variable: write {{name}}, or {{{{ for "{{".'),
        ("{{1}}", 'flow.json:3: "{{" does not begin a variable: write {{name}}, or {{{{ for "{{".'),
        ("{{", 'flow.json:3: "{{" does not begin a variable: write {{name}}, or {{{{ for "{{".'),
    ],
)
def test_an_error_has_its_place(written: str, expected: str) -> None:
    """The file, the line, and the name that may be meant."""
    with pytest.raises(ConfigurationError) as caught:
        fill('{\n"a": "{{endpoint}}",\n"b": "' + written + '"}', VARIABLES, source="flow.json")
    assert caught.value.message == expected


def test_the_error_if_there_are_no_variables() -> None:
    """It says that there are none."""
    with pytest.raises(ConfigurationError, match=r"unknown variable 'a': there are none\."):
        fill('["{{a}}"]', {}, source="f")


FILE = """{
  "url": "{{endpoint}}/x",  "same": "https://a.example/x",
  "list": ["one", "by {{who}}"], "braces": "{{{{1}}"
}"""


def document() -> dict[str, Any]:
    """What the file says."""
    filled: dict[str, Any] = json.loads(fill(FILE, VARIABLES, source="f").text)
    return filled


def test_an_equal_string_keeps_its_variable() -> None:
    """A string without a variable gets none, even if it has the same value."""
    assert unfill(FILE, VARIABLES, document()) == FILE


def test_a_different_string_loses_its_variable() -> None:
    """The text is then Meta's."""
    assert unfill(FILE, VARIABLES, {**document(), "url": "https://b.example/x"}) == FILE.replace(
        "{{endpoint}}", "https://b.example"
    )


def test_a_moved_string_keeps_its_variable() -> None:
    """For example after an item was inserted before it."""
    changed = document()
    changed["list"].insert(0, "new")
    assert json.loads(unfill(FILE, VARIABLES, changed))["list"] == ["new", "one", "by {{who}}"]


def test_braces_in_metas_text_are_escaped() -> None:
    """So the filled file has Meta's text."""
    assert json.loads(unfill("{}", {}, {"a": ["{{who}}", 1]})) == {"a": ["{{{{who}}", 1]}
    assert escaped({"a": ["{{who}}", None]}) == {"a": ["{{{{who}}", None]}


pieces = st.sampled_from(["{", "{{{{", "}}", "{{a}}", "{{b}}", "x", '"', "\\", "\n", "\u00e9"])
templates = (
    st.lists(pieces, max_size=4)
    .map("".join)
    .filter(
        lambda text: (
            "{{" not in text.replace("{{{{", "").replace("{{a}}", "").replace("{{b}}", "")
            and "{{{" not in text.replace("{{{{", "")
        )
    )
)
plain = st.text('{}ab"\\\n', max_size=6)


def trees(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    inner = st.recursive(
        leaves | st.integers(), lambda each: st.lists(each, max_size=3) | st.dictionaries(plain, each, max_size=3)
    )
    return st.dictionaries(st.sampled_from("abc"), inner, max_size=3)


@given(trees(templates), trees(plain), st.fixed_dictionaries({"a": plain, "b": plain}))
def test_fill_is_the_inverse_of_unfill(file: dict[str, Any], meta: dict[str, Any], variables: dict[str, str]) -> None:
    """For any earlier file: written and filled, it is Meta's document."""
    text = json.dumps(file, indent=2)
    pulled = unfill(text, variables, meta)
    assert json.loads(fill(pulled, variables, source="f").text) == meta
    assert json.loads(fill(json.dumps(escaped(meta)), {}, source="f").text) == meta
    now = json.loads(fill(text, variables, source="f").text)
    assert unfill(text, variables, now) == text


@pytest.mark.parametrize(
    ("there", "here"),
    [(1, 1), (6, 6), (7, 7), (16, 16), (21, 16), (22, 16), (23, 17), (26, 20), (27, 21), (28, 22), (29, 28), (34, 33)],
)
def test_a_column_is_that_of_the_file(there: int, here: int) -> None:
    """Before, inside and after filled strings, several on a line; other lines are unchanged."""
    text = '{"a":"{{long}}","b":"{{s}}","c":1}\n'
    filled = fill(text, {"long": "0123456789abcd", "s": ""}, source="f.json")
    assert filled.text == '{"a":"0123456789abcd","b":"","c":1}\n'
    place = ValidationPointer(path="a", line_start=1, line_end=1, column_start=there, column_end=there)
    issue = ValidationIssue(
        error="E", message="m", line_start=1, column_start=there, line_end=2, column_end=9, pointers=(place,)
    )  # fmt: skip
    (found,) = in_file([issue], filled.replaced)
    assert (found.column_start, found.line_end, found.column_end) == (here, 2, 9)
    assert found.pointers[0].column_end == here


@given(st.lists(st.text('a\U0001f600"\\', max_size=5), max_size=5), st.text("x\U0001f600", max_size=7))
def test_places_after_a_filled_string_are_those_of_the_file(parts: list[str], value: str) -> None:
    """In UTF-16 units, for any text around it."""
    document = [*(part + "{{v}}" for part in parts), 7]
    text = json.dumps(document, ensure_ascii=False)
    filled = fill(text, {"v": value}, source="f.json")

    def column(of: str) -> int:
        return len(of[: of.rindex("7]")].encode("utf-16-le")) // 2 + 1

    issue = ValidationIssue(error="E", message="m", line_start=1, column_start=column(filled.text))
    assert in_file([issue], filled.replaced)[0].column_start == column(text)
