"""One call: its requests, its waits and its outcome."""

from __future__ import annotations

import contextlib
import gc
import itertools
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import DONE, FLOW, PROCESSING, TOKEN, UPLOADED, Scene, answer, refusal
from whatsapp_flows import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CallAborted,
    CallFailed,
    CallSucceeded,
    ConfigurationError,
    Decision,
    ExponentialBackoff,
    FixedDelays,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    InvalidRequestError,
    NoAnswerError,
    NoRetry,
    NotSentError,
    RateLimitedError,
    Request,
    RequestFinished,
    RequestStarted,
    Response,
    RetryScheduled,
    RetryState,
    ServiceUnavailableError,
    TokenUnavailableError,
)

DOCUMENT = b'{"version": "7.3", "screens": []}'


def upload(scene: Scene, **options: Any) -> object:
    return scene.client.update_flow_json(FLOW, DOCUMENT, **options)


def test_an_upload_that_fails_processing_twice_succeeds_on_the_third_attempt() -> None:
    """139001/4016012 twice, then success: three requests of the same bytes, with waits of exactly 5 and 10 s."""
    scene = Scene(PROCESSING, PROCESSING, UPLOADED)
    update = scene.client.update_flow_json(FLOW, DOCUMENT, max_retries=3)
    assert update.success
    assert update.attempts == 3
    assert scene.time.sleeps == [5.0, 10.0]
    assert scene.transport.sent == [f"POST {FLOW}/assets"] * 3
    assert len({request.body for request in scene.transport.requests}) == 1


def test_the_last_error_is_raised_with_its_history() -> None:
    """The third failure itself, without a wrapper, and with the two before it, which keep no frames alive."""
    scene = Scene(PROCESSING, refusal(2), PROCESSING)
    with pytest.raises(FlowProcessingError) as caught:
        upload(scene)
    assert [type(error) for error in caught.value.attempts] == [FlowProcessingError, ServiceUnavailableError]
    for earlier in caught.value.attempts:
        assert (earlier.__traceback__, earlier.__context__, earlier.__cause__) == (None, None, None)
    assert caught.value.flow_id == FLOW
    assert caught.value.operation == "update_flow_json"


@pytest.mark.parametrize(("max_retries", "requests"), [(0, 1), (1, 1), (2, 2), (5, 5)])
def test_max_retries_counts_attempts_in_all(max_retries: int, requests: int) -> None:
    """3 means three requests; 0 and 1 both mean one."""
    scene = Scene(*[PROCESSING] * 5)
    with pytest.raises(FlowProcessingError):
        upload(scene, max_retries=max_retries)
    assert len(scene.transport.requests) == requests
    assert scene.time.sleeps == [5.0, 10.0, 20.0, 40.0][: requests - 1]


def test_max_attempts_of_the_client_is_the_default() -> None:
    """It applies to every operation; `max_retries` of a call overrides it for that call."""
    scene = Scene(*[refusal(2)] * 3, max_attempts=2)
    with pytest.raises(ServiceUnavailableError):
        scene.client.get_flow(FLOW)
    assert len(scene.transport.requests) == 2
    with pytest.raises(ServiceUnavailableError):
        upload(scene, max_retries=1)
    assert len(scene.transport.requests) == 3


def test_a_fatal_error_is_not_retried() -> None:
    """One request, no wait."""
    scene = Scene(refusal(100))
    with pytest.raises(InvalidRequestError) as caught:
        upload(scene)
    assert scene.time.sleeps == []
    assert caught.value.attempts == ()


def test_a_transport_error_is_retried() -> None:
    """An upload may be repeated whether or not it arrived."""
    scene = Scene(NotSentError("refused"), NoAnswerError("silence"), UPLOADED)
    upload(scene)
    assert scene.time.sleeps == [5.0, 10.0]


