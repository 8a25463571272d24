"""`lsp`: the language server; what it answers is tested in tests/lsp/."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

import whatsapp_flows.lsp
from whatsapp_flows.cli import run


@pytest.mark.parametrize("arguments", [["lsp"], ["lsp", "--json"]])
@pytest.mark.parametrize("code", [0, 1])
def test_the_command_serves_until_the_editor_ends(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes nothing itself: standard output belongs to the protocol. The exit code is the protocol's, too."""
    monkeypatch.setattr(whatsapp_flows.lsp, "serve", lambda: code, raising=False)
    stdout, stderr = StringIO(), StringIO()
    assert run(arguments, stdout=stdout, stderr=stderr, env={}) == code
    assert (stdout.getvalue(), stderr.getvalue()) == ("", "")


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a usage error."""
    monkeypatch.setitem(sys.modules, "pygls", None)
    for name in [name for name in sys.modules if name.startswith(("pygls.", "whatsapp_flows.lsp"))]:
        monkeypatch.delitem(sys.modules, name)
    stderr = StringIO()
    assert run(["lsp"], stdout=StringIO(), stderr=stderr, env={}) == 2
    assert 'pip install "whatsapp-flows-sdk[lsp]"' in stderr.getvalue()
