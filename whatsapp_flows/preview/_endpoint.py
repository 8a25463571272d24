"""What a preview asks, by the kind of the endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from .._wire import as_secrets
from ..play import Line, LineOptions, line_to
from ..signatures import AppSecrets, app_secrets

TIME_LIMIT: Final = 10.0
"""Seconds. Source: Meta, "Flows error codes": the client gives up after 10 seconds."""

_VERSION: Final = "3.0"  # of the data API, for a Flow that states none


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
    secret = cast("AppSecrets | None", as_secrets(app_secret))
    options = LineOptions(
        secrets=None if secret is None else app_secrets(secret),
        public_key=public_key,
        path="/",
        interface="auto",
        time_limit=time_limit,
        version=version if isinstance(version, str) else _VERSION,
        sleep=None,
        clock=time.monotonic,
    )
    first = line_to(endpoint, options)
    spare = [first]  # made here, so that a mistake shows at once
    return Asked(connect=lambda: spare.pop() if spare else line_to(endpoint, options), opens=first.opens)
