"""`file = "booking.py:flow"`: a Flow that a Python file makes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import pytest

from whatsapp_flows import ConfigurationError
from whatsapp_flows.sync import Workspace, read_workspace

FLOW: Final = """\
from whatsapp_flows.builder import Complete, Flow, Footer, Screen
from texts import TITLE

flow = Flow(version="7.3", screens=[
    Screen("A", title=TITLE, terminal=True, children=[Footer(label="{{word}}", on_click_action=Complete({}))]),
])
plain = dict(flow)
number = 3
"""


def workspace(folder: Path, value: str, code: str = FLOW) -> Workspace:
    """The flows of a folder in which a flow has this file."""
    (folder / "booking.py").write_text(code, "utf-8")
    (folder / "texts.py").write_text('TITLE = "Book"\n', "utf-8")
    (folder / "flows.toml").write_text(
        f'[variables]\nword = "Go"\n[flows.booking]\nfile = "{value}"\nname = "Booking"\ncategories = ["OTHER"]\n',
        "utf-8",
    )
    return read_workspace(folder / "flows.toml")


@pytest.mark.parametrize("name", ["flow", "plain"])
def test_a_python_file_makes_the_flow(name: str, tmp_path: Path) -> None:
    """A Flow or another mapping; modules beside the file are found, and variables are filled in."""
    before = list(sys.path)
    (flow,) = workspace(tmp_path, f"booking.py:{name}").flows
    screen = json.loads(flow.content)["screens"][0]
    assert (screen["title"], screen["layout"]["children"][0]["label"]) == ("Book", "Go")
    assert flow.file is None
    assert sys.path == before


MISTAKES: Final = {
    "booking.py:flw": "booking.py binds no name 'flw'; it binds flow, plain.",
    "booking.py:number": "is a int: it must be a Flow",
    "other.py:flow": "other.py cannot be read: No such file",
    "booking.py:": "cannot be read",
}


@pytest.mark.parametrize("value", MISTAKES)
def test_a_mistake_is_reported_with_its_place(value: str, tmp_path: Path) -> None:
    """The table and the key of flows.toml."""
    with pytest.raises(ConfigurationError, match=r"flows\.toml:4: \[flows\.booking\] file") as caught:
        workspace(tmp_path, value)
    assert MISTAKES[value] in caught.value.message


BROKEN: Final = {
    "flow = 1 / 0": "booking.py:1: ZeroDivisionError",
    "\n\nraise SystemError": "booking.py:3: SystemError",
    "def": "SyntaxError",
    "import nothing_of_that_name": "booking.py:1: ModuleNotFoundError",
    "from whatsapp_flows.builder import Flow\nflow = Flow(version='9.9', screens=[])": "booking.py:2: there is no Flow",
    "from whatsapp_flows.builder import Flow\nflow = Flow(version='7.3', screens=[3])": "booking.py:2: screens is",
    "import sys\nsys.exit(3)": "booking.py:2: SystemExit: 3",
    "flow = None": "flow of",
    "from whatsapp_flows.builder import *\nbody = TextBody(text=Data('x', 'y'))\n"
    "flow = Flow(version='7.3', screens=[Screen('A', children=[body])])": "booking.py: screen A, TextBody(): ${data.x}",
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_file_that_fails_is_reported_with_its_line(code: str, tmp_path: Path) -> None:
    """Whatever it raises."""
    with pytest.raises(ConfigurationError) as caught:
        workspace(tmp_path, "booking.py:flow", code)
    assert BROKEN[code] in caught.value.message


def test_a_module_beside_the_file_is_that_of_its_own_folder(tmp_path: Path) -> None:
    """Two folders may each have one of a name, and it is read again after a change."""
    titles = []
    for folder, title in (("a", "First"), ("b", "Second"), ("a", "Third")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "texts").mkdir(exist_ok=True)
        (tmp_path / folder / "texts" / "__init__.py").write_text("from texts.words import TITLE\n", "utf-8")
        (tmp_path / folder / "texts" / "words.py").write_text(f"TITLE = {title!r}\n", "utf-8")
        (flow,) = workspace(tmp_path / folder, "booking.py:flow", FLOW).flows
        titles.append(json.loads(flow.content)["screens"][0]["title"])
    assert titles == ["First", "Second", "Third"]
    assert not {"texts", "texts.words", "booking"} & sys.modules.keys()


def test_a_file_may_define_dataclasses_and_print(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As any module; the standard output is for the command's own."""
    code = """\
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Text:
    title: str

print("made")
flow = {"version": "7.3", "screens": []}
"""
    assert workspace(tmp_path, "booking.py:flow", code).flows
    assert capsys.readouterr() == ("", "made\n")
