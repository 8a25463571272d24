"""
The Graph API for Flows as a pure state machine: from a world and a call to the next world and a response.

It reads no clock and opens no socket: the time is part of a call, and all state is in the world.
"""

from ._access import QuotaCounter, QuotaUsage, usage_headers
from ._account_nodes import display_number
from ._batch import BatchRequest, BatchResult, run_batch
from ._call import GraphCall, GraphResponse, Part, Settings, error_response, json_response
from ._documents import StoredFlowJson, stored_flow_json
from ._endpoint_checks import PendingCheck, pending_checks
from ._errors import ErrorSpec, Problem, error_body, graph_error, spec_for
from ._media_node import encrypted_url
from ._messages import ANY_RECIPIENT
from ._metrics import METRIC_KEYS
from ._nodes import is_id
from ._routes import BATCH, OPERATIONS, Target, handle, is_version, resolve_target, takes_no_credentials
from ._state import (
    DEFAULT_APP_ID,
    DEFAULT_BUSINESS_ID,
    DEFAULT_PHONE_NUMBER_ID,
    DEFAULT_WABA_ID,
    DRAFT,
    STATUSES,
    Account,
    FlowRecord,
    MediaRecord,
    MessageRecord,
    MetricPoint,
    PhoneNumber,
    PreviewLink,
    TemplateButton,
    TemplateRecord,
    World,
    default_world,
    with_missing,
)

__all__ = [
    "ANY_RECIPIENT",
    "BATCH",
    "DEFAULT_APP_ID",
    "DEFAULT_BUSINESS_ID",
    "DEFAULT_PHONE_NUMBER_ID",
    "DEFAULT_WABA_ID",
    "DRAFT",
    "METRIC_KEYS",
    "OPERATIONS",
    "STATUSES",
    "Account",
    "BatchRequest",
    "BatchResult",
    "ErrorSpec",
    "FlowRecord",
    "GraphCall",
    "GraphResponse",
    "MediaRecord",
    "MessageRecord",
    "MetricPoint",
    "Part",
    "PendingCheck",
    "PhoneNumber",
    "PreviewLink",
    "Problem",
    "QuotaCounter",
    "QuotaUsage",
    "Settings",
    "StoredFlowJson",
    "Target",
    "TemplateButton",
    "TemplateRecord",
    "World",
    "default_world",
    "display_number",
    "encrypted_url",
    "error_body",
    "error_response",
    "graph_error",
    "handle",
    "is_id",
    "is_version",
    "json_response",
    "pending_checks",
    "resolve_target",
    "run_batch",
    "spec_for",
    "stored_flow_json",
    "takes_no_credentials",
    "usage_headers",
    "with_missing",
]
