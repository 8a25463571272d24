"""A storyboard as one HTML file: it opens without a network, draws what `view` says, and treats text as text."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.preview.browser import axe
from whatsapp_flows.play import Node, View
from whatsapp_flows.preview import export, export_changes
from whatsapp_flows.preview._export import embedded
from whatsapp_flows.preview._storyboard import storyboard

TODAY = date(2026, 9, 1)
SOLAR = Path(__file__).parents[2] / "examples" / "flows" / "solar_installation.json"
HOSTILE = (
    "</script><script>document.title = 'run'</script>",
    "<img src=x onerror=\"document.title = 'run'\">",
    "<!-- <script>",
    "a\u2028b\u2029c",
    "${form.name} `1 + 1` {{x}}",
    "javascript:document.title='run'",
    "\ud800 alone",
    "&lt;b&gt; & \"quoted\" 'too'",
    "{\"$text\": 0}",
    "constructor", "__proto__",
)  # fmt: skip


def opened(page: Page, folder: Path, source: Any, **options: Any) -> None:
    """Open an export from a file, without a network."""
    file = folder / "story.html"
    file.write_text(export(source, today=TODAY, **options), encoding="utf-8")
    page.context.set_offline(True)
    page.goto(file.as_uri())


def hostile_flow() -> dict[str, Any]:
    """Each hostile text as a label, a title, an option, a text and a key."""
    children: list[dict[str, Any]] = [{"type": "TextBody", "text": each, each: each} for each in HOSTILE]
    options = [{"id": each, "title": each} for each in HOSTILE]
    children += [
        {"type": "RadioButtonsGroup", "name": "r", "label": HOSTILE[0], "data-source": options},
        {"type": "TextInput", "name": HOSTILE[1], "label": HOSTILE[1], "helper-text": HOSTILE[2], "_$litType$": 1},
        {"type": "Image", "src": "https://example.com/a.png", "alt-text": HOSTILE[1]},
        {"type": "TextBody", "markdown": True, "text": ["[a](javascript:alert(1)) ![b](https://example.com/b.png)"]},
        {"type": "Footer", "label": HOSTILE[0], "on-click-action": {"name": "complete", "payload": {}}},
    ]
    layout = {"type": "SingleColumnLayout", "children": children}
    return {
        "version": "7.3",
        "screens": [{"id": each, "title": each, "terminal": True, "layout": layout} for each in HOSTILE[:2]],
    }


def test_it_opens_without_a_network(page: Page, tmp_path: Path) -> None:
    """Without an error and without a request; each picture is drawn."""
    opened(page, tmp_path, SOLAR, title="Solar & more")
    assert page.title() == "Solar & more"
    story = storyboard(SOLAR, today=TODAY)
    assert page.locator(".phone").count() == len(story.boards)
    assert page.locator("h2:visible").filter(has_text=story.screens[0].title).count() >= 1


def says(node: Node) -> list[str]:
    """Texts of a component that have to stand on the page as they are."""
    keys = ("label", "text", "helper-text", "description", "title")
    found = [node.props[key] for key in keys if isinstance(node.props.get(key), str) and "blocks" not in node.props]
    if node.kind != "Dropdown":
        found += [item["title"] for item in node.props.get("data-source", ()) if isinstance(item.get("title"), str)]
    if node.error:
        return [*(each for each in found if each != node.props.get("helper-text")), node.error]
    return found


def all_texts(view: View) -> list[str]:
    nodes = [node for node in (*view.nodes, view.footer) if node is not None and node.shown]
    return [view.title, *(line for node in nodes for line in says(node))]


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_its_texts_are_those_of_the_views(page: Page, tmp_path: Path, platform: str) -> None:
    """In each picture: labels, options, errors; and the values of the fields."""
    opened(page, tmp_path, SOLAR, platform=platform)
    for number, board in enumerate(storyboard(SOLAR, today=TODAY).boards):
        phone = page.locator(f"[data-board='{number}'] .phone")
        drawn = re.sub(r"\s+", " ", phone.inner_text())
        assert [line for line in all_texts(board.view) if re.sub(r"\s+", " ", line) not in drawn] == []
        values = {
            node.path: node.value for node in board.view.nodes if node.kind in {"TextInput", "TextArea"} and node.shown
        }
        for path, value in values.items():
            assert phone.locator(f"[data-path='{path}'] :is(input, textarea)").input_value() == (value or "")
        assert phone.get_attribute("data-platform") == platform


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("platform", ["android", "ios"])
def test_it_is_accessible(page: Page, tmp_path: Path, theme: str, platform: str) -> None:
    """No finding of axe that is serious or critical, in both themes and layouts."""
    opened(page, tmp_path, SOLAR, theme=theme, platform=platform)
    assert axe(page) == []


def test_a_tap_goes_where_the_flow_goes(page: Page, tmp_path: Path) -> None:
    """The Footer of the first screen leads to the second; a link of the contents to each."""
    opened(page, tmp_path, SOLAR)
    page.locator("[data-board='0'] .footer-button").click()
    assert page.url.endswith("#screen-PROPERTY")
    page.locator(".story-screens a").last.click()
    assert page.url.endswith("#screen-CONFIRM")


def test_nothing_can_be_entered(page: Page, tmp_path: Path) -> None:
    """A field keeps its text, a choice stays, and the Tab key passes the phones by."""
    opened(page, tmp_path, SOLAR)
    text, choice = page.locator("[data-kind=TextInput] input").first, page.locator(".option input").first
    text.press_sequentially("abc")
    choice.click()
    assert (text.input_value(), choice.is_checked()) == ("", False)
    page.locator(".story-screens a").last.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.story-routes') !== null")


def test_text_is_text(page: Page, tmp_path: Path) -> None:
    """Whatever a document holds: no script of it runs, no element of it appears, nothing is loaded."""
    opened(page, tmp_path, json.dumps(hostile_flow()), title=HOSTILE[0])
    assert page.title() == HOSTILE[0]
    assert page.locator("img[src=x], a[href^=javascript], img[src^=http]").count() == 0
    drawn = page.locator("[data-board='0'] .phone").inner_text()
    for line in ("</script><script>", "<img src=x onerror", "<!-- <script>", "${form.name} `1 + 1`", "&lt;b&gt; &"):
        assert line in drawn
    assert page.evaluate("Object.getPrototypeOf({}) === Object.prototype && ({}).polluted === undefined")


def test_the_policy_allows_what_is_in_the_file_alone() -> None:
    """By digest; nothing may be loaded but images that stand in the file."""
    source = export(SOLAR, today=TODAY)
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', source)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert (rules["default-src"], rules["img-src"]) == ("'none'", "data:")
    assert all(re.fullmatch(r"('sha256-[\w+/]{43}='\s?)+", rules[name]) for name in ("script-src", "style-src"))
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S+", "", source)


def test_the_export_of_the_solar_flow_is_small() -> None:
    """Under 400 kB, with all its pictures."""
    assert len(export(SOLAR, today=TODAY).encode()) < 400_000


def test_a_long_text_stands_once() -> None:
    """Such as an image that is on each picture; no text of a document passes for a reference to one."""
    image = "A" * 100_000
    board = {"src": image, "$text": 0, "list": [{"src": image}], "short": "B"}
    written = embedded([board, board])
    assert len(written) < 101_000
    found = json.loads(written)
    assert found["texts"] == [image]
    assert found["boards"] == [{"src": {"$text": 0}, "list": [{"src": {"$text": 0}}], "short": "B"}] * 2


@pytest.mark.parametrize("text", [*HOSTILE, "]]>", "\u0000"])
def test_json_in_a_script_element_is_inert(text: str) -> None:
    """It reads as the same JSON, and has no character that HTML or a script would take for its own."""
    written = embedded([{"a": text}])
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written)["boards"] == [{"a": text}]
    written.encode()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_versions_stand_side_by_side(page: Page, tmp_path: Path, theme: Any) -> None:
    """Also without a network and without a finding of axe; what is unchanged is folded, and opens by keyboard."""
    before = json.loads(SOLAR.read_text())
    after = json.loads(SOLAR.read_text())
    after["screens"][1]["layout"]["children"][0]["label"] = "What is it?"
    after["screens"][6]["title"] = "Check"
    after["screens"][5]["layout"]["children"].insert(0, {"type": "TextBody", "text": "New"})
    file = tmp_path / "changes.html"
    file.write_text(export_changes(before, after, theme=theme, today=TODAY), encoding="utf-8")
    page.context.set_offline(True)
    page.goto(file.as_uri())
    assert page.get_by_text("Screens: 3 changed, 4 unchanged.").is_visible()
    pair = page.locator("#screen-PROPERTY .pair").first
    assert pair.locator("figcaption").all_inner_texts() == ["Before", "After"]
    assert [pair.get_by_text(line).count() for line in ("Type of property", "What is it?")] == [1, 1]
    assert not page.locator("#screen-ROOF .phone").first.is_visible()
    page.locator("#screen-ROOF summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#screen-ROOF .phone").first.is_visible()
    assert axe(page) == []


def test_every_example_is_drawn_as_its_views_say(page: Page, tmp_path: Path) -> None:
    """Every picture of it has the texts of its view."""
    for source in sorted(SOLAR.parent.glob("*.json")):
        opened(page, tmp_path, source)
        drawn = page.locator(".phone").all_text_contents()
        for board, texts in zip(storyboard(source, today=TODAY).boards, drawn, strict=True):
            seen = re.sub(r"\s+", " ", texts)
            missing = [line for line in all_texts(board.view) if re.sub(r"\s+", " ", line).strip() not in seen]
            assert missing == [], f"{source.name}: {board.view.screen}, {board.caption}"