def test_retry_after_is_a_lower_bound_of_the_wait() -> None:
    """So are the minutes of the usage header; beyond `max_wait` the error is raised, with `retry_after`."""
    scene = Scene(refusal(80008, headers={"retry-after": "33"}), UPLOADED)
    upload(scene)
    assert scene.time.sleeps == [33.0]
    business = {"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 19}]}'}
    scene = Scene(refusal(80008, headers=business), UPLOADED)
    with pytest.raises(RateLimitedError) as caught:
        upload(scene)
    assert caught.value.retry_after == 19 * 60
    assert scene.time.sleeps == []


def test_the_policy_sees_the_whole_state() -> None:
    """Operation, idempotency, error, attempt, limit, time since the start of the call, previous delay."""
    seen: list[RetryState] = []

    class Recording:
        def decide(self, state: RetryState, /) -> Decision:
            seen.append(state)
            return Decision(3.0 * len(seen), "again")

    scene = Scene(PROCESSING, PROCESSING, PROCESSING, retry_policy=Recording())
    with pytest.raises(FlowProcessingError):
        upload(scene)
    facts = [(it.operation, it.idempotent, it.attempt, it.max_attempts, it.elapsed, it.previous_delay) for it in seen]
    assert facts == [("update_flow_json", True, 1, 3, 0.0, 0.0), ("update_flow_json", True, 2, 3, 3.0, 3.0)]
    assert type(seen[0].error) is FlowProcessingError


def test_every_step_is_an_event() -> None:
    """A call that fails, waits and succeeds: ten events, in order, all of the same call."""
    scene = Scene(PROCESSING, UPLOADED)
    upload(scene)
    started, asked, refused, failed, scheduled, again, asked_again, answered, succeeded, done = scene.events
    assert {event.call for event in scene.events} == {started.call}
    assert (started.call.operation, started.call.flow_id) == ("update_flow_json", FLOW)
    assert isinstance(started, AttemptStarted)
    assert (started.attempt, started.max_attempts, started.after, started.waited) == (1, 3, None, 0.0)
    assert isinstance(asked, RequestStarted)
    assert (asked.attempt, asked.number, asked.method) == (1, 1, "POST")
    assert asked.url == f"https://graph.facebook.com/v25.0/{FLOW}/assets"
    assert isinstance(refused, RequestFinished)
    assert isinstance(failed, AttemptFailed)
    assert (refused.attempt, refused.number, refused.status, refused.error) == (1, 1, 400, failed.error)
    assert isinstance(failed.error, FlowProcessingError)
    assert isinstance(scheduled, RetryScheduled)
    assert (scheduled.next_attempt, scheduled.delay, scheduled.error) == (2, 5.0, failed.error)
    assert isinstance(again, AttemptStarted)
    assert (again.attempt, again.after, again.waited) == (2, failed.error, 5.0)
    assert isinstance(asked_again, RequestStarted)
    assert isinstance(answered, RequestFinished)
    assert (answered.attempt, answered.number, answered.status, answered.error) == (2, 1, 200, None)
    assert isinstance(succeeded, AttemptSucceeded)
    assert isinstance(done, CallSucceeded)
    assert (done.attempts, done.errors, done.waited, done.elapsed) == (2, (failed.error,), 5.0, 5.0)


def test_each_request_of_an_attempt_has_events() -> None:
    """A download is two requests: the second goes to another host; its event has the URL without the signature."""
    link = "https://cdn.example/file.json?signature=abc"
    assets = answer({"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": link}]})
    scene = Scene(assets, answer({"version": "7.3"}))
    scene.client.download_flow_json(FLOW)
    started = [(event.number, event.method, event.url) for event in scene.events if isinstance(event, RequestStarted)]
    listing = f"https://graph.facebook.com/v25.0/{FLOW}/assets"
    assert [(number, method, url.partition("?")[0]) for number, method, url in started] == [
        (1, "GET", listing),
        (2, "GET", "https://cdn.example/file.json"),
    ]
    assert "signature" not in repr(scene.events)


def test_a_request_without_an_answer_has_no_status() -> None:
    """Its event has the error and the duration."""
    scene = Scene(NoAnswerError("silence"), max_attempts=1)
    with pytest.raises(NoAnswerError) as caught:
        upload(scene)
    (ended,) = (event for event in scene.events if isinstance(event, RequestFinished))
    assert (ended.status, ended.error, ended.duration, ended.usage) == (None, caught.value, 0.0, ())


