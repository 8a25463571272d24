"""The example flows: seven complete, self-contained Flow JSON documents and the manifest that lists them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FLOWS = Path(__file__).resolve().parents[1] / "examples" / "flows"
LARGEST = "solar_installation"
NAMES = (
    LARGEST,
    "starlink_installation",
    "solar_panel_cleaning",
    "site_assessment",
    "loan_application",
    "hybrid_installation",
    "custom_furniture_installation",
)
INPUTS = frozenset(
    {
        "CalendarPicker",
        "CheckboxGroup",
        "ChipsSelector",
        "DatePicker",
        "DocumentPicker",
        "Dropdown",
        "NavigationList",
        "OptIn",
        "PhotoPicker",
        "RadioButtonsGroup",
        "TextArea",
        "TextInput",
    }
)

every_flow = pytest.mark.parametrize("name", NAMES)


def path_of(name: str) -> Path:
    return FLOWS / f"{name}.json"


def flow(name: str) -> dict[str, Any]:
    document = json.loads(path_of(name).read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def screens_of(name: str) -> list[dict[str, Any]]:
    screens = flow(name)["screens"]
    assert isinstance(screens, list)
    return screens


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object inside `node`, itself included."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from objects(child)


def actions(screen: dict[str, Any], action_name: str) -> list[dict[str, Any]]:
    found = (item.get("on-click-action") for item in objects(screen["layout"]))
    return [action for action in found if isinstance(action, dict) and action["name"] == action_name]


def form_fields(screen: dict[str, Any]) -> list[str]:
    return [item["name"] for item in objects(screen["layout"]) if item.get("type") in INPUTS]


def manifest() -> dict[str, Any]:
    return tomllib.loads((FLOWS / "flows.toml").read_text(encoding="utf-8"))


def test_the_seven_files_exist() -> None:
    """The directory holds exactly the seven example flows."""
    assert sorted(path.stem for path in FLOWS.glob("*.json")) == sorted(NAMES)


@every_flow
def test_each_file_is_stored_pretty_printed(name: str) -> None:
    """Each file is UTF-8 JSON, indented by two spaces and ended by one newline."""
    stored = path_of(name).read_bytes()
    assert stored == (json.dumps(flow(name), indent=2, ensure_ascii=False) + "\n").encode()


@every_flow
def test_each_flow_has_version_7_3_and_needs_no_endpoint(name: str) -> None:
    """Each flow is Flow JSON 7.3 and runs without an endpoint."""
    document = flow(name)
    assert document["version"] == "7.3"
    assert "data_api_version" not in document
    assert not [screen["id"] for screen in screens_of(name) if actions(screen, "data_exchange")]


def test_the_solar_flow_has_seven_screens() -> None:
    """The solar installation flow has exactly seven screens."""
    assert len(screens_of(LARGEST)) == 7


@pytest.mark.parametrize("name", [name for name in NAMES if name != LARGEST])
def test_the_other_flows_have_four_to_six_screens(name: str) -> None:
    """Every flow but the solar one has four to six screens."""
    assert 4 <= len(screens_of(name)) <= 6


def test_the_solar_flow_is_the_largest() -> None:
    """The solar installation flow takes at least 11,000 bytes and is larger than every other flow."""
    sizes = {name: path_of(name).stat().st_size for name in NAMES}
    largest = sizes.pop(LARGEST)
    assert largest >= 11_000
    assert largest > max(sizes.values())


@every_flow
def test_only_the_last_screen_is_terminal(name: str) -> None:
    """Only the last screen ends the flow, it does so with success, and its Footer completes."""
    *others, last = screens_of(name)
    assert not any(screen.get("terminal", False) for screen in others)
    assert last["terminal"] is True
    assert last["success"] is True
    footers = [item for item in objects(last["layout"]) if item.get("type") == "Footer"]
    assert [footer["on-click-action"]["name"] for footer in footers] == ["complete"]


@every_flow
def test_the_complete_action_sends_every_answer(name: str) -> None:
    """
    The last screen's complete action carries every form field of the flow under the field's own name.

    Numbers are read from the screen that asks for them: handed on, a phone makes texts of them.
    """
    screens = screens_of(name)
    asked = [field for screen in screens for field in form_fields(screen)]
    asked_last = form_fields(screens[-1])
    (complete,) = actions(screens[-1], "complete")
    assert len(asked) == len(set(asked))
    numbers = {
        item["name"]: screen["id"]
        for screen in screens
        for item in objects(screen["layout"])
        if item.get("input-type") == "number"
    }
    assert complete["payload"] == {
        field: f"${{form.{field}}}"
        if field in asked_last
        else f"${{screen.{numbers[field]}.form.{field}}}"
        if field in numbers
        else f"${{data.{field}}}"
        for field in asked
    }


@every_flow
def test_every_navigate_target_exists(name: str) -> None:
    """Every navigate action leads to a screen of the same flow."""
    screens = screens_of(name)
    targets = {action["next"]["name"] for screen in screens for action in actions(screen, "navigate")}
    assert targets <= {screen["id"] for screen in screens}


@every_flow
def test_each_screen_leads_to_the_next_one(name: str) -> None:
    """Each screen navigates to the one after it, so every screen is reached and the last one ends the flow."""
    screens = screens_of(name)
    steps = [[action["next"]["name"] for action in actions(screen, "navigate")] for screen in screens]
    assert steps == [*([screen["id"]] for screen in screens[1:]), []]


@every_flow
def test_each_navigate_payload_fits_the_next_screen(name: str) -> None:
    """A navigate action passes exactly the fields that the next screen declares in its data."""
    declared = {screen["id"]: set(screen.get("data", {})) for screen in screens_of(name)}
    for screen in screens_of(name):
        for action in actions(screen, "navigate"):
            assert set(action.get("payload", {})) == declared[action["next"]["name"]]


@every_flow
def test_every_declared_field_is_used(name: str) -> None:
    """Every data field of a screen is shown on it or passed on from it."""
    for screen in screens_of(name):
        layout = json.dumps(screen["layout"])
        assert not [field for field in screen.get("data", {}) if f"${{data.{field}}}" not in layout]


def test_the_manifest_lists_exactly_the_seven_files() -> None:
    """flows.toml has one table per flow, the solar one first, named after the file it points to."""
    tables = manifest()["flows"]
    assert next(iter(tables)) == LARGEST
    assert {key: table["file"] for key, table in tables.items()} == {name: path_of(name).name for name in NAMES}


def test_the_manifest_gives_defaults_and_distinct_names() -> None:
    """flows.toml publishes by default under a fallback category, and no two flows share a name."""
    document = manifest()
    assert document["defaults"] == {"categories": ["OTHER"], "publish": True}
    names = [table["name"] for table in document["flows"].values()]
    assert len(set(names)) == len(NAMES)
