"""
The same flows for many accounts: a platform that deploys to its customers.

`Fleet` runs on any executor, an account at a time on each of its workers. `deploy_flow` is one account and one flow,
from plain values to plain values, for task queues. Credentials come from the host's own function in either case: no
message and no pickle holds a token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..client import FlowsClient
from ..errors import ConfigurationError, FlowsError, NotFoundError, RetryableError
from ..retry import NoRetry, RetryPolicy
from ._apply import apply
from ._desired import DesiredFlow
from ._diff import diff
from ._lock import Lock, LockEntry
from ._pace import RunPace, paced
from ._plan import PlanOptions
from ._result import FlowResult
from ._snapshot import Snapshot, look_again, take_snapshot

ClientFor = Callable[[str], FlowsClient]
"""The host's own: from an account's id to a client with its token. The fleet closes the client after use."""

_THREADS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult:
    """What became of one account: a result for each flow, or the error that kept all of them from being touched."""

    account_id: str
    results: tuple[FlowResult, ...] = ()
    calls: int = 0
    error: FlowsError | None = None

    @property
    def ok(self) -> bool:
        """Whether every flow is as it should be."""
        return self.error is None and all(result.ok for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a report."""
        return {
            "account_id": self.account_id,
            "ok": self.ok,
            "calls": self.calls,
            "error": None if self.error is None else {"class": type(self.error).__name__, "message": str(self.error)},
            "flows": [result.to_json() for result in self.results],
        }


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """
    Deploys the same flows to many accounts.

    `client_for` gives a client for an account; with an executor of processes it must be a function of a module.
    `executor` is any `concurrent.futures.Executor`, which stays open; None uses threads of its own, as many as `size`.
    `lock_folder` is where a lock file for each account is kept. `calls_per_hour` is each account's own budget, `jobs`
    the number of flows side by side in one account. `options` and `force` are as for `diff` and `apply`.
    """

    client_for: ClientFor
    executor: Executor | None = field(default=None, repr=False)
    size: int = _THREADS
    lock_folder: Path | None = None
    options: PlanOptions = field(default_factory=PlanOptions)
    force: bool = False
    calls_per_hour: float | None = None
    jobs: int = 1

    def deploy(self, flows: Iterable[DesiredFlow], accounts: Iterable[str]) -> Iterator[AccountResult]:
        """
        A result for each account, as they get ready. One that fails stops no other.

        The work begins with the first result that is asked for.
        """
        wanted = tuple(flows)
        chosen = list(dict.fromkeys(accounts))
        if self.executor is not None:
            yield from self._deployed(self.executor, wanted, chosen)
            return
        with ThreadPoolExecutor(max_workers=max(1, self.size)) as pool:
            yield from self._deployed(pool, wanted, chosen)

    def _deployed(
        self, executor: Executor, flows: tuple[DesiredFlow, ...], accounts: list[str]
    ) -> Iterator[AccountResult]:
        task = _Task(
            self.client_for, flows, self.lock_folder, self.options, self.force, self.calls_per_hour, self.jobs
        )  # fmt: skip
        for future in as_completed([executor.submit(task, account) for account in accounts]):
            yield future.result()


@dataclass(frozen=True, slots=True)
class _Task:
    """The deployment of one account: a value, so that it can be sent to another process."""

    client_for: ClientFor
    flows: tuple[DesiredFlow, ...]
    lock_folder: Path | None
    options: PlanOptions
    force: bool
    calls_per_hour: float | None
    jobs: int

    def __call__(self, account_id: str) -> AccountResult:
        pace = RunPace(self.calls_per_hour)
        try:
            with self.client_for(account_id) as opened:
                client = paced(opened, pace)
                if client.waba_id != account_id:
                    raise ConfigurationError(f"client_for gave a client of another account for {account_id}.")
                lock = Lock(self._lock_file(account_id), account_id=account_id)
                snapshot = take_snapshot(client, self.flows, lock, jobs=self.jobs)
                plan = diff(self.flows, snapshot, self.options)
                results = apply(client, plan, lock=lock, jobs=self.jobs, force=self.force)
        except FlowsError as error:
            return AccountResult(account_id=account_id, calls=pace.calls, error=error)
        return AccountResult(account_id=account_id, results=results, calls=pace.calls)

    def _lock_file(self, account_id: str) -> Path | None:
        if self.lock_folder is None:
            return None
        return self.lock_folder / f"{re.sub('[^A-Za-z0-9_-]', '_', account_id)}.lock.json"


def deploy_flow(
    client: FlowsClient,
    flow: Mapping[str, Any],
    *,
    seen: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    retry_policy: RetryPolicy | None = None,
) -> dict[str, Any]:
    """
    Make one flow of the client's account what is wanted: plain values in, plain values out, for a task queue.

    `flow` is what `DesiredFlow.to_json` gave, `options` are fields of `PlanOptions`. The answer is that of
    `FlowResult.to_json`, and under "seen" what to hand in the next time: with it one call finds the flow, rather than
    a listing of the account. It may be stale: then it costs calls, and causes no wrong write.

    Nothing is waited for: without a `retry_policy` every call is made once. A `RetryableError` comes out, so that the
    queue can come back later (`error.retry_after`); the same task done again goes on where it stood, and makes nothing
    twice. Every other failure is in the answer.
    """
    desired = DesiredFlow.from_json(flow)
    lock = Lock(None, account_id=client.waba_id)
    policy = retry_policy or NoRetry()
    quick = client.with_options(retry_policy=policy)
    known = _entry(seen, desired)
    if known is not None:
        lock.put({desired.key: known})
    snapshot = _snapshot(quick, desired, known, lock)
    plan = diff([desired], snapshot, PlanOptions(**(options or {})))
    (result,) = apply(quick, plan, lock=lock, jobs=1, retry_policy=policy)
    if isinstance(result.error, RetryableError):
        raise result.error
    entry = lock.get(desired.key, result.flow_id)
    return {**result.to_json(), "seen": None if entry is None else entry.to_json()}


def _snapshot(client: FlowsClient, desired: DesiredFlow, known: LockEntry | None, lock: Lock) -> Snapshot:
    """From the flow itself, if it is known and still of that name; else from a listing."""
    if known is not None:
        try:
            found = look_again(client, desired, known.id, lock)
        except NotFoundError:
            found = None
        if found is not None and found.name == desired.name and found.status != "DEPRECATED":
            return Snapshot(account_id=client.waba_id, flows={desired.key: found}, listed=1)
    return take_snapshot(client, [desired], lock, jobs=1)


def _entry(seen: Mapping[str, Any] | None, desired: DesiredFlow) -> LockEntry | None:
    entry = LockEntry.from_json(seen)
    return entry if entry is not None and entry.name == desired.name else None
