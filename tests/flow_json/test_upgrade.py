"""The upgrade: what each boundary rewrites and leaves open, and the laws that hold for any document."""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from whatsapp_flows.errors import ConfigurationError
from whatsapp_flows.flow_json import validate
from whatsapp_flows.flow_json._upgrade import STEPS, Change, Undecided, upgrade
from whatsapp_flows.flow_json.schema import Version
from whatsapp_flows.flow_json.schema._spec import VERSIONS

pytestmark = pytest.mark.slow

FLOWS = sorted((Path(__file__).resolve().parents[2] / "examples" / "flows").glob("*.json"))
FOOTER = {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {}}}
NEWS = [str(row.version) for row in VERSIONS]
AT = "screens[0].layout.children[0]"


def flow(version: str, *children: Any, **more: Any) -> dict[str, Any]:
    """A document of one terminal screen."""
    layout = {"type": "SingleColumnLayout", "children": [*children, FOOTER]}
    return {"version": version, **more, "screens": [{"id": "A", "title": "T", "terminal": True, "layout": layout}]}


def first(document: Any) -> Any:
    """The first component of the first screen."""
    return document["screens"][0]["layout"]["children"][0]


def go(target: Any, name: str = "navigate", kind: str = "screen") -> dict[str, Any]:
    """A Footer that leads somewhere."""
    action = {"name": name, "next": {"type": kind, "name": target}, "payload": {}}
    return {"type": "Footer", "label": "Next", "on-click-action": action}


def screens(**children: list[Any]) -> list[dict[str, Any]]:
    """Screens by id, each with its components."""
    return [
        {"id": name, "title": name, "layout": {"type": "SingleColumnLayout", "children": inner}}
        for name, inner in children.items()
    ]


def test_the_table_has_a_step_for_every_boundary() -> None:
    """A new version of the tables asks for a new row here."""
    known = [row.version for row in VERSIONS]
    assert [(old, new) for old, new, _ in STEPS] == list(pairwise(known))


def test_the_endpoint_leaves_the_document() -> None:
    """Its whole value is in the change, so that it can be set through the API."""
    uri = "https://example.com/" + "x" * 100
    found = upgrade(flow("2.1", data_channel_uri=uri), "3.0")
    assert "data_channel_uri" not in found.document
    assert found.changes[0] == Change("version", "the version", '"2.1"', '"3.0"')
    assert found.changes[1].pointer == "data_channel_uri"
    assert uri in found.changes[1].what
    assert len(found.changes[1].before or "") == 80
    assert (found.from_version, found.to_version, found.changed) == (Version(2, 1), Version(3, 0), True)
    assert upgrade(flow("2.1", data_channel_uri=[]), "3.0").changes[1].before == "[...]"
    assert upgrade(flow("2.1", data_channel_uri={}), "3.0").changes[1].before == "{...}"
    assert "data_channel_uri" in upgrade(flow("3.0", data_channel_uri=uri)).document  # never was right there


@pytest.mark.parametrize("kind", ["CheckboxGroup", "RadioButtonsGroup"])
def test_a_label_cannot_be_invented(kind: str) -> None:
    """Required from 4.0 on, and left for the author to decide."""
    assert upgrade(flow("3.1", {"type": kind}), "4.0").undecided == (
        Undecided(AT, f"a {kind} needs a label from 4.0 on: write one."),
    )
    assert upgrade(flow("3.1", {"type": kind, "label": "L"}), "4.0").undecided == ()
    assert upgrade(flow("4.0", {"type": kind}), "5.0").undecided == ()


