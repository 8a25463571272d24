"""TypedDicts for what a Flow sends and takes, from its JSON."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from typing_extensions import NotRequired, get_type_hints, is_typeddict

from tests.builder.test_round_trip import DOCUMENTS, ROOT, every_document
from whatsapp_flows import ConfigurationError
from whatsapp_flows.builder import (
    CalendarPicker,
    CheckboxGroup,
    Complete,
    Component,
    Data,
    DataExchange,
    DatePicker,
    DocumentPicker,
    EmbeddedLink,
    Flow,
    Footer,
    OptIn,
    Raw,
    Screen,
    TextInput,
    answers,
    own_value,
    text,
)


def types(source: Any) -> dict[str, dict[str, Any]]:
    """Class -> its fields with their types, as a type checker sees them."""
    names: dict[str, Any] = {}
    exec(compile(answers(source), "<generated>", "exec", dont_inherit=True), names)
    classes = {name: each for name, each in names.items() if is_typeddict(each)}
    return {name: get_type_hints(each, include_extras=True) for name, each in classes.items()}


age = TextInput(name="age", label="Age", input_type="number")
agree = OptIn(name="agree", label="Agree")
picked = CheckboxGroup(name="picked", label="P", data_source=[])
day = DatePicker(name="day", label="D", on_select_action=DataExchange({"day": own_value}))
stay = CalendarPicker(name="stay", label={"start-date": "a", "end-date": "b"}, mode="range")
files = DocumentPicker(name="files", label="F")
place = Data("place", {"street": "x", "number": 1})
prices = Data("prices", [1.5])
VALUES: Final[dict[str, tuple[Any, Any]]] = {
    "number": (age, str | float),
    "boolean": (agree, bool),
    "list": (picked, list[str]),
    "date": (day, str),
    "range": (stay, dict[str, str]),
    "files": (files, list[dict[str, Any]]),
    "object": (place, dict[str, Any]),
    "inner": (place["street"], str),
    "numbers": (prices, list[float]),
    "comparison": (age.number > 17, bool),
    "sum": (age.number + 1, float),
    "joined": (text("a", age), str),
    "text": ("x", str),
    "flag": (True, bool),
    "whole": (3, int),
    "decimal": (3.5, float),
    "mapping": ({"a": 1}, dict[str, Any]),
    "array": ([1], list[Any]),
    "raw": (Raw(["${form.age}"]), list[Any]),
    "a reference in Raw": (Raw("${form.age}"), str | float),
}


@pytest.mark.parametrize("case", VALUES)
def test_each_value_has_the_type_with_which_it_arrives(case: str) -> None:
    """A number may arrive as a text."""
    value, kind = VALUES[case]
    inputs: list[Component] = [age, agree, picked, day, stay, files]
    footer = Footer(label="Go", on_click_action=Complete({"value": value}))
    screen = Screen("A", data=[place, prices], terminal=True, children=[*inputs, footer])
    assert types(Flow(version="7.3", screens=[screen]))["Answer"] == {"flow_token": str, "value": kind}


def test_what_not_every_action_sends_is_not_required() -> None:
    """A screen has one type for all its actions."""
    link = EmbeddedLink(text="More", on_click_action=DataExchange({"more": True, "at": "x"}))
    footer = Footer(label="Go", on_click_action=DataExchange({"name": "x", "at": 1}))
    flow = Flow(version="7.3", screens=[Screen("CHOOSE_DAY", terminal=True, children=[link, footer])])
    assert types(flow)["ChooseDayData"] == {
        "more": NotRequired[bool],
        "at": str | int,
        "name": NotRequired[str],
    }


def test_an_input_that_asks_at_once_sends_its_own_value() -> None:
    """`own_value` has the type of the input."""
    flow = Flow(version="7.3", screens=[Screen("A", terminal=True, children=[day])])
    assert types(flow)["AData"] == {"day": str}


def test_a_data_model_is_what_an_answer_must_hold() -> None:
    """With the types of its schemas."""
    flow = Flow(version="7.3", screens=[Screen("A", data=[place, prices, Data("n", 1, type="integer")])])
    assert types(flow)["AScreen"] == {"place": dict[str, Any], "prices": list[float], "n": int}


def test_keys_that_are_no_names_are_kept() -> None:
    """In the other form of a TypedDict."""
    footer = Footer(label="Go", on_click_action=Complete({"first name": "x", "class": 1, 'say "hi"': True}))
    flow = Flow(version="7.3", screens=[Screen("A", terminal=True, children=[footer])])
    assert types(flow)["Answer"] == {"flow_token": str, "first name": str, "class": int, 'say "hi"': bool}


@pytest.mark.parametrize(
    "key", ["list", "str", "NotRequired", "__secret", "a\N{LATIN SMALL LIGATURE FI}", "\N{DEGREE CELSIUS}"]
)
def test_a_key_that_a_class_would_change_is_kept(key: str) -> None:
    """One that Python mangles or normalises, or that hides a type from the fields after it."""
    footer = Footer(label="Go", on_click_action=Complete({key: "x", "more": picked}))
    flow = Flow(version="7.3", screens=[Screen("A", terminal=True, children=[picked, footer])])
    assert types(flow)["Answer"] == {"flow_token": str, key: str, "more": list[str]}
    assert "class Answer" not in answers(flow)


def test_screens_whose_names_meet_get_numbers() -> None:
    """No class replaces another."""
    screens = [Screen(each, data=[Data(each, "x")]) for each in ("A_B", "AB", "A,B", "_")]
    assert list(types(Flow(version="7.3", screens=screens))) == [
        "ABScreen",
        "AbScreen",
        "ABScreen2",
        "ScreenScreen",
        "Answer",
    ]


@every_document
def test_every_document_has_types(name: str) -> None:
    """Of any version."""
    found = types(DOCUMENTS[name])
    assert found["Answer"]["flow_token"] is str


@pytest.mark.slow
@pytest.mark.unmeasured
@pytest.mark.xdist_group("mypy")
def test_the_types_pass_a_type_checker(tmp_path: Path) -> None:
    """mypy --strict has nothing to say."""
    pytest.importorskip("mypy")
    for number, document in enumerate(DOCUMENTS.values()):
        (tmp_path / f"types_{number}.py").write_text(answers(document), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        str(tmp_path),
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert checked.returncode == 0, checked.stdout


def test_what_is_no_flow_json_is_refused() -> None:
    """With a ConfigurationError."""
    with pytest.raises(ConfigurationError):
        answers(b"[]")


@pytest.mark.parametrize("hostile", ['A"""\nraise SystemExit\n"""', "A\\", 'A"', "A\nraise SystemExit", "A\r\u2028"])
def test_the_id_of_a_screen_is_no_code(hostile: str) -> None:
    """A document is input: whatever it holds, the module defines classes and does nothing else."""
    footer = Footer(label="Go", on_click_action=DataExchange({hostile: "x"}))
    screen = Screen(hostile, data=[Data(hostile, 1)], terminal=True, children=[footer])
    assert types(Flow(version="7.3", screens=[screen]))
