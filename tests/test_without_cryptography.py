"""Without the extra `endpoint`: what needs no cryptography works, and the rest says what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import PUBLIC_KEY

ROOT = Path(__file__).parents[1]
HIDDEN = "import sys; sys.modules['cryptography'] = None\n"
INSTALL = 'pip install "whatsapp-flows-sdk[endpoint]"'


def run(code: str) -> str:
    """The output of a fresh interpreter in which cryptography cannot be imported."""
    done = subprocess.run([sys.executable, "-c", HIDDEN + code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_signatures_webhooks_and_sending_need_no_extra() -> None:
    """A host that only sends Flows and reads webhooks installs no cryptography."""
    code = """
from tests.support import ScriptedTransport, answer
from whatsapp_flows import FlowsClient, signatures
from whatsapp_flows.webhooks import Webhooks

body = b'{"object": "whatsapp_business_account", "entry": []}'
header = signatures.sign(body, "a-secret")
print(signatures.verify(body, header, "a-secret"))
hooks = Webhooks(app_secrets="a-secret", verify_token="a-token")
print(hooks.parse(body, {"X-Hub-Signature-256": header}))
sent = answer({"messages": [{"id": "wamid.1"}]})
client = FlowsClient("token", transport=ScriptedTransport([sent]), phone_number_id="106540352242922")
print(client.send_flow("491701234567", "7", cta="Book", body="Choose a date").id)
"""
    assert run(code).splitlines() == ["0", "()", "wamid.1"]


@pytest.mark.slow
def test_a_flow_is_played_without_the_extra() -> None:
    """By itself, and with a function as its endpoint; what is encrypted says what to install."""
    code = """
import sys
from whatsapp_flows.play import FlowPlayer, UploadedFile

flow = "examples/endpoint/booking.json"
player = FlowPlayer(flow).choose("service", "check").choose("date", "2030-05-06")
print(player.screen, "whatsapp_flows.endpoint" in sys.modules)
answer = {"screen": "SUCCESS", "data": {"extension_message_response": {"params": {"flow_token": "test"}}}}
player = FlowPlayer(flow, endpoint=lambda request: answer, screen="CHOOSE", app_secret="a-secret")
player.choose("service", "check").choose("date", "2030-05-06").tap()
print(player.completed, sorted(player.webhook_body().headers))
try:
    FlowPlayer(flow, endpoint=lambda body, headers: (200, {}, b""))
except ImportError as error:
    print(error)
"""
    assert run(code).splitlines() == [
        "CHOOSE False",
        "{'flow_token': 'test'} ['Content-Type', 'X-Hub-Signature-256']",
        f"answering Flows needs cryptography: {INSTALL}",
    ]


@pytest.mark.slow
def test_what_needs_the_extra_says_how_to_install_it() -> None:
    """The import of the endpoint, not its first use, is an `ImportError` with the command."""
    code = """
import whatsapp_flows
for name in ("endpoint", "_flow_crypto"):
    try:
        __import__(f"whatsapp_flows.{name}")
    except ImportError as error:
        print(error)
"""
    assert run(code).splitlines() == [f"answering Flows needs cryptography: {INSTALL}"] * 2


@pytest.mark.slow
def test_the_key_commands_say_how_to_install_it(tmp_path: Path) -> None:
    """A private key is opened with the extra; a public one is registered without it."""
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    (tmp_path / "public.pem").write_text(PUBLIC_KEY)
    code = f"""
from tests.cli.support import CommandLine
from whatsapp_flows.emulator import Emulator

with Emulator() as meta:
    cli = CommandLine(env={{"WHATSAPP_FLOWS_ACCESS_TOKEN": "token", "WHATSAPP_FLOWS_BASE_URL": meta.url}})
    for name in ("key.pem", "public.pem"):
        outcome = cli("keys", "register", {str(tmp_path)!r} + "/" + name, "--phone", meta.phone_number_id)
        print(outcome.code, *outcome.err.splitlines()[1:2])
"""
    assert run(code).splitlines() == [f"2 error: answering Flows needs cryptography: {INSTALL}.", "0"]


@pytest.mark.slow
def test_playing_a_flow_needs_no_extra() -> None:
    """It is opened, played and shown without any package but the standard library, and nothing else is loaded."""
    code = """
from whatsapp_flows.play import Fill, Tap, advance, start, view

children = [
    {"type": "TextInput", "name": "name", "label": "Name", "required": True},
    {"type": "Footer", "label": "Go", "on-click-action": {"name": "data_exchange", "payload": {"n": "${form.name}"}}},
]
screen = {"id": "A", "title": "A", "layout": {"type": "SingleColumnLayout", "children": children}}
session = start({"version": "7.3", "data_api_version": "3.0", "routing_model": {"A": []}, "screens": [screen]}).session
name, footer = view(session).nodes[0].path, view(session).footer.path
session = advance(session, Fill(name, "Ada")).session
(request,) = advance(session, Tap(footer)).effects
print(request.data)
print(sorted({"requests", "urllib3", "aiohttp", "click", "werkzeug", "whatsapp_flows.endpoint"} & sys.modules.keys()))
"""
    assert run(code).splitlines() == ["{'n': 'Ada'}", "[]"]
