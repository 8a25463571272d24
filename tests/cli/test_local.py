"""`demo`, `emulate` and `explain`: the commands that need no credentials."""

from __future__ import annotations

import io
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.sync.support import FLOW_JSON, write_flows
from whatsapp_flows import FlowsClient
from whatsapp_flows.cli import run
from whatsapp_flows.emulator import Emulator

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"


def test_the_demo_shows_an_upload_that_gets_through() -> None:
    """Seven flows are published; solar_installation takes three attempts; the output says that waits are shortened."""
    cli = CommandLine()
    outcome = cli("demo", "--flows", EXAMPLES)
    assert (outcome.code, cli.sleeps) == (0, [0.5, 1.0])
    assert "The waits between attempts are shortened from 5 s and 10 s to 0.5 s and 1 s." in outcome.out
    assert "solar_installation             uploaded  PUBLISHED         3" in outcome.out.splitlines()
    assert outcome.out.count("PUBLISHED") == 7
    assert "7 flows: 1 uploaded, 6 created. 13 requests (2 retries), 1.5 s of waiting." in outcome.out
    first, second = (line for line in outcome.err.splitlines() if "; retry" in line)
    assert first.startswith("solar_installation: Meta flow processing error detected (retryable): ")
    assert first.endswith("; retry 2/3 in 0.5 s")
    assert second.endswith("; retry 3/3 in 1 s")


def test_the_demo_has_its_report_as_json() -> None:
    """One object, and nothing else on stdout."""
    report = CommandLine()("demo", "--flows", EXAMPLES, "--json").json
    assert (report["calls"], report["waits"], report["real_waits"]) == (13, [0.5, 1.0], [5.0, 10.0])
    assert {flow["status"] for flow in report["flows"]} == {"PUBLISHED"}


def test_the_demo_is_honest_about_a_failure() -> None:
    """With too few attempts the upload fails, and the exit code is 1."""
    outcome = CommandLine()("demo", "--flows", EXAMPLES, "--max-attempts", "2")
    assert outcome.code == 1
    assert "solar_installation: failed: update flow json" in outcome.out
    assert "got through" not in outcome.out


def test_the_demo_takes_other_flows(tmp_path: Path) -> None:
    """The first of them is the one that fails twice."""
    write_flows(tmp_path, {"one": FLOW_JSON, "two": FLOW_JSON})
    outcome = CommandLine()("demo", "--flows", tmp_path)
    assert outcome.code == 0
    assert "one succeeded on attempt 3." in outcome.out


