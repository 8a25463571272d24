"""
The actual state: one listing of the account, and the downloads that are necessary.

Rule 1: `identify` decides which flow a table means.
Rule 2: a Flow JSON is downloaded unless the lock file has the same id, the same `updated_at` and the desired digest.
        That of a deprecated flow is never downloaded.
Rule 3: a field that the plan needs and the listing lacks is read from the flow itself, once. If it is missing there,
        too, it stays unknown (`ActualFlow.unreported`).
Rule 4: of the account's other flows only what `prune` and reports need is kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..._digest import digest_of
from ...client import FlowsClient
from ...errors import FlowsError, NotFoundError, ValidationIssue
from ...models import Asset, Flow, FlowStatus
from ..calls import side_by_side
from ..desired import DesiredFlow
from ._identity import Identity, Source, base_name, candidate_filter, generation_name, generation_of, identify
from ._listing import ListedFlow, NodeReader, list_all
from ._lock import Lock, LockEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualFlow:
    """
    A flow as it is at Meta.

    `updated_at` is ISO 8601, empty if Meta did not report it. `digest` is that of its Flow JSON; None without one, or
    if it is unknown (`error` says why, or `status` is DEPRECATED). `content` is set only if it was downloaded and is
    not the desired one. `processed` is that of the lock file for this digest. `known`: the lock file has the flow.
    `generation` counts from 1, `last_generation` is the highest in the account. `unreported` are those of "categories",
    "endpoint_uri" and "application_id" that Meta did not report.
    """

    id: str
    name: str = ""
    status: str = ""
    categories: tuple[str, ...] = ()
    endpoint_uri: str | None = None
    application_id: str | None = None
    updated_at: str = ""
    json_version: str | None = None
    data_api_version: str | None = None
    validation_errors: tuple[ValidationIssue, ...] = ()
    digest: str | None = None
    content: bytes | None = field(default=None, repr=False)
    processed: bool | None = None
    known: bool = True
    generation: int = 1
    last_generation: int = 1
    source: Source = "name"
    unreported: frozenset[str] = frozenset()
    error: FlowsError | None = None

    @property
    def identity(self) -> Identity:
        """Which flow it is, and how it was found."""
        return Identity(flow_id=self.id, name=self.name, generation=self.generation, source=self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFlow:
    """
    A flow of the account that no table means.

    `key` is its key in the lock file; empty: it was not written from here.
    """

    id: str
    name: str
    status: str
    updated_at: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    The actual state. `flows` has the flow for each key, or None; `others` the other flows of the account.

    `listed` is the number of flows in the account. `remembers`: there is a lock file to write. `other_account` is the
    account of the lock file, if this one has none (`Lock.other_account`).
    """

    account_id: str | None
    flows: Mapping[str, ActualFlow | None]
    others: tuple[OtherFlow, ...] = ()
    listed: int = 0
    remembers: bool = False
    other_account: str = ""


def take_snapshot(
    client: FlowsClient,
    flows: Iterable[DesiredFlow],
    lock: Lock | None = None,
    *,
    contents: bool = False,
    jobs: int = 8,
    on_flow: Callable[[DesiredFlow, str], object] = lambda desired, flow_id: None,
) -> Snapshot:
    """
    The actual state of each flow. One request for each two hundred flows of the account, and the downloads.

    `contents` downloads and keeps the Flow JSON of every flow. `jobs` is the number of parallel downloads. `on_flow` is
    called with a flow and its id before its download. An error of the listing is raised. An error of a download is
    in that flow's `error`.
    """
    wanted = tuple(flows)
    account = _Account(wanted, lock)
    for listed in list_all(client):
        account.add(listed)
    tasks = tuple(account.found())

    def reading(stoppable: FlowsClient) -> _Reader:
        return _Reader(stoppable, NodeReader(stoppable), lock, contents=contents, on_flow=on_flow)

    read = side_by_side(client, reading, tasks, jobs=jobs)
    found = {task.desired.key: flow for task, flow in zip(tasks, read, strict=True)}
    return Snapshot(
        account_id=client.waba_id,
        flows={flow.key: found.get(flow.key) for flow in wanted},
        others=account.others(task.flow.id for task in tasks),
        listed=account.listed,
        remembers=lock is not None and lock.kept,
        other_account=lock.other_account if lock is not None else "",
    )


