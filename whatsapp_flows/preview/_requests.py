"""The bodies of the page's requests, read into events and commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, get_args

from ..play import Answer, Back, Blur, Event, Failure, Fill, Select, Tap, Upload, UploadedFile, UploadState
from ._json import Json

MAX_BODY: Final = 2 * 1024 * 1024
"""Bytes of a body: an answer by hand may hold images."""

MAX_FILES: Final = 100  # of one upload; Meta's limit for a picker is 30

_MAX_DIGITS: Final = 15  # of a revision; JavaScript writes more of them with an exponent


class BadRequestError(Exception):
    """A body is not what the page sends; the message says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Take the last step back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Begin again, as the play began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Begin again on a screen, with data (None: its examples); without a screen as the preview was started."""

    screen: str | None = None
    data: Mapping[str, Any] | None = field(default=None, repr=False)


Command = Undo | Restart | Open | Answer


def read_object(body: bytes) -> Json:
    """A body as a JSON object."""
    try:
        found = json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise BadRequestError("The body is nested too deeply") from None
    except ValueError:
        raise BadRequestError("The body is not JSON") from None
    if not isinstance(found, dict):
        raise BadRequestError("The body must be a JSON object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def read_event(body: Json) -> Event:
    """The event of `{"event": {"type": "Fill", "path": ..., "value": ...}}`."""
    found = body.get("event")
    if not isinstance(found, dict):
        raise BadRequestError('"event" must be an object')
    kind = found.get("type")
    reader = _EVENTS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise BadRequestError(f'"type" must be one of {", ".join(_EVENTS)}')
    return reader(found)


def read_command(body: Json) -> Command:
    """The command of `{"command": "undo"}`, `restart`, `open` (`screen`, `data`) or `answer` (see `_answer`)."""
    name = body.get("command")
    reader = _COMMANDS.get(name) if isinstance(name, str) else None
    if reader is None:
        raise BadRequestError(f'"command" must be one of {", ".join(_COMMANDS)}')
    return reader(body)


def read_seen(value: object) -> int:
    """The revision that the page has, a number or its text; -1 if it says none."""
    number = str(value)
    return int(number) if number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS else -1


# -- events


def _fill(found: Json) -> Fill:
    value = found.get("value")
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return Fill(_text(found, "path"), value)
    return Fill(_text(found, "path"), _text(found, "value"))


def _select(found: Json) -> Select:
    return Select(_text(found, "path"), _text(found, "option", ""), _flag(found, "selected"))


def _upload(found: Json) -> Upload:
    files = found.get("files")
    if not isinstance(files, list) or len(files) > MAX_FILES or not all(isinstance(each, dict) for each in files):
        raise BadRequestError(f'"files" must be an array of at most {MAX_FILES} objects')
    return Upload(_text(found, "path"), tuple(_file(each) for each in files))


def _file(found: Json) -> UploadedFile:
    state = found.get("state", "done")
    if state not in get_args(UploadState):
        raise BadRequestError('"state" must be done, running or failed')
    size = found.get("size", 0)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise BadRequestError('"size" must be a number of bytes')
    return UploadedFile(
        name=_text(found, "name"),
        mime_type=_text(found, "mime_type", "application/octet-stream"),
        size=size,
        state=state,
        sha256=_text(found, "sha256", ""),
    )


_EVENTS: Final[Mapping[str, Callable[[Json], Event]]] = {
    "Fill": _fill,
    "Blur": lambda found: Blur(_text(found, "path")),
    "Select": _select,
    "Tap": lambda found: Tap(_text(found, "path"), _text(found, "item", "")),
    "Back": lambda _: Back(),
    "Upload": _upload,
}


# -- commands


def _open(found: Json) -> Open:
    data = found.get("data")
    if data is not None and not isinstance(data, dict):
        raise BadRequestError('"data" must be an object or null')
    return Open(screen=None if found.get("screen") is None else _text(found, "screen"), data=data)


def _answer(found: Json) -> Answer:
    """
    The answer to the request with a `number`: a `screen` with `data`; or a `failure`, with a `message`.

    `content` in their place is an answer of any form, such as one that a client refuses.
    """
    number = found.get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise BadRequestError('"number" must be the number of the request')
    failure = found.get("failure", "")
    if failure not in get_args(Failure):
        raise BadRequestError(f'"failure" must be one of {", ".join(filter(None, get_args(Failure)))}')
    if failure:
        return Answer(number=number, failure=failure, message=_text(found, "message", ""))
    if "content" in found:
        return Answer(number=number, content=found["content"])
    return Answer(number=number, content={"screen": _text(found, "screen"), "data": found.get("data", {})})


_COMMANDS: Final[Mapping[str, Callable[[Json], Command]]] = {
    "undo": lambda _: Undo(),
    "restart": lambda _: Restart(),
    "open": _open,
    "answer": _answer,
}


# -- fields


def _text(found: Json, name: str, default: str | None = None) -> str:
    value = found.get(name, default)
    if not isinstance(value, str):
        raise BadRequestError(f'"{name}" must be a text')
    return value


def _flag(found: Json, name: str) -> bool:
    value = found.get(name, True)
    if not isinstance(value, bool):
        raise BadRequestError(f'"{name}" must be true or false')
    return value
