"""
What an `EndpointClient` can send to, and how each kind is recognised.

A target is asked in one of two ways: `send` blocks, `asend` is awaited. Neither follows a redirect. What comes back is
a `Response`, or a `Silence` when there is no answer to read. An exception that an application raises propagates: it is
the reader's code, and a test wants its traceback.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, Protocol

from ..._awaiting import LATE, run_within, within
from ..._dataclasses import dataclass, field
from ..._http_answer import HttpAnswer, Receiver
from ..._wire import Response, short_repr
from ...errors import ConfigurationError
from ._reply import CallOutcome

Interface = Literal["auto", "asgi", "wsgi", "callable"]
INTERFACES: Final[tuple[Interface, ...]] = ("auto", "asgi", "wsgi", "callable")

Answer = HttpAnswer | tuple[int, Mapping[str, str], bytes]
EndpointCallable = Callable[[bytes, Mapping[str, str]], Answer | Awaitable[Answer]]

AWAIT: Final = "await aping, aexchange or anotify_error instead"
"""What to do where an event loop is running."""


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer that could be read, and why."""

    outcome: CallOutcome
    problem: str


Arrival = Response | Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One request, to be sent within `time_limit` seconds."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    path: str
    time_limit: float
    max_answer: int


class Target(Protocol):
    """Something that answers a request."""

    def send(self, post: Post, /) -> Arrival: ...

    async def asend(self, post: Post, /) -> Arrival: ...

    def close(self) -> None: ...


def is_url(target: object) -> bool:
    """Whether the target is a URL."""
    return isinstance(target, str)


def interface_of(target: object, given: Interface) -> str:
    """
    What a target is: `receiver`, `asgi`, `wsgi` or `callable`.

    An object with the methods `receive` and `areceive` is a receiver. A callable of three positional arguments is an
    ASGI application. A callable of two is a WSGI application if its second argument is called `start_response`, and
    otherwise a callable of the body and the headers. `given` overrides this for a callable.

    Raises `ConfigurationError` for anything else.
    """
    has_both = all(callable(getattr(target, name, None)) for name in ("receive", "areceive"))
    if has_both and not isinstance(target, type):
        return "receiver"
    if not callable(target) or isinstance(target, type):
        kind = f"the class {target.__name__}" if isinstance(target, type) else f"a {type(target).__name__}"
        raise ConfigurationError(f"target must be an endpoint, an application, a URL or a callable, not {kind}.")
    if given not in INTERFACES:
        raise ConfigurationError(f"interface must be one of {', '.join(INTERFACES)}, not {short_repr(given)}.")
    if given != "auto":
        return given
    names = _positional(target)
    if len(names) == 3:
        return "asgi"
    if len(names) == 2:
        return "wsgi" if names[1] == "start_response" else "callable"
    raise ConfigurationError(
        f"target is a callable of {len(names)} arguments, which is neither an ASGI application (3), nor a WSGI "
        "application or a callable of body and headers (2): give interface, if it is one of them."
    )


def _positional(target: Callable[..., object]) -> list[str]:
    """The names of the positional arguments that have no default."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        each.name
        for each in parameters
        if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD} and each.default is each.empty
    ]


class ReceiverTarget:
    """A `FlowEndpoint`, or another object of that form."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def send(self, post: Post, /) -> Arrival:
        return _answered(self._receiver.receive(post.body, post.headers), post)

    async def asend(self, post: Post, /) -> Arrival:
        pending = self._receiver.areceive(post.body, post.headers)
        return _in_time(await within(post.time_limit, pending), post)

    def close(self) -> None:
        """Nothing is open."""


class CallableTarget:
    """A function of body and headers, plain or a coroutine function; see `EndpointCallable`."""

    def __init__(self, function: EndpointCallable) -> None:
        self._function = function

    def send(self, post: Post, /) -> Arrival:
        found = self._function(post.body, post.headers)
        if isinstance(found, Awaitable):
            return _in_time(run_within(post.time_limit, found, instead=AWAIT), post)
        return _answered(found, post)

    async def asend(self, post: Post, /) -> Arrival:
        found = self._function(post.body, post.headers)
        if isinstance(found, Awaitable):
            return _in_time(await within(post.time_limit, found), post)
        return _answered(found, post)

    def close(self) -> None:
        """Nothing is open."""


_PARTS: Final = (int, Mapping, bytes)


def _in_time(found: Any, post: Post) -> Arrival:
    return timed_out(post.time_limit) if found is LATE else _answered(found, post)


def _answered(found: Answer, post: Post) -> Arrival:
    if isinstance(found, HttpAnswer):
        status, headers, body = found.status, found.headers, found.body
    elif isinstance(found, tuple) and len(found) == len(_PARTS) and all(map(isinstance, found, _PARTS)):
        status, headers, body = found
    else:
        raise ConfigurationError(
            f"target returned a {type(found).__name__}: it must return an HttpAnswer, or status, headers and body."
        )
    return bounded(Response(status=status, headers=headers, body=body), post)


def bounded(response: Response, post: Post) -> Arrival:
    """The response, unless it is larger than the client reads."""
    return response if len(response.body) <= post.max_answer else too_large(post)


def too_large(post: Post) -> Silence:
    """An answer of more bytes than are read."""
    return Silence("too-large", f"The answer has more than {post.max_answer:,} bytes.")


def timed_out(seconds: float) -> Silence:
    """No whole answer within the time limit."""
    return Silence("timeout", f"No complete answer within {seconds:g} s.")
