"""
Text from elsewhere, made harmless before it reaches a reader: the one place for it.

`inert` is for whatever reads lines or control characters: a log, a terminal, an annotation of GitHub, XML, Markdown.
`without_credentials` masks what has the form of a credential, whatever client it belongs to.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "[redacted]"

# The patterns of this module are text, so that `re` compiles them when they are first used, and not at import.

# Meta's tokens start with EAA and may come back inside an error text or a paging link.
_CREDENTIAL: Final = r"(?<![A-Za-z0-9])EAA[A-Za-z0-9]{20,}|(?<=access_token=)[^&\s\"'<>]+"

# The userinfo of a URL: up to the last @ before the path. With a colon that begins no port, it is a password with a
# slash in it, and goes on to the last @ of the word. The lengths keep the search linear.
_USERINFO: Final = (
    r"(?<=://)(?:[^\s/?#\"'<>]{0,512}@"
    r"|[^\s/?#@:\"'<>]{0,256}:(?![0-9]{1,5}(?![^\s/?#\"'<>]))[^\s\"'<>]{0,512}@)"
)


def inert(text: str) -> str:
    """
    `text` on one line, with every character that a terminal would interpret written as an escape.

    Control characters (C0 and C1), line ends, bidi marks, lone surrogates: everything that is not printable.

    >>> inert("name\\x1b[2J")
    'name\\\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def inert_lines(text: str) -> str:
    """The same for a text of several lines: line feeds are kept."""
    return "\n".join(inert(line) for line in text.split("\n"))


def without_credentials(text: str) -> str:
    """
    `text` without anything that has the form of Meta's tokens, and without the user and password of a URL.

    >>> without_credentials("http://user:pass@proxy:3128 refused")
    'http://[redacted]@proxy:3128 refused'
    """
    if "://" in text:
        text = re.sub(_USERINFO, f"{MASK}@", text)
    return re.sub(_CREDENTIAL, MASK, text)


def shaped_like_a_token(text: str) -> bool:
    """Whether a text contains something that has the form of Meta's tokens."""
    return re.search(_CREDENTIAL, text) is not None
