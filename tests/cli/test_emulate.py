"""`emulate`: its options, its output, and its log of requests."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import socket
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from tests.cli.support import Announced, CommandLine, running
from whatsapp_flows import FlowsClient
from whatsapp_flows.cli import run
from whatsapp_flows.cli._emulate import RequestLog


def _emulating(*argv: object) -> AbstractContextManager[SimpleNamespace]:
    """The running command."""
    return running("emulate", *argv)


def _get(url: str, **query: Any) -> Any:
    return requests.get(url, params={"access_token": "EAAtoken", **query}, timeout=30)


def test_accounts_and_numbers_are_those_of_the_command_line() -> None:
    """The first account's own number is replaced by those given for it."""
    with _emulating(
        "--waba-id", "11", "--phone-number", "12", "--phone-number", "13", "--account", "21:5", "--account", "31",
        "--phone-number", "22:21",
    ) as meta:  # fmt: skip
        assert (meta.waba_id, meta.phone_number_id) == ("11", "12")
        assert (meta.accounts, meta.phone_numbers) == (["21:5", "31"], ["12", "13", "22:21"])
        numbers = {
            account: [each["id"] for each in _get(f"{meta.url}/v25.0/{account}/phone_numbers").json()["data"]]
            for account in ("11", "21", "31")
        }
        assert numbers == {"11": ["12", "13"], "21": ["22"], "31": []}
        business = _get(f"{meta.url}/v25.0/21", fields="owner_business_info").json()["owner_business_info"]["id"]
        assert business == "5"


def test_tokens_and_proofs_are_demanded(tmp_path: Path) -> None:
    """They come from files, because the process list shows command lines to every user."""
    (tmp_path / "tokens").write_text("EAAtoken\n\n  EAAother  \n")
    (tmp_path / "secret").write_text("an app secret\n")
    with _emulating("--token-file", tmp_path / "tokens", "--app-secret-file", tmp_path / "secret") as meta:
        url = f"{meta.url}/v25.0/{meta.waba_id}"
        proof = hmac.new(b"an app secret", b"EAAother", hashlib.sha256).hexdigest()
        assert _get(url, access_token="EAAbad").json()["error"]["code"] == 190
        assert _get(url).json()["error"]["code"] == 100
        assert _get(url, access_token="EAAother", appsecret_proof=proof).status_code == 200
    assert "EAA" not in meta.err.getvalue()
    assert proof not in meta.err.getvalue()


def test_options_of_the_emulator_are_options_of_the_command() -> None:
    """The rate limit, the page size, the host of downloads, allowed host names."""
    with _emulating(
        "--calls-per-hour", 2, "--page-size", 1, "--cdn-host", "cdn.test", "--allow-host", "emulator", "--seed", 7,
        "--download-lifetime", 5,
    ) as meta:  # fmt: skip
        flows = f"{meta.url}/v25.0/{meta.waba_id}/flows"
        for name in "ab":
            form = {"name": name, "categories": '["OTHER"]', "flow_json": "{}", "access_token": "t", "fields": "assets"}
            created = requests.post(flows, data=form, timeout=30).json()
        assert created["assets"]["data"][0]["download_url"].startswith("http://cdn.test:")
        limited = requests.get(flows, headers={"Host": "emulator:80"}, params={"access_token": "t"}, timeout=30)
        assert limited.json()["error"]["code"] == 80008
        assert requests.get(flows, headers={"Host": "other"}, timeout=30).status_code == 403
    with _emulating("--page-size", 1) as meta:
        flows = f"{meta.url}/v25.0/{meta.waba_id}/flows"
        for name in "ab":
            requests.post(flows, data={"name": name, "categories": '["OTHER"]', "access_token": "t"}, timeout=30)
        assert len(_get(flows).json()["data"]) == 1


_TOML = """
[[faults]]
operation = "get_account"
status = 502
body = "<html>Bad Gateway</html>"
times = 1

[[faults]]
operation = "list_flows"
code = 80008
headers = { "Retry-After" = "3" }
every = 2
"""


