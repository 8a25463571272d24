"""
A table of error codes and its reader: from (code, subcode) to an error class, a meaning and an advice.

A row with a `title` stands for a cause whose subcode is not documented. It is matched by Meta's English title, and only
when no row has the subcode, because Meta translates its texts. The code's own row comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from ._dataclasses import dataclass
from .errors import ApiError, AuthenticationError, FlowsError

HOST: Final = "host"
"""The source of a row that a host gave as a class."""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """
    One row of the table: for the codes `code` to `last` and a subcode (None: any), the error class to raise.

    `meaning` says what happened and `advice` what to do. `source` names where both are documented, with a link where
    there is one. `title` is a part of Meta's English title or message, in lower case, for a cause whose subcode is not
    known. `renewable`: a new token may cure it.
    """

    code: int
    subcode: int | None
    error: type[ApiError]
    meaning: str
    advice: str
    source: str
    title: str | None = None
    last: int | None = None
    renewable: bool = False

    def covers(self, code: int) -> bool:
        """Whether this row is about `code`."""
        return self.code <= code <= (self.last or self.code)


@dataclass(frozen=True, slots=True)
class _Index:
    """The rows, and the same by what they are found by."""

    rows: tuple[ErrorRow, ...]
    exact: Mapping[tuple[int, int | None], ErrorRow]
    ranges: tuple[ErrorRow, ...]
    titled: tuple[ErrorRow, ...]


class ErrorCodes:
    """
    An immutable table of (code, subcode) rows, with one reader: `find`.

    Iterating gives the rows in order. `rows` may be a function that returns them, which is called when they are first
    needed.
    """

    def __init__(self, rows: Iterable[ErrorRow] | Callable[[], Iterable[ErrorRow]]) -> None:
        self._read = rows if callable(rows) else tuple(rows).__iter__
        self._made: _Index | None = None

    @property
    def _index(self) -> _Index:
        """Made on first use. Without a lock, which a fork could copy while it is held: two threads may both make it."""
        found = self._made
        if found is None:
            rows = tuple(self._read())
            found = self._made = _Index(
                rows=rows,
                exact={(row.code, row.subcode): row for row in rows if row.title is None and row.last is None},
                ranges=tuple(row for row in rows if row.last is not None),
                titled=tuple(row for row in rows if row.title is not None),
            )
        return found

    def __reduce__(self) -> tuple[type[ErrorCodes], tuple[tuple[ErrorRow, ...]]]:
        return ErrorCodes, (self._index.rows,)

    def __repr__(self) -> str:
        return f"ErrorCodes({len(self)} rows)"

    def __iter__(self) -> Iterator[ErrorRow]:
        return iter(self._index.rows)

    def __len__(self) -> int:
        return len(self._index.rows)

    def find(self, code: int, subcode: int | None = None, *, texts: Sequence[str] = ()) -> ErrorRow | None:
        """
        The row for a code and subcode; Meta's `texts`, the title first, decide where no subcode is known.

        None when no row covers the code.
        """
        index = self._index
        if subcode is not None and (row := index.exact.get((code, subcode))):
            return row
        for text in texts:
            named = [row for row in index.titled if row.code == code and (row.title or "") in text.lower()]
            if named:
                return max(named, key=lambda row: len(row.title or ""))
        return index.exact.get((code, None)) or next((row for row in index.ranges if row.covers(code)), None)

    def renewable(self, error: FlowsError) -> bool:
        """Whether another token may cure an error: no human and no setting is needed first."""
        if not isinstance(error, AuthenticationError):
            return False
        row = None if error.code is None else self.find(error.code, error.subcode)
        return row is None or row.renewable or row.source == HOST

    def with_rows(self, rows: Mapping[tuple[int, int | None], type[ApiError] | ErrorRow]) -> ErrorCodes:
        """
        A table with these rows added, or put in the place of all rows with the same code and subcode.

        A class stands for a row with its own advice; an `ErrorRow` says everything itself.

        >>> from whatsapp_flows import ERROR_CODES, FlowProcessingError
        >>> table = ERROR_CODES.with_rows({(139001, 4016099): FlowProcessingError})
        >>> table.find(139001, 4016099).error.__name__
        'FlowProcessingError'
        """
        added = tuple(
            row
            if isinstance(row, ErrorRow)
            else ErrorRow(code, subcode, row, "added by the host", row.default_advice, HOST)
            for (code, subcode), row in rows.items()
        )
        kept = tuple(row for row in self if row.last or (row.code, row.subcode) not in rows)
        return ErrorCodes(tuple(sorted(kept + added, key=_order)))


def _order(row: ErrorRow) -> tuple[int, int, str]:
    return (row.code, -1 if row.subcode is None else row.subcode, row.title or "")
