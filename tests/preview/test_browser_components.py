"""Every component in the browser: drawn in both layouts and themes, accessible, with the texts of the view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.preview.browser import axe
from tests.preview.phone_page import PhonePage, all_nodes, previewed, texts_of
from tests.preview.sample_flows import RELEASED, gallery
from whatsapp_flows.play import start, view

LOOKS: Final = [(platform, theme) for platform in ("android", "ios") for theme in ("light", "dark")]
NEWEST: Final = RELEASED[-1]


def screens(document: dict[str, Any]) -> list[str]:
    return [screen["id"] for screen in document["screens"]]


@pytest.mark.parametrize(("platform", "theme"), LOOKS)
def test_every_component_is_drawn_in_every_look(page: Page, tmp_path: Path, platform: str, theme: str) -> None:
    """Without an error, without a request elsewhere, and with no serious finding about accessibility."""
    document = gallery(NEWEST)
    with previewed(page, document, tmp_path) as phone:
        drawn = set()
        for screen in screens(document):
            phone.go(screen)
            phone.look(platform, theme)
            nodes = all_nodes(view(start(document, screen).session))
            assert [issue for node in nodes for issue in node.issues] == []
            assert [*phone.texts()] == [node.path for node in nodes]
            drawn |= {node.kind for node in nodes}
            assert page.locator(".unplayable").count() == 0
            assert (screen, axe(page)) == (screen, [])
    assert len(drawn) == 21


@pytest.mark.parametrize(
    ("screen", "name"), [("CHOICES", "seat"), ("DATES", "day"), ("DATES", "stay"), ("PHOTOS", "photos")]
)
def test_what_opens_over_a_screen_is_as_readable(page: Page, tmp_path: Path, screen: str, name: str) -> None:
    """Options, the calendar, and ways to add a file, in every look."""
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        phone.go(screen)
        for look in LOOKS:
            phone.look(*look)
            phone.named(name).locator("button").first.click()
            expect(page.get_by_role("dialog")).to_be_visible()
            assert (look, axe(page, include="[role=dialog]")) == (look, [])
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(phone.named(name).locator("button").first).to_be_focused()


@pytest.mark.parametrize("version", RELEASED)
def test_the_texts_are_those_of_the_view(page: Page, tmp_path: Path, version: str) -> None:
    """For each component of each screen, in order, in each version of Flow JSON."""
    document = gallery(version)
    with previewed(page, document, tmp_path) as phone:
        for screen in screens(document):
            phone.go(screen)
            check_texts(phone, document, screen)


def check_texts(phone: PhonePage, document: dict[str, Any], screen: str) -> None:
    expected = view(start(document, screen).session)
    assert phone.page.locator("#screen-title").text_content() == expected.title
    assert phone.texts() == {node.path: texts_of(node) for node in all_nodes(expected)}


@pytest.mark.parametrize("sample", sorted(Path("examples/flows").glob("*.json")), ids=lambda path: path.stem)
def test_the_texts_of_the_examples_are_those_of_the_view(page: Page, tmp_path: Path, sample: Path) -> None:
    """The Flows that come with the project."""
    document = json.loads(sample.read_text(encoding="utf-8"))
    with previewed(page, document, tmp_path) as phone:
        for screen in screens(document):
            phone.go(screen)
            check_texts(phone, document, screen)
