"""The package as `tools.house` reads it: a few seconds, so that tests in the group "layers" share it."""

from __future__ import annotations

from functools import cache

from tools.house import House


@cache
def the_house() -> House:
    """Each file of the package parsed once in a process."""
    return House()
