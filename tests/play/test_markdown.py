"""The Markdown of texts, as a tree: what is a mark, what stays text, and what may be linked."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.counting import copied, steps
from tests.effort import some
from whatsapp_flows.play import Block, Heading, ImageBlock, ListBlock, Paragraph, Span, Table
from whatsapp_flows.play._markdown import block_json, blocks, spans

PIXEL = "data:image/png;base64,iVBORw0KGgo="


def plain(*texts: str) -> tuple[Span, ...]:
    return tuple(Span(text=text) for text in texts)


def styled(text: str) -> str:
    """The spans of a text, each in letters for its style: b(...), i(...), s(...), a link as [text](href)."""
    shown = []
    for span in spans(text):
        letters = "b" * span.bold + "i" * span.italic + "s" * span.strike
        inner = f"{letters}({span.text})" if letters else span.text
        shown.append(f"[{inner}]({span.href})" if span.href else inner)
    return "".join(shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a **b** c", "a b(b) c"),
        ("a *b* c", "a i(b) c"),
        ("a ~~b~~ c", "a s(b) c"),
        ("***b***", "bi(b)"),
        ("**a *b* c**", "b(a )bi(b)b( c)"),
        ("*a **b***", "i(a )bi(b)"),
        ("~~***b***~~", "bis(b)"),
        ("**a ~~b** c~~", "b(a ~~b) c~~"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("2*3*4", "2i(3)4"),
        ("**open", "**open"),
        ("**open **closed**", "**open b(closed)"),
        ("closed**", "closed**"),
        ("****", "****"),
        ("~~~~", "~~~~"),
        ("~~~~a~~", "~~s(a)"),
        ("** a **", "** a **"),
        ("snake_case_name", "snake_case_name"),
        ("[Terms](https://example.com/a?b=c)", "[Terms](https://example.com/a?b=c)"),
        ("see [a **b**](mailto:ada@example.com)!", "see [a ](mailto:ada@example.com)[b(b)](mailto:ada@example.com)!"),
        ("**[a](tel:+14155550100)**", "[b(a)](tel:+14155550100)"),
        ("[a](https://example.com/b_(c))", "[a](https://example.com/b_(c))"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("[a](JavaScript:alert%281%29)", "[a](JavaScript:alert%281%29)"),
        ("[a](b)", "[a](b)"),
        ("[](https://example.com)", "[](https://example.com)"),
        ("[a] (https://example.com)", "[a] (https://example.com)"),
        ("<b>a</b> &amp;", "<b>a</b> &amp;"),
    ],
)
def test_marks_in_a_text(text: str, expected: str) -> None:
    """Bold, italic, strikethrough and links; what is no complete mark stays as it is written."""
    assert styled(text) == expected


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "//a.b",
     "/a", "file:///etc/passwd", "blob:x", "http:\u00a0x", "https:", "ht\u200btp://a.b", "\x01https://a.b"],
)  # fmt: skip
def test_other_links_are_text(href: str) -> None:
    """A link has one of four schemes; anything else is shown as it is written."""
    assert {span.href for span in spans(f"[a]({href})")} == {""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [Paragraph(plain("a"))]),
        ("a\nb", [Paragraph(plain("a\nb"))]),
        ("a\n\nb", [Paragraph(plain("a")), Paragraph(plain("b"))]),
        (["a", "b"], [Paragraph(plain("a")), Paragraph(plain("b"))]),
        (["", " ", None], []),
        (None, []),
        (5.0, [Paragraph(plain("5"))]),
        ("# a", [Heading(1, plain("a"))]),
        ("## **a** b", [Heading(2, (Span(text="a", bold=True), Span(text=" b")))]),
        ("### a", [Paragraph(plain("a"))]),
        ("###### a", [Paragraph(plain("a"))]),
        ("#a", [Paragraph(plain("#a"))]),
        (["- a", "+ b", "* c"], [ListBlock(False, (plain("a"), plain("b"), plain("c")))]),
        (["3. a", "4) b"], [ListBlock(True, (plain("a"), plain("b")), 3)]),
        ("- a\n1. b", [ListBlock(False, (plain("a"),)), ListBlock(True, (plain("b"),))]),
        ("- a\n\n- b", [ListBlock(False, (plain("a"), plain("b")))]),
        ("- a\n  - b", [ListBlock(False, (plain("a"), plain("b")))]),
        ("- a\n  more\nb", [ListBlock(False, (plain("a\nmore"),)), Paragraph(plain("b"))]),
        ("a\n- b\nc", [Paragraph(plain("a")), ListBlock(False, (plain("b"),)), Paragraph(plain("c"))]),
        ("-a", [Paragraph(plain("-a"))]),
        (
            ["| a | **bb** |", "|---|:-:|", "| 1 | 2 |", "| 3 |"],
            [Table((plain("a"), (Span(text="bb", bold=True),)), ((plain("1"), plain("2")), (plain("3"),)), (1, 2))],
        ),
        ("| a |\n| b |", [Paragraph(plain("| a |")), Paragraph(plain("| b |"))]),
        ("||\n|-|", [Table(((),), (), (1,))]),
        (f"![A *dot*]({PIXEL})", [ImageBlock(PIXEL, "A *dot*")]),
        (f"a ![x]({PIXEL}) b", [Paragraph(plain("a")), ImageBlock(PIXEL, "x"), Paragraph(plain("b"))]),
        ("![x](https://example.com/a.png)", [Paragraph((Span(text="!"), Span(text="x", href="https://example.com/a.png")))]),
        ("![x](data:image/svg+xml;base64,AAAA)", [Paragraph(plain("![x](data:image/svg+xml;base64,AAAA)"))]),
    ],
)  # fmt: skip
def test_blocks_of_rich_text(text: Any, expected: list[Block]) -> None:
    """Headings, paragraphs, lists of one level, tables and inline images."""
    assert list(blocks(text, "RichText")) == expected


@pytest.mark.parametrize("kind", ["TextBody", "TextCaption"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a **b**", [Paragraph((Span(text="a "), Span(text="b", bold=True)))]),
        (["- a", "- b"], [ListBlock(False, (plain("a"), plain("b")))]),
        (["a", "b"], [Paragraph(plain("a")), Paragraph(plain("b"))]),
        ("# a", [Paragraph(plain("# a"))]),
        ("| a |\n|---|", [Paragraph(plain("| a |\n|---|"))]),
        (f"![x]({PIXEL})", [Paragraph(plain(f"![x]({PIXEL})"))]),
    ],
)
def test_blocks_of_other_texts(kind: str, text: Any, expected: list[Block]) -> None:
    """TextBody and TextCaption have neither headings nor tables nor images: those stay as they are written."""
    assert list(blocks(text, kind)) == expected


def test_blocks_as_json() -> None:
    """Each block is an object with its `type`; spans and cells are lists."""
    span = {"text": "a", "bold": False, "italic": False, "strike": False, "href": ""}
    assert [block_json(block) for block in blocks(["# a", "a", "- a", "|a|", "|-|", "|a|"], "RichText")] == [
        {"type": "heading", "level": 1, "spans": [span]},
        {"type": "paragraph", "spans": [span]},
        {"type": "list", "ordered": False, "items": [[span]], "start": 1},
        {"type": "table", "header": [[span]], "rows": [[[span]]], "widths": [1]},
    ]
    assert block_json(ImageBlock(PIXEL, "x")) == {"type": "image", "src": PIXEL, "alt": "x"}


# -- laws

MARKS = ["*", "**", "***", "~~", "[", "](", ")", "](https://a.b)", "](javascript:a)", "# ", "- ", "1. ", "|", "|-|",
         "\n", "\n\n", "a", "b ", " ", "!", "\\", "é", f"![x]({PIXEL})", "<script>", "&"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(MARKS), max_size=25).map("".join)
LETTERS = re.compile(r"[^\W\d_]|[<>&!\\]")
_WRITTEN_APART = re.compile(r"\]\(https://a\.b\)|!\[x\]\(" + re.escape(PIXEL) + r"\)")


def all_spans(value: Any) -> list[Span]:
    if isinstance(value, Span):
        return [value]
    if isinstance(value, tuple):
        return [span for each in value for span in all_spans(each)]
    return all_spans(tuple(getattr(value, each.name) for each in fields(value))) if is_dataclass(value) else []


def shown(block: Block) -> str:
    return (
        f"![{block.alt}]({block.src})" if isinstance(block, ImageBlock) else "".join(s.text for s in all_spans(block))
    )


@settings(max_examples=some(100))
@example("[a **b](https://a.b) c**", "RichText")
@example("**a [b** c](https://a.b)", "TextBody")
@given(TEXTS, st.sampled_from(["RichText", "TextBody", "TextCaption"]))
def test_no_text_is_lost_and_no_link_is_unsafe(text: str, kind: str) -> None:
    """What an author wrote is shown, marks and the addresses of links and pictures apart; the schemes are four."""
    found = blocks(text, kind)
    assert LETTERS.findall(_WRITTEN_APART.sub("", text)) == LETTERS.findall(
        _WRITTEN_APART.sub("", " ".join(map(shown, found)))
    )
    hrefs = {span.href for span in all_spans(found)} - {""}
    assert all(re.match(r"(?:https?|mailto|tel):", href) for href in hrefs)
    assert all(block.src.startswith("data:image/") for block in found if isinstance(block, ImageBlock))
    assert found == blocks(text, kind)


@pytest.mark.parametrize(
    "part",
    [
        "[",
        "![a](",
        "[a](b",
        "[a](b(",
        "*",
        "**a",
        "*a*",
        "~~",
        "a* ",
        "|",
        "- ",
        "- a\n  b\n",
        "#",
        "| a |\n",
        "\n",
        "a\n",
    ],
)
def test_a_text_is_read_once(part: str) -> None:
    """The steps grow as the text does: the second increase of its length takes as many as the first."""
    first, second, third = (taken(part * n) for n in (100, 200, 300))
    assert third - second <= 1.2 * (second - first) + 20


@pytest.mark.parametrize("part", ["  b\n", "a\n"])
def test_a_text_is_not_copied_again_and_again(part: str) -> None:
    """The memory that is allocated, freed memory too, grows as the text does."""
    first, second, third = (allocated("- a\n" + part * n) for n in (200, 400, 600))
    assert third - second <= 1.5 * (second - first) + 20_000


def taken(text: str) -> int:
    return steps(lambda: blocks(text, "RichText"))


def allocated(text: str) -> int:
    return copied(lambda: blocks(text, "RichText"))
