"""One set of tests for every kind of endpoint and both players: what a phone accepts, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import pytest

from tests.play.visit import (
    ENCRYPTED,
    FLOW,
    PLAIN,
    SLOTS,
    coroutine_function,
    flow_endpoint,
    function,
    private_keys,
    served,
)
from whatsapp_flows import ConfigurationError
from whatsapp_flows.contrib import asgi
from whatsapp_flows.endpoint import EndpointReply, FlowEndpoint, FlowRequest, KeyPair, Show
from whatsapp_flows.play import (
    Answer,
    AsyncFlowPlayer,
    DataModelMismatch,
    EndpointFault,
    FlowPlayer,
    NotTappable,
    PlayError,
    WrongTransition,
)
from whatsapp_flows.play._exchange import answer_of

Play = Callable[..., Any]


class Visit:
    """Plays the Flow with one kind of endpoint. `notified` is what the endpoint was notified of."""

    def __init__(self, play: Play, kind: str, pair: KeyPair, secret: str) -> None:
        self._play = play
        self._kind = kind
        self._pair = pair
        self._secret = secret
        self.notified: list[str] = []

    def __call__(self, flow: Any = FLOW, **options: Any) -> Any:
        if self._kind in PLAIN:
            return self._play(flow, endpoint=PLAIN[self._kind](self.notified), **options)
        endpoint = flow_endpoint(self._pair, self._secret, self.notified)
        if self._kind != "FlowEndpoint":
            options = {"public_key": self._pair.public_pem, "app_secret": self._secret, **options}
        return self._play(flow, endpoint=ENCRYPTED[self._kind](endpoint), **options)


@pytest.fixture(params=[*ENCRYPTED, *PLAIN])
def visit(request: pytest.FixtureRequest, play: Play, flow_key_pair: KeyPair, flow_app_secret: str) -> Visit:
    return Visit(play, request.param, flow_key_pair, flow_app_secret)


def test_a_visit(visit: Visit) -> None:
    """INIT, a submitted screen, back with a request, and the end with the parameters of the endpoint."""
    player = visit()
    assert player.screen == "START"
    player.fill(name="Ada").tap()
    assert (player.screen, player.view.back) == ("CHOOSE", True)
    assert player.back().screen == "START"
    assert player.view.named("name").value == "Ada"
    player.tap().choose("slot", "10:00").tap("Book")
    assert player.completed == {"slot": "s10", "flow_token": "test"}
    asked = [(each.action, each.screen, dict(each.data)) for each in player.requests]
    submitted = ("data_exchange", "START", {"name": "Ada"})
    assert asked == [
        ("INIT", "", {}),
        submitted,
        ("BACK", "CHOOSE", {}),
        submitted,
        ("data_exchange", "CHOOSE", {"slot": "s10"}),
    ]
    assert player.requests[1].answer == {"screen": "CHOOSE", "data": {"slots": SLOTS}}
    assert {each.flow_token for each in player.requests} == {"test"}
    assert visit.notified == []


@pytest.mark.parametrize(
    ("name", "error", "says", "notice"),
    [
        ("nowhere", WrongTransition, r"NOWHERE.*\(/screen; observed", "START: invalid-screen-transition"),
        ("too far", WrongTransition, r"neither from 'START' to 'DONE'", "START: invalid-screen-transition"),
        ("wrong data", DataModelMismatch, r"/data/slots; observed", "START: payload-schema-error"),
    ],
)
def test_an_answer_that_a_phone_refuses(
    visit: Visit, name: str, error: type[PlayError], says: str, notice: str
) -> None:
    """The move raises, the endpoint is told, as by a phone, and the user stays where they are."""
    player = visit().fill(name=name)
    with pytest.raises(error, match=says) as caught:
        player.tap()
    assert caught.value.key == notice.partition(": ")[2]
    assert visit.notified == [notice]
    assert player.requests[-1].error == caught.value.key
    assert player.screen == "START"
    assert player.fill(name="Ada").tap().screen == "CHOOSE"


def test_several_things_are_wrong(play: Play) -> None:
    """The error is about the first, and says how many others there are."""
    wrong = {"screen": "CHOOSE", "data": {"slots": [{"id": 1}, {"id": 2}, {"id": 3}]}}
    player = play(FLOW, endpoint=lambda request: wrong, screen="START").fill(name="Ada")
    with pytest.raises(DataModelMismatch, match=r"and 2 more like this \(/data/slots/0/id"):
        player.tap()


def test_a_flow_token_that_is_refused(visit: Visit) -> None:
    """427: the text of the endpoint, and the end of the Flow; no report names it."""
    player = visit().fill(name="gone")
    with pytest.raises(EndpointFault, match=r"Ask for a new form\.") as caught:
        player.tap()
    assert (caught.value.failure, caught.value.closed) == ("token-refused", True)
    assert (player.view.over, player.completed, visit.notified) == (True, None, [])
    with pytest.raises(NotTappable):
        player.tap()


def test_a_flow_that_closes_without_a_message(visit: Visit) -> None:
    """SUCCESS without parameters."""
    player = visit().fill(name="closed").tap()
    assert (player.view.over, player.completed) == (True, None)


def test_a_text_for_the_user(visit: Visit) -> None:
    """The same screen again, with a snackbar, and what was entered."""
    player = visit().fill(name="again").tap()
    assert (player.screen, player.view.snackbar.text) == ("START", "Once more, please.")
    assert player.view.named("name").value == "again"


def test_a_flow_opens_on_a_screen_without_asking(visit: Visit) -> None:
    """With `screen`, `data`, or a Flow without `data_api_version`, there is no INIT; the endpoint is asked later."""
    assert visit(screen="CHOOSE").requests == ()
    assert visit(data={"greeting": "Hi"}).requests == ()
    offline = {key: value for key, value in FLOW.items() if key != "data_api_version"}
    assert visit(offline).fill(name="Ada").tap().screen == "CHOOSE"


def test_the_endpoint_gets_the_version_of_the_flow(play: Play, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """With 4.0, the flow token is signed, too."""
    seen: list[FlowRequest] = []
    endpoint = FlowEndpoint(private_keys(flow_key_pair), app_secrets=flow_app_secret)

    @endpoint.init
    def start(request: FlowRequest) -> Show:
        seen.append(request)
        return request.show("START", greeting="Hello")

    play({**FLOW, "data_api_version": "4.0"}, endpoint=endpoint, flow_token="token-1")
    assert (seen[0].version, seen[0].flow_token) == ("4.0", "token-1")
    assert seen[0].token_signature


def test_an_endpoint_without_a_handler_for_init(play: Play, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """The Flow opens on its first screen, as from a message with `navigate`."""
    endpoint = FlowEndpoint(private_keys(flow_key_pair), app_secrets=flow_app_secret)
    endpoint.data_exchange("START")(lambda request: request.show("CHOOSE", slots=SLOTS))
    player = play(FLOW, endpoint=endpoint)
    assert (player.screen, player.requests) == ("START", ())
    assert player.fill(name="Ada").tap().screen == "CHOOSE"


def test_a_url(play: Play, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """Over a socket."""
    with served(flow_endpoint(flow_key_pair, flow_app_secret, [])) as url:
        player = play(FLOW, endpoint=url, public_key=flow_key_pair.public_pem, app_secret=flow_app_secret)
        assert player.fill(name="Ada").tap().screen == "CHOOSE"


def test_a_url_where_nobody_answers(play: Play, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """The Flow does not open; who is not reached is not told."""
    with served(flow_endpoint(flow_key_pair, flow_app_secret, [])) as url:
        pass
    with pytest.raises(EndpointFault) as caught:
        play(FLOW, endpoint=url, public_key=flow_key_pair.public_pem, app_secret=flow_app_secret)
    assert (caught.value.failure, caught.value.key) == ("unreachable", "no_http_response_error")


def test_the_key_is_fetched_again_after_421(play: Play, flow_key_pair: KeyPair, other_key: str) -> None:
    """And the request is sent once more, after half a second."""
    keys, waits = chain([other_key], repeat(flow_key_pair.public_pem)), list[float]()
    endpoint = flow_endpoint(flow_key_pair, "secret", [])
    player = play(FLOW, endpoint=endpoint, public_key=lambda: next(keys), sleep=waits.append)
    assert (player.screen, waits) == ("START", [0.5])


def test_a_wrong_key_stays_wrong(play: Play, flow_key_pair: KeyPair, other_key: str) -> None:
    """A second 421 is a fault; the endpoint could not decrypt the report either."""
    notified: list[str] = []
    endpoint = flow_endpoint(flow_key_pair, "secret", notified)
    with pytest.raises(EndpointFault) as caught:
        play(FLOW, endpoint=endpoint, public_key=other_key, sleep=lambda _: None)
    assert (caught.value.failure, caught.value.key, notified) == ("not-decrypted", "business-decryption-error", [])


def test_a_wrong_secret(play: Play, flow_key_pair: KeyPair) -> None:
    """432: nothing is documented that a client would report, but an unexpected status."""
    with pytest.raises(EndpointFault) as caught:
        play(FLOW, endpoint=flow_endpoint(flow_key_pair, "secret", []), app_secret="another")
    assert (caught.value.failure, caught.value.key) == ("status", "unexpected_http_status_code")


class Clock:
    """Each reading is so many seconds after the one before."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.mark.parametrize("kind", ["FlowEndpoint", "function"])
