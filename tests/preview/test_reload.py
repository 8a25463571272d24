"""A file that changes while it is played: what is replayed, where a replay stops, and what cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.preview.serving import (
    Tab,
    complete,
    footer,
    navigate,
    path_of,
    previewing,
    save,
    screen,
    text_input,
    two_screens,
    value_of,
    with_endpoint,
)
from whatsapp_flows.play import Blur, Event, Fill, Session, Tap, advance, read_flow, start
from whatsapp_flows.preview._history import MAX_UNDO, History
from whatsapp_flows.preview._replay import replay

HEADING = {"type": "TextHeading", "text": "Welcome"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flow.json"


def played_to_the_end_screen(tab: Tab) -> Any:
    """A name, then on to the next screen, and an address there."""
    tab.event("Fill", path_of(tab.state, "first_name"), value="Ada")
    tab.event("Tap", tab.state["view"]["footer"]["path"])
    return tab.event("Fill", path_of(tab.state, "mail"), value="ada@example.org")


def test_what_was_done_is_replayed_on_the_changed_file(path: Path) -> None:
    """The page is where it was, with what was entered; the log has a line about it."""
    with previewing(path, two_screens()) as (_, tab):
        played_to_the_end_screen(tab)
        changed = two_screens()
        changed["screens"][1]["title"] = "The end"
        save(path, changed)
        state = tab.until(lambda state: state["view"]["title"] == "The end")
        assert (state["view"]["screen"], value_of(state, "mail")) == ("END", "ada@example.org")
        assert (state["replay"], state["log"][-1]["kind"]) == (None, "reload")
        assert state["log"][-1]["text"] == "The file has changed: 3 steps replayed."
        assert state["log"][-1]["duration_ms"] < 1000
        assert value_of(tab.command("undo"), "mail") == ""


def test_a_field_is_found_again_where_it_stands_now(path: Path) -> None:
    """What is inserted above a field, or a screen before its screen, does not move what was entered."""
    with previewing(path, two_screens()) as (_, tab):
        played_to_the_end_screen(tab)
        changed = two_screens(HEADING, text_input("title"))
        changed["screens"].insert(1, screen("BETWEEN", footer(complete()), terminal=True))
        save(path, changed)
        state = tab.until(lambda state: len(state["screens"]) == 3)
        assert (state["view"]["screen"], value_of(state, "mail")) == ("END", "ada@example.org")
        assert state["screens"][0]["form"]["first_name"] == "Ada"
        assert state["screens"][0]["form"].get("title") in {None, ""}


def test_a_replay_stops_where_a_step_no_longer_fits(path: Path) -> None:
    """The state is that before the step, and says which step it is and why; what was entered is not in the text."""
    with previewing(path, two_screens()) as (_, tab):
        played_to_the_end_screen(tab)
        changed = two_screens()
        changed["screens"][1]["layout"]["children"][0] = text_input("phone")
        save(path, changed)
        state = tab.until(lambda state: state["replay"])
        assert state["view"]["screen"] == "END"
        assert state["replay"]["text"] == "Stopped at step 3 of 3 (fill mail): the component is not there any more."
        assert state["log"][-1]["text"] == state["replay"]["text"]
        assert tab.event("Fill", path_of(state, "phone"), value="1")["replay"] is None


def test_a_replay_stops_at_what_is_refused(path: Path) -> None:
    """The reason is the player's: the Footer cannot be tapped any more, as a field that is required was added."""
    with previewing(path, two_screens()) as (_, tab):
        played_to_the_end_screen(tab)
        save(path, two_screens(text_input("title", required=True)))
        state = tab.until(lambda state: state["replay"])
        assert state["view"]["screen"] == "START"
        assert state["replay"]["text"].startswith("Stopped at step 2 of 3 (tap Footer): ")
        assert value_of(state, "first_name") == "Ada"


def test_the_screen_of_the_start_is_gone(path: Path) -> None:
    """The Flow opens anew, and says why."""
    with previewing(path, two_screens(), screen="END") as (_, tab):
        changed = two_screens()
        changed["screens"] = changed["screens"][:1]
        save(path, changed)
        state = tab.until(lambda state: state["replay"])
        assert state["view"]["screen"] == "START"
        assert state["replay"]["text"] == "There is no screen END any more. The Flow was opened anew."


def test_the_data_of_the_start_fits_no_more(path: Path) -> None:
    """The reason is the player's: the screen is there, but takes a number now."""
    flow = two_screens()
    flow["screens"][1]["data"] = {"x": {"type": "string", "__example__": "a"}}
    with previewing(path, flow, screen="END", data={"x": "b"}) as (_, tab):
        flow["screens"][1]["data"] = {"x": {"type": "number", "__example__": 1}}
        save(path, flow)
        text = tab.until(lambda state: state["replay"])["replay"]["text"]
        assert "There is no screen" not in text
        assert "x" in text
        assert text.endswith("The Flow was opened anew.")


