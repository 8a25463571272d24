"""`autoplay`: it finds a way through a Flow by itself, or says why there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from tests.effort import some
from tests.flow_json.fuzz import broken
from tests.flow_json.samples import CORPUS, footer, navigate, samples, screen
from whatsapp_flows.errors import ConfigurationError
from whatsapp_flows.play import (
    REASONS,
    Answer,
    Back,
    Broken,
    Outcome,
    Reason,
    Tap,
    advance,
    autoplay,
    example_answers,
    start,
)

TODAY = date(2026, 3, 4)
ROOT = Path(__file__).parents[2]


def flow(*screens: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": "7.3", **more, "screens": list(screens)}


def last(*children: dict[str, Any], payload: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A terminal screen."""
    done = {"type": "Footer", "label": "Done", "on-click-action": {"name": "complete", "payload": payload or {}}}
    return screen(more.pop("name", "END"), *children, done, terminal=True, **more)


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextInput", "name": name, "label": name.title(), "required": True} | {
        key.replace("_", "-"): value for key, value in more.items()
    }


def ids(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "title": name.upper()} for name in names]


def branch(condition: str, *then: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "If", "condition": condition, "then": list(then), **more}


def body(words: str = "Words") -> dict[str, Any]:
    return {"type": "TextBody", "text": words}


def played(*screens: dict[str, Any], **more: Any) -> Outcome:
    """The outcome, after what every outcome has was checked."""
    options = {
        key: more.pop(key) for key in ("endpoint", "screen", "data", "max_steps", "time_limit", "clock") if key in more
    }
    outcome = autoplay(flow(*screens, **more), today=TODAY, **options)
    check(outcome)
    return outcome


def check(outcome: Outcome) -> None:
    """Either there is a payload, or a reason with its sentence; and the events lead to where it ended."""
    assert bool(outcome) is (outcome.completed is not None) is (outcome.reason is None)
    if not outcome:
        assert outcome.reason in REASONS
        assert outcome.explanation.endswith((".", "!"))
    session = start(
        outcome.session.flow,
        outcome.session.opening.screen,
        outcome.session.opening.data,
        outcome.session.flow_token,
        TODAY,
        init=outcome.session.opening.init,
    ).session
    for event in outcome.events:
        session = advance(session, event).session
    assert session == outcome.session


# -- ways that are found


def test_a_flow_is_played_to_its_end() -> None:
    """The payload, the screens with their texts and what was tapped, and the events."""
    outcome = played(
        screen("START", body("Hello"), text("name"), navigate("END", {"name": "${form.name}"})),
        last(body("`'Hello ' ${data.name}`"), data={"name": {"type": "string", "__example__": "x"}}),
    )
    assert outcome.completed == {"flow_token": "test"}
    assert outcome.sent
    assert [(seen.id, seen.title, seen.tapped) for seen in outcome.screens] == [
        ("START", "Title", "Go"),
        ("END", "Title", "Done"),
    ]
    assert outcome.screens[0].texts == ("Hello", "Name", "Go")
    assert "Hello Example" in outcome.screens[1].texts
    assert [type(event).__name__ for event in outcome.events] == ["Fill", "Tap", "Tap"]


