"""
Chromium for the tests of what a page shows: Debian's, driven by Playwright, which downloads no browser.

Playwright's synchronous interface keeps an event loop in the thread that has started it: a module of browser tests
cannot call `asyncio.run`. So each module starts a browser of its own, and ends it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

# Names of the program: Debian, older Ubuntu, and Google's own package, which the runners of GitHub have.
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
MISSING: Final = "chromium is missing: apt-get install chromium"
# Beside what Playwright passes (a new profile, --headless, --no-sandbox). The resolver knows no host: nothing leaves.
FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_AXE: Final = Path(__file__).with_name("axe") / "axe.min.js"
_SERIOUS: Final = ("serious", "critical")


def program() -> str | None:
    """The path of a Chromium, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def in_ci() -> bool:
    """Whether a browser has to be there: CI skips none of these tests."""
    return os.environ.get("CI") == "true"


@contextmanager
def started(executable: str) -> Iterator[Browser]:
    """A Chromium with an empty profile. It is ended, and so is the process of Playwright that drives it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS), timeout=60_000)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """
    What a page has reported: `errors` of its console and its scripts, and `strays`, the requests to another origin than
    that of the first page it has opened. A test that provokes one takes it out again.
    """

    errors: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    _origin: tuple[str, str] | None = None

    def watch(self, page: Page) -> None:
        """From now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            self.errors.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"data", "blob", "about"}:
            return
        # A file has no origin: a page that is one may load nothing but itself.
        origin = (parts.scheme, parts.netloc or parts.path)
        self._origin = self._origin or origin
        if origin != self._origin:
            self.strays.append(f"{request.method} {request.url}")


@cache
def _axe_source() -> str:
    return _AXE.read_text(encoding="utf-8")


def axe(page: Page, *, include: str = "html", impacts: tuple[str, ...] = _SERIOUS) -> list[str]:
    """
    The findings of axe-core on the page as it is now, a line each; those of other impacts are left out.

    `include` is a CSS selector. The script goes in by the debugger, which the page's Content-Security-Policy allows.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe_source())
    found: list[dict[str, Any]] = page.evaluate(
        "selector => axe.run(selector, {resultTypes: ['violations']}).then(result => result.violations)", include
    )
    return [
        f"{finding['impact']} {finding['id']}: {finding['help']}: {node['html'][:200]}"
        for finding in found
        if finding["impact"] in impacts
        for node in finding["nodes"]
    ]
