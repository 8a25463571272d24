"""The table of flows."""

import django.core.validators
import django.db.models.functions.comparison
from django.db import migrations, models

import whatsapp_flows.contrib.django.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="WhatsAppFlow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="The name of the flow in this project, as in sync_whatsapp_flows --flow NAME.",
                        max_length=200,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "friendly_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The name at Meta; if empty, the name. A new friendly name means a new flow.",
                        max_length=200,
                        verbose_name="friendly name",
                    ),
                ),
                ("description", models.TextField(blank=True, default="", verbose_name="description")),
                (
                    "categories",
                    models.JSONField(
                        default=whatsapp_flows.contrib.django.models.other,
                        help_text='Meta\'s categories, at least one, such as ["LEAD_GENERATION"].',
                        verbose_name="categories",
                    ),
                ),
                (
                    "endpoint_uri",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The URL of its data endpoint, if it has one.",
                        max_length=500,
                        validators=[django.core.validators.URLValidator(schemes=("https",))],
                        verbose_name="endpoint",
                    ),
                ),
                ("flow_json", models.JSONField(verbose_name="Flow JSON")),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="sync_whatsapp_flows skips inactive flows.",
                        verbose_name="active",
                    ),
                ),
                (
                    "flow_id",
                    models.CharField(
                        blank=True, db_index=True, default="", editable=False, max_length=64, verbose_name="flow id"
                    ),
                ),
                (
                    "sync_status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("syncing", "Syncing"),
                            ("published", "Published"),
                            ("error", "Error"),
                        ],
                        db_index=True,
                        default="draft",
                        editable=False,
                        max_length=16,
                        verbose_name="sync status",
                    ),
                ),
                ("sync_error", models.TextField(blank=True, default="", editable=False, verbose_name="sync error")),
                (
                    "last_synced_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last synced"),
                ),
                ("syncing_since", models.DateTimeField(blank=True, editable=False, null=True)),
                ("sync_memory", models.JSONField(blank=True, default=dict, editable=False)),
            ],
            options={
                "verbose_name": "WhatsApp flow",
                "verbose_name_plural": "WhatsApp flows",
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.comparison.Coalesce(
                            django.db.models.functions.comparison.NullIf("friendly_name", models.Value("")), "name"
                        ),
                        name="whatsapp_flows_name_at_meta",
                        violation_error_message="Another flow has this name at Meta.",
                    )
                ],
            },
        ),
    ]
