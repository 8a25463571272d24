"""One call as a conversation: what is sent, what is waited for, what comes out."""

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


def test_the_origins_case_gets_through_on_the_third_attempt() -> None:
    """139001/4016012 twice, then success: three requests of the same bytes, with waits of exactly 5 and 10 s."""
    scene = Scene(PROCESSING, PROCESSING, UPLOADED)
    update = scene.client.update_flow_json(FLOW, DOCUMENT, max_retries=3)
    assert update.success
    assert update.attempts == 3
    assert scene.time.sleeps == [5.0, 10.0]
    assert scene.transport.sent == [f"POST {FLOW}/assets"] * 3
    assert len({request.body for request in scene.transport.requests}) == 1


def test_the_last_error_comes_out_with_its_history() -> None:
    """No wrapper: the third failure itself, with the two before it, which keep no frames alive."""
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
    """As in the service that this library replaces: three means three requests; none and one both mean one."""
    scene = Scene(*[PROCESSING] * 5)
    with pytest.raises(FlowProcessingError):
        upload(scene, max_retries=max_retries)
    assert len(scene.transport.requests) == requests
    assert scene.time.sleeps == [5.0, 10.0, 20.0, 40.0][: requests - 1]


def test_the_clients_own_number_holds_otherwise() -> None:
    """`max_attempts` of the client, for every operation; `max_retries` of a call wins for that call."""
    scene = Scene(*[refusal(2)] * 3, max_attempts=2)
    with pytest.raises(ServiceUnavailableError):
        scene.client.get_flow(FLOW)
    assert len(scene.transport.requests) == 2
    with pytest.raises(ServiceUnavailableError):
        upload(scene, max_retries=1)
    assert len(scene.transport.requests) == 3


def test_a_fatal_error_is_not_tried_again() -> None:
    """One request, no wait."""
    scene = Scene(refusal(100))
    with pytest.raises(InvalidRequestError) as caught:
        upload(scene)
    assert scene.time.sleeps == []
    assert caught.value.attempts == ()


def test_a_transport_error_is_tried_again() -> None:
    """An upload may be sent again whatever became of it."""
    scene = Scene(NotSentError("refused"), NoAnswerError("silence"), UPLOADED)
    upload(scene)
    assert scene.time.sleeps == [5.0, 10.0]


def test_metas_floor_is_kept() -> None:
    """Retry-After and the usage header's minutes are floors; beyond `max_wait` the error comes out and tells when."""
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
    """Operation, idempotency, error, attempt, limit, time since the start of the call, the wait before."""
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
    """A call that fails, waits and gets through: ten events, in order, all of the same call."""
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


def test_each_request_of_an_attempt_is_told() -> None:
    """A download is two requests: the second goes to another host, by a signed link whose query nobody is told."""
    link = "https://cdn.example/file.json?signature=abc"
    assets = answer({"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": link}]})
    scene = Scene(assets, answer({"version": "7.3"}))
    scene.client.download_flow_json(FLOW)
    told = [(event.number, event.method, event.url) for event in scene.events if isinstance(event, RequestStarted)]
    listing = f"https://graph.facebook.com/v25.0/{FLOW}/assets"
    assert [(number, method, url.partition("?")[0]) for number, method, url in told] == [
        (1, "GET", listing),
        (2, "GET", "https://cdn.example/file.json"),
    ]
    assert "signature" not in repr(scene.events)


def test_a_request_without_an_answer_has_no_status() -> None:
    """Silence is an outcome too: what it stands for is told, and how long it took."""
    scene = Scene(NoAnswerError("silence"), max_attempts=1)
    with pytest.raises(NoAnswerError) as caught:
        upload(scene)
    (ended,) = (event for event in scene.events if isinstance(event, RequestFinished))
    assert (ended.status, ended.error, ended.duration, ended.usage) == (None, caught.value, 0.0, ())


def test_a_failed_call_ends_in_one_event() -> None:
    """`CallFailed` says how often, why no more, and whether the error was one to retry."""
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
    """Events of calls that run side by side can be told apart."""
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
    """The last error comes out, and the event says that the wait was stopped."""
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


def test_a_sleep_of_the_hosts_own_is_used_with_a_stop() -> None:
    """A stop that is set while the host's own sleep runs ends the call after it."""
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
    """`stop` is looked at before each request: a call that begins afterwards sends nothing, and says so."""
    stop = threading.Event()
    stop.set()
    scene = Scene(UPLOADED, stop=stop)
    with pytest.raises(NotSentError, match="told to stop") as caught:
        upload(scene)
    assert scene.transport.sent == []
    assert scene.time.sleeps == []
    assert not caught.value.may_have_acted


