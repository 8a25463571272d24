"""Players, blocking and awaited, closed after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest

from tests.endpoint.key_material import pair
from tests.play.visit import PLAYERS

TODAY = date(2026, 11, 30)


@pytest.fixture(params=PLAYERS)
def play(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """A function that makes a player: a `FlowPlayer`, or an `AsyncFlowPlayer` with the same face."""
    with ExitStack() as players:

        def make(flow: Any, **options: Any) -> Any:
            player = PLAYERS[request.param](flow, **{"today": TODAY, **options})
            players.callback(player.close)
            return player

        yield make


@pytest.fixture(scope="session")
def other_key() -> str:
    """The public key of somebody else."""
    return pair(1).public_pem
