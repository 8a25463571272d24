"""The host's functions, whatever they are and raise: a check of tokens runs, or the request is refused."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError as CancelledFutureError
from typing import Any

import pytest

from tests.endpoint.exchanges import DRIVERS, Receive, ask, endpoint, receive, recording
from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import Answer, FlowRequest, HttpAnswer, InvalidToken, RequestInfo

both_drivers = pytest.mark.parametrize("receive", DRIVERS, ids=lambda it: it.__name__)
LIMITS = (None, 9.0)


# -- a check of tokens that does not look asynchronous


async def refuse(request: FlowRequest) -> None:
    await asyncio.sleep(0)
    raise InvalidToken("not this one")


async def accept(request: FlowRequest) -> None:
    await asyncio.sleep(0)


@functools.wraps(refuse)
def wrapped(request: FlowRequest) -> Any:
    return refuse(request)


class Sessions:
    """A check with a method, and as an object."""

    def check(self, request: FlowRequest) -> Any:
        return refuse(request)

    def __call__(self, request: FlowRequest) -> Any:
        return self.check(request)


CHECKS: list[Any] = [lambda request: refuse(request), wrapped, Sessions().check, Sessions()]  # noqa: PLW0108


@both_drivers
@pytest.mark.parametrize("tokens", CHECKS, ids=["lambda", "wraps", "method", "object"])
@pytest.mark.parametrize("time_limit", LIMITS)
def test_a_check_that_returns_an_awaitable_is_never_passed_over(
    receive: Receive, tokens: Any, time_limit: float | None
) -> None:
    """`areceive` awaits it before the handler runs; `receive` cannot, and answers 500."""
    target = endpoint(tokens=tokens, time_limit=time_limit)
    got = recording(target)
    expected = (427, "token-refused") if receive.__name__ == "areceive" else (500, "handler-failed")
    answer = receive(target, ask())
    assert (answer.status, answer.outcome) == expected
    assert got == []


@both_drivers
@pytest.mark.parametrize("asynchronous", [True, False])
def test_after_a_check_that_passes_the_handler_runs(receive: Receive, asynchronous: bool) -> None:
    """In `areceive`, whether it is asynchronous or plain."""
    target = endpoint(tokens=lambda request: accept(request))  # noqa: PLW0108 - it does not look asynchronous
    if asynchronous:
        calls: list[FlowRequest] = []

        @target.fallback
        async def later(request: FlowRequest) -> Answer:
            calls.append(request)
            return request.close()
    else:
        calls = recording(target)
    can_await = receive.__name__ == "areceive"
    assert receive(target, ask()).outcome == ("answered" if can_await else "handler-failed")
    assert len(calls) == can_await


def generator(request: FlowRequest) -> Iterator[None]:
    yield
    raise InvalidToken("not this one")


async def async_generator(request: FlowRequest) -> AsyncIterator[None]:
    yield
    raise InvalidToken("not this one")


class Marked:
    """It looks like a coroutine function, as what a compiler or a decorator makes may, and returns a generator."""

    __name__ = "marked"
    __code__ = refuse.__code__
    __defaults__ = __kwdefaults__ = None
    __annotations__: dict[str, Any] = {}

    def __call__(self, request: FlowRequest) -> Any:
        return generator(request)


@both_drivers
@pytest.mark.parametrize("tokens", [generator, async_generator, Marked()], ids=["plain", "async", "marked"])
@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_check_that_is_a_generator_is_500(receive: Receive, tokens: Any, asynchronous: bool) -> None:
    """Calling it runs nothing of it."""
    target = endpoint(tokens=tokens)
    got: list[FlowRequest] = []
    if asynchronous:

        @target.fallback
        async def later(request: FlowRequest) -> Answer:
            got.append(request)
            return request.close()
    else:
        got = recording(target)
    assert receive(target, ask()).outcome == "handler-failed"
    assert got == []


# -- exceptions that are signals elsewhere


@both_drivers
@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit, CancelledFutureError, StopIteration])
@pytest.mark.parametrize("time_limit", LIMITS)
@pytest.mark.parametrize("where", ["handler", "tokens", "on_error"])
def test_a_signal_that_a_function_leaks_is_answered(
    receive: Receive, error: type[BaseException], time_limit: float | None, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It cancels no request; the log names its place, and not its text."""

    def leaks(request: FlowRequest) -> Answer:
        raise error("a secret of a user's")

    target = endpoint(time_limit=time_limit, **({"tokens": leaks} if where == "tokens" else {}))
    if where == "on_error":
        target.on_error(leaks)
        assert receive(target, ask(data={"error": "timeout_error"})).outcome == "error-notified"
    else:
        target.fallback(leaks)
        assert receive(target, ask()) == HttpAnswer(500, {}, b"", "handler-failed")
    assert f"{error.__qualname__} in leaks ({__file__}:" in caplog.text
    assert "a secret" not in caplog.text


