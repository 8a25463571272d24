"""A refused token is requested once more from the callable; the metadata of answers is on the events."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import DONE, FLOW, TOKEN, UPLOADED, WABA, ScriptedTransport, answer, refusal
from whatsapp_flows import (
    ERROR_CODES,
    AsyncFlowsClient,
    AuthenticationError,
    CallSucceeded,
    ConfigurationError,
    Event,
    ExponentialBackoff,
    FlowsClient,
    FlowsError,
    NoAnswerError,
    NoRetry,
    PermissionDeniedError,
    Request,
    RequestFinished,
    RequestStarted,
    Response,
    ResponseMetadata,
    Timeout,
)

EXPIRED = refusal(190, 463, status=401)
OTHER = "EAAOtherTokenThatIsGoodNow0123456789"


class Echoing(ScriptedTransport):
    """Its responses have the token of the request, as those of real transports."""

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        response = super().send(request, timeout=timeout)
        return Response(
            status=response.status, headers=response.headers, body=response.body, token=request.token
        )  # fmt: skip


class EchoingAsync(Echoing):
    """The same for tasks."""

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:  # type: ignore[override]
        return super().send(request, timeout=timeout)

    async def aclose(self) -> None:
        self.close()


Call = Callable[..., tuple[Any, list[str], list[float], list[Event]]]


@pytest.fixture(params=["sync", "asyncio", "asyncio, awaited token"])
def call(request: pytest.FixtureRequest) -> Call:
    """Publishes a flow with a token from a callable. Returns the tokens that were sent, the waits and the events."""

    def run(script: list[Any], token: Any, **options: Any) -> tuple[Any, list[str], list[float], list[Event]]:
        waits: list[float] = []
        events: list[Event] = []
        transport: Any = Echoing(script) if request.param == "sync" else EchoingAsync(script)

        def sent() -> list[str]:
            return [it.token.reveal() for it in transport.requests if it.token is not None]

        if request.param == "sync":
            client = FlowsClient(
                token, WABA, transport=transport, sleep=waits.append, on_event=events.append, **options
            )
            try:
                client.publish_flow(FLOW)
                result: Any = None
            except FlowsError as error:
                result = error
            return result, sent(), waits, events

        async def main() -> Any:
            async def pause(seconds: float) -> None:
                waits.append(seconds)

            async def awaited() -> str:
                return str(token())

            source = awaited if "awaited" in request.param and callable(token) else token
            flows = AsyncFlowsClient(source, WABA, transport=transport, sleep=pause, on_event=events.append, **options)
            try:
                return await flows.publish_flow(FLOW)
            except FlowsError as error:
                return error

        return asyncio.run(main()), sent(), waits, events

    return run


def tokens(*given: str) -> Callable[[], str]:
    """A callable that returns each in turn, then the last one again."""
    left: Iterator[str] = iter(given)
    current = [given[0]]

    def token() -> str:
        current[0] = next(left, current[0])
        return current[0]

    return token


@pytest.mark.parametrize("policy", [ExponentialBackoff(), NoRetry()])
@pytest.mark.parametrize("attempts", [1, 3])
def test_a_refused_token_is_replaced_by_a_fresh_one(call: Call, policy: Any, attempts: int) -> None:
    """At once, without a wait, and not counted as an attempt."""
    result, sent, waits, events = call(
        [EXPIRED, DONE], tokens(TOKEN, OTHER), retry_policy=policy, max_attempts=attempts
    )  # fmt: skip
    assert (result, sent, waits) == (None, [TOKEN, OTHER], [])
    done = events[-1]
    assert isinstance(done, CallSucceeded)
    assert (done.attempts, done.errors) == (1, ())
    assert [event.status for event in events if isinstance(event, RequestFinished)] == [401, 200]


def test_a_token_is_renewed_once(call: Call) -> None:
    """A second refusal is raised, however many tokens there are."""
    result, sent, waits, _ = call([EXPIRED, EXPIRED], tokens(TOKEN, OTHER, TOKEN, OTHER), max_attempts=5)
    assert type(result) is AuthenticationError
    assert (sent, waits) == ([TOKEN, OTHER], [])


def test_the_same_token_is_not_tried_again(call: Call) -> None:
    """Meta would refuse it again."""
    result, sent, _, _ = call([EXPIRED], lambda: TOKEN)
    assert type(result) is AuthenticationError
    assert sent == [TOKEN]


def test_a_constant_token_is_not_tried_again(call: Call) -> None:
    """A string cannot be renewed."""
    result, sent, _, _ = call([EXPIRED], TOKEN)
    assert type(result) is AuthenticationError
    assert sent == [TOKEN]


def test_a_callable_that_fails_then_has_no_other_token(call: Call) -> None:
    """Meta's refusal is raised."""
    given = iter([TOKEN])

    def token() -> str:
        return next(given, "") or "two words"

    result, sent, _, _ = call([EXPIRED], token)
    assert type(result) is AuthenticationError
    assert sent == [TOKEN]


CURED = [
    (0, None),
    (102, None),
    (102, 460),
    (102, 463),
    (102, 467),
    (104, None),
    (190, None),
    (190, 460),
    (190, 463),
    (190, 467),
]
NOT_CURED = [(102, 459), (190, 458), (190, 459), (190, 464), (190, 492), (10, None), (200, None), (100, None)]