@pytest.mark.parametrize(
    ("value", "day", "noted"),
    [
        ("1693526400000", "2023-09-01", False),
        (1693526400000, "2023-09-01", False),
        (1693526400000.0, "2023-09-01", False),
        ("1693526400001", "2023-09-01", True),
        ("1693605599999", "2023-09-01", True),
        ("0", "1970-01-01", False),
        ("-1", "1969-12-31", True),
        ("-86400000", "1969-12-31", False),
        ("2023-09-01", "2023-09-01", False),
        ("999999999999999", "999999999999999", True),
        ("9" * 20, "9" * 20, True),
        ("soon", "soon", True),
        ("${data.day}", "${data.day}", True),
        (True, True, True),
        (1.5, 1.5, True),
        ({"a": 1}, {"a": 1}, True),
    ],
)
def test_a_timestamp_becomes_a_day(value: object, day: object, noted: bool) -> None:
    """In UTC. What is no timestamp, is dynamic, or is not midnight, is left to decide."""
    found = upgrade(flow("4.0", {"type": "DatePicker", "min-date": value}), "5.0")
    assert first(found.document)["min-date"] == day
    assert type(first(found.document)["min-date"]) is type(day)
    assert [point.pointer for point in found.undecided] == ([f"{AT}.min-date"] if noted else [])
    assert len(found.changes) == (1 if value == day else 2)
    assert first(upgrade(flow("5.0", {"type": "DatePicker", "min-date": value})).document)["min-date"] == value


def test_all_dates_of_a_picker_and_of_its_form_are_rewritten() -> None:
    """Lists, branches and init-values too; values of other components stay."""
    picker = {"type": "DatePicker", "name": "day", "max-date": "0", "unavailable-dates": ["0", 86400000]}
    inside = {"type": "Switch", "value": "${data.x}", "cases": {"a": [picker], "b": 3}}
    either = {"type": "If", "then": [inside], "else": [{"type": "DatePicker", "name": 3, "init-value": "0"}]}
    form = {"type": "Form", "init-values": {"day": "0", "age": "0"}, "children": [either, {"type": "TextArea"}]}
    found = upgrade(flow("4.0", form), "5.0")
    new = first(found.document)
    case = new["children"][0]["then"][0]["cases"]["a"][0]
    assert new["init-values"] == {"day": "1970-01-01", "age": "0"}
    assert case["unavailable-dates"] == ["1970-01-01", "1970-01-02"]
    assert [change.pointer for change in found.changes] == [
        "version",
        f"{AT}.init-values.day",
        f"{AT}.children[0].then[0].cases.a[0].max-date",
        f"{AT}.children[0].then[0].cases.a[0].unavailable-dates[0]",
        f"{AT}.children[0].then[0].cases.a[0].unavailable-dates[1]",
        f"{AT}.children[0].else[0].init-value",
    ]
    assert found.undecided == ()


def test_dynamic_init_values_with_a_date_are_left_to_decide() -> None:
    """Whatever supplies the values has to send the new format."""
    form = {"type": "Form", "init-values": "${data.i}", "children": [{"type": "DatePicker", "name": "d"}]}
    assert [point.pointer for point in upgrade(flow("4.0", form), "5.0").undecided] == [f"{AT}.init-values"]
    assert upgrade(flow("4.0", {**form, "children": []}), "5.0").undecided == ()


def test_blank_strings_are_left_to_decide_where_they_are_refused() -> None:
    """Texts from 5.1 on, all other strings from 6.0 on; screens and items included."""
    box = {"type": "CheckboxGroup", "name": "c", "label": " ", "description": "", "data-source": [{"title": "\u00a0"}]}
    document = flow("5.0", box, {"type": "TextBody", "text": ["", "a"]}, {"type": "NavigationList", "list-items": [{}]})
    document["screens"][0]["title"] = ""
    assert [point.pointer for point in upgrade(document, "5.1").undecided] == ["screens[0].title", f"{AT}.label"]
    assert [point.pointer for point in upgrade({**document, "version": "5.1"}, "6.0").undecided] == [
        f"{AT}.description",
        f"{AT}.data-source[0].title",
    ]
    assert first(upgrade(document).document) == box