def test_a_slow_endpoint(play: Play, kind: str, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """After 10 s the request is given up; the endpoint is told; the user can try again."""
    notified: list[str] = []
    clock = Clock(0.1)
    endpoint: Any = function(notified)
    if kind == "FlowEndpoint":
        endpoint = flow_endpoint(flow_key_pair, flow_app_secret, notified, time_limit=None)
    player = play(FLOW, endpoint=endpoint, clock=clock).fill(name="Ada")
    clock.step = 10.0
    with pytest.raises(EndpointFault, match="10 s") as caught:
        player.tap()
    assert caught.value.path == player.view.footer.path
    assert caught.value.path in str(caught.value)
    assert (caught.value.failure, caught.value.closed, notified) == ("timeout", False, ["START: timeout_error"])
    clock.step = 0.1
    assert player.tap().screen == "CHOOSE"


@pytest.mark.parametrize("kind", ["FlowEndpoint", "function"])
def test_nobody_waits_long_for_a_notification(
    play: Play, kind: str, flow_key_pair: KeyPair, flow_app_secret: str
) -> None:
    """It is given up after a second, so that an endpoint that hangs does not cost the time limit twice."""
    notified: list[str] = []
    endpoint: Any = function(notified)
    if kind == "FlowEndpoint":
        endpoint = flow_endpoint(flow_key_pair, flow_app_secret, notified, time_limit=None)
    clock = Clock(0.1)
    player = play(FLOW, endpoint=endpoint, clock=clock).fill(name="nowhere")
    clock.step = 1.5
    with pytest.raises(WrongTransition):
        player.tap()
    request, notice = player.requests[-2:]
    assert (request.failure, notice.error, notice.failure) == ("", "invalid-screen-transition", "timeout")
    assert notified == ["START: invalid-screen-transition"]


def test_a_coroutine_that_hangs(play: Play) -> None:
    """It is cancelled after the time limit."""
    cancelled: list[bool] = []

    async def hang(request: dict[str, Any]) -> dict[str, Any]:
        if request["data"]:
            return {"data": {"acknowledged": True}}
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)
        raise AssertionError

    with pytest.raises(EndpointFault, match=r"0\.01 s"):
        play(FLOW, endpoint=hang, time_limit=0.01)
    assert cancelled == [True]