def test_the_demo_says_where_it_finds_flows(tmp_path: Path) -> None:
    """An installed package has no examples."""
    outcome = CommandLine()("demo", "--flows", tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "flows.toml does not exist. Run the demo in a checkout of the project, or give a folder" in outcome.err


@pytest.mark.parametrize("command", ["demo", "emulate"])
def test_without_its_extra_the_emulator_says_which(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the command that installs it."""
    for name in [name for name in sys.modules if name.startswith("whatsapp_flows.emulator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("whatsapp_flows.emulator", raising=False)
    monkeypatch.setitem(sys.modules, "werkzeug", None)
    outcome = CommandLine()(command, *(["--flows", EXAMPLES] if command == "demo" else []))
    assert outcome.code == 2
    assert 'pip install "whatsapp-flows-sdk[emulator]"' in outcome.err


class Announced(io.StringIO):
    """A stream that sets an event when the whole announcement was flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed = threading.Event()

    def flush(self) -> None:
        if self.getvalue():
            self.flushed.set()


@pytest.mark.parametrize("as_json", [False, True])
def test_the_emulator_serves_until_it_is_stopped(tmp_path: Path, as_json: bool) -> None:
    """It prints its address and the variables to export; faults apply; the database is kept."""
    out, err, stop = Announced(), io.StringIO(), threading.Event()
    argv = [
        "emulate",
        "--database",
        str(tmp_path / "world.db"),
        "--fail",
        "get_flow:131000:1",
        "--fail",
        "get_health:2",
    ]
    argv += ["--json"] if as_json else []
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(run(argv, stdout=out, stderr=err, env={}, stop=stop)))
    thread.start()
    try:
        assert out.flushed.wait(10)
        if not as_json:
            exported = dict(
                line.removeprefix("export WHATSAPP_FLOWS_").split("=", 1)
                for line in out.getvalue().splitlines()
                if line.startswith("export ")
            )
            client = FlowsClient(
                exported["ACCESS_TOKEN"], exported["WABA_ID"], base_url=exported["BASE_URL"], sleep=lambda seconds: None
            )
            with client:
                created = client.create_flow("Booking", ["OTHER"])
                assert client.get_flow(created.id).name == "Booking"
    finally:
        stop.set()
        thread.join()
    assert codes == [0]
    if not as_json:
        assert [line.split()[1:] for line in err.getvalue().splitlines()] == [
            ["POST", "/v25.0/20100000000000001/flows", "create_flow", "200"],
            ["GET", f"/v25.0/{created.id}", "get_flow", "500"],
            ["GET", f"/v25.0/{created.id}", "get_flow", "200"],
        ]
    assert (tmp_path / "world.db").exists()
    if as_json:
        assert '"faults": [\n    "get_flow:131000:1",\n    "get_health:2"\n  ]' in out.getvalue()
        assert out.getvalue().endswith('{\n  "stopped": true\n}\n')
    else:
        assert "  fault get_flow:131000:1\n" in out.getvalue()
        assert out.getvalue().endswith("Stopped.\n")


def test_a_port_that_is_taken_is_reported() -> None:
    """Another process listens there."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        outcome = CommandLine()("emulate", "--port", other.getsockname()[1])
    assert outcome.code == 2
    assert ": Address already in use" in outcome.err


def test_a_code_is_explained() -> None:
    """Its meaning, whether it is retried, whether Meta may have executed the request, what to do, and the sources."""
    outcome = CommandLine()("explain", "139001/4016012")
    assert outcome.code == 0
    assert outcome.out == (
        "139001/4016012  the Flow JSON was saved, but processing it failed\n"
        "  error   FlowProcessingError, retryable\n"
        "  effect  Meta has saved the Flow JSON\n"
        "  advice  Send exactly the same upload again; if it goes on, ask Meta's support.\n"
        '  source  Meta, "Flows API error codes"\n'
        "          answers of the API that users have published\n"
        "    https://developers.facebook.com/docs/whatsapp/flows/reference/error-codes\n"
    )


def test_a_code_alone_is_explained_with_all_its_rows() -> None:
    """Also the rows that the text of Meta's message selects."""
    outcome = CommandLine()("explain", "139002")
    assert outcome.out.count("source ") == 17
    assert '  text    Meta\'s message contains "endpoint not available"\n' in outcome.out


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1", "Meta may have executed the request"),
        ("190/463", "AuthenticationError, fatal"),
        ("250", "200 to 299  permission missing"),
        ("139001/9", "Subcode 9 is not in the table of known codes. Code 139001 is handled as follows.\n\n139001  the"),
    ],
)
def test_other_codes_are_explained(code: str, message: str) -> None:
    """A code in a range, and an unknown subcode, have a row too."""
    outcome = CommandLine()("explain", code)
    assert outcome.code == 0
    assert message in outcome.out


@pytest.mark.parametrize("code", ["987654", "987654/1", "99999999999"])
def test_an_unknown_code_is_reported(code: str) -> None:
    """The output says how it is handled, and the exit code is 1."""
    outcome = CommandLine()("explain", code)
    assert outcome.code == 1
    assert outcome.out.startswith(f"Error {code} is not in the table of known codes.\nThe client raises ")


def test_an_explanation_may_ask_for_the_health_of_a_flow(cli: CommandLine, meta: Emulator) -> None:
    """It shows the cause of an integrity block; without --flow, the output says how to see it."""
    flow = meta.add_flow("Booking", flow_json='{"version": "7.3", "screens": []}')
    reported = CommandLine()("explain", "139000/4233020").out
    assert "whatsapp-flows explain 139000/4233020 --flow ID" in reported
    assert "payment method" in reported
    outcome = cli("explain", "139000/4233020", "--flow", flow.id)
    assert outcome.code == 0
    assert f"health of the flow: BLOCKED\n  FLOW {flow.id}: BLOCKED\n    131000 " in outcome.out
    found = cli("explain", "139000/4233020", "--flow", flow.id, "--phone-number", meta.phone_number_id, "--json").json
    assert {"FLOW", "PHONE_NUMBER"} <= {entity["type"] for entity in found["health"]["entities"]}
    assert cli("explain", "1", "--phone-number", "1").code == 2
    assert CommandLine()("explain", "139000", "--flow", "1").code == 2


def test_an_explanation_is_json_for_machines() -> None:
    """All rows, with the error class and its properties."""
    found = CommandLine()("explain", "139001/4016012", "--json").json
    (row,) = found["rows"]
    assert (found["code"], found["subcode"], found["fallback"]) == (139001, 4016012, False)
    assert (row["error"], row["retryable"], row["may_have_acted"]) == ("FlowProcessingError", True, False)
    assert CommandLine()("explain", "987654", "--json").json["rows"] == []