@pytest.mark.parametrize(
    ("component", "key"),
    [
        ({"type": "TextInput", "name": "${data.x}"}, "name"),
        ({"type": "TextInput", "name": "`a`"}, "name"),
        ({"type": "TextBody", "text": "`code`"}, "text"),
        ({"type": "Dropdown", "data-source": [{"image": "A" * 140_000}]}, "data-source[0].image"),
        (
            {"type": "Dropdown", "data-source": [{"image": "data:image/png;base64," + "A" * 140_000}]},
            "data-source[0].image",
        ),
        ({"type": "Dropdown", "on-select-action": {}}, "on-select-action"),
    ],
)  # fmt: skip
def test_what_6_0_asks_of_a_component(component: dict[str, Any], key: str) -> None:
    """Each requirement is left to decide at its place, and nothing is rewritten."""
    found = upgrade(flow("5.1", component), "6.0")
    assert [point.pointer for point in found.undecided] == [f"{AT}.{key}"]
    assert first(found.document) == component


def test_what_6_0_still_accepts() -> None:
    """Images of 100 KB, dynamic images, lists from data."""
    items = [{"image": "A" * 136_532 + "AA=="}, {"image": "${data.i}" + "A" * 140_000}, {}, 3]
    assert upgrade(flow("5.1", {"type": "Dropdown", "data-source": items}), "6.0").undecided == ()
    assert upgrade(flow("5.1", {"type": "Dropdown", "data-source": "${data.x}"}), "6.0").undecided == ()


def test_a_screen_needs_a_layout() -> None:
    """From 6.0 on; it cannot be derived from the document."""
    found = upgrade({"version": "5.1", "screens": [{"id": "A"}]}, "6.0")
    assert [point.pointer for point in found.undecided] == ["screens[0]"]


@pytest.mark.parametrize("kind", [None, 5, [], {}, "Grid"])
def test_a_layout_of_no_known_type_is_left_to_the_validator(kind: object) -> None:
    """An unknown layout neither raises nor is left to decide."""
    screens = [{"id": "A", "title": "A", "terminal": True, "layout": {"type": kind, "children": []}}]
    upgraded = upgrade({"version": "5.2", "screens": screens}, to="6.0")
    assert upgraded.document["screens"] == screens
    assert not [point for point in upgraded.undecided if "layout" in point.pointer]


def test_what_only_5_2_had_is_left_to_decide() -> None:
    """The shopping layouts, their data, and the value of data_api_version."""
    document = {
        "version": "5.2",
        "data_api_version": "3.1",
        "screens": [{"id": "A", "external_data": {}, "layout": {"type": "CartLayout"}}],
    }
    assert [point.pointer for point in upgrade(document, "6.0").undecided] == [
        "data_api_version",
        "screens[0].external_data",
        "screens[0].layout.type",
    ]


@pytest.mark.parametrize(
    ("old", "new", "undecided_count"),
    [("5.1", "6.3", 1), ("5.1", "7.3", 0), ("6.0", "6.3", 0), ("6.0", "7.0", 1), ("7.0", "7.3", 0)],
)
def test_actions_of_the_first_render(old: str, new: str, undecided_count: int) -> None:
    """Reported only where the behaviour of the document changes."""
    assert len(upgrade(flow(old, {"type": "Dropdown", "on-select-action": {}}), new).undecided) == undecided_count


def test_a_terminal_screen_without_footer_is_left_to_decide() -> None:
    """A Footer in a branch counts."""
    document = flow("7.2")
    document["screens"][0]["layout"]["children"] = []
    assert [point.pointer for point in upgrade(document).undecided] == ["screens[0]"]
    document["screens"][0]["layout"]["children"] = [{"type": "If", "then": [FOOTER], "else": [FOOTER]}]
    assert upgrade(document).undecided == ()


