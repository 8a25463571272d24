"""What the page may send: events and commands, and what is refused with a reason."""

from __future__ import annotations

import re
from typing import Any

import pytest

from whatsapp_flows.play import Answer, Back, Blur, Event, Fill, Select, Tap, Upload, UploadedFile
from whatsapp_flows.preview._requests import (
    BadRequestError,
    Command,
    Open,
    Restart,
    Undo,
    read_command,
    read_event,
    read_object,
)

FILE = UploadedFile(name="a.png", mime_type="image/png", size=3, state="failed")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "Fill", "path": "/a", "value": "x"}, Fill("/a", "x")),
        ({"type": "Fill", "path": "/a", "value": {"start-date": "d"}}, Fill("/a", {"start-date": "d"})),
        ({"type": "Blur", "path": "/a"}, Blur("/a")),
        ({"type": "Tap", "path": "/a"}, Tap("/a")),
        ({"type": "Tap", "path": "/a", "item": "i"}, Tap("/a", "i")),
        ({"type": "Select", "path": "/a", "option": "o", "selected": False}, Select("/a", "o", False)),
        ({"type": "Select", "path": "/a"}, Select("/a")),
        ({"type": "Back"}, Back()),
        ({"type": "Upload", "path": "/a", "files": []}, Upload("/a", ())),
        (
            {"type": "Upload", "path": "/a", "files": [{"name": "b"}]},
            Upload("/a", (UploadedFile(name="b"),)),
        ),
        (
            {
                "type": "Upload",
                "path": "/a",
                "files": [{"name": "a.png", "mime_type": "image/png", "size": 3, "state": "failed"}],
            },
            Upload("/a", (FILE,)),
        ),
    ],
)
def test_events(event: dict[str, Any], expected: Event) -> None:
    """The type of an event is its class, and its fields are those of the class."""
    assert read_event({"event": event}) == expected


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (None, '"event" must be an object'),
        ([], '"event" must be an object'),
        ({}, '"type" must be one of Fill, Blur, Select, Tap, Back, Upload'),
        ({"type": "Answer"}, '"type" must be one of'),
        ({"type": ["Fill"]}, '"type" must be one of'),
        ({"type": "Fill", "value": "x"}, '"path" must be a text'),
        ({"type": "Fill", "path": "/a", "value": 5}, '"value" must be a text'),
        ({"type": "Fill", "path": "/a", "value": {"start-date": 5}}, '"value" must be a text'),
        ({"type": "Tap", "path": "/a", "item": None}, '"item" must be a text'),
        ({"type": "Select", "path": "/a", "selected": "yes"}, '"selected" must be true or false'),
        ({"type": "Upload", "path": "/a"}, '"files" must be an array'),
        ({"type": "Upload", "path": "/a", "files": ["a"]}, '"files" must be an array'),
        ({"type": "Upload", "path": "/a", "files": [{"name": "a"}] * 101}, "at most 100"),
        ({"type": "Upload", "path": "/a", "files": [{"name": "a", "state": ["done"]}]}, '"state" must be'),
        ({"type": "Upload", "path": "/a", "files": [{"name": "a", "size": -1}]}, '"size" must be'),
        ({"type": "Upload", "path": "/a", "files": [{"name": "a", "size": True}]}, '"size" must be'),
    ],
)
def test_events_that_are_refused(event: Any, reason: str) -> None:
    """The reason names the field."""
    with pytest.raises(BadRequestError, match=re.escape(reason)):
        read_event({"event": event})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"command": "undo"}, Undo()),
        ({"command": "restart"}, Restart()),
        ({"command": "open"}, Open()),
        ({"command": "open", "screen": "A", "data": {"a": 1}}, Open(screen="A", data={"a": 1})),
        (
            {"command": "answer", "number": 3, "screen": "A", "data": {"a": 1}},
            Answer(number=3, content={"screen": "A", "data": {"a": 1}}),
        ),
        ({"command": "answer", "number": 3, "content": [1]}, Answer(number=3, content=[1])),
        ({"command": "answer", "number": 3, "failure": "timeout"}, Answer(number=3, failure="timeout")),
        (
            {"command": "answer", "number": 3, "failure": "token-refused", "message": "Sorry"},
            Answer(number=3, failure="token-refused", message="Sorry"),
        ),
    ],
)
def test_commands(body: dict[str, Any], expected: Command) -> None:
    """A command and its fields."""
    assert read_command(body) == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, '"command" must be one of undo, restart, open, answer'),
        ({"command": "stop"}, '"command" must be one of'),
        ({"command": {}}, '"command" must be one of'),
        ({"command": "open", "screen": 1}, '"screen" must be a text'),
        ({"command": "open", "data": []}, '"data" must be an object or null'),
        ({"command": "answer"}, '"number" must be'),
        ({"command": "answer", "number": True}, '"number" must be'),
        ({"command": "answer", "number": 1}, '"screen" must be a text'),
        ({"command": "answer", "number": 1, "failure": "lost"}, '"failure" must be one of not-decrypted'),
        ({"command": "answer", "number": 1, "failure": []}, '"failure" must be one of'),
    ],
)
def test_commands_that_are_refused(body: dict[str, Any], reason: str) -> None:
    """The reason names the field."""
    with pytest.raises(BadRequestError, match=re.escape(reason)):
        read_command(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The body is not JSON"),
        (b"\xff", "The body is not JSON"),
        (b'{"a": NaN}', "The body is not JSON"),
        (b"[1]", "The body must be a JSON object"),
        (b'{"a":' + b"[" * 100_000, "The body is nested too deeply"),
    ],
)
def test_bodies_that_are_no_object(body: bytes, reason: str) -> None:
    """Neither syntax errors nor nesting get further."""
    with pytest.raises(BadRequestError, match=reason):
        read_object(body)
