"""`play`: a Flow on the command line, automatically and line by line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import CommandLine, Outcome
from tests.cli.support import Terminal as Screen
from tests.cli.terminal import Terminal
from tests.flow_json.samples import footer, navigate, samples, screen
from tests.play.development import development

EXAMPLES = Path(__file__).parents[2] / "examples"


def flow(*screens: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": "7.3", **more, "screens": list(screens)})


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextInput", "name": name, "label": name.title(), "required": True, **more}


def ids(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "title": name.title()} for name in names]


RADIO = {"type": "RadioButtonsGroup", "name": "seat", "label": "Seat", "data-source": ids("inside", "outside")}
BOOKING = flow(
    screen("START", {"type": "TextHeading", "text": "Book a table"}, text("name"), RADIO,
           navigate("END", {"name": "${form.name}"})),
    screen("END", {"type": "TextBody", "text": "`'Thank you, ' ${data.name}`"},
           footer(payload={"name": "${data.name}", "seat": "${screen.START.form.seat}"}), terminal=True,
           data={"name": {"type": "string", "__example__": "x"}}),
)  # fmt: skip

DEVELOPED = flow(
    screen("START", {"type": "Footer", "label": "Go", "on-click-action": {"name": "data_exchange", "payload": {}}}),
    screen("SLOTS", {"type": "TextBody", "text": "${data.hint}"}, footer(), terminal=True,
           data={"hint": {"type": "string", "__example__": "At ten"}}),
    data_api_version="3.0", routing_model={"START": ["SLOTS"], "SLOTS": []},
)  # fmt: skip


def auto(document: str, *options: object, **more: Any) -> Outcome:
    return CommandLine()("play", "-", "--auto", *options, stdin=document, **more)


# -- automatically


def test_the_screens_and_the_payload_are_shown() -> None:
    """One after the other, as they were left."""
    outcome = auto(BOOKING)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "START  Title\n"
        "  Book a table\n"
        "  Name: Example\n"
        "  Seat (optional)\n"
        "    ( ) Inside\n"
        "    ( ) Outside\n"
        "  [ Go ]\n"
        "\n"
        "END  Title\n"
        "  Thank you, Example\n"
        "  [ Go ]\n"
        "\n"
        "Completed after 2 screens and 3 events. The payload:\n"
        "  {\n"
        '    "name": "Example",\n'
        '    "seat": "",\n'
        '    "flow_token": "test"\n'
        "  }\n"
        "The summary in the chat:\n"
        "  Name: Example\n"
    )


def test_without_a_way_the_reason_is_shown() -> None:
    """The exit code is 1."""
    outcome = auto(flow(screen("START", text("name", pattern="^x{200}$"), navigate("END"))))
    assert outcome.code == 1
    assert outcome.out.endswith(
        "Not completed: No value was found that is valid for TextInput 'name' on START: see its pattern. "
        "(no-fitting-value)\n"
        "  at /screens/0/layout/children/0\n"
    )


def test_json_has_everything() -> None:
    """The payload, the texts of the screens, and the events by which another program can do the same."""
    found = auto(BOOKING, "--json", "--flow-token", "mine").json
    assert found["completed"] == {"name": "Example", "seat": "", "flow_token": "mine"}
    assert (found["sent"], found["reason"], found["explanation"], found["path"]) == (True, None, None, None)
    assert found["screens"][0] == {
        "id": "START",
        "title": "Title",
        "texts": ["Book a table", "Name", "Seat", "Inside", "Outside", "Go"],
        "tapped": "Go",
    }
    assert found["events"][0] == {"type": "Fill", "path": "/screens/0/layout/children/1", "value": "Example"}
    assert [event["type"] for event in found["events"]] == ["Fill", "Tap", "Tap"]
    failed = auto(flow(), "--json")
    assert (failed.code, failed.json["completed"], failed.json["reason"]) == (1, None, "no-screen")


def test_a_narrow_terminal_wraps_lines() -> None:
    """A line that is wrapped goes on below its beginning."""
    long = {"type": "OptIn", "name": "a", "label": "I have read the terms and agree to them", "required": True}
    wide = {**RADIO, "data-source": [{"id": "a", "title": "A", "description": "A table at the window, in the sun"}]}
    outcome = auto(flow(screen("END", long, wide, footer(), terminal=True)), env={"COLUMNS": "24"}, terminal=True)
    plain = [line.rstrip() for line in _without_styles(outcome.out).splitlines()]
    assert plain[:11] == [
        "END  Title",
        "  [x] I have read the",
        "  terms and agree to",
        "  them",
        "  Seat (optional)",
        "    ( ) A",
        "        A table at the",
        "        window, in the",
        "        sun",
        "  [ Go ]",
        "",
    ]


def test_no_color_is_respected() -> None:
    """On a terminal there are colours, unless NO_COLOR is set."""
    assert "\x1b[" in auto(BOOKING, terminal=True).out
    quiet = auto(BOOKING, terminal=True, env={"NO_COLOR": "1"}).out
    assert "\x1b[3" not in quiet
    assert "\x1b[9" not in quiet


def _without_styles(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_hostile_texts_are_made_inert() -> None:
    """No text of a document reaches the terminal as a control sequence, or as markup."""
    hostile = "\x1b[2J[bold]\u202e"
    shown = {"type": "TextBody", "text": hostile}
    source = [{"id": hostile, "title": hostile, "description": hostile, "metadata": hostile}]
    boxes = {"type": "CheckboxGroup", "name": hostile, "label": hostile, "min-selected-items": 1, "data-source": source}
    end = {**footer(payload={"a": hostile}), "label": hostile, "center-caption": hostile}
    outcome = auto(flow({**screen("END", shown, boxes, end, terminal=True), "title": hostile}), terminal=True)
    assert outcome.code == 0
    assert "\x1b[2J" not in outcome.out
    assert "\u202e" not in outcome.out
    assert "[bold]" in outcome.out


@pytest.mark.parametrize("document", [pytest.param(json.dumps(each), id=name) for name, each in samples()])
def test_every_component_has_a_form(document: str) -> None:
    """Of all versions, as text and as JSON."""
    for options in ((), ("--json",)):
        outcome = auto(document, *options)
        assert outcome.code == 0, outcome.out
        assert outcome.err == ""


def test_markdown_and_lists_are_lines_of_text() -> None:
    """Tables, images, links and line breaks; of a long list as many options as are read at a glance."""
    dot = "iVBORw0KGgo="
    table = ["# Prices", "| Size | Price |", "|---|---|", "| S | 5 |"]
    rich = {"type": "RichText", "text": "\n".join([*table, "", "A [page](https://example.com/)", "below",
                                                   "", f"![A dot](data:image/png;base64,{dot})"])}  # fmt: skip
    long = {"type": "Dropdown", "name": "a", "label": "Size", "data-source": ids(*(f"s{each}" for each in range(30)))}
    unknown = {"type": "Carousel3D"}
    outcome = auto(flow(screen("END", rich, long, unknown, footer(), terminal=True)))
    assert "  Prices\n  Size | Price\n  S | 5\n" in outcome.out
    assert "  A page (https://example.com/)" in outcome.out
    assert "  (image: A dot)\n" in outcome.out
    assert outcome.out.count("    ( ) S") == 20
    assert "    and 10 more\n" in outcome.out
    assert "  (Carousel3D)\n" in outcome.out


def test_a_list_to_navigate_has_its_label() -> None:
    """And each item what stands beside and below its title."""
    go = {"name": "navigate", "next": {"type": "screen", "name": "END"}, "payload": {}}
    item = {"id": "one", "main-content": {"title": "One", "description": "The first"}, "end": {"title": "5 $"},
            "badge": "New", "tags": ["a"], "on-click-action": go}  # fmt: skip
    menu = {
        "type": "NavigationList",
        "name": "menu",
        "label": "Offers",
        "description": "Of today",
        "list-items": [item],
    }
    outcome = auto(flow(screen("MENU", menu), screen("END", footer(), terminal=True)))
    assert outcome.out.startswith(
        "MENU  Title\n  Offers\n    Of today\n    > One  5 $ New a\n      The first\n  -> One\n"
    )


# -- options


def test_a_screen_and_its_data_can_be_given(tmp_path: Path) -> None:
    """The data as JSON, or in a file."""
    (tmp_path / "data.json").write_text('{"name": "Ada"}')
    for data in ('{"name": "Ada"}', f"@{tmp_path / 'data.json'}"):
        outcome = auto(BOOKING, "--screen", "END", "--data", data)
        assert outcome.out.startswith("END  Title\n  Thank you, Ada\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--screen", "STRAT"), "The Flow has no screen 'STRAT'."),
        (("--data", "{"), "--data must be a JSON object"),
        (("--data", "[1]"), "--data must be a JSON object"),
        (("--data", "@none.json"), "none.json cannot be read"),
        (("--endpoint", "nothing"), "'nothing' is no name of an object"),
        (("--endpoint", "no_such_module:endpoint"), "there is no module no_such_module"),
        (("--endpoint", "ftp://127.0.0.1/"), "must begin with http:// or https://"),
        (("--public-key", "none.pem"), "none.pem cannot be read"),
    ],
)
def test_a_wrong_option_is_a_usage_error(options: tuple[str, ...], message: str) -> None:
    """The exit code is 2, and nothing is played."""
    outcome = auto(BOOKING, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_url_without_a_key_is_asked_in_plain_json() -> None:
    """As `preview` does; what it answers is checked."""
    with development() as (url, requests):
        outcome = auto(DEVELOPED, "--endpoint", f"{url}/good", "--screen", "START")
    assert (outcome.code, requests[0]["data"]) == (0, {})
    assert "At noon" in outcome.out


def test_what_is_no_flow_json_is_a_usage_error(tmp_path: Path) -> None:
    """The file is named."""
    (tmp_path / "x.json").write_text("{")
    outcome = CommandLine()("play", tmp_path / "x.json", "--auto")
    assert (outcome.code, outcome.out) == (2, "")
    assert f"{tmp_path / 'x.json'} is not JSON" in outcome.err
    assert CommandLine()("play", tmp_path / "none.json", "--auto").code == 2


MODULE = """
def answers(request):
    if request["action"] == "INIT":
        return {"screen": "START", "data": {}}
    return {"screen": "SUCCESS", "data": {"extension_message_response": {"params": {"flow_token": "x", "id": "7"}}}}

