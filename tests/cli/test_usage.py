"""What all commands have in common: help, usage, credentials, errors, streams."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import CommandLine, Terminal
from whatsapp_flows import __version__
from whatsapp_flows.cli import Terminated
from whatsapp_flows.emulator import Emulator


def test_the_version_is_shown() -> None:
    """`--version` says which version this is."""
    assert CommandLine()("--version").out == f"whatsapp-flows {__version__}\n"


@pytest.mark.parametrize("command", [(), ("flows",), ("keys",)])
def test_a_group_without_a_command_shows_its_help_as_wrong_usage(command: tuple[str, ...]) -> None:
    """The help goes to stderr, and the exit code is 2."""
    outcome = CommandLine()(*command)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Show this help and exit." in outcome.err
    assert "error:" not in outcome.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("fly",), "No such command 'fly'."),
        (("flows", "get"), "Missing argument 'ID'."),
        (("flows", "list", "--loud"), "No such option"),
        (("--max-attempts", "-1", "flows", "list"), "-1 is not in the range x>=0."),
        (("flows", "list", "--timeout", "0"), "0.0 is not in the range x>0."),
        (("flows", "list", "--token-file", "/no/such/file"), "File '/no/such/file' does not exist."),
        (("flows", "create", "New"), "Missing option '--category'."),
        (("flows", "create", "New", "--category", "OTHER", "--publish"), "--publish needs --file"),
        (("flows", "update", "1"), "nothing to change"),
        (("sync", ".", "--config", "flows.toml"), "give FOLDER or --config, not both."),
        (("explain", "four"), "'four' is not an error code: give a code such as 4, or 139001/4016012 with a subcode."),
        (("flows", "delete", "1"), "there is no terminal to confirm on: give --yes."),
        (("flows", "deprecate", "1"), "there is no terminal to confirm on: give --yes."),
        (("emulate", "--fail", "everything"), "it must look like update_flow_json:139001/4016012:2."),
        (("emulate", "--fail", "fly:1"), "operation must be None or one of"),
    ],
)
def test_wrong_usage_is_reported_and_ends_with_2(
    cli: CommandLine, meta: Emulator, argv: tuple[str, ...], message: str
) -> None:
    """stderr has the mistake and how to get help, and nothing is sent."""
    outcome = cli(*argv)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "Usage: whatsapp-flows" in outcome.err
    assert "--help" in outcome.err
    assert not meta.requests


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"WHATSAPP_FLOWS_ACCESS_TOKEN": ""}, "error: no access token: set WHATSAPP_FLOWS_ACCESS_TOKEN"),
        ({"WHATSAPP_FLOWS_WABA_ID": ""}, "error: no WhatsApp Business Account: set WHATSAPP_FLOWS_WABA_ID, or"),
        ({"WHATSAPP_FLOWS_BASE_URL": "ftp://x"}, "error: WHATSAPP_FLOWS_BASE_URL: base_url must be an http(s) URL"),
        ({"WHATSAPP_FLOWS_TIMEOUT": "soon"}, "error: WHATSAPP_FLOWS_TIMEOUT must be a number"),
    ],
)
def test_a_wrong_environment_is_reported_and_ends_with_2(cli: CommandLine, env: dict[str, str], message: str) -> None:
    """Missing and invalid settings are usage errors, and nothing is sent."""
    outcome = cli("flows", "list", env=env)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


@pytest.mark.parametrize("before", [True, False])
def test_options_may_stand_before_or_after_the_command(cli: CommandLine, meta: Emulator, before: bool) -> None:
    """The common options are accepted in both places, and override the environment."""
    options = ("--json", "--waba-id", meta.waba_id, "--base-url", meta.url, "--api-version", "v24.0", "--timeout", "9")
    wrong = {"WHATSAPP_FLOWS_WABA_ID": "1", "WHATSAPP_FLOWS_BASE_URL": "http://127.0.0.1:1"}
    outcome = cli(*options, "flows", "list", env=wrong) if before else cli("flows", "list", *options, env=wrong)
    assert (outcome.code, outcome.json) == (0, {"flows": []})
    assert meta.requests[0].path.startswith("/v24.0/")


def test_what_stands_after_the_command_wins(cli: CommandLine, meta: Emulator) -> None:
    """The option after the command overrides the one before it."""
    cli("--api-version", "v23.0", "flows", "list", "--api-version", "v24.0")
    assert meta.requests[0].path.startswith("/v24.0/")


def test_the_token_may_come_from_a_file(cli: CommandLine, tmp_path: Path) -> None:
    """A file and stdin are not visible in the process list; blanks around the token are ignored."""
    (tmp_path / "token").write_text("the-token\n")
    nothing = {"WHATSAPP_FLOWS_ACCESS_TOKEN": ""}
    assert cli("flows", "list", "--token-file", tmp_path / "token", env=nothing).code == 0
    assert cli("flows", "list", "--token-file", "-", stdin="the-token\n", env=nothing).code == 0


def test_no_option_takes_the_token_itself(cli: CommandLine) -> None:
    """A token on the command line would be visible in the process list."""
    assert cli("flows", "list", "--token", "the-token").code == 2
    assert cli("flows", "list", "--access-token", "the-token").code == 2


@pytest.mark.parametrize(
    ("stdin", "message"),
    [(None, "there is no standard input."), ('{"version": "7.3"}', "standard input can be read only once.")],
)
def test_stdin_is_read_once(cli: CommandLine, stdin: str | None, message: str) -> None:
    """Token and file cannot both come from stdin, and neither can without a stdin."""
    outcome = cli("flows", "upload", "1", "-", "--token-file", "-", stdin=stdin)
    assert outcome.code == 2
    assert message in outcome.err


def test_stdin_is_bounded(cli: CommandLine) -> None:
    """A token has at most 64 KiB."""
    outcome = cli("flows", "list", "--token-file", "-", stdin="x" * 70_000)
    assert (outcome.code, outcome.err) == (2, "error: standard input has more than 65536 bytes.\n")


def test_an_error_of_meta_is_one_short_block(cli: CommandLine) -> None:
    """What happened, what to do, and the trace id for Meta's support; no traceback, and exit code 1."""
    outcome = cli("flows", "get", "404")
    first, *rest = outcome.err.splitlines()
    assert (outcome.code, outcome.out) == (1, "")
    assert first.startswith("error: get flow 404: ")
    assert first.endswith("(code 100/33, HTTP 400)")
    assert rest[0].startswith("  Check the id")
    assert rest[1].startswith("  fbtrace_id A")
    assert len(rest) == 2


