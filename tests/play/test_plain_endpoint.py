"""A URL without a public key is asked in plain JSON, in one way by both players and the automatic walk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.play.development import development
from tests.play.visit import footer, screen
from whatsapp_flows.play import AsyncFlowPlayer, EndpointFault, FlowPlayer, autoplay

START = screen(
    "START",
    {"type": "TextInput", "name": "place", "label": "Place", "required": True},
    footer("Continue", {"name": "data_exchange", "payload": {"place": "${form.place}"}}),
)
SLOTS = screen(
    "SLOTS",
    footer("Done", {"name": "complete", "payload": {"hint": "${data.hint}"}}),
    data={"hint": {"type": "string", "__example__": "At ten"}},
    terminal=True,
)
FLOW: dict[str, Any] = {
    "version": "7.3",
    "data_api_version": "4.0",
    "routing_model": {"START": ["SLOTS"], "SLOTS": []},
    "screens": [START, SLOTS],
}
COMPLETED = {"hint": "At noon", "flow_token": "test"}


def by_a_player(url: str) -> dict[str, Any] | None:
    return FlowPlayer(FLOW, endpoint=url, screen="START").fill(place="Kyiv").tap().tap().completed


def by_an_awaited_player(url: str) -> dict[str, Any] | None:
    async def main() -> dict[str, Any] | None:
        player = await AsyncFlowPlayer(FLOW, endpoint=url, screen="START")
        return (await player.fill(place="Kyiv").tap().tap()).completed

    return asyncio.run(main())


def by_itself(url: str) -> dict[str, Any] | None:
    found = autoplay(FLOW, endpoint=url, screen="START").completed
    return None if found is None else dict(found)


@pytest.mark.parametrize("play", [by_a_player, by_an_awaited_player, by_itself])
def test_a_server_in_development(play: Callable[[str], dict[str, Any] | None]) -> None:
    """The decrypted request is posted, and the decrypted answer read."""
    with development() as (url, requests):
        assert play(f"{url}/good") == COMPLETED
    assert [(each["action"], each["screen"], each["version"]) for each in requests] == [
        ("data_exchange", "START", "4.0")
    ]


def test_a_fixture_that_has_a_key(play_flow: Callable[..., FlowPlayer]) -> None:
    """`play_flow` encrypts for its own key, unless it is told that there is none."""
    with development() as (url, requests):
        player = play_flow(FLOW, endpoint=f"{url}/good", public_key=None, screen="START")
        assert player.fill(place="Kyiv").tap().screen == "SLOTS"
    assert requests[0]["data"] == {"place": "Kyiv"}


@pytest.mark.parametrize(
    ("path", "failure", "says"),
    [
        ("/text", "unreadable", "plain JSON, as no public key is given"),
        ("/key", "not-decrypted", "plain JSON, as no public key is given"),
        ("/error", "status", "HTTP 500"),
        ("/away", "status", "HTTP 302"),
        ("/token", "token-refused", "This link has expired"),
    ],
)
def test_what_a_server_refuses(path: str, failure: str, says: str) -> None:
    """The error says how it was asked, for whoever has forgotten the key of an endpoint that is encrypted."""
    with development() as (url, _):
        player = FlowPlayer(FLOW, endpoint=f"{url}{path}", screen="START").fill(place="Kyiv")
        with pytest.raises(EndpointFault, match=says) as caught:
            player.tap()
    assert caught.value.failure == failure


def test_a_server_that_is_not_there() -> None:
    """It is not reached, and not told."""
    with development() as (url, _):
        pass
    player = FlowPlayer(FLOW, endpoint=url, screen="START").fill(place="Kyiv")
    with pytest.raises(EndpointFault) as caught:
        player.tap()
    assert (caught.value.failure, len(player.requests)) == ("unreachable", 1)
