"""The pipeline: versions, stages, severities, places; no input raises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.flow_json.samples import CORPUS
from whatsapp_flows import _documents
from whatsapp_flows.errors import ConfigurationError
from whatsapp_flows.flow_json import MAX_BYTES, read_flow_json, validate
from whatsapp_flows.flow_json.rules import Rule
from whatsapp_flows.flow_json.schema import KNOWN_VERSIONS, NEWEST, Document, Finding, Severity, Version, parse_version

TODAY = date(2026, 1, 1)
ROOT = Path(__file__).resolve().parents[2]
FLOWS = sorted((ROOT / "examples" / "flows").glob("*.json"))
FOOTER = {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {}}}


def flow(version: Any = "7.3", **more: Any) -> dict[str, Any]:
    layout = {"type": "SingleColumnLayout", "children": [FOOTER]}
    return {"version": version, "screens": [{"id": "A", "title": "T", "terminal": True, "layout": layout}], **more}


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_example_flows_have_no_issue(path: Path) -> None:
    """No error, and no advice either."""
    report = validate(path, today=TODAY)
    assert report.issues == ()
    assert report.version == Version(7, 3)
    assert report.text is None


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_others_wrote_has_no_fault_of_structure(path: Path) -> None:
    """Real documents, each checked in its own version, which may be frozen by now."""
    report = validate(path, version=json.loads(path.read_bytes())["version"], advice=False, rules=())
    assert report.issues == ()


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        ({"screens": []}, "MISSING_FLOW_JSON_VERSION", ""),
        (flow(7.3), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow(None), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("7"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("v7.3"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("07.3"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("7.03"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("0.9"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("99999.1"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("123456.1"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("²٣.1"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("6.4"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("2.2"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("4.1"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("2.1"), "INVALID_FLOW_JSON_VERSION", "version"),
        (flow("5.0"), "INVALID_FLOW_JSON_VERSION", "version"),
    ],
)
def test_a_version_that_cannot_be_used_is_the_only_issue(value: Any, code: str, path: str) -> None:
    """The version is checked before the structure, and nothing after it."""
    report = validate(value, today=TODAY)
    assert [(issue.error, issue.pointers[0].path) for issue in report.issues] == [(code, path)]
    assert report.version is None


@pytest.mark.parametrize(("today", "frozen"), [(date(2025, 9, 8), False), (date(2025, 9, 9), True)])
def test_today_decides_what_is_frozen(today: date, frozen: bool) -> None:
    """A version is frozen from its day on."""
    errors = validate(flow("5.0"), today=today).errors
    assert ([error.error for error in errors] == ["INVALID_FLOW_JSON_VERSION"]) is frozen


def test_without_a_day_it_is_that_of_the_machine() -> None:
    """Without `today`, a version frozen in the past is frozen."""
    assert "frozen since 2025-04-08" in validate(flow("4.0")).errors[0].message


@pytest.mark.parametrize("version", ["7.5", "8.0"])
def test_a_newer_version_is_checked_as_the_newest_known(version: str) -> None:
    """It is a warning, with and without advice: this library may be older than the document."""
    report = validate(flow(version, extra=1), today=TODAY, advice=False)
    assert report.version == NEWEST
    assert [issue.error for issue in report.warnings] == ["UNKNOWN_NEWER_VERSION", "INVALID_PROPERTY_KEY"]
    assert report.ok


@pytest.mark.parametrize("asked", ["6.0", Version(6, 0), "2.1"])
def test_a_document_can_be_checked_as_another_version(asked: str | Version) -> None:
    """`version` takes precedence over the version of the document, and may be frozen."""
    report = validate(flow("99.9"), version=asked, today=TODAY, advice=False)
    assert str(report.version) == str(asked)
    assert report.errors == ()


def test_another_version_does_not_excuse_a_missing_one() -> None:
    """The document must state a version, as a string, in any case."""
    assert validate({"screens": []}, version="7.3").errors[0].error == "MISSING_FLOW_JSON_VERSION"
    assert validate(flow(7.3), version="7.3").errors[0].error == "INVALID_FLOW_JSON_VERSION"
    assert [w.error for w in validate(flow(), version="9.0", today=TODAY).warnings] == ["UNKNOWN_NEWER_VERSION"]


@pytest.mark.parametrize("asked", ["", "7", "6.9", "latest", Version(1, 0)])
def test_an_unknown_version_argument_raises(asked: Any) -> None:
    """It raises ConfigurationError."""
    with pytest.raises(ConfigurationError, match="version"):
        validate(flow(), version=asked)


def test_versions_are_numbers() -> None:
    """Versions are compared part by part."""
    assert parse_version("1.10") == Version(1, 10)
    assert sorted(KNOWN_VERSIONS) == list(KNOWN_VERSIONS)


def rule(*findings: Finding, **more: Any) -> Rule:
    def check(doc: Document) -> Iterator[Finding]:
        yield from findings

    return Rule(id="FJ999", name="a test", check=check, **more)


TITLE = Finding("CODE", "Wrong.", ("screens", 0, "title"))


@pytest.mark.parametrize(
    ("made", "severity"),
    [
        (rule(TITLE), "error"),
        (rule(TITLE, severity=Severity.WARNING), "warning"),
        (rule(Finding("CODE", "Wrong.", severity=Severity.WARNING)), "warning"),
        (rule(TITLE, since=Version(7, 3), until=Version(7, 3)), "error"),
        (rule(TITLE, since=Version(7, 4)), None),
        (rule(TITLE, until=Version(7, 2)), None),
        (rule(TITLE, skipped_by_meta=((Version(6, 0), Version(7, 3)),)), "warning"),
        (rule(TITLE, skipped_by_meta=((Version(6, 0), Version(7, 2)),)), "error"),
    ],
)
def test_a_rule_runs_in_its_versions_with_its_severity(made: Rule, severity: str | None) -> None:
    """Where Meta does not run a documented rule its findings are warnings; a finding may have its own severity."""
    issues = validate(flow(), today=TODAY, rules=(made,), advice=False).issues
    assert [issue.severity for issue in issues] == ([severity] if severity else [])


def test_rules_run_only_on_a_sound_structure() -> None:
    """An error of structure ends the pipeline."""
    report = validate(flow(extra=1), today=TODAY, rules=(rule(TITLE),))
    assert [issue.error for issue in report.issues] == ["INVALID_PROPERTY_KEY"]


def test_issues_are_merged_and_in_the_order_of_the_text() -> None:
    """Equal findings of one rule are one issue, whose pointers keep the rule's order; issues go by place."""
    made = rule(Finding("B", "b", ("screens",)), TITLE, Finding("A", "a", ("version",)), TITLE, TITLE,
                Finding("CODE", "Wrong.", ("screens", 0, "id"), key=True))  # fmt: skip
    issues = validate(flow(), today=TODAY, rules=(made,)).issues
    assert [issue.error for issue in issues] == ["A", "B", "CODE"]
    assert [pointer.path for pointer in issues[2].pointers] == ["screens[0].title", "screens[0].id"]
    assert [issue.rule for issue in issues] == ["FJ999"] * 3
    assert {issue.error_type for issue in issues} == {"FLOW_JSON_ERROR"}


