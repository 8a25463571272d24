"""All rules together: their examples, the versions that run them, real documents, and documents that are broken."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.flow_json.rules_support import (
    EXAMPLES,
    NEWEST,
    build,
    check,
    complete,
    docstring_examples,
    everything,
    load,
    runs_in,
    severity_of,
)
from tests.flow_json.samples import CORPUS
from whatsapp_flows.flow_json.rules import RULES, Rule, index
from whatsapp_flows.flow_json.schema import Severity, Version

FLOWS = sorted(EXAMPLES.glob("*.json"))
VERSIONS = tuple(
    Version(*pair)
    for pair in [
        (2, 1), (3, 0), (3, 1), (4, 0), (5, 0), (5, 1), (5, 2), (6, 0), (6, 1), (6, 2), (6, 3), (7, 0), (7, 1), (7, 2),
        (7, 3), (7, 4),
    ]
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_shows_what_passes_and_what_fails(rule: Rule) -> None:
    """Each docstring has one example of either kind, in the newest version that runs the rule."""
    examples = list(docstring_examples(rule))
    assert [kind for kind, _ in examples] == ["Passes", "Fails"]
    for kind, fragment in examples:
        assert bool(check(rule.id, fragment, str(rule.until or NEWEST))) == (kind == "Fails"), kind


def test_a_rule_has_no_findings_without_what_it_needs() -> None:
    """Every document with findings of a rule has a feature that the rule needs: tried on all examples."""
    fragments = [fragment for rule in RULES for _, fragment in docstring_examples(rule)]
    documents = [build(complete(fragment, version)) for fragment in fragments for version in ("5.2", str(NEWEST))]
    for rule in RULES:
        for document in documents if rule.needs else ():
            if index(document).features.isdisjoint(rule.needs):
                assert not list(rule.check(document)), (rule.id, document.value)


def test_rules_are_sorted_and_differ() -> None:
    """One id, one name and one function a rule."""
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert len({rule.name for rule in RULES}) == len({rule.check for rule in RULES}) == len(RULES)
    assert all(inspect.isgeneratorfunction(rule.check) for rule in RULES)


@pytest.mark.parametrize(
    ("rule_id", "since", "skipped"),
    [
        ("FJ105", "3.1", ""), ("FJ109", "5.1", ""), ("FJ121", "4.0", ""), ("FJ206", "2.1", "6.3-7.2"),
        ("FJ208", "2.1", "6.3-7.2"), ("FJ305", "6.0", ""), ("FJ310", "2.1", "6.0-7.2"), ("FJ311", "2.1", "7.1-7.1"),
        ("FJ312", "2.1", "7.1-7.1"), ("FJ313", "6.0", "7.1-7.1"), ("FJ314", "6.0", "7.1-7.1"),
        ("FJ315", "6.0", "7.1-7.1"), ("FJ316", "6.0", ""), ("FJ317", "2.1", "7.1-7.1"), ("FJ318", "6.0", "7.1-7.1"),
        ("FJ319", "7.2", ""), ("FJ330", "4.0", "7.1-7.1"), ("FJ401", "2.1", "7.1-7.1"), ("FJ402", "2.1", "7.1-7.1"),
        ("FJ403", "6.0", ""), ("FJ405", "5.1", ""), ("FJ410", "4.0", "7.1-7.1"), ("FJ411", "4.0", "7.1-7.1"),
        ("FJ414", "4.0", "4.0-7.4"), ("FJ602", "5.0", ""), ("FJ603", "6.2", ""), ("FJ608", "2.1", "5.1-7.2"),
        ("FJ609", "7.3", ""), ("FJ620", "4.0", ""), ("FJ622", "7.0", ""), ("FJ640", "6.2", ""), ("FJ710", "6.1", ""),
        ("FJ740", "7.1", ""),
    ],
)  # fmt: skip
def test_the_versions_of_a_rule(rule_id: str, since: str, skipped: str) -> None:
    """A rule runs from its first version on, and warns where Meta's client is known to skip it."""
    rule = next(rule for rule in RULES if rule.id == rule_id)
    fragment = next(fragment for kind, fragment in docstring_examples(rule) if kind == "Fails")
    running, warning = [], []
    for version in VERSIONS:
        document = build(complete(fragment, str(version)))
        if runs_in(rule, version) and (found := list(rule.check(document))):
            running.append(str(version))
            if all(severity_of(rule, finding, version) is Severity.WARNING for finding in found):
                warning.append(str(version))
    assert running == [str(version) for version in VERSIONS if str(version) >= since]
    assert "-".join([*warning[:1], *warning[-1:]]) == skipped


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_example_flows_have_no_finding(path: Path) -> None:
    """The flows that come with the package are valid."""
    assert everything(load(path)) == []


