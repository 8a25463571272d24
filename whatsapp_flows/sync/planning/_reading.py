"""Typed values out of an untrusted JSON document. Each function raises `TypeError` or `ValueError` otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def table(value: object) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise TypeError("not an object")
    return value


def items(value: object) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def text(value: object) -> str:
    """A string that can be encoded as UTF-8."""
    if not isinstance(value, str):
        raise TypeError("not a string")
    value.encode()
    return value


def optional_text(value: object) -> str | None:
    """A string, or None."""
    return None if value is None else text(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of strings."""
    return tuple(text(item) for item in items(value))


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


def optional_flag(value: object) -> bool | None:
    """True, false, or None."""
    return None if value is None else flag(value)


def count(value: object) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError("not a whole number")
    return value


def share(value: object) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("not a number from 0 to 1")
    return float(value)


def one_of(value: object, known: tuple[str, ...]) -> Any:
    """One of the known strings."""
    if not isinstance(value, str) or value not in known:
        raise ValueError("an unknown value")
    return value
