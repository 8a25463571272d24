"""The pytest plugin: its fixtures, and its cost for hosts that do not use it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from whatsapp_flows import FlowProcessingError, FlowsClient, NoAnswerError, RateLimitedError
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.pytest_plugin import FlowsClock

pytestmark = pytest.mark.slow

needs_aiohttp = pytest.mark.skipif(find_spec("whatsapp_flows.aio") is None, reason="there is no asynchronous client")

DOCUMENT = {"version": "7.3", "screens": []}


@pytest.mark.flows_fault("update_flow_json", code=139001, subcode=4016012, times=2)
def test_a_fault_occurs_and_the_client_retries(
    flows_client: FlowsClient, flows_emulator: Emulator, flows_clock: FlowsClock
) -> None:
    """Three requests arrive, waits of 5 and 10 s are made, and the test takes no time."""
    flow = flows_client.create_flow("Booking", ["OTHER"])
    assert flows_client.update_flow_json(flow.id, DOCUMENT).attempts == 3
    assert [request.operation for request in flows_emulator.requests] == ["create_flow"] + ["update_flow_json"] * 3
    assert flows_clock.sleeps == [5.0, 10.0]
    assert flows_clock.now == 15.0


@pytest.mark.flows_fault(code=80008)
class TestFaultsOfAClass:
    """A marker of a class applies to its tests; the one closest to a test is checked first."""

    def test_the_markers_of_the_class_hold(self, flows_client: FlowsClient) -> None:
        with pytest.raises(RateLimitedError):
            list(flows_client.list_flows())

    @pytest.mark.flows_fault("list_flows", code=2)
    @pytest.mark.flows_fault("list_flows", reset="before", times=3)
    def test_the_nearest_marker_is_asked_first(self, flows_client: FlowsClient) -> None:
        with pytest.raises(NoAnswerError):
            list(flows_client.list_flows())
        with pytest.raises(Exception, match="code 2"):
            list(flows_client.list_flows())


def test_each_test_has_an_emulator_of_its_own(flows_client: FlowsClient) -> None:
    """It has no flows and faults of other tests."""
    assert list(flows_client.list_flows()) == []


@pytest.mark.flows_fault("update_flow_json", code=139001, subcode=4016012)
def test_code_that_makes_its_own_client_is_led_to_the_emulator(
    monkeypatch: pytest.MonkeyPatch, flows_emulator: Emulator, flows_environment: dict[str, str]
) -> None:
    """`from_env` finds the emulator, and retries at once."""
    with FlowsClient.from_env() as client:
        flow = client.create_flow("Booking", ["OTHER"])
        with pytest.raises(FlowProcessingError) as caught:
            client.update_flow_json(flow.id, DOCUMENT)
    assert len(caught.value.attempts) == 2
    assert set(flows_environment) == {name for name in os.environ if name.startswith("WHATSAPP_FLOWS_")}


@pytest.mark.flows_fault("update_flow_json", code=139001, subcode=4016012, times=2)
@needs_aiohttp
def test_the_asynchronous_client_gets_through(async_flows_client: Any, flows_clock: FlowsClock) -> None:
    """The same, in an event loop of the test's own, which closes the client when it ends."""

    async def main() -> int:
        flow = await async_flows_client.create_flow("Booking", ["OTHER"])
        return int((await async_flows_client.update_flow_json(flow.id, DOCUMENT)).attempts)

    assert asyncio.run(main()) == 3
    assert flows_clock.sleeps == [5.0, 10.0]


@pytest.fixture
def runner() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that stays open until the fixtures created after it are torn down."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@needs_aiohttp
def test_the_asynchronous_client_is_closed_in_its_own_loop(
    runner: asyncio.AbstractEventLoop, async_flows_client: Any
) -> None:
    """Also if the loop outlives the test."""

    async def main() -> None:
        assert [flow async for flow in async_flows_client.list_flows()] == []

    runner.run_until_complete(main())


# What a host sees, in a pytest of its own


def run(folder: Path, test: str, *options: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a test file with pytest in a fresh process, where the plugin, and no other, is found by its entry point."""
    (folder / "test_host.py").write_text(test)
    start = f"import sys, pytest; {code}\nsys.exit(pytest.main(sys.argv[1:]))"
    others = (f"-pno:{it.name}" for it in entry_points(group="pytest11") if it.name != "whatsapp_flows")
    command = [sys.executable, "-c", start, "-q", "-p", "no:cacheprovider", *others, *options, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60, check=False)


def test_the_plugin_is_found_and_its_marker_is_known(tmp_path: Path) -> None:
    """Without a line of configuration, under strict markers."""
    done = run(
        tmp_path,
        "import pytest\n"
        "@pytest.mark.flows_fault('get_flow', code=2)\n"
        "def test_it(flows_client, flows_emulator):\n"
        "    flows_client.create_flow('Booking', ['OTHER'])\n"
        "    assert [flow.name for flow in flows_emulator.flows()] == ['Booking']\n",
        "--strict-markers",
        "-W",
        "error",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "flows_fault(operation=None" in run(tmp_path, "", "--markers").stdout


def test_a_fault_without_an_emulator_is_a_failure(tmp_path: Path) -> None:
    """Otherwise the test would pass without the fault."""
    done = run(tmp_path, "import pytest\n@pytest.mark.flows_fault(code=2)\ndef test_it(): pass\n")
    assert done.returncode == 1
    assert "flows_fault needs the fixture flows_emulator" in done.stdout


def test_a_session_without_its_fixtures_loads_nothing(tmp_path: Path) -> None:
    """Neither the emulator, nor requests, nor an extra's package is loaded by a pytest that asks for no fixture."""
    unwanted = ("werkzeug", "requests", "urllib3", "aiohttp", "asyncio", "whatsapp_flows.client")
    done = run(
        tmp_path,
        f"import sys\ndef test_it():\n    assert 'whatsapp_flows.pytest_plugin' in sys.modules\n"
        f"    assert not set({unwanted!r}) & set(sys.modules)\n",
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_the_extra_only_the_fixture_fails(tmp_path: Path) -> None:
    """A host without werkzeug runs its other tests; the fixture's error says what to install."""
    hide = (
        "import importlib.util as util; find = util.find_spec; "
        "util.find_spec = lambda name, *more: None if name == 'werkzeug' else find(name, *more)"
    )
    done = run(tmp_path, "def test_plain(): pass\ndef test_it(flows_emulator): pass\n", code=hide)
    assert done.returncode == 1
    assert "1 passed, 1 error" in done.stdout
    assert 'pip install "whatsapp-flows-sdk[emulator]"' in done.stdout