# A published example that is wrong: it goes to a screen that is not there and gives a boolean for a text.
KNOWN_VERSIONS = {"navigation_list": {"FJ302", "FJ310", "FJ311"}}


@pytest.mark.parametrize("path", CORPUS or [None], ids=lambda path: path.stem[:60] if path else "absent")
def test_real_documents_have_no_finding(path: Path | None) -> None:
    """Documents of others are valid in their own version."""
    if path is None:
        pytest.skip("the collection of real documents is absent")
    expected = next((ids for name, ids in KNOWN_VERSIONS.items() if name in path.name), set())
    assert {rule_id for rule_id, _ in everything(load(path))} == expected


FULL: dict[str, Any] = complete(
    {
        "data_api_version": "3.0",
        "routing_model": {"A": ["B"], "B": ["C"]},
        "screens": [
            {
                "go": "B", "payload": {"a": "${data.a}", "b": "x", "c": "`1 + 2`"}, "sensitive": ["t"],
                "data": {
                    "a": {"type": "string", "__example__": "x"},
                    "o": {"type": "object", "properties": {"p": {"type": "string"}}, "__example__": {"p": "x"}},
                    "l": {
                        "type": "array", "__example__": [{"id": "1", "title": "x"}],
                        "items": {"type": "object", "properties": {"id": {"type": "string"},
                            "title": {"type": "string"}}},
                    },
                },
                "children": [
                    {"type": "TextBody", "text": "`'Hello ' ${data.o.p}`", "visible": "`${form.n} > 3 && true`"},
                    {"type": "TextInput", "name": "t", "label": "T", "min-chars": 1, "max-chars": 3},
                    {"type": "TextInput", "name": "n", "label": "N", "input-type": "number"},
                    {"type": "CheckboxGroup", "name": "g", "label": "G", "data-source": "${data.l}"},
                    {"type": "Dropdown", "name": "d", "label": "D", "data-source": [
                        {"id": "1", "title": "x", "on-select-action": {"name": "update_data", "payload": {"a": "y"}}}]},
                    {"type": "If", "condition": "${form.n} > 3 && !(${form.t} == 'x')",
                     "then": [{"type": "TextBody", "text": "${data.a}"}],
                         "else": [{"type": "TextCaption", "text": ["a"]}]},
                    {"type": "Switch", "value": "${data.a}", "cases": {"x": [{"type": "TextBody", "text": "a"}]}},
                ],
            },
            {
                "data": {
                    "a": {"type": "string", "__example__": "x"}, "b": {"type": "string", "__example__": "x"},
                    "c": {"type": "number", "__example__": 1},
                },
                "children": [{"type": "Form", "name": "f", "init-values": {"d": "2026-01-05", "r": {
                    "start-date": "2026-01-05", "end-date": "2026-01-06"}}, "error-messages": {"d": "No"}, "children": [
                    {"type": "DatePicker", "name": "d", "label": "D", "min-date": "2026-01-01",
                        "max-date": "2026-01-31",
                     "unavailable-dates": ["2026-01-02"]},
                    {"type": "CalendarPicker", "name": "r", "mode": "range", "label": {
                        "start-date": "From", "end-date": "To"}, "min-days": 1, "max-days": 5},
                    {"type": "ImageCarousel", "images": [{"src": "iVBORw0KGgo=", "alt-text": "A"}]},
                    {"type": "PhotoPicker", "name": "p", "label": "P", "max-uploaded-photos": 1},
                    {"type": "Footer", "label": "Go", "on-click-action": {"name": "data_exchange", "payload": {
                        "p": "${form.p}", "t": "${screen.A.form.t}"}}},
                ]}],
            },
            {
                "terminal": True, "success": True, "refresh_on_back": True,
                "children": [{"type": "Footer", "label": "Go", "left-caption": "a", "right-caption": "b",
                              "on-click-action": {"name": "complete", "payload": {"t": "`'x' ${screen.A.form.t}`"}}}],
            },
        ],
    }
)  # fmt: skip