def breaks(request):
    raise LookupError("a secret")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module of the host's in the current folder."""
    name = f"played_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


ASKING = flow(
    screen("START", text("name"), footer("data_exchange"), terminal=True),
    data_api_version="3.0",
    routing_model={"START": []},
)


def test_an_endpoint_of_a_module_is_asked(module: str) -> None:
    """A function of one of the host's modules; without one, the examples answer."""
    assert auto(ASKING, "--endpoint", f"{module}:answers", "--json").json["completed"] == {"flow_token": "x", "id": "7"}
    assert auto(ASKING, "--json").json["completed"] == {"flow_token": "test"}
    broken = auto(ASKING, "--endpoint", f"{module}:breaks")
    assert broken.code == 1
    assert "The endpoint raised LookupError" in broken.out
    assert "secret" not in broken.out


# -- line by line


def play(*typed: str, document: str = BOOKING, **more: Any) -> Outcome:
    """Play with these lines, typed on a terminal."""
    return _on_terminal(document, typed, **more)


def _on_terminal(document: str, typed: tuple[str, ...], *options: object, **more: Any) -> Outcome:
    path = more.pop("path")
    path.write_text(document)
    return CommandLine()("play", path, *options, stdin=Screen("".join(f"{line}\n" for line in typed)), **more)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "flow.json"


