"""What holds of every session, whatever the document and whatever happens."""

from __future__ import annotations

import copy
import json
import pickle
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.flow_json.fuzz import broken
from tests.flow_json.samples import FLOWS, samples
from tests.play.fuzz import check, play, replayed
from tests.play.small_flows import TEXT, TODAY, at, complete, exchange, field, flow, footer, opened, played, screen
from whatsapp_flows.errors import ConfigurationError
from whatsapp_flows.play import (
    Answer,
    Back,
    Blur,
    Fill,
    Refused,
    Select,
    Tap,
    Upload,
    UploadedFile,
    advance,
    read_flow,
    start,
    view,
)

SEEDS = st.integers(0, 2**32)
DOCUMENTS = [*(document for _, document in samples()), *(json.loads(path.read_bytes()) for path in FLOWS)]


@settings(max_examples=some(30), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SEEDS)
def test_a_document_that_is_broken_plays_as_far_as_it_goes(seed: int) -> None:
    """Nothing raises; a refused event changes nothing; replaying the events gives the same session; it pickles."""
    chance = random.Random(seed)
    try:
        played_flow = read_flow(broken(chance, DOCUMENTS))
    except ConfigurationError:
        return
    check(play(chance, played_flow, 8))


@settings(max_examples=some(15), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SEEDS, st.sampled_from(DOCUMENTS))
def test_a_valid_document_plays(seed: int, document: dict[str, Any]) -> None:
    """The same, for documents as they should be, which go further."""
    check(play(random.Random(seed), read_flow(document), 25))


