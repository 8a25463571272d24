"""No input raises: every source gives a report, which can be rendered."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counting import steps
from tests.effort import some
from tests.flow_json.samples import TODAY, footer, samples, screen
from whatsapp_flows.flow_json import MAX_BYTES, Report, validate

LEVELS: Final = 10_000
GOOD: Final = json.dumps(
    {"version": "7.3", "screens": [screen("A", {"type": "TextBody", "text": "Hello"}, footer(), terminal=True)]},
    indent=1,
)
TEXT: Final = '{"type": "TextBody", "text": "x"}'
OPEN: Final = '{"a": '


def codes(report: Report) -> set[str]:
    """The codes of a report that can be drawn, raised and told."""
    assert isinstance(report.render(), str)
    assert report.ok is not bool(report.errors)
    return {issue.error for issue in report.issues}


def of(source: Any) -> set[str]:
    return codes(validate(source, today=TODAY))


def around(before: str, after: str, inner: str = "1", levels: int = LEVELS) -> str:
    return before * levels + inner + after * levels


def good_with(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


SCHEMA: Final = '{"type": "object", "properties": {"a": '
IF: Final = '{"type": "If", "condition": "${data.a}", "then": ['
# Replaces a part of a valid document: a function of the depth.
DEEP: Final[dict[str, tuple[str, Callable[[int], str]]]] = {
    "screens": ('"screens": [', lambda n: f'"screens": [{around("[", "]", "1", n)},'),
    "a payload": ('"payload": {}', lambda n: f'"payload": {{"a": {around("[", "]", "1", n)}}}'),
    "a payload of objects": ('"payload": {}', lambda n: f'"payload": {around(OPEN, "}", "1", n)}'),
    "components": ('"children": [', lambda n: f'"children": [{around(IF, "]}", TEXT, n)},'),
    "a schema": ('"title"', lambda n: f'"data": {{"a": {around(SCHEMA, "}}", "{}", n)}}}, "title"'),
    "an example": (
        '"title"', lambda n: f'"data": {{"a": {{"type": "array", "__example__": {around("[", "]", "1", n)}}}}}, "title"'
    ),
    "a constant": (
        '"title"', lambda n: '"data": {"a": {"type": "array", "__example__": %s, "const": %s, "enum": [%s]}}, "title"'
        % ((around("[", "]", "1", n),) * 3)
    ),
    "an expression": ('"Hello"', lambda n: f'"`{around("(", ")", "1", n)} 5`"'),
    "operators": ('"Hello"', lambda n: f'"`{"!" * n}true`"'),
    "a path": ('"Hello"', lambda n: f'"${{data{".a" * n}}}"'),
    "an unknown key": ('"title"', lambda n: f'"titel": {around("[", "]", "1", n)}, "title"'),
}  # fmt: skip


CHILDREN: Final = '"children": ['
SWITCH: Final = '{"type": "Switch", "value": "${data.a}", "cases": {"a": ['
OPTION: Final = '[{"id": "a", "title": "b ${data.a}", "data-source": '
UPDATE: Final = '{"name": "update_data", "payload": {"a": '
DROPDOWN: Final = '{"type": "Dropdown", "name": "a", "label": "A", "data-source": %s, "on-select-action": %s}'


OF_OPTION: Final = '[{"id": "1", "title": "1", "on-select-action": %s}]'
EXPRESSION: Final = '{"type": "TextBody", "text": "`%s`"}'
PATTERN: Final = '{"type": "TextInput", "name": "a", "label": "A", "helper-text": "x", "pattern": "%s"}'


def with_condition(text: str) -> str:
    return IF.replace("${data.a}", text)


# Inserted before the other children: a function of the depth.
DEEP_CHILDREN: Final[dict[str, Callable[[int], str]]] = {
    "ifs with an else": lambda n: around(f'{IF}{TEXT}], "else": [', "]}", TEXT, n),
    "ifs with two comparisons": lambda n: around(with_condition("${data.a} == 1.5 && ${data.b}"), "]}", TEXT, n),
    "cases of switches": lambda n: around(SWITCH, "]}}", TEXT, n),
    "lists in lists of texts": lambda n: f'{{"type": "TextBody", "text": {around("[", "]", "1", n)}}}',
    "lists in lists of options": lambda n: DROPDOWN % (around("[", "]", "1", n), UPDATE + "1}}"),
    "options in options": lambda n: DROPDOWN % (around(OPTION, "}]", "[]", n), UPDATE + "1}}"),
    "updates in updates": lambda n: DROPDOWN % ('"${data.a}"', around(UPDATE, "}}", '"${form.a} x"', n)),
    "updates of an option": lambda n: DROPDOWN % (OF_OPTION % around(UPDATE, "}}", "1", n), UPDATE + "1}}"),
    "a condition in parentheses": lambda n: with_condition(around("(", ")", "${data.a} == 1.5", n)) + f"{TEXT}]}}",
    "a condition in backticks": lambda n: with_condition(f"`{around('(', ')', '1 < 5.5', n)}`") + f"{TEXT}]}}",
    "backticks": lambda n: with_condition("`" * n) + f"{TEXT}]}}",
    "references before parentheses": lambda n: EXPRESSION % around("${data.a} (", ")", "'}'", n),
    "groups of a pattern": lambda n: PATTERN % around("(^", "|$)", "a", n),
}  # fmt: skip


@pytest.mark.unmeasured
@pytest.mark.parametrize("levels", [30, 199, 200, 201, 480, LEVELS])
@pytest.mark.parametrize("what", DEEP_CHILDREN)
@pytest.mark.parametrize(("version", "mark"), [("7.3", ""), ("8.0", "\ufeff"), ("3.1", "")])
def test_depth_of_components(what: str, levels: int, version: str, mark: str) -> None:
    """In a known version, in a newer one with a byte order mark, and in an old one."""
    text = good_with(CHILDREN, f"{CHILDREN}{DEEP_CHILDREN[what](levels)},").replace('"7.3"', f'"{version}"')
    assert of(mark + text) >= ({"BYTE_ORDER_MARK"} if mark and levels <= 201 else set())


@pytest.mark.unmeasured
@pytest.mark.parametrize("what", DEEP_CHILDREN)
def test_depth_of_components_takes_no_exponential_work(what: str) -> None:
    """Forty levels take at most ten thousand steps each."""
    text = good_with(CHILDREN, f"{CHILDREN}{DEEP_CHILDREN[what](40)},")
    assert steps(lambda: of(text), at_most=400_000) > 1_000


@pytest.mark.unmeasured
@pytest.mark.parametrize("levels", [30, 150, 320, 480, 900, LEVELS])
@pytest.mark.parametrize("what", DEEP)
def test_depth(what: str, levels: int) -> None:
    """Ten thousand levels, fewer than the parser accepts, and as many as it just accepts."""
    old, make = DEEP[what]
    of(good_with(old, make(levels)))


@pytest.mark.parametrize(
    "text", [around("[", "]"), around(OPEN, "}"), "[" * LEVELS, OPEN * LEVELS, "]" * LEVELS, '"' + "[" * LEVELS]
)
def test_depth_of_brackets(text: str) -> None:
    """A text of brackets alone."""
    assert of(text) == of(text.encode()) == {"INVALID_FLOW_JSON"}


def test_a_deep_mapping() -> None:
    """A mapping that is too deep, or contains itself, cannot be written as JSON."""
    deep: Any = {}
    for _ in range(LEVELS):
        deep = {"a": deep}
    endless: dict[str, Any] = {"version": "7.3"}
    endless["screens"] = [endless]
    assert of({"version": "7.3", "screens": [deep]}) == of(endless) == {"INVALID_FLOW_JSON"}


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "content",
    [
        b"[" * MAX_BYTES,
        b'{"a":' * (MAX_BYTES // 5),
        b'"' * MAX_BYTES,
        b"9" * MAX_BYTES,
        b"\x00" * MAX_BYTES,
        b"\xf0\x9f\x98\x80" * (MAX_BYTES // 4),
        b" " * MAX_BYTES,
        b'{"version": "7.3", "a": "' + b"\\" * (MAX_BYTES - 30) + b'"}',
        b'{"version": "7.3", "screens": "' + b"a" * (MAX_BYTES - 40) + b'"}',
        b'{"version": "7.3", "screens": ' + b"9" * (MAX_BYTES - 40) + b"}",
        b"[" * (MAX_BYTES + 1),
    ],
    ids=lambda content: f"{content[:40]!r}",
)
def test_ten_megabytes(content: bytes) -> None:
    """The largest allowed document, and one of a byte more."""
    assert of(content)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"7.3"', '"7.3", "version": "7.3"', "DUPLICATE_KEY"),
        ('"title": "Title"', '"title": "A", "title": "B", "title": "C"', "DUPLICATE_KEY"),
        ('"Hello"', '"\\ud83d"', "LONE_SURROGATE"),
        ('"Hello"', '"\\ude00\\ud83d"', "LONE_SURROGATE"),
        ('"title"', '"\\ud800": 1, "title"', "INVALID_PROPERTY_KEY"),
        ('"payload": {}', '"payload": {"\\udfff": 1}', None),
        ('"Hello"', "NaN", "INVALID_FLOW_JSON"),
        ('"Hello"', "Infinity", "INVALID_FLOW_JSON"),
        ('"Hello"', "-Infinity", "INVALID_FLOW_JSON"),
        ('"payload": {}', '"payload": {"n": 9007199254740993}', "UNSAFE_NUMBER"),
        ('"payload": {}', '"payload": {"n": -9007199254740993}', "UNSAFE_NUMBER"),
        ('"payload": {}', '"payload": {"n": %s}' % ("9" * 5_000), "UNSAFE_NUMBER"),
        ('"payload": {}', '"payload": {"n": 1e999, "m": -1e999, "k": 5e-999, "z": -0}', None),
        ('"payload": {}', '"payload": {"n": 0.%s}' % ("1" * 5_000), None),
        ('"Hello"', "9007199254740993", "INVALID_PROPERTY_TYPE"),
        ('"type": "TextBody"', '"type": "TextArea", "name": "a", "label": "A", "max-length": 1e999',
         "INVALID_PROPERTY_TYPE"),
        ("\n ", "\n\u00a0", "INVALID_FLOW_JSON"),
        ("\n ", "\n\u3000", "INVALID_FLOW_JSON"),
        ("\n ", "\n\ufeff", "INVALID_FLOW_JSON"),
        ('"Hello"', '"\t"', "INVALID_FLOW_JSON"),
        ('"Hello"', '"\\x41"', "INVALID_FLOW_JSON"),
        ('"Hello"', "'Hello'", "INVALID_FLOW_JSON"),
        ('"Hello"', '"Hello",', "INVALID_FLOW_JSON"),
        ('"Hello"', '"Hello" // hello', "INVALID_FLOW_JSON"),
        ('"Hello"', "null", "INVALID_PROPERTY_TYPE"),
    ],
)  # fmt: skip
def test_anomalies_of_a_document(old: str, new: str, code: str | None) -> None:
    """An anomaly is an issue or nothing, and the same one for text and for bytes."""
    text = good_with(old, new)
    assert of(text) == of(text.encode())
    assert code is None or code in of(text)


@pytest.mark.parametrize(
    "source",
    [
        "\ufeff\ufeff" + GOOD,
        GOOD.encode("utf-16"),
        GOOD.encode("utf-32"),
        GOOD.encode("latin-1").replace(b"Hello", b"H\xe9llo"),
        GOOD.replace("Hello", "\ud800"),
        GOOD.replace(" ", "\u00a0"),
        "",
        b"",
        " ",
        "\n",
        "null",
        "0",
        '"text"',
        "true",
        "{}",
        "[]",
        b"\xed\xa0\x80",
        io.BytesIO(b"{"),
        {},
        {1: 2},
        {("a", "b"): 1},
        {"version": {1, 2}},
        {"version": float("nan")},
        {"version": "7.3", "screens": (1, 2)},
        {"version": "\ud800"},
        {"version": b"7.3"},
        {"version": "7.3", "screens": [10**400]},
        {"version": "7.3", "screens": [Path()]},
    ],
    ids=lambda source: type(source).__name__ if isinstance(source, io.IOBase) else repr(source)[:30],
)
def test_what_is_no_flow_json(source: Any) -> None:
    """Other encodings, other JSON values, mappings that have no JSON form."""
    assert of(source) <= {
        "INVALID_FLOW_JSON", "MISSING_FLOW_JSON_VERSION", "INVALID_FLOW_JSON_VERSION", "MISSING_REQUIRED_PROPERTY",
        "INVALID_PROPERTY_TYPE", "UNSAFE_NUMBER",
    }  # fmt: skip
    assert not validate(source, today=TODAY).ok


@settings(max_examples=some(200), deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200))
def test_random_bytes_and_text(content: bytes | str) -> None:
    """Random input is reported as no Flow JSON; occasionally it is a JSON object."""
    found = of(content)
    assert "INVALID_FLOW_JSON" in found or "MISSING_FLOW_JSON_VERSION" in found
    assert found <= {"INVALID_FLOW_JSON", "MISSING_FLOW_JSON_VERSION", "DUPLICATE_KEY"}


def in_layout(children: str) -> str:
    layout = f'{{"type": "SingleColumnLayout", "children": [{children}]}}'
    return f'{{"version": "7.3", "screens": [{{"id": "A", "title": "A", "terminal": true, "layout": {layout}}}]}}'


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (in_layout("0, " * 3000 + "0"), "INVALID_PROPERTY_TYPE"),
        (in_layout(", ".join(['{"type": "TextBody", "text": ""}'] * 3000)), "PATTERN_MISMATCH"),
        (in_layout(f'{{"type": "Dropdown", "name": "a", "label": "A", "data-source": [{"0, " * 3000}0]}}'),
         "INVALID_PROPERTY_TYPE"),
        (in_layout(", ".join(['{"type": "TextInput", "name": "a", "label": "A"}'] * 3000)),
         "MAX_ALLOWED_COMPONENTS_PER_SCREEN"),
        ('{"version": "7.3", "screens": [' + "0, " * 3000 + "0]}", "INVALID_PROPERTY_TYPE"),
        ('{"version": "7.3", "screens": [], ' + ", ".join(f'"k{n}": 0' for n in range(3000)) + "}",
         "INVALID_PROPERTY_KEY"),
        ('{"version": "7.3", "screens": [], "routing_model": {' + ", ".join(f'"A{n}": 0' for n in range(3000)) + "}}",
         "PATTERN_MISMATCH"),
        ('{"version": "7.3", "screens": [{"id": "A", "title": "A", "data": {'
         + ", ".join(f'"a{n}": 0' for n in range(3000)) + "}}]}", "INVALID_PROPERTY_TYPE"),
        ('{"version": "7.3", "screens": [], ' + ", ".join(['"k": 0'] * 3000) + "}", "DUPLICATE_KEY"),
    ],
)  # fmt: skip
def test_many_findings_are_truncated(source: str, code: str) -> None:
    """The first are reported, with a warning that there are more. Warnings never displace errors."""
    report = validate(source, today=TODAY)
    assert not report.ok
    assert code in {issue.error for issue in report.issues}
    assert sum(max(1, len(issue.pointers)) for issue in report.issues) <= 1001
    assert "TOO_MANY_FINDINGS" in {issue.error for issue in report.warnings}


@pytest.mark.parametrize("depth", [150, 201, 450])
def test_components_that_are_nested_too_deeply_are_refused(depth: int) -> None:
    """Beyond 200 levels components are not checked; Meta allows three."""
    source = in_layout('{"type": "If", "condition": "true", "then": [' * depth + "]}" * depth)
    errors = [issue.message for issue in validate(source, today=TODAY).errors]
    assert ("components are nested too deeply to be checked." in errors) == (depth > 200)


@settings(max_examples=some(100), deadline=None)
@given(
    st.sampled_from([document for _, document in samples()]), st.binary(max_size=6), st.floats(0, 1), st.floats(0, 0.1)
)
def test_random_bytes_in_a_document(document: dict[str, Any], content: bytes, where: float, length: float) -> None:
    """A part of a valid document is overwritten with random bytes."""
    text = json.dumps(document).encode()
    at = int(where * len(text))
    of(text[:at] + content + text[at + int(length * len(text)) :])


@pytest.mark.parametrize("version", ["7.3", "2.1", "99.9"])
@pytest.mark.parametrize(
    "source", ["{", "{}", '{"version": 7.3}', '{"version": "x"}', GOOD, '{"version": "7.3", "screens": 5}']
)
def test_another_version_raises_no_more(source: str, version: str) -> None:
    """With `version` nothing raises either."""
    codes(validate(source, version=version, today=TODAY))