def test_a_routing_model_is_made_from_the_navigate_actions() -> None:
    """After data_api_version, forward routes only, each once; the endpoint's routes are left to decide."""
    listed = {"type": "NavigationList", "list-items": [{"on-click-action": go("C")["on-click-action"]}]}
    document = {
        "data_api_version": "3.0",
        "version": "7.2",
        "screens": [
            *screens(
                A=[go("B"), go("B"), go("A"), go("X"), go("B", kind="plugin"), go(3), listed],
                B=[go("A"), go("C", name="data_exchange")],
                C=[{"type": "Footer", "on-click-action": "no"}],
            ),
            {"title": "no id", "layout": {"children": [go("A")]}},
        ],
    }
    found = upgrade(document)
    assert list(found.document) == ["data_api_version", "routing_model", "version", "screens"]
    assert found.document["routing_model"] == {"A": ["B", "C"], "B": [], "C": []}
    assert found.changes[1].pointer == "routing_model"
    assert found.changes[1].after == '{"A": ["B", "C"], "B": [], "C": []}'
    assert [point.pointer for point in found.undecided] == ["screens[1].layout.children[1].on-click-action"]


@pytest.mark.parametrize(
    "document",
    [flow("7.2"), flow("7.2", data_api_version="3.0", routing_model={}), flow("7.3", data_api_version="3.0")],
    ids=["no endpoint", "has one", "is 7.3"],
)
def test_a_routing_model_is_left_alone(document: dict[str, Any]) -> None:
    """It is made only where it is missing, on the way to 7.3."""
    assert upgrade(document).document.get("routing_model") == document.get("routing_model")


def test_an_old_document_ends_without_errors() -> None:
    """Nothing is left to decide in it, and the validator agrees."""
    picker = {"type": "DatePicker", "name": "day", "label": "Day", "min-date": "0", "max-date": "86400000"}
    form = {"type": "Form", "name": "form", "children": [picker, {**FOOTER}]}
    document = flow("2.1", data_channel_uri="https://example.com")
    document["screens"][0]["layout"]["children"] = [form]
    found = upgrade(document)
    assert found.undecided == ()
    assert validate(found.document, advice=False).issues == ()


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_document_of_the_version_asked_for_stays(path: Path) -> None:
    """A document of the requested version is unchanged; a path is a source too."""
    found = upgrade(path)
    assert (found.changes, found.undecided, found.changed) == ((), (), False)
    assert found.document == json.loads(path.read_bytes())
    assert upgrade(path.read_text(), Version(7, 3)).document == upgrade(path.read_bytes()).document == found.document


@pytest.mark.parametrize(
    ("document", "to", "words"),
    [
        (flow("7.3"), "7.2", "cannot be downgraded"),
        (flow("7.4"), "7.3", "cannot be downgraded"),
        (flow("7.3"), "7.9", "to '7.9'"),
        (flow("7.3"), Version(9, 0), "to '9.0'"),
        (flow("7.3"), "latest", "to 'latest'"),
        (flow("2.0"), "7.3", "document: version '2.0'"),
        (flow("8.0"), "8.0", "'8.0'"),
        ({"screens": []}, "7.3", "document: version None"),
        ({"version": 7.3}, "7.3", "document: version 7.3"),
        ("{", "7.3", "not valid JSON"),
        ("[]", "7.3", "not list"),
    ],
)
def test_there_is_no_way_to_an_older_or_unknown_version(document: Any, to: Any, words: str) -> None:
    """Such a version raises ConfigurationError."""
    with pytest.raises(ConfigurationError, match=words):
        upgrade(document, to)


