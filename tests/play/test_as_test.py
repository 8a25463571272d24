"""A session becomes a test: its source runs, passes, does the same, and holds no flow token."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.play.conftest import TODAY
from tests.play.test_player import FLOW as FORM
from tests.play.visit import FLOW, SLOTS, function, screen
from whatsapp_flows import ConfigurationError
from whatsapp_flows.play import (
    Answer,
    AskEndpoint,
    Back,
    Blur,
    Event,
    Fill,
    FlowPlayer,
    PlayError,
    Select,
    Session,
    Tap,
    Upload,
    UploadedFile,
    advance,
    as_test,
    read_flow,
    start,
    view,
)

Play = Callable[..., Any]


def run(source: str, *, played: list[FlowPlayer] | None = None, root: Path | None = None) -> None:
    """Runs a generated test; `played` gets its players."""

    def play_flow(flow: Any, **options: Any) -> FlowPlayer:
        player = FlowPlayer(root / flow if root is not None else flow, **options)
        if played is not None:
            played.append(player)
        return player

    names: dict[str, Any] = {}
    exec(compile(source, "generated", "exec"), names)
    (test,) = (each for name, each in names.items() if name.startswith("test_"))
    test(play_flow)


def test_a_visit_becomes_a_test(play: Play, tmp_path: Path) -> None:
    """It reads as one would have written it, with what the endpoint has answered."""
    path = tmp_path / "a visit.json"
    path.write_text(json.dumps(FLOW))
    player = play(path, endpoint=function([]), flow_token="secret-token-1")
    player.fill(name="Ada", email="ada@example.com").tap().choose("slot", "10:00").tap()
    source = player.as_test()
    assert "secret-token" not in source
    assert (
        source
        == f'''\
from datetime import date


def test_a_visit(play_flow):
    answers = iter([
        {{"screen": "START", "data": {{"greeting": "Welcome"}}}},
        {{
            "screen": "CHOOSE",
            "data": {{
                "slots": [
                    {{"id": "s10", "title": "10:00"}},
                    {{"id": "s11", "title": "11:00"}},
                    {{"id": "s12", "title": "12:00", "enabled": False}},
                ],
            }},
        }},
        {{
            "screen": "SUCCESS",
            "data": {{"extension_message_response": {{"params": {{"flow_token": "test", "slot": "s10"}}}}}},
        }},
    ])
    player = play_flow(
        "{path.as_posix()}",
        endpoint=lambda request: next(answers),
        today=date(2026, 11, 30),
    )
    assert player.screen == "START"
    player.fill(name="Ada", email="ada@example.com")
    player.tap()
    assert player.screen == "CHOOSE"
    player.choose("slot", "s10")
    player.tap()
    assert player.completed == {{"flow_token": "test", "slot": "s10"}}
'''
    )
    run(source)


def test_a_path_below_the_working_folder_is_relative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the fixture finds it, on every machine."""
    path = tmp_path / "flows" / "visit.json"
    path.parent.mkdir()
    path.write_text(json.dumps(FORM))
    monkeypatch.chdir(tmp_path)
    source = FlowPlayer(path).fill(name="Ada").as_test("the first screen")
    assert 'play_flow("flows/visit.json", today=' in source
    assert "def test_the_first_screen(play_flow):" in source
    run(source, root=tmp_path)


def test_a_flow_without_a_path_is_part_of_the_source() -> None:
    """The document stands in it."""
    source = FlowPlayer(FORM, today=TODAY).fill(name="Ada").tap().tap("list", "First").tap().as_test()
    assert "\nFLOW = {\n" in source
    assert "def test_flow(play_flow):\n    player = play_flow(FLOW, today=date(2026, 11, 30))\n" in source
    run(source)


EVERY_MOVE: list[tuple[Callable[[Any], object], str]] = [
    (lambda p: p.fill(name=""), 'player.fill(name="")'),
    (lambda p: p.fill(name="x").fill(name="y"), 'player.fill(name="x")\n    player.fill(name="y")'),
    (lambda p: p.blur("name"), 'player.blur("name")'),
    (lambda p: p.fill(stay={"start-date": "2026-12-24"}), 'player.fill(stay={"start-date": "2026-12-24"})'),
    (lambda p: p.choose("colours", "Red").unchoose("colours"), 'player.choose("colours", "r")\n    player.unchoose('),
    (lambda p: p.check("terms").uncheck("terms"), 'player.check("terms")\n    player.uncheck("terms")'),
    (lambda p: p.tap("terms").back(), 'player.tap("terms")\n    assert player.screen == "TERMS"\n    player.back()'),
    (lambda p: p.tap("Prices"), 'player.tap("Prices")'),
    (lambda p: p.fill(name="Ada").tap().tap("list", "First"), 'player.tap("list", "one")'),
    (lambda p: p.back(), "player.back()\n    assert player.view.over"),
    (lambda p: p.fill(age="x"), 'assert player.errors == {"age": '),
]


