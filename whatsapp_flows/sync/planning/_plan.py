"""The plan for an account, as data."""

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
from ._plan_json import OTHER_FLOWS, change_json, fingerprint, options_json, read_change, read_options, relevant_options

_ALWAYS_ALLOWED_CHANGES: Final = 10
PLAN_VERSION: Final = 2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    The changes that a deployment makes to an account: data that can be shown, saved and applied.

    `changes` has one entry for each desired flow, in their order, and then those that are to be deprecated. `options`
    are those that the plan was made with, `permitted` the permissions of whoever applies it (None: the same).
    `other_account` is the account of the lock file, if this one has none: this is then its first deployment. `listed`
    is the number of flows in the account. `remembers`: there is a lock file to write.
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

    def _refusal(self, permissions: PlanOptions) -> str:
        """
        The first permission that is missing. New flows need none.
        """
        pruned = sum(change.action == "deprecate" for change in self.changes)
        drafts = [change.name for change in self.changes if change.unpublishes and "publish" not in change.steps]
        existing = [change for change in self.changes if isinstance(change.actual, ActualFlow)]
        changed = [change for change in existing if change.steps and change.action != "publish"]
        if self.other_account and self.pending and not permissions.new_account:
            return (
                f"this is account {self.account_id}, and so far the flows were deployed to account "
                f"{self.other_account}: set new_account (--new-account) to deploy them here, too"
            )
        if pruned and not permissions.prune:
            flows = f"{pruned} flow{'' if pruned == 1 else 's'}"
            return f"{flows} would be deprecated, which is final: set prune (--prune) to allow it"
        if pruned > permissions.prune_limit:
            limit = f"the limit is {permissions.prune_limit} (--prune-limit)"
            return f"{pruned} flows would be deprecated, which is final, and {limit}"
        if drafts and not permissions.allow_unpublish:
            return f"{drafts[0]} would become a draft: set allow_unpublish (--allow-unpublish) to allow it"
        if not permissions.force and len(changed) > max(
            _ALWAYS_ALLOWED_CHANGES, permissions.max_changes * len(existing)
        ):
            return (
                f"{len(changed)} of the {len(existing)} existing flows would be changed at once: "
                "set force (--force) to allow it"
            )
        return ""

    @property
    def pending(self) -> tuple[FlowChange, ...]:
        """The changes that write something."""
        return tuple(change for change in self.changes if change.steps)

    @property
    def blocked(self) -> tuple[FlowChange, ...]:
        """The changes that are not made, and why."""
        return tuple(change for change in self.changes if change.blocked)

    @property
    def empty(self) -> bool:
        """Whether no change writes anything."""
        return not self.pending

    @property
    def calls(self) -> int:
        """The requests of `apply`, if nothing fails and nothing has changed since."""
        return sum(change.calls for change in self.pending)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the desired state and what was seen at Meta: plans with the same digest do the same."""
        inputs = [self.account_id, relevant_options(self.options), [fingerprint(change) for change in self.changes]]
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    def raise_if_refused(self, *, force: bool = False, new_account: bool = False) -> None:
        """
        Raise `PlanError` if the plan as a whole must not be applied.

        `force` permits one that changes too much at once, `new_account` the first one for an account; neither permits
        one that deprecates too much.
        """
        permissions = self.permitted or self.options
        permissions = replace(
            permissions, force=force or permissions.force, new_account=new_account or permissions.new_account
        )
        if refusal := self._refusal(permissions):
            raise PlanError(ErrorDetails(message=f"{refusal}."))  # the message says what to do

    def raise_if_stale(self, now: Plan) -> None:
        """
        Raise `PlanError` unless `now`, a plan of the same desired state and a new snapshot, is the same plan.

        The error names the options that differ, or the flows that have changed.
        """
        if self.digest == now.digest:
            return
        before, after = relevant_options(self.options), relevant_options(now.options)
        options = [name for name, value in before.items() if value != after[name]]
        if options:
            made = ", ".join(f"{name} = {json.dumps(before[name])}" for name in options)
            raise PlanError(f"the plan was made with other options: {made}. Use the same options to apply it.")
        old, new = ({it.key: fingerprint(it) for it in plan.changes} for plan in (self, now))
        stale = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
        what = f"these have changed since it was made: {', '.join(stale)}" if stale else "it is for another account"
        raise PlanError(f"the plan is stale: {what}.")

    def to_json(self) -> dict[str, Any]:
        """
        The plan as plain values. It has digests instead of the Flow JSONs: `from_json` takes the flows again.
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

        The document gives no permissions: `permitted` does, and without it a plan that deprecates, un-publishes or
        changes too much is refused. Compare it with a new plan (`raise_if_stale`), and apply the new one.
        Raises `PlanError` if it cannot be read, or if the flows have changed.
        """
        desired = {flow.key: flow for flow in flows}
        try:
            plan = _read_plan(read.table(document), desired, permitted or PlanOptions())
        except (KeyError, TypeError, ValueError, RecursionError):
            raise PlanError("this is not a plan, or one of another version of this library.") from None
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
