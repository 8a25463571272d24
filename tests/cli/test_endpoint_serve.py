"""`endpoint serve`: what it serves, its lines for requests, and its errors about the named object."""

from __future__ import annotations

import io
import json
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from tests.cli.support import CommandLine, running
from whatsapp_flows.endpoint import EndpointClient, KeyPair
from whatsapp_flows.signatures import sign

SECRET = "app-secret-for-tests"
HOOKS = f"""
from whatsapp_flows.webhooks import Webhooks

async def handle(event):
    if event.flow_id == "13":
        raise LookupError("a text that quotes +4915112345678")

class Holder:
    hooks = Webhooks(app_secrets="{SECRET}", verify_token="chosen", handler=handle, max_body=1000)

hooks, text = Holder.hooks, "a text"
"""


def serving(*argv: object) -> AbstractContextManager[SimpleNamespace]:
    """The running command on a free port."""
    return running("endpoint", "serve", "--port", 0, *argv)


@pytest.fixture
def command_line() -> CommandLine:
    return CommandLine()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module of the host's in the current folder."""
    name = f"served_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(HOOKS)
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


def event_of(flow_id: str) -> bytes:
    """A webhook of Meta's about a flow."""
    value = {"event": "FLOW_STATUS_CHANGE", "flow_id": flow_id, "old_status": "DRAFT", "new_status": "PUBLISHED"}
    change = {"field": "flows", "value": value}
    entry = {"id": "1", "time": 1, "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def post(url: str, body: bytes, *, secret: str = SECRET) -> requests.Response:
    return requests.post(url, data=body, headers={"x-hub-signature-256": sign(body, secret)}, timeout=30)


def lines(err: io.StringIO) -> list[str]:
    """The lines without time and duration."""
    return [" ".join(line.split()[1:]).partition(" ms")[0].rpartition(" ")[0] for line in err.getvalue().splitlines()]


ENDPOINT = """
import asyncio
from pathlib import Path
from whatsapp_flows.endpoint import FlowEndpoint, PrivateKeys

endpoint = FlowEndpoint(PrivateKeys(Path("key.pem").read_text()), app_secrets={secret!r})

@endpoint.init
def start(request):
    return request.show("CHOOSE", dates=[])

@endpoint.data_exchange("CHOOSE")
async def chosen(request):
    await asyncio.sleep(0)
    return request.finish(date=request.data["date"])
"""


def test_an_endpoint_of_a_module_is_served(module: str, tmp_path: Path, flow_key_pair: KeyPair) -> None:
    """With plain and asynchronous handlers; a line names action and screen, and nothing of a user's."""
    (tmp_path / "key.pem").write_text(flow_key_pair.private_pem.reveal())
    (tmp_path / f"{module}.py").write_text(ENDPOINT.format(secret=SECRET))
    with serving(f"{module}:endpoint") as server:
        client = EndpointClient(server.url, flow_key_pair.public_pem, SECRET)
        assert client.ping().ok
        assert client.exchange("INIT", token="token-1").screen == "CHOOSE"
        assert client.exchange("data_exchange", "CHOOSE", {"date": "2030-01-02"}, "token-1").screen == "SUCCESS"
        assert client.exchange("data_exchange", "CHOOSE", {}, "token-1").status == 500
        assert client.exchange("BACK", "+4915112345678", token="token-1").status == 500
        assert client.ping(tamper="wrong-signature").status == 432
        client.close()
    assert [line for line in lines(server.err) if not line.startswith(("error", "warning"))] == [
        "ping 200 ping",
        "INIT 200 answered",
        "data_exchange CHOOSE 200 answered",
        "data_exchange CHOOSE 500 handler-failed",
        "BACK other 500 no-handler",
        "POST 432 bad-signature",
    ]
    text = server.err.getvalue()
    assert f"KeyError in chosen ({tmp_path / module}.py:" in text
    assert not [secret for secret in ("token-1", "2030", "49151", SECRET) if secret in text]


@pytest.mark.parametrize("name", ["hooks", "Holder.hooks"])
def test_webhooks_of_a_module_are_served(module: str, name: str) -> None:
    """On every path; with a line for each request, which holds neither query nor body."""
    with serving(f"{module}:{name}") as server:
        assert server.name == f"{module}:{name}"
        assert post(f"{server.url}/any/path", event_of("1")).status_code == 200
        assert post(server.url, event_of("1"), secret="another").status_code == 403
        assert post(server.url, b"x" * 100_000).status_code == 413
        query = {"hub.mode": "subscribe", "hub.verify_token": "chosen", "hub.challenge": "1158201444"}
        verified = requests.get(server.url, params=query, timeout=30)
        assert (verified.status_code, verified.text) == (200, "1158201444")
        assert verified.headers["Content-Type"].startswith("text/plain")
        refused = requests.put(server.url, timeout=30)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, POST")
    assert lines(server.err) == [
        "POST 200 received",
        "POST 403 bad-signature",
        "POST 413 too-large",
        "GET 200 verified",
        "PUT 405 method-not-allowed",
    ]


def test_a_handler_that_raises_does_not_end_the_server(module: str) -> None:
    """500, a line that says so, and nothing of what the handler said; the next request is answered."""
    with serving(f"{module}:hooks") as server:
        assert post(server.url, event_of("13")).status_code == 500
        assert post(server.url, event_of("1")).status_code == 200
    assert lines(server.err)[-2:] == ["POST 500 handler-failed", "POST 200 received"]
    assert "49151" not in server.err.getvalue()


def test_quiet_writes_no_lines(module: str) -> None:
    """And the log of the host is not touched."""
    with serving("--quiet", f"{module}:hooks") as server:
        assert post(server.url, event_of("1")).status_code == 200
    assert server.err.getvalue() == ""


def test_the_log_is_as_before_when_the_server_has_ended(module: str) -> None:
    """Its level and its handlers."""
    log = logging.getLogger("whatsapp_flows")
    before = (log.level, list(log.handlers))
    with serving(f"{module}:hooks"):
        assert log.level == logging.DEBUG
    assert (log.level, list(log.handlers)) == before
    assert sys.path[0] != str(Path.cwd())


def test_ctrl_c_is_the_regular_end(module: str, command_line: CommandLine) -> None:
    """The text names the address; exit code 0."""
    stop = threading.Event()
    stop.set()
    outcome = command_line("endpoint", "serve", "--port", "0", f"{module}:hooks", stop=stop)
    assert (outcome.code, outcome.err) == (0, "")
    first, *_, last = outcome.out.splitlines()
    assert first.startswith(f"Serving {module}:hooks at http://127.0.0.1:")
    assert last == "Stopped."


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("hooks", "'hooks' is no name of an object: name the object as MODULE:NAME"),
        ("{module}:", "is no name of an object"),
        (":hooks", "is no name of an object"),
        ("a/b.py:hooks", "is no name of an object"),
        ("nowhere.at.all:hooks", "there is no module nowhere: neither installed, nor in this folder."),
        ("{module}.inner:hooks", "there is no module {module}.inner: neither installed, nor in this folder."),
        ("{module}:hook", "{module} has no hook: do you mean hooks?"),
        ("{module}:nothing_like_it", "{module} has no nothing_like_it."),
        ("{module}:Holder.hook", "{module} has no Holder.hook: do you mean hooks?"),
        ("{module}:text", "{module}:text is a str, and not a FlowEndpoint, Webhooks or combined(...)"),
        ("{module}:handle", "{module}:handle is a function, and not"),
        ("{module}:Holder", "{module}:Holder is a type, and not"),
    ],
)
def test_a_wrong_name_says_what_is_wrong(module: str, command_line: CommandLine, name: str, error: str) -> None:
    """Exit code 2."""
    outcome = command_line("endpoint", "serve", name.format(module=module))
    assert outcome.code == 2
    assert error.format(module=module) in outcome.err


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name' ({file}, line 1)"),
        ("x = 1\nraise LookupError('no secret')", "LookupError: no secret ({file}, line 2)"),
        ("x =", "SyntaxError"),
        ("from whatsapp_flows import FlowsClient\nFlowsClient('')", "access_token"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine, source: str, error: str
) -> None:
    """With the line of the host's file; a module that it needs is not taken for the module itself."""
    monkeypatch.chdir(tmp_path)
    name = f"broken_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(source)
    outcome = command_line("endpoint", "serve", f"{name}:hooks")
    assert outcome.code == 2
    assert error.format(file=tmp_path / f"{name}.py") in outcome.err


def test_a_port_that_is_taken_is_named(module: str, command_line: CommandLine) -> None:
    """Exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = command_line("endpoint", "serve", "--port", port, f"{module}:hooks")
    assert outcome.code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in outcome.err


def test_without_werkzeug_the_extra_is_named(
    module: str, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a usage error."""
    for name in [name for name in sys.modules if name.startswith("whatsapp_flows._server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("whatsapp_flows._server", raising=False)
    for name in ("werkzeug", "werkzeug.exceptions", "werkzeug.serving"):
        monkeypatch.setitem(sys.modules, name, None)
    outcome = command_line("endpoint", "serve", f"{module}:hooks")
    assert outcome.code == 2
    assert 'pip install "whatsapp-flows-sdk[emulator]"' in outcome.err
