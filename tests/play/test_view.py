"""What the user sees of a screen: its header, its components, its Footer, and any document whatever."""

from __future__ import annotations

import contextlib
import copy
import json
import math
import pickle
import random
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counting import steps
from tests.effort import some
from tests.flow_json.fuzz import VALUES
from tests.flow_json.samples import samples
from tests.play.views import CHILD, FIRST, TODAY, issues, seen, session
from whatsapp_flows._dataclasses import replace
from whatsapp_flows._json import pointer_steps
from whatsapp_flows.flow_json import COMPONENTS, Shape
from whatsapp_flows.play._components import MAX_NESTING
from whatsapp_flows.play._events import AskEndpoint, Broken, Complete, Snackbar
from whatsapp_flows.play._flow import PlayedFlow, read_flow
from whatsapp_flows.play._session import Opening, ScreenState, Session
from whatsapp_flows.play._values import Node, View
from whatsapp_flows.play._view import view
from whatsapp_flows.preview._json import view_json

TEXT: Final = {"type": "TextBody", "text": "Hello"}
FOOTER: Final = {"type": "Footer", "label": "Go", "on-click-action": {"name": "complete", "payload": {}}}
REQUEST: Final = AskEndpoint(number=1, action="data_exchange", screen="START", data={}, flow_token="t")


def test_a_screen_has_a_title_and_a_way_back() -> None:
    """The title may come from data; going back from the first screen closes the Flow."""
    found = seen(TEXT)
    assert (found.screen, found.title, found.back, found.loading, found.over) == ("START", "Start", True, False, False)
    named = seen(TEXT, more={"title": "${data.title}"}, data={"title": "From data"})
    assert named.title == "From data"
    assert seen(TEXT, more={"title": 5}).title == ""
    (reported,) = issues(seen(TEXT, more={"title": "Dear ${data.name}"}))
    assert "shown as written" in reported
    missing = seen(TEXT, more={"title": "${data.missing}"})
    assert (missing.title, issues(missing)) == ("", ["${data.missing} has no value."])


def test_while_the_flow_opens_there_is_no_screen() -> None:
    """An INIT is on its way; if it fails, the reason is an issue."""
    found = seen(TEXT, history=(), screens={}, pending=REQUEST)
    assert (found.screen, found.nodes, found.footer, found.loading, found.back) == ("", (), None, True, False)
    end = Broken(key="timeout_error", message="The endpoint does not answer.")
    failed = seen(TEXT, history=(), screens={}, end=end)
    assert (issues(failed), failed.over) == (["The endpoint does not answer."], True)


def test_nodes_stand_in_document_order_without_the_footer() -> None:
    """Those that are not shown too."""
    branches = {"type": "If", "condition": "${data.a}", "then": [TEXT], "else": [TEXT]}
    found = seen(TEXT, branches, {**TEXT, "visible": False}, FOOTER, data={"a": True})
    assert [(node.path.removeprefix(CHILD), node.shown) for node in found.nodes] == [
        ("/0", True), ("/1/then/0", True), ("/1/else/0", False), ("/2", False),
    ]  # fmt: skip
    assert found.footer is not None
    assert found.node(f"{CHILD}/3") is found.footer
    assert seen(TEXT).footer is None


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        ({}, True),
        ({"pending": REQUEST}, False),
        ({"end": Complete(payload={})}, False),
        ({"form": {"name": ""}}, False),
        ({"form": {"name": "Ada"}}, True),
    ],
)
def test_the_footer_waits(state: dict[str, Any], enabled: bool) -> None:
    """For valid fields (footer.enabled) and for an answer (footer.loading); after the end it waits for nothing."""
    field = {"type": "TextInput", "name": "name", "label": "Name", "required": True}
    found = seen(field, FOOTER, **{"form": {"name": "Ada"}, **state})
    assert found.footer is not None
    assert found.footer.enabled is enabled


