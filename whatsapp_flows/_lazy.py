"""Names of a package that are loaded from its modules when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """The `__getattr__` of a package; `modules` is relative module -> the names that come from it."""

    def load(name: str) -> object:
        for module, names in modules.items():
            if name in names:
                found: object = getattr(import_module(module, package), name)
                setattr(sys.modules[package], name, found)
                return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
