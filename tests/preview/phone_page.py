"""The page of a preview in a browser: what its tests do with it, and what they read of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from whatsapp_flows.play import Node, View
from whatsapp_flows.preview import Preview

# Words of the page itself among the texts of a component.
PAGE_WORDS: Final = frozenset({"(optional)", "Read more", "Add a photo", "Add a document"})
# Leaves out what is there for a screen reader only, what the page says of a value, and what is not drawn.
_TEXTS: Final = """
() => [...document.querySelectorAll(".node")].map((element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const left = node.parentElement.closest(".unseen, .counter, .opener-value, .choices-hint, .picture-missing");
    const text = node.textContent.trim();
    if (text && !left) found.push(text);
  }
  return [element.dataset.path, found];
})
"""


class PhonePage:
    """The page of a preview. `address` is that of the page without its token."""

    def __init__(self, page: Page, preview: Preview) -> None:
        self.page = page
        self.preview = preview
        self.address = preview.url.partition("?")[0]

    def go(self, screen: str, data: Mapping[str, Any] | None = None) -> None:
        """Open a screen by its deep link."""
        query = "" if data is None else f"?data={quote(json.dumps(data))}"
        self.page.evaluate("hash => { location.hash = hash }", f"#/{quote(screen)}{query}")
        self.shows(screen)

    def shows(self, screen: str) -> None:
        """Wait until a screen is drawn."""
        expect(self.page.locator(".phone")).to_have_attribute("data-screen", screen)
        expect(self.page.locator(".screen")).to_be_visible()

    def look(self, platform: str, theme: str) -> None:
        """Choose the layout and the theme."""
        self.page.locator(f"input[name=platform][value={platform}]").check(force=True)
        self.page.locator(f"input[name=theme][value={theme}]").check(force=True)

    def named(self, name: str) -> Locator:
        """The component with this name."""
        return self.page.locator(f".node[data-name={json.dumps(name)}]")

    def at(self, path: str) -> Locator:
        """The component at a path."""
        return self.page.locator(f".node[data-path={json.dumps(path)}]")

    @property
    def footer(self) -> Locator:
        """The button of the Footer."""
        return self.page.locator(".footer-button")

    def texts(self) -> dict[str, list[str]]:
        """The texts of each component in the order in which they are read, without the page's own words."""
        found: list[tuple[str, list[str]]] = self.page.evaluate(_TEXTS)
        return {path: [text for text in texts if text not in PAGE_WORDS] for path, texts in found}


@contextmanager
def previewed(page: Page, flow: Mapping[str, Any] | Path, folder: Path, **options: Any) -> Iterator[PhonePage]:
    """A preview of a Flow, opened in a page. It is ended after the page has gone elsewhere."""
    path = flow if isinstance(flow, Path) else folder / "flow.json"
    if not isinstance(flow, Path):
        path.write_text(json.dumps(flow), encoding="utf-8")
    with Preview(path, **options) as preview:
        page.goto(preview.url)
        expect(page.locator(".phone")).to_be_visible()
        try:
            yield PhonePage(page, preview)
        finally:
            page.goto("about:blank")


# -- the texts of a view


def texts_of(node: Node) -> list[str]:
    """All texts that a user sees of a component, in order."""
    return [text.strip() for text in _texts(node) if text.strip()]


def all_nodes(view: View) -> list[Node]:
    """The components that are shown, the Footer last."""
    footer = [] if view.footer is None else [view.footer]
    return [node for node in (*view.nodes, *footer) if node.shown]


def _texts(node: Node) -> Iterator[str]:
    props = node.props
    if "blocks" in props:
        yield from (span["text"] for block in props["blocks"] for span in _spans(block))
        return
    if node.kind == "CalendarPicker" and props["mode"] == "range":
        yield from (props.get(key, "") for key in ("title", "description"))
        for end in ("start-date", "end-date"):
            yield from (props[key].get(end, "") for key in ("label", "helper-text") if key in props)
    elif node.kind == "Footer":
        yield from (props.get(key, "") for key in ("left-caption", "center-caption", "right-caption", "label"))
    else:
        yield from _plain(props.get("text", ""))
        yield from (props.get(key, "") for key in ("label", "description"))
        if node.kind not in {"Dropdown", "NavigationList"}:
            for item in props.get("data-source", ()):
                yield from (item.get(key, "") for key in ("title", "description", "metadata"))
        for item in props.get("list-items", ()):
            yield from _row(item)
        yield props.get("helper-text", "")
    yield node.error


def _plain(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _row(item: Mapping[str, Any]) -> Iterator[str]:
    yield item.get("badge", "")
    yield from (item["main-content"].get(key, "") for key in ("title", "description", "metadata"))
    yield from item.get("tags", ())
    yield from (item.get("end", {}).get(key, "") for key in ("title", "description", "metadata"))


def _spans(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if block["type"] == "list":
        yield from (span for item in block["items"] for span in item)
    elif block["type"] == "table":
        for row in (block["header"], *block["rows"]):
            yield from (span for cell in row for span in cell)
    else:
        yield from block.get("spans", ())
