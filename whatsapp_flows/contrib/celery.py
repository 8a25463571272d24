"""
Celery: the same flows for many accounts, by workers on many machines. Extra `celery`.

    tasks = FlowsTasks(app, client_for=client_for, redis=Redis.from_url("redis://..."))
    deployment = tasks.deploy_fleet(account_ids, flows)

Rule 1: no worker sleeps. A wait becomes the `countdown` of a retry.
Rule 2: a task may be delivered twice, killed at any point and run again: it reads the current state before it writes.
Rule 3: of two deployments the later one wins, however long a task of the earlier one has waited.
Rule 4: a message names the account and the flow. The token comes from the host's `client_for`, inside the worker, and
        stays there.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from ._extra import missing

if absent := missing("celery", "celery", "redis", "limits"):
    raise ImportError(absent)

from celery import Celery, Task
from celery.exceptions import Reject
from celery.result import AsyncResult
from redis import Redis

from .._interrupts import is_interrupt
from .._wire import short_repr
from ..client import FlowsClient
from ..errors import ConfigurationError, FlowsError, NotSentError, RateLimitedError, TokenUnavailableError
from ..retry import ExponentialBackoff, NoRetry, RetryPolicy, equal_jitter
from ..sync import ClientFor, DesiredFlow, FlowResult, PlanOptions, Workspace, apply, diff, take_snapshot
from ._redis_state import BudgetExceededError, SharedDocuments, SharedLock, SharedState
from ._request_budget import RequestBudget
from ._reschedule import Progress, Reschedule, reschedule

__all__ = ["SETTINGS", "FleetDeployment", "FlowDeployment", "FlowsTasks"]

SETTINGS: Final[Mapping[str, Any]] = {
    "task_serializer": "json",
    "result_serializer": "json",
    "accept_content": ["json"],
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {"visibility_timeout": 3600},
}
"""
Recommended settings of a Celery app that runs these tasks, for `app.conf.update`.

JSON only, because reading a pickle runs code of its writer's choice. One prefetched message for each worker process, so
that a task does not wait behind a slow one. `visibility_timeout` (seconds; for Redis as the broker): a message that is
not acknowledged for that long is delivered to another worker. So long the work of a machine that has died stays undone.
It must be at least twice the longest run of a task: several requests, each at most as long as its timeout.
"""

# The requests that a changed flow usually takes: list, read, upload, publish. With less left in the budget, a task does
# not start.
_USUAL_CALLS: Final = 4

logger: Final = logging.getLogger("whatsapp_flows")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDeployment:
    """
    The result for one flow of one account.

    `key`, `name`, `id`, `action` and `status` are those of `FlowResult`; `error` describes the failure (None: success),
    `retryable` says whether another deployment may succeed. `attempts` counts the runs, without those that only waited.
    """

    account: str
    key: str
    name: str
    id: str | None = None
    action: str = ""
    status: str | None = None
    error: str | None = None
    retryable: bool = False
    attempts: int = 1

    @property
    def ok(self) -> bool:
        """Whether the deployment succeeded."""
        return self.error is None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as the result backend stores them."""
        return {name: getattr(self, name) for name in FlowDeployment.__slots__}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FlowDeployment:
        """The value that `to_json` wrote."""
        return cls(**document)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDeployment:
    """The tasks that `deploy_fleet` queued: for each account and flow key, Celery's `AsyncResult`."""

    tasks: Mapping[str, Mapping[str, AsyncResult[Any]]]

    def results(self, timeout: float | None = None) -> dict[str, tuple[FlowDeployment, ...]]:
        """
        Wait for all tasks, at most `timeout` seconds, and return the result for each flow, by account.

        Needs a result backend. Raises `celery.exceptions.TimeoutError` when a task is not done by then. For a task that
        ended with an exception other than `FlowsError` (a bug in the host's code or in this one), `error` is the name
        of its type.
        """
        end = None if timeout is None else time.monotonic() + timeout
        return {
            account: tuple(_deployment_of(account, key, task, end) for key, task in tasks.items())
            for account, tasks in self.tasks.items()
        }


def _deployment_of(account: str, key: str, task: AsyncResult[Any], end: float | None) -> FlowDeployment:
    left = None if end is None else max(end - time.monotonic(), 0.01)
    found = task.get(timeout=left, propagate=False)
    if isinstance(found, BaseException):
        return FlowDeployment(account=account, key=key, name=key, error=type(found).__name__)
    return FlowDeployment.from_json(found)


