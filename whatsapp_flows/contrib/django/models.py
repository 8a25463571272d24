"""`WhatsAppFlow`: the desired state of a flow, and the result of its last sync."""

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
    """The default of `categories`."""
    return ["OTHER"]


class SyncStatus(models.TextChoices):
    """The result of the last sync of a flow, or that one is running."""

    DRAFT = "draft"
    SYNCING = "syncing"
    PUBLISHED = "published"
    ERROR = "error"


class WhatsAppFlow(models.Model):
    """
    A flow that this project deploys.

    `name` is its name in the project, `friendly_name` its name at Meta (if empty, `name`). The flow is looked up in the
    account by that name, so another friendly name means another flow. `flow_id` is the id that was found, to send
    messages with; the sync does not read it. `categories` are Meta's; with an empty `endpoint_uri` the sync does not
    change the flow's endpoint. All other fields except `description`, `flow_json` and `is_active` are written by the
    sync alone.
    """

    name: models.CharField[str, str] = models.CharField(
        _("name"),
        max_length=LONGEST_NAME,
        unique=True,
        help_text=_("The name of the flow in this project, as in sync_whatsapp_flows --flow NAME."),
    )
    friendly_name: models.CharField[str, str] = models.CharField(
        _("friendly name"),
        max_length=LONGEST_NAME,
        blank=True,
        default="",
        help_text=_("The name at Meta; if empty, the name. A new friendly name means a new flow."),
    )
    description: models.TextField[str, str] = models.TextField(_("description"), blank=True, default="")
    categories: models.JSONField[Any, Any] = models.JSONField(
        _("categories"), default=other, help_text=_('Meta\'s categories, at least one, such as ["LEAD_GENERATION"].')
    )
    endpoint_uri: models.CharField[str, str] = models.CharField(
        _("endpoint"),
        max_length=500,
        blank=True,
        default="",
        validators=(URLValidator(schemes=("https",)),),
        help_text=_("The URL of its data endpoint, if it has one."),
    )
    flow_json: models.JSONField[Any, Any] = models.JSONField(_("Flow JSON"))
    is_active: models.BooleanField[bool, bool] = models.BooleanField(
        _("active"), default=True, help_text=_("sync_whatsapp_flows skips inactive flows.")
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
        """The name by which it is looked up in the account."""
        return self.friendly_name or self.name

    def clean(self) -> None:
        """
        Reject a Flow JSON that is not an object, categories that are not a list of texts, and values that cannot be
        stored. A Flow JSON with errors that Meta would report may be saved.
        """
        super().clean()
        errors: dict[str, list[Any]] = {
            name: [message]
            for name in ("name", "friendly_name", "description", "categories", "flow_json")
            if (message := unstorable(getattr(self, name)))
        }
        if not isinstance(self.flow_json, dict):
            errors["flow_json"] = [_("A Flow JSON is an object.")]
        names = self.categories
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            errors["categories"] = [_('A list of at least one text, such as ["OTHER"].')]
        if errors:
            raise ValidationError(errors)


def unstorable(value: Any) -> Any:
    """
    Why a text or a JSON value cannot be stored and displayed; None if it can.

    UTF-8 cannot encode a lone surrogate, PostgreSQL cannot store NUL, and JSON has neither NaN nor infinity.
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
    """All keys and scalar values, without recursion: a JSON value may be nested deeply."""
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
