"""How much of the rate limits is used, from Meta's headers `X-App-Usage` and `X-Business-Use-Case-Usage`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from json import loads
from typing import Any, Final

from ._dataclasses import dataclass
from ._forks import Mutex

__all__ = ["Usage"]

APP_HEADER: Final = "x-app-usage"
BUSINESS_HEADER: Final = "x-business-use-case-usage"

MAX_HINT_SECONDS: Final = 24 * 3600.0
"""
The longest wait in seconds that a header of Meta can ask for. Meta's limits are those of a rolling hour ("Rate
limits"): a longer wait is a mistake in the header, and must not stop an account for years.
"""

_MAX_FIGURES: Final = 1000  # figures; Meta names at most 32 objects in one answer
_NAME: Final = r"[\w.:-]{1,64}"  # an id has 20 digits at most, a type is a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """
    How much of one rate limit is used up, over the last hour.

    `object_id` is the business object that the limit is for, the WhatsApp Business Account as a rule; None for the
    limit of the whole app. `type` is Meta's name of the limit, empty for the app's. `call_count`, `total_cputime`
    and `total_time` are percentages of what is allowed; any of them at 100 means refusals. `regain_access` is in
    seconds: how long calls will be refused, 0 when they are not, at most a day. `received_at` is Unix time in seconds.

    Source: Meta, "Rate limits". Meta sends the headers only "once enough calls have been made".
    """

    object_id: str | None
    type: str = ""
    call_count: float = 0.0
    total_cputime: float = 0.0
    total_time: float = 0.0
    regain_access: float = 0.0
    received_at: float = 0.0

    @property
    def highest(self) -> float:
        """The highest of the three percentages."""
        return max(self.call_count, self.total_cputime, self.total_time)


def read_usage(app: str, business: str, received_at: float = 0.0) -> tuple[Usage, ...]:
    """The usage in the two headers of an answer; empty when there is none, or none that can be read."""
    return (*_app(app, received_at), *_business(business, received_at))


def usage_in(headers: Mapping[str, str], received_at: float) -> tuple[Usage, ...]:
    """The usage in all the headers of an answer. Most have none, which one search finds out."""
    if "usage" not in "".join(headers).lower():
        return ()
    found = {name.lower(): value for name, value in headers.items()}
    return read_usage(found.get(APP_HEADER, ""), found.get(BUSINESS_HEADER, ""), received_at)


def _app(value: str, received_at: float) -> Iterator[Usage]:
    found = _json(value)
    if isinstance(found, dict) and found:
        yield _usage(None, found, received_at)


def _business(value: str, received_at: float) -> Iterator[Usage]:
    """
    The entries of `X-Business-Use-Case-Usage`: {object id: [{type, call_count, ...}]}.

    An object in the place of the list, and numbers written as strings, occur.
    """
    found = _json(value)
    for object_id, group in found.items() if isinstance(found, dict) else ():
        for entry in group if isinstance(group, list) else [group]:
            if isinstance(entry, dict):
                yield _usage(_name(object_id), entry, received_at)


def _usage(object_id: str | None, found: dict[str, Any], received_at: float) -> Usage:
    return Usage(
        object_id=object_id,
        type=_name(found.get("type")),
        call_count=_number(found.get("call_count")),
        total_cputime=_number(found.get("total_cputime")),
        total_time=_number(found.get("total_time")),
        regain_access=min(_number(found.get("estimated_time_to_regain_access")) * 60.0, MAX_HINT_SECONDS),  # minutes
        received_at=received_at,
    )


def _name(value: object) -> str:
    """An id or a type as it came; empty when it has the shape of neither."""
    return value if isinstance(value, str) and re.fullmatch(_NAME, value, re.ASCII) else ""


def _json(value: str) -> object:
    if not value:
        return None
    try:
        return loads(value)
    except (ValueError, RecursionError):
        return None


def _number(value: object) -> float:
    """A finite number that may have been written as a string; 0 when it is not one."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", value):
        return float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    return 0.0


class UsageLog:
    """The last figures of each limit. Threads may share it; the oldest are dropped first."""

    def __init__(self) -> None:
        self._lock = Mutex()
        self._latest: dict[tuple[str | None, str], Usage] = {}

    def record_usage(self, headers: Mapping[str, str], received_at: float) -> tuple[Usage, ...]:
        """Keeps the usage in the headers of an answer, and returns it."""
        found = usage_in(headers, received_at)
        if found:
            with self._lock:
                for usage in found:
                    key = (usage.object_id, usage.type)
                    self._latest.pop(key, None)  # so that it moves to the end
                    self._latest[key] = usage
                while len(self._latest) > _MAX_FIGURES:
                    del self._latest[next(iter(self._latest))]
        return found

    @property
    def figures(self) -> tuple[Usage, ...]:
        """The last figures, the app's own first, then by business object and type."""
        with self._lock:
            found = tuple(self._latest.values())
        return tuple(sorted(found, key=lambda usage: (usage.object_id or "", usage.type)))