def test_an_error_is_json_for_machines(cli: CommandLine) -> None:
    """With --json the fields of the error are on stdout, too."""
    outcome = cli("flows", "get", "404", "--json")
    assert outcome.code == 1
    error = outcome.json["error"]
    assert (error["class"], error["code"], error["subcode"], error["retryable"]) == ("NotFoundError", 100, 33, False)
    assert outcome.err.startswith("error: get flow 404")


@pytest.mark.parametrize(
    ("argv", "attempts"),
    [
        (("plan", "--config", "none.toml"), 0),
        (("flows", "upload", "1", "none.json"), 0),
        (("flows", "get", "1", "--timeout", "1", "--base-url", "http://127.0.0.1:1", "--max-attempts", "1"), 1),
        (("flows", "get", "404"), 1),
        (("flows", "get", "1", "--max-attempts", "2"), 2),
    ],
)
def test_an_error_counts_its_attempts(cli: CommandLine, meta: Emulator, argv: tuple[str, ...], attempts: int) -> None:
    """The last one included; an error that is found before the first attempt has 0."""
    meta.fail("get_flow", code=2, flow_id="1")
    assert cli(*argv, "--json").json["error"]["attempts"] == attempts


def raising(fault: BaseException) -> Callable[[float], object]:
    """A wait that raises `fault`."""

    def sleep(seconds: float) -> None:
        raise fault

    return sleep


