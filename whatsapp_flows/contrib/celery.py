"""
Celery: the same flows for many accounts, by workers on many machines. Extra `celery`.

    tasks = FlowsTasks(app, client_for=client_for, redis=Redis.from_url("redis://..."))
    deployment = tasks.deploy_fleet(account_ids, flows)

Rule 1: no worker sleeps. Whatever has to wait becomes a `countdown`.
Rule 2: a task may be delivered twice, cut off anywhere and begun again: it looks at what is there before it writes.
Rule 3: of two deployments the later one wins, however long a task of the earlier one has waited.
Rule 4: a message names the account and the flow. The token comes from the host's `client_for`, inside the worker, and
        never leaves it.
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

from .._wire import short_repr
from ..client import FlowsClient
from ..errors import ConfigurationError, FlowsError, NotSentError, RateLimitedError, TokenUnavailableError
from ..retry import ExponentialBackoff, NoRetry, RetryPolicy, equal_jitter
from ..sync import ClientFor, DesiredFlow, FlowResult, PlanOptions, Workspace, apply, diff, take_snapshot
from ._again import Again, Progress, again
from ._gate import Gate
from ._shared import NoRoomError, SharedDocuments, SharedLock, SharedState

__all__ = ["SETTINGS", "FleetDeployment", "FlowDeployment", "FlowsTasks"]

SETTINGS: Final[Mapping[str, Any]] = {
    "task_serializer": "json",
    "result_serializer": "json",
    "accept_content": ["json"],
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {"visibility_timeout": 3600},
}
"""
What a Celery app that runs these tasks should have, for `app.conf.update`.

Nothing but JSON, because what a pickle does when it is read is up to its writer. One message ahead for each worker
process, so that a task does not wait behind a slow one. `visibility_timeout` (seconds; for Redis as the broker): a
message that was not acknowledged for so long goes to another worker. It is how long the work of a machine that has died
stays undone, and must be at least twice the longest run of a task: some requests, each at most as long as its timeout.
"""

# What a flow that has to be changed usually takes: a listing, a look, an upload, a publishing. With less room in the
# budget than that, a task does not begin.
_USUAL_CALLS: Final = 4

logger: Final = logging.getLogger("whatsapp_flows")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDeployment:
    """
    What became of one flow of one account.

    `key`, `name`, `id`, `action` and `status` are those of `FlowResult`; `error` says what is not as it should be
    (None: all is), `retryable` whether another deployment may help. `attempts` counts the tries that were not just
    waiting for the budget.
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
        """Whether the flow is as it should be."""
        return self.error is None

    def to_json(self) -> dict[str, Any]:
        """Plain values: what the result backend holds."""
        return {name: getattr(self, name) for name in FlowDeployment.__slots__}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FlowDeployment:
        """The value that `to_json` wrote."""
        return cls(**document)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDeployment:
    """What `deploy_fleet` put on the queue: for each account, each flow's key and Celery's result of its task."""

    tasks: Mapping[str, Mapping[str, AsyncResult[Any]]]

    def results(self, timeout: float | None = None) -> dict[str, tuple[FlowDeployment, ...]]:
        """
        Wait for all of it, at most `timeout` seconds, and return what became of each flow, by account.

        Needs a result backend. Raises `celery.exceptions.TimeoutError` when something is not done by then. A task that
        ended by something that is no `FlowsError`, which would be a mistake in the host's or in this code, is
        reported with the name of that.
        """
        end = None if timeout is None else time.monotonic() + timeout
        return {
            account: tuple(_waited(account, key, task, end) for key, task in tasks.items())
            for account, tasks in self.tasks.items()
        }


def _waited(account: str, key: str, task: AsyncResult[Any], end: float | None) -> FlowDeployment:
    left = None if end is None else max(end - time.monotonic(), 0.01)
    found = task.get(timeout=left, propagate=False)
    if isinstance(found, BaseException):
        return FlowDeployment(account=account, key=key, name=key, error=type(found).__name__)
    return FlowDeployment.from_json(found)


