"""`max_elapsed` is the deadline of a whole call, and `stop` its end: both drivers, every part of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import DONE, FLOW, PROCESSING, TOKEN, UPLOADED, FakeTime, Scene, ScriptedTransport, answer, refusal
from whatsapp_flows import (
    CallFailed,
    ConfigurationError,
    Decision,
    ErrorDetails,
    ExponentialBackoff,
    FixedDelays,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    NoAnswerError,
    NotSentError,
    PublishBlockedError,
    Request,
    Response,
    RetryBudget,
    RetryState,
    Timeout,
)

DOCUMENT = b'{"version": "7.3", "screens": []}'
MINUTE = ExponentialBackoff(max_elapsed=60.0)
LOST = NoAnswerError(ErrorDetails(message="silence"))


class Slow:
    """A transport whose answers take a while, and at most as long as it is allowed."""

    def __init__(self, *script: Response | BaseException, takes: float) -> None:
        self.time = FakeTime()
        self.inner = ScriptedTransport(script)
        self.takes = takes

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        self.time.now += min(self.takes, timeout.total)
        if self.takes > timeout.total:
            self.inner.send(request, timeout=timeout)
            raise NoAnswerError(ErrorDetails(message="too slow"))
        return self.inner.send(request, timeout=timeout)

    def close(self) -> None:
        """Nothing."""

    def client(self, **options: Any) -> FlowsClient:
        return FlowsClient(TOKEN, "1", transport=self, sleep=self.time.sleep, clock=self.time.clock, **options)


class Wrapped:
    """A host's policy around ours that hands its `max_elapsed` on, as the protocol says."""

    max_elapsed = 60.0

    def decide(self, state: RetryState, /) -> Decision:
        return Decision(5.0)


@pytest.mark.parametrize(
    "policy",
    [MINUTE, FixedDelays((5, 10), max_elapsed=60.0), RetryBudget(MINUTE), Wrapped()],
    ids=lambda it: type(it).__name__,
)
@pytest.mark.parametrize("takes", [0.5, 25.0, 59.0, 1000.0])
def test_a_call_takes_no_longer_than_max_elapsed(policy: Any, takes: float) -> None:
    """Requests and waits together, whatever policy wraps ours, and whatever a single request would take."""
    slow = Slow(*[PROCESSING] * 100, takes=takes)
    with pytest.raises(FlowsError):
        slow.client(retry_policy=policy, max_attempts=100).update_flow_json(FLOW, DOCUMENT)
    assert slow.time.now - 1000.0 <= 60.0


def test_each_request_carries_the_time_left_of_the_call() -> None:
    """Its time-out is never longer."""
    slow = Slow(PROCESSING, PROCESSING, UPLOADED, takes=15.0)
    slow.client(retry_policy=ExponentialBackoff(max_elapsed=65.0), timeout=30.0).update_flow_json(FLOW, DOCUMENT)
    assert [request.time_left for request in slow.inner.requests] == [65.0, 45.0, 20.0]
    assert slow.inner.timeouts == [Timeout(30.0, 30.0, 65.0), Timeout(30.0, 30.0, 45.0), Timeout(20.0, 20.0, 20.0)]


def test_without_max_elapsed_a_call_has_no_deadline() -> None:
    """Each attempt is bounded, and the number of attempts."""
    scene = Scene(UPLOADED)
    scene.client.update_flow_json(FLOW, DOCUMENT)
    assert scene.transport.requests[0].time_left is None
    assert scene.transport.timeouts == [Timeout(30.0, 30.0, 300.0)]


def test_a_wait_that_would_leave_no_time_is_not_begun() -> None:
    """The last error is raised at once, whatever policy decided on the wait."""
    scene = Scene(PROCESSING, retry_policy=Wrapped(), max_attempts=50)
    scene.transport.script = [PROCESSING] * 50
    with pytest.raises(FlowProcessingError):
        scene.client.update_flow_json(FLOW, DOCUMENT)
    assert sum(scene.time.sleeps) == 55.0
    assert isinstance(ended := scene.events[-1], CallFailed)
    assert ended.reason == "a wait of 5 s would leave no time"


def test_a_token_that_takes_too_long_leaves_no_time_to_send() -> None:
    """Nothing is sent, and the error says so."""
    slow = Slow(takes=0.0)

    def token() -> str:
        slow.time.now += 61.0
        return TOKEN

    client = slow.client(retry_policy=MINUTE).with_options(access_token=token)
    with pytest.raises(NotSentError, match="time of the call is over"):
        client.update_flow_json(FLOW, DOCUMENT)
    assert slow.inner.requests == []