def test_a_failed_call_ends_in_one_event() -> None:
    """`CallFailed` has the number of attempts, the reason, and whether the attempts were exhausted."""
    scene = Scene(PROCESSING, PROCESSING, max_attempts=2)
    with pytest.raises(FlowProcessingError) as caught:
        upload(scene)
    ended = scene.events[-1]
    assert isinstance(ended, CallFailed)
    assert ended.error is caught.value
    assert (ended.attempts, ended.exhausted, ended.reason) == (2, True, "no attempts are left")
    scene = Scene(refusal(100))
    with pytest.raises(InvalidRequestError):
        upload(scene)
    ended = scene.events[-1]
    assert isinstance(ended, CallFailed)
    assert (ended.attempts, ended.exhausted) == (1, False)


def test_two_calls_have_two_ids() -> None:
    """Events of concurrent calls can be told apart."""
    scene = Scene(UPLOADED, UPLOADED)
    upload(scene)
    upload(scene)
    assert len({event.call.id for event in scene.events}) == 2


class StopsAfter(threading.Event):
    """A stop that is set while the n-th wait is under way."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.left = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


def test_stop_ends_a_wait_at_once() -> None:
    """The last error is raised, and the event says that the wait was stopped."""
    import time  # the real sleep is what makes the client wait on the event instead

    scene = Scene(PROCESSING, PROCESSING, PROCESSING, max_attempts=3, stop=StopsAfter(2))
    client = scene.client.with_options(sleep=time.sleep)
    with pytest.raises(FlowProcessingError) as caught:
        client.update_flow_json(FLOW, DOCUMENT)
    assert len(caught.value.attempts) == 1
    assert len(scene.transport.requests) == 2
    ended = scene.events[-1]
    assert isinstance(ended, CallFailed)
    assert ended.reason == "the wait was stopped"


def test_a_custom_sleep_is_used_with_stop() -> None:
    """A stop that is set during a custom sleep ends the call after that sleep."""
    stop = threading.Event()
    scene = Scene(PROCESSING, UPLOADED, stop=stop)
    upload(scene)
    assert scene.time.sleeps == [5.0]

    def sleep(_: float) -> None:
        stop.set()

    scene = Scene(PROCESSING, UPLOADED, stop=stop)
    with pytest.raises(FlowProcessingError):
        scene.client.with_options(sleep=sleep).update_flow_json(FLOW, DOCUMENT)


def test_nothing_is_sent_after_stop() -> None:
    """`stop` is checked before each request: a call that begins afterwards sends nothing, and its error says so."""
    stop = threading.Event()
    stop.set()
    scene = Scene(UPLOADED, stop=stop)
    with pytest.raises(NotSentError, match="told to stop") as caught:
        upload(scene)
    assert scene.transport.sent == []
    assert scene.time.sleeps == []
    assert not caught.value.may_have_acted


def test_stop_works_when_time_sleep_is_patched_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch of `time.sleep` after our import (gevent, a tracer) does not disable `stop`."""
    import time

    stop = threading.Event()

    def refuse(_: Request) -> Response:
        stop.set()
        return PROCESSING

    transport = Scene(refuse).transport
    client = FlowsClient(TOKEN, transport=transport, stop=stop)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("slept"))
    with pytest.raises(FlowProcessingError):
        client.update_flow_json(FLOW, DOCUMENT)


def test_a_real_stop_interrupts_a_real_wait() -> None:
    """Another thread sets the event, and a wait of an hour ends; nothing is patched."""
    import time

    stop, waiting = threading.Event(), threading.Event()

    def on_event(event: object) -> None:
        if isinstance(event, RetryScheduled):
            waiting.set()

    scene = Scene(PROCESSING, UPLOADED, on_event=[on_event])
    client = scene.client.with_options(
        sleep=time.sleep, clock=time.monotonic, stop=stop, retry_policy=ExponentialBackoff(initial=3600, maximum=3600)
    )
    outcome: list[FlowsError] = []

    def call() -> None:
        try:
            client.update_flow_json(FLOW, DOCUMENT)
        except FlowsError as error:
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert waiting.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert type(outcome[0]) is FlowProcessingError


def test_an_exception_that_is_no_flows_error_passes_through() -> None:
    """An interrupt ends the call unchanged, with a `CallAborted` event."""
    for failure in (KeyboardInterrupt(), RuntimeError("the host's own")):
        scene = Scene(PROCESSING, failure)
        with pytest.raises(type(failure)):
            upload(scene)
        ended = scene.events[-1]
        assert isinstance(ended, CallAborted)
        assert (ended.exception, ended.attempts, ended.waited) == (type(failure).__name__, 2, 5.0)


