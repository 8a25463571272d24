"""Two deployments of the same flows at once, request by request, with faults at every step."""

from __future__ import annotations

import queue
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.effort import some
from tests.sync.support import OTHER_FLOW_JSON, as_wanted, client_of, desired, planned, synced
from whatsapp_flows import FlowsClient, FlowsError, NoAnswerError, RequestsTransport
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Lock, apply
from whatsapp_flows.transport import Request, Response, Timeout

pytestmark = pytest.mark.slow

FAULTS = ("none", "lost before", "lost after", "processing", "outage", "limited", "killed before", "killed after")
WANTED = (
    desired("created", publish=True),
    desired("connected", publish=True, application_id="20300000000000009"),
    desired("republished", publish=True),
    desired("drafted"),
)


class KilledError(BaseException):
    """The process is no more."""


class Deployment:
    """One applier in a thread of its own, whose every request waits to be let through, with a fault or without."""

    def __init__(self, meta: Emulator, lock_file: Path) -> None:
        self._meta = meta
        self._transport = RequestsTransport()
        self._lock_file = lock_file
        self._allowed: queue.Queue[str] = queue.Queue()
        self._stopped: queue.Queue[bool] = queue.Queue()  # at a request (True), or at its end
        self._dead = False
        self.running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.running = self._stopped.get(timeout=30)

    def step(self, fault: str) -> None:
        """Let one request through."""
        self._allowed.put(fault)
        self.running = self._stopped.get(timeout=30)

    def finish(self) -> None:
        """Let everything through."""
        while self.running:
            self.step("none")
        self._thread.join(timeout=30)

    def _run(self) -> None:
        client = FlowsClient(
            "token", self._meta.waba_id, base_url=self._meta.url, transport=self, sleep=lambda seconds: None
        )  # fmt: skip
        try:
            lock = Lock(self._lock_file, account_id=self._meta.waba_id)
            apply(client, planned(client, WANTED, lock), lock=lock, jobs=1)
        except (FlowsError, KilledError):
            pass  # an applier may fail: the account must be sound all the same
        finally:
            self._dead = True
            self._stopped.put(False)

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        if self._dead:
            raise KilledError
        self._stopped.put(True)
        fault = self._allowed.get(timeout=30)
        if fault == "killed before":
            self._dead = True
            raise KilledError
        if fault == "lost before":
            raise NoAnswerError("lost before")
        code = {"processing": (139001, 4016012), "outage": (131000, None), "limited": (80008, None)}.get(fault)
        if code is not None and request.authenticated:
            self._meta.fail(code=code[0], subcode=code[1], times=1)
        response = self._transport.send(request, timeout=timeout)
        if fault == "killed after":
            self._dead = True
            raise KilledError
        if fault == "lost after":
            raise NoAnswerError("lost after")
        return response

    def close(self) -> None:
        self._transport.close()


class TwoDeployments(RuleBasedStateMachine):
    """Whatever the order and the faults, the account ends as it is wanted, each flow exactly once."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.lock_file = Path(self.folder.name) / "flows.lock.json"
        self.meta = Emulator()
        self.meta.start()
        self.meta.add_flow("Republished", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
        self.meta.add_flow("Drafted", flow_json=OTHER_FLOW_JSON)
        self.deployments = [Deployment(self.meta, self.lock_file) for _ in range(2)]

    @precondition(lambda self: any(it.running for it in self.deployments))
    @rule(who=st.integers(0, 1), fault=st.sampled_from(FAULTS), times=st.integers(1, 4))
    def let_through(self, who: int, fault: str, times: int) -> None:
        """Some requests of one of them, the last of which meets the fault."""
        for number in range(times):
            if self.deployments[who].running:
                self.deployments[who].step(fault if number == times - 1 else "none")

    @precondition(lambda self: not all(it.running for it in self.deployments))
    @rule()
    def try_again(self) -> None:
        """Whichever has ended is started anew."""
        for who, deployment in enumerate(self.deployments):
            if not deployment.running:
                deployment.close()
                self.deployments[who] = Deployment(self.meta, self.lock_file)

    def teardown(self) -> None:
        if not hasattr(self, "deployments"):
            return
        try:
            for deployment in self.deployments:
                deployment.finish()
            self.meta.clear_faults()
            names = [flow.name for flow in self.meta.flows()]
            assert len(names) == len(set(names)), names
            client = client_of(self.meta)
            results = synced(client, *WANTED, lock=Lock(self.lock_file, account_id=self.meta.waba_id))
            assert all(result.ok for result in results), results
            as_wanted(self.meta, WANTED)
            assert planned(client, WANTED, Lock(self.lock_file, account_id=self.meta.waba_id)).empty
        finally:
            for deployment in self.deployments:
                deployment.close()
            self.meta.close()
            self.folder.cleanup()


TwoDeployments.TestCase.settings = settings(
    max_examples=some(20, least=5), stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
test_two_deployments_at_once_do_no_harm = TwoDeployments.TestCase