@pytest.mark.parametrize("name", ["faults.toml", "faults.json"])
def test_faults_come_from_a_file(tmp_path: Path, name: str) -> None:
    """Of every kind; those of the command line apply first."""
    in_json = [
        {"operation": "get_account", "status": 502, "body": "<html>Bad Gateway</html>", "times": 1},
        {"operation": "list_flows", "code": 80008, "headers": {"Retry-After": "3"}, "every": 2},
    ]
    (tmp_path / name).write_text(_TOML if name.endswith("toml") else json.dumps(in_json))
    with _emulating("--faults", tmp_path / name, "--fail", "get_account:2:1") as meta:
        assert meta.faults == ["get_account:2:1", f"2 of {tmp_path / name}"]
        node = f"{meta.url}/v25.0/{meta.waba_id}"
        assert [_get(node).status_code for _ in range(3)] == [503, 502, 200]
        assert [_get(f"{node}/flows").headers.get("Retry-After") for _ in range(2)] == [None, "3"]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("f.toml", "[[faults]]\ncode = 4\ntims = 2", "f.toml: fault 1: unknown key 'tims': did you mean 'times'?"),
        ("f.toml", "[[faults]]\ncode = '4'", "f.toml: fault 1: code must be a whole number, not '4'"),
        ("f.toml", "[[fault]]\ncode = 4", "f.toml: unknown key 'fault'"),
        ("f.toml", "faults = [", "f.toml: not TOML:"),
        ("f.json", "{", "f.json: not JSON:"),
        ("f.json", "[" * 100_000, "f.json: it is nested too deeply"),
        ("f.json", '[{"operation": "publish"}]', "f.json: fault 1: operation must be None or one of"),
        ("f.json", b"\xff", "f.json cannot be read: it is not UTF-8"),
        ("f.json", b" " * (1024 * 1024 + 1), "f.json cannot be read: it is larger than 1048576 bytes"),
    ],
)
def test_a_file_of_faults_that_is_wrong_says_where(
    tmp_path: Path, name: str, text: str | bytes, complaint: str
) -> None:
    """It names the file, the fault, and the mistake."""
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    outcome = CommandLine()("emulate", "--faults", tmp_path / name)
    assert (outcome.code, outcome.out) == (2, "")
    assert complaint in outcome.err


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--account", "x"], "an id is a string of digits, not 'x'"),
        (["--account", "1:y"], "an id is a string of digits, not 'y'"),
        (["--phone-number", "x"], "an id is a string of digits, not 'x'"),
        (["--phone-number", "1:2"], "there is nothing with the id '2'"),
        (["--fail", "nonsense"], "it must look like update_flow_json:139001/4016012:2"),
        (["--fail", "publish:4"], "operation must be None or one of"),
        (["--calls-per-hour", "0"], "0 is not in the range"),
        (["--faults", "nowhere.toml"], "nowhere.toml cannot be read: No such file or directory"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(argv: list[str], complaint: str) -> None:
    """As a usage error, and no socket is left open."""
    outcome = CommandLine()("emulate", *argv)
    assert outcome.code == 2
    assert complaint in outcome.err


@pytest.mark.parametrize("option", ["--token-file", "--app-secret-file", "--faults"])
def test_what_is_no_file_is_not_read(tmp_path: Path, option: str) -> None:
    """Reading a pipe without a writer would never end; an empty token file would reject every request."""
    os.mkfifo(tmp_path / "pipe")
    assert "it is not a regular file" in CommandLine()("emulate", option, tmp_path / "pipe").err
    (tmp_path / "empty").write_text(" \n")
    assert CommandLine()("emulate", option, tmp_path / "empty").code == 2


def test_the_state_is_kept_with_what_was_added(tmp_path: Path) -> None:
    """The same command line again continues with the state: keys and subscriptions stay."""
    argv = ("--state", tmp_path / "state.db", "--account", "21", "--phone-number", "22:21")
    with _emulating(*argv) as meta:
        requests.post(f"{meta.url}/v25.0/21/subscribed_apps", params={"access_token": "t"}, timeout=30)
    with _emulating(*argv) as meta:
        assert len(_get(f"{meta.url}/v25.0/21/subscribed_apps").json()["data"]) == 1


def test_requests_are_logged_line_by_line() -> None:
    """Without their query; nothing with --quiet; requests to the emulator's own API are not logged."""
    with _emulating() as meta:
        _get(f"{meta.url}/v25.0/{meta.waba_id}")
        _get(f"{meta.url}/v25.0/{meta.waba_id}/%0d%0a12:00:00%20forged%1b[2J")
        requests.get(f"{meta.url}/_emulator/requests", timeout=30)
    first, second = meta.err.getvalue().splitlines()
    assert first.split(" ", 1)[1] == f"GET /v25.0/{meta.waba_id} get_account 200"
    assert second.endswith("/\\r\\n12:00:00 forged\\x1b[2J - 400")
    with _emulating("--quiet") as meta:
        _get(f"{meta.url}/v25.0/{meta.waba_id}")
    assert meta.err.getvalue() == ""


def test_a_log_that_cannot_be_written_stops_no_request() -> None:
    """The requests are answered nevertheless."""
    stream = io.StringIO()
    lines = RequestLog(stream)
    request = SimpleNamespace(at=0.0, path="/x", method="GET", operation=None, status=None)
    lines(request)
    assert stream.getvalue() == "00:00:00 GET /x - reset\n"
    stream.close()
    lines(request)
    lines(request)


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
        assert out.flushed.wait(30)
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
