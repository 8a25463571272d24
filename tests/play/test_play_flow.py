"""The fixture `play_flow`: paths beside the test, keys of the plugin, players that are closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.play.test_player_endpoints import Application
from tests.play.visit import ENCRYPTED, FLOW, flow_endpoint, served
from whatsapp_flows.endpoint import KeyPair
from whatsapp_flows.play import FlowPlayer
from whatsapp_flows.pytest_plugin import FlowsClock
from whatsapp_flows.webhooks import Webhooks

PlayFlow = Callable[..., FlowPlayer]


@pytest.mark.parametrize("kind", ENCRYPTED)
def test_every_endpoint_is_called_with_the_keys_of_the_plugin(
    kind: str, play_flow: PlayFlow, flow_key_pair: KeyPair, flow_app_secret: str
) -> None:
    """And the webhook is signed with its secret."""
    player = play_flow(FLOW, endpoint=ENCRYPTED[kind](flow_endpoint(flow_key_pair, flow_app_secret, [])))
    player.fill(name="Ada").tap().choose("slot", "s10").tap()
    hooks = Webhooks(app_secrets=flow_app_secret, verify_token="a-text")
    assert len(hooks.parse(*player.webhook_body())) == 1


def test_an_endpoint_has_its_own_key_and_secret(play_flow: PlayFlow, flow_key_pair: KeyPair) -> None:
    """They win over those of the plugin."""
    endpoint = flow_endpoint(flow_key_pair, "a-secret-of-its-own", [])
    assert play_flow(FLOW, endpoint=endpoint).screen == "START"


def test_a_url(play_flow: PlayFlow, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """Its connections are closed after the test."""
    with served(flow_endpoint(flow_key_pair, flow_app_secret, [])) as url:
        assert play_flow(FLOW, endpoint=url).screen == "START"


def test_the_lifespan_of_an_application(play_flow: PlayFlow, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """It runs around the test."""
    application = Application(flow_endpoint(flow_key_pair, flow_app_secret, []))
    play_flow(FLOW, endpoint=application).fill(name="Ada").tap()
    assert application.notes == ["startup", "request", "request"]


def test_a_wait_takes_no_time(play_flow: PlayFlow, flow_key_pair: KeyPair, flows_clock: FlowsClock) -> None:
    """The pause after a 421 advances the clock of the test."""
    endpoint = flow_endpoint(flow_key_pair, "a-secret", [])
    keys = iter([FOREIGN, flow_key_pair.public_pem])
    assert play_flow(FLOW, endpoint=endpoint, public_key=lambda: next(keys)).screen == "START"
    assert flows_clock.sleeps == [0.5]


FOREIGN = (Path(__file__).parents[1] / "data" / "public_key.pem").read_text()


def test_where_a_path_leads(play_flow: PlayFlow) -> None:
    """Beside the test, in the root folder, or absolute; a text, a mapping and bytes are the document."""
    found = play_flow("examples/endpoint/booking.json")
    assert found.screen == "CHOOSE"
    assert play_flow(Path("examples/endpoint/booking.json")).screen == "CHOOSE"
    assert play_flow("../../examples/endpoint/booking.json").screen == "CHOOSE"
    assert play_flow(Path(__file__).parents[2] / "examples/endpoint/booking.json").screen == "CHOOSE"
    for document in (FLOW, json.dumps(FLOW), json.dumps(FLOW).encode()):
        assert play_flow(document).screen == "START"
    with pytest.raises(FileNotFoundError, match=r"'booking\.json' is neither in"):
        play_flow("booking.json")


@pytest.mark.slow
def test_a_host_uses_it_without_an_extra(tmp_path: Path) -> None:
    """A fresh pytest, in which no extra's package can be imported: the file beside the test wins over the root's."""
    folder = tmp_path / "tests"
    folder.mkdir()
    (tmp_path / "flow.json").write_text("{}")
    (folder / "flow.json").write_text(json.dumps(FLOW))
    (folder / "test_host.py").write_text(
        "def endpoint(request):\n"
        "    return {'screen': 'START', 'data': {'greeting': 'Hello'}}\n"
        "def test_it(play_flow):\n"
        "    player = play_flow('flow.json', endpoint=endpoint)\n"
        "    player.fill(name='Ada').tap()\n"
        "    assert (player.screen, len(player.requests)) == ('START', 2)\n"
    )
    hidden = ("cryptography", "werkzeug", "aiohttp", "click", "rich")
    start = f"import sys, pytest; sys.modules.update(dict.fromkeys({hidden!r})); sys.exit(pytest.main(sys.argv[1:]))"
    others = (f"-pno:{it.name}" for it in entry_points(group="pytest11") if it.name != "whatsapp_flows")
    command = [
        sys.executable,
        "-c",
        start,
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        *others,
        f"--rootdir={tmp_path}",
    ]
    done = subprocess.run(
        [*command, str(folder)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_fixture_gives_a_function(play_flow: Any) -> None:
    """Each call is another player."""
    assert play_flow(FLOW).session is not play_flow(FLOW).session
