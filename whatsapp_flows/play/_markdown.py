"""
The Markdown of RichText, TextBody and TextCaption, as a tree of plain values. No HTML is read or written.

Strategy: lines are sorted into blocks by how they begin, then the text of each block is cut into spans with a stack of
open marks. What is no complete mark stays text: nothing of what an author wrote is lost. Each pass reads the text
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, ClassVar, Final, Literal, TypeAlias

from .._dataclasses import dataclass, replace
from ._behaviour import BEHAVIOUR
from ._evaluate import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of text in one style. `href` is empty where it is no link; otherwise http(s), mailto or tel."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 or 2."""

    type: ClassVar[Literal["heading"]] = "heading"
    level: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text. A line break in it is a newline in a span."""

    type: ClassVar[Literal["paragraph"]] = "paragraph"
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class ListBlock:
    """A list of one level, with the spans of each item. `start` is the number of the first item of an ordered list."""

    type: ClassVar[Literal["list"]] = "list"
    ordered: bool
    items: tuple[tuple[Span, ...], ...]
    start: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table. `widths` are the widths of the header's columns relative to each other, from the lengths of its cells.

    A row may have fewer or more cells than the header.
    """

    type: ClassVar[Literal["table"]] = "table"
    header: tuple[tuple[Span, ...], ...]
    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ImageBlock:
    """An inline image. `src` is a `data:image/png` or `data:image/jpeg` URL in base64."""

    type: ClassVar[Literal["image"]] = "image"
    src: str
    alt: str


Block: TypeAlias = "Heading | Paragraph | ListBlock | Table | ImageBlock"


def blocks(text: Any, kind: str) -> tuple[Block, ...]:
    """
    The blocks of a text: RichText has all of them (rich-text.blocks), TextBody and TextCaption paragraphs and lists.

    `text` is a text or a list of texts. Headings of level 3 to 6 are paragraphs. Links with another scheme than those
    of `text.links`, and images that are no PNG or JPEG in base64, stay as they are written.
    """
    items = text if isinstance(text, (list, tuple)) else (text,)
    reader = _Blocks(rich=kind == "RichText")
    for item in items:
        for line in text_of(item).splitlines():
            reader.line(line)
        reader.end_paragraph()
    return reader.whole()


def block_json(block: Block) -> dict[str, Any]:
    """A block as JSON: its fields by name, and `type`."""
    return {"type": block.type} | {name: _plain(getattr(block, name)) for name in _FIELDS[block.type]}


def _plain(value: Any) -> Any:
    if isinstance(value, Span):
        return {name: getattr(value, name) for name in ("text", "bold", "italic", "strike", "href")}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


_FIELDS: Final = {
    "heading": ("level", "spans"),
    "paragraph": ("spans",),
    "list": ("ordered", "items", "start"),
    "table": ("header", "rows", "widths"),
    "image": ("src", "alt"),
}


# -- blocks: lines, sorted by how they begin

_HEADING: Final = re.compile(r"\s{0,3}(#{1,6})\s+(\S.*)").fullmatch
_ITEM: Final = re.compile(r"\s*(?:[-+*]|([0-9]{1,9})[.)])\s+(\S.*)").fullmatch
_ROW: Final = re.compile(r"\s*\|(.*)\|\s*").fullmatch
_IMAGE: Final = re.compile(r"!\[([^\[\]\n]*)\]\((data:image/(?:png|jpe?g);base64,[A-Za-z0-9+/]+={0,2})\)")


class _Blocks:
    """Takes lines and makes blocks of them."""

    def __init__(self, *, rich: bool) -> None:
        self._rich = rich
        self._made: list[Block] = []
        self._paragraph: list[str] = []
        self._items: list[list[str]] = []
        """The lines of each item of the open list."""
        self._start: int | None = None
        """The number of the first item of the open list, None for one without numbers."""
        self._rows: list[str] = []

    def line(self, line: str) -> None:
        if self._rich and (row := _ROW(line)):
            self.end_paragraph()
            self._end_list()
            self._rows.append(row[1])
            return
        self._end_table()
        if not line.strip():
            self.end_paragraph()
        elif item := _ITEM(line):
            self.end_paragraph()
            self._item(item[2], None if item[1] is None else int(item[1]))
        elif self._items and not self._paragraph and line[:2].isspace():
            self._items[-1].append(line.strip())
        elif self._rich and (heading := _HEADING(line)):
            self._heading(len(heading[1]), heading[2].rstrip())
        else:
            self._end_list()
            self._paragraph.append(line)

    def end_paragraph(self) -> None:
        """A blank line, or the end of an item: what follows is a paragraph of its own (rich-text.paragraphs)."""
        text = "\n".join(self._paragraph)
        self._paragraph.clear()
        at = 0
        for image in _IMAGE.finditer(text) if self._rich else ():
            self._add_paragraph(text[at : image.start()])
            self._made.append(ImageBlock(image[2], image[1]))
            at = image.end()
        self._add_paragraph(text[at:])

    def whole(self) -> tuple[Block, ...]:
        self.end_paragraph()
        self._end_list()
        self._end_table()
        return tuple(self._made)

    def _add_paragraph(self, text: str) -> None:
        if text.strip():
            self._made.append(Paragraph(spans(text.strip())))

    def _heading(self, level: int, text: str) -> None:
        self.end_paragraph()
        self._end_list()
        deepest = BEHAVIOUR["rich-text.headings"].value
        self._made.append(Heading(level, spans(text)) if level <= deepest else Paragraph(spans(text)))

    def _item(self, text: str, number: int | None) -> None:
        if (number is None) != (self._start is None):
            self._end_list()
        if not self._items:
            self._start = number
        self._items.append([text.rstrip()])

    def _end_list(self) -> None:
        if self._items:
            items = tuple(spans("\n".join(lines)) for lines in self._items)
            self._made.append(ListBlock(self._start is not None, items, 1 if self._start is None else self._start))
        self._items, self._start = [], None

    def _end_table(self) -> None:
        rows, self._rows = self._rows, []
        if len(rows) > 1 and "-" in rows[1] and not rows[1].strip(" \t|:-"):
            header = _cells(rows[0])
            widths = tuple(max(1, sum(len(span.text) for span in cell)) for cell in header)
            self._made.append(Table(header, tuple(map(_cells, rows[2:])), widths))
        else:
            for row in rows:
                self._add_paragraph(f"|{row}|")