class FlowsTasks:
    """
    The task `deploy_flow` on a host's Celery app, with its configuration.

    `client_for` is the host's function, as for `Fleet`: called in the worker, with an account's id, it returns a client
    with the account's token, which is closed after use. A `LookupError` from it ends the task, any other exception is
    retried; the text of neither is reported, as it may contain the token. `redis` is the server that all workers share.
    `rate` is the budget of an account for all workers together, in the notation of the package limits, or a function
    from an account's id to that.

    `max_attempts` is the number of attempts for a flow, `retry_policy` the wait between them; None is an
    `ExponentialBackoff` with `equal_jitter` that accepts a `retry_after` of up to a day, since no worker sleeps
    meanwhile. Those of the client are not used. `options` is what a plan may do. `on_result` is called in the worker
    with each result, after it is logged. A countdown longer than `max_countdown` seconds, or than half of the broker's
    visibility timeout, is split. A worker that has died holds a flow for at most `guard_seconds`; a single request must
    not take longer. Flows stay in Redis for `keep_flows` seconds, which must be longer than a deployment takes.
    `prefix` is the start of every Redis key.

    It changes no setting of the app: see `SETTINGS`.
    """

    def __init__(
        self,
        app: Celery,
        *,
        client_for: ClientFor,
        redis: Redis,
        rate: str | Callable[[str], str] = "200/hour",
        max_attempts: int = 5,
        retry_policy: RetryPolicy | None = None,
        options: PlanOptions | None = None,
        on_result: Callable[[FlowDeployment], object] | None = None,
        name: str = "whatsapp_flows.deploy_flow",
        max_countdown: float = 600.0,
        guard_seconds: float = 120.0,
        keep_flows: float = 7 * 86400.0,
        prefix: str = "whatsapp-flows",
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if isinstance(max_attempts, bool) or max_attempts < 1:
            raise ConfigurationError(f"max_attempts must be at least 1, not {short_repr(max_attempts)}.")
        if not callable(client_for):
            raise ConfigurationError("client_for must be a function from an account's id to a FlowsClient.")
        self._client_for = client_for
        self._state = SharedState(
            redis, rate=rate, prefix=prefix, guard_seconds=guard_seconds, keep_flows=keep_flows, clock=clock
        )
        self._max_attempts = max_attempts
        self._policy = retry_policy or ExponentialBackoff(jitter=equal_jitter, maximum=600.0, max_wait=86400.0)
        self._options = options
        self._on_result = on_result
        self._max_countdown = max_countdown
        self._clock, self._chance = clock, chance

        @app.task(
            bind=True,
            name=name,
            serializer="json",
            acks_late=True,  # redelivered if the worker dies,
            reject_on_worker_lost=True,  # also if only its child process does
            max_retries=None,  # counted here: waiting for the budget is not a failure
        )
        def deploy_flow(
            task: Task[Any, Any], account: str, key: str, flow: str, progress: dict[str, Any] | None = None
        ) -> dict[str, Any]:
            """Deploy one flow to one account. `flow` is its digest in Redis, `progress` comes from earlier runs."""
            return self._run(task, (account, key, flow), progress)

        self.deploy_flow: Task[Any, Any] = deploy_flow

    def __repr__(self) -> str:
        return f"FlowsTasks(name={self.deploy_flow.name!r})"

    # Queueing

    def deploy_fleet(self, accounts: Iterable[str], flows: Iterable[DesiredFlow]) -> FleetDeployment:
        """
        Queue one task for each account and flow. Returns as soon as they are queued.

        Each flow is stored in Redis once, whatever the number of accounts. A task of an earlier deployment that still
        waits, with another version of a flow, ends without a request. Raises `ConfigurationError` for two flows with
        the same key or name, `NotSentError` when Redis cannot be reached, and Celery's exception when the broker
        cannot be reached.
        """
        workspace = Workspace(flows=tuple(flows))
        digests = {flow.key: self._state.put_flow(flow) for flow in workspace.flows}
        return FleetDeployment(tasks={account: self._queue(account, digests) for account in dict.fromkeys(accounts)})

    def _queue(self, account: str, digests: Mapping[str, str]) -> Mapping[str, AsyncResult[Any]]:
        if digests:
            self._state.set_target(account, digests)
        return {key: self.deploy_flow.apply_async((account, key, digest)) for key, digest in digests.items()}

    # In the worker

    def _run(
        self, task: Task[Any, Any], arguments: tuple[str, str, str], progress_json: dict[str, Any] | None
    ) -> dict[str, Any]:
        """One run: the result, or the task queued again. `arguments` are the account, the key and the digest."""
        account, key, digest = arguments
        now = self._clock()
        progress = Progress(**progress_json) if progress_json else Progress(since=now)
        eager = bool(task.request.is_eager)
        if progress.not_before > now and not eager:
            early = replace(progress, waits=progress.waits + 1)
            step = Reschedule(delay=progress.not_before - now, progress=early, reason="not yet")
            raise self._retry(task, arguments, step)
        result = self._attempt(str(task.request.id), account, key, digest)
        if result.error is not None and not eager:  # an eager task has no queue to wait in
            next_run = reschedule(
                result.error,
                progress,
                retries=task.request.retries,
                max_attempts=self._max_attempts,
                policy=self._policy,
                now=self._clock(),
                chance=self._chance,
            )
            if next_run is not None:
                logger.info(
                    "Flow %s of account %s again in %.1f s: %s", key, account, next_run.delay, next_run.reason,
                    extra={"flow_key": key, "account": account, "delay": next_run.delay},
                )  # fmt: skip
                raise self._retry(task, arguments, next_run)
        return self._done(account, result, attempts=task.request.retries - progress.waits + 1)

    def _retry(self, task: Task[Any, Any], arguments: tuple[str, str, str], step: Reschedule) -> BaseException:
        """Queue the task again; returns the exception to raise."""
        countdown = min(step.delay, self._longest_countdown(task.app))
        try:
            return task.retry(
                args=arguments, kwargs={"progress": step.progress.to_json()}, countdown=countdown, throw=False
            )
        except Reject as lost:  # the broker cannot be reached, and Celery would drop the task
            return Reject(lost.args[0], requeue=True)

    def _longest_countdown(self, app: Celery) -> float:
        """
        In seconds. With Redis or SQS as the broker, a message whose countdown exceeds the visibility timeout is
        delivered to a second worker as well.
        """
        visible = (app.conf.broker_transport_options or {}).get("visibility_timeout")
        return min(self._max_countdown, visible / 2) if visible else self._max_countdown

    def _attempt(self, task_id: str, account: str, key: str, digest: str) -> FlowResult:
        """Snapshot, plan, apply, without retries. Raises no `FlowsError`."""
        name = key
        try:
            with self._state.counted_run(task_id):
                flow = self._state.get_flow(digest)
                name = flow.name
                self._state.check_budget(account, _USUAL_CALLS)
                with self._state.leased(account, name) as lease, self._client(account) as opened:
                    self._state.raise_if_superseded(account, key, digest)
                    budget = RequestBudget(self._state, lease, account)
                    with opened.wrapping(budget.around).with_options(max_attempts=1, retry_policy=NoRetry()) as client:
                        result = self._deploy(client, budget, flow, account)
        except FlowsError as error:
            result = FlowResult(key=key, name=name, action="blocked", problem=str(error), error=error)
        self._apply_backoff_hint(account, result.error)
        return result

    def _deploy(self, client: FlowsClient, budget: RequestBudget, flow: DesiredFlow, account: str) -> FlowResult:
        lock = SharedLock(self._state, account, flow.key)
        plan = diff((flow,), take_snapshot(client, (flow,), lock, jobs=1), self._options)
        if plan.pending:
            budget.reserve(plan.calls, unpublishes=any(change.unpublishes for change in plan.pending))
        (result,) = apply(
            client, plan, lock=lock, jobs=1, retry_policy=NoRetry(),
            old_documents=SharedDocuments(self._state, account),
        )  # fmt: skip
        return result

    def _apply_backoff_hint(self, account: str, error: FlowsError | None) -> None:
        """Pause the account for all workers, if Meta's error says for how long."""
        if isinstance(error, RateLimitedError) and not isinstance(error, BudgetExceededError) and error.retry_after:
            with suppress(NotSentError):  # without Redis there is no pause, and Meta rejects the next call too
                self._state.pause(account, error.retry_after)

    def _client(self, account: str) -> FlowsClient:
        try:
            client = self._client_for(account)
        except FlowsError:
            raise
        except LookupError:
            raise ConfigurationError(f"client_for knows no account {account}.") from None
        except Exception as error:  # the host's code, whose text may contain the token
            if is_interrupt(error):
                raise
            kind = type(error).__name__
            raise NotSentError(f"client_for failed for account {account} ({kind}).") from None
        if client.waba_id != account:
            raise ConfigurationError(f"client_for gave a client of another account for {account}.")
        return client

    def _done(self, account: str, result: FlowResult, *, attempts: int) -> dict[str, Any]:
        """Log the result and call `on_result`; returns the value for the result backend."""
        values = result.to_json()
        problem = values["error"] or {"message": None, "retryable": False}
        retryable = problem["retryable"] or isinstance(result.error, TokenUnavailableError)
        message = " ".join(filter(None, (problem["message"], result.note))) or None
        deployment = FlowDeployment(
            account=account, key=result.key, name=result.name, id=values["id"], action=result.action,
            status=values["status"], error=message, retryable=retryable, attempts=attempts,
        )  # fmt: skip
        facts = deployment.to_json()
        extra = {"flow_key" if name == "key" else f"flow_{name}": value for name, value in facts.items()}
        if deployment.ok:
            logger.info("Flow %s of account %s is deployed: %s", result.key, account, result.action, extra=extra)
        else:
            logger.error("Flow %s of account %s failed: %s", result.key, account, deployment.error, extra=extra)
        if self._on_result is not None:
            try:
                self._on_result(deployment)
            except Exception as error:  # the host's callback may raise anything, which does not undo the deployment
                if is_interrupt(error):
                    raise
                logger.exception("on_result failed for flow %s of account %s", result.key, account)
        return facts