def test_a_rule_that_runs_too_deep_is_one_error() -> None:
    """A payload may be nested too deeply for a rule."""

    def check(doc: Document) -> list[Finding]:
        return check(doc)

    report = validate(flow(), today=TODAY, rules=(Rule("FJ998", "deep", check), rule(TITLE)))
    assert [issue.error for issue in report.errors] == ["INVALID_FLOW_JSON", "CODE"]
    assert report.errors[0].pointers == ()


def test_the_places_of_a_mapping_are_those_of_the_compact_text() -> None:
    """A mapping has one line; its paths are as for any text."""
    (issue,) = validate(flow(extra=1), today=TODAY).errors
    compact = json.dumps(flow(extra=1), separators=(",", ":"))
    assert (issue.line_start, issue.column_start) == (1, compact.index('"extra"') + 1)
    assert issue.pointers[0].path == "extra"


def test_a_syntax_error_has_a_place_and_no_pointer() -> None:
    """Line and column of where parsing ended."""
    report = validate('{\n  "version": "7.3",\n}', today=TODAY)
    (issue,) = report.issues
    assert (issue.error, issue.error_type, issue.pointers) == ("INVALID_FLOW_JSON", "FLOW_JSON_ERROR", ())
    assert (issue.line_start, issue.column_start, issue.column_end) in {(3, 1, 2), (2, 19, 20)}
    assert "^" in report.render()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"version": "7.3", "version": "7.3"}', "DUPLICATE_KEY"),
        (json.dumps(flow()).replace('"T"', '"T", "title": "U"'), "DUPLICATE_KEY"),
        (json.dumps(flow()).replace('"payload": {}', '"payload": {"a": 9007199254740993}'), "UNSAFE_NUMBER"),
        (json.dumps(flow()).replace('"Send"', '"Send \\ud83d"'), "LONE_SURROGATE"),
    ],
)
def test_anomalies_are_advice(text: str, code: str) -> None:
    """What JavaScript reads in another way is a warning, which can be switched off."""
    assert code in [issue.error for issue in validate(text, today=TODAY).warnings]
    assert validate(text, today=TODAY, advice=False).warnings == ()


