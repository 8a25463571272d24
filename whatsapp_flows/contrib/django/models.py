"""`WhatsAppFlow`: a flow as the project wants it, and what the last sync made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext_lazy as _

LONGEST_NAME = 200  # of a flow at Meta, by two vendors' documentation


def other() -> list[str]:
    """The category of a flow that names none."""
    return ["OTHER"]


class SyncStatus(models.TextChoices):
    """What the last sync made of a flow."""

    DRAFT = "draft"
    SYNCING = "syncing"
    PUBLISHED = "published"
    ERROR = "error"


class WhatsAppFlow(models.Model):
    """
    A flow that this project deploys.

    `name` is what the project calls it, `friendly_name` what Meta does (`name` where it is empty). By that name the
    flow is found in the account: another friendly name is another flow. `flow_id` is what was found, for messages to
    be sent and for people; nothing is decided by it. `categories` are Meta's words; with an empty `endpoint_uri` the
    flow's endpoint is left as it is. All but these and `is_active` is written by the sync alone.
    """

    name: models.CharField[str, str] = models.CharField(
        _("name"),
        max_length=LONGEST_NAME,
        unique=True,
        help_text=_("What this project calls the flow, as in sync_whatsapp_flows --flow NAME."),
    )
    friendly_name: models.CharField[str, str] = models.CharField(
        _("friendly name"),
        max_length=LONGEST_NAME,
        blank=True,
        default="",
        help_text=_("What Meta calls the flow; the name if empty. Another one is another flow."),
    )
    description: models.TextField[str, str] = models.TextField(_("description"), blank=True, default="")
    categories: models.JSONField[Any, Any] = models.JSONField(
        _("categories"), default=other, help_text=_('Meta\'s words, at least one, such as ["LEAD_GENERATION"].')
    )
    endpoint_uri: models.CharField[str, str] = models.CharField(
        _("endpoint"),
        max_length=500,
        blank=True,
        default="",
        validators=(URLValidator(schemes=("https",)),),
        help_text=_("Where its data exchange goes, if anywhere."),
    )
    flow_json: models.JSONField[Any, Any] = models.JSONField(_("Flow JSON"))
    is_active: models.BooleanField[bool, bool] = models.BooleanField(
        _("active"), default=True, help_text=_("sync_whatsapp_flows leaves out what is not active.")
    )

    flow_id: models.CharField[str, str] = models.CharField(
        _("flow id"), max_length=64, blank=True, default="", db_index=True, editable=False
    )
    sync_status: models.CharField[str, str] = models.CharField(
        _("sync status"), max_length=16, choices=SyncStatus, default=SyncStatus.DRAFT, db_index=True, editable=False
    )
    sync_error: models.TextField[str, str] = models.TextField(_("sync error"), blank=True, default="", editable=False)
    last_synced_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("last synced"), null=True, blank=True, editable=False
    )
    syncing_since: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    sync_memory: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True, editable=False)

    objects: ClassVar[models.Manager[WhatsAppFlow]] = models.Manager()

    class Meta:
        verbose_name = _("WhatsApp flow")
        verbose_name_plural = _("WhatsApp flows")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                Coalesce(NullIf("friendly_name", models.Value("")), "name"),
                name="whatsapp_flows_name_at_meta",
                violation_error_message=_("Another flow has this name at Meta."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name_at_meta(self) -> str:
        """The name by which it is found in the account."""
        return self.friendly_name or self.name

    def clean(self) -> None:
        """
        Refuses what is no Flow JSON, no list of categories, or holds what cannot be stored; errors that Meta would find
        inside a Flow JSON may be saved.
        """
        super().clean()
        wrong: dict[str, list[Any]] = {
            name: [message]
            for name in ("name", "friendly_name", "description", "categories", "flow_json")
            if (message := unstorable(getattr(self, name)))
        }
        if not isinstance(self.flow_json, dict):
            wrong["flow_json"] = [_("A Flow JSON is an object.")]
        words = self.categories
        if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
            wrong["categories"] = [_('A list of at least one text, such as ["OTHER"].')]
        if wrong:
            raise ValidationError(wrong)


def unstorable(value: Any) -> Any:
    """
    Why a text or a JSON value cannot be stored and shown again; None if it can.

    A lone surrogate is no character of UTF-8, PostgreSQL stores no NUL, and JSON knows neither NaN nor infinity.
    """
    for leaf in _leaves(value):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            return _("JSON has no NaN and no Infinity.")
        if isinstance(leaf, str) and "\0" in leaf:
            return _("Null characters are not allowed.")
        if isinstance(leaf, str) and any("\ud800" <= char <= "\udfff" for char in leaf):
            return _("Half of a surrogate pair (\\ud800 to \\udfff) is no character.")
    return None


def _leaves(value: Any) -> Iterator[Any]:
    """All keys and values without parts, without recursion: a JSON value may be nested deeply."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        else:
            yield value
