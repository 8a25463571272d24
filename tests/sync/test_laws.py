"""For any account: after a plan was applied nothing is left to do, and blocked flows are unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, client_of, desired, planned
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import apply

pytestmark = pytest.mark.slow

contents = st.sampled_from([FLOW_JSON, OTHER_FLOW_JSON])
there = st.none() | st.fixed_dictionaries(
    {
        "status": st.sampled_from(["DRAFT", "PUBLISHED", "THROTTLED", "BLOCKED", "DEPRECATED"]),
        "flow_json": st.none() | contents,
        "categories": st.sampled_from([("OTHER",), ("SURVEY",)]),
        "endpoint_uri": st.sampled_from([None, "https://a.example"]),
    }
)
tables = st.fixed_dictionaries(
    {
        "content": contents,
        "publish": st.booleans(),
        "replace": st.booleans(),
        "categories": st.sampled_from([("OTHER",), ("SURVEY",)]),
        "endpoint_uri": st.sampled_from([None, "https://b.example"]),
        "application_id": st.sampled_from([None, "20300000000000009"]),
    }
)


@settings(max_examples=some(60), deadline=None)
@given(st.lists(st.tuples(there, tables, st.booleans()), min_size=1, max_size=4), st.booleans())
def test_a_plan_that_was_applied_leaves_nothing_to_do(
    cases: list[tuple[dict[str, Any] | None, dict[str, Any], bool]], allow: bool
) -> None:
    """Apply, then plan again: no change is pending, each flow is there once, and blocked flows were not changed."""
    with Emulator() as meta:
        wanted = []
        for number, (found, table, refuses) in enumerate(cases):
            wanted.append(desired(f"f{number}", **table))
            if found is not None:
                flow = meta.add_flow(f"F{number}", **found)
                if refuses and table["replace"] and flow.status == "PUBLISHED":
                    meta.lock(flow.id)
        client = client_of(meta)
        before = {flow.id: flow for flow in meta.flows()}
        plan = planned(client, wanted, allow_unpublish=allow)
        results = apply(client, plan, jobs=2)
        assert all(result.ok or result.action == "blocked" for result in results), results
        after = planned(client, wanted, allow_unpublish=allow)
        assert after.empty
        assert [it.key for it in after.blocked] == [it.key for it in plan.blocked]
        for change in plan.blocked:
            assert meta.flow(change.flow_id) == before[change.flow_id]
        names = [flow.name for flow in meta.flows()]
        assert len(names) == len(set(names))
