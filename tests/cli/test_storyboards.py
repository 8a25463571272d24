"""`plan --storyboard`: pictures of the flows that are created or changed."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.cli.support import CommandLine
from tests.support import valid_flow
from tests.sync.support import actual, desired
from whatsapp_flows.cli._storyboards import relative_link, write_storyboards
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import FlowChange, Plan

TABLE = """
[flows.{key}]
name = "{name}"
categories = ["OTHER"]
file = "{file}"
publish = true
"""


@pytest.fixture
def booking(cli: CommandLine, meta: Emulator, tmp_path: Path) -> Path:
    """A folder with a flow of two screens, which is live, and another one that does not exist yet."""
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "flows.toml").write_text(TABLE.format(key="booking", name="Booking", file="booking.json"))
    write(folder, "booking.json", "Hello", "Goodbye")
    assert cli("sync", folder).code == 0
    return folder


def write(folder: Path, name: str, *texts: str) -> None:
    """A Flow JSON with a screen for each text, from one to the next."""
    screens = []
    for number, text in enumerate(texts):
        to = f"S_{'ABCD'[number + 1]}" if number + 1 < len(texts) else ""
        action: dict[str, Any] = {"name": "complete", "payload": {}}
        if to:
            action = {"name": "navigate", "next": {"type": "screen", "name": to}, "payload": {}}
        children = [{"type": "TextBody", "text": text}, {"type": "Footer", "label": "Go on", "on-click-action": action}]
        layout = {"type": "SingleColumnLayout", "children": children}
        screens.append({"id": f"S_{'ABCD'[number]}", "title": text, "terminal": not to, "layout": layout})
    (folder / name).write_text(json.dumps({**valid_flow(), "screens": screens}))


def views(page: Path) -> list[dict[str, Any]]:
    """The views of the pictures in a page, in order."""
    (data,) = re.findall(r'<script type="application/json" id="story">(.*?)</script>', page.read_text(), re.DOTALL)
    return [board["view"] for board in json.loads(data)["boards"]]


def titles(page: Path) -> list[str]:
    return [view["title"] for view in views(page)]


def test_nothing_is_written_where_nothing_changes(cli: CommandLine, booking: Path, tmp_path: Path) -> None:
    """The folder is not made either."""
    outcome = cli("plan", "--config", booking / "flows.toml", "--storyboard", tmp_path / "boards", "--markdown")
    assert (outcome.code, "pictures" in outcome.out) == (0, False)
    assert not (tmp_path / "boards").exists()


def test_a_changed_flow_is_shown_before_and_after(cli: CommandLine, booking: Path, tmp_path: Path) -> None:
    """Changed screens in pairs and marked, the others folded; `before` is what is live."""
    write(booking, "booking.json", "Hello", "Farewell")
    boards = tmp_path / "boards"
    outcome = cli("plan", "--config", booking / "flows.toml", "--storyboard", boards, "--markdown")
    assert outcome.code == 0
    assert os.listdir(boards) == ["booking.html"]
    page = boards / "booking.html"
    assert titles(page) == ["Hello", "Goodbye", "Farewell"]
    source = page.read_text()
    assert "<h1>Booking: before and after</h1><p>Screens: 1 changed, 1 unchanged.</p>" in source
    assert re.findall(r"<figcaption>(.*?)</figcaption>", source) == ["As it opens", "Before", "After"]
    assert '<section class="story-screen" id="screen-S_A"><details><summary>' in source
    assert source.count('<span class="mark is-changed">Changed</span>') == 2  # at the screen, and in the contents


def test_screens_that_are_new_or_gone_are_marked(cli: CommandLine, booking: Path, tmp_path: Path) -> None:
    """Those that are gone stand at the end."""
    write(booking, "booking.json", "Hello", "Goodbye", "One more")
    boards = tmp_path / "boards"
    assert cli("plan", "--config", booking / "flows.toml", "--storyboard", boards).code == 0
    assert "<p>Screens: 1 changed, 1 new, 1 unchanged.</p>" in (boards / "booking.html").read_text()
    note = "Its pictures are the same: what changed is what it does, or its data."
    assert note in (boards / "booking.html").read_text()
    write(booking, "booking.json", "Hello")
    assert cli("plan", "--config", booking / "flows.toml", "--storyboard", boards).code == 0
    assert titles(boards / "booking.html") == ["Hello", "Goodbye"]
    assert "<p>Screens: 1 changed, 1 removed.</p>" in (boards / "booking.html").read_text()


def test_a_new_flow_has_a_storyboard(cli: CommandLine, booking: Path, tmp_path: Path) -> None:
    """Of its present state; unchanged flows have none."""
    table = TABLE.format(key='"a/../b c"', name="Second", file="second.json")
    (booking / "flows.toml").write_text((booking / "flows.toml").read_text() + table)
    write(booking, "second.json", "Second")
    boards = tmp_path / "boards"
    outcome = cli("plan", "--config", booking / "flows.toml", "--storyboard", boards)
    assert os.listdir(boards) == ["a_._b c.html"]
    assert "<h1>Second: new</h1>" in (boards / "a_._b c.html").read_text()
    assert str(boards / "a_._b c.html") in outcome.out.replace("\n", "")


@pytest.mark.parametrize(("path", "link"), [("a/b.html", "a/b.html"), ("a b/(c)>.html", "a%20b/%28c%29%3E.html")])
def test_links_are_relative(path: str, link: str) -> None:
    """To the current folder, and escaped for Markdown."""
    assert relative_link(Path(path)) == relative_link(Path.cwd() / path) == link
    assert unquote(link) == path


def test_the_markdown_links_the_pictures(cli: CommandLine, booking: Path, tmp_path: Path) -> None:
    """At the name of the flow, with a sentence below."""
    write(booking, "booking.json", "Hello", "Farewell")
    boards = tmp_path / "boards"
    out = cli("plan", "--config", booking / "flows.toml", "--storyboard", boards, "--markdown").out
    link = relative_link(boards / "booking.html")
    assert f"| [`booking`](<{link}>) | republish |" in out
    assert "The link of a flow leads to pictures of its screens." in out
    assert cli("plan", "--config", booking / "flows.toml", "--storyboard", boards, "--json").json["flows"][0][
        "storyboard"
    ] == str(boards / "booking.html")
    assert "storyboard" not in cli("plan", "--config", booking / "flows.toml", "--json").json["flows"][0]


def test_a_folder_that_cannot_be_made_is_an_error(cli: CommandLine, booking: Path, tmp_path: Path) -> None:
    """With its name, before anything else is written."""
    write(booking, "booking.json", "Hello", "Farewell")
    (tmp_path / "file").write_text("")
    outcome = cli("plan", "--config", booking / "flows.toml", "--storyboard", tmp_path / "file" / "boards")
    assert (outcome.code, outcome.out) == (2, "")
    assert "boards cannot be written: Not a directory." in outcome.err.replace("\n", " ")


@pytest.mark.parametrize("live", [b"[]", None])
def test_a_live_version_that_cannot_be_read_is_left_out(tmp_path: Path, live: bytes | None) -> None:
    """The flow is then shown as it will be."""
    change = FlowChange(
        key="booking", name="Booking", action="upload", steps=("upload",), desired=desired(),
        actual=replace(actual(), content=live),
    )  # fmt: skip
    written = write_storyboards(Plan(account_id="1", changes=(change,)), tmp_path)
    assert "<h1>Booking: after the change</h1>" in written["booking"].read_text()


def test_a_plan_of_very_many_flows_has_some_storyboards(tmp_path: Path) -> None:
    """The first 50; changes without a new Flow JSON do not count."""
    changes = [
        FlowChange(key=f"f{number}", name="F", action="create", steps=("create",), desired=desired())
        for number in range(52)
    ]
    other = FlowChange(key="meta", name="M", action="update", steps=("update",), desired=desired(), actual=actual())
    written = write_storyboards(Plan(account_id="1", changes=(other, *changes)), tmp_path)
    assert list(written) == [f"f{number}" for number in range(50)]
