"""The browser of the tests: it notices what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.preview.browser import Watched, axe

PAGE = "<!doctype html><html lang=en><head>{}<title>A</title><body><main><h1>A</h1>{}</main>"
CSP = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""


def show(page: Page, folder: Path, body: str, *, policy: str = "") -> None:
    """Open a file with this body."""
    file = folder / "page.html"
    file.write_text(PAGE.format(policy, body))
    page.goto(file.as_uri())


def wait_for_errors(page: Page, watched: Watched, count: int) -> None:
    """The browser tells of them in its own time, and in its own order."""
    for _ in range(500):
        if len(watched.errors) < count:
            page.wait_for_timeout(10)


def test_a_page_without_faults_has_no_findings(page: Page, tmp_path: Path) -> None:
    """Nothing is reported of it, also under a policy that allows no script."""
    show(page, tmp_path, "<p>text</p>", policy=CSP)
    assert axe(page) == []


def test_axe_finds_what_nobody_can_read_or_name(page: Page, tmp_path: Path) -> None:
    """A field without a name, and grey text on white."""
    show(page, tmp_path, '<input><p id="pale">text</p>', policy=CSP)
    page.evaluate("() => { document.querySelector('#pale').style.color = '#bbb' }")
    found = axe(page)
    assert [line.partition(":")[0] for line in found] == ["serious color-contrast", "critical label"]
    assert [line.partition(":")[0] for line in axe(page, include="input")] == ["critical label"]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("() => console.error('one')", "error: one"),
        ("() => console.warn('one')", "warning: one"),
        ("() => { setTimeout(() => { throw new Error('one') }) }", "script: one"),
    ],
)
def test_errors_of_the_page_are_noticed(page: Page, watched: Watched, tmp_path: Path, script: str, error: str) -> None:
    """What it writes to the console, and an exception that nobody catches."""
    show(page, tmp_path, "")
    page.evaluate(script)
    wait_for_errors(page, watched, 1)
    assert watched.errors == [error]
    watched.errors.clear()


def test_requests_to_another_origin_are_noticed_and_go_nowhere(page: Page, watched: Watched, tmp_path: Path) -> None:
    """Images of other hosts and other files; what stands in the page itself is no request."""
    show(page, tmp_path, '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')
    assert watched.strays == []
    show(page, tmp_path, '<img alt="" src="http://example.com/a.png"><img alt="" src="other.png">')
    strays = ["GET http://example.com/a.png", f"GET {(tmp_path / 'other.png').as_uri()}"]
    assert sorted(watched.strays) == sorted(strays)
    wait_for_errors(page, watched, 2)
    assert sorted(error.rpartition("net::")[2] for error in watched.errors) == [
        "ERR_FILE_NOT_FOUND",
        "ERR_NAME_NOT_RESOLVED",
    ]
    watched.strays.clear()
    watched.errors.clear()
