"""
Leases of rows: a conditional UPDATE acquires the lease of a row, and its owner renews it.

`syncing_since` is the time of the last renewal. A lease that was not renewed for `seconds` has expired: the next run
acquires the row, and a later result of the first run is not written.
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

_RENEWALS: Final = 3  # within the time of a lease, so that two of them may fail or be late
_BATCH_SIZE: Final = 500  # rows in one statement: SQLite before 3.32 accepts 999 parameters


class Leases:
    """
    The leases of one run. For use by one thread, the one with the database connection.

    `seconds` is how long a lease lasts without renewal. `force` also acquires rows that another run holds. `now` is the
    clock for the database, `clock` a monotonic one in seconds.
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
        """Seconds until the leases are due for renewal; 0 if they are due now."""
        return max(0.0, self._next_renewal - self._clock())

    @property
    def held(self) -> Mapping[str, WhatsAppFlow]:
        """The rows whose leases this run has acquired and not released, by name."""
        return {name: row for name, (row, _) in self._held.items()}

    def acquire(self, row: WhatsAppFlow) -> bool:
        """Acquire the lease of a row, and reload the row. False if another run holds it, or if the row is deleted."""
        since = self._now()
        chosen = self._rows.filter(pk=row.pk)
        if not self._force:
            expired = since - timedelta(seconds=self._seconds)
            free = ~Q(sync_status=SyncStatus.SYNCING) | Q(syncing_since__isnull=True) | Q(syncing_since__lt=expired)
            chosen = chosen.filter(free)
        if not chosen.update(sync_status=SyncStatus.SYNCING, syncing_since=since):
            return False
        row.refresh_from_db(using=self._using)
        self._held[row.name] = (row, since)
        return True

    def renew(self) -> None:
        """Renew all leases, except those that another run has acquired meanwhile."""
        self._next_renewal = self._clock() + self._seconds / _RENEWALS
        if not self._held:
            return
        close_if_unusable(self._using)
        since = self._now()
        for before, keys in self._keys_by_time().items():
            for start in range(0, len(keys), _BATCH_SIZE):
                own = self._rows.filter(pk__in=keys[start : start + _BATCH_SIZE])
                own.filter(sync_status=SyncStatus.SYNCING, syncing_since=before).update(syncing_since=since)
        self._held = {name: (row, since) for name, (row, _) in self._held.items()}

    def release(self, name: str, values: Mapping[str, Any]) -> bool:
        """Write the result of a row and end its lease. False, and nothing is written, if another run holds it."""
        row, since = self._held.pop(name)
        close_if_unusable(self._using)
        own = self._rows.filter(pk=row.pk, sync_status=SyncStatus.SYNCING, syncing_since=since)
        if not own.update(**values, syncing_since=None):
            return False
        for field, value in {**values, "syncing_since": None}.items():
            setattr(row, field, value)
        return True

    @property
    def _rows(self) -> QuerySet[WhatsAppFlow]:
        rows: QuerySet[WhatsAppFlow] = WhatsAppFlow.objects.using(self._using)
        return rows

    def _keys_by_time(self) -> dict[datetime, list[Any]]:
        keys: dict[datetime, list[Any]] = {}
        for row, since in self._held.values():
            keys.setdefault(since, []).append(row.pk)
        return keys


def close_if_unusable(using: str) -> None:
    """Close a connection that the server has closed during a long wait; Django then opens a new one."""
    connection = connections[using]
    if not connection.in_atomic_block and connection.connection is not None and not connection.is_usable():
        connection.close()
