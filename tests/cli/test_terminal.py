"""What the user of a terminal of 80 columns sees."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.support import CommandLine
from tests.cli.terminal import Terminal
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.cli._commands import program
from whatsapp_flows.emulator import Emulator

ROOT = Path(__file__).parents[2]
LONG = "a_key_that_is_rather_long_and_does_not_fit_into_one_line"


@pytest.fixture
def env(meta: Emulator) -> dict[str, str]:
    """An environment with credentials."""
    return {
        "WHATSAPP_FLOWS_ACCESS_TOKEN": "the-token",
        "WHATSAPP_FLOWS_WABA_ID": meta.waba_id,
        "WHATSAPP_FLOWS_BASE_URL": meta.url,
        "WHATSAPP_FLOWS_RETRY_INITIAL": "0.0857",
        "WHATSAPP_FLOWS_RETRY_JITTER": "none",
    }


@pytest.fixture
def terminal(env: dict[str, str]) -> Iterator[Terminal]:
    with Terminal(env=env) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two flows to publish, one of which has a long key."""
    write_flows(tmp_path, {"booking": FLOW_JSON, LONG: FLOW_JSON}, publish=True)
    return tmp_path


def config(folder: Path) -> tuple[str, str]:
    return "--config", str(folder / "flows.toml")


# -- questions


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False), ("\n", False), ("\x04", False)])
def test_nothing_moves_while_apply_asks(
    terminal: Terminal, meta: Emulator, folder: Path, answer: str, written: bool
) -> None:
    """Nothing is drawn over the plan and the question until the answer; only y or yes applies it."""
    terminal.start("apply", *config(folder))
    terminal.until("Apply this plan? [y/N]")
    assert terminal.lines[-1] == "Apply this plan? [y/N]"
    assert terminal.listen(0.3) == b""  # three frames of the animation
    terminal.press(answer)
    assert terminal.end() == (0 if written else 1)
    assert bool(meta.flows()) is written
    question = next(number for number, line in enumerate(terminal.lines) if line.startswith("Apply this plan?"))
    assert terminal.lines[question] == f"Apply this plan? [y/N] {answer.strip(chr(10) + chr(4))}".rstrip()
    assert terminal.lines[question + 1] == ("Nothing was changed." if not written else terminal.lines[question + 1])


def test_what_was_typed_before_the_question_does_not_answer_it(
    terminal: Terminal, meta: Emulator, folder: Path
) -> None:
    """A key pressed while the plan is made does not confirm it."""
    meta.fail("list_flows", delay=0.2)
    terminal.start("apply", *config(folder))
    terminal.press("y\n")
    terminal.until("Apply this plan? [y/N]")
    assert terminal.listen(0.3) == b""
    assert meta.flows() == ()
    terminal.press("n\n")
    assert terminal.end() == 1
    assert meta.flows() == ()


@pytest.mark.parametrize(
    ("command", "question", "status"),
    [
        ("delete", "Delete flow {}? This cannot be undone. [y/N]", "DRAFT"),
        ("deprecate", "Deprecate flow {}? This cannot be undone. [y/N]", "PUBLISHED"),
    ],
)
def test_irreversible_changes_are_confirmed(
    terminal: Terminal, meta: Emulator, command: str, question: str, status: str
) -> None:
    """The question names the flow; nothing moves until the answer, and a no changes nothing."""
    flow = meta.add_flow("Booking", flow_json=FLOW_JSON.decode(), status=status)
    terminal.start("flows", command, flow.id)
    terminal.until(question.format(flow.id))
    assert terminal.listen(0.3) == b""
    terminal.press("no\n")
    assert terminal.end() == 1
    assert terminal.lines == [f"{question.format(flow.id)} no", f"Flow {flow.id} was not changed."]
    assert meta.flow(flow.id).status == status


def test_an_interrupt_is_answered_at_once(terminal: Terminal, meta: Emulator, folder: Path) -> None:
    """While requests in progress end, the terminal says so, and how to abort them."""
    meta.fail("create_flow", code=131000, times=1)
    stop, end_of_wait = threading.Event(), threading.Event()
    terminal.start("sync", *config(folder), "--jobs", "1", stop=stop, sleep=lambda seconds: end_of_wait.wait(30))
    terminal.until("retry 2/3 in ")
    stop.set()  # as the first Ctrl-C does
    terminal.until("stopping: finishing what is in progress; press Ctrl-C again to abort")
    end_of_wait.set()
    assert terminal.end() == 130
    assert "stopping" not in terminal.text


# -- screens


def screen(terminal: Terminal) -> str:
    """The text of the screen, with placeholders for what differs each time: times, ids, counts."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm", terminal.text)
    text = re.sub(r"\b2100000\d{10}\b", "NNNNNNNNNNNNNNNNN", text)
    text = re.sub(r"(?<![\d.])\d+(?:\.\d)? s\b", "N s", text)
    text = re.sub(r"\b\d+ requests", "N requests", text)
    return re.sub(r"fbtrace_id \S+", "fbtrace_id XXX", text)


PLAN = """\
~ booking: republish "Booking"; a draft for about N s; upload, publish
  ~ screen FIRST, which was SECOND
+ a_key_that_is_rather_long_and_does_not_fit_into_one_line: create
  "A_Key_That_Is_Rather_Long_And_Does_Not_Fit_Into_One_Line"

