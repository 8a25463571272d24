"""The sessions of one play: the current one, and those that undo goes back to."""

from __future__ import annotations

from typing import Final

from .._dataclasses import dataclass, field
from ..play import Answer, Blur, Event, Session

MAX_UNDO: Final = 100
"""Steps that can be undone. The sessions share what they have in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`session` is the current one; `earlier` are those before each step of the user, oldest first."""

    session: Session
    earlier: tuple[Session, ...] = field(default=(), repr=False)

    def then(self, session: Session, event: Event, *, by_hand: bool) -> History:
        """
        The history after an event.

        A step is what the user did: typing into one field, and leaving it, is one step. So is a tap with the answer of
        the endpoint; an answer that the user gives is a step of its own.
        """
        joins = isinstance(event, Blur) or (isinstance(event, Answer) and not by_hand)
        if joins or len(session.events) <= len(self.session.events):
            return History(session=session, earlier=self.earlier)
        return self.opened(session)

    def opened(self, session: Session) -> History:
        """The history after a step to another session, such as the opening of a screen."""
        return History(session=session, earlier=(*self.earlier[1 - MAX_UNDO :], self.session))

    @property
    def undone(self) -> History | None:
        """The history before the last step; None if there is none."""
        return History(session=self.earlier[-1], earlier=self.earlier[:-1]) if self.earlier else None
