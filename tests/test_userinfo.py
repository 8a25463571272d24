"""User and password of a proxy, or of a download link, are in no error, event or log record of either client."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests import misbehaving as bad
from tests.misbehaving import Server, answers
from tests.transport_support import FLOW_ID, TOKEN
from tests.wires import event_loop
from whatsapp_flows import AsyncFlowsClient, Event, FlowsClient, FlowsError

SECRET = "pr0xy-passw0rd"
USER = "j0hn-d0e"
INFO = f"{USER}:{SECRET}"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


@pytest.fixture(params=["sync", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


def failure(kind: str, base_url: str, method: str, caplog: pytest.LogCaptureFixture) -> tuple[FlowsError, str]:
    """The error of a call, and the text of all that errors, events and log records hold."""
    events: list[Event] = []

    def plainly() -> None:
        options: dict[str, Any] = {"base_url": base_url, "max_attempts": 2, "on_event": events.append}
        with FlowsClient(TOKEN, sleep=lambda _: None, **options) as client:
            getattr(client, method)(FLOW_ID)

    async def in_a_loop() -> None:
        async with AsyncFlowsClient(TOKEN, base_url=base_url, max_attempts=1, on_event=events.append) as client:
            await getattr(client, method)(FLOW_ID)

    caplog.clear()
    with caplog.at_level(logging.DEBUG), event_loop() as loop, pytest.raises(FlowsError) as caught:
        plainly() if kind == "sync" else loop.run(in_a_loop())
    error = caught.value
    texts = [str(error), repr(error), repr(error.details), repr(error.__cause__), repr(error.__context__)]
    texts += [repr(events), caplog.text, *(repr(vars(record)) for record in caplog.records)]
    return error, "\n".join(texts)


@pytest.fixture(scope="module")
def proxies() -> Iterator[dict[str, str]]:
    """Proxy URLs: one refuses, one resets the connection, the others cannot be used."""
    with Server(answers(b"no", 407)) as refuses, Server(bad.RESET_AFTER_REQUEST) as resets:
        yield {
            "refuses": f"http://{INFO}@127.0.0.1:{refuses.port}",
            "resets": f"http://{INFO}@127.0.0.1:{resets.port}",
            "is not there": f"http://{INFO}@127.0.0.1:9",
            "is unknown": f"http://{INFO}@proxy.nonexistent:3128",
            "without a scheme": f"{INFO}@127.0.0.1:9",
            "without a host": f"http://{INFO}@",
            "half a host": f"http://{INFO}@[::1",
            "no port": f"http://{INFO}@127.0.0.1:port",
            "a blank in it": f"http://{USER} x:{SECRET}/x#y@127.0.0.1:9",
            "another scheme": f"ftp://{INFO}@127.0.0.1:9",
            "SOCKS": f"socks5://{INFO}@127.0.0.1:9",
        }


PROXIES = (
    "refuses", "resets", "is not there", "is unknown", "without a scheme", "without a host", "half a host", "no port",
    "a blank in it", "another scheme", "SOCKS",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxys_user_and_password_are_shown_nowhere(
    kind: str, proxy: str, scheme: str, proxies: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Whatever the failure, an invalid address included; and the error is one of the tree."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxies[proxy])
    error, texts = failure(kind, f"{scheme}://graph.nonexistent", "get_flow", caplog)
    assert error.message
    assert SECRET not in texts
    assert USER not in texts


@pytest.mark.parametrize(
    "link", ["https://{}@127.0.0.1:9/flow?x=1", "https://{}@cdn.nonexistent/flow", "https://{}@[::1/f"]
)
def test_a_download_links_user_and_password_are_shown_nowhere(
    kind: str, link: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor its query."""
    asset = {"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": link.format(INFO)}
    with Server(answers(json.dumps({"data": [asset]}).encode())) as server:
        _, texts = failure(kind, server.url, "download_flow_json", caplog)
    assert SECRET not in texts
    assert USER not in texts
