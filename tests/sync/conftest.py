"""Fixtures: an emulator, a client whose waits take no time, and a place for a lock file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.support import client_of
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An emulator that takes any token."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(meta: Emulator) -> FlowsClient:
    """A client for it."""
    return client_of(meta)


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    """Where the lock file is, or is not yet."""
    return tmp_path / "flows.lock.json"
