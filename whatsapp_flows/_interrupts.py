"""
Which exceptions are not those of the code that they came out of.

A signal's handler runs wherever the main thread happens to be, and what it raises comes out there: the time limits of
Celery (`SoftTimeLimitExceeded`) and RQ (`JobTimeoutException`) are such exceptions, and are no `KeyboardInterrupt`
that `except Exception` lets through.
"""

from __future__ import annotations

import functools
import signal
from types import CodeType


def is_interrupt(error: BaseException) -> bool:
    """Whether the handler of a signal raised it, and not the code that the signal struck."""
    codes = set()
    trace = error.__traceback__
    while trace is not None:
        codes.add(trace.tb_frame.f_code)
        trace = trace.tb_next
    return any(_code(signal.getsignal(number)) in codes for number in signal.valid_signals())


def _code(handler: object) -> CodeType | None:
    """What runs when a handler is called; None for those that are no Python code."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    for function in (handler, getattr(handler, "__func__", None), vars(type(handler)).get("__call__")):
        if isinstance(code := getattr(function, "__code__", None), CodeType):
            return code
    return None
