"""Receivers whose answers say what has reached them, so that tests need not share memory with them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Mapping
from typing import Final

from whatsapp_flows._http_answer import HttpAnswer

MAX_BODY: Final = 2000
PATIENCE: Final = 30.0  # seconds after which a test that waits has failed

ANSWERS: Final = {
    "200": HttpAnswer(200, {"Content-Type": "text/plain"}, b"c2VhbGVk", "answered"),
    "200-bytes": HttpAnswer(200, {"content-type": "application/octet-stream"}, bytes(range(256)), "answered"),
    "400": HttpAnswer(400, {}, b"", "bad-envelope"),
    "413": HttpAnswer(413, {}, b"", "too-large"),
    "421": HttpAnswer(421, {}, b"", "not-decrypted"),
    "427": HttpAnswer(427, {"Content-Type": "text/plain"}, b"ZXhwaXJlZA==", "token-refused"),
    "432": HttpAnswer(432, {}, b"", "bad-signature"),
    "500": HttpAnswer(500, {}, b"", "handler-failed"),
}
"""What a receiver answers to a request with the header `X-Wanted`."""


class Echo:
    """
    Answers with the size and the SHA-256 of the body, and the headers; or as the header `X-Wanted` asks.

    With `X-Wait: meet` it waits for another request, with `X-Wait: gate` until the test opens the gate.
    """

    max_body = MAX_BODY

    def __init__(self) -> None:
        self.finished: list[bytes] = []
        self.meeting = threading.Barrier(2)
        self.entered, self.gate, self.done = threading.Event(), threading.Event(), threading.Event()

    def receive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """Blocks the calling thread when it is to wait."""
        self._wait(headers.get("x-wait", ""))
        return self._answer(body, headers)

    async def areceive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """Waits on a thread."""
        if "x-wait" in headers:
            await asyncio.to_thread(self._wait, headers["x-wait"])
        return self._answer(body, headers)

    def _wait(self, kind: str) -> None:
        if kind == "meet":
            self.meeting.wait(PATIENCE)
        elif kind == "gate":
            self.entered.set()
            assert self.gate.wait(PATIENCE)

    def _answer(self, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        self.finished.append(body)
        if "x-wait" in headers:
            self.done.set()
        if len(body) > self.max_body:
            assert len(body) == self.max_body + 1
            return ANSWERS["413"]
        if "x-wanted" in headers:
            return ANSWERS[headers["x-wanted"]]
        seen = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "headers": dict(headers)}
        return HttpAnswer(200, {"Content-Type": "text/plain"}, json.dumps(seen).encode(), "answered")


class VerifyingEcho(Echo):
    """Also answers a GET, with the query."""

    def verify(self, query: Mapping[str, str], /) -> HttpAnswer:
        """403 without `hub.mode`."""
        if "hub.mode" not in query:
            return HttpAnswer(403, {}, b"", "not-verified")
        return HttpAnswer(200, {"Content-Type": "text/plain"}, json.dumps(dict(query)).encode(), "verified")