@pytest.mark.parametrize(
    "decide", [lambda state: 1 / 0, lambda state: Decision(-1.0), lambda state: Decision(float("nan"))]
)
def test_a_policy_that_raises_ends_the_call(decide: Callable[[RetryState], Decision]) -> None:
    """The policy's exception is raised, with Meta's error as its cause."""

    class Broken:
        def decide(self, state: RetryState, /) -> Decision:
            return decide(state)

    scene = Scene(PROCESSING, retry_policy=Broken())
    with pytest.raises((ZeroDivisionError, ConfigurationError)) as caught:
        upload(scene)
    assert type(caught.value.__cause__) is FlowProcessingError
    assert isinstance(scene.events[-1], CallAborted)


def test_a_stop_iteration_of_host_code_is_not_a_success() -> None:
    """An exhausted iterator in a token callable, a transport or a sleep does not end the call as a success."""

    def exhausted(*_: object, **__: object) -> str:
        raise StopIteration

    with pytest.raises(ConfigurationError, match="StopIteration"):
        Scene(access_token=exhausted).client.publish_flow(FLOW)
    scene = Scene(StopIteration())
    with pytest.raises(RuntimeError, match="StopIteration"):
        scene.client.publish_flow(FLOW)
    assert isinstance(scene.events[-1], CallAborted)
    scene = Scene(PROCESSING)
    with pytest.raises(RuntimeError, match="StopIteration"):
        scene.client.with_options(sleep=exhausted).update_flow_json(FLOW, DOCUMENT)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, TimeoutError])
def test_an_exception_out_of_a_wait_ends_the_call(interrupt: type[BaseException]) -> None:
    """A worker's time limit that interrupts the sleep passes through, with a `CallAborted` event."""

    def sleep(_: float) -> None:
        raise interrupt

    scene = Scene(PROCESSING)
    with pytest.raises(interrupt):
        scene.client.with_options(sleep=sleep).update_flow_json(FLOW, DOCUMENT)
    ended = scene.events[-1]
    assert isinstance(ended, CallAborted)
    assert ended.exception == interrupt.__name__


def test_a_transport_that_returns_no_response_is_a_type_error() -> None:
    """A mistake in a host's transport is not reported as a response of Meta."""
    scene = Scene(lambda _: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="must return a Response"):
        scene.client.publish_flow(FLOW)


def test_exhausted_means_that_no_attempts_were_left() -> None:
    """It is false when the policy gives up earlier."""
    for options, exhausted in (({"max_attempts": 1}, True), ({"retry_policy": NoRetry()}, False)):
        scene = Scene(PROCESSING, **options)
        with pytest.raises(FlowProcessingError):
            upload(scene)
        ended = scene.events[-1]
        assert isinstance(ended, CallFailed)
        assert ended.exhausted is exhausted


def test_a_token_callable_is_called_before_each_attempt() -> None:
    """A token that is renewed during the wait is the one that is sent."""
    tokens = iter([TOKEN, TOKEN + "2", TOKEN + "3"])
    scene = Scene(PROCESSING, PROCESSING, UPLOADED, access_token=lambda: next(tokens))
    upload(scene)
    sent = [request.token.reveal() for request in scene.transport.requests if request.token]
    assert sent == [TOKEN, TOKEN + "2", TOKEN + "3"]


@pytest.mark.parametrize("returned", [None, "", "two words", "line\nbreak", 7])
def test_a_token_callable_that_returns_no_token_sends_nothing(returned: object) -> None:
    """A `ConfigurationError` that does not contain the value."""
    scene = Scene(UPLOADED, access_token=lambda: returned)
    with pytest.raises(ConfigurationError, match="access_token") as caught:
        upload(scene)
    assert scene.transport.requests == []
    assert not isinstance(returned, str) or not returned or returned not in str(caught.value)


