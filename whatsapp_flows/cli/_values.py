"""
What the commands return. Each value has an exit code, a text (`_text.as_text`) and a JSON form (`_json.as_json`).

The values of `flows` and of `keys get` are here. Those of the other commands are defined in the module of the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..models import CreatedFlow, Flow, FlowJsonUpdate, Health, Migration, Preview, PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """
    The result of a command.

    `raw` is a document for another program (SARIF, Markdown, a stored Flow JSON). If it is set, it is written to
    stdout instead of the text.
    """

    raw: bytes | None = field(default=None, repr=False)

    @property
    def exit_code(self) -> int:
        """0 for success."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowList(Value):
    """The flows of an account."""

    flows: Sequence[Flow]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDetails(Value):
    """One flow and, if Meta answered that request, its health."""

    flow: Flow
    health: Health | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Value):
    """A change that returns no data. `done` is a past participle: "published"."""

    done: str
    id: str
    subject: str = "flow"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(Value):
    """The user answered "no" to the confirmation."""

    id: str

    @property
    def exit_code(self) -> int:
        """1: nothing was changed."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Value):
    """A server (emulator, endpoint, preview) has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(Value):
    """A new flow. `published`: whether the command asked for publication."""

    name: str
    created: CreatedFlow
    published: bool

    @property
    def exit_code(self) -> int:
        """1 if the flow has validation errors, or an adopted flow is not in the requested state."""
        return 1 if self.created.validation_errors or not self.created.success else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded(Value):
    """An uploaded Flow JSON of `size` bytes."""

    flow_id: str
    size: int
    update: FlowJsonUpdate

    @property
    def exit_code(self) -> int:
        """1 if Meta reported validation errors."""
        return 1 if self.update.validation_errors else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLink(Value):
    """The preview link of a flow."""

    flow_id: str
    preview: Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded(Value):
    """A downloaded Flow JSON. `file` is where it was written; None if it goes to stdout."""

    flow_id: str
    content: bytes = field(repr=False)
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated(Value):
    """The result of a migration."""

    migration: Migration

    @property
    def exit_code(self) -> int:
        """1 if a flow was not copied."""
        return 1 if self.migration.failed else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Value):
    """The public key of a phone number."""

    phone_number_id: str
    key: PublicKey
