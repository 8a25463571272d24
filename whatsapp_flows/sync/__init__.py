"""
Flows deployed like infrastructure: what is wanted, what is there, a plan, and its application.

    workspace = read_workspace(Path("flows.toml"))
    lock = Lock(workspace.lock_file, account_id=client.waba_id)
    plan = diff(workspace.flows, take_snapshot(client, workspace.flows, lock))
    results = apply(client, plan, lock=lock, jobs=8)
"""

from ._apply import FlowEvent, FlowResult, OnEvent, State, apply
from ._config import read_workspace
from ._desired import DesiredFlow, Workspace, digest_of
from ._fleet import AccountResult, ClientFor, Fleet, deploy_flow
from ._lock import Lock, LockEntry
from ._pace import DEFAULT_CALLS_PER_HOUR, RunPace, paced
from ._plan import Action, Blocked, FlowChange, Plan, PlanOptions, Step, counted, diff
from ._semantic import compare
from ._snapshot import ActualFlow, OtherFlow, Snapshot, generation_name, take_snapshot

__all__ = [
    "DEFAULT_CALLS_PER_HOUR",
    "AccountResult",
    "Action",
    "ActualFlow",
    "Blocked",
    "ClientFor",
    "DesiredFlow",
    "Fleet",
    "FlowChange",
    "FlowEvent",
    "FlowResult",
    "Lock",
    "LockEntry",
    "OnEvent",
    "OtherFlow",
    "Plan",
    "PlanOptions",
    "RunPace",
    "Snapshot",
    "State",
    "Step",
    "Workspace",
    "apply",
    "compare",
    "counted",
    "deploy_flow",
    "diff",
    "digest_of",
    "generation_name",
    "paced",
    "read_workspace",
    "take_snapshot",
]
