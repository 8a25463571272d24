"""
Every Graph call as a value: how to ask, how to read the answer, and what to do when an answer was lost.

Sources are named by page, because the numbers of Meta's sections change: "Flows API" is
https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi.
"""

from ._account import (
    get_public_key,
    list_phone_numbers,
    list_subscribed_apps,
    merged,
    migrate_flows,
    set_public_key,
    subscribe_app,
)
from ._arguments import nonempty_text
from ._create import NewFlow, best_match, create_flow
from ._flows import (
    ONCE_PUBLISHED,
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

__all__ = [
    "ONCE_PUBLISHED",
    "Api",
    "NewFlow",
    "Page",
    "best_match",
    "create_flow",
    "delete_flow",
    "deprecate_flow",
    "download_flow_json",
    "get_flow",
    "get_health",
    "get_metric",
    "get_preview",
    "get_public_key",
    "list_assets",
    "list_flows",
    "list_phone_numbers",
    "list_subscribed_apps",
    "merged",
    "migrate_flows",
    "publish_flow",
    "set_public_key",
    "subscribe_app",
    "update_flow",
    "update_flow_json",
    "nonempty_text",
]
