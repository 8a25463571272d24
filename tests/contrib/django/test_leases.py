"""Leases of rows: acquiring, renewal and expiry, with a manual clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from django.db import transaction

from tests.contrib.django.support import flow, rows, stored
from whatsapp_flows.contrib.django._leases import Leases
from whatsapp_flows.contrib.django.models import WhatsAppFlow

START = datetime(2026, 11, 3, 9, 0, tzinfo=timezone.utc)
LEASE = 60.0


class Clock:
    """A manual clock: seconds since the start, and the corresponding time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def leases(clock: Clock, *, force: bool = False) -> Leases:
    return Leases("default", seconds=LEASE, force=force, now=clock.now, clock=clock)


def again(row: WhatsAppFlow) -> WhatsAppFlow:
    """The same row, loaded again."""
    return stored(row.name)


def test_one_run_gets_a_row(clock: Clock) -> None:
    """The second does not, until the first has released it."""
    row = flow()
    first, second = leases(clock), leases(clock)
    assert first.acquire(row)
    assert not second.acquire(again(row))
    assert first.release("booking", {"sync_status": "draft"})
    assert (row.sync_status, row.syncing_since, dict(first.held)) == ("draft", None, {})
    assert second.acquire(again(row))


@pytest.mark.parametrize(("seconds", "taken"), [(LEASE - 1, False), (LEASE, False), (LEASE + 1, True)])
def test_a_lease_that_is_not_renewed_expires(clock: Clock, seconds: float, taken: bool) -> None:
    """When the lease expires, not before."""
    row = flow()
    assert leases(clock).acquire(row)
    clock.seconds = seconds
    assert leases(clock).acquire(again(row)) is taken


def test_a_renewed_lease_counts_from_the_renewal(clock: Clock) -> None:
    """Also for rows acquired at different times; a renewal is due every third of a lease."""
    early, late = flow("early"), flow("late")
    mine = leases(clock)
    assert mine.due_in == LEASE / 3
    assert mine.acquire(early)
    clock.seconds = 10.0
    assert mine.acquire(late)
    clock.seconds = LEASE - 1
    assert mine.due_in == 0.0
    mine.renew()
    assert mine.due_in == LEASE / 3
    clock.seconds += LEASE - 1
    assert not any(leases(clock).acquire(again(row)) for row in (early, late))
    assert all(mine.release(row.name, {"sync_status": "draft"}) for row in (early, late))


@pytest.mark.parametrize("ended", [False, True], ids=["still working", "done"])
def test_a_renewal_does_not_take_rows_from_another_run(clock: Clock, ended: bool) -> None:
    """Rows that another run has acquired meanwhile are not renewed; the others are."""
    lost, kept = flow("lost"), flow("kept")
    mine, other = leases(clock), leases(clock, force=True)
    assert all(mine.acquire(row) for row in (lost, kept))
    clock.seconds = 1.0
    assert other.acquire(again(lost))
    if ended:
        assert other.release("lost", {"sync_status": "published"})
    before = stored("lost").syncing_since
    clock.seconds = 2.0
    mine.renew()
    assert stored("lost").syncing_since == before
    assert stored("kept").syncing_since == clock.now()
    assert not mine.release("lost", {"sync_status": "error"})
    assert stored("lost").sync_status == ("published" if ended else "syncing")
    assert mine.release("kept", {"sync_status": "draft"})


def test_rows_beyond_one_statement_are_renewed(clock: Clock) -> None:
    """More than five hundred rows: databases bound the parameters of a statement."""
    made = WhatsAppFlow.objects.bulk_create(WhatsAppFlow(name=f"flow-{n}", flow_json={}) for n in range(501))
    mine = leases(clock)
    with transaction.atomic():  # one write to the disk
        assert all(mine.acquire(row) for row in made)
    clock.seconds = 5.0
    mine.renew()
    assert rows().filter(syncing_since=clock.now()).count() == 501


def test_a_row_that_is_gone_is_not_claimed(clock: Clock) -> None:
    """A renewal without rows does not query the database."""
    row = flow()
    rows().delete()
    row.pk = 1
    mine = leases(clock)
    assert not mine.acquire(row)
    mine.renew()
    assert dict(mine.held) == {}
