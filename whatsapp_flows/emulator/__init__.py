"""
Meta's Flows management API on your machine: the same paths, states, errors and paging, over a real socket.

    with Emulator() as meta:
        meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
        client = FlowsClient("token", meta.waba_id, base_url=meta.url)
"""

import importlib.util

if importlib.util.find_spec("werkzeug") is None:
    raise ImportError('the emulator needs werkzeug: pip install "whatsapp-flows-sdk[emulator]"')

from ._emulator import Emulator
from ._endpoint_checks import EndpointCheck, EndpointChecks
from ._fault_specs import read_fault, read_faults
from ._faults import Fault, FaultRule
from ._serve import serve
from ._webhooks import WebhookDelivery
from ._wire import RecordedRequest
from .graph import FlowRecord, MessageRecord, StoredFlowJson, TemplateButton, TemplateRecord

__all__ = [
    "Emulator",
    "EndpointCheck",
    "EndpointChecks",
    "Fault",
    "FaultRule",
    "FlowRecord",
    "MessageRecord",
    "RecordedRequest",
    "StoredFlowJson",
    "TemplateButton",
    "TemplateRecord",
    "WebhookDelivery",
    "read_fault",
    "read_faults",
    "serve",
]
