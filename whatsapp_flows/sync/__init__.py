"""
From a folder of Flow JSON files to the flows of an account: desired state, what is there, plan, apply.

    wanted = read_manifest(Path("flows.toml"))
    plan = [decide(flow, actual, SyncOptions()) for flow, actual in zip(wanted, observe(client, wanted))]
    results = list(apply(client, plan))
"""

from ._apply import FlowResult, OnStep, apply, unapplied
from ._manifest import DesiredFlow, FlowEntry, Manifest, parse_manifest, read_flows, read_manifest
from ._observe import observe
from ._plan import Action, ActualFlow, FlowPlan, Step, SyncOptions, Unreadable, decide

__all__ = [
    "Action",
    "ActualFlow",
    "DesiredFlow",
    "FlowEntry",
    "FlowPlan",
    "FlowResult",
    "Manifest",
    "OnStep",
    "Step",
    "SyncOptions",
    "Unreadable",
    "apply",
    "decide",
    "observe",
    "parse_manifest",
    "read_flows",
    "read_manifest",
    "unapplied",
]