@pytest.mark.parametrize(("code", "subcode"), [*CURED, *NOT_CURED])
def test_only_errors_that_a_new_token_may_resolve_are_tried_again(code: int, subcode: int | None) -> None:
    """Missing permissions, and what a person has to do first, are not."""
    transport = Echoing([refusal(code, subcode), DONE])
    client = FlowsClient(tokens(TOKEN, OTHER), WABA, transport=transport)
    if (code, subcode) in CURED:
        client.publish_flow(FLOW)
        assert len(transport.requests) == 2
    else:
        with pytest.raises(FlowsError):
            client.publish_flow(FLOW)
        assert len(transport.requests) == 1


def test_a_401_without_a_known_code_is_tried_again() -> None:
    """The status alone says that the token is refused."""
    transport = Echoing([answer(b"", 401), DONE])
    FlowsClient(tokens(TOKEN, OTHER), WABA, transport=transport).publish_flow(FLOW)
    assert len(transport.requests) == 2


def test_a_wrong_proof_is_not_tried_again() -> None:
    """Its secret belongs to the app, not to the token."""
    assert not ERROR_CODES.renewable(PermissionDeniedError("x"))
    transport = Echoing([refusal(100, error_user_msg="Invalid appsecret_proof provided in the API argument")])
    with pytest.raises(AuthenticationError):
        FlowsClient(tokens(TOKEN, OTHER), WABA, transport=transport).publish_flow(FLOW)


def test_with_options_and_wrapping_keep_the_renewal() -> None:
    """A copy of the client renews its token as the client does."""
    transport = Echoing([EXPIRED, DONE])
    client = FlowsClient(tokens(TOKEN, OTHER), WABA, transport=transport).with_options(max_attempts=1)
    client.wrapping(lambda inner: inner).publish_flow(FLOW)
    assert len(transport.requests) == 2


def test_an_interrupt_in_the_callable_passes() -> None:
    """It is raised instead of the refusal."""
    given = iter([TOKEN])

    def token() -> str:
        for each in given:
            return each
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FlowsClient(token, WABA, transport=Echoing([EXPIRED])).publish_flow(FLOW)


# Metadata of answers


def metadata_of_upload(headers: dict[str, str]) -> tuple[ResponseMetadata, ResponseMetadata]:
    """On the request's event, and on the call's."""
    events: list[Event] = []
    transport = Echoing([answer({"success": True}, headers=headers)])
    FlowsClient(TOKEN, WABA, transport=transport, on_event=events.append).update_flow_json(FLOW, b"{}")
    (finished,) = [event for event in events if isinstance(event, RequestFinished)]
    done = events[-1]
    assert isinstance(done, CallSucceeded)
    assert finished.response is not None
    assert done.last_response is not None
    return finished.response, done.last_response


def test_a_success_has_its_headers_and_its_trace_id() -> None:
    """Under lower-case names, however the transport spells them; also on the call."""
    given = {"X-FB-Trace-ID": "Abc", "Facebook-API-Version": "v25.0", "ETag": '"1"'}
    request, call = metadata_of_upload(given)
    assert request == call
    assert (call.status, call.trace_id, call.api_version) == (200, "Abc", "v25.0")
    assert call.headers == {"x-fb-trace-id": "Abc", "facebook-api-version": "v25.0", "etag": '"1"'}
    assert pickle.loads(pickle.dumps(call)) == call


def test_no_secret_is_in_the_headers() -> None:
    """No cookie, no signed link, and not the token wherever it is echoed."""
    given = {
        "Set-Cookie": "session=1", "Location": "https://cdn.example/?sig=1", "Link": "<https://x/?after=1>",
        "X-Echo": f"Bearer {TOKEN}", "X-Proxy": "http://user:pass@proxy:3128", "X-Line": "a\r\nb\x1b",
    }  # fmt: skip
    _, call = metadata_of_upload(given)
    assert call.headers == {
        "x-echo": "Bearer [redacted]", "x-proxy": "http://[redacted]@proxy:3128", "x-line": "a\\r\\nb\\x1b",
    }  # fmt: skip


def test_headers_are_bounded() -> None:
    """In number and in length."""
    _, call = metadata_of_upload({f"x-{number}": "y" * 10_000 for number in range(500)})
    assert len(call.headers) == 64
    assert {len(value) for value in call.headers.values()} == {4096}


def test_without_a_consumer_no_events_are_made() -> None:
    """And a call without an answer has no metadata."""
    FlowsClient(TOKEN, WABA, transport=Echoing([UPLOADED])).update_flow_json(FLOW, b"{}")
    events: list[Event] = []
    with pytest.raises(ConfigurationError):
        FlowsClient(TOKEN, WABA, transport=Echoing([ConfigurationError("x")]), on_event=events.append).get_flow(FLOW)
    (finished,) = [event for event in events if isinstance(event, RequestFinished)]
    assert finished.response is None


def test_the_user_of_a_download_link_is_in_no_event_and_no_error() -> None:
    """A signed link may hold one, and is shown without."""
    events: list[Event] = []
    link = "https://user:pass@cdn.example/flow.json?sig=1"
    assets = answer({"data": [{"asset_type": "FLOW_JSON", "download_url": link}]})
    transport = Echoing([assets, NoAnswerError(f"{link}: silence")])
    client = FlowsClient(TOKEN, WABA, transport=transport, on_event=events.append, max_attempts=1)
    with pytest.raises(NoAnswerError) as caught:
        client.download_flow_json(FLOW)
    assert [event.url for event in events if isinstance(event, RequestStarted)][-1] == (
        "https://[redacted]@cdn.example/flow.json"
    )
    assert "pass" not in f"{caught.value!r} {caught.value}"
