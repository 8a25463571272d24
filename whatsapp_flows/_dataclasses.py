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

from collections.abc import Callable
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

__all__ = ["dataclass", "field", "replace"]

T = TypeVar("T")

_METHODS: Final = ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")
_METADATA: Final = ("__dataclass_fields__", "__dataclass_params__", "__signature__")
_making: Final = RLock()  # making a class makes its bases first


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
        if self.name == "__signature__" and owner is not made:
            raise AttributeError(self.name)  # a subclass may have an `__init__` of its own
        return import_module("inspect").signature(made) if self.name == "__signature__" else getattr(made, self.name)


def _dataclass(**options: Any) -> Callable[[type], type]:
    return lambda source: _deferred(source, options)


def _deferred(source: type, options: dict[str, Any]) -> type:
    """The class with its slots, and with methods that make the real ones when they are first called."""
    own = dict(vars(source))
    names = [name for name, kind in source.__annotations__.items() if not kind.startswith("ClassVar")]
    for name in (*names, "__dict__", "__weakref__"):
        own.pop(name, None)
    stubs = [name for name in _METHODS if name not in own]
    cls = type(source)(source.__name__, source.__bases__, own | {"__slots__": tuple(names)})
    cls.__qualname__ = source.__qualname__

    def make() -> type:
        with _making:
            if isinstance(vars(cls).get("__dataclass_fields__"), _Metadata):
                _make(cls, source, options)
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


def _make(cls: type, source: type, options: dict[str, Any]) -> None:
    """Has the standard library process the source, and gives the class what came of it."""
    library = import_module("dataclasses")
    for name, value in list(vars(source).items()):
        if isinstance(value, _Field):
            setattr(source, name, library.field(**value.arguments))
    before = dict(vars(source))
    library.dataclass(**{**options, "slots": False})(source)
    made = {name: value for name, value in vars(source).items() if before.get(name) is not value}
    delattr(cls, "__signature__")
    # The fields last: with them the class counts as made.
    for name in sorted(made.keys() - cls.__slots__, key="__dataclass_fields__".__eq__):  # type: ignore[attr-defined]
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
