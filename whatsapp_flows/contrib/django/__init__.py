"""
WhatsApp flows as rows of a Django project, and their deployment to Meta.

    INSTALLED_APPS = [..., "whatsapp_flows.contrib.django"]
    WHATSAPP_FLOWS = {"WABA_ID": "102290129340398", "MAX_ATTEMPTS": 5}

`models.WhatsAppFlow` is a flow, `services.sync_flows` deploys some of them, and so do the admin and the command
`sync_whatsapp_flows`. Needs the extra "django".
"""

from .._extra import missing

if absent := missing("django", "django"):
    raise ImportError(absent)