def test_a_token_callable_that_raises_is_reported_without_its_text() -> None:
    """The error names the exception's type. No exception of the chain contains its text, which may hold the token."""

    def vault() -> str:
        raise LookupError(f"refused {TOKEN}")

    scene = Scene(UPLOADED, access_token=vault)
    with pytest.raises(TokenUnavailableError, match="LookupError") as caught:
        upload(scene)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert TOKEN not in str(caught.value)
    assert scene.transport.requests == []


OUTCOMES: dict[str, Callable[[], Response | BaseException]] = {
    "ok": lambda: UPLOADED,
    "processing": lambda: PROCESSING,
    "limit": lambda: refusal(4, headers={"Retry-After": "1"}),
    "silence": lambda: NoAnswerError("silence"),
    "refused": lambda: NotSentError("refused"),
    "fatal": lambda: refusal(190),
}


@given(script=st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=6, max_size=6), limit=st.integers(1, 6))
def test_a_call_ends_at_a_success_a_fatal_error_or_its_limit(script: list[str], limit: int) -> None:
    """For any outcomes: the number of requests is as expected, and exactly one final event."""
    scene = Scene(*(OUTCOMES[name]() for name in script), max_attempts=limit)
    until = next((index for index, name in enumerate(script) if name in {"ok", "fatal"}), 99) + 1
    expected = min(until, limit)
    succeeds = script[expected - 1] == "ok"
    if succeeds:
        upload(scene)
    else:
        with pytest.raises(FlowsError) as caught:
            upload(scene)
        assert len(caught.value.attempts) == expected - 1
    assert len(scene.transport.requests) == expected
    assert len(scene.time.sleeps) == expected - 1
    ends = [event for event in scene.events if isinstance(event, (CallSucceeded, CallFailed, CallAborted))]
    assert ends == scene.events[-1:]
    assert sum(isinstance(event, AttemptStarted) for event in scene.events) == expected


def test_other_policies_control_the_engine() -> None:
    """`NoRetry` and `FixedDelays` decide as documented."""
    with pytest.raises(FlowProcessingError):
        upload(Scene(PROCESSING, retry_policy=NoRetry()))
    scene = Scene(*[PROCESSING] * 4, UPLOADED, retry_policy=FixedDelays((1, 2)), max_attempts=5)
    upload(scene)
    assert scene.time.sleeps == [1, 2, 2, 2]


def test_an_exception_that_passes_keeps_nothing_alive() -> None:
    """No cycle of exception and frames: what a host's exception refers to is released without the garbage collector."""

    class Held:
        pass

    class HostError(Exception):
        pass

    def fail() -> str:
        held = Held()
        alive.append(weakref.ref(held))
        raise HostError

    alive: list[weakref.ref[Held]] = []
    gc.disable()
    try:
        with contextlib.suppress(ConfigurationError):
            Scene(access_token=fail).client.publish_flow(FLOW)
        with contextlib.suppress(HostError):
            Scene(PROCESSING).client.with_options(sleep=lambda _: fail()).publish_flow(FLOW)
        assert [reference() for reference in alive] == [None, None]
    finally:
        gc.enable()


def test_an_iterator_of_pages_retries_each_page() -> None:
    """A failure on the second page does not request the first again."""
    following = {"cursors": {"after": "c1"}, "next": f"https://graph.facebook.com/x?access_token={TOKEN}"}
    scene = Scene(
        answer({"data": [{"id": "1"}], "paging": following}),
        refusal(2),
        answer({"data": [{"id": "2"}]}),
    )
    assert [flow.id for flow in scene.client.list_flows()] == ["1", "2"]
    assert ["after=c1" in path for path in scene.transport.sent] == [False, True, True]


def test_the_document_is_read_once_for_all_attempts(tmp_path: object) -> None:
    """A file that can be read only once is uploaded three times."""
    import io

    class Once(io.BytesIO):
        reads = itertools.count()

        def read(self, size: int | None = -1, /) -> bytes:
            next(self.reads)
            return super().read(size)

    scene = Scene(PROCESSING, PROCESSING, UPLOADED)
    scene.client.update_flow_json(FLOW, Once(DOCUMENT))
    assert all(DOCUMENT in (request.body or b"") for request in scene.transport.requests)


def test_a_success_is_one_request() -> None:
    """Without a wait."""
    scene = Scene(DONE)
    scene.client.publish_flow(FLOW)
    assert scene.transport.sent == [f"POST {FLOW}/publish"]
