"""
Exceptions that a signal handler raised, as opposed to the code that was interrupted.

A signal handler runs between two instructions of the main thread, and its exception propagates from there. The time
limits of Celery (`SoftTimeLimitExceeded`) and RQ (`JobTimeoutException`) work like this. Unlike `KeyboardInterrupt`,
they derive from `Exception`, so `except Exception` would catch them.
"""

from __future__ import annotations

import functools
from importlib import import_module
from types import CodeType


def is_interrupt(error: BaseException) -> bool:
    """Whether a signal handler raised the exception, and not the code that the signal interrupted."""
    codes = set()
    trace = error.__traceback__
    while trace is not None:
        codes.add(trace.tb_frame.f_code)
        trace = trace.tb_next
    signal = import_module("signal")  # loaded for this alone: its enumerations take as long as a module of this package
    return any(_code(signal.getsignal(number)) in codes for number in signal.valid_signals())


def _code(handler: object) -> CodeType | None:
    """The code object that runs when a handler is called; None when it is not written in Python."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    for function in (handler, getattr(handler, "__func__", None), vars(type(handler)).get("__call__")):
        if isinstance(code := getattr(function, "__code__", None), CodeType):
            return code
    return None
