"""A deployment process killed before and after each request; the next run continues where it ended."""

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

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

ROOT = Path(__file__).parents[2]
MAX_BOUNDARIES = 60

Kill = Callable[[Emulator, Path, int, int, str], bool]


@pytest.fixture(scope="module")
def killed() -> Iterator[Kill]:
    """Runs a deployment that dies at a request; False if it got through before."""
    command = [sys.executable, "-m", "tests.sync.deployment"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def kill(meta: Emulator, lock_file: Path, jobs: int, number: int, side: str) -> bool:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps([meta.url, meta.waba_id, str(lock_file), jobs, number, side]) + "\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            assert code in {0, -signal.SIGKILL}
            return code != 0

        yield kill
        process.communicate(timeout=30)
    assert process.returncode == 0


def begun(lock_file: Path) -> set[str]:
    """The ids of the flows that the lock file, as a killed process left it, knows an upload of."""
    if not lock_file.exists():
        return set()
    flows = json.loads(lock_file.read_bytes())["flows"]
    return {entry["id"] for entry in flows.values() if entry["processed"] is not None}


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("jobs", [1, 8])
def test_killed_at_any_request_the_next_run_finishes(killed: Kill, tmp_path: Path, jobs: int, side: str) -> None:
    """
    Each flow is there exactly once and as it is wanted, and nothing but the lock file is left in its folder.

    Whatever was uploaded was on the disk as begun before it was sent, also where eight flows write the file at once.
    """
    boundaries = 0
    for number in range(1, MAX_BOUNDARIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        lock_file = folder / "flows.lock.json"
        with Emulator() as meta:
            prepare(meta)
            if not killed(meta, lock_file, jobs, number, side):
                break
            boundaries += 1
            arrived = len(meta.requests)
            assert arrived == (number - 1 if side == "before" else number) or jobs > 1
            uploads = [request for request in meta.requests if request.operation == "update_flow_json"]
            assert {request.path.split("/")[-2] for request in uploads} <= begun(lock_file)
            results = synced(client_of(meta), *WANTED, lock=Lock(lock_file, account_id=meta.waba_id))
            assert all(result.ok for result in results), (number, results)
            as_wanted(meta, WANTED)
            assert [path.name for path in folder.iterdir()] == [lock_file.name]
            meta.clear_requests()
            assert planned(client_of(meta), WANTED, Lock(lock_file, account_id=meta.waba_id)).empty
            assert {request.method for request in meta.requests} == {"GET"}, calls(meta)
    assert 12 <= boundaries < MAX_BOUNDARIES - 1
