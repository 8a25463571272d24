"""
Flows deployed like infrastructure: the desired state, the actual state, a plan, and its application.

    workspace = read_workspace(Path("flows.toml"))
    lock = Lock(workspace.lock_file, account_id=client.waba_id)
    plan = diff(workspace.flows, take_snapshot(client, workspace.flows, lock))
    results = apply(client, plan, lock=lock, jobs=8)

Inside, each room imports only from those before it, by the face of that room (its `__init__`):

    calls       how calls to Meta run: side by side, paced, stopped
    desired     flows.toml, the Flow JSON files and their variables
    account     what Meta lists, which flow a table means, the lock file
    comparison  how desired and actual state differ
    planning    the plan
    applying    the steps of a plan, carried out at Meta
    (top)       drift, status, pull, import, many accounts
"""

from .._digest import digest_of
from ._drift import FlowDrift, find_drift
from ._fleet import AccountResult, ClientFor, Fleet, deploy_flow
from ._import import ImportedFlow, download_flows, list_importable, render_config
from ._pull import FlowPull, plan_pull
from ._status import FlowState, read_states
from .account import ActualFlow, Identity, Lock, LockEntry, OtherFlow, Snapshot, generation_name, take_snapshot
from .applying import FlowEvent, FlowResult, LiveVersion, OldDocuments, OnEvent, State, apply
from .calls import DEFAULT_CALLS_PER_HOUR, RunPace, paced
from .comparison import Difference, FlowJsonDiff, MetadataChange, compare, metadata_changes
from .desired import ENVIRONMENT_NAME, PYPROJECT, DesiredFlow, Workspace, find_config, read_workspace
from .planning import Action, Blocked, FlowChange, Plan, PlanOptions, Step, counted, diff

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
