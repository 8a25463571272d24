"""A storyboard: which pictures of a Flow there are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from whatsapp_flows import ConfigurationError
from whatsapp_flows.preview._storyboard import Board, BoardedScreen, storyboard

TODAY = date(2026, 9, 1)
SOLAR = Path(__file__).parents[2] / "examples" / "flows" / "solar_installation.json"

Json = dict[str, Any]


def field(name: str, **more: Any) -> Json:
    """A text field."""
    return {"type": "TextInput", "name": name, "label": name.title(), "required": True, **more}


def text(wording: str, **more: Any) -> Json:
    """A line of text."""
    return {"type": "TextBody", "text": wording, **more}


def choice(name: str, *ids: str, kind: str = "RadioButtonsGroup", **more: Any) -> Json:
    """A group of options, whose titles are their ids in capitals."""
    options = [{"id": each, "title": each.upper()} for each in ids]
    return {"type": kind, "name": name, "label": name.title(), "data-source": options, **more}


def footer(to: str | None = None) -> Json:
    """A Footer that goes to another screen, or ends the Flow."""
    action: Json = {"name": "complete", "payload": {}}
    if to is not None:
        action = {"name": "navigate", "next": {"type": "screen", "name": to}, "payload": {}}
    return {"type": "Footer", "label": "Continue", "on-click-action": action}


def screen(name: str, *children: Json, data: Mapping[str, Any] | None = None, to: str | None = None) -> Json:
    """A screen with a Footer."""
    layout = {"type": "SingleColumnLayout", "children": [*children, footer(to)]}
    model = {"data": {key: schema_of(value) for key, value in data.items()}} if data else {}
    return {"id": name, "title": name.title(), "terminal": to is None, **model, "layout": layout}


def schema_of(example: Any) -> Json:
    """An entry of a data model."""
    names = {bool: "boolean", int: "number", float: "number", str: "string"}
    return {"type": names[type(example)], "__example__": example}


def flow(*screens: Json) -> Json:
    """A document."""
    return {"version": "7.3", "screens": list(screens)}


def only(document: Json) -> BoardedScreen:
    """The boards of its only screen."""
    (found,) = storyboard(document, today=TODAY).screens
    return found


def texts(board: Board) -> list[str]:
    """The lines of text that are shown."""
    return [node.props["text"] for node in board.view.nodes if node.kind == "TextBody" and node.shown]


def captions(found: BoardedScreen) -> list[str]:
    return [board.caption for board in found.boards]


def test_a_screen_with_a_field_has_three_pictures() -> None:
    """As it opens, with the errors of all its fields, and filled in so that it can be left."""
    found = only(flow(screen("START", field("name"), field("mail", **{"input-type": "email"}))))
    assert captions(found) == ["As it opens", "With errors", "Filled in"]
    empty, wrong, filled = (board.view for board in found.boards)
    assert [node.error != "" for node in empty.nodes] == [False, False]
    assert [node.error != "" for node in wrong.nodes] == [True, True]
    assert [(node.value != "", node.invalid) for node in filled.nodes] == [(True, ""), (True, "")]
    assert (empty.footer is not None and empty.footer.enabled) is False
    assert filled.footer is not None
    assert filled.footer.enabled


def test_a_screen_of_texts_has_one_picture() -> None:
    """There is nothing to fill in, and nothing that may be wrong."""
    assert captions(only(flow(screen("START", text("one"))))) == ["As it opens"]


def test_optional_fields_are_filled_too() -> None:
    """Without errors."""
    found = only(flow(screen("START", field("name", required=False), choice("plan", "a", "b"))))
    assert captions(found) == ["As it opens", "Filled in"]
    assert [node.value for node in found.boards[1].view.nodes] == ["Example", "a"]


BRANCHES: list[tuple[list[Json], dict[str, Any], list[tuple[str, list[str]]]]] = [
    (
        [choice("plan", "basic", "plus"),
         {"type": "If", "condition": "${form.plan} == 'plus'", "then": [text("yes")], "else": [text("no")]}],
        {},
        [("Plan: PLUS", ["yes"])],
    ),
    (
        [field("age", **{"input-type": "number"}),
         {"type": "If", "condition": "${form.age} > 17", "then": [text("adult")], "else": [text("minor")]}],
        {},
        [("Age: 18", ["adult"])],
    ),
    (
        [{"type": "If", "condition": "${data.member}", "then": [text("member")], "else": [text("guest")]}],
        {"member": True},
        [("member: no", ["guest"])],
    ),
    (
        [{"type": "Switch", "value": "${data.kind}",
          "cases": {"a": [text("A")], "b": [text("B")], "c": [text("C")]}}],
        {"kind": "b"},
        [("kind: a", ["A"]), ("kind: c", ["C"])],
    ),
    (
        [text("hint", visible="${data.hint}")],
        {"hint": False},
        [("hint: yes", ["hint"])],
    ),
    (
        [{"type": "OptIn", "name": "terms", "label": "Terms"},
         {"type": "If", "condition": "${form.terms} == true", "then": [
             text("thanks"),
             {"type": "If", "condition": "${data.level} > 3", "then": [text("high")], "else": [text("low")]},
         ]}],
        {"level": 1},
        [("Filled in, level: 4", ["thanks", "high"])],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("children", "data", "found"), BRANCHES)
def test_each_branch_has_a_picture(
    children: list[Json], data: dict[str, Any], found: list[tuple[str, list[str]]]
) -> None:
    """Also an If in an If: the caption says which choice, or which data, leads there."""
    boards = only(flow(screen("START", *children, data=data))).boards
    assert [(board.caption, texts(board)) for board in boards if board.kind == "branch"] == found


def test_a_branch_that_is_seen_already_is_not_drawn_again() -> None:
    """A filled screen shows it."""
    condition = {"type": "If", "condition": "${form.plan} == 'basic'", "then": [text("basic")]}
    found = only(flow(screen("START", choice("plan", "basic", "plus"), condition)))
    assert captions(found) == ["As it opens", "Filled in"]
    assert texts(found.boards[1]) == ["basic"]


def test_the_list_of_a_dropdown_is_drawn_open() -> None:
    """With the options that it offers."""
    found = only(flow(screen("START", choice("size", "s", "m", kind="Dropdown", required=True))))
    (board,) = (board for board in found.boards if board.kind == "choices")
    assert (board.caption, board.sheet) == ("Choices of Size", "/screens/0/layout/children/0")


def test_screens_lead_to_each_other() -> None:
    """Along the routes, and from what is tapped; the first screen can be closed."""
    links = {"type": "EmbeddedLink", "text": "Help", "on-click-action": footer("HELP")["on-click-action"]}
    start, end, help_ = storyboard(
        flow(screen("START", links, to="END"), screen("END"), screen("HELP")), today=TODAY
    ).screens  # fmt: skip
    assert (start.routes, end.routes) == (("END", "HELP"), ())
    paths = [f"/screens/0/layout/children/{number}" for number in range(2)]
    assert dict(start.boards[0].taps) == {(paths[0], ""): "HELP", (paths[1], ""): "END"}
    assert [each.boards[0].first for each in (start, end, help_)] == [True, False, False]


def test_items_of_a_list_lead_to_their_screens() -> None:
    """Each to its own, or all to that of the list."""
    own = footer("ONE")["on-click-action"]
    items = [
        {"id": "a", "main-content": {"title": "A"}, "on-click-action": own},
        {"id": "b", "main-content": {"title": "B"}, "on-click-action": {"name": "data_exchange", "payload": {}}},
    ]
    layout = {
        "type": "SingleColumnLayout",
        "children": [{"type": "NavigationList", "name": "list", "list-items": items}],
    }
    start = {"id": "START", "title": "Start", "layout": layout}
    board = storyboard(flow(start, screen("ONE")), today=TODAY).screens[0].boards[0]
    assert dict(board.taps) == {("/screens/0/layout/children/0", "a"): "ONE"}


def test_ids_that_are_no_anchors_get_a_number() -> None:
    """Whatever an id holds, its anchor is a word."""
    found = storyboard(flow(screen("START"), screen('a" onload="x'), screen("")), today=TODAY)
    assert [each.anchor for each in found.screens] == ["screen-START", "number-2", "number-3"]


def test_the_same_document_and_day_give_the_same_storyboard() -> None:
    """From a path, a text or a mapping."""
    document = json.loads(SOLAR.read_text())
    assert (
        storyboard(SOLAR, today=TODAY)
        == storyboard(document, today=TODAY)
        == storyboard(SOLAR.read_bytes(), today=TODAY)
    )


def test_many_screens_are_bounded() -> None:
    """The first 200 are drawn, the others named; states that are tried are counted for the whole Flow."""
    children = [choice("plan", *(f"o{number}" for number in range(20)))]
    children += [
        {"type": "If", "condition": f"${{form.plan}} == 'o{number}'", "then": [text(f"{number}")]}
        for number in range(20)
    ]
    found = storyboard(flow(*(screen(f"S_{number}", text("a")) for number in range(203))), today=TODAY)
    assert (len(found.screens), found.omitted) == (200, ("S_200", "S_201", "S_202"))
    assert len(only(flow(screen("START", *children))).boards) == 2 + 12


@pytest.mark.slow
def test_a_screen_of_very_many_fields_is_filled_in_part() -> None:
    """As many events as its size allows: each of them looks at all components."""
    found = only(flow(screen("START", *(field(f"f{number}") for number in range(4_000)))))
    _, wrong, filled = (board.view for board in found.boards)
    assert sum(node.error != "" for node in wrong.nodes) == 5
    assert 5 <= sum(node.value == "Example" for node in filled.nodes) <= 15


def test_what_is_no_flow_json_is_refused() -> None:
    """With the reason."""
    with pytest.raises(ConfigurationError, match="must be a JSON object"):
        storyboard(b"[]", today=TODAY)


@pytest.mark.parametrize(
    "document",
    [{}, {"screens": 3}, {"screens": [None, {}, {"id": 5}]}, {"screens": [{"id": "A", "layout": [[[]]]}]},
     flow(screen("A", {"type": "If", "condition": "((("}), screen("A", {"type": "Unknown"}))],
)  # fmt: skip
def test_a_document_with_errors_is_drawn_as_far_as_it_goes(document: Json) -> None:
    """Nothing is raised; each screen has a picture."""
    assert all(each.boards for each in storyboard(document, today=TODAY).screens)