def test_the_footer_is_that_of_the_branch() -> None:
    """One in each branch; without a branch that is taken, the first, which is not shown; two shown are an issue."""
    one, other = {**FOOTER, "label": "One"}, {**FOOTER, "label": "Other"}
    branches = {"type": "If", "condition": "${data.a}", "then": [one], "else": [other]}
    for a, label in [(True, "One"), (False, "Other")]:
        found = seen(branches, data={"a": a})
        assert found.footer is not None
        assert (found.footer.props["label"], found.footer.shown) == (label, True)
    none = seen({"type": "Switch", "value": "${data.k}", "cases": {"x": [one]}}, data={"k": "y"})
    assert none.footer is not None
    assert not none.footer.shown
    assert issues(seen(one, other)) == ["More than one Footer is shown: the first is taken."]


def test_the_snackbar_is_shown() -> None:
    """With its seconds."""
    bar = Snackbar("Try again", 4.5)
    assert seen(TEXT, snackbar=bar).snackbar == bar


@pytest.mark.parametrize(
    ("more", "reported"),
    [
        ({"layout": None}, "no layout"),
        ({"layout": {"type": "SingleColumnLayout", "children": {}}}, "no layout"),
        ({"layout": {"type": "CartLayout", "children": []}}, "is no SingleColumnLayout"),
        ({"layout": {"children": []}}, ""),
    ],
)
def test_a_layout_that_cannot_be_drawn_is_reported(more: dict[str, Any], reported: str) -> None:
    """An issue of the screen."""
    flow = read_flow({"version": "7.3", "screens": [{"id": "START", "title": "T", **more}]})
    state = {"START": ScreenState()}
    found = view(Session(flow=flow, opening=Opening(), flow_token="t", today=TODAY, history=("START",), screens=state))
    assert [reported in issue.text for issue in found.issues] == [True] * bool(reported)


def test_what_is_nested_too_deeply_is_reported() -> None:
    """It is a node that cannot be played."""
    tree: dict[str, Any] = TEXT
    for _ in range(MAX_NESTING + 5):
        tree = {"type": "If", "condition": True, "then": [tree]}
    (found,) = seen(tree).nodes
    assert [(issue.text, issue.blocking) for issue in found.issues] == [("This If is nested too deeply.", True)]
    assert found.shown


def test_conditions_are_reported() -> None:
    """With their place: what is evaluated in another way than it reads."""
    branches = {"type": "If", "condition": "`${data.n} > 1`", "then": [TEXT]}
    (reported,) = seen(branches, data={"n": 6}).issues
    assert reported.text.startswith(f"{FIRST}: ")
    assert reported.evidence is not None


# -- any document


def sessions(flow: PlayedFlow) -> Iterator[Session]:
    """A session on each screen of a Flow, with its examples as data."""
    states = {name: ScreenState(data=screen.examples) for name, screen in flow.screens.items()}
    for name in flow.screens:
        yield Session(flow=flow, opening=Opening(), flow_token="t", today=TODAY, history=(name,), screens=states)


def holds(found: View, flow: PlayedFlow) -> None:
    """What is true of every view."""
    nodes = [*found.nodes, *filter(None, [found.footer])]
    assert len({node.path for node in nodes}) == len(nodes)
    for node in nodes:
        assert at(flow.document, node.path) is not None or node.kind == ""
        assert node.shown or not node.invalid
        assert node.kind in KINDS or any(issue.blocking for issue in node.issues)
    if found.footer is not None and found.footer.enabled:
        assert not any(node.invalid for node in nodes)


KINDS: Final = {shape.name for shape in COMPONENTS}


def at(document: Any, pointer: str) -> Any:
    for key in pointer_steps(pointer):
        document = document[int(key) if isinstance(document, list) else key]
    return document


@pytest.mark.parametrize("document", [pytest.param(made, id=name) for name, made in samples()])
def test_every_screen_of_a_valid_document_is_drawn(document: dict[str, Any]) -> None:
    """Nothing blocks, the view is the same the second time, and of a session that was pickled."""
    flow = read_flow(document)
    for each in sessions(flow):
        found = view(each)
        holds(found, flow)
        assert not [issue for node in found.nodes for issue in node.issues if issue.blocking]
        assert found == view(each) == view(pickle.loads(pickle.dumps(each)))


