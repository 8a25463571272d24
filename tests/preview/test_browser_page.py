"""What stands around the phone: state, log, findings, answers by hand, links; and a page that fits its window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.preview.browser import Watched, axe
from tests.preview.phone_page import previewed
from tests.preview.sample_flows import RELEASED, gallery

NEWEST: Final = RELEASED[-1]


def asking() -> dict[str, Any]:
    """A Flow whose first screen asks the endpoint."""
    name = {"type": "TextInput", "name": "name", "label": "Name", "required": True}
    ask = {"name": "data_exchange", "payload": {"name": "${form.name}"}}
    end = {"name": "complete", "payload": {"slot": "${data.slot}"}}
    slot = {"slot": {"type": "string", "__example__": "10:00"}}

    def layout(*children: dict[str, Any]) -> dict[str, Any]:
        return {"type": "SingleColumnLayout", "children": list(children)}

    start = layout(name, {"type": "Footer", "label": "Ask", "on-click-action": ask})
    last = layout(
        {"type": "TextBody", "text": "${data.slot}"}, {"type": "Footer", "label": "Send", "on-click-action": end}
    )
    return {
        "version": "7.3",
        "data_api_version": "3.0",
        "routing_model": {"START": ["END"], "END": []},
        "screens": [
            {"id": "START", "title": "Start", "layout": start},
            {"id": "END", "title": "End", "terminal": True, "data": slot, "layout": last},
        ],
    }


def test_without_an_endpoint_the_user_answers(page: Page, tmp_path: Path) -> None:
    """The answer is prefilled from the examples of the screen that follows, and can be changed."""
    with previewed(page, asking(), tmp_path) as phone:
        phone.named("name").locator("input").fill("Ada")
        phone.footer.click()
        expect(page.locator("#asks-title")).to_be_focused()
        content = page.get_by_label("Answer, as JSON")
        expect(content).not_to_have_value("")
        prepared = json.loads(content.input_value())
        assert prepared == {"screen": "END", "data": {"slot": "10:00"}}
        assert axe(page) == []
        content.fill("{")
        page.get_by_role("button", name="Answer", exact=True).click()
        expect(page.locator(".answer-problem")).to_contain_text("not JSON")
        content.fill(json.dumps({"screen": "END", "data": {"slot": "11:30"}}))
        page.get_by_role("button", name="Answer", exact=True).click()
        phone.shows("END")
        expect(page.get_by_text("11:30").first).to_be_visible()
        phone.footer.click()
        expect(page.locator("#result")).to_contain_text('"slot": "11:30"')
        expect(page.locator(".log-kind.is-complete")).to_be_visible()
        assert axe(page) == []


def test_an_error_message_of_the_endpoint_is_a_snackbar(page: Page, tmp_path: Path) -> None:
    """It is in a live region, and the screen stays as it was."""
    with previewed(page, asking(), tmp_path) as phone:
        phone.named("name").locator("input").fill("Ada")
        phone.footer.click()
        page.get_by_label("Answer with").select_option(label="An error message")
        page.get_by_role("button", name="Answer", exact=True).click()
        expect(page.locator(".snackbar-place[role=status] .snackbar")).to_have_text("Please try again.")
        expect(phone.named("name").locator("input")).to_have_value("Ada")
        phone.shows("START")


def test_an_answer_that_a_phone_refuses_is_named(page: Page, tmp_path: Path) -> None:
    """The page says what is wrong with it, and the screen stays."""
    with previewed(page, asking(), tmp_path) as phone:
        phone.named("name").locator("input").fill("Ada")
        phone.footer.click()
        page.get_by_label("Answer, as JSON").fill(json.dumps({"screen": "NOWHERE", "data": {}}))
        page.get_by_role("button", name="Answer", exact=True).click()
        expect(page.locator("#notice")).to_contain_text("NOWHERE")
        expect(page.locator(".log-kind.is-broken")).to_be_visible()


def test_steps_are_undone_and_the_play_starts_again(page: Page, tmp_path: Path) -> None:
    """Undo takes back one step, restart all of them."""
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        undo = page.get_by_role("button", name="Undo")
        expect(undo).to_be_disabled()
        phone.footer.click()
        phone.shows("FIELDS")
        phone.named("name").locator("input").fill("Ada")
        undo.click()
        expect(phone.named("name").locator("input")).to_have_value("")
        page.get_by_role("button", name="Restart").click()
        phone.shows("TEXTS")


def test_back_goes_back_and_then_closes(page: Page, tmp_path: Path) -> None:
    """The button in the header is called by what it does."""
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        phone.footer.click()
        phone.shows("FIELDS")
        page.get_by_role("button", name="Back", exact=True).click()
        phone.shows("TEXTS")
        page.locator(".screen-head").get_by_role("button", name="Close").click()
        expect(page.locator("#answer")).to_contain_text("No message is sent")
        page.get_by_role("button", name="Open again").click()
        phone.shows("TEXTS")


def test_a_click_beside_a_field_hits_what_it_was_aimed_at(page: Page, tmp_path: Path) -> None:
    """The error of the field that is left appears after the click: nothing moves while the button is down."""
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        phone.go("FIELDS")
        phone.named("mail").locator("input").fill("nobody")
        box = phone.named("age").locator("input").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 20, box["y"] + 4)
        page.mouse.down()
        expect(phone.named("mail").locator("input")).not_to_be_focused()
        expect(phone.named("mail").locator(".note.is-error")).to_have_count(0)
        page.mouse.up()
        expect(phone.named("age").locator("input")).to_be_focused()
        expect(phone.named("mail").locator(".note.is-error")).to_be_visible()


def test_a_stay_is_chosen_and_cleared(page: Page, tmp_path: Path) -> None:
    """The first day leads on to the last one; days that cannot be chosen stay unchosen."""
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        phone.go("DATES")
        stay, dialog = phone.named("stay"), page.get_by_role("dialog")
        stay.locator("button").first.click()
        page.get_by_label("Year", exact=True).fill("2026")
        page.get_by_label("Month", exact=True).select_option(label="December")
        page.locator("[data-day='2026-12-07']").click()
        expect(dialog).to_have_accessible_name("Departure")
        page.locator("[data-day='2026-12-11']").click()
        expect(dialog).to_have_count(0)
        expect(stay.locator(".opener-value")).to_have_text(["Mon, 7 December 2026", "Fri, 11 December 2026"])
        stay.locator("button").last.click()
        page.get_by_role("button", name="Clear both dates").click()
        expect(stay.locator(".opener-value").first).to_be_empty()
        phone.named("day").locator("button").click()
        page.get_by_label("Year", exact=True).fill("2026")
        page.get_by_label("Month", exact=True).select_option(label="December")
        page.locator("[data-day='2026-12-08']").click(force=True)
        expect(dialog).to_be_visible()
        page.locator("[data-day='2026-12-10']").click()
        expect(phone.named("day").locator(".opener-value")).to_have_text("Thu, 10 December 2026")


def test_files_are_added_and_taken_away(page: Page, tmp_path: Path) -> None:
    """A real one and a made-up one: its name, type and size are used; an upload that failed blocks the button."""
    (tmp_path / "roof.png").write_bytes(b"x" * 2000)
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        phone.go("PHOTOS")
        photos = phone.named("photos")
        photos.locator(".add").click()
        page.locator("input[type=file]").set_input_files(tmp_path / "roof.png")
        expect(photos.locator(".file-text")).to_have_text("roof.png 2 kB", use_inner_text=False)
        photos.locator(".add").click()
        page.get_by_role("button", name="Made-up photo, not uploaded").click()
        expect(photos.locator(".file")).to_have_count(2)
        expect(phone.footer).to_have_attribute("aria-disabled", "true")
        page.get_by_role("button", name="Remove photo.jpg").click()
        expect(phone.footer).to_have_attribute("aria-disabled", "false")


def test_a_deep_link_opens_a_screen_with_its_data(page: Page, tmp_path: Path) -> None:
    """The link that is copied leads to the same screen, with the same data."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with previewed(page, asking(), tmp_path) as phone:
        phone.go("END", {"slot": "12:15"})
        expect(page.get_by_text("12:15").first).to_be_visible()
        page.get_by_role("button", name="Copy link").click()
        expect(page.locator("#notice")).to_have_text("The link is copied.")
        copied: str = page.evaluate("() => navigator.clipboard.readText()")
        assert unquote(copied) == f'{phone.address}#/END?data={{"slot":"12:15"}}'


