"""What a preview asks, by the kind of the endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..play import Line, line_options, line_to
from ..signatures import AppSecrets

TIME_LIMIT: Final = 10.0
"""Seconds. Source: Meta, "Flows error codes": the client gives up after 10 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A way to an endpoint: `connect` makes it. `opens`: it answers INIT, so the Flow begins with that."""

    connect: Callable[[], Line]
    opens: bool


def connecting(
    endpoint: object,
    public_key: str | bytes | None,
    app_secret: AppSecrets | None,
    *,
    version: object,
    time_limit: float,
) -> Asked | None:
    """
    How to ask an endpoint; None without one. `version` is the `data_api_version` of the Flow, whatever that is.

    Raises `ConfigurationError` if it cannot be asked, and `ImportError` if it needs the extra `endpoint`.
    """
    if endpoint is None:
        return None
    options = line_options(public_key, app_secret, version=version, time_limit=time_limit)
    first = line_to(endpoint, options)
    spare = [first]  # made here, so that a mistake shows at once
    return Asked(connect=lambda: spare.pop() if spare else line_to(endpoint, options), opens=first.opens)
