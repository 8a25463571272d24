"""
Deployments that the tests kill: `python -m tests.sync.deployment`, with one in each line of stdin.

A line is a JSON array: URL, account, lock file, jobs, number, side. The deployment dies by SIGKILL at its request of
that number (from 1), on one side of it: "before" it is sent, or "after" Meta has acted, with the answer not read. When
it makes fewer requests it ends by itself. Each is a process of its own, forked from this one, which has loaded
everything already; how it ended is a line of stdout, as `subprocess` says it in `returncode`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn, TextIO

from tests.sync.support import OTHER_FLOW_JSON, desired, planned
from whatsapp_flows import FlowsClient, RequestsTransport
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Lock, apply
from whatsapp_flows.transport import Request, Response, Timeout

WANTED = (
    desired("created", publish=True),
    desired("connected", publish=True, application_id="20300000000000009"),
    desired("republished", publish=True, categories=("SURVEY",)),
    desired("drafted"),
)


def prepare(meta: Emulator) -> None:
    """What the account has before: two of the four flows, with another Flow JSON."""
    meta.add_flow("Republished", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    meta.add_flow("Drafted", flow_json=OTHER_FLOW_JSON)


class DeadlyTransport:
    """Sends, until the request that kills."""

    def __init__(self, number: int, side: str) -> None:
        self._left, self._side = number, side
        self._counting = threading.Lock()
        self._transport = RequestsTransport()

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        with self._counting:
            self._left -= 1
            deadly = self._left == 0
        if deadly and self._side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        response = self._transport.send(request, timeout=timeout)
        if deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return response

    def close(self) -> None:
        self._transport.close()


def deploy(url: str, account: str, lock_file: str, jobs: int, number: int, side: str) -> None:
    """Plan and apply."""
    client = FlowsClient("token", account, base_url=url, transport=DeadlyTransport(number, side))
    lock = Lock(Path(lock_file), account_id=account)
    results = apply(client, planned(client, WANTED, lock), lock=lock, jobs=jobs)
    assert all(result.ok for result in results), results


def serve(jobs: TextIO, answers: TextIO) -> None:
    """A process for each line, one after the other."""
    for job in jobs:
        pid = os.fork()
        if pid == 0:
            _run(job)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=answers, flush=True)


def _run(job: str) -> NoReturn:
    try:
        deploy(*json.loads(job))
    except BaseException:  # noqa: BLE001 - told here, and by the exit code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