@pytest.mark.parametrize(("moves", "text"), EVERY_MOVE)
def test_every_move_has_its_call(moves: Callable[[Any], object], text: str) -> None:
    """And the test ends with what is to be seen."""
    player = FlowPlayer(FORM)
    moves(player)
    source = player.as_test()
    assert text in source
    run(source)


def test_a_move_that_raises_is_expected_to(play: Play) -> None:
    """What the endpoint answered to the report is among the answers."""
    player = play(FLOW, endpoint=function([])).fill(name="nowhere")
    with pytest.raises(PlayError):
        player.tap()
    source = player.as_test()
    assert "from whatsapp_flows.play import WrongTransition\n" in source
    assert "    with pytest.raises(WrongTransition):\n        player.tap()\n" in source
    assert '{"data": {"acknowledged": True}},\n    ])' in source
    run(source)


OFFLINE = {key: value for key, value in FLOW.items() if key != "data_api_version"}


@pytest.mark.parametrize(("flow", "init"), [(FLOW, None), (FLOW, False), (OFFLINE, None), (OFFLINE, True)])
def test_whether_the_flow_opens_with_init(flow: Any, init: bool | None) -> None:
    """The test opens it in the same way."""
    player = FlowPlayer(flow, endpoint=function([]), init=init).fill(name="Ada").tap()
    assert player.requests[0].action == ("INIT" if init or (init is None and flow is FLOW) else "data_exchange")
    source = player.as_test()
    assert ("init=" in source) == (init is not None)
    played: list[FlowPlayer] = []
    run(source, played=played)
    assert [each.action for each in played[0].requests] == [each.action for each in player.requests]


def test_a_flow_that_does_not_open() -> None:
    """The test expects that."""
    session = start(FLOW, "NOWHERE", flow_token="secret", today=TODAY).session
    source = as_test(session)
    assert "with pytest.raises(WrongTransition):\n        player = play_flow(" in source
    run(source)


def test_faults_of_the_endpoint_are_answers() -> None:
    """A failure is written as one; a request that nobody has answered is a time-out."""
    session = start(FLOW, today=TODAY, init=True).session
    for source in (
        as_test(session),
        as_test(advance(session, Answer(number=1, failure="unreadable", message='It\'s "nothing".')).session),
    ):
        assert "with pytest.raises(EndpointFault):\n        player = play_flow(" in source
        run(source)
    assert """Answer(number=1, failure="unreadable", message='It\\'s "nothing".')""" in source


def test_files_are_written_without_their_content() -> None:
    """With name, type, size and SHA-256."""
    photos = {"type": "PhotoPicker", "name": "photos", "label": "Photos"}
    complete = {"name": "complete", "payload": {"photos": "${form.photos}"}}
    end = {"type": "Footer", "label": "Send", "on-click-action": complete}
    flow = {"version": "7.3", "screens": [screen("PHOTOS", photos, end, terminal=True, success=True)]}
    player = FlowPlayer(flow).attach("photos", b"not really a photo", UploadedFile(name="b.png", size=3)).tap()
    source = player.as_test()
    assert "from whatsapp_flows.play import UploadedFile\n" in source
    assert "not really" not in source
    assert player.completed is not None
    assert len(player.completed["photos"]) == 2
    run(source)


