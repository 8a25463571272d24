"""`graph`: screens and routes, drawn."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.support import CommandLine, Outcome
from whatsapp_flows.cli._graph import graph_of, layers_of

SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"
HOSTILE = 'a"]; <script>&amp;|{}\\`\n\x1b\ud800--> "1. #'


def screen(name: str, *targets: str, **more: Any) -> dict[str, Any]:
    children = [
        {"type": "Footer", "on-click-action": {"name": "navigate", "next": {"type": "screen", "name": target}}}
        for target in targets
    ]
    return {"id": name, "layout": {"children": [{"type": "Form", "children": children}]}, **more}


def flow(*screens: Any, **more: Any) -> dict[str, Any]:
    return {"version": "7.3", "screens": list(screens), **more}


BOOKING = flow(
    screen("START", title="Begin"),
    screen("DETAILS"),
    screen("DONE", terminal=True),
    routing_model={"START": ["DETAILS", "GONE"], "DETAILS": ["DONE"]},
)


def draw(document: Any, *options: str) -> Outcome:
    return CommandLine()("graph", "-", *options, stdin=json.dumps(document))


def test_mermaid_is_what_is_drawn_by_default() -> None:
    """Screens in the order of the document; terminal and missing ones are marked."""
    outcome = draw(BOOKING)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "flowchart LR\n"
        '    s0["START<br/>Begin"]\n'
        '    s1["DETAILS"]\n'
        '    s2(["DONE"]):::terminal\n'
        '    s3["GONE"]:::missing\n'
        "    s0 --> s1\n"
        "    s0 --> s3\n"
        "    s1 --> s2\n"
        "    classDef terminal stroke-width:3px\n"
        "    classDef missing stroke-dasharray:4\n"
    )


def test_dot_is_a_digraph() -> None:
    """The same, for Graphviz."""
    assert draw(BOOKING, "--format", "dot").out == (
        "digraph flow {\n"
        "    rankdir=LR;\n"
        "    node [shape=box];\n"
        '    s0 [label="START\\nBegin"];\n'
        '    s1 [label="DETAILS"];\n'
        '    s2 [label="DONE", peripheries=2];\n'
        '    s3 [label="GONE", style=dashed];\n'
        "    s0 -> s1;\n"
        "    s0 -> s3;\n"
        "    s1 -> s2;\n"
        "}\n"
    )


def test_svg_has_a_box_for_each_screen_and_an_arrow_for_each_route() -> None:
    """In columns from left to right; a long name is cut, and is complete in the tooltip."""
    document = flow(screen("A" * 30, "B"), screen("B", "B", "A" * 30, terminal=True), screen("C", "D"))
    outcome = draw(document, "--format", "svg")
    assert draw(document, "--format", "svg") == outcome
    root = ElementTree.fromstring(outcome.out)
    groups = root.findall(f"{SVG}g")
    assert [group.findtext(f"{SVG}title") for group in groups] == ["A" * 30, "B (terminal)", "C", "D"]
    assert groups[0].findtext(f"{SVG}text") == "A" * 21 + "…"
    boxes = [box for group in groups for box in group.findall(f"{SVG}rect")]
    assert len({(box.get("x"), box.get("y")) for box in boxes}) == 4
    assert [box.get("stroke-width") for box in boxes] == ["1", "3", "1", "1"]
    assert [box.get("stroke-dasharray") for box in boxes] == [None, None, None, "4"]
    assert len(root.findall(f"{SVG}path")) == 4


def test_an_empty_flow_can_be_drawn() -> None:
    """The drawing is empty."""
    for form in ("mermaid", "dot", "svg"):
        assert draw({}, "--format", form).code == 0


def test_json_has_screens_and_routes() -> None:
    """For other drawing programs."""
    found = draw(BOOKING, "--json").json
    assert found["screens"][0] == {"id": "START", "title": "Begin", "terminal": False, "known": True}
    assert found["routes"][-1] == {"from": "DETAILS", "to": "DONE"}


def test_without_a_routing_model_the_actions_are_the_routes() -> None:
    """Every navigate action at any depth; each route once."""
    graph = graph_of(flow(screen("A", "B", "C", "B"), screen("B", "C"), screen("C")))
    assert [node.id for node in graph.nodes] == ["A", "B", "C"]
    assert graph.routes == ((0, 1), (0, 2), (1, 2))


@pytest.mark.parametrize(
    "document",
    [
        {"screens": 1},
        flow(None, {"id": 1, "title": []}, {"layout": {"name": "navigate", "next": {"name": 1}}}),
        flow({"layout": {"name": "navigate", "next": "A"}}, {"layout": {"name": "other", "next": {"name": "A"}}}),
        flow({}, routing_model={"A": 1, "B": [1, None]}),
        flow({}, routing_model=[]),
    ],
)
def test_a_flow_with_errors_is_drawn_as_far_as_it_goes(document: Any) -> None:
    """Invalid parts are left out."""
    assert graph_of(document).routes == ()
    assert draw(document, "--format", "svg").code == 0


@pytest.mark.parametrize(
    ("count", "routes", "layers"),
    [
        (0, (), []),
        (3, ((0, 1), (1, 2), (0, 2)), [0, 1, 1]),
        (3, ((0, 1), (1, 2), (2, 0)), [0, 1, 2]),
        (4, ((0, 1), (2, 3), (3, 2)), [0, 1, 0, 1]),
        (2, ((0, 0), (0, 1)), [0, 1]),
    ],
)
def test_a_screen_stands_as_far_as_it_takes_steps(
    count: int, routes: tuple[tuple[int, int], ...], layers: list[int]
) -> None:
    """Loops end, and unconnected screens are at the left."""
    assert layers_of(count, routes) == layers


def test_hostile_names_stay_names() -> None:
    """In each format they are text only."""
    document = flow(screen(HOSTILE, title=HOSTILE))
    mermaid = draw(document).out.splitlines()
    assert re.fullmatch(r' {4}s0\["(?:\w| |#\d+;|<br/>)+"\]', mermaid[1])
    assert len(mermaid) == 4
    dot = draw(document, "--format", "dot").out
    label = re.search(r' {4}s0 \[label="((?:[^"\\]|\\.)*)"\];\n\}', dot)
    assert label is not None
    assert "&amp;amp;" in label[1]
    svg = ElementTree.fromstring(draw(document, "--format", "svg").out)
    assert not list(svg.iter(f"{SVG}script"))
    assert "<script>" in (svg.findtext(f"{SVG}g/{SVG}title") or "")


def test_what_is_no_json_cannot_be_drawn(tmp_path: Path) -> None:
    """The file is named, and the exit code is 2."""
    file = tmp_path / "x.json"
    file.write_text("{")
    outcome = CommandLine()("graph", file)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"{file} is not JSON" in outcome.err
    assert CommandLine()("graph", tmp_path / "none.json").code == 2


def test_the_examples_can_be_drawn() -> None:
    """All of them, without credentials."""
    for file in sorted(EXAMPLES.glob("*.json")):
        outcome = CommandLine()("graph", file)
        assert outcome.code == 0
        assert ":::terminal" in outcome.out
        assert ":::missing" not in outcome.out.replace("classDef missing", "")
