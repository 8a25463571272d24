"""What commands return. `_text` and `_json` say how it is shown; `exit_code` is what it means for the shell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._error_codes import ErrorRow
from ..errors import RetryableError
from ..models import CreatedFlow, Flow, FlowJsonUpdate, Health, Migration, Preview, PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A command's result. `raw`, if it has any, is written as it is."""

    @property
    def exit_code(self) -> int:
        """0 when all is well."""
        return 0

    @property
    def raw(self) -> bytes | None:
        """Bytes for another program, rather than text for a reader."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowList(Value):
    """The flows of an account."""

    flows: Sequence[Flow]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFlow(Value):
    """One flow, and whether it can be sent, if Meta tells."""

    flow: Flow
    health: Health | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Value):
    """Something that has no more to say than that it was done. `done` is a past tense."""

    done: str
    id: str
    subject: str = "flow"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(Value):
    """The answer to a question was no."""

    id: str

    @property
    def exit_code(self) -> int:
        """Nothing was done."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(Value):
    """A new flow."""

    name: str
    created: CreatedFlow
    published: bool

    @property
    def exit_code(self) -> int:
        """1 for a draft that cannot be published, or that is not as it was asked for."""
        return 1 if self.created.validation_errors or not self.created.success else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded(Value):
    """A new Flow JSON, of `size` bytes."""

    flow_id: str
    size: int
    update: FlowJsonUpdate

    @property
    def exit_code(self) -> int:
        """1 when Meta found errors in it."""
        return 1 if self.update.validation_errors else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLink(Value):
    """A link to try a flow."""

    flow_id: str
    preview: Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded(Value):
    """The stored Flow JSON, written to `file` or not yet."""

    flow_id: str
    content: bytes = field(repr=False)
    file: Path | None = None

    @property
    def raw(self) -> bytes | None:
        """The document, when it is to go to stdout."""
        return self.content if self.file is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated(Value):
    """What became of the flows of another account."""

    migration: Migration

    @property
    def exit_code(self) -> int:
        """1 when a flow was not copied."""
        return 1 if self.migration.failed else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Value):
    """The public key of a phone number."""

    phone_number_id: str
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStage(Value):
    """What the demo is about to show."""

    url: str
    folder: Path
    victim: str
    faults: int
    waits: Sequence[float]
    real_waits: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving(Value):
    """An emulator that has begun to serve: its first account and number, and what was added on the command line."""

    url: str
    waba_id: str
    phone_number_id: str
    accounts: Sequence[str] = ()
    phone_numbers: Sequence[str] = ()
    faults: Sequence[str] = ()
    any_token: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Value):
    """An emulator that serves no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Value):
    """
    The rows of the error table for a code.

    `fallback`: there is none for the subcode, so the code's own row is used. `health` is that of the flow that met
    the code, if one was named.
    """

    code: int
    subcode: int | None
    rows: Sequence[ErrorRow]
    fallback: bool = False
    health: Health | None = None

    @property
    def exit_code(self) -> int:
        """1 for a code that no row speaks of."""
        return 0 if self.rows else 1


def retryable(row: ErrorRow) -> bool:
    """Whether the error of a row is one to retry."""
    return issubclass(row.error, RetryableError)


def error_key(code: int, subcode: int | None) -> str:
    """`139001/4016012`, or `4`."""
    return str(code) if subcode is None else f"{code}/{subcode}"
