"""`webhook_body()`: what the host's webhook gets is what `Webhooks` reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.play.visit import FLOW, flow_endpoint, function
from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import KeyPair
from whatsapp_flows.play import PlayError, WebhookBody
from whatsapp_flows.signatures import verify
from whatsapp_flows.webhooks import FlowCompleted, WebhookEvent, Webhooks

Play = Callable[..., Any]


def completed(player: Any) -> Any:
    return player.fill(name="Zoë").tap().choose("slot", "s10").tap()


def read(webhook: WebhookBody, secret: str) -> FlowCompleted:
    """The event of a webhook, by the reader that a host uses."""
    events: list[WebhookEvent] = []
    hooks = Webhooks(app_secrets=secret, verify_token="a-text", handler=events.append)
    assert hooks.receive(*webhook).status == 200
    (event,) = events
    assert isinstance(event, FlowCompleted)
    return event


def test_the_webhook_of_a_completed_flow(play: Play) -> None:
    """Answers, flow token, user, message, and the day of the player."""
    player = completed(play(FLOW, endpoint=function([]), app_secret="a-secret", flow_token="token-1"))
    event = read(player.webhook_body(user="491701234567", context_id="wamid.7"), "a-secret")
    assert event.answers == {"slot": "s10", "flow_token": "token-1"}
    assert (event.token, event.sender, event.context_id) == ("token-1", "491701234567", "wamid.7")
    assert event.timestamp == datetime(2026, 11, 30, 12, tzinfo=timezone.utc)


def test_equal_answers_are_one_message(play: Play) -> None:
    """A host that looks for duplicates sees one; another user's is another."""
    player = completed(play(FLOW, endpoint=function([]), app_secret="a-secret"))
    first, again = player.webhook_body(), player.webhook_body()
    assert first == again
    other = player.webhook_body(user="491701234567")
    assert read(first, "a-secret").dedupe_key != read(other, "a-secret").dedupe_key


def test_the_secret_is_given_or_the_players_or_the_endpoints(
    play: Play, flow_key_pair: KeyPair, flow_app_secret: str
) -> None:
    """In this order."""
    endpoint = flow_endpoint(flow_key_pair, flow_app_secret, [])
    player = completed(play(FLOW, endpoint=endpoint))
    for given, secret in ((None, flow_app_secret), ("another", "another")):
        body, headers = player.webhook_body(given)
        assert verify(body, headers["X-Hub-Signature-256"], secret) == 0
    player = completed(play(FLOW, endpoint=endpoint, app_secret=flow_app_secret))
    assert read(player.webhook_body(), flow_app_secret).token == "test"


def test_without_a_secret_there_is_no_signature(play: Play) -> None:
    """The player says what is missing."""
    with pytest.raises(ConfigurationError, match="app_secret is missing"):
        completed(play(FLOW, endpoint=function([]))).webhook_body()
    complete = {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {}}}
    layout = {"type": "SingleColumnLayout", "children": [complete]}
    flow = {"version": "7.3", "screens": [{"id": "A", "title": "A", "terminal": True, "layout": layout}]}
    with pytest.raises(ConfigurationError, match="app_secret is missing"):
        play(flow).tap().webhook_body()


def test_without_a_message_there_is_no_webhook(play: Play) -> None:
    """Before the end, and where the Flow closes without one."""
    player = play(FLOW, endpoint=function([]), app_secret="a-secret")
    for each in (player, player.fill(name="closed").tap()):
        with pytest.raises(PlayError, match="has sent no message"):
            each.webhook_body()


def test_the_repr_shows_the_size_alone(play: Play) -> None:
    """Neither what was entered nor the signature."""
    shown = repr(completed(play(FLOW, endpoint=function([]), app_secret="a-secret")).webhook_body())
    assert shown.startswith("WebhookBody(<")
    assert "s10" not in shown
    assert "sha256" not in shown


@pytest.mark.parametrize("secret", ["", " a-secret-with-a-blank ", "a-secret\ud800"])
def test_no_frame_shows_a_secret_that_is_refused(play: Play, secret: str) -> None:
    """Neither of the player's constructor nor of `webhook_body`."""
    player = completed(play(FLOW, endpoint=function([]), app_secret="a-good-secret"))
    calls: list[Callable[[], object]] = [lambda: play(FLOW, app_secret=secret), lambda: player.webhook_body(secret)]
    for fails in calls:
        with pytest.raises(ConfigurationError) as caught:
            fails()
        frames = [each.frame for each in caught.traceback if "whatsapp_flows" in str(each.path)]
        assert frames
        assert not any("a-secret" in repr(value) for frame in frames for value in frame.f_locals.values())
