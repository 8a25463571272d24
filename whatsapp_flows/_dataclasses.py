"""
Frozen dataclasses whose methods are made when they are first used.

`dataclass(frozen=True)` compiles up to six methods per class, and `dataclasses` loads `inspect`: for the fifty values
on the way to a client that takes as long as half of `import requests`, and a process uses a few of them. The decorator
here makes the slots at once, and hands the class to the standard library's `dataclass` before anything needs it: when
the first value is made, compared, shown or unpickled, or when `dataclasses` asks for the fields. From then on the class
is what the standard library made of it, at its speed.

Type checkers see `dataclasses` itself. Meant for `@dataclass(frozen=True, slots=True)`, with or without `kw_only=True`,
in modules that have `from __future__ import annotations`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

__all__ = ["dataclass", "field", "replace"]

T = TypeVar("T")

_METHODS: Final = (
    *("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"),
    *(("__replace__",) if sys.version_info >= (3, 13) else ()),
)
_METADATA: Final = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__signature__")
_making: Final = RLock()  # making a class makes its bases first

if hasattr(os, "register_at_fork"):  # a child must inherit neither a held lock nor a class that is half made
    os.register_at_fork(before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release)


class _Field:
    """The arguments of a `dataclasses.field`, until the class is made."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments


class _Metadata:
    """An attribute of a class that is made when it is read."""

    def __init__(self, name: str, make: Callable[[], type]) -> None:
        self.name = name
        self.make = make

    def __get__(self, instance: object, owner: type) -> object:
        made = self.make()
        if self.name == "__signature__":  # which no dataclass has: what is read next is the `__init__` that was made
            raise AttributeError(self.name)
        return getattr(made, self.name)


def _dataclass(**options: Any) -> Callable[[type], type]:
    return lambda source: _deferred(source, options)


def _deferred(source: type, options: dict[str, Any]) -> type:
    """The class with its slots, and with methods that make the real ones when they are first called."""
    names = [name for name, kind in source.__annotations__.items() if not kind.startswith("ClassVar")]
    namespace = {name: value for name, value in vars(source).items() if name not in {"__dict__", "__weakref__"}}
    own = {name: value for name, value in namespace.items() if name not in names}
    stubs = [name for name in _METHODS if name not in own]
    cls = type(source)(source.__name__, source.__bases__, own | {"__slots__": tuple(names)})
    cls.__qualname__ = source.__qualname__

    def make() -> type:
        with _making:
            if isinstance(vars(cls).get("__dataclass_fields__"), _Metadata):
                _make(cls, namespace, options)
        return cls

    for name in stubs:
        setattr(cls, name, _stub(name, make))
    for name in _METADATA:
        setattr(cls, name, _Metadata(name, make))
    cls.__getstate__, cls.__setstate__ = _get_state, _set_state  # type: ignore[attr-defined]
    return cls


def _stub(name: str, make: Callable[[], type]) -> Callable[..., object]:
    def first_use(self: object, *args: object, **kwargs: object) -> object:
        return getattr(make(), name)(self, *args, **kwargs)

    return first_use


def _make(cls: type, namespace: dict[str, Any], options: dict[str, Any]) -> None:
    """
    Has the standard library process a copy of the class, and gives the class what was added to the copy.

    Can be repeated: an exception of a signal handler (a worker's time limit, Ctrl-C) may end it at any point.
    """
    library = import_module("dataclasses")
    before = {
        name: library.field(**value.arguments) if isinstance(value, _Field) else value
        for name, value in namespace.items()
    }
    copied = type(cls)(cls.__name__, cls.__bases__, dict(before))
    copied.__qualname__ = cls.__qualname__
    library.dataclass(**{**options, "slots": False})(copied)
    made = {name: value for name, value in vars(copied).items() if before.get(name) is not value}
    if "__signature__" in vars(cls):
        delattr(cls, "__signature__")
    # The fields last: with them the class counts as made.
    ignored = {"__dict__", "__weakref__", *cls.__slots__}  # type: ignore[attr-defined]
    for name in sorted(made.keys() - ignored, key="__dataclass_fields__".__eq__):
        setattr(cls, name, made[name])


def _get_state(self: Any) -> list[object]:
    return [getattr(self, each.name) for each in import_module("dataclasses").fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for each, value in zip(import_module("dataclasses").fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


def _replace(value: T, /, **changes: Any) -> T:
    changed: T = import_module("dataclasses").replace(value, **changes)
    return changed


if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    dataclass, field, replace = _dataclass, _Field, _replace
