"""What an `Emulator` offers about messages and templates: what was sent, and what Meta or a person would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ._admin import existing
from ._backend import Backend
from .graph import ANY_RECIPIENT, MessageRecord, TemplateRecord, World

_STATUSES: Final = frozenset({"APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"})


class Messaging:
    """The part of `Emulator` that is about messages and templates."""

    _backend: Backend

    def _change(self, change: Callable[[World], World]) -> None:
        raise NotImplementedError

    @property
    def messages(self) -> tuple[MessageRecord, ...]:
        """The last 10,000 messages that were sent, oldest first."""
        return tuple(self._backend.world.messages.values())

    @property
    def templates(self) -> tuple[TemplateRecord, ...]:
        """The message templates of all accounts, oldest first."""
        return tuple(self._backend.world.templates.values())

    def set_template_status(self, template_id: str, status: str) -> None:
        """Approve, reject, pause or disable a template; LookupError for an unknown id."""
        if status not in _STATUSES:
            raise ValueError(f"status must be one of {', '.join(sorted(_STATUSES))}, not {status!r}")
        self._change(
            lambda world: world.with_template(replace(existing(world.templates, template_id), status=status))
        )  # fmt: skip

    def hold_templates(self, hold: bool = True) -> None:
        """Leave new templates PENDING until `set_template_status`; without it they are APPROVED at once."""
        self._change(lambda world: replace(world, holds_templates=hold))

    def set_window_open(self, is_open: bool, *, to: str | None = None) -> None:
        """
        Set whether a person (None: everybody) wrote in the last 24 hours; everybody has, to begin with.

        Outside of them, a message that is not a template fails with 131047.
        """
        recipient = ANY_RECIPIENT if to is None else to.lstrip("+")

        def changed(world: World) -> World:
            if is_open and to is None:
                return replace(world, closed_windows=frozenset())
            closed = world.closed_windows - {recipient} if is_open else world.closed_windows | {recipient}
            return replace(world, closed_windows=closed)

        self._change(changed)
