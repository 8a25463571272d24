"""Fixtures: the pure emulator, and one over a real socket with a client."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.emulator.support import Clock, Graph, Model
from whatsapp_flows.emulator import Emulator


@pytest.fixture
def model() -> Model:
    """The pure emulator with its default world."""
    return Model()


@pytest.fixture
def clock() -> Clock:
    """A time that a test moves."""
    return Clock()


@pytest.fixture
def meta(clock: Clock) -> Iterator[Emulator]:
    """A running emulator; when the test is over no thread of it is left."""
    before = set(threading.enumerate())
    with Emulator(clock=clock) as emulator:
        yield emulator
    assert set(threading.enumerate()) <= before


@pytest.fixture
def graph(meta: Emulator) -> Iterator[Graph]:
    """A plain HTTP client of the running emulator."""
    with Graph(meta) as client:
        yield client
