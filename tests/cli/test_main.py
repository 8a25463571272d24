"""The console script, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.misbehaving import BODY_DRIPS, Server, answers
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.emulator import Emulator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WITHOUT = "import sys; sys.modules[{package!r}] = None; from whatsapp_flows.__main__ import main; main()"


# Whoever runs the tests may ignore Ctrl-C, and a process inherits that.
HEEDS_INTERRUPTS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from whatsapp_flows.__main__ import main; main()"
)


def script(
    *argv: str, program: tuple[str, str] = ("-m", "whatsapp_flows"), cwd: Path = ROOT, **env: str
) -> subprocess.Popen[str]:
    """`python -m whatsapp_flows`, begun."""
    return subprocess.Popen(
        [sys.executable, *program, *argv],
        cwd=cwd, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_script_ends_with_the_code_of_the_run() -> None:
    """Output is plain when it is piped, and the exit code is that of the command."""
    process = script("explain", "4", FORCE_COLOR="1")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("4  application request limit\n")
    assert "\x1b" not in out


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_its_extra_the_script_says_which(package: str) -> None:
    """No traceback, but the command that installs it, and exit code 2."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(package=package)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == 'The command line needs its extra: pip install "whatsapp-flows-sdk[cli]"\n'


def test_a_reader_that_leaves_is_no_crash() -> None:
    """`whatsapp-flows explain 139002 | head -1` ends without a traceback."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "whatsapp_flows", "explain", "139002"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 1


def test_a_character_that_the_terminal_does_not_know_is_no_crash() -> None:
    """A name is written with escapes then."""
    with Emulator() as meta:
        meta.add_flow("Größe 📏")
        process = script(
            "flows", "list", PYTHONIOENCODING="ascii", WHATSAPP_FLOWS_ACCESS_TOKEN="t",
            WHATSAPP_FLOWS_WABA_ID=meta.waba_id, WHATSAPP_FLOWS_BASE_URL=meta.url,
        )  # fmt: skip
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "Gr\\xf6\\xdfe \\U0001f4cf" in out


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_stream_that_is_closed_is_no_crash(closed: str) -> None:
    """What is written to it is lost, and nothing else."""
    command = f"{sys.executable} -m whatsapp_flows explain 4 {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("4  application request limit") is (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_output_that_cannot_be_written_is_told(options: tuple[str, ...]) -> None:
    """In a line, and not as a fault of this program."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "whatsapp_flows", "explain", "139002", *options],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "error: cannot write the output: No space left on device.\n")


def test_whoever_listens_may_leave_while_live_flows_are_changed(tmp_path: Path) -> None:
    """`apply 2>&1 | head -1`: the reader of the progress has gone, and all flows are deployed."""
    write_flows(tmp_path, {f"f{number}": FLOW_JSON for number in range(4)}, publish=True)
    with Emulator() as meta:
        for number in range(4):
            meta.add_flow(f"F{number}", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
        process = script(
            "sync", str(tmp_path), "--jobs", "1", WHATSAPP_FLOWS_ACCESS_TOKEN="t",
            WHATSAPP_FLOWS_WABA_ID=meta.waba_id, WHATSAPP_FLOWS_BASE_URL=meta.url,
        )  # fmt: skip
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.close()
        report = process.stdout.read()
        process.stdout.close()
        assert process.wait(60) == 0
        assert {flow.status for flow in meta.flows()} == {"PUBLISHED"}
    assert "4 flows: 4 republished." in report


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_wait_and_says_what_was_done(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """The wait of five seconds is not sat out, and the report says how far it got."""
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    with Emulator() as meta:
        meta.add_flow("One")
        meta.fail("publish_flow", code=131000)
        process = script(
            "sync", str(tmp_path), program=("-c", HEEDS_INTERRUPTS), WHATSAPP_FLOWS_ACCESS_TOKEN="t",
            WHATSAPP_FLOWS_WABA_ID=meta.waba_id, WHATSAPP_FLOWS_BASE_URL=meta.url,
            WHATSAPP_FLOWS_RETRY_INITIAL="600", WHATSAPP_FLOWS_RETRY_MAXIMUM="600",
        )  # fmt: skip
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("one: Meta service error detected (retryable): ")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "one   interrupted  unknown" in out
    assert "  Completed before that: upload." in out
    assert "Traceback" not in err


def test_the_shell_can_complete_commands() -> None:
    """click's completion, for bash: the script, and the words."""
    process = script(_WHATSAPP_FLOWS_COMPLETE="bash_complete", COMP_WORDS="whatsapp-flows fl", COMP_CWORD="1")
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "plain,flows\n")


GRACE = f"import whatsapp_flows.transport as transport; transport.STOP_GRACE = 0.3; {HEEDS_INTERRUPTS}"
LISTED = json.dumps({"data": [{"id": "1", "name": "One", "status": "DRAFT"}]}).encode()
NOTHING = b'{"data": []}'
INTERRUPTED = {
    "list": (("flows", "list"), (), "interrupted"),
    "plan": (("plan", "--jobs", "8"), (answers(LISTED),), "interrupted"),
    "apply": (("apply", "--yes", "--jobs", "8"), (answers(NOTHING),), "one: interrupted"),
}


@pytest.mark.parametrize("case", INTERRUPTED)
def test_the_first_interrupt_ends_what_drips(case: str, tmp_path: Path) -> None:
    """Within the grace of a stop, whichever thread reads an answer that has no end; and it is said."""
    argv, before, message = INTERRUPTED[case]
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    with Server(*before, BODY_DRIPS) as server:
        process = script(
            *argv, program=("-c", GRACE), cwd=tmp_path, PYTHONPATH=str(ROOT), WHATSAPP_FLOWS_ACCESS_TOKEN="t",
            WHATSAPP_FLOWS_WABA_ID="1", WHATSAPP_FLOWS_BASE_URL=server.url,
        )  # fmt: skip
        assert server.has_received(len(before) + 1)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 5
    assert process.returncode == 130
    assert message in out + err
    assert "Traceback" not in err
