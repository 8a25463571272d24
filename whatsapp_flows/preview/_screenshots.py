"""A storyboard as pictures, taken by the Chromium that the user has."""

from __future__ import annotations

import html
import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date
from pathlib import Path
from typing import Final

from .._files import make_folder, replace_file
from .._flow_facts import FlowSource
from .._reading import read_regular
from .._safe_names import distinct_names, safe_name
from ..errors import ConfigurationError
from ..play import PlayedFlow
from ._browser import Browser, find_browser
from ._export import render_storyboard
from ._state import Platform, Theme
from ._storyboard import Storyboard, storyboard

MAX_HEIGHT: Final = 8_000
"""CSS pixels of one picture: Chromium draws up to 16,384 pixels, and a pixel may count double."""

_MAX_BYTES: Final = 256 * 2**20  # of one picture
_MAX_JOBS: Final = 4  # browsers side by side; each takes a core and some 200 MB
_SIZES: Final = re.compile(r'\s*(?:<!DOCTYPE html>\s*)?<html\b[^>]*\bdata-sizes="([^"]*)"', re.IGNORECASE)


def screenshots(
    flow: FlowSource | PlayedFlow,
    directory: str | os.PathLike[str],
    *,
    browser: str | os.PathLike[str] | None = None,
    platform: Platform = "android",
    theme: Theme = "light",
    scale: float = 2,
    timeout: float = 60,
    today: date | None = None,
    on_taken: Callable[[int, int], object] = lambda taken, number: None,
) -> tuple[Path, ...]:
    """
    Write a PNG of each picture of the storyboard into a folder, and return their paths in the order of the storyboard.

    The folder is made if it is missing; files of the same names are replaced, such as `01-WELCOME-As it opens.png`.
    `browser` is the program of Chromium, Chrome or Edge; by default the first that is found. It runs without a window,
    with an empty profile inside the folder, which is removed, and without a network. `scale` is the number of pixels of
    a CSS pixel. `timeout` is the limit of one picture in seconds. `theme` "auto" is the theme of the browser.
    A picture takes some seconds: `on_taken` is called after each, with how many are written, and how many will be.

    Raises `ConfigurationError` if there is no browser, if it fails or takes too long, or if a file cannot be written.
    """
    program = find_browser(browser)
    story = storyboard(flow, today=today)
    folder = Path(directory)
    make_folder(folder)
    try:
        # Below the user's own folder: a Chromium that is a snap sees no other process's temporary files.
        with tempfile.TemporaryDirectory(prefix="pictures-", dir=folder, ignore_cleanup_errors=True) as scratch:
            page = Path(scratch).resolve() / "storyboard.html"
            page.write_text(render_storyboard(story, platform=platform, theme=theme), encoding="utf-8")
            runs = Browser(program, page.parent, timeout=timeout, scale=scale, stop=threading.Event())
            return _take(story, folder, page, runs, on_taken)
    except OSError as failure:
        raise ConfigurationError(f"{folder} cannot be written: {failure.strerror or failure}.") from None


def _take(
    story: Storyboard, folder: Path, page: Path, browser: Browser, on_taken: Callable[[int, int], object]
) -> tuple[Path, ...]:
    files = [folder / name for name in names_of(story)]
    sizes = _sizes(browser.dom(f"{page.as_uri()}#sizes"), len(files))

    def take(number: int) -> None:
        picture = page.with_name(f"{number}.png")
        width, height = sizes[number]
        browser.picture(f"{page.as_uri()}#picture={number}", picture, width=width, height=min(height, MAX_HEIGHT))
        replace_file(files[number], read_regular(picture, _MAX_BYTES))

    with ThreadPoolExecutor(min(_MAX_JOBS, os.cpu_count() or 1), thread_name_prefix="picture") as pool:
        taken = [pool.submit(take, number) for number in range(len(files))]
        try:
            for count, each in enumerate(as_completed(taken), start=1):
                each.result()
                on_taken(count, len(files))
        finally:  # an error or an interrupt ends the other browsers, too
            browser.stop.set()
            pool.shutdown(cancel_futures=True)
    return tuple(files)


def names_of(story: Storyboard) -> list[str]:
    """The names of the pictures, in their order: number, screen and state, in letters that a file name may have."""
    pairs = [(screen, board) for screen in story.screens for board in screen.boards]
    digits = max(len(str(len(pairs))), 2)
    return distinct_names(
        safe_name(f"{number:0{digits}}-{_flat(screen.id)}-{_flat(board.caption)}.png")
        for number, (screen, board) in enumerate(pairs, start=1)
    )


def _flat(name: str) -> str:
    """A part of a name: with a slash, it would begin another component."""
    return re.sub(r"[/\\:]+", "_", name)[:60]


def _sizes(dom: str, count: int) -> Sequence[tuple[int, int]]:
    """The sizes that the page says its phones have, in CSS pixels."""
    found = _SIZES.match(dom)
    try:
        sizes = [(int(width), int(height)) for width, height in json.loads(html.unescape(found[1] if found else ""))]
    except (ValueError, TypeError, OverflowError, RecursionError):
        sizes = []
    if len(sizes) != count or not all(width > 0 and height > 0 for width, height in sizes):
        raise ConfigurationError("The browser did not draw the page: a newer Chromium may, named with --browser.")
    return sizes