@pytest.mark.parametrize(
    ("argv", "code", "name", "message"),
    [
        (("--json",), 2, "UsageError", "Missing command."),
        (("flows", "--json"), 2, "UsageError", "Missing command."),
        (("nothing", "--json"), 2, "UsageError", "No such command 'nothing'."),
        (("flows", "list", "--nope", "--json"), 2, "UsageError", "No such option '--nope'"),
        (("--json", "--nope"), 2, "UsageError", "No such option '--nope'"),
        (("flows", "get", "--json"), 2, "UsageError", "Missing argument 'ID'."),
        (("flows", "get", "1", "2", "--json"), 2, "UsageError", "unexpected extra argument"),
        (("flows", "list", "--timeout", "x", "--json"), 2, "UsageError", "'x' is not a valid float"),
        (("flows", "list", "--json", "--timeout"), 2, "UsageError", "requires an argument"),
        (("flows", "list", "--token-file", "none", "--json"), 2, "UsageError", "'none' does not exist"),
        (("sync", "none", "--json"), 2, "UsageError", "'none' does not exist"),
        (("plan", "--config", "none.toml", "--json"), 2, "ConfigurationError", "none.toml cannot be read"),
        (("plan", "--config", "none.toml", "--detailed-exitcode", "--json"), 1, "ConfigurationError", "cannot be read"),
        (("validate", "none.json", "--json"), 2, "ConfigurationError", "none.json cannot be read"),
        (("validate", "none.json", "--format", "json"), 2, "ConfigurationError", "none.json cannot be read"),
        (("validate", "--nope", "--format=json"), 2, "UsageError", "No such option '--nope'"),
        (("validate", "x", "--format", "sarif", "--json"), 2, "UsageError", "not both"),
        (("flows", "upload", "1", "none.json", "--json"), 2, "ConfigurationError", "none.json cannot be read"),
        (("flows", "delete", "1", "--json"), 2, "UsageError", "give --yes"),
        (("explain", "x", "--json"), 2, "UsageError", "is not an error code"),
        (("emulate", "--fail", "x", "--json"), 2, "UsageError", "it must look like"),
        (("flows", "get", "404", "--json"), 1, "NotFoundError", "does not"),
    ],
)
def test_every_error_is_one_json_object(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], code: int, name: str,
    message: str,
) -> None:  # fmt: skip
    """Usage errors, missing files and errors of Meta have the same keys; stderr has them as text."""
    monkeypatch.chdir(tmp_path)
    outcome = cli(*argv)
    assert (outcome.code, list(outcome.json)) == (code, ["error"])
    error = outcome.json["error"]
    assert (error["class"], error["retryable"]) == (name, False)
    assert message in error["message"]
    assert set(error) == set(cli("flows", "get", "404", "--json").json["error"])
    assert outcome.err


@pytest.mark.parametrize(
    ("fault", "code", "name"),
    [
        (KeyboardInterrupt(), 130, "Interrupted"),
        (Terminated(), 143, "Terminated"),
        (RuntimeError("a bug\x1b[2J"), 1, "RuntimeError"),
        (OSError(28, "No space left on device"), 1, "OSError"),
    ],
)
def test_an_interrupt_or_bug_is_one_json_object(
    cli: CommandLine, meta: Emulator, fault: BaseException, code: int, name: str
) -> None:
    """The traceback of a bug is on stderr."""
    meta.fail("get_flow", code=2, times=1)
    outcome = cli("flows", "get", "404", "--json", sleep=raising(fault))
    assert (outcome.code, list(outcome.json)) == (code, ["error"])
    assert outcome.json["error"]["class"] == name
    assert ("Traceback" in outcome.err) is isinstance(fault, Exception)
    assert "\x1b" not in outcome.err


def test_a_fault_of_the_program_is_reported_with_its_traceback(cli: CommandLine, meta: Emulator) -> None:
    """And with the request to report it."""
    meta.fail("get_flow", code=2, times=1)
    outcome = cli("flows", "get", "404", sleep=raising(RuntimeError("a bug")))
    assert (outcome.code, outcome.out) == (1, "")
    assert "RuntimeError: a bug\nerror: This is a bug in whatsapp-flows" in outcome.err


def test_a_wrong_token_is_reported_and_never_shown(cli: CommandLine) -> None:
    """No output contains the token."""
    outcome = cli("flows", "list", env={"WHATSAPP_FLOWS_ACCESS_TOKEN": "another-secret-token"})
    assert outcome.code == 1
    assert "Get a new access token." in outcome.err
    assert "another-secret" not in outcome.out + outcome.err


