"""The retry log, the counters, and consumers that raise or are slow."""

from __future__ import annotations

import json
import logging

import pytest

from tests.support import DONE, FLOW, PROCESSING, TOKEN, UPLOADED, WABA, Scene, answer, refusal
from whatsapp_flows import (
    Counts,
    Event,
    FlowProcessingError,
    FlowsError,
    InvalidRequestError,
    NoAnswerError,
    RetryCounters,
)

DOCUMENT = b"{}"


def test_the_retry_log_is_a_contract(caplog: pytest.LogCaptureFixture) -> None:
    """The four lines, word for word and at their levels: people alert on them."""
    caplog.set_level(logging.INFO, logger="whatsapp_flows")
    scene = Scene(PROCESSING, UPLOADED, PROCESSING, PROCESSING, PROCESSING)
    scene.client.update_flow_json("123", DOCUMENT)
    with pytest.raises(FlowProcessingError):
        scene.client.update_flow_json("123", DOCUMENT)
    detected = (
        "WARNING",
        "Meta flow processing error detected (retryable): Flow JSON has been saved, but processing has failed.",
    )
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        detected,
        ("INFO", "Retry attempt 2/3 for flow ID: 123"),
        ("INFO", "Successfully updated flow JSON for flow ID: 123"),
        detected,
        ("INFO", "Retry attempt 2/3 for flow ID: 123"),
        detected,
        ("INFO", "Retry attempt 3/3 for flow ID: 123"),
        detected,
        ("ERROR", "Failed to update flow JSON after 3 attempts"),
    ]
    assert {record.name for record in caplog.records} == {"whatsapp_flows"}


def test_each_record_carries_its_facts(caplog: pytest.LogCaptureFixture) -> None:
    """Flow, attempt, limit, delay, code, subcode and trace id are attributes of the record."""
    caplog.set_level(logging.DEBUG, logger="whatsapp_flows")
    Scene(PROCESSING, UPLOADED).client.update_flow_json("123", DOCUMENT)
    warning, waiting, retry, success = caplog.records
    for record in caplog.records:
        assert record.__dict__["flow_id"] == "123"
        assert record.__dict__["operation"] == "update_flow_json"
    facts = ("attempt", "max_attempts", "delay", "code", "subcode", "fbtrace_id")
    assert [warning.__dict__[name] for name in facts] == [1, 3, None, 139001, 4016012, "AbCdEf"]
    assert [waiting.__dict__[name] for name in facts] == [2, 3, 5.0, 139001, 4016012, "AbCdEf"]
    assert [retry.__dict__[name] for name in facts] == [2, 3, 5.0, 139001, 4016012, "AbCdEf"]
    assert [success.__dict__[name] for name in facts] == [2, 3, None, None, None, None]


def test_other_operations_log_with_their_own_subject(caplog: pytest.LogCaptureFixture) -> None:
    """The same lines, worded for the operation."""
    caplog.set_level(logging.INFO, logger="whatsapp_flows")
    limited = refusal(80008, error_user_msg="Too many calls.", headers={"Retry-After": "5"})
    scene = Scene(limited, DONE, answer({"data": []}), refusal(100, error_user_msg="Fill in\r\nevery field."))
    scene.client.publish_flow(FLOW)
    scene.client.find_flow_by_name("a")
    with pytest.raises(InvalidRequestError):
        scene.client.create_flow("Solar", ["OTHER"])
    assert [record.getMessage() for record in caplog.records] == [
        "Meta rate limit error detected (retryable): Too many calls.",
        f"Retry attempt 2/3 for flow ID: {FLOW}",
        f"Successfully published flow for flow ID: {FLOW}",
        f"Successfully listed flows for WABA ID: {WABA}",
        "Failed to create flow after 1 attempts for flow name: Solar: Fill in every field. (code 100)",
    ]


def test_a_quiet_logger_costs_no_record(caplog: pytest.LogCaptureFixture) -> None:
    """Below the logger's level no record is made."""
    caplog.set_level(logging.CRITICAL, logger="whatsapp_flows")
    Scene(UPLOADED).client.update_flow_json(FLOW, DOCUMENT)
    assert caplog.records == []


