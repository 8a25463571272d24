"""
`sync_flows`: deploys rows to Meta, and writes the results into the rows. Used by the command, the admin, and hosts.

Rule 1: no transaction is open during requests and waits. Each read and each write of a row is a statement of its own;
        inside a transaction of the caller, the call is rejected.
Rule 2: the lease of a row is acquired before anything is sent for it: a conditional UPDATE sets `syncing`, and reports
        whether this process did it. A row that another process holds is skipped.
Rule 3: a lease is renewed while its process lives. A killed process leaves `syncing` behind; after `SYNC_LEASE`
        seconds, or with `force`, the next run acquires the row, and a later result of the first is not written. See
        `_leases`.
Rule 4: what the rows store about Meta decides nothing. A flow is looked up by its name. Two processes that work on the
        same flow do no harm at Meta, because the engine reads a flow again before it writes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.db import DatabaseError, connections, router, transaction
from django.utils import timezone

from ..._documents import Validate
from ..._inert import inert
from ...client import FlowsClient
from ...errors import ConfigurationError, FlowsError, PlanError
from ...models import FlowStatus
from ...sync import (
    DesiredFlow,
    FlowChange,
    FlowEvent,
    FlowResult,
    Plan,
    PlanOptions,
    RunPace,
    apply,
    diff,
    paced,
    take_snapshot,
)
from ._leases import Leases, close_if_unusable
from ._memory import RowDocuments, RowMemory
from .checks import first_lines
from .conf import AppSettings, read_settings
from .models import SyncStatus, WhatsAppFlow

_STATUS_OF: Final[Mapping[str, str]] = {
    FlowStatus.DRAFT.value: str(SyncStatus.DRAFT),
    FlowStatus.PUBLISHED.value: str(SyncStatus.PUBLISHED),
}
_WRITE_TIMEOUT: Final = 60.0  # seconds to write a row before a live flow is changed; else the flow is not changed
_INTERRUPTED: Final = "Interrupted: sync it again."
_NOT_DONE: Final[Mapping[str, str]] = {"interrupted": _INTERRUPTED, "not begun": "Not begun: sync it again."}
# Reason of a blocked change -> what to do about it in this app. For other reasons, the engine's text is used.
_BLOCKED: Final[Mapping[str, str]] = {
    "unpublish": "It is published at Meta, and a change would make it a draft: sync it with publish.",
    "deprecated": "It is deprecated at Meta, which cannot be undone: give it another friendly name.",
    "name": "A deprecated flow at Meta has this name: give it another friendly name.",
    "state": "It is {status} at Meta, and cannot be edited in that state.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """
    The result for one row.

    `action` is the engine's name for what was done, or would be ("create", "upload", "republish", "unchanged" ...),
    "skipped" for a row that another process holds, "failed" for one that could not be planned. `status` is the status
    at Meta (empty: not known), `sync_status` that of the row. `problem` describes what failed or is blocked; empty on
    success. `error` is the exception behind it, if there was one; `attempts` is how often the Flow JSON was sent.
    """

    name: str
    action: str
    flow_id: str = ""
    status: str = ""
    sync_status: str = ""
    attempts: int = 0
    problem: str = ""
    error: FlowsError | None = None

    @property
    def ok(self) -> bool:
        """Whether the flow is deployed as desired; in a dry run, whether nothing prevents it."""
        return not self.problem


def sync_flows(
    rows: Iterable[WhatsAppFlow],
    *,
    publish: bool = False,
    force: bool = False,
    dry_run: bool = False,
    validate: Validate | None = None,
    new_account: bool = False,
    client: FlowsClient | None = None,
) -> tuple[SyncResult, ...]:
    """
    Deploy rows (a queryset, or a list) to Meta, and write the results into them. Returns a result for each, in order.

    `publish`: publish the flows; without it, a published flow that would have to change is not changed, and its result
    has a problem. `force`: include rows that another process has marked as syncing, and allow that most flows of a
    large account change at once. `dry_run` reads, and changes neither Meta nor a row. `validate` selects what happens
    to a flow whose Flow JSON has errors: "error" does not send it, "warn" and "off" do; None uses the settings.
    `new_account`: deploy to the account of the settings although the rows were deployed to another one before.
    `client` is used and left open; None creates one from the settings, with their budget of calls per hour.

    A failing flow does not stop the others. Raises `ConfigurationError`, before anything is sent, for invalid settings,
    and inside a transaction (`ATOMIC_REQUESTS`, `atomic`): call it after the commit, for example with
    `transaction.on_commit`. An interrupt propagates after the rows that it affects have been marked.
    """
    settings = read_settings()
    options = PlanOptions(
        validate=settings.validate if validate is None else validate, new_account=new_account
    )  # fmt: skip
    chosen = list({row.name: row for row in rows}.values())
    if not chosen:
        return ()
    using = router.db_for_write(WhatsAppFlow, instance=chosen[0])
    if not dry_run:
        _refuse_transaction(using)
    with ExitStack() as stack:
        if client is None:
            stop = threading.Event()
            opened = stack.enter_context(settings.client().with_options(stop=stop))
            client = paced(opened, RunPace(settings.calls_per_hour, stop=stop))
        if client.waba_id is None:
            raise ConfigurationError("the account is not set: put its id into WHATSAPP_FLOWS_WABA_ID.")
        run = _Run(client, settings, options, using, publish=publish, force=force)
        return run.preview(chosen) if dry_run else run.sync(chosen)


def _refuse_transaction(using: str) -> None:
    """
    Raise inside a transaction, except that of Django's `TestCase`, which `durable` accepts as well.
    """
    connection = connections[using]
    open_transaction = not connection.in_atomic_block and not connection.get_autocommit()
    try:
        with transaction.atomic(using=using, durable=True):
            pass
    except RuntimeError:
        open_transaction = True
    if open_transaction:
        raise ConfigurationError(
            "sync_flows waits for Meta, and must not be called inside a database transaction (ATOMIC_REQUESTS, "
            "atomic): call it after the commit, for example with transaction.on_commit."
        )


@dataclass(frozen=True, slots=True)
class _Write:
    """A value of `sync_memory`, for the thread with the database connection to write."""

    row: WhatsAppFlow
    memory: dict[str, Any]
    done: Future[None] = field(default_factory=Future)


_Events = queue.SimpleQueue[FlowResult | _Write | None]  # None: the engine has ended


class _Run:
    """One call of `sync_flows`: what its rows share."""

    def __init__(
        self,
        client: FlowsClient,
        settings: AppSettings,
        options: PlanOptions,
        using: str,
        *,
        publish: bool,
        force: bool,
    ) -> None:
        self._client, self._settings, self._options, self._using = client, settings, options, using
        self._publish, self._force = publish, force
        self._memory = RowMemory(client.waba_id)
        self._leases = Leases(using, seconds=settings.sync_lease, force=force)
        self._synced: list[WhatsAppFlow] = []
        self._results: dict[str, SyncResult] = {}
        self._changes: dict[str, FlowChange] = {}

    # Without changes

    def preview(self, rows: list[WhatsAppFlow]) -> tuple[SyncResult, ...]:
        """What `sync` would do."""
        desired = [flow for row in rows if (flow := self._desired(row)) is not None]
        try:
            plan = self._plan(self._client, desired)
        except FlowsError as error:
            return tuple(self._results.get(row.name) or _failed(row, error) for row in rows)
        refusal = _refusal(plan, force=self._force)
        for change in plan.changes:
            problem = refusal if change.steps and refusal else self._blocked(change.key)
            self._results[change.key] = SyncResult(
                name=change.key, action=change.action, flow_id=change.flow_id, status=change.status, problem=problem
            )  # fmt: skip
        return tuple(replace(self._results[row.name], sync_status=row.sync_status) for row in rows)

    # With changes

    def sync(self, rows: list[WhatsAppFlow]) -> tuple[SyncResult, ...]:
        """Acquire, plan, apply; each result is written as soon as it is known."""
        try:
            desired = [flow for row in self._acquire(rows) if (flow := self._desired(row)) is not None]
            for name in [name for name in self._leases.held if name in self._results]:
                self._finish(self._results[name])  # rows without a usable Flow JSON
            try:
                self._apply(desired)
            except FlowsError as error:
                for row in self._leases.held.values():
                    self._finish(_failed(row, error))
        finally:
            for row in self._leases.held.values():
                self._finish(SyncResult(name=row.name, action="failed", problem=_INTERRUPTED))
        return tuple(self._results[row.name] for row in rows)

    def _acquire(self, rows: list[WhatsAppFlow]) -> Iterator[WhatsAppFlow]:
        """The rows whose leases could be acquired, reloaded."""
        flows = WhatsAppFlow.objects.using(self._using)
        for row in rows:
            if self._leases.acquire(row):
                yield row
            else:
                self._results[row.name] = _skipped(row, flows.filter(pk=row.pk).first())

    def _apply(self, desired: list[DesiredFlow]) -> None:
        """
        Plan and apply. The engine runs in other threads; this one, with the database connection, writes the rows and
        renews the leases.
        """
        if not desired:
            return
        stop: threading.Event = self._client.options.stop or threading.Event()
        client = self._client.with_options(stop=stop)
        events: _Events = queue.SimpleQueue()

        def on_event(event: FlowEvent) -> None:
            if event.result is not None:
                events.put(event.result)

        def write(row: WhatsAppFlow, memory: dict[str, Any]) -> None:
            request = _Write(row, memory)
            events.put(request)
            request.done.result(timeout=_WRITE_TIMEOUT)

        def run_engine() -> None:
            apply(
                client, self._plan(client, desired), lock=self._memory, jobs=self._settings.jobs, force=self._force,
                stop=stop, retry_policy=client.options.retry_policy, on_event=on_event,
                old_documents=RowDocuments(self._memory, write),
            )  # fmt: skip

        with ThreadPoolExecutor(max_workers=1) as pool:
            engine = pool.submit(run_engine)
            engine.add_done_callback(lambda _: events.put(None))
            try:
                self._handle_events(events)
            except BaseException:
                stop.set()
                self._handle_events(events)  # the remaining ones follow soon, because of `stop`
                raise
            engine.result()
        self._save_memory()

    def _handle_events(self, events: _Events) -> None:
        """Write each result as it arrives, until the engine ends; renew the leases meanwhile."""
        while True:
            with suppress(queue.Empty):
                event = events.get(timeout=self._leases.due_in)
                if event is None:
                    return
                if isinstance(event, _Write):
                    self._write(event)
                else:
                    self._finish(self._result(event))
            if not self._leases.due_in:
                self._leases.renew()

    def _write(self, request: _Write) -> None:
        """Store `sync_memory` of a row, for a thread of the engine that waits for it."""
        close_if_unusable(self._using)
        try:
            WhatsAppFlow.objects.using(self._using).filter(pk=request.row.pk).update(sync_memory=request.memory)
        except DatabaseError as failure:
            request.done.set_exception(failure)
        else:
            request.row.sync_memory = request.memory
            request.done.set_result(None)

    def _finish(self, result: SyncResult) -> None:
        """Write a result, if this run still holds the row."""
        # It may contain text from Meta, and PostgreSQL stores neither NUL nor lone surrogates.
        result = replace(result, problem="\n".join(inert(line) for line in result.problem.splitlines()))
        row = self._leases.held[result.name]
        values: dict[str, Any] = {
            "sync_status": str(SyncStatus.ERROR) if result.problem else _STATUS_OF[result.status],
            "sync_error": result.problem,
        }
        if result.flow_id:
            values["flow_id"] = result.flow_id
        if result.ok:
            values["last_synced_at"] = timezone.now()
        if self._leases.release(result.name, values):
            self._synced.append(row)
        else:
            taken_over = "Another process has taken the row over in the meantime: its outcome counts."
            result = replace(result, problem=result.problem or taken_over)
        self._results[result.name] = replace(result, sync_status=row.sync_status)

    def _save_memory(self) -> None:
        """Store the lock entries, so that the next run need not download the flows."""
        for row in self._synced:
            memory = self._memory.to_json(row.name, row.flow_id)
            if memory != row.sync_memory:
                row.sync_memory = memory
                WhatsAppFlow.objects.using(self._using).filter(pk=row.pk).update(sync_memory=memory)

    # The engine

    def _desired(self, row: WhatsAppFlow) -> DesiredFlow | None:
        try:
            if not isinstance(row.flow_json, dict):
                raise ConfigurationError("flow_json is no Flow JSON: it must be an object.")
            flow = DesiredFlow.from_flow_json(
                row.name, row.flow_json, name=row.name_at_meta, categories=row.categories,
                endpoint_uri=row.endpoint_uri or None, publish=self._publish,
            )  # fmt: skip
        except FlowsError as error:
            self._results[row.name] = _failed(row, error)
            return None
        self._memory.load(row)
        return flow

    def _plan(self, client: FlowsClient, desired: list[DesiredFlow]) -> Plan:
        snapshot = take_snapshot(client, desired, self._memory, jobs=self._settings.jobs)
        plan = diff(desired, snapshot, self._options)
        self._changes = {change.key: change for change in plan.changes}
        return plan

    def _blocked(self, key: str) -> str:
        """Why a change is blocked, for a user of this app; empty if it is not."""
        change = self._changes[key]
        if not change.blocked:
            return ""
        text = _BLOCKED.get(change.blocked, "{reason}.").format(status=change.status, reason=change.reason)
        return "\n".join([text[:1].upper() + text[1:], *first_lines(change.issues)])

    def _result(self, outcome: FlowResult) -> SyncResult:
        problem = self._blocked(outcome.key)
        if not problem and outcome.problem:
            lines = [_NOT_DONE.get(outcome.problem, outcome.problem), outcome.note, *first_lines(outcome.issues)]
            problem = "\n".join(filter(None, lines))
        if not problem and outcome.status not in _STATUS_OF:
            problem = f"It is {outcome.status} at Meta, and cannot be used in that state: see its health there."
        return SyncResult(
            name=outcome.key, action=outcome.action, flow_id=outcome.flow_id, status=outcome.status,
            attempts=outcome.attempts, problem=problem, error=outcome.error,
        )  # fmt: skip


def _refusal(plan: Plan, *, force: bool) -> str:
    try:
        plan.raise_if_refused(force=force)
    except PlanError as refusal:
        return str(refusal)
    return ""


def _failed(row: WhatsAppFlow, error: FlowsError) -> SyncResult:
    return SyncResult(
        name=row.name, action="failed", flow_id=row.flow_id, sync_status=row.sync_status, problem=str(error),
        error=error,
    )  # fmt: skip


def _skipped(row: WhatsAppFlow, now: WhatsAppFlow | None) -> SyncResult:
    if now is None:
        return SyncResult(name=row.name, action="skipped", problem="The row is gone.")
    problem = f"Another process has been syncing it since {now.syncing_since:%Y-%m-%d %H:%M:%S %Z}.".replace(" .", ".")
    return SyncResult(
        name=row.name, action="skipped", flow_id=now.flow_id, problem=problem, sync_status=now.sync_status
    )  # fmt: skip