SAMPLES: Final = [document for _, document in samples()]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in a document."""
    yield path
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places(inner, (*path, key))


def spoilt(seed: int) -> dict[str, Any]:
    """A valid document in which some values are replaced by others."""
    chance = random.Random(seed)
    document: dict[str, Any] = copy.deepcopy(chance.choice(SAMPLES))
    for path in chance.sample(sorted(path for path in places(document) if path), chance.randint(1, 6)):
        with contextlib.suppress(KeyError, IndexError, TypeError):  # an earlier change has taken the place away
            holder: Any = document
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = copy.deepcopy(chance.choice(VALUES))
    return document


@settings(max_examples=some(60))
@given(seed=st.integers(0, 2**32))
def test_no_document_stops_a_view(seed: int) -> None:
    """Valid documents with values replaced by others at random, data as well."""
    flow = read_flow(spoilt(seed))
    for each in sessions(flow):
        holds(view(each), flow)


def bound(shape: Shape, number: int) -> dict[str, Any]:
    """A component all of whose properties come from data."""
    rows = (row.name for row in shape.properties if row.name != "name" and "action" not in row.kind)
    return {"type": shape.name, "name": f"n{number}", **{row: f"${{data.{shape.name}.{row}}}" for row in rows}}


DRAWN: Final = [shape for shape in COMPONENTS if shape.name not in ("Form", "If", "Switch")]
BOUND: Final = [bound(shape, number) for number, shape in enumerate(DRAWN)]
FLOW: Final = session(*BOUND).flow
DATA: Final[tuple[Any, ...]] = (
    *VALUES, math.nan, math.inf, 10**400, "2026-01-01", "9" * 500, ("a",), "iVBORw0KGgo=", "range", "single", "number",
    [{"id": "a", "title": "A"}], [{"id": [], "title": {}, "image": 5, "enabled": "x"}], [{"id": "a"}, {"id": "a"}, 5],
    {"start-date": "x"}, {"start-date": [], "end-date": "2026-01-01"}, [{"main-content": [], "end": {"title": "x"}}],
    [{"main-content": {"title": []}, "start": {"image": "x"}, "tags": [5, {}]}], True, False, 1, 2,
)  # fmt: skip


@settings(max_examples=some(60))
@given(seed=st.integers(0, 2**32))
def test_no_data_stops_a_view(seed: int) -> None:
    """Every property is bound to data, which is anything, and so is the value in the form."""
    holds(view(anything(random.Random(seed), FLOW)), FLOW)


def anything(chance: random.Random, flow: PlayedFlow) -> Session:
    """A session with any data and any values."""
    data = {shape.name: {row.name: chance.choice(DATA) for row in shape.properties} for shape in DRAWN}
    form = {each["name"]: chance.choice(DATA) for each in BOUND}
    touched = frozenset(f"{CHILD}/{number}" for number in range(len(BOUND)))
    return replace(session(), flow=flow, screens={"START": ScreenState(data=data, form=form, touched=touched)})


@settings(max_examples=some(25))
@given(seed=st.integers(0, 2**32))
def test_what_is_remembered_changes_no_view(seed: int) -> None:
    """A Flow that was shown in many states gives the same views as one that is read anew."""
    of = anything(random.Random(seed), FLOW)
    fresh = replace(of, flow=read_flow(FLOW.document))
    assert json.dumps(view_json(view(of))) == json.dumps(view_json(view(fresh)))


def test_a_view_takes_time_in_proportion() -> None:
    """Ten times the components take at most some twelve times the steps; what is fixed is worked out once."""
    children = [{"type": "TextInput", "name": f"f{n}", "label": "L", "required": True} for n in range(40)]
    small, large = session(*children[:4], FOOTER), session(*children, FOOTER)
    view(small), view(large)
    assert steps(lambda: view(large)) < 12 * steps(lambda: view(small))


def test_a_node_shows_no_input_in_its_repr() -> None:
    """Neither the value nor the properties."""
    field = {"type": "TextInput", "name": "pin", "label": "Pin", "input-type": "password"}
    (found,) = seen(field, form={"pin": "hunter2"}).nodes
    assert isinstance(found, Node)
    assert "hunter2" not in repr(found)
