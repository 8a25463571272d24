"""
The steps of an exchange: what its generator wants done, and the driver does.

The generator reads bytes and decides. Calling the host's functions, and waiting, is left to the driver: `receive` runs
them in threads, `areceive` awaits what is asynchronous.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from functools import partial
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Final, Literal, NamedTuple, TypeGuard, TypeVar

from .._http_answer import HttpAnswer
from .._inspection import is_coroutine_function
from .._log import place_of

T = TypeVar("T")

_GENERATORS: Final = (GeneratorType, AsyncGeneratorType)

Pool = Literal["handlers", "guard"]
"""Which threads and tasks a function takes: a replay guard that hangs keeps none from the handlers."""


class TooSlow(Exception):  # noqa: N818 - a signal between the driver and the exchange
    """The time limit of the request has passed; the driver throws it into the exchange."""


class HandlerError(Exception):
    """A fault of the host's functions, in a text that holds nothing of the request."""


class Function:
    """A function of the host's; `is_async` is known when it is registered."""

    __slots__ = ("call", "is_async", "name")

    def __init__(self, call: Callable[..., Any], name: str) -> None:
        self.call = call
        self.name = name
        self.is_async = _is_async(call)

    @property
    def described(self) -> str:
        """What it is called in the host's code."""
        inner = self.call
        while isinstance(inner, partial):
            inner = inner.func
        return str(getattr(inner, "__qualname__", type(inner).__qualname__))


def _is_async(call: object) -> bool:
    return is_coroutine_function(call) or is_coroutine_function(getattr(call, "__call__", None))  # noqa: B004


def is_awaitable(value: object) -> TypeGuard[Awaitable[Any]]:
    """Whether `await` takes a value that is no generator; `inspect.isawaitable` asks an abstract class, at length."""
    return hasattr(type(value), "__await__")


def is_unfinished(value: object) -> bool:
    """Whether a function has returned what has yet to run: an awaitable, or a generator, which nothing here runs."""
    return isinstance(value, _GENERATORS) or is_awaitable(value)


def result_of(value: Any, error: BaseException | None) -> tuple[Any, Exception | None]:
    """
    What a function has returned, or the exception to raise inside the exchange.

    A generator cannot be given `StopIteration` or `GeneratorExit`, and a `CancelledError` of the function's own cancels
    no request: they become a `HandlerError`. What ends the process or a thread, such as `SystemExit`, is raised here.
    """
    if error is None:
        if isinstance(value, _GENERATORS):
            return None, HandlerError("a function returned a generator: it has not run. Return a value, or use await")
        return value, None
    if isinstance(error, (StopIteration, GeneratorExit)) or _is_cancelled(error):
        return None, HandlerError(place_of(error))
    if isinstance(error, Exception):
        return None, error
    raise error


def _is_cancelled(error: BaseException) -> bool:
    asyncio = sys.modules.get("asyncio.exceptions")  # a host without asyncio does not load it
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


class Run(NamedTuple):
    """
    Call functions of the host's, one after the other, with the same arguments; the result is that of the last.

    Each has run to its end before the next one is called: what it returns is awaited, or refused.
    """

    functions: tuple[Function, ...]
    arguments: tuple[object, ...]
    seconds: float | None
    pool: Pool = "handlers"


class Wait(NamedTuple):
    """Wait for the answer of an equal request that is in progress; None if it was given up."""

    answer: Future[HttpAnswer | None]
    seconds: float | None


Step = Run | Wait
Steps = Generator[Step, Any, T]