def _cells(row: str) -> tuple[tuple[Span, ...], ...]:
    return tuple(spans(cell.strip()) for cell in row.split("|"))


# -- spans: text, cut at marks

_MARKS: Final = re.compile(r"\[(?P<label>[^\[\]\n]*)\]\((?P<href>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)|(?P<run>\*+|~~)")
_SAFE: Final = re.compile(
    rf"(?:{'|'.join(BEHAVIOUR['text.links'].value)}):[\x21-\x7e\u00a1-\uffff\U00010000-\U0010ffff]+", re.IGNORECASE
).fullmatch
_STYLES: Final = {"*": "italic", "**": "bold", "~~": "strike"}


def spans(text: str) -> tuple[Span, ...]:
    """The spans of a text: bold in `**`, italic in `*`, strikethrough in `~~`, links as `[text](href)`."""
    cut = _Spans()
    at = 0
    for found in _MARKS.finditer(text):
        cut.text(text[at : found.start()])
        at = found.end()
        if found["run"] is None:
            cut.link(found[0], found["label"], found["href"])
        else:
            before, after = text[found.start() - 1 : found.start()], text[at : at + 1]
            cut.run(found["run"], opens=bool(after.strip()), closes=bool(before.strip()))
    cut.text(text[at:])
    return cut.whole()


class _Spans:
    """
    Pieces of text, and marks between them.

    At most one mark of each style is open: a second one takes the place of the first, which was then only text.
    """

    def __init__(self) -> None:
        self._pieces: list[str | Span] = []
        self._styles: dict[int, str] = {}
        """Where a style begins or ends: the index of a piece, which is the mark."""
        self._open: dict[str, int] = {}
        """Mark -> the index of its piece, in the order of opening."""

    def text(self, text: str) -> None:
        if text:
            self._pieces.append(text)

    def link(self, written: str, label: str, href: str) -> None:
        if label.strip() and _SAFE(href):
            self._pieces += (replace(span, href=href) for span in spans(label))
        else:
            self.text(written)

    def run(self, run: str, *, opens: bool, closes: bool) -> None:
        """A run of stars, or two tildes."""
        if run[0] == "*":
            while closes and run and (mark := self._last_that_fits(len(run))):
                self._close(mark)
                run = run[len(mark) :]
            marks = {1: ("*",), 2: ("**",), 3: ("**", "*")}.get(len(run), ())
        elif closes and self._open.get(run, len(self._pieces)) < len(self._pieces) - 1:  # something stands between
            self._close(run)
            return
        else:
            marks = (run,)
        if not (opens and marks):
            self.text(run)
            return
        for mark in marks:
            self._open.pop(mark, None)
            self._open[mark] = len(self._pieces)
            self._pieces.append(mark)

    def _last_that_fits(self, length: int) -> str:
        return next((mark for mark in reversed(self._open) if mark[0] == "*" and len(mark) <= length), "")

    def _close(self, mark: str) -> None:
        start = self._open[mark]
        for opened_later in [each for each, index in self._open.items() if index >= start]:
            del self._open[opened_later]
        self._styles[start] = self._styles[len(self._pieces)] = _STYLES[mark]
        self._pieces.append(mark)

    def whole(self) -> tuple[Span, ...]:
        return tuple(
            replace(style, text="".join(text for text, _ in pieces))
            for style, pieces in groupby(self._styled(), key=lambda piece: piece[1])
        )

    def _styled(self) -> Iterator[tuple[str, Span]]:
        """Each piece of text with a span without text that has its style."""
        now: set[str] = set()
        for index, piece in enumerate(self._pieces):
            if style := self._styles.get(index):
                now ^= {style}
                continue
            span = Span(text=piece) if isinstance(piece, str) else piece
            styled = Span(
                text="",
                bold=span.bold or "bold" in now,
                italic=span.italic or "italic" in now,
                strike=span.strike or "strike" in now,
                href=span.href,
            )
            yield span.text, styled
