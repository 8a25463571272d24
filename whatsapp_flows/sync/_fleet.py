"""
The same flows for many accounts, for a platform that deploys to its customers.

`Fleet` runs on any executor, an account at a time on each of its workers. `deploy_flow` is for task queues: one account
and one flow, with plain values as arguments and result. In both cases the credentials come from a function of the
host: no message and no pickle holds a token.
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
from .._interrupts import is_interrupt
from ..client import FlowsClient
from ..errors import ConfigurationError, FatalError, FlowsError, NotFoundError, RetryableError
from ..retry import NoRetry, RetryPolicy
from .account import Lock, LockEntry, Snapshot, read_flow, take_snapshot
from .applying import INTERRUPTED, NOT_BEGUN, FlowResult, apply
from .calls import EitherStop, RunPace, either_stop, paced
from .desired import DesiredFlow
from .planning import PlanOptions, diff

ClientFor = Callable[[str], FlowsClient]
"""A function of the host: returns a client for an account's id. The fleet closes the client after use."""

logger: Final = logging.getLogger("whatsapp_flows")

_THREADS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult:
    """The result of one account: a result for each flow, or the error because of which none was changed."""

    account_id: str
    results: tuple[FlowResult, ...] = ()
    calls: int = 0
    error: FlowsError | None = None

    @property
    def ok(self) -> bool:
        """Whether every flow is as desired."""
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
    `executor` is any `concurrent.futures.Executor`, which stays open; None uses threads of its own. On either, `size`
    accounts are deployed at once. `lock_folder` has a lock file for each account. `calls_per_hour` is each account's
    own budget, `jobs` the number of flows side by side in one account. `options` and `force` are as for `diff` and
    `apply`.
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
        A result for each account, in the order in which they finish. One that fails stops no other.

        The work begins with the first `next()`. Accounts are taken from `accounts` only when one can begin. Leaving the
        iteration, or setting `stop`, ends the run: no further account is begun, and those in progress end as `apply`
        does. `stop` cannot reach another process: with an executor of processes, accounts in progress are waited for.
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
        """Keep `size` accounts running; the next ones are submitted before finished results are yielded."""
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
    """Each account once, lazily."""
    known: set[str] = set()
    for account in accounts:
        if account not in known:
            known.add(account)
            yield account


def _outcome(future: Future[AccountResult], account_id: str) -> AccountResult:
    """The result of an account, or an error if the executor failed."""
    try:
        return future.result()
    except Exception as failure:
        if is_interrupt(failure):
            raise
        logger.exception("The executor lost account %s", inert(account_id))
        kind = type(failure).__name__
        lost = FatalError(f"the executor failed ({kind}): it is unknown what was done for account {account_id}.")
        return AccountResult(account_id=account_id, error=lost)


@dataclass(frozen=True, slots=True)
class _Task:
    """The deployment of one account, as a value that can be pickled. In another process it has no `stop`."""

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
                stop = either_stop(self.stop, opened.options.stop)
                pace = RunPace(self.calls_per_hour, stop=stop)
                try:
                    with paced(opened.with_options(stop=stop), pace) as client:
                        results = self._deployed(client, account_id)
                finally:
                    calls = pace.calls
        except FlowsError as known:
            error = known
        except Exception as unexpected:
            if is_interrupt(unexpected):
                raise
            logger.exception("The deployment to account %s failed unexpectedly", inert(account_id))
            kind = type(unexpected).__name__
            error = FatalError(f"the deployment to account {account_id} failed unexpectedly ({kind}).")
        else:
            return AccountResult(account_id=account_id, results=results, calls=calls)
        return AccountResult(account_id=account_id, calls=calls, error=error)

    def _deployed(self, client: FlowsClient, account_id: str) -> tuple[FlowResult, ...]:
        lock = Lock(self._lock_file(account_id), account_id=account_id)
        plan = diff(self.flows, take_snapshot(client, self.flows, lock, jobs=self.jobs), self.options)
        return apply(client, plan, lock=lock, jobs=self.jobs, force=self.force)

    def _client(self, account_id: str) -> FlowsClient:
        """The host's client. Another exception fails this account; its text may hold a secret and is left out."""
        try:
            client = self.client_for(account_id)
        except FlowsError:
            raise
        except Exception as raised:  # the host's own code
            if is_interrupt(raised):
                raise
            kind = type(raised).__name__
            raise ConfigurationError(f"client_for failed for account {account_id} ({kind}).") from None
        if not isinstance(client, FlowsClient):
            raise ConfigurationError(f"client_for returned no FlowsClient for account {account_id}.")
        if client.waba_id != account_id:
            client.close()
            raise ConfigurationError(f"client_for returned a client for another account than {account_id}.")
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
    Deploy one flow to the client's account. For a task queue: arguments and result are plain values.

    `flow` is the result of `DesiredFlow.to_json`, `options` are fields of `PlanOptions`. Returns the values of
    `FlowResult.to_json`, and under "seen" a value to pass the next time: with it one call finds the flow, rather than
    a listing of the account. A stale one costs calls, and causes no wrong write.

    Without a `retry_policy` every call is made once. A `RetryableError` is raised, so that the queue can repeat the
    task later (`error.retry_after`); the repeated task continues where the first one ended, and creates nothing twice.
    Every other failure is in the result.
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
    """Read from the flow itself, if it is known and still has that name; else from a listing."""
    if known is not None:
        try:
            found = read_flow(client, desired, known.id, lock)
        except NotFoundError:
            found = None
        if found is not None and found.name == desired.name and found.status != "DEPRECATED":
            return Snapshot(account_id=client.waba_id, flows={desired.key: found}, listed=1)
    return take_snapshot(client, [desired], lock, jobs=1)


def _entry(seen: Mapping[str, Any] | None, desired: DesiredFlow) -> LockEntry | None:
    entry = LockEntry.from_json(seen)
    return entry if entry is not None and entry.name == desired.name else None
