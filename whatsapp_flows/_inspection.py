"""The standard library's `inspect`, loaded when it is first asked: most clients are given no callable to look at."""

from __future__ import annotations

from importlib import import_module


def is_coroutine_function(value: object) -> bool:
    """Whether calling the value gives a coroutine."""
    found: bool = import_module("inspect").iscoroutinefunction(value)
    return found