def test_a_consumer_that_raises_never_breaks_a_call(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once for each consumer, the other consumers get the event, and the call goes on."""

    def broken(event: Event) -> None:
        raise ZeroDivisionError(TOKEN[:0])

    def broken_too(event: Event) -> None:
        raise KeyError("key")

    heard: list[Event] = []
    scene = Scene(PROCESSING, UPLOADED, UPLOADED, on_event=[broken, broken_too, heard.append])
    scene.client.update_flow_json(FLOW, DOCUMENT)
    scene.client.update_flow_json(FLOW, DOCUMENT)
    assert heard == scene.events
    failures = [record for record in caplog.records if "event consumer failed" in record.getMessage()]
    assert [record.exc_info[0] for record in failures if record.exc_info] == [ZeroDivisionError, KeyError]


def test_a_slow_consumer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once, with the advice to use a `QueuedConsumer`: it runs in the thread of the call."""
    scene = Scene(UPLOADED, UPLOADED)
    client = scene.client.with_options(
        on_event=[lambda _: scene.time.sleep(1.5), lambda _: scene.time.sleep(1.0)], clock=scene.time.clock
    )
    client.update_flow_json(FLOW, DOCUMENT)
    client.update_flow_json(FLOW, DOCUMENT)
    assert [record.getMessage() for record in caplog.records if "held up" in record.getMessage()] == [
        "An event consumer held up a call for 1.5 s: put it behind a QueuedConsumer"
    ]


def test_one_consumer_or_several() -> None:
    """`on_event` takes a callable or any iterable of them; a generator is read once, and kept by `with_options`."""
    heard: list[Event] = []
    client = Scene(UPLOADED, UPLOADED).client
    client.with_options(on_event=heard.append).update_flow_json(FLOW, DOCUMENT)
    once = len(heard)
    assert once
    several = client.with_options(on_event=(each for each in [heard.append]))
    several.with_options(max_attempts=1).update_flow_json(FLOW, DOCUMENT)
    assert len(heard) == 2 * once


def test_counters_count_what_a_dashboard_asks_for() -> None:
    """Attempts, retries, successes after a retry, exhausted calls and seconds, per operation and per error."""
    counters = RetryCounters()
    scene = Scene(
        PROCESSING, NoAnswerError("x"), UPLOADED,  # succeeds on the third attempt, after 15 s
        UPLOADED,  # at once
        PROCESSING, PROCESSING, PROCESSING,  # exhausted, after 15 s
        refusal(100),  # fatal
        refusal(4, headers={"Retry-After": "1"}), DONE,  # another operation, after 5 s
        on_event=[counters],
    )  # fmt: skip
    for _ in range(4):
        try:
            scene.client.update_flow_json(FLOW, DOCUMENT)
        except FlowsError:
            continue
    scene.client.publish_flow(FLOW)
    assert counters.by_operation == {
        "update_flow_json": Counts(attempts=8, requests=8, retries=4, successes=2, successes_after_retry=1, failures=2,
                                   exhausted=1, seconds_waited=30.0),
        "publish_flow": Counts(attempts=2, requests=2, retries=1, successes=1, successes_after_retry=1,
                               seconds_waited=5.0),
    }  # fmt: skip
    assert counters.by_error == {
        "139001/4016012": Counts(attempts=4, requests=4, retries=3, successes_after_retry=1, failures=1, exhausted=1,
                                 seconds_waited=20.0),
        "NoAnswerError": Counts(attempts=1, requests=1, retries=1, successes_after_retry=1, seconds_waited=10.0),
        "100": Counts(attempts=1, requests=1, failures=1),
        "4": Counts(attempts=1, requests=1, retries=1, successes_after_retry=1, seconds_waited=5.0),
    }  # fmt: skip
    assert counters.total == Counts(attempts=10, requests=10, retries=5, successes=3, successes_after_retry=2,
                                    failures=2, exhausted=1, seconds_waited=35.0)  # fmt: skip


def test_counters_show_their_figures() -> None:
    """The repr has the totals that are not zero; `as_dict()` has every figure, as JSON takes it."""
    counters = RetryCounters()
    assert repr(counters) == "RetryCounters()"
    Scene(PROCESSING, UPLOADED, on_event=[counters]).client.update_flow_json(FLOW, DOCUMENT)
    assert repr(counters) == (
        "RetryCounters(attempts=2, requests=2, retries=1, successes=1, successes_after_retry=1, seconds_waited=5)"
    )
    figures = counters.as_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert figures["total"] == {**Counts().as_dict(), "attempts": 2, "requests": 2, "retries": 1, "successes": 1,
                                "successes_after_retry": 1, "seconds_waited": 5.0}  # fmt: skip
    assert {part: list(figures[part]) for part in ("by_operation", "by_error")} == {
        "by_operation": ["update_flow_json"],
        "by_error": ["139001/4016012"],
    }


def test_an_aborted_call_is_counted() -> None:
    """Attempts and outcomes add up, whatever ends a call."""
    counters = RetryCounters()
    with pytest.raises(KeyboardInterrupt):
        Scene(KeyboardInterrupt(), on_event=[counters]).client.publish_flow(FLOW)
    assert counters.total == Counts(attempts=1, aborted=1)


def test_requests_are_counted_apart_from_attempts() -> None:
    """A download asks for the link, and then for the file: one attempt, two requests."""
    counters = RetryCounters()
    assets = answer({"data": [{"asset_type": "FLOW_JSON", "download_url": "https://cdn.example/x"}]})
    Scene(assets, answer(b"{}"), on_event=[counters]).client.download_flow_json(FLOW)
    assert (counters.total.attempts, counters.total.requests) == (1, 2)


def test_a_wait_that_was_cut_short_counts_as_long_as_it_lasted() -> None:
    """The counters have the seconds that were waited, not those that were planned."""
    import threading

    counters = RetryCounters()
    stop = threading.Event()
    scene = Scene(PROCESSING, on_event=[counters], stop=stop)

    def sleep(_: float) -> None:
        scene.time.sleep(2.0)
        stop.set()

    with pytest.raises(FlowProcessingError):
        scene.client.with_options(sleep=sleep).update_flow_json(FLOW, DOCUMENT)
    assert counters.total.seconds_waited == 2.0
    assert counters.total.retries == 0
    assert counters.by_error["139001/4016012"].seconds_waited == 2.0