2 flows: 1 to create, 1 to republish. It takes N requests."""

STATUS = """\
Flow                    Status     Version  Health     Last change (UTC)  Errors
booking                 PUBLISHED  7.3      AVAILABLE  YYYY-MM-DD hh:mm        0
a_key_that_is_rather_   missing    -        -          -                       0
long_and_does_not_fit_
into_one_line

2 flows: 1 PUBLISHED, 1 missing. 1 request."""

SYNC = """\
[1/2] a_key_that_is_rather_long_and_does_not_fit_into_one_line: created
NNNNNNNNNNNNNNNNN, published
booking: retry 2/3 in N s: Meta flow processing error: Flow JSON has been sav…
booking: retry 3/3 in N s: Meta flow processing error: Flow JSON has been sav…
[2/2] booking: uploaded, published, 3 attempts

Flow                                            Result       Status     Attempts
booking                                         republished  PUBLISHED         3
a_key_that_is_rather_long_and_does_not_fit_     created      PUBLISHED         1
into_one_line

2 flows: 1 republished, 1 created. N requests (2 retries), N s of waiting."""

DELETE = """\
error: delete flow NNNNNNNNNNNNNNNNN: Can't delete published Flow: Deprecate it
instead. (code 139004/4016026, HTTP 400)
  Deprecate it instead.
  fbtrace_id XXX"""

UNKNOWN = """\
error: get flow 999: Unsupported get request. Object with ID '999' does not
exist, cannot be loaded due to missing permissions, or does not support this
operation (code 100/33, HTTP 400)
  Check the id, the account it belongs to, and that the token has access to that
  account.
  fbtrace_id XXX"""


@pytest.mark.parametrize(
    ("command", "code", "expected"),
    [
        (("plan",), 0, PLAN),
        (("status",), 0, STATUS),
        (("sync", "--jobs", "1"), 0, SYNC),
        (("flows", "delete", "--yes"), 1, DELETE),
        (("flows", "get"), 1, UNKNOWN),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_screen(
    terminal: Terminal, meta: Emulator, folder: Path, command: tuple[str, ...], code: int, expected: str
) -> None:
    """Every line: no word is broken, continuation lines are indented, a retry is one line."""
    live = meta.add_flow("Booking", flow_json=OTHER_FLOW_JSON.decode(), status="PUBLISHED")
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    given = {"delete": (live.id,), "get": ("999",)}.get(command[1] if len(command) > 1 else "", config(folder))
    assert terminal.run(*command, *given) == code
    assert screen(terminal) == expected


def test_the_demo_fits(terminal: Terminal) -> None:
    """No line is cut or wrapped within a word, and each retry is one line."""
    assert terminal.run("demo", "--flows", str(ROOT / "examples" / "flows")) == 0
    assert sum("retry " in line for line in terminal.lines) == 2
    assert "solar_installation: retry 2/3 in 0.5 s: Meta flow processing error: Flow JSON h…" in terminal.lines
    words = set(re.findall(r"[a-z_]{4,}", terminal.text))
    assert {"solar_installation", "custom_furniture_installation", "waiting"} <= words


def commands_of(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    """The words of each command of the program."""
    yield names
    for name, member in command.commands.items() if isinstance(command, click.Group) else ():
        yield from commands_of(member, *names, name)


@pytest.mark.parametrize("command", list(commands_of(program)), ids=" ".join)
def test_help_fits(command: tuple[str, ...]) -> None:
    """Help has at most 80 columns, cuts no sentence, and breaks no option at its hyphen."""
    lines = CommandLine()(*command, "--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if re.search(r"\w-$", line)]
    assert "..." not in re.sub(r"[A-Z]\]?\.\.\.", "", "\n".join(lines))


@pytest.mark.parametrize("group", [(), ("flows",), ("keys",)], ids=" ".join)
def test_a_group_lists_its_commands(group: tuple[str, ...]) -> None:
    """Each once, with its complete first sentence."""
    member = program.commands[group[0]] if group else program
    assert isinstance(member, click.Group)
    listed = CommandLine()(*group, "--help").out.partition("Show this help and exit.\n")[2]
    entries = re.findall(r"^  ([\w-]+) +(.+(?:\n    .+)*)", listed, re.MULTILINE)
    assert sorted(name for name, _ in entries) == sorted(member.commands)
    assert all(sentence.endswith(".") for _, sentence in entries)


@pytest.mark.parametrize("key", ["139001/4016012", "131000"])
def test_the_links_of_an_explanation_can_be_copied(terminal: Terminal, key: str) -> None:
    """Each is alone on its line, which the output does not wrap."""
    assert terminal.run("explain", key) == 0
    links = re.findall(r"    https://\S+\r\n", terminal.written.decode())
    assert len(links) == terminal.written.count(b"https://") > 0


def test_a_link_is_never_wrapped(terminal: Terminal, meta: Emulator) -> None:
    """It can be copied: the terminal folds it, and the output has no line end in it."""
    flow = meta.add_flow("Booking", flow_json=FLOW_JSON.decode())
    assert terminal.run("flows", "preview", flow.id) == 0
    (link,) = re.findall(r"https?://[^\s\x1b]+", terminal.written.decode())
    assert len(link) > 80
    assert link in terminal.text.replace("\n", "")
    assert f"{link}\r\n" in terminal.written.decode()
