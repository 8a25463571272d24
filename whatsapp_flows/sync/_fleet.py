"""
The same flows for many accounts: a platform that deploys to its customers.

`Fleet` runs on any executor, an account at a time on each of its workers. `deploy_flow` is one account and one flow,
from plain values to plain values, for task queues. Credentials come from the host's own function in either case: no
message and no pickle holds a token.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Any, Final

from .._inert import inert
from ..client import FlowsClient
from ..errors import ConfigurationError, FatalError, FlowsError, NotFoundError, RetryableError
from ..retry import NoRetry, RetryPolicy
from .account import Lock, LockEntry, Snapshot, look_again, take_snapshot
from .applying import INTERRUPTED, NOT_BEGUN, FlowResult, apply
from .calls import EitherStop, RunPace, either, paced
from .desired import DesiredFlow
from .planning import PlanOptions, diff

ClientFor = Callable[[str], FlowsClient]
"""The host's own: from an account's id to a client with its token. The fleet closes the client after use."""

logger: Final = logging.getLogger("whatsapp_flows")

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
    `executor` is any `concurrent.futures.Executor`, which stays open; None uses threads of its own. `size` is how many
    accounts are under way at once, on either. `lock_folder` is where a lock file for each account is kept.
    `calls_per_hour` is each account's own budget, `jobs` the number of flows side by side in one account. `options`
    and `force` are as for `diff` and `apply`.
    """

    client_for: ClientFor
    executor: Executor | None = field(default=None, repr=False)
    size: int = _THREADS
    lock_folder: Path | None = None
    options: PlanOptions = field(default_factory=PlanOptions)
    force: bool = False
    calls_per_hour: float | None = None
    jobs: int = 1

    def deploy(
        self, flows: Iterable[DesiredFlow], accounts: Iterable[str], *, stop: threading.Event | None = None
    ) -> Iterator[AccountResult]:
        """
        A result for each account, as they get ready. One that fails stops no other.

        The work begins with the first result that is asked for; of `accounts` no more are taken than are under way.
        Leaving the iteration, or setting `stop`, ends it: no other account is begun, and those under way end as
        `apply` does. No event reaches another process: of an executor of processes, they are waited for.
        """
        leaving = threading.Event()
        task = _Task(
            self.client_for, tuple(flows), self.lock_folder, self.options, self.force, self.calls_per_hour, self.jobs,
            leaving if stop is None else EitherStop(leaving, stop),
        )  # fmt: skip
        executor = self.executor or ThreadPoolExecutor(max_workers=max(1, self.size))
        running: dict[Future[AccountResult], str] = {}
        process = os.getpid()
        try:
            yield from self._results(executor, task, _once(accounts), running)
        finally:
            leaving.set()
            if os.getpid() == process:  # in a child there are no such threads, and nothing to wait for
                wait([future for future in running if not future.cancel()])
                if self.executor is None:
                    executor.shutdown(wait=True)

    def _results(
        self,
        executor: Executor,
        task: _Task,
        accounts: Iterator[str],
        running: dict[Future[AccountResult], str],
    ) -> Iterator[AccountResult]:
        """Fills the window, waits for the first that is done, and fills it again before that is handed out."""
        done: list[Future[AccountResult]] = []
        while True:
            results = [_outcome(future, running.pop(future)) for future in done]
            if not task.stop.is_set():
                for account in islice(accounts, max(1, self.size) - len(running)):
                    running[executor.submit(task, account)] = account
            yield from results
            if not running:
                return
            done = list(wait(running, return_when=FIRST_COMPLETED).done)


def _once(accounts: Iterable[str]) -> Iterator[str]:
    """Each account once, taken as they are asked for."""
    known: set[str] = set()
    for account in accounts:
        if account not in known:
            known.add(account)
            yield account


def _outcome(future: Future[AccountResult], account_id: str) -> AccountResult:
    """The result of an account; one that an executor lost is told as such."""
    try:
        return future.result()
    except Exception as failure:
        logger.exception("The executor lost account %s", inert(account_id))
        kind = type(failure).__name__
        lost = FatalError(f"the executor failed ({kind}): what was done for account {account_id} is not known.")
        return AccountResult(account_id=account_id, error=lost)


@dataclass(frozen=True, slots=True)
class _Task:
    """The deployment of one account: a value, so that it can be sent to another process, where nothing stops it."""

    client_for: ClientFor
    flows: tuple[DesiredFlow, ...]
    lock_folder: Path | None
    options: PlanOptions
    force: bool
    calls_per_hour: float | None
    jobs: int
    stop: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, each.name) for each in fields(self) if each.name != "stop")

    def __call__(self, account_id: str) -> AccountResult:
        error: FlowsError
        calls = 0
        try:
            with self._client(account_id) as opened:
                stop = either(self.stop, opened.options.stop)
                pace = RunPace(self.calls_per_hour, stop=stop)
                try:
                    with paced(opened.with_options(stop=stop), pace) as client:
                        results = self._deployed(client, account_id)
                finally:
                    calls = pace.calls
        except FlowsError as known:
            error = known
        except Exception as mistake:
            logger.exception("The deployment to account %s ended by a mistake", inert(account_id))
            error = FatalError(f"the deployment to account {account_id} ended by a mistake ({type(mistake).__name__}).")
        else:
            return AccountResult(account_id=account_id, results=results, calls=calls)
        return AccountResult(account_id=account_id, calls=calls, error=error)

    def _deployed(self, client: FlowsClient, account_id: str) -> tuple[FlowResult, ...]:
        lock = Lock(self._lock_file(account_id), account_id=account_id)
        plan = diff(self.flows, take_snapshot(client, self.flows, lock, jobs=self.jobs), self.options)
        return apply(client, plan, lock=lock, jobs=self.jobs, force=self.force)

    def _client(self, account_id: str) -> FlowsClient:
        """The host's client. Whatever else its function raises is this account's failure; the text may be a secret."""
        try:
            client = self.client_for(account_id)
        except FlowsError:
            raise
        except Exception as mistake:  # noqa: BLE001 - the host's own code
            kind = type(mistake).__name__
            raise ConfigurationError(f"client_for failed for account {account_id} ({kind}).") from None
        if not isinstance(client, FlowsClient):
            raise ConfigurationError(f"client_for gave no FlowsClient for account {account_id}.")
        if client.waba_id != account_id:
            client.close()
            raise ConfigurationError(f"client_for gave a client of another account for {account_id}.")
        return client

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
    known = _entry(seen, desired)
    if known is not None:
        lock.put({desired.key: known})
    with client.with_options(retry_policy=policy) as quick:
        plan = diff([desired], _snapshot(quick, desired, known, lock), PlanOptions(**(options or {})))
        (result,) = apply(quick, plan, lock=lock, jobs=1, retry_policy=policy)
    if isinstance(result.error, RetryableError):
        raise result.error
    if result.halted in {INTERRUPTED, NOT_BEGUN}:
        raise RetryableError(f"{result.problem}: the run was stopped. {result.note}".rstrip())
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