def test_stop_is_heard_when_time_sleep_was_replaced_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever patches `time.sleep` after our import (gevent, a tracer) does not make `stop` deaf."""
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
    """Another thread sets the event: an hour's wait is over, with nothing patched."""
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
    assert waiting.wait(5)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert type(outcome[0]) is FlowProcessingError


def test_an_exception_that_is_not_ours_passes_through() -> None:
    """An interrupt ends the call as it is, and the events say so."""
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
    """A host's mistake is not hidden behind Meta's error, nor Meta's error lost behind the mistake."""

    class Broken:
        def decide(self, state: RetryState, /) -> Decision:
            return decide(state)

    scene = Scene(PROCESSING, retry_policy=Broken())
    with pytest.raises((ZeroDivisionError, ConfigurationError)) as caught:
        upload(scene)
    assert type(caught.value.__cause__) is FlowProcessingError
    assert isinstance(scene.events[-1], CallAborted)


def test_a_stop_iteration_of_the_hosts_is_not_a_success() -> None:
    """An exhausted iterator behind a token, a transport or a sleep must not end the call as if it were done."""

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
    """A worker's time limit that strikes while we sleep passes through, and the events end with it."""

    def sleep(_: float) -> None:
        raise interrupt

    scene = Scene(PROCESSING)
    with pytest.raises(interrupt):
        scene.client.with_options(sleep=sleep).update_flow_json(FLOW, DOCUMENT)
    ended = scene.events[-1]
    assert isinstance(ended, CallAborted)
    assert ended.exception == interrupt.__name__


def test_a_transport_that_returns_no_response_is_told() -> None:
    """A mistake in a host's transport is its own exception, not an odd answer of Meta's."""
    scene = Scene(lambda _: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="must return a Response"):
        scene.client.publish_flow(FLOW)


def test_exhausted_means_that_no_attempts_were_left() -> None:
    """A policy that gives up earlier has not exhausted them."""
    for options, exhausted in (({"max_attempts": 1}, True), ({"retry_policy": NoRetry()}, False)):
        scene = Scene(PROCESSING, **options)
        with pytest.raises(FlowProcessingError):
            upload(scene)
        ended = scene.events[-1]
        assert isinstance(ended, CallFailed)
        assert ended.exhausted is exhausted


def test_a_token_callable_is_asked_before_each_attempt() -> None:
    """A token that is renewed while we wait is the one that is sent."""
    tokens = iter([TOKEN, TOKEN + "2", TOKEN + "3"])
    scene = Scene(PROCESSING, PROCESSING, UPLOADED, access_token=lambda: next(tokens))
    upload(scene)
    sent = [request.token.reveal() for request in scene.transport.requests if request.token]
    assert sent == [TOKEN, TOKEN + "2", TOKEN + "3"]


@pytest.mark.parametrize("returned", [None, "", "two words", "line\nbreak", 7])
def test_a_token_callable_that_returns_nonsense_sends_nothing(returned: object) -> None:
    """A `ConfigurationError` that does not echo what it was given."""
    scene = Scene(UPLOADED, access_token=lambda: returned)
    with pytest.raises(ConfigurationError, match="access_token") as caught:
        upload(scene)
    assert scene.transport.requests == []
    assert not isinstance(returned, str) or not returned or returned not in str(caught.value)


def test_a_token_callable_that_raises_is_a_mistake_without_its_text() -> None:
    """The type's name is told, and nothing that may hold the token, in no exception of the chain."""

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
def test_a_call_ends_by_its_count_and_tells_the_truth(script: list[str], limit: int) -> None:
    """For any outcomes: as many requests as the first success, fatal error or the limit says, and one end."""
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


def test_no_retry_and_fixed_delays_drive_the_engine() -> None:
    """Any policy of the protocol does."""
    with pytest.raises(FlowProcessingError):
        upload(Scene(PROCESSING, retry_policy=NoRetry()))
    scene = Scene(*[PROCESSING] * 4, UPLOADED, retry_policy=FixedDelays((1, 2)), max_attempts=5)
    upload(scene)
    assert scene.time.sleeps == [1, 2, 2, 2]


def test_an_exception_that_passes_keeps_nothing_alive() -> None:
    """No cycle of exception and frames: what a host's exception holds is let go at once, not at the next collection."""

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
    """A failure on the second page does not ask for the first again."""
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


def test_done_is_done() -> None:
    """The plainest call: one request, no wait."""
    scene = Scene(DONE)
    scene.client.publish_flow(FLOW)
    assert scene.transport.sent == [f"POST {FLOW}/publish"]
