"""The app configuration."""

from __future__ import annotations

from django.apps import AppConfig


class WhatsAppFlowsConfig(AppConfig):
    """Installed as "whatsapp_flows.contrib.django", labelled `whatsapp_flows`."""

    name = "whatsapp_flows.contrib.django"
    label = "whatsapp_flows"
    verbose_name = "WhatsApp flows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from . import checks  # noqa: PLC0415 - imports the models, which Django allows only now

        checks.register_all()