def test_a_file_that_is_no_json_keeps_the_play(path: Path) -> None:
    """The problem has its place; the play goes on, and the next good file is played."""
    with previewing(path, two_screens()) as (_, tab):
        played_to_the_end_screen(tab)
        path.write_text('{"version": "7.3",,')
        state = tab.until(lambda state: state["file"]["problem"])
        assert state["file"]["problem"].startswith("This is not valid JSON: ")
        assert state["file"]["problem"].endswith("(line 1, column 19).")
        assert tab.event("Fill", path_of(state, "mail"), value="eve@example.org")["view"]["screen"] == "END"
        assert tab.until(lambda state: state["findings"])["findings"][0]["code"] == "INVALID_FLOW_JSON"
        save(path, two_screens())
        state = tab.until(lambda state: not state["file"]["problem"])
        assert value_of(state, "mail") == "eve@example.org"


def test_a_file_that_vanishes_while_it_is_played(path: Path) -> None:
    """The play stays; the file may come back, or a folder may stand in its place."""
    with previewing(path, two_screens()) as (_, tab):
        path.unlink()
        state = tab.until(lambda state: state["file"]["problem"])
        assert (state["file"]["problem"], state["view"]["screen"]) == ("The file is not there.", "START")
        path.mkdir()
        state = tab.until(lambda state: "directory" in (state["file"]["problem"] or ""))
        path.rmdir()
        save(path, two_screens(HEADING))
        state = tab.until(lambda state: not state["file"]["problem"])
        assert state["view"]["nodes"][0]["kind"] == "TextHeading"


def test_a_file_of_more_than_10_mb(path: Path) -> None:
    """It is not read, and the play stays."""
    with previewing(path, two_screens()) as (_, tab):
        path.write_bytes(b" " * (10 * 1024 * 1024 + 10))
        state = tab.until(lambda state: state["file"]["problem"])
        assert "bytes" in state["file"]["problem"]
        assert state["view"]["screen"] == "START"


@pytest.mark.parametrize("content", ["", "[]", "null", '{"screens": ' + "[" * 50_000, "\x00", '"a"'])
def test_a_preview_of_what_is_no_flow(path: Path, content: str) -> None:
    """It starts, says what is wrong, takes no event, and plays once the file is a Flow JSON."""
    path.write_text(content)
    with previewing(path) as (_, tab):
        state = tab.state
        assert state["file"]["problem"]
        assert state["view"]["issues"][0]["blocking"]
        assert (state["screens"], state["completed"], state["asks"], state["can_undo"]) == ([], None, None, False)
        for body in ({"command": "restart"}, {"command": "undo"}, {"command": "open"}):
            assert tab.post("/command", body).status_code == 409
        assert tab.post("/event", {"event": {"type": "Back"}}).status_code == 409
        save(path, two_screens())
        assert tab.until(lambda state: state["view"]["screen"])["view"]["screen"] == "START"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"screens": []},
        {"version": "7.3", "screens": 5},
        {"version": "7.3", "screens": [None, {"id": 5}, {"id": "A", "layout": {"children": [{"type": "If"}, 3]}}]},
        {"version": "7.3", "routing_model": {"A": ["B"], "B": ["A"]}, "screens": [screen("A"), screen("B")]},
    ],
    ids=["empty", "no screens", "no list", "no components", "a cycle"],
)
def test_a_document_with_errors_is_drawn_as_far_as_it_goes(path: Path, document: dict[str, Any]) -> None:
    """Whatever is wrong, there is a state, with the findings of the validator."""
    with previewing(path, document) as (_, tab):
        state = tab.state
        assert state["file"]["problem"] is None
        assert state["findings"]
        tab.command("restart")


def test_findings_have_the_path_of_their_component(path: Path) -> None:
    """The path is a JSON pointer, as that of a component is; line and column are those of the file."""
    document = two_screens()
    document["screens"][0]["layout"]["children"][0]["lable"] = "x"
    with previewing(path, document) as (_, tab):
        found = tab.state["findings"][0]
        assert (found["code"], found["severity"]) == ("INVALID_PROPERTY_KEY", "error")
        assert found["path"].startswith(tab.state["view"]["nodes"][0]["path"])
        assert json.dumps(document, indent=1).splitlines()[found["line"] - 1].strip().startswith('"lable"')
        save(path, two_screens())
        tab.until(lambda state: not [each for each in state["findings"] if each["severity"] == "error"])


