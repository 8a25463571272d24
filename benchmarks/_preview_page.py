"""The page of the preview in Chromium over loopback: from a key press, and from a saved file, to what is drawn."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks._played_flow import full_screen_flow

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
# Beside what Playwright passes. The resolver knows no host: nothing leaves the machine.
_FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_PATIENCE: Final = 30_000  # milliseconds
_SAVED: Final = "Saved for the {}. time"
# Notes when a key goes down, and when a text is in the page and painted: the first task after the frame with it.
_WATCH: Final = """
() => {
  addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
  window.drawn = (text) => new Promise((resolve) => {
    const look = () => {
      if (!document.body.textContent.includes(text)) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve([performance.now() - window.pressed, Date.now()])));
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    look();
  });
}
"""


def program() -> str | None:
    """The path of a Chromium, or None; None too without Playwright, which drives it."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return None
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def page_times(executable: str, *, presses: int, saves: int) -> tuple[list[float], list[float]]:
    """Seconds from a key press to its change on the screen of 50 components, and from a saved file to its text."""
    from whatsapp_flows.preview import Preview

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flow.json"
        path.write_text(json.dumps(full_screen_flow()))
        with Preview(path) as preview, _page(executable) as page:
            page.goto(preview.url)
            page.evaluate(_WATCH)
            return _key_presses(page, presses), [_saved(page, path, number) for number in range(saves)]


@contextmanager
def _page(executable: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))
        try:
            page = browser.new_page()
            page.set_default_timeout(_PATIENCE)
            yield page
        finally:
            browser.close()


def _key_presses(page: Any, count: int) -> list[float]:
    field = page.get_by_label("Text 0")
    field.click()
    typed, found = "", []
    for number in range(count):
        if len(typed) == 40:  # the field takes 80 characters
            field.fill("")
            typed = ""
        typed += "abcdefghij"[number % 10]
        page.evaluate("text => { window.result = window.drawn(text); }", f"You wrote: {typed}")
        page.keyboard.press(typed[-1])
        found.append(page.evaluate("() => window.result")[0] / 1000)
    return found


def _saved(page: Any, path: Path, number: int) -> float:
    """From the file's replacement to its text on the screen; both by the clock of this machine."""
    document = full_screen_flow()
    document["screens"][0]["title"] = text = _SAVED.format(number)
    page.evaluate("text => { window.result = window.drawn(text); }", text)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document))
    started = time.time()
    new.replace(path)
    return float(page.evaluate("() => window.result")[1]) / 1000 - started
