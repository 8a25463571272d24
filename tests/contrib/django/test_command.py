"""`manage.py sync_whatsapp_flows`: its selection of rows, its output, and its exit codes."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.contrib.django.support import TOKEN, flow, rows, sent, stored
from tests.contrib.workers import eventually
from tests.support import valid_flow
from whatsapp_flows.contrib.django.management.commands.sync_whatsapp_flows import Command
from whatsapp_flows.emulator import Emulator

FLOWS: list[Any] = [
    {"name": "booking", "friendly_name": "Booking at Meta", "flow_json": valid_flow("FIRST")},
    {"name": "survey", "categories": ["SURVEY"], "flow_json": valid_flow("FIRST")},
]


def run(*arguments: str) -> tuple[str, str]:
    """The command's stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("sync_whatsapp_flows", *arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def fails(*arguments: str) -> tuple[CommandError, str]:
    """The command's error, and its earlier output about single flows."""
    err = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("sync_whatsapp_flows", *arguments, stdout=io.StringIO(), stderr=err, no_color=True)
    return caught.value, err.getvalue()


def test_the_active_flows_are_synced(meta: Emulator, configured: dict[str, Any]) -> None:
    """A line for each, with its id and state."""
    flow()
    flow("old", is_active=False)
    out, err = run("--publish")
    assert (out, err) == (f"booking: create (id {stored().flow_id}, PUBLISHED)\n", "")
    assert [there.name for there in meta.flows()] == ["booking"]
    assert run("--publish")[0] == f"booking: unchanged (id {stored().flow_id}, PUBLISHED)\n"


def test_the_command_of_the_origin(meta: Emulator, configured: dict[str, Any]) -> None:
    """`--flow solar_installation --publish`, through two processing failures."""
    flow("solar_installation")
    flow("other")
    run("--flow", "solar_installation")
    rows().update(flow_json=valid_flow("SECOND"))
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    out, _ = run("--flow", "solar_installation", "--publish")
    assert out.endswith("PUBLISHED, 3 attempts)\n")
    assert len(meta.flows()) == 1


def test_a_failed_flow_makes_it_fail(meta: Emulator, configured: dict[str, Any]) -> None:
    """Exit 1, after the other flows; the reason is on stderr, without token and terminal escapes."""
    flow()
    flow("survey")
    meta.fail("create_flow", code=100, message="evil\x1b[2J", times=1)
    error, output = fails()
    assert (error.returncode, str(error)) == (1, "1 of 2 flows is not as wanted.")
    assert "booking: create:" in output or "survey: create:" in output
    assert "\x1b" not in output
    assert "\\x1b[2J" in output
    assert TOKEN not in output
    assert len(meta.flows()) == 1


def test_a_dry_run_writes_nothing(meta: Emulator, configured: dict[str, Any]) -> None:
    """Not even the definitions into the database."""
    configured["FLOWS"] = "tests.contrib.django.test_command.FLOWS"
    flow()
    assert run("--dry-run")[0] == "booking: would be: create\nsurvey: would be: create\n"
    assert sent(meta) == []
    assert [(row.name, row.friendly_name) for row in rows()] == [("booking", "")]


def test_definitions_become_rows(meta: Emulator, configured: dict[str, Any]) -> None:
    """Before the sync; the fields of the sync and `is_active` are kept."""
    configured["FLOWS"] = "tests.contrib.django.test_command.FLOWS"
    flow(description="mine")
    flow("by_hand")
    run("--flow", "booking")
    assert (stored().friendly_name, stored().description) == ("Booking at Meta", "mine")
    assert [row.name for row in rows()] == ["booking", "by_hand"]
    run()
    assert {there.name: there.categories for there in meta.flows()} == {
        "Booking at Meta": ("OTHER",), "survey": ("SURVEY",), "by_hand": ("OTHER",),
    }  # fmt: skip
    rows().filter(name="survey").update(is_active=False)
    meta.clear_requests()
    assert "survey" not in run()[0]
    assert stored("survey").is_active is False


