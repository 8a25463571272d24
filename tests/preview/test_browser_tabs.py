"""Several tabs of one browser on one preview."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from tests.preview.phone_page import PhonePage, previewed
from tests.preview.serving import two_screens

TABS: Final = 8  # a browser keeps up to six connections to a host, for all of its tabs


def test_tabs_of_a_browser_share_a_stream(page: Page, tmp_path: Path) -> None:
    """More tabs than a browser has connections follow each other and the file, also when the first one is closed."""
    flow = two_screens()
    with previewed(page, flow, tmp_path) as phone:
        tabs = [PhonePage(page.context.new_page(), phone.preview) for _ in range(TABS - 1)]
        for tab in tabs:
            tab.page.goto(tab.address)
            tab.shows("START")
        tabs[-1].named("first_name").locator("input").fill("Ada")
        for tab in (phone, *tabs):
            expect(tab.named("first_name").locator("input")).to_have_value("Ada")
        page.goto("about:blank")
        flow["screens"][0]["title"] = "Again"
        (tmp_path / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
        for tab in tabs:
            expect(tab.page.locator("#screen-title")).to_have_text("Again")
            expect(tab.named("first_name").locator("input")).to_have_value("Ada")


def test_two_windows_type_at_once(page: Page, tmp_path: Path) -> None:
    """Each ends with what was typed last, and neither loses what the other has typed into another field."""
    with previewed(page, two_screens({"type": "TextInput", "name": "other", "label": "Other"}), tmp_path) as phone:
        other = PhonePage(page.context.new_page(), phone.preview)
        other.page.goto(other.address)
        other.shows("START")
        for letter in "abcdef":
            phone.named("first_name").locator("input").press(letter)
            other.named("other").locator("input").press(letter)
        for tab in (phone, other):
            for name in ("first_name", "other"):
                expect(tab.named(name).locator("input")).to_have_value("abcdef")