@pytest.mark.parametrize(
    ("answer", "error", "failure"),
    [
        ({"screen": "START"}, DataModelMismatch, ""),
        ({"data": {}}, WrongTransition, ""),
        (None, DataModelMismatch, ""),
        (["START"], DataModelMismatch, ""),
        ("START", DataModelMismatch, ""),
        (Answer(number=9, failure="timeout"), EndpointFault, "timeout"),
        (Answer(number=9, failure="unreadable", message="No base64."), EndpointFault, "unreadable"),
        (Answer(number=9, failure="status"), EndpointFault, "status"),
    ],
)
def test_a_function_may_answer_nonsense(play: Play, answer: Any, error: type[PlayError], failure: str) -> None:
    """It is refused as by a phone; an `Answer` with a failure is what a phone would make of it."""
    seen: list[dict[str, Any]] = []

    def endpoint(request: dict[str, Any]) -> Any:
        seen.append(request)
        return answer

    with pytest.raises(error) as caught:
        play(FLOW, endpoint=endpoint)
    assert getattr(caught.value, "failure", "") == failure
    assert seen[0] == {"data": {}, "flow_token": "test", "screen": "", "action": "INIT", "version": "3.0"}
    assert seen[1]["data"].keys() == {"error", "error_message"}


def test_a_function_must_answer_json(play: Play) -> None:
    """What cannot be written as JSON is a mistake of the test."""
    with pytest.raises(ConfigurationError, match="returned a dict that cannot be written as JSON"):
        play(FLOW, endpoint=lambda request: {"screen": "START", "data": {"greeting": {1, 2}}})


