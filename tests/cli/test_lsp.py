"""`lsp`: the language server; what it answers is tested in tests/lsp/."""

from __future__ import annotations

import json
import sys
from io import StringIO

import pytest

import whatsapp_flows.lsp
from whatsapp_flows.cli import run


def test_the_command_serves_until_the_editor_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes nothing itself: standard output belongs to the protocol. With --json it says that it stopped."""
    served: list[bool] = []
    monkeypatch.setattr(whatsapp_flows.lsp, "serve", lambda: served.append(True), raising=False)
    stdout, stderr = StringIO(), StringIO()
    assert run(["lsp"], stdout=stdout, stderr=stderr, env={}) == 0
    assert (served, stdout.getvalue(), stderr.getvalue()) == ([True], "", "")
    assert run(["lsp", "--json"], stdout=stdout, stderr=stderr, env={}) == 0
    assert json.loads(stdout.getvalue()) == {"stopped": True}


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a usage error."""
    monkeypatch.setitem(sys.modules, "pygls", None)
    for name in [name for name in sys.modules if name.startswith(("pygls.", "whatsapp_flows.lsp"))]:
        monkeypatch.delitem(sys.modules, name)
    stderr = StringIO()
    assert run(["lsp"], stdout=StringIO(), stderr=stderr, env={}) == 2
    assert 'pip install "whatsapp-flows-sdk[lsp]"' in stderr.getvalue()
