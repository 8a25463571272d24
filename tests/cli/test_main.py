"""The console script as a process: its streams, its signals and its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import ROOT, ScriptServer
from tests.cli.terminal import Terminal
from tests.misbehaving import BODY_DRIPS, Server, answers
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.emulator import Emulator

pytestmark = pytest.mark.slow

WITHOUT = "import sys; sys.modules[{package!r}] = None; from whatsapp_flows.__main__ import main; main()"


@pytest.fixture(scope="module")
def scripts() -> Iterator[ScriptServer]:
    """Where scripts are started."""
    server = ScriptServer()
    yield server
    server.close()


def environment(waba_id: str, url: str) -> dict[str, str]:
    return {
        "WHATSAPP_FLOWS_ACCESS_TOKEN": "the-token",
        "WHATSAPP_FLOWS_WABA_ID": waba_id,
        "WHATSAPP_FLOWS_BASE_URL": url,
    }


# -- the interpreter


def test_the_script_ends_with_the_code_of_the_run() -> None:
    """Output is plain when it is piped, and the exit code is that of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "whatsapp_flows", "explain", "987654"],
        cwd=ROOT, env={**os.environ, "FORCE_COLOR": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("Error 987654 is not in the table")
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_its_extra_the_script_says_which(package: str) -> None:
    """It prints the command that installs the extra, and ends with exit code 2."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(package=package)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == 'The command line needs its extra: pip install "whatsapp-flows-sdk[cli]"\n'


# -- streams


def test_a_closed_pipe_causes_no_traceback(scripts: ScriptServer) -> None:
    """`whatsapp-flows explain 139002 | head -1` ends without a traceback."""
    read, write = os.pipe()
    os.close(read)
    script = scripts.start("explain", "139002", stdout=write)
    os.close(write)
    assert script.result() == (1, "", "")


def test_an_unencodable_character_causes_no_traceback(scripts: ScriptServer, meta: Emulator) -> None:
    """It is written as an escape."""
    meta.add_flow("Größe 📏")
    code, out, err = scripts.start("flows", "list", encoding="ascii", env=environment(meta.waba_id, meta.url)).result()
    assert (code, err) == (0, "")
    assert "Gr\\xf6\\xdfe \\U0001f4cf" in out


@pytest.mark.parametrize("closed", ["stdout", "stderr", "stdin", "stdin stdout stderr"])
def test_a_closed_stream_causes_no_traceback(scripts: ScriptServer, closed: str) -> None:
    """What is written to it is lost, and nothing else."""
    code, out, err = scripts.start("explain", "4", closed=closed).result()
    assert (code, err) == (0, "")
    assert out.startswith("4  application request limit") is ("stdout" not in closed)


def test_the_shell_may_close_all_streams() -> None:
    """Python starts without them, and the script ends as usual."""
    command = f"{sys.executable} -m whatsapp_flows explain 987654 >&- 2>&- <&-"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_output_that_cannot_be_written_is_reported(scripts: ScriptServer, options: tuple[str, ...]) -> None:
    """In one line, which does not call it a bug of this program."""
    with open("/dev/full", "w") as full:
        code, _, err = scripts.start("explain", "139002", *options, stdout=full.fileno()).result()
    assert (code, err) == (1, "error: cannot write the output: No space left on device.\n")


def test_the_reader_of_the_progress_may_leave(scripts: ScriptServer, meta: Emulator, tmp_path: Path) -> None:
    """`apply 2>&1 | head -1`: all flows are deployed nevertheless."""
    write_flows(tmp_path, {f"f{number}": FLOW_JSON for number in range(4)}, publish=True)
    for number in range(4):
        meta.add_flow(f"F{number}", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    read, write = os.pipe()
    os.close(read)
    script = scripts.start("sync", tmp_path, "--jobs", "1", stderr=write, env=environment(meta.waba_id, meta.url))
    os.close(write)
    code, report, _ = script.result()
    assert code == 0
    assert {flow.status for flow in meta.flows()} == {"PUBLISHED"}
    assert "4 flows: 4 republished." in report


def test_the_shell_can_complete_commands(scripts: ScriptServer) -> None:
    """With click's completion for bash."""
    env = {"_WHATSAPP_FLOWS_COMPLETE": "bash_complete", "COMP_WORDS": "whatsapp-flows fl", "COMP_CWORD": "1"}
    assert scripts.start(env=env).result() == (0, "plain,flows\n", "")


# -- signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_wait_and_says_what_was_done(
    scripts: ScriptServer, meta: Emulator, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """The wait of ten minutes ends at once, and the report says what was completed."""
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    meta.add_flow("One")
    meta.fail("publish_flow", code=131000)
    waits = {"WHATSAPP_FLOWS_RETRY_INITIAL": "600", "WHATSAPP_FLOWS_RETRY_MAXIMUM": "600"}
    script = scripts.start("sync", tmp_path, env=environment(meta.waba_id, meta.url) | waits)
    assert script.stderr.readline().startswith("one: Meta service error detected (retryable): ")
    script.send_signal(number)
    returned, out, err = script.result()
    assert returned == code
    assert "one   interrupted  unknown" in out
    assert "  Completed before that: upload." in out
    assert "Traceback" not in err


_INTERRUPT_THE_IMPORT = """
import signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "whatsapp_flows.cli._commands":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
from whatsapp_flows.__main__ import main
main()
"""


def test_an_interrupt_while_modules_are_imported_causes_no_traceback() -> None:
    """Ctrl-C right after the command was entered; the exit code is that of any interrupt."""
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPT_THE_IMPORT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


LISTED = json.dumps({"data": [{"id": "1", "name": "One", "status": "DRAFT"}]}).encode()
NOTHING = b'{"data": []}'
INTERRUPTED = {
    "list": (("flows", "list"), (), "interrupted"),
    "plan": (("plan", "--jobs", "8"), (answers(LISTED),), "interrupted"),
    "apply": (("apply", "--yes", "--jobs", "8"), (answers(NOTHING),), "one: interrupted"),
}


@pytest.mark.parametrize("case", INTERRUPTED)
def test_the_first_interrupt_ends_a_response_without_end(scripts: ScriptServer, case: str, tmp_path: Path) -> None:
    """Within the grace period of a stop, whichever thread reads the response; and it is reported."""
    argv, before, message = INTERRUPTED[case]
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    with Server(*before, BODY_DRIPS) as server:
        script = scripts.start(*argv, cwd=tmp_path, stop_grace=0.3, env=environment("1", server.url))
        assert server.has_received(len(before) + 1)
        script.send_signal(signal.SIGINT)
        began = time.monotonic()
        code, out, err = script.result()
        assert time.monotonic() - began < 30  # the response has no end
    assert code == 130
    assert message in out + err
    assert "Traceback" not in err


# -- a terminal


def test_the_question_is_seen_when_only_stderr_goes_to_a_file(
    scripts: ScriptServer, meta: Emulator, tmp_path: Path
) -> None:
    """It is written to the terminal that stdout still is."""
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    with Terminal(env=environment(meta.waba_id, meta.url)) as terminal, (tmp_path / "log").open("w") as log:
        end = terminal.other_end
        script = scripts.start(
            "apply", "--config", tmp_path / "flows.toml", stdin=end, stdout=end, stderr=log.fileno(), env=terminal.env
        )
        terminal.until("Apply this plan? [y/N]")
        terminal.press("n\n")
        assert script.wait() == 1
    assert meta.flows() == ()


def test_an_interrupt_at_a_question_changes_nothing(scripts: ScriptServer, meta: Emulator, tmp_path: Path) -> None:
    """The first Ctrl-C ends the run."""
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    with Terminal(env=environment(meta.waba_id, meta.url)) as terminal:
        end = terminal.other_end
        script = scripts.start(
            "apply", "--config", tmp_path / "flows.toml", stdin=end, stdout=end, stderr=end, new_session=True,
            env=terminal.env,
        )  # fmt: skip
        terminal.until("Apply this plan? [y/N]")
        script.send_signal(signal.SIGINT)
        assert script.wait() == 130
        terminal.listen(0.05)
        assert terminal.lines[-1] == "interrupted"
    assert meta.flows() == ()
