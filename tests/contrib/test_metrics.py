"""The measurements of events: each event of a call, for each outcome."""

from __future__ import annotations

import contextlib
import json
import threading

import pytest

from tests.support import FLOW, PROCESSING, UPLOADED, Scene, answer, refusal
from whatsapp_flows import FlowsError, NoAnswerError
from whatsapp_flows.contrib import _metrics as metrics_module
from whatsapp_flows.contrib._metrics import METRICS, OTHER, LabelBounds, Metric, measurements

UPLOAD = "update_flow_json"
PROCESSED = ("FlowProcessingError", "139001", "4016012")
NOTHING = ("", "", "")


def measured(scene: Scene, metric: Metric) -> list[tuple[float, tuple[str, ...]]]:
    found = [each for event in scene.events for each in measurements(event, LabelBounds())]
    for measure, _, labels in found:
        assert len(labels) == len(measure.labels)
    return [(value, labels) for measure, value, labels in found if measure is metric]


def upload(scene: Scene) -> None:
    with contextlib.suppress(FlowsError):
        scene.client.update_flow_json(FLOW, b"{}")


def test_a_call_that_succeeds_after_a_retry() -> None:
    """Its attempts by outcome and error, the retry by its cause, the wait, and the success that the retry made."""
    scene = Scene(PROCESSING, UPLOADED)
    upload(scene)
    assert measured(scene, metrics_module.CALLS) == [(1, (UPLOAD, "success", *NOTHING))]
    assert measured(scene, metrics_module.ATTEMPTS) == [
        (1, (UPLOAD, "failure", *PROCESSED)),
        (1, (UPLOAD, "success", *NOTHING)),
    ]
    assert measured(scene, metrics_module.RETRIES) == [(1, (UPLOAD, *PROCESSED))]
    assert measured(scene, metrics_module.WAIT) == [(5.0, (UPLOAD,))]
    assert measured(scene, metrics_module.SUCCESSES_AFTER_RETRY) == [(1, (UPLOAD,))]
    assert measured(scene, metrics_module.FAILURES_AFTER_RETRY) == []
    assert measured(scene, metrics_module.CALL_DURATION) == [(5.0, (UPLOAD, "success"))]
    assert measured(scene, metrics_module.REQUEST_DURATION) == [(0.0, (UPLOAD, "400")), (0.0, (UPLOAD, "200"))]


def test_a_call_at_once_needed_no_retry() -> None:
    """It is a success, and none after a retry."""
    scene = Scene(UPLOADED)
    upload(scene)
    assert [metric for event in scene.events for metric, _, _ in measurements(event, LabelBounds())] == [
        metrics_module.REQUEST_DURATION,
        metrics_module.ATTEMPTS,
        metrics_module.CALLS,
        metrics_module.CALL_DURATION,
    ]


@pytest.mark.parametrize(
    ("answers", "outcome", "facts", "after_retry"),
    [
        ([PROCESSING, PROCESSING], "exhausted", PROCESSED, 1),
        ([refusal(100)], "failure", ("InvalidRequestError", "100", ""), 0),
        ([PROCESSING, refusal(100)], "failure", ("InvalidRequestError", "100", ""), 1),
        ([NoAnswerError("silence"), NoAnswerError("silence")], "exhausted", ("NoAnswerError", "", ""), 1),
        ([KeyboardInterrupt()], "aborted", ("KeyboardInterrupt", "", ""), 0),
    ],
)
def test_a_call_that_fails(
    answers: list[FlowsError], outcome: str, facts: tuple[str, str, str], after_retry: int
) -> None:
    """Exhausted, fatal and aborted are different outcomes; an error without a code has its class only."""
    scene = Scene(*answers, max_attempts=2)
    if outcome == "aborted":
        with pytest.raises(KeyboardInterrupt):
            upload(scene)
    else:
        upload(scene)
    assert measured(scene, metrics_module.CALLS) == [(1, (UPLOAD, outcome, *facts))]
    assert sum(value for value, _ in measured(scene, metrics_module.FAILURES_AFTER_RETRY)) == after_retry
    assert measured(scene, metrics_module.SUCCESSES_AFTER_RETRY) == []
    statuses = {labels[1] for _, labels in measured(scene, metrics_module.REQUEST_DURATION)}
    assert statuses <= ({"none"} if facts[0] == "NoAnswerError" else {"400"})


