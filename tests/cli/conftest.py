"""Fixtures: an emulator, and the command line pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.sync.support import FLOW_JSON, write_flows
from whatsapp_flows.emulator import Emulator


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An emulator that knows one token."""
    with Emulator(tokens={"the-token"}) as emulator:
        yield emulator


@pytest.fixture
def cli(meta: Emulator) -> CommandLine:
    """The command line, with an environment that names the emulator, its account and the token."""
    return CommandLine(
        env={
            "WHATSAPP_FLOWS_ACCESS_TOKEN": "the-token",
            "WHATSAPP_FLOWS_WABA_ID": meta.waba_id,
            "WHATSAPP_FLOWS_BASE_URL": meta.url,
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two flows, both with publish = true."""
    write_flows(tmp_path, {"one": FLOW_JSON, "two": FLOW_JSON}, publish=True)
    return tmp_path
