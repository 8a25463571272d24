"""
WhatsApp flows as rows of a Django project, their deployment to Meta, and the view of an endpoint.

    INSTALLED_APPS = [..., "whatsapp_flows.contrib.django"]
    WHATSAPP_FLOWS = {"WABA_ID": "102290129340398", "MAX_ATTEMPTS": 5}

`models.WhatsAppFlow` is a flow, `services.sync_flows` deploys some of them, and so do the admin and the command
`sync_whatsapp_flows`. `flow_view` and `async_flow_view` serve an endpoint or webhooks, and need no installed app.
Needs the extra "django".
"""

from typing import TYPE_CHECKING

from ..._lazy import lazy_names
from .._extra import missing

if absent := missing("django", "django"):
    raise ImportError(absent)

if TYPE_CHECKING:
    from .views import async_flow_view, flow_view

__all__ = ["async_flow_view", "flow_view"]

__getattr__ = lazy_names(__name__, {".views": ("async_flow_view", "flow_view")})
