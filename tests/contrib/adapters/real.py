"""An endpoint, webhooks, and both combined, as hosts make them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any, Final

from tests.contrib.adapters.receivers import PATIENCE
from whatsapp_flows._http_answer import Receiver
from whatsapp_flows.endpoint import FlowEndpoint, FlowRequest, InvalidToken, PrivateKeys, Show
from whatsapp_flows.webhooks import Webhooks, combined

ENDPOINT_SECRET: Final = "secret-of-the-endpoint"
HOOKS_SECRET: Final = "secret-of-the-webhooks"
VERIFY_TOKEN: Final = "chosen-by-the-host"
DATES: Final = ["2030-01-01", "2030-01-02"]


def make_endpoint(keys: PrivateKeys) -> FlowEndpoint:
    """An endpoint with plain and asynchronous handlers."""
    endpoint = FlowEndpoint(
        keys,
        app_secrets=ENDPOINT_SECRET,
        time_limit=PATIENCE,
        max_body=100_000,
        tokens=_check_token,
    )
    meeting = threading.Barrier(2)

    @endpoint.init
    def start(request: FlowRequest) -> Show:
        return request.show("CHOOSE", dates=DATES)

    @endpoint.data_exchange("CHOOSE")
    def chosen(request: FlowRequest) -> Any:
        return request.finish(date=request.data["date"], name=request.data["name"])

    @endpoint.data_exchange("MEET")
    def meet(request: FlowRequest) -> Show:
        """Waits, on its thread, for another request of the kind."""
        meeting.wait(PATIENCE)
        return request.same_screen()

    @endpoint.data_exchange("ASYNC")
    async def soon(request: FlowRequest) -> Show:
        await asyncio.sleep(0)
        return request.same_screen()

    return endpoint


def _check_token(request: FlowRequest) -> None:
    if request.flow_token == "expired":
        raise InvalidToken("Please ask for a new message.")


def make_receivers(keys: PrivateKeys) -> Mapping[str, Receiver]:
    """Path -> receiver."""
    endpoint = make_endpoint(keys)
    hooks = Webhooks(app_secrets=HOOKS_SECRET, verify_token=VERIFY_TOKEN, max_body=200_000)
    return {"/endpoint": endpoint, "/webhooks": hooks, "/both": combined(endpoint, hooks)}