@both_drivers
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_passes(receive: Receive, error: type[BaseException]) -> None:
    """From a plain handler, as without an endpoint."""

    def ends(request: FlowRequest) -> Answer:
        raise error

    target = endpoint()
    target.fallback(ends)
    with pytest.raises(error):
        receive(target, ask())


@pytest.mark.skipif(not hasattr(inspect, "markcoroutinefunction"), reason="from Python 3.12 on")
def test_a_function_that_is_marked_as_asynchronous_may_raise_at_once() -> None:
    """Before there is anything to await."""

    def marked(request: FlowRequest) -> Any:
        raise InvalidToken("not this one")

    mark: Callable[[Any], Any] = getattr(inspect, "markcoroutinefunction", lambda it: it)
    target = endpoint(tokens=mark(marked))
    recording(target)
    assert DRIVERS[1](target, ask()).outcome == "token-refused"


def test_the_other_exceptions_are_as_they_were() -> None:
    """An `InvalidToken` of a plain check is 427."""

    def plain(request: FlowRequest) -> None:
        raise InvalidToken("not this one")

    target = endpoint(tokens=plain)
    got = recording(target)
    assert receive(target, ask()).outcome == "token-refused"
    assert got == []


# -- the text of a refused token


@pytest.mark.parametrize(
    ("raised", "text", "reason"),
    [
        (InvalidToken, "This form is no longer valid. Please ask for a new one.", ""),
        (lambda: InvalidToken(""), "This form is no longer valid. Please ask for a new one.", ""),
        (lambda: InvalidToken(reason="expired"), "This form is no longer valid. Please ask for a new one.", "expired"),
        (lambda: InvalidToken("Too late.", "expired"), "Too late.", "expired"),
    ],
)
def test_a_refused_token_has_a_text(raised: Callable[[], InvalidToken], text: str, reason: str) -> None:
    """Also without one of the host's; it copies and pickles."""
    error = raised()
    for each in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (str(each), each.message, each.reason) == (text, text, reason)


@both_drivers
def test_raising_the_class_alone_is_427(receive: Receive) -> None:
    """As Python has it for every exception."""

    def refuses(request: FlowRequest) -> None:
        raise InvalidToken

    sent, target = ask(), endpoint(tokens=refuses)
    answer = receive(target, sent)
    assert answer.status == 427
    assert sent.opened(answer) == {"error_msg": "This form is no longer valid. Please ask for a new one."}


# -- the keys of a tenant


def bad_pem(info: RequestInfo) -> Any:
    return "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"


def own_error(info: RequestInfo) -> Any:
    raise ConfigurationError("the secret text of a host")


@both_drivers
@pytest.mark.parametrize(
    ("keys", "reported"),
    [
        (bad_pem, "private key"),
        (own_error, "ConfigurationError in own_error"),
        (lambda _: 1 / 0, "ZeroDivisionError in"),
    ],
)
def test_the_log_says_what_is_wrong_with_the_keys_of_a_tenant(
    receive: Receive, keys: Any, reported: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Our own message about a PEM shows nothing of it; what a host raises is named by its place."""
    assert receive(endpoint(keys), ask()).outcome == "handler-failed"
    (line,) = caplog.messages
    assert line.startswith("Flow endpoint: no private keys (HTTP 500), a request that was not opened: ")
    assert reported in line
    assert "secret" not in line
    assert "c2VjcmV0" not in line
