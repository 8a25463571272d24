"""The endpoint of an automatic walk: what it answers, and what it raises, is an `Answer`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from .._log import place_of
from .._wire import as_secrets
from ..signatures import AppSecrets
from ._events import Answer, AskEndpoint
from ._exchange import TIME_LIMIT, Endpoint, Line, PublicKey, call_of, line_options, line_to
from ._flow import PlayedFlow
from ._uploads import Uploads


class Asker:
    """Asks an endpoint: call it with a request. `opens`: whether it decides about the first screen (INIT)."""

    def __init__(self, line: Line, *, opens: bool) -> None:
        self._line = line
        self._uploads = Uploads()
        self.opens = opens

    def __repr__(self) -> str:
        return f"Asker(opens={self.opens})"

    def __call__(self, request: AskEndpoint) -> Answer:
        """The answer; the failure `unreachable` for whatever the endpoint raises."""
        try:
            return self._line.ask(call_of(request, self._uploads.for_endpoint(request.data)))
        except Exception as raised:  # noqa: BLE001 - the host's function may raise anything; its text may hold secrets
            message = f"The endpoint raised {place_of(raised)}."
            return Answer(number=request.number, failure="unreachable", message=message)


@contextmanager
def asker_for(
    endpoint: Endpoint | None,
    flow: PlayedFlow,
    *,
    public_key: PublicKey | None = None,
    app_secret: AppSecrets | None = None,
    time_limit: float = TIME_LIMIT,
) -> Iterator[Asker | None]:
    """
    What asks an endpoint, as long as the block runs; None without an endpoint.

    A request is given up after `time_limit` seconds. Raises `ConfigurationError` for what is no endpoint, or whose key
    or secret is missing.
    """
    app_secret = cast("AppSecrets | None", as_secrets(app_secret))  # no local variable shows a secret
    if endpoint is None:
        yield None
        return
    version = flow.document.get("data_api_version")
    options = line_options(public_key, app_secret, version=version, time_limit=time_limit)
    line = line_to(endpoint, options)
    try:
        line.start()
        yield Asker(line, opens=line.opens and version is not None)
    finally:
        line.close()
