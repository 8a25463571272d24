"""
Random events on broken documents, and what must hold of every session.

    python -m tests.play.fuzz [--seconds N] [--seed N]

Nothing raises, a refused event changes nothing, the view can be made, a session pickles, and replaying its events from
its opening gives an equal session.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any, Final

from tests.flow_json.fuzz import VALUES, broken
from tests.flow_json.samples import samples
from tests.play.small_flows import TODAY
from whatsapp_flows.errors import ConfigurationError
from whatsapp_flows.play import (
    Answer,
    Back,
    Blur,
    Fill,
    PlayedFlow,
    Refused,
    Select,
    Session,
    Tap,
    Upload,
    UploadedFile,
    advance,
    read_flow,
    start,
    view,
)

TEXTS: Final = ("", "1", "x", "2025-01-31", "-1.5e3", "😀" * 3, "x" * 700, "${form.a}", "`1`")
STATES: Final = ("done", "running", "failed")
FAILURES: Final = ("", "", "", "", "", "timeout", "token-refused", "not-decrypted", "nonsense")


def random_event(chance: random.Random, session: Session) -> Any:
    """An event: often one that is possible, sometimes nonsense."""
    screen = session.flow.screens.get(session.screen)
    components = screen.layout.components if screen else ()
    component = chance.choice(components) if components else None
    path = component.path if component is not None else "/screens/0"
    if session.pending is not None and chance.random() < 0.8:
        return Answer(number=session.pending.number, content=_content(chance, session), failure=_failure(chance))
    if chance.random() < 0.03:
        file: Any = UploadedFile(name="a.png", size="9")  # type: ignore[arg-type]
        return chance.choice(
            (None, 5, "Tap", Tap(5), Fill(path, None), Select(path, []), Upload(path, None), Upload(path, (file,)))  # type: ignore[arg-type]
        )
    kinds: list[Any] = [
        lambda: Fill(path, chance.choice(TEXTS)),
        lambda: Fill(path, {"start-date": "2025-01-01", "end-date": chance.choice(TEXTS)}),
        lambda: Blur(path),
        lambda: Select(path, chance.choice((*_ids(component), "", "x")), chance.random() < 0.7),
        lambda: Tap(path, chance.choice((*_ids(component), ""))),
        lambda: Tap(path),
        lambda: Upload(path, (UploadedFile(name="a.png", size=9, state=chance.choice(STATES)),) * chance.randrange(3)),
        Back,
        lambda: Answer(number=session.asked),
    ]
    return chance.choice(kinds)()


def _ids(component: Any) -> Sequence[str]:
    found = [] if component is None else [component.value.get("data-source"), component.value.get("list-items")]
    items = [item for each in found if isinstance(each, list) for item in each if isinstance(item, dict)]
    return [item["id"] for item in items if isinstance(item.get("id"), str)] or ["1", "a"]


def _failure(chance: random.Random) -> Any:
    return chance.choice(FAILURES)


def _content(chance: random.Random, session: Session) -> Any:
    names = [*session.flow.screens, "SUCCESS"]
    name = chance.choice(names)
    examples = dict(session.flow.screens[name].examples) if name in session.flow.screens else {}
    if chance.random() < 0.3:
        examples[chance.choice((*examples, "error_message", "extension_message_response", "x"))] = chance.choice(VALUES)
    return {"screen": name, "data": examples} if chance.random() < 0.9 else chance.choice(VALUES)


def play(chance: random.Random, flow: PlayedFlow, length: int) -> Session:
    """Play random events, and check what must hold after each."""
    name = chance.choice((None, None, *flow.screens))
    step = start(flow, name, today=TODAY, init=chance.random() < 0.2)
    view(step.session)
    for _ in range(length):
        event = random_event(chance, step.session)
        after = advance(step.session, event)
        if any(isinstance(each, Refused) for each in after.effects):
            assert after.session is step.session
        view(after.session)
        step = after
    return step.session


def replayed(session: Session) -> Session:
    """The session that its opening and its events give."""
    opening = session.opening
    step = start(session.flow, opening.screen, opening.data, session.flow_token, session.today, init=opening.init)
    for event in session.events:
        step = advance(step.session, event)
    return step.session


def check(session: Session) -> None:
    """A session replays and pickles."""
    assert replayed(session) == session
    assert pickle.loads(pickle.dumps(session)) == session


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    made = [document for _, document in samples()]
    began, seen, failures = time.perf_counter(), 0, 0
    seed = options.seed
    while time.perf_counter() - began < options.seconds and failures < 10:
        seed += 1
        chance = random.Random(seed)
        content = json.dumps(chance.choice(made)).encode() if chance.random() < 0.2 else broken(chance, made)
        try:
            flow = read_flow(content)
        except ConfigurationError:
            continue
        seen += 1
        try:
            check(play(chance, flow, 30))
        except Exception:  # noqa: BLE001 - that nothing raises is what is tested
            failures += 1
            print("seed", seed)
            traceback.print_exc(limit=-6)
    print(f"{seen} documents, {failures} failures, last seed {seed}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
