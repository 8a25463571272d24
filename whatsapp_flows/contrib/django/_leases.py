"""
Who works on which row: one conditional UPDATE claims a row, and a claim is a lease that its owner renews.

`syncing_since` is the owner's last sign of life. A row whose owner has been silent for `seconds` belongs to nobody any
more: the next run takes it, and the first one's outcome, should it still come, is not written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connections
from django.db.models import Q, QuerySet
from django.utils import timezone

from .models import SyncStatus, WhatsAppFlow

_RENEWALS: Final = 3  # for each lease: two of them may fail or come late
_ROWS: Final = 500  # in one statement: SQLite before 3.32 takes 999 parameters


class Leases:
    """
    The rows that one run has claimed. Used by one thread, the one that has the database connection.

    `seconds` is how long a claim holds without a renewal. `force` claims rows that another run holds, too. `now` is
    the clock of the database's times, `clock` a monotonic one in seconds.
    """

    def __init__(
        self,
        using: str,
        *,
        seconds: float,
        force: bool = False,
        now: Callable[[], datetime] = timezone.now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._using, self._seconds, self._force, self._now, self._clock = using, seconds, force, now, clock
        self._held: dict[str, tuple[WhatsAppFlow, datetime]] = {}
        self._next_renewal = clock() + seconds / _RENEWALS

    @property
    def due_in(self) -> float:
        """Seconds until the leases have to be renewed; 0 if they have to be now."""
        return max(0.0, self._next_renewal - self._clock())

    @property
    def held(self) -> Mapping[str, WhatsAppFlow]:
        """The rows that this run has claimed and not released, by name."""
        return {name: row for name, (row, _) in self._held.items()}

    def claim(self, row: WhatsAppFlow) -> bool:
        """Claim a row, and read it again. False if another run holds it, or if it is gone."""
        since = self._now()
        chosen = self._rows.filter(pk=row.pk)
        if not self._force:
            lapsed = since - timedelta(seconds=self._seconds)
            free = ~Q(sync_status=SyncStatus.SYNCING) | Q(syncing_since__isnull=True) | Q(syncing_since__lt=lapsed)
            chosen = chosen.filter(free)
        if not chosen.update(sync_status=SyncStatus.SYNCING, syncing_since=since):
            return False
        row.refresh_from_db(using=self._using)
        self._held[row.name] = (row, since)
        return True

    def renew(self) -> None:
        """Show that the owner is alive. A row that another run has taken in the meantime stays that run's."""
        self._next_renewal = self._clock() + self._seconds / _RENEWALS
        if not self._held:
            return
        revive(self._using)
        since = self._now()
        for before, keys in self._keys_by_time().items():
            for start in range(0, len(keys), _ROWS):
                mine = self._rows.filter(pk__in=keys[start : start + _ROWS])
                mine.filter(sync_status=SyncStatus.SYNCING, syncing_since=before).update(syncing_since=since)
        self._held = {name: (row, since) for name, (row, _) in self._held.items()}

    def release(self, name: str, values: Mapping[str, Any]) -> bool:
        """Write the outcome of a row and give it back. False, and nothing is written, if it is not ours any more."""
        row, since = self._held.pop(name)
        revive(self._using)
        mine = self._rows.filter(pk=row.pk, sync_status=SyncStatus.SYNCING, syncing_since=since)
        if not mine.update(**values, syncing_since=None):
            return False
        for field, value in {**values, "syncing_since": None}.items():
            setattr(row, field, value)
        return True

    @property
    def _rows(self) -> QuerySet[WhatsAppFlow]:
        rows: QuerySet[WhatsAppFlow] = WhatsAppFlow.objects.using(self._using)
        return rows

    def _keys_by_time(self) -> dict[datetime, list[Any]]:
        found: dict[datetime, list[Any]] = {}
        for row, since in self._held.values():
            found.setdefault(since, []).append(row.pk)
        return found


def revive(using: str) -> None:
    """A connection that the server has closed during a long wait is opened again."""
    connection = connections[using]
    if not connection.in_atomic_block and connection.connection is not None and not connection.is_usable():
        connection.close()