def test_retries_are_reported_while_they_wait(cli: CommandLine, meta: Emulator) -> None:
    """A line on stderr for each retry, with its number and wait; the final error has the number of attempts."""
    meta.fail("get_flow", code=131000, message="Something went wrong.")
    outcome = cli("flows", "get", "1")
    assert cli.sleeps == [5.0, 10.0]
    assert outcome.err.splitlines()[:2] == [
        "flow ID: 1: Meta service error detected (retryable): Something went wrong; retry 2/3 in 5 s",
        "flow ID: 1: Meta service error detected (retryable): Something went wrong; retry 3/3 in 10 s",
    ]
    assert "HTTP 500, after 3 attempts)" in outcome.err


def test_attempts_and_waits_are_set_by_options_and_environment(cli: CommandLine, meta: Emulator) -> None:
    """--max-attempts counts all attempts; WHATSAPP_FLOWS_RETRY_INITIAL is the first wait."""
    meta.fail("get_flow", code=131000)
    cli("flows", "get", "1", "--max-attempts", "2", env={"WHATSAPP_FLOWS_RETRY_INITIAL": "0.25"})
    assert cli.sleeps == [0.25]
    cli("flows", "get", "1", "--max-attempts", "0")
    assert len(meta.requests) == 3


def test_a_retry_after_that_is_too_long_is_not_waited_for(cli: CommandLine, meta: Emulator) -> None:
    """The call fails at once, and the message says how long to wait."""
    meta.fail("get_flow", code=4, headers={"Retry-After": "600"})
    outcome = cli("flows", "get", "1")
    assert outcome.code == 1
    assert "  Meta asks to wait 10 min before the next request." in outcome.err
    assert cli.sleeps == []


