"""A browser for each module that asks for one, and a new page for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.preview.browser import MISSING, Watched, in_ci, program, started

BROWSER_FIXTURES = {"browser", "page"}
PATIENCE_MS = 30_000  # for what has to come; on a loaded machine a few seconds may pass
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    The tests in a browser are slow, and share a process, so that few browsers run side by side.

    Coverage does not watch them: what Python does for a page has tests of its own.
    """
    for item in items:
        if isinstance(item, pytest.Function) and BROWSER_FIXTURES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.unmeasured)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Without one the test is skipped; in CI it fails."""
    found = program()
    if found is None:
        assert not in_ci(), MISSING
        pytest.skip(MISSING)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A Chromium that reaches this machine alone."""
    with started(chromium) as running:
        yield running


@pytest.fixture
def watched() -> Watched:
    """What `page` has reported."""
    return Watched()


@pytest.fixture
def page(browser: Browser, watched: Watched) -> Iterator[Page]:
    """
    A page in a new context: no cookie, nothing stored. Each wait ends after 30 seconds.

    The test fails if the page has written an error or a warning to the console, or has asked another origin.
    """
    with browser.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        watched.watch(page)
        yield page
    assert (watched.errors, watched.strays) == ([], [])
