"""
Flows deployed like infrastructure: what is wanted, what is there, a plan, and its application.

    workspace = read_workspace(Path("flows.toml"))
    lock = Lock(workspace.lock_file, account_id=client.waba_id)
    plan = diff(workspace.flows, take_snapshot(client, workspace.flows, lock))
    results = apply(client, plan, lock=lock, jobs=8)
"""

from .._digest import digest_of
from ._apply import apply
from ._change import Action, Blocked, FlowChange, PlanOptions, Step, counted
from ._config import ENVIRONMENT_NAME, find_config, read_workspace
from ._config_file import PYPROJECT
from ._desired import DesiredFlow, Workspace
from ._diff import diff
from ._difference import Difference, FlowJsonDiff
from ._drift import FlowDrift, find_drift
from ._fleet import AccountResult, ClientFor, Fleet, deploy_flow
from ._identity import Identity, generation_name
from ._import import ImportedFlow, download_flows, list_importable, render_config
from ._live import LiveVersion, OldDocuments
from ._lock import Lock, LockEntry
from ._metadata import MetadataChange, metadata_changes
from ._pace import DEFAULT_CALLS_PER_HOUR, RunPace, paced
from ._plan import Plan
from ._pull import FlowPull, plan_pull
from ._result import FlowEvent, FlowResult, OnEvent, State
from ._semantic import compare
from ._snapshot import ActualFlow, OtherFlow, Snapshot, take_snapshot
from ._status import FlowState, read_states

__all__ = [
    "DEFAULT_CALLS_PER_HOUR",
    "ENVIRONMENT_NAME",
    "PYPROJECT",
    "AccountResult",
    "Action",
    "ActualFlow",
    "Blocked",
    "ClientFor",
    "DesiredFlow",
    "Difference",
    "Fleet",
    "FlowChange",
    "FlowDrift",
    "FlowEvent",
    "FlowJsonDiff",
    "FlowPull",
    "FlowResult",
    "FlowState",
    "Identity",
    "ImportedFlow",
    "LiveVersion",
    "Lock",
    "LockEntry",
    "MetadataChange",
    "OldDocuments",
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
    "download_flows",
    "find_config",
    "find_drift",
    "generation_name",
    "list_importable",
    "metadata_changes",
    "paced",
    "plan_pull",
    "read_states",
    "read_workspace",
    "render_config",
    "take_snapshot",
]