def test_a_flow_is_played_by_hand(file: Path) -> None:
    """Everything that can be used has a number; an empty line taps the button at the bottom."""
    outcome = play("", "1 Ada Lovelace", "2.2", "", "", path=file)
    assert outcome.code == 0
    assert outcome.out.startswith(
        "\nSTART  Title\n"
        "     Book a table\n"
        "   1 Name: -\n"
        "   2 Seat (optional)\n"
        " 2.1   ( ) Inside\n"
        " 2.2   ( ) Outside\n"
        "     [ Go ] (disabled)\n"
    )
    assert "  1 Name: Ada Lovelace\n" in outcome.out
    assert "2.2   (x) Outside\n" in outcome.out
    assert "END  Title\n     Thank you, Ada Lovelace\n   1 [ Go ]\n" in outcome.out
    assert '    "seat": "outside",\n' in outcome.out
    assert outcome.err.count("> ") == 5


def test_steps_are_taken_back(file: Path) -> None:
    """`undo` leads to the state before, `back` to the screen before; `quit` and the end of the input stop."""
    outcome = play("1 Ada", "undo", "undo", "1 Bob", "", "back", "quit", path=file)
    assert outcome.code == 1
    assert "There is nothing to undo.\n" in outcome.out
    assert outcome.out.count("END  Title\n") == 1
    assert outcome.out.endswith("  1 Name: Bob\n" + outcome.out.rpartition("  1 Name: Bob\n")[2])
    assert outcome.out.endswith("Stopped before the end.\n")
    assert play(path=file).code == 1
    closed = play("back", path=file)
    assert (closed.code, closed.out.splitlines()[-1]) == (0, "Closed. No message is sent.")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("Ada", "'Ada' does not begin with a number."),
        ("9", "There is no number 9 on this screen."),
        ("2.9", "There is no number 2.9 on this screen."),
        ("1", "Type the number, a blank, and what to fill in."),
        ("2 nowhere", "Choose an option by its number, such as 2.1, its id or its title."),
        ("?", "  1 Ada                   fill in a field"),
    ],
)
def test_what_means_nothing_is_explained(file: Path, typed: str, message: str) -> None:
    """And nothing is changed."""
    assert message in play(typed, path=file).out


