"""What a test does with a player, without an endpoint: by names, labels and titles, and only what a user could do."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.play.visit import footer, screen
from whatsapp_flows import ConfigurationError, FatalError
from whatsapp_flows.play import (
    DataModelMismatch,
    EndpointFault,
    Fill,
    FlowPlayer,
    NoSuchField,
    NotOffered,
    NotTappable,
    PlayError,
    WrongTransition,
)

Play = Callable[..., Any]

COLOURS = [{"id": "r", "title": "Red"}, {"id": "g", "title": "Green"}, {"id": "b", "title": "Blue", "enabled": False}]
TWINS = [{"id": "1", "title": "Twin"}, {"id": "2", "title": "Twin"}]
DATA_EXCHANGE = {"name": "data_exchange", "payload": {}}
FORM = screen(
    "FORM",
    {"type": "TextInput", "name": "name", "label": "Your name", "required": True},
    {"type": "TextInput", "name": "age", "label": "Age", "input-type": "number"},
    {"type": "TextInput", "name": "hidden", "label": "Hidden", "visible": False},
    {"type": "TextInput", "name": "locked", "label": "Locked", "enabled": False},
    {"type": "DatePicker", "name": "day", "label": "Day"},
    {"type": "CalendarPicker", "name": "stay", "label": "Stay", "mode": "range"},
    {"type": "Dropdown", "name": "colour", "label": "Colour", "data-source": COLOURS},
    {"type": "CheckboxGroup", "name": "colours", "label": "Colours", "data-source": COLOURS},
    {"type": "RadioButtonsGroup", "name": "twin", "label": "Twin", "data-source": TWINS},
    {"type": "OptIn", "name": "terms", "label": "I agree", "on-click-action": {
        "name": "navigate", "next": {"type": "screen", "name": "TERMS"}, "payload": {}}},
    {"type": "EmbeddedLink", "text": "Prices", "on-click-action": {"name": "open_url", "url": "https://example.com/p"}},
    footer("Go on", {"name": "navigate", "next": {"type": "screen", "name": "LIST"}, "payload": {}}),
)  # fmt: skip
ITEMS = [
    {"id": "one", "main-content": {"title": "First"}, "on-click-action": {
        "name": "navigate", "next": {"type": "screen", "name": "END"}, "payload": {}}},
    {"id": "two", "main-content": {"title": "Second"}, "on-click-action": {
        "name": "navigate", "next": {"type": "screen", "name": "NUMBER"},
        "payload": {"number": "${screen.FORM.form.age}"}}},
]  # fmt: skip
LIST = screen("LIST", {"type": "NavigationList", "name": "list", "list-items": ITEMS})
NUMBER = screen("NUMBER", footer("Ask", DATA_EXCHANGE), data={"number": {"type": "number", "__example__": 1}})
ALL = {name: f"${{screen.FORM.form.{name}}}" for name in ("name", "colours", "terms")}
END = screen("END", footer("Send", {"name": "complete", "payload": ALL}), terminal=True, success=True)
TERMS = screen("TERMS", {"type": "TextBody", "text": "All of them"})
FLOW = {"version": "7.3", "screens": [FORM, LIST, NUMBER, END, TERMS]}


def test_a_flow_is_played_to_its_end(play: Play) -> None:
    """Each move returns the player; the answers are those of the message, with the flow token."""
    player = play(FLOW)
    assert (player.screen, player.completed, player.errors) == ("FORM", None, {})
    player.fill(name="Ada", age=36).choose("colours", "Red", "g").check("terms").tap("Go on").tap("list", "First").tap()
    assert player.completed == {"name": "Ada", "colours": ["r", "g"], "terms": True, "flow_token": "test"}
    assert player.view.over
    assert player.requests == ()


def test_the_summary_is_what_the_chat_shows(play: Play) -> None:
    """Labels and titles, once the Flow is completed."""
    player = play(FLOW).fill(name="Ada").choose("colours", "r").tap().tap("list", "First")
    assert player.summary == ()
    rows = {row.label: row.value for row in player.tap().summary}
    assert rows["Your name"] == "Ada"
    assert rows["Colours"] == "Red"


def test_the_flow_may_be_a_path_a_text_or_a_mapping(play: Play, tmp_path: Path) -> None:
    """As for the validator."""
    import json

    path = tmp_path / "flow.json"
    path.write_text(json.dumps(FLOW))
    for flow in (path, str(path), path.read_text(), path.read_bytes(), FLOW):
        assert play(flow).screen == "FORM"


def test_a_flow_opens_on_a_screen_with_data(play: Play) -> None:
    """As from a message with `navigate`; `open` starts anew, and forgets."""
    player = play(FLOW, screen="NUMBER", data={"number": 7})
    assert player.screen == "NUMBER"
    player.open("FORM").fill(name="Ada")
    assert (player.screen, len(player.events)) == ("FORM", 2)
    assert player.open().events == ()


@pytest.mark.parametrize(
    ("value", "text"), [("36", "36"), (36, "36"), (1.5, "1.5"), (date(2026, 12, 24), "2026-12-24"), ("", "")]
)
def test_what_is_filled_in_is_text(play: Play, value: Any, text: str) -> None:
    """Numbers and dates are written as a user would."""
    player = play(FLOW).fill({"name": value})
    assert player.view.named("name").value == text


def test_a_range_has_two_dates(play: Play) -> None:
    """A CalendarPicker takes a mapping."""
    stay = {"start-date": date(2026, 12, 24), "end-date": "2026-12-26"}
    assert dict(play(FLOW).fill(stay=stay).view.named("stay").value) == {
        "start-date": "2026-12-24",
        "end-date": "2026-12-26",
    }


def test_options_are_deselected(play: Play) -> None:
    """Single ones, or all; an OptIn as a whole."""
    player = play(FLOW).choose("colours", ["r", "g"]).unchoose("colours", "Red")
    assert player.view.named("colours").value == ("g",)
    assert not player.choose("colours", "r").unchoose("colours").view.named("colours").value
    assert player.choose("terms").view.named("terms").value is True
    assert not player.uncheck("terms").view.named("terms").value


def test_a_field_is_left_so_its_error_is_shown(play: Play) -> None:
    """By `fill`, or by `blur` without entering anything."""
    player = play(FLOW).fill(age="x")
    assert player.errors.keys() == {"age"}
    assert player.blur("name").errors.keys() == {"name", "age"}
    assert player.fill(name="Ada", age=1).errors == {}


def test_a_component_is_named_by_its_name_its_label_or_its_path(play: Play) -> None:
    """In this order."""
    player = play(FLOW)
    path = "/screens/0/layout/children/0"
    for name in ("name", "Your name", path):
        assert player.fill({name: name}).view.named("name").value == name
    assert player.tap("Prices").opened_urls == ("https://example.com/p",)


def test_read_more_of_an_opt_in(play: Play) -> None:
    """It is tapped by the name or the label of the OptIn, which is not checked by that; and back leads back."""
    player = play(FLOW).tap("terms")
    assert player.screen == "TERMS"
    assert player.back().screen == "FORM"
    assert not player.view.named("terms").value


def test_back_on_the_first_screen_closes_the_flow(play: Play) -> None:
    """No message is sent."""
    player = play(FLOW).back()
    assert player.view.over
    assert player.completed is None


FORM_AT = "/screens/0/layout/children"
IMPOSSIBLE: list[tuple[Callable[[Any], object], type[PlayError], str, str]] = [
    (lambda p: p.fill(nmae="Ada"), NoSuchField, "'nmae'.*Did you mean 'name'", ""),
    (lambda p: p.fill(hidden="x"), NotTappable, "hidden", f"{FORM_AT}/2"),
    (lambda p: p.fill(locked="x"), NotTappable, "disabled", f"{FORM_AT}/3"),
    (lambda p: p.fill(colour="Red"), NotTappable, "use choose", f"{FORM_AT}/6"),
    (lambda p: p.fill(terms="x"), NotTappable, "use check", f"{FORM_AT}/9"),
    (lambda p: p.check("colour"), NotTappable, "use choose", f"{FORM_AT}/6"),
    (lambda p: p.attach("name", b"x"), NotTappable, "takes no files", f"{FORM_AT}/0"),
    (lambda p: p.choose("colour", "Redd"), NotOffered, "'Red', 'Green'.*Did you mean 'Red'", f"{FORM_AT}/6"),
    (lambda p: p.choose("colour", "Blue"), NotTappable, "", f"{FORM_AT}/6"),
    (lambda p: p.choose("colour", "r", "g"), NotOffered, "takes one option", f"{FORM_AT}/6"),
    (lambda p: p.choose("twin", "Twin"), NotOffered, "several options 'Twin'.*'1', '2'", f"{FORM_AT}/8"),
    (lambda p: p.tap("Go onn"), NoSuchField, "Did you mean 'Go on'", ""),
    (lambda p: p.tap(), NotTappable, "'name': This field is required .*observed", f"{FORM_AT}/11"),
    (lambda p: p.tap("Prices", "one"), NotOffered, "has no items", f"{FORM_AT}/10"),
    (lambda p: p.open("LIST").tap("list"), NotOffered, "say which", "/screens/1/layout/children/0"),
    (lambda p: p.open("LIST").tap("list", "Third"), NotOffered, "'First', 'Second'", "/screens/1/layout/children/0"),
    (lambda p: p.open("LIST").tap(), NotTappable, "no Footer", ""),
    (lambda p: p.open("LIST").fill(name="x"), NoSuchField, "LIST has no field 'name': it has none", ""),
    (lambda p: p.back().fill(name="x"), NotTappable, "", ""),
]


@pytest.mark.parametrize(("move", "error", "says", "path"), IMPOSSIBLE)
def test_what_a_user_cannot_do_is_reported(
    play: Play, move: Callable[[Any], object], error: type[PlayError], says: str, path: str
) -> None:
    """Why, in a sentence with the path; a field keeps what it has."""
    import re

    player = play(FLOW)
    with pytest.raises(error) as caught:
        move(player)
    assert type(caught.value) is error
    assert re.search(says, str(caught.value)), str(caught.value)
    assert path in str(caught.value)
    assert caught.value.path == path or not path


@pytest.mark.parametrize(
    ("move", "says"),
    [
        (lambda p: p.choose("colours"), "say which option"),
        (lambda p: p.choose("colours", 1), "not by a int"),
        (lambda p: p.tap(3), "named by a text, not by a value of type int"),
        (lambda p: p.fill({3: "Ada"}), "named by a text"),
        (lambda p: p.fill(name=None), "not a NoneType"),
        (lambda p: p.fill(name=True), "not a bool"),
        (lambda p: p.fill(["Ada"]), "fill takes values by the names of fields"),
        (lambda p: p.attach("photos", 1), "must be bytes, a path or an UploadedFile"),
        (lambda p: p.attach("photos", "no such file.jpg"), "cannot be read"),
    ],
)
def test_a_mistake_of_the_test_is_no_behaviour(play: Play, move: Callable[[Any], object], says: str) -> None:
    """It is a ConfigurationError."""
    flow = {"version": "7.3", "screens": [{**FORM, "layout": {"type": "SingleColumnLayout", "children": [
        *FORM["layout"]["children"][:-1], {"type": "PhotoPicker", "name": "photos", "label": "Photos"},
    ]}}]}  # fmt: skip
    with pytest.raises(ConfigurationError, match=says):
        move(play(flow))


def test_a_value_that_does_not_fit_the_next_screen(play: Play) -> None:
    """A phone hands numbers on as text (field reports), which a field of type number refuses."""
    player = play(FLOW).fill(name="Ada", age=36).tap()
    with pytest.raises(DataModelMismatch, match=r"payload/number.*observed") as caught:
        player.tap("list", "two")
    assert (caught.value.key, player.screen) == ("payload-schema-error", "LIST")


def test_a_screen_that_is_not_there(play: Play) -> None:
    """The error has the nearest name."""
    with pytest.raises(WrongTransition, match=r"'FROM'.*'FORM'"):
        play(FLOW, screen="FROM")
    player = play(FLOW).fill(name="Ada")
    before = player.session
    with pytest.raises(WrongTransition, match=r"'FROM'.*'FORM'"):
        player.open("FROM")
    assert player.session is before


def test_what_cannot_be_played(play: Play) -> None:
    """An action that does not exist is neither the user's nor an endpoint's fault."""
    flow = {"version": "7.3", "screens": [screen("A", footer("Go", {"name": "fly"}))]}
    with pytest.raises(PlayError, match=r"no action 'fly' \(/screens/0/layout/children/0/on-click-action\)") as caught:
        play(flow).tap()
    assert type(caught.value) is PlayError
    assert caught.value.key == "unplayable"


def test_a_flow_that_asks_needs_an_endpoint(play: Play) -> None:
    """The player says so; it stays as it was."""
    player = play(FLOW, screen="NUMBER")
    footer_path = player.view.footer.path
    with pytest.raises(
        EndpointFault, match=rf"data_exchange of screen NUMBER.*give endpoint \({footer_path}\)"
    ) as caught:
        player.tap()
    assert caught.value.path == footer_path
    assert not player.view.loading
    assert player.events == ()


def test_an_error_is_a_value() -> None:
    """It pickles and copies, and is one of the library's."""
    error = EndpointFault("The endpoint was slow.", "/a", "timeout_error", "timeout", False)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (again.path, again.key, again.failure, again.closed) == ("/a", "timeout_error", "timeout", False)
    missing = pickle.loads(pickle.dumps(NoSuchField("No such field.", "/a")))
    assert (str(missing), missing.path, missing.key) == ("No such field.", "/a", "")
    assert isinstance(error, FatalError)


def test_the_repr_says_where_the_player_is() -> None:
    """And nothing that was entered."""
    player = FlowPlayer(FLOW, flow_token="secret").fill(name="Ada")
    assert repr(player) == "FlowPlayer(screen FORM, 0 requests)"
    assert repr(player.back()) == "FlowPlayer(over, 0 requests)"


def test_the_events_are_those_of_advance(play: Play) -> None:
    """So they can be played again."""
    assert play(FLOW).fill(name="Ada").events[0] == Fill("/screens/0/layout/children/0", "Ada")
