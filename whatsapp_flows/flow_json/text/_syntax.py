"""What is wrong where Python's JSON parser stops, in words that say what to do, whatever the version of Python."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

_WORD: Final = re.compile(r"[A-Za-z_$][\w$-]*")
_LITERALS: Final = {"true", "false", "null", "none", "undefined"}


def syntax_reason(error: json.JSONDecodeError) -> str:
    """Why a text is not JSON, without the stop at the end."""
    text, at = error.doc, error.pos
    found = text[at : at + 1]
    if not found:
        return f"it ends too early: {_at_the_end(error)}"
    if found.isspace() and found not in " \t\r\n":
        return f"U+{ord(found):04X} is not a space in JSON, though it looks like one"
    for beginning, reason in _REASONS.items():
        if error.msg.startswith(beginning):
            return reason(text, at, found)
    return error.msg[:1].lower() + error.msg[1:]


def _at_the_end(error: json.JSONDecodeError) -> str:
    before = error.doc[: error.pos].rstrip(" \t\r\n")[-1:]
    if not before:
        return "there is nothing"
    if before in ",:":
        return f"nothing follows the last {'comma' if before == ',' else 'colon'}"
    return "a closing bracket or brace is missing"


def _before(text: str, at: int) -> str:
    """The last character before a place that is no white space."""
    while at > 0 and text[at - 1] in " \t\r\n":
        at -= 1
    return text[at - 1 : at]


def _key(text: str, at: int, found: str) -> str:
    if found == "}" or _before(text, at) == "}":
        return "a comma before a closing brace is one too many"
    if found == "'" or _WORD.match(text, at):
        return "a key needs double quotes"
    if found == "/":
        return "there are no comments in JSON"
    if found == ",":
        return "a comma is one too many"
    if found == "]":
        return "the object before this ] is not closed: a } is missing"
    if found in "{[":
        return "the object before this is not closed, or its next key is missing"
    return "a key in double quotes is expected here"


def _value(text: str, at: int, found: str) -> str:
    if found in "]}" and _before(text, at) == ",":
        return f"a comma before a closing {'bracket' if found == ']' else 'brace'} is one too many"
    if found in ",]}":
        return "a value is missing here"
    if found == "/":
        return "there are no comments in JSON"
    word = _WORD.match(text, at)
    if word is not None and word[0].lower() in _LITERALS:
        return "true, false and null are the only words in JSON, in small letters"
    if found == "'" or word is not None:
        return "a text needs double quotes"
    return "a value is expected here"


def _comma(text: str, at: int, found: str) -> str:
    if found == "]":
        return "the object before this ] is not closed: a } is missing"
    if found == "}":
        return "the list before this } is not closed: a ] is missing"
    if found.isdigit() and text[at - 1 : at] == "0":
        return "a number does not begin with 0"
    if found == ":":
        return "a key stands in a list, or a comma is missing before the key"
    return "a comma is missing before this"


def _control(text: str, at: int, found: str) -> str:
    if found in "\r\n":
        return "the string does not end on this line: a quote is missing, or a line break that is to be written \\n"
    return f"U+{ord(found):04X} must be written as \\u{ord(found):04x} in a string"


_REASONS: Final[Mapping[str, Callable[[str, int, str], str]]] = {
    "Extra data": lambda text, at, found: "something follows the end of the document",
    "Unterminated string": lambda text, at, found: "the string that begins here has no closing quote",
    "Invalid control character": _control,
    "Invalid \\escape": lambda text, at, found: "\\ begins an escape that there is not: a backslash is written \\\\",
    "Invalid \\uXXXX escape": lambda text, at, found: "\\u needs four hexadecimal digits",
    "Expecting property name": _key,
    "Illegal trailing comma": lambda text, at, found: "a comma before a closing bracket or brace is one too many",
    "Expecting ':'": lambda text, at, found: "a colon is missing after the key",
    "Expecting ','": _comma,
    "Expecting value": _value,
}
"""How a message of Python's parser begins -> what is wrong, by the text, the place and the character there."""
