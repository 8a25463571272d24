"""
Every call of the Graph API as an `Operation`: its request, how to read the response, what to do after a lost one.

Sources are cited by the name of the page, because Meta's section numbers change: "Flows API" is
https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi.
"""

from typing import TYPE_CHECKING, Final

from .._lazy import lazy_names
from ._account import (
    get_public_key,
    list_phone_numbers,
    list_subscribed_apps,
    merge_migrations,
    migrate_flows,
    set_public_key,
    subscribe_app,
)
from ._arguments import item_list, nonempty_text
from ._create import NewFlow, best_match, create_flow
from ._flows import (
    PUBLISHED_STATUSES,
    delete_flow,
    deprecate_flow,
    download_flow_json,
    get_flow,
    get_health,
    get_metric,
    get_preview,
    list_assets,
    list_flows,
    publish_flow,
    update_flow,
    update_flow_json,
)
from ._graph import Api, Page

if TYPE_CHECKING:
    from ._media import download_media
    from ._messages import FlowMessage, TemplateMessage, send_flow, send_flow_template, template_buttons
    from ._templates import NewTemplate, create_flow_template

__all__ = [
    "PUBLISHED_STATUSES",
    "Api",
    "FlowMessage",
    "NewFlow",
    "NewTemplate",
    "Page",
    "TemplateMessage",
    "best_match",
    "create_flow",
    "create_flow_template",
    "delete_flow",
    "deprecate_flow",
    "download_flow_json",
    "download_media",
    "get_flow",
    "get_health",
    "get_metric",
    "get_preview",
    "get_public_key",
    "item_list",
    "list_assets",
    "list_flows",
    "list_phone_numbers",
    "list_subscribed_apps",
    "merge_migrations",
    "migrate_flows",
    "nonempty_text",
    "publish_flow",
    "send_flow",
    "send_flow_template",
    "set_public_key",
    "subscribe_app",
    "template_buttons",
    "update_flow",
    "update_flow_json",
]

# Loaded with the first message or file: most processes send and fetch none.
_LAZY: Final = {
    "._media": ("download_media",),
    "._messages": ("FlowMessage", "TemplateMessage", "send_flow", "send_flow_template", "template_buttons"),
    "._templates": ("NewTemplate", "create_flow_template"),
}

__getattr__ = lazy_names(__name__, _LAZY)