def read_flow(
    client: FlowsClient, desired: DesiredFlow, flow_id: str, lock: Lock | None = None, *, seen: ActualFlow | None = None
) -> ActualFlow:
    """
    The present state of one flow, with its Flow JSON. Raises what the calls raise.

    `seen` is its earlier state, from which its identity is taken.
    """
    listed = NodeReader(client).read(flow_id)
    flow = _actual_flow(listed)
    number = generation_of(flow.name, desired.name) or 1
    flow = replace(
        flow,
        generation=seen.generation if seen is not None else number,
        last_generation=seen.last_generation if seen is not None else number,
        source=seen.source if seen is not None else "name",
    )
    return _complete(client, lock, _Task(desired, flow, listed.flow.assets))


def find_flow(client: FlowsClient, desired: DesiredFlow, name: str, lock: Lock | None = None) -> ActualFlow | None:
    """
    The present state of the flow with exactly this name, from a listing; a deprecated one if no other has the name.

    Raises what the calls raise.
    """
    found = [listed for listed in list_all(client) if listed.flow.name == name]
    if not found:
        return None
    listed = max(found, key=lambda each: each.flow.status != FlowStatus.DEPRECATED)
    number = generation_of(name, desired.name) or 1
    flow = replace(_actual_flow(listed), generation=number, last_generation=number)
    return _complete(client, lock, _Task(desired, flow, listed.flow.assets))


def _complete(client: FlowsClient, lock: Lock | None, task: _Task) -> ActualFlow:
    found = _Reader(client, NodeReader(client), lock, contents=False)(task)
    if found.error is not None:
        raise found.error
    return found


class _Task(NamedTuple):
    """A listed flow to be completed, with its assets from the listing."""

    desired: DesiredFlow
    flow: ActualFlow
    assets: tuple[Asset, ...]


