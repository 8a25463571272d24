"""
A pytest plugin: Meta's Flows API for the tests of a host, on its own machine. Extra `emulator`.

pytest finds it by itself once the distribution is installed. It loads the emulator when the first test asks for it, so
that everybody else's tests start as before.

    @pytest.mark.flows_fault("update_flow_json", code=139001, subcode=4016012, times=2)
    def test_the_booking_flow_is_deployed(flows_client, flows_emulator):
        deploy(flows_client)  # your code
        assert [flow.status for flow in flows_emulator.flows()] == ["PUBLISHED"]
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import asyncio

    from .client import FlowsClient
    from .emulator import Emulator
    from .events import Event

__all__ = ["FlowsClock", "async_flows_client", "flows_client", "flows_clock", "flows_emulator", "flows_environment"]

_MARKER: Final = "flows_fault"
_HELP: Final = (
    f"{_MARKER}(operation=None, *, code, subcode, status, body, headers, delay, reset, truncate, times, every, "
    "probability, flow_id): what goes wrong in flows_emulator during this test; see Emulator.fail"
)
TOKEN: Final = "a-token-for-tests"  # noqa: S105  the emulator takes any


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", _HELP)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A fault without an emulator would pass for a test of it."""
    if item.get_closest_marker(_MARKER) and "flows_emulator" not in getattr(item, "fixturenames", ()):
        pytest.fail(f"{_MARKER} needs the fixture flows_emulator, or one that is made of it.", pytrace=False)


class FlowsClock:
    """
    The time of `flows_client` and `async_flows_client`: it passes when they wait, and nobody does.

    `now` is in seconds, `sleeps` are the waits so far.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        """The time, as `clock=` of a client."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """As `sleep=` of a client."""
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        """As `sleep=` of an asynchronous client; other tasks get their turn."""
        import asyncio

        self.sleep(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def flows_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """
    Meta's Flows API on a free port of 127.0.0.1, empty, with the faults of the test's markers.

    The marker next to the test is asked first. An upload checks its Flow JSON as Meta does.
    """
    from .emulator import Emulator

    with Emulator() as meta:
        for mark in request.node.iter_markers(_MARKER):
            meta.fail(*mark.args, **mark.kwargs)
        yield meta


@pytest.fixture
def flows_clock() -> FlowsClock:
    """The time of this test's clients, and the waits that they made."""
    return FlowsClock()


@pytest.fixture
def flows_client(flows_emulator: Emulator, flows_clock: FlowsClock) -> Iterator[FlowsClient]:
    """A client of the emulator, for its first account. Its waits pass in `flows_clock` and take no time."""
    from .client import FlowsClient

    with FlowsClient(
        TOKEN, flows_emulator.waba_id, base_url=flows_emulator.url, clock=flows_clock, sleep=flows_clock.sleep
    ) as client:
        yield client


@pytest.fixture
def async_flows_client(flows_emulator: Emulator, flows_clock: FlowsClock) -> Iterator[Any]:
    """
    The same for asyncio: an `AsyncFlowsClient`. Extra `async`.

    It works under any runner, and is closed when the event loop that used it ends, or the test.
    """
    import asyncio

    ends: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}

    def watch(_: Event) -> None:
        loop = asyncio.get_running_loop()
        if loop not in ends:
            ends[loop] = _closed_at_the_end(client)
            with suppress(StopIteration):
                ends[loop].__anext__().__await__().send(None)  # up to its yield; the loop knows it from now on

    client = import_module(".aio", __package__).AsyncFlowsClient(
        TOKEN,
        flows_emulator.waba_id,
        base_url=flows_emulator.url,
        clock=flows_clock,
        sleep=flows_clock.asleep,
        on_event=watch,
    )
    yield client
    for loop, end in ends.items():
        if not loop.is_closed():
            loop.run_until_complete(end.aclose())


async def _closed_at_the_end(client: Any) -> AsyncGenerator[None, None]:
    """
    Closes a client in the loop that used it.

    A loop that shuts down finishes the asynchronous generators that began in it, which is the last moment at which the
    client's connections can be closed: most runners do so before a plain fixture has its turn.
    """
    try:
        yield
    finally:
        await client.aclose()


@pytest.fixture
def flows_environment(flows_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """
    The variables that `FlowsClient.from_env` reads, set to the emulator for this test, without waits between retries.

    For code that makes its client itself. Other `WHATSAPP_FLOWS_` variables are taken away.
    """
    variables = {
        "WHATSAPP_FLOWS_ACCESS_TOKEN": TOKEN,
        "WHATSAPP_FLOWS_WABA_ID": flows_emulator.waba_id,
        "WHATSAPP_FLOWS_BASE_URL": flows_emulator.url,
        "WHATSAPP_FLOWS_RETRY_INITIAL": "0",
        "WHATSAPP_FLOWS_RETRY_MAXIMUM": "0",
    }
    for name in [name for name in os.environ if name.startswith("WHATSAPP_FLOWS_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
