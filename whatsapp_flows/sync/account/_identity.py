"""
Which flow at Meta a table of flows.toml means. It does no I/O.

`identify` decides for all tables at once; plan, apply, drift, status and prune use its result. A flow belongs to one
table at most, and the first of these rules that finds one applies:

    1. the id that the lock file has for the table, if that flow has the table's name, or is a generation of it
    2. the flow of exactly that name that is not deprecated; with `replace = true` its newest generation
    3. the id that the lock file has under the table's previous name, if the flow is a draft: it is renamed
    4. a deprecated flow, by the same rules

A flow called `NAME (generation 2)` is a generation only if the lock file has its id, or the table has `replace = true`,
because anybody may give a flow such a name. A live flow is not renamed when its table gets another name, because that
would un-publish it, and services send it by its id: another flow is created, and `prune` deprecates the old one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from ...models import FlowStatus
from ..desired import DesiredFlow
from ._lock import Lock, LockEntry

Source = Literal["lock", "name", "generation", "none"]
"""How a flow was found: by the id in the lock file, by its name, by the name of a generation, or not at all."""

_GENERATION: Final = re.compile(r"(?s)(.+) \(generation ([1-9][0-9]{0,5})\)")


def generation_name(name: str, number: int) -> str:
    """
    The name of a generation: a flow that replaced another, which could not be edited. The first has the name itself.

    >>> generation_name("Booking", 2)
    'Booking (generation 2)'
    """
    return name if number == 1 else f"{name} (generation {number})"


def generation_of(name: str, wanted: str) -> int:
    """
    The generation number of `name` for the base name `wanted`; 0 if it is not a generation of it.

    >>> generation_of("Booking (generation 2)", "Booking"), generation_of("Survey", "Booking")
    (2, 0)
    """
    if name == wanted:
        return 1
    found = _GENERATION.fullmatch(name)
    number = int(found[2]) if found is not None and found[1] == wanted else 0
    return number if number > 1 else 0


def base_name(name: str) -> str:
    """The name without its generation."""
    found = _GENERATION.fullmatch(name)
    return found[1] if found is not None else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """
    The flow at Meta that a table means, with its name there. `generation` counts from 1.

    Without such a flow, `flow_id` is empty, and `name` is that of the table.
    """

    flow_id: str
    name: str
    generation: int = 1
    source: Source = "none"


class Listed(Protocol):
    """A flow of the listing."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...


def identify(wanted: Sequence[DesiredFlow], listed: Iterable[Listed], lock: Lock | None = None) -> dict[str, Identity]:
    """
    For each key the flow that its table means.

    `listed` are the flows of the account in any order, at least those that pass `candidate_filter`. Duplicates count
    once.
    """
    account = _Account(wanted, listed, lock)
    found: dict[str, Identity] = {}
    taken: set[str] = set()
    for rule in _RULES:
        for desired in wanted:
            if desired.key in found:
                continue
            identity = rule(account, desired)
            if identity is not None and identity.flow_id not in taken:
                found[desired.key] = identity
                taken.add(identity.flow_id)
    return {flow.key: found.get(flow.key) or Identity(flow_id="", name=flow.name) for flow in wanted}


def candidate_filter(wanted: Iterable[DesiredFlow], lock: Lock | None = None) -> Callable[[Listed], bool]:
    """A test for flows of the listing: `identify` needs only those that pass."""
    flows = tuple(wanted)
    names = {flow.name for flow in flows}
    entries = [lock.entry(flow.key) for flow in flows] if lock is not None else []
    ids = {entry.id for entry in entries if entry is not None}
    return lambda flow: flow.id in ids or flow.name in names or base_name(flow.name) in names


class _Account:
    """The listing by id and by name, and the lock file."""

    def __init__(self, wanted: Sequence[DesiredFlow], listed: Iterable[Listed], lock: Lock | None) -> None:
        self.by_id: dict[str, Listed] = {flow.id: flow for flow in listed}
        self._lock = lock
        self._wanted = {flow.name for flow in wanted}
        self._of_name: dict[str, list[Listed]] = {}
        for flow in self.by_id.values():
            for name in {flow.name, base_name(flow.name)}:
                self._of_name.setdefault(name, []).append(flow)

    def entry(self, desired: DesiredFlow) -> LockEntry | None:
        return self._lock.entry(desired.key) if self._lock is not None else None

    def by_lock(self, desired: DesiredFlow, *, living: bool) -> Identity | None:
        """Rule 1: the id in the lock file, if its entry is for this name."""
        entry = self.entry(desired)
        if entry is None:
            return None
        number = generation_of(entry.name, desired.name)
        flow = self.by_id.get(entry.id)
        if not number or flow is None or _is_living(flow) != living:
            return None
        return Identity(flow_id=flow.id, name=flow.name, generation=number, source="lock")

    def by_successor(self, desired: DesiredFlow) -> Identity | None:
        """Before rule 1: the flow that a run was about to create in place of the one in the lock file."""
        entry = self.entry(desired)
        if entry is None or not entry.successor:
            return None
        number = generation_of(entry.successor, desired.name)
        flow = next((it for it in self._of_name.get(entry.successor, ()) if it.name == entry.successor), None)
        if not number or flow is None or not _is_living(flow):
            return None
        return Identity(flow_id=flow.id, name=flow.name, generation=number, source="lock")

    def by_name(self, desired: DesiredFlow, *, living: bool) -> Identity | None:
        """
        Rule 2: the name itself, or the newest generation with `replace = true`.

        A name of another table is not a generation.
        """
        numbered = [
            (number, flow)
            for flow in self._of_name.get(desired.name, ())
            if _is_living(flow) == living and (number := generation_of(flow.name, desired.name))
            if number == 1 or (desired.replace and flow.name not in self._wanted)
        ]
        if not numbered:
            return None
        number, flow = max(numbered, key=lambda each: each[0])
        return Identity(
            flow_id=flow.id, name=flow.name, generation=number, source="name" if number == 1 else "generation"
        )  # fmt: skip

    def by_previous_name(self, desired: DesiredFlow) -> Identity | None:
        """Rule 3: a draft from the lock file whose table has another name now."""
        entry = self.entry(desired)
        flow = self.by_id.get(entry.id) if entry is not None else None
        if entry is None or flow is None or flow.name != entry.name or flow.status != FlowStatus.DRAFT:
            return None
        return Identity(flow_id=flow.id, name=flow.name, source="lock")


def _is_living(flow: Listed) -> bool:
    return flow.status != FlowStatus.DEPRECATED


_RULES: Final[tuple[Callable[[_Account, DesiredFlow], Identity | None], ...]] = (
    _Account.by_successor,
    lambda account, desired: account.by_lock(desired, living=True),
    lambda account, desired: account.by_name(desired, living=True),
    _Account.by_previous_name,
    lambda account, desired: account.by_lock(desired, living=False),
    lambda account, desired: account.by_name(desired, living=False),
)
