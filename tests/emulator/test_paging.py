"""Pages and cursors."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.support import SETTINGS, call
from whatsapp_flows.emulator.graph._errors import GraphError
from whatsapp_flows.emulator.graph._paging import page_of, requested_page

_ITEMS = st.lists(st.integers(1, 10**17), unique=True, max_size=30).map(
    lambda keys: [(key, key) for key in sorted(keys)]
)


def _paging(items: list[tuple[int, int]], **parameters: Any) -> tuple[list[int], Any]:
    parameters = {name: value for name, value in parameters.items() if value is not None}
    asked = call("GET", "/f", query={"fields": "id"}, parameters=parameters, token="secret")
    selected, paging = requested_page(asked, items)
    return list(selected), paging.get("paging", {})


@settings(deadline=None)
@given(_ITEMS, st.integers(1, 31))
def test_following_after_covers_every_item_once(items: list[tuple[int, int]], limit: int) -> None:
    """Any page size: forwards, every item is seen exactly once, in order; the end has no `next`."""
    seen, paging = _paging(items, limit=limit)
    while "next" in paging:
        more, paging = _paging(items, limit=limit, after=paging["cursors"]["after"])
        assert more
        seen += more
    assert seen == [key for key, _ in items]


@settings(deadline=None)
@given(_ITEMS.filter(bool), st.integers(1, 31))
def test_following_before_covers_every_item_once(items: list[tuple[int, int]], limit: int) -> None:
    """Backwards from the last item it is the same; the beginning has no `previous`."""
    seen, paging = _paging(items[-1:], limit=1)
    paging["previous"] = ""
    while "previous" in paging:
        more, paging = _paging(items, limit=limit, before=paging["cursors"]["before"] if paging else None)
        seen = more + seen
        if not paging:
            break
    assert seen == [key for key, _ in items]


def test_a_cursor_outlives_its_item() -> None:
    """A cursor stands for a position, also after its item was deleted and others were added."""
    _, paging = _paging([(1, 1), (2, 2), (3, 3)], limit=2)
    assert _paging([(1, 1), (3, 3), (4, 4)], limit=2, after=paging["cursors"]["after"])[0] == [3, 4]


def test_the_next_link_carries_the_token() -> None:
    """As on Graph: the parameters of the call, the cursor, and the caller's token."""
    _, paging = _paging([(1, 1), (2, 2)], limit=1)
    assert paging["next"].startswith(f"{SETTINGS.base_url}/f?")
    assert parse_qs(urlsplit(paging["next"]).query) == {
        "access_token": ["secret"],
        "fields": ["id"],
        "limit": ["1"],
        "after": [paging["cursors"]["after"]],
    }
    assert "previous" not in paging


def test_an_empty_page_has_no_paging() -> None:
    """An empty page has no items that a cursor could stand for."""
    assert _paging([], limit=5) == ([], {})


@pytest.mark.parametrize("cursor", ["", "x", "!!", "é", "ZW11bGF0ZWQtY3Vyc29yOng=", "b3RoZXI6MQ=="])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    """Code 100 for a text that is not a cursor, is one of another kind, or has no position."""
    with pytest.raises(GraphError) as error:
        page_of([(1, 1)], limit=1, after=cursor)
    assert error.value.spec.code == 100
