"""
An emulator as a process of its own, which runs until it is stopped.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Collection
from typing import Final

from ._emulator import Emulator
from ._wire import RecordedRequest
from .graph import DEFAULT_PHONE_NUMBER_ID, DEFAULT_WABA_ID

# Lower than the emulator's defaults: a server that runs for weeks must not grow.
_KEEP_REQUESTS: Final = 1_000
_KEEP_BYTES: Final = 64 * 1024 * 1024


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    database: str | os.PathLike[str] | None = None,
    tokens: Collection[str] | None = None,
    app_secret: str | None = None,
    waba_id: str = DEFAULT_WABA_ID,
    phone_number_ids: Collection[str] = (DEFAULT_PHONE_NUMBER_ID,),
    cdn_host: str | None = None,
    page_size: int = 25,
    calls_per_hour: int | None = None,
    download_lifetime: float = 300.0,
    allowed_hosts: Collection[str] = (),
    seed: int = 0,
    on_request: Callable[[RecordedRequest], object] | None = None,
    on_ready: Callable[[Emulator], object] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """
    Run an emulator until Ctrl-C, or until `stop` is set.

    The options are those of `Emulator`, with fewer requests recorded. `on_ready` is called once with the running
    emulator: its `url`, `waba_id` and `phone_number_id` are what a client needs.
    """
    emulator = Emulator(
        host=host,
        port=port,
        database=database,
        tokens=tokens,
        app_secret=app_secret,
        waba_id=waba_id,
        phone_number_ids=phone_number_ids,
        cdn_host=cdn_host,
        page_size=page_size,
        calls_per_hour=calls_per_hour,
        download_lifetime=download_lifetime,
        allowed_hosts=allowed_hosts,
        seed=seed,
        on_request=on_request,
        keep_requests=_KEEP_REQUESTS,
        keep_bytes=_KEEP_BYTES,
    )
    with contextlib.suppress(KeyboardInterrupt), emulator:
        if on_ready is not None:
            on_ready(emulator)
        (stop or threading.Event()).wait()
