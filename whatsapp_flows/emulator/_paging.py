"""
Pages and cursors, as on every Graph edge.

A cursor names a position, not a page number: an item that is added or deleted while
somebody pages neither repeats nor hides another.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode

from ._errors import Problem, error

_PREFIX: Final = b"emulated-cursor"
_PAGING: Final = frozenset({"limit", "after", "before", "access_token", "appsecret_proof", "appsecret_time"})

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A stretch of an edge: its items with their positions, and whether there is more on either side."""

    items: tuple[tuple[int, Item], ...]
    more_before: bool
    more_after: bool


def page_of(
    items: Sequence[tuple[int, Item]], *, limit: int, after: str | None = None, before: str | None = None
) -> Page[Item]:
    """At most `limit` items behind one cursor or in front of the other; items come sorted by position."""
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


def paging_object(page: Page[Item], *, url: str, query: Mapping[str, str], limit: int, token: str) -> dict[str, object]:
    """
    The `paging` object of a page.

    As on Graph, `next` and `previous` are present only when there is more, and carry the
    caller's token in their query: a client that follows or logs them gives it away.
    """
    if not page.items:
        return {}
    before, after = (_cursor(page.items[at][0]) for at in (0, -1))
    kept = {name: value for name, value in query.items() if name not in _PAGING}

    def link(**cursor: str) -> str:
        return f"{url}?{urlencode({'access_token': token, **kept, 'limit': limit, **cursor})}"

    paging: dict[str, object] = {"cursors": {"before": before, "after": after}}
    if page.more_after:
        paging["next"] = link(after=after)
    if page.more_before:
        paging["previous"] = link(before=before)
    return paging


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(_PREFIX + b":" + str(position).encode()).decode()


def _position(cursor: str) -> int:
    try:
        prefix, _, position = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).partition(b":")
        if prefix == _PREFIX:
            return int(position)
    except (ValueError, binascii.Error):
        pass  # it is refused like any other text that is not a cursor of ours
    raise error(Problem.INVALID_PARAMETER, "(#100) Invalid cursor")
