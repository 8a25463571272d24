"""What is new in a state, put together again, is the state."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows.preview._delta import Delta, Items, Members
from whatsapp_flows.preview._json import json_text

VALUES = st.integers(0, 3)
STATES = st.tuples(VALUES, VALUES, st.lists(st.tuples(st.sampled_from("abc"), VALUES), unique_by=lambda item: item[0]))


def parts(state: tuple[int, int, list[tuple[str, int]]]) -> Members:
    """An object with a member, an object and an array in it."""
    member, other, items = state
    texts = {key: json_text({"key": key, "value": value}) for key, value in items}
    return Members({"member": str(member), "view": Members({"other": str(other), "nodes": Items(texts)})})


def merged(old: Any, answer: Any) -> Any:
    """What the page does: see `static/merging.js`."""
    if answer.pop("since", None) is None:
        return answer
    view = {**old["view"], **answer.get("view", {})}
    if isinstance(view["nodes"], dict):
        known = {item["key"]: item for item in (*old["view"]["nodes"], *view["nodes"]["items"])}
        keys = view["nodes"].get("keys", [item["key"] for item in old["view"]["nodes"]])
        view["nodes"] = [known[key] for key in keys]
    return {**old, **answer, "view": view}


@given(st.lists(st.tuples(STATES, st.booleans()), min_size=1, max_size=8))
def test_a_page_that_asks_now_and_then_has_the_state(states: list[tuple[Any, bool]]) -> None:
    """Whatever has changed in between, and whatever it has missed."""
    delta, seen, page = Delta(), -1, None
    for revision, (state, asks) in enumerate(states):
        delta.update(parts(state), revision)
        if asks:
            page, seen = merged(page, json.loads(delta.text(seen, {}))), revision
            assert page == json.loads(delta.text(-1, {}))


def test_what_has_not_changed_is_left_out() -> None:
    """Members, items, and the keys of an array."""
    delta = Delta()
    delta.update(parts((1, 2, [("a", 1), ("b", 2)])), 4)
    delta.update(parts((1, 2, [("a", 1), ("b", 3)])), 5)
    assert json.loads(delta.text(4, {"more": "0"})) == {
        "view": {"nodes": {"items": [{"key": "b", "value": 3}]}},
        "more": 0,
        "since": 4,
    }
    assert json.loads(delta.text(5, {})) == {"since": 5}
    delta.update(parts((1, 2, [("b", 3)])), 6)
    assert json.loads(delta.text(5, {})) == {"view": {"nodes": {"items": [], "keys": ["b"]}}, "since": 5}
