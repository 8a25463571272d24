"""
The metrics of an endpoint, beside those of calls: one table, and the measurements that each of its events adds.

The endpoint names only documented actions, and only screens of its Flow; `LabelBounds` bounds them once more, since
one consumer may be shared by many endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .._endpoint_events import AnswerRefused, EndpointEvent, EndpointRequestFinished, ErrorNotified
from ..events import Event
from ._metrics import METRICS, LabelBounds, Measurement, Metric, measurements

# Around Meta's alert levels of 1, 5 and 7 s, and its time limit of 10 s ("Flow Health and Monitoring").
_ONE_ANSWER: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.0, 10.0)
_PLACE: Final = ("action", "screen")

REQUESTS: Final = Metric(
    name="whatsapp_flows.endpoint.requests",
    kind="counter",
    unit="{request}",
    help="Requests to the endpoint, by outcome; key is the index of the private key that opened the request.",
    labels=(*_PLACE, "outcome", "key"),
)
DURATION: Final = Metric(
    name="whatsapp_flows.endpoint.duration",
    kind="histogram",
    unit="s",
    help="Seconds until a request to the endpoint was answered.",
    labels=_PLACE,
    buckets=_ONE_ANSWER,
)
HANDLER_DURATION: Final = Metric(
    name="whatsapp_flows.endpoint.handler.duration",
    kind="histogram",
    unit="s",
    help="Seconds that the host's functions took of it.",
    labels=_PLACE,
    buckets=_ONE_ANSWER,
)
CLIENT_ERRORS: Final = Metric(
    name="whatsapp_flows.endpoint.client_errors",
    kind="counter",
    unit="{error}",
    help="Error notifications: what the client could not use of an earlier answer.",
    labels=(*_PLACE, "error"),
)
REFUSED_ANSWERS: Final = Metric(
    name="whatsapp_flows.endpoint.refused_answers",
    kind="counter",
    unit="{answer}",
    help="Answers that the check found the client would refuse, by the first problem; sent: all the same.",
    labels=(*_PLACE, "error", "sent"),
)

ENDPOINT_METRICS: Final = (REQUESTS, DURATION, HANDLER_DURATION, CLIENT_ERRORS, REFUSED_ANSWERS)
ALL_METRICS: Final = (*METRICS, *ENDPOINT_METRICS)


def all_measurements(event: Event, bounds: LabelBounds) -> Iterator[Measurement]:
    """What an event of a call or of an endpoint adds to the metrics."""
    return endpoint_measurements(event, bounds) if isinstance(event, EndpointEvent) else measurements(event, bounds)


def endpoint_measurements(event: EndpointEvent, bounds: LabelBounds) -> Iterator[Measurement]:
    """What an event of an endpoint adds to counters and histograms. An empty label: not known, or none."""
    place = (event.action or "", bounds.screen(event.screen))
    if isinstance(event, EndpointRequestFinished):
        yield REQUESTS, 1, (*place, event.outcome, bounds.key(event.key_index))
        yield DURATION, event.duration, place
        if event.handler_duration is not None:
            yield HANDLER_DURATION, event.handler_duration, place
    elif isinstance(event, ErrorNotified):
        yield CLIENT_ERRORS, 1, (*place, bounds.client_error(event.error))
    elif isinstance(event, AnswerRefused):
        error = event.problems[0].key if event.problems else ""
        yield REFUSED_ANSWERS, 1, (*place, bounds.client_error(error), str(event.sent).lower())
