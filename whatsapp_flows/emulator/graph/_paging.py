"""
Pages and cursors, as on every edge of the Graph API.

A cursor stands for a position, not for a page number, so items that are added or deleted between two pages neither
repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode

from ._call import GraphCall, positive_number, text
from ._errors import Problem, graph_error

_PREFIX: Final = b"emulated-cursor"
_PAGING: Final = frozenset({"limit", "after", "before", "access_token", "appsecret_proof", "appsecret_time"})

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Consecutive items of an edge with their positions, and whether there are more on either side."""

    items: tuple[tuple[int, Item], ...]
    more_before: bool
    more_after: bool


def page_of(
    items: Sequence[tuple[int, Item]], *, limit: int, after: str | None = None, before: str | None = None
) -> Page[Item]:
    """At most `limit` items after or before a cursor. The items must be sorted by position."""
    if after is not None:
        position = _position(after)
        items_after = [item for item in items if item[0] > position]
        chosen = items_after[:limit]
    elif before is not None:
        position = _position(before)
        chosen = [item for item in items if item[0] < position][-limit:]
    else:
        chosen = list(items[:limit])
    if not chosen:
        return Page((), more_before=False, more_after=False)
    return Page(tuple(chosen), more_before=items[0][0] < chosen[0][0], more_after=chosen[-1][0] < items[-1][0])


def requested_page(
    call: GraphCall, items: Sequence[tuple[int, Item]]
) -> tuple[tuple[Item, ...], dict[str, dict[str, object]]]:
    """
    The items of the page that a call asks for, and the `paging` object to put beside `data` (empty for no items).

    As on Graph, `next` and `previous` are present only when there is more, and contain the caller's token: a client
    that follows or logs them leaks it.
    """
    limit = positive_number(call, "limit", call.settings.page_size)
    page = page_of(items, limit=limit, after=text(call, "after"), before=text(call, "before"))
    if not page.items:
        return (), {}
    before, after = (_cursor(page.items[index][0]) for index in (0, -1))
    others = {name: value for name, value in call.query.items() if name not in _PAGING}

    def link(**cursor: str) -> str:
        query = urlencode({"access_token": call.token or "", **others, "limit": limit, **cursor})
        return f"{call.settings.base_url}{call.path}?{query}"

    paging: dict[str, object] = {"cursors": {"before": before, "after": after}}
    if page.more_after:
        paging["next"] = link(after=after)
    if page.more_before:
        paging["previous"] = link(before=before)
    return tuple(item for _, item in page.items), {"paging": paging}


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(_PREFIX + b":" + str(position).encode()).decode()


def _position(cursor: str) -> int:
    try:
        prefix, _, position = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).partition(b":")
        if prefix == _PREFIX:
            return int(position)
    except (ValueError, binascii.Error):
        pass  # reported below, as any other text that is not a cursor
    raise graph_error(Problem.INVALID_PARAMETER, "(#100) Invalid cursor")
