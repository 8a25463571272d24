"""
What is there: one listing for the whole account, and a download only where it can tell something.

Rule 1: which flow is meant is told by its name. A name may have generations: see `generation_name`.
Rule 2: a Flow JSON is downloaded unless the lock file vouches for it: the same id, the same `updated_at` at Meta, and
        the digest that is wanted. A deprecated flow's is never downloaded.
Rule 3: of the account's other flows only what `prune` and a report need is kept, and of the pages nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from ..client import FlowsClient
from ..errors import FlowsError, InvalidRequestError, NotFoundError, ValidationIssue
from ..models import Asset, Flow, FlowStatus
from ._desired import DesiredFlow, digest_of
from ._lock import Lock, LockEntry

PAGE_SIZE: Final = 100
TIMES_PAGE_SIZE: Final = 200  # of ids and times alone; several clients list so many at once

# What a listing asks for, best first. Meta documents none of the expansions for the list, so each may be refused, and
# the next is tried. Source: "Flows API", field table; the changelog of March 2024 for `updated_at`.
_BASIC: Final = "id,name,status,categories,endpoint_uri,validation_errors"
_MORE: Final = f"{_BASIC},json_version,data_api_version,updated_at"
_WITH_APPLICATION: Final = f"{_MORE},application{{id}}"
FIELDS: Final = (f"{_WITH_APPLICATION},assets{{asset_type,download_url}}", _WITH_APPLICATION, _MORE, _BASIC)

_TOO_MUCH: Final = 1  # Graph's "Please reduce the amount of data you're asking for" has this code, among others
_GENERATION: Final = re.compile(r"(?s)(.+) \(generation ([1-9][0-9]{0,5})\)")


def generation_name(name: str, number: int) -> str:
    """
    The name of the flow that took the place of another, which could not be edited; the first has the name itself.

    >>> generation_name("Booking", 2)
    'Booking (generation 2)'
    """
    return name if number == 1 else f"{name} (generation {number})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualFlow:
    """
    A flow as it is at Meta.

    `updated_at` is ISO 8601, empty where Meta did not say. `digest` is that of its Flow JSON, None when there is none
    or it is not known (`error` says why, `status` may). `content` is there only when it was downloaded and is not the
    one that is wanted. `processed` is the lock file's word about that digest. `known`: the lock file has the flow.
    `generation` counts from 1, `last_generation` is the highest that the account has.
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
    error: FlowsError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFlow:
    """A flow of the account that is not wanted. `key` is what the lock file calls it; empty: it is not from here."""

    id: str
    name: str
    status: str
    updated_at: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    What is there. `flows` holds for each wanted key the flow, or None; `others` what else the account has.

    `listed` is how many flows the account has in all. `remembers`: there is a lock file to write.
    """

    account_id: str | None
    flows: Mapping[str, ActualFlow | None]
    others: tuple[OtherFlow, ...] = ()
    listed: int = 0
    remembers: bool = False


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
    What Meta has for each flow. One request for each hundred flows of the account, and the downloads.

    `contents` downloads and keeps the Flow JSON of every flow that is there. `jobs` is the number of downloads side
    by side. `on_flow` is called with a flow and its id before its download. A listing that fails raises: it never
    means that nothing is there. A download that fails is that flow's own trouble (`ActualFlow.error`).
    """
    wanted = tuple(flows)
    account = _Account(wanted, lock)
    for flow in list_all(client):
        account.add(flow)
    tasks = [(desired, flow, assets) for desired, flow, assets in account.found() if flow is not None]
    read = _Reader(client, lock, contents=contents, on_flow=on_flow)
    with ThreadPoolExecutor(max_workers=max(1, min(jobs, len(tasks) or 1))) as pool:
        found = dict(pool.map(lambda task: (task[0].key, read(*task)), tasks))
    return Snapshot(
        account_id=client.waba_id,
        flows={flow.key: found.get(flow.key) for flow in wanted},
        others=account.others(),
        listed=account.listed,
        remembers=lock is not None and lock.kept,
    )


def list_all(client: FlowsClient) -> Iterator[Flow]:
    """The account's flows with as many fields as Meta gives; raises what the listing raises."""
    for number, fields in enumerate(FIELDS, 1):
        flows = client.list_flows(fields=fields, page_size=PAGE_SIZE)
        try:
            first = next(flows, None)
        except FlowsError as refusal:
            if number == len(FIELDS) or not _about_fields(refusal):
                raise
            continue
        if first is not None:
            yield first
            yield from flows
        return


def _about_fields(refusal: FlowsError) -> bool:
    return isinstance(refusal, InvalidRequestError) or refusal.code == _TOO_MUCH


def look_again(client: FlowsClient, desired: DesiredFlow, flow_id: str, lock: Lock | None = None) -> ActualFlow:
    """One flow as it is now, its Flow JSON included. Raises what the calls raise."""
    flow = client.get_flow(flow_id, fields=_WITH_APPLICATION)
    found = _Reader(client, lock, contents=False)(desired, _actual(flow), flow.assets)
    if found.error is not None:
        raise found.error
    return found