def test_hostile_texts_stay_texts(path: Path) -> None:
    """Markup, scripts and placeholders in a label reach the page as they are, in JSON that no parser takes for HTML."""
    hostile = '<img src=x onerror="alert(1)">${data.secret}</script>\u2028'
    with previewing(path, two_screens({"type": "TextHeading", "text": hostile})) as (_, tab):
        answer = tab.get("/state")
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.text.isascii()
        assert "<img" in answer.json()["view"]["nodes"][0]["props"]["text"]


# -- laws

FLOW = read_flow(two_screens())
NAME, FIRST = "/screens/0/layout/children/0", "/screens/0/layout/children/1"
MAIL, SECOND = "/screens/1/layout/children/0", "/screens/1/layout/children/1"
EVENTS = st.lists(
    st.one_of(
        st.builds(Fill, st.sampled_from([NAME, MAIL]), st.text(max_size=3)),
        st.builds(Blur, st.sampled_from([NAME, MAIL])),
        st.builds(Tap, st.sampled_from([FIRST, SECOND, "/nowhere"])),
    ),
    max_size=8,
)


def history_of(events: list[Event]) -> History:
    history = History(session=start(FLOW).session)
    for event in events:
        history = history.then(advance(history.session, event).session, event, by_hand=True)
    return history


@settings(max_examples=some(40))
@given(EVENTS)
def test_a_replay_on_the_same_document_gives_the_same_session(events: list[Event]) -> None:
    """And the same steps to undo."""
    history = history_of(events)
    done = replay(FLOW, history.session, by_hand=True)
    assert (done.history, done.stopped, done.steps) == (history, "", len(history.session.events))


@settings(max_examples=some(40))
@given(EVENTS)
def test_a_replay_goes_as_far_as_the_steps_fit(events: list[Event]) -> None:
    """On a document without the second screen's field, everything before the first step that needs it is there."""
    document = two_screens(HEADING)
    document["screens"][1]["layout"]["children"][0] = text_input("other")
    changed = read_flow(document)
    played = history_of(events).session
    done = replay(changed, played, by_hand=True)
    assert bool(done.stopped) == (done.steps < len(played.events))
    assert len(done.history.session.events) == done.steps
    assert done.history.session.flow == changed
    again = replay(FLOW, done.history.session, by_hand=True)
    assert again.history.session.events == played.events[: done.steps]


@settings(max_examples=some(40))
@given(EVENTS)
def test_undo_goes_back_to_the_start(events: list[Event]) -> None:
    """Each undo takes events away, and the last one leaves the session as it was opened."""
    history: History | None = history_of(events)
    seen: list[Session] = []
    while history is not None:
        seen.append(history.session)
        history = history.undone
    lengths = [len(session.events) for session in seen]
    assert lengths == sorted(lengths, reverse=True)
    assert not [event for event in seen[-1].events if not isinstance(event, Blur)]


def test_the_steps_to_undo_are_bounded() -> None:
    """The oldest are forgotten."""
    session = start(FLOW).session
    history = History(session=session)
    for number in range(MAX_UNDO + 5):
        event = Fill(NAME, str(number))
        session = replace(session, events=(*session.events, event))
        history = history.then(session, event, by_hand=True)
    assert [len(each.events) for each in history.earlier] == list(range(5, MAX_UNDO + 5))


def test_a_replay_stops_at_an_answer(path: Path) -> None:
    """Where the changed Flow asks nothing, an answer does not fit."""
    with previewing(path, with_endpoint()) as (_, tab):
        number = tab.event("Tap", tab.state["view"]["footer"]["path"])["asks"]["number"]
        tab.command("answer", number=number, screen="SLOTS", data={"hint": "At noon"})
        changed = with_endpoint()
        changed["screens"][0]["layout"]["children"][1] = footer(navigate("SLOTS", hint="Now"))
        save(path, changed)
        state = tab.until(lambda state: state["replay"])
        assert state["replay"]["text"].startswith("Stopped at step 2 of 2 (answer): ")
        assert state["screens"][1]["data"] == {"hint": "Now"}


def test_a_fault_of_ours_does_not_end_the_watching(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and shown as a problem; the next change is played."""
    times = iter([float("nan"), 1.0, 2.0])  # no time of day
    with previewing(path, two_screens(), clock=lambda: next(times)) as (_, tab):
        save(path, two_screens(HEADING))
        state = tab.until(lambda state: state["file"]["problem"])
        assert "could not be played" in state["file"]["problem"]
        save(path, two_screens(HEADING, HEADING))
        state = tab.until(lambda state: not state["file"]["problem"])
        assert len(state["view"]["nodes"]) == 3
    assert any(record.exc_info for record in caplog.records)
