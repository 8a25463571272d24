"""Helpers of the Django tests: rows, and the requests that arrived."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from tests.support import valid_flow
from whatsapp_flows.contrib.django.models import WhatsAppFlow
from whatsapp_flows.emulator import Emulator

TOKEN = "EAAG-the-token-of-the-tests"


def flow(name: str = "booking", screen: str = "FIRST", **fields: Any) -> WhatsAppFlow:
    """A row with a valid Flow JSON."""
    row: WhatsAppFlow = WhatsAppFlow.objects.create(name=name, flow_json=valid_flow(screen), **fields)
    return row


def stored(name: str = "booking") -> WhatsAppFlow:
    """A row as it is in the database."""
    row: WhatsAppFlow = WhatsAppFlow.objects.get(name=name)
    return row


def rows() -> QuerySet[WhatsAppFlow]:
    """All rows."""
    found: QuerySet[WhatsAppFlow] = WhatsAppFlow.objects.all()
    return found


def sent(meta: Emulator) -> list[str]:
    """The last path segments of the write requests."""
    return [request.path.rpartition("/")[2] for request in meta.requests if request.method == "POST"]
