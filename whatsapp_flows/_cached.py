"""A property that is computed on first use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


class cached(Generic[_T]):  # noqa: N801 - used as a decorator, as functools.cached_property is
    """
    functools.cached_property without the lock that it takes before Python 3.12.

    That lock is one for all instances: threads would wait for each other, and a child that is forked meanwhile for
    ever. Two threads may compute a value twice, so it has to be the same each time.
    """

    def __init__(self, make: Callable[[Any], _T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, owner: object, _: object = None) -> _T:
        made = owner.__dict__[self._make.__name__] = self._make(owner)
        return made
