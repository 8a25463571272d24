"""
Generates `whatsapp_flows/client.py` from `whatsapp_flows/aio.py`, and `_messages_sync.py` from `_messages_async.py`.

    python -m tools.generate_client            writes the files
    python -m tools.generate_client --check    exits with 1 if a file differs from what would be written

The asynchronous client is the source, as in httpcore and psycopg: taking `async` and `await` away is mechanical, adding
them is not. What differs in more than these words is written by hand, in `_driver_async` and `_driver_sync`.

The text is changed token by token: comments and layout stay. So the source must be laid out in a way that also suits
the shorter lines of the result, for example with a trailing comma where a signature spans several lines; `make lint`
finds where it is not.
"""

from __future__ import annotations

import difflib
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent.parent / "whatsapp_flows"
# Each module that is a source, and the one that is generated from it.
PAIRS: Final = (
    (PACKAGE / "_messages_async.py", PACKAGE / "_messages_sync.py"),
    (PACKAGE / "aio.py", PACKAGE / "client.py"),
)

# Names that the general rule (`AsyncX` becomes `X`) does not cover.
NAMES: Final = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "aclose": "close",
    "_driver_async": "_driver_sync",
    "_messages_async": "_messages_sync",
}
DROPPED: Final = frozenset({"async", "await"})

_IDENTIFIER: Final = re.compile(r"\w+")
_ASYNC_NAME: Final = re.compile(r"Async([A-Z]\w*)")
# "from module import A, B" in one line, whose names may be in another order after they are renamed.
_IMPORT: Final = re.compile(r"^(?P<from> *from \S+ import )(?P<names>\w+(?:, \w+)+)$", re.MULTILINE)


def source_mark(target: str) -> str:
    """The first line of a source."""
    return f"# The source of {target}: after a change, run `make generate`.\n"


def target_mark(source: str) -> str:
    """The first line of a generated module."""
    return f"# Generated from {source} by `make generate`: change that file, not this one.\n"


def synchronous(text: str, source: str, target: str) -> str:
    """The text of the synchronous module `target`, from that of `source`; its first line says that it is generated."""
    first, rest = text.split("\n", 1)
    if f"{first}\n" != source_mark(target):
        raise ValueError(f"the source must begin with: {source_mark(target)}")
    return target_mark(source) + _IMPORT.sub(_sorted_names, "".join(_tokens(rest)))


def _tokens(source: str) -> Iterator[str]:
    """The text of each token as it is in the result, and the white space before it."""
    lines = source.splitlines(keepends=True)
    row, column = 1, 0
    skip_space = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        (start_row, start_column), (end_row, end_column) = token.start, token.end
        space = _between(lines, (row, column), (start_row, start_column))
        yield "" if skip_space else space
        skip_space = token.type == tokenize.NAME and token.string in DROPPED
        if not skip_space:
            yield _renamed(token.string) if token.type in {tokenize.NAME, tokenize.STRING} else token.string
        row, column = end_row, end_column


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one (row, column) to another; rows count from 1."""
    (row, column), (end_row, end_column) = start, end
    if row == end_row:
        return lines[row - 1][column:end_column] if row <= len(lines) else ""
    middle = lines[row : end_row - 1]
    last = lines[end_row - 1][:end_column] if end_row <= len(lines) else ""
    return lines[row - 1][column:] + "".join(middle) + last


def _renamed(text: str) -> str:
    """A name, or a string, with all names in it replaced by their synchronous counterparts."""
    return _IDENTIFIER.sub(lambda found: NAMES.get(found[0]) or _ASYNC_NAME.sub(r"\1", found[0]), text)


def _sorted_names(line: re.Match[str]) -> str:
    names = sorted(line["names"].split(", "), key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    return line["from"] + ", ".join(names)


def main(arguments: Sequence[str]) -> int:
    """Writes the modules, or with `--check` compares them; returns the exit code."""
    if list(arguments) not in ([], ["--check"]):
        print(__doc__)
        return 2
    return max(_generate(source, target, check=bool(arguments)) for source, target in PAIRS)


def _generate(source: Path, target: Path, *, check: bool) -> int:
    wanted = synchronous(source.read_text(encoding="utf-8"), source.name, target.name)
    present = target.read_text(encoding="utf-8") if target.exists() else ""
    if not check:
        target.write_text(wanted, encoding="utf-8")
        return 0
    if wanted == present:
        return 0
    print(f"{target.name} is not what {source.name} generates: run `make generate`.")
    before, after = (text.splitlines(keepends=True) for text in (present, wanted))
    sys.stdout.writelines(difflib.unified_diff(before, after, target.name, "generated"))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
