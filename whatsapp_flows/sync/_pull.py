"""
From the account to the files: decides what to write into each file.

A file keeps its layout, the order of its keys and its variables where Meta has the same values. A file that several
flows share is written only if it is right for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from .._digest import digest_of
from ..errors import ConfigurationError, FlowsError
from ..flow_json import read_flow_json
from ..models import FlowStatus
from .account import ActualFlow, Snapshot
from .comparison import NO_CHANGES, FlowJsonDiff, compare, metadata_changes
from .desired import DesiredFlow, fill, unfill

PullAction = Literal["write", "unchanged", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPull:
    """
    The pull of one flow.

    `content` is the new content of its file (`action` "write"), `changes` what that changes in the Flow JSON. `problem`
    says why nothing can be written, `notes` are the differences in the metadata, which no Flow JSON file contains.
    """

    key: str
    name: str
    action: PullAction
    flow_id: str = ""
    status: str = ""
    file: Path | None = None
    content: bytes = field(default=b"", repr=False)
    changes: FlowJsonDiff = NO_CHANGES
    problem: str = ""
    notes: tuple[str, ...] = ()
    error: FlowsError | None = None


def plan_pull(
    flows: Iterable[DesiredFlow], snapshot: Snapshot, files: Mapping[Path, str], shared: Iterable[DesiredFlow] = ()
) -> tuple[FlowPull, ...]:
    """
    The pull of each flow, in their order.

    `files` has the text of each flow's `file`. `shared` are the other flows of the workspace: what their files mean to
    them must not change.
    """
    wanted = tuple(flows)
    pulls = [_pull(desired, snapshot.flows[desired.key], files) for desired in wanted]
    return tuple(_without_conflicts(wanted, pulls, tuple(shared)))


def _pull(desired: DesiredFlow, actual: ActualFlow | None, files: Mapping[Path, str]) -> FlowPull:
    pull = FlowPull(key=desired.key, name=desired.name, action="failed", file=desired.file)
    if actual is None:
        return replace(pull, problem="the account does not have it")
    pull = replace(pull, name=actual.name, flow_id=actual.id, status=actual.status, error=actual.error)
    if actual.status == FlowStatus.DEPRECATED:
        return replace(pull, problem="it is deprecated")
    if actual.error is not None:
        return replace(pull, problem=str(actual.error))
    if actual.digest is None and actual.content is None:
        return replace(pull, problem="it has no Flow JSON")
    differences = metadata_changes(desired, actual)
    notes = tuple(f"its {each.field}: {each.actual} at Meta, {each.desired} here" for each in differences)
    if actual.digest == desired.digest:
        return replace(pull, action="unchanged", notes=notes)
    if desired.file is None or actual.content is None:
        return replace(pull, problem="it does not come from a file")
    try:
        content = pulled(files[desired.file], desired.variables, actual.content)
    except ConfigurationError as error:
        return replace(pull, problem=f"its Flow JSON at Meta cannot be written: {error.message.rstrip('.')}")
    changes = compare(desired.content, actual.content)
    return replace(pull, action="write", content=content, changes=changes, notes=notes)


def pulled(text: str, variables: Mapping[str, str], content: bytes) -> bytes:
    """
    The text of a file, changed to what Meta has.

    Raises `ConfigurationError` for a `content` that is not a Flow JSON, or is nested too deeply.
    """
    document = json.loads(read_flow_json(content, argument="it"))
    try:
        return unfill(text, variables, document).encode()
    except RecursionError:
        raise ConfigurationError("it is nested too deeply") from None


def _without_conflicts(
    wanted: Sequence[DesiredFlow], pulls: Sequence[FlowPull], shared: Sequence[DesiredFlow]
) -> Iterable[FlowPull]:
    """The pulls; those that would make a shared file wrong for another flow are failed."""
    users: dict[Path, list[DesiredFlow]] = {}
    for flow in (*wanted, *shared):
        if flow.file is not None:
            users.setdefault(flow.file.resolve(), []).append(flow)
    pull_of = {pull.key: pull for pull in pulls}
    for pull in pulls:
        if pull.action != "write" or pull.file is None:
            yield pull
            continue
        others = [flow for flow in users[pull.file.resolve()] if flow.key != pull.key]
        broken = [flow.key for flow in others if not _is_right(pull.content, flow, pull_of.get(flow.key))]
        if broken:
            problem = f"its file is also that of {', '.join(broken)}, where Meta has something else"
            yield replace(pull, action="failed", content=b"", problem=problem)
        else:
            yield pull


def _is_right(content: bytes, flow: DesiredFlow, pull: FlowPull | None) -> bool:
    """Whether the content of a file is right for a flow: the same as its own pull, or as it is now."""
    now, wanted = _filled_digest(content, flow), flow.digest
    return now == (_filled_digest(pull.content, flow) if pull is not None and pull.action == "write" else wanted)


def _filled_digest(content: bytes, flow: DesiredFlow) -> str | None:
    return digest_of(fill(content.decode(), flow.variables, source=flow.source).text.encode())
