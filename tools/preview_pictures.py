"""
The pictures of the preview in the documentation, from the real page.

    python -m tools.preview_pictures docs/_static

Needs Chromium, and the extra `dev`: Playwright, and Pillow, which comes with matplotlib.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.preview.browser import program, started
from whatsapp_flows.preview import Preview, export, export_changes

ROOT: Final = Path(__file__).parents[1]
SOLAR: Final = ROOT / "examples" / "flows" / "solar_installation.json"
TODAY: Final = date(2026, 9, 1)
WIDTH, HEIGHT = 1240, 800
THEMES: Final = ("light", "dark")


def main(folder: Path) -> None:
    """Write every picture, in both themes."""
    executable = program()
    if executable is None:
        raise SystemExit("Chromium is needed: apt-get install chromium")
    with started(executable) as browser:
        for theme in THEMES:
            _save(folder / f"preview-{theme}.png", _played(browser, theme))
            _save(folder / f"preview-findings-{theme}.png", _with_findings(browser, theme))
            _save(folder / f"storyboard-{theme}.png", _storyboard(browser, theme))
            _save(folder / f"storyboard-changes-{theme}.png", _changes(browser, theme))


@contextmanager
def _page(browser: Browser, *, width: int = WIDTH, height: int = HEIGHT) -> Iterator[Page]:
    with browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce") as context:
        yield context.new_page()


def _played(browser: Browser, theme: Any) -> bytes:
    """The solar Flow in the middle of a screen, with the state and the log beside it."""
    with Preview(SOLAR, theme=theme, today=TODAY) as preview, _page(browser) as page:
        page.goto(preview.url)
        page.get_by_role("button", name="Start", exact=True).click()
        page.get_by_label("House or apartment").check()
        page.locator("#phone .footer-button").click()
        page.get_by_label("Full sun all day").check()
        page.locator("body").click(position={"x": 5, "y": 5})
        page.get_by_text("Your roof").first.wait_for()
        return page.screenshot()


def _with_findings(browser: Browser, theme: Any) -> bytes:
    """The same file with two mistakes in it."""
    document = json.loads(SOLAR.read_text("utf-8"))
    screen = document["screens"][2]
    screen["layout"]["children"][0]["type"] = "Dropdwn"
    screen["layout"]["children"][1]["lable"] = "Shade"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / SOLAR.name
        file.write_text(json.dumps(document, indent=2), encoding="utf-8")
        with Preview(file, screen=screen["id"], theme=theme, today=TODAY) as preview, _page(browser) as page:
            page.goto(preview.url)
            page.locator(".finding").first.wait_for()
            return page.screenshot()


def _storyboard(browser: Browser, theme: Any) -> bytes:
    return _file(browser, export(SOLAR, theme=theme, title="Solar Installation Request", today=TODAY), "#screen-ROOF")


def _changes(browser: Browser, theme: Any) -> bytes:
    """An option was added to the second screen."""
    document = json.loads(SOLAR.read_text("utf-8"))
    document["screens"][1]["layout"]["children"][0]["data-source"].append({"id": "other", "title": "Another building"})
    title = "Solar Installation Request: before and after"
    return _file(browser, export_changes(SOLAR, document, theme=theme, title=title, today=TODAY), "#screen-PROPERTY")


def _file(browser: Browser, source: str, fragment: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, _page(browser, width=1150, height=720) as page:
        file = Path(folder) / "storyboard.html"
        file.write_text(source, encoding="utf-8")
        page.goto(f"{file.as_uri()}{fragment}")
        return page.screenshot()


def _save(file: Path, picture: bytes) -> None:
    """With a palette of 256 colours: a third of the bytes."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(file, optimize=True)
    print(f"{file}: {file.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
