"""
`make interop`, second part: the endpoints of others answer our `EndpointClient` as they are known to do.

pywa on its three frameworks, and Meta's Node example: a row of `CASES` is a request, and what each of them answers. A
row of `VISITS` is a Flow that `FlowPlayer` plays with each of them, and what becomes of it. Then the requests that pywa
has published, which real clients have made, are opened with our keys.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.interop.captures import open_captures  # noqa: E402
from tests.interop.peers import PEERS, SECRET, Peer, Running, SkippedError  # noqa: E402
from tests.interop.sources import MissingSourceError  # noqa: E402
from whatsapp_flows.endpoint import EndpointClient, EndpointReply, KeyPair, Tamper, generate_key_pair  # noqa: E402
from whatsapp_flows.play import FlowPlayer, PlayError  # noqa: E402

README: Final = Path(__file__).with_name("README.md")
MARKS: Final = ("<!-- endpoints: begin -->", "<!-- endpoints: end -->")
ENDED: Final = "its process ends"
NO_SCREEN: Final = "200, acknowledged as an error"
LISTED: Final = "with a list in place of an object"
PING, NEXT = "200 status", f"200 NEXT {LISTED}"
NESTED: Final[dict[str, object]] = {"name": "Zo\u00eb", "address": {"city": "Bonn", "zip": "53111"}}


@dataclass(frozen=True)
class Case:
    """A request, and the answers of pywa (on Starlette, FastAPI and Flask) and of Meta's Node example."""

    name: str
    send: Callable[[EndpointClient], EndpointReply]
    pywa: str | tuple[str, str, str]
    node: str
    rotated: bool = False

    def expected(self, peer: Peer) -> str:
        """The answer of a peer."""
        names = [each.name for each in PEERS]
        answers = (*((self.pywa,) * 3 if isinstance(self.pywa, str) else self.pywa), self.node)
        return answers[names.index(peer.name)]


def ping(tamper: Tamper | None = None) -> Callable[[EndpointClient], EndpointReply]:
    return lambda client: client.ping(tamper=tamper)


def exchange(action: str, screen: str, data: dict[str, object] | None = None) -> Callable[..., EndpointReply]:
    return lambda client: client.exchange(action, screen, data, "token-1")


CASES: Final = (
    Case("ping", ping(), PING, PING),
    Case("INIT", exchange("INIT", ""), NEXT, "200 MY_SCREEN"),
    Case("data_exchange with nested data", exchange("data_exchange", "MY_SCREEN", NESTED), NEXT, "200 SUCCESS"),
    Case("BACK", exchange("BACK", "MY_SCREEN"), NEXT, ENDED),
    Case(
        "error notification",
        lambda client: client.notify_error("timeout_error", token="token-1"),
        "200 acknowledged",
        "200 acknowledged",
    ),
    Case(
        "a form with a field called error",
        exchange("data_exchange", "MY_SCREEN", {"error": "x", "n": 1}),
        NO_SCREEN,
        NO_SCREEN,
    ),
    Case(
        "a flow token that is refused",
        lambda client: client.exchange("INIT", "", None, "refused"),
        "427 Order again.",
        "200 MY_SCREEN",
    ),
    Case("a handler that returns nothing", exchange("data_exchange", "NOTHING"), "500", ENDED),
    Case("a handler that raises", exchange("data_exchange", "FAILS"), "500", ENDED),
    Case("200 kB of data", exchange("data_exchange", "MY_SCREEN", {"text": "x" * 200_000}), NEXT, "413"),
    Case("a key that was replaced", ping(), f"{PING} after 2 requests", f"{PING} after 2 requests", rotated=True),
    Case("no signature", ping("no-signature"), PING, ENDED),
    Case("a wrong signature", ping("wrong-signature"), PING, "432"),
    Case("a short signature", ping("short-signature"), PING, ENDED),
    Case("another key", ping("wrong-key"), "421", "421"),
    Case("MGF1 with SHA-1", ping("mgf1-sha1"), "421", "421"),
    Case("OAEP with SHA-1", ping("sha1"), "421", "421"),
    Case("an AES key of 32 bytes", ping("long-aes-key"), PING, "500"),
    Case("an IV of 12 bytes", ping("short-iv"), PING, PING),
    Case("an inverted IV", ping("inverted-iv"), "421", "500"),
    Case("a flipped tag", ping("flipped-tag"), "421", "500"),
    Case("a short tag", ping("short-tag"), "421", "500"),
    Case("URL-safe base64", ping("urlsafe-base64"), "421", PING),
    Case("base64 with another character", ping("not-base64"), PING, PING),
    Case("a plaintext that is no JSON", ping("not-json"), "421", "500"),
    Case("a plaintext that is no object", ping("not-an-object"), "500", ENDED),
    Case("an envelope without IV", ping("missing-field"), "421", "500"),
    Case("a body that is no JSON", ping("not-an-envelope"), ("500", "500", "400"), "400"),
)