class _Account:
    """The listing, page by page: the flows that a table may mean, and the others."""

    def __init__(self, wanted: tuple[DesiredFlow, ...], lock: Lock | None) -> None:
        self._wanted = wanted
        self._lock = lock
        self._may_be_meant = candidate_filter(wanted, lock)
        self._candidates: dict[str, tuple[ActualFlow, tuple[Asset, ...]]] = {}
        self._others: dict[str, OtherFlow] = {}

    @property
    def listed(self) -> int:
        """The number of flows. Pages may shift and list a flow twice; it counts once."""
        return len(self._candidates) + len(self._others)

    def add(self, listed: ListedFlow) -> None:
        flow = listed.flow
        if self._may_be_meant(flow):
            self._others.pop(flow.id, None)
            self._candidates[flow.id] = _actual_flow(listed), flow.assets
        elif flow.id not in self._candidates:
            self._others[flow.id] = self._other(_actual_flow(listed))

    def found(self) -> Iterator[_Task]:
        """The flows that the tables mean."""
        identities = identify(self._wanted, [flow for flow, _ in self._candidates.values()], self._lock)
        highest = self._last_generations()
        for desired in self._wanted:
            identity = identities[desired.key]
            if not identity.flow_id:
                continue
            flow, assets = self._candidates[identity.flow_id]
            number = identity.generation
            flow = replace(
                flow,
                generation=number,
                last_generation=max(number, highest.get(desired.name, 1)),
                source=identity.source,
            )
            yield _Task(desired, flow, assets)

    def _last_generations(self) -> Mapping[str, int]:
        """The highest generation of each name in the account, whoever has created it."""
        highest: dict[str, int] = {}
        for flow, _ in self._candidates.values():
            name = base_name(flow.name)
            highest[name] = max(highest.get(name, 1), generation_of(flow.name, name))
        return highest

    def others(self, meant: Iterable[str]) -> tuple[OtherFlow, ...]:
        """All flows that no table means; replaced generations come first."""
        known = set(meant)
        left = [self._other(flow) for flow, _ in self._candidates.values() if flow.id not in known]
        return (*left, *self._others.values())

    def _other(self, flow: ActualFlow) -> OtherFlow:
        key = self._lock.owner(flow.id, flow.name) if self._lock is not None else None
        return OtherFlow(
            id=flow.id, name=flow.name, status=flow.status, updated_at=flow.updated_at, key=key or ""
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reader:
    """Completes a listed flow with the digest of its Flow JSON, from the lock file or a download."""

    client: FlowsClient
    nodes: NodeReader
    lock: Lock | None
    contents: bool
    on_flow: Callable[[DesiredFlow, str], object] = lambda desired, flow_id: None

    def __call__(self, task: _Task) -> ActualFlow:
        desired, flow, assets = task
        entry = self.lock.get(desired.key, flow.id) if self.lock is not None else None
        flow = replace(flow, known=self.lock is None or entry is not None)
        if flow.status == FlowStatus.DEPRECATED:
            return flow
        try:
            flow = self._with_unlisted(desired, flow, entry)
            if entry is not None and not self.contents and _is_current(entry, desired, flow):
                return replace(flow, digest=entry.digest, processed=entry.processed)
            self.on_flow(desired, flow.id)
            link = next((asset for asset in assets if asset.asset_type == "FLOW_JSON"), None)
            content = self.client.download_flow_json(flow.id, asset=link)
        except NotFoundError:
            return flow  # it has no Flow JSON
        except FlowsError as error:
            return replace(flow, error=error)
        digest = digest_of(content)
        return replace(
            flow,
            digest=digest,
            content=content if self.contents or digest != desired.digest else None,
            processed=entry.processed if entry is not None and entry.digest == digest else None,
        )

    def _with_unlisted(self, desired: DesiredFlow, flow: ActualFlow, entry: LockEntry | None) -> ActualFlow:
        """The flow with the fields that the listing lacks and the plan needs."""
        if entry is not None and entry.application_id is not None and entry.holds(flow.updated_at):
            application = flow.application_id or entry.application_id
            flow = replace(flow, application_id=application, unreported=flow.unreported - {"application_id"})
        if not any(_plan_needs(desired, name) and self.nodes.requests(name) for name in flow.unreported):
            return flow
        node = _actual_flow(self.nodes.read(flow.id))
        return replace(
            flow,
            unreported=flow.unreported & node.unreported,
            categories=node.categories if "categories" in flow.unreported else flow.categories,
            endpoint_uri=node.endpoint_uri if "endpoint_uri" in flow.unreported else flow.endpoint_uri,
            application_id=flow.application_id or node.application_id,
        )


def _plan_needs(desired: DesiredFlow, name: str) -> bool:
    """Whether the plan needs a field."""
    if name == "endpoint_uri":
        return desired.endpoint_uri is not None or (desired.publish and desired.needs_endpoint)
    return name == "categories" or desired.application_id is not None


def _is_current(entry: LockEntry, desired: DesiredFlow, flow: ActualFlow) -> bool:
    """Whether the lock file says that this flow has the desired Flow JSON."""
    return entry.holds(flow.updated_at) and entry.digest == desired.digest


def _actual_flow(listed: ListedFlow) -> ActualFlow:
    flow = listed.flow
    return ActualFlow(
        id=flow.id,
        name=flow.name,
        status=str(flow.status),
        categories=flow.categories,
        endpoint_uri=flow.endpoint_uri,
        application_id=flow.application_id,
        updated_at=updated_at_text(flow),
        json_version=flow.json_version,
        data_api_version=flow.data_api_version,
        validation_errors=flow.validation_errors,
        unreported=listed.unreported,
    )


def is_unchanged(flow: Flow, seen: ActualFlow | OtherFlow) -> bool:
    """
    Whether a flow that was read again is as it was seen: status, time, categories and endpoint.

    The time alone is not enough, because it has whole seconds only.
    """
    if (str(flow.status), updated_at_text(flow)) != (seen.status, seen.updated_at):
        return False
    if isinstance(seen, OtherFlow):
        return True
    categories = seen.categories if "categories" not in seen.unreported else flow.categories
    endpoint = seen.endpoint_uri if "endpoint_uri" not in seen.unreported else flow.endpoint_uri
    return (flow.categories, flow.endpoint_uri) == (categories, endpoint)


def entry_of(desired: DesiredFlow, flow: ActualFlow) -> LockEntry:
    """The lock file entry of a flow that was found as desired."""
    return LockEntry(
        id=flow.id, name=generation_name(desired.name, flow.generation), digest=desired.digest,
        updated_at=flow.updated_at, processed=flow.processed, application_id=flow.application_id,
    )  # fmt: skip


def updated_at_text(flow: Flow) -> str:
    """The time of the last change, in ISO 8601; empty if Meta did not report it."""
    return flow.updated_at.isoformat() if flow.updated_at is not None else ""