def test_a_document_with_everything_has_no_finding() -> None:
    """Most kinds of components, references and expressions, all of them valid."""
    assert everything(FULL) == []


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*path, step))


PLACES = [path for path in places(FULL) if path != ("version",)]
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", " ", "x", "`", "``", "`1 +`", "${data.a}", "${data.}", "${form.t.x}",
     "${screen.Q.data.a}",
     "${screen..data.a}", "${data.l.id}", [], [None], [[]], [{}], {}, {"type": "array"}, {"a": None}, {"type": 5}, "B",
         "C"]
)  # fmt: skip


def owner_of(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


@settings(max_examples=some(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.one_of(JUNK, st.just(...))), min_size=1, max_size=3),
    st.sampled_from(VERSIONS),
)
def test_broken_documents_never_raise(changes: list[tuple[tuple[Any, ...], Any]], version: Version) -> None:
    """Whatever is replaced or removed, findings have places that exist, and nothing raises."""
    document = copy.deepcopy(FULL)
    for path, value in changes:
        try:
            owner = owner_of(document, path)
            if value is ...:
                del owner[path[-1]]
            else:
                owner[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            pass  # an earlier change took the place away
    document["version"] = str(version)
    for rule_id, finding in everything(document):
        assert finding.message.endswith((".", "?")), rule_id  # a hint asks
        assert finding.code == finding.code.upper()


@settings(max_examples=some(60), deadline=None)
@given(st.recursive(st.one_of(JUNK, st.text(max_size=8)), lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(sorted({str(path[-1]) for path in PLACES})), inner,
        max_size=4)
)))  # fmt: skip
def test_components_of_any_content_never_raise(value: Any) -> None:
    """A component of every type with any properties."""
    properties = value if isinstance(value, dict) else {"text": value}
    kinds = sorted(
        {component.type for _, component in build(FULL).components()} | {"RichText", "NavigationList", "OptIn"}
    )
    children = [{**properties, "type": kind} for kind in kinds]
    everything(complete({"data": properties, "children": children}))


def test_the_index_is_made_once() -> None:
    """All rules share one index of a document."""
    document = build(FULL)
    assert index(document) is index(document)


class Counted(dict[str, Any]):
    """A mapping that counts how often it is asked."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        Counted.asked += 1
        return super().get(key, default)


@pytest.mark.parametrize("shape", ["screens", "components", "items", "bindings", "fields"])
def test_work_grows_with_the_document(shape: str) -> None:
    """Four times the document is about four times the work, never sixteen times."""

    def work(size: int) -> int:
        body: dict[str, Any] = {"type": "TextInput", "name": "a", "label": "A"}
        if shape == "screens":
            fragment: dict[str, Any] = {"screens": [
                {"id": f"S{i}", "go": f"S{i + 1}", "children": [dict(body)]} for i in range(size)
            ]}  # fmt: skip
        elif shape == "components":
            fragment = {
                "children": [{**body, "name": f"a{i}", "type": kind} for i in range(size) for kind in ("If", "OptIn")]
            }
        elif shape == "items":
            items = [{"id": str(i), "title": "x", "image": "x", "color": "y"} for i in range(size)]
            fragment = {"children": [{"type": "Dropdown", "name": "a", "data-source": items}]}
        elif shape == "bindings":
            fragment = {"children": [{"type": "TextBody", "text": f"${{form.a{i}}}"} for i in range(size)]}
        else:
            fragment = {"data": {f"f{i}": {"type": "object", "properties": {}} for i in range(size)}}

        def counted(value: Any) -> Any:
            if isinstance(value, dict):
                return Counted({key: counted(inner) for key, inner in value.items()})
            return [counted(inner) for inner in value] if isinstance(value, list) else value

        document = counted(complete(fragment))
        Counted.asked = 0
        everything(document)
        return Counted.asked

    assert work(400) < 5 * work(100)