def test_what_an_endpoint_raises_reaches_the_test(play: Play) -> None:
    """With its traceback; the player is as after an endpoint that was not reached."""

    def broken(request: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("name")

    player = play(FLOW, endpoint=broken, screen="START").fill(name="Ada")
    with pytest.raises(KeyError):
        player.tap()
    assert not player.view.loading
    assert player.requests[-1].failure == "unreachable"


def test_an_endpoint_that_raises_when_it_is_told(play: Play) -> None:
    """The error is still that of the answer, with the other one as its cause."""

    def endpoint(request: dict[str, Any]) -> dict[str, Any]:
        if "error" in request["data"]:
            raise KeyError("error")
        return {"screen": "NOWHERE", "data": {}}

    with pytest.raises(WrongTransition) as caught:
        play(FLOW, endpoint=endpoint)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_request_is_a_copy(play: Play) -> None:
    """What a function does to it, and to its answer later, changes nothing."""
    data = {"greeting": "Hello"}

    def endpoint(request: dict[str, Any]) -> dict[str, Any]:
        request["data"]["name"] = "changed"
        return {"screen": "START", "data": data}

    player = play(FLOW, endpoint=endpoint)
    data["greeting"] = "changed"
    player.fill(name="Ada").tap()
    assert player.requests[-1].data == {"name": "Ada"}
    assert player.requests[0].answer["data"] == {"greeting": "Hello"}


def anything(*args: Any) -> dict[str, Any]:
    return {"screen": "START", "data": {"greeting": "Hello"}}


def test_a_callable_of_anything_is_a_function(play: Play) -> None:
    """As is what `interface` says to be one."""
    assert play(FLOW, endpoint=anything).screen == "START"
    assert play(FLOW, endpoint=lambda request, more: anything(), interface="function", screen="START").screen == "START"


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        (lambda body, headers: None, "public_key is missing: requests to a callable"),
        (lambda: None, "public_key is missing.*; a function of the decrypted request takes one argument"),
        (max, "public_key is missing: requests to a callable"),
    ],
)
def test_what_is_encrypted_needs_a_key(play: Play, endpoint: Any, says: str) -> None:
    """Only a FlowEndpoint tells its own."""
    with pytest.raises(ConfigurationError, match=says):
        play(FLOW, endpoint=endpoint)


@pytest.mark.parametrize("endpoint", [7, [], {"screen": "START"}, object()])
def test_what_cannot_be_asked_needs_no_key(play: Play, endpoint: object) -> None:
    """A key would not help: the message says what an endpoint is."""
    with pytest.raises(ConfigurationError, match=r"endpoint must be .* not of type"):
        play(FLOW, endpoint=endpoint)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "10", None, True])
def test_a_time_limit_that_is_none(play: Play, seconds: Any) -> None:
    """It is a number of seconds, for every endpoint, and said before anything is asked."""
    for endpoint in (function([]), "http://127.0.0.1:9/"):
        with pytest.raises(ConfigurationError, match="time_limit must be a number of seconds"):
            play(FLOW, endpoint=endpoint, time_limit=seconds)


def test_an_interface_that_is_none(play: Play) -> None:
    """The message has those that there are."""
    with pytest.raises(
        ConfigurationError, match="interface must be one of auto, function, asgi, wsgi, callable, not 'x'"
    ):
        play(FLOW, endpoint=anything, interface="x")


def test_what_is_no_endpoint(play: Play, flow_key_pair: KeyPair) -> None:
    """A class, a number, a callable of no arguments."""
    for endpoint in (FlowEndpoint, 7, lambda: None):
        with pytest.raises(ConfigurationError, match=r"target|endpoint"):
            play(FLOW, endpoint=endpoint, public_key=flow_key_pair.public_pem)


def test_an_answer_that_is_no_json_cannot_be_read() -> None:
    """It is decrypted, and then nothing."""
    reply = EndpointReply(outcome="bad-payload", status=200, plaintext=b"no JSON", problem="It is no JSON.")
    assert answer_of(3, reply) == Answer(number=3, failure="unreadable", message="It is no JSON.")


# -- what only one of the players has


class Application:
    """An ASGI application that notes its lifespan, and the loops of its requests."""

    def __init__(self, endpoint: FlowEndpoint) -> None:
        self._application = asgi.app(endpoint)
        self.notes: list[str] = []
        self.loops: set[asyncio.AbstractEventLoop] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                self.notes.append(phase)
                await send({"type": f"lifespan.{phase}.complete"})
        else:
            self.loops.add(asyncio.get_running_loop())
            self.notes.append("request")
            await self._application(scope, receive, send)


@pytest.fixture
def application(flow_key_pair: KeyPair, flow_app_secret: str) -> Application:
    return Application(flow_endpoint(flow_key_pair, flow_app_secret, []))


@pytest.fixture
def keys(flow_key_pair: KeyPair, flow_app_secret: str) -> dict[str, Any]:
    return {"public_key": flow_key_pair.public_pem, "app_secret": flow_app_secret}


