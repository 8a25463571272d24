"""All that will be done to an account: data, to be looked at, kept, and applied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from ...errors import ErrorDetails, PlanError
from ..account import ActualFlow
from ..desired import DesiredFlow
from . import _reading as read
from ._change import FlowChange, PlanOptions
from ._plan_json import OTHER_FLOWS, change_json, choices, facts, options_json, read_change, read_options

_FEW: Final = 10  # so many changes are never too many
PLAN_VERSION: Final = 2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    What will be done to an account: data, to be looked at, kept, and applied.

    `changes` has one entry for each wanted flow, in their order, and then those that are to be deprecated. `options`
    are those that it was made with. `permitted` is what whoever applies it permits; None is the same. `other_account`
    is the account that the lock file is about, where this one has none: what is done is then its first deployment.
    `listed` is how many flows the account has in all, `remembers`: there is a lock file to write.
    """

    account_id: str | None
    changes: tuple[FlowChange, ...]
    options: PlanOptions = field(default_factory=PlanOptions)
    listed: int = 0
    remembers: bool = False
    other_account: str = ""
    permitted: PlanOptions | None = None

    @property
    def refusal(self) -> str:
        """Why the plan as a whole must not be applied; empty if it may."""
        return self._refusal(self.permitted or self.options)

    def _refusal(self, given: PlanOptions) -> str:
        """
        A table of what needs a permission: the first that is missing. New flows harm nobody, and do not count.
        """
        pruned = sum(change.action == "deprecate" for change in self.changes)
        left = [change.name for change in self.changes if change.unpublishes and "publish" not in change.steps]
        there = [change for change in self.changes if isinstance(change.actual, ActualFlow)]
        touched = [change for change in there if change.steps and change.action != "publish"]
        if self.other_account and self.pending and not given.new_account:
            return (
                f"this is account {self.account_id}, and so far the flows were deployed to account "
                f"{self.other_account}: say new_account (--new-account) if they shall be deployed here as well"
            )
        if pruned and not given.prune:
            flows = f"{pruned} flow{'' if pruned == 1 else 's'}"
            return f"{flows} would be deprecated, for good: say prune (--prune) to do it"
        if pruned > given.prune_limit:
            most = f"at most {given.prune_limit} may be (--prune-limit)"
            return f"{pruned} flows would be deprecated, for good, and {most}"
        if left and not given.allow_unpublish:
            return f"{left[0]} would become a draft: say allow_unpublish (--allow-unpublish) to do it"
        if not given.force and len(touched) > max(_FEW, given.max_changes * len(there)):
            return (
                f"{len(touched)} of the {len(there)} flows that are there would be changed at once: "
                "say force (--force) to do it"
            )
        return ""

    @property
    def pending(self) -> tuple[FlowChange, ...]:
        """The changes that write something."""
        return tuple(change for change in self.changes if change.steps)

    @property
    def blocked(self) -> tuple[FlowChange, ...]:
        """The flows that should be changed, and are left alone."""
        return tuple(change for change in self.changes if change.blocked)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.pending

    @property
    def calls(self) -> int:
        """The requests that applying it makes, when nothing goes wrong and nothing has moved."""
        return sum(change.calls for change in self.pending)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what is wanted and what was seen at Meta: of two plans with one digest, one is as good."""
        rests_on = [self.account_id, choices(self.options), [facts(change) for change in self.changes]]
        return hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()

    def raise_if_refused(self, *, force: bool = False, new_account: bool = False) -> None:
        """
        Raise `PlanError` if the plan as a whole must not be applied.

        `force` permits one that changes too much at once, `new_account` the first one for an account; neither permits
        one that deprecates too much.
        """
        given = self.permitted or self.options
        given = replace(given, force=force or given.force, new_account=new_account or given.new_account)
        if refusal := self._refusal(given):
            raise PlanError(ErrorDetails(message=f"{refusal}."))  # which says what to do

    def raise_if_moved(self, now: Plan) -> None:
        """
        Raise `PlanError` unless `now`, made of the same wishes and a new snapshot, is this same plan.

        The error names the options that differ, or the flows that are not as they were.
        """
        if self.digest == now.digest:
            return
        before, after = choices(self.options), choices(now.options)
        options = [name for name, value in before.items() if value != after[name]]
        if options:
            made = ", ".join(f"{name} = {json.dumps(before[name])}" for name in options)
            raise PlanError(f"the plan was made with other options: {made}. Say the same to apply it.")
        old, new = ({it.key: facts(it) for it in plan.changes} for plan in (self, now))
        moved = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
        what = f"not as they were when the plan was made: {', '.join(moved)}" if moved else "it is of another account"
        raise PlanError(f"the plan is stale: {what}.")

    def to_json(self) -> dict[str, Any]:
        """
        The plan as plain values. The Flow JSONs are not in it, only their digests: `from_json` takes the flows again.
        """
        return {
            "version": PLAN_VERSION,
            "digest": self.digest,
            "account_id": self.account_id,
            "options": options_json(self.options),
            "refusal": self.refusal,
            "planned_calls": self.calls,
            "listed": self.listed,
            "remembers": self.remembers,
            "other_account": self.other_account or None,
            "flows": [change_json(change) for change in self.changes],
        }

    @classmethod
    def from_json(
        cls, document: Mapping[str, Any], flows: Iterable[DesiredFlow], *, permitted: PlanOptions | None = None
    ) -> Plan:
        """
        The plan that `to_json` wrote, with the flows that it was made for.

        It says what was found, and gives no permission: `permitted` does, without which a plan that deprecates or
        un-publishes, or changes too much, is refused. Before it is applied it should be compared with a new one
        (`raise_if_moved`), and that one be applied.
        Raises `PlanError` if it cannot be read, or if the flows are not what they were.
        """
        desired = {flow.key: flow for flow in flows}
        try:
            plan = _read_plan(read.table(document), desired, permitted or PlanOptions())
        except (KeyError, TypeError, ValueError, RecursionError):
            raise PlanError("this is no plan, or one of another version of this library.") from None
        if plan.digest != document["digest"]:
            raise PlanError(OTHER_FLOWS)
        return plan


def _read_plan(document: Mapping[str, Any], desired: Mapping[str, DesiredFlow], permitted: PlanOptions) -> Plan:
    if read.count(document["version"]) != PLAN_VERSION:
        raise PlanError("the plan was made by another version of this library.")
    read.text(document["digest"])
    return Plan(
        account_id=read.optional_text(document["account_id"]),
        changes=tuple(read_change(item, desired) for item in read.items(document["flows"])),
        options=read_options(document["options"]),
        listed=read.count(document["listed"]),
        remembers=read.flag(document["remembers"]),
        other_account=read.optional_text(document["other_account"]) or "",
        permitted=permitted,
    )