def test_without_time_for_a_lookup_the_lost_create_is_the_error() -> None:
    """It says that the create may have been carried out."""
    slow = Slow(LOST, LOST, answer({"data": []}), DONE, takes=20.0)
    with pytest.raises(NoAnswerError) as caught:
        slow.client(retry_policy=ExponentialBackoff(max_elapsed=30.0), max_attempts=5).create_flow("Name", ["OTHER"])
    assert caught.value.may_have_acted
    assert slow.time.now - 1000.0 <= 30.0


def test_without_time_for_a_lookup_a_refused_publishing_is_raised_without_the_id() -> None:
    """The lookup of the draft does not replace the refusal."""
    blocked = refusal(139002, 4233024)
    slow = Slow(blocked, takes=60.0)
    with pytest.raises(PublishBlockedError):
        slow.client(retry_policy=MINUTE).create_flow("Name", ["OTHER"], flow_json=DOCUMENT, publish=True)
    assert len(slow.inner.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.find_flow_by_name("Nowhere"),
        lambda client: client.list_phone_numbers(),
        lambda client: client.migrate_flows("2", [f"n{number}" for number in range(2000)]),
    ],
    ids=["find_flow_by_name", "list_phone_numbers", "migrate_flows"],
)
def test_the_pages_of_one_call_share_its_time(call: Callable[[FlowsClient], object]) -> None:
    """A search through an account, a list of several pages, a migration in batches: each is one call."""
    pages = [
        answer({"data": [], "paging": {"next": "x", "cursors": {"after": f"c{n}"}}, "migrated_flows": []})
        for n in range(100)
    ]
    slow = Slow(*pages, takes=7.0)
    with pytest.raises(FlowsError):
        call(slow.client(retry_policy=MINUTE))
    assert 50.0 <= slow.time.now - 1000.0 <= 60.0


LIVE = {"id": "1", "name": "One", "status": "PUBLISHED", "categories": ["OTHER"], "validation_errors": []}
OTHER = b'{"version": "7.3", "screens": [], "a": 1}'
ASSETS = answer({"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": "https://cdn.example/f"}]})


def test_the_reads_of_ensure_flow_share_its_time() -> None:
    """Everything before the first write is one call."""
    pages = [answer({"data": [], "paging": {"next": "x", "cursors": {"after": f"c{n}"}}}) for n in range(100)]
    slow = Slow(*pages, takes=7.0)
    with pytest.raises(FlowsError):
        slow.client(retry_policy=MINUTE).ensure_flow("One", ["OTHER"], flow_json=DOCUMENT)
    assert 50.0 <= slow.time.now - 1000.0 <= 60.0
    slow = Slow(answer({"data": []}), answer({"id": "1"}), UPLOADED, takes=25.0)
    with pytest.raises(FlowsError):  # a new draft may stay as it is
        slow.client(retry_policy=MINUTE).ensure_flow("One", ["OTHER"], flow_json=DOCUMENT)
    assert slow.time.now - 1000.0 <= 60.0


@pytest.mark.parametrize("published", [True, False], ids=["published", "refused"])
def test_a_live_flow_is_published_again_after_the_deadline(published: bool) -> None:
    """When `max_elapsed` ends while it is a draft, publishing and restoring have a deadline of their own."""
    rest = [DONE] if published else [refusal(139002, 4233024), UPLOADED, DONE]
    slow = Slow(answer({"data": [LIVE]}), ASSETS, answer(OTHER), UPLOADED, *rest, takes=14.5)
    client = slow.client(retry_policy=MINUTE)
    if published:
        assert client.ensure_flow("One", ["OTHER"], flow_json=DOCUMENT, publish=True, validate="off").published
    else:
        with pytest.raises(PublishBlockedError, match="has its old Flow JSON back"):
            client.ensure_flow("One", ["OTHER"], flow_json=DOCUMENT, publish=True, validate="off")
    assert slow.inner.script == []


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "60", True])
def test_max_elapsed_is_a_number_of_seconds_above_zero(wrong: Any) -> None:
    """In our policies, and in a policy of the host's."""
    with pytest.raises(ConfigurationError, match="max_elapsed"):
        ExponentialBackoff(max_elapsed=wrong)

    class Policy(Wrapped):
        max_elapsed = wrong

    with pytest.raises(ConfigurationError, match="max_elapsed"):
        FlowsClient(TOKEN, retry_policy=Policy())
