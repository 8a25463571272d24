"""
The modules that one call goes through, from the client's method to the wire and back.

The measure: while `requests` has the request, a module is one that the call goes *through* if one of its functions is
under way. Its frame is on the stack below `Session.send`, or it is a generator that waits for the response. These are
the modules that a debugger shows, and that a reader opens to follow a call. A module whose functions were called and
have returned (a check, a value, an event) is *consulted*. So is `_requests/_connections.py`, which urllib3 calls beyond
`requests`, during the network I/O. Both lists are written down here, so that neither grows without a decision.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType, GeneratorType
from typing import Any

import requests
import requests_mock

import whatsapp_flows
from tests.support import FLOW, TOKEN
from whatsapp_flows import FlowsClient

PACKAGE = Path(whatsapp_flows.__file__).parent
MAX_THROUGH = 6

# In the order in which the request passes them, and the response in the other direction.
THROUGH = [
    "client.py",  # the method
    "_driver_sync.py",  # carries out the engine's steps
    "_conversations.py",  # reads the document, then uploads it
    "_engine.py",  # attempts, waits, deadlines
    "_operations/_flows.py",  # what is asked, and what the answer means
    "_requests/_transport.py",  # one HTTP request
]

CONSULTED = {
    "_base_client.py",  # is the client open, is it stopped
    "_call.py",  # the policy, and the events of the call
    "_decoding.py",  # gzip
    "_documents.py",  # is the document to be checked
    "_classify.py",  # is the response an error
    "_dataclasses.py",  # copies of values with changes
    "_fields.py",  # typed access to JSON
    "_http.py",  # bounds of one request
    "_inert.py",  # the shape of a secret
    "_operations/_arguments.py",  # the checks of arguments
    "_operations/_graph.py",  # the request's body, the response's JSON
    "_requests/_connections.py",
    "_settings.py",  # the policy and the mode of this call
    "_wire.py",  # Request, Response, Secret
    "events.py",  # the log
    "flow_json/text/_source.py",  # the document as bytes
    "models.py",  # the result
    "retry.py",  # is there a deadline
    "transport.py",  # the token
    "usage.py",  # the rate limits
}


class Walk:
    """A session that records which modules wait for its responses."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.hooks["response"].append(self.look)
        self.through: list[str] = []
        self.entered: set[str] = set()

    def look(self, _: requests.Response, **__: Any) -> None:
        """A response hook: records the stack, outermost first."""
        for frame in reversed([*_stack(sys._getframe())]):
            for code in (frame.f_code, *_waiting(frame)):
                name = _module(code)
                if name is not None and name not in self.through:
                    self.through.append(name)

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """For `sys.setprofile`: records each module of which a function is called."""
        name = _module(frame.f_code)
        if event == "call" and name is not None:
            self.entered.add(name)


def _module(code: CodeType) -> str | None:
    path = Path(code.co_filename)
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else None


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waiting(frame: FrameType) -> Iterator[CodeType]:
    """The generators that a frame drives, from the outermost to the one that made the request."""
    for value in [*frame.f_locals.values()]:
        following: object = value
        while isinstance(following, GeneratorType):
            yield following.gi_code
            following = _script(following) if following.gi_yieldfrom is None else following.gi_yieldfrom


def _script(generator: GeneratorType[Any, Any, Any]) -> object:
    """The operation's script, which the engine drives by hand."""
    return generator.gi_frame.f_locals.get("script") if generator.gi_frame is not None else None


def test_an_upload_goes_through_six_modules() -> None:
    """From `client.update_flow_json` to `requests` and back, with the default options."""
    walk = Walk()
    client = FlowsClient(TOKEN, session=walk.session)
    with requests_mock.Mocker(session=walk.session) as meta:
        meta.post(f"https://graph.facebook.com/v25.0/{FLOW}/assets", json={"success": True})
        client.update_flow_json(FLOW, '{"version": "7.3", "screens": []}')
        walk.through.clear()
        sys.setprofile(walk.profile)
        try:
            client.update_flow_json(FLOW, '{"version": "7.3", "screens": []}')
        finally:
            sys.setprofile(None)
    walk.session.close()
    assert walk.through == THROUGH
    assert len(walk.through) <= MAX_THROUGH
    assert walk.entered - set(THROUGH) - CONSULTED == set()
