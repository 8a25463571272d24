"""A deployment killed at every boundary of a request, for real; the next run goes on where it stood."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sync.deployment import WANTED, prepare
from tests.sync.support import as_wanted, calls, client_of, planned, synced
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Lock

ROOT = Path(__file__).parents[2]
MOST = 60

Kill = Callable[[Emulator, Path, int, str], bool]


@pytest.fixture(scope="module")
def killed() -> Iterator[Kill]:
    """Runs a deployment that dies at a request; False if it got through before."""
    command = [sys.executable, "-m", "tests.sync.deployment"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def kill(meta: Emulator, lock_file: Path, number: int, side: str) -> bool:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps([meta.url, meta.waba_id, str(lock_file), number, side]) + "\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            assert code in {0, -signal.SIGKILL}
            return code != 0

        yield kill
        process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_any_request_the_next_run_finishes(killed: Kill, tmp_path: Path, side: str) -> None:
    """Each flow is there exactly once and as it is wanted; nothing but the lock file is left in its folder."""
    boundaries = 0
    for number in range(1, MOST):
        folder = tmp_path / str(number)
        folder.mkdir()
        lock_file = folder / "flows.lock.json"
        with Emulator() as meta:
            prepare(meta)
            if not killed(meta, lock_file, number, side):
                break
            boundaries += 1
            arrived = len(meta.requests)
            assert arrived == (number - 1 if side == "before" else number)
            results = synced(client_of(meta), *WANTED, lock=Lock(lock_file, account_id=meta.waba_id))
            assert all(result.ok for result in results), (number, results)
            as_wanted(meta, WANTED)
            meta.clear_requests()
            assert planned(client_of(meta), WANTED, Lock(lock_file, account_id=meta.waba_id)).empty
            assert {request.method for request in meta.requests} == {"GET"}, calls(meta)
    assert 12 <= boundaries < MOST - 1
