"""
A pytest plugin: fixtures that emulate Meta's Flows API in the tests of a host (extra `emulator`), that call its
endpoint as Meta's client does (extra `endpoint`), and that play a Flow as its user does (no extra).

pytest loads it once the distribution is installed. The emulator and the endpoint are imported when a test first uses a
fixture, so other tests start as fast as before.

    @pytest.mark.flows_fault("update_flow_json", code=139001, subcode=4016012, times=2)
    def test_the_booking_flow_is_deployed(flows_client, flows_emulator):
        deploy(flows_client)  # your code
        assert [flow.status for flow in flows_emulator.flows()] == ["PUBLISHED"]

    def test_the_flow_opens(flow_endpoint_client):
        client = flow_endpoint_client(application, path="/flow")  # your ASGI or WSGI application, or its endpoint
        assert client.exchange("INIT", token="token-1").screen == "CHOOSE"

    def test_a_day_is_chosen(play_flow):
        player = play_flow("booking.json", endpoint=endpoint)
        assert player.choose("date", "Monday, 6 May").tap().screen == "TIME"
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import asyncio

    from .client import FlowsClient
    from .emulator import Emulator
    from .endpoint import EndpointClient, KeyPair
    from .events import Event
    from .play import FlowPlayer

__all__ = [
    "FlowsClock",
    "async_flows_client",
    "flow_app_secret",
    "flow_endpoint_client",
    "flow_key_pair",
    "flows_client",
    "flows_clock",
    "flows_emulator",
    "flows_environment",
    "play_flow",
]

_MARKER: Final = "flows_fault"
_HELP: Final = (
    f"{_MARKER}(operation=None, *, code, subcode, status, body, headers, delay, reset, truncate, times, every, "
    "probability, flow_id): a fault of flows_emulator during this test; see Emulator.fail"
)
TOKEN: Final = "a-token-for-tests"  # noqa: S105  the emulator takes any
APP_SECRET: Final = "an-app-secret-for-tests"  # noqa: S105


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _HELP)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test with a fault marker that does not use the emulator: it would pass without the fault."""
    if item.get_closest_marker(_MARKER) and "flows_emulator" not in getattr(item, "fixturenames", ()):
        pytest.fail(f"{_MARKER} needs the fixture flows_emulator, or one that depends on it.", pytrace=False)


