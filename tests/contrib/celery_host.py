"""A host of the Celery tasks, for the tests and their worker processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celery import Celery
from redis import Redis

from whatsapp_flows import FixedDelays, FlowsClient
from whatsapp_flows.contrib.celery import SETTINGS, FlowsTasks


def host(options: Mapping[str, Any]) -> FlowsTasks:
    """
    The tasks on an app of their own.

    `options`: `redis` (a URL), `meta` (a URL), `tokens` (a file, account -> token), `backend`, `results` (a file that
    `on_result` writes to) and more for `FlowsTasks`.
    """
    given = dict(options)
    url, meta, tokens = given.pop("redis"), given.pop("meta"), Path(given.pop("tokens"))
    results = given.pop("results", None)
    app = Celery("tests.contrib.celery_host", broker=url, backend=url if given.pop("backend", True) else None)
    app.conf.update(SETTINGS)
    app.conf.update(
        broker_transport_options={
            "visibility_timeout": given.pop("visibility_timeout", 2),
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        },
        broker_connection_retry_on_startup=True,
        worker_hijack_root_logger=True,
    )

    def client_for(account: str) -> FlowsClient:
        return FlowsClient(json.loads(tokens.read_text())[account], account, base_url=meta, timeout=60.0)

    def written(deployment: Any) -> None:
        with Path(results).open("a") as file:
            file.write(json.dumps(deployment.to_json()) + "\n")

    return FlowsTasks(
        app,
        client_for=client_for,
        redis=Redis.from_url(url),
        retry_policy=FixedDelays((0.3,)),
        on_result=None if results is None else written,
        **given,
    )