def test_a_link_is_followed_once(page: Page, tmp_path: Path) -> None:
    """It leaves the address bar: loading the page again goes on with the play, and the same link works again."""
    with previewed(page, asking(), tmp_path) as phone:
        phone.go("END", {"slot": "12:15"})
        assert page.url == phone.address
        page.get_by_role("button", name="Restart").click()
        page.reload()
        phone.shows("END")
        page.evaluate("() => { location.hash = '#/START' }")
        phone.shows("START")
        page.reload()
        phone.shows("START")
        phone.go("END", {"slot": "12:15"})


def test_a_link_that_a_phone_refuses_is_left_by_restart(page: Page, tmp_path: Path) -> None:
    """The page says what is wrong with its data; what it says goes with the screen that opens."""
    with previewed(page, asking(), tmp_path) as phone:
        page.evaluate("() => { location.hash = '#/END?data={%22slot%22:1}' }")
        expect(page.locator("#notice")).to_contain_text("A phone refuses this")
        page.get_by_role("button", name="Restart").click()
        phone.shows("START")
        assert page.locator("#notice").text_content() == ""  # not only after its five seconds


def test_a_file_that_cannot_be_read_from_the_start(page: Page, tmp_path: Path) -> None:
    """The reason is on the phone and above the findings; the Flow is not said to be opening."""
    (tmp_path / "flow.json").write_text('{"version":')
    with previewed(page, tmp_path / "flow.json", tmp_path) as phone:
        expect(page.locator(".screen .unplayable")).to_contain_text("not valid JSON")
        expect(page.locator(".card.is-bad")).to_contain_text("line 1, column 12")
        expect(page.locator("#screen-notes .section-body")).to_have_text("There is no screen.")
        expect(page.locator("#screen-title")).to_be_empty()
        (tmp_path / "flow.json").write_text(json.dumps(asking()))
        phone.shows("START")