class FlowsClock:
    """
    The clock of `flows_client` and `async_flows_client`: a wait advances it, and takes no real time.

    `now` is in seconds, `sleeps` are the waits so far.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def __repr__(self) -> str:
        return f"FlowsClock(now={self.now:g}, sleeps={self.sleeps})"

    def __call__(self) -> float:
        """The time: the `clock` of a client."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the time: the `sleep` of a client."""
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        """Advance the time and let other tasks run: the `sleep` of an asynchronous client."""
        import asyncio

        self.sleep(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def flows_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """
    An `Emulator` on a free port of 127.0.0.1, without Flows, with the faults of the test's markers.

    The marker closest to the test is checked first. An upload validates its Flow JSON, as Meta does.
    """
    from .emulator import Emulator

    with Emulator() as meta:
        for mark in request.node.iter_markers(_MARKER):
            meta.fail(*mark.args, **mark.kwargs)
        yield meta


@pytest.fixture
def flows_clock() -> FlowsClock:
    """The clock of this test's clients, with their waits."""
    return FlowsClock()


@pytest.fixture
def flows_client(flows_emulator: Emulator, flows_clock: FlowsClock) -> Iterator[FlowsClient]:
    """
    A `FlowsClient` of the emulator, for its first account and phone number.

    Its waits advance `flows_clock` and take no time.
    """
    from .client import FlowsClient

    with FlowsClient(
        TOKEN,
        flows_emulator.waba_id,
        phone_number_id=flows_emulator.phone_number_id,
        base_url=flows_emulator.url,
        clock=flows_clock,
        sleep=flows_clock.sleep,
    ) as client:
        yield client


@pytest.fixture
def async_flows_client(flows_emulator: Emulator, flows_clock: FlowsClock) -> Iterator[Any]:
    """
    An `AsyncFlowsClient` of the emulator, for its first account and phone number. Extra `async`.

    It works with any runner, and is closed at the end of the event loop that used it, or of the test.
    """
    import asyncio

    ends: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}

    def watch(_: Event) -> None:
        loop = asyncio.get_running_loop()
        if loop not in ends:
            ends[loop] = _closed_at_the_end(client)
            with suppress(StopIteration):
                ends[loop].__anext__().__await__().send(None)  # runs to the `yield`, which registers it with the loop

    client = import_module(".aio", __package__).AsyncFlowsClient(
        TOKEN,
        flows_emulator.waba_id,
        phone_number_id=flows_emulator.phone_number_id,
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
    Close a client in the loop that used it.

    A loop that shuts down closes the asynchronous generators that were started in it. That is the last moment at which
    the client's connections can be closed: most runners shut the loop down before the teardown of a plain fixture.
    """
    try:
        yield
    finally:
        await client.aclose()


@pytest.fixture
def flows_environment(flows_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """
    Environment variables that make `FlowsClient.from_env` use the emulator, without waits between retries.

    For code that creates its client itself. Other `WHATSAPP_FLOWS_` variables are removed for this test.
    """
    variables = {
        "WHATSAPP_FLOWS_ACCESS_TOKEN": TOKEN,
        "WHATSAPP_FLOWS_WABA_ID": flows_emulator.waba_id,
        "WHATSAPP_FLOWS_PHONE_NUMBER_ID": flows_emulator.phone_number_id,
        "WHATSAPP_FLOWS_BASE_URL": flows_emulator.url,
        "WHATSAPP_FLOWS_RETRY_INITIAL": "0",
        "WHATSAPP_FLOWS_RETRY_MAXIMUM": "0",
    }
    for name in [name for name in os.environ if name.startswith("WHATSAPP_FLOWS_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture(scope="session")
def flow_key_pair() -> KeyPair:
    """A new RSA-2048 key pair, one for all tests: making one takes a tenth of a second. Extra `endpoint`."""
    from .endpoint import generate_key_pair

    return generate_key_pair()


@pytest.fixture(scope="session")
def flow_app_secret() -> str:
    """The app secret that `flow_endpoint_client` signs with."""
    return APP_SECRET


@pytest.fixture
def flow_endpoint_client(
    flow_key_pair: KeyPair, flow_app_secret: str, flows_clock: FlowsClock
) -> Iterator[Callable[..., EndpointClient]]:
    """
    A function that makes an `EndpointClient`: Meta's client, for an endpoint, an application or a URL.

    It takes the arguments of `EndpointClient`. It encrypts for `flow_key_pair` and signs with `flow_app_secret` unless
    it is given others. The wait before a request is sent again advances `flows_clock`, and takes no time. The clients
    are closed after the test.
    """
    from .endpoint import EndpointClient

    with ExitStack() as clients:

        def make(target: Any, public_key: Any = None, app_secrets: Any = None, **options: Any) -> EndpointClient:
            key = flow_key_pair.public_pem if public_key is None else public_key
            secrets = flow_app_secret if app_secrets is None else app_secrets
            client = EndpointClient(target, key, secrets, **{"sleep": flows_clock.sleep, **options})
            clients.callback(client.close)
            return client

        yield make


@pytest.fixture
def play_flow(request: pytest.FixtureRequest, flows_clock: FlowsClock) -> Iterator[Callable[..., FlowPlayer]]:
    """
    A function that makes a `FlowPlayer`, which plays a Flow as its user does.

    It takes the arguments of `FlowPlayer`. A relative path is looked for in the folder of the test's file, and then in
    the root folder of pytest. An endpoint that does not tell its own key and secret, as a `FlowEndpoint` does, is
    called with `flow_key_pair` and `flow_app_secret`; an ASGI application with its lifespan. The wait before a request
    is sent again advances `flows_clock`, and takes no time. The players are closed after the test.
    """
    from .play import FlowPlayer

    def public_pem() -> str:
        pair: KeyPair = request.getfixturevalue("flow_key_pair")
        return pair.public_pem

    with ExitStack() as players:

        def play(flow: Any, **options: Any) -> FlowPlayer:
            given = {"sleep": flows_clock.sleep, "lifespan": True, **options}
            if not hasattr(given.get("endpoint"), "test_client"):
                given.setdefault("public_key", public_pem)
                given.setdefault("app_secret", request.getfixturevalue("flow_app_secret"))
            player = FlowPlayer(_located(flow, request), **given)
            players.callback(player.close)
            return player

        yield play


def _located(flow: Any, request: pytest.FixtureRequest) -> Any:
    """A Flow JSON; a relative path as that of the file, beside the test or in the root folder."""
    is_text = isinstance(flow, str) and flow.lstrip().startswith("{")
    if is_text or not isinstance(flow, (str, os.PathLike)) or Path(flow).is_absolute():
        return flow
    folders = (request.path.parent, request.config.rootpath)
    found = next((folder / flow for folder in folders if (folder / flow).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"{os.fspath(flow)!r} is neither in {folders[0]} nor in {folders[1]}.")
    return found
