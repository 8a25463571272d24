"""
Webhooks on their way out: signed, queued, and delivered in a thread of their own, so that no request waits for them.

A delivery that is not answered with 200 is repeated at once, up to the number of attempts; Meta repeats for days.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from .. import signatures
from .._http_answer import HttpAnswer, Receiver
from .._webhook_shapes import WebhookChange, webhook_body
from .._wire import Request, Secret
from ..errors import FlowsError
from ..queued import Background

T = TypeVar("T")

KEPT: Final = 1_000  # deliveries that are kept, and webhooks that wait; further ones are dropped
MAX_TARGETS: Final = 100
_CONNECT_SECONDS: Final = 5.0
_TOTAL_SECONDS: Final = 10.0  # how long Meta waits is not documented
_CLOSING: Final = 5.0  # seconds for which the end of the emulator waits for queued webhooks

WebhookCallable = Callable[[bytes, Mapping[str, str]], object]
"""A function of body and headers, plain or `async`. It returns an `HttpAnswer`, a status, or None for 200."""

WebhookTarget = Receiver | WebhookCallable | str
"""`Webhooks` or another receiver, a function, or a URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """
    A webhook that was delivered, or given up.

    `target` is where to, `status` the last answer's (None without one), `attempts` how often it was sent. `problem` is
    empty, or says why there was no answer. `body` and `headers` are what was sent.
    """

    target: str
    status: int | None
    attempts: int
    problem: str = ""
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it was answered with 200."""
        return self.status == 200

    @property
    def content(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)


class _Channel(Protocol):
    """How a target gets a webhook, and Meta's GET."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> int: ...

    def get(self, query: Mapping[str, str]) -> tuple[int, bytes]: ...


@dataclass(frozen=True, slots=True)
class _Subscriber:
    name: str
    channel: _Channel
    secret: Secret
    attempts: int


class WebhookSender:
    """The subscribers of an emulator, the queue to them, and what was delivered."""

    def __init__(self) -> None:
        self._subscribers: tuple[_Subscriber, ...] = ()
        self._queue: Background[bytes] | None = None
        self.deliveries: deque[WebhookDelivery] = deque(maxlen=KEPT)

    def subscribe(self, target: WebhookTarget, secret: Secret, attempts: int, verify_token: str | None) -> None:
        """Add a subscriber. ValueError when it cannot be one, or does not confirm its verify token."""
        if attempts < 1 or len(self._subscribers) >= MAX_TARGETS:
            raise ValueError(f"attempts must be at least 1, and there are at most {MAX_TARGETS} targets")
        name, channel = _channel(target)
        if verify_token is not None:
            _verify(channel, verify_token, str(1_158_201_444 + len(self._subscribers)))
        self._subscribers = (*self._subscribers, _Subscriber(name, channel, secret, attempts))

    @property
    def has_subscribers(self) -> bool:
        """Whether anybody gets webhooks."""
        return bool(self._subscribers)

    def send(self, changes: Sequence[WebhookChange], now: float) -> None:
        """Queue a webhook with these changes for every subscriber. Never blocks; a full queue drops it."""
        if not changes or not self._subscribers:
            return
        if self._queue is None:
            self._queue = Background(self._deliver, capacity=KEPT)
        self._queue(webhook_body(changes, now))

    def flush(self, timeout: float) -> bool:
        """Wait until everything queued is delivered. False if that takes longer than `timeout` seconds."""
        return self._queue is None or self._queue.flush(timeout)

    def close(self) -> None:
        """Deliver what is queued, for a few seconds at most, and end the thread."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close(_CLOSING)

    def _deliver(self, body: bytes) -> None:
        for subscriber in self._subscribers:
            self.deliveries.append(_delivered(subscriber, body))


def _delivered(subscriber: _Subscriber, body: bytes) -> WebhookDelivery:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signatures.sign(body, subscriber.secret)}
    status, problem, attempts = None, "", 0
    while status != 200 and attempts < subscriber.attempts:
        attempts += 1
        try:
            status, problem = subscriber.channel.post(body, headers), ""
        except FlowsError as error:
            status, problem = None, error.message
        except Exception as error:  # noqa: BLE001  a host's function may raise anything
            status, problem = None, type(error).__name__
    return WebhookDelivery(
        target=subscriber.name, status=status, attempts=attempts, problem=problem, body=body, headers=headers
    )


def _verify(channel: _Channel, token: str, challenge: str) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    status, body = channel.get(query)
    if (status, body) != (200, challenge.encode()):
        raise ValueError(f"the target did not answer the verification with the challenge, but with status {status}")


def _channel(target: WebhookTarget) -> tuple[str, _Channel]:
    if isinstance(target, str):
        parts = urlsplit(target)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            raise ValueError("the URL of a webhook begins with http:// or https://, and has no password")
        return f"{parts.scheme}://{parts.netloc}", _Url(target.partition("#")[0])
    if callable(getattr(target, "areceive", None)):
        return type(target).__name__, _Receiving(cast("Receiver", target))
    if not callable(target):
        raise ValueError(  # noqa: TRY004  as every invalid argument of an emulator
            f"webhooks go to a URL, a receiver or a function, not a {type(target).__name__}"
        )
    return getattr(target, "__name__", type(target).__name__), _Function(target)


class _Receiving:
    """`Webhooks`, or another receiver. `areceive` runs asynchronous handlers and plain ones."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        return asyncio.run(_awaited(self._receiver.areceive(body, headers))).status

    def get(self, query: Mapping[str, str]) -> tuple[int, bytes]:
        verify = getattr(self._receiver, "verify", None)
        if verify is None:
            raise ValueError("the target has no verify: leave out verify_token")
        answer: HttpAnswer = verify(query)
        return answer.status, answer.body


class _Function:
    def __init__(self, function: WebhookCallable) -> None:
        self._function = function

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        returned = self._function(body, headers)
        if inspect.isawaitable(returned):
            returned = asyncio.run(_awaited(returned))
        if isinstance(returned, HttpAnswer):
            return returned.status
        return returned if isinstance(returned, int) and not isinstance(returned, bool) else 200

    def get(self, _query: Mapping[str, str]) -> tuple[int, bytes]:
        raise ValueError("a function is not verified: leave out verify_token")


class _Url:
    """A URL, by the library's own transport: bounded in time and size, no redirect is followed."""

    def __init__(self, url: str) -> None:
        self._url = url

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        return self._sent("POST", self._url, body, headers)[0]

    def get(self, query: Mapping[str, str]) -> tuple[int, bytes]:
        separator = "&" if "?" in self._url else "?"
        return self._sent("GET", f"{self._url}{separator}{urlencode(query)}", None, {})

    def _sent(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        from .._requests import RequestsTransport  # noqa: PLC0415  most emulators send to no URL
        from ..transport import Timeout  # noqa: PLC0415

        timeout = Timeout(connect=_CONNECT_SECONDS, read=_TOTAL_SECONDS, total=_TOTAL_SECONDS)
        transport = RequestsTransport()
        try:
            request = Request(
                method=method, url=url, operation="webhook", body=body, headers=headers, authenticated=False
            )
            response = transport.send(request, timeout=timeout)
        finally:
            transport.close()
        return response.status, response.body


async def _awaited(pending: Awaitable[T]) -> T:
    return await pending