def test_a_link_that_cannot_be_read_is_named(page: Page, tmp_path: Path) -> None:
    """The screen stays, and the page says why."""
    with previewed(page, asking(), tmp_path) as phone:
        page.evaluate("() => { location.hash = '#/END?data={' }")
        expect(page.locator("#notice")).to_contain_text("not JSON")
        phone.shows("START")


def test_a_play_is_copied_as_a_test(page: Page, tmp_path: Path) -> None:
    """What was done so far, as Python."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with previewed(page, asking(), tmp_path) as phone:
        phone.named("name").locator("input").fill("Ada")
        expect(page.locator("#state")).to_contain_text("Ada")
        page.get_by_role("button", name="Copy as test").click()
        expect(page.locator("#notice")).to_have_text("The test is copied.")
        copied: str = page.evaluate("() => navigator.clipboard.readText()")
        assert "Ada" in copied
        compile(copied, "copied.py", "exec")


def test_a_finding_shows_its_component(page: Page, tmp_path: Path) -> None:
    """It has its code, line and column; a click opens its screen and flashes it."""
    flow = asking()
    flow["screens"][1]["layout"]["children"][0]["colour"] = "red"
    with previewed(page, flow, tmp_path) as phone:
        finding = page.locator(".finding", has_text="INVALID_PROPERTY_KEY").first
        expect(finding).to_contain_text("flow.json:1:")
        finding.click()
        phone.shows("END")
        expect(page.locator(".node.is-flashing")).to_have_attribute("data-kind", "TextBody")


def test_a_tap_that_is_refused_is_explained(page: Page, tmp_path: Path) -> None:
    """The button that cannot be used says why."""
    with previewed(page, asking(), tmp_path) as phone:
        phone.footer.click(force=True)
        expect(page.locator("#notice")).not_to_be_empty()
        expect(page.locator("#screen-notes")).to_contain_text("name: required")
        phone.shows("START")


def test_a_saved_file_is_drawn_and_replayed(page: Page, tmp_path: Path) -> None:
    """What was filled in stays; a file that cannot be read leaves the screen as it is, and says so."""
    flow = asking()
    with previewed(page, flow, tmp_path) as phone:
        phone.named("name").locator("input").fill("Ada")
        expect(page.locator("#state")).to_contain_text("Ada")
        flow["screens"][0]["layout"]["children"][0]["label"] = "Full name"
        (tmp_path / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
        expect(phone.named("name").locator("label")).to_have_text("Full name")
        expect(phone.named("name").locator("input")).to_have_value("Ada")
        (tmp_path / "flow.json").write_text("{", encoding="utf-8")
        expect(page.locator(".card.is-bad")).to_be_visible()
        expect(phone.named("name").locator("input")).to_have_value("Ada")


def test_a_server_that_is_gone_is_named(page: Page, watched: Watched, tmp_path: Path) -> None:
    """The page says that it tries again, and goes on when the server does."""
    with previewed(page, asking(), tmp_path) as phone:
        page.route("**/event", lambda route: route.abort())
        phone.named("name").locator("input").fill("Ada")
        expect(page.locator("#notice.is-lasting")).to_contain_text("does not answer")
        page.unroute("**/event")
        expect(page.locator("#notice")).to_be_empty()
        phone.named("name").locator("input").fill("Eve")
        expect(page.locator("#state")).to_contain_text("Eve")
    assert any("ERR_FAILED" in error for error in watched.errors)
    watched.errors.clear()


def test_a_state_that_is_refused_is_asked_for_again_after_a_while(page: Page, watched: Watched, tmp_path: Path) -> None:
    """A server of something else at the same port is not asked without a pause."""
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404, body="Not found")

    with previewed(page, asking(), tmp_path) as phone:
        page.clock.install(time=0)
        page.clock.pause_at(60)
        page.route("**/state?*", refuse)
        page.route("**/event", refuse)
        phone.named("name").locator("input").fill("Ada")
        expect(page.locator("#notice")).to_contain_text("Not found")
        for _ in range(20):  # as many requests as a page without a pause would make
            page.evaluate("() => fetch('/link').then((response) => response.json())")
        states = [url for url in asked if "/state" in url]
        assert len(states) == 1
        page.unroute("**/state?*")
        page.unroute("**/event")
        page.clock.run_for(6_000)
        expect(page.locator("#notice")).to_be_empty()
        phone.named("name").locator("input").fill("Eve")
        expect(page.locator("#state")).to_contain_text("Eve")
    watched.errors.clear()


def test_a_page_that_the_server_does_not_know_is_reported(page: Page, watched: Watched, tmp_path: Path) -> None:
    """Without its cookie, it names the way back in."""
    with previewed(page, asking(), tmp_path):
        page.context.clear_cookies()
        page.get_by_role("button", name="Restart").click()
        expect(page.locator("#notice.is-lasting")).to_contain_text("the terminal shows")
    watched.errors.clear()


@pytest.mark.parametrize("width", [1280, 640, 320])
def test_nothing_is_cut_off_in_a_narrow_window(page: Page, tmp_path: Path, width: int) -> None:
    """640 pixels are a window of 1280 at 200 %; the panel is then below the phone."""
    page.set_viewport_size({"width": width, "height": 720})
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        for screen in ("TEXTS", "FIELDS", "CHOICES", "RICH", "LIST"):
            phone.go(screen)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
            assert page.evaluate("() => { const e = document.querySelector('.screen-body'); "
                                 "return e.scrollWidth <= e.clientWidth }")  # fmt: skip
        phone_box, panel_box = page.locator(".phone").bounding_box(), page.locator("#panel").bounding_box()
        assert phone_box is not None
        assert panel_box is not None
        below = panel_box["y"] >= phone_box["y"] + phone_box["height"]
        assert below is (width < 900)


def test_nothing_moves_for_who_asks_for_no_motion(page: Page, tmp_path: Path) -> None:
    """No animation and no transition runs."""
    page.emulate_media(reduced_motion="reduce")
    with previewed(page, asking(), tmp_path) as phone:
        phone.named("name").locator("input").fill("Ada")
        phone.footer.click()
        expect(page.locator(".progress.is-on")).to_be_attached()
        expect(page.locator("#asks-title")).to_be_visible()
        assert page.evaluate("() => document.getAnimations().length") == 0


def test_the_theme_follows_the_system_unless_it_is_chosen(page: Page, tmp_path: Path) -> None:
    """Auto is what the system says."""
    light = "() => getComputedStyle(document.querySelector('.bar')).backgroundColor"
    with previewed(page, asking(), tmp_path) as phone:
        page.emulate_media(color_scheme="light")
        bright = page.evaluate(light)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(light) != bright
        phone.look("ios", "light")
        expect(page.locator(".phone")).to_have_attribute("data-platform", "ios")
        assert page.evaluate(light) == bright


def test_fast_typing_loses_nothing(page: Page, tmp_path: Path) -> None:
    """Each key is a request; the page keeps what is typed, and ends with what the server holds."""
    with previewed(page, gallery(NEWEST), tmp_path) as phone:
        phone.go("FIELDS")
        field = phone.named("note").locator("textarea")
        field.focus()
        page.keyboard.type("abcdefghij" * 5)
        expect(phone.named("note").locator(".counter span").first).to_have_text("50/200")
        assert field.input_value() == "abcdefghij" * 5
