"""The page is used by keyboard alone, and says what happens to who does not see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.preview.phone_page import PhonePage, previewed
from tests.preview.sample_flows import RELEASED, gallery

FOCUSED = """
() => {
  const element = document.activeElement;
  const by = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
  const label = element.getAttribute("aria-label")
    ?? (by.length ? by.map((id) => document.getElementById(id)?.textContent).join(" ") : null)
    ?? [...(element.labels ?? [])].map((one) => one.textContent).join(" ");
  return (label || element.textContent || "").replace(/\\s+/g, " ").trim();
}
"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control with a name that begins so has the focus."""
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        found: str = page.evaluate(FOCUSED)
        if found.startswith(name):
            return
        seen.append(found)
    raise AssertionError(f"Tab does not reach {name!r}: {seen}")


def play_on(phone: PhonePage, screen: str) -> None:
    tab_to(phone.page, "Continue")
    expect(phone.footer).to_have_attribute("aria-disabled", "false")
    phone.page.keyboard.press("Enter")
    phone.shows(screen)
    expect(phone.page.locator("#screen-title")).to_be_focused()


def test_a_flow_is_played_to_its_end_by_keyboard(page: Page, tmp_path: Path) -> None:
    """Every field of the gallery that is required is filled, and the answer is sent."""
    press, write = page.keyboard.press, page.keyboard.type
    with previewed(page, gallery(RELEASED[-1]), tmp_path) as phone:
        play_on(phone, "FIELDS")
        tab_to(page, "Name")
        write("Ada")
        tab_to(page, "I agree")
        press("Space")
        play_on(phone, "CHOICES")
        tab_to(page, "Economy")
        press("Space")
        press("ArrowDown")
        tab_to(page, "The sea Economy")
        press("Space")
        tab_to(page, "Meal")
        press("Enter")
        expect(page.get_by_role("dialog", name="Meal")).to_be_visible()
        press("Space")
        press("ArrowDown")
        press("Escape")
        expect(phone.named("meal").locator("button")).to_be_focused()
        expect(phone.named("meal").locator(".opener-value")).to_have_text("Comfort")
        play_on(phone, "DATES")
        tab_to(page, "Day")
        press("Enter")
        expect(page.locator("[data-current]")).to_be_focused()
        press("PageUp")
        press("Home")
        press("PageDown")
        press("End")
        press("ArrowDown")
        press("ArrowLeft")
        press("Enter")
        expect(phone.named("day").locator(".opener-value")).not_to_be_empty()
        play_on(phone, "BRANCHES")
        tab_to(page, "A person")
        press("Space")
        expect(page.get_by_text("Welcome, person.")).to_be_visible()
        play_on(phone, "PHOTOS")
        tab_to(page, "Add a photo")
        press("Enter")
        tab_to(page, "Made-up photo, uploaded")
        press("Enter")
        expect(phone.named("photos").locator(".file-name")).to_have_text("photo.jpg")
        play_on(phone, "DOCUMENTS")
        play_on(phone, "IMAGES")
        play_on(phone, "RICH")
        play_on(phone, "LIST")
        tab_to(page, "A field New Home")
        press("Enter")
        phone.shows("END")
        tab_to(page, "Send")
        press("Enter")
        expect(page.locator("#answer")).to_be_focused()
        expect(page.locator("#result .code").first).to_contain_text('"class": "b"')


def test_an_error_is_reported_and_belongs_to_its_field(page: Page, tmp_path: Path) -> None:
    """It appears when the field is left, is the field's description, and goes when the value is valid."""
    with previewed(page, gallery(RELEASED[-1]), tmp_path) as phone:
        phone.go("FIELDS")
        name = phone.named("name").locator("input")
        name.fill("A")
        expect(phone.named("name").locator(".note")).to_have_text("As in your passport")
        name.blur()
        error = phone.named("name").locator(".note.is-error")
        expect(error).to_be_visible()
        expect(error).to_have_attribute("aria-live", "polite")
        expect(name).to_have_attribute("aria-invalid", "true")
        expect(name).to_have_attribute("aria-describedby", error.get_attribute("id") or "")
        name.fill("Ada")
        expect(error).to_have_count(0)
        expect(name).to_have_attribute("aria-invalid", "false")


def test_typing_keeps_the_caret(page: Page, tmp_path: Path) -> None:
    """Text that is written into the middle stays there, however fast it is typed."""
    with previewed(page, gallery(RELEASED[-1]), tmp_path) as phone:
        phone.go("FIELDS")
        name = phone.named("name").locator("input")
        name.fill("Ada Lovelace")
        for _ in range(len(" Lovelace")):
            page.keyboard.press("ArrowLeft")
        page.keyboard.type(", Countess")
        expect(name).to_have_value("Ada, Countess Lovelace")
        expect(phone.page.locator("#state")).to_contain_text("Ada, Countess Lovelace")
        expect(name).to_be_focused()


@pytest.mark.parametrize("name", ["password", "passcode"])
def test_a_secret_is_not_readable(page: Page, tmp_path: Path, name: str) -> None:
    """Passwords and codes are dots."""
    label = {"password": "Password", "passcode": "Code"}[name]
    with previewed(page, gallery(RELEASED[-1]), tmp_path) as phone:
        phone.go("FIELDS")
        expect(page.get_by_label(label)).to_have_attribute("type", "password")