def _flow(seen: dict[str, object]) -> dict[str, object]:
    """A Flow with the screens that the peers know. pywa leads to NEXT; it has `seen`, which is what it was sent."""
    name = {"type": "TextInput", "name": "name", "label": "Name"}
    submit = {"name": "data_exchange", "payload": {"name": "${form.name}"}}
    footer = {"type": "Footer", "label": "Send", "on-click-action": submit}
    layout = {"type": "SingleColumnLayout", "children": [name, footer]}
    greeting = {"greeting": {"type": "string", "__example__": "Hello"}}
    following = {"seen": {**seen, "__example__": []}, "action": {"type": "string", "__example__": "INIT"}}
    return {
        "version": "7.3",
        "data_api_version": "3.0",
        "routing_model": {"MY_SCREEN": [], "NEXT": []},
        "screens": [
            {"id": "MY_SCREEN", "title": "Mine", "terminal": True, "data": greeting, "layout": layout},
            {"id": "NEXT", "title": "Next", "terminal": True, "data": following, "layout": layout},
        ],
    }


@dataclass(frozen=True)
class Visit:
    """A Flow that is played: opened with INIT, its field filled in and sent; and what becomes of it."""

    name: str
    seen: dict[str, object]
    pywa: str
    node: str
    token: str = "token-1"

    def expected(self, peer: Peer) -> str:
        """What becomes of it with a peer."""
        return self.node if peer is PEERS[-1] else self.pywa

    def played(self, url: str, pair: KeyPair) -> str:
        """What becomes of it, in a few words."""
        seen: list[str] = []
        options = {"endpoint": url, "public_key": pair.public_pem, "app_secret": SECRET, "flow_token": self.token}
        try:
            with FlowPlayer(_flow(self.seen), **options) as player:  # type: ignore[arg-type]
                seen.append(player.screen)
                player.fill(name="Zo\u00eb").tap()
                seen.append(player.screen if player.completed is None else f"completed {sorted(player.completed)}")
        except PlayError as refused:
            seen.append(f"{type(refused).__name__} {refused.path or refused.message}")
        return ", ".join(seen)


_COMPLETED: Final = "MY_SCREEN, completed ['flow_token']"
VISITS: Final = (
    Visit("a visit", {"type": "array", "items": {"type": "string"}}, "NEXT, NEXT", _COMPLETED),
    Visit("an object is declared", {"type": "object", "properties": {}}, "DataModelMismatch /data/seen", _COMPLETED),
    Visit("a refused token", {"type": "array"}, "EndpointFault Order again.", _COMPLETED, token="refused"),
)


def main(argv: Sequence[str]) -> int:
    """Ask all peers, or those that are named; 1 when one answers otherwise than expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="peers, and captures (all)")
    parser.add_argument("--write", action="store_true", help="write the answers into README.md")
    options = parser.parse_args(argv)
    answers: dict[str, dict[str, str]] = {}
    wrong: list[str] = []
    for peer in PEERS:
        if options.names and peer.name not in options.names:
            continue
        try:
            answers[peer.name] = ask(peer)
        except (SkippedError, MissingSourceError) as reason:
            print(f"{peer.name}: skipped, {reason}")
            continue
        rows = (*CASES, *VISITS)
        different = [case for case in rows if answers[peer.name][case.name] != case.expected(peer)]
        print(
            f"{peer.name}: {'ok' if not different else 'DIFFERENT'}, {len(CASES)} requests, {len(VISITS)} Flows played"
        )
        for case in different:
            print(f"  {case.name}: {answers[peer.name][case.name]}; expected: {case.expected(peer)}")
        wrong += [case.name for case in different]
    if not options.names or "captures" in options.names:
        wrong += captures()
    if options.write and not wrong and set(answers) == {peer.name for peer in PEERS}:
        write(answers)
    return 1 if wrong else 0


def ask(peer: Peer) -> dict[str, str]:
    """What a peer answers to each case, and what becomes of each visit."""
    found = {}
    with peer.running() as (running, pair):
        for case in CASES:
            # The first key is another one where the case is about a key that was replaced.
            keys = chain([generate_key_pair().public_pem] * case.rotated, repeat(pair.public_pem))
            with EndpointClient(running.url, lambda: next(keys), SECRET, sleep=lambda _: None) as client:  # noqa: B023
                found[case.name] = described(case.send(client), running)
        found |= {visit.name: visit.played(running.url, pair) for visit in VISITS}
    return found


def described(reply: EndpointReply, running: Running) -> str:
    """An answer in a few words."""
    if reply.status is None:
        return ENDED if running.has_ended() else reply.outcome
    if reply.status == 200 and not reply.ok:
        return NO_SCREEN
    if not reply.ok:
        return f"{reply.status} {reply.error_msg or ''}".strip()
    parts = [str(reply.status)]
    parts += [reply.screen] if reply.screen else list(reply.data)
    parts += [LISTED] if isinstance(reply.data.get("seen"), list) else []
    parts += [f"after {reply.attempts} requests"] if reply.attempts > 1 else []
    return " ".join(parts)


def captures() -> list[str]:
    """The requests of real clients; a list of what is wrong."""
    try:
        found = open_captures()
    except MissingSourceError as reason:
        print(f"pywa's captures: skipped, {reason}")
        return []
    for name, ok in found.items():
        print(f"pywa's captures: {name}: {'ok' if ok else 'DIFFERENT'}")
    return [name for name, ok in found.items() if not ok]


def write(answers: dict[str, dict[str, str]]) -> None:
    """The table of README.md."""
    lines = [f"| request | {' | '.join(answers)} |", "| --- " * (len(answers) + 1) + "|"]
    names = next(iter(answers.values()))
    lines += [f"| {name} | {' | '.join(found[name] for found in answers.values())} |" for name in names]
    before, _, rest = README.read_text("utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    README.write_text(f"{before}{MARKS[0]}\n\n" + "\n".join(lines) + f"\n\n{MARKS[1]}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
