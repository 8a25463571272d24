"""The synchronous client is generated from the asynchronous one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import generate_client
from tools.generate_client import main, source_mark, synchronous, target_mark

SOURCE_MARK, TARGET_MARK = source_mark("client.py"), target_mark("aio.py")

CASES = {
    "async and await go, and the space after them": (
        "async def f(x: int) -> None:\n    return await g(x)\n",
        "def f(x: int) -> None:\n    return g(x)\n",
    ),
    "async for and async with too": (
        "async with a:\n    async for b in c:\n        yield b\n",
        "with a:\n    for b in c:\n        yield b\n",
    ),
    "names lose their prefix": ("class AsyncFlowsClient(AsyncDriver): ...\n", "class FlowsClient(Driver): ...\n"),
    "special methods and aclose have their own names": (
        "x.__aenter__, x.__aexit__, x.aclose\n",
        "x.__enter__, x.__exit__, x.close\n",
    ),
    "strings and docstrings speak of the other class": ('"""`AsyncFlowsClient`."""\n', '"""`FlowsClient`."""\n'),
    "words that only begin alike stay": ("Asynchronous = asyncio\n", "Asynchronous = asyncio\n"),
    "comments and layout stay": (
        "f(\n    a,  # why\n\n    b,\n)  # end\n\n\n# last\n",
        "f(\n    a,  # why\n\n    b,\n)  # end\n\n\n# last\n",
    ),
    "imported names are sorted again": (
        "from collections.abc import AsyncIterator, Callable\n",
        "from collections.abc import Callable, Iterator\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_changed_and_what_stays(case: str) -> None:
    """Words are taken away and renamed; everything else is copied."""
    source, expected = CASES[case]
    assert synchronous(SOURCE_MARK + source, "aio.py", "client.py") == TARGET_MARK + expected


def test_a_source_that_is_not_marked_is_refused() -> None:
    """Whoever opens the source reads in its first line that another file depends on it."""
    with pytest.raises(ValueError, match="must begin with"):
        synchronous("x = 1\n", "aio.py", "client.py")


def test_the_committed_client_is_what_its_source_generates() -> None:
    """`make lint` compares the two in the same way."""
    assert main(["--check"]) == 0


def test_a_client_that_differs_is_reported_and_written_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` prints the difference and changes nothing; without it the file is written."""
    source, target = tmp_path / "aio.py", tmp_path / "client.py"
    source.write_text(f"{SOURCE_MARK}async def f() -> None: ...\n")
    target.write_text(f"{TARGET_MARK}def changed() -> None: ...\n")
    monkeypatch.setattr(generate_client, "PAIRS", ((source, target),))
    assert main(["--check"]) == 1
    assert "-def changed() -> None: ...\n+def f() -> None: ...\n" in capsys.readouterr().out
    assert "changed" in target.read_text()
    assert main([]) == 0
    assert target.read_text() == f"{TARGET_MARK}def f() -> None: ...\n"
    assert main(["--check"]) == 0


def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage as an answer."""
    assert main(["--chek"]) == 2
    assert "--check" in capsys.readouterr().out
