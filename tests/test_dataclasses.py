"""Frozen dataclasses that are made on first use behave like those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import os
import pickle
import threading
from collections.abc import Callable
from typing import Any, ClassVar
from unittest.mock import create_autospec

import pytest

from tests.forks import in_a_child, needs_fork
from whatsapp_flows._dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A value to derive from."""

    name: str
    note: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Base):
    """A value with fields of its own."""

    items: list[int] = field(default_factory=list, compare=False)

    @property
    def size(self) -> int:
        return len(self.items)


def fresh() -> Any:
    """A class that nothing has used yet."""

    @dataclass(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("x")

    return Point


@pytest.mark.parametrize(
    ("first_use", "expected"),
    [
        (lambda cls: repr(cls(1)), "fresh.<locals>.Point(x=1, y=2)"),
        (lambda cls: cls(1) == cls(1, 2), True),
        (lambda cls: cls(1) == cls(1, 3), False),
        (lambda cls: hash(cls(1)) == hash(cls(1)), True),
        (lambda cls: [each.name for each in dataclasses.fields(cls)], ["x", "y"]),
        (dataclasses.is_dataclass, True),
        (lambda cls: dataclasses.asdict(cls(1)), {"x": 1, "y": 2}),
        (lambda cls: str(inspect.signature(cls)), "(x: 'int', y: 'int' = 2) -> None"),
        (lambda cls: hasattr(cls, "__signature__"), False),
        (lambda cls: cls.__slots__, ("x", "y")),
        (lambda cls: cls.__match_args__, ("x", "y")),
        (lambda cls: create_autospec(cls)(1, y=3).x is not None, True),
        (lambda cls: hasattr(cls(1), "__dict__"), False),
        (lambda cls: copy.copy(cls(1)) == cls(1), True),
        (lambda cls: (cls.__doc__, cls.__name__, cls.__module__), ("A place.", "Point", __name__)),
    ],
)
def test_the_first_use_makes_the_class(first_use: Callable[[Any], object], expected: object) -> None:
    """The first use and the second give what a dataclass of the standard library gives."""
    cls = fresh()
    assert first_use(cls) == expected
    assert first_use(cls) == expected


def test_values_are_frozen_and_checked() -> None:
    """A field cannot be set or deleted, `__post_init__` runs, a wrong argument is a `TypeError`."""
    cls = fresh()
    with pytest.raises(ValueError, match="x"):
        cls(-1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        cls(1).x = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        del cls(1).x
    with pytest.raises(TypeError):
        cls(z=1)


def test_a_derived_class_has_the_fields_of_both() -> None:
    """Options of a field hold: what is not shown is not shown, what is not compared is not compared."""
    one = Derived(name="a", note="hidden", items=[1])
    assert repr(one) == "Derived(name='a', items=[1])"
    assert one == Derived(name="a", items=[2])
    assert one != Base(name="a")
    assert one.size == 1
    assert Derived(name="b").items is not Derived(name="b").items
    assert replace(one, name="b") == dataclasses.replace(one, name="b") == Derived(name="b")


def test_a_value_can_be_unpickled_where_its_class_was_not_used() -> None:
    """The class is made by whatever touches the value first; its state needs no call of `__init__`."""
    cls = fresh()
    value = object.__new__(cls)
    value.__setstate__([1, 5])
    assert (value.x, value.y) == (1, 5)
    assert value == cls(1, 5)
    assert pickle.loads(pickle.dumps(Derived(name="a", items=[3]))).items == [3]


def test_hosts_derive_from_a_class_that_was_not_used() -> None:
    """A plain subclass with an `__init__` of its own, and a dataclass of the standard library, work."""
    cls = fresh()

    class Plain(cls):  # type: ignore[misc, valid-type]
        def __init__(self, text: str) -> None:
            super().__init__(int(text))

    assert str(inspect.signature(Plain)) == "(text: 'str') -> 'None'"
    assert Plain("7").x == 7

    @dataclasses.dataclass(frozen=True)
    class Own(fresh()):  # type: ignore[misc]
        z: int = 0

    assert [each.name for each in dataclasses.fields(Own)] == ["x", "y", "z"]


def test_threads_may_use_a_class_first_at_the_same_time() -> None:
    """Each gets a whole value."""
    for _ in range(20):
        cls = fresh()
        barrier = threading.Barrier(4)
        made: list[str] = []

        def use(cls: Any = cls, barrier: threading.Barrier = barrier, made: list[str] = made) -> None:
            barrier.wait()
            made.append(repr(cls(1)))

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == ["fresh.<locals>.Point(x=1, y=2)"] * 4


class Observed:
    """A base that calls functions when a class is derived from it: when one is defined, and when it is made."""

    __slots__ = ()
    on_subclass: ClassVar[list[Callable[[], object]]] = []

    def __init_subclass__(cls) -> None:
        for call in Observed.on_subclass:
            call()


def observed() -> Any:
    """A class of which nothing has been made yet, derived from `Observed`."""

    @dataclass(frozen=True, slots=True)
    class Point(Observed):
        x: int

    return Point


def test_an_interrupted_first_use_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of a signal handler (Ctrl-C, a worker's time limit) does not leave a class half made."""
    cls = observed()
    interrupts = [KeyboardInterrupt()]

    def interrupt() -> None:
        if interrupts:
            raise interrupts.pop()

    monkeypatch.setattr(Observed, "on_subclass", [interrupt])
    with pytest.raises(KeyboardInterrupt):
        cls(1)
    assert cls(1) == cls(1)


@needs_fork
def test_a_fork_waits_for_a_class_that_another_thread_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child can use the class: it inherits neither a held lock nor a class that is half made."""
    cls = observed()
    entered, forking = threading.Event(), threading.Event()
    monkeypatch.setattr(Observed, "on_subclass", [entered.set, lambda: forking.wait(30)])
    thread = threading.Thread(target=cls, args=(1,))
    thread.start()
    assert entered.wait(30)
    os.register_at_fork(before=forking.set)  # hooks run in reverse order: this one before the one that takes the lock
    assert in_a_child(lambda: cls(2).x) == 2
    thread.join()
