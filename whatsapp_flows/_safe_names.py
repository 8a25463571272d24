"""
File names that somebody else has chosen, made safe to be the name of a file in a folder of ours.

The result is one path component on POSIX and on Windows, whose rules are the stricter ("Naming Files, Paths, and
Namespaces"). It is made of letters, digits and a few signs that no shell, header or page interprets. It is not a
statement about the content: a `.jpg` may hold a program.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_NAME_BYTES: Final = 128
"""The longest safe name in UTF-8. File systems take 255 bytes, some 143; this leaves room for what a host adds."""

_MAX_READ: Final = 1024  # characters of the given name, from its end: compatibility forms expand up to 18-fold
_MAX_SUFFIX: Final = 16  # bytes of an extension that is kept when the name is cut
_NAMELESS: Final = "file"
_SIGNS: Final = " ._-+()"
# Letters, marks and numbers, without the controls, bidi marks, surrogates and unassigned characters of "C".
_CATEGORIES: Final = "LMN"
# Names of devices on Windows, also with an extension. The superscript digits count too; NFKC has made digits of them.
_DEVICE: Final = r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])"


def safe_name(name: object) -> str:
    r"""
    A file name for a folder of ours, of at most 128 bytes in UTF-8.

    The last component of a path, in compatibility form (NFKC), with `_` in place of each character that is not a
    letter, a mark, a number or one of ` ._-+()`. Control and format characters are removed. It begins neither with a
    dot nor with a dash, ends neither with a dot nor with a space, and is no device of Windows. An extension of up to
    15 characters is kept when the name is too long. What has no name is `file`.

    >>> safe_name("../../etc/passwd")
    'passwd'
    >>> safe_name("C:\\fakepath\\holiday.jpg")
    'holiday.jpg'
    >>> safe_name("invoice\u202efdp.exe")
    'invoicefdp.exe'
    """
    given = name[-_MAX_READ:] if isinstance(name, str) else ""
    component = re.split(r"[/\\]", unicodedata.normalize("NFKC", given))[-1]
    text = unicodedata.normalize("NFKC", "".join(map(_replacement, component)))
    text = re.sub(r"\.{2,}", ".", text)
    text = re.sub(r" {2,}", " ", text).lstrip(" .-").rstrip(" .")
    if re.fullmatch(_DEVICE, text.partition(".")[0].strip(), re.IGNORECASE):
        text = f"_{text}"
    return _within(MAX_NAME_BYTES, *_split(text)) or _NAMELESS


def distinct_names(names: Iterable[str]) -> list[str]:
    """
    Safe names of which no two are the same file, also where a file system ignores case: the second is `name-2.jpg`.

    `names` are safe names already.
    """
    taken: set[str] = set()
    distinct = []
    for name in names:
        found, number = name, 1
        while _folded(found) in taken:
            number += 1
            stem, suffix = _split(name)
            found = _within(MAX_NAME_BYTES, stem, f"-{number}{suffix}")
        taken.add(_folded(found))
        distinct.append(found)
    return distinct


def _replacement(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] == "C":
        return ""
    if category[0] == "Z":
        return " "
    return char if category[0] in _CATEGORIES or char in _SIGNS else "_"


def _split(name: str) -> tuple[str, str]:
    """The name in two: what is cut when it is too long, and its extension with the dot."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(f"{dot}{suffix}".encode()) > _MAX_SUFFIX:
        return name, ""
    return stem, f"{dot}{suffix}"


def _within(size: int, stem: str, suffix: str) -> str:
    """Both together, of at most `size` bytes; the stem is cut between two characters."""
    cut = stem.encode()[: size - len(suffix.encode())].decode(errors="ignore")
    return f"{cut.rstrip(' .')}{suffix}"


def _folded(name: str) -> str:
    """What is equal for names that a file system without case takes for one."""
    return unicodedata.normalize("NFKC", name.casefold())