def test_a_terminal_is_needed(file: Path) -> None:
    """Without one, and for JSON, --auto is."""
    file.write_text(BOOKING)
    for options, stdin, message in (((), None, "give --auto"), (("--json",), Screen(), "--json needs --auto")):
        outcome = CommandLine()("play", file, *options, stdin=stdin)
        assert outcome.code == 2
        assert message in outcome.err


def test_without_an_endpoint_an_answer_is_chosen(file: Path) -> None:
    """Among the screens that the routing model leads to, with their examples."""
    document = flow(
        screen("START", footer("data_exchange")),
        screen("LEFT", footer(), terminal=True),
        screen("RIGHT", footer(), terminal=True, data={"a": {"type": "string", "__example__": "x"}}),
        data_api_version="3.0",
        routing_model={"START": ["LEFT", "RIGHT"], "LEFT": [], "RIGHT": []},
    )
    outcome = play("", "2", "", document=document, path=file)
    assert "There is no endpoint. What does it answer?\n  1 LEFT\n  2 RIGHT and the examples of a\n" in outcome.out
    assert "There is no endpoint: answered with RIGHT and the examples of a.\n" in outcome.out
    assert "RIGHT  Title\n" in outcome.out
    assert outcome.code == 0


def test_every_kind_of_component_is_used_by_hand(file: Path, tmp_path: Path) -> None:
    """Dates, ranges, groups, ticks, files, links and lists."""
    (tmp_path / "photo.png").write_bytes(b"12345")
    open_url = {"name": "open_url", "url": "https://example.com/"}
    days = {"type": "CalendarPicker", "name": "days", "mode": "range", "label": {"start-date": "A", "end-date": "B"}}
    document = flow(
        screen(
            "END",
            {"type": "DatePicker", "name": "day", "label": "Day"},
            days,
            {"type": "CheckboxGroup", "name": "some", "label": "Some", "data-source": ids("one", "two")},
            {"type": "OptIn", "name": "ok", "label": "Agree", "on-click-action": open_url},
            {"type": "PhotoPicker", "name": "photo", "label": "Photo", "max-uploaded-photos": 1},
            {"type": "EmbeddedLink", "text": "Read", "on-click-action": open_url},
            footer(payload={name: f"${{form.{name}}}" for name in ("day", "days", "some", "ok")}),
            terminal=True,
        )
    )
    outcome = play(
        "1 2026-03-04", "2 2026-03-05 2026-03-09", "3 Two", "3.1", "3 two", "4", "4 more",
        f"5 {tmp_path / 'photo.png'}", "6", "7", document=document, path=file,
    )  # fmt: skip
    assert outcome.code == 0, outcome.out
    assert outcome.out.count("Opens https://example.com/\n") == 2
    assert "  5 Photo: photo.png\n" in outcome.out
    payload = json.loads(outcome.out.partition("The payload:\n")[2].partition("The summary")[0])
    assert payload == {
        "day": "2026-03-04",
        "days": {"start-date": "2026-03-05", "end-date": "2026-03-09"},
        "some": ["one"],
        "ok": True,
        "flow_token": "test",
    }


@pytest.mark.slow
def test_a_real_terminal_shows_the_screens(tmp_path: Path) -> None:
    """The prompt stands below the screen, and what is typed beside it."""
    path = tmp_path / "flow.json"
    path.write_text(BOOKING)
    with Terminal() as terminal:
        terminal.start("play", path)
        terminal.until("\n>")
        terminal.press("1 Ada\n")
        terminal.until("Name: Ada")
        terminal.press("quit\n")
        assert terminal.end() == 1
    assert "Stopped before the end." in terminal.text