NONSENSE: list[Any] = [
    None,
    5,
    "Tap",
    TODAY,
    Tap(5),  # type: ignore[arg-type]
    Tap(["a"]),  # type: ignore[arg-type]
    Fill("/screens/0/layout/children/0", None),  # type: ignore[arg-type]
    Fill("/screens/0/layout/children/0", {5: []}),  # type: ignore[dict-item]
    Select("/screens/0/layout/children/1", []),  # type: ignore[arg-type]
    Select("/screens/0/layout/children/1", {}, None),  # type: ignore[arg-type]
    Upload("/screens/0/layout/children/2", 5),  # type: ignore[arg-type]
    Tap("/screens/0/layout/children/3", []),  # type: ignore[arg-type]
    Blur(""),
    Answer(number="x"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("event", NONSENSE, ids=repr)
def test_nonsense_is_refused(event: Any) -> None:
    """An event of wrong types changes nothing."""
    options = [{"id": "a", "title": "A"}]
    items = [{"id": "a", "main-content": {"title": "A"}}]
    session = opened(
        flow(
            screen(
                "A",
                field("TextInput", "t"),
                field("Dropdown", "d", **{"data-source": options}),
                field("PhotoPicker", "p"),
                field("NavigationList", "l", **{"list-items": items, "on-click-action": exchange()}),
            )
        )
    )
    step = advance(session, event)
    assert step.session is session
    assert [type(each) for each in step.effects] == [Refused]


@pytest.mark.parametrize(
    "content",
    [object(), {5: {1, 2}}, float("nan"), {"screen": "A", "data": {"x": float("inf")}}, b"x"],
    ids=["an object", "a set", "NaN", "Infinity", "bytes"],
)
def test_an_answer_that_is_no_json_cannot_be_read(content: Any) -> None:
    """It is recorded as such, without the content."""
    session = played(opened(flow(screen("A", footer(exchange())))), Tap("/screens/0/layout/children/0")).session
    step = played(session, Answer(number=1, content=content))
    (effect,) = step.effects
    assert getattr(effect, "key", "") == "response-decryption-error"
    recorded = step.session.events[-1]
    assert isinstance(recorded, Answer)
    assert (recorded.content, recorded.failure) == (None, "unreadable")
    check(step.session)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(("levels", "taken"), [(90, True), (120, False), (5000, False)])
def test_answers_are_not_nested_without_end(levels: int, taken: bool) -> None:
    """Up to 100 levels, so that a session can be compared and pickled."""
    session = opened(flow(screen("A", footer(exchange()), data={"x": TEXT})))
    session = played(session, Tap(at(session, "Footer"))).session
    step = played(session, Answer(number=1, content={"screen": "A", "data": {"more": nested(levels)}}))
    assert bool(step.effects) is not taken
    assert pickle.loads(pickle.dumps(step.session)) == step.session


def test_what_a_caller_changes_later_does_not_change_a_session() -> None:
    """Data, answers and texts are copied."""
    data, content, dates = {"x": "a"}, {"screen": "A", "data": {"x": "b"}}, {"start-date": "2026-01-02"}
    played_flow = flow(screen("A", footer(exchange()), field("CalendarPicker", "c", mode="range"), data={"x": TEXT}))
    session = opened(played_flow, "A", data=data)
    session = played(session, Fill(at(session, "c"), dates), Tap(at(session, "Footer"))).session
    session = played(session, Answer(number=1, content=content)).session
    before = pickle.dumps(session)
    data["x"], content["data"], dates["start-date"] = "changed", "changed", "changed"
    assert pickle.dumps(session) == before
    check(session)


def test_a_flow_compares_by_its_document() -> None:
    """And pickles and copies as it, also if it is nested deeply or has lone surrogates."""
    document = {"version": "7.3", "screens": [screen("A", {"type": "TextBody", "text": "\ud800", "x": nested(150)})]}
    first = read_flow(json.dumps(document))
    assert first == read_flow(json.dumps(document)) != read_flow({"screens": []})
    assert pickle.loads(pickle.dumps(first)) == first == copy.deepcopy(first)
    assert read_flow(first) is first


def test_a_session_shows_nothing_of_its_user() -> None:
    """Neither the flow token nor what was entered stands in the repr."""
    session = opened(flow(screen("A", field("TextInput", "t"))), flow_token="secret-token")
    session = played(session, Fill(at(session, "t"), "secret-name")).session
    assert "secret" not in repr(session)


def test_a_session_takes_a_limited_number_of_events() -> None:
    """After 10,000 the next one is refused, unless it goes on filling the same field."""
    session = opened(flow(screen("A", field("TextInput", "t"), field("OptIn", "o"))))
    t, o = at(session, "t"), at(session, "o")
    session = replace(session, events=(Select(o),) * 9_999)
    session = played(session, Fill(t, "x"), Fill(t, "xy")).session
    assert len(session.events) == 10_000
    assert [type(each) for each in advance(session, Blur(t)).effects] == [Refused]
    assert played(session, Fill(t, "xyz")).session.screens["A"].form["t"] == "xyz"


# -- documents that are hard to play


def test_an_if_that_is_nested_deeply() -> None:
    """A hundred Ifs, one in the other, are played; what stands in more than the limit is kept as what it is."""

    def ifs(levels: int) -> dict[str, Any]:
        inner: dict[str, Any] = field("TextInput", "t")
        for _ in range(levels):
            inner = {"type": "If", "condition": True, "then": [inner], "else": [{"type": "TextBody", "text": "x"}]}
        return inner

    session = opened(flow(screen("A", ifs(100), footer(complete(t="${form.t}")))))
    session = played(session, Fill(at(session, "t"), "deep")).session
    check(session)
    assert len(view(session).nodes) == 101
    assert view(opened(flow(screen("A", ifs(400))))).nodes


def test_screens_without_an_id_and_with_the_same_id() -> None:
    """They are opened by their paths; no action leads to them."""
    played_flow = flow({"title": "no id"}, screen("A"), screen("A", field("TextInput", "second")), "no screen")  # type: ignore[arg-type]
    assert list(played_flow.screens) == ["/screens/0", "A", "/screens/2", "/screens/3"]
    assert [bool(each.issues) for each in played_flow.screens.values()] == [True, False, True, True]
    for name in played_flow.screens:
        assert view(opened(played_flow, name)).screen == name
    assert opened(played_flow).screen == "/screens/0"


WRONG: list[Any] = [None, True, 5, 1.5, "x", "${data.x}", "`1`", [], [1], {}, {"x": 1}]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_values_of_wrong_types_everywhere(value: Any) -> None:
    """Each property of a screen and of its components may be anything."""
    component = field(
        "CheckboxGroup", "f", **{"data-source": [{"id": "a", "title": "A"}], "on-select-action": exchange()}
    )
    for key in ("type", "name", "data-source", "on-select-action", "visible", "init-value", "max-selected-items"):
        session = start(flow(screen("A", {**component, key: value})), today=TODAY).session
        path = "/screens/0/layout/children/0"
        for event in (Select(path, "a"), Tap(path), Fill(path, "x"), Upload(path, (UploadedFile(name="a"),)), Back()):
            check(advance(session, event).session)
    for key in ("id", "title", "data", "layout", "terminal", "refresh_on_back"):
        check(start(flow({**screen("A", component), key: value}), today=TODAY).session)
    for key in ("version", "screens", "routing_model", "data_api_version"):
        document = {"version": "7.3", "screens": [screen("A", component)], key: value}
        view(start(document, today=TODAY).session)


def test_a_large_document_is_read_once() -> None:
    """Nothing is done for a screen before it is opened: its components are found when they are needed."""
    screens = [screen(f"S{'_' * i}", *[{"type": "TextBody", "text": "x" * 1000}] * 50) for i in range(100)]
    session = opened(flow(*screens, routing_model={}))
    assert "layout" in vars(session.flow.screens["S"])
    assert "layout" not in vars(session.flow.screens["S_"])


def test_a_flow_that_is_no_json_cannot_be_read() -> None:
    """The message says why."""
    with pytest.raises(ConfigurationError, match="flow is not JSON"):
        start("{", today=TODAY)
    with pytest.raises(ConfigurationError, match="data is no JSON object"):
        start({"screens": []}, data={"x": object()}, today=TODAY)
    with pytest.raises(ConfigurationError, match="nested more than 100 levels"):
        start({"screens": []}, data={"x": nested(200)}, today=TODAY)


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        ({"screen": 5}, "screen must be a text or None, not int"),
        ({"screen": []}, "screen must be a text or None, not list"),
        ({"data": [("x", 1)]}, "data must be a mapping, not list"),
        ({"data": "{}"}, "data must be a mapping, not str"),
        ({"flow_token": None}, "flow_token must be a text, not NoneType"),
        ({"today": "2026-03-04"}, "today must be a date or None, not str"),
    ],
)
def test_arguments_of_a_wrong_type(arguments: dict[str, Any], reported: str) -> None:
    """They are the caller's mistake, and named before anything is played."""
    with pytest.raises(ConfigurationError, match=reported):
        start({"screens": []}, **arguments)


def test_replaying_stops_nowhere() -> None:
    """The opening and the events are all that a replay needs, a closed Flow included."""
    session = opened(flow(screen("A", field("TextInput", "t"))), flow_token="t")
    session = played(session, Fill(at(session, "t"), "x"), Back()).session
    assert replayed(session) == session
    assert session.end is not None