class FlowsTasks:
    """
    The task `deploy_flow` on a host's Celery app, and what it needs.

    `client_for` is the host's own, as for `Fleet`: asked in the worker, with an account's id, for a client with its
    token, which is closed after use. A `LookupError` from it ends the task, any other exception is tried again;
    neither text is told, as it may hold the token. `redis` is the server that all workers share. `rate` is the budget
    of an account, all workers together, in the notation of the package limits, or a function from an account's id to
    that.

    `max_attempts` is how often a flow is tried, `retry_policy` when again; None is an `ExponentialBackoff` with
    `equal_jitter` that accepts a floor of up to a day, since nobody sleeps meanwhile. Those of the client are not used.
    `options` is what a plan may do. `on_result` hears of each flow that is done, in the worker, after the log. A
    countdown longer than `max_countdown` seconds, or than half of the broker's visibility timeout, is taken in parts.
    A worker that has died holds a flow for at most `guard_seconds`; a single request must not take longer. Flows stay
    in Redis for `keep_flows` seconds, which must be longer than a deployment takes. `prefix` begins every Redis key.

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
            acks_late=True,  # a worker that dies has not acknowledged its message,
            reject_on_worker_lost=True,  # and neither has a worker process whose parent lives
            max_retries=None,  # counted here: waiting for the budget is no failure
        )
        def deploy_flow(
            task: Task[Any, Any], account: str, key: str, flow: str, progress: dict[str, Any] | None = None
        ) -> dict[str, Any]:
            """Make one flow of one account what is wanted. `flow` is where it is kept, `progress` what was before."""
            return self._run(task, (account, key, flow), progress)

        self.deploy_flow: Task[Any, Any] = deploy_flow

    def __repr__(self) -> str:
        return f"FlowsTasks(name={self.deploy_flow.name!r})"

    # Putting on the queue

    def deploy_fleet(self, accounts: Iterable[str], flows: Iterable[DesiredFlow]) -> FleetDeployment:
        """
        One task for each account and flow. Returns as soon as they are on the queue.

        The flows go to Redis once, whatever the number of accounts. A task of an earlier deployment that still waits,
        with another version of a flow, ends without touching it. Raises `ConfigurationError` for two flows with one
        key or name, `NotSentError` when Redis cannot be reached, and what Celery raises when the broker cannot be.
        """
        workspace = Workspace(flows=tuple(flows))
        kept = {flow.key: self._state.put(flow) for flow in workspace.flows}
        return FleetDeployment(tasks={account: self._queued(account, kept) for account in dict.fromkeys(accounts)})

    def _queued(self, account: str, kept: Mapping[str, str]) -> Mapping[str, AsyncResult[Any]]:
        if kept:
            self._state.want(account, kept)
        return {key: self.deploy_flow.apply_async((account, key, digest)) for key, digest in kept.items()}

    # In the worker

    def _run(self, task: Task[Any, Any], wanted: tuple[str, str, str], told: dict[str, Any] | None) -> dict[str, Any]:
        """One try: done, or back on the queue."""
        account, key, kept = wanted
        now = self._clock()
        progress = Progress(**told) if told else Progress(since=now)
        eager = bool(task.request.is_eager)
        if progress.not_before > now and not eager:
            early = replace(progress, waits=progress.waits + 1)
            raise self._retry(task, wanted, Again(delay=progress.not_before - now, progress=early, reason="not yet"))
        result = self._attempt(str(task.request.id), account, key, kept)
        error = result.error
        step = None
        if error is not None and not eager:  # an eager task has nobody to wait for it
            step = again(
                error,
                progress,
                retries=task.request.retries,
                max_attempts=self._max_attempts,
                policy=self._policy,
                now=self._clock(),
                chance=self._chance,
            )
        if step is not None:
            logger.info(
                "Flow %s of account %s again in %.1f s: %s", key, account, step.delay, step.reason,
                extra={"flow_key": key, "account": account, "delay": step.delay},
            )  # fmt: skip
            raise self._retry(task, wanted, step)
        return self._done(account, result, attempts=task.request.retries - progress.waits + 1)

    def _retry(self, task: Task[Any, Any], wanted: tuple[str, str, str], step: Again) -> BaseException:
        """Puts the task back on the queue, for later; returns what has to be raised then."""
        countdown = min(step.delay, self._longest_countdown(task.app))
        try:
            return task.retry(
                args=wanted, kwargs={"progress": step.progress.to_json()}, countdown=countdown, throw=False
            )
        except Reject as lost:  # the broker is away, and Celery would drop the task
            return Reject(lost.args[0], requeue=True)

    def _longest_countdown(self, app: Celery) -> float:
        """
        In seconds. Redis (and SQS) as the broker gives a message that waits for its time to a second worker, too, once
        the visibility timeout is over.
        """
        visible = (app.conf.broker_transport_options or {}).get("visibility_timeout")
        return min(self._max_countdown, visible / 2) if visible else self._max_countdown

    def _attempt(self, task_id: str, account: str, key: str, kept: str) -> FlowResult:
        """Look, plan, apply, with nothing repeated. Raises nothing of ours."""
        name = key
        try:
            with self._state.counted(task_id):
                flow = self._state.get(kept)
                name = flow.name
                self._state.require(account, _USUAL_CALLS)
                with self._state.guarded(account, name) as guard, self._client(account) as opened:
                    self._state.raise_if_superseded(account, key, kept)
                    gate = Gate(self._state, guard, account)
                    with opened.wrapping(gate.around).with_options(max_attempts=1, retry_policy=NoRetry()) as client:
                        result = self._deploy(client, gate, flow, account)
        except FlowsError as error:
            result = FlowResult(key=key, name=name, action="blocked", problem=str(error), error=error)
        self._heed(account, result.error)
        return result

    def _deploy(self, client: FlowsClient, gate: Gate, flow: DesiredFlow, account: str) -> FlowResult:
        lock = SharedLock(self._state, account, flow.key)
        plan = diff((flow,), take_snapshot(client, (flow,), lock, jobs=1), self._options)
        if plan.pending:
            gate.reserve(plan.calls, unpublishes=any(change.unpublishes for change in plan.pending))
        (result,) = apply(
            client, plan, lock=lock, jobs=1, retry_policy=NoRetry(),
            old_documents=SharedDocuments(self._state, account),
        )  # fmt: skip
        return result

    def _heed(self, account: str, error: FlowsError | None) -> None:
        """What Meta said about the limit holds for all workers."""
        if isinstance(error, RateLimitedError) and not isinstance(error, NoRoomError) and error.retry_after:
            with suppress(NotSentError):  # no Redis, no pause: the next call for the account is refused, too
                self._state.pause(account, error.retry_after)

    def _client(self, account: str) -> FlowsClient:
        try:
            client = self._client_for(account)
        except FlowsError:
            raise
        except LookupError:
            raise ConfigurationError(f"client_for knows no account {account}.") from None
        except Exception as error:  # noqa: BLE001 - the host's code, whose text may hold the token
            kind = type(error).__name__
            raise NotSentError(f"client_for failed for account {account} ({kind}).") from None
        if client.waba_id != account:
            raise ConfigurationError(f"client_for gave a client of another account for {account}.")
        return client

    def _done(self, account: str, result: FlowResult, *, attempts: int) -> dict[str, Any]:
        """The log line, the host's callback, the value for the result backend."""
        said = result.to_json()
        problem = said["error"] or {"message": None, "retryable": False}
        retryable = problem["retryable"] or isinstance(result.error, TokenUnavailableError)
        told = " ".join(filter(None, (problem["message"], result.note))) or None
        deployment = FlowDeployment(
            account=account, key=result.key, name=result.name, id=said["id"], action=result.action,
            status=said["status"], error=told, retryable=retryable, attempts=attempts,
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
            except Exception:  # the host's callback may raise anything; the flow is deployed all the same
                logger.exception("on_result failed for flow %s of account %s", result.key, account)
        return facts
