"""The protocol at its edges: wrong messages, wrong order, the end; over standard input and output."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.lsp.lsp_support import FLOW

pytestmark = pytest.mark.slow

_SERVER = [sys.executable, "-m", "whatsapp_flows", "lsp"]
_LONGEST = 60  # seconds that an end may take


def message(method: str, params: Any = None, number: int | None = None) -> bytes:
    """A request, or a notification if it has no number."""
    found = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    return framed(json.dumps(found).encode())


def framed(body: bytes) -> bytes:
    """A message with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


START = message("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 0) + message("initialized", {})
OPEN = message(
    "textDocument/didOpen",
    {"textDocument": {"uri": "file:///a.json", "languageId": "json", "version": 1, "text": FLOW}},
)
END = message("shutdown", None, 99) + message("exit")
HOVER = {"textDocument": {"uri": "file:///a.json"}, "position": {"line": 1, "character": 5}}


def answers(written: bytes) -> dict[int, Any]:
    """What is said by the number of the request: the result, or the code of the error. Nothing else is written."""
    found: dict[int, Any] = {}
    while written:
        head, _, rest = written.partition(b"\r\n\r\n")
        length = int(dict(line.split(b": ") for line in head.split(b"\r\n"))[b"Content-Length"])
        reply, written = json.loads(rest[:length]), rest[length:]
        if "id" in reply:
            found[reply["id"]] = reply["error"]["code"] if "error" in reply else reply["result"]
    return found


def conversation(*messages: bytes) -> tuple[dict[int, Any], int, bytes]:
    """The answers to messages, the exit code, and what was written to standard error."""
    done = subprocess.run(_SERVER, input=b"".join(messages), capture_output=True, timeout=_LONGEST, check=False)
    return answers(done.stdout), done.returncode, done.stderr


def test_a_wrong_message_gets_an_error_and_ends_nothing() -> None:
    """The next request is answered; neither standard output nor standard error has anything else."""
    deep = b'{"jsonrpc": "2.0", "id": 3, "method": "x", "params": %b%b}' % (b"[" * 100_000, b"]" * 100_000)
    change = {
        "textDocument": {"uri": "file:///not-open.json", "version": 2},
        "contentChanges": [{"text": "x", "range": {"start": HOVER["position"], "end": HOVER["position"]}}],
    }
    found, code, errors = conversation(
        message("textDocument/hover", HOVER, 1),
        message("textDocument/didOpen", {}),
        START,
        message("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 2),
        OPEN,
        framed(b"{]]]]"),
        framed(b"[]"),
        framed(b"\xff\xfe"),
        b"Content-Length: -3\r\nX: y\r\n\r\n",
        framed(deep),
        message("textDocument/hover", {"position": 1}, 4),
        message("textDocument/hover", None, 5),
        message("textDocument/hover", {**HOVER, "position": {"line": -1, "character": 0}}, 6),
        message("textDocument/hover", {**HOVER, "position": {"line": 10**8, "character": 10**8}}, 7),
        message("textDocument/signatureHelp", HOVER, 8),
        message("unknown/request", {"x": 1}, 9),
        message("unknown/notification", {"x": 1}),
        message("$/cancelRequest", {"id": 9}),
        message("workspace/executeCommand", {"command": "rm"}, 10),
        message("textDocument/didChange", change),
        message("textDocument/didClose", {"textDocument": {"uri": "file:///not-open.json"}}),
        message("textDocument/hover", HOVER, 11),
        message("shutdown", None, 12),
        message("textDocument/hover", HOVER, 13),
        OPEN,
        message("exit"),
    )
    reply = found.pop(11)
    assert reply["contents"]["value"] == "Version of Flow JSON. Required."
    started, again = found.pop(0), found.pop(2)
    assert started["capabilities"]["positionEncoding"] == again["capabilities"]["positionEncoding"] == "utf-16"
    assert found == {
        1: -32002, 4: -32602, 5: -32602, 6: -32602, 7: None, 8: -32601, 9: -32601, 10: -32602, 12: None, 13: -32600,
    }  # fmt: skip
    assert (code, errors) == (0, b"")


def test_the_process_ends_with_the_conversation() -> None:
    """At exit, at the end of standard input, and at a signal, also while the editor still holds the pipe."""
    running = [
        subprocess.Popen(_SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for each in running:
        assert each.stdin is not None
        assert each.stdout is not None
        each.stdin.write(START + OPEN)
        each.stdin.flush()
        each.stdout.readline()  # it has begun
    reply, left, interrupted, terminated = running
    interrupted.send_signal(signal.SIGINT)
    terminated.send_signal(signal.SIGTERM)
    codes = [interrupted.wait(_LONGEST), terminated.wait(_LONGEST)]
    assert reply.stdin is not None
    reply.stdin.write(message("exit"))
    reply.stdin.flush()
    codes += [reply.wait(_LONGEST)]
    for each in running:
        _, errors = each.communicate(timeout=_LONGEST)
        assert errors == b""
    assert [*codes, left.returncode] == [-signal.SIGINT, -signal.SIGTERM, 1, 0]