# -- laws


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(10**13), 10**13), st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["", " ", "0", "1693526400001", "2024-01-01", "${data.x}", "`a`", "A", "B", "text"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
ACTIONS = st.one_of(VALUES, st.sampled_from([go(name)["on-click-action"] for name in ("A", "B", "C", 1)]))
KEYS = {
    "name": VALUES, "label": VALUES, "text": VALUES, "description": VALUES, "min-date": VALUES, "max-date": VALUES,
    "unavailable-dates": VALUES, "init-value": VALUES, "init-values": VALUES, "data-source": VALUES,
    "on-click-action": ACTIONS, "on-select-action": ACTIONS, "own": VALUES,
}  # fmt: skip
TYPES = ("CheckboxGroup", "RadioButtonsGroup", "DatePicker", "TextInput", "Footer", "Dropdown", "TextBody", "Unknown")
LEAVES = st.fixed_dictionaries({"type": st.sampled_from(TYPES)}, optional=KEYS)
COMPONENTS = st.recursive(
    st.one_of(LEAVES, VALUES),
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["Form", "If", "Switch"])},
        optional={
            "children": st.lists(inner, max_size=3), "then": st.lists(inner, max_size=2), "init-values": VALUES,
            "else": VALUES,
            "cases": st.one_of(VALUES, st.dictionaries(st.text(max_size=2), st.lists(inner, max_size=2))),
        },
    ),
    max_leaves=5,
)  # fmt: skip
LAYOUTS = st.fixed_dictionaries({"type": st.just("SingleColumnLayout"), "children": st.lists(COMPONENTS, max_size=4)})
SCREENS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(st.sampled_from(["A", "B", "C"]), VALUES), "title": VALUES, "terminal": VALUES,
        "layout": st.one_of(LAYOUTS, VALUES), "external_data": VALUES, "own": VALUES,
    },
)  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {"version": st.sampled_from(NEWS[:-2])},
    optional={
        "screens": st.one_of(st.lists(SCREENS, max_size=3), VALUES), "own": VALUES, "data_channel_uri": VALUES,
        "data_api_version": st.sampled_from(["3.0", "3.1"]), "routing_model": VALUES,
    },
)  # fmt: skip


def shape(value: Any) -> Any:
    """A value with the order of its keys, but for dates, the root's version and what the root gains or loses."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items() if key not in ROOT_ALONE]
    return [shape(inner) for inner in value] if isinstance(value, list) else None


ROOT_ALONE = ("data_channel_uri", "routing_model")


@given(DOCUMENTS)
@settings(max_examples=some(200), deadline=None)
def test_the_input_is_not_touched_and_what_is_unknown_survives(document: dict[str, Any]) -> None:
    """Every key stays in its place, except two of the root."""
    before = copy.deepcopy(document)
    found = upgrade(document)
    assert json.dumps(document) == json.dumps(before)
    assert shape(found.document) == shape(document)
    assert found.document.get("own") == document.get("own")
    assert found.document["version"] == "7.3"


@given(DOCUMENTS, st.sampled_from(NEWS))
@settings(max_examples=some(200), deadline=None)
def test_an_upgraded_document_has_nothing_to_upgrade(document: dict[str, Any], to: str) -> None:
    """The upgrade is idempotent."""
    if NEWS.index(to) >= NEWS.index(document["version"]):
        once = upgrade(document, to)
        again = upgrade(once.document, to)
        assert again.document == once.document
        assert (again.changes, again.undecided) == ((), ())


@given(DOCUMENTS)
@settings(max_examples=some(200), deadline=None)
def test_one_upgrade_equals_many_small_ones(document: dict[str, Any]) -> None:
    """The document and the changes are the same; small steps may leave more to decide."""
    direct = upgrade(document)
    now: Any = document
    changes: list[Change] = []
    undecided: list[Undecided] = []
    for to in NEWS[NEWS.index(document["version"]) : -1]:
        step = upgrade(now, to)
        now = step.document
        changes += step.changes
        undecided += step.undecided
    assert json.dumps(now) == json.dumps(direct.document)
    assert [each for each in changes if each.pointer != "version"] == list(direct.changes[1:])
    assert set(direct.undecided) <= set(undecided)
    extra = set(undecided) - set(direct.undecided)
    assert all(point.what.startswith("on-select-action ") for point in extra)
