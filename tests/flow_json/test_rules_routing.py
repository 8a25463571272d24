"""Screens and routes: what each rule finds, and where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow_json.rules_support import check

ROUTE = "INVALID_ROUTING_MODEL"
LIST: dict[str, Any] = {"type": "NavigationList", "name": "n"}
Found = list[tuple[str, str]]


def chain(*edges: tuple[str, str], count: int = 3, **more: Any) -> dict[str, Any]:
    """Screens A, B, C with one navigating Footer each."""
    targets = dict(edges)
    names = "ABCDEFGHIJKLMNOP"[:count]
    return {"screens": [{"go": targets[name]} if name in targets else {} for name in names], **more}


@pytest.mark.parametrize(
    ("rule_id", "version", "fragment", "expected"),
    [
        ("FJ101", "7.3", {"repeat": 100, "screens": [{}]}, []),
        ("FJ101", "2.1", {"repeat": 102, "screens": [{}]},
         [("MAX_SCREENS_NUMBER", "screens.100"), ("MAX_SCREENS_NUMBER", "screens.101")]),
        ("FJ102", "7.3", {"screens": [{"id": "A"}, {"id": "B"}, {"id": "A"}, {"id": "A"}]},
         [("DUPLICATE_SCREEN_IDS", "screens.2.id"), ("DUPLICATE_SCREEN_IDS", "screens.3.id")]),
        ("FJ103", "7.3", {"screens": [{"id": "success"}, {"id": "SUCCESS"}]},
         [("SCREEN_ID_IS_RESERVED_KEYWORD", "screens.0.id"), ("SCREEN_ID_IS_RESERVED_KEYWORD?", "screens.1.id")]),
        ("FJ104", "2.1", {"screens": [{}]}, [("MISSING_TERMINAL_SCREEN", "screens")]),
        ("FJ105", "3.1", {"screens": [{"terminal": True, "success": False}, {"terminal": False}]},
         [("INVALID_PROPERTY_VALUE", "screens.0.success")]),
        ("FJ105", "7.3", {"screens": [{"terminal": True, "success": False}, {}]},
         [("INVALID_PROPERTY_VALUE?", "screens.0.success")]),
        ("FJ105", "7.3", {"screens": [{"terminal": True, "success": False}, {"terminal": True, "success": True}]}, []),
        ("FJ105", "7.3", {"screens": [{}]}, []),
        ("FJ106", "7.3", {"children": [{"type": "DatePicker", "on-select-action": {"name": "data_exchange"}}]},
         [("MISSING_REQUIRED_PROPERTY", "0/0.on-select-action.name")]),
        ("FJ107", "7.3", {"data_api_version": "3.0"}, [("MISSING_REQUIRED_PROPERTY", "")]),
        ("FJ108", "7.3", {"screens": [{"refresh_on_back": False}, {"refresh_on_back": True}]},
         [("INVALID_PROPERTY_VALUE", "screens.1.refresh_on_back")]),
        ("FJ109", "5.1", {"sensitive": ["a", "b", 5], "children": [
            {"type": "If", "then": [{"type": "OptIn", "name": "a"}]}]},
         [("INVALID_SENSITIVE_FIELD", "screens.0.sensitive.1")]),
        ("FJ109", "5.0", {"sensitive": ["b"]}, []),
        ("FJ110", "5.1", {"meta": {}}, [("INVALID_FLOW_JSON", "meta")]),
    ],
)  # fmt: skip
def test_screens(rule_id: str, version: str, fragment: dict[str, Any], expected: Found) -> None:
    """Ids, terminal screens, and what needs an endpoint."""
    assert check(rule_id, fragment, version) == expected


TEN = list("BCDEFGHIJK")


@pytest.mark.parametrize(
    ("rule_id", "version", "fragment", "expected"),
    [
        ("FJ201", "7.3", {"screens": [{}, {}]}, []),
        ("FJ201", "7.3", {"routing_model": {}, "screens": [{}, {"terminal": True}, {"terminal": False}]},
         [(ROUTE, "screens.0.id"), (ROUTE, "screens.2.id")]),
        ("FJ202", "7.3", {"screens": [{}]}, []),
        ("FJ202", "7.3", {"routing_model": {"A": ["X", "B", 5], "Y": ["Z"]}, "screens": [{}, {}]},
         [(ROUTE, "routing_model.A.0"), (ROUTE, "~routing_model.Y"), (ROUTE, "routing_model.Y.0")]),
        ("FJ202", "7.3", {"routing_model": {"A": "B"}, "screens": [{}]}, []),
        ("FJ203", "7.3", chain(("A", "A")), []),
        ("FJ203", "7.3", {"routing_model": {"A": ["B"], "B": ["C", "B"]}}, [(ROUTE, "~routing_model.B")]),
        ("FJ204", "7.3", {"routing_model": {"A": TEN}}, []),
        ("FJ204", "7.3", {"routing_model": {"A": [*TEN, "L"]}}, [(ROUTE, "~routing_model.A")]),
        ("FJ204", "7.3", {"screens": [
            {"children": [{"type": "EmbeddedLink", "on-click-action": {
                "name": "navigate", "next": {"type": "screen", "name": name}}} for name in [*TEN, *TEN]]}]}, []),
        ("FJ204", "7.3", {"screens": [
            {"children": [{"type": "EmbeddedLink", "on-click-action": {
                "name": "navigate", "next": {"type": "screen", "name": name}}} for name in [*TEN, "L"]]}]},
         [(ROUTE, "screens.0")]),
        ("FJ205", "7.3", {"screens": [{}]}, []),
        ("FJ205", "7.3", {"routing_model": {"A": ["B", "C"], "B": ["C", "A"], "C": ["B"]}},
         [(ROUTE, "routing_model.B.1"), (ROUTE, "routing_model.C.0")]),
        ("FJ205", "7.3", {"routing_model": {"A": ["A", "A"]}}, []),
        ("FJ206", "5.1", chain(("A", "B"), ("B", "C"), ("C", "A")), [(ROUTE, "screens")]),
        ("FJ206", "7.0", chain(("A", "B"), ("B", "C"), ("C", "A")), [(ROUTE + "?", "screens")]),
        ("FJ206", "5.1", chain(("A", "B"), ("B", "C")), []),
        ("FJ206", "7.2", {"routing_model": {"A": ["B"], "B": ["A"]}, "screens": [{}, {}]},
         [(ROUTE + "?", "routing_model")]),
        ("FJ206", "7.3", {"routing_model": {"A": ["B"]}, "screens": [{"go": "B"}, {"go": "A"}]},
         [(ROUTE, "routing_model")]),
        ("FJ206", "6.2", {"routing_model": {"A": ["B"]}, "screens": [{"go": "B"}, {"go": "A"}]}, []),
        ("FJ206", "6.2", {"screens": [{"children": [LIST]}, {"go": "A"}]}, []),
        ("FJ206", "6.1", {"screens": [{"children": [LIST]}, {"go": "A"}]}, [(ROUTE, "screens")]),
        ("FJ206", "6.1", {"screens": []}, []),
        ("FJ207", "7.3", chain(("A", "B"), count=4), [(ROUTE, "screens.2.id"), (ROUTE, "screens.3.id")]),
        ("FJ207", "7.3", chain(("B", "A"), ("C", "B")), []),
        ("FJ207", "7.3", chain(count=1), []),
        ("FJ207", "7.3", {"routing_model": {"A": [], "B": []}, "screens": [{}, {}]}, [(ROUTE, "screens.1.id")]),
        ("FJ207", "7.3", {"screens": [{"children": [LIST]}, {}]}, []),
        ("FJ207", "7.3", {"data_api_version": "3.0", "screens": [{"children": [LIST]}, {}]}, [(ROUTE, "screens.1.id")]),
        ("FJ208", "7.3", chain(("A", "B")), []),
        ("FJ208", "7.3", chain(("A", "B"), ("B", "A"), ("C", "C"), routing_model={"A": ["B"]}), []),
        ("FJ208", "7.3", chain(("A", "Q"), routing_model={"A": ["B"]}), []),
        ("FJ208", "7.3", chain(("A", "C"), routing_model={"A": ["B"]}),
         [(ROUTE, "screens.0.id"), (ROUTE, "screens.2.id")]),
        ("FJ208", "6.3", chain(("A", "C"), routing_model={"A": ["B"]}),
         [(ROUTE + "?", "screens.0.id"), (ROUTE + "?", "screens.2.id")]),
        ("FJ208", "6.2", {"routing_model": {"A": []}, "screens": [{"go": "B", "children": [LIST]}, {}]}, []),
        ("FJ208", "6.1", {"routing_model": {"A": []}, "screens": [{"go": "B", "children": [LIST]}, {}]},
         [(ROUTE, "screens.0.id"), (ROUTE, "screens.1.id")]),
    ],
)  # fmt: skip
def test_routes(rule_id: str, version: str, fragment: dict[str, Any], expected: Found) -> None:
    """The routing model, and the routes that navigate actions make without one."""
    assert check(rule_id, fragment, version) == expected


def many(kind: str, count: int) -> list[dict[str, Any]]:
    return [{"type": kind} for _ in range(count)]


TYPE = "COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN"
TOTAL = "MAX_ALLOWED_COMPONENTS_PER_SCREEN"


@pytest.mark.parametrize(
    ("rule_id", "version", "children", "expected"),
    [
        ("FJ120", "2.1", many("OptIn", 5), []),
        ("FJ120", "2.1", many("OptIn", 7), [(TYPE, "0/5.type"), (TYPE, "0/6.type")]),
        ("FJ120", "2.1", many("EmbeddedLink", 3), [(TYPE, "0/2.type")]),
        ("FJ120", "7.3", many("Image", 4), [(TYPE, "0/3.type")]),
        ("FJ120", "6.3", many("Form", 2), []),
        ("FJ120", "7.0", many("Form", 2), [(TYPE, "0/1.type")]),
        ("FJ120", "7.0", [*many("Form", 2), {"type": "If"}], []),
        ("FJ120", "7.1", many("ImageCarousel", 3), [(TYPE, "0/2.type")]),
        ("FJ120", "6.2", many("NavigationList", 3), [(TYPE, "0/2.type")]),
        ("FJ120", "4.0", [{"type": "If", "then": many("Footer", 1), "else": many("Footer", 1)}], []),
        ("FJ120", "4.0", [{"type": "If", "then": many("Footer", 1)}, {"type": "If", "else": many("Footer", 1)}],
         [(TYPE, "0/0.then.0.type"), (TYPE, "0/1.else.0.type")]),
        ("FJ120", "4.0", [*many("Footer", 1), {"type": "Switch", "cases": {"then": many("Footer", 1)}}],
         [(TYPE, "0/0.type"), (TYPE, "0/1.cases.then.0.type")]),
        ("FJ120", "4.0", [{"type": "Switch", "cases": {"a": many("Image", 3), "cases": many("Image", 2)}}], []),
        ("FJ120", "4.0", [{"type": "If", "then": [
            {"type": "If", "then": many("Image", 2), "else": many("Image", 1)}, *many("Image", 1)]}], []),
        ("FJ120", "4.0", [{"type": "If", "then": [
            {"type": "If", "then": many("Image", 2), "else": many("Image", 1)}, *many("Image", 2)]}],
         [(TYPE, "0/0.then.0.then.0.type"), (TYPE, "0/0.then.0.then.1.type"), (TYPE, "0/0.then.0.else.0.type"),
          (TYPE, "0/0.then.1.type"), (TYPE, "0/0.then.2.type")]),
        ("FJ121", "4.0", [*many("PhotoPicker", 1), *many("DocumentPicker", 1)],
         [(TYPE, "0/0.type"), (TYPE, "0/1.type")]),
        ("FJ121", "4.0", [{"type": "If", "then": many("PhotoPicker", 1), "else": many("DocumentPicker", 1)}], []),
        ("FJ122", "7.3", many("TextBody", 50), []),
        ("FJ122", "7.3", [{"type": "Form", "children": many("TextBody", 50)}], []),
        ("FJ122", "7.3", many("TextBody", 51), [(TOTAL + "?", "0/50.type")]),
        ("FJ122", "7.3", [{"type": "Form", "children": many("TextBody", 101)}], [(TOTAL, "0/0/100.type")]),
        ("FJ123", "7.3", [{"type": "Form", "name": "a"}, {"type": "TextArea", "name": "a"}], []),
        ("FJ123", "7.3", [{"type": "If", "then": [{"type": "TextArea", "name": "a"}],
         "else": [{"type": "OptIn", "name": "a"}]},
                          {"type": "OptIn", "name": "b"}, {"type": "OptIn", "name": 5}],
         [("DUPLICATE_FORM_COMPONENT_NAMES", "0/0.then.0.name"),
          ("DUPLICATE_FORM_COMPONENT_NAMES", "0/0.else.0.name")]),
    ],
)  # fmt: skip
def test_counts(rule_id: str, version: str, children: list[dict[str, Any]], expected: Found) -> None:
    """The counts of exclusive branches are combined by maximum, those of siblings by sum."""
    assert check(rule_id, {"children": children}, version) == expected