@pytest.mark.parametrize(("interrupt", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interrupt_ends_a_wait(cli: CommandLine, meta: Emulator, interrupt: type[BaseException], code: int) -> None:
    """Ctrl-C and SIGTERM end a wait at once, without a traceback."""

    def interrupted(seconds: float) -> None:
        raise interrupt

    meta.fail("get_flow", code=131000)
    outcome = cli("flows", "get", "1", sleep=interrupted)
    assert outcome.code == code
    assert outcome.err.splitlines()[-1] == ("interrupted" if code == 130 else "terminated")


def test_stop_ends_a_wait(cli: CommandLine, meta: Emulator) -> None:
    """A host that runs commands in a thread ends their waits with `stop`; the last error is reported."""
    stop = threading.Event()
    meta.fail("get_flow", code=131000)
    outcome = cli("flows", "get", "1", stop=stop, sleep=lambda seconds: stop.set())
    assert outcome.code == 1
    assert len(meta.requests) == 1


def test_there_is_no_colour_and_no_animation_without_a_terminal(cli: CommandLine, meta: Emulator) -> None:
    """Not even when the environment forces colour: piped output holds no escape codes."""
    meta.add_flow("Booking")
    outcome = cli("flows", "list", env={"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "TERM": "xterm-256color"})
    assert "\x1b" not in outcome.out + outcome.err


def test_a_terminal_gets_colour_and_an_animation(cli: CommandLine, meta: Emulator) -> None:
    """On a terminal statuses are coloured, and stderr shows the current call."""
    meta.add_flow("Booking")
    meta.fail("list_flows", code=131000, times=1)
    outcome = cli("flows", "list", terminal=True, env={"TERM": "xterm-256color"})
    assert "\x1b[33mDRAFT" in outcome.out
    assert "listing the account's flows (attempt 2/3)" in outcome.err
    assert "\x1b[?25l" in outcome.err  # the cursor hides while it is drawn


def test_no_color_is_respected(cli: CommandLine, meta: Emulator) -> None:
    """NO_COLOR takes the colours away, on a terminal too."""
    meta.add_flow("Booking")
    outcome = cli("flows", "list", terminal=True, env={"TERM": "xterm-256color", "NO_COLOR": "1"})
    assert "\x1b[3" not in outcome.out


def test_a_dumb_terminal_gets_no_animation(cli: CommandLine) -> None:
    """TERM=dumb moves no cursor."""
    assert "\x1b" not in cli("flows", "list", terminal=True, env={"TERM": "dumb"}).err


@pytest.mark.parametrize("name", ["[red]Red[/red]", "[link=https://x]", "a\x1b[2Jb\r\n\x9bc\u202ed", ":smile:"])
def test_what_comes_from_meta_is_inert(cli: CommandLine, meta: Emulator, name: str) -> None:
    """Markup in a name is shown as text, and control characters as escapes."""
    meta.add_flow(name)
    outcome = cli("flows", "list")
    assert name.encode("unicode_escape").decode() in outcome.out
    assert not {"\x1b", "\x9b", "\r", "\u202e"} & set(outcome.out)


@pytest.mark.parametrize("terminal", [False, True])
def test_no_output_acts_on_a_terminal(cli: CommandLine, meta: Emulator, terminal: bool) -> None:
    """Control characters of arguments and file names are escaped; only the program's own colours are not."""
    name = "a\x1b]0;owned\x07b\x9bc\u202ed"
    for argv in (("validate", name), ("flows", "get", name), ("flows", "upload", "1", name), ("flows", name)):
        outcome = cli(*argv, terminal=terminal, env={"TERM": "xterm", "NO_COLOR": "1"})
        assert outcome.code in {1, 2}
        message = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", outcome.out + outcome.err)
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(message), argv


def test_each_question_that_needs_a_terminal_can_be_answered_without(cli: CommandLine) -> None:
    """The option --yes is in the help of each command that asks."""
    for command in (("flows", "delete"), ("flows", "deprecate"), ("apply",)):
        assert "--yes" in cli(*command, "--help").out


def test_a_table_without_a_terminal_keeps_its_rows_on_one_line(cli: CommandLine, meta: Emulator) -> None:
    """A long name is neither cut nor wrapped, so that grep finds it; no line ends in blanks."""
    meta.add_flow("x" * 200)
    lines = cli("flows", "list").out.splitlines()
    assert len(lines) == 2
    assert "x" * 200 in lines[1]
    assert all(line == line.rstrip() for line in lines)


def test_columns_are_respected(cli: CommandLine, meta: Emulator) -> None:
    """COLUMNS sets the width; a terminal of unknown width has 80."""
    meta.add_flow("word " * 30)
    for env, width in (({"COLUMNS": "60"}, 60), ({}, 80)):
        out = cli("flows", "list", terminal=True, env={**env, "TERM": "xterm"}).out
        assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in out.splitlines()) == width


@pytest.mark.parametrize(
    ("answer", "code", "message", "left"),
    [
        ("y\n", 0, "Deleted flow {}.\n", 0),
        ("YES\n", 0, "Deleted flow {}.\n", 0),
        ("n\n", 1, "Flow {} was not changed.\n", 1),
        ("", 1, "Flow {} was not changed.\n", 1),
    ],
)
def test_a_deletion_is_confirmed_on_a_terminal(
    cli: CommandLine, meta: Emulator, answer: str, code: int, message: str, left: int
) -> None:
    """Only y or yes deletes; the question is on stderr."""
    flow = meta.add_flow("Booking")
    outcome = cli("flows", "delete", flow.id, stdin=Terminal(answer))
    assert outcome.code == code
    assert outcome.out == message.format(flow.id)
    assert outcome.err == f"Delete flow {flow.id}? This cannot be undone. [y/N] " + ("" if answer else "\n")
    assert len(meta.flows()) == left


def test_a_deprecation_is_confirmed_on_a_terminal(cli: CommandLine, meta: Emulator) -> None:
    """With --json, too."""
    flow = meta.add_flow("Booking", status="PUBLISHED")
    assert cli("flows", "deprecate", flow.id, "--json", stdin=Terminal("no\n")).json == {"id": flow.id, "done": None}
    assert cli("flows", "deprecate", flow.id, stdin=Terminal("y\n")).out == f"Deprecated flow {flow.id}.\n"
    assert meta.flow(flow.id).status == "DEPRECATED"
