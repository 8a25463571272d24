"""What a hostile document can write: it stays text, opens nothing, and breaks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.preview.phone_page import previewed

TEXTS: Final = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</style><b>bold</b>",
    "${form.nobody} ${alert(1)}",
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "a & b &lt; c \u202e d",
)

SCREENS: Final = "ABCDEFG"


def flow(*children: dict[str, Any], **screen: Any) -> dict[str, Any]:
    footer = {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {}}}
    layout = {"type": "SingleColumnLayout", "children": [*children, footer]}
    return {"version": "7.3", "screens": [{"id": "START", "title": "A", "terminal": True, **screen, "layout": layout}]}


def components(text: str) -> list[dict[str, Any]]:
    options = [{"id": "a", "title": text, "description": text, "metadata": text[:20]}, {"id": "b", "title": "B"}]
    return [
        {"type": "TextBody", "text": text},
        {"type": "TextInput", "name": "a", "label": text, "helper-text": text},
        {"type": "RadioButtonsGroup", "name": "b", "label": text, "data-source": options},
        {"type": "Dropdown", "name": "c", "label": text, "data-source": options},
        {"type": "OptIn", "name": "d", "label": text},
        {"type": "Image", "src": "iVBORw0KGgo=", "alt-text": text},
    ]


def test_a_text_is_text(page: Page, tmp_path: Path) -> None:
    """Markup and scripts in titles, labels, options and alternative texts are shown as they are written."""
    dialogs: list[str] = []

    def dialog_opened(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dialog_opened)
    made = [flow(*components(text), id=letter, title=text) for letter, text in zip(SCREENS, TEXTS, strict=True)]
    document = {"version": "7.3", "screens": [screen for each in made for screen in each["screens"]]}
    with previewed(page, document, tmp_path) as phone:
        for number, (letter, text) in enumerate(zip(SCREENS, TEXTS, strict=True)):
            phone.go(letter)
            expect(page.locator(".option-title").first).to_be_visible()
            body = phone.at(f"/screens/{number}/layout/children/0")
            assert (body.text_content() or "").strip() == text or "$" in text
            assert page.locator(".phone b, .phone script, .phone style, .phone img[src=x]").count() == 0
            phone.named("c").locator("button").click()
            expect(page.get_by_role("dialog")).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
            assert (text, dialogs) == (text, [])


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,<b>a</b>", "file:///etc/passwd", "//host/a"])
def test_a_link_in_a_text_is_one_only_if_a_phone_opens_it(page: Page, tmp_path: Path, url: str) -> None:
    """Other addresses are no links."""
    text = {"type": "TextBody", "markdown": True, "text": f"before [one]({url}) [two](https://example.com/two)"}
    with previewed(page, flow(text), tmp_path):
        links = page.locator(".phone a")
        expect(links).to_have_count(1)
        assert links.get_attribute("href") == "https://example.com/two"
        assert links.get_attribute("rel") == "noopener noreferrer"


@pytest.mark.parametrize(("url", "opens"), [("https://example.com/a?b=c", True), ("javascript:alert(1)", False)])
def test_a_page_opens_on_a_click_only(page: Page, tmp_path: Path, url: str, opens: bool) -> None:
    """A tap that opens a page shows its address first; what is no page cannot be opened."""
    link = {"type": "EmbeddedLink", "text": "Go", "on-click-action": {"name": "open_url", "url": url}}
    with previewed(page, flow(link), tmp_path):
        page.get_by_role("button", name="Go").click()
        expect(page.locator("#box")).to_contain_text(url)
        found = page.locator("#box a")
        expect(found).to_have_count(int(opens))
        if opens:
            assert (found.get_attribute("href"), found.get_attribute("rel")) == (url, "noopener noreferrer")
        assert len(page.context.pages) == 1


def test_keys_of_the_template_library_break_nothing(page: Page, tmp_path: Path) -> None:
    """A document may hold any key, in its data too."""
    trap = {"_$litType$": 1, "strings": ["<b>bold</b>"], "values": [], "toString": 1, "valueOf": 1}
    data = {"trap": {"type": "object", "properties": {}, "__example__": trap}}
    text = {"type": "TextBody", "text": "${data.trap}"}
    with previewed(page, flow(text, {"type": "TextBody", "text": "after"}, data=data), tmp_path):
        expect(page.get_by_text("after")).to_be_visible()
        assert page.locator(".phone b").count() == 0


def test_a_colour_that_is_none_is_left_out(page: Page, tmp_path: Path) -> None:
    """A colour is six hexadecimal digits."""
    colours = ["#AA3322", "red;background:url(http://example.com/a)", "url(http://example.com/b)"]
    options = [{"id": str(index), "title": "A", "color": colour} for index, colour in enumerate(colours)]
    group = {"type": "RadioButtonsGroup", "name": "b", "label": "B", "data-source": options}
    with previewed(page, flow(group), tmp_path):
        expect(page.locator(".option")).to_have_count(3)
        expect(page.locator(".swatch")).to_have_count(1)


def test_what_cannot_be_played_is_a_marked_box(page: Page, tmp_path: Path) -> None:
    """Its reason stands in it, and the rest is drawn."""
    with previewed(page, flow({"type": "Blinker"}, {"type": "TextBody", "text": "after"}), tmp_path):
        expect(page.locator(".unplayable")).to_contain_text("Blinker")
        expect(page.get_by_text("after")).to_be_visible()
