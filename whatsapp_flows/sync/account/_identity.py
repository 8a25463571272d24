"""
Which flow at Meta is meant by a table of flows.toml. It does no I/O.

One function decides, for all tables at once, and plan, apply, drift, status and prune read its answer. In this order,
and a flow that one table has is no other's:

    1. the id that the lock file has for the table, under the name that the table has now, or a generation of it
    2. the living flow of exactly that name; with `replace = true` the newest living generation of it
    3. the id that the lock file has, under the name that the table had before, if it is a draft: it is renamed
    4. a deprecated flow, found in the same way, where no living one is

A flow called `NAME (generation 2)` is a generation only to a lock file that has its id, or where the table allows
replacing: anybody may call a flow that. A live flow is not renamed when its table gets another name, because that
would take it out of use, and services send it by its id: another flow is made, and `prune` deprecates the old one.
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
"""How a flow was found: by the lock file's id, by its name, by the name of a generation of it, or not at all."""

_GENERATION: Final = re.compile(r"(?s)(.+) \(generation ([1-9][0-9]{0,5})\)")


def generation_name(name: str, number: int) -> str:
    """
    The name of the flow that took the place of another, which could not be edited; the first has the name itself.

    >>> generation_name("Booking", 2)
    'Booking (generation 2)'
    """
    return name if number == 1 else f"{name} (generation {number})"


def generation_of(name: str, wanted: str) -> int:
    """
    Which generation of a wanted name a name is; 0 if it is none.

    >>> generation_of("Booking (generation 2)", "Booking"), generation_of("Survey", "Booking")
    (2, 0)
    """
    if name == wanted:
        return 1
    found = _GENERATION.fullmatch(name)
    number = int(found[2]) if found is not None and found[1] == wanted else 0
    return number if number > 1 else 0


def base_name(name: str) -> str:
    """The name of which a name may be a generation: itself if it is none."""
    found = _GENERATION.fullmatch(name)
    return found[1] if found is not None else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """
    The flow at Meta that a table means. `flow_id` is empty where there is none, and `name` then the wanted one.

    `name` is the one that the flow has at Meta. `generation` counts from 1.
    """

    flow_id: str
    name: str
    generation: int = 1
    source: Source = "none"


class Listed(Protocol):
    """What is asked of a flow of the listing."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...


def identify(wanted: Sequence[DesiredFlow], listed: Iterable[Listed], lock: Lock | None = None) -> dict[str, Identity]:
    """
    For each key the flow that is meant. `listed` are the flows of the account, in any order, or those of them that
    may be meant: a flow that is listed twice counts once.
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


def may_be_meant(wanted: Iterable[DesiredFlow], lock: Lock | None = None) -> Callable[[Listed], bool]:
    """Whether a flow of the listing may be meant by one of the tables: the others need not be kept for `identify`."""
    flows = tuple(wanted)
    names = {flow.name for flow in flows}
    entries = [lock.entry(flow.key) for flow in flows] if lock is not None else []
    ids = {entry.id for entry in entries if entry is not None}
    return lambda flow: flow.id in ids or flow.name in names or base_name(flow.name) in names


class _Account:
    """The listing, by id and by name, beside what the lock file has."""

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

    def remembered(self, desired: DesiredFlow, *, living: bool) -> Identity | None:
        """Rule 1: the lock file's id, if it is about a flow of this name."""
        entry = self.entry(desired)
        if entry is None:
            return None
        number = generation_of(entry.name, desired.name)
        flow = self.by_id.get(entry.id)
        if not number or flow is None or _lives(flow) != living:
            return None
        return Identity(flow_id=flow.id, name=flow.name, generation=number, source="lock")

    def succeeded(self, desired: DesiredFlow) -> Identity | None:
        """Before rule 1: a flow that was about to take the place of the one that the lock file has."""
        entry = self.entry(desired)
        if entry is None or not entry.successor:
            return None
        number = generation_of(entry.successor, desired.name)
        flow = next((it for it in self._of_name.get(entry.successor, ()) if it.name == entry.successor), None)
        if not number or flow is None or not _lives(flow):
            return None
        return Identity(flow_id=flow.id, name=flow.name, generation=number, source="lock")

    def named(self, desired: DesiredFlow, *, living: bool) -> Identity | None:
        """
        Rule 2: the name itself, or the newest generation where replacing is allowed.

        A name that another table has is no generation.
        """
        numbered = [
            (number, flow)
            for flow in self._of_name.get(desired.name, ())
            if _lives(flow) == living and (number := generation_of(flow.name, desired.name))
            if number == 1 or (desired.replace and flow.name not in self._wanted)
        ]
        if not numbered:
            return None
        number, flow = max(numbered, key=lambda each: each[0])
        return Identity(
            flow_id=flow.id, name=flow.name, generation=number, source="name" if number == 1 else "generation"
        )  # fmt: skip

    def renamed(self, desired: DesiredFlow) -> Identity | None:
        """Rule 3: a draft of ours whose table has another name now."""
        entry = self.entry(desired)
        flow = self.by_id.get(entry.id) if entry is not None else None
        if entry is None or flow is None or flow.name != entry.name or flow.status != FlowStatus.DRAFT:
            return None
        return Identity(flow_id=flow.id, name=flow.name, source="lock")


def _lives(flow: Listed) -> bool:
    return flow.status != FlowStatus.DEPRECATED


_RULES: Final[tuple[Callable[[_Account, DesiredFlow], Identity | None], ...]] = (
    _Account.succeeded,
    lambda account, desired: account.remembered(desired, living=True),
    lambda account, desired: account.named(desired, living=True),
    _Account.renamed,
    lambda account, desired: account.remembered(desired, living=False),
    lambda account, desired: account.named(desired, living=False),
)
