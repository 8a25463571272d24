"""What the documentation shows is what happens: every Python block runs, in order, against the emulator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from whatsapp_flows import ERROR_CODES, FlowsClient, errors
from whatsapp_flows.emulator import Emulator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def world(flows_emulator: Emulator, flows_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An account with nothing in it yet, and the environment of a reader who has credentials."""
    monkeypatch.chdir(ROOT)
    return flows_emulator


@pytest.mark.parametrize("page", [page for page in PAGES if BLOCK.search(page.read_text())], ids=lambda page: page.name)
def test_every_python_block_runs(page: Path, world: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A page's blocks share one namespace, as a reader's session does."""
    names: dict[str, Any] = {"__name__": "documentation"}
    for number, block in enumerate(BLOCK.findall(page.read_text()), 1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)
    said = capsys.readouterr().out
    assert "failed:" not in said
    assert "later:" not in said
    assert world.leaks == ()


def test_the_pages_name_every_error() -> None:
    """The drawn tree of the errors page is the tree of the code."""
    drawn = set(re.findall(r"\w+Error\b", (ROOT / "docs" / "errors.md").read_text()))
    assert {name for name in errors.__all__ if name.endswith("Error")} <= drawn


def test_the_pages_name_every_variable() -> None:
    """Each environment variable that the client reads stands in the quickstart."""
    page = (ROOT / "docs" / "quickstart.md").read_text()
    for variable in re.findall(r"_[A-Z]+(?:_[A-Z]+)*\b", FlowsClient.from_env.__doc__ or ""):
        assert variable in page


def test_the_relative_links_of_the_readme_lead_somewhere() -> None:
    """A stranger who clicks arrives."""
    for target in re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text()):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_the_error_table_has_a_row_for_the_origins_error() -> None:
    """139001/4016012 is why this library exists."""
    row = ERROR_CODES.find(139001, 4016012)
    assert row is not None
    assert row.error is errors.FlowProcessingError