def test_a_wait_that_was_stopped_counts_as_far_as_it_went() -> None:
    """The seconds until `stop` was set."""
    stop = threading.Event()
    scene = Scene(PROCESSING, stop=stop)

    def sleep(_: float) -> None:
        scene.time.sleep(2.0)
        stop.set()

    scene.client = scene.client.with_options(sleep=sleep)
    upload(scene)
    assert measured(scene, metrics_module.WAIT) == [(2.0, (UPLOAD,))]
    assert measured(scene, metrics_module.RETRIES) == []


def test_usage_is_a_share_of_one() -> None:
    """By business object, type of limit and figure; the app's own limit is called `app`."""
    header = '{"9": [{"type": "whatsapp", "call_count": 85, "total_time": 5, "estimated_time_to_regain_access": 2}]}'
    headers = {"x-app-usage": '{"call_count": 50}', "x-business-use-case-usage": header}
    scene = Scene(answer({"success": True}, headers=headers))
    upload(scene)
    assert {labels: value for value, labels in measured(scene, metrics_module.USAGE)} == {
        ("app", "", "call_count"): 0.5,
        ("app", "", "total_cputime"): 0.0,
        ("app", "", "total_time"): 0.0,
        ("9", "whatsapp", "call_count"): 0.85,
        ("9", "whatsapp", "total_cputime"): 0.0,
        ("9", "whatsapp", "total_time"): 0.05,
    }
    assert measured(scene, metrics_module.REGAIN_ACCESS) == [(0.0, ("app", "")), (120.0, ("9", "whatsapp"))]


def test_the_table_is_whole() -> None:
    """Every metric of the module is in it, once; a histogram has its buckets, in order."""
    assert {metric for metric in vars(metrics_module).values() if isinstance(metric, Metric)} == set(METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert (metric.kind == "histogram") == bool(metric.buckets)
        assert list(metric.buckets) == sorted(set(metric.buckets))


def test_known_codes_have_their_own_labels() -> None:
    """Known codes are never "other"; of unknown ones, the first hundred pairs are kept."""
    bounds = LabelBounds()
    reported = {bounds.code(10**6 + number, number) for number in range(10_000)}
    assert len(reported) == 101
    assert (OTHER, OTHER) in reported
    assert bounds.code(139001, 4016012) == ("139001", "4016012")
    assert bounds.code(100, 987654321) == ("100", OTHER)
    assert bounds.code(10**6, 0) == ("1000000", "0")
    assert bounds.code(None, None) == ("", "")
    assert bounds.code(None, 17) == ("", OTHER)
    assert bounds.code(-1, None) == (OTHER, "")


def test_the_usage_of_a_bounded_number_of_limits_is_reported() -> None:
    """The first ones, whose later values are reported too."""
    bounds = LabelBounds(max_objects=3)
    names = [str(number) for number in range(10)]
    assert [name for name in names if bounds.admits_limit(name, "whatsapp")] == ["0", "1", "2"]
    assert bounds.admits_limit("1", "whatsapp")
    assert not bounds.admits_limit("1", "another type")


def test_hosts_and_statuses_are_bounded() -> None:
    """A download link may name any host; a transport may return any number."""
    bounds = LabelBounds()
    assert bounds.host("graph.facebook.com", 443) == "graph.facebook.com"
    assert len({bounds.host(f"cdn-{number}.example", 443) for number in range(1000)}) == 20
    assert bounds.host("graph.facebook.com", 443) == "graph.facebook.com"
    assert [bounds.status(status) for status in (None, 200, 599, 600, 99, -7)] == [
        "none", "200", "599", OTHER, OTHER, OTHER,
    ]  # fmt: skip


def test_an_exporter_keeps_bounded_labels_under_hostile_answers() -> None:
    """Three hundred responses, each with a code and an account of its own: six new series each, if unbounded."""
    bounds = LabelBounds(max_objects=50)
    labels: set[tuple[str, ...]] = set()
    for number in range(300):
        usage = json.dumps({str(number): [{"type": f"t{number}", "call_count": 1}]})
        scene = Scene(refusal(10**7 + number, number + 1, headers={"x-business-use-case-usage": usage}))
        upload(scene)
        labels |= {
            (metric.name, *values) for event in scene.events for metric, _, values in measurements(event, bounds)
        }
    assert len(labels) < 4 * 50 + 5 * 101 + 10