def test_ten_megabytes_are_accepted_and_a_byte_more_is_not() -> None:
    """The limit counts bytes; above it there is one issue, without a place."""
    padding = " " * (MAX_BYTES - len(json.dumps(flow())))
    assert validate(json.dumps(flow()) + padding, today=TODAY).ok
    (issue,) = validate((json.dumps(flow()) + padding + " ").encode(), today=TODAY).issues
    assert (issue.error, issue.line_start, issue.pointers) == ("INVALID_FLOW_JSON", None, ())


def test_a_deep_document_is_one_issue() -> None:
    """Ten thousand levels give an issue and do not raise."""
    for text in ("[" * 10_000, '{"version":"7.3","screens":' + '{"a":' * 10_000 + "1" + "}" * 10_001):
        assert [issue.error for issue in validate(text, today=TODAY).errors] == ["INVALID_FLOW_JSON"]


def test_components_may_be_nested_as_deep_as_json_allows() -> None:
    """The walk over components does not recurse."""
    inner: list[Any] = []
    for _ in range(150):
        inner = [{"type": "If", "condition": "${data.x}", "then": inner}]
    value = flow()
    value["screens"][0]["layout"]["children"] += inner
    assert validate(value, today=TODAY, rules=(), advice=False).ok


@settings(max_examples=some(150), deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_never_raise(content: bytes) -> None:
    """Any bytes give a report."""
    assert not validate(content, today=TODAY).ok


TREE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["If", "${data.x}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "name", "children", "then", "cases", "payload", "id", "text"]), inner
        )
    ),
    max_leaves=15,
)


@settings(max_examples=some(60), deadline=None)
@given(st.dictionaries(st.sampled_from(["screens", "routing_model", "data_api_version", "meta"]), TREE), TREE, TREE)
def test_random_documents_never_raise(root: dict[str, Any], screen: Any, child: Any) -> None:
    """Any JSON value, and any mapping, gives a report."""
    assert validate({"version": "7.3", **root}, today=TODAY).issues
    value = flow()
    value["screens"].append(screen)
    value["screens"][0]["layout"]["children"].append(child)
    assert validate(value, today=TODAY).issues


def test_a_warning_of_structure_hides_no_screen_from_the_rules() -> None:
    """After a warning about the structure, the rules still see every screen."""
    pick = {
        "type": "CheckboxGroup",
        "name": "pick",
        "label": "Pick",
        "media-size": "huge",
        "data-source": [{"id": "1", "title": "One"}],
    }
    go = {"name": "navigate", "next": {"type": "screen", "name": "END"}, "payload": {"picked": "${form.pick}"}}
    field = {"type": "array", "items": {"type": "string"}, "__example__": ["1"]}
    end = {"name": "complete", "payload": {"picked": "${data.picked}"}}
    document = {
        "version": "7.3",
        "screens": [
            {
                "id": "START",
                "title": "Start",
                "layout": {
                    "type": "SingleColumnLayout",
                    "children": [pick, {"type": "Footer", "label": "Go", "on-click-action": go}],
                },
            },
            {
                "id": "END",
                "title": "End",
                "terminal": True,
                "data": {"picked": field},
                "layout": {
                    "type": "SingleColumnLayout",
                    "children": [{"type": "Footer", "label": "End", "on-click-action": end}],
                },
            },
        ],
    }
    issues = validate(document, advice=False).issues
    assert [(issue.error, issue.severity) for issue in issues] == [("INVALID_ENUM_VALUE", "warning")]


@pytest.mark.parametrize("encode", [lambda text: "\ufeff" + text, lambda text: text.encode("utf-8-sig")])
def test_a_byte_order_mark_is_a_warning(encode: Any) -> None:
    """With and without advice; places are those of the text without the mark."""
    text = json.dumps(flow("7.3", extra=1))
    with_mark, without = (validate(each, today=TODAY, advice=False) for each in (encode(text), text))
    mark, rest = with_mark.issues[:1], with_mark.issues[1:]
    assert [(issue.error, issue.severity, issue.rule) for issue in mark] == [("BYTE_ORDER_MARK", "warning", "FJ008")]
    assert rest == without.issues
    assert [issue.error for issue in validate(encode("{}")).issues if issue.severity == "error"] == [
        "MISSING_FLOW_JSON_VERSION"
    ]


@pytest.mark.parametrize("mode", ["off", "warn", "error"])
def test_a_document_is_sent_without_a_byte_order_mark(mode: Any) -> None:
    """The bytes that are sent begin with the text; validation before an upload warns about the mark."""
    content = json.dumps(flow("7.3")).encode()
    read = read_flow_json(b"\xef\xbb\xbf" + content, keep_mark=True)
    document = _documents.prepare_upload(read, mode)
    assert document.content == content == read_flow_json(b"\xef\xbb\xbf" + content)
    assert ("BYTE_ORDER_MARK" in {issue.error for issue in document.issues}) is (mode != "off")