FIELDS: list[tuple[str, dict[str, Any], Any]] = [
    ("text", text("a"), "Example"),
    ("e-mail", text("a", input_type="email"), "ada@example.com"),
    ("number", text("a", input_type="number", min_chars=3), "111"),
    ("passcode", text("a", input_type="passcode", min_chars=4, max_chars=4), "1234"),
    ("pattern", text("a", pattern="^[A-Z]{2}-[0-9]{3}$", helper_text="Such as AB-123"), "AA-111"),
    ("area", {"type": "TextArea", "name": "a", "label": "A", "required": True, "max-length": 5}, "Examp"),
    ("date", {"type": "DatePicker", "name": "a", "label": "A", "required": True,
              "unavailable-dates": ["2026-03-04"]}, "2026-03-05"),
    ("calendar", {"type": "CalendarPicker", "name": "a", "label": "A", "required": True,
                  "include-days": ["Mon"]}, "2026-03-09"),
    ("range", {"type": "CalendarPicker", "name": "a", "label": {"start-date": "A", "end-date": "B"}, "mode": "range",
               "required": {"start-date": True, "end-date": True}, "min-days": 3, "max-days": 5}, None),
    ("dropdown", {"type": "Dropdown", "name": "a", "label": "A", "required": True,
                  "data-source": [{"id": "x", "title": "X", "enabled": False}, *ids("y")]}, "y"),
    ("radio", {"type": "RadioButtonsGroup", "name": "a", "label": "A", "required": True,
               "data-source": ids("x", "y")}, "x"),
    ("checkboxes", {"type": "CheckboxGroup", "name": "a", "label": "A", "min-selected-items": 2,
                    "data-source": ids("x", "y", "z")}, ["x", "y"]),
    ("chips", {"type": "ChipsSelector", "name": "a", "label": "A", "required": True,
               "data-source": ids("x", "y")}, ["x"]),
    ("opt-in", {"type": "OptIn", "name": "a", "label": "A", "required": True}, True),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
def test_what_is_required_gets_a_fitting_value(field: dict[str, Any], value: Any) -> None:
    """Of each kind of field; what is not required stays empty."""
    optional = {**text("b"), "required": False}
    outcome = played(last(field, optional, payload={"a": "${form.a}", "b": "${form.b}"}))
    assert outcome.completed is not None, outcome.explanation
    assert value is None or outcome.completed["a"] == value
    assert outcome.completed["b"] == ""


@pytest.mark.parametrize(
    "picker",
    [
        {"type": "PhotoPicker", "name": "a", "label": "A", "min-uploaded-photos": 2, "max-uploaded-photos": 2},
        {"type": "DocumentPicker", "name": "a", "label": "A", "min-uploaded-documents": 1, "max-uploaded-documents": 1},
    ],
)
def test_files_are_attached(picker: dict[str, Any]) -> None:
    """As many as needed; in the payload they stand as in a real message."""
    outcome = played(last(picker, payload={"a": "${form.a}"}))
    assert outcome.completed is not None, outcome.explanation
    assert set(outcome.completed["a"][0]) == {"id", "mime_type", "sha256", "file_name"}
    json.dumps(outcome.completed)


@pytest.mark.parametrize(
    "children",
    [
        (text("code", required=False), branch("${form.code} == 'open'", footer())),
        (text("n", input_type="number", required=False), branch("${form.n} > 17", footer())),
        ({"type": "OptIn", "name": "a", "label": "A"}, branch("${form.a}", footer())),
        (
            {"type": "OptIn", "name": "a", "label": "A"},
            {"type": "OptIn", "name": "b", "label": "B"},
            branch("${form.a} && ${form.b}", footer()),
        ),
        (
            {"type": "Dropdown", "name": "a", "label": "A", "data-source": ids("x", "y", "z")},
            {"type": "Switch", "value": "${form.a}", "cases": {"x": [body()], "z": [footer()]}},
        ),
        (
            {"type": "RadioButtonsGroup", "name": "a", "label": "A", "required": True, "data-source": ids("x", "y")},
            {**footer(), "enabled": "`${form.a} == 'y'`"},
        ),
        (
            {"type": "CheckboxGroup", "name": "a", "label": "A", "data-source": ids("x", "y")},
            {"type": "OptIn", "name": "b", "label": "B"},
            branch("!${form.b}", body(), **{"else": [footer()]}),
        ),
    ],
    ids=["a text", "a number", "a tick", "two ticks", "a case", "an expression", "else"],
)
def test_a_branch_is_taken_that_has_the_footer(children: tuple[dict[str, Any], ...]) -> None:
    """The Footer is enabled or shown only after a value, an option or a tick that a condition asks for."""
    assert played(screen("END", *children, terminal=True)).completed == {"flow_token": "test"}


def test_options_show_what_update_data_shows() -> None:
    """A choice with update_data may enable the Footer."""
    update = {"name": "update_data", "payload": {"ready": True}}
    source = [*ids("x"), {"id": "y", "title": "Y", "on-select-action": update}]
    data = {"ready": {"type": "boolean", "__example__": False}}
    radio = {"type": "RadioButtonsGroup", "name": "a", "label": "A", "data-source": source}
    assert played(screen("END", radio, {**footer(), "enabled": "${data.ready}"}, terminal=True, data=data))


def test_a_dead_end_is_left_again() -> None:
    """Of the items of a list and the links, the one is found that leads on."""

    def item(name: str, target: str) -> dict[str, Any]:
        action = {"name": "navigate", "next": {"type": "screen", "name": target}, "payload": {}}
        return {"id": name, "main-content": {"title": name.title()}, "on-click-action": action}

    menu = {"type": "NavigationList", "name": "menu", "list-items": [item("one", "WALL"), item("two", "PATH")]}
    link = {"type": "EmbeddedLink", "text": "On", "on-click-action": item("", "END")["on-click-action"]}
    wall = screen("WALL", body(), {"type": "EmbeddedLink", "text": "Page", "on-click-action":
                                   {"name": "open_url", "url": "https://example.com"}})  # fmt: skip
    outcome = played(screen("MENU", menu), wall, screen("PATH", body(), link), last())
    assert [(seen.id, seen.tapped) for seen in outcome.screens] == [("MENU", "Two"), ("PATH", "On"), ("END", "Done")]


def test_a_choice_decides_about_the_next_screen() -> None:
    """Where the Footer of the first branch leads nowhere, another option is chosen."""
    radio = {"type": "RadioButtonsGroup", "name": "a", "label": "A", "required": True, "data-source": ids("x", "y")}
    start_ = screen("START", radio, branch("${form.a} == 'x'", navigate("WALL"), **{"else": [navigate("END")]}))
    outcome = played(start_, screen("WALL", body()), last())
    assert [seen.id for seen in outcome.screens] == ["START", "END"]


def test_a_flow_opens_where_it_is_told() -> None:
    """On a screen, with data."""
    shown = last(body("${data.a}"), data={"a": {"type": "string", "__example__": "x"}})
    outcome = played(screen("START", navigate("END", {"a": "y"})), shown, screen="END", data={"a": "mine"})
    assert outcome.screens[0].texts == ("mine", "Done")


def test_a_group_may_have_to_change() -> None:
    """An option that is chosen by default is taken back, or another one added, where that shows the Footer."""
    show = {"name": "update_data", "payload": {"ready": True}}
    source = [*ids("x"), {"id": "y", "title": "Y", "on-select-action": show}]
    data = {"ready": {"type": "boolean", "__example__": False}}
    group = {"type": "CheckboxGroup", "name": "a", "label": "A", "required": True, "data-source": source}
    assert played(screen("END", group, {**footer(), "enabled": "${data.ready}"}, terminal=True, data=data))


def test_texts_with_markdown_are_read_without_its_marks() -> None:
    """Headings, lists, the cells of tables, and what an image shows."""
    dot = "![A dot](data:image/png;base64,iVBORw0KGgo=)"
    pieces = ["# Big", "Some **bold** text", "- one\n- two", "| A | B |\n|---|---|\n| c | d |", dot]
    rich = {"type": "RichText", "text": pieces}
    assert played(last(rich)).screens[0].texts == (
        "Big", "Some bold text", "one", "two", "A", "B", "c", "d", "A dot", "Done",
    )  # fmt: skip


# -- with and without an endpoint


def exchange(**more: Any) -> dict[str, Any]:
    return {**footer("data_exchange"), **more}


WITH_ENDPOINT = {"data_api_version": "3.0"}


def test_without_an_endpoint_the_examples_answer() -> None:
    """Along the routing model, until a terminal screen gets SUCCESS."""
    outcome = played(
        screen("START", text("a"), exchange()),
        screen("MIDDLE", body("${data.b}"), exchange(), data={"b": {"type": "string", "__example__": "An example"}}),
        screen("END", exchange(), terminal=True),
        routing_model={"START": ["MIDDLE"], "MIDDLE": ["END"], "END": []},
        **WITH_ENDPOINT,
    )
    assert outcome.completed == {"flow_token": "test"}
    assert [seen.id for seen in outcome.screens] == ["START", "MIDDLE", "END"]
    assert outcome.screens[1].texts[0] == "An example"


def test_a_choice_may_ask_for_data() -> None:
    """Without an endpoint, the booleans of the same screen become true, so that the next field can be used."""
    data = {"ready": {"type": "boolean", "__example__": False}}
    action = {"name": "data_exchange", "payload": {}}
    first = {"type": "Dropdown", "name": "a", "label": "A", "required": True, "data-source": ids("x"),
             "on-select-action": action}  # fmt: skip
    only = screen("ONLY", first, exchange(enabled="${data.ready}"), terminal=True, data=data)
    assert played(only, routing_model={"ONLY": []}, **WITH_ENDPOINT)


def test_an_endpoint_is_asked() -> None:
    """From INIT on, with what was filled in."""
    asked: list[tuple[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append((request["action"], request["data"]))
        if request["action"] == "INIT":
            return {"screen": "START", "data": {}}
        return {"screen": "SUCCESS", "data": {"extension_message_response": {"params": {"flow_token": "t", "x": 1}}}}

    start_ = screen("START", text("a"), footer("data_exchange", payload={"a": "${form.a}"}), terminal=True)
    outcome = played(start_, endpoint=answer, routing_model={"START": []}, **WITH_ENDPOINT)
    assert outcome.completed == {"flow_token": "t", "x": 1}
    assert asked == [("INIT", {}), ("data_exchange", {"a": "Example"})]


def test_an_endpoint_that_hangs_is_given_up() -> None:
    """After the time limit, and it is not asked again."""
    asked: list[str] = []

    async def hang(request: dict[str, Any]) -> None:
        asked.append(request["action"])
        await asyncio.Event().wait()

    start_ = screen("START", exchange(), terminal=True)
    outcome = played(start_, endpoint=hang, time_limit=0.01, routing_model={"START": []}, **WITH_ENDPOINT)
    assert (outcome.reason, asked) == ("endpoint-failed", ["INIT"])
    assert outcome.explanation == "No complete answer within 0.01 s."


def test_an_endpoint_that_is_slow_each_time_has_an_end() -> None:
    """Waiting counts as steps: a walk takes minutes, not hours."""
    seconds, asked = count(0, 5), []

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"screen": "START", "data": {"a": str(len(asked)), "error_message": "Once more."}}

    data = {"a": {"type": "string", "__example__": "x"}}
    start_ = screen("START", *(text(name) for name in "abc"), exchange(), data=data, terminal=True)
    outcome = played(
        start_, endpoint=slow, max_steps=200, clock=lambda: next(seconds), routing_model={"START": []}, **WITH_ENDPOINT
    )
    assert len(asked) == 4
    assert outcome.explanation == "No end was found within 200 steps, with 20 s of waiting for the endpoint."


def test_an_end_without_a_message_is_an_end() -> None:
    """SUCCESS without params closes the Flow."""

    def close(request: dict[str, Any]) -> dict[str, Any]:
        first = request["action"] == "INIT"
        return {"screen": "START" if first else "SUCCESS", "data": {}}

    start_ = screen("START", exchange(), terminal=True)
    outcome = played(start_, endpoint=close, routing_model={"START": []}, **WITH_ENDPOINT)
    assert (outcome.completed, outcome.sent) == ({}, False)


def test_the_examples_answer_an_opening_too() -> None:
    """INIT with the screens at which the Flow can open; without a request there is no answer."""
    two = (screen("A", exchange()), screen("B", exchange()), screen("END", exchange(), terminal=True))
    routes = {"A": ["END"], "B": ["END"], "END": []}
    opening = start(flow(*two, routing_model=routes, **WITH_ENDPOINT), init=True).session
    assert [each["screen"] for each in example_answers(opening)] == ["A", "B"]
    assert list(example_answers(start(flow(last())).session)) == []


def test_back_may_ask_for_the_screen_before() -> None:
    """With refresh_on_back: its examples, also with all booleans true, and what it had; or the screen that is left."""
    data = {"a": {"type": "string", "__example__": "x"}, "b": {"type": "boolean", "__example__": False}}
    two = (screen("A", navigate("END"), data=data, refresh_on_back=True), screen("END", exchange(), terminal=True,
                                                                                 refresh_on_back=True))  # fmt: skip
    session = start(flow(*two, routing_model={"A": ["END"], "END": []}, **WITH_ENDPOINT), data={"a": "y", "b": True})
    step = advance(session.session, Tap("/screens/0/layout/children/0"))
    step = advance(step.session, Back())
    assert step.session.pending is not None
    answers = list(example_answers(step.session))
    assert answers == [
        {"screen": "A", "data": {"a": "x", "b": False}},
        {"screen": "A", "data": {"a": "x", "b": True}},
        {"screen": "A", "data": {"a": "y", "b": True}},
        {"screen": "END", "data": {}},
    ]


def test_all_that_a_client_accepts() -> None:
    """For somebody who chooses: the likely answers first, then the other screens of the routes, and the end."""
    last_ = screen("END", exchange(), terminal=True, refresh_on_back=True)
    two = (screen("A", navigate("END")), last_, screen("Z", exchange(), terminal=True))
    session = start(flow(*two, routing_model={"A": ["END"], "END": ["Z"], "Z": []}, **WITH_ENDPOINT)).session
    session = advance(session, Tap("/screens/0/layout/children/0")).session
    asked, left = advance(session, Tap("/screens/1/layout/children/0")), advance(session, Back())
    for step, likely, every in (
        (asked, ["SUCCESS", "Z"], ["SUCCESS", "Z", "END", "A"]),
        (left, ["A", "END"], ["A", "END", "Z", "SUCCESS"]),
    ):
        found = list(example_answers(step.session, every=True))
        assert [each["screen"] for each in example_answers(step.session)] == likely
        assert list(dict.fromkeys(each["screen"] for each in found)) == every
        for content in found:
            effects = advance(step.session, Answer(number=1, content=content)).effects
            assert not [effect for effect in effects if isinstance(effect, Broken)], content


# -- reasons


def unreachable(_: dict[str, Any]) -> Answer:
    return Answer(number=0, failure="timeout")


def raises(_: dict[str, Any]) -> dict[str, Any]:
    raise LookupError("a text with a secret")


FAILURES: list[tuple[Reason, str, list[dict[str, Any]], dict[str, Any]]] = [
    ("no-screen", "", [], {}),
    ("no-screen", "", [last()], {"screen": "NOWHERE"}),
    ("unplayable", "/screens/0/layout/children/0", [screen("START", {"type": "Carousel3D"})], {}),
    ("no-fitting-value", "/screens/0/layout/children/0",
     [screen("START", text("a", pattern="^x{200}$"), navigate("END")), last()], {}),
    ("no-fitting-value", "/screens/0/layout/children/0",
     [screen("START", {"type": "Dropdown", "name": "a", "label": "A", "required": True, "data-source": []},
             navigate("END")), last()], {}),
    ("no-fitting-value", "/screens/0/layout/children/0",
     [screen("START", {"type": "DatePicker", "name": "a", "label": "A", "required": True, "min-date": "2026-03-05",
                       "max-date": "2026-03-05", "unavailable-dates": ["2026-03-05"]}, navigate("END")), last()], {}),
    ("footer-disabled", "/screens/0/layout/children/1",
     [screen("START", body(), {**navigate("END"), "enabled": False}), last()], {}),
    ("dead-end", "", [screen("START", body())], {}),
    ("dead-end", "", [screen("START", {"type": "EmbeddedLink", "text": "Page", "on-click-action":
                                       {"name": "open_url", "url": "https://example.com"}})], {}),
    ("going-in-circles", "", [screen("START", navigate("BACK")), screen("BACK", navigate("START"))], {}),
    ("refused", "", [screen("START", navigate("NOWHERE"))], {}),
    ("refused", "", [last(data={"a": {"type": "string", "__example__": "x"}})], {"data": {"a": 5}}),
    ("endpoint-failed", "", [screen("START", exchange(), terminal=True)],
     {"endpoint": unreachable, "routing_model": {"START": []}, **WITH_ENDPOINT}),
    ("endpoint-failed", "", [screen("START", exchange(), terminal=True)],
     {"endpoint": raises, "routing_model": {"START": []}, **WITH_ENDPOINT}),
    ("too-many-steps", "", [screen("START", text("a"), text("b"), navigate("END")), last()], {"max_steps": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "path", "screens", "more"), FAILURES)
def test_each_reason_has_a_flow(reason: Reason, path: str, screens: list[dict[str, Any]], more: dict[str, Any]) -> None:
    """It names why there is no way, the place, and the screens that were passed."""
    outcome = played(*screens, **more)
    assert not outcome
    assert (outcome.reason, outcome.path if path else "") == (reason, path), outcome.explanation
    assert "secret" not in outcome.explanation


def test_the_list_of_reasons_is_closed() -> None:
    """Every reason is described, and occurs."""
    assert set(REASONS) == set(get_args(Reason)) == {row[0] for row in FAILURES}


def test_the_farthest_attempt_is_reported() -> None:
    """Of several dead ends, that with most screens on the way."""
    link = {"type": "EmbeddedLink", "text": "Link", "on-click-action": navigate("WALL")["on-click-action"]}
    outcome = played(
        screen("START", link, navigate("MIDDLE")),
        screen("WALL", body()),
        screen("MIDDLE", navigate("LAST")),
        screen("LAST", body()),
    )
    assert outcome.explanation == "Nothing on LAST can be tapped."
    assert [seen.id for seen in outcome.screens] == ["START", "MIDDLE", "LAST"]


# -- every Flow there is


def documents() -> Iterator[tuple[str, Any]]:
    yield from samples()
    yield "booking", json.loads((ROOT / "examples" / "endpoint" / "booking.json").read_bytes())
    for path in CORPUS:
        yield path.stem, json.loads(path.read_bytes())


@pytest.mark.parametrize("document", [pytest.param(each, id=name) for name, each in documents()])
def test_every_flow_comes_to_an_end(document: dict[str, Any]) -> None:
    """Real Flows, of all versions, and those that were made for the tests: to a payload, or a named reason."""
    outcome = autoplay(document, today=TODAY)
    check(outcome)
    assert outcome, outcome.explanation


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(some(4, least=1)))
def test_a_broken_document_gives_a_reason_too(seed: int) -> None:
    """Whatever is broken in it: no exception but for what is no JSON object."""
    chance, made = Random(seed), [each for _, each in samples()]
    played_ = 0
    for _ in range(25):
        try:
            outcome = autoplay(broken(chance, made), today=TODAY, max_steps=300)
        except ConfigurationError:
            continue
        check(outcome)
        assert all(isinstance(text_, str) for seen in outcome.screens for text_ in seen.texts)
        played_ += 1
    assert played_ > 5


def test_a_screen_of_any_size_is_left_in_bounded_time() -> None:
    """On a large screen a step counts as several, and the depth of the document is no depth of calls."""
    inputs = [text(f"a{number}") for number in range(600)]
    assert played(screen("END", *inputs, footer(), terminal=True), max_steps=1_000).reason == "too-many-steps"
    deep: dict[str, Any] = body()
    for _ in range(150):
        deep = branch("${data.a}", deep)
    assert played(screen("START", deep)).reason in {"dead-end", "unplayable"}
