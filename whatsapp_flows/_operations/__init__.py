"""
Every call of the Graph API as an `Operation`: its request, how to read the response, what to do after a lost one.

Sources are cited by the name of the page, because Meta's section numbers change: "Flows API" is
https://developers.facebook.com/docs/whatsapp/flows/reference/flowsapi.
"""

from ._account import (
    get_public_key,
    list_phone_numbers,
    list_subscribed_apps,
    merge_migrations,
    migrate_flows,
    set_public_key,
    subscribe_app,
)
from ._arguments import nonempty_text
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

__all__ = [
    "PUBLISHED_STATUSES",
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
    "merge_migrations",
    "migrate_flows",
    "nonempty_text",
    "publish_flow",
    "set_public_key",
    "subscribe_app",
    "update_flow",
    "update_flow_json",
]
