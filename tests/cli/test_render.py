"""The rendering of values that the tests of commands do not reach."""

from __future__ import annotations

import io
import os
import pty

import pytest
from rich.console import Console

from whatsapp_flows import CreatedFlow, ErrorDetails, FlowValidationError, ValidationIssue
from whatsapp_flows.cli import _values as values
from whatsapp_flows.cli import run
from whatsapp_flows.cli._app import App
from whatsapp_flows.cli._json import as_json, error_as_json
from whatsapp_flows.cli._layout import format_duration
from whatsapp_flows.cli._text import as_text, error_as_text
from whatsapp_flows.emulator import Emulator

ISSUES = (
    ValidationIssue(error="BAD", message="It is bad.", line_start=3, column_start=7),
    ValidationIssue(error="E", message="M"),
)


def shown(parts: object) -> list[str]:
    """The lines of a rendering."""
    console = Console(file=io.StringIO(), width=80, color_system=None, _environ={})
    console.print(*parts, sep="\n")  # type: ignore[misc]
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


KINDS = [
    kind
    for kind in vars(values).values()
    if isinstance(kind, type) and issubclass(kind, values.Value) and kind is not values.Value
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_has_a_text_and_a_json(kind: type[values.Value]) -> None:
    """Every result of a command has both forms."""
    assert as_text.dispatch(kind) is not as_text.dispatch(object)
    assert as_json.dispatch(kind) is not as_json.dispatch(object)


def test_a_value_without_a_renderer_is_an_error() -> None:
    """A new kind of value must have both forms."""
    with pytest.raises(NotImplementedError):
        as_text(values.Value())
    with pytest.raises(NotImplementedError):
        as_json(values.Value())


def test_a_flow_json_refused_here_is_reported_with_its_places() -> None:
    """With line and column where they are known, in text and JSON. No flow.json is named, because nothing was sent."""
    error = FlowValidationError(ErrorDetails(message="2 errors.", advice="Correct it."), ISSUES)
    assert shown(error_as_text(error)) == ["error: 2 errors.", "  3:7 BAD: It is bad.", "  E: M", "  Correct it."]
    assert [issue["line"] for issue in error_as_json(error)["validation_errors"]] == [3, None]


def test_a_flow_json_refused_by_meta_is_reported_with_its_places() -> None:
    """The positions are in the uploaded flow.json."""
    error = FlowValidationError(ErrorDetails(message="No.", operation="create_flow"), ISSUES)
    assert shown(error_as_text(error)) == [
        "error: create flow: No.", "  flow.json:3:7 BAD: It is bad.", "  flow.json E: M",
    ]  # fmt: skip


def test_a_title_of_metas_stands_before_its_message() -> None:
    """Unless the message says it already."""
    for message, line in (("Not so.", "error: get flow 1: Oh: Not so."), ("Oh no.", "error: get flow 1: Oh no.")):
        details = ErrorDetails(message="x", operation="get_flow", flow_id="1", user_title="Oh", user_message=message)
        assert shown(error_as_text(FlowValidationError(details))) == [line]


def test_a_found_flow_that_is_not_as_asked_for_is_a_failure() -> None:
    """It was adopted after a lost response, and must be uploaded and published."""
    value = values.Created(name="New", created=CreatedFlow(id="1", success=False, adopted=True), published=True)
    assert value.exit_code == 1
    assert shown(as_text(value))[-1].endswith("Flow JSON and publish it.")
    assert as_json(value)["published"] is False


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.01, "0.1 s"),
        (4.02, "4.1 s"),
        (14.2, "15 s"),
        (119.5, "120 s"),
        (600, "10 min"),
        (7200, "2 h"),
        (8999, "2 h 30 min"),
    ],
)
def test_a_duration_is_rounded_up(seconds: float, text: str) -> None:
    """To tenths of a second, seconds or minutes, depending on its length."""
    assert format_duration(seconds) == text


def test_bytes_go_to_a_stream_of_bytes_as_they_are() -> None:
    """A download to stdout is written byte for byte."""
    content = b'{"a": "\xc3\x9f"}\r\n'
    with Emulator() as meta:
        flow = meta.add_flow("Booking", flow_json=content)
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        env = {"WHATSAPP_FLOWS_ACCESS_TOKEN": "t", "WHATSAPP_FLOWS_BASE_URL": meta.url}
        assert run(["flows", "download", flow.id], stdout=out, stderr=io.StringIO(), env=env) == 0
    assert out.buffer.getvalue() == content


def test_the_width_is_that_of_the_terminal() -> None:
    """80 if it is not known; COLUMNS overrides it if it is a number."""
    main, secondary = pty.openpty()
    with os.fdopen(main, "wb"), os.fdopen(secondary, "w") as terminal:
        for env, width in (({}, 80), ({"COLUMNS": "60"}, 60), ({"COLUMNS": "wide"}, 80), ({"COLUMNS": "0"}, 80)):
            app = App(stdin=None, stdout=terminal, stderr=terminal, env=env)
            assert app.width(terminal) == width
        assert app.width(io.StringIO()) > 1000
