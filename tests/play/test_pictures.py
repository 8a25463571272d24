"""Images in base64: their type is told by their bytes, and what cannot be drawn says why."""

from __future__ import annotations

import base64
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.play.views import PNG
from whatsapp_flows.play._pictures import picture_of

HEADS: Final = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\x00\x01\x02\x03WEBPVP8 ",
}


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(("kind", "head"), HEADS.items())
@pytest.mark.parametrize("rest", [b"", b"x", b"xy", b"xyz" * 1000, bytes(1024 * 1024)])
def test_the_first_bytes_tell_the_type(kind: str, head: bytes, rest: bytes) -> None:
    """Of short images and of long ones, with the size in bytes."""
    found = picture_of(coded(head + rest))
    assert found == (f"data:{kind};base64,{coded(head + rest)}", len(head + rest), "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("=", "is not base64"),
        ("abcde", "is not base64"),
        ("ab!d", "is not base64"),
        ("iVBORw0KGgo==", "is not base64"),
        ("ab=d", "is not base64"),
        ("ÄÖÜß", "is not base64"),
        (f"data:image/png;base64,{PNG}", "begins with data:, where Meta takes base64 alone"),
        ("https://example.com/a.png", "is not base64"),
        (coded(b"<svg onload=alert(1)>"), "is no PNG, JPEG, WebP or GIF"),
        (coded(b"%PDF-1.7"), "is no PNG, JPEG, WebP or GIF"),
        (coded(b"RIFF1234WAVE"), "is no PNG, JPEG, WebP or GIF"),
        (coded(b"\x89"), "is no PNG, JPEG, WebP or GIF"),
    ],
)
def test_what_cannot_be_drawn_says_why(text: str, problem: str) -> None:
    """It has no URL."""
    found = picture_of(text)
    assert (found.url, found.problem) == ("", problem)


@pytest.mark.parametrize("text", [PNG.rstrip("="), PNG[:10] + "\n " + PNG[10:], f" {PNG}\t"])
def test_base64_is_read_as_a_browser_does(text: str) -> None:
    """White space is ignored, and padding may be missing."""
    assert picture_of(text) == picture_of(PNG)


@given(text=st.text() | st.binary().map(coded) | st.text("ABab01+/= \n"))
def test_every_text_has_an_answer(text: str) -> None:
    """A URL or a problem, never both; a URL holds what any decoder reads."""
    found = picture_of(text)
    assert bool(found.url) is not bool(found.problem)
    if found.url:
        assert len(base64.b64decode(found.url.partition(",")[2], validate=True)) == found.size