def test_the_lifespan_of_an_application(application: Application, keys: dict[str, Any]) -> None:
    """It runs around the requests, which run in one loop, if the player is told so."""
    with FlowPlayer(FLOW, endpoint=application, lifespan=True, **keys) as player:
        player.fill(name="Ada").tap()
    assert application.notes == ["startup", "request", "request", "shutdown"]
    assert len(application.loops) == 1
    FlowPlayer(FLOW, endpoint=application, **keys).fill(name="Ada").tap()
    assert application.notes[4:] == ["request", "request"]


def test_the_lifespan_ends_if_the_flow_does_not_open(application: Application, keys: dict[str, Any]) -> None:
    """Nobody has a player that could be closed."""
    with pytest.raises(WrongTransition):
        FlowPlayer(FLOW, endpoint=application, lifespan=True, screen="NOWHERE", **keys)
    assert application.notes == ["startup", "shutdown"]


def test_the_lifespan_of_an_awaited_player(application: Application, keys: dict[str, Any]) -> None:
    """Around `async with`, or until `aclose` if it is told so."""

    async def main() -> None:
        async with AsyncFlowPlayer(FLOW, endpoint=application, **keys) as player:
            await player.fill(name="Ada").tap()
        assert application.notes == ["startup", "request", "request", "shutdown"]
        player = await AsyncFlowPlayer(FLOW, endpoint=application, lifespan=True, **keys)
        await player.aclose()
        assert application.notes[4:] == ["startup", "request", "shutdown"]
        with pytest.raises(EndpointFault):
            async with AsyncFlowPlayer(FLOW, endpoint=application, **{**keys, "app_secret": "another"}):
                raise AssertionError
        assert application.notes[7:] == ["startup", "request", "request", "shutdown"]
        async with AsyncFlowPlayer(FLOW, screen="START") as player:
            assert player.screen == "START"

    asyncio.run(main())


async def in_a_loop() -> None:
    with pytest.raises(ConfigurationError, match="use AsyncFlowPlayer"):
        FlowPlayer(FLOW, endpoint=coroutine_function([]))


def test_a_blocking_player_in_an_event_loop() -> None:
    """It runs no coroutine there."""
    asyncio.run(in_a_loop())


def test_a_chain_is_awaited_at_once() -> None:
    """The moves are made in order; until the await, the player says what is missing."""

    async def main() -> None:
        player = AsyncFlowPlayer(FLOW, endpoint=coroutine_function([]))
        with pytest.raises(ConfigurationError, match="await the player"):
            _ = player.screen
        await player.fill(name="Ada").tap().choose("slot", "11:00").tap()
        assert player.completed == {"slot": "s11", "flow_token": "test"}

    asyncio.run(main())


def test_moves_without_a_request_need_no_await() -> None:
    """They are made at once, also outside of an event loop."""
    player = AsyncFlowPlayer(FLOW, endpoint=coroutine_function([]), screen="START")
    assert player.fill(name="Ada").view.named("name").value == "Ada"  # type: ignore[union-attr]


def test_after_an_error_the_rest_of_a_chain_is_dropped() -> None:
    """The player can go on from where it is."""

    async def main() -> None:
        player = await AsyncFlowPlayer(FLOW, endpoint=coroutine_function([]))
        with pytest.raises(WrongTransition):
            await player.fill(name="nowhere").tap().back()
        assert (player.screen, player.view.over) == ("START", False)
        await player.fill(name="Ada").tap()
        assert player.screen == "CHOOSE"

    asyncio.run(main())


def test_two_tasks_that_await_one_player() -> None:
    """The second is told; the first goes on, and the player with it."""

    async def main() -> None:
        player = await AsyncFlowPlayer(FLOW, endpoint=coroutine_function([]))
        player.fill(name="Ada").tap()
        first, second = await asyncio.gather(
            asyncio.ensure_future(player), asyncio.ensure_future(player), return_exceptions=True
        )
        assert first is player
        assert isinstance(second, ConfigurationError)
        assert "another task" in str(second)
        assert (await player.choose("slot", "11:00").tap()).completed == {"slot": "s11", "flow_token": "test"}

    asyncio.run(main())


def test_a_cancelled_move() -> None:
    """It leaves the player as after an endpoint that was not reached."""

    async def main() -> None:
        started = asyncio.Event()

        async def hang(request: dict[str, Any]) -> dict[str, Any]:
            started.set()
            await asyncio.Event().wait()
            return {}

        player = AsyncFlowPlayer(FLOW, endpoint=hang, screen="START").fill(name="Ada").tap()
        task = asyncio.ensure_future(player)
        await started.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert not player.view.loading

    asyncio.run(main())
