"""
A storyboard as one HTML file that loads nothing: the look and the scripts of the page are in it, and so are the views.

The phones are drawn by the same scripts as on the page of a preview. The policy of the file allows its own script and
its own style alone, by their digests, and images that stand in the file.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from .._flow_facts import FlowSource
from .._inert import inert
from ..play import PlayedFlow
from ._bundle import bundled, static_text
from ._json import view_json
from ._state import Platform, Theme
from ._storyboard import Board, BoardedScreen, Storyboard, storyboard

LONG_TEXT: Final = 512
"""Characters from which on a text is written once for all boards: mostly images."""

_ESCAPED: Final = re.compile(r"[<>&\u2028\u2029\ud800-\udfff]")
_APPROXIMATION: Final = (
    "Drawn for a review, from the Flow JSON alone. It is an approximation: phones have their own fonts and sizes, and "
    "the data are the examples of each screen."
)


def export(
    flow: FlowSource | PlayedFlow,
    *,
    platform: Platform = "android",
    theme: Theme = "auto",
    title: str = "Storyboard",
    today: date | None = None,
) -> str:
    """
    A storyboard of a Flow as one HTML file, which opens without a network: every screen as it opens, with errors,
    filled in, and in each branch, linked along the routes.

    `theme` "auto" follows the reader's system. `today` is the day from which dates are filled in; by default the
    current one. Raises `ConfigurationError` for what is no JSON object, or over 10 MB.
    """
    return render_storyboard(storyboard(flow, today=today), platform=platform, theme=theme, title=title)


def render_storyboard(
    story: Storyboard, *, platform: Platform = "android", theme: Theme = "auto", title: str = "Storyboard"
) -> str:
    """The page of one storyboard."""
    page = StoryPage({screen.id: screen.anchor for screen in story.screens})
    sections = [page.screen(screen) for screen in story.screens]
    count = f"{_count(len(story.screens), 'screen')}, {_count(len(story.boards), 'picture')}."
    omitted = f" Not drawn: {', '.join(map(text, story.omitted))}." if story.omitted else ""
    return page.document(
        title, [f"{count}{omitted}"], links_to(story.screens), sections, platform=platform, theme=theme
    )  # fmt: skip


class StoryPage:
    """
    One page of phones. `anchors` are the places of its screens.

    Boards that are added are numbered in order; their views stand in the page once.
    """

    def __init__(self, anchors: Mapping[str, str]) -> None:
        self._anchors = anchors
        self._boards: list[dict[str, Any]] = []

    def screen(self, screen: BoardedScreen, *, mark: str = "", folded: bool = False) -> str:
        """The section of a screen with all its boards. `mark` is HTML."""
        boards = f'<div class="boards">{"".join(self.figure(board) for board in screen.boards)}</div>'
        inner = f"{self.routes(screen)}{boards}"
        return section(screen, inner, mark=mark, folded=folded)

    def routes(self, screen: BoardedScreen) -> str:
        """The screens that it leads to, as links."""
        links = [
            f'<a href="#{self._anchors[name]}">{text(name)}</a>' if name in self._anchors else f"{text(name)} (missing)"
            for name in screen.routes
        ]
        return f'<p class="story-routes">Leads to {", ".join(links)}</p>' if links else ""

    def figure(self, board: Board, caption: str = "") -> str:
        """A phone with its caption."""
        number = len(self._boards)
        taps = [
            [path, item, self._anchors[target]]
            for (path, item), target in board.taps.items()
            if target in self._anchors
        ]
        seen = view_json(board.view)
        seen["nodes"] = [node for node in seen["nodes"] if node["shown"]]
        self._boards.append({"view": seen, "sheet": board.sheet, "first": board.first, "taps": taps})
        label = text(caption or board.caption)
        return (
            f'<figure class="board"><figcaption>{label}</figcaption>'
            f'<div data-board="{number}" role="group" aria-label="{label}"></div></figure>'
        )

    def document(
        self,
        title: str,
        notes: Iterable[str],
        links: str,
        sections: Iterable[str],
        *,
        platform: Platform,
        theme: Theme,
    ) -> str:
        """The whole file. `notes`, `links` and `sections` are HTML."""
        look, board_look = f"{static_text('style.css')}\n{static_text('phone.css')}", static_text("board.css")
        page_look, script = static_text("storyboard.css"), bundled("storyboard.js")
        policy = (
            f"default-src 'none'; script-src {_digest(script)}; "
            f"style-src {_digest(look)} {_digest(page_look)}; img-src data:; base-uri 'none'; form-action 'none'"
        )
        remarks = "".join(f"<p>{note}</p>" for note in notes)
        return (
            f'<!doctype html>\n<html lang="en" data-theme="{theme}" data-platform="{platform}">\n<head>\n'
            f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="referrer" content="no-referrer">\n<title>{text(title)}</title>\n'
            f'<style id="look">{look}</style>\n<style>{page_look}</style>\n'
            f'<script type="text/plain" id="board-look">{board_look}</script>\n</head>\n<body>\n'
            f'<header class="story-head"><h1>{text(title)}</h1>{remarks}<p class="story-note">{_APPROXIMATION}</p>'
            f"<noscript><p>The pictures are drawn by a script in this file, which loads nothing.</p></noscript>{links}"
            f"</header>\n<main>\n{''.join(sections)}</main>\n"
            f'<script type="application/json" id="story">{embedded(self._boards)}</script>\n'
            f"<script>{script}</script>\n</body>\n</html>\n"
        )


def section(screen: BoardedScreen, inner: str, *, mark: str = "", folded: bool = False) -> str:
    """The section of a screen; a folded one opens with a click. `inner` and `mark` are HTML."""
    name = f"<h2>{text(screen.title) or text(screen.id)}</h2> <code>{text(screen.id)}</code> {mark}"
    if folded:
        body = f"<details><summary>{name}</summary>{inner}</details>"
    else:
        body = f'<div class="story-title">{name}</div>{inner}'
    return f'<section class="story-screen" id="{screen.anchor}">{body}</section>\n'


def links_to(screens: Sequence[BoardedScreen], marks: Mapping[str, str] | None = None) -> str:
    """The contents of a page, as links. `marks` are HTML, by the ids of the screens."""
    links = "".join(
        f'<a href="#{screen.anchor}">{text(screen.title) or text(screen.id)}{(marks or {}).get(screen.id, "")}</a>'
        for screen in screens
    )
    return f'<nav class="story-screens" aria-label="Screens">{links}</nav>'


def embedded(boards: Sequence[Mapping[str, Any]]) -> str:
    """
    JSON for a script element: nothing in it ends the element, or begins a comment in it (HTML, "Restrictions for
    contents of script elements"). Long texts stand once, and `{"$text": 0}` in their place.
    """
    texts: dict[str, int] = {}

    def short(value: Any) -> Any:
        if isinstance(value, str) and len(value) >= LONG_TEXT:
            return {"$text": texts.setdefault(value, len(texts))}
        if isinstance(value, dict):
            return {key: short(each) for key, each in value.items() if key != "$text"}
        return [short(each) for each in value] if isinstance(value, list) else value

    shortened = [short(board) for board in boards]
    written = json.dumps({"texts": list(texts), "boards": shortened}, ensure_ascii=False, separators=(",", ":"))
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def text(value: str) -> str:
    """Text from a document, for HTML: in an element or in a quoted attribute."""
    return html.escape(inert(value))


def _digest(content: str) -> str:
    """A source expression of a Content-Security-Policy (CSP 3, "hash-source")."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