HOSTILE = [
    '"',
    "'",
    "\\",
    "'\"",
    "\n",
    "\r",
    "\u2028",
    "\u202e",
    "${form.x}",
    "{x}",
    '"""',
    "\x00",
    "\ud800",
    "é",
    "import os",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_values_are_quoted(text: str) -> None:
    """Whatever a Flow JSON or a user writes, it is a text in one line of the source."""
    name = text if text != "\ud800" else "name"  # a Flow JSON is UTF-8; what is filled in need not be
    field = {"type": "TextInput", "name": name, "label": name}
    flow = {"version": "7.3", "screens": [screen(name, field, title=name)]}
    player = FlowPlayer(flow).fill({name: text})
    source = player.as_test(name=text)
    assert source.replace("\n", "").isprintable()
    ast.parse(source)
    played: list[FlowPlayer] = []
    run(source, played=played)
    assert played[0].events == player.events


def test_the_text_for_the_user_is_to_be_seen() -> None:
    """The snackbar that is shown at the end."""
    player = FlowPlayer(FLOW, endpoint=function([]), screen="START").fill(name="again").tap()
    source = player.as_test()
    assert source.endswith('assert player.view.snackbar.text == "Once more, please."\n')
    run(source)


def test_the_name_of_a_test_is_a_text() -> None:
    """Of whatever is in it, a name of Python is made."""
    player = FlowPlayer(FORM)
    assert "def test_flow(" in player.as_test("test_")
    assert "def test_a_b_2(" in player.as_test("A -- b/2.")
    with pytest.raises(ConfigurationError, match="not a int"):
        player.as_test(7)  # type: ignore[arg-type]


def test_a_flow_token_is_left_out_wherever_it_stands() -> None:
    """As a whole, and inside of other texts, in keys and in values."""
    token = "0123456789abcdef"
    answers = iter([
        {"screen": "START", "data": {"greeting": f"Hello {token}"}},
        {"screen": "CHOOSE", "data": {"slots": SLOTS, token: token}},
    ])  # fmt: skip
    player = FlowPlayer(FLOW, endpoint=lambda request: next(answers), flow_token=token)
    player.fill(name=f"{token}").tap()
    source = player.as_test()
    assert token not in source
    run(source)


# -- any session


def paths(session: Session) -> list[str]:
    seen = view(session)
    nodes = [*seen.nodes, *([seen.footer] if seen.footer is not None else [])]
    return [node.path for node in nodes]


FLOWS = (read_flow(FORM), read_flow(FLOW))
TEXTS = st.sampled_from(["", "Ada", "nowhere", "too far", "wrong data", "closed", "again", "36", 'it\'s "x"\n'])
OPTIONS = st.sampled_from(["r", "g", "b", "1", "2", "one", "two", "s10", "s12", "nothing"])


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """A session of either Flow, by any events; the endpoint may fail."""
    has_endpoint = draw(st.booleans())
    step = start(FLOWS[has_endpoint], flow_token="token-of-a-user", today=date(2026, 11, 30), init=has_endpoint)
    answer = function([])
    for _ in range(draw(st.integers(0, 12))):
        session = step.session
        if session.pending is not None:
            step = advance(session, draw_answer(draw, session.pending, answer))
            continue
        path = draw(st.sampled_from([*paths(session), "/nowhere"]))
        events: list[st.SearchStrategy[Event]] = [
            st.builds(Fill, st.just(path), TEXTS),
            st.builds(Blur, st.just(path)),
            st.builds(Select, st.just(path), OPTIONS, st.booleans()),
            st.builds(Select, st.just(path), st.just(""), st.booleans()),
            st.builds(Tap, st.just(path), st.sampled_from(["", "one", "two"])),
            st.builds(Upload, st.just(path), st.just((UploadedFile(name="a", size=1),))),
            st.just(Back()),
        ]
        step = advance(session, draw(st.one_of(events)))
    return step.session


def draw_answer(draw: st.DrawFn, asked: AskEndpoint, answer: Callable[[dict[str, Any]], Any]) -> Answer:
    if draw(st.integers(0, 5)) == 0:
        return Answer(number=asked.number, failure=draw(st.sampled_from(["timeout", "status", "token-refused"])))
    request = {"action": asked.action, "screen": asked.screen, "data": dict(asked.data)}
    return Answer(number=asked.number, content=answer(request).plaintext(asked.flow_token))


@given(session=sessions())
@settings(max_examples=some(12))
def test_the_source_of_any_session_passes(session: Session) -> None:
    """And ends where the session has ended."""
    source = as_test(session)
    assert "token-of-a-user" not in source
    played: list[FlowPlayer] = []
    run(source, played=played)
    if played and session.pending is None:
        assert played[0].screen == session.screen
        assert type(played[0].session.end) is type(session.end)