def find_again(client: FlowsClient, desired: DesiredFlow, lock: Lock | None = None) -> ActualFlow | None:
    """The flow of that name as it is now, looked for in the whole account. Raises what the calls raise."""
    found = take_snapshot(client, (desired,), lock, jobs=1).flows[desired.key]
    if found is not None and found.error is not None:
        raise found.error
    return found


def times_pages(flows: int) -> int:
    """The requests that a listing of the times of so many flows takes."""
    return max(1, -(-flows // TIMES_PAGE_SIZE))


class _Account:
    """The listing, as it comes in: what is wanted of it, and what is not."""

    def __init__(self, wanted: tuple[DesiredFlow, ...], lock: Lock | None) -> None:
        self.listed = 0
        self._wanted = wanted
        self._lock = lock
        self._key_of = {flow.name: flow.key for flow in wanted}
        self._generations: dict[str, dict[int, tuple[ActualFlow, tuple[Asset, ...]]]] = {}
        self._others: dict[str, OtherFlow] = {}

    def add(self, flow: Flow) -> None:
        self.listed += 1
        key, number = self._place(flow.name)
        if key is None:
            self._others[flow.id] = _other(flow, self._lock)
            return
        places = self._generations.setdefault(key, {})
        if number in places and places[number][0].status != FlowStatus.DEPRECATED:
            return  # names are unique; a page that has shifted may list a flow twice
        places[number] = (_actual(flow), flow.assets)

    def _place(self, name: str) -> tuple[str | None, int]:
        """The key of the wanted flow that this is, and which generation of it."""
        if name in self._key_of:
            return self._key_of[name], 1
        generation = _GENERATION.fullmatch(name)
        if generation is None or int(generation[2]) < 2:
            return None, 0
        return self._key_of.get(generation[1]), int(generation[2])

    def found(self) -> Iterator[tuple[DesiredFlow, ActualFlow | None, tuple[Asset, ...]]]:
        """Each wanted flow with the newest generation of it that lives; a deprecated one only if none does."""
        for desired in self._wanted:
            places = self._generations.get(desired.key)
            if not places:
                yield desired, None, ()
                continue
            flow, assets = places[self._current(places)]
            yield desired, replace(flow, generation=self._current(places), last_generation=max(places)), assets

    @staticmethod
    def _current(places: Mapping[int, tuple[ActualFlow, tuple[Asset, ...]]]) -> int:
        living = [number for number, (flow, _) in places.items() if flow.status != FlowStatus.DEPRECATED]
        return max(living or places)

    def others(self) -> tuple[OtherFlow, ...]:
        """Everything else, with the generations that were replaced."""
        replaced = [
            OtherFlow(id=flow.id, name=flow.name, status=flow.status, updated_at=flow.updated_at, key=key)
            for key, places in self._generations.items()
            for number, (flow, _) in sorted(places.items())
            if number != self._current(places)
        ]
        return (*replaced, *self._others.values())


@dataclass(frozen=True, slots=True)
class _Reader:
    """Completes a listed flow by its Flow JSON, or by what the lock file knows of it."""

    client: FlowsClient
    lock: Lock | None
    contents: bool
    on_flow: Callable[[DesiredFlow, str], object] = lambda desired, flow_id: None

    def __call__(self, desired: DesiredFlow, flow: ActualFlow, assets: tuple[Asset, ...]) -> ActualFlow:
        entry = self.lock.get(desired.key, flow.id) if self.lock is not None else None
        flow = replace(flow, known=self.lock is None or entry is not None)
        if flow.status == FlowStatus.DEPRECATED:
            return flow
        if entry is not None and not self.contents and _vouches(entry, desired, flow):
            return replace(flow, digest=entry.digest, processed=entry.processed)
        self.on_flow(desired, flow.id)
        link = next((asset for asset in assets if asset.asset_type == "FLOW_JSON"), None)
        try:
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


def _vouches(entry: LockEntry, desired: DesiredFlow, flow: ActualFlow) -> bool:
    """Whether the lock file knows that this flow holds what is wanted."""
    return bool(entry.updated_at) and entry.updated_at == flow.updated_at and entry.digest == desired.digest


def _actual(flow: Flow) -> ActualFlow:
    return ActualFlow(
        id=flow.id,
        name=flow.name,
        status=str(flow.status),
        categories=flow.categories,
        endpoint_uri=flow.endpoint_uri,
        application_id=flow.application_id,
        updated_at=moment_text(flow),
        json_version=flow.json_version,
        data_api_version=flow.data_api_version,
        validation_errors=flow.validation_errors,
    )


def _other(flow: Flow, lock: Lock | None) -> OtherFlow:
    key = lock.owner(flow.id, flow.name) if lock is not None else None
    return OtherFlow(
        id=flow.id, name=flow.name, status=str(flow.status), updated_at=moment_text(flow), key=key or ""
    )  # fmt: skip


def moment_text(flow: Flow) -> str:
    """When Meta says that the flow changed last; empty if it does not say."""
    return flow.updated_at.isoformat() if flow.updated_at is not None else ""