@pytest.mark.parametrize("there", [["x"], ["x", "booking"]])
def test_a_definition_whose_name_at_meta_another_row_has_is_an_error(
    there: list[str], meta: Emulator, configured: dict[str, Any]
) -> None:
    """Whether its own row exists or not; nothing is sent."""
    configured["FLOWS"] = "tests.contrib.django.test_command.FLOWS"
    for name in there:
        flow(name, friendly_name="Booking at Meta" if name == "x" else "")
    error, _ = fails()
    assert "the flow 'booking': another row has the name at Meta" in str(error)
    assert meta.requests == ()


def test_no_flows_is_no_failure(configured: dict[str, Any]) -> None:
    """A new project has no flows."""
    assert run() == ("There are no active flows.\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--flow", "boking"], "There is no flow boking: did you mean booking?"),
        (["--flow", "xxx"], "There is no flow xxx; known are booking, old."),
        (["--flow", "old"], "The flow old is not active."),
    ],
)
def test_wrong_usage_is_2(arguments: list[str], words: str, meta: Emulator, configured: dict[str, Any]) -> None:
    """And nothing is sent."""
    flow()
    flow("old", is_active=False)
    error, _ = fails(*arguments)
    assert (error.returncode, str(error), meta.requests) == (2, words, ())


def test_settings_that_cannot_be_used_are_an_error(configured: dict[str, Any]) -> None:
    """Named by their key."""
    flow()
    del configured["ACCESS_TOKEN"]
    error, _ = fails()
    assert str(error).startswith('WHATSAPP_FLOWS["ACCESS_TOKEN"] is not set')


def terminate_once(true: Callable[[], object]) -> None:
    """Send this process a SIGTERM as soon as a condition is true."""
    eventually(true, "a request")
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_ends_a_wait_and_marks_the_rows(meta: Emulator, configured: dict[str, Any]) -> None:
    """The exit code is that of the signal; the previous handler is restored."""
    configured["RETRY_INITIAL"] = 30
    configured["RETRY_MULTIPLIER"] = 1
    flow()
    meta.fail("create_flow", code=1)
    before = signal.getsignal(signal.SIGTERM)
    stopper = threading.Thread(target=terminate_once, args=(lambda: sent(meta),))
    stopper.start()
    with pytest.raises(SystemExit) as ended:
        run()
    stopper.join()
    assert ended.value.code == 128 + signal.SIGTERM
    assert (stored().sync_status, stored().sync_error) == ("error", "Interrupted: sync it again.")
    assert signal.getsignal(signal.SIGTERM) is before


def test_it_runs_in_a_thread(configured: dict[str, Any]) -> None:
    """In a thread, as in a task queue's worker, no signal handler can be set."""
    output: list[str] = []

    def work() -> None:
        output.append(run("--dry-run")[0])
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert output == ["There are no active flows.\n"]


def test_an_error_in_a_flow_is_reported_once(
    meta: Emulator, configured: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Run as by `manage.py`, where Django's system checks would report the same before."""
    configured["FLOWS"] = "tests.contrib.django.test_command.INVALID"
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "sync_whatsapp_flows"])
    assert ended.value.code == 1
    output = capsys.readouterr()
    assert (output.out + output.err).count("MIN_ITEMS_REQUIRED") == 1


def test_errors_in_a_flow_can_be_overridden(meta: Emulator, configured: dict[str, Any]) -> None:
    """`--validate warn`: the flow is sent, and Meta decides."""
    configured["FLOWS"] = "tests.contrib.django.test_command.INVALID"
    fails()
    assert meta.flows() == ()
    assert "MIN_ITEMS_REQUIRED" in fails("--validate", "warn")[1]  # in Meta's words
    assert [there.name for there in meta.flows()] == ["invalid"]


INVALID: list[Any] = [{"name": "invalid", "flow_json": {"version": "7.3", "screens": []}}]
