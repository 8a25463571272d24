"""
`sync_flows`: rows to Meta and the outcome back into the rows. The command and the admin call it, and so may a host.

Rule 1: no transaction is open while anything is sent or waited for. Each look at a row and each change of one is a
        statement of its own; inside a transaction of the caller's the whole call is refused.
Rule 2: a row is claimed before anything is sent for it: one conditional UPDATE marks it as `syncing`, and says whether
        it was this process that did it. A row that another one has claimed is skipped, not waited for.
Rule 3: a claim is a lease, which is renewed for as long as its process lives. One that was killed leaves `syncing`
        behind; after `SYNC_LEASE` seconds, or with `force`, the next one takes the row, and the outcome of the first,
        should it still come, is not written. See `_leases`.
Rule 4: what the rows say of Meta decides nothing. A flow is found by its name; two processes that do work on one flow
        cause no harm at Meta, because the engine looks at a flow again before it writes.
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
from ._leases import Leases, revive
from ._memory import RowDocuments, RowMemory
from .checks import first_lines
from .conf import AppSettings, read_settings
from .models import SyncStatus, WhatsAppFlow

_STATUS_OF: Final[Mapping[str, str]] = {
    FlowStatus.DRAFT.value: str(SyncStatus.DRAFT),
    FlowStatus.PUBLISHED.value: str(SyncStatus.PUBLISHED),
}
_PATIENCE: Final = 60.0  # seconds in which a row is written, or a live flow is not touched
_INTERRUPTED: Final = "Interrupted: sync it again."
_ENDED: Final[Mapping[str, str]] = {"interrupted": _INTERRUPTED, "not begun": "Not begun: sync it again."}
# What the engine calls a blocked change -> what to do about it here. Others speak for themselves.
_BLOCKED: Final[Mapping[str, str]] = {
    "unpublish": "It is published at Meta, and a change would make it a draft: sync it with publish.",
    "deprecated": "It is deprecated at Meta, for good: give it another friendly name.",
    "name": "A deprecated flow at Meta has this name: give it another friendly name.",
    "state": "It is {status} at Meta, and cannot be edited in that state.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """
    What became of one row.

    `action` is the engine's word for what was done, or would be ("create", "upload", "republish", "unchanged" ...),
    "skipped" for a row that was left alone, "failed" for one that never came to a plan. `status` is Meta's word for
    the flow (empty: not known), `sync_status` what the row says now. `problem` says what is not as it should be; empty
    if all is well. `error` is the failure behind it, if there was one; `attempts` how often the Flow JSON was sent.
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
        """Whether the flow is as it should be; in a dry run, whether nothing stands in the way."""
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
    Bring these rows (a queryset, or a list) to Meta, and the outcome back. A result for each row, in their order.

    `publish`: they shall be published; without it a published flow that would have to change is left alone, and told
    as a problem. `force`: also rows that another process has marked as syncing, and also if most flows of a large
    account would change at once. `dry_run` reads, and changes neither Meta nor a row. `validate` says what is done
    about errors that the validator finds in a Flow JSON: "error" leaves the flow alone, "warn" and "off" send it all
    the same; None is what the settings say. `new_account`: they shall be deployed to the account of the settings,
    though so far they were deployed to another one. `client` is one of yours, which stays open; None makes one from the
    settings, which keeps to the calls an hour that they allow.

    A flow that fails stops no other. Raises `ConfigurationError`, before anything is sent, for settings that cannot be
    used, and inside a transaction (`ATOMIC_REQUESTS`, `atomic`): call it after the commit, for example with
    `transaction.on_commit`. An interrupt comes out after the rows that it struck have been marked.
    """
    settings = read_settings()
    options = PlanOptions(
        validate=settings.validate if validate is None else validate, new_account=new_account
    )  # fmt: skip
    wanted = list({row.name: row for row in rows}.values())
    if not wanted:
        return ()
    using = router.db_for_write(WhatsAppFlow, instance=wanted[0])
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
        return run.look(wanted) if dry_run else run.sync(wanted)


def _refuse_transaction(using: str) -> None:
    """
    Raise inside a transaction. Django's `TestCase` runs each test in one, and is let through, as by `durable`.
    """
    connection = connections[using]
    held = not connection.in_atomic_block and not connection.get_autocommit()
    try:
        with transaction.atomic(using=using, durable=True):
            pass
    except RuntimeError:
        held = True
    if held:
        raise ConfigurationError(
            "sync_flows waits for Meta, and must not be called inside a database transaction (ATOMIC_REQUESTS, "
            "atomic): call it after the commit, for example with transaction.on_commit."
        )


@dataclass(frozen=True, slots=True)
class _Write:
    """What a row shall remember, to be written by the thread that has the database connection."""

    row: WhatsAppFlow
    memory: dict[str, Any]
    done: Future[None] = field(default_factory=Future)


Outcomes = queue.SimpleQueue[FlowResult | _Write | None]


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

    # -- without a change

    def look(self, rows: list[WhatsAppFlow]) -> tuple[SyncResult, ...]:
        """What would be done."""
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

    # -- with changes

    def sync(self, rows: list[WhatsAppFlow]) -> tuple[SyncResult, ...]:
        """Claim, plan, apply; each outcome is written as soon as it is there."""
        try:
            desired = [flow for row in self._claim(rows) if (flow := self._desired(row)) is not None]
            for name in [name for name in self._leases.held if name in self._results]:
                self._finish(self._results[name])  # what is no Flow JSON
            try:
                self._apply(desired)
            except FlowsError as error:
                for row in self._leases.held.values():
                    self._finish(_failed(row, error))
        finally:
            for row in self._leases.held.values():
                self._finish(SyncResult(name=row.name, action="failed", problem=_INTERRUPTED))
        return tuple(self._results[row.name] for row in rows)

    def _claim(self, rows: list[WhatsAppFlow]) -> Iterator[WhatsAppFlow]:
        """The rows that are this run's now, as they are at this moment."""
        flows = WhatsAppFlow.objects.using(self._using)
        for row in rows:
            if self._leases.claim(row):
                yield row
            else:
                self._results[row.name] = _skipped(row, flows.filter(pk=row.pk).first())

    def _apply(self, desired: list[DesiredFlow]) -> None:
        """
        Plan and apply. The engine works in threads of its own; this one, which has the connection, writes the rows and
        renews the leases.
        """
        if not desired:
            return
        stop: threading.Event = self._client.options.stop or threading.Event()
        client = self._client.with_options(stop=stop)
        outcomes: Outcomes = queue.SimpleQueue()

        def on_event(event: FlowEvent) -> None:
            if event.result is not None:
                outcomes.put(event.result)

        def write(row: WhatsAppFlow, memory: dict[str, Any]) -> None:
            wanted = _Write(row, memory)
            outcomes.put(wanted)
            wanted.done.result(timeout=_PATIENCE)

        def work() -> None:
            apply(
                client, self._plan(client, desired), lock=self._memory, jobs=self._settings.jobs, force=self._force,
                stop=stop, retry_policy=client.options.retry_policy, on_event=on_event,
                old_documents=RowDocuments(self._memory, write),
            )  # fmt: skip

        with ThreadPoolExecutor(max_workers=1) as pool:
            applied = pool.submit(work)
            applied.add_done_callback(lambda _: outcomes.put(None))
            try:
                self._write_all(outcomes)
            except BaseException:
                stop.set()
                self._write_all(outcomes)  # those that it struck end at once
                raise
            applied.result()
        self._remember()

    def _write_all(self, outcomes: Outcomes) -> None:
        """Each outcome as it comes, until the last one; meanwhile the leases are renewed in time."""
        while True:
            with suppress(queue.Empty):
                outcome = outcomes.get(timeout=self._leases.due_in)
                if outcome is None:
                    return
                if isinstance(outcome, _Write):
                    self._write(outcome)
                else:
                    self._finish(self._result(outcome))
            if not self._leases.due_in:
                self._leases.renew()

    def _write(self, wanted: _Write) -> None:
        """Store what a row remembers, for a thread of the engine that waits for it."""
        revive(self._using)
        try:
            WhatsAppFlow.objects.using(self._using).filter(pk=wanted.row.pk).update(sync_memory=wanted.memory)
        except DatabaseError as failure:
            wanted.done.set_exception(failure)
        else:
            wanted.row.sync_memory = wanted.memory
            wanted.done.set_result(None)

    def _finish(self, result: SyncResult) -> None:
        """Write an outcome, if the row is still this run's."""
        # Meta's words are in it, and PostgreSQL takes neither a NUL nor half of a surrogate pair.
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
            taken = "Another process has taken the row over in the meantime: its outcome counts."
            result = replace(result, problem=result.problem or taken)
        self._results[result.name] = replace(result, sync_status=row.sync_status)

    def _remember(self) -> None:
        """What the engine knows now, so that the next run need not download it."""
        for row in self._synced:
            memory = self._memory.of(row.name, row.flow_id)
            if memory != row.sync_memory:
                row.sync_memory = memory
                WhatsAppFlow.objects.using(self._using).filter(pk=row.pk).update(sync_memory=memory)

    # -- the engine

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
        self._memory.recall(row)
        return flow

    def _plan(self, client: FlowsClient, desired: list[DesiredFlow]) -> Plan:
        snapshot = take_snapshot(client, desired, self._memory, jobs=self._settings.jobs)
        plan = diff(desired, snapshot, self._options)
        self._changes = {change.key: change for change in plan.changes}
        return plan

    def _blocked(self, key: str) -> str:
        """Why a flow is left alone, in the words of this app; empty if it is not."""
        change = self._changes[key]
        if not change.blocked:
            return ""
        words = _BLOCKED.get(change.blocked, "{reason}.").format(status=change.status, reason=change.reason)
        return "\n".join([words[:1].upper() + words[1:], *first_lines(change.issues)])

    def _result(self, outcome: FlowResult) -> SyncResult:
        problem = self._blocked(outcome.key)
        if not problem and outcome.problem:
            said = [_ENDED.get(outcome.problem, outcome.problem), outcome.note, *first_lines(outcome.issues)]
            problem = "\n".join(filter(None, said))
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
